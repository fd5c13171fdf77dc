//! Server-sent events: however the bytes are cut, they are the same events.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;

use super::{block_on, cuts};
use crate::claude::sse::Events;

/// Nothing here waits.
const SILENCE: Duration = Duration::from_secs(3600);

pub(super) fn check(data: &[u8]) {
    let Some((size, body)) = data.split_first() else { return };
    let [whole, single, pieces] = cuts(body, *size).map(|chunks| events(&chunks));
    assert_eq!(whole, single);
    assert_eq!(whole, pieces);
}

/// What comes of a body, to its end or to the first error.
fn events(chunks: &[&[u8]]) -> Vec<String> {
    let chunks: Vec<_> = chunks.iter().map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk))).collect();
    block_on(async {
        let mut events = Events::new(futures::stream::iter(chunks));
        let mut seen = Vec::new();
        loop {
            match events.next(SILENCE).await {
                Ok(Some(event)) => seen.push(format!("{event:?}")),
                Ok(None) => return seen,
                Err(error) => {
                    seen.push(format!("error: {error}"));
                    return seen;
                }
            }
        }
    })
}
