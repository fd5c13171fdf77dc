//! What a replacement really changes: the least that anchors have to move for.

use std::time::{Duration, Instant};

use ropey::{Rope, RopeSlice};
use similar::{Algorithm, DiffOp};

use crate::workspace::Span;
use crate::workspace::difference::difference;

/// One piece of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hunk {
    /// What goes, in the text before the replacement.
    pub(super) removed: Span,
    /// How many bytes come in its place.
    pub(super) inserted: usize,
}

/// Larger pieces are not compared word by word, nor, when they are whole files, line by line.
const MAX_WORDS_BYTES: usize = 16 * 1024;
const MAX_LINES_BYTES: usize = 16 * 1024 * 1024;

/// After this long a comparison settles for less detail. A keystroke must not wait for it.
const MAX_TIME: Duration = Duration::from_millis(100);

/// The pieces in which `inserted` differs from `removed`, a span of `text`, in order. Ends that are equal are cut off;
/// what is left is compared by lines, then by words, where `near` says that the detail matters.
pub(super) fn hunks(text: &Rope, removed: &Span, inserted: &str, near: &dyn Fn(&Span) -> bool) -> Vec<Hunk> {
    let whole = || Hunk { removed: removed.clone(), inserted: inserted.len() };
    if removed.is_empty() || inserted.is_empty() || !near(removed) {
        return vec![whole()];
    }
    let old = text.byte_slice(removed.clone());
    let prefix = common_prefix(old, inserted);
    let suffix = common_suffix(old.byte_slice(prefix..), &inserted[prefix..]);
    let left = removed.start + prefix..removed.end - suffix;
    let new = &inserted[prefix..inserted.len() - suffix];
    if left.is_empty() && new.is_empty() {
        return Vec::new();
    }
    let differing = Hunk { removed: left.clone(), inserted: new.len() };
    if left.is_empty() || new.is_empty() || !near(&left) || left.len() + new.len() > MAX_LINES_BYTES {
        return vec![differing];
    }
    let old = String::from(text.byte_slice(left.clone()));
    let deadline = Instant::now() + MAX_TIME;
    let mut out = Vec::new();
    for (part, by) in compare(&old, new, &lines(&old), &lines(new), deadline) {
        let span = left.start + part.start..left.start + part.end;
        let small = part.len() + by.len() <= MAX_WORDS_BYTES;
        if small && !part.is_empty() && !by.is_empty() && near(&span) {
            let (old, new) = (&old[part], &new[by]);
            for (part, by) in compare(old, new, &words(old), &words(new), deadline) {
                out.push(Hunk { removed: span.start + part.start..span.start + part.end, inserted: by.len() });
            }
        } else {
            out.push(Hunk { removed: span, inserted: by.len() });
        }
    }
    out
}

/// The differing pieces of two texts that are cut into `old_parts` and `new_parts`.
fn compare(old: &str, new: &str, old_parts: &[&str], new_parts: &[&str], deadline: Instant) -> Vec<(Span, Span)> {
    let ends = |parts: &[&str]| {
        let mut at = 0;
        let ends = parts.iter().map(|part| {
            at += part.len();
            at
        });
        std::iter::once(0).chain(ends).collect::<Vec<_>>()
    };
    let (old_ends, new_ends) = (ends(old_parts), ends(new_parts));
    debug_assert_eq!((old_ends.last(), new_ends.last()), (Some(&old.len()), Some(&new.len())));
    let mut out: Vec<(Span, Span)> = Vec::new();
    for op in difference(Algorithm::Myers, old_parts, new_parts, Some(deadline)) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (from, to) = (op.old_range(), op.new_range());
        let removed = old_ends[from.start]..old_ends[from.end];
        let inserted = new_ends[to.start]..new_ends[to.end];
        match out.last_mut() {
            Some(last) if last.0.end == removed.start && last.1.end == inserted.start => {
                last.0.end = removed.end;
                last.1.end = inserted.end;
            }
            _ => out.push((removed, inserted)),
        }
    }
    out
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Runs of word characters, runs of white space, and every other character by itself.
fn words(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut out = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, c) in text.char_indices() {
        let now = class(c);
        if before.is_some_and(|before| before != now || now == 2) {
            out.push(&text[start..at]);
            start = at;
        }
        before = Some(now);
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

/// How many bytes both texts begin with, up to the boundary of a character.
fn common_prefix(old: RopeSlice<'_>, new: &str) -> usize {
    let mut equal = 0;
    for chunk in old.chunks() {
        let rest = &new.as_bytes()[equal..];
        let here = chunk.bytes().zip(rest).take_while(|(a, b)| a == *b).count();
        equal += here;
        if here < chunk.len() {
            break;
        }
    }
    while !new.is_char_boundary(equal) {
        equal -= 1;
    }
    equal
}

/// How many bytes both texts end with, up to the boundary of a character.
fn common_suffix(old: RopeSlice<'_>, new: &str) -> usize {
    let mut equal = 0;
    let (chunks, ..) = old.chunks_at_byte(old.len_bytes());
    for chunk in chunks.reversed() {
        let rest = &new.as_bytes()[..new.len() - equal];
        let here = chunk.bytes().rev().zip(rest.iter().rev()).take_while(|(a, b)| a == *b).count();
        equal += here;
        if here < chunk.len() {
            break;
        }
    }
    while !new.is_char_boundary(new.len() - equal) {
        equal -= 1;
    }
    equal
}
