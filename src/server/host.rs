//! The editor as the host of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lsp_types::{
    ApplyWorkspaceEditParams, ApplyWorkspaceEditRequest, ApplyWorkspaceEditResult, CreateFile, CreateFileOptions,
    DocumentChange, Edit, MessageType, OptionalVersionedTextDocumentIdentifier, ShowDocumentParams, TextDocumentEdit,
    TextDocumentIdentifier, Uri, WorkspaceEdit,
};
use ropey::Rope;
use tokio::time::Instant;
use tokio::time::error::Elapsed;
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc;

use super::feed::Feed;
use super::landing::{Landed, same_text};
use super::session::Session;
use super::show::show_proposal;
use super::{ext, to_proto};
use crate::config::Confirm;
use crate::error::{Error, ErrorKind};
use crate::jobs::{Change, Current, Event, FileEdit, Host, Landing, Order, REJECTED, Target};
use crate::output::explanation::Explanation;
use crate::workspace::positions::Encoding;
use crate::workspace::roots::relative;
use crate::workspace::tracking::TrackId;
use crate::workspace::write::{create_file, create_folder};
use crate::workspace::{Document, Span, content};

/// A client that did not answer for this long is treated as one that refused.
const SILENCE: Duration = Duration::from_secs(5);

/// So long an edit is still looked for after the editor was taken to have refused it.
const LATE: Duration = Duration::from_secs(120);

/// How long the parts of an edit may come one after the other, and a file that was edited may take to be opened.
const MOMENT: Duration = Duration::from_millis(500);

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
        Self { session, feed, job, uri, track, name: order.shown_path(), root, cancel }
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
        if let Event::Notice(text) = &event {
            self.session.tell(MessageType::Warning, format!("Aside: {text}"));
        }
        self.feed.event(&event);
    }

    fn selection(&self) -> Option<(Current, Span)> {
        let state = self.session.state();
        let document = state.documents.get(&self.uri)?;
        let tracked = document.tracked(self.track)?;
        Some((Current { text: document.text().clone(), version: Some(document.version()) }, tracked.span))
    }

    fn file(&self, path: &Path) -> Result<Option<Current>, Error> {
        if let Some(document) = self.session.state().documents.at_path(path) {
            return Ok(Some(Current { text: document.text().clone(), version: Some(document.version()) }));
        }
        if !path.exists() {
            return Ok(None);
        }
        let text = content::read_text(path)?;
        Ok(Some(Current { text: Rope::from_str(&text), version: None }))
    }

    async fn apply(&self, change: &Change) -> Landing {
        let uri = match &change.target {
            Target::Document => Ok(self.uri.clone()),
            Target::File { path, .. } => self.uri_of(path),
        };
        let uri = match uri {
            Ok(uri) => uri,
            Err(error) => return Landing::Refused(error.message),
        };
        let preview = self.session.state().settings.edits.confirm == Confirm::Preview;
        if preview && let Err(instead) = self.confirmed(&uri, change).await {
            return instead;
        }
        match &change.target {
            Target::Document => self.edit(uri, change, false).await,
            Target::File { path, create } => self.edit_file(uri, path, change, *create).await,
        }
    }

    async fn show(&self, explanation: &Explanation) {
        super::show::show(&self.session, explanation).await;
    }
}

impl EditorHost {
    /// A file's URI: as the editor spells it, where it has the file open.
    fn uri_of(&self, path: &Path) -> Result<Uri, Error> {
        let open = self.session.state().documents.at_path(path).map(|document| document.uri().clone());
        open.map_or_else(|| file_uri(path), Ok)
    }

    /// Shows the edit and waits for the user's word; an error is what becomes of the edit without it.
    async fn confirmed(&self, uri: &Uri, change: &Change) -> Result<(), Landing> {
        let (name, create) = match &change.target {
            Target::Document => (self.name.clone(), false),
            Target::File { path, create } => (relative(path, self.root.as_deref().unwrap_or(Path::new(""))), *create),
        };
        let diff = FileEdit::new(name, &change.base.text.to_string(), change.result()).diff;
        let (decision, own_preview) = {
            let mut state = self.session.state();
            let decision = state.proposals.propose(&self.job, &change.label);
            let edit = workspace_edit(uri, change, create, state.capabilities.encoding);
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
                _ => Err(Landing::Refused(REJECTED.to_owned())),
            },
            () = self.cancel.cancelled() => {
                self.session.state().proposals.withdraw(&self.job);
                Err(Landing::Cancelled)
            }
        }
    }

    async fn edit_file(&self, uri: Uri, path: &Path, change: &Change, create: bool) -> Landing {
        let creates_files = {
            let state = self.session.state();
            state.capabilities.create_file && state.capabilities.apply_edit
        };
        let root = self.root.as_deref().or_else(|| path.parent()).unwrap_or(path);
        // Not every editor makes the folders of a file that it creates.
        let made = match create {
            true if creates_files => create_folder(path, root),
            true => create_file(path, root, &change.result()),
            false => Ok(()),
        };
        let landing = match made {
            Err(error) => Landing::Refused(error.sentence()),
            Ok(()) if create && !creates_files => Landing::Landed,
            Ok(()) => self.edit(uri.clone(), change, create).await,
        };
        if landing == Landing::Landed {
            self.reveal(uri, path).await;
        }
        landing
    }

    /// Sends the edit and finds out whether it landed.
    async fn edit(&self, uri: Uri, change: &Change, create: bool) -> Landing {
        let expected = Rope::from_str(&change.result());
        let on_disk = change.base.version.is_some() || is_current(&uri, change, create);
        let (edit, landed) = {
            let mut state = self.session.state();
            if !state.capabilities.apply_edit && !state.settings.edits.assume_apply {
                return Landing::Refused("this editor does not apply edits that a server asks for".to_owned());
            }
            let version = state.documents.get(&uri).map(Document::version);
            if version != change.base.version || !on_disk {
                return Landing::Stale;
            }
            let edit = workspace_edit(&uri, change, create, state.capabilities.encoding);
            (edit, state.expectations.expect(uri.clone(), expected.clone()))
        };
        let deadline = Instant::now() + SILENCE;
        // Without a label: one editor prints it, and asks for a key when it does not fit.
        let request = ApplyWorkspaceEditParams { label: None, edit, metadata: None };
        let answer = self.session.client.send_request::<ApplyWorkspaceEditRequest>(request);
        let answer = tokio::select! {
            biased;
            // The text says more than the answer, which some editors never give.
            () = proof(&self.session, &landed) => return Landing::Landed,
            answer = tokio::time::timeout_at(deadline, answer) => answer,
        };
        let refusal = refusal(answer);
        if refusal.is_none() {
            self.settle(&landed, &uri, change, deadline).await;
        }
        let version = self.session.state().documents.get(&uri).map(Document::version);
        match refusal {
            _ if landed.get() || version.is_none() && has_text(&uri, &expected) => Landing::Landed,
            _ if version != change.base.version => Landing::Stale,
            // A file that is not open has no next text, and the editor need not have saved it yet: its word counts.
            None if version.is_none() => Landing::Landed,
            None => Landing::Refused("the editor accepted the edit, but the text did not change".to_owned()),
            Some(reason) => {
                self.watch_late(landed);
                Landing::Refused(reason)
            }
        }
    }

    /// An editor that was taken to refuse may still come round: then the user is told that the edit stands after all.
    fn watch_late(&self, landed: Landed) {
        let session = self.session.clone();
        tokio::spawn(async move {
            if tokio::time::timeout(LATE, proof(&session, &landed)).await.is_ok() {
                session.tell(MessageType::Info, "Aside: the editor applied the edit after all.".to_owned());
            }
        });
    }

    /// After the editor said yes: waits until the text proves it, went another way, or it is too late.
    async fn settle(&self, landed: &Landed, uri: &Uri, change: &Change, deadline: Instant) {
        let mut changes = self.session.watch_documents();
        let mut until = deadline;
        while !landed.get() {
            let version = self.session.state().documents.get(uri).map(Document::version);
            if version.is_none() || version != change.base.version {
                until = until.min(Instant::now() + MOMENT);
            }
            if tokio::time::timeout_at(until, changes.changed()).await.is_err() {
                return;
            }
        }
    }

    /// Brings a file that was edited into view.
    async fn reveal(&self, uri: Uri, path: &Path) {
        let show_document = self.session.state().capabilities.show_document;
        if show_document {
            let params = ShowDocumentParams { uri, external: None, take_focus: Some(false), selection: None };
            if let Ok(Ok(true)) = tokio::time::timeout(SILENCE, self.session.client.show_document(params)).await {
                return;
            }
        }
        self.session.tell(MessageType::Info, format!("The tests are in {}", path.display()));
    }
}

/// Waits for the text that proves an edit.
async fn proof(session: &Session, landed: &Landed) {
    let mut changes = session.watch_documents();
    while !landed.get() {
        if changes.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// A file's URI.
fn file_uri(path: &Path) -> Result<Uri, Error> {
    Uri::from_file_path(path)
        .map_err(|()| Error::new(ErrorKind::Internal, format!("{} is not an absolute path.", path.display())))
}

/// Whether a file that is not open is still as the edit was made for.
fn is_current(uri: &Uri, change: &Change, create: bool) -> bool {
    match uri.to_file_path() {
        Ok(path) if create => !path.exists(),
        _ => has_text(uri, &change.base.text),
    }
}

/// Whether a file has this text on disk.
fn has_text(uri: &Uri, text: &Rope) -> bool {
    let on_disk = uri.to_file_path().ok().and_then(|path| content::read_text(&path).ok());
    on_disk.is_some_and(|on_disk| same_text(text, &Rope::from_str(&on_disk)))
}

/// Why the editor will not have an edit, if so.
fn refusal(answer: Result<jsonrpc::Result<ApplyWorkspaceEditResult>, Elapsed>) -> Option<String> {
    match answer {
        Ok(Ok(result)) if result.applied => None,
        Ok(Ok(result)) => Some(result.failure_reason.unwrap_or_else(|| "the editor refused the edit".to_owned())),
        Ok(Err(error)) => Some(format!("the editor refused the edit: {}", error.message)),
        Err(_) => Some(format!("the editor did not answer for {} s", SILENCE.as_secs())),
    }
}

/// The protocol's form of a change. Not every client that understands `documentChanges` says so, and all that were tried
/// take them; the version makes careful clients refuse what is out of date.
fn workspace_edit(uri: &Uri, change: &Change, create: bool, encoding: Encoding) -> WorkspaceEdit {
    let edits = to_proto::text_edits(&change.base.text, encoding, &change.edits);
    let edit = TextDocumentEdit {
        text_document: OptionalVersionedTextDocumentIdentifier {
            version: change.base.version,
            text_document_identifier: TextDocumentIdentifier { uri: uri.clone() },
        },
        edits: edits.into_iter().map(Edit::TextEdit).collect(),
    };
    let mut changes = Vec::new();
    if create {
        let options = CreateFileOptions { overwrite: Some(false), ignore_if_exists: Some(true) };
        changes.push(DocumentChange::CreateFile(CreateFile::new(uri.clone(), Some(options), None)));
    }
    changes.push(DocumentChange::TextDocumentEdit(edit));
    WorkspaceEdit { document_changes: Some(changes), ..WorkspaceEdit::default() }
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
mod tests;
