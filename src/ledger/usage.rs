//! Usage as programs and people see it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::claude::usage::{Cost, Tokens};
use crate::claude::words::{counters, price};

/// What one run of an action took: the `usage` object of `--json`, of command results and of notifications.
///
/// All numbers are tokens or US dollars. `inputTokens` are the ones that were neither read from the cache nor written to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageReport {
    /// Tokens charged at the plain input price.
    pub input_tokens: u64,
    /// Tokens read from the cache.
    pub cache_read_tokens: u64,
    /// Tokens written to the cache, of both lives.
    pub cache_write_tokens: u64,
    /// The part of `cacheWriteTokens` that lives an hour.
    #[serde(rename = "cacheWrite1hTokens")]
    pub cache_write_1h_tokens: u64,
    /// Tokens of the answer, thinking included.
    pub output_tokens: u64,
    /// The part of `outputTokens` that was thinking.
    pub thinking_tokens: u64,
    /// Read / (input + written + read), from 0 to 1; `null` when nothing was sent.
    pub cache_hit_rate: Option<f64>,
    /// What it cost; `null` when the model's price is not known.
    pub cost_usd: Option<f64>,
    /// What the same tokens would have cost without a cache, minus the cost; negative when writes were not worth it.
    pub saved_usd: Option<f64>,
    /// The model's id.
    pub model: String,
    /// The API's `request-id`, of the last request if there were several.
    pub request_id: Option<String>,
    /// Why less was read from the cache than could have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub miss_reason: Option<String>,
    /// The request was cut or cancelled: output made until then is billed but was not reported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

impl UsageReport {
    /// The usage of `tokens` by `model` at the `cost` they had; `None` when its price is not known.
    pub fn new(model: &str, tokens: &Tokens, cost: Option<Cost>) -> Self {
        Self {
            input_tokens: tokens.input,
            cache_read_tokens: tokens.cache_read,
            cache_write_tokens: tokens.cache_write(),
            cache_write_1h_tokens: tokens.cache_write_1h,
            output_tokens: tokens.output,
            thinking_tokens: tokens.thinking,
            cache_hit_rate: tokens.cache_hit_rate(),
            cost_usd: cost.map(|cost| cost.usd),
            saved_usd: cost.map(|cost| cost.uncached_usd - cost.usd),
            model: model.to_owned(),
            request_id: None,
            miss_reason: None,
            partial: false,
        }
    }

    /// Adds the API's `request-id`.
    #[must_use]
    pub fn request_id(mut self, id: Option<String>) -> Self {
        self.request_id = id;
        self
    }

    /// Adds why less was read from the cache than could have been.
    #[must_use]
    pub fn miss_reason(mut self, reason: Option<String>) -> Self {
        self.miss_reason = reason;
        self
    }

    /// Marks a request that was cut or cancelled.
    #[must_use]
    pub fn partial(mut self, partial: bool) -> Self {
        self.partial = partial;
        self
    }

    /// The tokens by kind, as they are billed.
    pub fn tokens(&self) -> Tokens {
        Tokens {
            input: self.input_tokens,
            cache_read: self.cache_read_tokens,
            cache_write_5m: self.cache_write_tokens.saturating_sub(self.cache_write_1h_tokens),
            cache_write_1h: self.cache_write_1h_tokens,
            output: self.output_tokens,
            thinking: self.thinking_tokens,
        }
    }

    /// One line for people: `12.3k in · 91% from cache · 410 out · $0.0023 (saved $0.0201)`.
    pub fn line(&self) -> String {
        let mut line = counters(&self.tokens());
        line.push_str(" · ");
        // Output of an answer that was cut or cancelled is billed until then, and was not reported.
        if self.partial && self.cost_usd.is_some() {
            line.push_str("at least ");
        }
        line.push_str(&price(self.cost_usd, self.saved_usd));
        if let Some(reason) = &self.miss_reason {
            let _ = write!(line, " · {}", missed(reason));
        }
        line
    }
}

/// Why less was read from the cache than could have been, for people.
fn missed(reason: &str) -> String {
    match reason {
        "first" => "not cached before".to_owned(),
        "too_short" => "too short to be cached".to_owned(),
        "not_ready" => "cache missed: it was still being written".to_owned(),
        "model" | "settings" | "tools" | "rules" | "document" => format!("cache missed: {reason} changed"),
        "system" => "cache missed: system prompt changed".to_owned(),
        _ => format!("cache missed: {reason}"),
    }
}
