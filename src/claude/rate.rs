//! The rate limits an answer's headers tell of.

use http::HeaderMap;
use serde::Serialize;

/// One limit: how much there is, how much is left, and when it is full again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// Per minute.
    pub limit: Option<u64>,
    /// Left of it.
    pub remaining: Option<u64>,
    /// When it is full again: RFC 3339, or as the gateway wrote it.
    pub reset: Option<String>,
}

/// The limits of an answer; what the server does not tell stays empty. Cache reads do not count towards input tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RateHeaders {
    /// Requests.
    pub requests: Limit,
    /// Input and output tokens together.
    pub tokens: Limit,
    /// Input tokens.
    pub input_tokens: Limit,
    /// Output tokens.
    pub output_tokens: Limit,
}

impl RateHeaders {
    /// Reads `anthropic-ratelimit-KIND-FIELD`, and the older `x-ratelimit-FIELD-KIND` and `x-ratelimit-KIND-FIELD`.
    pub fn new(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let field = |kind: &str, field: &str| {
            text(&format!("anthropic-ratelimit-{kind}-{field}"))
                .or_else(|| text(&format!("x-ratelimit-{field}-{kind}")))
                .or_else(|| text(&format!("x-ratelimit-{kind}-{field}")))
        };
        let limit = |kind: &str| Limit {
            limit: field(kind, "limit").and_then(|number| number.parse().ok()),
            remaining: field(kind, "remaining").and_then(|number| number.parse().ok()),
            reset: field(kind, "reset").map(str::to_owned),
        };
        Self {
            requests: limit("requests"),
            tokens: limit("tokens"),
            input_tokens: limit("input-tokens"),
            output_tokens: limit("output-tokens"),
        }
    }

    /// The limit with the smallest share left and its name, when any is told.
    pub fn tightest(&self) -> Option<(&'static str, &Limit)> {
        #[expect(clippy::cast_precision_loss, reason = "only compared")]
        let share = |limit: &Limit| Some(limit.remaining? as f64 / limit.limit.filter(|limit| *limit > 0)? as f64);
        [
            ("requests", &self.requests),
            ("tokens", &self.tokens),
            ("input tokens", &self.input_tokens),
            ("output tokens", &self.output_tokens),
        ]
        .into_iter()
        .filter_map(|(name, limit)| Some((share(limit)?, name, limit)))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name, limit)| (name, limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(headers: &[(&'static str, &'static str)]) -> RateHeaders {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)));
        RateHeaders::new(&headers.collect())
    }

    #[test]
    fn both_generations_are_read() {
        let new = rate(&[
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "49"),
            ("anthropic-ratelimit-requests-reset", "2026-11-23T12:00:00Z"),
            ("anthropic-ratelimit-input-tokens-limit", "30000"),
            ("anthropic-ratelimit-input-tokens-remaining", "100"),
            ("x-ratelimit-limit-requests", "7"),
        ]);
        assert_eq!(new.requests.limit, Some(50));
        assert_eq!(new.requests.reset.as_deref(), Some("2026-11-23T12:00:00Z"));
        assert_eq!(new.tightest().map(|(name, limit)| (name, limit.remaining)), Some(("input tokens", Some(100))));
        let old = rate(&[("x-ratelimit-limit-tokens", "9"), ("x-ratelimit-tokens-remaining", "3")]);
        assert_eq!((old.tokens.limit, old.tokens.remaining), (Some(9), Some(3)));
    }

    #[test]
    fn nonsense_is_nothing() {
        let odd = rate(&[("anthropic-ratelimit-tokens-limit", "many"), ("anthropic-ratelimit-requests-limit", "0")]);
        assert_eq!(odd.tokens, Limit::default());
        assert_eq!(odd.tightest(), None);
    }
}
