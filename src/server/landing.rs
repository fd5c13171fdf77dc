//! Proof that an edit landed: the document's next text, not what the client says.
//!
//! Clients answer `applied: true` to edits they dropped, answer before or after the change arrives, or never answer. So each
//! edit that is sent leaves an expectation here, and every state that a document goes through is held against it. Some do
//! not look at versions and put an edit into a text that has moved on; that is seen here too, so that it can be taken back.

use std::sync::{Arc, Mutex, PoisonError};

use lsp_types::{TextEdit, Uri};
use ropey::Rope;

use super::from_proto;
use crate::workspace::positions::Encoding;

/// Texts that documents should come to have.
#[derive(Default)]
pub(super) struct Expectations(Vec<Expectation>);

/// What an edit that is sent should do.
pub(super) struct Expected {
    /// The text that it was made for.
    pub(super) base: Rope,
    /// As the client gets it.
    pub(super) edits: Vec<TextEdit>,
    /// How the edits' positions count.
    pub(super) encoding: Encoding,
    /// The text that it leads to.
    pub(super) text: Rope,
}

struct Expectation {
    uri: Uri,
    expected: Expected,
    /// The texts since that are not the one that the edit was made for, each with what the edit makes of it when a client
    /// puts it in without looking.
    passed: Vec<(Rope, Rope)>,
    /// Whether the text is another one than the edit was made for.
    moved: bool,
    seen: Arc<Mutex<Seen>>,
}

/// What was seen of an edit.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Seen {
    /// Nothing yet.
    #[default]
    Nothing,
    /// The document has had the text that was asked for.
    Landed,
    /// The client put the edit into a text that it was not made for.
    Misplaced(Misplaced),
}

/// An edit in a text that it was not made for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Misplaced {
    /// The text without it.
    pub(super) before: Rope,
    /// The text with it.
    pub(super) after: Rope,
}

/// Says what was seen of its edit, and ends the expectation when dropped.
#[derive(Clone)]
pub(super) struct Landed(Arc<Mutex<Seen>>);

/// So many texts are remembered while an edit is on its way; whoever types more than that sees it refused.
const MOST_PASSED: usize = 64;

impl Landed {
    /// What was seen of the edit so far.
    pub(super) fn seen(&self) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Expectations {
    /// Expects a document to have a text at some time from now on.
    pub(super) fn expect(&mut self, uri: Uri, expected: Expected) -> Landed {
        self.forget();
        let seen = Arc::new(Mutex::new(Seen::Nothing));
        self.0.push(Expectation { uri, expected, passed: Vec::new(), moved: false, seen: seen.clone() });
        Landed(seen)
    }

    /// Holds the states that a client reports at once against what is expected of a document. Costs nothing when nothing is.
    pub(super) fn observe(&mut self, uri: &Uri, texts: &[Rope]) {
        self.forget();
        for expectation in self.0.iter_mut().filter(|expectation| expectation.uri == *uri) {
            expectation.observe_all(texts);
        }
    }

    /// Forgets what nobody waits for any more: the other half is with the job.
    fn forget(&mut self) {
        self.0.retain(|expectation| Arc::strong_count(&expectation.seen) > 1);
    }
}

impl Expectation {
    fn observe_all(&mut self, texts: &[Rope]) {
        // Some make an edit smaller before they put it in, and report it in parts that are theirs. What stands between
        // these was never typed, also where the edit would make the same text of it.
        let whole = match texts {
            [_, .., last] if !self.moved && same_text(&self.expected.text, last) => std::slice::from_ref(last),
            texts => texts,
        };
        for text in whole {
            self.observe(text);
        }
    }

    fn observe(&mut self, text: &Rope) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen != Seen::Nothing {
            return;
        }
        let moved = std::mem::replace(&mut self.moved, !same_text(&self.expected.base, text));
        let astray = |(before, misplaced): &(Rope, Rope)| same_text(misplaced, text) && before != text;
        // What was typed last may be what the edit has overwritten: then the text is the one that was asked for, too.
        let last = self.passed.len().checked_sub(1).filter(|_| moved).map(|last| self.began(last, text));
        let last = last.filter(|last| astray(&self.passed[*last]));
        let landed = last.is_none() && same_text(&self.expected.text, text);
        let at = if landed { None } else { last.or_else(|| self.passed.iter().rposition(astray)) };
        if landed {
            *seen = Seen::Landed;
        } else if let Some(at) = at {
            let before = self.passed[self.began(at, text)].0.clone();
            *seen = Seen::Misplaced(Misplaced { before, after: text.clone() });
        } else if self.moved && self.passed.len() < MOST_PASSED {
            self.passed.push((text.clone(), self.expected.put_into(text)));
        }
    }

    /// The text that the client began with, when the edit makes `text` of the one at `at`. Clients report an edit in parts,
    /// and where its first parts are there already the whole of it may lead to the same text again.
    fn began(&self, at: usize, text: &Rope) -> usize {
        let earliest = (at + 1).saturating_sub(self.expected.edits.len());
        let leads_here = |first: &usize| {
            let (before, misplaced) = &self.passed[*first];
            let mut since = self.passed[first + 1..=at].iter();
            same_text(misplaced, text) && since.all(|(passed, _)| self.expected.begins(before, passed))
        };
        (earliest..at).find(leads_here).unwrap_or(at)
    }
}

impl Expected {
    /// What the edit makes of another text than the one it was made for.
    fn put_into(&self, text: &Rope) -> Rope {
        self.put(&self.edits, text)
    }

    /// Whether some parts of the edit, from its end or its beginning, make `after` of `before`.
    fn begins(&self, before: &Rope, after: &Rope) -> bool {
        let parts = (1..self.edits.len()).flat_map(|at| [&self.edits[at..], &self.edits[..at]]);
        parts.into_iter().any(|edits| same_text(&self.put(edits, before), after))
    }

    fn put(&self, edits: &[TextEdit], text: &Rope) -> Rope {
        let mut out = text.clone();
        for edit in edits.iter().rev() {
            let span = from_proto::span(&out, self.encoding, edit.range);
            let (start, end) = (out.byte_to_char(span.start), out.byte_to_char(span.end));
            out.remove(start..end);
            out.insert(start, &edit.new_text);
        }
        out
    }
}

/// Whether two texts are equal, up to the line ends that an editor may have made its own.
pub(super) fn same_text(expected: &Rope, text: &Rope) -> bool {
    // Neovim counts the empty file that it creates as one line, and so has a line end more than was asked for.
    let more = text.len_lines().checked_sub(expected.len_lines());
    if !matches!(more, Some(0 | 1)) {
        return false;
    }
    let mut rest = unix(text);
    let same = unix(expected).all(|char| rest.next() == Some(char));
    same && matches!((rest.next(), rest.next()), (None | Some('\n'), None))
}

/// The characters of a text with `\n` for every line end of the protocol.
fn unix(text: &Rope) -> impl Iterator<Item = char> {
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || match chars.next()? {
        '\r' => {
            chars.next_if_eq(&'\n');
            Some('\n')
        }
        char => Some(char),
    })
}

#[cfg(test)]
mod tests {
    use super::super::to_proto;
    use super::*;

    fn uri(name: &str) -> Uri {
        format!("file:///{name}").parse().expect("a URI")
    }

    #[test]
    fn line_ends_do_not_make_another_text() {
        let same = |a: &str, b: &str| same_text(&Rope::from_str(a), &Rope::from_str(b));
        assert!(same("a\r\nμ\r\n", "a\nμ\n") && same("a\nb\n", "a\nb\r\n") && same("a\rb", "a\r\nb"));
        assert!(!same("a\r\nb", "a\nc") && !same("a\n", "a\n\n\n") && !same("a\n\n", "a\n") && !same("ab", "abc"));
    }

    fn replacement(span: std::ops::Range<usize>, text: &str) -> TextEdit {
        let line = Rope::from_str("0123456789");
        TextEdit { range: to_proto::range(&line, Encoding::Utf16, &span), new_text: text.to_owned() }
    }

    fn expected(base: &str, text: &str) -> Expected {
        let (base, text) = (Rope::from_str(base), Rope::from_str(text));
        Expected { base, edits: vec![replacement(0..0, "new ")], encoding: Encoding::Utf16, text }
    }

    #[test]
    fn what_nobody_waits_for_is_forgotten_without_a_change() {
        let mut expectations = Expectations::default();
        for _ in 0..10 {
            drop(expectations.expect(uri("a"), expected("", "never")));
        }
        assert!(expectations.0.len() <= 1);
    }

    #[test]
    fn sees_the_expected_text_in_its_own_document_only() {
        let mut expectations = Expectations::default();
        let landed = expectations.expect(uri("a"), expected("old", "new old"));
        expectations.observe(&uri("b"), &[Rope::from_str("new old")]);
        expectations.observe(&uri("a"), &[Rope::from_str("old")]);
        assert_eq!(landed.seen(), Seen::Nothing);
        expectations.observe(&uri("a"), &[Rope::from_str("new old")]);
        expectations.observe(&uri("a"), &[Rope::from_str("newer")]);
        assert_eq!(landed.seen(), Seen::Landed, "a later change does not take the proof back");
        drop(landed);
        expectations.observe(&uri("a"), &[Rope::from_str("x")]);
        assert!(expectations.0.is_empty(), "nothing is expected when nobody waits");
    }

    #[test]
    fn sees_an_edit_in_a_text_that_it_was_not_made_for() {
        let mut expectations = Expectations::default();
        let landed = expectations.expect(uri("a"), expected("old", "new old"));
        for text in ["typed\nold", "typed!\nold", "new typed\nold"] {
            expectations.observe(&uri("a"), &[Rope::from_str(text)]);
        }
        let misplaced =
            |before, after| Seen::Misplaced(Misplaced { before: Rope::from_str(before), after: Rope::from_str(after) });
        assert_eq!(landed.seen(), misplaced("typed\nold", "new typed\nold"));

        // What was typed last is gone with the edit.
        let edit = Expected { edits: vec![replacement(4..7, "new")], ..expected("old old", "old new") };
        let landed = expectations.expect(uri("b"), edit);
        for text in ["old old!", "old oxld!", "old newd!"] {
            expectations.observe(&uri("b"), &[Rope::from_str(text)]);
        }
        assert_eq!(landed.seen(), misplaced("old oxld!", "old newd!"));

        // Even if that leads to the text that was asked for.
        let edit = Expected { edits: vec![replacement(0..7, "new")], ..expected("old old", "new") };
        let landed = expectations.expect(uri("c"), edit);
        for text in ["ol old", "old old", "ol old", "newd"] {
            expectations.observe(&uri("c"), &[Rope::from_str(text)]);
        }
        assert_eq!(landed.seen(), Seen::Nothing);
        let edit = Expected { edits: vec![replacement(0..7, "new")], ..expected("old old", "new") };
        let landed = expectations.expect(uri("d"), edit);
        for text in ["oxd old", "new"] {
            expectations.observe(&uri("d"), &[Rope::from_str(text)]);
        }
        assert_eq!(landed.seen(), misplaced("oxd old", "new"));
    }

    #[test]
    fn an_edit_in_the_wrong_text_may_be_reported_in_parts() {
        let edit = |edits| Expected { edits, ..expected("one two", "1! 2!") };
        let reported = |texts: [&str; 3]| {
            let mut expectations = Expectations::default();
            let edits = vec![replacement(0..3, "1!"), replacement(4..7, "2!")];
            let landed = expectations.expect(uri("a"), edit(edits));
            for text in texts {
                expectations.observe(&uri("a"), &[Rope::from_str(text)]);
            }
            landed.seen()
        };
        let misplaced =
            |before, after| Seen::Misplaced(Misplaced { before: Rope::from_str(before), after: Rope::from_str(after) });
        // Of the text in the middle the edit makes the last one as well.
        let last = misplaced("one xtwo", "1! 2!o");
        assert_eq!(reported(["one xtwo", "one 2!o", "1! 2!o"]), last);
        // What was typed is gone, so that the text is the one that was asked for.
        assert_eq!(reported(["oxe two", "oxe 2!", "1! 2!"]), misplaced("oxe two", "1! 2!"));
    }

    #[test]
    fn an_edit_in_the_right_text_may_be_reported_in_the_editors_own_parts() {
        let reported = |notifications: &[&[&str]]| {
            let mut expectations = Expectations::default();
            let edit = Expected { edits: vec![replacement(0..10, "new")], ..expected("old thing", "new") };
            let landed = expectations.expect(uri("a"), edit);
            for texts in notifications {
                let texts: Vec<Rope> = texts.iter().map(|text| Rope::from_str(text)).collect();
                expectations.observe(&uri("a"), &texts);
            }
            landed.seen()
        };
        // Of "old" the edit makes "new" as well.
        assert_eq!(reported(&[&["old", "new"]]), Seen::Landed);
        let misplaced = Misplaced { before: Rope::from_str("old"), after: Rope::from_str("new") };
        assert_eq!(reported(&[&["old"], &["new"]]), Seen::Misplaced(misplaced.clone()), "it was typed");
        assert_eq!(reported(&[&["old t"], &["old", "new"]]), Seen::Misplaced(misplaced), "it had moved on before");
    }
}
