//! Where an answer that was cut goes on: the end of what there is and the beginning of what comes, joined without saying
//! anything twice. Pure.
//!
//! A model that is asked to go on at the very character may begin anew with the line that it was in, with the last words,
//! or with a fence around code that is in one already. What of that is there is left out.

/// So many bytes of what comes decide how it is joined.
const WINDOW: usize = 600;

/// Fewer bytes that stand at the end and come again may have come by chance.
const LEAST_REPEATED: usize = 20;

/// The same for a line that was begun and comes again from its beginning.
const LEAST_OF_A_LINE: usize = 8;

/// What comes, without what of its beginning is there already.
pub(super) fn behind<'a>(before: &str, after: &'a str) -> &'a str {
    let mut end = after.len().min(WINDOW);
    while !after.is_char_boundary(end) {
        end -= 1;
    }
    let head = &after[..end];
    let mut at = reopened(before, head);
    at += repeated(before, &head[at..]);
    // What was sent back had no white space at its end, so it may come again.
    let space = &before[before.trim_end().len()..];
    let lines = |text: &str| text.chars().take_while(|c| *c == '\n').count();
    at += if head[at..].starts_with(space) { space.len() } else { lines(space).min(lines(&head[at..])) };
    &after[at..]
}

/// Joins the parts of an answer while they stream: holds back what it needs to know how, and gives the rest on as it
/// comes. All that it gives, joined, is what [`behind`] gives of the whole.
#[derive(Debug)]
pub(super) struct Joint {
    before: String,
    /// What was held back; `None` once it is known how it goes on.
    held: Option<String>,
}

impl Joint {
    /// What comes goes behind `before`.
    pub(super) fn new(before: &str) -> Self {
        Self { before: before.to_owned(), held: Some(String::new()) }
    }

    /// A piece came; what there is to give on of it.
    pub(super) fn push(&mut self, piece: &str) -> Option<String> {
        let Some(held) = &mut self.held else { return Some(piece.to_owned()) };
        held.push_str(piece);
        // A character more than the window, so that it cannot end inside of one.
        if held.len() < WINDOW + 4 { None } else { self.end() }
    }

    /// Nothing more comes; what was held back, if anything was.
    pub(super) fn end(&mut self) -> Option<String> {
        let held = self.held.take()?;
        let rest = behind(&self.before, &held);
        (!rest.is_empty()).then(|| rest.to_owned())
    }
}

/// The length of a first line that opens a fence although one is open.
fn reopened(before: &str, after: &str) -> usize {
    let Some(open) = open_fence(before) else { return 0 };
    let leading = after.len() - after.trim_start_matches(['\n', '\r']).len();
    let Some((line, _)) = after[leading..].split_once('\n') else { return 0 };
    let fence = line.trim_end();
    let sign = open.chars().next().unwrap_or('`');
    let info = fence.trim_start_matches(sign);
    // A fence without a word behind it is the end of the open one.
    if fence.len() - info.len() >= 3 && !info.trim().is_empty() { leading + line.len() + 1 } else { 0 }
}

/// The fence that is open at the end of a Markdown text.
fn open_fence(text: &str) -> Option<&str> {
    let mut open: Option<&str> = None;
    for line in text.lines() {
        let rest = line.trim_start();
        let sign = rest.chars().next().filter(|sign| matches!(sign, '`' | '~'));
        let Some(sign) = sign else { continue };
        let (fence, info) = rest.split_at(rest.len() - rest.trim_start_matches(sign).len());
        if fence.len() < 3 {
            continue;
        }
        open = match open {
            None if sign == '`' && info.contains('`') => None,
            None => Some(fence),
            Some(begun) if begun.starts_with(sign) && fence.len() >= begun.len() && info.trim().is_empty() => None,
            begun => begun,
        };
    }
    open
}

/// How much of the beginning of `after` stands at the end of `before`, as far as that is no chance.
fn repeated(before: &str, after: &str) -> usize {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let longest = after.len().min(before.len());
    let candidates = (1..=longest).rev().filter(|length| after.is_char_boundary(*length));
    let telling = |text: &str, most: usize| text.chars().filter(|c| c.is_alphanumeric()).count() >= most;
    for length in candidates {
        let piece = &after[..length];
        if !before.ends_with(piece) {
            continue;
        }
        let is_line = piece == line && length >= LEAST_OF_A_LINE && telling(piece, LEAST_OF_A_LINE / 2);
        if is_line || length >= LEAST_REPEATED && telling(piece, LEAST_REPEATED / 2) {
            return length;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(before: &str, after: &str) -> String {
        format!("{before}{}", behind(before, after))
    }

    #[test]
    fn nothing_is_said_twice_and_nothing_is_lost() {
        for (before, after, expected) in [
            ("It adds two num", "bers.", "It adds two numbers."),
            ("It adds.\n\n", "Then it stops.", "It adds.\n\nThen it stops."),
            ("It adds.\n\n", "\n\nThen it stops.", "It adds.\n\nThen it stops."),
            ("a ", " b", "a b"),
            ("x\n    ", "\n    y", "x\n    y"),
            ("It adds.\n", "\n\nThen it stops.", "It adds.\n\nThen it stops."),
            // The line that was begun, again.
            ("x\n    return foo(a", "    return foo(a, b)\n", "x\n    return foo(a, b)\n"),
            // The last words, again.
            (
                "First this. And then it goes on with",
                "And then it goes on with that.",
                "First this. And then it goes on with that.",
            ),
            // A fence around what is in one.
            (
                "```python\ndef f():\n    a = 1\n",
                "```python\n    b = 2\n```\n",
                "```python\ndef f():\n    a = 1\n    b = 2\n```\n",
            ),
            ("````python\na = 1\n", "\n```py\nb = 2\n````\n", "````python\na = 1\nb = 2\n````\n"),
            // The end of the open one is no fence around anything.
            ("```python\na = 1\n", "```\nDone.", "```python\na = 1\n```\nDone."),
            ("Look:\n", "```python\na = 1\n```\n", "Look:\n```python\na = 1\n```\n"),
            // By chance.
            ("    }\n}", "}\n", "    }\n}}\n"),
            ("for", "for all", "forfor all"),
            ("", "All of it.", "All of it."),
        ] {
            assert_eq!(joined(before, after), expected, "{before:?} + {after:?}");
        }
    }

    proptest! {
        #[test]
        fn the_rest_of_a_text_is_the_rest_of_it(text in "[a-zµ.,`\n ]{0,900}", cut in 0_usize..900) {
            let cut = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (before, after) = text.split_at(cut);
            let whole = joined(before, after);
            // Only blank lines and what really stood there twice may be fewer.
            prop_assert!(whole.len() <= text.len() && whole.starts_with(before) && text.ends_with(behind(before, after)));
        }

        #[test]
        fn a_repetition_of_any_length_is_left_out(text in "[a-z]{3,9}( [a-z]{3,9}){20,60}", again in 20_usize..100, cut in 100_usize..120) {
            let (before, after) = text.split_at(cut.min(text.len()));
            let again = &before[before.len() - again.min(before.len())..];
            prop_assert_eq!(joined(before, &format!("{again}{after}")), text.clone());
        }

        #[test]
        fn streamed_in_any_pieces_it_is_the_same(before in "[a-z`\n ]{0,80}", after in "[a-zµ`\n ]{0,1500}", size in 1_usize..50) {
            let mut joint = Joint::new(&before);
            let chars: Vec<char> = after.chars().collect();
            let mut given = String::new();
            for piece in chars.chunks(size) {
                given.extend(joint.push(&piece.iter().collect::<String>()));
            }
            given.extend(joint.end());
            prop_assert_eq!(given.as_str(), behind(&before, &after));
        }
    }
}
