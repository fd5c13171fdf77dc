//! The Messages API's requests, answers and stream events, as the wire has them.
//!
//! What the API may add tomorrow must not break today's parsing: unknown fields are ignored, and unknown blocks, deltas,
//! events and stop reasons are kept in an `Other` variant. Requests hold no unordered map, so equal requests are equal bytes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The body of `POST /v1/messages`, and without `max_tokens` and `stream` of `POST /v1/messages/count_tokens`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageRequest {
    /// The model's id.
    pub model: String,
    /// The most tokens to answer with; 0 only warms the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Tools come first in the cached prefix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// How the model may use the tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// The system prompt, in blocks.
    #[serde(default, deserialize_with = "system_or_text", skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<SystemBlock>,
    /// The conversation: roles alternate, the user speaks first.
    pub messages: Vec<Message>,
    /// Server-sent events instead of one answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// Extended thinking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Thinking>,
    /// Effort and output format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_config: Option<OutputConfig>,
    /// Texts that end the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<String>,
    /// An opaque id of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// `auto` or `standard_only`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Automatic caching (top level).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<CacheControl>,
    /// Ask why the cache was missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diagnostics: Option<DiagnosticsRequest>,
    /// Only for models and versions that take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Only for models and versions that take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Only for models and versions that take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
}

/// A cache breakpoint: the prompt up to and including this block is written to the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CacheControl {
    /// The only kind there is.
    Ephemeral {
        /// Five minutes when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        ttl: Option<Ttl>,
    },
}

impl CacheControl {
    /// A breakpoint with the given life; five minutes are left implicit, as every server knows that form.
    pub fn new(ttl: Ttl) -> Self {
        Self::Ephemeral { ttl: (ttl != Ttl::FiveMinutes).then_some(ttl) }
    }

    /// How long the entry lives.
    pub fn ttl(self) -> Ttl {
        let Self::Ephemeral { ttl } = self;
        ttl.unwrap_or(Ttl::FiveMinutes)
    }
}

/// How long a cache entry lives, from the start of the request that last wrote or read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ttl {
    /// Written at 1.25 times the input price.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// Written at twice the input price.
    #[serde(rename = "1h")]
    OneHour,
}

impl Ttl {
    /// The life as a duration.
    pub fn duration(self) -> std::time::Duration {
        match self {
            Self::FiveMinutes => std::time::Duration::from_secs(5 * 60),
            Self::OneHour => std::time::Duration::from_secs(60 * 60),
        }
    }
}

/// One block of the system prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SystemBlock {
    /// Text, never empty.
    Text {
        /// The text.
        text: String,
        /// A breakpoint behind this block.
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
}

/// One turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    #[serde(deserialize_with = "blocks_or_text")]
    pub content: Vec<ContentBlock>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person, and tool results.
    User,
    /// The model.
    Assistant,
}

/// A part of a turn, in requests and in answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContentBlock {
    /// Text.
    Text {
        /// Never empty in a request.
        text: String,
        /// A breakpoint behind this block.
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    /// A picture, before the text that speaks of it.
    Image {
        /// The data or its address.
        source: ImageSource,
        /// A breakpoint behind this block.
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    /// What the model thought; goes back unchanged in a turn with tool use.
    Thinking {
        /// May be empty.
        thinking: String,
        /// Proof that the thinking is the model's.
        #[serde(default)]
        signature: String,
    },
    /// Thinking that only the API can read.
    RedactedThinking {
        /// Opaque.
        data: String,
    },
    /// A tool call by the model.
    ToolUse {
        /// Answered by the `tool_result` of the same id.
        id: String,
        /// The tool's name.
        name: String,
        /// Arguments, an object.
        input: Value,
        /// A breakpoint behind this block.
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    /// The answer to a tool call.
    ToolResult {
        /// The call's id.
        tool_use_id: String,
        /// Text or blocks.
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<Value>,
        /// Whether the tool failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        is_error: Option<bool>,
        /// A breakpoint behind this block.
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    /// A block this version does not know, kept as it came.
    #[serde(untagged)]
    Other(Value),
}

impl ContentBlock {
    /// A text block without a breakpoint.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), cache_control: None }
    }
}

/// Where a picture comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ImageSource {
    /// In the request itself.
    Base64 {
        /// `image/jpeg`, `image/png`, `image/gif` or `image/webp`.
        media_type: String,
        /// Base64, without line breaks.
        data: String,
    },
    /// Fetched by the API.
    Url {
        /// The address.
        url: String,
    },
}

/// A tool the model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// The name it is called by.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
    /// Whether arguments are guaranteed to fit the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// Arguments stream as they are made, unvalidated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eager_input_streaming: Option<bool>,
    /// A breakpoint behind the tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<CacheControl>,
}

/// How the model may use the tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToolChoice {
    /// As the model sees fit.
    Auto {
        /// One call a turn.
        #[serde(skip_serializing_if = "Option::is_none")]
        disable_parallel_tool_use: Option<bool>,
    },
    /// Some tool; refused by the newest models.
    Any {
        /// One call a turn.
        #[serde(skip_serializing_if = "Option::is_none")]
        disable_parallel_tool_use: Option<bool>,
    },
    /// This tool; refused by the newest models.
    Tool {
        /// The tool's name.
        name: String,
        /// One call a turn.
        #[serde(skip_serializing_if = "Option::is_none")]
        disable_parallel_tool_use: Option<bool>,
    },
    /// No tool.
    None,
}

/// Extended thinking, in the form the model takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Thinking {
    /// Models since 4.6: the model decides, steered by `output_config.effort`.
    Adaptive {
        /// What of it is shown; the model's default when absent, which is nothing since 4.7.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        display: Option<Display>,
    },
    /// Models up to 4.6: at most this many tokens.
    Enabled {
        /// At least 1024, less than `max_tokens`.
        budget_tokens: u32,
    },
    /// Off, where it can be.
    Disabled,
    /// Not before the first words, only between tool calls; where the model takes it.
    BetweenTools,
    /// A form this version does not know.
    #[serde(untagged)]
    Other(Value),
}

/// What of the thinking is shown. All of it is paid for either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Display {
    /// In short.
    Summarized,
    /// Not at all: the blocks are there, and empty.
    Omitted,
}

/// How hard to try, and the form of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputConfig {
    /// The model's default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// `{type: "json_schema", schema}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Value>,
}

/// How hard the model tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Least.
    Low,
    /// Less.
    Medium,
    /// Much.
    High,
    /// More.
    Xhigh,
    /// Most.
    Max,
}

/// `metadata` of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Opaque; no name, no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// `diagnostics` of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosticsRequest {
    /// The message to compare with; `null` for the first.
    pub previous_message_id: Option<String>,
}

/// The answer of `POST /v1/messages`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageResponse {
    /// The message's id, `msg_…`.
    pub id: String,
    /// Always `message`.
    #[serde(rename = "type", default = "message_type")]
    pub kind: String,
    /// Always the assistant.
    #[serde(default = "assistant")]
    pub role: Role,
    /// The model that answered.
    #[serde(default)]
    pub model: String,
    /// What it says, in blocks; select by type, never by index.
    #[serde(default, deserialize_with = "null_is_default")]
    pub content: Vec<ContentBlock>,
    /// Why it ended.
    pub stop_reason: Option<StopReason>,
    /// Which stop sequence ended it.
    pub stop_sequence: Option<String>,
    /// More on a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_details: Option<StopDetails>,
    /// What it took.
    #[serde(default, deserialize_with = "null_is_default")]
    pub usage: Usage,
    /// Why the cache was missed, when asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnostics: Option<Value>,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It was complete.
    EndTurn,
    /// It reached `max_tokens`.
    MaxTokens,
    /// It reached a stop sequence.
    StopSequence,
    /// It waits for tool results.
    ToolUse,
    /// A long turn was paused; send it back to go on.
    PauseTurn,
    /// The model declined; what came before is to be discarded.
    Refusal,
    /// The context window is full.
    ModelContextWindowExceeded,
    /// A reason this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// More on a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopDetails {
    /// `refusal`.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// The policy's category.
    #[serde(default)]
    pub category: Option<String>,
    /// In words.
    #[serde(default)]
    pub explanation: Option<String>,
}

/// `usage` as the wire has it: any number may be null or missing, and in `message_delta` all are cumulative.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens behind the last cache breakpoint only.
    #[serde(default)]
    pub input_tokens: Option<u64>,
    /// Tokens written to the cache, of both lives.
    #[serde(default)]
    pub cache_creation_input_tokens: Option<u64>,
    /// Tokens read from the cache.
    #[serde(default)]
    pub cache_read_input_tokens: Option<u64>,
    /// The written tokens by life; `message_delta` does not repeat it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_creation: Option<CacheCreation>,
    /// Tokens of the answer, thinking included.
    #[serde(default)]
    pub output_tokens: Option<u64>,
    /// Parts of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens_details: Option<OutputTokensDetails>,
    /// The tier that served it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
}

/// Written tokens by life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheCreation {
    /// Five minutes.
    #[serde(default)]
    pub ephemeral_5m_input_tokens: Option<u64>,
    /// One hour.
    #[serde(default)]
    pub ephemeral_1h_input_tokens: Option<u64>,
}

/// Parts of the answer's tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputTokensDetails {
    /// Thinking, included in `output_tokens`.
    #[serde(default)]
    pub thinking_tokens: Option<u64>,
}

/// One server-sent event of a streamed answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamEvent {
    /// First: the message, still empty, with its first usage.
    MessageStart {
        /// The message.
        message: MessageResponse,
    },
    /// A block begins.
    ContentBlockStart {
        /// Its place in `content`.
        index: usize,
        /// The block, still empty.
        content_block: ContentBlock,
    },
    /// A block grows.
    ContentBlockDelta {
        /// Its place in `content`.
        index: usize,
        /// By what.
        delta: Delta,
    },
    /// A block is complete.
    ContentBlockStop {
        /// Its place in `content`.
        index: usize,
    },
    /// The end nears: stop reason and cumulative usage.
    MessageDelta {
        /// What changed in the message.
        delta: MessageDelta,
        /// Cumulative; only non-null fields count.
        #[serde(default, deserialize_with = "null_is_default")]
        usage: Usage,
    },
    /// Last. A stream without it is broken.
    MessageStop,
    /// Nothing, at any time.
    Ping,
    /// The answer failed half-way.
    Error {
        /// Why.
        error: ApiError,
    },
    /// An event this version does not know.
    #[serde(untagged)]
    Other(Value),
}

/// How a block grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Delta {
    /// More text.
    TextDelta {
        /// To append.
        text: String,
    },
    /// More of a tool's arguments: a piece of JSON text.
    InputJsonDelta {
        /// To append.
        partial_json: String,
    },
    /// More thinking.
    ThinkingDelta {
        /// To append.
        thinking: String,
    },
    /// The thinking's signature.
    SignatureDelta {
        /// Whole.
        signature: String,
    },
    /// A delta this version does not know.
    #[serde(untagged)]
    Other(Value),
}

/// What `message_delta` changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageDelta {
    /// Why the answer ended.
    #[serde(default)]
    pub stop_reason: Option<StopReason>,
    /// Which stop sequence ended it.
    #[serde(default)]
    pub stop_sequence: Option<String>,
    /// More on a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_details: Option<StopDetails>,
}

/// The body of an error answer, and of the `error` event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// Always `error`.
    #[serde(rename = "type", default = "error_type")]
    pub kind: String,
    /// What went wrong.
    pub error: ApiError,
    /// For support.
    #[serde(default)]
    pub request_id: Option<String>,
}

/// What went wrong, in the API's words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiError {
    /// Such as `rate_limit_error`; unknown ones are possible.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// For people.
    #[serde(default)]
    pub message: String,
    /// Such as `{error_code}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// The answer of `POST /v1/messages/count_tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCount {
    /// An estimate.
    pub input_tokens: u64,
}

/// One model of `GET /v1/models`; older and local servers give little more than the id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The model's id.
    pub id: String,
    /// Its name for people.
    #[serde(default)]
    pub display_name: Option<String>,
    /// `active`, `deprecated` or `retired`.
    #[serde(default)]
    pub lifecycle: Option<String>,
    /// When requests begin to fail (RFC 3339).
    #[serde(default)]
    pub retires_at: Option<String>,
    /// The most tokens of a prompt.
    #[serde(default)]
    pub max_input_tokens: Option<u64>,
    /// The most tokens of an answer.
    #[serde(default)]
    pub max_tokens: Option<u64>,
    /// What it can do, as the API describes it.
    #[serde(default)]
    pub capabilities: Option<Value>,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub data: Vec<T>,
    /// Whether there are more behind `last_id`.
    #[serde(default)]
    pub has_more: bool,
    /// The first item's id.
    #[serde(default)]
    pub first_id: Option<String>,
    /// The last item's id.
    #[serde(default)]
    pub last_id: Option<String>,
}

fn message_type() -> String {
    "message".to_owned()
}

fn error_type() -> String {
    "error".to_owned()
}

fn assistant() -> Role {
    Role::Assistant
}

/// Gateways write `null` where the API leaves a field out.
fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// `system` may be a bare string, which means one text block.
fn system_or_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<SystemBlock>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum System {
        Text(String),
        Blocks(Vec<SystemBlock>),
    }
    Ok(match System::deserialize(deserializer)? {
        System::Text(text) => vec![SystemBlock::Text { text, cache_control: None }],
        System::Blocks(blocks) => blocks,
    })
}

/// `content` may be a bare string, which means one text block.
fn blocks_or_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<ContentBlock>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Content {
        Text(String),
        Blocks(Vec<ContentBlock>),
    }
    Ok(match Content::deserialize(deserializer)? {
        Content::Text(text) => vec![ContentBlock::text(text)],
        Content::Blocks(blocks) => blocks,
    })
}
