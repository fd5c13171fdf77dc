//! From the program's own spans and edits to the protocol's; with `from_proto` the only place that knows them.

use std::collections::HashMap;

use lsp_types::{
    AnnotatedTextEdit, ChangeAnnotation, CreateFile, CreateFileOptions, DocumentChange, Edit,
    OptionalVersionedTextDocumentIdentifier, Position, Range, TextDocumentEdit, TextDocumentIdentifier, TextEdit, Uri,
    WorkspaceEdit,
};
use ropey::Rope;

use super::capabilities::Capabilities;
use crate::jobs::Change;
use crate::output::edit;
use crate::workspace::Span;
use crate::workspace::positions::{self, Encoding};

/// A byte offset as a position.
pub(super) fn position(text: &Rope, encoding: Encoding, offset: usize) -> Position {
    let position = positions::position(text, encoding, offset);
    Position { line: position.line, character: position.character }
}

/// A span as a range.
pub(super) fn range(text: &Rope, encoding: Encoding, span: &Span) -> Range {
    Range { start: position(text, encoding, span.start), end: position(text, encoding, span.end) }
}

/// Edits of a text.
pub(super) fn text_edits(text: &Rope, encoding: Encoding, edits: &[edit::TextEdit]) -> Vec<TextEdit> {
    let edits = edits.iter();
    edits.map(|edit| TextEdit { range: range(text, encoding, &edit.span), new_text: edit.text.clone() }).collect()
}

/// The protocol's form of a change; one that is marked `confirm` is for clients that ask their user about such changes.
///
/// Not every client that understands `documentChanges` says so, and all that were tried take them; the version makes
/// careful clients refuse what is out of date.
pub(super) fn workspace_edit(
    uri: &Uri,
    change: &Change,
    create: bool,
    client: &Capabilities,
    confirm: Option<ChangeAnnotation>,
) -> WorkspaceEdit {
    const ID: &str = "aside";
    let annotated = |text_edit| match confirm {
        Some(_) => Edit::AnnotatedTextEdit(AnnotatedTextEdit { annotation_id: ID.to_owned(), text_edit }),
        None => Edit::TextEdit(text_edit),
    };
    let edits = text_edits(&change.base.text, client.encoding, &change.edits).into_iter().map(annotated).collect();
    let version = match change.base.version {
        // The next number that it counts with is larger.
        Some(0) if client.unchecked_zero => Some(1),
        version => version,
    };
    let text_document = OptionalVersionedTextDocumentIdentifier {
        version,
        text_document_identifier: TextDocumentIdentifier { uri: uri.clone() },
    };
    let mut changes = Vec::new();
    if create {
        let options = CreateFileOptions { overwrite: Some(false), ignore_if_exists: Some(true) };
        let id = confirm.is_some().then(|| ID.to_owned());
        changes.push(DocumentChange::CreateFile(CreateFile::new(uri.clone(), Some(options), id)));
    }
    changes.push(DocumentChange::TextDocumentEdit(TextDocumentEdit { text_document, edits }));
    WorkspaceEdit {
        document_changes: Some(changes),
        change_annotations: confirm.map(|confirm| HashMap::from([(ID.to_owned(), confirm)])),
        ..WorkspaceEdit::default()
    }
}
