//! One streamed request from the first attempt to its answer.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, header};

use super::{
    call::{self, Refusal},
    client::{Answer, Client, Failure, Partial, Progress, left, next_delay},
    errors::{Fault, Place},
    fold::Fold,
    rate::RateHeaders,
    retry::{self, Verdict},
    sse::{EventError, Events},
    types::{ContentBlock, Delta, MessageRequest, MessageResponse, StreamEvent},
    usage::Tokens,
};
use crate::error::Error;

/// The longest answer that is read, in bytes: more than any model may write. A server that never ends one must not fill the
/// memory.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// So many times the patience between two events an answer may not grow, whatever events come. While a model thinks
/// there may be minutes of pings; without end they are a server that hangs behind a gateway that does not.
const PINGS_ALONE: u32 = 20;

/// Where progress is told.
type Sink<'s> = &'s mut (dyn FnMut(Progress<'_>) + Send);

/// A failed attempt, with what it gave.
struct Broken {
    error: Error,
    verdict: Verdict,
    partial: Option<Partial>,
}

pub(super) async fn run(client: &Client, request: &MessageRequest, events: Sink<'_>) -> Result<Answer, Failure> {
    let place = client.place(Some(&request.model));
    let body = call::body(&place, &MessageRequest { stream: true, ..request.clone() }).map_err(|error| Failure {
        error,
        attempts: 0,
        partial: None,
        abandoned: Vec::new(),
    })?;
    let mut abandoned = Vec::new();
    let mut attempt = 1;
    loop {
        events(Progress::Sent { attempt });
        let broken = match once(client, &place, body.clone(), events).await {
            Ok(answer) => return Ok(Answer { attempts: attempt, abandoned, ..answer }),
            Err(broken) => broken,
        };
        let Some(delay) = next_delay(client.options(), attempt, broken.verdict) else {
            return Err(Failure { error: broken.error, attempts: attempt, partial: broken.partial, abandoned });
        };
        tracing::debug!(attempt, ?delay, kind = %broken.error.kind, "attempt failed");
        events(Progress::Waiting { attempt, delay, reason: &broken.error, partial: broken.partial.as_ref() });
        abandoned.extend(broken.partial);
        tokio::time::sleep(delay).await;
        attempt += 1;
    }
}

async fn once(client: &Client, place: &Place<'_>, body: Bytes, events: Sink<'_>) -> Result<Answer, Box<Broken>> {
    let sent = Instant::now();
    let response = call::open(client, place, Method::POST, &["v1", "messages"], &[], Some(body)).await?;
    let headers = response.headers();
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let mut reading = Reading {
        place,
        fold: Fold::default(),
        request_id: text(header::HeaderName::from_static("request-id")).map(str::to_owned),
        sent,
        first: None,
        taken: 0,
        rate: RateHeaders::new(headers),
    };
    let is_stream = text(header::CONTENT_TYPE).is_none_or(|kind| kind.trim_start().starts_with("text/event-stream"));
    if is_stream {
        reading.events(client, response, events).await?;
    } else {
        let patience = client.options().idle_timeout * PINGS_ALONE;
        let body = match tokio::time::timeout(patience, call::read(client, place, response, LARGEST_ANSWER)).await {
            Ok(body) => body?,
            Err(_) => return Err(Refusal::without_answer(place.silent(patience, true), Verdict::Never).into()),
        };
        reading.whole(&body, events)?;
    }
    let tokens = reading.fold.tokens();
    let Some(message) = reading.fold.finish() else { return Err(Refusal::final_word(place.cut()).into()) };
    let (request_id, time_to_first_token, rate) = (reading.request_id, reading.first, reading.rate);
    Ok(Answer { message, request_id, attempts: 1, tokens, time_to_first_token, rate, abandoned: Vec::new() })
}

/// The state of an attempt whose answer has begun.
struct Reading<'a> {
    place: &'a Place<'a>,
    fold: Fold,
    request_id: Option<String>,
    sent: Instant,
    first: Option<Duration>,
    /// The bytes of the answer so far.
    taken: usize,
    rate: RateHeaders,
}

impl Reading<'_> {
    async fn events(
        &mut self,
        client: &Client,
        response: reqwest::Response,
        sink: Sink<'_>,
    ) -> Result<(), Box<Broken>> {
        let options = client.options();
        let mut source = Events::new(response.bytes_stream());
        let mut patience = left(self.sent + options.first_event_timeout);
        let mut begun = false;
        let mut lively = tokio::time::Instant::now();
        loop {
            let event = match source.next(patience).await {
                Ok(Some(event)) => event,
                Ok(None) | Err(EventError::Transport(_)) => return Err(self.broken(self.place.cut(), Verdict::Backoff)),
                Err(EventError::Silence) => {
                    let limit = if begun { options.idle_timeout } else { options.first_event_timeout };
                    return Err(self.broken(self.place.silent(limit, begun), Verdict::Backoff));
                }
                Err(EventError::Malformed(what)) => {
                    return Err(self.broken(self.place.not_the_api(&what), Verdict::Never));
                }
            };
            (begun, patience) = (true, options.idle_timeout);
            if size(&event) > 0 {
                lively = tokio::time::Instant::now();
            } else if lively.elapsed() >= options.idle_timeout * PINGS_ALONE {
                return Err(self.broken(self.place.silent(options.idle_timeout * PINGS_ALONE, true), Verdict::Never));
            }
            if let StreamEvent::Error { error } = &event {
                let explained = self.place.event(error, self.request_id.as_deref());
                return Err(self.broken(explained, retry::of_event(error)));
            }
            self.take(event, sink)?;
            if self.fold.is_complete() {
                // The last bytes of the body come behind the last event; who reads them keeps the connection.
                tokio::spawn(source.drain(Duration::from_secs(1)));
                return Ok(());
            }
        }
    }

    /// A server that does not stream answers in one piece: the same events, all at once.
    fn whole(&mut self, body: &[u8], sink: Sink<'_>) -> Result<(), Box<Broken>> {
        let Ok(message) = serde_json::from_slice::<MessageResponse>(body) else {
            let fault = Fault::from_body(body);
            let what = if fault.html { "it sends a web page" } else { "it sends no message" };
            let what = if fault.message.is_empty() { what.to_owned() } else { format!("{what} ({})", fault.message) };
            return Err(self.broken(self.place.not_the_api(&what), Verdict::Never));
        };
        if message.kind != "message" || message.content.is_empty() && message.stop_reason.is_none() {
            let fault = Fault::from_body(body);
            let what = if fault.message.is_empty() { "it sends no message".to_owned() } else { fault.message };
            return Err(self.broken(self.place.not_the_api(&what), Verdict::Never));
        }
        for event in into_events(message) {
            self.take(event, sink)?;
        }
        Ok(())
    }

    /// Folds an event and tells of it.
    fn take(&mut self, event: StreamEvent, sink: Sink<'_>) -> Result<(), Box<Broken>> {
        if self.first.is_none() && is_token(&event) {
            self.first = Some(self.sent.elapsed());
        }
        self.taken += size(&event);
        if self.taken > LARGEST_ANSWER {
            return Err(self.broken(self.place.not_the_api("the answer has no end"), Verdict::Never));
        }
        match &event {
            // Out of order; `apply` says so.
            StreamEvent::ContentBlockStart { .. } | StreamEvent::ContentBlockDelta { .. }
                if !self.fold.is_started() => {}
            StreamEvent::MessageStart { message } => {
                sink(Progress::Started { message, request_id: self.request_id.as_deref(), rate: &self.rate });
                sink(Progress::Usage(Tokens::from(&message.usage)));
            }
            StreamEvent::ContentBlockStart { content_block, .. } => {
                sink(Progress::BlockStarted(content_block));
                // Some servers put the first words here.
                match content_block {
                    ContentBlock::Text { text, .. } if !text.is_empty() => sink(Progress::Text(text)),
                    ContentBlock::Thinking { thinking, .. } if !thinking.is_empty() => {
                        sink(Progress::Thinking(thinking));
                    }
                    _ => {}
                }
            }
            StreamEvent::ContentBlockDelta { index, delta } => match delta {
                Delta::TextDelta { text } if !text.is_empty() => sink(Progress::Text(text)),
                Delta::ThinkingDelta { thinking } if !thinking.is_empty() => sink(Progress::Thinking(thinking)),
                Delta::InputJsonDelta { partial_json } if !partial_json.is_empty() => {
                    sink(Progress::ToolInput { index: *index, json: partial_json });
                }
                _ => {}
            },
            _ => {}
        }
        let finished = if let StreamEvent::ContentBlockStop { index } = &event { Some(*index) } else { None };
        let counted = matches!(event, StreamEvent::MessageDelta { .. });
        if let Err(error) = self.fold.apply(event) {
            return Err(self.broken(self.place.not_the_api(error.0), Verdict::Never));
        }
        if let Some(block) = finished.and_then(|index| self.fold.block(index)) {
            sink(Progress::BlockFinished(block));
        }
        if counted {
            sink(Progress::Usage(self.fold.tokens()));
        }
        Ok(())
    }

    /// After content came nothing is repeated: it has been shown, and it is paid for.
    fn broken(&self, error: Error, verdict: Verdict) -> Box<Broken> {
        let partial = self.fold.is_started().then(|| Partial {
            text: self.fold.text(),
            tokens: self.fold.tokens(),
            request_id: self.request_id.clone(),
        });
        let verdict = if self.fold.has_content() { Verdict::Never } else { verdict };
        let id = error.request_id.clone().or_else(|| self.request_id.clone());
        Box::new(Broken { error: error.request_id(id), verdict, partial })
    }
}

impl From<Refusal> for Box<Broken> {
    fn from(refusal: Refusal) -> Self {
        Self::new(Broken { error: refusal.error, verdict: refusal.verdict, partial: None })
    }
}

fn is_token(event: &StreamEvent) -> bool {
    match event {
        StreamEvent::ContentBlockDelta { delta: Delta::TextDelta { text }, .. } => !text.is_empty(),
        StreamEvent::ContentBlockDelta { delta: Delta::ThinkingDelta { thinking }, .. } => !thinking.is_empty(),
        StreamEvent::ContentBlockDelta { delta: Delta::InputJsonDelta { partial_json }, .. } => {
            !partial_json.is_empty()
        }
        _ => false,
    }
}

/// How much an event adds to an answer, in bytes. An empty block takes memory, too.
fn size(event: &StreamEvent) -> usize {
    match event {
        StreamEvent::ContentBlockStart { content_block: ContentBlock::Text { text, .. }, .. } => 64 + text.len(),
        StreamEvent::ContentBlockStart { .. } => 64,
        StreamEvent::ContentBlockDelta { delta: Delta::TextDelta { text }, .. } => text.len(),
        StreamEvent::ContentBlockDelta { delta: Delta::ThinkingDelta { thinking }, .. } => thinking.len(),
        StreamEvent::ContentBlockDelta { delta: Delta::InputJsonDelta { partial_json }, .. } => partial_json.len(),
        _ => 0,
    }
}

/// The events that would have built this message.
fn into_events(mut message: MessageResponse) -> Vec<StreamEvent> {
    let content = std::mem::take(&mut message.content);
    let mut events = vec![StreamEvent::MessageStart { message }];
    for (index, content_block) in content.into_iter().enumerate() {
        events.push(StreamEvent::ContentBlockStart { index, content_block });
        events.push(StreamEvent::ContentBlockStop { index });
    }
    events.push(StreamEvent::MessageStop);
    events
}
