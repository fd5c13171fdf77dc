//! What recent requests of all processes began with. What a footprint says is `prompt::warmth`'s to know.

use jiff::{SignedDuration, Timestamp};

use super::Ledger;
use super::attempts::moment;
use crate::error::Error;

/// How long a footprint is worth keeping: entries live for an hour at most, and a day later nobody asks why one expired.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The most footprints that are read at once, newest first.
const MOST: u32 = 200;

/// What a request began with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPrefix {
    /// The row; later ones have greater ones.
    pub id: i64,
    /// When it was sent.
    pub started: Timestamp,
    /// As it was given to [`Ledger::remember_prefix`].
    pub footprint: String,
}

impl Ledger {
    /// Keeps what a request began with, and forgets what is older than a day.
    pub fn remember_prefix(&self, account: &str, started: Timestamp, footprint: &str) -> Result<(), Error> {
        let started = started.as_millisecond();
        let oldest = started.saturating_sub(i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX));
        self.with(|connection| {
            connection.prepare_cached("DELETE FROM prefixes WHERE started < ?1")?.execute([oldest])?;
            connection
                .prepare_cached("INSERT INTO prefixes (account, started, footprint) VALUES (?1, ?2, ?3)")?
                .execute((account, started, footprint))
                .map(drop)
        })
    }

    /// Whether anything was kept, for whichever account.
    pub fn has_prefixes(&self) -> Result<bool, Error> {
        self.with(|connection| {
            connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM prefixes)")?.query_row([], |row| row.get(0))
        })
    }

    /// What was kept for an account behind the row `after`, oldest first.
    pub fn prefixes(&self, account: &str, after: i64) -> Result<Vec<StoredPrefix>, Error> {
        self.with(|connection| {
            let mut rows = connection
                .prepare_cached(
                    "SELECT id, started, footprint FROM prefixes WHERE account = ?1 AND id > ?2 ORDER BY id DESC LIMIT ?3",
                )?
                .query_map((account, after, MOST), |row| {
                    Ok(StoredPrefix { id: row.get(0)?, started: moment(row.get(1)?), footprint: row.get(2)? })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            rows.reverse();
            Ok(rows)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_told_apart_by_account_read_on_from_a_row_and_forgotten_after_a_day() {
        let ledger = Ledger::in_memory();
        assert!(!ledger.has_prefixes().unwrap());
        let at = |time: &str| -> Timestamp { time.parse().unwrap() };
        ledger.remember_prefix("mine", at("2026-11-22T07:00:00Z"), "old").unwrap();
        ledger.remember_prefix("mine", at("2026-11-22T09:00:00Z"), "one").unwrap();
        ledger.remember_prefix("other", at("2026-11-22T09:00:00Z"), "theirs").unwrap();
        ledger.remember_prefix("mine", at("2026-11-23T08:00:00Z"), "two").unwrap();
        assert!(ledger.has_prefixes().unwrap());
        let read = ledger.prefixes("mine", 0).unwrap();
        let said: Vec<_> = read.iter().map(|row| row.footprint.as_str()).collect();
        assert_eq!(said, ["one", "two"]);
        assert_eq!(read[1].started, at("2026-11-23T08:00:00Z"));
        assert_eq!(ledger.prefixes("mine", read[0].id).unwrap(), read[1..]);
        assert_eq!(ledger.prefixes("mine", read[1].id).unwrap(), []);
    }
}
