//! Three texts to one: what the answer changed and what the user changed meanwhile, where both can stand.
//!
//! First by lines; where both changed the same lines, by the words of each line. Changes that touch each other are a
//! conflict: which comes first, or whether one makes the other wrong, is not for a program to guess.

use std::ops::Range;

use similar::DiffOp;

use super::hunks::{diff, likeness};
use super::lines::lines;

/// Where both sides changed more than this many pairs of lines, nothing is compared by words.
const MOST_PAIRS: usize = 1 << 18;

/// Merges `answer` and `now`, which both came of `original`; `None` when they changed the same thing in different ways.
pub fn merge(original: &str, answer: &str, now: &str) -> Option<String> {
    let by_lines = |text| lines(text).map(|line| line.len()).collect::<Vec<_>>();
    let both = |sides: Sides<'_>| {
        let pairs = |changed| lines(sides.original).count() * lines(changed).count();
        if pairs(sides.answer).max(pairs(sides.now)) > MOST_PAIRS {
            return None;
        }
        merge_by(sides, by_words, hunks_of_words, &|_| None)
    };
    merge_by(Sides { original, answer, now }, by_lines, hunks, &both)
}

/// The three texts, or the same place of them.
#[derive(Clone, Copy)]
struct Sides<'a> {
    original: &'a str,
    answer: &'a str,
    now: &'a str,
}

/// A part of the original, in pieces, and the part that came of it.
#[derive(Clone, Debug)]
struct Hunk {
    original: Range<usize>,
    changed: Range<usize>,
}

/// Merges by pieces of the lengths that `split` gives; `both` decides where both sides changed something.
fn merge_by<'a>(
    sides: Sides<'a>,
    split: impl Fn(&'a str) -> Vec<usize>,
    hunks: impl Fn(&Pieces<'_>, &Pieces<'_>) -> Vec<Hunk>,
    both: &dyn Fn(Sides<'_>) -> Option<String>,
) -> Option<String> {
    let original = Pieces::new(sides.original, split(sides.original));
    let answer = Pieces::new(sides.answer, split(sides.answer));
    let now = Pieces::new(sides.now, split(sides.now));
    let mut of_answer = hunks(&original, &answer).into_iter().peekable();
    let mut of_now = hunks(&original, &now).into_iter().peekable();
    let mut merged = String::new();
    // How far the merge has come in each text.
    let (mut at, mut at_answer, mut at_now) = (0, 0, 0);
    loop {
        let start = match (of_answer.peek(), of_now.peek()) {
            (None, None) => break,
            (Some(hunk), None) | (None, Some(hunk)) => hunk.original.start,
            (Some(left), Some(right)) => left.original.start.min(right.original.start),
        };
        // Hunks of both sides that touch form one place.
        let (mut end, mut answers, mut nows) = (start, Vec::new(), Vec::new());
        loop {
            if let Some(hunk) = of_answer.next_if(|hunk| hunk.original.start <= end) {
                end = end.max(hunk.original.end);
                answers.push(hunk);
            } else if let Some(hunk) = of_now.next_if(|hunk| hunk.original.start <= end) {
                end = end.max(hunk.original.end);
                nows.push(hunk);
            } else {
                break;
            }
        }
        merged.push_str(original.text(at..start));
        at_answer += start - at;
        at_now += start - at;
        let answer_end = at_answer + grown(start..end, &answers);
        let now_end = at_now + grown(start..end, &nows);
        let place = Sides {
            original: original.text(start..end),
            answer: answer.text(at_answer..answer_end),
            now: now.text(at_now..now_end),
        };
        merged.push_str(&settle(place, both)?);
        (at, at_answer, at_now) = (end, answer_end, now_end);
    }
    merged.push_str(original.text(at..original.len()));
    Some(merged)
}

/// What stands in a place: the one change there is, or what `both` makes of two.
fn settle(place: Sides<'_>, both: &dyn Fn(Sides<'_>) -> Option<String>) -> Option<String> {
    if place.answer == place.now || place.now == place.original {
        return Some(place.answer.to_owned());
    }
    if place.answer == place.original {
        return Some(place.now.to_owned());
    }
    both(place)
}

/// How many pieces of a changed text came of a range of the original.
fn grown(range: Range<usize>, hunks: &[Hunk]) -> usize {
    let removed: usize = hunks.iter().map(|hunk| hunk.original.len()).sum();
    let added: usize = hunks.iter().map(|hunk| hunk.changed.len()).sum();
    range.len() - removed + added
}

fn hunks(original: &Pieces<'_>, changed: &Pieces<'_>) -> Vec<Hunk> {
    let ops = diff(&original.all(), &changed.all()).into_iter().filter(|op| !matches!(op, DiffOp::Equal { .. }));
    ops.map(|op| Hunk { original: op.old_range(), changed: op.new_range() }).collect()
}

/// As [`hunks`], of lines in words: a changed line is compared with the line it came of, and with no other, so that a
/// line that goes takes none of its words from the next. Changes on both sides of a line end are one: two lines may have
/// become one there, and which of them is left is not to be told.
fn hunks_of_words(original: &Pieces<'_>, changed: &Pieces<'_>) -> Vec<Hunk> {
    let (old, new) = (original.lines(), changed.lines());
    let mut out: Vec<Hunk> = Vec::new();
    let line_end = |pieces: Range<usize>| original.text(pieces).chars().all(|char| matches!(char, '\n' | '\r'));
    let mut push = |hunk: Hunk| match out.last_mut() {
        Some(last) if line_end(last.original.end..hunk.original.start) => {
            last.original.end = hunk.original.end;
            last.changed.end = hunk.changed.end;
        }
        _ => out.push(hunk),
    };
    let (mut at, mut to) = (0, 0);
    for (left, right) in pairs(original, &old, changed, &new) {
        let (before, after) = (&old[left], &new[right]);
        if at < before.start || to < after.start {
            push(Hunk { original: at..before.start, changed: to..after.start });
        }
        let words = |pieces: &Pieces<'_>, line: &Range<usize>| {
            line.clone().map(|piece| pieces.text(piece..piece + 1).to_owned()).collect::<Vec<_>>()
        };
        for op in diff(&words(original, before), &words(changed, after)) {
            if !matches!(op, DiffOp::Equal { .. }) {
                let moved = |range: Range<usize>, by: usize| range.start + by..range.end + by;
                push(Hunk {
                    original: moved(op.old_range(), before.start),
                    changed: moved(op.new_range(), after.start),
                });
            }
        }
        (at, to) = (before.end, after.end);
    }
    if at < original.len() || to < changed.len() {
        push(Hunk { original: at..original.len(), changed: to..changed.len() });
    }
    out
}

/// The lines that came of each other, in order: equal ones count more than those that look alike, and of as many of these
/// those that share more.
fn pairs(
    original: &Pieces<'_>,
    old: &[Range<usize>],
    changed: &Pieces<'_>,
    new: &[Range<usize>],
) -> Vec<(usize, usize)> {
    let weight = |left: usize, right: usize| {
        let (before, after) = (original.text(old[left].clone()), changed.text(new[right].clone()));
        let shared = likeness(before, after);
        match () {
            () if before == after => weight_of(3, before.len()),
            () if shared > 0 => weight_of(2, shared),
            () => 0,
        }
    };
    let width = new.len() + 1;
    let mut best = vec![0_u64; (old.len() + 1) * width];
    for left in (0..old.len()).rev() {
        for right in (0..new.len()).rev() {
            let skip = best[(left + 1) * width + right].max(best[left * width + right + 1]);
            let weight = weight(left, right);
            let take = if weight > 0 { weight + best[(left + 1) * width + right + 1] } else { 0 };
            best[left * width + right] = skip.max(take);
        }
    }
    let (mut left, mut right, mut out) = (0, 0, Vec::new());
    while left < old.len() && right < new.len() {
        let here = best[left * width + right];
        if here == best[(left + 1) * width + right] {
            left += 1;
        } else if here == best[left * width + right + 1] {
            right += 1;
        } else {
            out.push((left, right));
            left += 1;
            right += 1;
        }
    }
    out
}

/// A weight that counts first, and one that counts among equals.
fn weight_of(first: u32, then: usize) -> u64 {
    (u64::from(first) << u32::BITS) + u64::try_from(then).unwrap_or(u64::MAX).min(u64::from(u16::MAX))
}

/// A text in pieces.
struct Pieces<'a> {
    text: &'a str,
    /// Where each piece begins, and where the last one ends.
    starts: Vec<usize>,
}

impl<'a> Pieces<'a> {
    fn new(text: &'a str, lengths: Vec<usize>) -> Self {
        let mut starts = vec![0];
        starts.extend(lengths.into_iter().scan(0, |at, length| {
            *at += length;
            Some(*at)
        }));
        Self { text, starts }
    }

    /// Which pieces make up each line.
    fn lines(&self) -> Vec<Range<usize>> {
        let (mut at, mut start) = (0, 0);
        let ends = lines(self.text).map(|line| {
            at += line.len();
            let end = self.starts.partition_point(|start| *start < at);
            let range = start..end;
            start = end;
            range
        });
        ends.collect()
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn text(&self, pieces: Range<usize>) -> &'a str {
        &self.text[self.starts[pieces.start]..self.starts[pieces.end]]
    }

    fn all(&self) -> Vec<&'a str> {
        (0..self.len()).map(|piece| self.text(piece..piece + 1)).collect()
    }
}

/// The lengths of words, of runs of blanks, and of single other characters.
fn by_words(text: &str) -> Vec<usize> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => Some(0),
        ' ' | '\t' => Some(1),
        _ => None,
    };
    let mut lengths = Vec::new();
    let mut last = None;
    for c in text.chars() {
        match (class(c), lengths.last_mut()) {
            (Some(kind), Some(length)) if last == Some(kind) => *length += c.len_utf8(),
            (kind, _) => {
                lengths.push(c.len_utf8());
                last = kind;
            }
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn merges_what_does_not_touch() {
        let original = "def f(a, b=1):\n    x = a\n    return x\n";
        let answer = "def f(a: int, b: int = 1) -> int:\n    x = a\n    return x\n";
        let table = [
            // The user changed another line.
            (
                "def f(a, b=1):\n    x = a + 1\n    return x\n",
                Some("def f(a: int, b: int = 1) -> int:\n    x = a + 1\n    return x\n"),
            ),
            // The user added a line below.
            (
                "def f(a, b=1):\n    x = a\n    log(x)\n    return x\n",
                Some("def f(a: int, b: int = 1) -> int:\n    x = a\n    log(x)\n    return x\n"),
            ),
            // The same line, but another word of it.
            (
                "def g(a, b=1):\n    x = a\n    return x\n",
                Some("def g(a: int, b: int = 1) -> int:\n    x = a\n    return x\n"),
            ),
            // The user wrote the same thing.
            (answer, Some(answer)),
            // The user renamed what the answer annotated.
            ("def f(first, b=1):\n    x = first\n    return x\n", None),
            // The user wrote a line of their own below the one that the answer annotated.
            (
                "def f(a, b=1):\n    # mine\n    x = a\n    return x\n",
                Some("def f(a: int, b: int = 1) -> int:\n    # mine\n    x = a\n    return x\n"),
            ),
            // The user removed what the answer annotated.
            ("    x = a\n    return x\n", None),
        ];
        for (now, expected) in table {
            assert_eq!(merge(original, answer, now).as_deref(), expected, "{now}");
        }
    }

    #[test]
    fn a_change_of_a_line_that_goes_is_a_conflict() {
        let original = "const a = 1;\nconst b = 2;\n";
        assert_eq!(merge(original, "const b = 2;\n", "c\nonst a = 1;\nconst b = 2;\n"), None);
        assert_eq!(merge(original, "const b = 2;\n", "const aa = 1;\nconst b = 2;\n"), None);
        // Of the two lines the first one was divided; what is left of the second is nothing like it.
        let original = "\tx2 := one + y2\n\tx3 := two + y3\n";
        assert_eq!(merge(original, "\tx3 := two + y3\n", "\tx\nu2 := one + y2\n= two3\n"), None);
        // The user made one line of two, the second of which goes.
        let original = "a = one +u\n y1;\nb = 2;\n";
        assert_eq!(merge(original, "aa = one +u\nb = 2;\n", "a = one + y1;\nb = 2;\n"), None);
        let original = "const a = 1;\nconst b = 2;\n";
        let kept = merge(original, "const b = 2;\n", "const a = 1;\nconst b = 2; // mine\n");
        assert_eq!(kept.as_deref(), Some("const b = 2; // mine\n"));
    }

    #[test]
    fn two_insertions_in_one_place_are_a_conflict() {
        assert_eq!(merge("a\nb\n", "a\nx\nb\n", "a\ny\nb\n"), None);
        assert_eq!(merge("", "x", "y"), None);
        assert_eq!(merge("", "x", "").as_deref(), Some("x"));
    }

    fn text() -> impl Strategy<Value = String> {
        proptest::collection::vec("[ab ]{0,3}(\n|\r\n|é)?", 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn one_sided_changes_are_taken_as_they_are(original in text(), changed in text()) {
            prop_assert_eq!(merge(&original, &changed, &original), Some(changed.clone()));
            prop_assert_eq!(merge(&original, &original, &changed), Some(changed.clone()));
            prop_assert_eq!(merge(&original, &changed, &changed), Some(changed.clone()));
        }

        #[test]
        fn sides_may_be_swapped(original in text(), left in text(), right in text()) {
            prop_assert_eq!(merge(&original, &left, &right), merge(&original, &right, &left));
        }

        #[test]
        fn changes_of_different_lines_both_stand(
            lines in proptest::collection::vec("[a-z]{1,4}", 3..12),
            left in 0_usize..12,
            right in 0_usize..12,
        ) {
            let (left, right) = (left % lines.len(), right % lines.len());
            prop_assume!(left.abs_diff(right) > 1);
            let with = |changes: &[(usize, &str)]| {
                let mut lines = lines.clone();
                for (line, text) in changes {
                    (*text).clone_into(&mut lines[*line]);
                }
                lines.join("\n")
            };
            // Upper case never stands in the original, so nothing lines up by chance.
            let merged = merge(&with(&[]), &with(&[(left, "LEFT")]), &with(&[(right, "RIGHT")]));
            prop_assert_eq!(merged, Some(with(&[(left, "LEFT"), (right, "RIGHT")])));
        }
    }
}
