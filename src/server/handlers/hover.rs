//! `textDocument/hover`: the explanation of exactly this code, if there is one. Asks nobody, unless `hover.mode` is `ask`.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::future::BoxFuture;
use lsp_types::{Contents, Hover, HoverParams, MarkupContent, MarkupKind, Uri};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::Result;

use super::super::backend::Backend;
use super::super::explained::{self, Explained};
use super::super::host::is_explanation;
use super::super::session::Session;
use super::super::{from_proto, to_proto};
use crate::actions::{Action, Applies, ResultForm};
use crate::config::{HoverMode, Settings};
use crate::error::Error;
use crate::jobs::{Change, Current, Event, Host, Landing, Order, Outcome, Urgency, new_job_id, run};
use crate::output::explanation::readable;
use crate::workspace::{Snapshot, Span, selection};

/// An answer that is not whole by then is shown as far as it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most lines of an explanation in a hover; the rest is a command away.
const MAX_LINES: usize = 40;

/// What is known about the code under the cursor.
pub(in crate::server) async fn hover(backend: &Backend, params: HoverParams) -> Result<Option<Hover>> {
    let session = &backend.session;
    let at = params.text_document_position_params;
    let uri = at.text_document.uri;
    let (question, encoding, kind) = {
        let mut state = session.state();
        state.hovers += 1;
        let Some(document) = state.documents.get(&uri) else { return Ok(None) };
        let encoding = state.capabilities.encoding;
        let question = Question {
            number: state.hovers,
            deadline: Instant::now() + PATIENCE,
            offset: from_proto::offset(document.text(), encoding, at.position),
            snapshot: document.snapshot(),
            settings: state.settings.clone(),
        };
        let markdown = state.capabilities.markdown_hover;
        (question, encoding, if markdown { MarkupKind::Markdown } else { MarkupKind::PlainText })
    };
    let mode = question.settings.hover.mode;
    if mode == HoverMode::Off || is_explanation(&uri) {
        return Ok(None);
    }
    let text = question.snapshot.text.clone();
    let known = explanations(session, &uri).await;
    let found = match explained::find(&known, &text, question.offset) {
        Some((explained, span)) => Some((shortened(explained), span)),
        None if mode == HoverMode::Ask => ask(session, question).await,
        None => None,
    };
    Ok(found.map(|(value, span)| Hover {
        contents: Contents::MarkupContent(MarkupContent { kind, value }),
        range: Some(to_proto::range(&text, encoding, &span)),
    }))
}

/// What a hover wants to know.
struct Question {
    /// Later hovers have greater ones.
    number: u64,
    /// When the client wants an answer.
    deadline: Instant,
    offset: usize,
    snapshot: Snapshot,
    settings: Arc<Settings>,
}

/// The document's explanations, read from the ledger at the first hover.
async fn explanations(session: &Arc<Session>, uri: &Uri) -> Arc<Vec<Explained>> {
    let made_before = {
        let state = session.state();
        if let Some(known) = state.explained.get(uri) {
            return known.clone();
        }
        state.explanations
    };
    let reader = session.clone();
    let wanted = uri.clone();
    let stored = tokio::task::spawn_blocking(move || explained::read(&reader.ledger, wanted.as_str())).await;
    let known = Arc::new(stored.unwrap_or_default());
    keep(session, uri, &known, made_before);
    known
}

/// Keeps what was read from the ledger for the next hover, unless the document was closed or an explanation was made
/// meanwhile, which may be missing in it.
fn keep(session: &Session, uri: &Uri, known: &Arc<Vec<Explained>>, made_before: u64) {
    let mut state = session.state();
    if state.explanations == made_before && state.documents.get(uri).is_some() {
        state.explained.insert(uri.clone(), known.clone());
    }
}

/// The beginning of an explanation, and how to see the rest.
fn shortened(explained: &Explained) -> String {
    let mut lines = explained.markdown.trim().lines();
    let beginning: Vec<_> = lines.by_ref().take(MAX_LINES).collect();
    let text = readable(&beginning.join("\n"));
    match lines.next() {
        Some(_) => format!("{text}\n\n… the whole: `aside.showExplanation {}`", explained.id),
        None => text,
    }
}

/// What the fast model is asked for. Not in the catalogue: nobody chooses it from a menu.
static HOVER: LazyLock<Arc<Action>> = LazyLock::new(|| {
    Arc::new(Action {
        id: "hover".into(),
        title: "explain".to_owned(),
        link: None,
        summary: "Two sentences about the code under the cursor.".to_owned(),
        kind: String::new(),
        result: ResultForm::Explanation,
        applies: Applies::Always,
        instruction: include_str!("../../actions/builtin/hover.md").to_owned(),
        custom: None,
    })
});

/// A request that a hover made, and how far it is.
pub(in crate::server) struct Asking {
    /// The hover's number.
    number: u64,
    uri: Uri,
    code: String,
    token: CancellationToken,
    progress: watch::Receiver<Answer>,
}

impl Asking {
    /// Ends the request.
    pub(in crate::server) fn cancel(&self) {
        self.token.cancel();
    }
}

#[derive(Clone, Debug, Default)]
struct Answer {
    text: String,
    ended: bool,
}

/// Two sentences by the fast model. One request a place, and the last place wins.
async fn ask(session: &Arc<Session>, question: Question) -> Option<(String, Span)> {
    question.snapshot.check().ok()?;
    let (around, offset, deadline) = (question.snapshot.clone(), question.offset, question.deadline);
    let (span, name) = tokio::task::spawn_blocking(move || selection::resolve(&around, offset..offset)).await.ok()?;
    let mut progress = answer_for(session, question, &span, name)?;
    let _ = tokio::time::timeout_at(deadline, progress.wait_for(|answer| answer.ended)).await;
    let answer = progress.borrow();
    match (answer.ended, answer.text.trim()) {
        (_, "") => None,
        (true, text) => Some((readable(text), span)),
        (false, text) => Some((readable(&format!("{text} …")), span)),
    }
}

/// The answer about a place: the one that is on its way or there, else a new one in place of any other. None where
/// nothing may be asked, or where a later hover asked about another place.
fn answer_for(
    session: &Arc<Session>,
    question: Question,
    span: &Span,
    name: Option<String>,
) -> Option<watch::Receiver<Answer>> {
    let code = question.snapshot.text.byte_slice(span.clone()).to_string();
    let mut state = session.state();
    if code.trim().is_empty() || state.unusable.is_some() {
        return None;
    }
    if let Some(asking) = &state.asking {
        if asking.uri == question.snapshot.uri && asking.code == code {
            return Some(asking.progress.clone());
        }
        if asking.number > question.number {
            return None;
        }
        asking.cancel();
    }
    let (sender, progress) = watch::channel(Answer::default());
    let (number, uri, token) = (question.number, question.snapshot.uri.clone(), session.end.child_token());
    state.asking = Some(Asking { number, uri, code, token: token.clone(), progress: progress.clone() });
    let root = question.snapshot.path.as_deref().and_then(|path| state.roots.root_of(path));
    drop(state);
    let order = Order {
        job: new_job_id(),
        action: HOVER.clone(),
        snapshot: question.snapshot,
        selection: span.clone(),
        subject: name,
        root,
        diagnostics: Vec::new(),
        prompt: None,
        model: question.settings.fast_model.clone(),
        settings: question.settings,
        simulated: session.simulated(),
    };
    session.jobs.spawn(answer(session.clone(), order, number, token, sender));
    Some(progress)
}

/// Runs a hover's request to its end.
async fn answer(
    session: Arc<Session>,
    order: Order,
    number: u64,
    token: CancellationToken,
    sender: watch::Sender<Answer>,
) {
    let host = HoverHost(sender);
    let report = run(&session.context(), &order, &host, &token).await;
    super::run::remember(&session, &order, &report);
    if report.outcome != Outcome::Shown {
        // A hover is no place for errors, and it comes again; this one is forgotten so that it may.
        tracing::info!(job = report.job, "a hover's request ended without an answer: {}", report.sentence());
        session.state().asking.take_if(|asking| asking.number == number);
    }
    host.0.send_modify(|answer| answer.ended = true);
    session.status_due.notify_one();
}

/// Takes text in; there is nothing to apply and nothing to show.
struct HoverHost(watch::Sender<Answer>);

impl Host for HoverHost {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Attempt(_) | Event::Discarded => self.0.send_modify(|answer| answer.text.clear()),
            Event::Text(text) => self.0.send_modify(|answer| answer.text.push_str(text)),
            _ => {}
        }
    }

    fn urgency(&self) -> Urgency {
        Urgency::Now
    }

    fn selection(&self) -> Option<(Current, Span)> {
        None
    }

    fn file(&self, _: &std::path::Path) -> std::result::Result<Option<Current>, Error> {
        Ok(None)
    }

    fn apply<'a>(&'a self, _: &'a Change) -> BoxFuture<'a, Landing> {
        Box::pin(async { Landing::Refused("a hover changes nothing".to_owned()) })
    }
}

#[cfg(test)]
mod tests;
