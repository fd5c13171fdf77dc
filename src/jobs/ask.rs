//! One request of a run: its place in line, the request itself, and what it took.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::bill::Seen;
use super::host::{Event, Host};
use super::run::{Run, Stop};
use crate::actions::ResultForm;
use crate::claude::client::{Answer, Failure, Progress};
use crate::claude::types::{MessageRequest, StopReason};
use crate::claude::usage::{Tokens, cost};
use crate::error::{Error, ErrorKind};
use crate::ledger::{Attempt, UsageReport};

impl<H: Host> Run<'_, H> {
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
pub(super) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "Writing to the ledger failed.")))
}
