//! `aside.followUp`: the next question about an explanation, asked in its file or by a plugin.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use lsp_types::{
    LspAny, MessageType, ProgressToken, Range, TextDocumentContentRefreshParams, TextDocumentContentRefreshRequest, Uri,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::{Error, Result};

use super::super::ext::{FollowUpArguments, RunArguments};
use super::super::feed::Feed;
use super::super::host::{file_of, is_explanation};
use super::super::sending::{self, Sending};
use super::super::service::request_token;
use super::super::session::Session;
use super::super::{from_proto, show, to_proto};
use super::run::{channel, invalid, result, tell, whatever_happens};
use crate::actions;
use crate::error::ErrorKind;
use crate::jobs::{
    self, Change, Current, EAGER, Event, Host, JobHandle, Landing, Order, Outcome, PATIENT, PAUSE, Registration,
    Report, Target, Thread, new_job_id, no_question,
};
use crate::output::conversation::{Asked, grow, question};
use crate::output::explanation::{self, Turn};
use crate::workspace::documents::Document;
use crate::workspace::tracking::TrackId;
use crate::workspace::{Snapshot, Span};

/// The same by way of `aside.run`, as menus have it.
pub(super) async fn run_follow_up(
    session: &Arc<Session>,
    arguments: RunArguments,
    progress: Option<ProgressToken>,
) -> Result<LspAny> {
    let RunArguments { uri, prompt, range, wait, .. } = arguments;
    follow_up(session, FollowUpArguments { uri, prompt, range: Some(range), wait }, progress).await
}

/// Starts a job that answers the next question of a conversation.
pub(super) async fn follow_up(
    session: &Arc<Session>,
    arguments: FollowUpArguments,
    progress: Option<ProgressToken>,
) -> Result<LspAny> {
    if let Some(error) = &session.state().unusable {
        return Err(invalid(error));
    }
    let id = explanation_of(session, &arguments.uri).ok_or_else(|| not_ours(&arguments.uri))?;
    let (reader, wanted) = (session.clone(), id.clone());
    let thread = match tokio::task::spawn_blocking(move || Thread::load(&reader.ledger, &wanted)).await {
        Ok(Ok(Some(thread))) => thread,
        Ok(Ok(None)) => return Err(unknown(&id)),
        Ok(Err(error)) => return Err(Error { message: error.sentence().into(), ..Error::internal_error() }),
        Err(_) => return Err(Error::internal_error()),
    };
    let (question, page) = Page::open(session, &arguments, &thread).ok_or_else(|| invalid(&no_question()))?;
    let (snapshot, root) = document(session, &thread);
    let token = request_token();
    let waits = arguments.wait || progress.is_some() || token.is_cancelled();
    let action = actions::find("follow-up").map_err(|error| invalid(&error))?.clone();
    let order = {
        let state = session.state();
        Order {
            job: new_job_id(),
            model: state.settings.model_for(&action.id).to_owned(),
            action,
            snapshot,
            selection: 0..0,
            subject: Some(thread.first.title.replace('`', "")),
            root,
            diagnostics: Vec::new(),
            prompt: Some(question),
            settings: state.settings.clone(),
            simulated: session.simulated(),
        }
    };
    let job = order.job.clone();
    let task = start(session.clone(), order, thread, page, token, progress);
    if !waits {
        return Ok(json!({ "job": job }));
    }
    let report = task.await.map_err(|_| Error::internal_error())?;
    Ok(result(&report))
}

/// The explanation that a document is: one of the server's own, or a file in the folder of explanations.
pub(super) fn explanation_of(session: &Session, uri: &Uri) -> Option<String> {
    if is_explanation(uri) {
        let id = uri.path().trim_start_matches('/').trim_end_matches(".md");
        return (!id.is_empty()).then(|| id.to_owned());
    }
    let path = uri.to_file_path().ok()?;
    let id = explanation::id_in(path.file_name()?.to_str()?)?;
    let (folder, ours) = (path.parent()?, session.paths.explanations());
    let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    (folder == ours || same(folder, &ours)).then(|| id.to_owned())
}

/// The document that a conversation is about, as the user sees it now; without a text if it is gone.
fn document(session: &Session, thread: &Thread) -> (Snapshot, Option<PathBuf>) {
    let uri: Option<Uri> = thread.first.uri.parse().ok();
    let open = uri.and_then(|uri| session.state().documents.get(&uri).map(Document::snapshot));
    let snapshot = open.unwrap_or_else(|| thread.document());
    let of_roots = || snapshot.path.as_deref().and_then(|path| session.state().roots.root_of(path));
    let root = thread.root(&snapshot).or_else(of_roots);
    (snapshot, root)
}

/// Where the conversation is read while the next question is answered.
struct Page {
    uri: Uri,
    range: Range,
    /// The question in the open document, or the place of the answer.
    track: Option<TrackId>,
    /// Whether the question stands there.
    is_written: bool,
    /// A plugin asked, which shows the stream itself.
    is_shown: bool,
}

impl Page {
    /// The question, and where its answer goes. `None` if there is no question.
    fn open(session: &Session, arguments: &FollowUpArguments, thread: &Thread) -> Option<(String, Self)> {
        let prompt = arguments.prompt.as_deref().map(str::trim).filter(|prompt| !prompt.is_empty());
        let mut state = session.state();
        let (encoding, is_shown) = (state.capabilities.encoding, state.capabilities.stream && prompt.is_some());
        let uri = arguments.uri.clone();
        let Some(document) = state.documents.get_mut(&uri).filter(|_| !is_explanation(&uri)) else {
            let page = Self { uri, range: Range::default(), track: None, is_written: false, is_shown };
            return Some((prompt?.to_owned(), page));
        };
        let text = document.text().to_string();
        let selected = arguments.range.map(|range| from_proto::span(document.text(), encoding, range));
        let selected = selected.and_then(|span| trimmed(&text, span));
        let written = selected.or_else(|| question(&text, &thread.explanation()));
        let (asked, span, is_written) = match (prompt, written) {
            (Some(prompt), _) => (prompt.to_owned(), text.len()..text.len(), false),
            (None, written) => {
                let span = written?;
                (text[span.clone()].to_owned(), span, true)
            }
        };
        let range = to_proto::range(document.text(), encoding, &span);
        let track = Some(document.track(span));
        Some((asked, Self { uri, range, track, is_written, is_shown }))
    }

    /// Brings a turn to where the conversation is read.
    async fn deliver(&self, session: &Arc<Session>, thread: &Thread, turn: Turn) {
        if self.grow(session, &turn).await {
            return;
        }
        let mut whole = thread.explanation();
        whole.turns.push(turn);
        if is_explanation(&self.uri) && session.state().capabilities.virtual_documents {
            let params = TextDocumentContentRefreshParams { uri: self.uri.clone() };
            // Who cannot ask for the text again has it in its stream.
            let _ = session.client.send_request::<TextDocumentContentRefreshRequest>(params).await;
            return;
        }
        if self.is_shown {
            if let Err(error) = show::write(session, &whole) {
                session.tell(MessageType::Warning, format!("Aside: {}", error.sentence()));
            }
            return;
        }
        show::show(session, &whole).await;
    }

    /// Puts a turn into the open document; whether it stands there.
    async fn grow(&self, session: &Arc<Session>, turn: &Turn) -> bool {
        let Some(track) = self.track else { return false };
        for late in 0..EAGER + PATIENT {
            let change = {
                let state = session.state();
                let Some(document) = state.documents.get(&self.uri) else { return false };
                let text = document.text().to_string();
                let asked = match document.tracked(track) {
                    Some(place) if self.is_written && !place.touched => Asked::Written(place.span),
                    Some(place) if self.is_written => Asked::Changed(place.span),
                    _ => Asked::Elsewhere,
                };
                Change {
                    target: Target::Document,
                    base: Current { text: document.text().clone(), version: Some(document.version()) },
                    edits: grow(&text, &asked, turn),
                    label: "Aside: follow up".to_owned(),
                }
            };
            match (Sending { uri: &self.uri, change: &change, create: false, confirm: None }).land(session).await {
                Landing::Landed => return true,
                Landing::Stale if late < EAGER => tokio::time::sleep(PAUSE * 2_u32.pow(late)).await,
                Landing::Stale => sending::rest(session, &self.uri).await,
                _ => return false,
            }
        }
        false
    }
}

/// A selection without the white space around it; `None` if nothing else is in it.
fn trimmed(text: &str, span: Span) -> Option<Span> {
    let inside = &text[span.clone()];
    let start = span.start + inside.len() - inside.trim_start().len();
    let length = inside.trim().len();
    // One character is what some editors' cursors are.
    (inside.trim().chars().count() > 1).then_some(start..start + length)
}

/// Starts the job's task. Whatever happens in it, the client hears of its end.
fn start(
    session: Arc<Session>,
    order: Order,
    thread: Thread,
    page: Page,
    token: CancellationToken,
    progress: Option<ProgressToken>,
) -> tokio::task::JoinHandle<Report> {
    let title = order.title();
    let registration = session.registry.register(&order.job, JobHandle { title: title.clone(), token: token.clone() });
    let mut channel = channel(&session, &order, title, progress);
    channel.work.uri = page.uri.clone();
    channel.work.range = page.range;
    session.status_due.notify_one();
    let tasks = session.jobs.clone();
    tasks.spawn(async move {
        let (feed, pump) = Feed::start(channel);
        let work = Box::pin(carry_out(&session, &order, &thread, &page, &feed, &token, registration));
        let report = whatever_happens(&order, &feed, work).await;
        {
            let mut state = session.state();
            state.tokens.retain(|_, job| *job != order.job);
            if let Some(track) = page.track {
                state.documents.untrack(&page.uri, track);
            }
        }
        tokio::select! {
            _ = pump => {}
            () = session.end.cancelled() => {}
        }
        report
    })
}

/// Answers the question and tells the client of it.
async fn carry_out(
    session: &Arc<Session>,
    order: &Order,
    thread: &Thread,
    page: &Page,
    feed: &Feed,
    token: &CancellationToken,
    registration: Registration,
) -> Report {
    let host = PageHost { session: session.clone(), feed: feed.clone() };
    let report = jobs::follow_up(&session.context(), order, thread, &host, token).await;
    drop(registration);
    session.state().tokens.retain(|_, job| *job != order.job);
    session.status_due.notify_one();
    tokio::select! {
        () = tell(session, &report) => {}
        () = session.end.cancelled() => {}
    }
    feed.end(&report);
    session.tell_of_ledger();
    let answer = report.explanation.as_ref().filter(|_| report.outcome == Outcome::Shown);
    if let Some(answer) = answer {
        let turn = Turn {
            question: order.prompt.clone().unwrap_or_default(),
            markdown: answer.markdown.clone(),
            model: answer.model.clone(),
            usage: answer.usage.clone(),
            simulated: answer.simulated,
            thinking: answer.thinking.clone(),
        };
        tokio::select! {
            () = page.deliver(session, thread, turn) => {}
            () = session.end.cancelled() => {}
        }
    }
    report
}

/// The editor, for a job that changes no code.
struct PageHost {
    session: Arc<Session>,
    feed: Feed,
}

impl Host for PageHost {
    fn event(&self, event: Event<'_>) {
        if let Event::Notice(text) = &event {
            self.session.tell(MessageType::Warning, format!("Aside: {text}"));
        }
        self.feed.event(&event);
    }

    fn selection(&self) -> Option<(Current, Span)> {
        None
    }

    fn file(&self, path: &Path) -> std::result::Result<Option<Current>, crate::error::Error> {
        file_of(&self.session, path)
    }

    fn apply<'a>(&'a self, _: &'a Change) -> BoxFuture<'a, Landing> {
        Box::pin(async { Landing::Refused("a follow-up changes no code".to_owned()) })
    }
}

fn not_ours(uri: &Uri) -> Error {
    invalid(
        &crate::error::Error::new(ErrorKind::Config, format!("{uri} is no explanation of Aside's."))
            .hint("Ask on in an explanation's file, or with the id that `aside.run` gave."),
    )
}

fn unknown(id: &str) -> Error {
    invalid(&crate::error::Error::new(ErrorKind::Config, format!("There is no explanation `{id}`.")))
}
