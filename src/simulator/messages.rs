//! `POST /v1/messages`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::Value;

use super::account::AccountRow;
use super::failure::Failure;
use super::http::{self, Caller};
use super::reply::Reply;
use super::state::State;
use super::stream::{self, Manner, Progress};
use super::tokens;
use crate::claude::types::{CacheCreation, MessageResponse, OutputTokensDetails, Role, Usage};

/// Answers a request for a message.
pub(super) async fn create(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Response {
    match answer(&state, &caller, body).await {
        Ok(response) => response,
        Err(failure) => {
            state.add_row(AccountRow {
                request_id: caller.request_id.0.clone(),
                key: caller.key.clone(),
                status: failure.status.as_u16(),
                ..AccountRow::default()
            });
            http::refuse(&failure, &caller.request_id.0)
        }
    }
}

async fn answer(state: &Arc<State>, caller: &Caller, body: Body) -> Result<Response, Failure> {
    let request = http::message_body(body).await?;
    let model =
        request.get("model").and_then(Value::as_str).ok_or_else(|| Failure::invalid("model: Field required"))?;
    let streamed = request.get("stream").and_then(Value::as_bool).unwrap_or(false);
    let reply = Reply::text("This answer is simulated: no model has read the request.");
    let output: u64 = tokens::count("This answer is simulated: no model has read the request.", false);
    let start = Usage {
        input_tokens: Some(tokens::count(&request.to_string(), false)),
        cache_creation_input_tokens: Some(0),
        cache_read_input_tokens: Some(0),
        cache_creation: Some(CacheCreation { ephemeral_5m_input_tokens: Some(0), ephemeral_1h_input_tokens: Some(0) }),
        output_tokens: Some(1),
        output_tokens_details: Some(OutputTokensDetails { thinking_tokens: Some(0) }),
        service_tier: Some("standard".to_owned()),
    };
    let end = Usage { output_tokens: Some(output), ..start.clone() };
    let message = MessageResponse {
        id: state.id("msg"),
        kind: "message".to_owned(),
        role: Role::Assistant,
        model: model.to_owned(),
        content: reply.content(),
        stop_reason: Some(reply.stop_reason.clone()),
        stop_sequence: None,
        stop_details: None,
        usage: end.clone(),
        diagnostics: None,
    };
    let place = state.add_row(AccountRow {
        request_id: caller.request_id.0.clone(),
        message_id: Some(message.id.clone()),
        key: caller.key.clone(),
        model: model.to_owned(),
        status: StatusCode::OK.as_u16(),
        stream: streamed,
        ..AccountRow::default()
    });
    let mut progress = RowProgress { state: Arc::clone(state), place };
    if streamed {
        let frames = stream::frames(&reply, &message, &start, &end);
        let manner = Manner { tokens_per_second: state.tokens_per_second, ..Manner::default() };
        let body = stream::body(frames, manner, progress);
        let events = HeaderValue::from_static("text/event-stream; charset=utf-8");
        return Ok(([(header::CONTENT_TYPE, events)], body).into_response());
    }
    progress.made(output);
    progress.reported(&end);
    progress.completed();
    Ok(Json(message).into_response())
}

/// Writes what happens to a request's row of the account.
struct RowProgress {
    state: Arc<State>,
    place: usize,
}

impl Progress for RowProgress {
    fn made(&mut self, tokens: u64) {
        self.state.update_row(self.place, |row| row.output_tokens_made += tokens);
    }

    fn reported(&mut self, usage: &Usage) {
        self.state.update_row(self.place, |row| row.report(usage));
    }

    fn completed(&mut self) {
        self.state.update_row(self.place, |row| row.complete = true);
    }
}
