//! Types that are written in comments: `JSDoc`, YARD and RBS, `PHPDoc`, `LuaLS`, and Python's type comments.

use crate::output::lines::lines;
use crate::workspace::Language;

/// A line of a comment without the signs that make it one.
pub(super) fn without_signs(line: &str) -> &str {
    let line = line.trim();
    let line = [
        "--[[", "--[=[", "---", "--", "/**", "/*!", "/*", "///", "//!", "//", "#", "*/", "*", "<!--", "=begin", "=end",
    ]
    .iter()
    .find_map(|sign| line.strip_prefix(sign))
    .unwrap_or(line);
    let line = ["*/", "]]", "-->"].iter().find_map(|sign| line.strip_suffix(sign)).unwrap_or(line);
    line.trim_matches('*').trim()
}

/// The text of a comment without its signs, with the types in it erased; empty if it says nothing but types.
pub(super) fn without_types(language: &Language, comment: &str) -> String {
    let text = spoken(comment);
    match language.family() {
        "python" => {
            let types = text.trim().strip_prefix("type:").map(str::trim_start);
            if types.is_some_and(|types| !types.starts_with("ignore")) { String::new() } else { text }
        }
        "javascript" if comment.starts_with("/**") => tags(&text, |tag, rest, _| js(tag, rest)).0,
        "php" if comment.starts_with("/**") => tags(&text, |tag, rest, _| php(tag, rest)).0,
        "ruby" if text.starts_with(':') || text.starts_with("@rbs") => String::new(),
        "ruby" => tags(&text, |tag, rest, _| ruby(tag, rest)).0,
        "lua" if comment.starts_with("---") || comment.starts_with("--[") => {
            tags(&text, |tag, rest, _| lua(tag, rest)).0
        }
        _ => text,
    }
}

/// The types that a comment writes, as written.
pub(super) fn types(language: &Language, comment: &str) -> Vec<String> {
    let Some(read) = reader(language, comment) else { return Vec::new() };
    tags(&spoken(comment), |tag, rest, _| read(tag, rest)).1
}

/// The tags of a comment that are about types, by their names.
pub(super) fn typed_tags(language: &Language, comment: &str) -> Vec<String> {
    let Some(read) = reader(language, comment) else { return Vec::new() };
    let text = spoken(comment);
    if language.family() == "ruby" && (text.starts_with(':') || text.starts_with("@rbs")) {
        return vec!["rbs".to_owned()];
    }
    let found = std::cell::RefCell::new(Vec::new());
    tags(&text, |tag, rest, _| {
        // `@return` and `@returns` are one.
        read(tag, rest).inspect(|_| found.borrow_mut().push(tag.trim_end_matches('s').to_owned()))
    });
    found.into_inner()
}

/// How tags of a comment are read, if any are.
fn reader(language: &Language, comment: &str) -> Option<fn(&str, &str) -> Option<Tag>> {
    match language.family() {
        "javascript" if comment.starts_with("/**") => Some(js),
        "php" if comment.starts_with("/**") => Some(php),
        "ruby" => Some(ruby),
        "lua" if comment.starts_with("---") || comment.starts_with("--[") => Some(lua),
        _ => None,
    }
}

/// The text of a comment without its signs.
fn spoken(comment: &str) -> String {
    let text: Vec<&str> = lines(comment).map(|line| without_signs(line.content)).collect();
    text.join("\n")
}

/// What a tag holds.
struct Tag {
    /// What is left of it without types; empty if nothing is.
    rest: String,
    types: Vec<String>,
}

/// Goes through the tags of a text, each from its `@` at the beginning of a line up to the next.
fn tags(text: &str, read: impl Fn(&str, &str, usize) -> Option<Tag>) -> (String, Vec<String>) {
    let mut out = String::new();
    let mut types = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = text[at..].find("\n@").map_or(text.len(), |next| at + next + 1);
        let part = &text[at..end];
        let tag = part.strip_prefix('@').map(|body| {
            let name =
                body.split(|char: char| !(char.is_alphanumeric() || matches!(char, '-' | '_'))).next().unwrap_or("");
            (name, &body[name.len()..])
        });
        match tag.and_then(|(name, rest)| read(name, rest, at)) {
            Some(tag) => {
                out.push_str(&tag.rest);
                types.extend(tag.types);
            }
            None => out.push_str(part),
        }
        out.push('\n');
        at = end;
    }
    (out, types)
}

/// A tag with a name and a description: nothing is left of it without the latter.
fn described(tag: &str, name: &str, description: &str, types: Vec<String>) -> Tag {
    let description = description.trim().trim_start_matches(['-', ':', '#']).trim();
    let rest = if description.is_empty() { String::new() } else { format!("@{tag} {name} {description}") };
    Tag { rest, types }
}

fn js(tag: &str, rest: &str) -> Option<Tag> {
    let tag = match tag {
        "arg" | "argument" => "param",
        "return" => "returns",
        "prop" => "property",
        other => other,
    };
    let named = matches!(tag, "param" | "property" | "typedef" | "callback" | "template");
    let typed = named
        || matches!(
            tag,
            "returns"
                | "type"
                | "this"
                | "extends"
                | "augments"
                | "implements"
                | "yields"
                | "yield"
                | "throws"
                | "satisfies"
                | "import"
                | "enum"
                | "overload"
                | "const"
                | "member"
        );
    if !typed {
        return None;
    }
    if tag == "import" {
        return Some(Tag { rest: String::new(), types: Vec::new() });
    }
    let (kind, rest) = braced(rest, '{', '}');
    let kind: Vec<String> = kind.into_iter().collect();
    if !named {
        return Some(described(tag, "", rest, kind));
    }
    let (name, description) = word(rest);
    let name = name.trim_start_matches('[').trim_end_matches(']').split('=').next().unwrap_or("");
    if matches!(tag, "typedef" | "callback" | "template") {
        return Some(described(tag, "", description, kind));
    }
    Some(described(tag, name, description, kind))
}

fn ruby(tag: &str, rest: &str) -> Option<Tag> {
    let named = matches!(tag, "param" | "yieldparam" | "option" | "attr" | "attr_reader" | "attr_writer");
    if !named && !matches!(tag, "return" | "yield" | "yieldreturn" | "raise" | "type" | "overload") {
        return None;
    }
    let (mut types, mut rest) = braced(rest, '[', ']');
    let mut name = "";
    if named {
        (name, rest) = word(rest);
        if types.is_none() {
            (types, rest) = braced(rest, '[', ']');
        }
    }
    Some(described(tag, name, rest, types.into_iter().collect()))
}

fn php(tag: &str, rest: &str) -> Option<Tag> {
    let tag = tag.strip_prefix("phpstan-").or_else(|| tag.strip_prefix("psalm-")).unwrap_or(tag);
    let inherits = matches!(tag, "extends" | "implements" | "use" | "mixin" | "require-extends" | "require-implements");
    let declares = tag.starts_with("template") || matches!(tag, "method" | "type" | "import-type");
    let named =
        matches!(tag, "param" | "var" | "property" | "property-read" | "property-write" | "param-out" | "assert");
    if inherits || declares {
        return Some(Tag { rest: String::new(), types: Vec::new() });
    }
    if !named && !matches!(tag, "return" | "throws" | "yield") {
        return None;
    }
    let rest = rest.trim_start();
    let (kind, rest) = if rest.starts_with('$') { ("", rest) } else { type_at(rest) };
    let types = if kind.is_empty() { Vec::new() } else { vec![kind.to_owned()] };
    let after = rest.trim_start();
    if named && after.trim_start_matches(['&', '.']).starts_with('$') {
        let (name, description) = word(after);
        return Some(described(tag, name.trim_start_matches(['&', '.']), description, types));
    }
    Some(described(tag, "", rest, types))
}

fn lua(tag: &str, rest: &str) -> Option<Tag> {
    match tag {
        "param" | "field" => {
            let rest = ["public ", "private ", "protected ", "package "]
                .iter()
                .find_map(|word| rest.trim_start().strip_prefix(word))
                .unwrap_or(rest);
            let (name, rest) = word(rest);
            let (kind, description) = type_at(rest.trim_start());
            Some(described(tag, name.trim_end_matches('?'), description, vec![kind.to_owned()]))
        }
        "return" | "type" | "vararg" => {
            let (kind, rest) = type_at(rest.trim_start());
            // A result may have a name, which needs a description behind it to be told from one.
            Some(described(tag, "", rest, vec![kind.to_owned()]))
        }
        "class" | "alias" | "generic" | "overload" | "enum" | "operator" | "as" => {
            Some(Tag { rest: String::new(), types: Vec::new() })
        }
        _ => None,
    }
}

/// The text between brackets at the beginning, and what follows.
fn braced(text: &str, open: char, close: char) -> (Option<String>, &str) {
    let start = text.trim_start();
    if !start.starts_with(open) {
        return (None, text);
    }
    let mut depth = 0;
    for (at, char) in start.char_indices() {
        if char == open {
            depth += 1;
        } else if char == close {
            depth -= 1;
            if depth == 0 {
                return (Some(start[open.len_utf8()..at].to_owned()), &start[at + close.len_utf8()..]);
            }
        }
    }
    (None, text)
}

/// The first word, with all in brackets that it begins with, and what follows.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let mut depth = 0_usize;
    for (at, char) in text.char_indices() {
        match char {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            char if char.is_whitespace() && depth == 0 => return (&text[..at], &text[at..]),
            _ => {}
        }
    }
    (text, "")
}

/// The type at the beginning: it goes to the first white space that is not within brackets, nor beside a sign that
/// joins types.
fn type_at(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (at, char) in text.char_indices() {
        match char {
            '<' | '(' | '{' | '[' => depth += 1,
            '>' | ')' | '}' | ']' => depth = depth.saturating_sub(1),
            char if char.is_whitespace() && depth == 0 => {
                let joins = |char: char| matches!(char, '|' | '&' | ':' | ',');
                let next = text[at..].trim_start();
                if !(text[..at].ends_with(joins) || next.starts_with(['|', ':', ',']) || next.starts_with("& ")) {
                    return (&text[..at], &text[at..]);
                }
            }
            _ => {}
        }
    }
    (text, "")
}
