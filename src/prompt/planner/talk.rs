//! What a conversation writes to the cache: bets as all others are, made anew for each of its requests.

use jiff::Timestamp;

use super::{Planner, amount};
use crate::claude::models::Model;
use crate::claude::types::Ttl;
use crate::claude::usage::Tokens;
use crate::config::{CacheTtl, Settings};
use crate::prompt::habits::Key;
use crate::prompt::price::Rates;
use crate::prompt::{LayerName, Plan};

impl Planner {
    /// Takes back the breakpoints of a conversation's request that are not expected to be worth what they write, or that may
    /// cost more than can be lost: from the last one on. What its first request has in front of the conversation was decided
    /// with the document and stays.
    pub fn bet(&self, plan: &mut Plan, settings: &Settings, model: &Model, now: Timestamp) {
        let Some(first) = plan.layers.iter().position(|layer| layer.name >= LayerName::Conversation) else { return };
        let key = Key::Talk(plan.layers[first].prefix.to_string());
        let (talk, common) = (self.habits.odds(&key, now), self.habits.odds(&Key::Conversation, now));
        if !plan.memo.keys.contains(&key) {
            plan.memo.keys.push(key);
        }
        if settings.cache.ttl != CacheTtl::Auto {
            // Who names a life has decided.
            return;
        }
        let rates = Rates::of(model);
        let head: u64 = plan.layers[..first].iter().map(|layer| layer.estimated_tokens).sum();
        let total = plan.estimated_input_tokens;
        let most = self.insurance.most(model, total, head);
        let marked: Vec<usize> = (0..plan.layers.len()).filter(|at| plan.layers[*at].breakpoint.is_some()).collect();
        let lives: Vec<Option<Ttl>> = marked.iter().map(|at| plan.layers[*at].breakpoint).collect();
        let decided = if plan.memo.document.is_empty() { 0 } else { marked.partition_point(|at| *at < first) };
        let mut best: Option<(usize, f64)> = None;
        for kept in (decided..=marked.len()).rev() {
            if let Some(at) = marked.get(kept) {
                plan.layers[*at].breakpoint = None;
            }
            let tokens = self.warmth.expected(plan, now);
            let price = rates.price(&tokens);
            if kept > decided && price > amount(total) && price > most {
                continue;
            }
            let cached = tokens.cache_read + tokens.cache_write();
            let ahead = cached.min(head);
            let later = amount(ahead) * rates.saved(common, Ttl::FiveMinutes)
                + amount(cached - ahead) * rates.saved(talk, Ttl::FiveMinutes);
            if best.is_none_or(|(_, least)| price - later < least - 1e-9) {
                best = Some((kept, price - later));
            }
        }
        let kept = best.map_or(decided, |(kept, _)| kept);
        for (at, life) in marked.iter().zip(lives).take(kept) {
            plan.layers[*at].breakpoint = life;
        }
        plan.mark();
    }
}

impl Rates {
    /// What a request's input costs, in tokens of plain input.
    fn price(&self, tokens: &Tokens) -> f64 {
        amount(tokens.input)
            + self.read * amount(tokens.cache_read)
            + self.short * amount(tokens.cache_write_5m)
            + self.long * amount(tokens.cache_write_1h)
    }
}
