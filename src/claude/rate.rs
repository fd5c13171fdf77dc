//! The rate limits an answer's headers tell of.

use std::time::{Duration, SystemTime};

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
    /// The same as a time from the answer on, by the server's own clock where it tells it.
    #[serde(skip)]
    pub full_in: Option<Duration>,
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
        Self::at(headers, SystemTime::now())
    }

    /// The same, with the time of this machine, which counts only where the answer has no `date`.
    fn at(headers: &HeaderMap, now: SystemTime) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let field = |kind: &str, field: &str| {
            text(&format!("anthropic-ratelimit-{kind}-{field}"))
                .or_else(|| text(&format!("x-ratelimit-{field}-{kind}")))
                .or_else(|| text(&format!("x-ratelimit-{kind}-{field}")))
        };
        let now = text("date").and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
        let limit = |kind: &str| Limit {
            full_in: field(kind, "reset").and_then(|reset| time_until(reset, now)),
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

/// A day; no limit is longer, and sums stay in bounds.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long until a limit is full again: a moment (RFC 3339, or seconds or milliseconds since 1970), seconds from now, or a
/// span such as `6m0s`.
fn time_until(reset: &str, now: SystemTime) -> Option<Duration> {
    let until = |moment: SystemTime| moment.duration_since(now).unwrap_or_default();
    let since_epoch = |seconds: f64| SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?);
    let wait = if let Ok(moment) = reset.parse::<jiff::Timestamp>() {
        until(SystemTime::from(moment))
    } else if let Ok(number) = reset.parse::<f64>() {
        match number {
            1e12.. => until(since_epoch(number / 1000.0)?),
            1e9.. => until(since_epoch(number)?),
            _ => Duration::try_from_secs_f64(number).ok()?,
        }
    } else {
        span(reset)?
    };
    Some(wait.min(LONGEST))
}

/// `1h2m3.5s`, `350ms`.
fn span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let unit = rest[number..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |length| number + length);
        let factor = match &rest[number..unit] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        seconds += rest[..number].parse::<f64>().ok()? * factor;
        rest = &rest[unit..];
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_a_moment_or_a_span() {
        let now = httpdate::parse_http_date("Mon, 23 Nov 2026 12:00:00 GMT").unwrap();
        let secs = |reset: &str| time_until(reset, now).map(|wait| wait.as_secs_f64());
        for (reset, expected) in [
            ("2026-11-23T12:00:30Z", Some(30.0)),
            ("2026-11-23T13:00:30+01:00", Some(30.0)),
            ("2026-11-23T11:59:00Z", Some(0.0)),
            ("1795435230", Some(30.0)),
            ("1795435230000", Some(30.0)),
            ("12", Some(12.0)),
            ("0.25", Some(0.25)),
            ("6m0s", Some(360.0)),
            ("1h0m1.5s", Some(3601.5)),
            ("350ms", Some(0.35)),
            ("2099-01-01T00:00:00Z", Some(86_400.0)),
            ("1e300", None),
            ("-3", None),
            ("soon", None),
            ("3 weeks", None),
            ("1.2.3s", None),
            ("", None),
        ] {
            assert_eq!(secs(reset), expected, "{reset}");
        }
    }

    #[test]
    fn the_servers_clock_counts() {
        let headers = [
            ("date", "Tue, 24 Nov 2026 12:00:00 GMT"),
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-reset", "2026-11-24T12:00:20Z"),
        ];
        assert_eq!(rate(&headers).requests.full_in, Some(Duration::from_secs(20)));
    }

    proptest::proptest! {
        #[test]
        fn any_reset_is_bounded(reset in "[ -~]{0,30}|[0-9.]{1,5}(ms|s|m|h|d)([0-9]{1,9}s)?") {
            assert!(time_until(&reset, SystemTime::now()).is_none_or(|wait| wait <= LONGEST));
        }
    }

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
