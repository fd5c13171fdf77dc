//! `POST /v1/messages` and `POST /v1/messages/count_tokens`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::Value;

use super::answers;
use super::engine::{self, RowProgress};
use super::failure::Failure;
use super::http::{self, Caller};
use super::plain;
use super::playback::Probe;
use super::scenario::{StallPlace, Step};
use super::state::{State, lock};
use super::stream::{self, Manner};
use super::validate::Purpose;
use crate::claude::types::{StopReason, TokenCount};

/// Answers a request for a message.
pub(super) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Response {
    let body = match http::message_body(body).await {
        Ok(body) => body,
        Err(failure) => return refuse(&state, &caller, &Value::Null, &failure),
    };
    match answer(&state, &caller, &body).await {
        Ok(response) => response,
        Err(failure) => refuse(&state, &caller, &body, &failure),
    }
}

fn refuse(state: &State, caller: &Caller, body: &Value, failure: &Failure) -> Response {
    state.add_row(engine::refused_row(&caller.request_id.0, &caller.key, body, failure.status, false));
    http::refuse(failure, &caller.request_id.0)
}

async fn answer(state: &Arc<State>, caller: &Caller, body: &Value) -> Result<Response, Failure> {
    let checked = if state.plain {
        plain::check(body)?
    } else {
        engine::check(state, body, Purpose::Message, caller.new_version)?
    };
    let action = answers::action(body);
    let step = state.step(&Probe { path: "/v1/messages", body, action: action.as_deref() });
    if let Some(step) = step.as_ref().filter(|step| step.is_failure()) {
        stall_before_headers(state, step).await;
        let status = failing_status(step);
        state.add_row(engine::refused_row(&caller.request_id.0, &caller.key, body, status, false));
        return Ok(scripted(step, &caller.request_id.0));
    }
    let prepared = engine::prepare(state, &caller.key, &checked, Purpose::Message, step.as_ref())?;
    if let Some(step) = &step {
        stall_before_headers(state, step).await;
    }

    let tokens = crate::claude::usage::Tokens::from(&prepared.message.usage);
    let uncached = tokens.total_input() - tokens.cache_read;
    let counted = lock(&state.rates).count(&caller.key, uncached, tokens.output, state.clock.now());
    let mut headers = match counted {
        Ok(headers) => headers,
        Err(refused) => {
            let row =
                engine::refused_row(&caller.request_id.0, &caller.key, body, StatusCode::TOO_MANY_REQUESTS, false);
            state.add_row(row);
            let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "This request would exceed your rate limit.");
            return Ok((refused, http::refuse(&failure, &caller.request_id.0)).into_response());
        }
    };
    if state.plain {
        headers.clear();
    }
    if prepared.message.stop_reason == Some(StopReason::PauseTurn) {
        state.pause(body, &prepared.message);
    }
    if let Some(step) = &step {
        add_headers(&mut headers, step);
    }
    let row = engine::row(&caller.request_id.0, &caller.key, &prepared, false);
    let manner = step.as_ref().map_or_else(
        || Manner { tokens_per_second: state.tokens_per_second, ..Manner::default() },
        |step| step.manner(state.tokens_per_second),
    );
    if checked.stream {
        let (progress, answer) = RowProgress::new(state, row, prepared);
        let frames = stream::frames(&answer);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        return Ok((headers, stream::body(frames, manner, progress)).into_response());
    }
    if let Some(speed) = manner.shape.tokens_per_second.or(manner.tokens_per_second) {
        #[expect(clippy::cast_precision_loss, reason = "an answer has few tokens")]
        let time = Duration::try_from_secs_f64(tokens.output as f64 / speed).unwrap_or_default();
        tokio::time::sleep(time).await;
    }
    let (progress, answer) = RowProgress::new(state, row, prepared);
    Ok((headers, stream::whole(&answer.message, manner, progress)).into_response())
}

/// Counts the tokens of a request.
pub(super) async fn count_tokens(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Response {
    let count = async {
        let body = http::message_body(body).await?;
        let checked = engine::check(&state, &body, Purpose::CountTokens, caller.new_version)?;
        Ok(TokenCount { input_tokens: engine::prompt(&checked)?.tokens })
    };
    match count.await {
        Ok(count) => Json(count).into_response(),
        Err(failure) => http::refuse(&failure, &caller.request_id.0),
    }
}

/// The answer of a step that fails: its body as it is, or an error in the API's shape.
pub(super) fn scripted(step: &Step, request_id: &str) -> Response {
    let status = failing_status(step);
    let mut headers = HeaderMap::new();
    let body = if let Some(body) = &step.body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        body.clone()
    } else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Failure { status, error: Box::new(step.scripted_error(status)) }.body(request_id).to_string()
    };
    add_headers(&mut headers, step);
    (status, headers, body).into_response()
}

/// Waits as long as the step wants before anything is sent; a client that leaves ends the wait.
pub(super) async fn stall_before_headers(state: &State, step: &Step) {
    let Some(stall) = step.stall.filter(|stall| stall.at == StallPlace::Headers) else { return };
    let _stalled = state.stalled();
    match stall.ms {
        Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        None => std::future::pending().await,
    }
}

fn failing_status(step: &Step) -> StatusCode {
    let usual = if step.body.is_some() { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
    step.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(usual)
}

pub(super) fn add_headers(headers: &mut HeaderMap, step: &Step) {
    for (name, value) in &step.headers {
        // Both were checked when the scenario was read.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
}
