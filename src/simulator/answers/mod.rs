//! Answers made from the code itself: no model, but the shape that a good answer has.
//!
//! The request's last message says what is asked for, in the marks that [`crate::prompt`] puts there.

mod marks;

use serde_json::Value;

use self::marks::Marks;
use super::reply::Reply;

/// The answer to a checked request.
pub(super) fn reply(body: &Value) -> Reply {
    Reply::text(text(body))
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

fn text(body: &Value) -> String {
    match Marks::find(body) {
        Some(marks) => format!("Simulated: {}", marks.action),
        None => "This answer is **simulated**: no model has read the request.".to_owned(),
    }
}
