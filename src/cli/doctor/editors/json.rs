//! JSON as editors write it, with comments and trailing commas.

use serde_json::Value;

/// The value of a text, or where and how it is broken. An empty text is null, as editors take it.
pub(super) fn parse(text: &str) -> Result<Value, ((usize, usize), String)> {
    let mut plain = text.to_owned();
    // What cannot be stripped is a comment without an end; the parser then stumbles over it, at its place.
    let _ = json_strip_comments::strip(&mut plain);
    if plain.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&plain).map_err(|error| {
        // Its column counts bytes.
        let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
        let end = error.column().saturating_sub(1);
        let column = line.char_indices().take_while(|(at, _)| *at < end).count() + 1;
        let message = error.to_string();
        let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason).to_owned();
        ((error.line().max(1), column), reason)
    })
}
