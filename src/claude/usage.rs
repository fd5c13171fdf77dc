//! Tokens and money of a request.

use std::{iter::Sum, ops};

use serde::{Deserialize, Serialize};

use super::{
    models::{Model, Prices},
    types,
};

/// Tokens of one request, or of many; every token of input is in exactly one of the first four fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tokens {
    /// Input that was neither read from the cache nor written to it.
    pub input: u64,
    /// Input that was read from the cache.
    pub cache_read: u64,
    /// Input that was written to the cache for five minutes.
    pub cache_write_5m: u64,
    /// Input that was written to the cache for an hour.
    pub cache_write_1h: u64,
    /// Output, thinking included.
    pub output: u64,
    /// The part of the output that is thinking.
    pub thinking: u64,
}

impl Tokens {
    /// Input that was written to the cache, for either life.
    pub fn cache_write(&self) -> u64 {
        self.cache_write_5m.saturating_add(self.cache_write_1h)
    }

    /// All input.
    pub fn total_input(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write())
    }

    /// The share of the input that was read from the cache, between 0 and 1; `None` when there was no input.
    #[expect(clippy::cast_precision_loss, reason = "a share of token counts, far below 2^52")]
    pub fn cache_hit_rate(&self) -> Option<f64> {
        let total = self.total_input();
        (total > 0).then(|| self.cache_read as f64 / total as f64)
    }
}

impl ops::Add for Tokens {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write_5m: self.cache_write_5m.saturating_add(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            output: self.output.saturating_add(other.output),
            thinking: self.thinking.saturating_add(other.thinking),
        }
    }
}

impl ops::AddAssign for Tokens {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Tokens {
    fn sum<I: Iterator<Item = Self>>(tokens: I) -> Self {
        tokens.fold(Self::default(), |sum, next| sum + next)
    }
}

impl From<&types::Usage> for Tokens {
    /// The total of written tokens is what counts; the split, which a stream gives only once and older servers never,
    /// says how much of it is for an hour.
    fn from(usage: &types::Usage) -> Self {
        let split = usage.cache_creation.as_ref();
        let short = split.and_then(|split| split.ephemeral_5m_input_tokens).unwrap_or(0);
        let long = split.and_then(|split| split.ephemeral_1h_input_tokens).unwrap_or(0);
        let written = usage.cache_creation_input_tokens.unwrap_or(short.saturating_add(long));
        let cache_write_1h = long.min(written);
        Self {
            input: usage.input_tokens.unwrap_or(0),
            cache_read: usage.cache_read_input_tokens.unwrap_or(0),
            cache_write_5m: written - cache_write_1h,
            cache_write_1h,
            output: usage.output_tokens.unwrap_or(0),
            thinking: usage.output_tokens_details.as_ref().and_then(|details| details.thinking_tokens).unwrap_or(0),
        }
    }
}

/// What tokens cost, in $.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// What they cost.
    pub usd: f64,
    /// What the same tokens would have cost without any cache.
    pub uncached_usd: f64,
}

impl Cost {
    /// What the cache saved; negative when writing to it was not worth it.
    pub fn saved(&self) -> f64 {
        self.uncached_usd - self.usd
    }
}

/// What the tokens of **one** request cost; `None` when the model's prices are not known.
///
/// Only one request at a time, as the prices of some models depend on the length of the prompt.
pub fn cost(model: &Model, tokens: &Tokens, batch: bool) -> Option<Cost> {
    let prices = model.prices_for(tokens.total_input())?;
    Some(cost_at(&prices, tokens, batch))
}

/// What tokens cost at these prices; a batch halves everything, cache prices too.
#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
pub fn cost_at(prices: &Prices, tokens: &Tokens, batch: bool) -> Cost {
    let per_token = if batch { 0.5 } else { 1.0 } / 1_000_000.0;
    let output = tokens.output as f64 * prices.output;
    let input = tokens.input as f64 * prices.input
        + tokens.cache_read as f64 * prices.cache_read
        + tokens.cache_write_5m as f64 * prices.cache_write_5m
        + tokens.cache_write_1h as f64 * prices.cache_write_1h;
    let uncached = tokens.total_input() as f64 * prices.input;
    Cost { usd: (input + output) * per_token, uncached_usd: (uncached + output) * per_token }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claude::models;

    fn usage(json: serde_json::Value) -> Tokens {
        Tokens::from(&serde_json::from_value::<types::Usage>(json).unwrap())
    }

    #[test]
    fn every_token_is_counted_once() {
        let tokens = usage(serde_json::json!({
            "input_tokens": 7, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 500,
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
            "output_tokens": 40, "output_tokens_details": {"thinking_tokens": 15}, "service_tier": "standard",
        }));
        let expected =
            Tokens { input: 7, cache_read: 500, cache_write_5m: 10, cache_write_1h: 20, output: 40, thinking: 15 };
        assert_eq!(tokens, expected);
        assert_eq!(tokens.total_input(), 537);
        assert!((tokens.cache_hit_rate().unwrap() - 500.0 / 537.0).abs() < 1e-12);
    }

    #[test]
    fn null_and_missing_are_nothing() {
        assert_eq!(usage(serde_json::json!({"input_tokens": null, "cache_creation": null})), Tokens::default());
        assert_eq!(usage(serde_json::json!({})).cache_hit_rate(), None);
    }

    #[test]
    fn writes_without_a_split_are_five_minutes_and_the_total_rules() {
        assert_eq!(usage(serde_json::json!({"cache_creation_input_tokens": 9})).cache_write_5m, 9);
        let grown = usage(serde_json::json!({
            "cache_creation_input_tokens": 25, "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 20},
        }));
        assert_eq!((grown.cache_write_5m, grown.cache_write_1h), (5, 20));
        let only_split = usage(serde_json::json!({"cache_creation": {"ephemeral_1h_input_tokens": 4}}));
        assert_eq!((only_split.cache_write_5m, only_split.cache_write_1h), (0, 4));
    }

    #[test]
    fn costs_are_those_of_the_price_list() {
        let sonnet = models::find("claude-sonnet-5-5").unwrap();
        let million = Tokens {
            input: 1_000_000,
            cache_read: 1_000_000,
            cache_write_5m: 1_000_000,
            cache_write_1h: 1_000_000,
            output: 1_000_000,
            thinking: 400_000,
        };
        let paid = cost(sonnet, &million, false).unwrap();
        assert!((paid.usd - (2.0 + 0.10 + 2.5 + 4.0 + 10.0)).abs() < 1e-9);
        assert!((paid.uncached_usd - (4.0 * 2.0 + 10.0)).abs() < 1e-9);
        let batch = cost(sonnet, &million, true).unwrap();
        assert!((batch.usd * 2.0 - paid.usd).abs() < 1e-9);
        let write = Tokens { cache_write_1h: 1000, ..Tokens::default() };
        assert!(cost(sonnet, &write, false).unwrap().saved() < 0.0);
        assert_eq!(cost(&models::lookup("claude-next-9"), &million, false), None);
    }

    #[test]
    fn a_long_prompt_changes_the_price_of_all_tokens() {
        let haiku = models::find("claude-haiku-5-5").unwrap();
        let at_limit = Tokens { input: 40_000, cache_read: 60_000, output: 1000, ..Tokens::default() };
        let over = Tokens { input: 40_001, ..at_limit };
        let cheap = cost(haiku, &at_limit, false).unwrap().usd;
        assert!((cheap - (40_000.0 * 0.10 + 60_000.0 * 0.01 + 1000.0 * 0.50) / 1e6).abs() < 1e-12);
        let dear = cost(haiku, &over, false).unwrap().usd;
        assert!((dear - (40_001.0 * 0.50 + 60_000.0 * 0.05 + 1000.0 * 2.50) / 1e6).abs() < 1e-12);
    }

    proptest::proptest! {
        #[test]
        fn sums_keep_every_token(parts in proptest::collection::vec(proptest::array::uniform6(0_u64..1 << 40), 0..20)) {
            let tokens: Vec<Tokens> = parts
                .iter()
                .map(|&[input, cache_read, cache_write_5m, cache_write_1h, output, thinking]| Tokens {
                    input, cache_read, cache_write_5m, cache_write_1h, output, thinking,
                })
                .collect();
            let sum: Tokens = tokens.iter().copied().sum();
            assert_eq!(sum.total_input(), tokens.iter().map(Tokens::total_input).sum::<u64>());
            assert_eq!(sum.output, parts.iter().map(|part| part[4]).sum::<u64>());
        }
    }
}
