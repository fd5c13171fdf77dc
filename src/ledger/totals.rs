//! Sums over attempts.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Row;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use super::attempts::{moment, uncount};
use super::{Attempt, Ledger};
use crate::claude::usage::Tokens;
use crate::error::Error;

/// A sum over attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(into = "TotalsReport")]
pub struct Totals {
    /// How many.
    pub attempts: u64,
    /// How many of them were cut or cancelled, and so billed for more output than was reported.
    pub partial: u64,
    /// Their tokens.
    pub tokens: Tokens,
    /// Dollars of those whose price is known.
    pub known_cost_usd: f64,
    /// Dollars saved by those whose price is known.
    pub known_saved_usd: f64,
    /// How many took tokens at a price that is not known.
    pub unpriced: u64,
    /// The part of `known_cost_usd` that the simulator counted and nobody pays.
    pub simulated_cost_usd: f64,
    /// The part of `known_cost_usd` that was charged at half the price, as batches are: as much was saved by that.
    pub batch_cost_usd: f64,
}

impl Totals {
    /// Dollars; none when some attempt's price is not known, because a sum without it would be a guess.
    pub fn cost_usd(&self) -> Option<f64> {
        (self.unpriced == 0).then_some(self.known_cost_usd)
    }

    /// Dollars saved against the same tokens uncached; none when some attempt's price is not known.
    pub fn saved_usd(&self) -> Option<f64> {
        (self.unpriced == 0).then_some(self.known_saved_usd)
    }

    /// Dollars that are really paid, as far as prices are known: what a budget is compared with.
    pub fn paid_usd(&self) -> f64 {
        self.known_cost_usd - self.simulated_cost_usd
    }

    /// Adds one attempt.
    pub fn add(&mut self, attempt: &Attempt) {
        let cost = attempt.cost_usd.unwrap_or(0.0);
        let took = attempt.tokens.total_input() + attempt.tokens.output > 0;
        *self += Self {
            attempts: 1,
            partial: u64::from(attempt.partial),
            tokens: attempt.tokens,
            known_cost_usd: cost,
            known_saved_usd: attempt.saved_usd.unwrap_or(0.0),
            unpriced: u64::from(attempt.cost_usd.is_none() && took),
            simulated_cost_usd: if attempt.simulated { cost } else { 0.0 },
            batch_cost_usd: if attempt.batch { cost } else { 0.0 },
        };
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.attempts += other.attempts;
        self.partial += other.partial;
        self.tokens += other.tokens;
        self.known_cost_usd += other.known_cost_usd;
        self.known_saved_usd += other.known_saved_usd;
        self.unpriced += other.unpriced;
        self.simulated_cost_usd += other.simulated_cost_usd;
        self.batch_cost_usd += other.batch_cost_usd;
    }
}

/// [`Totals`] as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TotalsReport {
    /// How many requests.
    pub requests: u64,
    /// Tokens charged at the plain input price.
    pub input_tokens: u64,
    /// Tokens read from the cache.
    pub cache_read_tokens: u64,
    /// Tokens written to the cache, of both lives.
    pub cache_write_tokens: u64,
    /// The part of `cacheWriteTokens` that lives an hour.
    #[serde(rename = "cacheWrite1hTokens")]
    pub cache_write_1h_tokens: u64,
    /// Tokens of the answers, thinking included.
    pub output_tokens: u64,
    /// The part of `outputTokens` that was thinking.
    pub thinking_tokens: u64,
    /// Read / (input + written + read), from 0 to 1; `null` when nothing was sent.
    pub cache_hit_rate: Option<f64>,
    /// Dollars; `null` when some price is not known.
    pub cost_usd: Option<f64>,
    /// Dollars saved against the same tokens uncached; `null` when some price is not known.
    pub saved_usd: Option<f64>,
    /// Some requests were cut or cancelled: output made until then is billed but was not reported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// How many were.
    #[serde(default, skip_serializing_if = "is_none")]
    pub partial_requests: u64,
    /// How many took tokens at a price that is not known.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unpriced_requests: u64,
    /// With `unpricedRequests`: dollars of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_cost_usd: Option<f64>,
    /// With `unpricedRequests`: dollars saved by the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_saved_usd: Option<f64>,
    /// The part of the known cost that the simulator counted and nobody pays; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated_usd: Option<f64>,
    /// Dollars saved by half the price of batches, as far as prices are known; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_price_saved_usd: Option<f64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl From<Totals> for TotalsReport {
    fn from(totals: Totals) -> Self {
        let tokens = totals.tokens;
        Self {
            requests: totals.attempts,
            input_tokens: tokens.input,
            cache_read_tokens: tokens.cache_read,
            cache_write_tokens: tokens.cache_write(),
            cache_write_1h_tokens: tokens.cache_write_1h,
            output_tokens: tokens.output,
            thinking_tokens: tokens.thinking,
            cache_hit_rate: tokens.cache_hit_rate(),
            cost_usd: totals.cost_usd(),
            saved_usd: totals.saved_usd(),
            partial: totals.partial > 0,
            partial_requests: totals.partial,
            unpriced_requests: totals.unpriced,
            known_cost_usd: (totals.unpriced > 0).then_some(totals.known_cost_usd),
            known_saved_usd: (totals.unpriced > 0).then_some(totals.known_saved_usd),
            simulated_usd: (totals.simulated_cost_usd > 0.0).then_some(totals.simulated_cost_usd),
            half_price_saved_usd: (totals.batch_cost_usd > 0.0).then_some(totals.batch_cost_usd),
        }
    }
}

/// What rows of a report are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// The user's local day, as `2026-11-23`.
    Day,
    /// The action's id.
    Action,
    /// The model's id.
    Model,
    /// The workspace folder.
    Project,
    /// The action's id, and per action the model's.
    ActionAndModel,
    /// Why less was read from the cache than could have been; only of attempts for which there is a reason.
    MissReason,
    /// The batch, with its action; only of attempts that were part of one.
    Batch,
}

/// One row of a report. Only what the rows are about is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UsageRow {
    /// The local day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// The action's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The model's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The workspace folder; empty for files outside of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Why less was read from the cache than could have been.
    #[serde(rename = "missReason", skip_serializing_if = "Option::is_none")]
    pub miss_reason: Option<String>,
    /// The batch's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// How many items the batch has; each is a request, and another one whenever it was asked for again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<u64>,
    /// The sums.
    #[serde(flatten)]
    pub totals: Totals,
}

/// When the local day of `now` began; use the system's time zone for the user's day.
pub fn day_start(now: Timestamp, zone: &TimeZone) -> Timestamp {
    // A day that begins outside of the calendar can only be at its ends.
    now.to_zoned(zone.clone()).start_of_day().map_or(Timestamp::MIN, |start| start.timestamp())
}

/// When the local month of `now` began.
pub fn month_start(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let first = now.to_zoned(zone.clone()).date().first_of_month();
    first.to_zoned(zone.clone()).map_or(Timestamp::MIN, |start| start.timestamp())
}

impl Ledger {
    /// The sum over all attempts since a moment, or ever.
    pub fn totals(&self, since: Option<Timestamp>) -> Result<Totals, Error> {
        self.with(|connection| {
            let sql = format!("SELECT {SUMS} FROM attempts WHERE started >= ?1");
            connection.prepare_cached(&sql)?.query_row([start(since)], sums)
        })
    }

    /// The sums since a moment, a row for each day, action, model, project or batch that has any, in the order of their names;
    /// days begin at the system's midnight.
    pub fn rows(&self, since: Option<Timestamp>, by: By) -> Result<Vec<UsageRow>, Error> {
        self.rows_in(since, by, &TimeZone::system())
    }

    /// Like [`Ledger::rows`], with days in another time zone.
    pub fn rows_in(&self, since: Option<Timestamp>, by: By, zone: &TimeZone) -> Result<Vec<UsageRow>, Error> {
        let (first, second) = match by {
            // SQLite knows no time zones. All of them are a multiple of a quarter of an hour from UTC, so no quarter of an
            // hour is in two days.
            By::Day => ("started / 900000", "NULL"),
            By::Action => ("action", "NULL"),
            By::Model => ("model", "NULL"),
            By::Project => ("coalesce(project, '')", "NULL"),
            By::ActionAndModel => ("action", "model"),
            By::MissReason => ("miss_reason", "NULL"),
            By::Batch => ("job", "action"),
        };
        let only = match by {
            By::MissReason => "AND miss_reason IS NOT NULL ",
            By::Batch => "AND batch ",
            _ => "",
        };
        let sql = format!(
            "SELECT {SUMS}, {first}, {second} FROM attempts WHERE started >= ?1 {only}GROUP BY {first}, {second} \
             ORDER BY {first}, {second}"
        );
        let items = if by == By::Batch { self.items_of_batches()? } else { BTreeMap::new() };
        let groups = self.with(|connection| {
            connection
                .prepare_cached(&sql)?
                .query_map([start(since)], |row| Ok((row.get::<_, Value>(13)?, row.get(14)?, sums(row)?)))?
                .collect::<rusqlite::Result<Vec<(Value, Option<String>, Totals)>>>()
        })?;
        if by == By::Day {
            return Ok(days(groups.into_iter().map(|(quarter, _, totals)| (quarter, totals)), zone));
        }
        Ok(groups
            .into_iter()
            .map(|(first, second, totals)| {
                let name = if let Value::Text(name) = first { Some(name) } else { None };
                match by {
                    By::Day | By::Action => UsageRow { action: name, totals, ..UsageRow::default() },
                    By::Model => UsageRow { model: name, totals, ..UsageRow::default() },
                    By::Project => UsageRow { project: name, totals, ..UsageRow::default() },
                    By::ActionAndModel => UsageRow { action: name, model: second, totals, ..UsageRow::default() },
                    By::MissReason => UsageRow { miss_reason: name, totals, ..UsageRow::default() },
                    By::Batch => {
                        let items = name.as_ref().and_then(|id| items.get(id)).copied();
                        UsageRow { batch: name, action: second, items, totals, ..UsageRow::default() }
                    }
                }
            })
            .collect())
    }
}

fn days(quarters: impl Iterator<Item = (Value, Totals)>, zone: &TimeZone) -> Vec<UsageRow> {
    let mut days: BTreeMap<jiff::civil::Date, Totals> = BTreeMap::new();
    for (quarter, totals) in quarters {
        let Value::Integer(quarter) = quarter else { continue };
        *days.entry(moment(quarter.saturating_mul(900_000)).to_zoned(zone.clone()).date()).or_default() += totals;
    }
    days.into_iter()
        .map(|(day, totals)| UsageRow { day: Some(day.to_string()), totals, ..UsageRow::default() })
        .collect()
}

/// The columns that [`sums`] reads. SQLite adds reals with compensation, so a year of cents is exact to far below 1e-9.
pub(super) const SUMS: &str = "count(*), coalesce(sum(partial), 0), \
    coalesce(sum(input), 0), coalesce(sum(cache_read), 0), coalesce(sum(cache_write_5m), 0), \
    coalesce(sum(cache_write_1h), 0), coalesce(sum(output), 0), coalesce(sum(thinking), 0), \
    coalesce(sum(cost_usd), 0.0), coalesce(sum(saved_usd), 0.0), \
    coalesce(sum(cost_usd IS NULL AND input + cache_read + cache_write_5m + cache_write_1h + output > 0), 0), \
    coalesce(sum(cost_usd) FILTER (WHERE simulated), 0.0), coalesce(sum(cost_usd) FILTER (WHERE batch), 0.0)";

pub(super) fn sums(row: &Row<'_>) -> rusqlite::Result<Totals> {
    let count = |column: usize| row.get(column).map(uncount);
    Ok(Totals {
        attempts: count(0)?,
        partial: count(1)?,
        tokens: Tokens {
            input: count(2)?,
            cache_read: count(3)?,
            cache_write_5m: count(4)?,
            cache_write_1h: count(5)?,
            output: count(6)?,
            thinking: count(7)?,
        },
        known_cost_usd: row.get(8)?,
        known_saved_usd: row.get(9)?,
        unpriced: count(10)?,
        simulated_cost_usd: row.get(11)?,
        batch_cost_usd: row.get(12)?,
    })
}

fn start(since: Option<Timestamp>) -> i64 {
    since.map_or(i64::MIN, Timestamp::as_millisecond)
}
