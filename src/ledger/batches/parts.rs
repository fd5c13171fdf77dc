//! The API's batches that carry one of ours.

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params};
use serde::Serialize;

use super::super::Ledger;
use super::super::attempts::{count, moment, uncount};
use super::Word;
use crate::error::Error;

/// Where a batch of the API is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// It was written down and not sent.
    Intended,
    /// It is being sent, or was when its process ended: whether it was accepted is not known.
    Sending,
    /// The API works on it.
    Running,
    /// The API was asked to stop.
    Canceling,
    /// All its results are here.
    Collected,
    /// It never reached the API, or was refused.
    Unsent,
    /// The API does not have it any more.
    Gone,
}

impl Word for PartState {
    const ALL: &'static [Self] =
        &[Self::Intended, Self::Sending, Self::Running, Self::Canceling, Self::Collected, Self::Unsent, Self::Gone];

    fn word(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Sending => "sending",
            Self::Running => "running",
            Self::Canceling => "canceling",
            Self::Collected => "collected",
            Self::Unsent => "unsent",
            Self::Gone => "gone",
        }
    }
}

impl PartState {
    /// Whether nothing more is to be expected of it.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Collected | Self::Unsent | Self::Gone)
    }
}

/// A batch of the API that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPart {
    /// Its number among those of the batch.
    pub number: u32,
    /// How many requests it has.
    pub requests: u64,
    /// Until when the process that wrote this may go on with sending it.
    pub sending_until: Timestamp,
}

/// A batch of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchPart {
    /// Its number among those of the batch.
    pub number: u32,
    /// How many requests it has.
    pub requests: u64,
    /// Where it is.
    pub state: PartState,
    /// The API's id.
    pub api_id: Option<String>,
    /// Whether the API itself said that this id is ours, and not only circumstances do.
    pub confirmed: bool,
    /// When it was begun to be sent.
    pub sent: Option<Timestamp>,
    /// Until when the process that sends it may go on with that.
    pub sending_until: Option<Timestamp>,
    /// When the API gives it up.
    pub expires: Option<Timestamp>,
    /// What went wrong.
    pub reason: Option<String>,
}

pub(super) fn insert(connection: &Connection, batch: &str, parts: &[NewPart]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO batch_parts (batch, number, requests, state, confirmed, sending_until) \
         VALUES (?1, ?2, ?3, ?4, FALSE, ?5)",
    )?;
    for part in parts {
        let until = part.sending_until.as_millisecond();
        insert.execute((batch, part.number, count(part.requests), PartState::Intended.word(), until))?;
    }
    Ok(())
}

impl Ledger {
    /// The parts of a batch, in their order.
    pub fn batch_parts(&self, batch: &str) -> Result<Vec<BatchPart>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT * FROM batch_parts WHERE batch = ?1 ORDER BY number")?
                .query_map([batch], part)?
                .collect()
        })
    }

    /// Writes down how a part is now.
    pub fn set_part(&self, batch: &str, part: &BatchPart) -> Result<(), Error> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "UPDATE batch_parts SET state = :state, api_id = :api_id, confirmed = :confirmed, sent = :sent, \
                     sending_until = :sending_until, expires = :expires, reason = :reason \
                     WHERE batch = :batch AND number = :number",
                )?
                .execute(named_params! {
                    ":batch": batch,
                    ":number": part.number,
                    ":state": part.state.word(),
                    ":api_id": part.api_id,
                    ":confirmed": part.confirmed,
                    ":sent": part.sent.map(Timestamp::as_millisecond),
                    ":sending_until": part.sending_until.map(Timestamp::as_millisecond),
                    ":expires": part.expires.map(Timestamp::as_millisecond),
                    ":reason": part.reason,
                })
                .map(drop)
        })
    }

    /// Whether a batch of the API is known already, of whichever of ours.
    pub fn knows_api_batch(&self, api_id: &str) -> Result<bool, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM batch_parts WHERE api_id = ?1)")?
                .query_row([api_id], |row| row.get(0))
        })
    }
}

fn part(row: &Row<'_>) -> rusqlite::Result<BatchPart> {
    let time = |column: &str| row.get::<_, Option<i64>>(column).map(|time| time.map(moment));
    Ok(BatchPart {
        number: row.get("number")?,
        requests: uncount(row.get("requests")?),
        state: PartState::read(&row.get::<_, String>("state")?)?,
        api_id: row.get("api_id")?,
        confirmed: row.get("confirmed")?,
        sent: time("sent")?,
        sending_until: time("sending_until")?,
        expires: time("expires")?,
        reason: row.get("reason")?,
    })
}
