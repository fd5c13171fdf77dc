//! From the protocol's positions and documents to the program's own; with `to_proto` the only place that knows them.

use lsp_types::{Position, Range, TextDocumentContentChangeEvent};
use ropey::Rope;

use crate::workspace::positions::{self, Encoding};
use crate::workspace::{Change, Span};

/// A position as a byte offset; positions past a line's or the text's end are its end.
pub(super) fn offset(text: &Rope, encoding: Encoding, position: Position) -> usize {
    positions::offset(text, encoding, own(position))
}

/// A range as a span; a range that ends before it starts is turned round.
pub(super) fn span(text: &Rope, encoding: Encoding, range: Range) -> Span {
    let (start, end) = (offset(text, encoding, range.start), offset(text, encoding, range.end));
    start.min(end)..start.max(end)
}

/// Whether both ends of a range are within the document's lines.
pub(super) fn is_inside(text: &Rope, range: Range) -> bool {
    let lines = text.len_lines();
    let line = range.start.line.max(range.end.line);
    usize::try_from(line).is_ok_and(|line| line < lines)
}

/// One change of `didChange`, against the text that the changes before it made.
pub(super) fn change(text: &Rope, encoding: Encoding, change: TextDocumentContentChangeEvent) -> Change {
    match change {
        TextDocumentContentChangeEvent::TextDocumentContentChangePartial(partial) => {
            Change::Span(span(text, encoding, partial.range), partial.text)
        }
        TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => Change::Full(whole.text),
    }
}

fn own(position: Position) -> positions::Position {
    positions::Position { line: position.line, character: position.character }
}
