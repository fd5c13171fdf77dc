//! The LSP face: `aside serve`.
//!
//! [`backend`](self) lists every method that is served; each has its file in `handlers/`. Requests get a snapshot of the
//! [`session`](self), jobs run on their own, and only `from_proto` and `to_proto` know how the protocol counts.

mod backend;
mod capabilities;
mod explained;
pub mod ext;
mod feed;
mod from_proto;
mod handlers;
mod host;
mod landing;
mod proposals;
mod service;
mod session;
mod show;
mod stdin;
mod to_proto;

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tower_lsp::Server;

use self::service::{Life, Wire};
use crate::config::Environment;
use crate::simulator::SimulatorOptions;

/// How long answers that are on their way may take to leave after the client said goodbye.
const FAREWELL: Duration = Duration::from_millis(250);

/// Serves one client on stdin and stdout until it leaves; the value is the process's exit code.
pub async fn serve(environment: Environment, simulator: Option<SimulatorOptions>) -> u8 {
    let end = CancellationToken::new();
    let life = Life::default();
    let (service, socket) = backend::service(environment, simulator, end.clone());
    let stdin = stdin::EndOfInput::new(tokio::io::stdin(), end.clone());
    let server = Server::new(stdin, tokio::io::stdout(), socket)
        // Each request is a task of its own; a limit here would stall everything behind the slowest.
        .concurrency_level(usize::MAX)
        .serve(Wire::new(service, life.clone(), end.clone()));
    tokio::select! {
        () = server => {}
        () = async { end.cancelled().await; tokio::time::sleep(FAREWELL).await } => {}
    }
    life.exit_code()
}
