//! Tokens and money in words for people.

use std::fmt::Write as _;
use std::time::Duration;

use super::usage::Tokens;

/// The counters of a line: what went in, how much of it from the cache, what came out.
pub fn counters(tokens: &Tokens) -> String {
    let mut line = format!("{} in", amount(tokens.total_input()));
    if let Some(rate) = tokens.cache_hit_rate() {
        let _ = write!(line, " · {} from cache", percent(rate));
    }
    let _ = write!(line, " · {} out", amount(tokens.output));
    if tokens.thinking > 0 {
        let _ = write!(line, " ({} thinking)", amount(tokens.thinking));
    }
    line
}

/// A countdown to the next attempt: why the last one failed, and how long is left.
pub fn trying_again(why: &str, left: Duration) -> String {
    format!("{why} Trying again in {} s.", left.as_secs_f32().ceil())
}

/// A countdown to a request that would pass a limit of the server's if it were sent at once.
pub fn paced(limit: &str, left: Duration) -> String {
    format!("Waiting for the server's limit of {limit}: {} s.", left.as_secs_f32().ceil())
}

/// Cost and saving: `$0.0023 (saved $0.0201)`.
pub fn price(cost: Option<f64>, saved: Option<f64>) -> String {
    // Below this nothing would be left after rounding, and "saved $0.0000" tells nobody anything.
    const SHOWN: f64 = 0.000_05;
    let Some(cost) = cost else { return "price unknown".to_owned() };
    match saved {
        Some(saved) if saved >= SHOWN => format!("{} (saved {})", dollars(cost), dollars(saved)),
        Some(saved) if saved <= -SHOWN => format!("{} (cache writes cost {} more)", dollars(cost), dollars(-saved)),
        _ => dollars(cost),
    }
}

/// A share as whole percent; not rounded up to 100% nor down to 0% while there is something on the other side.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 99.0 && percent < 100.0 {
        return "99%".to_owned();
    }
    if percent > 0.0 && percent < 1.0 {
        return "<1%".to_owned();
    }
    format!("{percent:.0}%")
}

/// Dollars with four decimals below one dollar and two above.
pub fn dollars(usd: f64) -> String {
    if usd > 0.0 && usd < 0.000_05 {
        return "<$0.0001".to_owned();
    }
    if usd.abs() < 0.999_95 { format!("${usd:.4}") } else { format!("${usd:.2}") }
}

/// A count in at most four characters and a unit: `410`, `12.3k`, `1.2M`.
pub fn amount(count: u64) -> String {
    let scaled = |unit: u64, name: &str| {
        // Tenths, rounded half up in whole numbers, so that 999,950 becomes 1.0M and not 1000.0k.
        let tenths = (count + unit / 20) / (unit / 10);
        if tenths >= 1000 { format!("{}{name}", tenths / 10) } else { format!("{}.{}{name}", tenths / 10, tenths % 10) }
    };
    match count {
        0..1_000 => count.to_string(),
        1_000..999_500 => scaled(1_000, "k"),
        999_500..999_500_000 => scaled(1_000_000, "M"),
        _ => scaled(1_000_000_000, "G"),
    }
}
