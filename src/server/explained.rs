//! The explanations there are for a document, so that a hover can show them without asking anybody.

use ropey::Rope;

use crate::ledger::Ledger;
use crate::workspace::Span;

/// An explanation and the code it is for, to the letter.
#[derive(Clone, Debug)]
pub(super) struct Explained {
    /// The explanation's id.
    pub(super) id: String,
    /// The code.
    pub(super) code: String,
    /// The explanation.
    pub(super) markdown: String,
}

/// The explanations that the ledger has for a document, oldest first. Blocks. A ledger that can't be read has none.
pub(super) fn read(ledger: &Ledger, uri: &str) -> Vec<Explained> {
    let codes = ledger.for_uri(uri).unwrap_or_default().into_iter().rev();
    // Kept edits are in the ledger as well, and explain no code.
    let codes = codes.filter(|explained| !explained.code.is_empty());
    let with_text = codes.filter_map(|code| {
        let stored = ledger.load(&code.id).ok()??;
        Some(Explained { id: code.id, code: code.code, markdown: stored.markdown })
    });
    with_text.collect()
}

/// Adds a fresh explanation, in place of an older one of the same code.
pub(super) fn add(known: &mut Vec<Explained>, fresh: Explained) {
    known.retain(|older| older.code != fresh.code);
    known.push(fresh);
}

/// The newest of the smallest explained pieces of code that stand around `offset`, and where it stands.
pub(super) fn find<'a>(explained: &'a [Explained], text: &Rope, offset: usize) -> Option<(&'a Explained, Span)> {
    let found = explained.iter().filter_map(|it| standing_around(text, offset, &it.code).map(|span| (it, span)));
    // Later entries are newer; `min_by_key` keeps the first of equals, so the newest comes first.
    let found: Vec<_> = found.collect();
    found.into_iter().rev().min_by_key(|(it, _)| it.code.len())
}

/// Where `code` stands in the text such that `offset` is within it.
fn standing_around(text: &Rope, offset: usize, code: &str) -> Option<Span> {
    if code.trim().is_empty() || offset > text.len_bytes() {
        return None;
    }
    let start = char_start(text, offset.saturating_sub(code.len()));
    let end = char_start(text, offset.saturating_add(code.len()).min(text.len_bytes()));
    let window = text.byte_slice(start..end).to_string();
    let mut from = 0;
    while let Some(at) = window[from..].find(code) {
        let at = from + at;
        let span = start + at..start + at + code.len();
        if span.start <= offset && offset <= span.end {
            return Some(span);
        }
        from = at + code.chars().next().map_or(1, char::len_utf8);
    }
    None
}

fn char_start(text: &Rope, offset: usize) -> usize {
    text.char_to_byte(text.byte_to_char(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(id: &str, code: &str) -> Explained {
        Explained { id: id.to_owned(), code: code.to_owned(), markdown: String::new() }
    }

    #[test]
    fn a_fresh_explanation_takes_the_place_of_an_older_one() {
        let mut known = Vec::new();
        for number in 0..1000 {
            add(&mut known, explained(&number.to_string(), if number % 2 == 0 { "even" } else { "odd" }));
        }
        let ids: Vec<_> = known.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["998", "999"]);
    }

    #[test]
    fn finds_the_innermost_and_newest_for_exactly_this_text() {
        let all = [explained("outer", "fn a() {\n  b(μ)\n}"), explained("old", "b(μ)"), explained("new", "b(μ)")];
        let text = Rope::from_str("// é\nfn a() {\n  b(μ)\n}\n");
        let inner = text.to_string().find("b(").expect("it is there");
        let (found, span) = find(&all, &text, inner + 1).expect("something is found");
        assert_eq!((found.id.as_str(), span), ("new", inner..inner + 5));
        assert_eq!(find(&all, &text, 7).expect("something is found").0.id, "outer");
        assert!(find(&all, &text, 0).is_none());
        let changed = Rope::from_str("fn a() {\n  c(μ)\n}\n");
        assert!(find(&all, &changed, 12).is_none(), "changed code has no explanation");
    }
}
