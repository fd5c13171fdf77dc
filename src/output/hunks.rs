//! The difference of two texts as few small edits: hunks of whole lines whose ends are trimmed to words.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp};

use super::edit::TextEdit;
use super::lines::{Line, lines};
use crate::workspace::difference::difference;

/// A diff that is not found in this time ends early with larger hunks. Only texts of thousands of lines without
/// anything in common come near it.
const PATIENCE: Duration = Duration::from_millis(200);

/// Line hunks between two sequences, by the given keys.
pub(crate) fn diff<T: Eq + std::hash::Hash>(old: &[T], new: &[T]) -> Vec<DiffOp> {
    let deadline = Instant::now().checked_add(PATIENCE);
    difference(Algorithm::Histogram, old, new, deadline)
}

/// The edits that turn `old` into `new`, where `old` begins at byte `base` of its document. Sorted and disjoint; no
/// unchanged line is touched.
pub(crate) fn hunks(old: &str, new: &str, base: usize) -> Vec<TextEdit> {
    if old == new {
        return Vec::new();
    }
    let old_lines: Vec<Line<'_>> = lines(old).collect();
    let new_lines: Vec<Line<'_>> = lines(new).collect();
    let old_keys: Vec<_> = old_lines.iter().map(|line| (line.content, line.end)).collect();
    let new_keys: Vec<_> = new_lines.iter().map(|line| (line.content, line.end)).collect();
    let old_starts = starts(&old_lines);
    let new_starts = starts(&new_lines);

    let mut edits: Vec<TextEdit> = Vec::new();
    let mut push = |old_range: std::ops::Range<usize>, new_range: std::ops::Range<usize>| {
        let old_from = old_starts[old_range.start];
        let old_part = &old[old_from..old_starts[old_range.end]];
        let new_part = &new[new_starts[new_range.start]..new_starts[new_range.end]];
        if let Some(edit) = trimmed(old_part, new_part, base + old_from) {
            edits.push(edit);
        }
    };
    for op in diff(&old_keys, &new_keys) {
        let (old_range, new_range) = (op.old_range(), op.new_range());
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        // Lines that were changed one by one stay one edit each, so a cursor in the middle of them keeps its place.
        let pairs = || old_range.clone().zip(new_range.clone());
        if old_range.len() == new_range.len()
            && pairs().all(|(old, new)| alike(old_lines[old].content, new_lines[new].content))
        {
            for (old, new) in pairs() {
                push(old..old + 1, new..new + 1);
            }
        } else {
            push(old_range, new_range);
        }
    }
    joined(edits)
}

fn starts(lines: &[Line<'_>]) -> Vec<usize> {
    let mut at = 0;
    let mut starts = vec![0];
    for line in lines {
        at += line.len();
        starts.push(at);
    }
    starts
}

/// Whether one line looks like a changed form of the other.
pub(super) fn alike(old: &str, new: &str) -> bool {
    likeness(old, new) > 0
}

/// How many bytes two lines share at their ends, if one looks like a changed form of the other: if that is half of the
/// shorter one. Else 0.
pub(super) fn likeness(old: &str, new: &str) -> usize {
    let (old, new) = (old.trim(), new.trim());
    let (prefix, suffix) = common_ends(old, new);
    let shared = prefix + suffix;
    if shared * 2 >= old.len().min(new.len()) { shared } else { 0 }
}

/// Edits that touch each other become one, since clients may apply two edits at one place in either order.
fn joined(edits: Vec<TextEdit>) -> Vec<TextEdit> {
    let mut out: Vec<TextEdit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match out.last_mut() {
            Some(last) if last.span.end == edit.span.start => {
                last.span.end = edit.span.end;
                last.text.push_str(&edit.text);
            }
            _ => out.push(edit),
        }
    }
    out
}

/// The edit from `old` to `new` without what they share at their ends, cut between words.
fn trimmed(old: &str, new: &str, base: usize) -> Option<TextEdit> {
    let (mut prefix, mut suffix) = common_ends(old, new);
    if old.len() == new.len() && prefix == old.len() {
        return None;
    }
    while splits_word(old, prefix) || splits_word(new, prefix) {
        prefix -= last_char(&old[..prefix]);
    }
    while splits_word(old, old.len() - suffix) || splits_word(new, new.len() - suffix) {
        suffix -= first_char(&old[old.len() - suffix..]);
    }
    let span = base + prefix..base + old.len() - suffix;
    Some(TextEdit { span, text: new[prefix..new.len() - suffix].to_owned() })
}

/// Bytes that both texts begin with, and bytes of the rest that both end with, on character boundaries.
fn common_ends(old: &str, new: &str) -> (usize, usize) {
    let prefix: usize = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (old, new) = (&old[prefix..], &new[prefix..]);
    let suffix = old.chars().rev().zip(new.chars().rev()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    (prefix, suffix)
}

/// Whether a cut at `at` would divide a word, a line break, or what may be one sign on the screen.
fn splits_word(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at..].chars().next();
    match (before, after) {
        (Some('\r'), Some('\n')) => true,
        (Some(before), Some(after)) => is_word(before) && is_word(after),
        _ => false,
    }
}

/// Everything outside ASCII counts as part of a word: a combining mark or a joined emoji is never cut off.
fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || !char.is_ascii()
}

fn last_char(text: &str) -> usize {
    text.chars().next_back().map_or(0, char::len_utf8)
}

fn first_char(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::output::edit::apply;

    fn check(old: &str, new: &str, expected: &[(&str, &str)]) {
        let edits = hunks(old, new, 0);
        let found: Vec<_> = edits.iter().map(|edit| (&old[edit.span.clone()], edit.text.as_str())).collect();
        assert_eq!(found, expected);
        assert_eq!(apply(old, &edits), new);
    }

    #[test]
    fn hunks_end_at_words() {
        check("def f(a):\n", "def f(a: int) -> str:\n", &[(")", ": int) -> str")]);
        check("count = 1\n", "counter = 1\n", &[("count", "counter")]);
        check("a\nb\nc\n", "a\nx\nb\nc\n", &[("", "x\n")]);
        check("a\nb", "a\nb\nc", &[("", "\nc")]);
        check("one\ntwo\nthree\n", "one\nthree\n", &[("two\n", "")]);
        check("same\n", "same\n", &[]);
        check("", "new\n", &[("", "new\n")]);
        check("gone\n", "", &[("gone\n", "")]);
    }

    #[test]
    fn lines_changed_one_by_one_are_edits_of_their_own() {
        check(
            "let a = one();\nlet b = two();\n",
            "let a: A = one();\nlet b: B = two();\n",
            &[("", ": A"), ("", ": B")],
        );
    }

    #[test]
    fn signs_and_line_breaks_are_not_divided() {
        check("x = 'e'\n", "x = 'e\u{301}'\n", &[("e", "e\u{301}")]);
        check("x = '👍'\n", "x = '👍🏽'\n", &[("👍", "👍🏽")]);
        check("a\r\n", "a\n", &[("\r\n", "\n")]);
    }

    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof!["[ab ]{0,3}", Just("é👍🏽".to_owned()), Just("\u{2028}".to_owned())];
        let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
        prop::collection::vec((piece, end), 0..12)
            .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
    }

    proptest! {
        #[test]
        fn hunks_give_the_new_text(old in text(), new in text(), before in "[a-z]{0,5}") {
            let document = format!("{before}{old}tail");
            let edits = hunks(&old, &new, before.len());
            prop_assert_eq!(apply(&document, &edits), format!("{before}{new}tail"));
            for pair in edits.windows(2) {
                prop_assert!(pair[0].span.end < pair[1].span.start);
            }
        }
    }
}
