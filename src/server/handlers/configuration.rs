//! The editor's settings, pushed or pulled, and the folders it works in.

use std::sync::Arc;

use lsp_types::{
    ConfigurationItem, DidChangeConfigurationParams, DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams,
    LspAny,
};

use super::super::actions;
use super::super::backend::Backend;
use super::super::session::Session;
use super::prewarm;

/// The settings changed. Some clients send them along, others only say so and wait to be asked.
pub(in crate::server) async fn did_change_configuration(backend: &Backend, params: DidChangeConfigurationParams) {
    take_over(&backend.session, params.settings);
    pull(&backend.session);
    prewarm::when_due(&backend.session);
}

/// Folders came or went.
pub(in crate::server) async fn did_change_workspace_folders(
    backend: &Backend,
    params: DidChangeWorkspaceFoldersParams,
) {
    let path = |folder: &lsp_types::WorkspaceFolder| folder.uri.to_file_path().ok();
    let removed: Vec<_> = params.event.removed.iter().filter_map(path).collect();
    {
        let mut state = backend.session.state();
        state.roots.change(params.event.added.iter().filter_map(path), &removed);
        let first = state.roots.folders().first().cloned();
        state.layers.set_workspace_root(first.as_deref());
    }
    backend.session.resolve_settings();
    prewarm::when_due(&backend.session);
}

/// Files of own actions changed; nothing else is watched.
pub(in crate::server) async fn did_change_watched_files(backend: &Backend, _: DidChangeWatchedFilesParams) {
    actions::files_changed(&backend.session);
}

/// Asks the client for its settings, if it answers such questions.
pub(in crate::server) fn pull(session: &Arc<Session>) {
    let pull = {
        let mut state = session.state();
        if !state.capabilities.configuration {
            return;
        }
        state.pulls += 1;
        state.pulls
    };
    let session = session.clone();
    tokio::spawn(async move {
        let item = ConfigurationItem { scope_uri: None, section: Some("aside".to_owned()) };
        let values = session.client.configuration(vec![item]).await;
        // Of two answers that come at once, either may get here first.
        if session.state().pulls != pull {
            return;
        }
        if let Some(value) = values.ok().and_then(|mut values| values.pop()) {
            take_over(&session, value);
        }
        session.state().pulled = pull;
        prewarm::when_due(&session);
    });
}

/// Takes the editor's layer over; nothing said (`null`, `{}`) leaves what was said before.
fn take_over(session: &Session, value: LspAny) {
    let said_something = value.as_object().is_some_and(|object| !object.is_empty());
    if !said_something {
        return;
    }
    session.state().layers.set_editor(Some(value));
    session.resolve_settings();
}
