//! Standard input that says when it ends: an editor that died or closed the pipe without a word must end the server.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

/// Cancels a token when the input behind it ends or breaks.
pub(super) struct EndOfInput<R> {
    inner: R,
    end: CancellationToken,
}

impl<R> EndOfInput<R> {
    pub(super) fn new(inner: R, end: CancellationToken) -> Self {
        Self { inner, end }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for EndOfInput<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let wanted = buf.remaining() > 0;
        let poll = Pin::new(&mut self.inner).poll_read(cx, buf);
        match &poll {
            Poll::Ready(Ok(())) if !wanted || buf.filled().len() > before => {}
            Poll::Ready(_) => self.end.cancel(),
            Poll::Pending => {}
        }
        poll
    }
}
