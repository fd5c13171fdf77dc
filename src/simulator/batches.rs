//! Message Batches: taken at once, answered in the background by the same engine.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answers;
use super::clock::later;
use super::engine::{self, RowProgress};
use super::failure::Failure;
use super::http::{self, Caller};
use super::paging::{Paging, page};
use super::playback::Probe;
use super::scenario::{BatchEnd, Stall};
use super::state::{State, lock};
use super::validate::Purpose;

/// The largest body.
pub(super) const BODY_LIMIT: usize = 256 << 20;
/// The most requests.
const MOST_REQUESTS: usize = 100_000;
/// How long a batch may run.
const TIME_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long results are kept, counted from the beginning.
const KEPT: Duration = Duration::from_secs(29 * 24 * 60 * 60);
/// How often a request that is held back looks whether its batch was cancelled.
const LOOK: Duration = Duration::from_millis(10);
/// The path that a scenario's steps name to be played for the requests of a batch.
pub(super) const ITEM_PATH: &str = "/v1/messages/batches/requests";

/// All batches, newest last.
#[derive(Debug, Default)]
pub(super) struct Batches(Mutex<Vec<Batch>>);

#[derive(Clone, Debug)]
struct Batch {
    id: String,
    key: String,
    created: Timestamp,
    ended: Option<Timestamp>,
    cancelled: Option<Timestamp>,
    requests: Vec<Item>,
}

#[derive(Clone, Debug)]
struct Item {
    custom_id: String,
    params: Value,
    result: Option<Value>,
}

/// Takes a batch.
pub(super) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let taken = async {
        let body = http::json_body(body, BODY_LIMIT).await?;
        let requests = items(&body)?;
        let batch = Batch {
            id: state.id("msgbatch"),
            key: caller.key.clone(),
            created: state.clock.now(),
            ended: None,
            cancelled: None,
            requests,
        };
        let answer = batch.describe(&host(&headers), state.clock.now());
        let id = batch.id.clone();
        lock(&state.batches.0).push(batch);
        tokio::spawn(work(Arc::clone(&state), caller.clone(), id));
        Ok(answer)
    };
    answer(taken.await, &caller)
}

/// The requests of a batch, if the envelope is right; what is in it is checked when it is its turn.
fn items(body: &Value) -> Result<Vec<Item>, Failure> {
    let envelope = body.as_object().ok_or_else(|| Failure::invalid("The request body must be a JSON object"))?;
    if let Some(unknown) = envelope.keys().find(|key| *key != "requests") {
        return Err(Failure::invalid(format!("{unknown}: Extra inputs are not permitted")));
    }
    let list = envelope.get("requests").ok_or_else(|| Failure::invalid("requests: Field required"))?;
    let list = list.as_array().ok_or_else(|| Failure::invalid("requests: Input should be a valid list"))?;
    if list.is_empty() || list.len() > MOST_REQUESTS {
        return Err(Failure::invalid(format!("requests: List should have 1 to {MOST_REQUESTS} items")));
    }
    let mut seen = BTreeSet::new();
    let mut items = Vec::with_capacity(list.len());
    for (number, request) in list.iter().enumerate() {
        let wrong = |field: &str, what: &str| Failure::invalid(format!("requests.{number}{field}: {what}"));
        let request = request.as_object().ok_or_else(|| wrong("", "Input should be a valid dictionary"))?;
        if let Some(unknown) = request.keys().find(|key| *key != "custom_id" && *key != "params") {
            return Err(wrong(&format!(".{unknown}"), "Extra inputs are not permitted"));
        }
        let custom_id = request.get("custom_id").ok_or_else(|| wrong(".custom_id", "Field required"))?;
        let custom_id = custom_id.as_str().ok_or_else(|| wrong(".custom_id", "Input should be a valid string"))?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if custom_id.is_empty() || custom_id.len() > 64 || !custom_id.bytes().all(fits) {
            return Err(wrong(".custom_id", "String should match pattern '^[a-zA-Z0-9_-]{1,64}$'"));
        }
        if !seen.insert(custom_id) {
            return Err(wrong(".custom_id", &format!("custom_id must be unique: {custom_id}")));
        }
        let params = request.get("params").ok_or_else(|| wrong(".params", "Field required"))?;
        if !params.is_object() {
            return Err(wrong(".params", "Input should be a valid dictionary"));
        }
        items.push(Item { custom_id: custom_id.to_owned(), params: params.clone(), result: None });
    }
    Ok(items)
}

/// Lists the caller's batches, newest first.
pub(super) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let host = host(&headers);
    let batches: Vec<Value> = lock(&state.batches.0)
        .iter()
        .rev()
        .filter(|batch| batch.key == caller.key)
        .map(|batch| batch.describe(&host, state.clock.now()))
        .collect();
    answer(Paging::new(&query).and_then(|paging| page(&batches, &paging)), &caller)
}

/// How far a batch is.
pub(super) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    answer(state.batches.with(&id, &caller, |batch| Ok(batch.describe(&host(&headers), state.clock.now()))), &caller)
}

/// Ends a batch early.
pub(super) async fn cancel(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let cancelled = state.batches.with(&id, &caller, |batch| {
        if batch.ended.is_some() {
            return Err(Failure::invalid(format!("Batch {id} has already ended and cannot be canceled")));
        }
        batch.cancelled.get_or_insert(state.clock.now());
        Ok(batch.describe(&host(&headers), state.clock.now()))
    });
    answer(cancelled, &caller)
}

/// Forgets a batch that has ended.
pub(super) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    let ended = state.batches.with(&id, &caller, |batch| match batch.ended {
        Some(_) => Ok(()),
        None => Err(Failure::invalid(format!("Batch {id} has not ended: cancel it first"))),
    });
    let deleted = ended.map(|()| {
        lock(&state.batches.0).retain(|batch| batch.id != id);
        json!({"id": id, "type": "message_batch_deleted"})
    });
    answer(deleted, &caller)
}

/// The results, a line each.
pub(super) async fn results(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    let lines = state.batches.with(&id, &caller, |batch| {
        if batch.ended.is_none() {
            return Err(Failure::not_found(format!("Batch {id} has no results yet: it has not ended")));
        }
        if batch.archived(state.clock.now()).is_some() {
            return Err(Failure::not_found(format!("The results of batch {id} were deleted after 29 days")));
        }
        // Any order is allowed, so clients had better not depend on that of the requests.
        let mut lines = String::new();
        for item in batch.requests.iter().rev() {
            let line = json!({"custom_id": item.custom_id, "result": item.result.clone().unwrap_or_default()});
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
        Ok(lines)
    });
    match lines {
        Ok(lines) => ([(header::CONTENT_TYPE, "application/x-jsonl")], lines).into_response(),
        Err(failure) => http::refuse(&failure, &caller.request_id.0),
    }
}

fn answer(result: Result<Value, Failure>, caller: &Caller) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(failure) => http::refuse(&failure, &caller.request_id.0),
    }
}

/// The address that the client knows the simulator by.
fn host(headers: &HeaderMap) -> String {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1").to_owned()
}

impl Batches {
    /// Something with one of the caller's batches; those of other keys do not exist for it.
    fn with<T>(
        &self,
        id: &str,
        caller: &Caller,
        with: impl FnOnce(&mut Batch) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut batches = lock(&self.0);
        let batch = batches.iter_mut().find(|batch| batch.id == id && batch.key == caller.key);
        batch.map_or_else(|| Err(Failure::not_found(format!("Batch not found: {id}"))), with)
    }
}

impl Batch {
    fn describe(&self, host: &str, now: Timestamp) -> Value {
        let count = |kind: &str| {
            // Until the end all are processing, as they are with the real API.
            let of_kind = |item: &&Item| item.result.as_ref().is_some_and(|result| result["type"] == kind);
            if self.ended.is_some() { self.requests.iter().filter(of_kind).count() } else { 0 }
        };
        let status = match (self.ended, self.cancelled) {
            (Some(_), _) => "ended",
            (None, Some(_)) => "canceling",
            (None, None) => "in_progress",
        };
        let archived = self.archived(now);
        let results = self
            .ended
            .filter(|_| archived.is_none())
            .map(|_| format!("http://{host}/v1/messages/batches/{}/results", self.id));
        json!({
            "id": self.id,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": {
                "processing": if self.ended.is_some() { 0 } else { self.requests.len() },
                "succeeded": count("succeeded"),
                "errored": count("errored"),
                "canceled": count("canceled"),
                "expired": count("expired"),
            },
            "created_at": self.created.to_string(),
            "expires_at": later(self.created, TIME_LIMIT).to_string(),
            "ended_at": self.ended.map(|time| time.to_string()),
            "cancel_initiated_at": self.cancelled.map(|time| time.to_string()),
            "archived_at": archived.map(|time| time.to_string()),
            "results_url": results,
        })
    }

    /// Since when its results are gone.
    fn archived(&self, now: Timestamp) -> Option<Timestamp> {
        let end = later(self.created, KEPT);
        (self.ended.is_some() && now >= end).then_some(end)
    }

    /// How the requests end that have not begun by now.
    fn over(&self, now: Timestamp) -> Option<BatchEnd> {
        if self.cancelled.is_some() {
            Some(BatchEnd::Canceled)
        } else {
            (now >= later(self.created, TIME_LIMIT)).then_some(BatchEnd::Expired)
        }
    }
}

/// Answers the requests of a batch one by one.
async fn work(state: Arc<State>, caller: Caller, id: String) {
    let mut number = 0;
    loop {
        let next = state.batches.with(&id, &caller, |batch| {
            let now = state.clock.now();
            if let Some(over) = batch.over(now) {
                batch.requests.iter_mut().for_each(|item| {
                    item.result.get_or_insert_with(|| json!({"type": over}));
                });
            }
            let next = batch.requests.get(number).filter(|item| item.result.is_none());
            let next = next.map(|item| item.params.clone());
            if next.is_none() {
                batch.ended = Some(now);
            }
            Ok(next)
        });
        let Ok(Some(params)) = next else { return };
        let (result, tokens) = one(&state, &caller, &id, &params).await;
        if let Some(speed) = state.tokens_per_second {
            #[expect(clippy::cast_precision_loss, reason = "an answer has few tokens")]
            let time = Duration::try_from_secs_f64(tokens as f64 / speed).unwrap_or_default();
            tokio::time::sleep(time).await;
        } else {
            tokio::task::yield_now().await;
        }
        let kept = state.batches.with(&id, &caller, |batch| {
            batch.requests[number].result = Some(result);
            Ok(())
        });
        if kept.is_err() {
            return;
        }
        number += 1;
    }
}

/// Holds a request back as long as a scenario wants; how it ends when its batch was cancelled or expired meanwhile.
async fn held(state: &State, caller: &Caller, id: &str, stall: Stall) -> Option<BatchEnd> {
    let _stalled = state.stalled();
    let over = stall.ms.map(|ms| tokio::time::Instant::now() + Duration::from_millis(ms));
    loop {
        let end = state.batches.with(id, caller, |batch| Ok(batch.over(state.clock.now())));
        if let Some(end) = end.unwrap_or(Some(BatchEnd::Canceled)) {
            return Some(end);
        }
        if over.is_some_and(|over| tokio::time::Instant::now() >= over) {
            return None;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The result of one request, and the tokens of its answer.
async fn one(state: &Arc<State>, caller: &Caller, id: &str, params: &Value) -> (Value, u64) {
    let request_id = state.id("req");
    let refused = |status: StatusCode, error: Value| {
        state.add_row(engine::refused_row(&request_id, &caller.key, params, status, true));
        (json!({"type": "errored", "error": error}), 0)
    };
    let checked = match engine::check(state, params, Purpose::Batch, caller.new_version) {
        Ok(checked) => checked,
        Err(failure) => return refused(failure.status, failure.body(&request_id)),
    };
    let action = answers::action(params);
    let step = state.step(&Probe { path: ITEM_PATH, body: params, action: action.as_deref() });
    if let Some(step) = step.as_ref().filter(|step| step.is_failure()) {
        let status = step.status.and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let failure = Failure { status, error: Box::new(step.scripted_error(status)) };
        return refused(status, failure.body(&request_id));
    }
    if let Some(end) = step.as_ref().and_then(|step| step.batch_result) {
        return (json!({"type": end}), 0);
    }
    if let Some(stall) = step.as_ref().and_then(|step| step.stall)
        && let Some(end) = held(state, caller, id, stall).await
    {
        return (json!({"type": end}), 0);
    }
    match engine::prepare(state, &caller.key, &checked, Purpose::Batch, step.as_ref()) {
        Err(failure) => refused(failure.status, failure.body(&request_id)),
        Ok(prepared) => {
            let row = engine::row(&request_id, &caller.key, &prepared, true);
            let (mut progress, answer) = RowProgress::new(state, row, prepared);
            progress.all(&answer.message);
            let tokens = answer.message.usage.output_tokens.unwrap_or(0);
            (json!({"type": "succeeded", "message": answer.message}), tokens)
        }
    }
}
