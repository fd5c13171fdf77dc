//! Standard input as a stream of well-formed frames.
//!
//! The framework ends the session at the first frame that it can't read: a header it does not know, a body that is no JSON,
//! half of a surrogate pair in a text. Here each frame is read first, and what can't be understood goes on as a request that
//! the [service](super::service) answers with the error that the protocol has for it. The end of the input is noticed too:
//! an editor that died or closed the pipe without a word must end the server.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::Id;

/// The method that stands for a frame whose body is no JSON, or that has no length.
pub(super) const NO_JSON: &str = "$/aside/noJson";
/// The method that stands for JSON that is no message.
pub(super) const NO_MESSAGE: &str = "$/aside/noMessage";

/// A longer body is not waited for. Far above any document, and low enough to be had.
const MAX_BODY: usize = 1 << 30;
/// What ends a header block.
const END: &[u8] = b"\r\n\r\n";
/// A header block without an end is given up at this length.
const MAX_HEADERS: usize = 1 << 14;
/// How much is read at once.
const CHUNK: usize = 1 << 16;

/// The frames of the input behind it; cancels a token when that ends or breaks.
pub(super) struct Frames<R> {
    inner: R,
    end: CancellationToken,
    chunk: Box<[u8]>,
    received: BytesMut,
    /// So much of it has no end of a header block, so that what comes byte by byte is looked at once.
    searched: usize,
    /// The length of the body that comes next, once its headers were read.
    body: Option<usize>,
    /// What was read and checked and waits to be taken.
    checked: VecDeque<Bytes>,
}

impl<R> Frames<R> {
    pub(super) fn new(inner: R, end: CancellationToken) -> Self {
        let chunk = vec![0; CHUNK].into_boxed_slice();
        Self { inner, end, chunk, received: BytesMut::new(), searched: 0, body: None, checked: VecDeque::new() }
    }

    /// Takes the next frame out of what was received; whether there was a whole one.
    fn take_frame(&mut self) -> bool {
        let Some(length) = self.body.or_else(|| self.take_headers()) else { return !self.checked.is_empty() };
        self.body = Some(length);
        if self.received.len() < length {
            return false;
        }
        self.body = None;
        let body = check(self.received.split_to(length));
        self.put(body);
        true
    }

    /// Takes a header block; the length of its body. A block without one is reported and left out.
    fn take_headers(&mut self) -> Option<usize> {
        // However the bytes came, as many of them decide.
        let near = &self.received[..self.received.len().min(MAX_HEADERS)];
        // The last of what was searched may be the beginning of the end.
        let from = self.searched.saturating_sub(END.len() - 1);
        let Some(end) = memchr::memmem::find(&near[from..], END) else {
            self.searched = near.len();
            if near.len() == MAX_HEADERS {
                self.received.advance(MAX_HEADERS - (END.len() - 1));
                self.searched = 0;
                self.put(stand_in(NO_JSON));
            }
            return None;
        };
        self.searched = 0;
        let block = self.received.split_to(from + end + END.len());
        let length = content_length(&block);
        if length.is_none() {
            self.put(stand_in(NO_JSON));
        }
        length
    }

    fn put(&mut self, body: Bytes) {
        self.checked.push_back(Bytes::from(format!("Content-Length: {}\r\n\r\n", body.len())));
        self.checked.push_back(body);
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Frames<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        loop {
            if let Some(bytes) = this.checked.front_mut() {
                let taken = bytes.len().min(buf.remaining());
                buf.put_slice(&bytes[..taken]);
                bytes.advance(taken);
                if bytes.is_empty() {
                    this.checked.pop_front();
                }
                return Poll::Ready(Ok(()));
            }
            if this.take_frame() {
                continue;
            }
            let mut chunk = ReadBuf::new(&mut this.chunk);
            let read = ready!(Pin::new(&mut this.inner).poll_read(cx, &mut chunk));
            if read.is_err() || chunk.filled().is_empty() {
                this.end.cancel();
                return Poll::Ready(read);
            }
            this.received.extend_from_slice(chunk.filled());
        }
    }
}

/// The length that a header block names, whatever else it says. What was given up before may stand in front of it.
fn content_length(block: &[u8]) -> Option<usize> {
    const NAME: &str = "content-length";
    let block = String::from_utf8_lossy(block).to_ascii_lowercase();
    let mut lengths = block.rmatch_indices(NAME).filter_map(|(at, _)| {
        let value = block[at + NAME.len()..].lines().next()?.trim_start().strip_prefix(':')?;
        value.trim().parse().ok()
    });
    lengths.next().filter(|length| *length <= MAX_BODY)
}

/// A body that the framework can read: this one where it can, else one that stands for it.
fn check(mut body: BytesMut) -> Bytes {
    if serde_json::from_slice::<Message<'_>>(&body).is_ok() {
        return body.freeze();
    }
    // Editors whose strings are UTF-16 can send half a pair. It counts as one unit, and so does what takes its place.
    if replace_half_pairs(&mut body) && serde_json::from_slice::<Message<'_>>(&body).is_ok() {
        return body.freeze();
    }
    if body.is_empty() {
        return body.freeze();
    }
    let is_json = serde_json::from_slice::<Readable>(&body).is_ok();
    stand_in(if is_json { NO_MESSAGE } else { NO_JSON })
}

fn stand_in(method: &str) -> Bytes {
    Bytes::from(format!(r#"{{"jsonrpc":"2.0","id":null,"method":"{method}"}}"#))
}

/// Replaces escapes that are half a surrogate pair by U+FFFD; whether there were any.
fn replace_half_pairs(body: &mut [u8]) -> bool {
    let mut replaced = false;
    let mut at = 0;
    while let Some(next) = body[at..].iter().position(|byte| *byte == b'\\') {
        at += next;
        let (unit, following) = (escaped_unit(&body[at..]), escaped_unit(body.get(at + 6..).unwrap_or_default()));
        at += match (unit, following) {
            (None, _) => 2,
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                body[at..at + 6].copy_from_slice(b"\\uFFFD");
                replaced = true;
                6
            }
            (Some(_), _) => 6,
        };
        at = at.min(body.len());
    }
    replaced
}

/// The UTF-16 unit of an escape such as `\u00e9` at the beginning of `text`.
fn escaped_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A message, as far as the framework looks at it before it knows the method.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "jsonrpc")]
    _version: Version,
    #[serde(default, rename = "id")]
    _id: Option<Id>,
    #[serde(borrow, default, rename = "method")]
    _method: Cow<'a, str>,
    #[serde(default, rename = "params")]
    _params: Readable,
    #[serde(default, rename = "result")]
    _result: Readable,
    #[serde(default, rename = "error")]
    _error: Readable,
    /// The framework reads what it has no use for, too.
    #[serde(flatten)]
    _others: Readable,
}

#[derive(Deserialize)]
enum Version {
    #[serde(rename = "2.0")]
    Two,
}

/// JSON that can be read, to the last escape. (Serde's own way of skipping values does not look into strings.)
#[derive(Default)]
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        while entries.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
