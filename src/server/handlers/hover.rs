//! `textDocument/hover`: the explanation of exactly this code, if there is one. Asks nobody, unless `hover.mode` is `ask`.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use lsp_types::{Contents, Hover, HoverParams, MarkupContent, MarkupKind, Uri};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::Result;

use super::super::backend::Backend;
use super::super::explained::{self, Explained};
use super::super::session::Session;
use super::super::{from_proto, to_proto};
use crate::actions::{Action, Applies, ResultForm};
use crate::config::{HoverMode, Settings};
use crate::error::Error;
use crate::jobs::{Change, Current, Event, Host, Landing, Order, Outcome, new_job_id, run};
use crate::output::explanation::Explanation;
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
    let (snapshot, offset, encoding, settings, markdown) = {
        let state = session.state();
        let Some(document) = state.documents.get(&uri) else { return Ok(None) };
        let encoding = state.capabilities.encoding;
        let offset = from_proto::offset(document.text(), encoding, at.position);
        (document.snapshot(), offset, encoding, state.settings.clone(), state.capabilities.markdown_hover)
    };
    if settings.hover.mode == HoverMode::Off {
        return Ok(None);
    }
    let known = explanations(session, &uri).await;
    let (text, span) = match explained::find(&known, &snapshot.text, offset) {
        Some((explained, span)) => (shortened(explained), span),
        None if settings.hover.mode == HoverMode::Ask => match ask(session, snapshot.clone(), offset, settings).await {
            Some(found) => found,
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    Ok(Some(Hover {
        contents: Contents::MarkupContent(MarkupContent { kind: if markdown { MarkupKind::Markdown } else { MarkupKind::PlainText }, value: text }),
        range: Some(to_proto::range(&snapshot.text, encoding, &span)),
    }))
}

/// The document's explanations, read from the ledger at the first hover.
async fn explanations(session: &Arc<Session>, uri: &Uri) -> Arc<Vec<Explained>> {
    if let Some(known) = session.state().explained.get(uri) {
        return known.clone();
    }
    let reader = session.clone();
    let wanted = uri.clone();
    let stored = tokio::task::spawn_blocking(move || explained::read(&reader.ledger, wanted.as_str())).await;
    let known = stored.unwrap_or_default();
    session.state().explained.entry(uri.clone()).or_insert_with(|| Arc::new(known)).clone()
}

/// The beginning of an explanation, and how to see the rest.
fn shortened(explained: &Explained) -> String {
    let lines: Vec<_> = explained.markdown.lines().collect();
    if lines.len() <= MAX_LINES {
        return explained.markdown.clone();
    }
    let mut text = lines[..MAX_LINES].join("\n");
    // A fence that the cut left open would swallow what comes behind it.
    let open = lines[..MAX_LINES].iter().filter(|line| line.trim_start().starts_with("```")).count() % 2 == 1;
    if open {
        text.push_str("\n```");
    }
    text + &format!("\n\n… the whole: `aside.showExplanation {}`", explained.id)
}

/// What the fast model is asked for. Not in the catalogue: nobody chooses it from a menu.
static HOVER: LazyLock<Action> = LazyLock::new(|| Action {
    id: "hover".into(),
    title: "explain".to_owned(),
    link: None,
    summary: "Two sentences about the code under the cursor.".to_owned(),
    kind: String::new(),
    result: ResultForm::Explanation,
    applies: Applies::Always,
    instruction: include_str!("../../actions/builtin/hover.md").to_owned(),
});

/// A hover request that was started, and how far it is.
#[derive(Clone)]
pub(in crate::server) struct Asking {
    uri: Uri,
    code: String,
    token: CancellationToken,
    progress: watch::Receiver<Answer>,
}

#[derive(Clone, Debug, Default)]
struct Answer {
    text: String,
    ended: bool,
}

/// Two sentences by the fast model. One request a place, and the last place wins.
async fn ask(
    session: &Arc<Session>,
    snapshot: Snapshot,
    offset: usize,
    settings: Arc<Settings>,
) -> Option<(String, Span)> {
    snapshot.check().ok()?;
    let around = snapshot.clone();
    let (span, name) = tokio::task::spawn_blocking(move || selection::resolve(&around, offset..offset)).await.ok()?;
    let code = snapshot.text.byte_slice(span.clone()).to_string();
    if code.trim().is_empty() {
        return None;
    }
    let mut progress = {
        let mut state = session.state();
        match &state.asking {
            Some(asking) if asking.uri == snapshot.uri && asking.code == code => asking.progress.clone(),
            other => {
                if let Some(asking) = other {
                    asking.token.cancel();
                }
                let (sender, progress) = watch::channel(Answer::default());
                let token = session.end.child_token();
                state.asking =
                    Some(Asking { uri: snapshot.uri.clone(), code, token: token.clone(), progress: progress.clone() });
                drop(state);
                start(session.clone(), snapshot, span.clone(), name, settings, token, sender);
                progress
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, progress.wait_for(|answer| answer.ended)).await;
    let answer = progress.borrow().clone();
    match (answer.ended, answer.text.trim()) {
        (_, "") => None,
        (true, text) => Some((text.to_owned(), span)),
        (false, text) => Some((format!("{text} …"), span)),
    }
}

fn start(
    session: Arc<Session>,
    snapshot: Snapshot,
    span: Span,
    name: Option<String>,
    settings: Arc<Settings>,
    token: CancellationToken,
    sender: watch::Sender<Answer>,
) {
    tokio::spawn(async move {
        let context = session.context();
        let root = {
            let state = session.state();
            snapshot.path.as_deref().and_then(|path| state.roots.root_of(path))
        };
        let order = Order {
            job: new_job_id(),
            action: &HOVER,
            snapshot,
            selection: span,
            subject: name,
            root,
            prompt: None,
            model: settings.fast_model.clone(),
            settings,
            simulated: session.simulated(),
        };
        let host = HoverHost(Mutex::new(sender));
        let report = run(&context, &order, &host, &token).await;
        super::run::remember(&session, &order, &report);
        if report.outcome == Outcome::Failed {
            // A hover is no place for errors, and it comes again; `asking` is cleared so that it may.
            tracing::warn!(job = report.job, "the hover's request failed: {}", report.sentence());
            session.state().asking = None;
        }
        host.0.lock().unwrap_or_else(PoisonError::into_inner).send_modify(|answer| answer.ended = true);
        session.status_due.notify_one();
    });
}

/// Takes text in; there is nothing to apply and nothing to show.
struct HoverHost(Mutex<watch::Sender<Answer>>);

impl Host for HoverHost {
    fn event(&self, event: Event<'_>) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Attempt(_) => sender.send_modify(|answer| answer.text.clear()),
            Event::Text(text) => sender.send_modify(|answer| answer.text.push_str(text)),
            _ => {}
        }
    }

    fn selection(&self) -> Option<(Current, Span)> {
        None
    }

    fn file(&self, _: &std::path::Path) -> std::result::Result<Option<Current>, Error> {
        Ok(None)
    }

    async fn apply(&self, _: &Change) -> Landing {
        Landing::Refused("a hover changes nothing".to_owned())
    }

    async fn show(&self, _: &Explanation) {}
}
