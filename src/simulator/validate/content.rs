//! The system prompt and the messages, block by block.

use base64::Engine as _;
use serde_json::Value;

use super::super::failure::Failure;
use super::super::reply::signature;
use super::object::Object;
use crate::claude::models::Model;

/// A message whose form is right.
#[derive(Clone, Debug)]
pub(super) struct Message<'a> {
    /// Whether the user speaks.
    pub(super) user: bool,
    /// Its place among the messages.
    pub(super) index: usize,
    /// Its blocks; a bare string has none.
    pub(super) blocks: &'a [Value],
    /// The text of a message that is a bare string.
    pub(super) text: Option<&'a str>,
}

const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// The messages, if their form is right.
pub(super) fn messages<'a>(request: &Object<'a>) -> Result<Vec<Message<'a>>, Failure> {
    let list = request.list("messages")?;
    if list.is_empty() {
        return Err(Failure::invalid("messages: at least one message is required"));
    }
    if list.len() > 100_000 {
        return Err(Failure::invalid("messages: List should have at most 100000 items"));
    }
    let messages: Vec<_> =
        list.iter().enumerate().map(|(index, value)| message(index, value)).collect::<Result<_, _>>()?;
    if !messages[0].user {
        return Err(Failure::invalid("messages: first message must use the \"user\" role"));
    }
    Ok(messages)
}

fn message(index: usize, value: &Value) -> Result<Message<'_>, Failure> {
    let place = format!("messages.{index}");
    let message = Object::new(value, &place, &["role", "content"])?;
    message.required("role")?;
    let user = message.optional_word("role", &["user", "assistant"])? == Some("user");
    match message.required("content")? {
        Value::String(text) => {
            if text.is_empty() {
                return Err(Failure::invalid(format!("{place}: user messages must have non-empty content")));
            }
            Ok(Message { user, index, blocks: &[], text: Some(text) })
        }
        Value::Array(blocks) => {
            if blocks.is_empty() {
                return Err(Failure::invalid(format!("{place}: all messages must have non-empty content")));
            }
            for (number, value) in blocks.iter().enumerate() {
                let tags: &[&str] = if user {
                    &["text", "image", "document", "search_result", "tool_result"]
                } else {
                    &["text", "thinking", "redacted_thinking", "tool_use"]
                };
                block(value, &format!("{place}.content.{number}"), tags)?;
            }
            Ok(Message { user, index, blocks, text: None })
        }
        _ => Err(message.error("content", "Input should be a valid string or list of blocks")),
    }
}

/// The system prompt: a string, or text blocks.
pub(super) fn system(request: &Object<'_>) -> Result<(), Failure> {
    match request.get("system") {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) => blocks
            .iter()
            .enumerate()
            .try_for_each(|(number, value)| block(value, &format!("system.{number}"), &["text"])),
        Some(_) => Err(request.error("system", "Input should be a valid string or list of text blocks")),
    }
}

fn block(value: &Value, place: &str, tags: &[&str]) -> Result<(), Failure> {
    let block = Object::any(value, place)?;
    let tag = block.tag(tags)?;
    match tag {
        "text" => {
            block.only(&["type", "text", "cache_control", "citations"])?;
            if block.string("text")?.is_empty() {
                let section = place.split('.').next().unwrap_or(place);
                return Err(if block.nullable("cache_control").is_some() {
                    block.error("text", "cache_control cannot be set for empty text blocks")
                } else {
                    Failure::invalid(format!("{section}: text content blocks must be non-empty"))
                });
            }
        }
        "image" => {
            block.only(&["type", "source", "cache_control", "transformations"])?;
            image(&block)?;
        }
        "document" => {
            block.only(&["type", "source", "cache_control", "citations", "context", "title"])?;
            document(&block)?;
        }
        "search_result" => {
            block.only(&["type", "content", "source", "title", "cache_control", "citations"])?;
            block.string("source")?;
            block.string("title")?;
            nested(&block, &["text"])?;
        }
        "tool_result" => {
            block.only(&["type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"])?;
            block.string("tool_use_id")?;
            block.optional_bool("is_error")?;
            nested(&block, &["text", "image", "search_result", "document"])?;
        }
        "tool_use" => {
            block.only(&["type", "id", "name", "input", "cache_control", "caller", "toolset_name"])?;
            let well_formed = |id: &str| {
                !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
            };
            if !well_formed(block.string("id")?) {
                return Err(block.error("id", "String should match pattern '^[a-zA-Z0-9_-]+$'"));
            }
            block.string("name")?;
            Object::any(block.required("input")?, block.at("input"))?;
        }
        "thinking" => {
            block.only(&["type", "thinking", "signature"])?;
            if block.string("signature")? != signature(block.string("thinking")?) {
                return Err(block.complaint("Invalid `signature` in `thinking` block"));
            }
        }
        _ => {
            block.only(&["type", "data"])?;
            block.string("data")?;
        }
    }
    Ok(())
}

/// Blocks inside a block, where breakpoints have no place.
fn nested(block: &Object<'_>, tags: &[&str]) -> Result<(), Failure> {
    match block.get("content") {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) => {
            for (number, value) in blocks.iter().enumerate() {
                let place = format!("{}.{number}", block.at("content"));
                self::block(value, &place, tags)?;
                if value.get("cache_control").is_some_and(|control| !control.is_null()) {
                    return Err(Failure::invalid(format!(
                        "{place}.cache_control: only blocks of a message itself can have a breakpoint"
                    )));
                }
            }
            Ok(())
        }
        Some(_) => Err(block.error("content", "Input should be a valid string or list of blocks")),
    }
}

fn image(block: &Object<'_>) -> Result<(), Failure> {
    let source = Object::any(block.required("source")?, block.at("source"))?;
    if source.tag(&["base64", "url"])? == "url" {
        source.only(&["type", "url"])?;
        return web_address(&source);
    }
    source.only(&["type", "media_type", "data"])?;
    source.required("media_type")?;
    let declared = source.optional_word("media_type", &IMAGES)?.unwrap_or_default();
    let bytes = base64_data(&source)?;
    let found = media_type(&bytes).ok_or_else(|| source.complaint("Could not process image"))?;
    if found != declared {
        return Err(source.complaint(&format!(
            "The image was specified using the {declared} media type, but the image appears to be a {found} image"
        )));
    }
    Ok(())
}

fn document(block: &Object<'_>) -> Result<(), Failure> {
    block.nullable_string("title")?;
    block.nullable_string("context")?;
    let source = Object::any(block.required("source")?, block.at("source"))?;
    match source.tag(&["base64", "text", "content", "url"])? {
        "base64" => {
            source.only(&["type", "media_type", "data"])?;
            source.optional_word("media_type", &["application/pdf"])?;
            if !base64_data(&source)?.starts_with(b"%PDF-") {
                return Err(source.complaint("The PDF specified was not valid."));
            }
            Ok(())
        }
        "text" => {
            source.only(&["type", "media_type", "data"])?;
            source.optional_word("media_type", &["text/plain"])?;
            if source.string("data")?.is_empty() {
                return Err(source.error("data", "String should have at least 1 character"));
            }
            Ok(())
        }
        "content" => {
            source.only(&["type", "content"])?;
            nested(&source, &["text", "image"])
        }
        _ => {
            source.only(&["type", "url"])?;
            web_address(&source)
        }
    }
}

fn web_address(source: &Object<'_>) -> Result<(), Failure> {
    let url = url::Url::parse(source.string("url")?).map_err(|error| source.error("url", &error.to_string()))?;
    if url.scheme() == "https" { Ok(()) } else { Err(source.error("url", "Only HTTPS URLs are supported.")) }
}

fn base64_data(source: &Object<'_>) -> Result<Vec<u8>, Failure> {
    let data = source.string("data")?;
    if data.is_empty() {
        return Err(source.error("data", "String should have at least 1 character"));
    }
    base64::engine::general_purpose::STANDARD
        .decode(data)
        .map_err(|error| source.error("data", &format!("invalid base64 data: {error}")))
}

/// What a picture's first bytes say it is.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// Whether the conversation may end as it does.
pub(super) fn ending(messages: &[Message<'_>], request: &Object<'_>, model: &Model) -> Result<(), Failure> {
    let Some(last) = messages.last().filter(|last| !last.user) else {
        return thinking_before_tools(messages, request);
    };
    // Adaptive thinking and the end of prefill came with the same models, the 4.6 family.
    if model.thinking.adaptive {
        return Err(Failure::invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    let text = last.text.or_else(|| last.blocks.last()?.get("text")?.as_str()).unwrap_or_default();
    if text.ends_with(char::is_whitespace) {
        return Err(Failure::invalid("messages: final assistant content cannot end with trailing whitespace"));
    }
    Ok(())
}

/// With enabled thinking, a turn that called tools goes back with the thinking that led to the calls.
fn thinking_before_tools(messages: &[Message<'_>], request: &Object<'_>) -> Result<(), Failure> {
    let enabled = request.get("thinking").and_then(|thinking| thinking.get("type")) == Some(&Value::from("enabled"));
    let Some(turn) = messages.iter().rev().find(|message| !message.user).filter(|_| enabled) else { return Ok(()) };
    let kind = |block: &Value| block.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let calls = turn.blocks.iter().any(|block| kind(block) == "tool_use");
    match turn.blocks.first().map(kind) {
        Some(first) if calls && first != "thinking" && first != "redacted_thinking" => Err(Failure::invalid(format!(
            "messages.{}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` \
             is enabled, a final `assistant` message must start with a thinking block (preceding the lastmost set of \
             `tool_use` and `tool_result` blocks).",
            turn.index
        ))),
        _ => Ok(()),
    }
}
