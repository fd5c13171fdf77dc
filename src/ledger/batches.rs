//! Batches: what was asked for, which batches of the API carry it, and what came of each item.
//!
//! Everything that it takes to go on is here, so that any process can go on with what another began: what is to be sent is
//! written down before it is sent, and what came is written down together with what it cost.

mod items;
mod parts;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

pub use items::{BatchFile, BatchItem, ItemState, NewItem, Outcome};
pub use parts::{BatchPart, NewPart, PartState};

use super::Ledger;
use super::attempts::{moment, uncount};
use super::totals::{SUMS, Totals, sums};
use crate::error::Error;

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredBatch {
    /// Its own id, which the ids of its requests begin with.
    pub id: String,
    /// The action's id.
    pub action: String,
    /// What an item is: `files`, `functions`, `classes` or `all`.
    pub items: String,
    /// The model's id.
    pub model: String,
    /// The folder that the files are in.
    pub root: String,
    /// What the user added in words.
    pub prompt: Option<String>,
    /// Whose it is: a hash of the server's address and the key.
    pub account: String,
    /// The server's address, for people.
    pub host: String,
    /// When it was submitted.
    pub created: Timestamp,
    /// Dollars that it was expected to cost; none when the price is not known.
    pub estimated_usd: Option<f64>,
    /// Whether the simulator answers.
    pub simulated: bool,
}

/// Files, items and parts of what is about to be sent.
#[derive(Clone, Debug, Default)]
pub struct Intent {
    /// The texts that are asked about; items name them by their place in this list.
    pub files: Vec<BatchFile>,
    /// What is asked.
    pub items: Vec<NewItem>,
    /// The API's batches that it will go out in.
    pub parts: Vec<NewPart>,
}

/// How many items are in which state.
pub type ItemCounts = BTreeMap<ItemState, u64>;

/// Reads a stored word; one of a later version is a defect of the file.
trait Word: Sized + Copy + 'static {
    const ALL: &'static [Self];
    fn word(self) -> &'static str;

    fn read(word: &str) -> rusqlite::Result<Self> {
        let known = Self::ALL.iter().copied().find(|state| state.word() == word);
        known.ok_or_else(|| rusqlite::Error::InvalidParameterName(format!("state {word}")))
    }
}

impl fmt::Display for ItemState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for PartState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Ledger {
    /// Writes down a new batch and all that is about to be sent.
    pub fn add_batch(&self, batch: &StoredBatch, intent: &Intent) -> Result<(), Error> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction
                .prepare_cached(
                    "INSERT INTO batches (id, action, items, model, root, prompt, account, host, created, estimated_usd, \
                     simulated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    batch.id,
                    batch.action,
                    batch.items,
                    batch.model,
                    batch.root,
                    batch.prompt,
                    batch.account,
                    batch.host,
                    batch.created.as_millisecond(),
                    batch.estimated_usd,
                    batch.simulated,
                ])?;
            add(&transaction, &batch.id, intent)?;
            transaction.commit()
        })
    }

    /// Writes down what of a batch is about to be sent again; its items take the place of those with the same numbers. False,
    /// and nothing is written, when one of them has this turn, or a later one, by now: somebody else asks again already. What it is expected to
    /// cost is added to what the batch was.
    pub fn extend_batch(&self, id: &str, intent: &Intent, estimated_usd: Option<f64>) -> Result<bool, Error> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let is_new = add(&transaction, id, intent)?;
            if is_new {
                let sql = "UPDATE batches SET estimated_usd = estimated_usd + ?2 WHERE id = ?1";
                transaction.execute(sql, (id, estimated_usd))?;
                transaction.commit()?;
            }
            Ok(is_new)
        })
    }

    /// Forgets a batch of which nothing was sent.
    pub fn forget_batch(&self, id: &str) -> Result<(), Error> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for table in ["batch_items", "batch_files", "batch_parts", "batches"] {
                let column = if table == "batches" { "id" } else { "batch" };
                transaction.execute(&format!("DELETE FROM {table} WHERE {column} = ?1"), [id])?;
            }
            transaction.commit()
        })
    }

    /// All batches, newest first.
    pub fn batches(&self) -> Result<Vec<StoredBatch>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT * FROM batches ORDER BY created DESC, id DESC")?
                .query_map([], stored)?
                .collect()
        })
    }

    /// The batch of this id.
    pub fn batch(&self, id: &str) -> Result<Option<StoredBatch>, Error> {
        self.with(|connection| {
            connection.prepare_cached("SELECT * FROM batches WHERE id = ?1")?.query_row([id], stored).optional()
        })
    }

    /// What a batch took so far.
    pub fn batch_totals(&self, id: &str) -> Result<Totals, Error> {
        self.with(|connection| {
            let sql = format!("SELECT {SUMS} FROM attempts WHERE job = ?1 AND batch");
            connection.prepare_cached(&sql)?.query_row([id], sums)
        })
    }

    /// How many items each batch has.
    pub(super) fn items_of_batches(&self) -> Result<BTreeMap<String, u64>, Error> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT batch, count(*) FROM batch_items GROUP BY batch")?
                .query_map([], |row| Ok((row.get(0)?, uncount(row.get(1)?))))?
                .collect()
        })
    }

    /// Gives back all that was reserved for a batch.
    pub fn release_batch(&self, id: &str) -> Result<(), Error> {
        self.with(|connection| {
            connection.prepare_cached("DELETE FROM reservations WHERE job = ?1")?.execute([id]).map(drop)
        })
    }
}

/// False when an item is there already, in this turn or a later one.
fn add(connection: &Connection, batch: &str, intent: &Intent) -> rusqlite::Result<bool> {
    let mut rows = Vec::with_capacity(intent.files.len());
    {
        let mut insert = connection
            .prepare_cached("INSERT INTO batch_files (batch, path, language, text) VALUES (?1, ?2, ?3, ?4)")?;
        for file in &intent.files {
            insert.execute((batch, &file.path, &file.language, &*file.text))?;
            rows.push(connection.last_insert_rowid());
        }
    }
    let is_new = items::insert(connection, batch, &intent.items, &rows)?;
    if is_new {
        parts::insert(connection, batch, &intent.parts)?;
    }
    Ok(is_new)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredBatch> {
    Ok(StoredBatch {
        id: row.get("id")?,
        action: row.get("action")?,
        items: row.get("items")?,
        model: row.get("model")?,
        root: row.get("root")?,
        prompt: row.get("prompt")?,
        account: row.get("account")?,
        host: row.get("host")?,
        created: moment(row.get("created")?),
        estimated_usd: row.get("estimated_usd")?,
        simulated: row.get("simulated")?,
    })
}
