//! What a layout of breakpoints is expected to cost, and the cheapest one.
//!
//! A prompt is a row of segments, each ending where a breakpoint may be. What is sent now costs what the API bills: up to
//! the longest entry that is warm a read, from there to the last one-hour breakpoint a write for an hour, from there to the
//! last breakpoint a write for five minutes, the rest plain input. Against it stands what an entry saves at the next
//! request that shares it, times the odds that this request comes while the entry lives.

use super::habits::Odds;
use crate::claude::models::Model;
use crate::claude::types::Ttl;

/// Prices in units of a token of plain input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    pub(super) short: f64,
    pub(super) long: f64,
    pub(super) read: f64,
}

impl Rates {
    /// A model's; the dearest usual ones where they are not known.
    pub(super) fn of(model: &Model) -> Self {
        match model.prices {
            Some(prices) if prices.input > 0.0 => Self {
                short: prices.cache_write_5m / prices.input,
                long: prices.cache_write_1h / prices.input,
                read: prices.cache_read / prices.input,
            },
            _ => Self { short: 1.25, long: 2.0, read: 0.1 },
        }
    }

    fn write(&self, ttl: Ttl) -> f64 {
        match ttl {
            Ttl::FiveMinutes => self.short,
            Ttl::OneHour => self.long,
        }
    }

    /// What a token that is in the cache for a time is expected to save later.
    pub(super) fn saved(&self, odds: Odds, ttl: Ttl) -> f64 {
        let worth = self.worth(odds);
        match ttl {
            Ttl::FiveMinutes => odds.short * worth.short,
            Ttl::OneHour => odds.long * worth.long,
        }
    }

    /// What a token that is in the cache saves at its next use, against one that is not: where it is not, the cheapest is
    /// done, which may be to leave it out of the cache for good.
    fn worth(&self, odds: Odds) -> Worth {
        // Written for five minutes at every miss, or never again. Where both cost the same the two meet.
        let rewritten = self.short - self.read;
        let dropped = (1.0 - self.read) / (1.0 - odds.short).max(0.01);
        let short = rewritten.min(dropped);
        let cold = (self.short - odds.short * short).min(1.0);
        let kept = (cold - self.read) / (1.0 - odds.long).max(0.01);
        Worth { short, long: kept.clamp(0.0, self.long - self.read).max(short.min(self.long - self.read)) }
    }
}

struct Worth {
    short: f64,
    long: f64,
}

/// A part of the prompt that ends where a breakpoint may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) tokens: f64,
    /// The life of the entry that ends here, if it can be read now.
    pub(super) warm: Option<Ttl>,
    /// The odds of its next use.
    pub(super) odds: Odds,
}

/// Which segments are cached, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Layout {
    /// So many segments are for an hour.
    pub(super) long: usize,
    /// So many are cached at all.
    pub(super) cached: usize,
    /// What this request costs with it.
    pub(super) now: f64,
    /// The same less what its entries are expected to save later.
    pub(super) expected: f64,
}

impl Layout {
    /// The life of the entry that ends behind a segment.
    pub(super) fn ttl(&self, segment: usize) -> Option<Ttl> {
        if segment < self.long { Some(Ttl::OneHour) } else { (segment < self.cached).then_some(Ttl::FiveMinutes) }
    }
}

/// The layout that is expected to cost least, of those that cost now at most `most`, and at least of those that write
/// nothing. `rest` is what comes behind the segments. A prefix below `minimum` is not cached.
pub(super) fn cheapest(
    segments: &[Segment],
    rest: f64,
    rates: Rates,
    lives: &[Ttl],
    minimum: f64,
    most: f64,
) -> Layout {
    let total: f64 = segments.iter().map(|segment| segment.tokens).sum::<f64>() + rest;
    // What is there for an hour is asked for as such again, lest its life be cut.
    let hour = segments.iter().rposition(|segment| segment.warm == Some(Ttl::OneHour)).map_or(0, |at| at + 1);
    let hour = if lives.contains(&Ttl::OneHour) { hour } else { 0 };
    let mut best: Option<Layout> = None;
    for cached in 0..=segments.len() {
        let prefix: f64 = segments[..cached].iter().map(|segment| segment.tokens).sum();
        if cached > 0 && prefix < minimum {
            continue;
        }
        for long in hour.min(cached)..=cached {
            let allowed =
                (long == 0 || lives.contains(&Ttl::OneHour)) && (long == cached || lives.contains(&Ttl::FiveMinutes));
            if !allowed {
                continue;
            }
            let layout = priced(segments, total, rates, long, cached);
            let writes = layout.now > total;
            if writes && layout.now > most {
                continue;
            }
            if best.is_none_or(|best| layout.expected < best.expected - 1e-9) {
                best = Some(layout);
            }
        }
    }
    best.unwrap_or_default()
}

fn priced(segments: &[Segment], total: f64, rates: Rates, long: usize, cached: usize) -> Layout {
    let hit = segments[..cached].iter().rposition(|segment| segment.warm.is_some()).map_or(0, |at| at + 1);
    let mut now = total;
    let mut later = 0.0;
    for (index, segment) in segments[..cached].iter().enumerate() {
        let asked = if index < long { Ttl::OneHour } else { Ttl::FiveMinutes };
        let (price, ttl) = if index < hit {
            // Its own entry may be gone while one farther on is there: then it lives as long as that one.
            let kept = segments[index..hit].iter().find_map(|segment| segment.warm);
            (rates.read, kept.unwrap_or(asked))
        } else {
            (rates.write(asked), asked)
        };
        now += segment.tokens * (price - 1.0);
        later += segment.tokens * rates.saved(segment.odds, ttl);
    }
    Layout { long, cached, now, expected: now - later }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates { short: 1.25, long: 2.0, read: 0.1 };
    const BOTH: &[Ttl] = &[Ttl::FiveMinutes, Ttl::OneHour];

    fn segment(tokens: f64, short: f64, long: f64) -> Segment {
        Segment { tokens, warm: None, odds: Odds { short, long } }
    }

    #[test]
    fn what_is_likely_to_be_read_is_written() {
        let lives = |short, long, warm| {
            let segments = [segment(4000.0, 0.9, 0.9), Segment { warm, ..segment(5000.0, short, long) }];
            let layout = cheapest(&segments, 500.0, RATES, BOTH, 1024.0, f64::INFINITY);
            [layout.ttl(0), layout.ttl(1)]
        };
        let (short, hour) = (Some(Ttl::FiveMinutes), Some(Ttl::OneHour));
        assert_eq!(lives(0.8, 0.85, None), [short, short]);
        assert_eq!(lives(0.1, 0.2, None), [short, None]);
        // An hour for what comes last is an hour for all.
        assert_eq!(lives(0.1, 0.95, None), [hour, hour]);
        // Reading costs little, so what is there is read, whatever is to be expected, and lives on as it did.
        assert_eq!(lives(0.0, 0.0, short), [short, short]);
        assert_eq!(lives(0.9, 0.9, hour), [hour, hour]);
    }

    #[test]
    fn the_bill_is_the_one_of_the_api() {
        let mut segments = [segment(1000.0, 0.0, 0.0), segment(2000.0, 0.0, 0.0), segment(4000.0, 0.0, 0.0)];
        segments[0].warm = Some(Ttl::FiveMinutes);
        let layout = priced(&segments, 7500.0, RATES, 2, 3);
        assert!((layout.now - (100.0 + 2.0 * 2000.0 + 1.25 * 4000.0 + 500.0)).abs() < 1e-9, "{layout:?}");
        assert!((priced(&segments, 7500.0, RATES, 0, 0).now - 7500.0).abs() < 1e-9);
    }

    #[test]
    fn what_may_be_lost_and_what_is_too_short_limit_it() {
        let segments = [segment(4000.0, 0.9, 0.9), segment(5000.0, 0.9, 0.9)];
        let cached = |minimum, most| cheapest(&segments, 0.0, RATES, BOTH, minimum, most).cached;
        assert_eq!(cached(1024.0, 12_000.0), 2);
        assert_eq!(cached(1024.0, 10_500.0), 1);
        assert_eq!(cached(1024.0, 9000.0), 0);
        assert_eq!(cached(5000.0, 10_500.0), 0);
        assert_eq!(cached(10_000.0, f64::INFINITY), 0);
    }
}
