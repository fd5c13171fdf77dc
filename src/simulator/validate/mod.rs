//! What the API refuses, in its words and with the place in the request.
//!
//! The raw JSON is looked at, not a typed request: only so can a field that nobody knows be found where it is.

mod caching;
mod content;
mod object;
mod settings;
mod tools;

use std::borrow::Cow;

use axum::http::StatusCode;
use serde_json::Value;

use self::object::Object;
use super::failure::Failure;
use crate::claude::models::{self, Lifecycle, Model};

/// What decides about a request beside its body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// What is asked for.
    pub(super) purpose: Purpose,
    /// Whether it speaks `2026-10-21` or later.
    pub(super) new_version: bool,
    /// The day, for models that retire.
    pub(super) today: jiff::civil::Date,
    /// The last turn is one that was paused.
    pub(super) resumes: bool,
}

/// What a body is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A message.
    Message,
    /// The number of its tokens.
    CountTokens,
    /// A message of a batch.
    Batch,
}

/// A request that nothing is wrong with.
#[derive(Clone, Debug)]
pub(super) struct Checked<'a> {
    /// The body.
    pub(super) body: &'a Value,
    /// The model's rules.
    pub(super) model: Cow<'static, Model>,
    /// The most tokens of the answer.
    pub(super) max_tokens: u64,
    /// Whether events are asked for.
    pub(super) stream: bool,
}

const MESSAGE_FIELDS: [&str; 20] = [
    "model",
    "max_tokens",
    "messages",
    "system",
    "stream",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "stop_sequences",
    "metadata",
    "service_tier",
    "cache_control",
    "diagnostics",
    "temperature",
    "top_p",
    "top_k",
    "container",
    "inference_geo",
    "speed",
];

const COUNT_FIELDS: [&str; 9] =
    ["model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "speed"];

/// Checks a body.
pub(super) fn check(body: &Value, context: Context) -> Result<Checked<'_>, Failure> {
    let known: &[&str] = if context.purpose == Purpose::CountTokens { &COUNT_FIELDS } else { &MESSAGE_FIELDS };
    let request = Object::new(body, "", known)?;
    let id = request.string("model")?;
    let max_tokens = settings::max_tokens(&request, context)?;
    let stream = request.optional_bool("stream")?.unwrap_or(false);
    if stream && context.purpose == Purpose::Batch {
        return Err(request.error("stream", "streaming is not available in a batch"));
    }
    let messages = content::messages(&request)?;
    content::system(&request)?;
    let tools = tools::tools(&request)?;
    tools::pairs(&messages, &tools)?;
    settings::plain_fields(&request)?;
    caching::breakpoints(body)?;

    let model = model(id, context.today)?;
    settings::for_model(&request, &model, context, max_tokens, stream)?;
    tools::choice(&request, &model, &tools)?;
    if !context.resumes {
        content::ending(&messages, &request, &model)?;
    }
    Ok(Checked { body, model, max_tokens, stream })
}

/// The model, if requests to it work.
pub(super) fn model(id: &str, today: jiff::civil::Date) -> Result<Cow<'static, Model>, Failure> {
    let model = models::find(id).filter(|model| !model.is_retired(today) && model.lifecycle != Lifecycle::Retired);
    model.map(Cow::Borrowed).ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, format!("model: {id}")))
}

#[cfg(test)]
mod tests;
