//! What reviews found, as diagnostics: shown while the code under them stands as it was reviewed.

use std::collections::BTreeSet;
use std::sync::Arc;

use lsp_types::{Code, Diagnostic, DiagnosticSeverity, DocumentDiagnosticParams, LspAny, Message, MessageType, Uri};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::Result;

use super::backend::Backend;
use super::ext::Work;
use super::feed::{Channel, Feed};
use super::host::EditorHost;
use super::session::Session;
use super::to_proto;
use crate::jobs::{Anyway, Order, apply_replacement, new_job_id};
use crate::output::findings::Finding;
use crate::workspace::positions::Encoding;
use crate::workspace::tracking::TrackId;
use crate::workspace::{Document, Documents, Severity, Span};

/// Who says so.
pub(super) const SOURCE: &str = "aside";

/// The kind of what mends a finding.
pub(super) const REPAIR_KIND: &str = "quickfix.aside.finding";

/// The findings of all documents.
#[derive(Default)]
pub(super) struct Findings {
    shown: Vec<Shown>,
    /// How many there ever were: a number names one.
    count: u64,
    /// The documents whose findings the client is to be told of.
    due: BTreeSet<Uri>,
}

/// A finding in a document.
struct Shown {
    number: u64,
    order: Arc<Order>,
    track: TrackId,
    /// What was reviewed there.
    code: String,
    finding: Finding,
}

impl Shown {
    fn uri(&self) -> &Uri {
        &self.order.snapshot.uri
    }

    /// Where it is now, if the code is as it was.
    fn place(&self, document: &Document) -> Option<Span> {
        let span = document.tracked(self.track)?.span;
        let (text, length) = (document.text(), self.code.len());
        // What was written right before or behind it may count to the range, and is no change of it.
        let places = [span.start..span.start + length, span.end.saturating_sub(length)..span.end];
        places.into_iter().find(|place| {
            let is_inside = place.end <= text.len_bytes() && place.len() == length;
            is_inside && text.get_byte_slice(place.clone()).is_some_and(|now| now == self.code.as_str())
        })
    }

    fn diagnostic(&self, document: &Document, encoding: Encoding) -> Option<Diagnostic> {
        let span = self.place(document)?;
        // White space at both ends says nothing.
        let start = span.start + (self.code.len() - self.code.trim_start().len());
        let end = span.start + self.code.trim_end().len();
        Some(Diagnostic {
            range: to_proto::range(document.text(), encoding, &(start..end.max(start))),
            severity: Some(match self.finding.severity {
                Severity::Error => DiagnosticSeverity::Error,
                Severity::Warning => DiagnosticSeverity::Warning,
                Severity::Information => DiagnosticSeverity::Information,
                Severity::Hint => DiagnosticSeverity::Hint,
            }),
            code: Some(Code::String(self.finding.category.clone())),
            source: Some(SOURCE.to_owned()),
            message: Message::String(self.finding.message.clone()),
            data: Some(json!({ "finding": self.number, "repair": self.finding.replacement.is_some() })),
            ..Diagnostic::default()
        })
    }
}

impl Findings {
    /// Takes in what a review found in its selection, which is followed by `track`. False if the code there is another one
    /// by now.
    pub(super) fn add(
        &mut self,
        documents: &mut Documents,
        order: &Arc<Order>,
        track: TrackId,
        finding: &Finding,
    ) -> bool {
        self.replace(documents, order, track);
        let uri = &order.snapshot.uri;
        let Some(document) = documents.get_mut(uri) else { return false };
        let Some(selection) = document.tracked(track).map(|tracked| tracked.span) else { return false };
        let lines = lines(order, finding);
        let code = order.snapshot.text.byte_slice(lines.clone()).to_string();
        let Some(span) = located(document, &selection, lines.start - order.selection.start, &code) else {
            return false;
        };
        let track = document.track(span);
        self.count += 1;
        self.shown.push(Shown { number: self.count, order: order.clone(), track, code, finding: finding.clone() });
        self.due.insert(uri.clone());
        true
    }

    /// Takes away what the same action found earlier where this one looked.
    pub(super) fn replace(&mut self, documents: &mut Documents, order: &Order, track: TrackId) {
        let uri = &order.snapshot.uri;
        let Some(selection) = documents.tracked(uri, track).map(|tracked| tracked.span) else { return };
        self.remove(documents, uri, |shown, document| {
            let span = document.tracked(shown.track).map(|tracked| tracked.span);
            let is_here = span.is_none_or(|span| span.start <= selection.end && selection.start <= span.end);
            shown.order.job != order.job && shown.order.action.id == order.action.id && is_here
        });
    }

    /// Takes away what a review found, as its answer is void.
    pub(super) fn withdraw(&mut self, documents: &mut Documents, order: &Order) {
        self.remove(documents, &order.snapshot.uri, |shown, _| shown.order.job == order.job);
    }

    /// Takes away what was found in code that is another one now. Whether there was any.
    pub(super) fn changed(&mut self, documents: &mut Documents, uri: &Uri) -> bool {
        self.remove(documents, uri, |shown, document| shown.place(document).is_none())
    }

    /// Takes away what was found in a document that is closed. Whether there was any.
    pub(super) fn closed(&mut self, uri: &Uri) -> bool {
        let before = self.shown.len();
        self.shown.retain(|shown| shown.uri() != uri);
        let any = self.shown.len() < before;
        if any {
            self.due.insert(uri.clone());
        }
        any
    }

    fn remove(&mut self, documents: &mut Documents, uri: &Uri, goes: impl Fn(&Shown, &Document) -> bool) -> bool {
        let Some(document) = documents.get_mut(uri) else { return false };
        let mut tracks = Vec::new();
        self.shown.retain(|shown| {
            let goes = shown.uri() == uri && goes(shown, document);
            if goes {
                tracks.push(shown.track);
            }
            !goes
        });
        for track in &tracks {
            document.untrack(*track);
        }
        if !tracks.is_empty() {
            self.due.insert(uri.clone());
        }
        !tracks.is_empty()
    }

    /// All findings of a document that stand.
    pub(super) fn diagnostics(&self, documents: &Documents, uri: &Uri, encoding: Encoding) -> Vec<Diagnostic> {
        let Some(document) = documents.get(uri) else { return Vec::new() };
        let mine = self.shown.iter().filter(|shown| shown.uri() == uri);
        mine.filter_map(|shown| shown.diagnostic(document, encoding)).collect()
    }

    /// The findings in a span's lines that can be mended: their numbers, and what is shown of them.
    pub(super) fn repairs(&self, document: &Document, span: &Span, encoding: Encoding) -> Vec<(u64, Diagnostic)> {
        let line = |at: usize| document.text().byte_to_line(at);
        let lines = line(span.start)..=line(span.end);
        let mine =
            self.shown.iter().filter(|shown| shown.uri() == document.uri() && shown.finding.replacement.is_some());
        mine.filter(|shown| {
            shown
                .place(document)
                .is_some_and(|place| line(place.start) <= *lines.end() && *lines.start() <= line(place.end))
        })
        .filter_map(|shown| Some((shown.number, shown.diagnostic(document, encoding)?)))
        .collect()
    }
}

impl Findings {
    /// The newest review that found something in a span's lines: its job.
    pub(super) fn review_at(&self, document: &Document, span: &Span) -> Option<String> {
        let line = |at: usize| document.text().byte_to_line(at);
        let lines = line(span.start)..=line(span.end);
        let mut mine = self.shown.iter().rev().filter(|shown| shown.uri() == document.uri());
        let here = mine.find(|shown| {
            let place = shown.place(document);
            place.is_some_and(|place| line(place.start) <= *lines.end() && *lines.start() <= line(place.end))
        });
        here.map(|shown| shown.order.job.clone())
    }
}

/// The lines of a finding in the reviewed text; with the last one's end where they are to be taken away.
fn lines(order: &Order, finding: &Finding) -> Span {
    let text = &order.snapshot.text;
    let last = text.len_lines() - 1;
    let start = text.line_to_byte((finding.start_line - 1).min(last));
    let end_line = (finding.end_line - 1).min(last);
    let behind = if end_line < last { text.line_to_byte(end_line + 1) } else { text.len_bytes() };
    if finding.replacement.as_deref() == Some("") {
        return start..behind;
    }
    let content = text.byte_slice(start..behind).to_string();
    start..start + content.trim_end_matches(['\n', '\r']).len()
}

/// Where some code of the reviewed selection is now: in its old place, or wherever it is alone.
fn located(document: &Document, selection: &Span, offset: usize, code: &str) -> Option<Span> {
    let text = document.text();
    let now = text.byte_slice(selection.clone()).to_string();
    if now.get(offset..).is_some_and(|rest| rest.starts_with(code)) {
        let start = selection.start + offset;
        return Some(start..start + code.len());
    }
    let mut places = now.match_indices(code).filter(|_| !code.trim().is_empty());
    match (places.next(), places.next()) {
        (Some((at, _)), None) => Some(selection.start + at..selection.start + at + code.len()),
        _ => None,
    }
}

/// Tells the client of findings from now on, each time of all that a document has.
pub(super) fn start_telling(session: &Arc<Session>) {
    let session = session.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = session.findings_due.notified() => {}
                () = session.end.cancelled() => return,
            }
            let (told, pulls, refreshes) = {
                let mut state = session.state();
                let due = std::mem::take(&mut state.findings.due);
                let encoding = state.capabilities.encoding;
                let told: Vec<_> = due
                    .into_iter()
                    .map(|uri| {
                        let found = state.findings.diagnostics(&state.documents, &uri, encoding);
                        let version = state.documents.get(&uri).map(Document::version);
                        (uri, found, version)
                    })
                    .collect();
                (told, state.capabilities.pulls_diagnostics, state.capabilities.diagnostic_refresh)
            };
            if pulls {
                if refreshes && !told.is_empty() {
                    let _ = session.client.workspace_diagnostic_refresh().await;
                }
                continue;
            }
            for (uri, found, version) in told {
                session.client.publish_diagnostics(uri, found, version).await;
            }
        }
    });
}

/// `textDocument/diagnostic`, for clients that ask instead of being told.
pub(super) async fn document_diagnostic(backend: &Backend, params: DocumentDiagnosticParams) -> Result<LspAny> {
    let state = backend.session.state();
    let uri = params.text_document.uri;
    let found = state.findings.diagnostics(&state.documents, &uri, state.capabilities.encoding);
    Ok(json!({ "kind": "full", "items": found }))
}

/// Puts a finding's replacement in its place, as all edits are put. Whether there is such a finding.
pub(super) fn repair(session: &Arc<Session>, number: u64) -> bool {
    let found = {
        let mut state = session.state();
        let state = &mut *state;
        let Some(shown) = state.findings.shown.iter().find(|shown| shown.number == number) else { return false };
        let Some(document) = state.documents.get_mut(shown.uri()) else { return false };
        let (Some(span), Some(replacement)) = (shown.place(document), shown.finding.replacement.clone()) else {
            return false;
        };
        let order = Order {
            job: new_job_id(),
            snapshot: document.snapshot(),
            selection: span.clone(),
            settings: state.settings.clone(),
            ..Order::clone(&shown.order)
        };
        let track = document.track(span);
        let range = to_proto::range(document.text(), state.capabilities.encoding, &order.selection);
        (order, track, replacement, range)
    };
    let (order, track, replacement, range) = found;
    let session = session.clone();
    // The client may be waiting for this command's answer before it handles anything else.
    tokio::spawn(async move {
        let work = Work {
            title: order.title(),
            action: order.action.id.to_string(),
            result: order.action.result.as_str().to_owned(),
            uri: order.snapshot.uri.clone(),
            range,
        };
        let (client, outlet) = (session.client.clone(), session.outlet.clone());
        let channel = Channel { client, job: order.job.clone(), work, progress: None, outlet, stream: false };
        let (feed, pump) = Feed::start(channel);
        let cancel = CancellationToken::new();
        let host = EditorHost::new(session.clone(), feed, &order, track, cancel.clone());
        match apply_replacement(&order, &replacement, &host, &cancel).await {
            Anyway::Applied(_) => {}
            Anyway::Stands(standing) => {
                session.tell(MessageType::Error, format!("Aside: not applied: {}.", standing.reason));
            }
            Anyway::Failed(reason) => session.tell(MessageType::Error, format!("Aside: not applied: {reason}.")),
        }
        pump.abort();
    });
    true
}
