//! A request as the cache sees it: blocks in prefix order, each with its tokens and the hash of everything up to it.

use std::borrow::Cow;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::pictures;
use super::tokens;
use crate::claude::models::{Model, ThinkingDefault};
use crate::claude::types::Ttl;

/// Tokens around a message, for its role.
const MESSAGE_TOKENS: u64 = 4;
/// Tokens that any tool brings, for the instructions on how to call one.
const TOOLS_TOKENS: u64 = 260;
/// Tokens at the very end, where the answer begins.
const ENDING_TOKENS: u64 = 3;

/// The hash of a prefix.
pub(super) type Hash = [u8; 32];

/// The three sections, in prefix order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    /// Tool definitions.
    Tools,
    /// The system prompt.
    System,
    /// The conversation.
    Messages,
}

/// A block of the request, still as JSON.
#[derive(Clone, Debug)]
pub(super) struct Block<'a> {
    /// Such as `messages.0.content.1`.
    pub(super) place: String,
    pub(super) section: Section,
    /// Who says it; empty outside of messages.
    role: &'a str,
    content: Content<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Content<'a> {
    /// A bare string, which is one text block.
    Text(&'a str),
    Block(&'a Value),
}

/// Where a prefix is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breakpoint {
    /// The block's place, for complaints.
    pub(super) place: String,
    /// The block's number in prefix order.
    pub(super) index: usize,
    pub(super) ttl: Ttl,
}

/// A block as the cache sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// The hash of everything up to and including the block.
    pub(super) hash: Hash,
    /// The tokens of everything up to and including the block.
    pub(super) tokens: u64,
    /// The life of the entry to write here.
    pub(super) breakpoint: Option<Ttl>,
    pub(super) section: Section,
}

/// A request as the cache sees it; made of a request that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prompt {
    /// The model, by its id without date.
    pub(super) model: String,
    /// The blocks in prefix order.
    pub(super) positions: Vec<Position>,
    /// All tokens of the request.
    pub(super) tokens: u64,
    /// The fewest tokens of a prefix that is cached.
    pub(super) minimum: u64,
}

impl Prompt {
    /// The prompt of a checked body.
    pub(super) fn new(body: &Value, model: &Model) -> Self {
        let blocks = blocks(body);
        let mut chain: Hash = Sha256::digest(settings(body, model)).into();
        let mut total = 0;
        let (mut section, mut role) = (Section::Tools, "");
        let breakpoints = breakpoints(body).unwrap_or_default();
        let mut positions = Vec::with_capacity(blocks.len());
        for (index, block) in blocks.iter().enumerate() {
            if block.section == Section::Messages && section != Section::Messages {
                chain = link(&chain, message_settings(body, &blocks).as_bytes());
            }
            let mut around = 0;
            if index == 0 && block.section == Section::Tools {
                around += TOOLS_TOKENS;
            }
            if block.role != role {
                around += MESSAGE_TOKENS;
            }
            (section, role) = (block.section, block.role);
            chain = link(&chain, block.identity().as_bytes());
            total += tokens::scale(around + block.tokens(), model.dense_tokenizer);
            let breakpoint = breakpoints.iter().find(|breakpoint| breakpoint.index == index).map(|at| at.ttl);
            positions.push(Position { hash: chain, tokens: total, breakpoint, section });
        }
        Self { model: model.id.clone(), positions, tokens: total + ENDING_TOKENS, minimum: model.cache_minimum }
    }

    /// The last position of a section or of one before it.
    pub(super) fn end_of(&self, section: Section) -> Option<&Position> {
        self.positions.iter().rev().find(|position| position.section <= section)
    }
}

/// All blocks that can have a breakpoint or are part of the prefix, in prefix order.
pub(super) fn blocks(body: &Value) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let list = |key: &str| body.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (number, tool) in list("tools").iter().enumerate() {
        blocks.push(Block::new(format!("tools.{number}"), Section::Tools, "", tool));
    }
    match body.get("system") {
        Some(Value::String(text)) if !text.is_empty() => {
            let content = Content::Text(text);
            blocks.push(Block { place: "system".to_owned(), section: Section::System, role: "", content });
        }
        _ => {
            for (number, block) in list("system").iter().enumerate() {
                blocks.push(Block::new(format!("system.{number}"), Section::System, "", block));
            }
        }
    }
    for (number, message) in list("messages").iter().enumerate() {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        let place = format!("messages.{number}.content");
        match message.get("content") {
            Some(Value::String(text)) => {
                blocks.push(Block { place, section: Section::Messages, role, content: Content::Text(text) });
            }
            Some(Value::Array(content)) => {
                for (number, block) in content.iter().enumerate() {
                    blocks.push(Block::new(format!("{place}.{number}"), Section::Messages, role, block));
                }
            }
            _ => {}
        }
    }
    blocks
}

/// The breakpoints in prefix order, the automatic one of a top-level `cache_control` among them.
///
/// # Errors
/// When the automatic one falls on a block that asks for another life.
pub(super) fn breakpoints(body: &Value) -> Result<Vec<Breakpoint>, String> {
    let blocks = blocks(body);
    let mut found: Vec<Breakpoint> = blocks
        .iter()
        .enumerate()
        .filter_map(|(index, block)| {
            Some(Breakpoint { place: block.place.clone(), index, ttl: ttl(block.cache_control()?) })
        })
        .collect();
    let automatic = body.get("cache_control").filter(|control| !control.is_null());
    let last = blocks.iter().enumerate().rev().find(|(_, block)| block.is_cacheable());
    if let (Some(control), Some((index, block))) = (automatic, last) {
        let ttl = ttl(control);
        match found.iter().find(|explicit| explicit.index == index) {
            Some(explicit) if explicit.ttl != ttl => {
                return Err(format!("cache_control: {} has a cache_control with another ttl", block.place));
            }
            Some(_) => {}
            None => found.push(Breakpoint { place: block.place.clone(), index, ttl }),
        }
        found.sort_by_key(|breakpoint| breakpoint.index);
    }
    Ok(found)
}

fn ttl(control: &Value) -> Ttl {
    if control.get("ttl").and_then(Value::as_str) == Some("1h") { Ttl::OneHour } else { Ttl::FiveMinutes }
}

impl<'a> Block<'a> {
    fn new(place: String, section: Section, role: &'a str, value: &'a Value) -> Self {
        Self { place, section, role, content: Content::Block(value) }
    }

    /// The block's own `cache_control`.
    pub(super) fn cache_control(&self) -> Option<&'a Value> {
        match self.content {
            Content::Block(value) => value.get("cache_control").filter(|control| !control.is_null()),
            Content::Text(_) => None,
        }
    }

    fn kind(&self) -> &'a str {
        match self.content {
            Content::Text(_) => "text",
            Content::Block(value) => value.get("type").and_then(Value::as_str).unwrap_or_default(),
        }
    }

    /// Whether a breakpoint may be here.
    fn is_cacheable(&self) -> bool {
        !matches!(self.kind(), "thinking" | "redacted_thinking")
    }

    /// What must be the same, byte for byte, for the block to be the same: all of it but its breakpoint.
    fn identity(&self) -> String {
        let block = match self.content {
            Content::Text(text) => serde_json::json!({"type": "text", "text": text}),
            Content::Block(Value::Object(map)) => {
                let mut map = map.clone();
                map.shift_remove("cache_control");
                Value::Object(map)
            }
            Content::Block(other) => other.clone(),
        };
        format!("{:?} {} {block}", self.section, self.role)
    }

    /// Tokens by the older tokenizer.
    fn tokens(&self) -> u64 {
        match self.content {
            Content::Text(text) => tokens::count(text, false),
            Content::Block(value) => block_tokens(value),
        }
    }
}

/// The tokens of a block by what it is.
fn block_tokens(block: &Value) -> u64 {
    let text = |key: &str| block.get(key).and_then(Value::as_str).map_or(0, |text| tokens::count(text, false));
    match block.get("type").and_then(Value::as_str) {
        Some("text") => text("text"),
        Some("thinking") => text("thinking"),
        Some("redacted_thinking") => text("data") / 4,
        Some("image") => pictures::tokens(block),
        Some("document") => text("title") + text("context") + document_tokens(block),
        Some("tool_use") => 12 + text("name") + block.get("input").map_or(0, json_tokens),
        Some("tool_result" | "search_result") => {
            8 + text("title") + text("source") + block.get("content").map_or(0, content_tokens)
        }
        // A tool definition: its name, description and schema.
        _ => {
            let mut definition = Cow::Borrowed(block);
            if block.get("cache_control").is_some()
                && let Value::Object(map) = definition.to_mut()
            {
                map.shift_remove("cache_control");
            }
            json_tokens(&definition)
        }
    }
}

fn content_tokens(content: &Value) -> u64 {
    match content {
        Value::String(text) => tokens::count(text, false),
        Value::Array(blocks) => blocks.iter().map(block_tokens).sum(),
        _ => 0,
    }
}

fn json_tokens(value: &Value) -> u64 {
    tokens::count(&value.to_string(), false)
}

/// A page of a PDF is text and a picture of it.
const PAGE_TOKENS: u64 = 2_000;

fn document_tokens(block: &Value) -> u64 {
    let source = block.get("source").unwrap_or(&Value::Null);
    let data = source.get("data").and_then(Value::as_str);
    match source.get("type").and_then(Value::as_str) {
        Some("text") => data.map_or(0, |data| tokens::count(data, false)),
        Some("content") => source.get("content").map_or(0, content_tokens),
        Some("base64") => PAGE_TOKENS * pictures::pdf_pages(data.unwrap_or_default()),
        _ => PAGE_TOKENS,
    }
}

fn link(chain: &Hash, block: &[u8]) -> Hash {
    Sha256::new().chain_update(chain).chain_update(block).finalize().into()
}

/// What a change of loses the whole prefix. On which models thinking and effort leave tools and system alone is not
/// documented, so they never do here.
fn settings(body: &Value, model: &Model) -> String {
    let thinking = body.get("thinking");
    let thinking = match thinking.and_then(|thinking| thinking.get("type")).and_then(Value::as_str) {
        Some("enabled") => {
            let budget = thinking.and_then(|thinking| thinking.get("budget_tokens"));
            format!("enabled {}", budget.unwrap_or(&Value::Null))
        }
        Some(form) => form.to_owned(),
        // Saying what is the default anyway is the same as saying nothing.
        None if model.thinking.default == ThinkingDefault::On => "adaptive".to_owned(),
        None => "disabled".to_owned(),
    };
    let config = body.get("output_config");
    let effort = config.and_then(|config| config.get("effort")).and_then(Value::as_str).unwrap_or("high");
    let format = config.and_then(|config| config.get("format")).unwrap_or(&Value::Null);
    format!("{} | {thinking} | {effort} | {format}", model.id)
}

/// What a change of loses the messages, but neither tools nor system: `tool_choice`, and whether there are pictures.
fn message_settings(body: &Value, blocks: &[Block<'_>]) -> String {
    let choice = body.get("tool_choice").and_then(Value::as_object).map_or_else(String::new, |choice| {
        let serial = choice.get("disable_parallel_tool_use").and_then(Value::as_bool).unwrap_or(false);
        let name = choice.get("name").and_then(Value::as_str).unwrap_or_default();
        match choice.get("type").and_then(Value::as_str) {
            Some("auto") if !serial => String::new(),
            kind => format!("{} {name} {serial}", kind.unwrap_or_default()),
        }
    });
    let pictures = blocks.iter().any(|block| block.kind() == "image");
    format!("{choice} | {pictures}")
}
