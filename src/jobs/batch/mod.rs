//! Batches: an action over many files or items, at half the price, answered within a day.
//!
//! ```text
//! files ─▶ items ─▶ Draft (planned, estimated) ─▶ submit ─▶ API … refresh ─▶ ledger ─▶ land ─▶ files
//!                                                   │                           ▲
//!                                                   └── intent, before it is ───┘
//! ```
//!
//! What is to be sent is written down first, so that a process may end at any moment: [`refresh`] finds out what became of
//! it, in whichever process. Answers land as those of single actions do, by the same checks, on the files as they are then.

mod alone;
mod collect;
mod desk;
mod draft;
mod files;
mod items;
mod land;
mod layout;
mod planning;
mod submit;
mod target;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use alone::{Alone, alone};
pub use collect::{Refreshed, give_up, refresh, wait};
pub use draft::{Asked, Draft, Estimate};
pub use files::{Found, LeftOut, find};
pub use items::Items;
pub use land::{FileLanding, ItemLanding, Landed, land, recover};
pub use submit::{Submitted, cancel, submit};
pub use target::{Target, retried};

use super::budget::Budgets;
use super::connection::Connection;
use super::outgoing::{Gate, strangers};
use crate::config::Settings;
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::ledger::batches::{BatchFile, BatchItem, StoredBatch};
use crate::prompt::Estimates;

/// The actions that make sense for many items at once, without anybody at the keyboard.
pub const ACTIONS: &[&str] = &["explain", "add-type-hints", "write-tests", "document", "simplify"];

/// What all steps of a batch have in common.
pub struct Books {
    /// Where everything is written down.
    pub ledger: Ledger,
    /// The settings of the batch's workspace.
    pub settings: Arc<Settings>,
    /// How far estimates were off.
    pub estimates: Arc<Estimates>,
    /// What was said about budgets.
    pub budgets: Arc<Budgets>,
    /// What keeps secrets back.
    pub gate: Gate,
}

impl Books {
    /// Whether the ledger is a file, also by now.
    ///
    /// # Errors
    /// When it is not: what became of a batch must outlive the process.
    fn check_ledger(&self) -> Result<(), Error> {
        if tokio::task::block_in_place(|| self.ledger.is_lasting()) {
            return Ok(());
        }
        let error = Error::new(ErrorKind::Config, "A batch needs the ledger, and the ledger cannot be written.");
        Err(error.hint("Make room on its disk, or set ASIDE_DATA_DIR to a folder that can be written to."))
    }

    /// What the model answered about a file, with the secrets in it that were kept back. They are found in the file's text
    /// again, so any process can; those of other files stay placeholders, and no edit with one is applied.
    fn opened(&self, batch: &StoredBatch, file: &BatchFile, answer: String) -> String {
        if strangers(&answer).next().is_none() {
            return answer;
        }
        let texts = [Some(&*file.text), batch.prompt.as_deref()].into_iter().flatten();
        self.gate.opening(texts).text(&answer).into_owned()
    }

    /// What the model answered to an item; none when it has no answer.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn answer(&self, batch: &StoredBatch, item: &BatchItem) -> Result<Option<String>, Error> {
        let Some(answer) = self.ledger.batch_answer(&batch.id, item.number)? else { return Ok(None) };
        Ok(Some(self.opened(batch, &self.ledger.batch_file(item.file)?, answer)))
    }
}

/// The batch that `name` means: its id, the beginning of one, or `last`.
///
/// # Errors
/// Of kind `config` when there is none, or more than one.
pub fn named(ledger: &Ledger, name: &str) -> Result<StoredBatch, Error> {
    let all = ledger.batches()?;
    let wrong = |message: String, hint: &str| Err(Error::new(ErrorKind::Config, message).hint(hint));
    if let Some(batch) = all.iter().find(|batch| name == "last" || batch.id == name) {
        return Ok(batch.clone());
    }
    let shown = name.escape_debug();
    let mut found = all.iter().filter(|batch| !name.is_empty() && batch.id.starts_with(name));
    match (found.next(), found.next()) {
        (Some(batch), None) => Ok(batch.clone()),
        (Some(_), Some(_)) => wrong(
            format!("More than one batch begins with `{shown}`."),
            "Write more of it; `aside batch list` has them.",
        ),
        (None, _) if all.is_empty() => {
            wrong("There is no batch yet.".to_owned(), "`aside batch submit ACTION FILES` makes one.")
        }
        (None, _) => wrong(format!("There is no batch `{shown}`."), "`aside batch list` has them."),
    }
}

/// The folder of a batch's files.
pub fn root_of(batch: &StoredBatch) -> PathBuf {
    Path::new(&batch.root).to_path_buf()
}

/// Whether this connection leads to where the batch is.
fn check_account(batch: &StoredBatch, connection: &Connection) -> Result<(), Error> {
    if batch.account == connection.account() {
        return Ok(());
    }
    let host = connection.client().host();
    let whose = if batch.host == host { "with another key".to_owned() } else { format!("to {}", batch.host) };
    Err(Error::new(ErrorKind::Config, format!("The batch {} was submitted {whose}.", batch.id))
        .hint("Set ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY as they were then."))
}

#[cfg(test)]
mod tests;
