//! What no planner can go below on the same requests: a lower bound, not a planner that exists.
//!
//! A prompt is taken apart into its layers: system prompt, project, conventions, document, instruction. Each is paid as if
//! the others were not there, by someone who knows all requests to come:
//!
//! - a shared layer is plain input, or written for five minutes or an hour, or read if it was written or used within that
//!   time; the cheapest sequence of these is found by dynamic programming;
//! - a document, too; besides, an earlier text of it may be read instead of the current one, with what changed since behind
//!   it, as whole items, if that is at most 15 % of it. What changed is free where it is the selection, is plain input where
//!   it was never stated behind this text before (no one pays for writing it), and is read where it was. A selection that is
//!   most of the document is not in the instruction, only its lines; behind an earlier text it is plain input;
//! - the instruction is plain input.
//!
//! Left out, all in the bound's favour: that a prefix is read only together with all in front of it, that an hour has to
//! stand in front of five minutes, the model's minimum, the tags around a piece, rounding, and that an entry which is not
//! used is not renewed. So the sum is at most what any planner of this form can reach. What it is not: a bound for planners
//! that state changes otherwise (such as by lines), or keep a document back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use aside::claude::models::{self, Prices};
use aside::claude::types::{ContentBlock, Message, MessageRequest, Role, SystemBlock};
use aside::config::{CacheLayout, Settings};
use aside::prompt::{Comparison, Planner};
use aside::simulator::Accounting;
use jiff::Timestamp;

use super::drive::plan;
use super::sessions::Action;

/// At least what the input of the session costs, in $.
pub(crate) fn bound(actions: &[Action], settings: &Settings) -> f64 {
    let mut settings = settings.clone();
    settings.cache.layout = CacheLayout::Off;
    let model = models::lookup(&settings.model);
    let prices = model.prices.expect("a model with prices");
    let mut counter = Counter { model: settings.model.clone(), known: HashMap::new() };
    let mut planner = Planner::new();
    let mut shared: HashMap<String, Vec<f64>> = HashMap::new();
    let mut documents: HashMap<&str, Vec<Use>> = HashMap::new();
    let mut total = 0.0;
    let mut time = 0.0;
    for (index, action) in actions.iter().enumerate() {
        time += action.pause.as_secs_f64();
        let plan = plan(&mut planner, action, &settings, &model, Timestamp::UNIX_EPOCH);
        let system = plan.request.system.iter().map(|SystemBlock::Text { text, .. }| text.clone());
        let content = plan.request.messages[0].content.iter().filter_map(|block| match block {
            ContentBlock::Text { text, .. } => Some(text.clone()),
            _ => None,
        });
        let blocks: Vec<String> = system.chain(content).collect();
        let is_named = blocks.iter().any(|block| block.starts_with("<selection") && block.ends_with("/>"));
        for block in blocks {
            if block.starts_with("<document") {
                documents.entry(&action.path).or_default().push(Use { index, time, is_named });
            } else if block.starts_with("<selection") || block.starts_with("<task") {
                total += prices.input * counter.tokens(&block);
            } else {
                shared.entry(block).or_default().push(time);
            }
        }
    }
    for (block, times) in &shared {
        total += counter.tokens(block) * shared_layer(times, &prices);
    }
    for uses in documents.values() {
        total += document(actions, uses, &prices, &mut counter);
    }
    total / 1e6
}

/// The least a layer of one token costs, used at these times.
fn shared_layer(times: &[f64], prices: &Prices) -> f64 {
    // Cost so far: not in the cache, there for five minutes, for an hour.
    let mut costs = [0.0, f64::INFINITY, f64::INFINITY];
    let mut last = f64::NEG_INFINITY;
    for time in times {
        let cold = forget(&mut costs, time - last);
        last = *time;
        costs = [
            cold + prices.input,
            (costs[1] + prices.cache_read).min(cold + prices.cache_write_5m),
            (costs[2] + prices.cache_read).min(cold + prices.cache_write_1h),
        ];
    }
    costs.into_iter().fold(f64::INFINITY, f64::min)
}

/// Entries whose life ended are not there any more. The least cost of having arrived here at all.
fn forget(costs: &mut [f64; 3], pause: f64) -> f64 {
    let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
    if pause >= 300.0 {
        costs[1] = f64::INFINITY;
    }
    if pause >= 3600.0 {
        costs[2] = f64::INFINITY;
    }
    least
}

/// An action's use of its document.
struct Use {
    /// Which action.
    index: usize,
    /// In seconds.
    time: f64,
    /// The selection is only named by its lines.
    is_named: bool,
}

/// An entry with an earlier text.
struct Kept {
    text: Arc<str>,
    comparison: Comparison,
    tokens: f64,
    stated: HashSet<String>,
    /// As [`shared_layer`] has it; the first is not used.
    costs: [f64; 3],
}

/// The least a document costs, used by these actions at these times.
fn document(actions: &[Action], uses: &[Use], prices: &Prices, counter: &mut Counter) -> f64 {
    let mut cold = 0.0;
    let mut kept: Vec<Kept> = Vec::new();
    let mut last = f64::NEG_INFINITY;
    for Use { index, time, is_named } in uses {
        let action = &actions[*index];
        let tokens = counter.tokens(&action.text);
        let mut arrived: f64 = cold;
        for entry in &mut kept {
            entry.costs[0] = f64::INFINITY;
            arrived = arrived.min(forget(&mut entry.costs, time - last));
        }
        kept.retain(|entry| entry.costs.iter().any(|cost| cost.is_finite()));
        last = *time;
        for entry in &mut kept {
            let read = match entry.comparison.changes(&action.text, &action.selection) {
                Some(changes) => {
                    let mut cost = prices.cache_read * entry.tokens;
                    if *is_named && entry.text != action.text {
                        cost += prices.input * counter.tokens(&action.text[action.selection.clone()]);
                    }
                    for change in changes {
                        let count = counter.tokens(&change);
                        let price = if entry.stated.contains(&change) { prices.cache_read } else { prices.input };
                        cost += price * count;
                        entry.stated.insert(change);
                    }
                    cost
                }
                None => f64::INFINITY,
            };
            // Or the entry is left alone, and the current text is plain input.
            let paid = read.min(prices.input * tokens);
            entry.costs[1] += paid;
            entry.costs[2] += paid;
        }
        cold = arrived + prices.input * tokens;
        kept.push(Kept {
            text: action.text.clone(),
            comparison: Comparison::new(&action.text, action.language),
            tokens,
            stated: HashSet::new(),
            costs: [f64::INFINITY, arrived + prices.cache_write_5m * tokens, arrived + prices.cache_write_1h * tokens],
        });
    }
    kept.iter().flat_map(|entry| entry.costs).fold(cold, f64::min)
}

/// Counts tokens as the simulator does.
struct Counter {
    model: String,
    known: HashMap<String, f64>,
}

impl Counter {
    /// The tokens of a text in a prompt, rounded down.
    fn tokens(&mut self, text: &str) -> f64 {
        if text.trim().is_empty() {
            return 0.0;
        }
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let alone = self.alone(text);
        // A message has some tokens of its own.
        let tokens = (alone - self.alone("a") + 1.0).max(0.0);
        self.known.insert(text.to_owned(), tokens);
        tokens
    }

    fn alone(&self, text: &str) -> f64 {
        let request = MessageRequest {
            model: self.model.clone(),
            max_tokens: Some(1000),
            messages: vec![Message { role: Role::User, content: vec![ContentBlock::text(text)] }],
            ..MessageRequest::default()
        };
        let tokens = Accounting::new().charge("key", &request, Timestamp::UNIX_EPOCH).expect("a plain request");
        f64::from(u32::try_from(tokens.input).unwrap_or(u32::MAX))
    }
}
