//! The LSP face: `aside serve`.
//!
//! [`backend`](self) lists every method that is served; each has its file in `handlers/`. Requests get a snapshot of the
//! [`session`](self), jobs run on their own, and only `from_proto` and `to_proto` know how the protocol counts.

mod actions;
mod backend;
mod capabilities;
mod explained;
pub mod ext;
mod farewell;
mod feed;
mod findings;
mod from_proto;
mod handlers;
mod host;
mod landing;
mod parent;
mod proposals;
mod sending;
mod service;
mod session;
mod show;
mod standing;
mod stdin;
mod stdout;
#[cfg(test)]
mod test_client;
mod to_proto;
mod trust;

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tower_lsp::Server;

use self::farewell::Farewell;
use self::service::{Life, Wire};
use self::stdout::Outlet;
use crate::config::Environment;
use crate::simulator::SimulatorOptions;

/// How long answers that are on their way may take to leave after the client said goodbye.
const FAREWELL: Duration = Duration::from_millis(250);

/// How long cancelled jobs may take to write down what they cost.
const LAST_WORK: Duration = Duration::from_secs(2);

/// The frames of an input, as the framework gets them.
#[cfg(any(test, fuzzing))]
pub(crate) fn sanitized_frames<R: tokio::io::AsyncRead + Unpin>(input: R) -> impl tokio::io::AsyncRead + Unpin {
    stdin::Frames::new(input, tokio_util::sync::CancellationToken::new())
}

/// Serves one client on stdin and stdout until it leaves; the value is the process's exit code. Standard input may still
/// be read by a thread then.
pub async fn serve(environment: &Environment, simulator: Option<SimulatorOptions>) -> u8 {
    let end = CancellationToken::new();
    let life = Life::default();
    let outlet = Outlet::open();
    let (service, socket) = backend::service(outlet.clone(), environment, simulator, end.clone());
    let session = service.inner().session.clone();
    let stdin = stdin::Frames::new(tokio::io::stdin(), end.clone());
    let socket = Farewell::new(socket, session.registry.clone());
    let server = Server::new(stdin, outlet, socket)
        // Each request is a task of its own; a limit here would stall everything behind the slowest.
        .concurrency_level(usize::MAX)
        .serve(Wire::new(service, life.clone(), end.clone()));
    let code = tokio::select! {
        () = server => life.exit_code(),
        () = async { end.cancelled().await; tokio::time::sleep(FAREWELL).await } => life.exit_code(),
        () = session.dead.cancelled() => life.exit_code(),
        code = terminated() => code,
    };
    end.cancel();
    session.jobs.close();
    let _ = tokio::time::timeout(LAST_WORK, session.jobs.wait()).await;
    code
}

/// Waits until the system asks the process to end: the exit code, as a shell reports it.
#[cfg(unix)]
async fn terminated() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = async |kind: SignalKind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = wait(SignalKind::hangup()) => 129,
        () = wait(SignalKind::interrupt()) => 130,
        () = wait(SignalKind::terminate()) => 143,
    }
}

/// Waits until the user asks the process to end: the exit code.
#[cfg(not(unix))]
async fn terminated() -> u8 {
    match tokio::signal::ctrl_c().await {
        Ok(()) => 130,
        Err(_) => std::future::pending().await,
    }
}
