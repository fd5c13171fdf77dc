//! Alternative texts as they are written where they stand.

use std::fmt::Write as _;

/// For between the brackets of Markdown: nothing in it ends them or becomes markup.
pub(super) fn markdown(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in chars.iter().enumerate() {
        let is_word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c: &char| c.is_alphanumeric());
        let is_markup = match c {
            '\\' | '[' | ']' | '*' | '`' | '<' | '>' | '~' | '|' | '{' | '}' => true,
            // Inside of a word it is only itself.
            '_' => !(is_word(at.checked_sub(1)) && is_word(Some(at + 1))),
            '&' => chars.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric() || *next == '#'),
            _ => false,
        };
        if is_markup {
            out.push('\\');
        }
        out.push(*c);
    }
    out
}

/// For an attribute's value between `quote`s.
pub(super) fn attribute(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if quote == '"' => out.push_str("&quot;"),
            '\'' if quote == '\'' => out.push_str("&#39;"),
            // Templates of several languages begin so.
            '{' => out.push_str("&#123;"),
            '}' => out.push_str("&#125;"),
            c => out.push(c),
        }
    }
    out
}

/// For inside of a JSON string.
pub(super) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
