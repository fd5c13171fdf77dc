//! The items of a batch: what was asked about which text, and what came of it.

use std::sync::Arc;

use rusqlite::{Connection, Row, TransactionBehavior, named_params};
use serde::Serialize;

use super::super::attempts::{self, count, uncount};
use super::super::{Attempt, Ledger};
use super::{ItemCounts, Word};
use crate::error::Error;
use crate::workspace::Span;

/// Where an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// It was not sent.
    Unsent,
    /// It is with the API.
    Sent,
    /// There is an answer that was not looked at yet.
    Answered,
    /// The answer is being written into its file, or was when the process ended.
    Landing,
    /// The answer is in its file, or stored to be read.
    Applied,
    /// The answer changes nothing.
    Unchanged,
    /// The answer was not applied; it is there to be read.
    Kept,
    /// The answer cannot be used.
    Unusable,
    /// The API refused it, or failed.
    Errored,
    /// It was cancelled before it began.
    Canceled,
    /// The API did not get to it in time, or has forgotten it.
    Expired,
}

impl Word for ItemState {
    const ALL: &'static [Self] = &[
        Self::Unsent,
        Self::Sent,
        Self::Answered,
        Self::Landing,
        Self::Applied,
        Self::Unchanged,
        Self::Kept,
        Self::Unusable,
        Self::Errored,
        Self::Canceled,
        Self::Expired,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Unsent => "unsent",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Landing => "landing",
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Kept => "kept",
            Self::Unusable => "unusable",
            Self::Errored => "errored",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }
}

impl ItemState {
    /// Whether it can be asked for again with some hope.
    pub fn may_be_retried(self) -> bool {
        matches!(self, Self::Unsent | Self::Unusable | Self::Errored | Self::Canceled | Self::Expired)
    }

    /// Whether there is an answer that may yet be applied.
    pub fn may_be_applied(self) -> bool {
        matches!(self, Self::Answered | Self::Kept)
    }
}

/// A file as it was when it was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchFile {
    /// Its row; 0 before it has one.
    pub id: i64,
    /// Its path below the batch's root, with `/`.
    pub path: String,
    /// The language's id.
    pub language: String,
    /// Its text.
    pub text: Arc<str>,
}

/// An item that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewItem {
    /// Its number in the batch.
    pub number: u32,
    /// How often it is asked for with this.
    pub turn: u32,
    /// The part it goes out in.
    pub part: u32,
    /// Its file's place in the list of files.
    pub file: usize,
    /// What is selected, in bytes of the file's text.
    pub selection: Span,
    /// The name of what is selected.
    pub subject: Option<String>,
    /// About how many tokens of input it has, uncorrected.
    pub estimated_input: u64,
    /// Whether the model is told what is wrong with its last answer.
    pub repairs: bool,
}

/// An item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchItem {
    /// Its number in the batch.
    pub number: u32,
    /// How often it was asked for.
    pub turn: u32,
    /// The part it went out in last.
    pub part: u32,
    /// The row of its file.
    pub file: i64,
    /// The path of its file below the batch's root, with `/`.
    pub path: String,
    /// The language's id.
    pub language: String,
    /// What is selected, in bytes of the file's text.
    pub selection: Span,
    /// The name of what is selected.
    pub subject: Option<String>,
    /// About how many tokens of input it has, uncorrected.
    pub estimated_input: u64,
    /// Where it is.
    pub state: ItemState,
    /// Why it is there.
    pub reason: Option<String>,
    /// What is wrong with its last answer, as far as the model can be told.
    pub complaint: Option<String>,
}

/// What came of an item, and the attempt to pay for it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The item's number.
    pub number: u32,
    /// For which turn.
    pub turn: u32,
    /// Where the item is now.
    pub state: ItemState,
    /// Why.
    pub reason: Option<String>,
    /// The answer's text.
    pub answer: Option<String>,
    /// What it took; none when it never began.
    pub attempt: Option<Attempt>,
}

/// False when one of them is there already, in this turn or a later one.
pub(super) fn insert(connection: &Connection, batch: &str, items: &[NewItem], files: &[i64]) -> rusqlite::Result<bool> {
    // What was wrong with an answer stays known until there is another one, whatever happens to the request for that.
    let mut insert = connection.prepare_cached(
        "INSERT INTO batch_items (batch, number, turn, part, file, first, last, subject, estimated_input, state) \
         VALUES (:batch, :number, :turn, :part, :file, :first, :last, :subject, :estimated, :state) \
         ON CONFLICT (batch, number) DO UPDATE SET turn = excluded.turn, part = excluded.part, file = excluded.file, \
         first = excluded.first, last = excluded.last, subject = excluded.subject, \
         estimated_input = excluded.estimated_input, state = excluded.state, reason = NULL, answer = NULL, \
         complaint = CASE WHEN :repairs THEN complaint END, \
         earlier = CASE WHEN :repairs THEN coalesce(answer, earlier) END \
         WHERE turn < excluded.turn",
    )?;
    let mut written = 0;
    for item in items {
        written += insert.execute(named_params! {
            ":batch": batch,
            ":number": item.number,
            ":turn": item.turn,
            ":part": item.part,
            ":file": files.get(item.file).copied().unwrap_or_default(),
            ":first": count(item.selection.start as u64),
            ":last": count(item.selection.end as u64),
            ":subject": item.subject,
            ":estimated": count(item.estimated_input),
            ":state": ItemState::Unsent.word(),
            ":repairs": item.repairs,
        })?;
    }
    Ok(written == items.len())
}

const ITEMS: &str = "SELECT i.number, i.turn, i.part, i.file, i.first, i.last, i.subject, i.estimated_input, i.state, \
    i.reason, i.complaint, f.path, f.language FROM batch_items i JOIN batch_files f ON f.id = i.file WHERE i.batch = ?1";

impl Ledger {
    /// How many items of a batch are in which state.
    pub fn batch_counts(&self, batch: &str) -> Result<ItemCounts, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT state, count(*) FROM batch_items WHERE batch = ?1 GROUP BY state")?
                .query_map([batch], |row| Ok((ItemState::read(&row.get::<_, String>(0)?)?, uncount(row.get(1)?))))?
                .collect()
        })
    }

    /// The items of a batch, without their answers, by path and place.
    pub fn batch_items(&self, batch: &str) -> Result<Vec<BatchItem>, Error> {
        self.with(|connection| {
            let sql = format!("{ITEMS} ORDER BY f.path, i.first, i.number");
            connection.prepare_cached(&sql)?.query_map([batch], item)?.collect()
        })
    }

    /// The items of a part, without their answers.
    pub fn part_items(&self, batch: &str, part: u32) -> Result<Vec<BatchItem>, Error> {
        self.with(|connection| {
            let sql = format!("{ITEMS} AND i.part = ?2 ORDER BY i.number");
            connection.prepare_cached(&sql)?.query_map((batch, part), item)?.collect()
        })
    }

    /// What the model answered to an item.
    pub fn batch_answer(&self, batch: &str, number: u32) -> Result<Option<String>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT max(answer) FROM batch_items WHERE batch = ?1 AND number = ?2")?
                .query_row((batch, number), |row| row.get(0))
        })
    }

    /// The answer that an item's complaint is about.
    pub fn faulty_answer(&self, batch: &str, number: u32) -> Result<Option<String>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT max(coalesce(answer, earlier)) FROM batch_items WHERE batch = ?1 AND number = ?2",
                )?
                .query_row((batch, number), |row| row.get(0))
        })
    }

    /// A file's text as it was when it was asked about.
    pub fn batch_file(&self, id: i64) -> Result<BatchFile, Error> {
        self.with(|connection| {
            connection.prepare_cached("SELECT path, language, text FROM batch_files WHERE id = ?1")?.query_row(
                [id],
                |row| {
                    let text: String = row.get(2)?;
                    Ok(BatchFile { id, path: row.get(0)?, language: row.get(1)?, text: text.into() })
                },
            )
        })
    }

    /// The items of a part are with the API from now on, or not after all.
    pub fn set_part_items(&self, batch: &str, part: u32, state: ItemState, reason: Option<&str>) -> Result<(), Error> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "UPDATE batch_items SET state = ?3, reason = ?4 WHERE batch = ?1 AND part = ?2 \
                     AND state IN ('unsent', 'sent')",
                )?
                .execute((batch, part, state.word(), reason))
                .map(drop)
        })
    }

    /// Writes down what came, with what it cost: each turn of an item once, whoever reads the results how often. How many
    /// were new.
    pub fn settle_items(&self, batch: &str, outcomes: &[Outcome]) -> Result<usize, Error> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut new = 0;
            {
                let mut update = transaction.prepare_cached(
                    "UPDATE batch_items SET state = :state, reason = :reason, answer = :answer, \
                     complaint = CASE WHEN :answer IS NULL THEN complaint END, \
                     earlier = CASE WHEN :answer IS NULL THEN earlier END \
                     WHERE batch = :batch AND number = :number AND turn = :turn AND state IN ('unsent', 'sent')",
                )?;
                for outcome in outcomes {
                    let changed = update.execute(named_params! {
                        ":batch": batch,
                        ":number": outcome.number,
                        ":turn": outcome.turn,
                        ":state": outcome.state.word(),
                        ":reason": outcome.reason,
                        ":answer": outcome.answer,
                    })?;
                    if changed > 0
                        && let Some(attempt) = &outcome.attempt
                    {
                        attempts::insert(&transaction, attempt)?;
                    }
                    new += changed;
                }
            }
            transaction.commit()?;
            Ok(new)
        })
    }

    /// Moves items that have an answer on. Why one is unusable is what the model can be told of it.
    pub fn move_items(&self, batch: &str, moved: &[(u32, ItemState, Option<String>)]) -> Result<(), Error> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut update = transaction.prepare_cached(
                    "UPDATE batch_items SET state = ?3, reason = ?4, complaint = CASE WHEN ?3 = 'unusable' THEN ?4 END \
                     WHERE batch = ?1 AND number = ?2",
                )?;
                for (number, state, reason) in moved {
                    update.execute((batch, number, state.word(), reason))?;
                }
            }
            transaction.commit()
        })
    }

    /// Writes down that answers are about to be written, and what into: should the process end meanwhile, the next one
    /// sees by `landing` whether it was done.
    pub fn begin_landing(&self, batch: &str, numbers: &[u32], landing: &str) -> Result<(), Error> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut item = transaction
                    .prepare_cached("UPDATE batch_items SET state = 'landing' WHERE batch = ?1 AND number = ?2")?;
                let mut file = transaction.prepare_cached(
                    "UPDATE batch_files SET landing = ?3 \
                     WHERE id = (SELECT file FROM batch_items WHERE batch = ?1 AND number = ?2)",
                )?;
                for number in numbers {
                    item.execute((batch, number))?;
                    file.execute((batch, number, landing))?;
                }
            }
            transaction.commit()
        })
    }

    /// The items whose landing no process has finished, and what was being written.
    pub fn unfinished_landings(&self, batch: &str) -> Result<Vec<(u32, String)>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT i.number, coalesce(f.landing, '') FROM batch_items i JOIN batch_files f ON f.id = i.file \
                     WHERE i.batch = ?1 AND i.state = 'landing' ORDER BY i.number",
                )?
                .query_map([batch], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }
}

fn item(row: &Row<'_>) -> rusqlite::Result<BatchItem> {
    let place = |column: &str| row.get(column).map(|place| usize::try_from(uncount(place)).unwrap_or(usize::MAX));
    Ok(BatchItem {
        number: row.get("number")?,
        turn: row.get("turn")?,
        part: row.get("part")?,
        file: row.get("file")?,
        path: row.get("path")?,
        language: row.get("language")?,
        selection: place("first")?..place("last")?,
        subject: row.get("subject")?,
        estimated_input: uncount(row.get("estimated_input")?),
        state: ItemState::read(&row.get::<_, String>("state")?)?,
        reason: row.get("reason")?,
        complaint: row.get("complaint")?,
    })
}
