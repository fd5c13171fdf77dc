//! The rate headers: levels that fall with every request and fill up again within a minute. Nothing is refused for them,
//! unless a scenario sets limits of its own.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;

use super::clock::later;
use super::scenario::Limits;

/// The limits that headers tell of.
const NAMES: [&str; 3] = ["requests", "input-tokens", "output-tokens"];

/// What a key may use a minute.
const USUAL: [u64; 3] = [4_000, 2_000_000, 400_000];

/// The levels of all keys.
#[derive(Debug)]
pub(super) struct Rates {
    limits: [u64; 3],
    seconds: f64,
    /// Whether what would pass a limit is refused.
    strict: bool,
    levels: HashMap<String, Levels>,
}

#[derive(Clone, Copy, Debug)]
struct Levels {
    used: [f64; 3],
    at: Timestamp,
}

impl Rates {
    /// With a scenario's limits, which are kept, or the usual ones, which are only told of.
    pub(super) fn new(limits: Option<Limits>) -> Self {
        let [requests, input, output] = USUAL;
        let own = |limits: Limits| [limits.requests.unwrap_or(requests), limits.input_tokens.unwrap_or(input), output];
        Self {
            limits: limits.map_or(USUAL, own),
            seconds: limits.map_or(60.0, |limits| limits.seconds),
            strict: limits.is_some(),
            levels: HashMap::new(),
        }
    }

    /// Counts one request with so many tokens of input that were not read from the cache, and of output: the headers of its
    /// answer, or of its refusal.
    pub(super) fn count(&mut self, key: &str, input: u64, output: u64, now: Timestamp) -> Result<HeaderMap, HeaderMap> {
        let levels = self.levels.entry(key.to_owned()).or_insert(Levels { used: [0.0; 3], at: now });
        let passed = now.duration_since(levels.at).as_secs_f64() / self.seconds;
        levels.at = now;
        for (level, limit) in levels.used.iter_mut().zip(self.limits) {
            *level = (*level - number(limit) * passed).max(0.0);
        }
        let amounts = [1, input, output].map(number);
        // Output is only known when it is made, so that limit alone is never in the way of a request.
        let missing = (0..2).map(|place| (levels.used[place] + amounts[place]) / number(self.limits[place]) - 1.0);
        let missing = missing.fold(0.0, f64::max);
        let refused = self.strict && missing > 0.0;
        let mut headers = HeaderMap::new();
        for (place, (name, limit)) in NAMES.into_iter().zip(self.limits).enumerate() {
            let level = &mut levels.used[place];
            *level += if refused { 0.0 } else { amounts[place] };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the limit")]
            let remaining = (number(limit) - *level).max(0.0).floor() as u64;
            let full =
                std::time::Duration::try_from_secs_f64(*level / number(limit) * self.seconds).unwrap_or_default();
            let reset = later(now, full).strftime("%Y-%m-%dT%H:%M:%S%.fZ").to_string();
            set(&mut headers, name, "limit", &limit.to_string());
            set(&mut headers, name, "remaining", &remaining.to_string());
            set(&mut headers, name, "reset", &reset);
        }
        if !refused {
            return Ok(headers);
        }
        // A millionth is rounding.
        let wait = (missing.min(1.0) * self.seconds - 1e-6).ceil();
        if let Ok(value) = HeaderValue::from_str(&format!("{wait:.0}")) {
            headers.insert(header::RETRY_AFTER, value);
        }
        Err(headers)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of tokens, far below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

fn set(headers: &mut HeaderMap, name: &str, what: &str, value: &str) {
    let name = HeaderName::try_from(format!("anthropic-ratelimit-{name}-{what}"));
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn levels_fall_and_fill_up_again() {
        let mut rates = Rates::new(None);
        let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let remaining =
            |headers: &HeaderMap| headers["anthropic-ratelimit-input-tokens-remaining"].to_str().unwrap().to_owned();
        assert_eq!(remaining(&rates.count("a", 500_000, 0, start).unwrap()), "1500000");
        let headers = rates.count("a", 500_000, 0, start).unwrap();
        assert_eq!(remaining(&headers), "1000000");
        assert_eq!(headers["anthropic-ratelimit-input-tokens-reset"], "2026-11-23T12:00:30Z");
        assert_eq!(remaining(&rates.count("a", 0, 0, later(start, Duration::from_secs(60))).unwrap()), "2000000");
        assert_eq!(remaining(&rates.count("b", 0, 0, start).unwrap()), "2000000");
    }

    #[test]
    fn a_scenarios_limits_are_kept() {
        let limits = Limits { requests: Some(2), input_tokens: Some(1_000), seconds: 10.0 };
        let mut rates = Rates::new(Some(limits));
        let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let at = |seconds| later(start, Duration::from_secs(seconds));
        let verdict = |counted: Result<HeaderMap, HeaderMap>| match counted {
            Ok(headers) => headers["anthropic-ratelimit-requests-remaining"].to_str().unwrap().to_owned(),
            Err(headers) => format!("retry after {}", headers["retry-after"].to_str().unwrap()),
        };
        assert_eq!(verdict(rates.count("a", 400, 9, start)), "1");
        assert_eq!(verdict(rates.count("a", 700, 9, start)), "retry after 1", "of tokens, a tenth is missing");
        assert_eq!(verdict(rates.count("a", 600, 9, start)), "0");
        assert_eq!(verdict(rates.count("a", 0, 9, start)), "retry after 5", "one of two requests in ten seconds");
        assert_eq!(verdict(rates.count("a", 0, 9, at(5))), "0");
        assert_eq!(verdict(rates.count("b", 0, 9, start)), "1", "that is another key");
        assert_eq!(verdict(rates.count("b", 5_000, 9, start)), "retry after 10", "it never fits");
    }
}
