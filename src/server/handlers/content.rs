//! `workspace/textDocumentContent`: explanations as documents that exist only here.

use std::sync::Arc;

use lsp_types::{TextDocumentContentParams, TextDocumentContentResult};
use tower_lsp::jsonrpc::{Error, Result};

use super::super::backend::Backend;
use super::super::ext;
use crate::jobs::Thread;
use crate::output::explanation;

/// The text of an explanation, from the ledger.
pub(in crate::server) async fn text_document_content(
    backend: &Backend,
    params: TextDocumentContentParams,
) -> Result<TextDocumentContentResult> {
    let uri = params.uri;
    let id = uri.path().trim_start_matches('/').trim_end_matches(".md").to_owned();
    if uri.scheme() != ext::EXPLANATION_SCHEME || id.is_empty() {
        return Err(Error::invalid_params(format!("{uri} is no explanation of Aside's.")));
    }
    let session = Arc::clone(&backend.session);
    let stored = tokio::task::spawn_blocking(move || Thread::load(&session.ledger, &id)).await;
    match stored {
        Ok(Ok(Some(thread))) => Ok(TextDocumentContentResult { text: explanation::document(&thread.explanation()) }),
        Ok(Ok(None)) => Err(Error::invalid_params(format!("There is no explanation {uri}; it may have been removed."))),
        Ok(Err(error)) => Err(Error { message: error.sentence().into(), ..Error::internal_error() }),
        Err(_) => Err(Error::internal_error()),
    }
}
