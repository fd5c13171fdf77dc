//! What `aside act` prints: the result on standard output, everything about it on standard error.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::super::terminal;
use super::host::TerminalHost;
use crate::jobs::{Order, Outcome, Report, unified_diffs};

const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const PLACE: Style = AnsiColor::Cyan.on_default();

/// Prints the report.
pub(super) fn print(report: &Report, order: &Order, host: &TerminalHost, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return terminal::print_json(&json(report, order));
    }
    let mut out = terminal::stdout();
    match report.outcome {
        Outcome::Proposed => print_diff(&mut out, &unified_diffs(&report.edits))?,
        Outcome::Applied => {
            for edit in &report.edits {
                writeln!(out, "{}", edit.path)?;
            }
        }
        Outcome::Shown | Outcome::Kept | Outcome::Failed => {
            if let Some(explanation) = &report.explanation {
                print_rest(&mut out, &explanation.markdown, &host.printed())?;
            }
        }
        Outcome::Cancelled => {}
    }
    out.flush()?;
    drop(out);
    let mut err = terminal::stderr();
    for note in &report.notes {
        writeln!(err, "{}", note.trim_end())?;
    }
    if report.outcome == Outcome::Proposed && !host.writes() {
        writeln!(err, "Nothing was changed; `--write` applies it.")?;
    }
    match &report.error {
        Some(error) => {
            writeln!(err, "{}error:{} {}", terminal::ERROR, terminal::ERROR.render_reset(), error.message)?;
            if let Some(hint) = &error.hint {
                writeln!(err, "  {hint}")?;
            }
            if let Some(id) = &error.request_id {
                writeln!(err, "  request {id}")?;
            }
            if let Some(usage) = &report.usage {
                writeln!(err, "{}", usage.line())?;
            }
        }
        None => writeln!(err, "{}", report.sentence())?,
    }
    Ok(())
}

/// The answer, without what was printed while it was written.
fn print_rest(out: &mut impl std::io::Write, markdown: &str, printed: &str) -> std::io::Result<()> {
    match markdown.strip_prefix(printed) {
        Some(rest) => writeln!(out, "{}", rest.trim_end()),
        None => writeln!(out, "\n{}", markdown.trim_end()),
    }
}

fn print_diff(out: &mut impl std::io::Write, diff: &str) -> std::io::Result<()> {
    for line in diff.lines() {
        let style = match line.as_bytes() {
            [b'@', ..] => PLACE,
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Style::new().bold(),
            [b'+', ..] => ADDED,
            [b'-', ..] => REMOVED,
            _ => Style::new(),
        };
        writeln!(out, "{style}{line}{style:#}")?;
    }
    Ok(())
}

fn json(report: &Report, order: &Order) -> serde_json::Value {
    let mut value = json!({
        "action": report.action,
        "file": order.shown_path(),
        "outcome": report.outcome,
        "usage": report.usage,
        "model": report.model,
        "simulated": report.simulated,
    });
    if let serde_json::Value::Object(fields) = &mut value {
        let mut put = |name: &str, value: serde_json::Value| fields.insert(name.to_owned(), value);
        if let Some(explanation) = &report.explanation {
            put("explanation", json!(explanation.markdown));
        }
        if !report.edits.is_empty() {
            put("edits", json!(report.edits));
        }
        if let Some(note) = report.note() {
            put("note", json!(note));
        }
        if let Some(reason) = &report.reason {
            put("reason", json!(reason));
        }
        if let Some(error) = &report.error {
            put("error", json!(error));
        }
    }
    value
}
