//! Imports that a replacement needs, merged into those that a file has.
//!
//! A statement is read as members, each with a key that says what it binds. A member whose key the file has is left
//! out; the others join a statement of the same module, or are written behind the file's imports.

mod ecmascript;
mod head;
mod only;
mod paths;
mod place;
mod python;
mod statements;

use std::collections::{BTreeMap, HashSet};

pub(super) use only::foreign;
use place::{Place, by_lines, leading_part};
use statements::{Family, Imports, Member, Scope, Statement, read};

use super::edit::TextEdit;
use super::lines::{dominant_line_end, indentation, line_end, line_start, lines, next_line};
use crate::workspace::Language;
use crate::workspace::syntax::Parsed;

/// The edits that add `imports`, lines of import statements in the file's language, to `document`.
///
/// What is imported already is not repeated. Names of a module that the file imports from join that statement where
/// the language has such a thing. Everything else goes behind the file's last import or, without one, behind what has
/// to come first: the shebang, the header comment, the docstring, the package clause. Imports for type checkers only
/// stay such. Nothing else is touched; the edits are sorted and disjoint.
pub fn merge_imports(document: &str, language: &Language, imports: &[String]) -> Vec<TextEdit> {
    merge_into(language, document, imports, || Parsed::new(language, document))
}

/// The same, with a way to the whole text parsed, which is taken when the beginning of it does not tell.
pub(super) fn merge_into<'a>(
    language: &'a Language,
    text: &'a str,
    imports: &[String],
    whole: impl FnOnce() -> Parsed<'a>,
) -> Vec<TextEdit> {
    let wanted = dedented(imports);
    if wanted.is_empty() {
        return Vec::new();
    }
    let merged = Family::of(language).and_then(|family| {
        let head = head::of(family, language, text).unwrap_or_else(|| head::of_parsed(&whole()));
        let tree = head.tree()?;
        let there = read(family, tree, head.text());
        let wanted_text = family.as_file(&wanted);
        let wanted = Parsed::new(language, &wanted_text);
        let wanted = read(family, wanted.tree()?, &wanted_text);
        let place = leading_part(family, tree, head.text());
        Some(merge(text, &there, &wanted_text, &wanted, &place))
    });
    merged.unwrap_or_else(|| by_lines(text, language, &wanted))
}

/// The lines without blank ones and without an indentation that all have.
fn dedented(imports: &[String]) -> Vec<String> {
    let split: Vec<&str> =
        imports.iter().flat_map(|text| lines(text)).filter(|line| !line.is_blank()).map(|line| line.content).collect();
    let common = split.iter().map(|line| indentation(line).len()).min().unwrap_or(0);
    split.iter().map(|line| line[common..].trim_end().to_owned()).collect()
}

/// Members that join one statement of the file, and the statements that get lines of their own.
#[derive(Default)]
struct Additions {
    joined: BTreeMap<usize, (usize, Vec<String>)>,
    future: Vec<String>,
    guarded: Vec<String>,
    lines: Vec<String>,
}

fn merge(document: &str, there: &Imports, wanted_text: &str, wanted: &Imports, place: &Place) -> Vec<TextEdit> {
    let mut present: HashSet<String> =
        there.statements.iter().flat_map(|statement| &statement.members).map(|member| member.key.clone()).collect();
    let mut additions = Additions::default();
    let mut rest = wanted.statements.as_slice();
    while let Some(first) = rest.first() {
        // The parts of one statement stay together as long as they can.
        let parts = rest.iter().take_while(|part| part.span == first.span).count();
        let (parts, others) = rest.split_at(parts);
        rest = others;
        let missing = |part: &Statement| -> Vec<Member> {
            part.members
                .iter()
                .filter(|member| !member.satisfied_by.iter().any(|key| present.contains(key)))
                .cloned()
                .collect()
        };
        let missing: Vec<Vec<Member>> = parts.iter().map(missing).collect();
        present.extend(missing.iter().flatten().map(|member| member.key.clone()));
        let whole = parts
            .iter()
            .zip(&missing)
            .all(|(part, missing)| missing.len() == part.members.len() && join_of(there, part).is_none());
        if whole && !first.in_block {
            additions.push(first, wanted_text[first.span.clone()].to_owned());
            continue;
        }
        for (part, missing) in parts.iter().zip(missing).filter(|(_, missing)| !missing.is_empty()) {
            let texts: Vec<String> = missing.into_iter().map(|member| member.text).collect();
            if let Some(index) = join_of(there, part) {
                let at = there.joins[index].at;
                additions.joined.entry(at).or_insert((index, Vec::new())).1.extend(texts);
            } else if part.one_each {
                for text in texts {
                    additions.push(part, part.written(&[text]));
                }
            } else {
                additions.push(part, part.written(&texts));
            }
        }
    }
    let others = wanted.others.iter().map(|span| &wanted_text[span.clone()]);
    let is_known = |text: &&str| lines(document).any(|line| line.content.trim() == text.trim());
    additions.lines.extend(others.filter(|text| !is_known(text)).map(str::to_owned));
    additions.edits(document, there, place)
}

/// The place in the file where members of `part` can join a statement.
fn join_of(there: &Imports, part: &Statement) -> Option<usize> {
    let key = part.join_key.as_ref()?;
    there.joins.iter().position(|join| join.key == *key)
}

impl Additions {
    fn push(&mut self, statement: &Statement, text: String) {
        match statement.scope {
            Scope::TypeChecking => self.guarded.push(text),
            Scope::First => self.future.push(text),
            Scope::File => self.lines.push(text),
        }
    }

    fn edits(mut self, document: &str, there: &Imports, place: &Place) -> Vec<TextEdit> {
        let end = dominant_line_end(document).unwrap_or("\n");
        let mut edits: Vec<TextEdit> = Vec::new();
        for (at, (index, members)) in std::mem::take(&mut self.joined) {
            let join = &there.joins[index];
            let text = format!("{}{}{}", join.before, members.join(&join.between), join.after);
            edits.push(TextEdit { span: at..at, text: with_line_ends(&text, end) });
        }
        if let (Some(guard), false) = (&there.guard, self.guarded.is_empty()) {
            let at = line_end(document, guard.end);
            let first = document[line_start(document, guard.start)..].len();
            let indent = indentation(&document[document.len() - first..]);
            let text: String =
                self.guarded.drain(..).flat_map(|text| ["\n".to_owned(), indented(&text, indent)]).collect();
            edits.push(TextEdit { span: at..at, text: with_line_ends(&text, end) });
        }
        if !self.guarded.is_empty() {
            let body: Vec<String> = self.guarded.iter().map(|text| indented(text, "    ")).collect();
            self.lines.push(format!("\nif TYPE_CHECKING:\n{}", body.join("\n")));
        }
        if !self.future.is_empty() && (place.future.is_some() || place.imports.is_some()) {
            let (after, gap) = place.future.map_or((place.header, false), |at| (Some(at), false));
            edits.push(insertion(document, after, &self.future, end, gap));
        } else {
            self.future.append(&mut self.lines);
            self.lines = std::mem::take(&mut self.future);
        }
        if !self.lines.is_empty() {
            let after = place.imports.or(place.header);
            edits.push(insertion(document, after, &self.lines, end, place.imports.is_none()));
        }
        edits.sort_by_key(|edit| edit.span.start);
        edits
    }
}

/// Lines behind the line that holds `after`, or at the beginning; with `gap`, set off by blank lines.
fn insertion(document: &str, after: Option<usize>, added: &[String], end: &str, gap: bool) -> TextEdit {
    let at = after.map_or(place::beginning(document), |after| next_line(document, after));
    let mut text = added.join("\n");
    let unfinished = at > 0 && !document[..at].ends_with(['\n', '\r']);
    if unfinished {
        text.insert(0, '\n');
    } else {
        text.push('\n');
    }
    if gap {
        let following = document[at..].chars().next();
        if following.is_some_and(|char| !matches!(char, '\n' | '\r')) {
            text.push('\n');
        }
        if after.is_some() {
            text.insert(0, '\n');
        }
    }
    TextEdit { span: at..at, text: with_line_ends(&text, end) }
}

fn with_line_ends(text: &str, end: &str) -> String {
    if end == "\n" { text.to_owned() } else { text.replace('\n', end) }
}

fn indented(text: &str, indent: &str) -> String {
    let written: Vec<String> = lines(text).map(|line| format!("{indent}{}", line.content)).collect();
    written.join("\n")
}

#[cfg(test)]
mod tests;
