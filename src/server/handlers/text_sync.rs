//! Documents as the editor opens, changes and closes them.

use lsp_types::{
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams,
};

use tokio::time::Instant;

use super::super::backend::Backend;
use super::super::{actions, from_proto};
use super::prewarm;

/// A document was opened.
pub(in crate::server) async fn did_open(backend: &Backend, params: DidOpenTextDocumentParams) {
    let item = params.text_document;
    let uri = item.uri;
    let language: String = item.language_id.into();
    {
        let mut state = backend.session.state();
        let text = state.documents.open(uri.clone(), &language, item.version, &item.text).text().clone();
        state.expectations.observe(&uri, &[text]);
        // Files change while they are closed, and so may what is known of them.
        state.explained.remove(&uri);
    }
    backend.session.documents_changed();
    actions::document_opened(&backend.session, &uri);
    prewarm::when_due(&backend.session);
}

/// A document was changed; each change counts in the text that the one before it made.
pub(in crate::server) async fn did_change(backend: &Backend, params: DidChangeTextDocumentParams) {
    let uri = params.text_document.text_document_identifier.uri;
    {
        let mut state = backend.session.state();
        let state = &mut *state;
        let encoding = state.capabilities.encoding;
        let Some(document) = state.documents.get_mut(&uri) else {
            tracing::warn!("a document was changed that is not open");
            return;
        };
        let mut texts = Vec::with_capacity(params.content_changes.len());
        for change in params.content_changes {
            let change = from_proto::change(document.text(), encoding, change);
            document.apply(change);
            texts.push(document.text().clone());
        }
        state.expectations.observe(&uri, &texts);
        document.set_version(params.text_document.version);
        state.changed = Some(Instant::now());
        if state.findings.changed(&mut state.documents, &uri) {
            backend.session.findings_due.notify_one();
        }
    }
    backend.session.documents_changed();
    actions::document_changed(&backend.session, &uri);
}

/// A document was saved; its text is known already, but what runs of an action is the file.
pub(in crate::server) async fn did_save(backend: &Backend, params: DidSaveTextDocumentParams) {
    actions::document_saved(&backend.session, &params.text_document.uri);
}

/// A document was closed.
pub(in crate::server) async fn did_close(backend: &Backend, params: DidCloseTextDocumentParams) {
    let mut state = backend.session.state();
    state.documents.close(&params.text_document.uri);
    if state.findings.closed(&params.text_document.uri) {
        backend.session.findings_due.notify_one();
    }
    state.explained.remove(&params.text_document.uri);
    drop(state);
    backend.session.documents_changed();
    actions::document_changed(&backend.session, &params.text_document.uri);
}
