//! Tool definitions, calls with their results, and `tool_choice`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::failure::Failure;
use super::content::Message;
use super::object::Object;
use crate::claude::models::{ForcedTools, Model};

/// The names of the tools, if their definitions are right.
pub(super) fn tools<'a>(request: &Object<'a>) -> Result<BTreeSet<&'a str>, Failure> {
    let mut names = BTreeSet::new();
    for (number, value) in request.optional_list("tools")?.unwrap_or_default().iter().enumerate() {
        let name = tool(value, &format!("tools.{number}"))?;
        if !names.insert(name) {
            return Err(Failure::invalid("tools: Tool names must be unique."));
        }
    }
    Ok(names)
}

fn tool<'a>(value: &'a Value, place: &str) -> Result<&'a str, Failure> {
    let tool = Object::any(value, place)?;
    if let Some(kind) = tool.nullable_string("type")?.filter(|kind| *kind != "custom") {
        return Err(
            tool.error("type", &format!("'{kind}' is run by the API's servers, which the simulator does not have"))
        );
    }
    tool.only(&[
        "type",
        "name",
        "description",
        "input_schema",
        "strict",
        "eager_input_streaming",
        "cache_control",
        "input_examples",
        "defer_loading",
        "allowed_callers",
    ])?;
    let name = tool.string("name")?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || name.len() > 128 || !name.bytes().all(fits) {
        return Err(tool.error("name", "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"));
    }
    tool.optional_string("description")?;
    tool.optional_bool("strict")?;
    if tool.nullable("eager_input_streaming").is_some() {
        tool.optional_bool("eager_input_streaming")?;
    }
    let schema = Object::any(tool.required("input_schema")?, tool.at("input_schema"))?;
    if schema.string("type")? != "object" {
        return Err(schema.error("type", "Input should be 'object'"));
    }
    Ok(name)
}

/// Every call has its result in the next turn, and every result its call in the turn before.
pub(super) fn pairs(messages: &[Message<'_>], tools: &BTreeSet<&str>) -> Result<(), Failure> {
    // Messages of one role in a row are one turn to the API.
    let turns: Vec<&[Message<'_>]> = messages.chunk_by(|a, b| a.user == b.user).collect();
    let mut open: Vec<&str> = Vec::new();
    for (number, turn) in turns.iter().enumerate() {
        let first = turn[0].index;
        if turn[0].user {
            let mut results = BTreeSet::new();
            for (index, id) in ids(turn, "tool_result", "tool_use_id") {
                if !open.contains(&id) {
                    return Err(Failure::invalid(format!(
                        "messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each \
                         `tool_result` block must have a corresponding `tool_use` block in the previous message."
                    )));
                }
                if !results.insert(id) {
                    return Err(Failure::invalid(format!(
                        "messages.{index}: each tool_use must have a single result. Found multiple `tool_result` blocks \
                         with id: {id}"
                    )));
                }
            }
            results_come_first(turn)?;
            let missing: Vec<_> = open.iter().copied().filter(|id| !results.contains(id)).collect();
            if !missing.is_empty() {
                return Err(unanswered(first.saturating_sub(1), &missing));
            }
            open.clear();
        } else {
            open = ids(turn, "tool_use", "id").map(|(_, id)| id).collect();
            if open.iter().collect::<BTreeSet<_>>().len() < open.len() {
                return Err(Failure::invalid(format!("messages.{first}: `tool_use` ids must be unique")));
            }
            if !open.is_empty() && tools.is_empty() {
                return Err(Failure::invalid(
                    "Requests which include `tool_use` or `tool_result` blocks must define tools.",
                ));
            }
            if number + 1 == turns.len() && !open.is_empty() {
                return Err(unanswered(first, &open));
            }
        }
    }
    Ok(())
}

fn ids<'a>(turn: &[Message<'a>], kind: &'static str, key: &'static str) -> impl Iterator<Item = (usize, &'a str)> {
    turn.iter()
        .flat_map(|message| message.blocks.iter().map(|block| (message.index, block)))
        .filter(move |(_, block)| block.get("type").and_then(Value::as_str) == Some(kind))
        .filter_map(move |(index, block)| Some((index, block.get(key)?.as_str()?)))
        .collect::<Vec<_>>()
        .into_iter()
}

fn results_come_first(turn: &[Message<'_>]) -> Result<(), Failure> {
    for message in turn {
        let is_result = |block: &Value| block.get("type").and_then(Value::as_str) == Some("tool_result");
        let first_other = message.blocks.iter().position(|block| !is_result(block)).unwrap_or(message.blocks.len());
        if message.blocks[first_other..].iter().any(is_result) {
            return Err(Failure::invalid(format!(
                "messages.{}: `tool_result` blocks must come before all other content",
                message.index
            )));
        }
    }
    Ok(())
}

fn unanswered(index: usize, ids: &[&str]) -> Failure {
    Failure::invalid(format!(
        "messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` \
         block must have a corresponding `tool_result` block in the next message.",
        ids.join(", ")
    ))
}

/// Whether the model takes the `tool_choice`.
pub(super) fn choice(request: &Object<'_>, model: &Model, tools: &BTreeSet<&str>) -> Result<(), Failure> {
    let Some(value) = request.get("tool_choice") else { return Ok(()) };
    let choice = Object::any(value, "tool_choice")?;
    let kind = choice.tag(&["auto", "any", "tool", "none"])?;
    match kind {
        "tool" => choice.only(&["type", "name", "disable_parallel_tool_use"])?,
        "none" => choice.only(&["type"])?,
        _ => choice.only(&["type", "disable_parallel_tool_use"])?,
    }
    choice.optional_bool("disable_parallel_tool_use")?;
    if tools.is_empty() {
        return Err(Failure::invalid("tool_choice: tool_choice may only be specified while providing tools"));
    }
    if kind == "tool" {
        let name = choice.string("name")?;
        if !tools.contains(name) {
            return Err(Failure::invalid(format!("tool_choice: Tool '{name}' not found in provided tools")));
        }
    }
    let thinking = request.get("thinking").and_then(|thinking| thinking.get("type")).and_then(Value::as_str);
    match (kind, model.forced_tools) {
        ("any" | "tool", ForcedTools::Never) => Err(Failure::invalid(format!(
            "tool_choice.type: '{kind}' is not supported for this model. Use 'auto' or 'none'."
        ))),
        ("any" | "tool", ForcedTools::NotWithThinking) if thinking == Some("enabled") => {
            Err(Failure::invalid("Thinking may not be enabled when tool_choice forces tool use."))
        }
        _ => Ok(()),
    }
}
