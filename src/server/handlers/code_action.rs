//! `textDocument/codeAction`: the menu. Whole actions at once, and nothing slow: no parsing, no file, no request.

use std::path::Path;

use lsp_types::{
    CodeAction, CodeActionContext, CodeActionKind, CodeActionParams, CodeActionResponse, CodeActionTag,
    CodeActionTriggerKind, Command, Diagnostic, DiagnosticSeverity, LspAny, Message, Range,
};
use ropey::Rope;
use serde_json::json;
use tower_lsp::jsonrpc::Result;

use super::super::backend::Backend;
use super::super::ext::{self, JobArguments, RunArguments, ShowArguments};
use super::super::findings::{REPAIR_KIND, SOURCE};
use super::super::{actions as own, from_proto, host};
use super::follow_up::explanation_of;
use crate::actions::{self, Action, Applies, LONGEST_UNFINISHED, Place};
use crate::prompt::context::wants_diagnostics;
use crate::workspace::{Span, pictures, selection};

/// So many diagnostics go along with an action, and so much of each message: they travel with every entry of the menu.
const MAX_DIAGNOSTICS: usize = 10;
const MAX_MESSAGE_CHARS: usize = 600;

/// The most running jobs that get a cancel action of their own.
const MAX_CANCELS: usize = 3;

/// The actions for a place.
pub(in crate::server) async fn code_action(
    backend: &Backend,
    params: CodeActionParams,
) -> Result<Option<Vec<CodeActionResponse>>> {
    let session = &backend.session;
    let running = session.registry.list();
    let uri = params.text_document.uri;
    if host::is_explanation(&uri) {
        return Ok(Some(Vec::new()));
    }
    let is_page = explanation_of(session, &uri).is_some();
    let state = session.state();
    let Some(document) = state.documents.get(&uri) else { return Ok(None) };
    let selected = from_proto::span(document.text(), state.capabilities.encoding, params.range);
    let empty = selection::is_empty(document.text(), &selected);
    if empty && params.context.trigger_kind == Some(CodeActionTriggerKind::Automatic) {
        return Ok(Some(Vec::new()));
    }
    let (literals, tags, prompts) =
        (state.capabilities.code_action_literals, state.capabilities.action_tags, state.capabilities.prompt);
    let found = state.findings.repairs(document, &selected, state.capabilities.encoding);
    let review = state.findings.review_at(document, &selected);
    let proposals = state.proposals.list();
    let standing = state.standing.list();
    let (language, version, settings) = (document.language(), document.version(), state.settings.clone());
    let path = document.path().map(Path::to_path_buf);
    // What is longer is cut: then it is too long to be a stub, and no copy of a large file is made.
    let longest = selected.start + LONGEST_UNFINISHED + 4;
    let picture = pictures::link_at(language, uri.path(), document.text(), &selected);
    let picture = picture.is_some_and(|link| link.may_be_seen());
    let text = if empty { String::new() } else { text_of(document.text(), selected.start..selected.end.min(longest)) };
    drop(state);

    let respond = |kind: &str, title: String, command: Command, repairs: &[&Diagnostic]| {
        if !literals {
            return CodeActionResponse::Command(command);
        }
        CodeActionResponse::CodeAction(CodeAction {
            title,
            kind: Some(CodeActionKind::from(kind.to_owned())),
            command: Some(command),
            diagnostics: (!repairs.is_empty()).then(|| repairs.iter().copied().cloned().collect()),
            tags: tags.then(|| vec![CodeActionTag::LLMGenerated]),
            ..CodeAction::default()
        })
    };
    let complaints: Vec<Diagnostic> = params.context.diagnostics.iter().take(MAX_DIAGNOSTICS).map(bare).collect();
    let to_repair = to_repair(&params.context, params.range);
    let reports: Vec<&str> = to_repair.iter().map(|one| message_of(one)).collect();
    let mut menu = Vec::new();
    let decisions = proposals.iter().flat_map(proposed).chain(standing.iter().flat_map(kept));
    for (kind, title, command) in decisions {
        if wanted(&params.context, kind) {
            menu.push(respond(kind, title, command, &[]));
        }
    }
    for (number, diagnostic) in found.iter().filter(|_| wanted(&params.context, REPAIR_KIND)) {
        let title = format!("Aside: repair: {}", actions::one_line(message_of(diagnostic)));
        let command = repair_command(*number, &title);
        menu.push(respond(REPAIR_KIND, title, command, &[diagnostic]));
    }
    // While it goes on there is nothing yet to ask on about.
    let review = review.filter(|job| running.iter().all(|(id, _)| id != job));
    if let Some(review) = review.filter(|_| !is_page && wanted(&params.context, FOLLOW_UP_KIND)) {
        let title = "Aside: ask about this review".to_owned();
        let command = show_command(review, &title);
        menu.push(respond(FOLLOW_UP_KIND, title, command, &[]));
    }
    let place = Place { language, text: &text, reports: &reports, picture, running: !running.is_empty(), prompts };
    let catalogue = own::catalogue(session, path.as_deref());
    let offered = catalogue.offered(&place, &settings);
    let explanations = catalogue.actions().iter().filter(|action| action.applies == Applies::Explanations);
    // In an explanation there is nothing to do but to ask on.
    let actions: Vec<_> = if is_page {
        let cancel = offered.into_iter().filter(|action| action.applies == Applies::WhileRunning);
        explanations.filter(|action| action.enabled(&settings)).chain(cancel).collect()
    } else {
        offered
    };
    for action in actions {
        // A user's own quick fix has nothing to fix where nobody complains.
        let has_cause = !action.kind.starts_with("quickfix.") || !to_repair.is_empty();
        if !(wanted(&params.context, &action.kind) && has_cause) {
            continue;
        }
        if action.id == "cancel" {
            for (title, command) in cancels(&running) {
                menu.push(respond(&action.kind, title, command, &[]));
            }
            continue;
        }
        if action.applies == Applies::Reported {
            let title = actions::title_of_reports(action, &reports);
            let told: Vec<Diagnostic> = to_repair.iter().map(|one| bare(one)).collect();
            let command = run_command(action, &title, &uri, params.range, version, &told);
            menu.push(respond(&action.kind, title, command, &to_repair));
            continue;
        }
        let title = actions::title_for(action, None);
        let told = if wants_diagnostics(&action.id) { complaints.as_slice() } else { &[] };
        let command = run_command(action, &title, &uri, params.range, version, told);
        menu.push(respond(&action.kind, title, command, &[]));
    }
    Ok(Some(menu))
}

/// The text of a span, which may end inside of a character and then ends in front of it.
fn text_of(text: &Rope, span: Span) -> String {
    let chars = text.byte_to_char(span.start)..text.byte_to_char(span.end);
    text.slice(chars).to_string()
}

/// Whether the client wants actions of this kind; it may name a kind or what stands in front of it.
fn wanted(context: &CodeActionContext, kind: &str) -> bool {
    let Some(only) = &context.only else { return true };
    only.iter().any(|wanted| {
        let wanted = String::from(wanted.clone());
        wanted.is_empty() || kind == wanted || kind.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with('.'))
    })
}

/// What another server says, without what only it and the editor understand.
fn bare(diagnostic: &Diagnostic) -> Diagnostic {
    Diagnostic {
        range: diagnostic.range,
        severity: diagnostic.severity,
        code: diagnostic.code.clone(),
        source: diagnostic.source.clone(),
        message: Message::String(message_of(diagnostic).chars().take(MAX_MESSAGE_CHARS).collect()),
        ..Diagnostic::default()
    }
}

fn message_of(diagnostic: &Diagnostic) -> &str {
    match &diagnostic.message {
        Message::String(text) => text,
        Message::MarkupContent(markup) => &markup.value,
    }
}

/// The errors and warnings in the lines of a range. Some clients send what they have of the cursor's line, some of the
/// whole document.
fn to_repair(context: &CodeActionContext, range: Range) -> Vec<&Diagnostic> {
    let last = |range: Range| {
        let ends_above = range.end.character == 0 && range.end.line > range.start.line;
        range.end.line - u32::from(ends_above)
    };
    let is_serious = |one: &&Diagnostic| {
        // One that does not say how bad it is is taken for an error.
        matches!(one.severity, None | Some(DiagnosticSeverity::Error | DiagnosticSeverity::Warning))
    };
    let is_here = |one: &&Diagnostic| one.range.start.line <= last(range) && range.start.line <= last(one.range);
    let mut found: Vec<_> = context
        .diagnostics
        .iter()
        .filter(|one| !has_repair(one))
        .filter(is_serious)
        .filter(is_here)
        .take(MAX_DIAGNOSTICS)
        .collect();
    // The worst first; then as the client has them.
    found.sort_by_key(|one| one.severity == Some(DiagnosticSeverity::Warning));
    found
}

pub(super) fn run_command(
    action: &Action,
    title: &str,
    uri: &lsp_types::Uri,
    range: Range,
    version: i32,
    diagnostics: &[Diagnostic],
) -> Command {
    let arguments = RunArguments {
        action: action.id.to_string(),
        uri: uri.clone(),
        range,
        version: Some(version),
        prompt: None,
        diagnostics: diagnostics.to_vec(),
        wait: false,
    };
    Command {
        title: title.to_owned(),
        command: ext::RUN.to_owned(),
        arguments: serde_json::to_value(arguments).ok().map(|arguments| vec![arguments]),
        ..Command::default()
    }
}

/// What puts a finding's replacement in its place.
fn repair_command(finding: u64, title: &str) -> Command {
    let arguments = JobArguments { finding: Some(finding), ..JobArguments::default() };
    Command {
        title: title.to_owned(),
        command: ext::ACCEPT.to_owned(),
        arguments: serde_json::to_value(arguments).ok().map(|arguments| vec![arguments]),
        ..Command::default()
    }
}

/// What opens a review as a page, under which a question can be written.
fn show_command(id: String, title: &str) -> Command {
    Command {
        title: title.to_owned(),
        command: ext::SHOW_EXPLANATION.to_owned(),
        arguments: serde_json::to_value(ShowArguments { id }).ok().map(|arguments| vec![arguments]),
        ..Command::default()
    }
}

/// Whether a diagnostic is a finding of Aside's own that has a repair already.
fn has_repair(diagnostic: &Diagnostic) -> bool {
    let data = diagnostic.data.as_ref().filter(|_| diagnostic.source.as_deref() == Some(SOURCE));
    data.and_then(|data| data.get("repair")).and_then(LspAny::as_bool).unwrap_or(false)
}

const ACCEPT_KIND: &str = "refactor.aside.accept";
const FOLLOW_UP_KIND: &str = "refactor.aside.followUp";
const REJECT_KIND: &str = "refactor.aside.reject";

/// An edit that waits for the user's word, with both answers.
fn proposed(waiting: &(String, String)) -> [(&'static str, String, Command); 2] {
    [
        decision(waiting, ACCEPT_KIND, "Accept", ext::ACCEPT, false),
        decision(waiting, REJECT_KIND, "Reject", ext::REJECT, false),
    ]
}

/// An answer that was kept, with all that can be done with it.
fn kept(waiting: &(String, String)) -> [(&'static str, String, Command); 3] {
    [
        decision(waiting, ACCEPT_KIND, "Apply anyway", ext::ACCEPT, false),
        decision(waiting, REJECT_KIND, "Retry on the new text", ext::REJECT, true),
        decision(waiting, REJECT_KIND, "Discard", ext::REJECT, false),
    ]
}

fn decision(
    (job, title): &(String, String),
    kind: &'static str,
    word: &str,
    command: &str,
    retry: bool,
) -> (&'static str, String, Command) {
    let title = format!("{word}: {title}");
    let arguments = JobArguments { job: Some(job.clone()), finding: None, retry };
    let command = Command {
        title: title.clone(),
        command: command.to_owned(),
        arguments: serde_json::to_value(arguments).ok().map(|arguments| vec![arguments]),
        ..Command::default()
    };
    (kind, title, command)
}

/// A cancel action for each of the newest jobs, and one for all when there are several.
fn cancels(running: &[(String, String)]) -> Vec<(String, Command)> {
    let command = |title: &str, arguments: LspAny| Command {
        title: title.to_owned(),
        command: ext::CANCEL.to_owned(),
        arguments: Some(vec![arguments]),
        ..Command::default()
    };
    let newest = running.iter().rev().take(MAX_CANCELS);
    let mut cancels: Vec<_> = newest
        .map(|(job, title)| {
            let title = format!("Cancel: {title}");
            (title.clone(), command(&title, json!({ "job": job })))
        })
        .collect();
    if running.len() > 1 {
        let title = format!("Cancel all {} running actions of Aside", running.len());
        cancels.push((title.clone(), command(&title, json!({}))));
    }
    cancels
}

#[cfg(test)]
mod tests {
    use lsp_types::Position;

    use super::*;

    #[test]
    fn errors_and_warnings_in_the_lines_of_the_range_can_be_repaired() {
        use DiagnosticSeverity::{Error, Hint, Information, Warning};
        let range = |from: (u32, u32), to: (u32, u32)| Range {
            start: Position { line: from.0, character: from.1 },
            end: Position { line: to.0, character: to.1 },
        };
        let told = [
            ("warning", Some(Warning), range((1, 4), (1, 9))),
            ("error", Some(Error), range((1, 0), (1, 2))),
            ("unknown", None, range((1, 0), (1, 2))),
            ("hint", Some(Hint), range((1, 0), (1, 2))),
            ("information", Some(Information), range((1, 0), (1, 2))),
            ("above", Some(Error), range((0, 0), (1, 0))),
            ("around", Some(Error), range((0, 0), (7, 0))),
            ("below", Some(Error), range((2, 0), (2, 3))),
        ];
        let diagnostic = |(message, severity, range): &(&str, Option<DiagnosticSeverity>, Range)| Diagnostic {
            message: Message::String((*message).to_owned()),
            severity: *severity,
            range: *range,
            ..Diagnostic::default()
        };
        let context =
            CodeActionContext { diagnostics: told.iter().map(diagnostic).collect(), ..CodeActionContext::default() };
        for (range, expected) in [
            (range((1, 6), (1, 6)), "error unknown around warning"),
            (range((1, 0), (2, 0)), "error unknown around warning"),
            (range((2, 3), (2, 3)), "around below"),
            (range((8, 0), (9, 0)), ""),
        ] {
            let found: Vec<_> = to_repair(&context, range).into_iter().map(message_of).collect();
            assert_eq!(found.join(" "), expected, "{range:?}");
        }
    }

    #[test]
    fn honours_only_by_kind_and_by_what_stands_in_front_of_it() {
        let table = [
            (vec!["refactor"], "refactor.rewrite.aside.document", true),
            (vec!["refactor.rewrite"], "refactor.rewrite.aside.document", true),
            (vec!["refactor.rewrite.aside.document"], "refactor.rewrite.aside.document", true),
            (vec!["refactor.re"], "refactor.rewrite.aside.document", false),
            (vec!["quickfix", "source"], "refactor.aside.explain", false),
            (vec![""], "refactor.aside.explain", true),
            (vec![], "refactor.aside.explain", false),
        ];
        for (only, kind, expected) in table {
            let kinds = only.iter().map(|kind| CodeActionKind::from((*kind).to_owned())).collect();
            let context = CodeActionContext { only: Some(kinds), ..CodeActionContext::default() };
            assert_eq!(wanted(&context, kind), expected, "{only:?} {kind}");
        }
        assert!(wanted(&CodeActionContext::default(), "refactor.aside.explain"));
    }
}
