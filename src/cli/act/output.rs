//! What `aside act` prints: the result on standard output, everything about it on standard error.

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::super::terminal;
use super::ActArgs;
use super::host::TerminalHost;
use crate::error::Error;
use crate::jobs::{Order, Outcome, Report, unified_diffs};
use crate::output::explanation;
use crate::output::findings::Finding;

const ADDED: Style = AnsiColor::Green.on_default();
const HINT: Style = Style::new().dimmed();
const PLACE: Style = AnsiColor::Cyan.on_default();

/// Prints the report.
pub(super) fn print(report: &Report, order: &Order, host: &TerminalHost, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return terminal::print_json(&json(report, order));
    }
    let mut out = terminal::stdout();
    match report.outcome {
        Outcome::Proposed => terminal::print_diff(&mut out, &shown(&unified_diffs(&report.edits)))?,
        Outcome::Applied => {
            for edit in &report.edits {
                writeln!(out, "{}", shown(&edit.path))?;
            }
        }
        Outcome::Shown if report.findings.is_some() => {
            print_findings(&mut out, report.findings.as_deref().unwrap_or_default(), order)?;
        }
        Outcome::Shown | Outcome::Kept | Outcome::Failed => {
            if let Some(explanation) = &report.explanation {
                print_rest(&mut out, &shown(&explanation.markdown), &shown(&host.printed()))?;
                let thought = explanation::thought(&explanation.thinking);
                if !thought.is_empty() {
                    writeln!(out, "{}", shown(&thought[1..]))?;
                }
            }
        }
        Outcome::Cancelled => {}
    }
    out.flush()?;
    drop(out);
    let mut err = terminal::stderr();
    for note in &report.notes {
        writeln!(err, "{}", terminal::visible(note.trim_end()))?;
    }
    if report.outcome == Outcome::Proposed && !host.writes() {
        writeln!(err, "Nothing was changed; `--write` applies it.")?;
    }
    match &report.error {
        Some(error) => {
            writeln!(
                err,
                "{}error:{} {}",
                terminal::ERROR,
                terminal::ERROR.render_reset(),
                terminal::visible(&error.message)
            )?;
            if let Some(hint) = &error.hint {
                writeln!(err, "  {}", terminal::visible(hint))?;
            }
            if let Some(id) = &error.request_id {
                writeln!(err, "  request {}", terminal::visible(id))?;
            }
            if let Some(usage) = &report.usage {
                writeln!(err, "{}", usage.line())?;
            }
        }
        None => writeln!(err, "{}", terminal::visible(&report.sentence()))?,
    }
    // Programs have it in `--json`; a log is spared.
    if report.conversation.is_some() && report.error.is_none() && std::io::stderr().is_terminal() {
        writeln!(err, "{HINT}Ask on: aside act follow-up --prompt \"…\"{HINT:#}")?;
    }
    Ok(())
}

/// Text as standard output takes it: to the byte, unless a terminal would obey it.
fn shown(text: &str) -> Cow<'_, str> {
    if std::io::stdout().is_terminal() { terminal::visible(text) } else { Cow::Borrowed(text) }
}

/// The answer, without what was printed while it was written.
fn print_rest(out: &mut impl std::io::Write, markdown: &str, printed: &str) -> std::io::Result<()> {
    match markdown.strip_prefix(printed) {
        Some(rest) => writeln!(out, "{}", rest.trim_end()),
        None => writeln!(out, "\n{}", markdown.trim_end()),
    }
}

/// One line a finding, as compilers have them, so that editors and people find the place; below it what would mend it.
fn print_findings(out: &mut impl std::io::Write, findings: &[Finding], order: &Order) -> std::io::Result<()> {
    let path = order.shown_path();
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| (finding.start_line, finding.end_line));
    for finding in sorted {
        let Finding { start_line, end_line, severity, category, message, replacement } = finding;
        let lines = if start_line == end_line { start_line.to_string() } else { format!("{start_line}-{end_line}") };
        let place = format!("{path}:{lines}:");
        writeln!(out, "{PLACE}{place}{PLACE:#} {} [{category}] {}", severity.as_str(), shown(message))?;
        for line in replacement.iter().flat_map(|code| code.lines()) {
            writeln!(out, "{ADDED}    + {}{ADDED:#}", shown(line))?;
        }
    }
    Ok(())
}

/// The object for an action that failed before it was one.
pub(super) fn failure(args: &ActArgs, error: &Error) -> serde_json::Value {
    json!({
        "action": args.action,
        "file": args.stdin_path.as_ref().map_or(args.place.clone(), |path| Some(path.display().to_string())),
        "outcome": Outcome::Failed,
        "usage": null,
        "model": args.model,
        "simulated": args.simulate,
        "error": error,
    })
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
        if let Some(id) = &report.conversation {
            put("conversation", json!(id));
        }
        if let Some(explanation) = &report.explanation {
            put("explanation", json!(explanation.markdown));
            if !explanation.thinking.is_empty() {
                put("thinking", json!(explanation.thinking));
            }
        }
        if !report.edits.is_empty() {
            put("edits", json!(report.edits));
        }
        if let Some(findings) = &report.findings {
            put("findings", json!(findings));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(print: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).expect("memory takes it");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn what_was_printed_live_is_not_printed_again() {
        for (answer, live, expected) in [
            ("one two\n\n", "", "one two\n"),
            ("one two\n", "one ", "two\n"),
            ("one two", "one two", "\n"),
            ("another answer", "one two", "\nanother answer\n"),
        ] {
            assert_eq!(printed(|out| print_rest(out, answer, live)), expected, "{answer:?} after {live:?}");
        }
    }

    #[test]
    fn a_diff_keeps_every_line_under_its_colours() {
        let diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same\n";
        let coloured = printed(|out| terminal::print_diff(out, diff));
        assert!(coloured.contains("\u{1b}[32m+new") && coloured.contains("\u{1b}[31m-old"), "{coloured:?}");
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), diff);
    }

    #[test]
    fn a_terminal_is_not_steered_by_an_answer() {
        assert_eq!(terminal::visible("if a \u{202e}}\u{2066}"), "if a \u{fffd}}\u{fffd}");
        assert_eq!(terminal::visible("a\tµ\r\n"), "a\tµ\r\n");
        assert_eq!(terminal::visible("+evil()\r+good()\r\n"), "+evil()␍+good()\r\n");
        assert_eq!(terminal::visible("\u{1b}]0;title\u{7}\u{7f}\u{9b}2J"), "␛]0;title␇␡\u{fffd}2J");
    }
}
