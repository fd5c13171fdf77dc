//! Files as a batch sees them: as they are on disk, and with what is to be written into them on top.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use ropey::Rope;

use super::super::host::{Change, Current, Event, Host, Landing, Target};
use crate::error::Error;
use crate::workspace::documents::{Change as TextChange, Document};
use crate::workspace::tracking::TrackId;
use crate::workspace::{Span, content};

/// Files on disk, for planning: nothing is edited.
pub(super) struct Disk;

impl Host for Disk {
    fn event(&self, _: Event<'_>) {}

    fn selection(&self) -> Option<(Current, Span)> {
        None
    }

    fn file(&self, path: &Path) -> Result<Option<Current>, Error> {
        on_disk(path).map(|text| text.map(|text| Current { text: Rope::from_str(&text), version: None }))
    }

    fn apply<'a>(&'a self, _: &'a Change) -> BoxFuture<'a, Landing> {
        Box::pin(async { Landing::Refused("nothing is edited while a batch is planned".to_owned()) })
    }
}

/// Files that are edited in memory, until all answers for one of them are there.
pub(super) struct Desk {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is to be written, by path.
    sheets: BTreeMap<PathBuf, Sheet>,
    /// The file that is worked on, as it was whenever it was asked about, and as that became what it is now.
    documents: Vec<Document>,
    path: PathBuf,
    current: Option<(usize, TrackId)>,
}

/// A file that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    /// What is on disk; none for a new file.
    pub(super) before: Option<String>,
    /// What is to be there.
    pub(super) after: String,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default() }
    }

    /// Begins to work on a file, whose documents are its texts as they were when it was asked about.
    pub(super) fn open(&self, path: &Path, mut documents: Vec<Document>) -> Result<(), Error> {
        let now = self.file(path)?.map(|file| file.text.to_string()).ok_or_else(|| {
            Error::new(crate::error::ErrorKind::Conflict, format!("{} is not there any more.", path.display()))
        })?;
        for document in &mut documents {
            if *document.text() != now.as_str() {
                document.apply(TextChange::Full(now.clone()));
            }
        }
        let mut state = self.state();
        (state.documents, state.path, state.current) = (documents, path.to_owned(), None);
        Ok(())
    }

    /// Turns to a selection of one of the documents.
    pub(super) fn turn_to(&self, document: usize, track: TrackId) {
        self.state().current = Some((document, track));
    }

    /// Takes away what changed.
    pub(super) fn take(&self) -> BTreeMap<PathBuf, Sheet> {
        std::mem::take(&mut self.state().sheets)
    }

    /// Has files look as if these had been written.
    pub(super) fn put_back(&self, sheets: BTreeMap<PathBuf, Sheet>) {
        let written =
            sheets.into_iter().map(|(path, sheet)| (path, Sheet { before: Some(sheet.after.clone()), ..sheet }));
        self.state().sheets.extend(written);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, path: &Path, before: Option<String>, after: String) {
        match self.sheets.get_mut(path) {
            Some(sheet) => sheet.after = after,
            None => drop(self.sheets.insert(path.to_owned(), Sheet { before, after })),
        }
    }
}

impl Host for Desk {
    fn event(&self, _: Event<'_>) {}

    fn selection(&self) -> Option<(Current, Span)> {
        let state = self.state();
        let (document, track) = state.current?;
        let document = state.documents.get(document)?;
        let tracked = document.tracked(track)?;
        Some((Current { text: document.text().clone(), version: None }, tracked.span))
    }

    fn file(&self, path: &Path) -> Result<Option<Current>, Error> {
        let sheet = self.state().sheets.get(path).map(|sheet| sheet.after.clone());
        let text = if sheet.is_some() { sheet } else { on_disk(path)? };
        Ok(text.map(|text| Current { text: Rope::from_str(&text), version: None }))
    }

    fn apply<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Landing> {
        Box::pin(async move {
            let before = change.base.text.to_string();
            let after = change.result();
            let mut state = self.state();
            match &change.target {
                Target::Document => {
                    for document in &mut state.documents {
                        // From the last to the first, so that the places of those before stay right.
                        for edit in change.edits.iter().rev() {
                            document.apply(TextChange::Span(edit.span.clone(), edit.text.clone()));
                        }
                    }
                    let path = state.path.clone();
                    state.put(&path, Some(before), after);
                }
                Target::File { path, create } => state.put(path, (!create).then_some(before), after),
            }
            Landing::Landed
        })
    }
}

/// A file's text; `None` when there is no such file.
fn on_disk(path: &Path) -> Result<Option<String>, Error> {
    if path.exists() { content::read_text(path).map(Some) } else { Ok(None) }
}
