//! The pace at which requests go out. Servers tell with every answer what is left of their limits and when these are full
//! again; a request that would pass one waits instead of being refused, in the order in which requests came.
//!
//! Counted are requests, and the tokens of input that are not read from the cache. A request counts from when it is sent
//! until its answer begins, whose headers have it in them. How much output there will be nobody knows; so much is certain that
//! a request needs some, so none is sent while none is left.
//!
//! Requests that count tokens have a limit of their own on the server, and are not held against these.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::ask::Start;
use super::connection::Connection;
use super::host::Event;
use super::life::lock;
use super::run::{Run, Stop};
use crate::claude::rate::{Limit, RateHeaders};
use crate::claude::types::MessageRequest;
use crate::prompt::Plan;

/// Nobody waits longer for a limit on a server's word of some other answer. Then it is asked, and says itself what it thinks.
const LONGEST: Duration = Duration::from_secs(120);

/// How often who waits looks again, and says how long it still takes.
const LOOK: Duration = Duration::from_secs(1);

/// A limit fills up within this time where the server does not say when it is full.
const USUAL: Duration = Duration::from_secs(60);

/// What is told of the limits that requests are held against.
const NAMES: [&str; 4] = ["requests", "input tokens", "tokens", "output tokens"];

/// The pace of one connection; clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace(Arc<Mutex<BTreeMap<String, Meter>>>);

/// The limits of one model.
#[derive(Debug, Default)]
struct Meter {
    levels: [Option<Level>; 4],
    /// Requests that were sent and whose answers have not begun, with their tokens.
    flying: BTreeMap<u64, u64>,
    /// Who waits, in order.
    waiting: VecDeque<u64>,
    /// The server refused a request and said when it may come again.
    closed: Option<Instant>,
    /// Since then no answer has begun: one request at a time finds out.
    careful: bool,
    numbers: u64,
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug)]
struct Level {
    limit: u64,
    remaining: u64,
    at: Instant,
    full_in: Duration,
}

/// Why a request is not to be sent yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    delay: Duration,
    limit: &'static str,
}

/// A request that was let through. Dropped, it counts no more.
#[derive(Debug)]
pub(super) struct Pass {
    pace: Pace,
    model: String,
    number: u64,
    sent: Instant,
}

/// A place in the order of those who wait.
#[derive(Debug)]
pub(super) struct Waiter {
    pace: Pace,
    model: String,
    number: u64,
}

impl Pace {
    /// Lets a request with so many uncached tokens of input through, if it is its turn and no limit would be passed.
    pub(super) fn enter(&self, model: &str, tokens: u64, waiter: Option<&Waiter>, now: Instant) -> Result<Pass, Hold> {
        let mut meters = self.meters();
        let meter = meters.entry(model.to_owned()).or_default();
        let hold = meter.hold(tokens, now);
        let first = meter.waiting.front().copied();
        if first.is_some() && first != waiter.map(|waiter| waiter.number) {
            return Err(hold.unwrap_or(Hold { delay: LOOK, limit: NAMES[0] }));
        }
        if let Some(hold) = hold {
            return Err(hold);
        }
        meter.numbers += 1;
        let number = meter.numbers;
        meter.flying.insert(number, tokens);
        Ok(Pass { pace: self.clone(), model: model.to_owned(), number, sent: now })
    }

    /// Takes the last place in the order of those who wait.
    fn line_up(&self, model: &str) -> Waiter {
        let mut meters = self.meters();
        let meter = meters.entry(model.to_owned()).or_default();
        meter.numbers += 1;
        let number = meter.numbers;
        meter.waiting.push_back(number);
        Waiter { pace: self.clone(), model: model.to_owned(), number }
    }

    fn meters(&self) -> MutexGuard<'_, BTreeMap<String, Meter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The answer begins, and its headers tell what is left.
    pub(super) fn begun(&self, rate: &RateHeaders) {
        self.begun_at(rate, Instant::now());
    }

    fn begun_at(&self, rate: &RateHeaders, now: Instant) {
        let mut meters = self.pace.meters();
        let Some(meter) = meters.get_mut(&self.model) else { return };
        meter.flying.remove(&self.number);
        (meter.closed, meter.careful) = (None, false);
        let told = [&rate.requests, &rate.input_tokens, &rate.tokens, &rate.output_tokens];
        for (level, told) in meter.levels.iter_mut().zip(told) {
            let Some(new) = Level::new(told, now) else { continue };
            // Answers may come in another order than the server counted them: of what it said of two requests that were on
            // their way together the lesser is the newer.
            let is_older = |old: &Level| old.at > self.sent && old.left(now) < new.left(now);
            *level = level.filter(is_older).or(Some(new));
        }
    }

    /// The server refused the request and has it wait: so do the others.
    pub(super) fn refused(&self, delay: Duration) {
        let mut meters = self.pace.meters();
        if let Some(meter) = meters.get_mut(&self.model) {
            let until = Instant::now() + delay;
            meter.closed = Some(meter.closed.map_or(until, |closed| closed.max(until)));
            meter.careful = true;
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(meter) = self.pace.meters().get_mut(&self.model) {
            meter.flying.remove(&self.number);
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(meter) = self.pace.meters().get_mut(&self.model) {
            meter.waiting.retain(|waiting| *waiting != self.number);
        }
    }
}

impl Meter {
    /// What holds a request with so many tokens back.
    fn hold(&self, tokens: u64, now: Instant) -> Option<Hold> {
        if let Some(delay) =
            self.closed.and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero())
        {
            return Some(Hold { delay, limit: "requests or tokens" });
        }
        if self.careful && !self.flying.is_empty() {
            return Some(Hold { delay: LOOK, limit: "requests or tokens" });
        }
        let flying: u64 = self.flying.values().sum();
        let requests = 1 + self.flying.len() as u64;
        let amounts = [requests, tokens + flying, tokens + flying, requests];
        let holds = self.levels.iter().zip(amounts).zip(NAMES).filter_map(|((level, amount), limit)| {
            let delay = level.as_ref()?.time_until(amount, now);
            (!delay.is_zero()).then_some(Hold { delay, limit })
        });
        holds.max_by_key(|hold| hold.delay).filter(|hold| hold.delay <= LONGEST)
    }
}

impl Level {
    fn new(told: &Limit, now: Instant) -> Option<Self> {
        let limit = told.limit.filter(|limit| *limit > 0)?;
        let remaining = told.remaining?.min(limit);
        Some(Self { limit, remaining, at: now, full_in: told.full_in.unwrap_or(USUAL) })
    }

    /// How much there is by now.
    #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
    fn left(&self, now: Instant) -> f64 {
        let missing = (self.limit - self.remaining) as f64;
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.remaining as f64 + missing * (passed / self.full_in.as_secs_f64().max(f64::EPSILON)).min(1.0)
    }

    /// How long until there is so much, or all there may be. It fills up evenly.
    #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
    fn time_until(&self, amount: u64, now: Instant) -> Duration {
        let wanted = amount.min(self.limit);
        if wanted <= self.remaining {
            return Duration::ZERO;
        }
        let share = (wanted - self.remaining) as f64 / (self.limit - self.remaining) as f64;
        self.full_in.mul_f64(share).saturating_sub(now.saturating_duration_since(self.at))
    }
}

impl Run<'_> {
    /// Waits for the request's turn, and as long as it would pass a limit of the server's. Who waits for that holds no place
    /// that another needs.
    pub(super) async fn turn_at_pace(
        &self,
        connection: &Connection,
        plan: &Plan,
        request: &MessageRequest,
    ) -> Result<(Start, Pass), Stop> {
        let pace = connection.pace();
        let mut waiter = None;
        loop {
            let start = self.turn(plan).await?;
            let expected = lock(&self.context.planner).warmth().expected(plan, Timestamp::now());
            let tokens = expected.input + expected.cache_write() + self.tokens_behind(plan, request);
            let hold = match pace.enter(&request.model, tokens, waiter.as_ref(), Instant::now()) {
                Ok(ticket) => return Ok((start, ticket)),
                Err(hold) => hold,
            };
            drop(start);
            waiter.get_or_insert_with(|| pace.line_up(&request.model));
            self.host.event(Event::Paced { delay: hold.delay, limit: hold.limit });
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Stop::Cancelled),
                () = tokio::time::sleep(hold.delay.min(LOOK)) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(limit: u64, remaining: u64, full_in: u64) -> Limit {
        Limit {
            limit: Some(limit),
            remaining: Some(remaining),
            full_in: Some(Duration::from_secs(full_in)),
            reset: None,
        }
    }

    fn rate(requests: Limit, input_tokens: Limit) -> RateHeaders {
        RateHeaders { requests, input_tokens, ..RateHeaders::default() }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn delay(entered: Result<Pass, Hold>) -> (u64, &'static str) {
        entered.map_or_else(|hold| (hold.delay.as_secs(), hold.limit), |_| (0, ""))
    }

    #[test]
    fn without_a_word_of_the_server_nobody_waits() {
        let (pace, now) = (Pace::default(), Instant::now());
        let tickets: Vec<_> =
            (0..100).map(|_| pace.enter("m", 1_000_000, None, now).expect("no limit is known")).collect();
        tickets[0].begun_at(&RateHeaders::default(), now);
        assert!(pace.enter("m", 1, None, now).is_ok());
    }

    #[test]
    fn what_would_pass_a_limit_waits_until_it_does_not() {
        let (pace, now) = (Pace::default(), Instant::now());
        let first = pace.enter("m", 10, None, now).expect("no limit is known");
        first.begun_at(&rate(told(50, 2, 48), told(30_000, 10_000, 40)), now);
        // Of 20,000 that are missing in 40 s, 5,000 are there in 10 s.
        assert_eq!(delay(pace.enter("m", 15_000, None, now)), (10, "input tokens"));
        assert!(pace.enter("m", 15_000, None, now + secs(10)).is_ok());
        let _one = pace.enter("m", 1_000, None, now).expect("there is room");
        let _two = pace.enter("m", 1_000, None, now).expect("there is room");
        assert_eq!(delay(pace.enter("m", 0, None, now)), (1, "requests"), "two fly, and two were left");
        assert_eq!(delay(pace.enter("m", 60_000, None, now)), (40, "input tokens"), "more than there ever is");
        assert!(pace.enter("other", 60_000, None, now).is_ok(), "limits are a model's own");
    }

    #[test]
    fn nothing_is_asked_while_no_output_is_left() {
        let (pace, now) = (Pace::default(), Instant::now());
        let first = pace.enter("m", 10, None, now).expect("no limit is known");
        let output = |left| RateHeaders { output_tokens: told(8_000, left, 60), ..RateHeaders::default() };
        first.begun_at(&output(0), now);
        assert_eq!(pace.enter("m", 10, None, now).expect_err("none is left").limit, "output tokens");
        let later = pace.enter("m", 10, None, now + secs(1)).expect("some is");
        later.begun_at(&output(1), now + secs(1));
        let _one = pace.enter("m", 10, None, now + secs(1)).expect("some is");
        assert!(pace.enter("m", 10, None, now + secs(1)).is_err(), "that one has it");
    }

    #[test]
    fn the_newest_headers_count_and_what_ended_does_not() {
        let (pace, now) = (Pace::default(), Instant::now());
        let first = pace.enter("m", 10, None, now).expect("no limit is known");
        first.begun_at(&rate(told(10, 0, 60), Limit::default()), now);
        assert_eq!(delay(pace.enter("m", 0, None, now)), (6, "requests"));
        let second = pace.enter("m", 0, None, now + secs(6)).expect("by now");
        second.begun_at(&rate(told(10, 9, 6), Limit::default()), now + secs(6));
        drop(pace.enter("m", 0, None, now + secs(6)).expect("there are nine"));
        assert!((0..9).all(|_| pace.enter("m", 0, None, now + secs(6)).is_ok()), "each was dropped");
    }

    #[test]
    fn of_answers_in_another_order_the_lesser_counts() {
        let (pace, now) = (Pace::default(), Instant::now());
        let [one, other] = [0, 1].map(|_| pace.enter("m", 0, None, now).expect("no limit is known"));
        other.begun_at(&rate(told(3, 0, 12), Limit::default()), now + secs(1));
        one.begun_at(&rate(told(3, 1, 8), Limit::default()), now + secs(2));
        assert_eq!(delay(pace.enter("m", 0, None, now + secs(2))), (3, "requests"), "there were two");
        let next = pace.enter("m", 0, None, now + secs(5)).expect("by now");
        next.begun_at(&rate(told(3, 2, 4), Limit::default()), now + secs(6));
        assert!(pace.enter("m", 0, None, now + secs(6)).is_ok(), "later ones are believed again");
    }

    #[test]
    fn who_waits_longest_goes_first() {
        let (pace, now) = (Pace::default(), Instant::now());
        let first = pace.enter("m", 0, None, now).expect("no limit is known");
        first.begun_at(&rate(told(60, 0, 60), told(1000, 100, 60)), now);
        let large = pace.line_up("m");
        let small = pace.line_up("m");
        let later = now + secs(30);
        assert_eq!(delay(pace.enter("m", 1, Some(&small), later)).0, 1, "the large one is in front");
        assert_eq!(delay(pace.enter("m", 1, None, later)).0, 1, "who only comes now, too");
        assert_eq!(delay(pace.enter("m", 1000, Some(&large), later)), (30, "input tokens"));
        let through = pace.enter("m", 1000, Some(&large), now + secs(60)).expect("all of it");
        drop((large, through));
        assert!(pace.enter("m", 1, Some(&small), now + secs(60)).is_ok());
        drop(small);
        assert!(pace.enter("m", 1, None, now + secs(60)).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_the_others_and_then_one_finds_out() {
        let pace = Pace::default();
        let refused = pace.enter("m", 0, None, Instant::now()).expect("no limit is known");
        refused.refused(secs(5));
        assert_eq!(delay(pace.enter("m", 0, None, Instant::now())), (5, "requests or tokens"));
        tokio::time::advance(secs(5)).await;
        assert_eq!(delay(pace.enter("m", 0, None, Instant::now())).0, 1, "the refused one goes first");
        refused.begun(&RateHeaders::default());
        assert!(pace.enter("m", 0, None, Instant::now()).is_ok());
    }

    #[test]
    fn a_limit_of_hours_is_the_servers_to_speak_of() {
        let (pace, now) = (Pace::default(), Instant::now());
        let first = pace.enter("m", 0, None, now).expect("no limit is known");
        first.begun_at(&rate(told(10, 0, 36_000), Limit::default()), now);
        assert!(pace.enter("m", 0, None, now).is_ok());
    }

    proptest! {
        /// Waiting as long as one is told is enough, and no wait is longer than the limit takes to fill.
        #[test]
        fn a_wait_is_long_enough_and_no_longer(limit in 1_u64..100_000, left in 0_u64..100_000, full in 0_u64..120, tokens in 0_u64..200_000) {
            let (pace, now) = (Pace::default(), Instant::now());
            let first = pace.enter("m", 0, None, now).expect("no limit is known");
            first.begun_at(&rate(Limit::default(), told(limit, left.min(limit), full)), now);
            if let Err(hold) = pace.enter("m", tokens, None, now) {
                prop_assert!(hold.delay <= secs(full));
                prop_assert!(pace.enter("m", tokens, None, now + hold.delay).is_ok());
            } else {
                prop_assert!(tokens.min(limit) <= left || full == 0);
            }
        }
    }
}
