//! Markdown from a model, made harmless, and its newest line.

use std::borrow::Cow;
use std::collections::VecDeque;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::workspace::Span;

/// Passes after which a text that is still not harmless is escaped without looking. Undoing one construct can bring
/// out the next (an image within HTML), but ordinary texts need two.
const MAX_PASSES: usize = 8;

/// The characters that a link's address may have; a longer one has room for what nobody should send.
const MAX_ADDRESS: usize = 200;

/// The longest part of an address between slashes and the like. Words of paths are shorter.
const MAX_WORD: usize = 48;

/// `markdown` such that showing it loads nothing, and following it tells nobody anything: images are links, HTML is text, diagrams are their source,
/// and of a link that could carry something away the address can be read, not followed. Code stays as it is.
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
                out.push_str(&replacement);
                at = span.end;
            }
        }
        out.push_str(&text[at..]);
        text = out;
    }
    if changes(&text).is_empty() { text } else { text.replace('<', "&lt;").replace("![", "!\\[").replace('[', "\\[") }
}

/// The bytes that make HTML, an image or a link that tells, and what takes their place.
fn changes(text: &str) -> Vec<(Span, Cow<'static, str>)> {
    // Who shows it may know more of Markdown than the standard, or less.
    let mut changes = Vec::new();
    let with_math = options() | Options::ENABLE_MATH;
    for options in [options(), Options::empty(), options() | Options::ENABLE_WIKILINKS, with_math, Options::all()] {
        found(text, options, &mut changes);
    }
    changes.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
    changes.dedup();
    changes
}

fn found(text: &str, options: Options, changes: &mut Vec<(Span, Cow<'static, str>)>) {
    let mut links: Vec<(Span, Option<String>, usize)> = Vec::new();
    let mut in_code = false;
    for (event, span) in Parser::new_ext(text, options).into_offset_iter() {
        // What stands between a link's brackets ends where the last of it does.
        if let Some((_, _, end)) = links.last_mut()
            && !matches!(event, Event::End(TagEnd::Link))
        {
            *end = (*end).max(span.end);
        }
        match event {
            Event::Html(_) | Event::InlineHtml(_) => {
                let brackets = text[span.clone()].match_indices('<').map(|(at, _)| span.start + at);
                changes.extend(brackets.map(|at| (at..at + 1, "&lt;".into())));
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                in_code = true;
                if let CodeBlockKind::Fenced(info) = kind
                    && is_drawn(&info)
                {
                    let fence = &text[span.clone()];
                    let line = fence.lines().next().unwrap_or_default();
                    let begins = line.len() - line.trim_start_matches(['`', '~']).len();
                    changes.push((span.start + begins..span.start + line.len(), "text".into()));
                }
            }
            Event::End(TagEnd::CodeBlock) => in_code = false,
            // By the standard this is text, but not everybody reads tags as strictly.
            Event::Text(_) if !in_code => {
                let brackets = text[span.clone()].match_indices('<').map(|(at, _)| span.start + at);
                let loose = brackets.filter(|at| is_almost_a_tag(&text[at + 1..]));
                changes.extend(loose.map(|at| (at..at + 1, "&lt;".into())));
            }
            Event::Start(Tag::Image { .. }) => {
                let unnamed = text[span.start..].starts_with("![](");
                let replacement = if unnamed { "[image]" } else { "[" };
                let length = if unnamed { "![]".len() } else { "![".len() };
                changes.push((span.start..span.start + length, replacement.into()));
            }
            Event::Start(Tag::Link { dest_url, link_type, .. }) => {
                // Two brackets are an attribute in C++ more often than a link of a wiki's.
                let is_wiki = matches!(link_type, LinkType::WikiLink { .. });
                let is_link = link_type != LinkType::Email && (!is_wiki || dest_url.starts_with("http"));
                let address = (is_link && tells(&dest_url)).then(|| dest_url.to_string());
                links.push((span.clone(), address, span.start + 1));
            }
            Event::End(TagEnd::Link) => {
                let Some((mut span, Some(address), end)) = links.pop() else { continue };
                // `[name][]` ends behind its second brackets.
                if text[span.end..].starts_with("[]") {
                    span.end += "[]".len();
                }
                // Backticks and line ends would end the code that the address becomes.
                let address: String = address.chars().filter(|c| !(c.is_control() || *c == '`')).collect();
                let autolink = text[span.clone()].starts_with('<');
                let shown = if autolink { format!("`{address}`") } else { format!(" (`{address}`)") };
                if autolink {
                    changes.push((span, shown.into()));
                } else {
                    let end = end.clamp(span.start + 1, span.end);
                    changes.push((span.start..span.start + 1, "".into()));
                    changes.push((end..span.end, shown.into()));
                }
            }
            _ => {}
        }
    }
}

/// Languages of fences that viewers make pictures of. Such a picture may be loaded with others in it, or the text be sent to
/// a server that draws it.
const DRAWN: &[&str] = &[
    "mermaid",
    "plantuml",
    "puml",
    "uml",
    "dot",
    "graphviz",
    "viz",
    "d2",
    "vega",
    "vega-lite",
    "wavedrom",
    "bitfield",
    "ditaa",
    "kroki",
    "nomnoml",
    "chart",
    "echarts",
    "markmap",
    "mindmap",
    "flow",
    "flowchart",
    "sequence",
    "svgbob",
    "geojson",
    "topojson",
    "excalidraw",
    "drawio",
    "dataview",
    "dataviewjs",
];

/// Whether a viewer may do more with a fence of this kind than show it: it draws it, or runs it (`{cmd=true}`).
fn is_drawn(info: &str) -> bool {
    let first = info.split([' ', '\t', ',', ':']).find(|word| !word.is_empty()).unwrap_or_default();
    info.contains('{') || DRAWN.iter().any(|name| first.eq_ignore_ascii_case(name))
}

/// Whether a text goes on like a tag with attributes.
fn is_almost_a_tag(rest: &str) -> bool {
    let begins = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let inner = rest.split('>').next().unwrap_or_default();
    begins && inner.len() < rest.len() && inner.contains('=') && inner.contains(char::is_whitespace)
}

/// Whether following an address could tell somebody more than that it was followed, or do something.
fn tells(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once(':') else {
        // A place in this document or a file beside it.
        return address.starts_with("//") || address.starts_with("\\\\");
    };
    if scheme.contains(['/', '#', '?']) {
        return false;
    }
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let is_word_long = |word: &str| word.chars().count() > MAX_WORD;
    !is_web
        || rest.chars().count() > MAX_ADDRESS
        || rest.contains(['?', '@', '%', '\\', ' '])
        || rest.split(['/', '.', '#', '-', '_', ':']).any(is_word_long)
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_DEFINITION_LIST
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
            ("```mermaid\nA@{ img: \"https://a.example\" }\n```", "```text\nA@{ img: \"https://a.example\" }\n```"),
            ("> ~~~~ &#109;ermaid x\n> A\n> ~~~~", "> ~~~~text\n> A\n> ~~~~"),
            (
                "- ```PlantUML,svg\n  !include https://a.example\n  ```",
                "- ```text\n  !include https://a.example\n  ```",
            ),
            ("```bash {cmd=true}\nid\n```\n\n```rust,ignore\nid\n```", "```text\nid\n```\n\n```rust,ignore\nid\n```"),
            ("| `a` | <b> |\n|---|---|\n| ![x](y) | z |", "| `a` | &lt;b> |\n|---|---|\n| [x](y) | z |"),
        ] {
            assert_eq!(sanitize(markdown), expected);
        }
    }

    #[test]
    fn nothing_is_fetched_run_or_carried_away() {
        let mut wrong: Vec<(&str, String)> = Vec::new();
        for (markdown, expected) in [
            // Who shows mathematics takes the backtick in it for a sign.
            ("$`$ <img src=x> ` a", "$`$ &lt;img src=x> ` a"),
            // Images, however they are written.
            ("![a][b]\n\n[b]: https://e.example/?q=x", "a (`https://e.example/?q=x`)\n\n[b]: https://e.example/?q=x"),
            ("![b]\n\n[b]: <https://e.example/i>", "[b]\n\n[b]: <https://e.example/i>"),
            (
                "![b][]\n\n[B]: data:image/png;base64,AA",
                "b (`data:image/png;base64,AA`)\n\n[B]: data:image/png;base64,AA",
            ),
            (
                "![a ![b](https://e.example/1) c](https://e.example/2)",
                "[a [b](https://e.example/1) c](https://e.example/2)",
            ),
            ("> - ![x](https://e.example/i)", "> - [x](https://e.example/i)"),
            (
                "[^1]\n\n[^1]: ![x](https://e.example/i)",
                "^1 (`![x](https://e.example/i)`)\n\n[^1]: [x](https://e.example/i)",
            ),
            ("# ![x](https://e.example/i) #", "# [x](https://e.example/i) #"),
            ("~~![x](https://e.example/i)~~", "~~[x](https://e.example/i)~~"),
            ("> [!NOTE]\n> ![x](https://e.example/i)", "> [!NOTE]\n> [x](https://e.example/i)"),
            ("a\n: ![x](https://e.example/i)", "a\n: [x](https://e.example/i)"),
            ("![x](<https://e.example/a b>)", "x (`https://e.example/a b`)"),
            ("see ![[a.png]] here", "see [[a.png]] here"),
            ("a [[gnu::packed]] b", "a [[gnu::packed]] b"),
            // HTML of all seven kinds, and what looks like its end.
            ("<img src=https://e.example/?q=x>", "&lt;img src=https://e.example/?q=x>"),
            ("<svg><image href='https://e.example'/></svg>", "&lt;svg>&lt;image href='https://e.example'/>&lt;/svg>"),
            (
                "<style>\n@import 'https://e.example';\n</style>",
                "&lt;style>\n@import 'https://e.example';\n&lt;/style>",
            ),
            ("<!-- a\n\n<img src=x>", "&lt;!-- a\n\n&lt;img src=x>"),
            ("<?php x ?>", "&lt;?php x ?>"),
            ("<!DOCTYPE x [<!ENTITY a>]>", "&lt;!DOCTYPE x [&lt;!ENTITY a>]>"),
            ("<![CDATA[<img src=x>]]>", "&lt;![CDATA[&lt;img src=x>]]>"),
            (
                "<meta http-equiv=refresh content='0;url=https://e.example'>",
                "&lt;meta http-equiv=refresh content='0;url=https://e.example'>",
            ),
            ("a <a href='https://e.example' ping='x'>b</a>", "a &lt;a href='https://e.example' ping='x'>b&lt;/a>"),
            // Links that carry something, or do something.
            ("[see](https://e.example/?q=key)", "see (`https://e.example/?q=key`)"),
            ("[**see** `x`](https://e.example/?q=key \"t\")", "**see** `x` (`https://e.example/?q=key`)"),
            ("<https://e.example/?q=key>", "`https://e.example/?q=key`"),
            ("[](https://e.example/?q=key)", " (`https://e.example/?q=key`)"),
            ("[a](https://user@e.example)", "a (`https://user@e.example`)"),
            ("[a](https://e.example/%41)", "a (`https://e.example/%41`)"),
            ("[a](//e.example/x)", "a (`//e.example/x`)"),
            ("[a](\\\\\\\\e.example\\\\x)", "a (`\\\\e.example\\x`)"),
            ("[a](command:workbench.action.quit)", "a (`command:workbench.action.quit`)"),
            ("[a](vscode://x/y)", "a (`vscode://x/y`)"),
            ("[a](javascript:x())", "a (`javascript:x()`)"),
            ("[a](JAVASCRIPT&colon;x)", "a (`JAVASCRIPT:x`)"),
            ("[a](file:///etc/passwd)", "a (`file:///etc/passwd`)"),
            ("[a](ftp://e.example/x)", "a (`ftp://e.example/x`)"),
            ("[a][b]\n\n[b]: https://e.example/?q=`x", "a (`https://e.example/?q=x`)\n\n[b]: https://e.example/?q=`x"),
            // Links that a reader may well follow.
            (
                "[docs](https://docs.python.org/3/library/re.html#re.compile)",
                "[docs](https://docs.python.org/3/library/re.html#re.compile)",
            ),
            ("[below](#how-it-works) [file](src/a.py)", "[below](#how-it-works) [file](src/a.py)"),
            ("<me@a.example>", "<me@a.example>"),
        ] {
            if sanitize(markdown) != expected {
                wrong.push((markdown, sanitize(markdown)));
            }
        }
        assert_eq!(wrong, []);
        let long = format!("https://e.example/{}", "a1".repeat(30));
        assert_eq!(sanitize(&format!("[a]({long})")), format!("a (`{long}`)"));
        let deep = format!("https://e.example/{}", "word/".repeat(50));
        assert_eq!(sanitize(&format!("[a]({deep})")), format!("a (`{deep}`)"));
    }

    proptest! {
        #[test]
        fn links_and_images_within_each_other_are_harmless(markdown in "([!\\[\\]()<>`a: \n]|https://e/\\?q|!\\[|\\]\\(|\\]\\[|<img x>|command:x){0,16}") {
            let text = sanitize(&markdown);
            prop_assert!(changes(&text).is_empty(), "{text}");
        }

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
