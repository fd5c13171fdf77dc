//! The end of the prompt: what differs from action to action.

use minijinja::{Value, context};

use super::context::{Piece, PieceKind};
use super::document::{Lines, is_most_of};
use super::{Input, TestTarget, tags};
use crate::actions::{ResultForm, target, template};
use crate::error::{Error, ErrorKind};
use crate::workspace::secrets;

/// What an own action that finds does not have to say itself.
const FINDINGS: &str = include_str!("findings.md");

/// The blocks of the last layer: context, existing tests, then the selection, then the task. A selection in a document that is sent
/// whole need not always be repeated.
pub(super) fn blocks(input: &Input<'_>, document_is_whole: bool) -> Result<Vec<String>, Error> {
    let mut blocks = Vec::with_capacity(4);
    blocks.extend(input.context.and_then(super::context::block));
    blocks.extend(input.tests.map(tests));
    blocks.push(selection(input, document_is_whole));
    blocks.push(task(input)?);
    Ok(blocks)
}

fn tests(target: &TestTarget) -> String {
    let existing = target.existing.as_deref().unwrap_or_default();
    let exists = if target.inline || target.existing.is_some() { "true" } else { "false" };
    let attributes = [("path", target.path.as_str()), ("framework", &target.framework), ("exists", exists)];
    // Tests that live in the document are in front of this already.
    tags::wrap("tests", &attributes, if target.inline { "" } else { existing })
}

/// The selected code, verbatim; where it is most of a document that is there, its place in the document instead.
pub(super) fn selection(input: &Input<'_>, document_is_whole: bool) -> String {
    let code = &input.text[input.selection.clone()];
    let lines = Lines::of(input.text, &input.selection).to_string();
    let place = [("path", input.path), ("language", input.language.id), ("lines", &lines)];
    if input.action.result == ResultForm::Diagnostics {
        // Models count lines badly, and findings are given by them.
        let [path, language, lines] = place;
        let numbered = numbered(code, Lines::of(input.text, &input.selection).first);
        return tags::wrap("selection", &[path, language, lines, ("numbered", "true")], &numbered);
    }
    if !document_is_whole || !is_most_of(input.text, &input.selection) {
        return tags::wrap("selection", &place, code);
    }
    // Models count lines badly, so the ends are named too.
    let mut filled = code.lines().map(str::trim).filter(|line| !line.is_empty());
    let begins = secrets::beginning(filled.next().unwrap_or_default(), 80);
    let ends = secrets::beginning(filled.next_back().unwrap_or_default(), 80);
    let [path, language, lines] = place;
    tags::empty("selection", &[path, language, lines, ("begins", begins), ("ends", ends)])
}

/// Each line behind its number.
fn numbered(code: &str, first: usize) -> String {
    let lines = code.lines().enumerate();
    lines.map(|(index, line)| format!("{}| {line}", first + index)).collect::<Vec<_>>().join("\n")
}

/// The task: what is asked for, always the last block.
pub(super) fn task(input: &Input<'_>) -> Result<String, Error> {
    let mut text = render(input)?;
    if let Some(wish) = input.prompt.map(str::trim).filter(|wish| !wish.is_empty()) {
        if input.action.asks() {
            text.push_str("\n\n");
            text.push_str(&tags::wrap("question", &[], wish));
        } else {
            text.push_str("\n\nThe user adds, within what the task allows:\n");
            text.push_str(&tags::wrap("wish", &[], wish));
        }
    }
    Ok(tags::wrap("task", &[("action", &input.action.id)], &text))
}

fn render(input: &Input<'_>) -> Result<String, Error> {
    let tests = input.tests;
    let action = input.action;
    let variables = context! {
        action => action.id.as_ref(),
        language => input.language.name,
        language_id => input.language.id,
        fence => input.language.fence,
        path => input.path,
        selection => &input.text[input.selection.clone()],
        lines => Lines::of(input.text, &input.selection).to_string(),
        prompt => input.prompt.unwrap_or_default(),
        diagnostics => diagnostics(input),
        tests_path => tests.map_or("", |tests| tests.path.as_str()),
        tests_exist => tests.is_some_and(|tests| tests.existing.is_some()),
        tests_inline => tests.is_some_and(|tests| tests.inline),
        framework => tests.map_or("", |tests| tests.framework.as_str()),
        import_hint => tests.map_or("", |tests| tests.import_hint.as_str()),
    };
    let text = template::render(&action.instruction, variables).map_err(|error| {
        let place = if action.custom.is_some() { format!(", line {} of its task", error.line) } else { String::new() };
        Error::new(ErrorKind::Config, format!("The action `{}` is wrong{place}: {}.", action.id, error.message))
    })?;
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::new(ErrorKind::Config, format!("The action `{}` asks no model anything.", action.id)));
    }
    Ok(match (&action.custom, action.result) {
        (None, _) => text.to_owned(),
        // What becomes of the answer is not for a file's author to say.
        (Some(_), ResultForm::Edit) => format!("{text}\n\nForm: edit."),
        (Some(_), ResultForm::Diagnostics) => format!("{text}\n\nForm: findings. {}", FINDINGS.trim_end()),
        (Some(custom), ResultForm::NewFile) => {
            let pattern = custom.target.as_deref().unwrap_or_default();
            let place = target::place(pattern, input.path, input.language.id).map_err(|reason| {
                Error::new(
                    ErrorKind::Config,
                    format!("The action `{}` has no place for its file: {reason}.", action.id),
                )
            })?;
            format!("{text}\n\nForm: new file. It becomes `{place}`.")
        }
        (Some(_), _) => format!("{text}\n\nForm: explanation."),
    })
}

/// What other tools say, for a template.
fn diagnostics(input: &Input<'_>) -> Vec<Value> {
    let pieces = input.context.map_or(&[][..], |context| &context.pieces);
    let pieces = pieces.iter().filter(|piece| piece.kind == PieceKind::Diagnostic);
    let told = |piece: &Piece| {
        let lines = format!("{}-{}", piece.lines.0, piece.lines.1);
        context! { lines => lines, message => piece.text.as_str() }
    };
    pieces.map(told).collect()
}
