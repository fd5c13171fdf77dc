//! The editor as the host of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use lsp_types::{ChangeAnnotation, MessageType, ShowDocumentParams, Uri};
use ropey::Rope;
use tokio_util::sync::CancellationToken;

use super::feed::Feed;
use super::sending::{SILENCE, Sending};
use super::session::Session;
use super::show::show_proposal;
use super::{ext, sending, to_proto};
use crate::actions::ResultForm;
use crate::config::Confirm;
use crate::error::{Error, ErrorKind};
use crate::jobs::{Change, Current, Event, FileEdit, Host, Landing, Order, Target, write_root};
use crate::output::explanation::Explanation;
use crate::workspace::roots::relative;
use crate::workspace::tracking::TrackId;
use crate::workspace::write::{create_file, create_folder, guard};
use crate::workspace::{Span, content};

/// The editor, for one job.
pub(super) struct EditorHost {
    session: Arc<Session>,
    feed: Feed,
    job: String,
    uri: Uri,
    track: TrackId,
    /// What the document is called in diffs.
    name: String,
    root: Option<PathBuf>,
    cancel: CancellationToken,
    /// What an earlier answer said before it broke off.
    begun: Option<String>,
    /// What it writes into other files, in words.
    written: &'static str,
    /// The order, if it is a review.
    review: Option<Arc<Order>>,
}

impl EditorHost {
    /// The host of a job on the tracked selection of its document.
    pub(super) fn new(
        session: Arc<Session>,
        feed: Feed,
        order: &Order,
        track: TrackId,
        cancel: CancellationToken,
    ) -> Self {
        let (job, uri, root) = (order.job.clone(), order.snapshot.uri.clone(), order.root.clone());
        let review = (order.action.result == ResultForm::Diagnostics).then(|| Arc::new(order.clone()));
        let written = if order.action.result == ResultForm::Tests { "The tests are" } else { "The new file is" };
        Self { session, feed, job, uri, track, name: order.shown_path(), root, cancel, begun: None, written, review }
    }

    /// The same, for the rest of an answer that broke off.
    pub(super) fn going_on(mut self, begun: Option<String>) -> Self {
        self.begun = begun;
        self
    }
}

impl EditorHost {
    /// The range that is followed for this job.
    pub(super) fn track(&self) -> TrackId {
        self.track
    }
}

impl Drop for EditorHost {
    fn drop(&mut self) {
        self.session.state().documents.untrack(&self.uri, self.track);
    }
}

impl Host for EditorHost {
    fn event(&self, event: Event<'_>) {
        if let (Event::Finding(finding), Some(order)) = (&event, &self.review) {
            let mut state = self.session.state();
            let state = &mut *state;
            if !state.findings.add(&mut state.documents, order, self.track, finding) {
                tracing::info!(job = self.job, "a finding is about code that is another one by now");
            }
            self.session.findings_due.notify_one();
        }
        if let (Event::Discarded, Some(order)) = (&event, &self.review) {
            let mut state = self.session.state();
            let state = &mut *state;
            state.findings.withdraw(&mut state.documents, order);
            self.session.findings_due.notify_one();
        }
        if let Event::Notice(text) = &event {
            self.session.tell(MessageType::Warning, format!("Aside: {text}"));
        }
        self.feed.event(&event);
    }

    fn begun(&self) -> Option<&str> {
        self.begun.as_deref()
    }

    fn selection(&self) -> Option<(Current, Span)> {
        let state = self.session.state();
        let document = state.documents.get(&self.uri)?;
        let tracked = document.tracked(self.track)?;
        Some((Current { text: document.text().clone(), version: Some(document.version()) }, tracked.span))
    }

    fn file(&self, path: &Path) -> Result<Option<Current>, Error> {
        file_of(&self.session, path)
    }

    fn apply<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Landing> {
        Box::pin(async move {
            let uri = match &change.target {
                Target::Document => Ok(self.uri.clone()),
                Target::File { path, .. } => self.uri_of(path),
            };
            let uri = match uri {
                Ok(uri) => uri,
                Err(error) => return Landing::Refused(error.message),
            };
            let confirm = match self.asks(change) {
                Asks::Nobody => None,
                Asks::Editor => Some(ChangeAnnotation {
                    label: change.label.clone(),
                    needs_confirmation: Some(true),
                    description: Some(self.description(change)),
                }),
                Asks::Us => match self.confirmed(&uri, change).await {
                    Ok(()) => None,
                    Err(instead) => return instead,
                },
            };
            match &change.target {
                Target::Document => self.edit(uri, change, false, confirm).await,
                Target::File { path, create } => self.edit_file(uri, path, change, *create, confirm).await,
            }
        })
    }

    fn rest<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let uri = match target {
                Target::Document => Ok(self.uri.clone()),
                Target::File { path, .. } => self.uri_of(path),
            };
            // What has no address has no text that moves.
            if let Ok(uri) = uri {
                sending::rest(&self.session, &uri).await;
            }
        })
    }

    fn show<'a>(&'a self, explanation: &'a Explanation) -> BoxFuture<'a, ()> {
        Box::pin(super::show::show(&self.session, explanation))
    }
}

/// Who asks the user before an edit is made.
enum Asks {
    Nobody,
    Editor,
    Us,
}

impl EditorHost {
    fn asks(&self, change: &Change) -> Asks {
        let state = self.session.state();
        let client = &state.capabilities;
        let by_the_editor =
            client.apply_edit && !matches!(change.target, Target::File { create: true, .. } if !client.create_file);
        match state.settings.edits.confirm {
            Confirm::Never => Asks::Nobody,
            Confirm::Preview if client.confirms_changes && !client.preview && by_the_editor => Asks::Editor,
            Confirm::Preview => Asks::Us,
        }
    }

    /// What an edit is, in a line below its name.
    fn description(&self, change: &Change) -> String {
        let (name, create) = self.file_of(change);
        match change.edits.len() {
            _ if create => format!("a new file, {name}"),
            1 => format!("one place in {name}"),
            places => format!("{places} places in {name}"),
        }
    }

    /// What a change's file is called, and whether it is to be created.
    fn file_of(&self, change: &Change) -> (String, bool) {
        match &change.target {
            Target::Document => (self.name.clone(), false),
            Target::File { path, create } => (relative(path, self.root.as_deref().unwrap_or(Path::new(""))), *create),
        }
    }

    /// A file's URI: as the editor spells it, where it has the file open.
    fn uri_of(&self, path: &Path) -> Result<Uri, Error> {
        let open = self.session.state().documents.at_path(path).map(|document| document.uri().clone());
        open.map_or_else(|| file_uri(path), Ok)
    }

    /// Shows the edit and waits for the user's word; an error is what becomes of the edit without it.
    async fn confirmed(&self, uri: &Uri, change: &Change) -> Result<(), Landing> {
        let (name, create) = self.file_of(change);
        let diff = FileEdit::new(name, &change.base.text.to_string(), change.result()).diff;
        let (decision, own_preview) = {
            let mut state = self.session.state();
            let decision = state.proposals.propose(&self.job, &change.label);
            let edit = to_proto::workspace_edit(uri, change, create, &state.capabilities, None);
            let proposal = ext::ProposalParams { job: self.job.clone(), edit, diff: diff.clone() };
            (decision, state.capabilities.preview.then_some(proposal))
        };
        let decided = async {
            match own_preview {
                Some(proposal) => self.session.client.send_notification::<ext::ProposalNotification>(proposal).await,
                None => show_proposal(&self.session, &self.job, &change.label, &diff).await,
            }
            decision.await
        };
        tokio::select! {
            decision = decided => match decision {
                Ok(true) => Ok(()),
                _ => Err(Landing::Rejected("it was rejected".to_owned())),
            },
            () = self.cancel.cancelled() => {
                self.session.state().proposals.withdraw(&self.job);
                Err(Landing::Cancelled)
            }
        }
    }

    async fn edit_file(
        &self,
        uri: Uri,
        path: &Path,
        change: &Change,
        create: bool,
        confirm: Option<ChangeAnnotation>,
    ) -> Landing {
        let creates_files = {
            let state = self.session.state();
            state.capabilities.create_file && state.capabilities.apply_edit
        };
        let root = write_root(self.root.as_deref(), path);
        // Not every editor makes the folders of a file that it creates.
        let made = match create {
            true if creates_files => create_folder(path, root),
            true => create_file(path, root, &change.result()),
            // What the user works on is theirs to name.
            false if self.uri == uri => Ok(()),
            false => guard(path, root),
        };
        let landing = match made {
            Err(error) => Landing::Refused(error.sentence()),
            Ok(()) if create && !creates_files => Landing::Landed,
            Ok(()) => self.edit(uri.clone(), change, create, confirm).await,
        };
        if landing == Landing::Landed {
            self.reveal(uri, path, change).await;
        }
        landing
    }

    /// Sends the edit and finds out whether it landed.
    async fn edit(&self, uri: Uri, change: &Change, create: bool, confirm: Option<ChangeAnnotation>) -> Landing {
        let confirm = confirm.map(|confirm| (confirm, &self.cancel));
        Sending { uri: &uri, change, create, confirm }.land(&self.session).await
    }

    /// Brings a file that was edited into view, at what was written last: imports come first.
    async fn reveal(&self, uri: Uri, path: &Path, change: &Change) {
        let (show_document, encoding) = {
            let capabilities = &self.session.state().capabilities;
            (capabilities.show_document, capabilities.encoding)
        };
        if show_document {
            let at = to_proto::position(&Rope::from_str(&change.result()), encoding, change.last_written());
            let selection = Some(lsp_types::Range { start: at, end: at });
            let params = ShowDocumentParams { uri, external: None, take_focus: Some(false), selection };
            if let Ok(Ok(true)) = tokio::time::timeout(SILENCE, self.session.client.show_document(params)).await {
                return;
            }
        }
        self.session.tell(MessageType::Info, format!("{} in {}", self.written, path.display()));
    }
}

/// A file as the user sees it: the open document's text, or what is on disk.
pub(super) fn file_of(session: &Session, path: &Path) -> Result<Option<Current>, Error> {
    if let Some(document) = session.state().documents.at_path(path) {
        return Ok(Some(Current { text: document.text().clone(), version: Some(document.version()) }));
    }
    if !path.exists() {
        return Ok(None);
    }
    let text = content::read_text(path)?;
    Ok(Some(Current { text: Rope::from_str(&text), version: None }))
}

/// A file's URI.
fn file_uri(path: &Path) -> Result<Uri, Error> {
    Uri::from_file_path(path)
        .map_err(|()| Error::new(ErrorKind::Internal, format!("{} is not an absolute path.", path.display())))
}

/// Whether a document is an explanation of Aside's own.
pub(super) fn is_explanation(uri: &Uri) -> bool {
    uri.scheme() == ext::EXPLANATION_SCHEME
}

/// Where an explanation's virtual document is.
pub(super) fn explanation_uri(id: &str) -> Option<Uri> {
    format!("{}:/{id}.md", ext::EXPLANATION_SCHEME).parse().ok()
}

#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;
