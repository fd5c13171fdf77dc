//! What the cache may cost at most: writing pays off only if somebody reads, and nobody can know that.
//!
//! Writes are bets. They are made as long as what was lost on earlier ones, and would be lost on this, stays a small part of
//! what all requests would have cost without a cache. For the first requests, that is reckoned with those to come.

use crate::claude::models::Model;
use crate::claude::usage::{Tokens, cost};

/// The part of the cost without a cache that may be lost on writes that nobody read. The promise is a tenth; the rest is for
/// estimates that are a little off.
const MOST_LOST: f64 = 0.09;

/// From so many requests on the promise holds.
const REQUESTS: u32 = 20;

/// What requests cost, and would have cost with neither a cache nor anything that is sent only for its sake; in $ per
/// million.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Insurance {
    requests: u32,
    without: f64,
    paid: f64,
}

impl Insurance {
    /// How many tokens at the price of plain input a request may cost that would be `without` tokens with no cache. Requests
    /// to come are at least `least` tokens.
    pub(super) fn most(&self, model: &Model, without: u64, least: u64) -> f64 {
        let price = price(model, without);
        let left = f64::from(REQUESTS.saturating_sub(self.requests + 1));
        let all = self.without + price * (tokens(without) + left * tokens(least));
        tokens(without) + (MOST_LOST * all - (self.paid - self.without)) / price
    }

    /// A request took `taken`, and would have been `without` tokens with no cache.
    pub(super) fn took(&mut self, model: &Model, taken: &Tokens, without: f64) {
        let input = Tokens { output: 0, thinking: 0, ..*taken };
        self.requests += 1;
        self.without += without * price(model, taken.total_input());
        self.paid += match cost(model, &input, false) {
            Some(cost) => cost.usd * 1e6,
            // The usual prices in units of that of plain input.
            None => {
                tokens(input.input)
                    + 0.1 * tokens(input.cache_read)
                    + 1.25 * tokens(input.cache_write_5m)
                    + 2.0 * tokens(input.cache_write_1h)
            }
        };
    }
}

fn price(model: &Model, total: u64) -> f64 {
    model.prices_for(total).map_or(1.0, |prices| prices.input).max(f64::MIN_POSITIVE)
}

#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
fn tokens(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claude::models;

    #[test]
    fn writes_that_nobody_reads_stay_within_a_tenth() {
        let model = models::find("claude-sonnet-5-5").unwrap();
        for size in [5_000_u64, 20_000, 90_000] {
            let mut insurance = Insurance::default();
            let (mut paid, mut without) = (0.0, 0.0);
            for turn in 0..60 {
                let now = if turn == 0 { size } else { 4_000 + (turn % 3) * 500 };
                let written = insurance.most(model, now, 4_000) >= 1.25 * tokens(now);
                let taken = if written {
                    Tokens { cache_write_5m: now, ..Tokens::default() }
                } else {
                    Tokens { input: now, ..Tokens::default() }
                };
                insurance.took(model, &taken, tokens(now));
                paid += if written { 1.25 } else { 1.0 } * tokens(now);
                without += tokens(now);
                assert!(turn < 19 || paid <= 1.1 * without, "{paid} of {without} after {turn}");
            }
        }
    }

    #[test]
    fn what_was_saved_may_be_bet_again() {
        let model = models::find("claude-sonnet-5-5").unwrap();
        let mut insurance = Insurance::default();
        assert!(insurance.most(model, 90_000, 4_000) < 1.25 * 90_000.0);
        for _ in 0..20 {
            insurance.took(model, &Tokens { cache_read: 10_000, ..Tokens::default() }, 10_000.0);
        }
        assert!(insurance.most(model, 90_000, 4_000) > 2.0 * 90_000.0);
    }
}
