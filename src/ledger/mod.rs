//! What was asked, what it took and what it cost, in one SQLite file that several editors write at once; and the
//! explanations, so that any process can show and continue them.
//!
//! A ledger must never be the reason that an action fails: a damaged file is set aside, a folder that cannot be written to
//! is replaced by memory, and either is said once, as a [`Warning`]. Calls block for as long as another process holds the
//! file (at most [`store::BUSY`]), so asynchronous code makes them on a blocking thread.

mod attempts;
pub mod batches;
mod explanations;
mod prefixes;
pub mod reservations;
mod schema;
mod store;
mod totals;
mod turns;
pub mod usage;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

pub use attempts::Attempt;
pub use explanations::{ExplainedCode, StoredExplanation, code_hash};
pub use prefixes::StoredPrefix;
pub use reservations::Reservation;
pub use store::Warning;
pub use totals::{By, Totals, TotalsReport, UsageRow, day_start, month_start};
pub use turns::StoredTurn;
pub use usage::UsageReport;

use crate::error::{Error, ErrorKind};
use store::{Fate, Store};

/// A handle on the ledger; clones share one connection.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<Mutex<Store>>,
    path: Option<Arc<Path>>,
}

impl Ledger {
    /// The ledger in the file at `path`, which is made or opened at the first use: starting up costs nothing.
    /// What went wrong then is kept for [`Ledger::take_warning`].
    pub fn lazy(path: impl Into<PathBuf>) -> Self {
        let path: PathBuf = path.into();
        Self { path: Some(path.as_path().into()), store: Arc::new(Mutex::new(Store::at(path))) }
    }

    /// The ledger in the file at `path`, opened now. A damaged file is set aside and a fresh one begun; where no file can be
    /// written, rows are kept in memory. The warning says so.
    pub fn open(path: &Path) -> (Self, Option<Warning>) {
        let ledger = Self::lazy(path);
        ledger.lock().open();
        let warning = ledger.take_warning();
        (ledger, warning)
    }

    /// A ledger that ends with the process.
    pub fn in_memory() -> Self {
        Self { path: None, store: Arc::new(Mutex::new(Store::in_memory())) }
    }

    /// The file this ledger was asked to live in.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether there is no file yet. Whoever only looks need not make one.
    pub fn is_new(&self) -> bool {
        self.lock().is_new()
    }

    /// Whether what is written outlives the process; opens the file.
    pub fn is_lasting(&self) -> bool {
        let mut store = self.lock();
        store.open();
        store.is_file()
    }

    /// The oldest thing that went wrong with the file and that nobody was told yet.
    pub fn take_warning(&self) -> Option<Warning> {
        self.lock().take_warning()
    }

    /// Runs `work` on the connection; once more on a fresh one if the file turns out to be damaged or not writable.
    fn with<T>(&self, mut work: impl FnMut(&mut rusqlite::Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let mut store = self.lock();
        let (mut damaged_before, mut emptied_before) = (false, false);
        loop {
            let error = match work(store.open()) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let moved_on = match store::fate(&error) {
                // Damage in what was just opened is nothing that another fresh start would cure.
                Fate::Damaged if std::mem::replace(&mut damaged_before, true) => store.fall_back(&error),
                Fate::Damaged => store.replace_damaged(&error),
                Fate::Unwritable => store.fall_back(&error),
                Fate::Busy => return Err(busy()),
                Fate::Defect => !std::mem::replace(&mut emptied_before, true) && store.was_emptied(),
            };
            // The ways on end in memory at the latest, where none of them can be taken again.
            if !moved_on {
                return Err(Error::new(ErrorKind::Internal, format!("The ledger failed: {error}.")));
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Store> {
        // A panic between two statements leaves the connection as usable as an error does.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("path", &self.path).finish_non_exhaustive()
    }
}

fn busy() -> Error {
    Error::new(ErrorKind::Internal, "Another process kept the ledger locked for too long.")
        .hint("Close editors that hang, or set ASIDE_DATA_DIR to a folder on a local disk.")
}

/// Makes the folder of `path` readable by its owner only, since explanations quote code.
fn make_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests;
