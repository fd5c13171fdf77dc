//! An answer before it is sent: parts, the reason for its end, and what it takes in tokens.

use serde_json::{Map, Value};

use super::tokens;
use crate::claude::types::{ContentBlock, StopDetails, StopReason};

/// A part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// Thinking; its tokens are those of the model, whatever its text shows.
    Thinking {
        /// May be empty.
        text: String,
        /// At least one.
        tokens: u64,
    },
    /// Text.
    Text(String),
    /// A tool call.
    ToolUse {
        /// Unique.
        id: String,
        /// The tool's name.
        name: String,
        /// Its arguments.
        input: Map<String, Value>,
    },
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) parts: Vec<Part>,
    pub(super) stop_reason: StopReason,
    pub(super) stop_sequence: Option<String>,
    pub(super) stop_details: Option<StopDetails>,
}

impl Reply {
    /// A complete answer of one text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        let parts = vec![Part::Text(text.into())];
        Self { parts, stop_reason: StopReason::EndTurn, stop_sequence: None, stop_details: None }
    }

    /// The answer's `content`.
    pub(super) fn content(&self) -> Vec<ContentBlock> {
        self.parts.iter().map(Part::block).collect()
    }

    /// All tokens of the answer, by the tokenizer that its frames are counted with.
    pub(super) fn tokens(&self, dense: bool) -> u64 {
        self.parts.iter().map(|part| part.tokens(dense)).sum()
    }

    /// The tokens of the thinking in it.
    pub(super) fn thinking_tokens(&self) -> u64 {
        let thinking = |part: &Part| match part {
            Part::Thinking { tokens, .. } => *tokens,
            _ => 0,
        };
        self.parts.iter().map(thinking).sum()
    }

    /// Ends the answer in front of the first stop sequence.
    pub(super) fn stop_at(&mut self, sequences: &[&str]) {
        for (number, part) in self.parts.iter_mut().enumerate() {
            let Part::Text(text) = part else { continue };
            let first = sequences.iter().filter_map(|sequence| Some((text.find(sequence)?, *sequence))).min();
            if let Some((at, sequence)) = first {
                text.truncate(at);
                let kept = number + usize::from(at > 0);
                self.parts.truncate(kept);
                self.stop_reason = StopReason::StopSequence;
                self.stop_sequence = Some(sequence.to_owned());
                return;
            }
        }
    }

    /// Ends the answer at so many tokens.
    pub(super) fn limit(&mut self, most: u64, dense: bool) {
        if self.tokens(dense) <= most {
            return;
        }
        let mut left = most;
        let mut kept = Vec::new();
        for part in self.parts.drain(..) {
            let tokens = part.tokens(dense);
            if tokens <= left {
                left -= tokens;
                kept.push(part);
                continue;
            }
            match part {
                Part::Thinking { text, .. } if left > 0 => kept.push(Part::Thinking { text, tokens: left }),
                Part::Text(text) => {
                    let text = beginning(&text, left, dense);
                    if !text.is_empty() {
                        kept.push(Part::Text(text));
                    }
                }
                // Half a call is no call.
                Part::Thinking { .. } | Part::ToolUse { .. } => {}
            }
            break;
        }
        self.parts = kept;
        self.stop_reason = StopReason::MaxTokens;
        self.stop_sequence = None;
    }
}

/// As much of a text as so many tokens hold.
fn beginning(text: &str, most: u64, dense: bool) -> String {
    let mut count = 0;
    tokens::pieces(text)
        .take_while(|_| {
            count += 1;
            tokens::scale(count, dense) <= most
        })
        .collect()
}

impl Part {
    /// The tokens of the part.
    pub(super) fn tokens(&self, dense: bool) -> u64 {
        match self {
            Self::Thinking { tokens, .. } => *tokens,
            Self::Text(text) => tokens::count(text, dense),
            Self::ToolUse { input, .. } => tokens::count(&Value::Object(input.clone()).to_string(), dense),
        }
    }

    /// The part as a content block.
    pub(super) fn block(&self) -> ContentBlock {
        match self {
            Self::Thinking { text, .. } => {
                ContentBlock::Thinking { thinking: text.clone(), signature: signature(text) }
            }
            Self::Text(text) => ContentBlock::text(text.clone()),
            Self::ToolUse { id, name, input } => ContentBlock::ToolUse {
                id: id.clone(),
                name: name.clone(),
                input: Value::Object(input.clone()),
                cache_control: None,
            },
        }
    }

    /// The part as `content_block_start` shows it.
    pub(super) fn opening(&self) -> ContentBlock {
        match self {
            Self::Thinking { .. } => ContentBlock::Thinking { thinking: String::new(), signature: String::new() },
            Self::Text(_) => ContentBlock::text(""),
            Self::ToolUse { id, name, .. } => {
                Self::ToolUse { id: id.clone(), name: name.clone(), input: Map::new() }.block()
            }
        }
    }
}

/// A stand-in for the proof that real thinking carries: the same for the same text, so that thinking that comes back
/// changed is found out.
pub(super) fn signature(thinking: &str) -> String {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(format!("simulated thinking\n{thinking}"));
    base64::engine::general_purpose::STANDARD.encode(digest)
}
