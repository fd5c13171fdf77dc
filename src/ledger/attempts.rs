//! One row per attempt: every request that was sent, also the ones that failed or were cancelled.

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params};

use super::Ledger;
use crate::claude::models::{Model, Prices};
use crate::claude::usage::{Tokens, cost_at};
use crate::error::Error;

/// One request to the API, and what came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attempt {
    /// The job it belongs to.
    pub job: String,
    /// The action's id.
    pub action: String,
    /// The language's LSP id.
    pub language: String,
    /// The workspace folder, as a path; none for a file outside of one.
    pub project: Option<String>,
    /// The model's id.
    pub model: String,
    /// The API's `request-id`.
    pub request_id: Option<String>,
    /// The tokens that were reported; all zero for an attempt that failed before the answer began.
    pub tokens: Tokens,
    /// The prices of the model at the time, in dollars per million tokens; a batch's cost is half of them.
    pub prices: Option<Prices>,
    /// Dollars; none when the price is not known.
    pub cost_usd: Option<f64>,
    /// Dollars saved against the same tokens uncached; none when the price is not known.
    pub saved_usd: Option<f64>,
    /// About how many dollars of output were made and are billed, but were not reported because the request was cut; none
    /// when there is no such output or no price. No part of the cost: only budgets count it.
    pub unreported_usd: Option<f64>,
    /// When it was sent.
    pub started: Timestamp,
    /// Milliseconds from sending to the end.
    pub duration_ms: u64,
    /// Milliseconds from sending to the first text.
    pub time_to_first_token_ms: Option<u64>,
    /// How it ended: an outcome, or the kind of the error.
    pub outcome: String,
    /// Why less was read from the cache than could have been.
    pub miss_reason: Option<String>,
    /// It was cut or cancelled, so that more was billed than was reported.
    pub partial: bool,
    /// The answer came from the simulator.
    pub simulated: bool,
    /// It was part of a batch, at half the prices.
    pub batch: bool,
}

impl Attempt {
    /// Sets the prices, the cost and the saving of the tokens there are; a batch's are halved.
    #[must_use]
    pub fn priced(mut self, model: &Model) -> Self {
        self.prices = model.prices_for(self.tokens.total_input());
        let cost = self.prices.map(|prices| cost_at(&prices, &self.tokens, self.batch));
        self.cost_usd = cost.map(|cost| cost.usd);
        self.saved_usd = cost.map(|cost| cost.saved());
        self
    }
}

impl Ledger {
    /// Keeps an attempt. Fails only if another process holds the file for seconds.
    pub fn record(&self, attempt: &Attempt) -> Result<(), Error> {
        self.with(|connection| insert(connection, attempt))
    }

    /// All attempts since a moment, oldest first.
    pub fn attempts(&self, since: Option<Timestamp>) -> Result<Vec<Attempt>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT * FROM attempts WHERE started >= ?1 ORDER BY started, id")?
                .query_map([since.map_or(i64::MIN, Timestamp::as_millisecond)], attempt)?
                .collect()
        })
    }
}

/// Keeps an attempt, within whatever transaction there is.
pub(super) fn insert(connection: &Connection, attempt: &Attempt) -> rusqlite::Result<()> {
    let tokens = &attempt.tokens;
    let price = |pick: fn(&Prices) -> f64| attempt.prices.as_ref().map(pick);
    connection
        .prepare_cached(INSERT)?
        .execute(named_params! {
            ":job": attempt.job,
            ":action": attempt.action,
            ":language": attempt.language,
            ":project": attempt.project,
            ":model": attempt.model,
            ":request_id": attempt.request_id,
            ":input": count(tokens.input),
            ":cache_read": count(tokens.cache_read),
            ":cache_write_5m": count(tokens.cache_write_5m),
            ":cache_write_1h": count(tokens.cache_write_1h),
            ":output": count(tokens.output),
            ":thinking": count(tokens.thinking),
            ":price_input": price(|it| it.input),
            ":price_output": price(|it| it.output),
            ":price_cache_write_5m": price(|it| it.cache_write_5m),
            ":price_cache_write_1h": price(|it| it.cache_write_1h),
            ":price_cache_read": price(|it| it.cache_read),
            ":cost_usd": attempt.cost_usd,
            ":saved_usd": attempt.saved_usd,
            ":unreported_usd": attempt.unreported_usd,
            ":started": attempt.started.as_millisecond(),
            ":duration_ms": count(attempt.duration_ms),
            ":time_to_first_token_ms": attempt.time_to_first_token_ms.map(count),
            ":outcome": attempt.outcome,
            ":miss_reason": attempt.miss_reason,
            ":partial": attempt.partial,
            ":simulated": attempt.simulated,
            ":batch": attempt.batch,
        })
        .map(drop)
}

const INSERT: &str = "
    INSERT INTO attempts (job, action, language, project, model, request_id, input, cache_read, cache_write_5m,
        cache_write_1h, output, thinking, price_input, price_output, price_cache_write_5m, price_cache_write_1h,
        price_cache_read, cost_usd, saved_usd, unreported_usd, started, duration_ms, time_to_first_token_ms, outcome,
        miss_reason, partial, simulated, batch)
    VALUES (:job, :action, :language, :project, :model, :request_id, :input, :cache_read, :cache_write_5m,
        :cache_write_1h, :output, :thinking, :price_input, :price_output, :price_cache_write_5m, :price_cache_write_1h,
        :price_cache_read, :cost_usd, :saved_usd, :unreported_usd, :started, :duration_ms, :time_to_first_token_ms,
        :outcome, :miss_reason, :partial, :simulated, :batch)";

fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let price = |column: &str| row.get::<_, Option<f64>>(column).ok().flatten();
    let prices = (|| {
        Some([
            price("price_input")?,
            price("price_output")?,
            price("price_cache_write_5m")?,
            price("price_cache_write_1h")?,
            price("price_cache_read")?,
        ])
    })();
    Ok(Attempt {
        job: row.get("job")?,
        action: row.get("action")?,
        language: row.get("language")?,
        project: row.get("project")?,
        model: row.get("model")?,
        request_id: row.get("request_id")?,
        tokens: tokens(row)?,
        prices: prices.map(Prices::from),
        cost_usd: row.get("cost_usd")?,
        saved_usd: row.get("saved_usd")?,
        unreported_usd: row.get("unreported_usd")?,
        started: moment(row.get("started")?),
        duration_ms: uncount(row.get("duration_ms")?),
        time_to_first_token_ms: row.get::<_, Option<i64>>("time_to_first_token_ms")?.map(uncount),
        outcome: row.get("outcome")?,
        miss_reason: row.get("miss_reason")?,
        partial: row.get("partial")?,
        simulated: row.get("simulated")?,
        batch: row.get("batch")?,
    })
}

/// The six token columns, which both tables have.
pub(super) fn tokens(row: &Row<'_>) -> rusqlite::Result<Tokens> {
    let get = |column: &str| row.get(column).map(uncount);
    Ok(Tokens {
        input: get("input")?,
        cache_read: get("cache_read")?,
        cache_write_5m: get("cache_write_5m")?,
        cache_write_1h: get("cache_write_1h")?,
        output: get("output")?,
        thinking: get("thinking")?,
    })
}

/// SQLite's integers have a sign; no count of ours comes near where that matters.
pub(super) fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn uncount(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// A stored moment; one that no calendar knows becomes the nearest end of time.
pub(super) fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(if milliseconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
