//! The document: whole where it fits, else the part around the selection with an outline of the rest.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr2_iter;

use super::{Input, tags};
use crate::workspace::secrets::{Whole, beginning};
use crate::workspace::syntax::Syntax;
use crate::workspace::{Language, Span};

/// More of one document is not sent: what is farther away rarely matters, and every miss of the cache pays for it.
pub(super) const WHOLE_DOCUMENT_TOKENS: u64 = 100_000;

/// What is sent of a larger one. Smaller, since an excerpt is shared only by actions on the same selection.
const EXCERPT_TOKENS: u64 = 30_000;

/// More characters of a line of the outline are not given.
const MOST_IN_A_LINE: usize = 160;

/// A text is parsed for its outline up to this size; a larger one takes too long.
const MAX_PARSED_BYTES: usize = 100_000;

/// A part of the document.
pub(super) struct Excerpt {
    /// Its block.
    pub(super) text: String,
    /// What of the document is there without gaps, around the selection.
    pub(super) shown: Span,
}

/// The block of the document as it is.
pub(super) fn whole(input: &Input<'_>) -> String {
    tags::wrap("document", &[("path", input.path), ("language", input.language.id)], input.text)
}

/// What is around the selection in a document of so many `tokens`, and an outline of the rest, in at most about `room`
/// tokens.
pub(super) fn excerpt(input: &Input<'_>, tokens: u64, room: u64) -> Excerpt {
    // Estimates per character are good enough to share out room, and cheap in a large text.
    let bytes_per_token = (input.text.len() as u64 / tokens.max(1)).max(1);
    let bytes = usize::try_from(room.min(EXCERPT_TOKENS).saturating_mul(bytes_per_token)).unwrap_or(usize::MAX);
    let whole = Whole::of(input.text, input.settings.privacy.redact);
    let (text, shown) = pieces(input.text, &whole, input.language, &input.selection, bytes);
    let place = [("path", input.path), ("language", input.language.id), ("excerpt", "true")];
    Excerpt { text: tags::wrap("document", &place, &text), shown }
}

/// What the user is told of an excerpt.
pub(super) fn excerpt_note(input: &Input<'_>, tokens: u64) -> String {
    format!(
        "{} is too large to be sent whole (about {tokens} tokens): the model sees what is around the selection, and an \
         outline.",
        input.path
    )
}

/// Whether a span is so much of the text that sending it again would say little new: four fifths, in whole lines.
pub(super) fn is_most_of(text: &str, span: &Span) -> bool {
    let is_blank = |text: &str| text.chars().all(|c| c == ' ' || c == '\t');
    let before = text[..span.start].rsplit(['\n', '\r']).next().unwrap_or_default();
    let after = text[span.end..].split(['\n', '\r']).next().unwrap_or_default();
    let starts_line = is_blank(before);
    let ends_line = is_blank(after) || text[..span.end].ends_with(['\n', '\r']);
    starts_line && ends_line && !span.is_empty() && span.len() >= text.len() - text.len() / 5
}

/// The lines of a span, 1-based and inclusive. Written as `41-63`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Lines {
    /// A span that ends at the beginning of a line does not touch that line.
    pub(super) fn of(text: &str, span: &Span) -> Self {
        let first = 1 + breaks(&text[..span.start]).count();
        let inside = &text[span.clone()];
        let inside = inside
            .strip_suffix("\r\n")
            .or_else(|| inside.strip_suffix('\n'))
            .or_else(|| inside.strip_suffix('\r'))
            .unwrap_or(inside);
        Self { first, last: first + breaks(inside).count() }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// Behind each line break; the protocol knows `\n`, `\r\n` and `\r`.
fn breaks(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    memchr2_iter(b'\n', b'\r', bytes).map(|at| at + 1).filter(|end| {
        let (end, is_return) = (*end, bytes[*end - 1] == b'\r');
        !is_return || bytes.get(end) != Some(&b'\n')
    })
}

/// The head of the file (imports), what is around the selection, and outlines of what is between, in about `bytes`.
fn pieces(text: &str, whole: &Whole<'_>, language: &Language, selection: &Span, bytes: usize) -> (String, Span) {
    let lines = line_spans(text);
    let touches = |line: &Span| line.start < selection.end.max(selection.start + 1) && line.end > selection.start;
    let first = lines.iter().position(touches).unwrap_or(lines.len().saturating_sub(1));
    let last = lines.iter().rposition(touches).unwrap_or(first);

    // A tenth for the head, a fifth for the outline, the rest for the neighbourhood. Of that the selection comes first, which
    // has a tag of its own and may be only hinted at; what is above it gets twice what is below, for definitions are above.
    let head = take(&lines[..first], bytes / 10);
    let around = bytes * 7 / 10;
    let kept_inside = take(&lines[first..=last], around);
    let rest = around - lines[first..first + kept_inside].iter().map(Span::len).sum::<usize>();
    let above = take(lines[head..first].iter().rev(), rest * 2 / 3);
    let below = take(&lines[last + 1..], rest / 3);
    let middle = first - above..(first + kept_inside).min(last + 1);
    let after = if middle.end > last { middle.end..last + 1 + below } else { last + 1..last + 1 + below };

    let outline = outline(text, language);
    let mut room = bytes / 5;
    let shown = lines[middle.clone()].first().map_or(selection.start, |line| line.start)
        ..lines[middle.clone()].last().map_or(selection.start, |line| line.end);
    let mut pieces = String::new();
    let mut next = 0;
    for kept in [0..head, middle, after] {
        if kept.is_empty() {
            continue;
        }
        if kept.start > next {
            pieces.push_str(&omitted(text, &lines, next..kept.start, &outline, &mut room));
        }
        pieces.push_str(&whole.piece(lines[kept.start].start..lines[kept.end - 1].end));
        if !pieces.ends_with('\n') {
            pieces.push('\n');
        }
        next = kept.end;
    }
    if next < lines.len() {
        pieces.push_str(&omitted(text, &lines, next..lines.len(), &outline, &mut room));
    }
    (pieces, shown)
}

/// How many of the lines fit into `bytes`.
fn take<'a>(lines: impl IntoIterator<Item = &'a Span>, bytes: usize) -> usize {
    let mut used = 0;
    lines
        .into_iter()
        .take_while(|line| {
            used += line.len();
            used <= bytes
        })
        .count()
}

/// The lines, each with its line break. An empty text has one.
pub(super) fn line_spans(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = 0;
    for end in breaks(text) {
        spans.push(start..end);
        start = end;
    }
    if start < text.len() || spans.is_empty() {
        spans.push(start..text.len());
    }
    spans
}

/// What is said of lines that were left out.
enum Outline {
    /// The first lines of signatures, with where they begin.
    Items(Vec<(usize, String)>),
    /// The lines that look like the beginning of an item, which are looked for as far as there is room for them.
    Lines,
    /// Nothing.
    None,
}

fn outline(text: &str, language: &Language) -> Outline {
    if text.len() > MAX_PARSED_BYTES {
        return language.grammar.map_or(Outline::None, |_| Outline::Lines);
    }
    let Some(syntax) = Syntax::parse(language, text) else { return Outline::None };
    let items = syntax.items();
    let depth = |mut parent: Option<usize>| {
        let mut depth = 0;
        while let Some(index) = parent {
            depth += 1;
            parent = items[index].parent;
        }
        depth
    };
    let signatures = items
        .iter()
        .map(|item| {
            let signature = text[item.signature.clone()].lines().next().unwrap_or_default().trim();
            let indent = "    ".repeat(depth(item.parent));
            (item.signature.start, format!("{indent}{}", beginning(signature, MOST_IN_A_LINE)))
        })
        .collect();
    Outline::Items(signatures)
}

/// Words that a line begins with, or has behind modifiers, when it begins an item of most languages. Sorted.
const ITEM_WORDS: &[&str] = &[
    "class",
    "const",
    "def",
    "enum",
    "export",
    "fn",
    "func",
    "function",
    "impl",
    "interface",
    "macro_rules!",
    "mod",
    "module",
    "namespace",
    "protocol",
    "struct",
    "trait",
    "type",
    "union",
];

/// Words that may stand in front of those. Sorted.
const MODIFIERS: &[&str] = &[
    "abstract",
    "async",
    "declare",
    "default",
    "export",
    "final",
    "internal",
    "local",
    "open",
    "private",
    "protected",
    "pub",
    "pub(crate)",
    "pub(super)",
    "public",
    "static",
    "unsafe",
];

/// Whether a line looks like the beginning of an item and is not far to the right.
fn is_heading(line: &str) -> bool {
    let content = line.trim_start_matches([' ', '\t']);
    let indent = line.len() - content.len();
    if indent > 8 || !content.starts_with(|first: char| first.is_ascii_lowercase()) {
        return false;
    }
    let word = content.split_whitespace().find(|word| MODIFIERS.binary_search(word).is_err());
    word.is_some_and(|word| ITEM_WORDS.binary_search(&word).is_ok())
}

/// What stands in for lines that were left out.
fn omitted(text: &str, lines: &[Span], left_out: Span, outline: &Outline, room: &mut usize) -> String {
    let bytes = lines[left_out.start].start..lines[left_out.end - 1].end;
    let said = match outline {
        Outline::Items(items) => {
            let inside = items.iter().filter(|(at, _)| bytes.contains(at));
            as_fits(inside.map(|(_, signature)| signature.as_str().into()), room)
        }
        Outline::Lines => {
            let headings = text[bytes].split_inclusive('\n').filter(|line| is_heading(line));
            as_fits(headings.map(|line| beginning(line.trim_end(), MOST_IN_A_LINE).into()), room)
        }
        Outline::None => String::new(),
    };
    let range = format!("{}-{}", left_out.start + 1, left_out.end);
    if said.is_empty() {
        tags::empty("omitted", &[("lines", &range)]) + "\n"
    } else {
        tags::wrap("omitted", &[("lines", &range)], said.trim_end()) + "\n"
    }
}

/// The lines, up to the first for which there is no room.
fn as_fits<'a>(lines: impl Iterator<Item = Cow<'a, str>>, room: &mut usize) -> String {
    let mut text = String::new();
    for line in lines {
        if line.len() + 1 > *room {
            break;
        }
        *room -= line.len() + 1;
        text.push_str(&line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::workspace::language::by_id;

    #[test]
    fn lines_are_counted_as_the_protocol_does() {
        let text = "a\nb\r\nc\rd\u{2028}e\n\nf";
        let lines = |from: &str, to: &str| {
            let start = text.find(from).unwrap();
            let end = start + text[start..].find(to).unwrap() + to.len();
            Lines::of(text, &(start..end)).to_string()
        };
        assert_eq!(lines("a", "a"), "1-1");
        assert_eq!(lines("a", "\n"), "1-1");
        assert_eq!(lines("b", "\r\n"), "2-2");
        assert_eq!(lines("b", "c\r"), "2-3");
        assert_eq!(lines("b", "d"), "2-4");
        assert_eq!(lines("e", "f"), "4-6");
        assert_eq!(Lines::of("", &(0..0)).to_string(), "1-1");
    }

    #[test]
    fn an_outline_of_a_text_too_large_to_be_parsed_has_the_lines_that_begin_items() {
        assert!(ITEM_WORDS.is_sorted() && MODIFIERS.is_sorted());
        let text = "import x\nexport default async function load(a) {\n  let def = 1;\n}\npub(crate) struct S;\n    def method(self):\n                def deep():\ndefine = 2\n";
        let found: Vec<&str> = text.lines().filter(|line| is_heading(line)).collect();
        assert_eq!(found, ["export default async function load(a) {", "pub(crate) struct S;", "    def method(self):"]);
    }

    #[test]
    fn an_outline_stands_for_what_was_left_out() {
        let mut text = "import json\n".to_owned();
        for name in ["early", "middle", "late"] {
            let _ = write!(text, "\n\ndef {name}(value):\n");
            text.push_str(&"    value += 1\n".repeat(40));
        }
        let at = text.find("def middle").unwrap();
        let python = by_id("python");
        let (excerpt, shown) = pieces(&text, &Whole::of(&text, true), python, &(at..at + 10), 600);
        assert!(shown.contains(&at) && shown.end < text.len() && excerpt.contains(&text[shown]));
        let has_items = matches!(outline(&text, python), Outline::Items(items) if !items.is_empty());
        assert!(
            excerpt.starts_with("import json\n") && excerpt.contains("def middle(value):\n    value += 1\n"),
            "{excerpt}"
        );
        assert_eq!(excerpt.contains("def late(value)"), has_items, "{excerpt}");
        assert!(!excerpt.contains("late(value):\n    value"), "{excerpt}");
    }

    proptest! {
        #[test]
        fn every_line_is_shown_or_named_as_left_out_in_its_order(
            count in 1_usize..200, from in 0_usize..200, length in 0_usize..50, bytes in 0_usize..3000, ends in any::<bool>()
        ) {
            let mut text = (1..=count).fold(String::new(), |text, line| text + &format!("this is line {line}\n"));
            if !ends {
                text.pop();
            }
            let spans = line_spans(&text);
            prop_assert_eq!(spans.len(), count);
            let first = from.min(count - 1);
            let last = (first + length).min(count - 1);
            let (excerpt, _) = pieces(&text, &Whole::of(&text, true), by_id("plaintext"), &(spans[first].start..spans[last].end), bytes);
            let mut next = 1;
            for line in excerpt.lines() {
                if let Some(range) = line.strip_prefix("<omitted lines=\"") {
                    let (lowest, highest) = range.strip_suffix("\"/>").unwrap().split_once('-').unwrap();
                    prop_assert_eq!(lowest.parse::<usize>().unwrap(), next);
                    next = highest.parse::<usize>().unwrap() + 1;
                } else {
                    prop_assert_eq!(line, format!("this is line {next}"));
                    next += 1;
                }
            }
            prop_assert_eq!(next, count + 1);
            let shown: usize = excerpt.lines().filter(|line| line.starts_with("this")).map(|line| line.len() + 1).sum();
            prop_assert!(shown <= bytes + 1, "{} of {}", shown, bytes);
        }

        #[test]
        fn any_text_has_an_excerpt(text in "(\\PC|\r|\n){0,80}", ends in any::<(prop::sample::Index, prop::sample::Index)>(), bytes in 0_usize..100) {
            let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let (a, b) = (*ends.0.get(&bounds), *ends.1.get(&bounds));
            pieces(&text, &Whole::of(&text, true), by_id("python"), &(a.min(b)..a.max(b)), bytes);
        }
    }
}
