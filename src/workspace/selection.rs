//! What a selection means: the text itself, or the item around the cursor when nothing is selected.

use ropey::Rope;

use super::syntax::{self, Item, Syntax};
use super::{Snapshot, Span};

/// Whether nothing is selected: no text, nothing but white space, or the one character that some editors' cursors are.
pub fn is_empty(text: &Rope, selection: &Span) -> bool {
    let slice = text.byte_slice(selection.clone());
    slice.len_chars() <= 1 || slice.chars().all(char::is_whitespace)
}

/// What is meant by a selection, and the name of the item it is, if it is one. Parses the document.
pub fn resolve(snapshot: &Snapshot, selection: Span) -> (Span, Option<String>) {
    let span = if is_empty(&snapshot.text, &selection) {
        syntax::enclosing(snapshot.language, &snapshot.text, selection.start)
    } else {
        selection
    };
    let syntax = Syntax::parse(snapshot.language, snapshot.text.to_string());
    let name = syntax.and_then(|syntax| name_of(&syntax.items(), &span));
    (span, name)
}

/// The name of the one item whose name is in the span and that is in no other item of it.
fn name_of(items: &[Item], span: &Span) -> Option<String> {
    let within = |item: &&Item| span.start <= item.name_span.start && item.name_span.end <= span.end;
    let first = items.iter().filter(within).min_by_key(|item| item.span.start)?;
    let siblings = items.iter().filter(within).filter(|item| item.parent == first.parent).count();
    (siblings == 1).then(|| first.name.clone())
}
