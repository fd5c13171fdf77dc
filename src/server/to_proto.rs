//! From the program's own spans and edits to the protocol's; with `from_proto` the only place that knows them.

use lsp_types::{Position, Range, TextEdit};
use ropey::Rope;

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
