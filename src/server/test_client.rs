//! The client's end of the connection, for unit tests: what the server said, and what the client answers.

use std::sync::Arc;

use futures::{Sink, SinkExt as _, StreamExt as _};
use lsp_types::{InitializeParams, InitializeResult, LspAny, Uri};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;
use tower::Service as _;
use tower_lsp::jsonrpc::{Request, Response, Result};
use tower_lsp::{Client, ClientSocket, LanguageServer, Loopback as _, LspService};

use super::backend::Backend;
use super::farewell::{Answers, Farewell, Requests};
use super::session::Session;
use super::stdout::Outlet;
use crate::config::Environment;
use crate::jobs::Registry;
use crate::simulator::{Scenario, SimulatorOptions};

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

    /// Refuses a request of the server and says why.
    pub(super) async fn refuse_because(&mut self, request: &Request, reason: &'static str) {
        let id = request.id().expect("only requests are answered").clone();
        let error = tower_lsp::jsonrpc::Error { message: reason.into(), ..tower_lsp::jsonrpc::Error::internal_error() };
        self.socket.send(Response::from_error(id, error)).await.expect("the server lives");
    }

    /// The connection as it serves, with the jobs of `registry`.
    pub(super) fn farewell(self, registry: Registry) -> (Requests, Answers) {
        Farewell::new(self.socket, registry).split()
    }

    /// Lets what the server says go out as it does when it serves; the end for the client's answers.
    pub(super) fn onto(self, mut outlet: Outlet) -> impl Sink<Response> + Unpin {
        let Self { socket, _server: server } = self;
        let (mut requests, answers) = socket.split();
        tokio::spawn(async move {
            let _lives = server;
            while let Some(request) = requests.next().await {
                let body = serde_json::to_string(&request).expect("it is JSON");
                let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
                outlet.write_all(frame.as_bytes()).await.expect("somebody reads");
            }
        });
        answers
    }
}

/// The parameters of a message.
pub(super) fn params(message: &Request) -> LspAny {
    message.params().cloned().unwrap_or_default()
}

/// A session in a folder of its own, in front of a test's client.
pub(super) struct TestSession {
    pub(super) backend: Backend,
    pub(super) client: TestClient,
    pub(super) folder: tempfile::TempDir,
}

impl TestSession {
    /// A session whose answers come from the simulator, which plays `scenario`.
    pub(super) async fn new(scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (client, test_client) = TestClient::connect().await;
        let below = |name: &str| folder.path().join(name).display().to_string();
        let environment = Environment::from_pairs([
            ("ASIDE_DATA_DIR", below("data")),
            ("ASIDE_CACHE_DIR", below("cache")),
            ("ASIDE_CONFIG", below("config.toml")),
        ]);
        std::fs::write(folder.path().join("config.toml"), "").expect("it is written");
        let scenario = Some(Scenario::from_toml(scenario).expect("a scenario"));
        let simulator = SimulatorOptions { scenario, ..SimulatorOptions::default() };
        let outlet = Outlet::over(tokio::io::sink());
        let session = Session::new(client, outlet, &environment, Some(simulator), CancellationToken::new());
        Self { backend: Backend { session: Arc::new(session) }, client: test_client, folder }
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.backend.session
    }

    /// A file's URI below the folder.
    pub(super) fn uri(&self, name: &str) -> Uri {
        Uri::from_file_path(self.folder.path().join(name)).expect("an absolute path")
    }

    /// Opens a Python document.
    pub(super) fn open(&self, name: &str, text: &str) -> Uri {
        let uri = self.uri(name);
        self.session().state().documents.open(uri.clone(), "python", 1, text);
        uri
    }
}
