//! `initialize`, `initialized`, `shutdown`, and the cancel button of a progress.

use std::path::PathBuf;
use std::sync::Arc;

use lsp_types::{
    InitializeParams, InitializeResult, ProgressToken, RootPath, ServerInfo, Uri, WorkDoneProgressCancelParams,
    WorkspaceFolders,
};

use tokio_util::sync::CancellationToken;

use super::super::actions;
use super::super::backend::Backend;
use super::super::capabilities::{Capabilities, server_capabilities};
use super::super::findings;
use super::super::parent;
use super::super::session::Session;
use super::{configuration, usage};
use crate::workspace::roots::Roots;

/// Learns what the client can do, where it works and what it wants.
pub(in crate::server) fn initialize(session: &Session, params: &InitializeParams) -> InitializeResult {
    let name = params.client_info.as_ref().map_or("", |client| client.name.as_str());
    let capabilities = Capabilities::new(&params.capabilities).of_client(name);
    let offer = server_capabilities(&capabilities);
    if let Some(client) = &params.client_info {
        tracing::info!(client = client.name, version = client.version, "a client connected");
    }
    if let Some(id) = params.process_id {
        leave_with(id, session.end.clone(), session.dead.clone());
    }
    let mut state = session.state();
    state.capabilities = capabilities;
    state.roots = Roots::new(folders(params));
    let first = state.roots.folders().first().cloned();
    state.layers.set_workspace_root(first.as_deref());
    state.layers.set_initialization_options(params.initialization_options.as_ref());
    // What is wrong in them is said when the client may be spoken to.
    state.resolve_settings();
    InitializeResult {
        capabilities: offer,
        server_info: Some(ServerInfo { name: "aside".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) }),
    }
}

/// Ends the server with the editor's process. Mostly the pipe says that first; but a program that the editor started may have
/// inherited its other end, and hold it open.
fn leave_with(editor: i32, end: CancellationToken, dead: CancellationToken) {
    tokio::spawn(async move {
        tokio::select! {
            () = parent::ended(editor) => {
                tracing::info!("the editor's process has ended");
                dead.cancel();
            }
            () = end.cancelled() => {}
        }
    });
}

/// From here on the client may be spoken to: what is wrong in the settings, and the question for the editor's own.
pub(in crate::server) fn initialized(session: &Arc<Session>) {
    session.resolve_settings();
    configuration::pull(session);
    actions::watch(session);
    usage::start_status(session);
    findings::start_telling(session);
}

/// Ends everything that runs.
pub(in crate::server) fn shutdown(session: &Session) {
    session.registry.close();
    if let Some(asking) = &session.state().asking {
        asking.cancel();
    }
}

/// The user pressed a progress's cancel button.
pub(in crate::server) async fn progress_cancelled(backend: &Backend, params: WorkDoneProgressCancelParams) {
    let token = token_name(&params.token);
    let job = backend.session.state().tokens.get(&token).cloned();
    if let Some(job) = job {
        backend.session.registry.cancel(Some(&job));
    }
}

/// A token as a key. A number and the same number in quotes do not meet: Aside's own tokens are no numbers.
pub(in crate::server) fn token_name(token: &ProgressToken) -> String {
    match token {
        ProgressToken::Int(number) => number.to_string(),
        ProgressToken::String(name) => name.clone(),
    }
}

/// The workspace's folders, in whichever of the three ways of its time the client names them.
fn folders(params: &InitializeParams) -> Vec<PathBuf> {
    let path = |uri: &Uri| uri.to_file_path().ok();
    if let Some(WorkspaceFolders::WorkspaceFolderList(folders)) =
        &params.workspace_folders_initialize_params.workspace_folders
    {
        return folders.iter().filter_map(|folder| path(&folder.uri)).collect();
    }
    #[expect(deprecated, reason = "older clients know nothing else")]
    let root = params.root_uri.as_ref().and_then(path).or_else(|| match &params.root_path {
        Some(RootPath::String(path)) => Some(PathBuf::from(path)),
        _ => None,
    });
    root.into_iter().collect()
}
