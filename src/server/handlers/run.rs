//! `aside.run`: from the command's arguments to a running job.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt as _;
use lsp_types::{LspAny, MessageActionItem, MessageType, ProgressToken, Uri};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};

use super::super::explained::{self, Explained};
use super::super::ext::{RunArguments, Work};
use super::super::feed::{Channel, Feed};
use super::super::host::{EditorHost, is_explanation};
use super::super::service::request_token;
use super::super::session::Session;
use super::super::{actions as own, from_proto, show, standing, to_proto};
use super::follow_up::run_follow_up;
use super::lifecycle::token_name;
use crate::actions::{self, Action, Applies};
use crate::defect;
use crate::error::ErrorKind;
use crate::jobs::{
    JobHandle, Order, Outcome, Registration, Report, action_for, ask_for_rest, new_job_id, no_question, picture_at,
    run, to_fix,
};
use crate::workspace::tracking::TrackId;
use crate::workspace::{Diagnostic, Snapshot, Span, selection};

/// What a user may say to an explanation that broke off.
const GO_ON: &str = "Go on";
const LEAVE: &str = "Leave it";

/// Starts a job. Answers at once with its id, or with the report when it has ended, if the client waits.
pub(super) async fn run_action(
    session: &Arc<Session>,
    arguments: RunArguments,
    progress: Option<ProgressToken>,
) -> Result<LspAny> {
    let path =
        session.state().documents.get(&arguments.uri).and_then(|document| document.path().map(Path::to_path_buf));
    let catalogue = own::catalogue(session, path.as_deref());
    let action = catalogue.find(&arguments.action).map_err(|error| invalid(&error))?.clone();
    if let Some(error) = &session.state().unusable {
        return Err(invalid(error));
    }
    if action.result == actions::ResultForm::Control {
        let cancelled = session.registry.cancel(None);
        return Ok(json!({ "cancelled": cancelled }));
    }
    if action.applies == Applies::Explanations {
        return run_follow_up(session, arguments, progress).await;
    }
    let mut selected = select(session, &action, &arguments).await?;
    let action = selected.action.take().unwrap_or(action);
    if action.applies == Applies::Prompted && !says_what(&selected) {
        return Err(invalid(&no_question()));
    }
    // Cancelled with the request, as long as that was not answered, and when the client leaves.
    let token = request_token();
    let waits = arguments.wait || progress.is_some() || token.is_cancelled();
    let job = new_job_id();
    let order = {
        let state = session.state();
        let settings = action.settings(&state.settings);
        Order {
            job: job.clone(),
            model: settings.model_for(&action.id).to_owned(),
            action,
            root: selected.snapshot.path.as_deref().and_then(|path| state.roots.root_of(path)),
            snapshot: selected.snapshot,
            selection: selected.span,
            subject: selected.subject,
            diagnostics: selected.diagnostics,
            prompt: selected.prompt,
            settings,
            simulated: session.simulated(),
        }
    };
    let task = start(session.clone(), order, selected.track, token, progress, None);
    if !waits {
        return Ok(json!({ "job": job }));
    }
    let report = task.await.map_err(|_| Error::internal_error())?;
    Ok(result(&report))
}

/// Whether there are words of the user's: a prompt, or the comment that is selected.
fn says_what(selected: &Selected) -> bool {
    let said = selected.prompt.as_deref().is_some_and(|prompt| !prompt.trim().is_empty());
    said || {
        let snapshot = &selected.snapshot;
        actions::is_comment(snapshot.language, &snapshot.text.byte_slice(selected.span.clone()).to_string())
    }
}

/// What an action works on.
struct Selected {
    snapshot: Snapshot,
    span: Span,
    track: TrackId,
    subject: Option<String>,
    diagnostics: Vec<Diagnostic>,
    prompt: Option<String>,
    /// Another action than the one that was asked for, as the place wants it.
    action: Option<Arc<Action>>,
}

/// Finds the selection, or the item around it when nothing is selected, or those around what is to be repaired. It is
/// followed from the moment the request came.
async fn select(session: &Arc<Session>, action: &Arc<Action>, arguments: &RunArguments) -> Result<Selected> {
    if is_explanation(&arguments.uri) {
        return Err(explanation());
    }
    let (mut snapshot, mut asked, track, mut diagnostics) = {
        let mut state = session.state();
        let encoding = state.capabilities.encoding;
        let document = state.documents.get_mut(&arguments.uri).ok_or_else(|| not_open(&arguments.uri))?;
        if arguments.version.is_some_and(|version| version != document.version()) {
            return Err(stale());
        }
        if !from_proto::is_inside(document.text(), arguments.range) {
            return Err(outside(document.text().len_lines()));
        }
        let span = from_proto::span(document.text(), encoding, arguments.range);
        let told = arguments.diagnostics.iter();
        let told = told.filter_map(|one| from_proto::diagnostic(document.text(), encoding, one)).collect::<Vec<_>>();
        (document.snapshot(), span.clone(), document.track(span), told)
    };
    let followed = Followed { session: session.clone(), uri: arguments.uri.clone(), track, kept: false };
    let mut prompt = arguments.prompt.clone();
    let repairs = action.applies == Applies::Reported;
    if repairs {
        (diagnostics, prompt) = to_fix(&snapshot, &asked, diagnostics, prompt).map_err(|error| invalid(&error))?;
    }
    if action.applies == Applies::Pictured {
        let link = picture_at(&snapshot, &asked).map_err(|error| invalid(&error))?;
        let track = {
            let mut state = session.state();
            let document = state.documents.get_mut(&arguments.uri).ok_or_else(|| not_open(&arguments.uri))?;
            if Some(document.version()) != snapshot.version {
                return Err(stale());
            }
            document.track(link.span.clone())
        };
        let action = Some(action_for(action, &link));
        let subject = Some(link.name().to_owned()).filter(|name| !name.is_empty());
        return Ok(Selected { snapshot, span: link.span, track, subject, diagnostics, prompt, action });
    }
    loop {
        snapshot.check().map_err(|error| invalid(&error))?;
        // Parsing takes milliseconds in a large file, which no thread of the runtime should be held for.
        let (around, point) = (snapshot.clone(), asked.clone());
        let places: Vec<Span> = diagnostics.iter().filter(|_| repairs).map(|one| one.span.clone()).collect();
        let resolved = tokio::task::spawn_blocking(move || match places.as_slice() {
            [] => selection::resolve(&around, point),
            places => selection::around(&around, places),
        });
        let (mut span, subject) = resolved.await.map_err(|_| Error::internal_error())?;
        if action.result == actions::ResultForm::Diagnostics {
            span = selection::whole_lines(&snapshot.text, &span);
        }
        if span.is_empty() {
            return Err(no_code());
        }
        if span == asked {
            return Ok(Selected { snapshot, span, track: followed.keep(), subject, diagnostics, prompt, action: None });
        }
        let mut state = session.state();
        let document = state.documents.get_mut(&arguments.uri).ok_or_else(|| not_open(&arguments.uri))?;
        if Some(document.version()) == snapshot.version {
            let track = document.track(span.clone());
            return Ok(Selected { snapshot, span, track, subject, diagnostics, prompt, action: None });
        }
        // The user typed while the file was parsed: look again at what is around the cursor now.
        snapshot = document.snapshot();
        // What was said was said of another text.
        if repairs {
            return Err(stale());
        }
        diagnostics.clear();
        asked = document.tracked(followed.track).map_or(asked, |tracked| tracked.span);
    }
}

/// Ends following a range when dropped, unless a job took it over.
struct Followed {
    session: Arc<Session>,
    uri: Uri,
    track: TrackId,
    kept: bool,
}

impl Followed {
    /// The range is followed on.
    fn keep(mut self) -> TrackId {
        self.kept = true;
        self.track
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        if !self.kept {
            self.session.state().documents.untrack(&self.uri, self.track);
        }
    }
}

/// Starts the job's task. Whatever happens in it, the client hears of its end.
fn start(
    session: Arc<Session>,
    order: Order,
    track: TrackId,
    token: CancellationToken,
    progress: Option<ProgressToken>,
    begun: Option<String>,
) -> tokio::task::JoinHandle<Report> {
    let title = order.title();
    let registration = session.registry.register(&order.job, JobHandle { title: title.clone(), token: token.clone() });
    let channel = channel(&session, &order, title, progress);
    session.status_due.notify_one();
    let tasks = session.jobs.clone();
    tasks.spawn(async move {
        let (feed, pump) = Feed::start(channel);
        let host = EditorHost::new(session.clone(), feed.clone(), &order, track, token.clone()).going_on(begun);
        let work = Box::pin(carry_out(&session, &order, &feed, host, &token, registration));
        let report = whatever_happens(&order, &feed, work).await;
        session.state().tokens.retain(|_, job| *job != order.job);
        tokio::select! {
            // The progress has ended before whoever waits is answered.
            _ = pump => {}
            // A client that is gone creates no progress.
            () = session.end.cancelled() => {}
        }
        report
    })
}

/// Does the work, unless it panics: that is an end like any other, and the client hears of it.
pub(super) async fn whatever_happens(order: &Order, feed: &Feed, work: impl Future<Output = Report>) -> Report {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| {
        tracing::error!(job = order.job, "a job panicked: {}", defect::words(panic.as_ref()));
        let report = Report::defect(order);
        feed.end(&report);
        report
    })
}

/// Runs a job to its end and tells the client of it.
async fn carry_out(
    session: &Arc<Session>,
    order: &Order,
    feed: &Feed,
    host: EditorHost,
    token: &CancellationToken,
    registration: Registration,
) -> Report {
    let report = run(&session.context(), order, &host, token).await;
    drop(registration);
    session.state().tokens.retain(|_, job| *job != order.job);
    session.status_due.notify_one();
    remember(session, order, &report);
    // Before the progress ends: editors with one line for both keep what comes last, and that is what it cost.
    // Of an answer that broke off the question behind it speaks.
    if !is_broken_off(order, &report) {
        tokio::select! {
            () = tell(session, &report) => {}
            () = session.end.cancelled() => {}
        }
    }
    feed.end(&report);
    session.tell_of_ledger();
    if let Some(explanation) = report.explanation.as_ref().filter(|_| !report.quiet) {
        tokio::select! {
            // The answer is shown before whoever waits is answered.
            () = show::show(session, explanation) => {}
            // A client that is gone opens no document.
            () = session.end.cancelled() => {}
        }
    }
    if let Some(answer) = &report.standing {
        // The user may take all day; the job has ended.
        tokio::spawn(standing::offer(session.clone(), order.clone(), answer.clone(), host));
    }
    if is_broken_off(order, &report)
        && let Some(explanation) = &report.explanation
    {
        let begun = explanation.markdown.clone();
        tokio::spawn(offer_the_rest(session.clone(), order.clone(), ask_for_rest(order, &report, &begun), begun));
    }
    report
}

/// Whether an explanation broke off, in a way that may pass.
fn is_broken_off(order: &Order, report: &Report) -> bool {
    let passes = |kind| matches!(kind, ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Overloaded);
    order.action.result == actions::ResultForm::Explanation
        && report.explanation.is_some()
        && report.error.as_ref().is_some_and(|error| passes(error.kind))
}

/// Asks whether the model shall go on where an explanation broke off.
async fn offer_the_rest(session: Arc<Session>, order: Order, question: String, begun: String) {
    let choices = [GO_ON, LEAVE].map(|title| MessageActionItem { title: title.to_owned(), ..Default::default() });
    // The question takes the keys.
    show::rest(&session).await;
    let question = format!("Aside: {question}");
    let chosen = session.client.show_message_request(MessageType::Error, question, Some(choices.to_vec())).await;
    if !matches!(chosen, Ok(Some(chosen)) if chosen.title == GO_ON) {
        return;
    }
    // It is explained as it was; where it is now matters to nobody.
    let track = session.state().documents.get_mut(&order.snapshot.uri).map(|document| document.track(0..0));
    let Some(track) = track else {
        session.tell(MessageType::Error, "Aside: the document was closed meanwhile.".to_owned());
        return;
    };
    let settings = session.state().settings.clone();
    let order = Order { job: new_job_id(), settings, ..order };
    let token = session.end.child_token();
    start(session, order, track, token, None, Some(begun));
}

/// Runs an order's action again, on the text as it is now, where its selection has gone.
pub(in crate::server) fn start_again(session: &Arc<Session>, order: Order, host: &EditorHost) {
    let followed = {
        let mut state = session.state();
        let document = state.documents.get_mut(&order.snapshot.uri);
        document.and_then(|document| {
            let span = document.tracked(host.track())?.span;
            Some((document.snapshot(), span.clone(), document.track(span)))
        })
    };
    let Some((snapshot, selection, track)) = followed else {
        session.tell(MessageType::Error, "Aside: the document was closed meanwhile.".to_owned());
        return;
    };
    let settings = session.state().settings.clone();
    // Where what was said was noticed is not known any more; what is to be repaired is still to be repaired.
    let mut diagnostics = order.diagnostics;
    diagnostics.retain(|_| order.action.applies == Applies::Reported);
    for one in &mut diagnostics {
        one.span.clone_from(&selection);
    }
    let order = Order { job: new_job_id(), snapshot, selection, settings, diagnostics, ..order };
    start(session.clone(), order, track, session.end.child_token(), None, None);
}

/// The way to the client for this job's output. Its progress can be cancelled from now on.
pub(super) fn channel(session: &Session, order: &Order, title: String, progress: Option<ProgressToken>) -> Channel {
    let mut state = session.state();
    let progress = match progress {
        Some(token) => Some((token, false)),
        // A string: some clients take no numbers.
        None if state.capabilities.work_done_progress => {
            Some((ProgressToken::String(format!("aside-{}", order.job)), true))
        }
        None => None,
    };
    if let Some((token, _)) = &progress {
        state.tokens.insert(token_name(token), order.job.clone());
    }
    let stream = state.capabilities.stream;
    let encoding = state.capabilities.encoding;
    drop(state);
    let work = Work {
        title,
        action: order.action.id.to_string(),
        result: order.action.result.as_str().to_owned(),
        uri: order.snapshot.uri.clone(),
        range: to_proto::range(&order.snapshot.text, encoding, &order.selection),
    };
    let (client, outlet) = (session.client.clone(), session.outlet.clone());
    Channel { client, job: order.job.clone(), work, progress, outlet, stream }
}

/// A fresh explanation is there for the next hover.
pub(super) fn remember(session: &Session, order: &Order, report: &Report) {
    if report.outcome != Outcome::Shown {
        return;
    }
    let Some(explanation) = &report.explanation else { return };
    let (id, markdown) = (explanation.id.clone(), explanation.markdown.clone());
    let fresh = Explained { id, code: order.selected(), markdown };
    let mut state = session.state();
    state.explanations += 1;
    if let Some(known) = state.explained.get_mut(&order.snapshot.uri) {
        explained::add(Arc::make_mut(known), fresh);
    }
}

/// What must not be missed is said in a message: progress is easily overlooked.
pub(super) async fn tell(session: &Session, report: &Report) {
    let (kind, text) = match report.outcome {
        Outcome::Failed => (MessageType::Error, Some(report.sentence())),
        // Whoever said no knows it.
        Outcome::Kept if report.quiet => return,
        Outcome::Kept => (MessageType::Warning, Some(report.sentence())),
        _ => (MessageType::Info, report.note()),
    };
    if let Some(text) = text {
        session.client.show_message(kind, format!("Aside: {text}")).await;
    }
}

/// The report as the command's result.
pub(super) fn result(report: &Report) -> LspAny {
    let mut result = json!({
        "job": report.job,
        "action": report.action,
        "outcome": report.outcome,
        "usage": report.usage,
        "model": report.model,
        "simulated": report.simulated,
    });
    if let LspAny::Object(fields) = &mut result {
        let mut put = |name: &str, value: Option<LspAny>| {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value);
            }
        };
        put("reason", report.reason.clone().map(LspAny::from));
        put("note", report.note().map(LspAny::from));
        put("error", report.error.as_ref().and_then(|error| serde_json::to_value(error).ok()));
        put("conversation", report.conversation.clone().map(LspAny::from));
        put("explanation", report.explanation.as_ref().map(|explanation| json!(explanation.markdown)));
        if !report.edits.is_empty() {
            put("edits", serde_json::to_value(&report.edits).ok());
        }
        put("findings", report.findings.as_ref().and_then(|findings| serde_json::to_value(findings).ok()));
    }
    result
}

/// An error of the user's making, with its kind for programs.
pub(super) fn invalid(error: &crate::error::Error) -> Error {
    Error { data: serde_json::to_value(error).ok(), ..Error::invalid_params(error.sentence()) }
}

fn not_open(uri: &Uri) -> Error {
    invalid(
        &crate::error::Error::new(ErrorKind::Config, format!("{uri} is not open."))
            .hint("Open the document first: Aside works on the text as the editor has it."),
    )
}

fn explanation() -> Error {
    invalid(&crate::error::Error::new(ErrorKind::Config, "Actions do not work on Aside's own explanations."))
}

fn outside(lines: usize) -> Error {
    invalid(
        &crate::error::Error::new(ErrorKind::Config, "The range is outside of the document.")
            .hint(format!("The document has {lines} lines.")),
    )
}

fn no_code() -> Error {
    invalid(
        &crate::error::Error::new(ErrorKind::Config, "There is no code at the cursor.")
            .hint("Select some, or put the cursor into a function."),
    )
}

fn stale() -> Error {
    let error = crate::error::Error::new(ErrorKind::Conflict, "The document changed since the action was offered.")
        .hint("Run the action again.");
    Error {
        code: ErrorCode::ContentModified,
        message: error.sentence().into(),
        data: serde_json::to_value(&error).ok(),
    }
}

#[cfg(test)]
mod tests;
