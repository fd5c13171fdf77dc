//! The first difference of two streams, in words.

use std::collections::HashMap;

use super::stream::{Event, Stream, Token};

/// How the code differs, if it does: in its tokens, or in how they belong together.
pub(super) fn code(before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    let same = |old: &Token<'_>, new: &Token<'_>| old.text == new.text;
    let limit = before.tokens.len().min(after.tokens.len());
    let pairs = || before.tokens.iter().zip(&after.tokens);
    let start = pairs().take_while(|(old, new)| same(old, new)).count();
    if before.tokens.len() != after.tokens.len() || start < limit {
        let end = before.tokens[start..]
            .iter()
            .rev()
            .zip(after.tokens[start..].iter().rev())
            .take_while(|(old, new)| same(old, new))
            .count();
        return Some(change(before, after, start, end));
    }
    let mut at = 0;
    let mut tokens = 0;
    let differ = loop {
        match (before.events.get(at), after.events.get(at)) {
            (None, None) => break false,
            (Some(Event::Token), Some(Event::Token)) => {
                if before.tokens[tokens].kind != after.tokens[tokens].kind {
                    break true;
                }
                tokens += 1;
            }
            (old, new) if old == new => {}
            _ => break true,
        }
        at += 1;
    };
    differ.then(|| {
        let token = before.tokens.get(tokens).or(before.tokens.last());
        let line = token.map_or(1, |token| before.line(token.start));
        let code = token.map_or("", |token| token.text);
        format!("line {line}: `{}` belongs to something else now, by its indentation or a line break", shortened(code))
    })
}

/// What stands between the first `start` and the last `end` tokens, in both.
fn change(before: &Stream<'_>, after: &Stream<'_>, start: usize, end: usize) -> String {
    let (old, old_at) = quoted(before, start, end);
    let (new, new_at) = quoted(after, start, end);
    match (old, new) {
        (Some(old), Some(new)) => format!("line {}: `{old}` became `{new}`", before.line(old_at)),
        (Some(old), None) => format!("line {}: `{old}` is gone", before.line(old_at)),
        (None, Some(new)) => format!("line {}: `{new}` was added", after.line(new_at)),
        (None, None) => format!("line {}: the code differs", before.line(old_at)),
    }
}

fn quoted(stream: &Stream<'_>, start: usize, end: usize) -> (Option<String>, usize) {
    let tokens = &stream.tokens[start..stream.tokens.len().saturating_sub(end).max(start)];
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return (None, stream.tokens.get(start).map_or(stream.text.len(), |token| token.start));
    };
    let end = (last.start + last.text.len()).min(stream.text.len()).max(first.start);
    let code = stream.text.get(first.start..end).unwrap_or(first.text);
    (Some(shortened(code)), first.start)
}

/// Code on one line, cut where it gets long.
pub(super) fn shortened(code: &str) -> String {
    const MAX_CHARS: usize = 80;
    let mut line = String::new();
    for word in code.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > MAX_CHARS {
            line = line.chars().take(MAX_CHARS).collect();
            line.push('…');
            break;
        }
    }
    line
}

/// An import that is gone or stands elsewhere.
pub(super) fn imports(before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    let mut rest = after.imports.iter();
    let lost = before
        .imports
        .iter()
        .find(|import| !rest.any(|other| other.key == import.key && other.anchor == import.anchor))?;
    Some(format!("line {}: `{}` is gone or was moved", before.line(lost.start), shortened(&lost.key)))
}

/// An annotation that was there and is not any more; one that changed is not lost.
pub(super) fn lost_annotation(before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    let mut there: HashMap<usize, usize> = HashMap::new();
    for annotation in &after.annotations {
        *there.entry(annotation.anchor).or_default() += 1;
    }
    let lost = before.annotations.iter().find(|annotation| {
        let left = there.get_mut(&annotation.anchor).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_none()
    })?;
    let line = before.line(lost.node.start_byte());
    Some(format!("it takes an annotation away: line {line}: `{}` is gone", shortened(lost.text)))
}
