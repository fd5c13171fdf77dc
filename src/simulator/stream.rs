//! A reply as server-sent events, and the way it goes out: paced, in the shape and with the faults a scenario asks for.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::engine::{Answer, RowProgress};
use super::reply::{Part, signature};
use super::scenario::{LineEnds, Stall, StallPlace, StreamShape};
use super::tokens;
use crate::claude::types::{ApiError, Delta, MessageDelta, MessageResponse, StreamEvent, Usage};

/// Tokens of one delta; real ones come in about this size.
const TOKENS_PER_DELTA: usize = 3;

/// One event, and what it means for pace and account.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    name: String,
    data: Value,
    /// The tokens of a delta; none for what is not a delta.
    tokens: Option<u64>,
    /// The usage that the client knows once it has this frame.
    pub(super) reports: Option<Usage>,
}

/// How a stream ends when not with `message_stop`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    /// Where.
    pub(super) place: Place,
    /// How.
    pub(super) kind: FaultKind,
}

/// Where a stream fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Instead of the first event.
    Start,
    /// Behind so many deltas, or in front of the answer's end when it has no more than that.
    Deltas(u64),
    /// Behind so many bytes, or in front of the answer's end; only for a broken connection.
    Bytes(u64),
}

/// How a stream fails.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FaultKind {
    /// With an `error` event.
    Error(ApiError),
    /// The connection breaks.
    Cut,
    /// The body ends as bodies do, but too early.
    Truncated,
}

/// How the frames go out.
#[derive(Clone, Debug, Default)]
pub(super) struct Manner {
    /// The looks of the stream.
    pub(super) shape: StreamShape,
    /// A time without a byte.
    pub(super) stall: Option<Stall>,
    /// A bad end.
    pub(super) fault: Option<Fault>,
    /// The pace; none is as fast as it goes.
    pub(super) tokens_per_second: Option<f64>,
}

/// What the account wants to know while frames go out.
pub(super) trait Progress: Send + 'static {
    /// A delta of so many tokens was made.
    fn made(&mut self, tokens: u64);
    /// The client was told this usage.
    fn reported(&mut self, usage: &Usage);
    /// The whole stream was handed to the connection.
    fn completed(&mut self);
}

/// The events of an answer, in order.
pub(super) fn frames(answer: &Answer) -> Vec<Frame> {
    let Answer { reply, message, start, dense } = answer;
    let mut opening = message.clone();
    opening.content = Vec::new();
    opening.stop_reason = None;
    opening.stop_sequence = None;
    opening.stop_details = None;
    opening.usage = start.clone();
    let mut frames = vec![Frame::new(StreamEvent::MessageStart { message: opening }).reporting(start)];
    for (index, part) in reply.parts.iter().enumerate() {
        frames.push(Frame::new(StreamEvent::ContentBlockStart { index, content_block: part.opening() }));
        frames.extend(deltas(index, part, *dense));
        frames.push(Frame::new(StreamEvent::ContentBlockStop { index }));
    }
    let delta = MessageDelta {
        stop_reason: Some(reply.stop_reason.clone()),
        stop_sequence: reply.stop_sequence.clone(),
        stop_details: reply.stop_details.clone(),
    };
    let usage = Usage { cache_creation: None, service_tier: None, ..message.usage.clone() };
    frames.push(Frame::new(StreamEvent::MessageDelta { delta, usage: usage.clone() }).reporting(&usage));
    frames.push(Frame::new(StreamEvent::MessageStop));
    frames
}

fn deltas(index: usize, part: &Part, dense: bool) -> Vec<Frame> {
    let frame = |delta| Frame::new(StreamEvent::ContentBlockDelta { index, delta });
    match part {
        Part::Thinking { text, tokens } => {
            // All the tokens are behind the proof; the text is a summary of them.
            let mut frames: Vec<_> =
                pieces(text, dense).map(|(thinking, _)| frame(Delta::ThinkingDelta { thinking }).of(0)).collect();
            frames.push(frame(Delta::SignatureDelta { signature: signature(text) }).of(*tokens));
            frames
        }
        Part::Text(text) => {
            pieces(text, dense).map(|(text, tokens)| frame(Delta::TextDelta { text }).of(tokens)).collect()
        }
        Part::ToolUse { input, .. } => pieces(&Value::Object(input.clone()).to_string(), dense)
            .map(|(partial_json, tokens)| frame(Delta::InputJsonDelta { partial_json }).of(tokens))
            .collect(),
    }
}

/// A text in pieces of a delta each, with their tokens, which add up to those of the text.
fn pieces(text: &str, dense: bool) -> impl Iterator<Item = (String, u64)> {
    let tokens: Vec<&str> = tokens::pieces(text).collect();
    let mut count = 0;
    let chunks: Vec<_> = tokens
        .chunks(TOKENS_PER_DELTA)
        .map(|chunk| {
            let before = tokens::scale(count, dense);
            count += chunk.len() as u64;
            (chunk.concat(), tokens::scale(count, dense) - before)
        })
        .collect();
    chunks.into_iter()
}

impl Frame {
    fn new(event: StreamEvent) -> Self {
        let data = serde_json::to_value(event).unwrap_or_default();
        Self::raw(data)
    }

    fn raw(data: Value) -> Self {
        let name = data.get("type").and_then(Value::as_str).unwrap_or("message").to_owned();
        Self { name, data, tokens: None, reports: None }
    }

    fn of(mut self, tokens: u64) -> Self {
        self.tokens = Some(tokens);
        self
    }

    fn reporting(mut self, usage: &Usage) -> Self {
        self.reports = Some(usage.clone());
        self
    }

    /// The frame on the wire.
    fn encode(&self, shape: &StreamShape) -> String {
        let end = match shape.line_ends {
            LineEnds::Lf => "\n",
            LineEnds::Crlf => "\r\n",
            LineEnds::Cr => "\r",
        };
        let mut data = self.data.to_string();
        if shape.decorated {
            // A line break in front of an object's first key is white space to JSON and a second data line to the stream.
            data = data.replacen('{', &format!("{{{end}data:"), 1);
            format!(": simulated{end}id: 1{end}retry: 3000{end}event:{}{end}data: {data}{end}{end}", self.name)
        } else {
            format!("event: {}{end}data: {data}{end}{end}", self.name)
        }
    }
}

/// Puts in what no client knows yet: a field, an event, a block and a delta. What is known stays as it was.
fn with_unknown(frames: Vec<Frame>) -> Vec<Frame> {
    let blocks = frames.iter().filter(|frame| frame.name == "content_block_start").count();
    let mut result = Vec::with_capacity(frames.len() + 6);
    let mut delta_seen = false;
    for mut frame in frames {
        if frame.name == "message_delta" {
            result.push(Frame::raw(json!({"type": "content_block_start", "index": blocks,
                "content_block": {"type": "hologram", "beam": ""}})));
            result.push(Frame::raw(json!({"type": "content_block_delta", "index": blocks,
                "delta": {"type": "beam_delta", "beam": "…"}})));
            result.push(Frame::raw(json!({"type": "content_block_stop", "index": blocks})));
        }
        if let Value::Object(data) = &mut frame.data {
            data.insert("shade_of_tomorrow".to_owned(), json!({"violet": [1, 2, 3]}));
        }
        let (start, delta) = (frame.name == "message_start", frame.tokens.is_some());
        let index = frame.data.get("index").cloned();
        result.push(frame);
        if start {
            result.push(Frame::raw(json!({"type": "weather_report", "sky": "clear"})));
        }
        if delta && !delta_seen {
            delta_seen = true;
            result.push(Frame::raw(json!({"type": "content_block_delta", "index": index,
                "delta": {"type": "mood_delta", "mood": "calm"}})));
        }
    }
    result
}

/// A body that sends the frames in this manner; the sending is a task that ends with the connection.
pub(super) fn body(frames: Vec<Frame>, manner: Manner, progress: impl Progress) -> Body {
    let (sender, body) = channel();
    tokio::spawn(async move {
        let mut sending = Sending { sender, manner, progress, bytes: 0, deltas: 0, due: Instant::now() };
        // The client has gone away: nothing is left to do.
        let _ = sending.run(frames).await;
    });
    body
}

/// A body that is one JSON document; of a stream's manners, a cut and small writes apply.
pub(super) fn whole(message: &MessageResponse, manner: Manner, mut progress: RowProgress) -> Response {
    let json = serde_json::to_string(message).unwrap_or_default();
    let headers = [(header::CONTENT_TYPE, "application/json")];
    if !manner.fault.as_ref().is_some_and(|fault| matches!(fault.kind, FaultKind::Cut)) {
        progress.all(message);
        return (headers, json).into_response();
    }
    let (sender, body) = channel();
    tokio::spawn(async move {
        let mut sending = Sending { sender, manner, progress, bytes: 0, deltas: 0, due: Instant::now() };
        let _ = sending.write(&json[..json.len() / 2]).await;
        let _ = sending.cut().await;
    });
    (headers, body).into_response()
}

/// A body, and what it is written through. One slot: what is counted as sent is at most one write ahead of the connection.
fn channel() -> (mpsc::Sender<Result<Bytes, std::io::Error>>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    let chunks = futures::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    (sender, Body::from_stream(chunks))
}

struct Sending<P> {
    sender: mpsc::Sender<Result<Bytes, std::io::Error>>,
    manner: Manner,
    progress: P,
    bytes: u64,
    deltas: u64,
    due: Instant,
}

/// The connection is over, by the client or by the scenario.
struct Over;

impl<P: Progress> Sending<P> {
    async fn run(&mut self, frames: Vec<Frame>) -> Result<(), Over> {
        let frames = if self.manner.shape.unknown_events { with_unknown(frames) } else { frames };
        self.stall(StallPlace::FirstEvent).await?;
        if self.manner.shape.byte_order_mark {
            self.write("\u{feff}").await?;
        }
        for (number, frame) in frames.iter().enumerate() {
            if self.is_fault_due(number, frame) {
                return self.fail().await;
            }
            if let Some(tokens) = frame.tokens {
                self.stall(StallPlace::Delta).await?;
                self.pace(tokens).await?;
                self.progress.made(tokens);
                self.deltas += 1;
            }
            // The account is written between "the connection takes more" and "here it is": a client that has the frame finds
            // it in the account, and one that went away before does not.
            drop(self.sender.reserve().await.map_err(|_| Over)?);
            if let Some(usage) = &frame.reports {
                self.progress.reported(usage);
            }
            if frame.name == "message_stop" {
                self.progress.completed();
            }
            self.write(&frame.encode(&self.manner.shape)).await?;
            if frame.tokens.is_some()
                && self.manner.shape.ping_every.is_some_and(|every| self.deltas.is_multiple_of(every))
            {
                self.write(&Frame::new(StreamEvent::Ping).encode(&self.manner.shape)).await?;
            }
        }
        Ok(())
    }

    /// Whether the stream fails in front of this frame; a fault that has not come before the answer's end comes there.
    fn is_fault_due(&self, number: usize, frame: &Frame) -> bool {
        let Some(fault) = &self.manner.fault else { return false };
        frame.name == "message_delta"
            || match fault.place {
                Place::Start => number == 0,
                Place::Deltas(deltas) => frame.tokens.is_some() && self.deltas >= deltas,
                Place::Bytes(_) => false,
            }
    }

    async fn fail(&mut self) -> Result<(), Over> {
        match self.manner.fault.take().map(|fault| fault.kind) {
            Some(FaultKind::Error(error)) => {
                self.write(&Frame::new(StreamEvent::Error { error }).encode(&self.manner.shape)).await
            }
            Some(FaultKind::Cut) => self.cut().await,
            Some(FaultKind::Truncated) | None => Err(Over),
        }
    }

    async fn cut(&mut self) -> Result<(), Over> {
        // What was written before must leave before the connection is torn down.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let _ = self.sender.send(Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))).await;
        Err(Over)
    }

    /// Waits where the scenario says so; for ever means until the client goes.
    async fn stall(&mut self, place: StallPlace) -> Result<(), Over> {
        let here = |stall: &Stall| stall.at == place && (place != StallPlace::Delta || stall.deltas == self.deltas);
        let Some(stall) = self.manner.stall.take_if(|stall| here(stall)) else { return Ok(()) };
        let wait = async {
            match stall.ms {
                Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wait => Ok(()),
            () = self.sender.closed() => Err(Over),
        }
    }

    /// Waits until a delta of so many tokens may go out.
    async fn pace(&mut self, tokens: u64) -> Result<(), Over> {
        let Some(speed) = self.manner.shape.tokens_per_second.or(self.manner.tokens_per_second) else { return Ok(()) };
        #[expect(clippy::cast_precision_loss, reason = "a delta has few tokens")]
        let seconds = tokens as f64 / speed;
        self.due += Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(3600));
        tokio::select! {
            () = tokio::time::sleep_until(self.due) => Ok(()),
            () = self.sender.closed() => Err(Over),
        }
    }

    async fn write(&mut self, text: &str) -> Result<(), Over> {
        let mut bytes = Bytes::copy_from_slice(text.as_bytes());
        if let Some(Fault { place: Place::Bytes(limit), .. }) = &self.manner.fault {
            let room = usize::try_from(limit.saturating_sub(self.bytes)).unwrap_or(usize::MAX);
            if bytes.len() >= room {
                bytes.truncate(room);
                self.send(bytes).await?;
                return self.cut().await;
            }
        }
        self.send(bytes).await
    }

    async fn send(&mut self, mut bytes: Bytes) -> Result<(), Over> {
        let most = self.manner.shape.bytes_per_write.unwrap_or(usize::MAX);
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let chunk = bytes.split_to(most.min(bytes.len()));
            self.sender.send(Ok(chunk)).await.map_err(|_| Over)?;
        }
        Ok(())
    }
}
