//! Standard output, shared by the framework and the jobs' feeds, and written to without a detour where the system allows it.
//!
//! At 20 streams, what a delta waits for longest is other tasks: the framework takes a message through a queue, and the
//! runtime's own standard output hands every write to another thread. So a part of a stream is written by the task that read
//! it, as one frame, as long as the client reads as fast as it comes. Editors connect servers by pipes or, as Node does, by
//! socket pairs, and both can be written to like that.

use std::io;
#[cfg(unix)]
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf as _, BytesMut};
use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Notify;

/// So many bytes of the framework's messages may wait for a client that does not read, before the framework has to wait too.
/// A client that first writes all it has to say and then reads must not find that nobody listens: answers to some hundred
/// thousand requests have room here. What grows by itself, streams and progress, is not sent to a client that does not read.
const ROOM: usize = 8 << 20;

/// The way out. Frames of both kinds stay whole, and leave in the order in which they were taken.
#[derive(Clone)]
pub(super) struct Outlet(Arc<Shared>);

struct Shared {
    pipe: Option<Pipe>,
    state: Mutex<State>,
    /// Something waits to be written.
    filled: Notify,
    /// Nothing waits any more.
    clear: Notify,
}

#[derive(Default)]
struct State {
    /// What was taken and not written yet.
    waiting: BytesMut,
    /// Whether some task is writing right now; it goes on with what comes to wait meanwhile.
    writing: bool,
    /// Whether the client has to read on first. Then jobs keep what they have to say, and the framework's messages wait here.
    blocked: bool,
    /// Whether the client is gone.
    gone: bool,
    /// The framework, if it waits.
    framework: Option<Waker>,
}

impl Outlet {
    /// Opens standard output. Anything that is neither a pipe nor a socket, such as a file, goes through the runtime's threads.
    pub(super) fn open() -> Self {
        #[cfg(unix)]
        if let Ok(Some(pipe)) = io::stdout().as_fd().try_clone_to_owned().and_then(Pipe::of) {
            return Self::new(Some(pipe), tokio::io::sink());
        }
        Self::over(tokio::io::stdout())
    }

    /// An outlet to anything.
    pub(super) fn over(writer: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        Self::new(None, writer)
    }

    fn new(pipe: Option<Pipe>, writer: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        let shared = Arc::new(Shared { pipe, state: Mutex::default(), filled: Notify::new(), clear: Notify::new() });
        tokio::spawn(write(shared.clone(), writer));
        Self(shared)
    }

    /// Whether the client reads as fast as it is written to, so that it is the turn of [`Outlet::send`].
    pub(super) fn is_clear(&self) -> bool {
        !self.0.lock().blocked
    }

    /// Waits until it does.
    pub(super) async fn cleared(&self) {
        loop {
            let cleared = self.0.clear.notified();
            if self.is_clear() {
                return;
            }
            cleared.await;
        }
    }

    /// Sends a notification at once.
    pub(super) fn send(&self, method: &str, params: &impl Serialize) {
        #[derive(Serialize)]
        struct Message<'a, P> {
            jsonrpc: &'a str,
            method: &'a str,
            params: &'a P,
        }
        match serde_json::to_vec(&Message { jsonrpc: "2.0", method, params }) {
            Ok(body) => {
                let mut frame = Vec::with_capacity(body.len() + 32);
                frame.extend_from_slice(b"Content-Length: ");
                frame.extend_from_slice(body.len().to_string().as_bytes());
                frame.extend_from_slice(b"\r\n\r\n");
                frame.extend_from_slice(&body);
                tracing::trace!("-> {}", String::from_utf8_lossy(&body));
                self.0.take(self.0.lock(), &frame);
            }
            Err(error) => tracing::error!(method, "a notification could not be written: {error}"),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes bytes and writes all that can be written now. Never waits: not for the client, nor for a task that writes.
    fn take<'a>(&'a self, mut state: MutexGuard<'a, State>, bytes: &[u8]) {
        if state.gone {
            return;
        }
        state.waiting.extend_from_slice(bytes);
        if state.writing || state.blocked {
            return;
        }
        let Some(pipe) = &self.pipe else {
            state.blocked = true;
            self.filled.notify_one();
            return;
        };
        state.writing = true;
        while !state.waiting.is_empty() {
            let mut rest = state.waiting.split();
            drop(state);
            let failed = loop {
                match pipe.try_write(&rest) {
                    Ok(written) => rest.advance(written),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => break Some(error),
                }
                if rest.is_empty() {
                    break None;
                }
            };
            state = self.lock();
            if let Some(error) = failed {
                state.writing = false;
                if error.kind() != io::ErrorKind::WouldBlock {
                    return self.end(&mut state);
                }
                rest.unsplit(state.waiting.split());
                state.waiting = rest;
                state.blocked = true;
                self.filled.notify_one();
                return;
            }
        }
        state.writing = false;
        if let Some(framework) = state.framework.take() {
            framework.wake();
        }
    }

    /// Nobody reads any more.
    fn end(&self, state: &mut State) {
        state.gone = true;
        state.waiting.clear();
        self.now_clear(state);
    }

    fn now_clear(&self, state: &mut State) {
        // What had to be large once is given back.
        state.waiting = BytesMut::new();
        state.blocked = false;
        if let Some(framework) = state.framework.take() {
            framework.wake();
        }
        self.clear.notify_waiters();
    }
}

/// Writes what waits, as the client reads.
async fn write(shared: Arc<Shared>, mut writer: impl AsyncWrite + Unpin) {
    loop {
        shared.filled.notified().await;
        loop {
            let written = match &shared.pipe {
                Some(pipe) => pipe.write_waiting(&shared).await,
                None => write_through(&shared, &mut writer).await,
            };
            let mut state = shared.lock();
            if written.is_err() {
                return shared.end(&mut state);
            }
            if state.waiting.is_empty() {
                shared.now_clear(&mut state);
                break;
            }
        }
    }
}

async fn write_through(shared: &Shared, writer: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let bytes = shared.lock().waiting.split();
    writer.write_all(&bytes).await?;
    writer.flush().await
}

/// The framework's end.
impl AsyncWrite for Outlet {
    /// Takes all or nothing: the framework hands over whole frames, and no part of a stream may get into one.
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock();
        if state.gone {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.blocked && state.waiting.len() >= ROOM {
            state.framework = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.0.take(state, buf);
        Poll::Ready(Ok(buf.len()))
    }

    /// What was taken is on its way. To wait for it would be to wait for the client, also where there is room for more.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock();
        if state.gone || !state.blocked && !state.writing {
            return Poll::Ready(Ok(()));
        }
        state.framework = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// What can be written to without waiting.
#[cfg(unix)]
enum Pipe {
    Pipe(tokio::net::unix::pipe::Sender),
    Socket(tokio::net::UnixStream),
}

#[cfg(unix)]
impl Pipe {
    /// One of these, if it is one.
    fn of(descriptor: OwnedFd) -> io::Result<Option<Self>> {
        use std::os::unix::fs::FileTypeExt as _;

        let file = std::fs::File::from(descriptor);
        let kind = file.metadata()?.file_type();
        let descriptor = OwnedFd::from(file);
        if kind.is_fifo() {
            return tokio::net::unix::pipe::Sender::from_owned_fd(descriptor).map(|pipe| Some(Self::Pipe(pipe)));
        }
        if kind.is_socket() {
            let socket = std::os::unix::net::UnixStream::from(descriptor);
            socket.set_nonblocking(true)?;
            return tokio::net::UnixStream::from_std(socket).map(|socket| Some(Self::Socket(socket)));
        }
        Ok(None)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => pipe.try_write(bytes),
            Self::Socket(socket) => socket.try_write(bytes),
        }
    }

    /// Writes once the client reads on: a part of what waits, or all.
    async fn write_waiting(&self, shared: &Shared) -> io::Result<()> {
        match self {
            Self::Pipe(pipe) => pipe.writable().await?,
            Self::Socket(socket) => socket.writable().await?,
        }
        let mut state = shared.lock();
        match self.try_write(&state.waiting) {
            Ok(written) => state.waiting.advance(written),
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Elsewhere everything goes through the runtime's threads.
#[cfg(not(unix))]
enum Pipe {}

#[cfg(not(unix))]
impl Pipe {
    fn try_write(&self, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "there is none of it")]
    async fn write_waiting(&self, _: &Shared) -> io::Result<()> {
        match *self {}
    }
}

#[cfg(test)]
mod tests;
