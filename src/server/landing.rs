//! Proof that an edit landed: the document's next text, not what the client says.
//!
//! Clients answer `applied: true` to edits they dropped, answer before or after the change arrives, or never answer. So each
//! edit that is sent leaves an expectation here, and every state that a document goes through is held against it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lsp_types::Uri;
use ropey::Rope;

/// Texts that documents should come to have.
#[derive(Default)]
pub(super) struct Expectations(Vec<Expectation>);

struct Expectation {
    uri: Uri,
    text: Rope,
    landed: Arc<AtomicBool>,
}

/// Says whether its edit landed, and ends the expectation when dropped.
#[derive(Clone)]
pub(super) struct Landed(Arc<AtomicBool>);

impl Landed {
    /// Whether the document has had the expected text since.
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Expectations {
    /// Expects a document to have this text at some time from now on.
    pub(super) fn expect(&mut self, uri: Uri, text: Rope) -> Landed {
        self.forget();
        let landed = Arc::new(AtomicBool::new(false));
        self.0.push(Expectation { uri, text, landed: landed.clone() });
        Landed(landed)
    }

    /// Holds a state of a document against what is expected of it. Costs nothing when nothing is.
    pub(super) fn observe(&mut self, uri: &Uri, text: &Rope) {
        self.forget();
        for expected in self.0.iter().filter(|expected| expected.uri == *uri) {
            if same_text(&expected.text, text) {
                expected.landed.store(true, Ordering::Release);
            }
        }
    }

    /// Forgets what nobody waits for any more: the other half is with the job.
    fn forget(&mut self) {
        self.0.retain(|expected| Arc::strong_count(&expected.landed) > 1);
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

    #[test]
    fn what_nobody_waits_for_is_forgotten_without_a_change() {
        let mut expectations = Expectations::default();
        for _ in 0..10 {
            drop(expectations.expect(uri("a"), Rope::from_str("never")));
        }
        assert!(expectations.0.len() <= 1);
    }

    #[test]
    fn sees_the_expected_text_in_its_own_document_only() {
        let mut expectations = Expectations::default();
        let landed = expectations.expect(uri("a"), Rope::from_str("new"));
        expectations.observe(&uri("b"), &Rope::from_str("new"));
        expectations.observe(&uri("a"), &Rope::from_str("old"));
        assert!(!landed.get());
        expectations.observe(&uri("a"), &Rope::from_str("new"));
        expectations.observe(&uri("a"), &Rope::from_str("newer"));
        assert!(landed.get(), "a later change does not take the proof back");
        drop(landed);
        expectations.observe(&uri("a"), &Rope::from_str("x"));
        assert!(expectations.0.is_empty(), "nothing is expected when nobody waits");
    }
}
