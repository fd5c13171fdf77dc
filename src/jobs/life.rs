//! What the runs of a process know together of the cache: who goes first, what was sent, what is warm, why it missed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use super::ask::on_blocking_thread;
use super::connection::Connection;
use super::flight::Flights;
use super::order::Order;
use crate::claude::types::DiagnosticsRequest;
use crate::claude::usage::Tokens;
use crate::ledger::{Ledger, StoredPrefix};
use crate::prompt::diagnosis::{Footprint, Hope, MissReason, Subject, Trail, Warm};
use crate::prompt::warmth::{Heat, PrefixKey, Warmth};
use crate::prompt::{Layer, LayerName, Plan, Planner};

/// Shared by all runs of a process. Asking it costs no request.
#[derive(Debug, Default)]
pub struct CacheLife {
    pub(super) flights: Flights,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whose cache is spoken of; another's is another cache.
    account: String,
    /// The last row of the ledger that was read.
    row: i64,
    trail: Trail,
    last_miss: Option<Missed>,
    /// The server answered a long enough prompt without writing or reading anything.
    uncached: bool,
}

/// The newest request that read less than could have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// Its job.
    pub job: String,
    /// Why.
    pub reason: MissReason,
}

impl CacheLife {
    /// Takes in what other processes sent the same way since they were last looked after.
    pub(super) async fn catch_up(&self, connection: &Connection, ledger: &Ledger, planner: &Mutex<Planner>) {
        let row = self.belong_to(connection.account(), planner);
        if connection.is_shared() {
            let (ledger, account) = (ledger.clone(), connection.account().to_owned());
            match on_blocking_thread(move || ledger.prefixes(&account, row)).await {
                Ok(rows) => self.learn(&rows, planner),
                Err(error) => tracing::warn!("what other processes sent is not known: {error}"),
            }
        }
    }

    /// Begins anew when the cache is another's; the row of the ledger to read on from.
    fn belong_to(&self, account: &str, planner: &Mutex<Planner>) -> i64 {
        let mut state = self.state();
        if state.account != account {
            if !state.account.is_empty() {
                *lock(planner).warmth_mut() = Warmth::default();
            }
            *state = State { account: account.to_owned(), last_miss: state.last_miss.take(), ..State::default() };
        }
        state.row
    }

    /// Takes in what other processes sent.
    fn learn(&self, rows: &[StoredPrefix], planner: &Mutex<Planner>) {
        let mut state = self.state();
        let mut planner = lock(planner);
        for row in rows {
            state.row = state.row.max(row.id);
            // A later version may write what this one cannot read.
            let Ok(print) = serde_json::from_str::<Footprint>(&row.footprint) else { continue };
            for (key, ttl, until) in print.entries() {
                planner.warmth_mut().learn(key, ttl, until);
            }
            state.trail.add(print);
        }
    }

    /// The prefixes that a request would write and others could read, so that it is worth going first or waiting.
    pub(super) fn cold(&self, plan: &Plan, planner: &Mutex<Planner>, now: Timestamp) -> Vec<PrefixKey> {
        if self.state().uncached { Vec::new() } else { lock(planner).warmth().cold(plan, now) }
    }

    /// What a request may hope for, just before it is sent.
    pub(super) fn hope(&self, plan: &Plan, subject: Subject<'_>, planner: &Mutex<Planner>, now: Timestamp) -> Hope {
        self.state().trail.hope(plan, subject, lock(planner).warmth(), now)
    }

    /// An answer has begun.
    pub(super) fn began(&self, plan: &Plan, print: Footprint, tokens: &Tokens, minimum: Option<u64>) {
        let mut state = self.state();
        let last = plan.layers.iter().rposition(|layer| layer.breakpoint.is_some());
        if let (Some(last), Some(minimum)) = (last, minimum) {
            let prefix: u64 = plan.layers[..=last].iter().map(|layer| layer.estimated_tokens).sum();
            if tokens.cache_read + tokens.cache_write() > 0 {
                state.uncached = false;
            } else if prefix > 2 * minimum {
                // Not just short by an estimate.
                state.uncached = true;
            }
        }
        state.trail.add(print);
    }

    pub(super) fn missed(&self, job: &str, reason: MissReason) {
        self.state().last_miss = Some(Missed { job: job.to_owned(), reason });
    }

    /// What the API is asked of its cache, if the user wants that (`cache.diagnostics`): why less is read than of the message
    /// to compare with.
    pub(super) fn question(&self, order: &Order) -> Option<DiagnosticsRequest> {
        let previous_message_id = || self.state().trail.previous(subject(order))?.message.clone();
        order.settings.cache.diagnostics.then(|| DiagnosticsRequest { previous_message_id: previous_message_id() })
    }

    /// What can still be read from the cache, the next to expire first.
    pub fn warm(&self, planner: &Mutex<Planner>, now: Timestamp) -> Vec<Warm> {
        self.state().trail.warm(lock(planner).warmth(), now)
    }

    /// The newest request that read less than could have been.
    pub fn last_miss(&self) -> Option<Missed> {
        self.state().last_miss.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an order is about.
pub(super) fn subject(order: &Order) -> Subject<'_> {
    let project = order.root.as_deref().and_then(|root| root.to_str()).unwrap_or_default();
    Subject { document: order.snapshot.uri.as_str(), project }
}

pub(super) fn lock(planner: &Mutex<Planner>) -> MutexGuard<'_, Planner> {
    planner.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Until when all that other requests share of a plan can be read; none when it cannot.
pub(super) fn warm_until(plan: &Plan, planner: &Mutex<Planner>, now: Timestamp) -> Option<Timestamp> {
    let shared = |layer: &&Layer| layer.breakpoint.is_some() && layer.name <= LayerName::Document;
    let last = plan.layers.iter().rfind(shared)?;
    match lock(planner).warmth().heat(last.prefix, now) {
        Heat::Warm { until, .. } => Some(until),
        _ => None,
    }
}
