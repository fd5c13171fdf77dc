//! The `tower::Service` around the backend that makes the protocol's promises hard.
//!
//! By itself the framework runs notifications and requests as one pool of futures: order is lost at the first await, four
//! long requests stall everything, and a panic ends the process. Here notifications and `initialize` are finished inside
//! [`Service::call`], so wire order is the order of effects; every request runs as a task of its own under a cancellation
//! token; and each gets exactly one answer, also after a panic (-32603) or a cancel (-32800).

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use lsp_types::LspAny;
use tokio_util::sync::CancellationToken;
use tower::Service;
use tower_lsp::jsonrpc::{Error, Id, Request, Response};

use super::ext;
use super::stdin::{NO_JSON, NO_MESSAGE};
use crate::defect;

tokio::task_local! {
    /// Cancelled when the client cancels the request whose handler is running.
    static REQUEST: CancellationToken;
}

/// The token of the request that the calling handler answers; one that is never cancelled outside of a request.
pub(super) fn request_token() -> CancellationToken {
    REQUEST.try_with(Clone::clone).unwrap_or_default()
}

/// What the process ends with, and when.
#[derive(Clone, Default)]
pub(super) struct Life {
    shutdown: Arc<AtomicBool>,
    exited: Arc<AtomicBool>,
}

impl Life {
    /// The protocol's exit code: 0 after `shutdown`, 1 without; a pipe that just closed counts as a regular end, since
    /// several clients end that way.
    pub(super) fn exit_code(&self) -> u8 {
        u8::from(self.exited.load(Ordering::Acquire) && !self.shutdown.load(Ordering::Acquire))
    }
}

/// The requests that are being answered, by id.
type Pending = Arc<Mutex<HashMap<Id, CancellationToken>>>;

/// Wraps the framework's service.
pub(super) struct Wire<S> {
    inner: S,
    life: Life,
    pending: Pending,
    end: CancellationToken,
}

impl<S> Wire<S> {
    /// `end` is cancelled when the client says `exit`.
    pub(super) fn new(inner: S, life: Life, end: CancellationToken) -> Self {
        Self { inner, life, pending: Pending::default(), end }
    }
}

type Reply<E> = Result<Option<Response>, E>;

impl<S> Service<Request> for Wire<S>
where
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + 'static,
    S::Error: Send + std::fmt::Display + 'static,
{
    type Response = Option<Response>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Reply<S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let request = without_needless_params(request);
        match request.method() {
            "$/cancelRequest" => {
                self.cancel(&request);
                return done(None);
            }
            NO_JSON => return done(Some(Response::from_error(Id::Null, Error::parse_error()))),
            NO_MESSAGE => return done(Some(Response::from_error(Id::Null, Error::invalid_request()))),
            "shutdown" => self.life.shutdown.store(true, Ordering::Release),
            "exit" => {
                self.life.exited.store(true, Ordering::Release);
                self.end.cancel();
            }
            _ => {}
        }
        let id = request.id().cloned();
        let method = request.method().to_owned();
        let runs_action = is_run(&request);
        let in_order = matches!(request.method(), "initialize" | "shutdown");
        let future = guarded(method.clone(), id.clone(), self.inner.call(request));
        match id {
            Some(id) if !in_order => self.start(id, runs_action, future),
            _ => finish_now(&method, future),
        }
    }
}

impl<S> Wire<S> {
    /// Starts a request: its handler runs here and now up to where it first waits, so that it sees the state as it was when
    /// the request came; what is left goes on as a task of its own.
    fn start<E>(
        &self,
        id: Id,
        runs_action: bool,
        future: impl Future<Output = Reply<E>> + Send + 'static,
    ) -> BoxFuture<'static, Reply<E>>
    where
        E: Send + 'static,
    {
        let token = self.end.child_token();
        let mut future = REQUEST.scope(token.clone(), future).boxed();
        if let Some(reply) = future.as_mut().now_or_never() {
            return async move { reply }.boxed();
        }
        lock(&self.pending).insert(id.clone(), token.clone());
        let entry = PendingEntry { pending: self.pending.clone(), id: id.clone() };
        let task = tokio::spawn(async move {
            let _entry = entry;
            // `aside.run` ends with a result when it is cancelled (some clients show an error otherwise); its handler sees
            // the token. Everything else is dropped where it stands.
            if runs_action {
                return future.await;
            }
            tokio::select! {
                reply = future => reply,
                () = token.cancelled() => Ok(Some(Response::from_error(id, Error::request_cancelled()))),
            }
        });
        async move { task.await.unwrap_or(Ok(None)) }.boxed()
    }

    fn cancel(&self, request: &Request) {
        let id = request.params().and_then(|params| params.get("id"));
        let id = match id {
            Some(LspAny::String(id)) => Some(Id::String(id.clone())),
            Some(LspAny::Number(id)) => id.as_i64().map(Id::Number),
            _ => None,
        };
        if let Some(token) = id.and_then(|id| lock(&self.pending).get(&id).cloned()) {
            token.cancel();
        }
    }
}

/// Takes its request out of the map when the task ends, however it ends.
struct PendingEntry {
    pending: Pending,
    id: Id,
}

impl Drop for PendingEntry {
    fn drop(&mut self) {
        lock(&self.pending).remove(&self.id);
    }
}

fn lock(pending: &Pending) -> MutexGuard<'_, HashMap<Id, CancellationToken>> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Turns a panic of the handler into an error answer; the server lives on.
async fn guarded<E>(method: String, id: Option<Id>, future: impl Future<Output = Reply<E>> + Send) -> Reply<E> {
    match AssertUnwindSafe(future).catch_unwind().await {
        Ok(reply) => reply,
        Err(panic) => {
            tracing::error!(method, "a handler panicked: {}", defect::words(panic.as_ref()));
            let mut error = Error::internal_error();
            error.message = "Aside hit a defect of its own while answering; see its log".into();
            Ok(id.map(|id| Response::from_error(id, error)))
        }
    }
}

/// Drives a handler that does not wait to its end, here and now.
fn finish_now<E: Send + 'static>(
    method: &str,
    future: impl Future<Output = Reply<E>> + Send + 'static,
) -> BoxFuture<'static, Reply<E>> {
    let mut future = future.boxed();
    if let Some(reply) = future.as_mut().now_or_never() {
        return async move { reply }.boxed();
    }
    // No handler registered as a notification may wait; should one do so, it must at least not be lost.
    tracing::error!(method, "a notification's handler waited");
    future
}

fn done<E: Send + 'static>(reply: Option<Response>) -> BoxFuture<'static, Reply<E>> {
    async move { Ok(reply) }.boxed()
}

/// Whether this is `aside.run`.
fn is_run(request: &Request) -> bool {
    request.method() == "workspace/executeCommand"
        && request.params().and_then(|params| params.get("command")).and_then(LspAny::as_str) == Some(ext::RUN)
}

/// Some clients send `params: null` or `{}` where the protocol has none; the framework would call that invalid.
fn without_needless_params(request: Request) -> Request {
    let takes_none = matches!(request.method(), "shutdown" | "exit" | "aside/usage");
    if !takes_none && !matches!(request.params(), Some(LspAny::Null)) {
        return request;
    }
    let (method, id, _) = request.into_parts();
    let builder = Request::build(method);
    match id {
        Some(id) => builder.id(id).finish(),
        None => builder.finish(),
    }
}

#[cfg(test)]
mod tests;
