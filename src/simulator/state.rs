//! What the simulator remembers between requests.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::account::{Account, AccountRow};
use super::batches::Batches;
use super::cache::Accounting;
use super::clock::Clock;
use super::diagnostics::Remembered;
use super::playback::{Playback, Probe};
use super::rate::Rates;
use super::scenario::Step;
use super::server::SimulatorOptions;
use crate::claude::types::MessageResponse;
use crate::hash::hex;

/// How many answered requests are kept for the diagnostics of later ones.
const MOST_REMEMBERED: usize = 1_000;

/// Shared by all requests. Locks are held for a moment and never across an await.
#[derive(Debug)]
pub(super) struct State {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tokens_per_second: Option<f64>,
    /// Whether it is a server that knows nothing but messages.
    pub(super) plain: bool,
    pub(super) cache: Mutex<Accounting>,
    pub(super) rates: Mutex<Rates>,
    pub(super) batches: Batches,
    playback: Mutex<Playback>,
    rows: Mutex<Vec<AccountRow>>,
    remembered: Mutex<VecDeque<(String, Remembered)>>,
    /// Turns that were paused, which may come back as the last of a request.
    paused: Mutex<VecDeque<Vec<Value>>>,
    stalled: AtomicU64,
    ids: Ids,
}

/// A request that is held back, for as long as this lives.
#[derive(Debug)]
pub(super) struct Stalled<'a>(&'a AtomicU64);

impl Drop for Stalled<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl State {
    pub(super) fn new(clock: Arc<dyn Clock>, options: SimulatorOptions) -> Self {
        let ids = Ids::new(clock.now());
        let SimulatorOptions { scenario, tokens_per_second, plain, .. } = options;
        let scenario = scenario.unwrap_or_default();
        Self {
            clock,
            tokens_per_second,
            plain,
            cache: Mutex::default(),
            rates: Mutex::new(Rates::new(scenario.limits)),
            batches: Batches::default(),
            playback: Mutex::new(Playback::new(scenario)),
            rows: Mutex::default(),
            remembered: Mutex::default(),
            paused: Mutex::default(),
            stalled: AtomicU64::new(0),
            ids,
        }
    }

    /// The scenario's step for a request, counted as played.
    pub(super) fn step(&self, probe: &Probe<'_>) -> Option<Step> {
        lock(&self.playback).next(probe)
    }

    /// Keeps what a later request's diagnostics may ask for.
    pub(super) fn remember(&self, message_id: String, request: Remembered) {
        let mut remembered = lock(&self.remembered);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.pop_front();
        }
        remembered.push_back((message_id, request));
    }

    /// The request that a message answered.
    pub(super) fn remembered(&self, message_id: &str) -> Option<Remembered> {
        lock(&self.remembered).iter().find(|(id, _)| id == message_id).map(|(_, request)| request.clone())
    }

    /// Keeps a turn that is paused, with what a request brought back of it already.
    pub(super) fn pause(&self, body: &Value, message: &MessageResponse) {
        let mut turn = last_turn(body).unwrap_or_default();
        turn.extend(message.content.iter().filter_map(|block| serde_json::to_value(block).ok()));
        let mut paused = lock(&self.paused);
        if paused.len() >= MOST_REMEMBERED {
            paused.pop_front();
        }
        paused.push_back(filled(turn));
    }

    /// Whether a request's last turn is one that was paused, as it was.
    pub(super) fn resumes(&self, body: &Value) -> bool {
        last_turn(body).is_some_and(|turn| lock(&self.paused).contains(&filled(turn)))
    }

    pub(super) fn account(&self) -> Account {
        Account { requests: lock(&self.rows).clone(), stalled: self.stalled.load(Ordering::Relaxed) }
    }

    /// Counts a request as held back.
    pub(super) fn stalled(&self) -> Stalled<'_> {
        self.stalled.fetch_add(1, Ordering::Relaxed);
        Stalled(&self.stalled)
    }

    /// Adds a row and returns its place, for [`State::update_row`].
    pub(super) fn add_row(&self, row: AccountRow) -> usize {
        let mut rows = lock(&self.rows);
        rows.push(row);
        rows.len() - 1
    }

    pub(super) fn update_row(&self, place: usize, update: impl FnOnce(&mut AccountRow)) {
        if let Some(row) = lock(&self.rows).get_mut(place) {
            update(row);
        }
    }

    /// A new id, such as `msg_sim0…`: unique, and plainly not of the real API.
    pub(super) fn id(&self, prefix: &str) -> String {
        self.ids.next(prefix)
    }
}

/// The blocks of the assistant's turn that a request ends with.
fn last_turn(body: &Value) -> Option<Vec<Value>> {
    let last = body.get("messages")?.as_array()?.last().filter(|last| last["role"] == "assistant")?;
    last["content"].as_array().cloned()
}

/// Without the empty texts, which are not to be sent.
fn filled(mut turn: Vec<Value>) -> Vec<Value> {
    turn.retain(|block| block["type"] != "text" || block["text"] != "");
    turn
}

/// Ids that no other run of the simulator gives either.
#[derive(Debug)]
struct Ids {
    run: [u8; 16],
    next: AtomicU64,
}

impl Ids {
    fn new(now: jiff::Timestamp) -> Self {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let seed = format!("{} {} {run}", now.as_nanosecond(), std::process::id());
        let mut half = [0; 16];
        half.copy_from_slice(&Sha256::digest(seed)[..16]);
        Self { run: half, next: AtomicU64::new(0) }
    }

    fn next(&self, prefix: &str) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let digest = Sha256::new().chain_update(self.run).chain_update(number.to_be_bytes()).finalize();
        format!("{prefix}_sim{}", hex(&digest[..10]))
    }
}

/// A lock that a panic elsewhere does not take away.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
