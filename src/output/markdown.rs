//! Markdown from a model, made harmless, and its newest line.

use std::collections::VecDeque;

use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::workspace::Span;

/// Passes after which a text that is still not harmless is escaped without looking. Undoing one construct can bring
/// out the next (an image within HTML), but ordinary texts need two.
const MAX_PASSES: usize = 8;

/// `markdown` such that showing it loads nothing: images are links, and HTML is text. Code stays as it is.
pub fn sanitize(markdown: &str) -> String {
    let mut text = markdown.to_owned();
    for _ in 0..MAX_PASSES {
        let changes = changes(&text);
        if changes.is_empty() {
            return text;
        }
        let mut out = String::with_capacity(text.len() + 16);
        let mut at = 0;
        for (span, replacement) in changes {
            if span.start >= at {
                out.push_str(&text[at..span.start]);
                out.push_str(replacement);
                at = span.end;
            }
        }
        out.push_str(&text[at..]);
        text = out;
    }
    if changes(&text).is_empty() { text } else { text.replace('<', "&lt;").replace("![", "!\\[") }
}

/// The bytes that make HTML or an image, and what takes their place.
fn changes(text: &str) -> Vec<(Span, &'static str)> {
    let mut changes = Vec::new();
    for (event, span) in Parser::new_ext(text, options()).into_offset_iter() {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => {
                let brackets = text[span.clone()].match_indices('<').map(|(at, _)| span.start + at);
                changes.extend(brackets.map(|at| (at..at + 1, "&lt;")));
            }
            Event::Start(Tag::Image { .. }) => {
                let unnamed = text[span.start..].starts_with("![](");
                let replacement = if unnamed { "[image]" } else { "[" };
                let length = if unnamed { "![]".len() } else { "![".len() };
                changes.push((span.start..span.start + length, replacement));
            }
            _ => {}
        }
    }
    changes.sort_by_key(|(span, _)| span.start);
    changes
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// The newest line of a Markdown text that is being written, for a progress message of one line.
///
/// Of a line that is too long its end is kept: models write whole paragraphs as one line, and its end is what is new.
#[derive(Clone, Debug)]
pub struct LineTail {
    max_chars: usize,
    /// The last characters of the line being written, one more than may be shown.
    current: VecDeque<char>,
    /// The first characters of the line being written that are not white space, as many as tell a fence.
    head: String,
    /// The newest finished line that says something.
    finished: String,
}

impl LineTail {
    /// A tail that shows at most `max_chars` characters, at least one.
    pub fn new(max_chars: usize) -> Self {
        Self { max_chars: max_chars.max(1), current: VecDeque::new(), head: String::new(), finished: String::new() }
    }

    /// Takes the next piece of the text.
    pub fn push(&mut self, text: &str) {
        for char in text.chars() {
            if matches!(char, '\n' | '\r') {
                if self.shows() {
                    self.finished = self.cut();
                }
                self.current.clear();
                self.head.clear();
                continue;
            }
            if self.head.is_empty() && char.is_whitespace() {
                continue;
            }
            if self.head.chars().count() < 3 {
                self.head.push(char);
            }
            // A control character would break the one line that this is for.
            let char = if char.is_control() || char.is_whitespace() { ' ' } else { char };
            if char == ' ' && self.current.back() == Some(&' ') {
                continue;
            }
            self.current.push_back(char);
            // One more than may be shown tells that it is too long, and a space at the end does not count.
            if self.current.len() > self.max_chars + 2 {
                self.current.pop_front();
            }
        }
    }

    /// The newest line that says something; empty while there is none.
    pub fn line(&self) -> String {
        if self.shows() { self.cut() } else { self.finished.clone() }
    }

    /// Whether the line being written says something: it is neither blank, nor a fence or the beginning of one.
    fn shows(&self) -> bool {
        let length = self.head.chars().count();
        let fence = ['`', '~'].iter().any(|&sign| self.head.chars().all(|char| char == sign));
        !(self.head.is_empty() || fence && (length == 3 || length == self.current.len()))
    }

    fn cut(&self) -> String {
        let mut line: Vec<char> = self.current.iter().copied().collect();
        while line.last().is_some_and(|char| char.is_whitespace()) {
            line.pop();
        }
        if line.len() <= self.max_chars {
            return line.into_iter().collect();
        }
        let kept = &line[line.len() + 1 - self.max_chars..];
        let from = kept.iter().position(|&char| !joins(char)).unwrap_or(kept.len());
        std::iter::once('…').chain(kept[from..].iter().copied()).collect()
    }
}

/// Whether a character belongs to the sign before it: a combining mark, a joiner, a variation, a skin tone.
fn joins(char: char) -> bool {
    matches!(char, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{1f3fb}'..='\u{1f3ff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_loaded_and_code_is_kept() {
        for (markdown, expected) in [
            ("plain *text* with [a link](https://a.example)", "plain *text* with [a link](https://a.example)"),
            ("see ![a cat](https://a.example/c.png) here", "see [a cat](https://a.example/c.png) here"),
            ("![](https://a.example/c.png)", "[image](https://a.example/c.png)"),
            ("![cat][1]\n\n[1]: https://a.example/c.png", "[cat][1]\n\n[1]: https://a.example/c.png"),
            ("[![alt](https://a.example/i)](https://b.example)", "[[alt](https://a.example/i)](https://b.example)"),
            ("a <img src='https://a.example'> b", "a &lt;img src='https://a.example'> b"),
            ("<script>\nx()\n</script>\n", "&lt;script>\nx()\n&lt;/script>\n"),
            ("<div>\n![x](https://a.example/i)\n</div>", "&lt;div>\n[x](https://a.example/i)\n&lt;/div>"),
            ("Vec<String> and Map<K, V>", "Vec&lt;String> and Map<K, V>"),
            ("`Vec<String>` and `![x](y)`", "`Vec<String>` and `![x](y)`"),
            ("```html\n<img src=x>\n![a](b)\n```", "```html\n<img src=x>\n![a](b)\n```"),
            ("- ```\n  <b>\n  ```\n- <b>x</b>", "- ```\n  <b>\n  ```\n- &lt;b>x&lt;/b>"),
            ("> ```\n<img src=x>", "> ```\n&lt;img src=x>"),
            ("a `b\n<i> c` <i>", "a `b\n<i> c` &lt;i>"),
            ("<https://a.example> 1 < 2 <!-- note -->", "<https://a.example> 1 < 2 &lt;!-- note -->"),
            ("| `a` | <b> |\n|---|---|\n| ![x](y) | z |", "| `a` | &lt;b> |\n|---|---|\n| [x](y) | z |"),
        ] {
            assert_eq!(sanitize(markdown), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_sanitized_is_harmless(markdown in "([!\\[\\]()<>`a/ \n-]|<img src=x>|!\\[a\\]\\(b\\)|```\n){0,24}") {
            let text = sanitize(&markdown);
            prop_assert!(changes(&text).is_empty(), "{text}");
            prop_assert_eq!(sanitize(&text), text);
        }

        #[test]
        fn the_newest_line_does_not_depend_on_the_pieces(text in "[a`~ é👍\u{301}\n\r]{0,40}", cut in 0_usize..40, max in 1_usize..9) {
            let cut = text.char_indices().nth(cut).map_or(text.len(), |(at, _)| at);
            let (mut whole, mut pieces) = (LineTail::new(max), LineTail::new(max));
            whole.push(&text);
            pieces.push(&text[..cut]);
            pieces.push(&text[cut..]);
            prop_assert_eq!(whole.line(), pieces.line());
            prop_assert!(whole.line().chars().count() <= max);
            prop_assert!(!whole.line().contains(['\n', '\r']));
        }
    }

    #[test]
    fn the_newest_line_is_shown() {
        for (text, expected) in [
            ("", ""),
            ("\n\n", ""),
            ("one", "one"),
            ("one\n", "one"),
            ("one\n\n  \n", "one"),
            ("one\ntwo\r\nthr", "thr"),
            ("one\n  two  ", "two"),
            ("one\n```python\n", "one"),
            ("one\n``", "one"),
            ("one\n~~~\ncode", "code"),
            ("one\n``x`` y", "``x`` y"),
            ("a line of words", "… of words"),
            ("0123456789", "0123456789"),
            ("0123456789a   ", "…23456789a"),
            ("👍👍👍👍👍👍👍👍👍👍👍👍", "…👍👍👍👍👍👍👍👍👍"),
            ("a\tb", "a b"),
        ] {
            let mut tail = LineTail::new(10);
            tail.push(text);
            assert_eq!(tail.line(), expected, "{text:?}");
        }
    }
}
