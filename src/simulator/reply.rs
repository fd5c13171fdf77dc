//! An answer before it is sent: blocks, the reason for its end, and what it takes in tokens.

use serde_json::{Map, Value};

use crate::claude::types::{ContentBlock, StopDetails, StopReason};

/// A part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// Thinking; its tokens are more than its text shows, which may be empty.
    Thinking { text: String, tokens: u64 },
    /// Text.
    Text(String),
    /// A tool call.
    ToolUse { id: String, name: String, input: Map<String, Value> },
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
        Self {
            parts: vec![Part::Text(text.into())],
            stop_reason: StopReason::EndTurn,
            stop_sequence: None,
            stop_details: None,
        }
    }

    /// The answer's `content`.
    pub(super) fn content(&self) -> Vec<ContentBlock> {
        self.parts.iter().map(Part::block).collect()
    }
}

impl Part {
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
}

/// A stand-in for the proof that real thinking carries: recognisable, and the same for the same text.
pub(super) fn signature(thinking: &str) -> String {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(format!("simulated thinking\n{thinking}"));
    base64::engine::general_purpose::STANDARD.encode(digest)
}
