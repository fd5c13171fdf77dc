//! An edit's way to the editor, until its text says what became of it.

use std::sync::Arc;
use std::time::Duration;

use lsp_types::{
    ApplyWorkspaceEditParams, ApplyWorkspaceEditRequest, ApplyWorkspaceEditResult, ChangeAnnotation, MessageType, Uri,
};
use ropey::Rope;
use tokio::time::Instant;
use tokio::time::error::Elapsed;
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc;

use super::landing::{Expected, Landed, Misplaced, Seen, same_text};
use super::session::Session;
use super::to_proto;
use crate::jobs::{Change, Current, Landing, REST, Target};
use crate::output::edit::difference;
use crate::output::merge::merge;
use crate::workspace::{Document, content};

/// A client that did not answer for this long is treated as one that refused.
pub(super) const SILENCE: Duration = Duration::from_secs(5);

/// So long an edit is still looked for after the editor was taken to have refused it.
const LATE: Duration = Duration::from_secs(120);

/// How long the parts of an edit may come one after the other, a file that was edited may take to be opened, and a change
/// that made the editor refuse may take to be reported. Editors hold changes back for up to 150 ms.
const MOMENT: Duration = Duration::from_millis(500);

/// So long a change may stay unreported that made the editor refuse by its version. Emacs reports what is typed half a
/// second after the last key, and some people type a while without such a pause.
const UNREPORTED: Duration = Duration::from_secs(60);

/// How often a misplaced edit is tried to be taken back.
const TAKE_BACKS: usize = 8;

/// An edit for the editor.
pub(super) struct Sending<'a> {
    pub(super) uri: &'a Uri,
    pub(super) change: &'a Change,
    /// Whether the file is to be created with it.
    pub(super) create: bool,
    /// How the editor asks its user first, and what ends the wait for the answer.
    pub(super) confirm: Option<(ChangeAnnotation, &'a CancellationToken)>,
}

impl Sending<'_> {
    /// Sends the edit and finds out whether it landed. One that the editor put into a text that had moved on is taken back.
    pub(super) async fn land(self, session: &Arc<Session>) -> Landing {
        let asked = self.confirm.is_some();
        let uri = self.uri.clone();
        match self.send(session).await {
            Ok(landing) => landing,
            Err(misplaced) if !take_back(session, &uri, misplaced.clone()).await => Landing::Refused(
                "the editor put the edit into a text that had moved on; please undo it there".to_owned(),
            ),
            Err(_) if asked => Landing::Overtaken,
            Err(_) => Landing::Stale,
        }
    }

    async fn send(self, session: &Arc<Session>) -> Result<Landing, Misplaced> {
        let Self { uri, change, create, confirm } = self;
        // One that announces no edits and makes them all the same may count columns in bytes, whatever was agreed.
        let by_lines = (!session.state().capabilities.apply_edit).then(|| change.by_lines());
        let change = by_lines.as_ref().unwrap_or(change);
        let text = Rope::from_str(&change.result());
        let on_disk = change.base.version.is_some() || is_current(uri, change, create);
        let (edit, landed) = {
            let mut state = session.state();
            if !state.capabilities.apply_edit && !state.settings.edits.assume_apply {
                let reason = "this editor does not apply edits that a server asks for";
                return Ok(Landing::Refused(reason.to_owned()));
            }
            if moved_on(state.documents.get(uri), &change.base) || !on_disk {
                return Ok(Landing::Stale);
            }
            let annotation = confirm.as_ref().map(|(annotation, _)| annotation.clone());
            let edit = to_proto::workspace_edit(uri, change, create, &state.capabilities, annotation);
            let (base, encoding) = (change.base.text.clone(), state.capabilities.encoding);
            let edits = to_proto::text_edits(&base, encoding, &change.edits);
            let expected = Expected { base, edits, encoding, text: text.clone() };
            (edit, state.expectations.expect(uri.clone(), expected))
        };
        let deadline = Instant::now() + SILENCE;
        // Without a label: one editor prints it, and asks for a key when it does not fit.
        let request = ApplyWorkspaceEditParams { label: None, edit, metadata: None };
        let answer = session.client.send_request::<ApplyWorkspaceEditRequest>(request);
        let answer = async {
            match confirm {
                // Users take their time.
                Some(_) => Ok(answer.await),
                None => tokio::time::timeout_at(deadline, answer).await,
            }
        };
        let answer = tokio::select! {
            biased;
            // The text says more than the answer, which some editors never give.
            () = proof(session, &landed) => return judged(landed.seen(), change, &text),
            () = cancelled(confirm.as_ref().map(|(_, cancel)| *cancel)) => {
                watch_late(session, landed, uri.clone());
                return Ok(Landing::Cancelled);
            }
            // An editor that is gone proves nothing and answers nothing.
            () = session.end.cancelled() => return Ok(Landing::Cancelled),
            answer = answer => answer,
        };
        let until = match &answer {
            Err(_) => Instant::now(),
            Ok(Ok(result)) if result.applied => deadline.max(Instant::now() + MOMENT * 2),
            Ok(_) => Instant::now() + MOMENT,
        };
        if is_outdated(&answer) {
            reported(session, uri, &change.base).await;
        } else {
            settle(session, &landed, uri, &change.base, until).await;
        }
        let seen = landed.seen();
        if seen != Seen::Nothing {
            return judged(seen, change, &text);
        }
        let (version, moved) = {
            let state = session.state();
            let document = state.documents.get(uri);
            (document.map(Document::version), moved_on(document, &change.base))
        };
        let said_no = matches!(&answer, Ok(Ok(result)) if !result.applied) || matches!(&answer, Ok(Err(_)));
        let reason = match refusal(answer) {
            _ if version.is_none() && has_text(uri, &text) => return Ok(Landing::Landed),
            _ if moved && confirm.is_some() => return Ok(Landing::Overtaken),
            _ if moved => return Ok(Landing::Stale),
            // A file that is not open has no next text, and the editor need not have saved it yet: its word counts.
            None if version.is_none() && confirm.is_none() => return Ok(Landing::Landed),
            _ if confirm.is_some() => return Ok(Landing::Rejected("it was not confirmed".to_owned())),
            None => "the editor accepted the edit, but the text did not change".to_owned(),
            Some(reason) => reason,
        };
        watch_late(session, landed, uri.clone());
        // Some take an edit only so long after the command that asked for it; then it is for the user to ask again.
        Ok(if said_no && !create { Landing::Declined(reason) } else { Landing::Refused(reason) })
    }
}

/// Whether a document is not any more what an edit was made for. One that was closed and opened again may have the same
/// version and another text.
fn moved_on(document: Option<&Document>, base: &Current) -> bool {
    match document {
        Some(document) => Some(document.version()) != base.version || *document.text() != base.text,
        None => base.version.is_some(),
    }
}

/// What the text says of an edit: misplaced is only what is not where it belongs by now.
fn judged(seen: Seen, change: &Change, expected: &Rope) -> Result<Landing, Misplaced> {
    let Seen::Misplaced(misplaced) = seen else { return Ok(Landing::Landed) };
    let belongs = merge(&change.base.text.to_string(), &expected.to_string(), &misplaced.before.to_string());
    if belongs.is_some_and(|text| same_text(&Rope::from_str(&text), &misplaced.after)) {
        return Ok(Landing::Landed);
    }
    Err(misplaced)
}

/// Takes an edit back that the editor put into a text that it was not made for, and leaves standing what was typed since.
/// Tells whether that was possible.
async fn take_back(session: &Arc<Session>, uri: &Uri, misplaced: Misplaced) -> bool {
    // What takes an edit back may itself come too late.
    let mut wrong = vec![misplaced];
    for _ in 0..TAKE_BACKS {
        let Some(Misplaced { before, after }) = wrong.last() else { return true };
        let current = {
            let state = session.state();
            let Some(document) = state.documents.get(uri) else { return false };
            Current { text: document.text().clone(), version: Some(document.version()) }
        };
        let now = current.text.to_string();
        let Some(text) = merge(&after.to_string(), &before.to_string(), &now) else { return false };
        let edits = difference(&now, &text);
        let change = Change { target: Target::Document, base: current, edits, label: String::new() };
        let sending = Sending { uri, change: &change, create: false, confirm: None };
        match Box::pin(sending.send(session)).await {
            Ok(Landing::Landed) => drop(wrong.pop()),
            Ok(Landing::Stale) => tokio::time::sleep(MOMENT / 2).await,
            Ok(_) => return false,
            Err(misplaced) => wrong.push(misplaced),
        }
    }
    wrong.is_empty()
}

/// An editor that was taken to refuse may still come round: then the user is told that the edit stands after all.
fn watch_late(session: &Arc<Session>, landed: Landed, uri: Uri) {
    let session = session.clone();
    tokio::spawn(async move {
        if tokio::time::timeout(LATE, proof(&session, &landed)).await.is_err() {
            return;
        }
        match landed.seen() {
            Seen::Misplaced(misplaced) => {
                if !take_back(&session, &uri, misplaced).await {
                    let text = "Aside: the editor put an edit into a text that had moved on; please undo it.";
                    session.tell(MessageType::Warning, text.to_owned());
                }
            }
            _ => session.tell(MessageType::Info, "Aside: the editor applied the edit after all.".to_owned()),
        }
    });
}

/// After the editor's answer: waits until the text proves it, went another way, or it is too late.
async fn settle(session: &Session, landed: &Landed, uri: &Uri, base: &Current, deadline: Instant) {
    let mut changes = session.watch_documents();
    let mut until = deadline;
    while landed.seen() == Seen::Nothing {
        if base.version.is_none() || moved_on(session.state().documents.get(uri), base) {
            until = until.min(Instant::now() + MOMENT);
        }
        tokio::select! {
            () = session.end.cancelled() => return,
            next = tokio::time::timeout_at(until, changes.changed()) => {
                if next.is_err() {
                    return;
                }
            }
        }
    }
}

/// After a refusal by the version: waits until the change is known that it is for.
async fn reported(session: &Session, uri: &Uri, base: &Current) {
    let deadline = Instant::now() + UNREPORTED;
    let mut changes = session.watch_documents();
    while !moved_on(session.state().documents.get(uri), base) {
        if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
            return;
        }
    }
}

/// Waits until a document was left alone for a moment. One that is not open is never worked on.
pub(super) async fn rest(session: &Session, uri: &Uri) {
    let mut changes = session.watch_documents();
    let version = || session.state().documents.get(uri).map(Document::version);
    let mut seen = version();
    let mut over = Instant::now() + REST;
    // Other documents' changes wake it as well.
    while let Ok(Ok(())) = tokio::time::timeout_at(over, changes.changed()).await {
        let now = version();
        if now != seen {
            (seen, over) = (now, Instant::now() + REST);
        }
    }
}

/// Waits for the text that shows what became of an edit.
async fn proof(session: &Session, landed: &Landed) {
    let mut changes = session.watch_documents();
    while landed.seen() == Seen::Nothing {
        if changes.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

async fn cancelled(token: Option<&CancellationToken>) {
    match token {
        Some(token) => token.cancelled().await,
        None => std::future::pending().await,
    }
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

/// Whether the editor will not have an edit because it is for another version of the document.
fn is_outdated(answer: &Result<jsonrpc::Result<ApplyWorkspaceEditResult>, Elapsed>) -> bool {
    let reason = match answer {
        Ok(Ok(result)) if !result.applied => result.failure_reason.as_deref().unwrap_or_default(),
        Ok(Err(error)) => &error.message,
        _ => return false,
    };
    reason.to_ascii_lowercase().contains("version")
}

/// Why the editor will not have an edit, if so.
fn refusal(answer: Result<jsonrpc::Result<ApplyWorkspaceEditResult>, Elapsed>) -> Option<String> {
    match answer {
        Ok(Ok(result)) if result.applied => None,
        Ok(Ok(result)) => {
            let reason = result.failure_reason.filter(|reason| !reason.trim().is_empty());
            Some(reason.unwrap_or_else(|| "the editor refused the edit".to_owned()))
        }
        Ok(Err(error)) => Some(format!("the editor refused the edit: {}", error.message)),
        Err(_) => Some(format!("the editor did not answer for {} s", SILENCE.as_secs())),
    }
}
