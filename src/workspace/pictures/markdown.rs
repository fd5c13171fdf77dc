//! `![alternative](target "title")`, `![alternative][label]`, `![label]`.

use super::{Alternative, Form, PictureLink};
use crate::workspace::Span;

/// The links of a text; in a notebook's file they stand in JSON strings.
pub(super) fn links(text: &str, in_json: bool) -> Vec<PictureLink> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("![").map(|found| at + found) {
        at = start + 2;
        if text[..start].ends_with('\\') && !in_json {
            continue;
        }
        let Some(close) = closing(text, at, in_json) else { continue };
        let (alternative, behind) = (at..close, close + 1);
        let (target, end) = match text[behind..].chars().next() {
            Some('(') => match destination(&text[behind + 1..], in_json) {
                Some((target, length)) => (target, behind + 1 + length),
                None => continue,
            },
            Some('[') => {
                let Some(end) = closing(text, behind + 1, in_json) else { continue };
                let label = &text[behind + 1..end];
                (format!("[{}", if label.is_empty() { &text[alternative.clone()] } else { label }), end + 1)
            }
            _ => (format!("[{}", &text[alternative.clone()]), behind),
        };
        // A shortcut's label is its text: another text would lead nowhere.
        let is_label = target.starts_with('[') && (end == behind || text[behind..].starts_with("[]"));
        if target.is_empty() || is_label {
            continue;
        }
        let alternative = Some(Alternative { span: alternative, form: Form::Markdown, in_json });
        found.push(PictureLink { span: start..end, target, alternative });
        at = end;
    }
    found
}

/// Where a definition leads: `[label]: target`. The lines of the link that asks, `except`, define nothing for it: its text is
/// to change, and they would be others then.
pub(super) fn definition(text: &str, label: &str, except: &Span) -> Option<String> {
    let folded = |label: &str| label.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let wanted = folded(label);
    let mut end = 0;
    text.split_inclusive('\n').find_map(|line| {
        let start = end;
        end += line.len();
        if start < except.end && except.start < end {
            return None;
        }
        let rest = line.trim_start().strip_prefix('[')?;
        let (found, target) = rest.split_once("]:")?;
        let target = target.trim_start();
        let target = match target.strip_prefix('<') {
            Some(rest) => rest.split('>').next()?,
            None => target.split_whitespace().next()?,
        };
        (folded(found) == wanted).then(|| target.to_owned())
    })
}

/// The `]` that belongs to the `[` in front of `from`. A paragraph's end ends the search.
fn closing(text: &str, from: usize, in_json: bool) -> Option<usize> {
    let mut depth = 0_usize;
    let mut is_escaped = false;
    let mut chars = text[from..].char_indices();
    while let Some((at, mut c)) = chars.next() {
        // A backslash of Markdown is two in JSON; what else JSON escapes is no bracket.
        if in_json && c == '\\' && chars.next()?.1 != '\\' {
            c = ' ';
        }
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' => depth += 1,
            ']' if depth == 0 => return Some(from + at),
            ']' => depth -= 1,
            '\n' if text[from + at + 1..].trim_start_matches([' ', '\t', '\r']).starts_with('\n') => return None,
            _ => {}
        }
    }
    None
}

/// What is in the parentheses, up to and including the closing one: the target, and the length of all.
fn destination(text: &str, in_json: bool) -> Option<(String, usize)> {
    let blanks = text.len() - text.trim_start().len();
    let rest = &text[blanks..];
    let (target, length) = if let Some(inner) = rest.strip_prefix('<') {
        let end = inner.find(['>', '\n'])?;
        if !inner[end..].starts_with('>') {
            return None;
        }
        (unescaped(&inner[..end]), end + 2)
    } else {
        let mut depth = 0_usize;
        let mut is_escaped = false;
        let end = rest.char_indices().find_map(|(at, c)| {
            match c {
                _ if is_escaped => is_escaped = false,
                '"' if in_json => return Some(at),
                '\\' => is_escaped = true,
                '(' => depth += 1,
                ')' if depth == 0 => return Some(at),
                ')' => depth -= 1,
                c if c.is_whitespace() => return Some(at),
                _ => {}
            }
            None
        })?;
        (unescaped(&rest[..end]), end)
    };
    let close = length + closed(&rest[length..], in_json)?;
    // Whoever writes a link in here has forgotten to close this one.
    (!rest[..close].contains("![")).then_some((target, blanks + close + 1))
}

/// Where the closing parenthesis stands, behind white space and a title as far as there are any.
fn closed(text: &str, in_json: bool) -> Option<usize> {
    let behind = text.trim_start();
    let quotes: &[&str] = if in_json { &["\\\"", "'"] } else { &["\"", "'"] };
    let Some(quote) = quotes.iter().find(|quote| behind.starts_with(**quote)) else {
        return behind.starts_with(')').then_some(text.len() - behind.len());
    };
    if behind.len() == text.len() {
        return None;
    }
    let escape = if in_json { "\\\\" } else { "\\" };
    let mut title = &behind[quote.len()..];
    while !title.starts_with(quote) {
        title = match title.strip_prefix(escape) {
            Some(escaped) if escaped.starts_with(quote) => &escaped[quote.len()..],
            Some(rest) => rest,
            None if in_json && title.starts_with('"') => return None,
            None => &title[title.chars().next()?.len_utf8()..],
        };
    }
    let behind = title[quote.len()..].trim_start();
    behind.starts_with(')').then_some(text.len() - behind.len())
}

/// A target without the backslashes in front of punctuation.
fn unescaped(target: &str) -> String {
    let mut out = String::with_capacity(target.len());
    let mut chars = target.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(next) if c == '\\' && next.is_ascii_punctuation() => {}
            _ => out.push(c),
        }
    }
    out
}
