//! A running job's way to the client: progress in one line, and the whole stream for clients that ask for it.
//!
//! The job sends a part of the stream at once when the client has read all there was. Else it puts the part into an outbox
//! and goes on; one task a job empties that as fast as the client reads. A slow client gets fewer, longer parts: no text is
//! lost, and of the progress only the newest state counts.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::FusedFuture as _;
use lsp_types::{
    LspAny, Notification as _, ProgressNotification, ProgressParams, ProgressToken, WorkDoneProgressBegin,
    WorkDoneProgressEnd, WorkDoneProgressReport,
};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::Instant;
use tower_lsp::Client;

use super::ext::{StreamKind, StreamNotification, StreamParams, Work};
use super::stdout::Outlet;
use crate::actions::one_line;
use crate::claude::usage::Tokens;
use crate::claude::words::{counters, paced, trying_again};
use crate::jobs::{Event, Report};
use crate::ledger::UsageReport;
use crate::output::explanation::LineTail;

/// At most ten reports a second.
const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// How long the end of a job waits for a client that did not say yet whether it takes the progress. Most say so at once,
/// and some never do.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most characters of output in a progress line.
const TAIL_WIDTH: usize = 60;

/// How to reach the client with one job's output.
pub(super) struct Channel {
    /// The client.
    pub(super) client: Client,
    /// The job.
    pub(super) job: String,
    /// What it does; its title is the progress's.
    pub(super) work: Work,
    /// The token of a progress that exists already, or that is to be created.
    pub(super) progress: Option<(ProgressToken, bool)>,
    /// The way for the stream, which also shows whether the client reads.
    pub(super) outlet: Outlet,
    /// Whether the client wants the stream.
    pub(super) stream: bool,
}

/// The job's end of the feed.
#[derive(Clone)]
pub(super) struct Feed(Arc<Shared>);

struct Shared {
    channel: Channel,
    outbox: Mutex<Outbox>,
    filled: Notify,
}

#[derive(Default)]
struct Outbox {
    parts: Vec<Part>,
    line: Line,
    /// The newest attempt.
    attempt: u32,
    /// Whether the line says something that was not reported yet.
    changed: bool,
    /// The last part of the stream, and what the progress ends with.
    end: Option<(Box<StreamParams>, String)>,
}

/// A part of the stream that was not sent yet.
enum Part {
    Begin(u32),
    Text(String),
    Thinking(String),
    Tool(String),
    Edit,
    Usage(Box<UsageReport>),
}

/// What the progress line is made of.
struct Line {
    tail: LineTail,
    state: String,
    lines: usize,
    tokens: Tokens,
}

impl Feed {
    /// Starts a job's feed; the task ends with [`Feed::end`] or when the client is gone.
    pub(super) fn start(channel: Channel) -> (Self, tokio::task::JoinHandle<()>) {
        let feed = Self(Arc::new(Shared { channel, outbox: Mutex::default(), filled: Notify::new() }));
        let task = tokio::spawn(pump(feed.0.clone()));
        (feed, task)
    }

    /// Takes in what happened.
    pub(super) fn event(&self, event: &Event<'_>) {
        let mut outbox = self.0.lock();
        match event {
            Event::Queued(queue) => outbox.say(queue.as_str()),
            Event::Attempt(attempt) => {
                outbox.begin(*attempt);
                outbox.line = Line::default();
                outbox.say(if *attempt > 1 { "asking again" } else { "asking" });
            }
            Event::Waiting { delay, reason } => {
                outbox.say(&trying_again(&reason.message, *delay));
            }
            Event::Paced { delay, limit } => outbox.say(&paced(limit, *delay)),
            Event::Discarded => {
                outbox.line = Line::default();
                let attempt = outbox.attempt + 1;
                outbox.begin(attempt);
            }
            Event::Thinking(text) => {
                outbox.say("thinking…");
                outbox.append(text, true);
            }
            Event::Tool(line) => {
                outbox.parts.push(Part::Tool((*line).to_owned()));
                outbox.say(line);
            }
            Event::Text(text) => {
                outbox.line.state.clear();
                outbox.line.lines += text.bytes().filter(|byte| *byte == b'\n').count();
                outbox.line.tail.push(text);
                outbox.append(text, false);
            }
            Event::Usage(usage) => {
                outbox.line.tokens = usage.tokens();
                // Usage is cumulative: of several that were not sent yet, the newest says it all.
                outbox.parts.retain(|part| !matches!(part, Part::Usage(_)));
                outbox.parts.push(Part::Usage(Box::new((*usage).clone())));
            }
            Event::Editing => {
                outbox.parts.push(Part::Edit);
                outbox.say("applying the edit");
            }
            // A message of its own, not a line that the next one replaces.
            Event::Finding(finding) => outbox.say(&one_line(&finding.message)),
            Event::Notice(_) => return,
        }
        let known = std::mem::replace(&mut outbox.changed, true);
        let sent = self.0.send(&mut outbox);
        drop(outbox);
        // The pump has to know of what is left to send, and that the line changed: once, until it has reported that.
        if !(known && sent) {
            self.0.filled.notify_one();
        }
    }

    /// The last part: nothing is taken in after it.
    pub(super) fn end(&self, report: &Report) {
        let part = StreamParams {
            usage: report.usage.clone(),
            outcome: Some(report.outcome.as_str().to_owned()),
            error: report.error.clone(),
            ..StreamParams::new(&report.job, StreamKind::End)
        };
        self.0.lock().end = Some((Box::new(part), report.sentence()));
        self.0.filled.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the parts that were not sent yet, to a client that wants and can take them; whether none is left. The outbox is
    /// locked meanwhile, so that the order holds.
    fn send(&self, outbox: &mut Outbox) -> bool {
        if !self.channel.stream {
            outbox.parts.clear();
        } else if self.channel.outlet.is_clear() {
            for part in outbox.parts.drain(..) {
                self.channel.outlet.send(StreamNotification::METHOD.as_str(), &self.channel.part(part));
            }
        }
        outbox.parts.is_empty()
    }

    /// Waits until the client can take what is left for it; for ever if there is nothing.
    async fn cleared(&self, left: bool) {
        if left { self.channel.outlet.cleared().await } else { std::future::pending().await }
    }
}

impl Outbox {
    fn begin(&mut self, attempt: u32) {
        self.attempt = attempt;
        self.parts.push(Part::Begin(attempt));
    }

    fn say(&mut self, state: &str) {
        state.clone_into(&mut self.line.state);
    }

    /// Adds text to the last part when it is of the same kind, so that parts do not pile up behind a slow client.
    fn append(&mut self, more: &str, thinking: bool) {
        if more.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            Some(Part::Text(text)) if !thinking => text.push_str(more),
            Some(Part::Thinking(text)) if thinking => text.push_str(more),
            _ if thinking => self.parts.push(Part::Thinking(more.to_owned())),
            _ => self.parts.push(Part::Text(more.to_owned())),
        }
    }
}

impl Default for Line {
    fn default() -> Self {
        Self { tail: LineTail::new(TAIL_WIDTH), state: String::new(), lines: 0, tokens: Tokens::default() }
    }
}

impl Line {
    /// One line: the newest output, then the counters.
    fn message(&self) -> String {
        let mut parts = Vec::new();
        let newest = if self.state.is_empty() { self.tail.line() } else { self.state.clone() };
        if !newest.is_empty() {
            parts.push(newest);
        }
        if self.lines > 0 {
            parts.push(if self.lines == 1 { "1 line".to_owned() } else { format!("{} lines", self.lines) });
        }
        if self.tokens.total_input() > 0 {
            parts.push(counters(&self.tokens));
        }
        parts.join(" · ")
    }
}

/// Empties the outbox until the end. The stream does not wait for the progress, which the client may never create.
async fn pump(shared: Arc<Shared>) {
    let channel = &shared.channel;
    let mut begin = pin!(channel.begin().fuse());
    let mut progress = None;
    let mut next_report = Instant::now();
    let mut left = false;
    let mut unreported = false;
    loop {
        // A client that does not read gets the newest state when it does, and not all that there was.
        let reads = channel.outlet.is_clear();
        let due = unreported && progress.is_some();
        tokio::select! {
            biased;
            token = &mut begin, if !begin.is_terminated() => progress = token,
            () = shared.filled.notified() => {}
            () = shared.cleared(left || due && !reads) => {}
            () = tokio::time::sleep_until(next_report), if due && reads => {}
        }
        let end = {
            let mut outbox = shared.lock();
            left = !shared.send(&mut outbox);
            unreported = outbox.changed;
            if left { None } else { outbox.end.take() }
        };
        if let Some((part, message)) = end {
            if channel.stream {
                // Behind what the job said by other ways.
                channel.client.send_notification::<StreamNotification>(*part).await;
            }
            if !begin.is_terminated() {
                progress = tokio::time::timeout(PATIENCE, begin).await.ok().flatten();
            }
            if let Some(token) = progress {
                channel.progress(&token, "end", &WorkDoneProgressEnd { message: Some(message) }).await;
            }
            return;
        }
        if let Some(token) = &progress
            && unreported
            && Instant::now() >= next_report
            && channel.outlet.is_clear()
        {
            next_report = Instant::now() + REPORT_INTERVAL;
            let message = {
                let mut outbox = shared.lock();
                outbox.changed = false;
                Some(outbox.line.message())
            };
            unreported = false;
            let report = WorkDoneProgressReport { message, cancellable: Some(true), percentage: None };
            channel.progress(token, "report", &report).await;
        }
    }
}

impl Channel {
    /// Creates the progress where it has to be, and begins it.
    async fn begin(&self) -> Option<ProgressToken> {
        let (token, create) = self.progress.clone()?;
        if create && self.client.create_work_done_progress(token.clone()).await.is_err() {
            return None;
        }
        let begin = WorkDoneProgressBegin {
            title: self.work.title.clone(),
            cancellable: Some(true),
            message: None,
            percentage: None,
        };
        self.progress(&token, "begin", &begin).await;
        Some(token)
    }

    async fn progress(&self, token: &ProgressToken, kind: &str, value: &impl serde::Serialize) {
        let mut value = serde_json::to_value(value).unwrap_or_default();
        if let LspAny::Object(fields) = &mut value {
            fields.insert("kind".to_owned(), json!(kind));
        }
        self.client.send_notification::<ProgressNotification>(ProgressParams { token: token.clone(), value }).await;
    }

    fn part(&self, part: Part) -> StreamParams {
        let params = |kind| StreamParams::new(&self.job, kind);
        match part {
            Part::Begin(attempt) => {
                StreamParams { attempt: Some(attempt), work: Some(self.work.clone()), ..params(StreamKind::Begin) }
            }
            Part::Text(text) => StreamParams { text: Some(text), ..params(StreamKind::Text) },
            Part::Thinking(text) => StreamParams { text: Some(text), ..params(StreamKind::Thinking) },
            Part::Tool(line) => StreamParams { text: Some(line), ..params(StreamKind::Tool) },
            Part::Edit => params(StreamKind::Edit),
            Part::Usage(usage) => StreamParams { usage: Some(*usage), ..params(StreamKind::Usage) },
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
