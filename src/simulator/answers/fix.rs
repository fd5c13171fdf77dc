//! Repairs of what tools report, as far as the report itself says what to do: a misspelt name, a missing or an unused
//! import, a comparison with `None`, a bare `except`.

use std::fmt::Write as _;

use super::code::{Code, edited, fenced, line_start};
use super::marks::{Marks, Report};
use crate::workspace::Span;

/// What repairs a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Repair {
    edits: Vec<(Span, String)>,
    import: Option<String>,
    /// What was done, in words.
    word: String,
}

/// The answer: the selection with what could be repaired, and a note.
pub(super) fn answer(marks: &Marks, code: &Code) -> String {
    let repairs: Vec<Option<Repair>> = marks.reports.iter().map(|report| repair(marks, code, report)).collect();
    let edits: Vec<(Span, String)> = repairs.iter().flatten().flat_map(|repair| repair.edits.clone()).collect();
    let imports: Vec<String> = repairs.iter().flatten().filter_map(|repair| repair.import.clone()).collect();
    let mut parts = vec![fenced(code.language.fence, &edited(code, edits))];
    if !imports.is_empty() {
        parts.push(fenced(&format!("{} imports", code.language.fence), &imports.join("\n")));
    }
    let mut note = "Simulated answer, no model has read this code".to_owned();
    for (report, repair) in marks.reports.iter().zip(&repairs) {
        note.push_str("; ");
        match repair {
            Some(repair) => note.push_str(&repair.word),
            None => {
                let _ = write!(note, "the simulator cannot repair \"{}\"", report.message.trim());
            }
        }
    }
    if marks.reports.is_empty() {
        note.push_str("; nothing was reported");
    }
    parts.push(note + ".");
    parts.join("\n\n")
}

fn repair(marks: &Marks, code: &Code, report: &Report) -> Option<Repair> {
    let message = report.message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    let span = lines(marks, code, report)?;
    if says(&[
        "is not defined",
        "undefined name",
        "undefined variable",
        "cannot find name",
        "cannot find value",
        "unresolved",
    ]) {
        return undefined(code, &span, &named(report)?);
    }
    if says(&["imported but unused", "unused import", "is not accessed", "never used", "never read"]) {
        return unused_import(code, &span, &named(report)?);
    }
    if says(&["none"]) && says(&["comparison", "is none"]) {
        return replaced(
            code,
            &span,
            &[(" == None", " is None"), (" != None", " is not None")],
            "`None` is compared by `is`",
        );
    }
    if says(&["bare"]) && says(&["except"]) {
        return replaced(code, &span, &[("except:", "except Exception:")], "the bare `except` no longer takes exits");
    }
    None
}

/// The lines of a report in the text, with their ends. The report counts in the user's file, where the selection's first
/// line is known.
fn lines(marks: &Marks, code: &Code, report: &Report) -> Option<Span> {
    let first_line = 1 + code.text[..code.selection.start].matches('\n').count();
    let line = |line: usize| (line + first_line).checked_sub(marks.first_line).filter(|line| *line > 0);
    let start = line_start(&code.text, line(report.lines.0)?)?;
    let last = line_start(&code.text, line(report.lines.1)?)?;
    let end = code.text[last..].find('\n').map_or(code.text.len(), |at| last + at + 1);
    Some(start..end)
}

/// The name that a report is about: quoted in it, or pointed at.
fn named(report: &Report) -> Option<String> {
    let is_name = |word: &&str| {
        let mut chars = word.chars();
        chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
    };
    let quoted = report.message.split(['`', '\'', '"', '“', '”', '‘', '’']).skip(1).step_by(2).find(is_name);
    quoted.or(Some(report.name.as_str()).filter(is_name)).map(str::to_owned)
}

/// Modules that every Python has, without those whose names are used for other things all the time.
const PYTHON_MODULES: &[&str] = &[
    "argparse",
    "asyncio",
    "base64",
    "collections",
    "contextlib",
    "csv",
    "datetime",
    "functools",
    "hashlib",
    "io",
    "itertools",
    "json",
    "logging",
    "math",
    "os",
    "pathlib",
    "random",
    "re",
    "shutil",
    "subprocess",
    "sys",
    "tempfile",
    "time",
    "typing",
    "uuid",
];

/// A name of the file that this one is a misspelling of, or a module to import.
fn undefined(code: &Code, span: &Span, name: &str) -> Option<Repair> {
    if code.language.family() == "python" && PYTHON_MODULES.contains(&name) {
        let import = Some(format!("import {name}"));
        return Some(Repair { edits: Vec::new(), import, word: format!("`{name}` is imported") });
    }
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
    let near = words(&code.text)
        .map(|(_, word)| word)
        .chain(builtins(code).iter().copied())
        .filter(|word| *word != name && word.len() > 2 && likeness(word) >= 0.5)
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    let text = code.of(span);
    let places = words(text).filter(|(_, word)| *word == name);
    let edits: Vec<_> =
        places.map(|(at, word)| (span.start + at..span.start + at + word.len(), near.to_owned())).collect();
    (!edits.is_empty()).then(|| Repair { edits, import: None, word: format!("`{near}` is the nearest to `{name}`") })
}

fn builtins(code: &Code) -> &'static [&'static str] {
    match code.language.family() {
        "python" => {
            &["open", "print", "range", "len", "list", "dict", "str", "int", "float", "sorted", "sum", "enumerate"]
        }
        "javascript" | "typescript" => &["console", "document", "window", "Object", "Array", "Math", "JSON"],
        _ => &[],
    }
}

/// The identifiers of a text and where they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    text.split(move |c| !is_part(c)).filter_map(move |word| {
        let start = text[at..].find(word).map_or(at, |found| at + found);
        at = start + word.len();
        word.starts_with(|c: char| c.is_alphabetic() || c == '_').then_some((start, word))
    })
}

/// Takes a name out of a line that imports it, or the whole line.
fn unused_import(code: &Code, span: &Span, name: &str) -> Option<Repair> {
    let line = code.of(span);
    let trimmed = line.trim_start();
    if !["import ", "from ", "use ", "const "].iter().any(|word| trimmed.starts_with(word))
        || line.trim().contains('\n')
    {
        return None;
    }
    let word = format!("`{name}` is imported no more");
    let name = name.rsplit('.').next().unwrap_or(name);
    let listed = |list: Span| {
        let text = &line[list.clone()];
        let kept: Vec<&str> =
            text.split(',').filter(|part| words(part).last().is_none_or(|(_, word)| word != name)).collect();
        let count = text.split(',').filter(|part| !part.trim().is_empty()).count();
        (count > 1 && kept.len() < text.split(',').count()).then(|| {
            let blanks = |text: &str| text.len() - text.trim_start().len();
            let end = text.trim_end().len();
            (span.start + list.start + blanks(text)..span.start + list.start + end, kept.join(",").trim().to_owned())
        })
    };
    let braces = line.find('{').and_then(|open| Some(open + 1..line.rfind('}')?));
    let python = || {
        let start = line.find("import ").map(|at| at + "import ".len())?;
        Some(start..line.trim_end().len())
    };
    let list = braces.or_else(|| if code.language.family() == "python" { python() } else { None });
    let edit = match list.and_then(listed) {
        Some(edit) => edit,
        // The selection may end in front of the line's end.
        None => (span.start..span.end.min(code.selection.end), String::new()),
    };
    Some(Repair { edits: vec![edit], import: None, word })
}

/// Puts other words in the place of some.
fn replaced(code: &Code, span: &Span, pairs: &[(&str, &str)], word: &str) -> Option<Repair> {
    let text = code.of(span);
    let places = pairs.iter().flat_map(|(from, to)| {
        text.match_indices(from).map(|(at, found)| (span.start + at..span.start + at + found.len(), (*to).to_owned()))
    });
    let edits: Vec<_> = places.collect();
    (!edits.is_empty()).then(|| Repair { edits, import: None, word: word.to_owned() })
}
