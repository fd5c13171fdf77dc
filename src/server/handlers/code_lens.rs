//! `textDocument/codeLens`: actions above functions, for those who ask for them in the settings.

use lsp_types::{CodeLens, CodeLensParams, Range};
use tower_lsp::jsonrpc::{Error, Result};

use super::super::backend::Backend;
use super::super::session::Session;
use super::super::{actions as own, host, to_proto};
use super::code_action::run_command;
use crate::actions;
use crate::workspace::Snapshot;
use crate::workspace::syntax::{Item, ItemKind, Syntax};

/// The lenses of a document: for each function those of the set actions that are offered for it.
pub(in crate::server) async fn code_lens(backend: &Backend, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
    let session = &backend.session;
    let uri = params.text_document.uri;
    let (snapshot, settings, encoding) = {
        let state = session.state();
        let Some(document) = state.documents.get(&uri) else { return Ok(None) };
        (document.snapshot(), state.settings.clone(), state.capabilities.encoding)
    };
    if settings.code_lens.is_empty() || host::is_explanation(&uri) {
        return Ok(Some(Vec::new()));
    }
    let place = actions::Place {
        language: snapshot.language,
        text: "",
        reports: &[],
        picture: false,
        running: false,
        prompts: false,
    };
    let catalogue = own::catalogue(session, snapshot.path.as_deref());
    let offered = catalogue.offered(&place, &settings);
    let wanted = settings.code_lens.iter();
    let wanted: Vec<_> = wanted.filter_map(|id| offered.iter().find(|action| action.id == *id)).copied().collect();
    let around = snapshot.clone();
    let functions = tokio::task::spawn_blocking(move || functions(&around)).await;
    let functions = functions.map_err(|_| Error::internal_error())?;
    let version = snapshot.version.unwrap_or_default();
    let lenses = functions.iter().flat_map(|item| {
        let range = to_proto::range(&snapshot.text, encoding, &item.span);
        let start = to_proto::position(&snapshot.text, encoding, item.signature.start);
        let above = Range { start, end: start };
        let (wanted, uri) = (&wanted, &uri);
        wanted.iter().map(move |action| {
            let command = run_command(action, &capitalized(&action.title), uri, range, version, &[]);
            CodeLens { range: above, command: Some(command), data: None }
        })
    });
    Ok(Some(lenses.collect()))
}

/// Other lenses are wanted now: an editor that takes the hint asks for them again.
pub(in crate::server) fn refresh(session: &Session) {
    if !session.state().capabilities.code_lens_refresh {
        return;
    }
    let client = session.client.clone();
    tokio::spawn(async move {
        // An editor that does not want to asks when it does.
        let _ = client.code_lens_refresh().await;
    });
}

/// The functions and methods of a document, without those inside of others.
fn functions(snapshot: &Snapshot) -> Vec<Item> {
    let Some(syntax) = Syntax::parse(snapshot.language, snapshot.text.to_string()) else { return Vec::new() };
    let items = syntax.items();
    let is_function = |item: &Item| matches!(item.kind, ItemKind::Function | ItemKind::Method);
    let is_inner = |item: &Item| item.parent.and_then(|parent| items.get(parent)).is_some_and(is_function);
    items.iter().filter(|item| is_function(item) && !is_inner(item)).cloned().collect()
}

fn capitalized(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
