//! The editor as the host of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lsp_types::{
    ApplyWorkspaceEditParams, ApplyWorkspaceEditRequest, CreateFile, CreateFileOptions, DocumentChange, Edit,
    MessageType, OptionalVersionedTextDocumentIdentifier, ShowDocumentParams, TextDocumentEdit, TextDocumentIdentifier,
    Uri, WorkspaceEdit,
};
use ropey::Rope;
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc;

use super::feed::Feed;
use super::landing::Landed;
use super::session::Session;
use super::{ext, to_proto};
use crate::config::Confirm;
use crate::error::{Error, ErrorKind};
use crate::jobs::{Change, Current, Event, FileEdit, Host, Landing, Order, Target};
use crate::output::explanation::Explanation;
use crate::workspace::tracking::TrackId;
use crate::workspace::write::create_file;
use crate::workspace::{Document, Span, content};

/// A client that did not answer for this long is treated as one that refused.
const SILENCE: Duration = Duration::from_secs(5);

/// The editor, for one job.
pub(super) struct EditorHost {
    session: Arc<Session>,
    feed: Feed,
    job: String,
    uri: Uri,
    track: TrackId,
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
        Self { session, feed, job, uri, track, root, cancel }
    }
}

impl Drop for EditorHost {
    fn drop(&mut self) {
        self.session.state().documents.untrack(&self.uri, self.track);
    }
}

impl Host for EditorHost {
    fn event(&self, event: Event<'_>) {
        self.feed.event(&event);
    }

    fn selection(&self) -> Option<(Current, Span)> {
        let state = self.session.state();
        let document = state.documents.get(&self.uri)?;
        let tracked = document.tracked(self.track)?;
        Some((Current { text: document.text().clone(), version: Some(document.version()) }, tracked.span))
    }

    fn file(&self, path: &Path) -> Result<Option<Current>, Error> {
        let uri = file_uri(path)?;
        if let Some(document) = self.session.state().documents.get(&uri) {
            return Ok(Some(Current { text: document.text().clone(), version: Some(document.version()) }));
        }
        if !path.exists() {
            return Ok(None);
        }
        let text = content::read_text(path)?;
        Ok(Some(Current { text: Rope::from_str(&text), version: None }))
    }

    async fn apply(&self, change: &Change) -> Landing {
        if self.session.state().settings.edits.confirm == Confirm::Preview
            && let Err(reason) = self.confirmed(change).await
        {
            return Landing::Refused(reason);
        }
        match &change.target {
            Target::Document => self.edit(self.uri.clone(), change, false).await,
            Target::File { path, create } => match file_uri(path) {
                Ok(uri) => self.edit_file(uri, path, change, *create).await,
                Err(error) => Landing::Refused(error.message),
            },
        }
    }

    async fn show(&self, explanation: &Explanation) {
        super::show::show(&self.session, explanation).await;
    }
}

impl EditorHost {
    /// Shows the edit and waits for the user's word; an error says why there will be none.
    async fn confirmed(&self, change: &Change) -> Result<(), String> {
        let (uri, path, create) = match &change.target {
            Target::Document => (Ok(self.uri.clone()), self.uri.path().to_owned(), false),
            Target::File { path, create } => (file_uri(path), path.display().to_string(), *create),
        };
        let uri = uri.map_err(|error| error.message)?;
        let edit = FileEdit::new(path, &change.base.text.to_string(), change.result());
        let (decision, proposal) = {
            let mut state = self.session.state();
            let decision = state.proposals.propose(&self.job, &change.label);
            let encoding = state.capabilities.encoding;
            let proposal = state.capabilities.preview.then(|| ext::ProposalParams {
                job: self.job.clone(),
                edit: workspace_edit(&uri, change, create, encoding),
                diff: edit.diff.clone(),
            });
            (decision, proposal)
        };
        match proposal {
            Some(proposal) => self.session.client.send_notification::<ext::ProposalNotification>(proposal).await,
            None => super::show::show_proposal(&self.session, &self.job, &change.label, &edit.diff).await,
        }
        let decision = tokio::select! {
            decision = decision => decision,
            () = self.cancel.cancelled() => {
                self.session.state().proposals.withdraw(&self.job);
                return Err("it was cancelled before it was accepted".to_owned());
            }
        };
        if decision == Ok(true) { Ok(()) } else { Err("it was rejected".to_owned()) }
    }

    async fn edit_file(&self, uri: Uri, path: &Path, change: &Change, create: bool) -> Landing {
        let creates_files = {
            let state = self.session.state();
            state.capabilities.create_file && state.capabilities.apply_edit
        };
        let landing = if create && !creates_files {
            let root = self.root.as_deref().or_else(|| path.parent()).unwrap_or(path);
            match create_file(path, root, &change.result()) {
                Ok(()) => Landing::Landed,
                Err(error) => Landing::Refused(error.sentence()),
            }
        } else {
            self.edit(uri.clone(), change, create).await
        };
        if landing == Landing::Landed {
            self.reveal(uri, path).await;
        }
        landing
    }

    /// Sends the edit and finds out whether it landed.
    async fn edit(&self, uri: Uri, change: &Change, create: bool) -> Landing {
        let (edit, landed) = {
            let mut state = self.session.state();
            if !state.capabilities.apply_edit && !state.settings.edits.assume_apply {
                return Landing::Refused("this editor does not apply edits that a server asks for".to_owned());
            }
            let open = state.documents.get(&uri);
            if open.map(Document::version) != change.base.version {
                return Landing::Stale;
            }
            let edit = workspace_edit(&uri, change, create, state.capabilities.encoding);
            let landed = state.expectations.expect(uri.clone(), Rope::from_str(&change.result()));
            (edit, landed)
        };
        let deadline = tokio::time::Instant::now() + SILENCE;
        let request = ApplyWorkspaceEditParams { label: Some(change.label.clone()), edit, metadata: None };
        let answer = self.session.client.send_request::<ApplyWorkspaceEditRequest>(request);
        let answer = tokio::time::timeout_at(deadline, answer).await;
        let refusal = match answer {
            Ok(Ok(result)) if result.applied => None,
            Ok(Ok(result)) => Some(result.failure_reason.unwrap_or_else(|| "the editor refused the edit".to_owned())),
            Ok(Err(error)) => Some(refusal(&error)),
            Err(_) => Some(format!("the editor did not answer for {} s", SILENCE.as_secs())),
        };
        let said_yes = refusal.is_none();
        if said_yes {
            self.wait_until(&landed, &uri, change, deadline).await;
        }
        if landed.get() {
            return Landing::Landed;
        }
        let moved_on = {
            let state = self.session.state();
            match (state.documents.get(&uri), change.base.version) {
                // A file that is not open has no next text: what is on disk decides, and else the editor's word.
                (None, None) if said_yes => return Landing::Landed,
                (Some(document), Some(version)) => document.version() != version,
                _ => false,
            }
        };
        match refusal {
            _ if moved_on => Landing::Stale,
            Some(reason) => Landing::Refused(reason),
            None => Landing::Refused("the editor accepted the edit, but the text did not change".to_owned()),
        }
    }

    /// Waits until the edit landed, the document went another way, or it is too late.
    async fn wait_until(&self, landed: &Landed, uri: &Uri, change: &Change, deadline: tokio::time::Instant) {
        let mut changes = self.session.watch_documents();
        loop {
            if landed.get() {
                return;
            }
            let open = self.session.state().documents.get(uri).map(Document::version);
            if open.is_none() && change.base.version.is_none() {
                // Not open: give the editor a moment to open it, then take its word.
                let moment = tokio::time::Instant::now() + Duration::from_millis(300);
                let _ = tokio::time::timeout_at(moment.min(deadline), changes.changed()).await;
                return;
            }
            if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
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

/// A file's URI.
fn file_uri(path: &Path) -> Result<Uri, Error> {
    Uri::from_file_path(path)
        .map_err(|()| Error::new(ErrorKind::Internal, format!("{} is not an absolute path.", path.display())))
}

fn refusal(error: &jsonrpc::Error) -> String {
    format!("the editor refused the edit: {}", error.message)
}

/// The protocol's form of a change. Not every client that understands `documentChanges` says so, and all that were tried
/// take them; the version makes careful clients refuse what is out of date.
fn workspace_edit(
    uri: &Uri,
    change: &Change,
    create: bool,
    encoding: crate::workspace::positions::Encoding,
) -> WorkspaceEdit {
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
