//! The run itself: plan, ask, read the answer, land the edit or show the explanation, and write down what it cost.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures::FutureExt as _;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::bill::{Bill, Seen};
use super::connection::Connections;
use super::edit::{self, Step};
use super::host::{Event, Host};
use super::order::Order;
use super::report::{Outcome, Report};
use crate::actions::ResultForm;
use crate::claude::client::{Answer, Failure, Progress};
use crate::claude::models::{self, Model};
use crate::claude::types::{ContentBlock, Message, MessageRequest, Role, StopReason};
use crate::claude::usage::{Tokens, cost};
use crate::error::{Error, ErrorKind};
use crate::ledger::{Attempt, Ledger, StoredExplanation, Totals, UsageReport};
use crate::output::explanation::Explanation;
use crate::prompt::{self, Plan};
use crate::workspace::roots::relative;
use crate::workspace::test_files::TestPlace;

/// What runs share.
pub struct Context {
    /// The way to the API.
    pub connections: Arc<Connections>,
    /// Where costs and explanations are written down.
    pub ledger: Ledger,
    /// The requests that may run at once; waiting is first come, first served.
    pub limit: Arc<Semaphore>,
    /// What all runs of this process took.
    pub session: Arc<Mutex<Totals>>,
}

/// Runs an order to its end, which a defect of Aside's own is as well. Dropping the future or cancelling the token ends its
/// HTTP request.
pub async fn run<H: Host>(context: &Context, order: &Order, host: &H, cancel: &CancellationToken) -> Report {
    let report =
        AssertUnwindSafe(run_to_end(context, order, host, cancel)).catch_unwind().await.unwrap_or_else(|panic| {
            tracing::error!(job = order.job, "a job panicked: {}", panic_message(panic.as_ref()));
            Report::defect(order)
        });
    tracing::info!(job = report.job, action = report.action, outcome = report.outcome.as_str(), "the job ended");
    report
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)")
}

async fn run_to_end<H: Host>(context: &Context, order: &Order, host: &H, cancel: &CancellationToken) -> Report {
    let mut run = Run {
        context,
        order,
        host,
        cancel,
        model: models::lookup(&order.model),
        bill: Bill::default(),
        attempts: 0,
        asked: Vec::new(),
        notes: Vec::new(),
        edits: Vec::new(),
        conflict: None,
        explanation: None,
        reason: None,
    };
    let (outcome, error) = match run.steps().await {
        Ok(outcome) => (outcome, None),
        Err(Stop::Cancelled) => (Outcome::Cancelled, None),
        Err(Stop::Failed(error)) => (Outcome::Failed, Some(error)),
    };
    if let Some(error) = &error {
        tracing::warn!(job = order.job, action = %order.action.id, kind = %error.kind, "the action failed");
    }
    if let Some(explanation) = run.explanation.take() {
        run.explanation = Some(run.keep(explanation, outcome).await);
    }
    Report {
        job: order.job.clone(),
        action: order.action.id.to_string(),
        outcome,
        reason: run.reason,
        error,
        usage: run.bill.report(&run.model),
        explanation: run.explanation,
        edits: run.edits,
        conflict: run.conflict,
        notes: run.notes,
        model: run.model.id.clone(),
        simulated: order.simulated,
    }
}

/// What would be sent for an order, without sending it.
pub fn plan<H: Host>(order: &Order, host: &H) -> Result<Plan, Error> {
    let place = match order.action.result {
        ResultForm::Tests => Some(edit::place_for_tests(order)?),
        _ => None,
    };
    plan_for(order, host, &models::lookup(&order.model), place.as_ref())
}

fn plan_for<H: Host>(order: &Order, host: &H, model: &Model, place: Option<&TestPlace>) -> Result<Plan, Error> {
    let text = order.snapshot.text.to_string();
    let path = order.shown_path();
    let rules = match &order.snapshot.path {
        Some(file) => prompt::rules(order.root.as_deref(), file),
        None => Vec::new(),
    };
    let tests = match place {
        Some(place) => Some(prompt::TestTarget {
            path: relative(&place.path, order.root.as_deref().unwrap_or(Path::new(""))),
            framework: place.framework.to_owned(),
            existing: if place.inline { None } else { host.file(&place.path)?.map(|file| file.text.to_string()) },
            inline: place.inline,
            import_hint: place.import_hint.clone(),
        }),
        None => None,
    };
    prompt::plan(&prompt::Input {
        action: order.action,
        settings: &order.settings,
        model,
        language: order.snapshot.language,
        path: &path,
        text: &text,
        selection: order.selection.clone(),
        rules: &rules,
        prompt: order.prompt.as_deref(),
        tests: tests.as_ref(),
    })
}

/// Why a run ends before its end.
pub(super) enum Stop {
    Cancelled,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A run that is under way.
pub(super) struct Run<'a, H> {
    context: &'a Context,
    pub(super) order: &'a Order,
    pub(super) host: &'a H,
    pub(super) cancel: &'a CancellationToken,
    model: Cow<'static, Model>,
    bill: Bill,
    attempts: u32,
    asked: Vec<Message>,
    pub(super) notes: Vec<String>,
    pub(super) edits: Vec<super::report::FileEdit>,
    pub(super) conflict: Option<String>,
    pub(super) explanation: Option<Explanation>,
    pub(super) reason: Option<String>,
}

impl<H: Host> Run<'_, H> {
    async fn steps(&mut self) -> Result<Outcome, Stop> {
        let order = self.order;
        let place = match order.action.result {
            ResultForm::Tests => Some(edit::place_for_tests(order)?),
            _ => None,
        };
        // A large file takes a while to parse.
        let plan = tokio::task::block_in_place(|| plan_for(order, self.host, &self.model, place.as_ref()))?;
        self.notes.extend(plan.notes.iter().cloned());
        self.asked.clone_from(&plan.request.messages);
        let answer = self.ask(&plan.request).await?;
        match order.action.result {
            ResultForm::Edit => self.land(&plan, answer, Step::Selection).await,
            ResultForm::Tests => match place {
                Some(place) => self.land(&plan, answer, Step::Tests(place)).await,
                None => Err(Error::new(ErrorKind::Internal, "No place for the tests was looked up.").into()),
            },
            _ => self.explain(&answer),
        }
    }

    /// An answer to read: shown whole, also when it was cut short at the limit.
    fn explain(&mut self, answer: &Answer) -> Result<Outcome, Stop> {
        let text = text_of(answer);
        if text.trim().is_empty() {
            return Err(Error::new(ErrorKind::BadAnswer, "The model answered without any text.")
                .hint("Run the action again; if it happens again, another `model` may help.")
                .request_id(answer.request_id.clone())
                .into());
        }
        if answer.message.stop_reason == Some(StopReason::MaxTokens) {
            self.notes.push(format!(
                "The explanation reached the limit of {} tokens and ends early; raise `max_output_tokens`.",
                self.order.settings.max_output_tokens
            ));
        }
        self.explanation = Some(self.document(&text));
        Ok(Outcome::Shown)
    }

    /// A document to read, around Markdown text.
    pub(super) fn document(&self, markdown: &str) -> Explanation {
        Explanation {
            id: self.order.job.clone(),
            action: self.order.title(),
            subject: String::new(),
            place: self.order.place(),
            markdown: markdown.to_owned(),
            model: self.model.id.clone(),
            usage: self.bill.report(&self.model).map(|usage| usage.line()).unwrap_or_default(),
            simulated: self.order.simulated,
        }
    }

    /// Writes the document down so that any process can show it later. A ledger that can't is no reason to lose the answer.
    async fn keep(&mut self, explanation: Explanation, outcome: Outcome) -> Explanation {
        let stored = self.stored(&explanation, outcome);
        let ledger = self.context.ledger.clone();
        if let Err(error) = on_blocking_thread(move || ledger.save(&stored)).await {
            self.notes.push(format!("The explanation could not be written down for later: {}", error.sentence()));
        }
        explanation
    }

    fn stored(&self, explanation: &Explanation, outcome: Outcome) -> StoredExplanation {
        let order = self.order;
        let (first, last) = order.lines();
        let line = |line: usize| u32::try_from(line - 1).unwrap_or(u32::MAX);
        StoredExplanation {
            id: explanation.id.clone(),
            job: order.job.clone(),
            action: order.action.id.to_string(),
            uri: order.snapshot.uri.to_string(),
            path: order.snapshot.path.is_some().then(|| order.shown_path()),
            language: order.snapshot.language.id.to_owned(),
            title: explanation.title(),
            // A kept edit and an answer that broke off can be read, but explain no code to whoever hovers over it.
            code: if outcome == Outcome::Shown { order.selected() } else { String::new() },
            code_start_line: line(first),
            code_end_line: line(last),
            markdown: explanation.markdown.clone(),
            messages: self.conversation(&explanation.markdown),
            model: self.model.id.clone(),
            tokens: self.bill.tokens,
            cost_usd: self.bill.priced.then_some(self.bill.usd),
            created: jiff::Timestamp::now(),
            simulated: order.simulated,
        }
    }

    /// What was said, so that a conversation can go on from it.
    fn conversation(&self, answer: &str) -> String {
        let mut messages = self.asked.clone();
        messages.push(Message { role: Role::Assistant, content: vec![ContentBlock::text(answer)] });
        serde_json::to_string(&messages).unwrap_or_default()
    }

    /// Sends one request and writes down what it took, however it ends.
    pub(super) async fn ask(&mut self, request: &MessageRequest) -> Result<Answer, Stop> {
        let _place = self.place_in_line().await?;
        let connection = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Err(Stop::Cancelled),
            connection = self.context.connections.get(&self.order.settings) => connection?,
        };
        let seen = Mutex::new(Seen::default());
        let started = jiff::Timestamp::now();
        let clock = Instant::now();
        let base = self.attempts;
        let (host, model) = (self.host, &*self.model);
        let mut listen = |progress: Progress<'_>| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.take_in(&progress, clock);
            match progress {
                Progress::Sent { attempt } => {
                    seen.attempts = attempt;
                    host.event(Event::Attempt(base + attempt));
                }
                Progress::Waiting { delay, reason, .. } => host.event(Event::Waiting { delay, reason }),
                Progress::Text(text) => host.event(Event::Text(text)),
                Progress::Thinking(text) => host.event(Event::Thinking(text)),
                Progress::Usage(_) | Progress::Started { .. } => {
                    let usage = UsageReport::new(&model.id, &seen.tokens, cost(model, &seen.tokens, false));
                    host.event(Event::Usage(&usage.request_id(seen.request_id.clone()).partial(true)));
                }
                _ => {}
            }
        };
        let ended = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            ended = connection.client().stream(request, &mut listen) => Some(ended),
        };
        let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.attempts += seen.attempts.max(1);
        self.settle(request, &seen, ended.as_ref(), started, clock).await;
        match ended {
            None => Err(Stop::Cancelled),
            Some(Err(failure)) => {
                if failure.error.kind == ErrorKind::Credentials {
                    self.context.connections.forget(&connection).await;
                }
                Err(self.failed(failure))
            }
            Some(Ok(answer)) => Self::accepted(answer),
        }
    }

    /// Waits until fewer than `max_running` requests run.
    async fn place_in_line(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Stop> {
        if let Ok(permit) = self.context.limit.clone().try_acquire_owned() {
            return Ok(permit);
        }
        self.host.event(Event::Queued);
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            permit = self.context.limit.clone().acquire_owned() =>
                permit.map_err(|_| Error::new(ErrorKind::Internal, "The queue was closed.").into()),
        }
    }

    /// A refusal is an answer by its status and a failure by its content.
    fn accepted(answer: Answer) -> Result<Answer, Stop> {
        if answer.message.stop_reason == Some(StopReason::Refusal) {
            let details = answer.message.stop_details.unwrap_or_default();
            let why = details.explanation.or(details.category).map(|why| format!(": {why}")).unwrap_or_default();
            return Err(Error::new(ErrorKind::Refused, format!("The model declined to answer{why}."))
                .hint("Select less, put it differently, or choose another `model`.")
                .request_id(answer.request_id)
                .into());
        }
        Ok(answer)
    }

    /// After a text stream breaks, an explanation keeps what came.
    fn failed(&mut self, failure: Failure) -> Stop {
        if let Some(partial) = failure.partial
            && self.order.action.result == ResultForm::Explanation
            && !partial.text.trim().is_empty()
        {
            self.notes.push(format!("The answer broke off: {}", failure.error.sentence()));
            self.explanation = Some(self.document(&partial.text));
        }
        Stop::Failed(failure.error)
    }

    /// Adds a request to the bill and to the ledger, with a row for each attempt that was billed.
    async fn settle(
        &mut self,
        request: &MessageRequest,
        seen: &Seen,
        ended: Option<&Result<Answer, Failure>>,
        started: jiff::Timestamp,
        clock: Instant,
    ) {
        let (tokens, request_id, outcome, partial) = match ended {
            Some(Ok(answer)) => (answer.tokens, answer.request_id.clone(), "ok", false),
            Some(Err(failure)) => {
                let id = seen.request_id.clone().or_else(|| failure.error.request_id.clone());
                (seen.tokens, id, failure.error.kind.as_str(), seen.begun)
            }
            None => (seen.tokens, seen.request_id.clone(), "cancelled", seen.begun),
        };
        let mut attempts: Vec<_> = seen
            .broken
            .iter()
            .map(|(tokens, id)| self.attempt(request, *tokens, id.clone(), "network", true))
            .collect();
        attempts.push(self.attempt(request, tokens, request_id, outcome, partial));
        for attempt in &mut attempts {
            attempt.started = started;
            attempt.duration_ms = millis(clock.elapsed());
            self.bill.add(attempt);
            self.context.session.lock().unwrap_or_else(PoisonError::into_inner).add(attempt);
        }
        if let Some(last) = attempts.last_mut() {
            last.time_to_first_token_ms = seen.first_token.map(millis);
        }
        let ledger = self.context.ledger.clone();
        let record = move || attempts.iter().try_for_each(|attempt| ledger.record(attempt));
        if let Err(error) = on_blocking_thread(record).await {
            tracing::warn!(job = self.order.job, "the ledger did not take a row: {error}");
            self.notes.push(format!("What this cost could not be written down: {}", error.sentence()));
        }
    }

    /// One attempt of a request, at the prices of its model.
    fn attempt(
        &self,
        request: &MessageRequest,
        tokens: Tokens,
        request_id: Option<String>,
        outcome: &str,
        partial: bool,
    ) -> Attempt {
        let price = cost(&self.model, &tokens, false);
        Attempt {
            job: self.order.job.clone(),
            action: self.order.action.id.to_string(),
            language: self.order.snapshot.language.id.to_owned(),
            project: self.order.root.as_ref().map(|root| root.display().to_string()),
            model: request.model.clone(),
            request_id,
            tokens,
            prices: self.model.prices_for(tokens.total_input()),
            cost_usd: price.map(|cost| cost.usd),
            saved_usd: price.map(|cost| cost.saved()),
            started: jiff::Timestamp::now(),
            duration_ms: 0,
            time_to_first_token_ms: None,
            outcome: outcome.to_owned(),
            miss_reason: None,
            partial,
            simulated: self.order.simulated,
            batch: false,
        }
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `SQLite` waits for locks and disks, which no task of the runtime may.
async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "Writing to the ledger failed.")))
}

/// The text of an answer; thinking and other blocks are not part of it.
pub(super) fn text_of(answer: &Answer) -> String {
    let blocks = answer.message.content.iter();
    blocks
        .filter_map(|block| match block {
            ContentBlock::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}
