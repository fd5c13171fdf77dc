//! The checks of what an edit promises, held against files that people wrote: `scripts/corpus` makes the pairs and the
//! harm, this judges them and prints what came out.
//!
//! `cargo test --test corpus -- target/corpus/cases.jsonl [--show WORDS]`; the latter prints the first cases of each
//! kind that went wrong, or that are refused by design, whose description has the words.

mod report;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::ExitCode;
use std::sync::Mutex;

use aside::output::check::{Comparison, Promise, Verdict};
use aside::workspace::language;
use serde::Deserialize;

use report::{Outcome, Report};

/// A file, and what is made from it.
#[derive(Deserialize)]
struct Case {
    language: String,
    package: String,
    file: String,
    /// The file as its authors wrote it: annotated, documented.
    text: String,
    pairs: Vec<Pair>,
}

/// The file as it was before an edit made it what it is.
#[derive(Deserialize)]
struct Pair {
    promise: String,
    /// Which part of the file the edit was about.
    scope: String,
    /// What makes the text before of the file's text.
    edits: Vec<Replacement>,
    /// Why the edit may be refused although it does no harm; found out without the checks.
    design: Option<String>,
    /// Classes of harm, and what does it to the file's text.
    mutants: Vec<(String, Vec<Replacement>)>,
}

/// Bytes from and to, in ascending order within a list, and what takes their place.
type Replacement = (usize, usize, String);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (path, show) = (arguments.next(), arguments.nth(1));
    let report = match path.ok_or_else(|| "which file? scripts/corpus makes one".to_owned()).and_then(|path| run(&path))
    {
        Ok(report) => report,
        Err(reason) => {
            let _ = writeln!(std::io::stderr(), "corpus: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let _ = std::io::stdout().write_all(report.to_text(show.as_deref()).as_bytes());
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(path: &str) -> Result<Report, String> {
    let cases = BufReader::new(File::open(path).map_err(|error| format!("{path}: {error}"))?);
    let cases = Mutex::new(cases.lines());
    let report = Mutex::new(Report::default());
    let failed = Mutex::new(None);
    let work = || {
        loop {
            let Some(line) = cases.lock().ok().and_then(|mut cases| cases.next()) else { return };
            let judged = line
                .map_err(|error| error.to_string())
                .and_then(|line| serde_json::from_str::<Case>(&line).map_err(|error| error.to_string()))
                .map(|case| judge(&case));
            match judged {
                Ok(outcomes) => report.lock().map(|mut report| report.add(outcomes)).unwrap_or_default(),
                Err(error) => {
                    failed.lock().map(|mut failed| *failed = Some(error)).unwrap_or_default();
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    match failed.into_inner() {
        Ok(None) => report.into_inner().map_err(|_| "a check panicked".to_owned()),
        Ok(Some(error)) => Err(error),
        Err(_) => Err("a check panicked".to_owned()),
    }
}

/// What the checks say of a file's pairs, and of the harm done to those that they accept.
fn judge(case: &Case) -> Vec<Outcome> {
    let language = language::by_id(&case.language);
    let mut outcomes = Vec::new();
    for pair in &case.pairs {
        let promise = if pair.promise == "hints" { Promise::TypeHints } else { Promise::Documentation };
        let before = with(&case.text, &pair.edits);
        let refusal = |after: &str| {
            let comparison = Comparison::new(language, &before, after);
            match comparison.new_syntax_errors().first() {
                Some(error) => Some(format!("a syntax error: {error}")),
                None => match comparison.verdict(promise) {
                    Verdict::Kept => None,
                    Verdict::Broken(reason) | Verdict::Unknown(reason) => Some(reason),
                },
            }
        };
        let place = format!("{} {} ({}, {})", case.package, case.file, pair.promise, pair.scope);
        let reason = refusal(&case.text);
        let accepted = reason.is_none();
        outcomes.push(Outcome::pair(case, pair, &place, reason));
        if !accepted {
            continue;
        }
        let mut seen = HashMap::<&str, usize>::new();
        for (class, harm) in &pair.mutants {
            let number = seen.entry(class).or_default();
            *number += 1;
            let harmed = with(&case.text, harm);
            let what = || described(&case.text, harm);
            outcomes.push(Outcome::mutant(
                case,
                pair,
                &format!("{place} {class} {number}: {}", what()),
                class,
                refusal(&harmed),
            ));
        }
    }
    outcomes
}

fn with(text: &str, replacements: &[Replacement]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end, new) in replacements {
        out.push_str(&text[at..*start]);
        out.push_str(new);
        at = *end;
    }
    out.push_str(&text[at..]);
    out
}

/// A change, to read.
fn described(text: &str, replacements: &[Replacement]) -> String {
    let each = replacements.iter().map(|(start, end, new)| {
        let line = text[..*start].matches('\n').count() + 1;
        format!("line {line}: {:?} -> {new:?}", &text[*start..*end])
    });
    each.collect::<Vec<_>>().join(", ")
}
