//! The client's end of the connection, for unit tests: what the server said, and what the client answers.

use futures::{SinkExt as _, StreamExt as _};
use lsp_types::{InitializeParams, InitializeResult, LspAny};
use serde_json::json;
use tower::Service as _;
use tower_lsp::jsonrpc::{Request, Response, Result};
use tower_lsp::{Client, ClientSocket, LanguageServer, LspService};

/// A client that says only what a test tells it to.
pub(super) struct TestClient {
    socket: ClientSocket,
    /// The connection ends with the last of the server's ends.
    _server: Client,
}

struct Server(Client);

impl LanguageServer for Server {
    async fn initialize(&self, _: InitializeParams) -> Result<InitializeResult> {
        Ok(InitializeResult::default())
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }
}

impl TestClient {
    /// A connection after `initialize`, as both of its ends.
    pub(super) async fn connect() -> (Client, Self) {
        let (mut service, socket) = LspService::build_with_lifecycle_methods(Server).finish();
        let initialize = Request::build("initialize").params(json!({"capabilities": {}})).id(1).finish();
        service.call(initialize).await.expect("the server lives");
        let server = service.inner().0.clone();
        (server.clone(), Self { socket, _server: server })
    }

    /// The next message of the server.
    pub(super) async fn next(&mut self) -> Request {
        self.socket.next().await.expect("the server lives")
    }

    /// Answers a request of the server.
    pub(super) async fn answer(&mut self, request: &Request, result: LspAny) {
        let id = request.id().expect("only requests are answered").clone();
        self.socket.send(Response::from_ok(id, result)).await.expect("the server lives");
    }

    /// Refuses a request of the server.
    pub(super) async fn refuse(&mut self, request: &Request) {
        let id = request.id().expect("only requests are answered").clone();
        let error = tower_lsp::jsonrpc::Error::method_not_found();
        self.socket.send(Response::from_error(id, error)).await.expect("the server lives");
    }
}

/// The parameters of a message.
pub(super) fn params(message: &Request) -> LspAny {
    message.params().cloned().unwrap_or_default()
}
