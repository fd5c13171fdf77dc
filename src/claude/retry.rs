//! Whether a failed request is worth another try, and when: pure functions of what the server said.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::{Duration, SystemTime},
};

use http::HeaderMap;

use super::{errors::Fault, types::ApiError};

/// Nobody who waits in an editor is kept waiting longer without a word: when the server asks for more, the request fails
/// at once and the error says when to try again. (Asking earlier would only be refused again.)
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What to do about a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Another try would fail the same way, or could do harm.
    Never,
    /// Try again after [`backoff`].
    Backoff,
    /// Try again when the server said; at most [`LONGEST_WAIT`].
    After(Duration),
    /// The server asks for a longer wait than [`LONGEST_WAIT`]: tell, do not wait.
    TooLong(Duration),
}

impl Verdict {
    /// How long to wait after `failed` failed attempts (1 for the first), or `None` to give up.
    /// `random` is between 0 and 1.
    pub fn delay(self, failed: u32, random: f64) -> Option<Duration> {
        match self {
            Self::Never | Self::TooLong(_) => None,
            Self::Backoff => Some(backoff(failed.saturating_sub(1), random)),
            Self::After(delay) => Some(delay),
        }
    }
}

/// The verdict on an answer with this status: `x-should-retry` wins, a spent budget is final, then the status counts.
/// `now` is this machine's clock, used only when the answer has no `date` of its own.
pub fn of_status(status: u16, headers: &HeaderMap, fault: &Fault, now: SystemTime) -> Verdict {
    let again = match text(headers, "x-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => !fault.is_spent_budget() && is_transient(status),
    };
    if again { advised(headers, now) } else { Verdict::Never }
}

/// The verdict on an `error` event, which has no headers.
pub fn of_event(error: &ApiError) -> Verdict {
    let fault = Fault::from_event(error);
    if !fault.is_spent_budget() && is_transient(status_of(&error.kind)) { Verdict::Backoff } else { Verdict::Never }
}

/// The status that belongs to an error type; 500 for types this version does not know.
pub fn status_of(kind: &str) -> u16 {
    match kind {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "conflict_error" => 409,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 500,
    }
}

/// `min(0.5 * 2^n, 8)` seconds, less up to a quarter by chance so that clients do not come back in step.
pub fn backoff(n: u32, random: f64) -> Duration {
    let full = (0.5 * 2_f64.powi(n.min(16).cast_signed())).min(8.0);
    Duration::from_secs_f64(full * (1.0 - 0.25 * random.clamp(0.0, 1.0)))
}

/// A number between 0 and 1, good enough to spread retries.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
pub fn random() -> f64 {
    (RandomState::new().build_hasher().finish() >> 11) as f64 / (1_u64 << 53) as f64
}

fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 409 | 429) || status >= 500
}

/// `retry-after-ms`, then `retry-after` in seconds or as a date; zero, the past and nonsense mean the usual backoff.
fn advised(headers: &HeaderMap, now: SystemTime) -> Verdict {
    let header = |name| text(headers, name);
    let seconds = |text: &str, unit: f64| {
        let number: f64 = text.parse().ok()?;
        Duration::try_from_secs_f64(number * unit).ok()
    };
    let until = |text: &str| {
        // The server's own clock, if it tells: a wrong clock here must not turn seconds into hours.
        let here = header("date").and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
        httpdate::parse_http_date(text).ok()?.duration_since(here).ok()
    };
    let asked = header("retry-after-ms")
        .and_then(|ms| seconds(ms, 0.001))
        .or_else(|| header("retry-after").and_then(|after| seconds(after, 1.0).or_else(|| until(after))));
    match asked {
        None | Some(Duration::ZERO) => Verdict::Backoff,
        Some(delay) if delay > LONGEST_WAIT => Verdict::TooLong(delay),
        Some(delay) => Verdict::After(delay),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn verdict(status: u16, headers: &[(&'static str, &str)], body: &str) -> Verdict {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        let now = httpdate::parse_http_date("Mon, 23 Nov 2026 12:00:00 GMT").unwrap();
        of_status(status, &headers, &Fault::from_body(body.as_bytes()), now)
    }

    #[test]
    fn statuses() {
        for status in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert_eq!(verdict(status, &[], ""), Verdict::Backoff, "{status}");
            assert_eq!(verdict(status, &[("x-should-retry", "false")], ""), Verdict::Never, "{status}");
        }
        for status in [400, 401, 402, 403, 404, 405, 413, 422, 302] {
            assert_eq!(verdict(status, &[], ""), Verdict::Never, "{status}");
            assert_eq!(verdict(status, &[("x-should-retry", "true")], ""), Verdict::Backoff, "{status}");
        }
    }

    #[test]
    fn the_server_says_when() {
        let secs = |seconds| Verdict::After(Duration::from_secs(seconds));
        for (headers, expected) in [
            (&[("retry-after", "7")][..], secs(7)),
            (&[("retry-after", " 1.5 ")], Verdict::After(Duration::from_millis(1500))),
            (&[("retry-after-ms", "250"), ("retry-after", "7")], Verdict::After(Duration::from_millis(250))),
            (&[("retry-after-ms", "soon"), ("retry-after", "7")], secs(7)),
            (&[("retry-after", "Mon, 23 Nov 2026 12:00:09 GMT")], secs(9)),
            (&[("retry-after", "0")], Verdict::Backoff),
            (&[("retry-after", "-3")], Verdict::Backoff),
            (&[("retry-after", "NaN")], Verdict::Backoff),
            (&[("retry-after", "inf")], Verdict::Backoff),
            (&[("retry-after", "1e300")], Verdict::Backoff),
            (&[("retry-after", "Mon, 23 Nov 2026 11:59:00 GMT")], Verdict::Backoff),
            (&[("retry-after", "60")], secs(60)),
            (&[("retry-after", "61")], Verdict::TooLong(Duration::from_secs(61))),
            // The clock here is a day behind the server's.
            (&[("date", "Tue, 24 Nov 2026 12:00:00 GMT"), ("retry-after", "Tue, 24 Nov 2026 12:00:05 GMT")], secs(5)),
        ] {
            assert_eq!(verdict(429, headers, ""), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_spent_budget_is_final() {
        let spent = r#"{"type":"error","error":{"type":"rate_limit_error","message":"Spend limit","details":{"error_code":"enforced_spend_limit_reached"}}}"#;
        let busy = r#"{"type":"error","error":{"type":"rate_limit_error","message":"Slow down","details":{"error_code":"tokens_per_minute"}}}"#;
        assert_eq!(verdict(429, &[], spent), Verdict::Never);
        assert_eq!(verdict(429, &[], busy), Verdict::Backoff);
    }

    #[test]
    fn events_count_like_their_status() {
        let of = |kind: &str| of_event(&ApiError { kind: kind.to_owned(), ..ApiError::default() });
        for kind in ["overloaded_error", "api_error", "timeout_error", "rate_limit_error", "a_new_error"] {
            assert_eq!(of(kind), Verdict::Backoff, "{kind}");
        }
        for kind in ["invalid_request_error", "authentication_error", "billing_error", "request_too_large"] {
            assert_eq!(of(kind), Verdict::Never, "{kind}");
        }
    }

    #[test]
    fn backoff_doubles_up_to_eight_seconds() {
        let full: Vec<f64> = (0..6).map(|n| backoff(n, 0.0).as_secs_f64()).collect();
        assert_eq!(full, [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]);
        assert_eq!(backoff(u32::MAX, 0.0), Duration::from_secs(8));
        assert_eq!(Verdict::Backoff.delay(1, 1.0), Some(Duration::from_millis(375)));
        assert_eq!(Verdict::TooLong(Duration::from_secs(99)).delay(1, 0.0), None);
    }

    proptest::proptest! {
        #[test]
        fn jitter_takes_off_a_quarter_at_most(n in 0_u32..40, random in 0.0..=1.0) {
            let (full, delay) = (backoff(n, 0.0), backoff(n, random));
            assert!(delay <= full && delay >= full.mul_f64(0.7499));
        }

        #[test]
        fn any_header_gives_a_bounded_wait(value in "[ -~]{0,30}") {
            let waited = verdict(429, &[("retry-after", value.as_str())], "").delay(1, 0.0);
            assert!(waited.is_none_or(|delay| delay <= LONGEST_WAIT));
        }
    }

    #[test]
    fn random_is_between_zero_and_one() {
        let numbers: Vec<f64> = (0..100).map(|_| random()).collect();
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        assert!(numbers.iter().any(|number| (number - numbers[0]).abs() > 1e-9));
    }
}
