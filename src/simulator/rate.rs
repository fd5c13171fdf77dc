//! The rate headers: levels that fall with every request and fill up again within a minute. Nothing is ever refused for
//! them; a scenario can do that.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::clock::later;

/// What a key may use a minute.
const LIMITS: [(&str, u64); 3] = [("requests", 4_000), ("input-tokens", 2_000_000), ("output-tokens", 400_000)];

/// The levels of all keys.
#[derive(Debug, Default)]
pub(super) struct Rates {
    levels: HashMap<String, Levels>,
}

#[derive(Clone, Copy, Debug)]
struct Levels {
    used: [f64; 3],
    at: Timestamp,
}

impl Rates {
    /// Counts one request with so many tokens of input that were not read from the cache, and of output.
    pub(super) fn count(&mut self, key: &str, input: u64, output: u64, now: Timestamp) -> HeaderMap {
        let levels = self.levels.entry(key.to_owned()).or_insert(Levels { used: [0.0; 3], at: now });
        let minutes = now.duration_since(levels.at).as_secs_f64() / 60.0;
        levels.at = now;
        let mut headers = HeaderMap::new();
        for (place, ((name, limit), used)) in LIMITS.into_iter().zip([1, input, output]).enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "counts of tokens, far below 2^52")]
            let (limit_share, used) = (limit as f64, used as f64);
            let level = &mut levels.used[place];
            *level = (*level - limit_share * minutes).max(0.0) + used;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the limit")]
            let remaining = (limit_share - *level).max(0.0).floor() as u64;
            let full = std::time::Duration::try_from_secs_f64(*level / limit_share * 60.0).unwrap_or_default();
            let reset = later(now, full).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            set(&mut headers, name, "limit", &limit.to_string());
            set(&mut headers, name, "remaining", &remaining.to_string());
            set(&mut headers, name, "reset", &reset);
        }
        headers
    }
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
        let mut rates = Rates::default();
        let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let remaining =
            |headers: &HeaderMap| headers["anthropic-ratelimit-input-tokens-remaining"].to_str().unwrap().to_owned();
        assert_eq!(remaining(&rates.count("a", 500_000, 0, start)), "1500000");
        let headers = rates.count("a", 500_000, 0, start);
        assert_eq!(remaining(&headers), "1000000");
        assert_eq!(headers["anthropic-ratelimit-input-tokens-reset"], "2026-11-23T12:00:30Z");
        assert_eq!(remaining(&rates.count("a", 0, 0, later(start, Duration::from_secs(60)))), "2000000");
        assert_eq!(remaining(&rates.count("b", 0, 0, start)), "2000000");
    }
}
