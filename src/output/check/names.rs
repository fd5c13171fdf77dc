//! The names in types: what a language knows by itself, and what types in comments name.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::difference::shortened;
use super::doc_types;
use super::stream::Stream;
use crate::workspace::Language;

macro_rules! known {
    ($name:ident, $file:literal) => {
        static $name: LazyLock<HashSet<&'static str>> =
            LazyLock::new(|| include_str!(concat!("known/", $file, ".txt")).split_whitespace().collect());
    };
}

// The names of Python's `builtins` and of its standard library's modules are those of Python 3.13; the others are what
// types of the languages' own libraries are called, as their manuals list them.
known!(PYTHON, "python");
known!(PYTHON_MODULES, "python_modules");
known!(TYPESCRIPT, "typescript");
known!(RUBY, "ruby");
known!(PHP, "php");

/// Whether Python knows `name` without an import.
pub(super) fn is_python_builtin(name: &str) -> bool {
    PYTHON.contains(name)
}

/// Whether a module of this name comes with Python.
pub(super) fn is_python_module(name: &str) -> bool {
    PYTHON_MODULES.contains(name.split('.').next().unwrap_or(name))
}

/// Whether a type of this name is there in every TypeScript program, with a browser's or Node's types.
pub(super) fn is_typescript_global(name: &str) -> bool {
    const FAMILIES: &[&str] =
        &["HTML", "SVG", "RTC", "IDB", "GPU", "CSS", "DOM", "WebGL", "Audio", "Media", "XPath", "XR"];
    TYPESCRIPT.contains(name)
        || FAMILIES.iter().any(|start| name.starts_with(start))
        || ["Event", "EventMap", "Constructor"].iter().any(|end| name.len() > end.len() && name.ends_with(end))
}

/// What speaks against the types that `after` writes in comments, and against native ones where those act at run time.
pub(super) fn objection_in_comments(language: &Language, before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    if let Some(annotation) = after.new_annotations(before).first() {
        let line = after.line(annotation.node.start_byte());
        let code = shortened(annotation.text);
        return Some(match language.family() {
            "php" => format!(
                "it writes the type `{code}` into the code in line {line}, where PHP checks and converts values when the \
                 program runs; types belong into a documentation comment here"
            ),
            _ => format!(
                "it adds `{code}` in line {line}, which is code that runs and checks values; types belong into comments here"
            ),
        });
    }
    if let Some(reason) = lost_in_comments(language, before, after) {
        return Some(reason);
    }
    let types = |stream: &Stream<'_>| -> Vec<(usize, String, usize)> {
        let of = |comment: &super::stream::Comment<'_>| {
            let written = doc_types::types(language, comment.text);
            written.into_iter().map(|kind| (comment.anchor, kind, comment.start)).collect::<Vec<_>>()
        };
        stream.comments.iter().flat_map(of).collect()
    };
    let mut old: HashMap<(usize, String), usize> = HashMap::new();
    for (anchor, kind, _) in types(before) {
        *old.entry((anchor, kind)).or_default() += 1;
    }
    let mut new = types(after);
    new.retain(|(anchor, kind, _)| {
        let left = old.get_mut(&(*anchor, kind.clone())).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_none()
    });
    if new.is_empty() {
        return None;
    }
    let known = known_in(before, after);
    for (_, kind, start) in new {
        let unknown = capitalised(&kind).find(|name| !known.contains(name) && !is_builtin(language, name));
        if let Some(name) = unknown {
            let line = after.line(start);
            return Some(undefined(line, &kind, name));
        }
    }
    None
}

/// A type in a comment that was there and is not any more; one that changed is not lost.
fn lost_in_comments(language: &Language, before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    let tags = |comment: &super::stream::Comment<'_>| doc_types::typed_tags(language, comment.text);
    let mut there: HashMap<(usize, String), usize> = HashMap::new();
    for comment in &after.comments {
        for tag in tags(comment) {
            *there.entry((comment.anchor, tag)).or_default() += 1;
        }
    }
    let lost = before.comments.iter().find(|comment| {
        tags(comment).into_iter().any(|tag| {
            let left = there.get_mut(&(comment.anchor, tag)).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_none()
        })
    })?;
    let line = before.line(lost.start);
    Some(format!("it takes a type away: line {line}: not all of `{}` is there", shortened(lost.text)))
}

/// The sentence about a name that nothing defines.
pub(super) fn undefined(line: usize, kind: &str, name: &str) -> String {
    format!("it writes the type `{}` in line {line}, where `{name}` is neither defined nor imported", shortened(kind))
}

fn is_builtin(language: &Language, name: &str) -> bool {
    match language.family() {
        "javascript" => is_typescript_global(name),
        "ruby" => RUBY.contains(name),
        "php" => PHP.contains(name),
        _ => false,
    }
}

/// Tags that define the name of a type.
const DEFINING: &[&str] = &[
    "@typedef",
    "@callback",
    "@template",
    "@template-covariant",
    "@class",
    "@alias",
    "@generic",
    "@enum",
    "@import",
    "@phpstan-type",
    "@psalm-type",
];

/// What the code mentions, what comments mentioned before, and what comments define.
fn known_in<'a>(before: &Stream<'a>, after: &Stream<'a>) -> HashSet<&'a str> {
    let words = |text: &'a str| text.split(|char: char| !(char.is_alphanumeric() || char == '_'));
    let mut known: HashSet<&str> = after.tokens.iter().flat_map(|token| words(token.text)).collect();
    known.extend(before.comments.iter().flat_map(|comment| words(comment.text)));
    for comment in &after.comments {
        for tag in DEFINING {
            for (at, _) in comment.text.match_indices(tag) {
                let rest = &comment.text[at + tag.len()..];
                // `@typedef {…} Name`: the name stands behind the type.
                if !rest.starts_with(char::is_whitespace) {
                    continue;
                }
                let line = rest.split(['\n', '\r']).next().unwrap_or("");
                let named = line.rsplit('}').next().unwrap_or(line);
                let named = if *tag == "@import" { line } else { named };
                let count = if matches!(*tag, "@import" | "@template" | "@generic") { usize::MAX } else { 1 };
                known.extend(words(named).filter(|word| !word.is_empty()).take(count));
            }
        }
    }
    known
}

/// The names in a type that begin with a capital letter, as those of classes do; of a qualified name only the first.
fn capitalised(kind: &str) -> impl Iterator<Item = &str> {
    names(kind).into_iter().filter(|name| name.starts_with(char::is_uppercase))
}

/// The names in a type, without those behind a dot, a colon pair or a backslash, and without text in quotes.
fn names(kind: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut chars = kind.char_indices().peekable();
    let mut before = ' ';
    while let Some((start, char)) = chars.next() {
        if matches!(char, '"' | '\'' | '`') {
            chars.by_ref().find(|(_, other)| *other == char);
        } else if char.is_alphabetic() || char == '_' {
            let mut end = start + char.len_utf8();
            while let Some((at, char)) = chars.next_if(|(_, char)| char.is_alphanumeric() || *char == '_') {
                end = at + char.len_utf8();
            }
            let qualified = before == '.' && !kind[..start].ends_with("...")
                || before == '\\' && start > 1
                || before == ':' && kind[..start].ends_with("::");
            if !qualified {
                found.push(&kind[start..end]);
            }
            before = 'a';
            continue;
        }
        before = char;
    }
    found
}
