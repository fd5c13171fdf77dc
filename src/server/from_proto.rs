//! From the protocol's positions and documents to the program's own; with `to_proto` the only place that knows them.

use lsp_types::{DiagnosticSeverity, Message, Position, Range, TextDocumentContentChangeEvent};
use ropey::Rope;

use crate::workspace::positions::{self, Encoding};
use crate::workspace::{Change, Diagnostic, Severity, Span};

/// A position as a byte offset; positions past a line's or the text's end are its end.
pub(super) fn offset(text: &Rope, encoding: Encoding, position: Position) -> usize {
    positions::offset(text, encoding, own(position))
}

/// A range as a span; a range that ends before it starts is turned round.
pub(super) fn span(text: &Rope, encoding: Encoding, range: Range) -> Span {
    let (start, end) = (offset(text, encoding, range.start), offset(text, encoding, range.end));
    start.min(end)..start.max(end)
}

/// What another server says of a text, if it is about something in it.
pub(super) fn diagnostic(text: &Rope, encoding: Encoding, diagnostic: &lsp_types::Diagnostic) -> Option<Diagnostic> {
    if !is_inside(text, diagnostic.range) {
        return None;
    }
    let severity = match diagnostic.severity {
        Some(DiagnosticSeverity::Warning) => Severity::Warning,
        Some(DiagnosticSeverity::Information) => Severity::Information,
        Some(DiagnosticSeverity::Hint) => Severity::Hint,
        // The protocol leaves it to the client, and clients take it for an error.
        _ => Severity::Error,
    };
    let code = diagnostic.code.as_ref().and_then(|code| serde_json::to_value(code).ok()).map(|code| match code {
        serde_json::Value::String(code) => code,
        code => code.to_string(),
    });
    let source = match (diagnostic.source.clone().unwrap_or_default(), code) {
        (source, None) => source,
        (source, Some(code)) if source.is_empty() => code,
        (source, Some(code)) => format!("{source}({code})"),
    };
    let message = match &diagnostic.message {
        Message::String(text) => text.clone(),
        Message::MarkupContent(markup) => markup.value.clone(),
    };
    Some(Diagnostic { span: span(text, encoding, diagnostic.range), severity, message, source })
}

/// Whether both ends of a range are within the document's lines. Where the last line has no end, whole lines up to it end
/// at the beginning of a line that is not there.
pub(super) fn is_inside(text: &Rope, range: Range) -> bool {
    let lines = text.len_lines();
    let is_inside = |position: Position| match usize::try_from(position.line) {
        Ok(line) => line < lines || line == lines && position.character == 0,
        Err(_) => false,
    };
    is_inside(range.start) && is_inside(range.end)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_inside_up_to_the_end_of_whole_lines() {
        let at = |line, character| Position { line, character };
        for (text, start, end, inside, expected) in [
            ("a\nb", at(0, 0), at(1, 1), true, 0..3),
            ("a\nb", at(1, 0), at(2, 0), true, 2..3),
            ("a\nb", at(1, 0), at(2, 1), false, 2..3),
            ("a\nb\n", at(0, 9), at(2, 0), true, 1..4),
            ("a\nb", at(1, 1), at(0, 1), true, 1..3),
            ("", at(0, 0), at(0, 0), true, 0..0),
            ("", at(7, 0), at(u32::MAX, u32::MAX), false, 0..0),
        ] {
            let (rope, range) = (Rope::from_str(text), Range { start, end });
            assert_eq!(is_inside(&rope, range), inside, "{text:?} {range:?}");
            assert_eq!(span(&rope, Encoding::Utf16, range), expected, "{text:?} {range:?}");
        }
    }
}
