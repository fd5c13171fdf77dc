//! Money that requests may take while they run, so that many processes at once keep one budget.

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::Ledger;
use crate::error::Error;

/// Money that is not spent yet and counts as spent.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservation {
    id: i64,
    job: String,
}

/// What a request asks for before it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<'a> {
    /// The job it belongs to.
    pub job: &'a str,
    /// The most it is expected to take, in dollars.
    pub usd: f64,
    /// Simulated money and real money do not mix.
    pub simulated: bool,
    /// When it counts no longer, should its process be killed.
    pub expires: Timestamp,
}

/// So much and no more since a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// The beginning of the day or month.
    pub since: Timestamp,
    /// Dollars.
    pub usd: f64,
}

/// What counts against a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// Dollars of attempts that have ended, with what is taken for output that was made and not reported.
    pub usd: f64,
    /// Dollars that running requests may take.
    pub reserved_usd: f64,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Set when the money is there under every limit.
    pub reservation: Option<Reservation>,
    /// What counted against each limit before, in their order.
    pub spent: Vec<Spent>,
}

/// Sums of dollars this far above a limit are still it: they are rounded at every step.
const ROUNDING: f64 = 1e-9;

/// No reservation is for longer, and no two clocks that can be called right differ by more.
const LONGEST_MILLIS: i64 = 3 * 24 * 60 * 60 * 1000;

impl Ledger {
    /// Reserves the money for a request, if it fits under all limits together with what was spent and what others have
    /// reserved. One transaction: two processes never take the same last cent.
    pub fn reserve(&self, request: &Request<'_>, limits: &[Limit], now: Timestamp) -> Result<Decision, Error> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            expire(&transaction, now)?;
            let spent = limits
                .iter()
                .map(|limit| spent(&transaction, limit.since, request.simulated, now))
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let fits = limits
                .iter()
                .zip(&spent)
                .all(|(limit, spent)| spent.usd + spent.reserved_usd + request.usd <= limit.usd + ROUNDING);
            let mut reservation = None;
            if fits {
                transaction
                    .prepare_cached("INSERT INTO reservations (job, usd, simulated, expires) VALUES (?1, ?2, ?3, ?4)")?
                    .execute((request.job, request.usd, request.simulated, request.expires.as_millisecond()))?;
                reservation = Some(Reservation { id: transaction.last_insert_rowid(), job: request.job.to_owned() });
            }
            transaction.commit()?;
            Ok(Decision { reservation, spent })
        })
    }

    /// Gives back what was reserved: the request has ended, and its attempts are written down.
    pub fn release(&self, reservation: &Reservation) -> Result<(), Error> {
        self.with(|connection| {
            // With the job, because a ledger that was replaced counts its rows anew.
            connection
                .prepare_cached("DELETE FROM reservations WHERE id = ?1 AND job = ?2")?
                .execute((reservation.id, &reservation.job))
                .map(drop)
        })
    }

    /// What counts since a moment; expired reservations do not.
    pub fn spent(&self, since: Timestamp, simulated: bool, now: Timestamp) -> Result<Spent, Error> {
        self.with(|connection| {
            expire(connection, now)?;
            spent(connection, since, simulated, now)
        })
    }

    /// The tokens of the newest answers of an action by a model, at most `most` of them, newest first.
    pub fn recent_outputs(&self, action: &str, model: &str, most: u32) -> Result<Vec<u64>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT output FROM attempts WHERE action = ?1 AND model = ?2 AND outcome = 'ok' AND NOT partial \
                     ORDER BY started DESC, id DESC LIMIT ?3",
                )?
                .query_map((action, model, most), |row| row.get(0).map(super::attempts::uncount))?
                .collect()
        })
    }
}

/// Forgets what ended without a word: it expired, or would expire so late that the clock was ahead when it was made.
fn expire(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM reservations WHERE expires <= ?1 OR expires > ?2")?
        .execute((now.as_millisecond(), now.as_millisecond() + LONGEST_MILLIS))
        .map(drop)
}

/// What was spent by a clock that was days ahead would count as today's until its day comes; it is nobody's budget.
fn spent(connection: &Connection, since: Timestamp, simulated: bool, now: Timestamp) -> rusqlite::Result<Spent> {
    let usd = connection
        .prepare_cached(
            "SELECT coalesce(sum(cost_usd), 0.0) + coalesce(sum(unreported_usd), 0.0) FROM attempts \
             WHERE started >= ?1 AND started < ?2 AND simulated = ?3",
        )?
        .query_row((since.as_millisecond(), now.as_millisecond() + LONGEST_MILLIS, simulated), |row| row.get(0))?;
    let reserved_usd = connection
        .prepare_cached("SELECT coalesce(sum(usd), 0.0) FROM reservations WHERE simulated = ?1")?
        .query_row([simulated], |row| row.get(0))?;
    Ok(Spent { usd, reserved_usd })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::ledger::Attempt;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn request(usd: f64, simulated: bool) -> Request<'static> {
        Request { job: "job", usd, simulated, expires: at("2026-11-23T10:15:00Z") }
    }

    const DAY: &str = "2026-11-23T00:00:00Z";
    const NOW: &str = "2026-11-23T10:00:00Z";

    fn spend(ledger: &Ledger, usd: f64, started: &str, simulated: bool) {
        let attempt = Attempt { cost_usd: Some(usd), started: at(started), simulated, ..Attempt::default() };
        ledger.record(&attempt).unwrap();
    }

    #[test]
    fn what_was_spent_and_what_is_reserved_count_together() {
        let ledger = Ledger::in_memory();
        let limit = [Limit { since: at(DAY), usd: 1.0 }];
        spend(&ledger, 0.5, "2026-11-23T09:00:00Z", false);
        spend(&ledger, 7.0, "2026-11-22T23:59:59Z", false);
        let first = ledger.reserve(&request(0.3, false), &limit, at(NOW)).unwrap();
        assert_eq!(first.spent, [Spent { usd: 0.5, reserved_usd: 0.0 }]);
        let refused = ledger.reserve(&request(0.3, false), &limit, at(NOW)).unwrap();
        assert_eq!(refused, Decision { reservation: None, spent: vec![Spent { usd: 0.5, reserved_usd: 0.3 }] });
        assert!(ledger.reserve(&request(0.2, false), &limit, at(NOW)).unwrap().reservation.is_some(), "to the cent");
        ledger.release(&first.reservation.unwrap()).unwrap();
        assert!(ledger.reserve(&request(0.3, false), &limit, at(NOW)).unwrap().reservation.is_some(), "given back");
        assert_eq!(ledger.spent(at(DAY), false, at(NOW)).unwrap(), Spent { usd: 0.5, reserved_usd: 0.5 });
        let later = ledger.spent(at(DAY), false, at("2026-11-23T10:15:00Z")).unwrap();
        assert_eq!(later, Spent { usd: 0.5, reserved_usd: 0.0 }, "a killed process gives back late");
    }

    #[test]
    fn a_clock_that_was_ahead_holds_nothing_back() {
        let ledger = Ledger::in_memory();
        let limit = [Limit { since: at(DAY), usd: 1.0 }];
        spend(&ledger, 0.9, "2027-11-23T09:00:00Z", false);
        let ahead = Request { expires: at("2027-11-23T10:15:00Z"), ..request(0.9, false) };
        assert!(ledger.reserve(&ahead, &[], at("2027-11-23T10:00:00Z")).unwrap().reservation.is_some());
        // A minute is no reason to forget anything.
        spend(&ledger, 0.3, "2026-11-23T10:01:00Z", false);
        assert_eq!(ledger.spent(at(DAY), false, at(NOW)).unwrap(), Spent { usd: 0.3, reserved_usd: 0.0 });
        assert!(ledger.reserve(&request(0.7, false), &limit, at(NOW)).unwrap().reservation.is_some());
    }

    #[test]
    fn output_that_was_not_reported_counts() {
        let ledger = Ledger::in_memory();
        let cut = Attempt {
            cost_usd: Some(0.25),
            unreported_usd: Some(0.5),
            started: at("2026-11-23T09:00:00Z"),
            partial: true,
            ..Attempt::default()
        };
        ledger.record(&cut).unwrap();
        assert_eq!(ledger.spent(at(DAY), false, at(NOW)).unwrap(), Spent { usd: 0.75, reserved_usd: 0.0 });
        let cost = ledger.totals(None).unwrap().known_cost_usd;
        assert!((cost - 0.25).abs() < 1e-12, "the bill has only what was reported: {cost}");
        assert_eq!(ledger.attempts(None).unwrap(), [cut]);
    }

    #[test]
    fn simulated_money_is_counted_apart() {
        let ledger = Ledger::in_memory();
        let limit = [Limit { since: at(DAY), usd: 1.0 }];
        spend(&ledger, 0.9, "2026-11-23T09:00:00Z", true);
        assert!(ledger.reserve(&request(0.8, false), &limit, at(NOW)).unwrap().reservation.is_some());
        assert!(ledger.reserve(&request(0.8, true), &limit, at(NOW)).unwrap().reservation.is_none());
    }

    #[test]
    fn every_limit_has_to_have_room() {
        let ledger = Ledger::in_memory();
        spend(&ledger, 4.0, "2026-11-05T09:00:00Z", false);
        let day = Limit { since: at(DAY), usd: 1.0 };
        let month = Limit { since: at("2026-11-01T00:00:00Z"), usd: 4.5 };
        assert!(ledger.reserve(&request(0.6, false), &[day], at(NOW)).unwrap().reservation.is_some());
        let both = ledger.reserve(&request(0.1, false), &[day, month], at(NOW)).unwrap();
        assert!(both.reservation.is_none() && both.spent[1].usd > 3.9, "{both:?}");
    }

    #[test]
    fn many_at_once_never_take_more_than_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("usage.sqlite3");
        let barrier = Barrier::new(8);
        let granted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let ledger = Ledger::lazy(&file);
                        barrier.wait();
                        let limit = [Limit { since: at(DAY), usd: 1.0 }];
                        let ask = || ledger.reserve(&request(0.1, false), &limit, at(NOW)).unwrap().reservation;
                        (0..5).filter(|_| ask().is_some()).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(granted, 10, "ten times ten cents are a dollar");
    }

    #[test]
    fn answers_are_looked_up_by_action_and_model() {
        let ledger = Ledger::in_memory();
        for (minute, output, outcome, partial) in
            [(1, 100, "ok", false), (2, 200, "ok", false), (3, 999, "cancelled", true), (4, 300, "ok", false)]
        {
            let mut attempt = Attempt { action: "explain".into(), model: "m".into(), partial, ..Attempt::default() };
            attempt.outcome = outcome.into();
            attempt.tokens.output = output;
            attempt.started = at(&format!("2026-11-23T09:0{minute}:00Z"));
            ledger.record(&attempt).unwrap();
        }
        assert_eq!(ledger.recent_outputs("explain", "m", 2).unwrap(), [300, 200]);
        assert_eq!(ledger.recent_outputs("document", "m", 2).unwrap(), [0_u64; 0]);
    }
}
