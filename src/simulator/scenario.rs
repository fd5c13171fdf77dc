//! Scenarios: what to play instead of a well-behaved answer, read from a TOML or JSON file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};

/// Steps, tried in order for every request: the first that is not used up and that matches is played.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// For people.
    pub description: Option<String>,
    /// What a key may use; what would pass it is refused.
    pub limits: Option<Limits>,
    /// The steps; `[[step]]` in TOML.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// Rate limits that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// So many requests.
    #[serde(default)]
    pub requests: Option<u64>,
    /// So many tokens of input that are not read from the cache.
    #[serde(default)]
    pub input_tokens: Option<u64>,
    /// In so many seconds, in which a limit that is used up fills evenly; a minute when absent.
    #[serde(default = "minute")]
    pub seconds: f64,
}

fn minute() -> f64 {
    60.0
}

/// What happens to the requests that a step is played for. Everything that is not said is as usual.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// How often it is played; once when absent.
    pub times: Repeat,
    /// Which requests it is for; all requests for messages when absent.
    #[serde(rename = "match")]
    pub matcher: Matcher,
    /// The HTTP status; with one of 400 or more (or `body`) there is no message.
    pub status: Option<u16>,
    /// Headers to add or to replace.
    pub headers: BTreeMap<String, String>,
    /// The whole body as it is sent, such as a gateway's HTML page.
    pub body: Option<String>,
    /// The body's error; by default one that fits the status.
    pub error: Option<ScriptedError>,
    /// The exact text of the answer.
    pub answer: Option<String>,
    /// The text of a thinking block in front of the answer; empty is a thinking block without text.
    pub thinking: Option<String>,
    /// Tool calls behind the text; the answer then ends with `tool_use`.
    pub tool_calls: Vec<ToolCall>,
    /// Why the answer ends, whatever it says; `refusal` brings `stop_details`, `max_tokens` cuts the text in half.
    pub stop_reason: Option<String>,
    /// More on a refusal: the policy's category.
    pub refusal_category: Option<String>,
    /// Nothing comes for a while.
    pub stall: Option<Stall>,
    /// The stream fails with an `error` event.
    pub error_event: Option<ErrorEvent>,
    /// The connection breaks.
    pub cut: Option<Cut>,
    /// The stream ends properly, but too early.
    pub truncate: Option<Truncate>,
    /// What a request of a batch ends as, instead of being answered.
    pub batch_result: Option<BatchEnd>,
    /// How the stream looks on the wire.
    pub stream: StreamShape,
}

/// What a request of a batch ends as without having begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchEnd {
    /// Nobody got to it in time.
    Expired,
    /// It was cancelled.
    Canceled,
}

/// How often a step is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Repeat {
    /// So many times.
    Times(u64),
    /// Every time: `"always"`.
    Always(Always),
}

/// The word `always`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Always {
    /// Every time.
    Always,
}

impl Default for Repeat {
    fn default() -> Self {
        Self::Times(1)
    }
}

/// Which requests a step is for; all that is said must be so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Matcher {
    /// The path, `/v1/messages` when absent; `*` stands for one part of it.
    pub path: Option<String>,
    /// The request's model.
    pub model: Option<String>,
    /// The action that the request's instruction names.
    pub action: Option<String>,
    /// Words that the body contains.
    pub text: Option<String>,
    /// Whether it asks for a stream.
    pub stream: Option<bool>,
}

/// An error body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScriptedError {
    /// Such as `overloaded_error`; by default what belongs to the status.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// For people.
    pub message: Option<String>,
    /// Such as `{ error_code = "enforced_spend_limit_reached" }`.
    pub details: Option<Map<String, Value>>,
}

/// A tool call of the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// Its arguments.
    #[serde(default)]
    pub input: Map<String, Value>,
}

/// A time without a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// Where.
    pub at: StallPlace,
    /// Behind so many deltas, for `at = "delta"`.
    #[serde(default)]
    pub deltas: u64,
    /// How long, in milliseconds; for ever when absent.
    #[serde(default)]
    pub ms: Option<u64>,
}

/// Where a stall is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StallPlace {
    /// Before the answer's headers.
    Headers,
    /// Behind the headers, before the first event.
    FirstEvent,
    /// Behind a number of deltas.
    Delta,
}

/// An `error` event in the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorEvent {
    /// Behind so many deltas; instead of the first event when absent.
    #[serde(default)]
    pub after_deltas: Option<u64>,
    /// Such as `overloaded_error`.
    #[serde(rename = "type", default = "overloaded")]
    pub kind: String,
    /// For people.
    #[serde(default = "overloaded_message")]
    pub message: String,
}

/// A broken connection; with nothing said, right behind the headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cut {
    /// Behind so many deltas.
    pub after_deltas: Option<u64>,
    /// Behind so many bytes of the body.
    pub after_bytes: Option<u64>,
}

/// An end without `message_stop`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Truncate {
    /// Behind so many deltas; an empty body when absent.
    pub after_deltas: Option<u64>,
}

/// How a stream looks on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StreamShape {
    /// What ends a line.
    pub line_ends: LineEnds,
    /// Whether a byte order mark comes first.
    pub byte_order_mark: bool,
    /// At most so many bytes in one write to the connection.
    pub bytes_per_write: Option<usize>,
    /// A `ping` event behind every so many deltas.
    pub ping_every: Option<u64>,
    /// Comments, `id` and `retry` lines, data in several lines.
    pub decorated: bool,
    /// Events, blocks, deltas and fields that no client knows yet.
    pub unknown_events: bool,
    /// Its pace, in tokens a second.
    pub tokens_per_second: Option<f64>,
}

/// What ends a line of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnds {
    /// Line feed.
    #[default]
    Lf,
    /// Carriage return and line feed.
    Crlf,
    /// Carriage return.
    Cr,
}

impl Scenario {
    /// Reads a file: JSON when its name ends in `.json`, TOML otherwise.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], with the place, when the file cannot be read or says something that is not understood.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(ErrorKind::Config, format!("The scenario {} cannot be read: {error}.", path.display()))
        })?;
        let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let parsed = if json { Self::from_json(&text) } else { Self::from_toml(&text) };
        parsed.map_err(|error| Error::new(error.kind, format!("{}: {}", path.display(), error.message)))
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], with line and column.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let scenario: Self = toml::from_str(text).map_err(|error| {
            let place = error.span().map(|span| place(text, span.start)).unwrap_or_default();
            Error::new(ErrorKind::Config, format!("{place}{}", error.message()))
        })?;
        scenario.checked()
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], with line and column.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let scenario: Self =
            serde_json::from_str(text).map_err(|error| Error::new(ErrorKind::Config, error.to_string()))?;
        scenario.checked()
    }

    /// What the types cannot say.
    fn checked(self) -> Result<Self, Error> {
        if self.limits.is_some_and(|limits| !limits.seconds.is_finite() || limits.seconds <= 0.0) {
            return Err(Error::new(ErrorKind::Config, "limits.seconds: a number above 0"));
        }
        for (number, step) in self.steps.iter().enumerate() {
            step.check().map_err(|why| Error::new(ErrorKind::Config, format!("step {}: {why}", number + 1)))?;
        }
        Ok(self)
    }
}

impl Step {
    /// Whether the step answers with something else than a message.
    pub(super) fn is_failure(&self) -> bool {
        self.body.is_some() || self.error.is_some() || self.status.is_some_and(|status| status >= 300)
    }

    fn check(&self) -> Result<(), String> {
        if let Some(status) = self.status.filter(|status| !(200..=599).contains(status)) {
            return Err(format!("status = {status}: only 200 to 599 can be sent"));
        }
        for (name, value) in &self.headers {
            name.parse::<axum::http::HeaderName>().map_err(|_| format!("headers: `{name}` is not a header's name"))?;
            value
                .parse::<axum::http::HeaderValue>()
                .map_err(|_| format!("headers.{name}: the value cannot be sent in a header"))?;
        }
        let message = self.answer.is_some() || self.thinking.is_some() || !self.tool_calls.is_empty();
        if self.is_failure() && message {
            return Err("a failing status, `body` or `error` and an answer exclude each other".to_owned());
        }
        if self.body.is_some() && self.error.is_some() {
            return Err("`body` and `error` exclude each other".to_owned());
        }
        let ends = [self.error_event.is_some(), self.cut.is_some(), self.truncate.is_some()];
        if ends.into_iter().filter(|end| *end).count() > 1 {
            return Err("only one of `error_event`, `cut` and `truncate` can end an answer".to_owned());
        }
        if self.stream.bytes_per_write == Some(0) {
            return Err("stream.bytes_per_write = 0: at least one byte a write".to_owned());
        }
        if self.stream.ping_every == Some(0) {
            return Err("stream.ping_every = 0: at least one delta between pings".to_owned());
        }
        if self.stream.tokens_per_second.is_some_and(|speed| !speed.is_finite() || speed <= 0.0) {
            return Err("stream.tokens_per_second: a number above 0".to_owned());
        }
        Ok(())
    }
}

/// `line 3, column 7: ` of a byte offset.
fn place(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    format!("line {line}, column {column}: ")
}

fn overloaded() -> String {
    "overloaded_error".to_owned()
}

fn overloaded_message() -> String {
    "Overloaded".to_owned()
}
