//! Tests added to a test file, or to a new one. Existing code never changes.
//!
//! The answer and the file are read as units (functions, classes, `describe` blocks, modules). A unit that holds
//! others and is there already takes in what it lacks; any other goes to the end.

mod textual;
mod units;

use std::collections::HashSet;

use units::{Body, Kind, Unit, normal, units};

use super::answer::BadAnswer;
use super::edit::TextEdit;
use super::imports::merge_imports;
use super::lines::{dominant_line_end, indentation, line_end, line_start, lines, next_line};
use super::tree::multi_line_strings;
use crate::workspace::Language;
use crate::workspace::test_files::TestPlace;

/// What adding tests comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestsEdit {
    /// Edits of the existing text, or of an empty one; sorted and disjoint. Empty when the file has all of it already.
    pub edits: Vec<TextEdit>,
    /// Tests that were left out, since the file has them already.
    pub skipped: Vec<String>,
    /// Tests that got another name, since the file has another one of theirs: the old and the new name.
    pub renamed: Vec<(String, String)>,
}

impl TestsEdit {
    /// What the user should know about names, in one sentence.
    pub fn note(&self) -> Option<String> {
        let mut parts = Vec::new();
        if !self.skipped.is_empty() {
            parts.push(format!("already there: {}", self.skipped.join(", ")));
        }
        if !self.renamed.is_empty() {
            let pairs: Vec<String> = self.renamed.iter().map(|(old, new)| format!("{old} to {new}")).collect();
            parts.push(format!("renamed: {}", pairs.join(", ")));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// The edits that add `code`, imports first, to the file at `place`, whose text is `existing`.
///
/// # Errors
/// When the code holds nothing to add, or defines something else under a name that the file uses.
pub fn add_tests(
    existing: Option<&str>,
    place: &TestPlace,
    language: &Language,
    code: &str,
) -> Result<TestsEdit, BadAnswer> {
    let code: Vec<&str> = lines(code).map(|line| line.content).collect();
    let code = code.join("\n");
    let code = code.trim_matches('\n').trim_end();
    if code.is_empty() {
        return Err(BadAnswer::new("The code block holds no tests."));
    }
    let existing = existing.unwrap_or("");
    if existing.trim().is_empty() && !place.inline {
        return Ok(new_file(existing, language, code));
    }
    let (Some(there), Some(wanted)) = (units(language, existing), units(language, code)) else {
        return Ok(textual::add(existing, language, code));
    };
    let mut merge = Merge {
        document: existing,
        language,
        code,
        strings: multi_line_strings(language, code),
        line_end: dominant_line_end(existing).unwrap_or("\n"),
        edits: Vec::new(),
        result: TestsEdit::default(),
    };
    if place.inline {
        merge.inline(&there, &wanted)?;
    } else {
        merge.imports(&wanted, None);
        merge.level(&wanted, &there, &Place::end_of_file(existing, &there, &wanted))?;
    }
    let Merge { mut edits, mut result, .. } = merge;
    edits.sort_by_key(|edit| edit.span.start);
    result.edits = joined(edits);
    Ok(result)
}

/// Two edits at one place become one: imports come before tests where a file has neither.
fn joined(edits: Vec<TextEdit>) -> Vec<TextEdit> {
    let mut out: Vec<TextEdit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match out.last_mut() {
            Some(last) if last.span.end == edit.span.start => {
                last.span.end = edit.span.end;
                last.text.push_str(&edit.text);
            }
            _ => out.push(edit),
        }
    }
    out
}

fn new_file(existing: &str, language: &Language, code: &str) -> TestsEdit {
    let opening = if language.family() == "php" && !code.starts_with("<?") { "<?php\n\n" } else { "" };
    let text = format!("{opening}{code}\n");
    TestsEdit { edits: vec![TextEdit { span: 0..existing.len(), text }], ..TestsEdit::default() }
}

/// Where units are added, and how.
struct Place {
    at: usize,
    indent: String,
    /// Blank lines in front of what is added.
    blank: usize,
    /// What stands behind it.
    tail: String,
}

impl Place {
    fn end_of_file(document: &str, there: &[Unit], wanted: &[Unit]) -> Self {
        let blank = if there.iter().chain(wanted).any(|unit| unit.two_apart) { 2 } else { 1 };
        // What runs the tests stays last.
        let runner = there.last().filter(|unit| unit.kind == Kind::Runner);
        let last = if runner.is_some() { there.len().checked_sub(2) } else { there.len().checked_sub(1) };
        let (at, tail) = match (last.and_then(|index| there.get(index)), runner) {
            (Some(unit), Some(_)) => (next_line(document, unit.span.end), String::new()),
            (None, Some(runner)) => (runner.span.start, "\n".repeat(blank)),
            // Imports go behind the last line too, and come first if they go to the same place.
            _ => (next_line(document, document.trim_end().len()), String::new()),
        };
        Self { at, indent: String::new(), blank: if at == 0 { 0 } else { blank }, tail }
    }

    fn end_of_body(document: &str, body: &Body) -> Self {
        let outer = indentation(&document[line_start(document, body.start)..]).to_owned();
        let first = body.units.first().map(|unit| unit.span.start);
        let own_line = |at: usize| document[line_start(document, at)..at].trim().is_empty();
        let unit = if document.contains("\n\t") || outer.starts_with('\t') { "\t" } else { body.unit };
        let indent = match first {
            Some(at) if own_line(at) => indentation(&document[line_start(document, at)..]).to_owned(),
            _ => format!("{outer}{unit}"),
        };
        let same_line = body.closed && line_end(document, body.last) == line_end(document, body.end);
        let at = if same_line { body.last } else { line_end(document, body.last) };
        let tail = if same_line { format!("\n{outer}") } else { String::new() };
        let blank = usize::from(!body.units.is_empty());
        Self { at, indent, blank, tail }
    }
}

struct Merge<'a> {
    document: &'a str,
    language: &'a Language,
    code: &'a str,
    strings: Vec<std::ops::Range<usize>>,
    line_end: &'static str,
    edits: Vec<TextEdit>,
    result: TestsEdit,
}

impl Merge<'_> {
    /// Merges the imports among `wanted` into the file's, or into those of a body in it.
    fn imports(&mut self, wanted: &[Unit], body: Option<&Body>) {
        let imports: Vec<String> = wanted
            .iter()
            .filter(|unit| unit.kind == Kind::Import)
            .flat_map(|unit| lines(&self.code[unit.code.clone()]).map(|line| line.content.to_owned()))
            .collect();
        let Some(body) = body else {
            self.edits.extend(merge_imports(self.document, self.language, &imports));
            return;
        };
        let inner = &self.document[body.start..body.end];
        let has_imports = body.units.iter().any(|unit| unit.kind == Kind::Import);
        let start = body.units.first().map_or(body.end, |unit| line_start(self.document, unit.span.start)) - body.start;
        let indent = Place::end_of_body(self.document, body).indent;
        for edit in merge_imports(inner, self.language, &imports) {
            let at = if has_imports { edit.span.start } else { start };
            let written = edit.text.trim_matches(['\n', '\r']);
            let mut text: String =
                lines(written).flat_map(|line| [indent.as_str(), line.content, self.line_end]).collect();
            if !has_imports {
                text.push_str(self.line_end);
            }
            self.edits.push(TextEdit { span: body.start + at..body.start + at, text });
        }
    }

    /// Adds to `there`, which stand around `place`, what they lack of `wanted`.
    fn level(&mut self, wanted: &[Unit], there: &[Unit], place: &Place) -> Result<(), BadAnswer> {
        let known: HashSet<String> = there.iter().map(|unit| normal(&self.document[unit.code.clone()])).collect();
        let mut added: Vec<(&Unit, String)> = Vec::new();
        let used: HashSet<&str> = there.iter().chain(wanted).filter_map(|unit| unit.name.as_deref()).collect();
        let mut new_names: Vec<(String, String)> = Vec::new();
        for unit in wanted.iter().filter(|unit| !matches!(unit.kind, Kind::Import | Kind::Frame)) {
            let same = there.iter().find(|other| unit.key.is_some() && other.key == unit.key);
            if known.contains(&normal(&self.code[unit.code.clone()])) {
                self.result.skipped.extend(unit.name.clone());
                continue;
            }
            match (same, &unit.kind, &unit.name) {
                (None, Kind::Runner, _) if there.iter().any(|other| other.kind == Kind::Runner) => {}
                (Some(other), Kind::Holder, _) if let (Some(theirs), Some(ours)) = (&other.body, &unit.body) => {
                    self.level(&ours.units, &theirs.units, &Place::end_of_body(self.document, theirs))?;
                }
                (Some(_), Kind::Value | Kind::Holder, Some(name)) => {
                    return Err(BadAnswer::new(format!(
                        "The test file has a definition of `{name}` already, which is another one. Use that one, or \
                         give the new one another name."
                    )));
                }
                (Some(_), _, Some(name)) => {
                    let new = (2..=usize::MAX)
                        .map(|count| unit.numbered(name, count))
                        .find(|new| !used.contains(new.as_str()));
                    new_names.extend(new.map(|new| (name.clone(), new)));
                    added.push((unit, self.text_of(unit, &place.indent)));
                }
                _ => added.push((unit, self.text_of(unit, &place.indent))),
            }
        }
        if added.is_empty() {
            return Ok(());
        }
        let at_line_start = line_start(self.document, place.at) == place.at;
        let mut text = String::new();
        for (index, (unit, code)) in added.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| added[before].0.span.end);
            let gap =
                before.filter(|before| *before <= unit.span.start).map(|before| &self.code[before..unit.span.start]);
            let blank = match gap {
                Some(gap) if gap.trim().is_empty() => gap.matches('\n').count().saturating_sub(1),
                Some(_) => place.blank.max(1),
                None => place.blank,
            };
            text.push_str(&"\n".repeat(if index == 0 && at_line_start { blank } else { blank + 1 }));
            text.push_str(code);
        }
        for (old, new) in &new_names {
            text = with_name(&text, old, new);
        }
        self.result.renamed.extend(new_names);
        if at_line_start {
            text.push('\n');
        }
        text.push_str(&place.tail);
        self.edits.push(TextEdit { span: place.at..place.at, text: text.replace('\n', self.line_end) });
        Ok(())
    }

    /// A unit's code with the indentation it gets; strings over several lines keep theirs, since it is content.
    fn text_of(&self, unit: &Unit, indent: &str) -> String {
        let start = line_start(self.code, unit.span.start);
        let first_row = self.code[..start].matches('\n').count();
        let own = indentation(&self.code[start..]);
        let text: Vec<String> = lines(&self.code[start..unit.span.end])
            .enumerate()
            .map(|(row, line)| {
                let inside =
                    self.strings.iter().any(|string| string.start < first_row + row && first_row + row < string.end);
                match line.content.strip_prefix(own) {
                    Some(rest) if !inside && !rest.is_empty() => format!("{indent}{rest}"),
                    Some("") if !inside => String::new(),
                    _ => line.content.to_owned(),
                }
            })
            .collect();
        text.join("\n")
    }

    /// Rust: into the file's test module, or a new one at its end.
    fn inline(&mut self, there: &[Unit], wanted: &[Unit]) -> Result<(), BadAnswer> {
        let is_module = |unit: &&Unit| unit.kind == Kind::Holder && unit.is_test_module;
        let module = wanted.iter().find(is_module).and_then(|unit| unit.body.as_ref());
        let inner = module.map_or(wanted, |body| body.units.as_slice());
        if let Some(body) = there.iter().find(is_module).and_then(|unit| unit.body.as_ref()) {
            self.imports(inner, Some(body));
            return self.level(inner, &body.units, &Place::end_of_body(self.document, body));
        }
        let indent = "    ";
        let mut parts: Vec<String> = Vec::new();
        let uses: Vec<String> =
            inner.iter().filter(|unit| unit.kind == Kind::Import).map(|unit| self.text_of(unit, indent)).collect();
        if !uses.iter().any(|line| line.contains("super::")) {
            parts.push(format!("{indent}use super::*;"));
        }
        parts.extend(uses);
        let mut text = parts.join("\n");
        for unit in inner.iter().filter(|unit| !matches!(unit.kind, Kind::Import | Kind::Frame)) {
            text.push_str("\n\n");
            text.push_str(&self.text_of(unit, indent));
        }
        let at = self.document.trim_end().len();
        let gap = if at == 0 { "" } else { "\n\n" };
        let end = if at == self.document.len() { "\n" } else { "" };
        let text = format!("{gap}#[cfg(test)]\nmod tests {{\n{text}\n}}{end}").replace('\n', self.line_end);
        self.edits.push(TextEdit { span: at..at, text });
        Ok(())
    }
}

/// `text` with `new` for each `old` that is a word of its own.
fn with_name(text: &str, old: &str, new: &str) -> String {
    let word = |char: char| char.is_alphanumeric() || char == '_';
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (start, _) in text.match_indices(old) {
        let before = text[..start].chars().next_back().is_some_and(word);
        let after = text[start + old.len()..].chars().next().is_some_and(word);
        if start >= at && !(before || after) {
            out.push_str(&text[at..start]);
            out.push_str(new);
            at = start + old.len();
        }
    }
    out + &text[at..]
}

#[cfg(test)]
mod tests;
