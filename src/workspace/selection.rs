//! What a selection means: the text itself, or the item around the cursor when nothing is selected.

use ropey::Rope;

use super::syntax::{Item, Syntax, enclosing_in};
use super::{Snapshot, Span};

/// Whether nothing is selected: no text, nothing but white space, or the one character that some editors' cursors are.
pub fn is_empty(text: &Rope, selection: &Span) -> bool {
    let slice = text.byte_slice(selection.clone());
    slice.len_chars() <= 1 || slice.chars().all(char::is_whitespace)
}

/// What is meant by a selection, and the name of the item it is, if it is one. Parses the document.
pub fn resolve(snapshot: &Snapshot, selection: Span) -> (Span, Option<String>) {
    let syntax = snapshot.syntax();
    let items = syntax.as_ref().map(Syntax::items).unwrap_or_default();
    let span = if is_empty(&snapshot.text, &selection) {
        enclosing_in(syntax.as_ref(), &items, &snapshot.text, selection.start)
    } else {
        selection
    };
    let name = name_of(&items, &span);
    (span, name)
}

/// The lines of the items around several places of one text, and the name of what they are. Parses the document.
///
/// Whole lines with the last one's end, so that an edit may take the last of them away.
pub fn around(snapshot: &Snapshot, places: &[Span]) -> (Span, Option<String>) {
    let text = &snapshot.text;
    let start = places.iter().map(|place| place.start).min().unwrap_or_default();
    let end = places.iter().map(|place| place.end.max(place.start)).max().unwrap_or_default();
    // A place that ends where a line begins has nothing of that line.
    let last = if end > start && text.line_to_byte(text.byte_to_line(end)) == end { end - 1 } else { end };
    let syntax = snapshot.syntax();
    let items = syntax.as_ref().map(Syntax::items).unwrap_or_default();
    let enclosing = |at| enclosing_in(syntax.as_ref(), &items, text, at);
    let first = enclosing(start);
    let last = if first.contains(&last) { first.clone() } else { enclosing(last) };
    let (start, end) = (first.start.min(last.start).min(start), first.end.max(last.end).max(end));
    let line = text.byte_to_line(end);
    let end = if text.line_to_byte(line) == end && end > start { end } else { line_end(text, line) };
    let begins = text.line_to_byte(text.byte_to_line(start));
    let is_indentation = text.byte_slice(begins..start).chars().all(char::is_whitespace);
    let span = if is_indentation { begins } else { start }..end;
    let name = name_of(&items, &span);
    (span, name)
}

/// The whole lines that a span has something of, without the last one's end.
pub fn whole_lines(text: &Rope, span: &Span) -> Span {
    let start = text.line_to_byte(text.byte_to_line(span.start));
    let last = text.byte_to_line(span.end);
    // A selection of whole lines ends where the next one begins.
    let ends_above = span.end > span.start && text.line_to_byte(last) == span.end;
    let last = if ends_above { last - 1 } else { last };
    let content = text.line(last).to_string();
    let end = text.line_to_byte(last) + content.trim_end_matches(['\n', '\r']).len();
    start..end.max(start)
}

/// Where the line behind begins.
fn line_end(text: &Rope, line: usize) -> usize {
    if line + 1 < text.len_lines() { text.line_to_byte(line + 1) } else { text.len_bytes() }
}

/// The name of the one item whose name is in the span and that is in no other item of it.
fn name_of(items: &[Item], span: &Span) -> Option<String> {
    let within = |item: &&Item| span.start <= item.name_span.start && item.name_span.end <= span.end;
    let first = items.iter().filter(within).min_by_key(|item| item.span.start)?;
    let siblings = items.iter().filter(within).filter(|item| item.parent == first.parent).count();
    (siblings == 1).then(|| first.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::language;

    const TEXT: &str = "import os\n\n\ndef load(path):\n    text = opne(path)\n    return text.strip()\n\n\nclass Shop:\n    def total(self):\n        return sun(self.prices)\n\n    def name(self):\n        return nmae";

    fn snapshot() -> Snapshot {
        let uri = "file:///a.py".parse().unwrap();
        Snapshot::new(uri, None, language::by_id("python"), None, Rope::from_str(TEXT))
    }

    #[test]
    fn what_is_around_places_are_whole_lines_of_items() {
        let at = |word: &str| {
            let start = TEXT.find(word).unwrap();
            start..start + word.len()
        };
        let line = |word: &str| {
            let start = TEXT[..TEXT.find(word).unwrap()].rfind('\n').map_or(0, |at| at + 1);
            start..TEXT[start..].find('\n').map_or(TEXT.len(), |end| start + end + 1)
        };
        for (places, first, last, name) in [
            (vec![at("opne")], "def load", "return text", Some("load")),
            (vec![at("opne"), at("path):")], "def load", "return text", Some("load")),
            (vec![line("opne")], "def load", "return text", Some("load")),
            (vec![at("sun")], "def total", "return sun", Some("total")),
            (vec![at("nmae"), at("sun")], "def total", "return nmae", None),
            (vec![at("import")], "import os", "import os", None),
            (vec![at("sun"), at("opne")], "def load", "return sun", None),
        ] {
            let (span, found) = around(&snapshot(), &places);
            assert_eq!(span, line(first).start..line(last).end, "{:?}", &TEXT[span.clone()]);
            assert_eq!(found.as_deref(), name, "{places:?}");
        }
    }

    #[test]
    fn whole_lines_are_without_the_last_ones_end() {
        let text = Rope::from_str("ab\r\ncd\n\nef");
        for (span, expected) in [(1..1, 0..2), (0..4, 0..2), (1..5, 0..6), (4..7, 4..6), (7..7, 7..7), (9..10, 8..10)] {
            assert_eq!(whole_lines(&text, &span), expected, "{span:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_places_are_inside_of_what_is_around_them(from in 0..TEXT.len(), to in 0..TEXT.len(), other in 0..TEXT.len()) {
            let places = [from.min(to)..from.max(to), other..other];
            let (span, _) = around(&snapshot(), &places);
            for place in places {
                proptest::prop_assert!(span.start <= place.start && place.end <= span.end, "{place:?} in {span:?}");
            }
        }
    }
}
