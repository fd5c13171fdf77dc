//! Frames on standard input: what goes on to the framework is always one that it can read.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

use super::{block_on, cuts};
use crate::server::sanitized_frames;

/// A number above this asks for headers about as long as they may be.
const LONG: u8 = 247;

pub(super) fn check(data: &[u8]) {
    let [size, long, input @ ..] = data else { return };
    // Headers may be longer than what a fuzzer makes up; since these are read byte by byte too, few of them are.
    let padding = format!("X: {}\r\n", "x".repeat(16_384 - 16 * usize::from(u8::MAX - *long)));
    let input = &[if *long > LONG { padding.as_bytes() } else { &[] }, input].concat();
    let [whole, single, pieces] = cuts(input, *size).map(|chunks| passed_on(&chunks));
    assert_eq!(whole, single);
    assert_eq!(whole, pieces);
    let mut rest = whole.as_slice();
    while !rest.is_empty() {
        let headers = rest.windows(4).position(|window| window == b"\r\n\r\n").expect("headers end");
        let header = std::str::from_utf8(&rest[..headers]).expect("headers are text");
        let length: usize = header.strip_prefix("Content-Length: ").and_then(|n| n.parse().ok()).expect("a length");
        let (body, behind) = rest[headers + 4..].split_at(length);
        if !body.is_empty() {
            let message: serde_json::Value = serde_json::from_slice(body).expect("JSON");
            assert_eq!(message["jsonrpc"], "2.0");
        }
        rest = behind;
    }
}

fn passed_on(chunks: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    let input = Chunks(chunks.iter().copied().filter(|chunk| !chunk.is_empty()).collect());
    block_on(sanitized_frames(input).read_to_end(&mut out)).expect("memory does not fail");
    out
}

/// An input that comes in pieces.
struct Chunks<'a>(VecDeque<&'a [u8]>);

impl AsyncRead for Chunks<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if let Some(chunk) = self.0.pop_front() {
            let (now, later) = chunk.split_at(chunk.len().min(buf.remaining()));
            buf.put_slice(now);
            if !later.is_empty() {
                self.0.push_front(later);
            }
        }
        Poll::Ready(Ok(()))
    }
}
