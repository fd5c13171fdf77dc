//! From a body to an answer: checked, charged, answered; the same for single messages and for those of a batch.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::Value;

use super::account::AccountRow;
use super::answers;
use super::cache::Charge;
use super::diagnostics::{self, Remembered};
use super::failure::Failure;
use super::prompt::Prompt;
use super::reply::{Part, Reply};
use super::scenario::Step;
use super::state::{State, lock};
use super::stream::Progress;
use super::validate::{self, Checked, Context, Purpose};
use crate::claude::models::{Model, ThinkingDefault};
use crate::claude::types::{CacheCreation, MessageResponse, OutputTokensDetails, Role, StopReason, Usage};

/// An answer that is ready to be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) reply: Reply,
    /// The whole message, with the final usage.
    pub(super) message: MessageResponse,
    /// Usage as of the start.
    pub(super) start: Usage,
    /// Whether the model's tokenizer cuts finer.
    pub(super) dense: bool,
    /// Whether events are asked for.
    pub(super) stream: bool,
    charge: Charge,
    remembered: Remembered,
}

/// Checks a body.
pub(super) fn check<'a>(
    state: &State,
    body: &'a Value,
    purpose: Purpose,
    new_version: bool,
) -> Result<Checked<'a>, Failure> {
    let today = state.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    validate::check(body, Context { purpose, new_version, today, resumes: state.resumes(body) })
}

/// The prompt of a checked body, if the model can take so much.
pub(super) fn prompt(checked: &Checked<'_>) -> Result<Prompt, Failure> {
    let prompt = Prompt::new(checked.body, &checked.model);
    let most = checked.model.max_input_tokens.unwrap_or(1_000_000);
    if prompt.tokens > most {
        return Err(Failure::invalid(format!("prompt is too long: {} tokens > {most} maximum", prompt.tokens)));
    }
    Ok(prompt)
}

/// Makes the answer. The cache is read now; it is written when the answer begins, see [`RowProgress`].
pub(super) fn prepare(
    state: &State,
    key: &str,
    checked: &Checked<'_>,
    purpose: Purpose,
    step: Option<&Step>,
) -> Result<Prepared, Failure> {
    let prompt = prompt(checked)?;
    let body = checked.body;
    let charge = lock(&state.cache).begin(key, &prompt, state.clock.now());
    let dense = checked.model.dense_tokenizer;

    let mut reply = if checked.max_tokens == 0 {
        Reply { parts: Vec::new(), stop_reason: StopReason::MaxTokens, stop_sequence: None, stop_details: None }
    } else {
        let mut reply = answers::reply(body);
        if let Some(thinking) = thinking(body, &checked.model) {
            reply.parts.insert(0, thinking);
        }
        step.map_or(reply.clone(), |step| step.direct(reply, || state.id("toolu")))
    };
    let sequences = body.get("stop_sequences").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    reply.stop_at(&sequences.iter().filter_map(Value::as_str).collect::<Vec<_>>());
    reply.limit(checked.max_tokens, dense);

    let tokens = charge.tokens;
    let output = reply.tokens(dense);
    let thinking = reply.thinking_tokens().min(output);
    let tier = if purpose == Purpose::Batch { "batch" } else { "standard" };
    let end = Usage {
        input_tokens: Some(tokens.input),
        cache_creation_input_tokens: Some(tokens.cache_write()),
        cache_read_input_tokens: Some(tokens.cache_read),
        cache_creation: Some(CacheCreation {
            ephemeral_5m_input_tokens: Some(tokens.cache_write_5m),
            ephemeral_1h_input_tokens: Some(tokens.cache_write_1h),
        }),
        output_tokens: Some(output),
        output_tokens_details: Some(OutputTokensDetails { thinking_tokens: Some(thinking) }),
        service_tier: Some(tier.to_owned()),
    };
    let end = if state.plain {
        Usage { input_tokens: end.input_tokens, output_tokens: end.output_tokens, ..Usage::default() }
    } else {
        end
    };
    let start = Usage { output_tokens: Some(output.min(1)), output_tokens_details: None, ..end.clone() };

    let diagnostics = body.get("diagnostics").filter(|asked| !asked.is_null()).map(|asked| {
        let named = asked.get("previous_message_id").and_then(Value::as_str);
        let previous = named.and_then(|id| state.remembered(id));
        diagnostics::diagnose(named.is_some(), previous.as_ref(), key, &prompt, tokens.cache_read)
    });
    let message = MessageResponse {
        id: state.id("msg"),
        kind: "message".to_owned(),
        role: Role::Assistant,
        model: body.get("model").and_then(Value::as_str).unwrap_or_default().to_owned(),
        content: reply.content(),
        stop_reason: Some(reply.stop_reason.clone()),
        stop_sequence: reply.stop_sequence.clone(),
        stop_details: reply.stop_details.clone(),
        usage: end,
        diagnostics,
    };
    let remembered = Remembered::new(key, &prompt);
    Ok(Prepared { reply, message, start, dense, stream: checked.stream, charge, remembered })
}

/// The thinking in front of an answer, when the model thinks: where it is on by default its text is left out, as the API
/// does, but its tokens count.
fn thinking(body: &Value, model: &Model) -> Option<Part> {
    let asked = body.get("thinking");
    let field = |name: &str| asked.and_then(|thinking| thinking.get(name));
    let form = field("type").and_then(Value::as_str);
    let thinks = match form {
        Some("enabled" | "adaptive") => true,
        // Only between a tool's result and the next step.
        Some("between_tools") => answers::follows_tool_result(body),
        Some(_) => false,
        None => model.thinking.default == ThinkingDefault::On,
    };
    if !thinks {
        return None;
    }
    let tokens = match body.pointer("/output_config/effort").and_then(Value::as_str) {
        Some("low") => 8,
        Some("medium") => 24,
        Some("xhigh") => 96,
        Some("max") => 192,
        _ => 48,
    };
    let shown = match field("display").and_then(Value::as_str) {
        Some("summarized") => true,
        Some(_) => false,
        None => form == Some("enabled"),
    };
    let text = if shown {
        "Simulated thinking: the code is outlined, then the answer is put together.".to_owned()
    } else {
        String::new()
    };
    Some(Part::Thinking { text, tokens })
}

/// The row of a request that gets an answer.
pub(super) fn row(request_id: &str, key: &str, prepared: &Prepared, batch: bool) -> AccountRow {
    AccountRow {
        request_id: request_id.to_owned(),
        message_id: Some(prepared.message.id.clone()),
        key: key.to_owned(),
        model: prepared.message.model.clone(),
        status: StatusCode::OK.as_u16(),
        stream: prepared.stream,
        batch,
        ..AccountRow::default()
    }
}

/// The row of a request that is refused.
pub(super) fn refused_row(request_id: &str, key: &str, body: &Value, status: StatusCode, batch: bool) -> AccountRow {
    AccountRow {
        request_id: request_id.to_owned(),
        key: key.to_owned(),
        model: body.get("model").and_then(Value::as_str).unwrap_or_default().to_owned(),
        status: status.as_u16(),
        stream: body.get("stream").and_then(Value::as_bool).unwrap_or(false),
        batch,
        ..AccountRow::default()
    }
}

/// Writes what happens to an answer into the account; at its beginning the cache is written.
#[derive(Debug)]
pub(super) struct RowProgress {
    state: Arc<State>,
    place: usize,
    beginning: Option<(String, Charge, Remembered)>,
}

impl RowProgress {
    /// Adds the row of an answer, and takes from it what is due when it begins.
    pub(super) fn new(state: &Arc<State>, row: AccountRow, prepared: Prepared) -> (Self, Answer) {
        let place = state.add_row(row);
        let Prepared { reply, message, start, dense, charge, remembered, .. } = prepared;
        let beginning = Some((message.id.clone(), charge, remembered));
        (Self { state: Arc::clone(state), place, beginning }, Answer { reply, message, start, dense })
    }

    /// Everything at once, for an answer that is not streamed.
    pub(super) fn all(&mut self, message: &MessageResponse) {
        self.made(message.usage.output_tokens.unwrap_or(0));
        self.reported(&message.usage);
        self.completed();
    }
}

/// What is sent of a prepared answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) reply: Reply,
    pub(super) message: MessageResponse,
    pub(super) start: Usage,
    pub(super) dense: bool,
}

impl Progress for RowProgress {
    fn made(&mut self, tokens: u64) {
        self.state.update_row(self.place, |row| row.output_tokens_made += tokens);
    }

    fn reported(&mut self, usage: &Usage) {
        if let Some((id, charge, remembered)) = self.beginning.take() {
            lock(&self.state.cache).answered(charge);
            self.state.remember(id, remembered);
        }
        self.state.update_row(self.place, |row| row.report(usage));
    }

    fn completed(&mut self) {
        self.state.update_row(self.place, |row| row.complete = true);
    }
}
