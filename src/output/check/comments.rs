//! Comments before and after: none is lost, and those for tools stay as they are.

use std::collections::HashMap;

use super::Promise;
use super::difference::shortened;
use super::directives::{is_directive, is_licence, is_note};
use super::doc_types;
use super::stream::{Comment, Stream};
use crate::output::lines::lines;
use crate::workspace::Language;

/// How the comments differ, as far as that breaks `promise`.
pub(super) fn difference(
    promise: Promise,
    language: &Language,
    before: &Stream<'_>,
    after: &Stream<'_>,
) -> Option<String> {
    directives(language, before, after).or_else(|| ended_line(language, before, after)).or_else(|| match promise {
        Promise::TypeHints => changed(language, before, after),
        Promise::Documentation => split_line(language, before, after)
            .or_else(|| read_at_run_time(language, before, after))
            .or_else(|| lost(language, before, after)),
    })
}

/// A line of a comment without its signs.
struct Line<'a> {
    text: &'a str,
    directive: bool,
}

/// The lines of a comment that say something.
fn read<'a>(language: &Language, comment: &Comment<'a>) -> Vec<Line<'a>> {
    if comment.docstring {
        let line = |text: &'a str| Line { text: text.trim(), directive: false };
        return lines(comment.text).map(|text| line(text.content)).filter(|line| !line.text.is_empty()).collect();
    }
    let each = lines(comment.text).enumerate().map(|(index, line)| {
        let raw = line.content.trim();
        let text = doc_types::without_signs(raw);
        let directive = is_directive(language, raw, text, comment.start == 0 && index == 0);
        Line { text, directive }
    });
    each.filter(|line| !line.text.is_empty()).collect()
}

/// A directive of a tool: lost, changed, moved or new.
fn directives(language: &Language, before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    let all = |stream: &Stream<'_>| -> Vec<(usize, bool, String, usize)> {
        let mut found = Vec::new();
        for comment in &stream.comments {
            // What precedes `import "C"` is code of C.
            let cgo = language.id == "go" && {
                let mut next = stream.tokens[comment.anchor..].iter().map(|token| token.text);
                next.next() == Some("import")
                    && next.next().is_some_and(|path| path.contains("\"C\"") || path == "\"")
                    && stream.text[comment.start..].contains("import \"C\"")
            };
            for line in read(language, comment).into_iter().filter(|line| line.directive || cgo) {
                found.push((comment.anchor, comment.trailing, shortened(line.text), comment.start));
            }
        }
        found
    };
    let (old, new) = (all(before), all(after));
    let same = old.iter().zip(&new).take_while(|(old, new)| (old.0, old.1, &old.2) == (new.0, new.1, &new.2)).count();
    match (old.get(same), new.get(same)) {
        (None, None) => None,
        (Some(old), new) => {
            let line = before.line(old.3);
            let what = match new {
                Some(new) if new.0 == old.0 && new.2 != old.2 => format!("became `{}`", new.2),
                _ => "is gone or was moved".to_owned(),
            };
            Some(format!("line {line}: the comment `{}`, which is for a tool, {what}", old.2))
        }
        (None, Some(new)) => {
            let line = after.line(new.3);
            Some(format!("line {line}: the comment `{}`, which is for a tool, was added", new.2))
        }
    }
}

/// The words of all comments in front of each token.
fn words(stream: &Stream<'_>, of: impl Fn(&Comment<'_>) -> String) -> Vec<(usize, String, usize)> {
    let mut all: Vec<(usize, String, usize)> = Vec::new();
    for comment in &stream.comments {
        let text = of(comment);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            continue;
        }
        match all.last_mut() {
            Some(last) if last.0 == comment.anchor => {
                last.1.push(' ');
                last.1.push_str(&text);
            }
            _ => all.push((comment.anchor, text, comment.start)),
        }
    }
    all
}

/// For type hints: a comment that says something else than before, types aside.
fn changed(language: &Language, before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    let of = |comment: &Comment<'_>| doc_types::without_types(language, comment.text);
    let (old, new) = (words(before, of), words(after, of));
    let same = old.iter().zip(&new).take_while(|(old, new)| (old.0, &old.1) == (new.0, &new.1)).count();
    match (old.get(same), new.get(same)) {
        (Some(old), Some(new)) if old.0 == new.0 => {
            let line = before.line(old.2);
            Some(format!("line {line}: the comment `{}` became `{}`", shortened(&old.1), shortened(&new.1)))
        }
        (Some(old), new) if new.is_none_or(|new| new.0 > old.0) => {
            Some(format!("line {}: the comment `{}` is gone or was moved", before.line(old.2), shortened(&old.1)))
        }
        (_, Some(new)) => Some(format!("line {}: the comment `{}` was added", after.line(new.2), shortened(&new.1))),
        (_, None) => None,
    }
}

/// Comments that stand together, without a blank line between them.
struct Group<'c, 'a> {
    comments: Vec<&'c Comment<'a>>,
    /// Whether they document what follows.
    documents: bool,
}

fn groups<'c, 'a>(language: &Language, stream: &'c Stream<'a>) -> Vec<Group<'c, 'a>> {
    let mut groups: Vec<Group<'c, 'a>> = Vec::new();
    for comment in &stream.comments {
        let joins = groups.last().and_then(|group| group.comments.last()).is_some_and(|last| {
            let end = last.start + last.text.len();
            let gap = stream.text.get(end..comment.start).unwrap_or("");
            let same_form = !comment.docstring && !last.docstring && !last.trailing && !comment.trailing;
            same_form
                && last.anchor == comment.anchor
                && gap.trim().is_empty()
                && lines(gap).filter(|line| !line.end.is_empty()).count() <= 1
        });
        match groups.last_mut().filter(|_| joins) {
            Some(group) => group.comments.push(comment),
            None => groups.push(Group { comments: vec![comment], documents: false }),
        }
    }
    let definitions = &stream.definitions;
    for group in &mut groups {
        let (Some(first), Some(last)) = (group.comments.first(), group.comments.last()) else { continue };
        let marked = ["/**", "/*!", "///", "//!", "---"].iter().any(|sign| first.text.starts_with(sign));
        let attached = || {
            let next = stream.tokens.get(last.anchor).map_or(stream.text.len(), |token| token.start);
            let gap = stream.text.get(last.start + last.text.len()..next).unwrap_or("");
            language.family() != "python"
                && definitions.binary_search(&last.anchor).is_ok()
                && !last.trailing
                && gap.trim().is_empty()
                && lines(gap).filter(|line| !line.end.is_empty()).count() <= 1
        };
        group.documents = first.docstring || marked || attached();
    }
    groups
}

/// For documentation: a comment that is gone. Documentation may be written anew; any other comment keeps most of its
/// words, and notes and licences keep all of them.
fn lost(language: &Language, before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    let mut new: HashMap<usize, HashMap<&str, usize>> = HashMap::new();
    for comment in &after.comments {
        let there = new.entry(comment.anchor).or_default();
        let lines = read(language, comment);
        for word in lines.iter().filter(|line| !line.directive).flat_map(|line| spoken(line.text)) {
            *there.entry(word).or_default() += 1;
        }
    }
    let gone = |comment: &Comment<'_>| {
        let line = before.line(comment.start);
        Some(format!("line {line}: the comment `{}` is gone", shortened(comment.text)))
    };
    let empty = HashMap::new();
    for group in groups(language, before) {
        let Some(first) = group.comments.first() else { continue };
        let read: Vec<Vec<Line<'_>>> = group.comments.iter().map(|comment| read(language, comment)).collect();
        let own = || read.iter().flatten().filter(|line| !line.directive);
        let there = new.get(&first.anchor).unwrap_or(&empty);
        if group.documents
            && own().any(|line| spoken(line.text).next().is_some())
            && there.values().all(|left| *left == 0)
        {
            return gone(first);
        }
        for (comment, lines) in group.comments.iter().zip(&read) {
            let licence = comment.anchor == 0 && is_licence(comment.text);
            let there = new.get(&comment.anchor).unwrap_or(&empty);
            for line in lines.iter().filter(|line| !line.directive) {
                let words: Vec<&str> = spoken(line.text).collect();
                let kept = words.iter().filter(|word| there.get(*word).is_some_and(|left| *left > 0)).count();
                let needed = match () {
                    () if licence || is_note(line.text) => words.len(),
                    () if group.documents => 0,
                    () => words.len() - words.len() / 3,
                };
                if kept < needed {
                    return gone(comment);
                }
            }
        }
        if let Some(there) = new.get_mut(&first.anchor) {
            for word in own().flat_map(|line| spoken(line.text)) {
                if let Some(left) = there.get_mut(word) {
                    *left = left.saturating_sub(1);
                }
            }
        }
    }
    None
}

fn spoken(line: &str) -> impl Iterator<Item = &str> {
    line.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// A comment of several lines within one line of code: languages that end statements at line ends see one in it.
fn split_line(language: &Language, before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    if !matches!(language.family(), "javascript" | "typescript" | "go") {
        return None;
    }
    let splits = |stream: &Stream<'_>| {
        let all = stream.comments.iter().filter(|comment| comment.trailing && comment.text.contains(['\n', '\r']));
        let all = all.filter(|comment| {
            let next = stream.tokens.get(comment.anchor).map_or(stream.text.len(), |token| token.start);
            let gap = stream.text.get(comment.start + comment.text.len()..next).unwrap_or("");
            next < stream.text.len() && !gap.contains(['\n', '\r'])
        });
        all.map(|comment| (comment.anchor, comment.start)).collect::<Vec<_>>()
    };
    let old = splits(before);
    let (_, start) = *splits(after).iter().find(|(anchor, _)| !old.iter().any(|(other, _)| other == anchor))?;
    let line = after.line(start);
    Some(format!("line {line}: a comment of several lines splits a line of code, which may end the statement there"))
}

/// A line break where JavaScript ends a statement, though the grammar reads on: behind `return` and its kind.
fn ended_line(language: &Language, before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    if !matches!(language.family(), "javascript" | "typescript") {
        return None;
    }
    let ended = |stream: &Stream<'_>| -> Vec<usize> {
        let pairs = stream.tokens.windows(2).enumerate().filter(|(_, pair)| {
            let (first, second) = (&pair[0], &pair[1]);
            let restricted = matches!(first.text, "return" | "throw" | "break" | "continue" | "yield" | "async")
                || matches!(second.text, "++" | "--");
            let gap = stream.text.get(first.start + first.text.len()..second.start).unwrap_or("");
            restricted && gap.contains(['\n', '\r'])
        });
        pairs.map(|(index, _)| index).collect()
    };
    let (old, new) = (ended(before), ended(after));
    let index = *new.iter().find(|index| !old.contains(index)).or(old.iter().find(|index| !new.contains(index)))?;
    let token = after.tokens.get(index)?;
    Some(format!(
        "line {}: the line break behind `{}` came or went, which ends the statement there or not",
        after.line(token.start),
        token.text
    ))
}

/// Docstrings that the module's own code reads, such as a text of usage.
fn read_at_run_time(language: &Language, before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    if language.family() != "python" {
        return None;
    }
    let reader = before.tokens.iter().find(|token| matches!(token.text, "__doc__" | "docopt" | "ply"))?;
    let docstrings = |stream: &Stream<'_>| -> Vec<(usize, String)> {
        stream.comments.iter().filter(|c| c.docstring).map(|c| (c.anchor, c.text.to_owned())).collect()
    };
    let (old, new) = (docstrings(before), docstrings(after));
    let changed = old.iter().find(|docstring| !new.contains(docstring))?;
    Some(format!(
        "the docstring `{}` is read by the program itself (`{}` in line {}), so it must stay as it is",
        shortened(&changed.1),
        reader.text,
        before.line(reader.start)
    ))
}
