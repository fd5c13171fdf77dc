//! Server-sent events: bytes in, [`StreamEvent`]s out, with a limit on an event's size and on silence.
//!
//! The line protocol (LF, CRLF, CR, BOM, comments, data in several lines, splits anywhere) is the `sse-stream` crate's;
//! what it leaves to its users is here.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use sse_stream::SseByteStream;
use tokio::time::timeout;

use super::{
    errors::Fault,
    types::{ApiError, StreamEvent},
};

/// The largest event, in bytes. The API's are far smaller; a server that never ends one must not fill the memory.
pub const LARGEST_EVENT: usize = 16 * 1024 * 1024;

type Chunks<E> = Pin<Box<dyn Stream<Item = Result<Bytes, ReadError<E>>> + Send>>;

/// The events of one answer.
pub struct Events<E: std::error::Error + Send + Sync + 'static> {
    inner: SseByteStream<Chunks<E>>,
    /// Bytes read since the last event.
    read: Arc<AtomicUsize>,
}

/// Why there is no next event.
#[derive(Debug, thiserror::Error)]
pub enum EventError<E: std::error::Error + 'static> {
    /// Nothing came in time.
    #[error("nothing came in time")]
    Silence,
    /// The bytes stopped coming.
    #[error(transparent)]
    Transport(E),
    /// The bytes are not server-sent events of the Messages API; says in what way.
    #[error("{0}")]
    Malformed(String),
}

#[derive(Debug, thiserror::Error)]
enum ReadError<E: std::error::Error + 'static> {
    #[error(transparent)]
    Transport(E),
    #[error("an event is larger than {LARGEST_EVENT} bytes")]
    TooLarge,
}

impl<E: std::error::Error + Send + Sync + 'static> Events<E> {
    /// Reads events from the chunks of a body.
    pub fn new(chunks: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Self {
        let read = Arc::new(AtomicUsize::new(0));
        let shared = Arc::clone(&read);
        let counted = chunks.map(move |chunk| {
            let chunk = chunk.map_err(ReadError::Transport)?;
            let before = shared.fetch_add(chunk.len(), Ordering::Relaxed);
            if before.saturating_add(chunk.len()) > LARGEST_EVENT { Err(ReadError::TooLarge) } else { Ok(chunk) }
        });
        Self { inner: SseByteStream::new(Box::pin(counted) as Chunks<E>), read }
    }

    /// The next event, or `None` at the end. Any event is a sign of life, a `ping` too; comments are not.
    pub async fn next(&mut self, silence: Duration) -> Result<Option<StreamEvent>, EventError<E>> {
        loop {
            let Ok(next) = timeout(silence, self.inner.next()).await else { return Err(EventError::Silence) };
            self.read.store(0, Ordering::Relaxed);
            let sse = match next {
                None => return Ok(None),
                Some(Err(error)) => return Err(read_error(error)),
                Some(Ok(sse)) => sse,
            };
            // `[DONE]` is how servers of another API end a stream; some gateways let it slip through.
            let Some(data) = sse.data.filter(|data| !data.trim().is_empty() && data.trim() != "[DONE]") else {
                continue;
            };
            return parse(sse.event.as_deref(), &data).map(Some);
        }
    }

    /// Reads what is left, so that the connection can serve the next request; gives up after `limit`.
    pub async fn drain(mut self, limit: Duration) {
        let rest = async { while let Some(Ok(_)) = self.inner.next().await {} };
        // Out of time means a connection less in the pool, nothing else.
        let _ = timeout(limit, rest).await;
    }
}

fn parse<E: std::error::Error + 'static>(name: Option<&str>, data: &str) -> Result<StreamEvent, EventError<E>> {
    match serde_json::from_str(data) {
        // Gateways write their own failures in their own form, but under this name.
        Ok(StreamEvent::Other(value)) if name == Some("error") || value.get("error").is_some_and(|e| !e.is_null()) => {
            let fault = Fault::from_json(&value);
            Ok(StreamEvent::Error { error: ApiError { kind: fault.kind, message: fault.message, details: None } })
        }
        Ok(event) => Ok(event),
        Err(_) if name == Some("error") => {
            let fault = Fault::from_body(data.as_bytes());
            Ok(StreamEvent::Error { error: ApiError { kind: fault.kind, message: fault.message, details: None } })
        }
        Err(error) => Err(EventError::Malformed(format!("an event is not JSON ({error})"))),
    }
}

fn read_error<E: std::error::Error + Send + Sync + 'static>(error: sse_stream::Error) -> EventError<E> {
    match error {
        sse_stream::Error::Body(inner) => match inner.downcast::<ReadError<E>>() {
            Ok(inner) => match *inner {
                ReadError::Transport(error) => EventError::Transport(error),
                large @ ReadError::TooLarge => EventError::Malformed(large.to_string()),
            },
            Err(other) => EventError::Malformed(other.to_string()),
        },
        other => EventError::Malformed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;
    use proptest::prelude::*;

    use super::*;
    use crate::claude::types::Delta;

    const LONG: Duration = Duration::from_secs(60);

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    async fn all(chunks: Vec<Bytes>) -> Result<Vec<StreamEvent>, EventError<Infallible>> {
        let mut events = Events::new(stream::iter(chunks.into_iter().map(Ok)));
        let mut found = Vec::new();
        while let Some(event) = events.next(LONG).await? {
            found.push(event);
        }
        Ok(found)
    }

    fn read(body: &str) -> Result<Vec<StreamEvent>, EventError<Infallible>> {
        runtime().block_on(all(vec![Bytes::copy_from_slice(body.as_bytes())]))
    }

    fn text(text: &str) -> StreamEvent {
        StreamEvent::ContentBlockDelta { index: 0, delta: Delta::TextDelta { text: text.to_owned() } }
    }

    proptest! {
        /// Whatever the line ends, the decoration and the splits: the same events come out.
        #[test]
        fn any_line_end_and_any_split(
            texts in prop::collection::vec("[a-z\u{e4}\u{1F469}\u{200d}\u{2028} \"\\\\\n]{0,12}", 1..6),
            line_end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
            bom in any::<bool>(),
            pretty in any::<bool>(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let expected: Vec<StreamEvent> = texts.iter().map(|t| text(t)).chain([StreamEvent::Ping]).collect();
            let mut body = String::new();
            if bom {
                body.push('\u{feff}');
            }
            for event in &expected {
                let json = if pretty { serde_json::to_string_pretty(event) } else { serde_json::to_string(event) }.unwrap();
                body.push_str(": a comment");
                body.push_str(line_end);
                body.push_str("event: whatever");
                body.push_str(line_end);
                for line in json.lines() {
                    body.push_str("data: ");
                    body.push_str(line);
                    body.push_str(line_end);
                }
                body.push_str(line_end);
            }
            let bytes = Bytes::from(body);
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
            places.extend([0, bytes.len()]);
            places.sort_unstable();
            let chunks = places.windows(2).map(|pair| bytes.slice(pair[0]..pair[1])).collect();
            prop_assert_eq!(runtime().block_on(all(chunks)).unwrap(), expected);
        }
    }

    #[test]
    fn one_byte_at_a_time() {
        let body = Bytes::from("data: {\"type\":\"ping\"}\r\n\r\ndata: {\"type\":\"message_stop\"}\r\n\r\n");
        let chunks = (0..body.len()).map(|at| body.slice(at..=at)).collect();
        assert_eq!(runtime().block_on(all(chunks)).unwrap(), [StreamEvent::Ping, StreamEvent::MessageStop]);
    }

    #[test]
    fn foreign_events() {
        let events = read("data: [DONE]\n\ndata:\n\nid: 7\n\ndata: {\"type\":\"new_thing\",\"x\":1}\n\n").unwrap();
        assert_eq!(events, [StreamEvent::Other(serde_json::json!({"type": "new_thing", "x": 1}))]);
    }

    #[test]
    fn errors_in_any_form() {
        for (body, kind, message) in [
            (
                r#"data: {"type":"error","error":{"type":"overloaded_error","message":"Busy"}}"#,
                "overloaded_error",
                "Busy",
            ),
            (r#"data: {"error":{"message":"Out of memory"}}"#, "", "Out of memory"),
            (r#"data: {"error":"Out of memory"}"#, "", "Out of memory"),
            ("event: error\ndata: upstream gone", "", "upstream gone"),
        ] {
            let error = ApiError { kind: kind.to_owned(), message: message.to_owned(), details: None };
            assert_eq!(read(&format!("{body}\n\n")).unwrap(), [StreamEvent::Error { error }], "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        assert!(matches!(read("data: {\"type\":\n\n"), Err(EventError::Malformed(_))));
        // An event that was cut off by the end never counts.
        assert_eq!(read("data: {\"type\":\"ping\"}").unwrap(), []);
    }

    #[test]
    fn an_event_without_end_is_stopped() {
        let chunk = Bytes::from(vec![b'x'; 1 << 20]);
        let chunks = std::iter::once(Bytes::from("data: ")).chain(std::iter::repeat_n(chunk, 17)).collect();
        assert!(matches!(runtime().block_on(all(chunks)), Err(EventError::Malformed(what)) if what.contains("larger")));
    }

    #[test]
    fn many_events_are_not_one_large_one() {
        let filler = "y".repeat(1 << 20);
        let event = Bytes::from(format!("data: {{\"type\":\"ping\",\"filler\":\"{filler}\"}}\n\n"));
        let events = runtime().block_on(all(std::iter::repeat_n(event, 20).collect())).unwrap();
        assert_eq!(events.len(), 20);
    }

    #[test]
    fn silence_ends_and_comments_do_not_help() {
        runtime().block_on(async {
            let comments = stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Some((Ok::<_, Infallible>(Bytes::from(": still here\n\n")), ()))
            });
            let mut events = Events::new(comments);
            assert!(matches!(events.next(Duration::from_millis(50)).await, Err(EventError::Silence)));
        });
    }
}
