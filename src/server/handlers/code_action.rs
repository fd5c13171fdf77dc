//! `textDocument/codeAction`: the menu. Whole actions at once, and nothing slow: no parsing, no file, no request.

use lsp_types::{
    CodeAction, CodeActionContext, CodeActionKind, CodeActionParams, CodeActionResponse, CodeActionTag,
    CodeActionTriggerKind, Command, Diagnostic, LspAny, Message, Range,
};
use ropey::Rope;
use serde_json::json;
use tower_lsp::jsonrpc::Result;

use super::super::backend::Backend;
use super::super::ext::{self, JobArguments, RunArguments};
use super::super::{from_proto, host};
use crate::actions::{self, Action, LONGEST_UNFINISHED, Place};
use crate::prompt::context::wants_diagnostics;
use crate::workspace::{Span, selection};

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
    let state = session.state();
    let Some(document) = state.documents.get(&uri) else { return Ok(None) };
    let selected = from_proto::span(document.text(), state.capabilities.encoding, params.range);
    let empty = selection::is_empty(document.text(), &selected);
    if empty && params.context.trigger_kind == Some(CodeActionTriggerKind::Automatic) {
        return Ok(Some(Vec::new()));
    }
    let (literals, tags) = (state.capabilities.code_action_literals, state.capabilities.action_tags);
    let proposals = state.proposals.list();
    let standing = state.standing.list();
    let (language, version, settings) = (document.language(), document.version(), state.settings.clone());
    // What is longer is cut: then it is too long to be a stub, and no copy of a large file is made.
    let longest = selected.start + LONGEST_UNFINISHED + 4;
    let text = if empty { String::new() } else { text_of(document.text(), selected.start..selected.end.min(longest)) };
    drop(state);

    let respond = |kind: &str, title: String, command: Command| {
        if !literals {
            return CodeActionResponse::Command(command);
        }
        CodeActionResponse::CodeAction(CodeAction {
            title,
            kind: Some(CodeActionKind::from(kind.to_owned())),
            command: Some(command),
            tags: tags.then(|| vec![CodeActionTag::LLMGenerated]),
            ..CodeAction::default()
        })
    };
    let complaints = complaints(&params.context);
    let mut menu = Vec::new();
    let decisions = proposals.iter().flat_map(proposed).chain(standing.iter().flat_map(kept));
    for (kind, title, command) in decisions {
        if wanted(&params.context, kind) {
            menu.push(respond(kind, title, command));
        }
    }
    let place = Place { language, text: &text, running: !running.is_empty() };
    for action in actions::offered(&place, &settings) {
        if !wanted(&params.context, &action.kind) {
            continue;
        }
        if action.id == "cancel" {
            for (title, command) in cancels(&running) {
                menu.push(respond(&action.kind, title, command));
            }
            continue;
        }
        let title = actions::title_for(action, None);
        let told = if wants_diagnostics(&action.id) { complaints.as_slice() } else { &[] };
        let command = run_command(action, &title, &uri, params.range, version, told);
        menu.push(respond(&action.kind, title, command));
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

/// What the other servers say about the place, without what only they and the editor understand.
fn complaints(context: &CodeActionContext) -> Vec<Diagnostic> {
    let bare = |diagnostic: &Diagnostic| Diagnostic {
        range: diagnostic.range,
        severity: diagnostic.severity,
        code: diagnostic.code.clone(),
        source: diagnostic.source.clone(),
        message: match &diagnostic.message {
            Message::String(text) => Message::String(text.chars().take(MAX_MESSAGE_CHARS).collect()),
            Message::MarkupContent(markup) => Message::String(markup.value.chars().take(MAX_MESSAGE_CHARS).collect()),
        },
        ..Diagnostic::default()
    };
    context.diagnostics.iter().take(MAX_DIAGNOSTICS).map(bare).collect()
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

const ACCEPT_KIND: &str = "refactor.aside.accept";
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
    let arguments = JobArguments { job: Some(job.clone()), retry };
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
    use super::*;

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
