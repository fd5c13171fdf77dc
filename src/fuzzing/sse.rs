//! Server-sent events: however the bytes are cut, they are the same events, and these make a message or none.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;

use super::{block_on, cuts};
use crate::claude::fold::Fold;
use crate::claude::sse::Events;
use crate::claude::types::{Delta, StreamEvent};

/// Nothing here waits.
const SILENCE: Duration = Duration::from_secs(3600);

pub(super) fn check(data: &[u8]) {
    let Some((size, body)) = data.split_first() else { return };
    let [whole, single, pieces] = cuts(body, *size).map(|chunks| events(&chunks));
    assert_eq!(whole, single);
    assert_eq!(whole, pieces);
    folded(&whole.0);
}

/// What the events make: the text that was streamed, and no number that ends anything.
fn folded(events: &[StreamEvent]) {
    let mut fold = Fold::default();
    for event in events {
        let before = fold.text().len();
        let is_refused = fold.apply(event.clone()).is_err();
        let after = fold.text();
        match event {
            // A block may begin anew; else a text only grows, by what came.
            StreamEvent::ContentBlockStart { .. } => {}
            StreamEvent::ContentBlockDelta { delta: Delta::TextDelta { text }, .. } if !is_refused => {
                assert!(after.len() == before || after.len() == before + text.len() && after.contains(text.as_str()));
            }
            _ => assert_eq!(after.len(), before, "{event:?}"),
        }
        let tokens = fold.tokens();
        assert!(tokens.cache_hit_rate().is_none_or(|rate| (0.0..=1.0).contains(&rate)), "{tokens:?}");
        if fold.is_complete() {
            assert!(fold.clone().finish().is_some());
        }
    }
}

/// What comes of a body, to its end or to the first error.
fn events(chunks: &[&[u8]]) -> (Vec<StreamEvent>, Option<String>) {
    let chunks: Vec<_> = chunks.iter().map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk))).collect();
    block_on(async {
        let mut events = Events::new(futures::stream::iter(chunks));
        let mut seen = Vec::new();
        loop {
            match events.next(SILENCE).await {
                Ok(Some(event)) => seen.push(event),
                Ok(None) => return (seen, None),
                Err(error) => return (seen, Some(error.to_string())),
            }
        }
    })
}
