//! A plan for people and for programs: exactly what would be sent, where it is cut for the cache, and what it would cost.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::{Layer, Plan};
use crate::claude::models::Model;
use crate::claude::types::{CacheControl, ContentBlock, MessageRequest, Role, SystemBlock, Ttl};
use crate::claude::usage::{Tokens, cost};
use crate::claude::words::dollars;

/// A plan as JSON, for `aside act --dry-run --json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description<'a> {
    /// The body of the request, to the byte.
    request: Box<RawValue>,
    layers: Vec<DescribedLayer<'a>>,
    estimated_input_tokens: u64,
    /// `null` where the model's prices are not known.
    input_usd: Option<InputPrice>,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribedLayer<'a> {
    name: &'static str,
    blocks: usize,
    estimated_tokens: u64,
    /// How long the entry lives that ends with this layer; `null` where none does.
    breakpoint: Option<Ttl>,
    hash: &'a str,
}

/// What the input would cost, in US dollars; the output comes on top.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct InputPrice {
    /// Nothing is in the cache yet.
    cold: f64,
    /// Everything up to the last breakpoint is.
    warm: f64,
    /// Without a cache.
    uncached: f64,
}

impl<'a> Description<'a> {
    /// The description of a plan, with the prices of `model`; `None` if its request cannot be written as JSON.
    pub fn new(plan: &'a Plan, model: &Model) -> Option<Self> {
        let layers = plan.layers.iter().map(|layer| DescribedLayer {
            name: layer.name.as_str(),
            blocks: layer.blocks,
            estimated_tokens: layer.estimated_tokens,
            breakpoint: layer.breakpoint,
            hash: &layer.hash,
        });
        Some(Self {
            request: to_raw_value(&plan.request).ok()?,
            layers: layers.collect(),
            estimated_input_tokens: plan.estimated_input_tokens,
            input_usd: input_price(plan, model),
            notes: &plan.notes,
        })
    }
}

/// The plan as text, for `aside act --dry-run`: settings, every block verbatim under its layer and role, breakpoints with
/// their lives, and the price of the input with a cold and with a warm cache.
pub fn describe(plan: &Plan, model: &Model) -> String {
    let mut text = String::new();
    let _ = settings(&mut text, plan);
    let mut blocks = blocks(&plan.request).into_iter();
    let (mut prefix, mut number) = (0, 0);
    for layer in &plan.layers {
        let name = layer.name.as_str();
        for index in 0..layer.blocks {
            let Some(block) = blocks.next() else { break };
            let part = if layer.blocks > 1 { format!(" {}/{}", index + 1, layer.blocks) } else { String::new() };
            let tokens =
                if index == 0 { format!(" · about {} tokens", layer.estimated_tokens) } else { String::new() };
            let _ = writeln!(text, "\n── {name}{part} · role {}{tokens} ──\n{}", block.role, block.text);
            prefix += if index == 0 { layer.estimated_tokens } else { 0 };
            if let Some(ttl) = block.breakpoint {
                number += 1;
                let _ =
                    writeln!(text, "══ breakpoint {number}: about {prefix} tokens up to here, kept {} ══", life(ttl));
            }
        }
    }
    text.push('\n');
    let _ = price(&mut text, plan, model);
    for note in &plan.notes {
        let _ = writeln!(text, "{note}");
    }
    text
}

/// A block of a request.
struct Block<'a> {
    role: &'static str,
    text: Cow<'a, str>,
    breakpoint: Option<Ttl>,
}

/// The blocks of a request, in the order of the prefix; what is no text as the JSON that is sent.
fn blocks(request: &MessageRequest) -> Vec<Block<'_>> {
    let tools = request.tools.iter().map(|tool| Block {
        role: "tools",
        text: Cow::Owned(serde_json::to_string(tool).unwrap_or_default()),
        breakpoint: tool.cache_control.map(CacheControl::ttl),
    });
    let system = request.system.iter().map(|SystemBlock::Text { text, cache_control }| Block {
        role: "system",
        text: Cow::Borrowed(text.as_str()),
        breakpoint: cache_control.map(CacheControl::ttl),
    });
    let content = request.messages.iter().flat_map(|message| {
        message.content.iter().map(|block| {
            let (text, cache_control) = match block {
                ContentBlock::Text { text, cache_control } => (Cow::Borrowed(text.as_str()), *cache_control),
                ContentBlock::Image { cache_control, .. }
                | ContentBlock::ToolUse { cache_control, .. }
                | ContentBlock::ToolResult { cache_control, .. } => (as_json(block), *cache_control),
                ContentBlock::Thinking { .. } | ContentBlock::RedactedThinking { .. } | ContentBlock::Other(_) => {
                    (as_json(block), None)
                }
            };
            let role = if message.role == Role::User { "user" } else { "assistant" };
            Block { role, text, breakpoint: cache_control.map(CacheControl::ttl) }
        })
    });
    tools.chain(system).chain(content).collect()
}

/// What is no text, as it is sent but for its breakpoint, which has a line of its own, and for a picture's letters, which
/// nobody reads.
fn as_json(block: &ContentBlock) -> Cow<'static, str> {
    let mut json = serde_json::to_value(block).unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        fields.shift_remove("cache_control");
    }
    if let Some(Value::String(data)) = json.pointer_mut("/source/data") {
        *data = format!("({} letters of Base64)", data.len());
    }
    Cow::Owned(json.to_string())
}

fn settings(text: &mut String, plan: &Plan) -> std::fmt::Result {
    let request = &plan.request;
    write!(text, "model {}", request.model)?;
    if let Some(most) = request.max_tokens {
        write!(text, " · max_tokens {most}")?;
    }
    // These two are sent as JSON and have no better form for people.
    if let Some(thinking) = request.thinking.as_ref().and_then(|it| serde_json::to_string(it).ok()) {
        write!(text, " · thinking {thinking}")?;
    }
    if let Some(output) = request.output_config.as_ref().and_then(|it| serde_json::to_string(it).ok()) {
        write!(text, " · output_config {output}")?;
    }
    writeln!(text)
}

fn price(text: &mut String, plan: &Plan, model: &Model) -> std::fmt::Result {
    writeln!(text, "About {} tokens of input.", plan.estimated_input_tokens)?;
    let Some(price) = input_price(plan, model) else {
        return writeln!(text, "The price of {} is not known.", plan.request.model);
    };
    if shared(&plan.layers).is_none() {
        return writeln!(text, "Input: {}; nothing is cached. Output comes on top.", dollars(price.uncached));
    }
    writeln!(
        text,
        "Input: {} the first time, {} while the cache is warm, {} without a cache. Output comes on top.",
        dollars(price.cold),
        dollars(price.warm),
        dollars(price.uncached)
    )
}

/// What a plan's input would cost by its estimates; `None` where the model's prices are not known.
fn input_price(plan: &Plan, model: &Model) -> Option<InputPrice> {
    let all = plan.estimated_input_tokens;
    let usd = |tokens: &Tokens| cost(model, tokens, false).map(|cost| cost.usd);
    let uncached = usd(&Tokens { input: all, ..Tokens::default() })?;
    let Some((shared, ttl)) = shared(&plan.layers) else {
        return Some(InputPrice { cold: uncached, warm: uncached, uncached });
    };
    let behind = Tokens { input: all.saturating_sub(shared), ..Tokens::default() };
    let cold = match ttl {
        Ttl::FiveMinutes => Tokens { cache_write_5m: shared, ..behind },
        Ttl::OneHour => Tokens { cache_write_1h: shared, ..behind },
    };
    let warm = Tokens { cache_read: shared, ..behind };
    Some(InputPrice { cold: usd(&cold)?, warm: usd(&warm)?, uncached })
}

/// The tokens up to the last breakpoint, and its life.
fn shared(layers: &[Layer]) -> Option<(u64, Ttl)> {
    let last = layers.iter().rposition(|layer| layer.breakpoint.is_some())?;
    let tokens = layers[..=last].iter().map(|layer| layer.estimated_tokens).sum();
    Some((tokens, layers[last].breakpoint?))
}

fn life(ttl: Ttl) -> &'static str {
    match ttl {
        Ttl::FiveMinutes => "5 minutes",
        Ttl::OneHour => "1 hour",
    }
}
