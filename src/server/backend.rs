//! Every method that is served, on one screen.

use std::sync::Arc;

use lsp_types::{InitializeParams, InitializeResult, InitializedParams};
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::Result;
use tower_lsp::{ClientSocket, LanguageServer, LspService};

use super::findings;
use super::handlers::{
    code_action, code_lens, configuration, content, execute_command, hover, lifecycle, text_sync, usage,
};
use super::session::Session;
use super::stdout::Outlet;
use crate::config::Environment;
use crate::simulator::SimulatorOptions;

/// The handlers' common ground.
pub(super) struct Backend {
    pub(super) session: Arc<Session>,
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        Ok(lifecycle::initialize(&self.session, &params))
    }

    async fn initialized(&self, _: InitializedParams) {
        lifecycle::initialized(&self.session);
    }

    async fn shutdown(&self) -> Result<()> {
        lifecycle::shutdown(&self.session);
        Ok(())
    }
}

/// The framework's service with Aside's methods. Functions of notifications never wait: what they change is changed when
/// they return, in wire order.
pub(super) fn service(
    outlet: Outlet,
    environment: &Environment,
    simulator: Option<SimulatorOptions>,
    end: CancellationToken,
) -> (LspService<Backend>, ClientSocket) {
    LspService::build_with_lifecycle_methods(|client| Backend {
        session: Arc::new(Session::new(client, outlet, environment, simulator, end)),
    })
    .custom_method("textDocument/didOpen", text_sync::did_open)
    .custom_method("textDocument/didChange", text_sync::did_change)
    .custom_method("textDocument/didSave", text_sync::did_save)
    .custom_method("textDocument/didClose", text_sync::did_close)
    .custom_method("textDocument/codeAction", code_action::code_action)
    .custom_method("textDocument/codeLens", code_lens::code_lens)
    .custom_method("textDocument/diagnostic", findings::document_diagnostic)
    .custom_method("textDocument/hover", hover::hover)
    .custom_method("workspace/executeCommand", execute_command::execute_command)
    .custom_method("workspace/didChangeConfiguration", configuration::did_change_configuration)
    .custom_method("workspace/didChangeWatchedFiles", configuration::did_change_watched_files)
    .custom_method("workspace/didChangeWorkspaceFolders", configuration::did_change_workspace_folders)
    .custom_method("workspace/textDocumentContent", content::text_document_content)
    .custom_method("window/workDoneProgress/cancel", lifecycle::progress_cancelled)
    .custom_method("aside/usage", usage::usage)
    .finish()
}
