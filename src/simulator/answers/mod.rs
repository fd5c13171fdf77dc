//! Answers made from the code itself: no model, but the shape that a good answer has.
//!
//! The request's last message says what is asked for, in the marks that [`crate::prompt`] puts there.

mod code;
mod document;
mod explain;
mod fix;
mod hints;
mod marks;
mod place;
mod review;
mod talk;
mod tree;
mod words;
mod written;

use serde_json::Value;

use self::code::{Code, fenced};
use self::marks::Marks;
use super::reply::{Part, Reply};
use crate::prompt::GO_ON;

/// The answer to a checked request.
pub(super) fn reply(body: &Value) -> Reply {
    let mut reply = match Marks::find(body) {
        Some(marks) if matches!(marks.action.as_str(), "ask" | "follow-up") => talk::reply(body, &marks),
        Some(marks) if marks.action == "review" || marks.task.contains("Form: findings. ") => {
            review::reply(body, &marks, &Code::new(&marks))
        }
        marks => Reply::text(marks.map_or_else(generic, |marks| text(&marks))),
    };
    if let ([Part::Text(whole)], Some(said)) = (reply.parts.as_mut_slice(), said(body))
        && let Some(rest) = whole.strip_prefix(&said)
    {
        *whole = rest.to_owned();
    }
    reply
}

/// What was said of the answer already, when the request is for the rest of it: the last turn was paused, or it was cut and
/// the user has it go on.
fn said(body: &Value) -> Option<String> {
    let mut messages = body.get("messages").and_then(Value::as_array)?.iter().rev();
    let last = messages.next()?;
    let turn = if last["role"] == "assistant" {
        last
    } else {
        texts(last).any(|text| text == GO_ON).then(|| messages.next())??
    };
    Some(texts(turn).collect())
}

fn texts(message: &Value) -> impl Iterator<Item = &str> {
    let blocks = message["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    message["content"].as_str().into_iter().chain(blocks.iter().filter_map(|block| block["text"].as_str()))
}

/// The action that the request's task names.
pub(super) fn action(body: &Value) -> Option<String> {
    Marks::find(body).map(|marks| marks.action)
}

/// Whether the last turn hands in the result of a tool.
pub(super) fn follows_tool_result(body: &Value) -> bool {
    let last = body.get("messages").and_then(Value::as_array).and_then(|messages| messages.last());
    let blocks = last.and_then(|message| message.get("content")).and_then(Value::as_array);
    blocks.is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "tool_result"))
}

fn text(marks: &Marks) -> String {
    let code = Code::new(marks);
    match marks.action.as_str() {
        "explain" => explain::explain(marks, &code),
        "add-type-hints" => hints::answer(&code),
        "document" => document::answer(&code),
        "describe-image" => picture(marks),
        "fix" => fix::answer(marks, &code),
        "write-tests" => written::answer(marks, &code),
        // The task's own words say when an edit is wanted; the only edit that is safe without a model changes nothing.
        _ if marks.task.contains("Form: edit") => {
            let block = fenced(code.language.fence, code.selected());
            format!(
                "{block}\n\nSimulated answer: no model has read this code, and the simulator cannot do `{}`, so nothing was \
                 changed.",
                marks.action
            )
        }
        _ if marks.task.contains("Form: new file") => {
            let block = fenced(code.language.fence, code.selected());
            format!("{block}\n\nSimulated answer: no model has read this code; the new file is a copy of it.")
        }
        action => format!(
            "{}\n\nThe simulator has no answer of its own to `{action}`; this is its outline of the selected code.",
            explain::explain(marks, &code)
        ),
    }
}

/// A picture's description without a look at it.
fn picture(marks: &Marks) -> String {
    let what = marks.picture.as_deref().unwrap_or("no picture");
    if !marks.task.contains("Form: edit") {
        return format!("This is {what}.\n\nSimulated answer: no model has seen it.");
    }
    format!("{}\n\nSimulated answer: no model has seen the picture.", fenced("text", &format!("Simulated: {what}")))
}

/// The answer to a request that is not one of Aside's actions.
fn generic() -> String {
    "This answer is **simulated**: no model has read the request.\n\nThe request was checked, its tokens were counted, and the \
     prompt cache was kept as the real API keeps it. To have an answer of your own here, start the simulator with a scenario: \
     `aside simulate --scenario FILE`."
        .to_owned()
}

#[cfg(test)]
mod tests;
