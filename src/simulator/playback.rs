//! Which step of a scenario is next, and what it makes of an answer.

use serde_json::Value;

use super::failure::error_type;
use super::reply::{Part, Reply};
use super::scenario::{Repeat, Scenario, Step};
use super::stream::{Fault, FaultKind, Manner, Place};
use crate::claude::types::{ApiError, StopDetails, StopReason};

/// A scenario that is being played.
#[derive(Debug, Default)]
pub(super) struct Playback {
    scenario: Scenario,
    played: Vec<u64>,
}

/// What a step's `match` looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe<'a> {
    pub(super) path: &'a str,
    pub(super) body: &'a Value,
    pub(super) action: Option<&'a str>,
}

/// The path of steps that say none.
const MESSAGES: &str = "/v1/messages";

impl Playback {
    pub(super) fn new(scenario: Scenario) -> Self {
        let played = vec![0; scenario.steps.len()];
        Self { scenario, played }
    }

    /// The step to play for a request; counts it as played.
    pub(super) fn next(&mut self, probe: &Probe<'_>) -> Option<Step> {
        let place = self.scenario.steps.iter().zip(&self.played).position(|(step, played)| {
            let left = match step.times {
                Repeat::Times(times) => *played < times,
                Repeat::Always(_) => true,
            };
            left && matches(step, probe)
        })?;
        self.played[place] += 1;
        Some(self.scenario.steps[place].clone())
    }
}

fn matches(step: &Step, probe: &Probe<'_>) -> bool {
    let matcher = &step.matcher;
    let is =
        |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|wanted| Some(wanted) == found);
    let streamed = probe.body.get("stream").and_then(Value::as_bool).unwrap_or(false);
    is_path(matcher.path.as_deref().unwrap_or(MESSAGES), probe.path)
        && is(&matcher.model, probe.body.get("model").and_then(Value::as_str))
        && is(&matcher.action, probe.action)
        && matcher.stream.is_none_or(|wanted| wanted == streamed)
        && matcher.text.as_deref().is_none_or(|text| says(probe.body, text))
}

/// Whether a path is the wanted one, in which `*` stands for any part.
fn is_path(wanted: &str, path: &str) -> bool {
    let (mut wanted, mut parts) = (wanted.split('/'), path.split('/'));
    loop {
        match (wanted.next(), parts.next()) {
            (None, None) => return true,
            (Some(wanted), Some(part)) if wanted == "*" || wanted == part => {}
            _ => return false,
        }
    }
}

/// Whether any string of the body contains the text.
fn says(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string.contains(text),
        Value::Array(list) => list.iter().any(|value| says(value, text)),
        Value::Object(map) => map.values().any(|value| says(value, text)),
        _ => false,
    }
}

impl Step {
    /// The error of a step that fails, by its status.
    pub(super) fn scripted_error(&self, status: axum::http::StatusCode) -> ApiError {
        let error = self.error.clone().unwrap_or_default();
        ApiError {
            kind: error.kind.unwrap_or_else(|| error_type(status).to_owned()),
            message: error.message.unwrap_or_else(|| {
                let reason = status.canonical_reason().unwrap_or("Overloaded");
                format!("{reason} (from the scenario)")
            }),
            details: error.details.map(Value::Object),
        }
    }

    /// The answer as the step wants it, made of the usual one.
    pub(super) fn direct(&self, usual: Reply, mut new_id: impl FnMut() -> String) -> Reply {
        let mut reply = usual;
        let is_text = |part: &Part| matches!(part, Part::Text(_));
        if let Some(answer) = &self.answer {
            reply.parts.retain(|part| !is_text(part));
            reply.parts.retain(|part| !matches!(part, Part::ToolUse { .. }));
            if !answer.is_empty() {
                reply.parts.push(Part::Text(answer.clone()));
            }
            reply.stop_reason = StopReason::EndTurn;
        }
        if let Some(thinking) = &self.thinking {
            reply.parts.retain(|part| !matches!(part, Part::Thinking { .. }));
            let tokens = super::tokens::count(thinking, false).max(1);
            reply.parts.insert(0, Part::Thinking { text: thinking.clone(), tokens });
        }
        if !self.tool_calls.is_empty() {
            if self.answer.is_none() {
                reply.parts.retain(|part| !is_text(part));
            }
            reply.parts.extend(self.tool_calls.iter().map(|call| Part::ToolUse {
                id: new_id(),
                name: call.name.clone(),
                input: call.input.clone(),
            }));
            reply.stop_reason = StopReason::ToolUse;
        }
        if let Some(reason) = &self.stop_reason {
            // A string always parses: the last variant takes any.
            reply.stop_reason =
                serde_json::from_value(Value::from(reason.as_str())).unwrap_or(StopReason::Other(reason.clone()));
        }
        match reply.stop_reason {
            StopReason::Refusal => {
                reply.stop_details = Some(StopDetails {
                    kind: Some("refusal".to_owned()),
                    category: self.refusal_category.clone(),
                    explanation: Some("The scenario has the model decline.".to_owned()),
                });
                halve(&mut reply);
            }
            StopReason::MaxTokens | StopReason::PauseTurn if self.answer.is_none() => halve(&mut reply),
            _ => {}
        }
        reply
    }

    /// How the stream goes out.
    pub(super) fn manner(&self, tokens_per_second: Option<f64>) -> Manner {
        let deltas = |after: Option<u64>| after.map_or(Place::Start, Place::Deltas);
        let fault = if let Some(event) = &self.error_event {
            let error = ApiError { kind: event.kind.clone(), message: event.message.clone(), details: None };
            Some(Fault { place: deltas(event.after_deltas), kind: FaultKind::Error(error) })
        } else if let Some(cut) = self.cut {
            let place = cut.after_bytes.map_or_else(|| deltas(cut.after_deltas), Place::Bytes);
            Some(Fault { place, kind: FaultKind::Cut })
        } else {
            self.truncate.map(|end| Fault { place: deltas(end.after_deltas), kind: FaultKind::Truncated })
        };
        Manner { shape: self.stream, stall: self.stall, fault, tokens_per_second }
    }
}

/// Leaves the first half of the last text, as of an answer that ended before its time.
fn halve(reply: &mut Reply) {
    if let Some(Part::Text(text)) = reply.parts.iter_mut().rev().find(|part| matches!(part, Part::Text(_))) {
        let pieces: Vec<&str> = super::tokens::pieces(text).collect();
        *text = pieces[..pieces.len() / 2].concat();
    }
    reply.parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
}
