//! One request of a run: its turn, its money, the request itself, and what it took.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::bill::Seen;
use super::connection::Connection;
use super::flight::{self, Claim, Turn};
use super::host::{Event, Queue};
use super::life::{subject, warm_until};
use super::money::Held;
use super::pace::Pass;
use super::places::{Lane, Place, Ticket};
use super::run::{Run, Stop, text_in};
use super::seam::{self, Joint};
use super::sending::Sending;
use crate::actions::ResultForm;
use crate::claude::client::{Answer, Failure, Progress};
use crate::claude::optional::Optional;
use crate::claude::types::{ContentBlock, Message, MessageRequest, Role, StopReason};
use crate::claude::usage::{Tokens, cost};
use crate::config::CacheLayout;
use crate::error::{Error, ErrorKind};
use crate::ledger::{Attempt, UsageReport};
use crate::prompt::Plan;
use crate::prompt::diagnosis::{MissReason, Subject};

/// How often it is looked whether another second of a wait is over.
const TICK: Duration = Duration::from_millis(200);

/// How often a paused turn is sent back.
const MOST_PAUSES: u32 = 8;

/// How a request ended, for the ledger.
pub(super) struct Ended {
    pub(super) tokens: Tokens,
    pub(super) request_id: Option<String>,
    pub(super) outcome: &'static str,
    pub(super) partial: bool,
}

/// A request's place among those that run, and its claim to go first with what it writes to the cache.
pub(super) struct Start {
    /// Given back when dropped.
    _place: Place,
    pub(super) claim: Claim,
}

impl Run<'_> {
    /// The way to the API, and what other processes know of its cache.
    pub(super) async fn connect(&self) -> Result<Arc<Connection>, Stop> {
        let connection = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Err(Stop::Cancelled),
            connection = self.context.connections.get(&self.order.settings) => connection?,
        };
        self.context.cache.catch_up(&connection, &self.context.ledger, &self.context.planner).await;
        Ok(connection)
    }

    /// Sends one request, which begins as the plan does, and writes down what it took, however it ends.
    pub(super) async fn ask(&mut self, plan: &Plan, request: &MessageRequest) -> Result<Answer, Stop> {
        self.ask_behind(plan, request, "").await
    }

    /// The same for a request whose answer goes on where `before` ends, which the host has and keeps.
    pub(super) async fn ask_behind(
        &mut self,
        plan: &Plan,
        request: &MessageRequest,
        before: &str,
    ) -> Result<Answer, Stop> {
        let connection = self.connect().await?;
        self.ask_for_models(&connection);
        let (mut start, pass) = self.turn_at_pace(&connection, plan, request).await?;
        if start.claim.crowded && self.order.settings.cache.prewarm {
            // Several wait for the same prefix: written on its own it is there for all of them at once, and none depends
            // on what becomes of another's answer.
            self.warm(&connection, plan, &mut start, true).await?;
        }
        let mut request = request.clone();
        request.diagnostics = self.context.cache.question(self.order);
        connection.simplify(&mut request);
        let mut paused = Paused::default();
        loop {
            let mut held = self.afford(plan, &request).await?;
            let way = Way { connection: &connection, plan, pass: &pass, before, paused: &paused };
            match self.send(&way, &request, &mut start, &mut held).await {
                None => return Err(Stop::Cancelled),
                Some(Err(failure)) => {
                    let refused = connection.refused(&request, &failure.error);
                    // A conversation has another prompt without tools.
                    if refused.is_empty() || refused.contains(&Optional::Tools) {
                        return Err(self.failed(&connection, failure, before, &paused.text()).await);
                    }
                    // Each time there is less in it that could be refused.
                    connection.simplify(&mut request);
                    let words = refused.into_iter().map(|field| field.word(connection.client().host()));
                    self.notes.extend(words.filter(|word| self.context.connections.is_news(word)));
                }
                Some(Ok(answer)) => {
                    self.warm_until = warm_until(plan, &self.context.planner, Timestamp::now());
                    let answer = self.accepted(answer)?;
                    if let Some(answer) = paused.take_in(answer, &mut request) {
                        return Ok(answer);
                    }
                }
            }
        }
    }

    /// Sends a request to its end; none when it was cancelled.
    async fn send(
        &mut self,
        way: &Way<'_>,
        request: &MessageRequest,
        start: &mut Start,
        held: &mut Option<Held>,
    ) -> Option<Result<Answer, Failure>> {
        let Way { connection, plan, pass, .. } = *way;
        let seen = Mutex::new(Seen::default());
        let waits = Mutex::new(None::<Wait>);
        let (started, clock) = (Timestamp::now(), Instant::now());
        let base = self.attempts;
        let sealed = connection.seal(request, &self.order.settings);
        self.withheld.extend(sealed.withheld());
        let (host, model, reviewer) = (self.host, &*self.model, self.reviewer.clone());
        let mut sending = self.sending(connection, plan, start.claim.take());
        let mut joint = way.joint();
        let mut listen = |progress: Progress<'_>| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.take_in(&progress);
            match progress {
                Progress::Sent { attempt } => {
                    sending.sent(Timestamp::now());
                    *waits.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    let shown = way.shown();
                    if attempt > 1 || shown.is_empty() {
                        host.event(Event::Attempt(base + attempt));
                        joint = way.joint();
                        if !shown.is_empty() {
                            host.event(Event::Text(&shown));
                        }
                    }
                }
                Progress::Waiting { delay, reason, .. } => {
                    sending.failed();
                    sending.land();
                    if reason.kind == ErrorKind::RateLimit {
                        pass.refused(delay);
                    }
                    *waits.lock().unwrap_or_else(PoisonError::into_inner) = Some(Wait::new(delay, reason));
                    host.event(Event::Waiting { delay, reason });
                }
                Progress::Text(text) => match &mut joint {
                    None => host.event(Event::Text(text)),
                    Some(joint) => {
                        if let Some(text) = joint.push(text) {
                            host.event(Event::Text(&text));
                        }
                    }
                },
                Progress::Thinking(text) => host.event(Event::Thinking(text)),
                // Under the default display nothing follows until the first words.
                Progress::BlockStarted(ContentBlock::Thinking { .. } | ContentBlock::RedactedThinking { .. }) => {
                    host.event(Event::Thinking(""));
                }
                // A finding is shown as soon as it is written.
                Progress::BlockFinished(block) => {
                    if let Some(finding) = reviewer.as_ref().and_then(|reviewer| reviewer.watch(block)) {
                        host.event(Event::Finding(&finding));
                    }
                }
                Progress::Usage(_) | Progress::Started { .. } => {
                    if let Progress::Started { message, rate, .. } = progress {
                        pass.begun(rate);
                        seen.miss = sending.began(message, Timestamp::now());
                    }
                    let usage = UsageReport::new(&model.id, &seen.tokens, cost(model, &seen.tokens, false));
                    let usage = usage.request_id(seen.request_id.clone()).miss_reason(seen.miss.map(word));
                    host.event(Event::Usage(&usage.partial(true)));
                }
                _ => {}
            }
        };
        let ended = {
            let mut stream = pin!(connection.stream(&sealed, &mut listen));
            loop {
                tokio::select! {
                    biased;
                    () = self.cancel.cancelled() => break None,
                    ended = &mut stream => break Some(ended),
                    () = tokio::time::sleep(TICK) => {
                        if let Some(wait) = &mut *waits.lock().unwrap_or_else(PoisonError::into_inner)
                            && let Some(delay) = wait.count_down()
                        {
                            host.event(Event::Waiting { delay, reason: &wait.reason });
                        }
                    }
                }
            }
        };
        if let Some(rest) = joint.and_then(|mut joint| joint.end()).filter(|_| is_kept(ended.as_ref())) {
            host.event(Event::Text(&rest));
        }
        sending.settled().await;
        let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.attempts += seen.attempts.max(1);
        let altered = ended.iter().flatten().flat_map(|answer| sealed.altered(&answer.message)).collect::<Vec<_>>();
        if !altered.is_empty() {
            self.notes.push(format!(
                "The model altered a placeholder of a secret: {} in its answer stands for nothing.",
                altered.join(", ")
            ));
        }
        let how = how_it_ended(ended.as_ref(), &seen);
        self.settle(request, &seen, how, started, clock, held.take()).await;
        ended
    }

    /// The cache's bookkeeping for a request.
    pub(super) fn sending<'a>(&'a self, connection: &'a Connection, plan: &'a Plan, claim: Claim) -> Sending<'a> {
        let account = connection.is_shared().then(|| connection.account());
        let minimum = self.cache_minimum().filter(|_| !connection.lacks(Optional::Caching));
        Sending::new(self.context, plan, self.subject(), minimum, account, claim)
    }

    /// What the run is about.
    pub(super) fn subject(&self) -> Subject<'_> {
        subject(self.order)
    }

    /// The least tokens that are cached; none where the user wants no caching.
    pub(super) fn cache_minimum(&self) -> Option<u64> {
        (self.order.settings.cache.layout != CacheLayout::Off).then_some(self.model.cache_minimum)
    }

    /// Waits for a free place, and while another request is about to write the same prefix to the cache, for that one's
    /// answer to begin.
    pub(super) async fn turn(&self, plan: &Plan) -> Result<Start, Stop> {
        let deadline = tokio::time::Instant::now() + flight::PATIENCE;
        let ticket = self.context.places.ticket(self.lane());
        let mut before = None;
        loop {
            let place = self.place_in_line(&ticket).await?;
            let (cache, planner) = (&self.context.cache, &self.context.planner);
            let late = tokio::time::Instant::now() >= deadline;
            let cold = if late { Vec::new() } else { cache.cold(plan, planner, Timestamp::now()) };
            match cache.flights.enter(&cold, before.as_ref()) {
                Turn::Go(claim) => return Ok(Start { _place: place, claim }),
                Turn::Wait(follower) => {
                    // Who waits holds nothing that another needs.
                    drop(place);
                    self.host.event(Event::Queued(Queue::Cache));
                    tokio::select! {
                        biased;
                        () = self.cancel.cancelled() => return Err(Stop::Cancelled),
                        () = follower.landed.cancelled() => {}
                        () = tokio::time::sleep_until(deadline) => {}
                    }
                    before = Some(follower);
                }
            }
        }
    }

    /// Waits until fewer than `max_running` requests run.
    async fn place_in_line(&self, ticket: &Ticket) -> Result<Place, Stop> {
        if let Some(place) = self.context.places.try_enter() {
            return Ok(place);
        }
        self.host.event(Event::Queued(Queue::Place));
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            place = self.context.places.enter(ticket) => Ok(place),
        }
    }

    /// With whom this run's requests stand in line.
    fn lane(&self) -> Lane {
        Lane {
            urgency: self.host.urgency(),
            action: self.order.action.id.to_string(),
            document: self.order.snapshot.uri.to_string(),
        }
    }

    /// A refusal is an answer by its status and a failure by its content.
    fn accepted(&self, answer: Answer) -> Result<Answer, Stop> {
        if answer.message.stop_reason == Some(StopReason::Refusal) {
            let details = answer.message.stop_details.unwrap_or_default();
            let why = details.explanation.or(details.category).map(|why| format!(": {why}")).unwrap_or_default();
            // The other model's answer comes in its place, but its findings would stand beside what was found.
            if self.fallback().is_none() || self.reviewer.is_some() {
                self.host.event(Event::Discarded);
            }
            let why = why.trim_end_matches('.');
            return Err(Error::new(ErrorKind::Refused, format!("The model declined to answer{why}."))
                .hint("Select less, put it differently, or name a `fallback_model`.")
                .request_id(answer.request_id)
                .into());
        }
        Ok(answer)
    }

    /// After a text stream breaks, an explanation keeps what came: `paused`, and what the last request gave. Where it goes
    /// on from a part that is there `before`, whoever has that part takes the rest.
    async fn failed(&mut self, connection: &Arc<Connection>, failure: Failure, before: &str, paused: &str) -> Stop {
        if failure.error.kind == ErrorKind::Credentials {
            self.context.connections.forget(connection).await;
        }
        let came = format!("{paused}{}", failure.partial.map(|partial| partial.text).unwrap_or_default());
        if !before.is_empty() {
            self.came = Some(came);
        } else if matches!(self.order.action.result, ResultForm::Explanation | ResultForm::Answer)
            && !came.trim().is_empty()
        {
            self.notes.push(format!("The answer broke off: {}", failure.error.sentence()));
            self.explanation = Some(self.document(&came));
        }
        Stop::Failed(self.with_models(connection, failure.error))
    }

    /// Adds a request to the bill and to the ledger, with a row for each attempt, and gives back what was
    /// reserved for it.
    pub(super) async fn settle(
        &mut self,
        request: &MessageRequest,
        seen: &Seen,
        ended: Ended,
        started: Timestamp,
        clock: Instant,
        held: Option<Held>,
    ) {
        let mut attempts: Vec<_> = seen
            .broken
            .iter()
            .map(|broken| {
                let how = Ended {
                    tokens: broken.tokens,
                    request_id: broken.request_id.clone(),
                    outcome: broken.kind.as_str(),
                    partial: broken.begun,
                };
                Attempt {
                    started: broken.sent,
                    duration_ms: millis(broken.took),
                    time_to_first_token_ms: broken.first_token.map(millis),
                    ..self.attempt(request, how, broken.miss)
                }
            })
            .collect();
        // What was cancelled before it was sent was never sent.
        let (started, clock) = seen.sent.unwrap_or((started, clock));
        attempts.push(Attempt {
            started,
            duration_ms: millis(clock.elapsed()),
            time_to_first_token_ms: seen.first_token.map(millis),
            unreported_usd: seen.unreported_usd(&self.model).filter(|_| ended.partial),
            ..self.attempt(request, ended, seen.miss)
        });
        for attempt in &attempts {
            tracing::debug!(
                job = attempt.job,
                request = attempt.request_id.as_deref().unwrap_or_default(),
                outcome = attempt.outcome,
                duration_ms = attempt.duration_ms,
                first_token_ms = attempt.time_to_first_token_ms,
                input = attempt.tokens.total_input(),
                cache_read = attempt.tokens.cache_read,
                output = attempt.tokens.output,
                "a request ended"
            );
            self.bill.add(attempt);
            self.context.session.lock().unwrap_or_else(PoisonError::into_inner).add(attempt);
        }
        if let Some(reason) = seen.miss {
            self.context.cache.missed(&self.order.job, reason);
        }
        let ledger = self.context.ledger.clone();
        let record = move || {
            attempts.iter().try_for_each(|attempt| ledger.record(attempt))?;
            // In this order: for a moment the money counts twice, and never not at all.
            held.map_or(Ok(Vec::new()), Held::settle)
        };
        match on_blocking_thread(record).await {
            Ok(spent) => self.warn_of_budget(&spent),
            Err(error) => {
                tracing::warn!(job = self.order.job, "the ledger did not take a row: {error}");
                self.notes.push(format!("What this cost could not be written down: {}", error.sentence()));
            }
        }
    }

    /// One attempt of a request, at the prices of its model.
    fn attempt(&self, request: &MessageRequest, ended: Ended, miss: Option<MissReason>) -> Attempt {
        let Ended { tokens, request_id, outcome, partial } = ended;
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
            unreported_usd: None,
            started: Timestamp::now(),
            duration_ms: 0,
            time_to_first_token_ms: None,
            outcome: outcome.to_owned(),
            miss_reason: miss.map(word),
            partial,
            simulated: self.order.simulated,
            batch: false,
        }
    }
}

/// Whether the text of a request that ended so is kept: what came before a break is, so it is told as well.
fn is_kept(ended: Option<&Result<Answer, Failure>>) -> bool {
    match ended {
        Some(Ok(_)) => true,
        Some(Err(failure)) => failure.partial.is_some(),
        None => false,
    }
}

/// How a request ended, for the ledger; none is a cancelled one.
fn how_it_ended(ended: Option<&Result<Answer, Failure>>, seen: &Seen) -> Ended {
    let cut =
        |outcome, request_id: Option<String>| Ended { tokens: seen.tokens, request_id, outcome, partial: seen.begun };
    match ended {
        Some(Ok(answer)) => {
            Ended { tokens: answer.tokens, request_id: answer.request_id.clone(), outcome: "ok", partial: false }
        }
        Some(Err(failure)) => {
            let id = seen.request_id.clone().or_else(|| failure.error.request_id.clone());
            cut(failure.error.kind.as_str(), id)
        }
        None => cut("cancelled", seen.request_id.clone()),
    }
}

/// A wait for the next attempt.
struct Wait {
    until: Instant,
    reason: Error,
    /// The seconds that were said to be left.
    said: u64,
}

impl Wait {
    fn new(delay: Duration, reason: &Error) -> Self {
        Self { until: Instant::now() + delay, reason: reason.clone(), said: seconds(delay) }
    }

    /// What is left, when it is a second less than was said.
    fn count_down(&mut self) -> Option<Duration> {
        let left = seconds(self.until.saturating_duration_since(Instant::now()));
        (0 < left && left < self.said).then(|| {
            self.said = left;
            Duration::from_secs(left)
        })
    }
}

/// Seconds that have begun.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// How a request goes out.
struct Way<'a> {
    connection: &'a Connection,
    plan: &'a Plan,
    pass: &'a Pass,
    /// What its answer goes on from: a part that was cut, and what came before a pause.
    before: &'a str,
    paused: &'a Paused,
}

impl Way<'_> {
    /// What the host has of the answer already.
    fn shown(&self) -> String {
        let more = self.paused.text();
        format!("{}{}", self.before, if self.before.is_empty() { &more } else { seam::behind(self.before, &more) })
    }

    /// How the text that comes is joined to what was cut; behind a pause it goes on at the very character.
    fn joint(&self) -> Option<Joint> {
        (!self.before.is_empty() && self.paused.rounds == 0).then(|| Joint::new(self.before))
    }
}

/// The parts of an answer that the server paused.
#[derive(Default)]
struct Paused {
    rounds: u32,
    content: Vec<ContentBlock>,
    tokens: Option<Tokens>,
}

impl Paused {
    /// Takes in an answer: gives it back when it is whole, with what came before; else the request asks for the rest.
    fn take_in(&mut self, mut answer: Answer, request: &mut MessageRequest) -> Option<Answer> {
        let is_empty = |block: &ContentBlock| matches!(block, ContentBlock::Text { text, .. } if text.is_empty());
        let is_paused = answer.message.stop_reason == Some(StopReason::PauseTurn) && self.rounds < MOST_PAUSES;
        let mut content = std::mem::take(&mut answer.message.content);
        let sent_back: Vec<ContentBlock> = content.iter().filter(|block| !is_empty(block)).cloned().collect();
        self.content.append(&mut content);
        self.tokens.get_or_insert(answer.tokens);
        if is_paused && !sent_back.is_empty() {
            self.rounds += 1;
            match request.messages.last_mut() {
                Some(last) if last.role == Role::Assistant => last.content.extend(sent_back),
                _ => request.messages.push(Message { role: Role::Assistant, content: sent_back }),
            }
            return None;
        }
        answer.message.content = std::mem::take(&mut self.content);
        answer.tokens = self.tokens.take().unwrap_or(answer.tokens);
        Some(answer)
    }

    fn text(&self) -> String {
        text_in(&self.content)
    }
}

fn word(reason: MissReason) -> String {
    reason.as_str().to_owned()
}

pub(super) fn millis(duration: std::time::Duration) -> u64 {
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
