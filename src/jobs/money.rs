//! A run's money: reserved before a request is sent, given back when it has ended.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::ask::on_blocking_thread;
use super::budget::{self, Cap, Verdict};
use super::host::{Event, Queue};
use super::life::lock;
use super::run::{Run, Stop};
use crate::claude::models::Model;
use crate::claude::types::{ContentBlock, MessageRequest};
use crate::error::Error;
use crate::ledger::reservations::{Limit, Request, Spent};
use crate::ledger::{Ledger, Reservation};
use crate::prompt::{Plan, estimate_tokens};

/// How long a request waits for others to give back what they reserved. Most answers have come by then.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(200);

/// Money that is reserved; given back when dropped.
pub(super) struct Held {
    ledger: Ledger,
    reservation: Option<Reservation>,
    limits: Vec<Limit>,
    simulated: bool,
}

impl Held {
    /// Gives it back after what was really taken is written down: what is spent now, for each budget. Blocks.
    pub(super) fn settle(mut self) -> Result<Vec<Spent>, Error> {
        if let Some(reservation) = self.reservation.take() {
            self.ledger.release(&reservation)?;
        }
        let now = Timestamp::now();
        self.limits.iter().map(|limit| self.ledger.spent(limit.since, self.simulated, now)).collect()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(reservation) = self.reservation.take() else { return };
        let ledger = self.ledger.clone();
        // Without a runtime the process is about to end, and the reservation ends by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || ledger.release(&reservation));
        }
    }
}

impl Run<'_> {
    /// Reserves what the request is expected to take; none when no budget is set, or none can be kept.
    pub(super) async fn afford(&self, plan: &Plan, request: &MessageRequest) -> Result<Option<Held>, Stop> {
        let settings = &self.order.settings;
        if self.caps(Timestamp::now()).is_empty() {
            return Ok(None);
        }
        let mut input = lock(&self.context.planner).warmth().expected(plan, Timestamp::now());
        input.input += self.tokens_behind(plan, request);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = Timestamp::now();
            let caps = self.caps(now);
            let limits: Vec<Limit> = caps.iter().map(|cap| cap.limit).collect();
            let (ledger, asked) = (self.context.ledger.clone(), limits.clone());
            let (job, action, model) =
                (self.order.job.clone(), self.order.action.id.to_string(), request.model.clone());
            let (price, simulated) = (self.model.clone(), self.order.simulated);
            let most = request.max_tokens.unwrap_or(settings.max_output_tokens);
            let reserved = on_blocking_thread(move || {
                let recent = ledger.recent_outputs(&action, &model, budget::SAMPLE)?;
                let output = budget::likely_output(recent, most);
                let Some(usd) = budget::estimate(&price, input, output) else { return Ok(None) };
                let request = Request { job: &job, usd, simulated, expires: now + budget::EXPIRY };
                Ok(Some((usd, ledger.reserve(&request, &asked, now)?)))
            });
            let (usd, decision) = match reserved.await {
                Ok(Some(reserved)) => reserved,
                Ok(None) => {
                    self.say(self.context.budgets.unpriced(&self.model));
                    return Ok(None);
                }
                Err(error) => {
                    // A ledger must never be the reason that an action fails.
                    self.say(Some(format!("Your budget cannot be kept: {}", error.sentence())));
                    return Ok(None);
                }
            };
            self.say(self.context.budgets.warning(&caps, &decision.spent));
            if decision.reservation.is_some() {
                let ledger = self.context.ledger.clone();
                return Ok(Some(Held { ledger, reservation: decision.reservation, limits, simulated }));
            }
            let last = Instant::now() >= deadline;
            match budget::judge(&caps, &decision, usd, self.context.budgets.file(), simulated, last) {
                Verdict::Refuse(error) => return Err(error.into()),
                Verdict::Wait => self.host.event(Event::Queued(Queue::Budget)),
            }
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Stop::Cancelled),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Says that most of a budget is spent, if it is and was not said.
    pub(super) fn warn_of_budget(&self, spent: &[Spent]) {
        self.say(self.context.budgets.warning(&self.caps(Timestamp::now()), spent));
    }

    fn say(&self, what: Option<String>) {
        if let Some(text) = what {
            self.host.event(Event::Notice(&text));
        }
    }

    fn caps(&self, now: Timestamp) -> Vec<Cap> {
        budget::caps(&self.order.settings.budget, now, &TimeZone::system())
    }

    /// About how many tokens a request has beyond its plan, as one that asks for a repair does.
    pub(super) fn tokens_behind(&self, plan: &Plan, request: &MessageRequest) -> u64 {
        tokens_behind(plan, request, &self.model)
    }
}

/// About how many tokens a request of this model's has beyond its plan.
pub(super) fn tokens_behind(plan: &Plan, request: &MessageRequest, model: &Model) -> u64 {
    let text = |block: &ContentBlock| match block {
        ContentBlock::Text { text, .. } => estimate_tokens(text, model),
        _ => 0,
    };
    let added = request.messages.iter().skip(plan.request.messages.len());
    added.flat_map(|message| &message.content).map(text).sum()
}
