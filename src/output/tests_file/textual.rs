//! Languages without a grammar: tests are added by the look of lines.

use super::{TestsEdit, TextEdit};
use crate::output::lines::{dominant_line_end, indentation, line_start, lines, next_line};
use crate::workspace::Language;

/// Words that a line of imports begins with.
const IMPORTS: [&str; 5] = ["import ", "using ", "use ", "alias ", "open "];

/// Adds `code` to the end of the file, or, when both are a class of the same name, the inside of it to the inside.
pub(super) fn add(existing: &str, language: &Language, code: &str) -> TestsEdit {
    let mut result = TestsEdit::default();
    let line_end = dominant_line_end(existing).unwrap_or("\n");
    let is_frame = |line: &str| {
        IMPORTS.iter().any(|word| line.starts_with(word))
            || line.starts_with("namespace ")
            || line.starts_with("package ")
    };
    let (frame, rest): (Vec<&str>, Vec<&str>) = code.lines().partition(|line| is_frame(line));
    let imports: Vec<String> =
        frame.into_iter().filter(|line| IMPORTS.iter().any(|word| line.starts_with(word))).map(str::to_owned).collect();
    result.edits = super::merge_imports(existing, language, &imports);

    let rest = rest.join("\n");
    let rest = rest.trim_matches('\n');
    let (at, added, tail) = match (class_line(rest), closing_brace(existing), closing_brace(rest)) {
        (Some((name, opened)), Some(at), Some(closed))
            if class_line(existing).is_some_and(|(other, _)| other == name) =>
        {
            let inner = rest[opened..closed].trim_matches('\n').trim_end();
            let at = existing[..at].trim_end().len();
            (at, inner, "")
        }
        _ => {
            let at = next_line(existing, existing.trim_end().len());
            (at, rest, "\n")
        }
    };
    if flat(existing).contains(&flat(added)) {
        return result;
    }
    let lead = if line_start(existing, at) == at { "\n" } else { "\n\n" };
    let text = format!("{lead}{added}{tail}").replace('\n', line_end);
    result.edits.push(TextEdit { span: at..at, text });
    result.edits = super::joined(result.edits);
    result
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The name of the first class at the left margin, and where its inside begins.
fn class_line(text: &str) -> Option<(&str, usize)> {
    let mut at = 0;
    for line in lines(text) {
        at += line.len();
        let words = line.content.split(|char: char| !(char.is_alphanumeric() || char == '_'));
        let mut words = words.skip_while(|word| *word != "class");
        if indentation(line.content).is_empty()
            && words.next().is_some()
            && let Some(name) = words.next().filter(|name| !name.is_empty())
        {
            let rest = &text[at - line.len()..];
            return Some((name, at - line.len() + rest.find('{')? + 1));
        }
    }
    None
}

/// Where the last brace stands, if it closes at the left margin.
fn closing_brace(text: &str) -> Option<usize> {
    let text = text.trim_end();
    (text.ends_with('}') && line_start(text, text.len()) + 1 == text.len()).then(|| text.len() - 1)
}
