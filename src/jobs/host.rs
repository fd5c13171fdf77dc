//! The seam between a run and whoever asked for it.

use std::future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::BoxFuture;
use ropey::Rope;

use super::places::Urgency;
use crate::error::Error;
use crate::ledger::UsageReport;
use crate::output::edit::TextEdit;
use crate::output::explanation::Explanation;
use crate::output::findings::Finding;
use crate::workspace::Span;

/// What happens while a request runs. Handling one must not block: a host that is slow to show things keeps them itself.
#[derive(Debug)]
pub enum Event<'a> {
    /// The job waits before it sends anything, or with its edit.
    Queued(Queue),
    /// An attempt starts, counted from 1 over the whole job; the text of earlier attempts is void.
    Attempt(u32),
    /// The server asked to wait, or a fault passes: the next attempt starts after `delay`. Comes again every second, with
    /// what is left.
    Waiting {
        /// How long.
        delay: Duration,
        /// Why.
        reason: &'a Error,
    },
    /// A limit of the server's is nearly reached, and the request waits for so long that it is not passed. Comes again
    /// every second, with what is left.
    Paced {
        /// How long.
        delay: Duration,
        /// Which limit, such as `requests`.
        limit: &'a str,
    },
    /// What came of the answer is void, and nothing comes in its place.
    Discarded,
    /// The model thinks; the text may be empty.
    Thinking(&'a str),
    /// The answer grows.
    Text(&'a str),
    /// The model uses a tool; what it does, in one line such as `reads src/store.py:10-80`.
    Tool(&'a str),
    /// What the request took so far.
    Usage(&'a UsageReport),
    /// The answer became an edit, which is about to be applied.
    Editing,
    /// A review found something, in lines of the reviewed text.
    Finding(&'a Finding),
    /// Something about the user's money that must not be overlooked, in a sentence.
    Notice(&'a str),
}

/// What a job waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Fewer requests are to run.
    Place,
    /// Another request is writing the same prefix to the cache.
    Cache,
    /// Others have reserved what is left of the budget.
    Budget,
    /// The text that is to be edited keeps changing.
    Typing,
}

impl Queue {
    /// What a progress says.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Place => "waiting for a free place",
            Self::Cache => "waiting for the cache",
            Self::Budget => "waiting for the budget",
            Self::Typing => "waiting for a pause in your typing",
        }
    }
}

/// A text that may have moved on since the run began.
#[derive(Clone, Debug)]
pub struct Current {
    /// The text as it is now.
    pub text: Rope,
    /// The version of an open document.
    pub version: Option<i32>,
}

/// What an edit is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The document of the order.
    Document,
    /// Another file, open or not.
    File {
        /// Its absolute path.
        path: PathBuf,
        /// Whether it is to be created.
        create: bool,
    },
}

/// Edits for one file, against the text they were made for.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which file.
    pub target: Target,
    /// The text that the edits' spans count in.
    pub base: Current,
    /// Sorted and disjoint.
    pub edits: Vec<TextEdit>,
    /// One line that names the change in an undo list.
    pub label: String,
}

impl Change {
    /// The text after the edits.
    pub fn result(&self) -> String {
        crate::output::edit::apply(&self.base.text.to_string(), &self.edits)
    }

    /// The same change in whole lines.
    #[must_use]
    pub fn by_lines(&self) -> Self {
        let edits = crate::output::edit::whole_lines(&self.base.text.to_string(), &self.edits);
        Self { edits, ..self.clone() }
    }

    /// Where in the result the last edit's first word is.
    pub fn last_written(&self) -> usize {
        let Some((last, before)) = self.edits.split_last() else { return 0 };
        let grown: usize = before.iter().map(|edit| edit.text.len()).sum();
        let removed: usize = before.iter().map(|edit| edit.span.len()).sum();
        last.span.start + grown - removed + (last.text.len() - last.text.trim_start().len())
    }
}

/// Whether an edit landed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// The text is as asked for.
    Landed,
    /// It would be, but this host only shows edits.
    Proposed,
    /// The text moved on before the edit arrived; worth another try on fresh text.
    Stale,
    /// The host will not have it, with its reason.
    Refused(String),
    /// The editor said no this time, with its reason, and may say yes when its user asks once more.
    Declined(String),
    /// The user will not have it; the reason says so.
    Rejected(String),
    /// The text moved on while the user was asked. They are not asked a second time unbidden.
    Overtaken,
    /// The user cancelled the job before anything was changed.
    Cancelled,
}

/// A text that nobody changed for this long is at rest. Editors hold changes back for up to 150 ms.
pub const REST: Duration = Duration::from_millis(300);

/// Whoever asked for a run: an editor, or a terminal.
///
/// Runs hold it as a trait object: there are seven of these, and all that a run does would be in the program once for each.
pub trait Host: Send + Sync {
    /// Something happened. Must not block.
    fn event(&self, event: Event<'_>);

    /// What an earlier answer to the same order said before it broke off; only the rest of it is asked for.
    fn begun(&self) -> Option<&str> {
        None
    }

    /// How soon it needs its answer.
    fn urgency(&self) -> Urgency {
        Urgency::Asked
    }

    /// The document as it is now, and where the selection has gone in it; `None` when it can not be edited any more
    /// because it was closed.
    fn selection(&self) -> Option<(Current, Span)>;

    /// A file as the user sees it: the open document's text, or what is on disk; `None` when there is no such file.
    fn file(&self, path: &Path) -> Result<Option<Current>, Error>;

    /// Applies the edits and finds out whether they landed.
    fn apply<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Landing>;

    /// Returns when the target's text was left alone for a moment, so that an edit of it can come in time.
    fn rest<'a>(&'a self, _target: &'a Target) -> BoxFuture<'a, ()> {
        Box::pin(tokio::time::sleep(REST))
    }

    /// Shows a document to read, where there is a place for one.
    fn show<'a>(&'a self, _explanation: &'a Explanation) -> BoxFuture<'a, ()> {
        Box::pin(future::ready(()))
    }
}
