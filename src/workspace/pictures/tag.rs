//! `<img src="target" alt="alternative">`, in HTML and what is like it.

use super::{Alternative, Form, PictureLink};
use crate::workspace::Span;

/// An attribute of a tag.
struct Attribute<'a> {
    name: &'a str,
    /// From its name to its last character.
    span: Span,
    /// The value without its quotes; none where there is only the name.
    value: Option<Span>,
    quote: Option<char>,
}

/// The links of a text.
pub(super) fn links(text: &str) -> Vec<PictureLink> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("<img").filter_map(|(start, _)| link(text, start)).collect()
}

fn link(text: &str, start: usize) -> Option<PictureLink> {
    let from = start + "<img".len();
    if !text[from..].starts_with(|c: char| c.is_whitespace() || c == '/') {
        return None;
    }
    let (attributes, end) = attributes(text, from)?;
    let called = |name: &str| attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name));
    let source = called("src")?;
    let target = unescaped(&text[source.value.clone()?]);
    // An expression, or a template's.
    if target.is_empty() || target.contains(['{', '<', '$']) {
        return None;
    }
    let (span, form) = match called("alt") {
        None => (source.span.end..source.span.end, Form::Attribute),
        Some(Attribute { value: Some(value), quote: Some(quote), .. }) => (value.clone(), Form::Value(*quote)),
        Some(Attribute { value: Some(value), .. }) => (value.clone(), Form::Quoted),
        Some(Attribute { span, .. }) => (span.end..span.end, Form::Attribute),
    };
    // `alt` alone becomes `alt="…"`.
    let (span, form) = match called("alt") {
        Some(Attribute { value: None, span: name, .. }) => (whole_word(text, name), Form::Attribute),
        _ => (span, form),
    };
    Some(PictureLink { span: start..end, target, alternative: Some(Alternative { span, form, in_json: false }) })
}

/// A lone attribute with the blank in front of it.
fn whole_word(text: &str, name: &Span) -> Span {
    let blank = text[..name.start].chars().next_back().filter(|c| c.is_whitespace()).map_or(0, char::len_utf8);
    name.start - blank..name.end
}

/// The attributes of a tag, and where it ends; none where it does not.
fn attributes(text: &str, from: usize) -> Option<(Vec<Attribute<'_>>, usize)> {
    let mut found = Vec::new();
    let mut at = from;
    loop {
        at += text[at..].len() - text[at..].trim_start_matches(|c: char| c.is_whitespace() || c == '/').len();
        let rest = &text[at..];
        if rest.starts_with('>') {
            return Some((found, at + 1));
        }
        let name = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/')).filter(|end| *end > 0)?;
        let (start, mut end) = (at, at + name);
        let (mut value, mut quote) = (None, None);
        let behind = text[end..].trim_start();
        if let Some(rest) = behind.strip_prefix('=') {
            let rest = rest.trim_start();
            let begins = text.len() - rest.len();
            quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
            let length = match (quote, rest.chars().next()) {
                // Whoever writes such a tag in a value has forgotten to close it.
                (Some(quote), _) => rest[1..].find(quote).filter(|end| !has_tag(&rest[1..=*end]))?,
                (None, Some('{')) => braces(rest)?,
                (None, _) => rest.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(rest.len()),
            };
            let skipped = usize::from(quote.is_some());
            value = Some(begins + skipped..begins + skipped + length);
            end = begins + 2 * skipped + length;
        }
        found.push(Attribute { name: &text[start..start + name], span: start..end, value, quote });
        at = end;
    }
}

fn has_tag(value: &str) -> bool {
    value.as_bytes().windows(4).any(|four| four.eq_ignore_ascii_case(b"<img"))
}

/// The length of an expression in braces.
fn braces(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at + 1),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        None
    })
}

fn unescaped(value: &str) -> String {
    value
        .trim()
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
