//! A plan for people: exactly what would be sent, where it is cut for the cache, and what it would cost.

use std::fmt::Write as _;

use super::{Layer, LayerName, Plan};
use crate::claude::models::Model;
use crate::claude::types::{ContentBlock, SystemBlock, Ttl};
use crate::claude::usage::{Tokens, cost};
use crate::claude::words::dollars;

/// The plan as text, for `aside act --dry-run`: settings, every block verbatim under a heading, breakpoints, and the price
/// of the input with a cold and with a warm cache.
pub fn describe(plan: &Plan, model: &Model) -> String {
    let mut text = String::new();
    let _ = settings(&mut text, plan);
    let mut system = plan.request.system.iter().map(|SystemBlock::Text { text, .. }| text.as_str());
    let mut content =
        plan.request.messages.iter().flat_map(|message| &message.content).filter_map(|block| match block {
            ContentBlock::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
    let mut prefix = 0;
    for layer in &plan.layers {
        prefix += layer.estimated_tokens;
        let _ = writeln!(text, "\n── {} · about {} tokens ──", layer.name.as_str(), layer.estimated_tokens);
        let last = layer.name == LayerName::Instruction;
        let take = if last { usize::MAX } else { 1 };
        let blocks: &mut dyn Iterator<Item = &str> =
            if layer.name <= LayerName::System { &mut system } else { &mut content };
        for block in blocks.take(take) {
            text.push_str(block);
            text.push('\n');
        }
        if let Some(ttl) = layer.breakpoint {
            let _ = writeln!(text, "── breakpoint: about {prefix} tokens, kept {} ──", life(ttl));
        }
    }
    text.push('\n');
    let _ = price(&mut text, plan, model);
    for note in &plan.notes {
        let _ = writeln!(text, "{note}");
    }
    text
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
    let all = plan.estimated_input_tokens;
    writeln!(text, "About {all} tokens of input.")?;
    let Some((shared, ttl)) = shared(&plan.layers) else {
        return match cost(model, &Tokens { input: all, ..Tokens::default() }, false) {
            Some(cost) => writeln!(text, "Input: {}; nothing is cached. Output comes on top.", dollars(cost.usd)),
            None => writeln!(text, "The price of {} is not known.", plan.request.model),
        };
    };
    let behind = Tokens { input: all.saturating_sub(shared), ..Tokens::default() };
    let cold = match ttl {
        Ttl::FiveMinutes => Tokens { cache_write_5m: shared, ..behind },
        Ttl::OneHour => Tokens { cache_write_1h: shared, ..behind },
    };
    let warm = Tokens { cache_read: shared, ..behind };
    match (cost(model, &cold, false), cost(model, &warm, false)) {
        (Some(cold), Some(warm)) => writeln!(
            text,
            "Input: {} the first time, {} while the cache is warm, {} without a cache. Output comes on top.",
            dollars(cold.usd),
            dollars(warm.usd),
            dollars(cold.uncached_usd)
        ),
        _ => writeln!(text, "The price of {} is not known.", plan.request.model),
    }
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
