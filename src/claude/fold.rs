//! Stream events folded into the message they tell of. Pure: no clock, no network.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    types::{ContentBlock, Delta, MessageResponse, StreamEvent, Usage},
    usage::Tokens,
};

/// The key under which arguments that are not a JSON object are kept, so that the call can still be sent back.
pub const INVALID_JSON: &str = "INVALID_JSON";

/// A message in the making.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    message: Option<MessageResponse>,
    open: BTreeMap<usize, Open>,
    has_content: bool,
    stopped: bool,
}

/// Events that cannot belong to one message; says in what way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutOfOrder(pub &'static str);

#[derive(Clone, Debug)]
struct Open {
    block: ContentBlock,
    /// A tool's arguments as they come.
    arguments: String,
}

impl Fold {
    /// Takes the next event. Unknown events, deltas and deltas of unknown blocks change nothing; an `error` event is
    /// the caller's business.
    pub fn apply(&mut self, event: StreamEvent) -> Result<(), OutOfOrder> {
        match event {
            StreamEvent::MessageStart { message } => {
                if self.message.is_some() {
                    return Err(OutOfOrder("a second message_start"));
                }
                self.message = Some(message);
            }
            StreamEvent::ContentBlockStart { index, content_block } => {
                self.started()?;
                self.has_content |= is_filled(&content_block);
                self.open.insert(index, Open { block: content_block, arguments: String::new() });
            }
            StreamEvent::ContentBlockDelta { index, delta } => {
                self.started()?;
                self.grow(index, delta)?;
            }
            StreamEvent::ContentBlockStop { index } => {
                self.started()?;
                if let Some(open) = self.open.get_mut(&index) {
                    open.close();
                }
            }
            StreamEvent::MessageDelta { delta, usage } => {
                let message = self.started()?;
                message.stop_reason = delta.stop_reason.or(message.stop_reason.take());
                message.stop_sequence = delta.stop_sequence.or(message.stop_sequence.take());
                message.stop_details = delta.stop_details.or(message.stop_details.take());
                merge(&mut message.usage, usage);
            }
            StreamEvent::MessageStop => {
                self.started()?;
                self.stopped = true;
            }
            StreamEvent::Ping | StreamEvent::Error { .. } | StreamEvent::Other(_) => {}
        }
        Ok(())
    }

    /// Whether `message_stop` came.
    pub fn is_complete(&self) -> bool {
        self.stopped
    }

    /// Whether `message_start` came.
    pub fn is_started(&self) -> bool {
        self.message.is_some()
    }

    /// Whether any text, thinking or tool input came.
    pub fn has_content(&self) -> bool {
        self.has_content
    }

    /// What was reported so far.
    pub fn tokens(&self) -> Tokens {
        self.message.as_ref().map(|message| Tokens::from(&message.usage)).unwrap_or_default()
    }

    /// The text so far.
    pub fn text(&self) -> String {
        self.open
            .values()
            .filter_map(|open| match &open.block {
                ContentBlock::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The block at `index` as it is now.
    pub fn block(&self, index: usize) -> Option<&ContentBlock> {
        self.open.get(&index).map(|open| &open.block)
    }

    /// The message, if it is complete; blocks in the order of their indexes.
    pub fn finish(self) -> Option<MessageResponse> {
        let mut message = self.message.filter(|_| self.stopped)?;
        message.content.extend(self.open.into_values().map(|mut open| {
            open.close();
            open.block
        }));
        Some(message)
    }

    fn started(&mut self) -> Result<&mut MessageResponse, OutOfOrder> {
        if self.stopped {
            return Err(OutOfOrder("an event after message_stop"));
        }
        self.message.as_mut().ok_or(OutOfOrder("an event before message_start"))
    }

    fn grow(&mut self, index: usize, delta: Delta) -> Result<(), OutOfOrder> {
        let piece = match &delta {
            Delta::TextDelta { text: piece }
            | Delta::ThinkingDelta { thinking: piece }
            | Delta::InputJsonDelta { partial_json: piece } => piece.as_str(),
            Delta::SignatureDelta { .. } | Delta::Other(_) => "",
        };
        self.has_content |= !piece.is_empty();
        let Some(open) = self.open.get_mut(&index) else {
            // Some servers skip the start of a block; for text that does no harm.
            let block = match delta {
                Delta::TextDelta { text } => ContentBlock::text(text),
                Delta::ThinkingDelta { thinking } => ContentBlock::Thinking { thinking, signature: String::new() },
                Delta::InputJsonDelta { .. } => return Err(OutOfOrder("arguments of a tool that was not named")),
                Delta::SignatureDelta { .. } | Delta::Other(_) => return Ok(()),
            };
            self.open.insert(index, Open { block, arguments: String::new() });
            return Ok(());
        };
        match (&mut open.block, delta) {
            (ContentBlock::Text { text, .. }, Delta::TextDelta { text: more }) => text.push_str(&more),
            (ContentBlock::Thinking { thinking, .. }, Delta::ThinkingDelta { thinking: more }) => {
                thinking.push_str(&more);
            }
            (ContentBlock::Thinking { signature, .. }, Delta::SignatureDelta { signature: whole }) => {
                *signature = whole;
            }
            (_, Delta::InputJsonDelta { partial_json }) => open.arguments.push_str(&partial_json),
            _ => {}
        }
        Ok(())
    }
}

impl Open {
    /// Turns the arguments' text into their value. They stream unvalidated and may be cut at `max_tokens`.
    fn close(&mut self) {
        let arguments = std::mem::take(&mut self.arguments);
        if arguments.trim().is_empty() {
            return;
        }
        let parsed = match serde_json::from_str(&arguments) {
            Ok(value @ Value::Object(_)) => value,
            Ok(_) | Err(_) => json!({ INVALID_JSON: arguments }),
        };
        match &mut self.block {
            ContentBlock::ToolUse { input, .. } => *input = parsed,
            // `server_tool_use` and whatever comes after it.
            ContentBlock::Other(Value::Object(block)) => {
                block.insert("input".to_owned(), parsed);
            }
            _ => {}
        }
    }
}

/// The text of arguments that were not a JSON object, if these are such.
pub fn invalid_arguments(input: &Value) -> Option<&str> {
    let object = input.as_object().filter(|object| object.len() == 1)?;
    object.get(INVALID_JSON)?.as_str()
}

fn is_filled(block: &ContentBlock) -> bool {
    match block {
        ContentBlock::Text { text, .. } => !text.is_empty(),
        ContentBlock::Thinking { thinking, .. } => !thinking.is_empty(),
        ContentBlock::ToolUse { input, .. } => input.as_object().is_some_and(|input| !input.is_empty()),
        _ => false,
    }
}

/// Numbers are cumulative: the newest wins, unless it is null or missing.
fn merge(usage: &mut Usage, newer: Usage) {
    fn take<T>(old: &mut Option<T>, new: Option<T>) {
        if new.is_some() {
            *old = new;
        }
    }
    take(&mut usage.input_tokens, newer.input_tokens);
    take(&mut usage.cache_creation_input_tokens, newer.cache_creation_input_tokens);
    take(&mut usage.cache_read_input_tokens, newer.cache_read_input_tokens);
    take(&mut usage.cache_creation, newer.cache_creation);
    take(&mut usage.output_tokens, newer.output_tokens);
    take(&mut usage.output_tokens_details, newer.output_tokens_details);
    take(&mut usage.service_tier, newer.service_tier);
}

#[cfg(test)]
mod tests;
