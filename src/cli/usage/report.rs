//! What there is to tell of a stretch of time.

use jiff::{Timestamp, Zoned};

use super::Grouping;
use crate::error::Error;
use crate::ledger::{By, Ledger, Totals, UsageRow};

/// The sums of a stretch of time, seen from every side.
pub(super) struct Report {
    /// Its beginning; none when it is all there is.
    pub(super) since: Option<Timestamp>,
    /// Its end, in the zone that days are counted in.
    pub(super) now: Zoned,
    /// The sum of everything.
    pub(super) total: Totals,
    /// A row per local day, oldest first.
    pub(super) days: Vec<UsageRow>,
    /// A row per action.
    pub(super) actions: Vec<UsageRow>,
    /// A row per model.
    pub(super) models: Vec<UsageRow>,
    /// A row per workspace folder.
    pub(super) projects: Vec<UsageRow>,
    /// A row per batch.
    pub(super) batches: Vec<UsageRow>,
    /// A row per reason for which less was read from the cache than could have been.
    pub(super) misses: Vec<UsageRow>,
}

impl Report {
    /// Reads it from the ledger.
    pub(super) fn read(ledger: &Ledger, since: Option<Timestamp>, now: Zoned) -> Result<Self, Error> {
        let rows = |by| ledger.rows_in(since, by, now.time_zone());
        Ok(Self {
            total: ledger.totals(since)?,
            days: rows(By::Day)?,
            actions: rows(By::Action)?,
            models: rows(By::Model)?,
            projects: rows(By::Project)?,
            batches: rows(By::Batch)?,
            misses: rows(By::MissReason)?,
            since,
            now,
        })
    }

    /// The rows of one kind.
    pub(super) fn rows(&self, by: Grouping) -> &[UsageRow] {
        match by {
            Grouping::Day => &self.days,
            Grouping::Action => &self.actions,
            Grouping::Model => &self.models,
            Grouping::Project => &self.projects,
            Grouping::Batch => &self.batches,
        }
    }

    /// The sum of the rows of one kind: of everything, but for batches.
    pub(super) fn total(&self, by: Grouping) -> Totals {
        if by != Grouping::Batch {
            return self.total;
        }
        let mut total = Totals::default();
        self.batches.iter().for_each(|row| total += row.totals);
        total
    }
}

/// Batches with what they saved against the full price without a cache, since that is what they are chosen for.
pub(super) fn against_full_price(rows: &[UsageRow]) -> Vec<UsageRow> {
    rows.iter().map(|row| UsageRow { totals: fully_saved(row.totals), ..row.clone() }).collect()
}

/// The sum of batches, in the same way.
pub(super) fn fully_saved(totals: Totals) -> Totals {
    // What is known of the cache's saving is at half the price, too.
    Totals { known_saved_usd: totals.known_saved_usd * 2.0 + totals.batch_cost_usd, ..totals }
}

/// The rows with the dearest first; those of equal cost with the most tokens first.
pub(super) fn dearest_first(rows: &[UsageRow]) -> Vec<&UsageRow> {
    let mut rows: Vec<&UsageRow> = rows.iter().collect();
    rows.sort_by(|a, b| {
        let weight = |row: &UsageRow| row.totals.tokens.total_input() + row.totals.tokens.output;
        let by_cost = b.totals.known_cost_usd.total_cmp(&a.totals.known_cost_usd);
        by_cost.then_with(|| weight(b).cmp(&weight(a)))
    });
    rows
}

/// What a miss reason means.
pub(super) fn meaning(reason: &str) -> &'static str {
    match reason {
        "first" => "nothing that begins like this had been sent before",
        "model" => "another model was asked before",
        "settings" => "effort, thinking or another setting was different before",
        "tools" => "the tools were different before",
        "system" => "Aside's own instructions were different before",
        "rules" => "the project's rules or layout changed",
        "document" => "the document changed",
        "expired" => "what was cached had outlived its five minutes or its hour",
        "too_short" => "the prompt is shorter than what the model caches",
        "not_ready" => "an earlier request was still writing it",
        _ => "the reason is not known",
    }
}

/// Dollars with their sign, and a mark if the price of some of the requests is not known: a sum that leaves something out
/// is never passed off as the whole.
pub(super) fn money(known: f64, totals: &Totals) -> String {
    if known == 0.0 && totals.unpriced > 0 {
        return "?".to_owned();
    }
    let sign = if known < 0.0 { "-" } else { "" };
    let more = if totals.unpriced > 0 { " + ?" } else { "" };
    format!("{sign}{}{more}", crate::claude::words::dollars(known.abs()))
}

/// What must be known to read the sums right.
pub(super) fn remarks(total: &Totals) -> Vec<String> {
    let mut remarks = Vec::new();
    let requests = |count: u64| if count == 1 { "1 request is".to_owned() } else { format!("{count} requests are") };
    if total.unpriced > 0 {
        let of = requests(total.unpriced);
        remarks.push(format!("{of} of a model whose price is not known; ? stands for that. `prices.NAME` sets it."));
    }
    if total.partial > 0 {
        let of =
            if total.partial == 1 { "1 request was".to_owned() } else { format!("{} requests were", total.partial) };
        remarks.push(format!("{of} cut short: output until then is billed, but was not reported and is missing here."));
    }
    if total.batch_cost_usd > 0.0 {
        let half = crate::claude::words::dollars(total.batch_cost_usd);
        remarks.push(format!("Half the price of batches saved another {half}."));
    }
    if total.simulated_cost_usd > 0.0 {
        let simulated = crate::claude::words::dollars(total.simulated_cost_usd);
        remarks.push(format!("{simulated} of the cost was simulated: nobody pays it."));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::prompt::diagnosis::MissReason;

    #[test]
    fn every_reason_has_words_of_its_own() {
        let words: BTreeSet<&str> = MissReason::ALL.iter().map(|reason| meaning(reason.as_str())).collect();
        assert_eq!(words.len(), MissReason::ALL.len(), "{words:?}");
        let unknown: Vec<_> =
            MissReason::ALL.iter().filter(|it| meaning(it.as_str()) == meaning("no such reason")).collect();
        assert_eq!(unknown, [&MissReason::Unknown]);
    }
}
