//! What is to be run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::actions::Action;
use crate::config::Settings;
use crate::error::Error;
use crate::workspace::access;
use crate::workspace::roots::relative;
use crate::workspace::test_files::TestPlace;
use crate::workspace::{Diagnostic, Snapshot, Span};

/// What is to be run, on which text, under which settings.
#[derive(Clone)]
pub struct Order {
    /// Unique among all processes; also the id of the explanation that may come of it.
    pub job: String,
    /// The action.
    pub action: Arc<Action>,
    /// The document as it was when the action was asked for.
    pub snapshot: Snapshot,
    /// What was selected, in bytes of the snapshot.
    pub selection: Span,
    /// The name of what is selected, such as a function's, for titles.
    pub subject: Option<String>,
    /// The folder that paths are relative to and that no edit leaves.
    pub root: Option<PathBuf>,
    /// What other tools say about the document, as far as whoever asked knows.
    pub diagnostics: Vec<Diagnostic>,
    /// The user's own words.
    pub prompt: Option<String>,
    /// The model's id.
    pub model: String,
    /// The settings at that time.
    pub settings: Arc<Settings>,
    /// Whether answers come from the simulator.
    pub simulated: bool,
}

impl Order {
    /// Whether the document, and the file of the tests where there is one, may be sent.
    ///
    /// # Errors
    /// [`ErrorKind::Excluded`](crate::error::ErrorKind::Excluded), with the reason.
    pub fn permitted(&self, tests: Option<&TestPlace>) -> Result<(), Error> {
        let files = self.snapshot.path.iter().chain(tests.map(|place| &place.path));
        for path in files {
            access::permit(self.root.as_deref(), path, &self.settings.privacy)?;
        }
        Ok(())
    }

    /// The document's path below the root, with `/`, or its name when it has no path.
    pub fn shown_path(&self) -> String {
        match &self.snapshot.path {
            Some(path) => relative(path, self.root.as_deref().unwrap_or(Path::new(""))),
            None => self.snapshot.uri.path().rsplit('/').next().unwrap_or_default().to_owned(),
        }
    }

    /// The action and what it works on: the item's name, or the place.
    pub fn title(&self) -> String {
        let place = self.place();
        let phrase = self.action.phrase(Some(self.subject.as_deref().unwrap_or(&place)));
        let mut chars = phrase.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    }

    /// Where the selection is, as `path:first-last`.
    pub fn place(&self) -> String {
        let (first, last) = self.lines();
        format!("{}:{first}-{last}", self.shown_path())
    }

    /// The selection's first and last line, 1-based.
    pub fn lines(&self) -> (usize, usize) {
        let text = &self.snapshot.text;
        let first = text.byte_to_line(self.selection.start);
        // A selection of whole lines ends at column 0 of the line behind it.
        let end = self.selection.end.max(self.selection.start);
        let mut last = text.byte_to_line(end);
        if last > first && text.line_to_byte(last) == end {
            last -= 1;
        }
        (first + 1, last + 1)
    }

    /// The selected text.
    pub fn selected(&self) -> String {
        self.snapshot.text.byte_slice(self.selection.clone()).to_string()
    }
}

/// A new job's id: sorts by time, and no two processes make the same one.
pub fn new_job_id() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let millis = jiff::Timestamp::now().as_millisecond();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{millis:011x}-{:x}-{count:x}", std::process::id())
}
