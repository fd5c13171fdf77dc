//! A server that speaks `/v1/messages` and nothing else of the platform, as local servers and simple gateways do. It is as
//! strict about what it does not know as the strictest of them.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::failure::Failure;
use super::state::State;
use super::validate::Checked;
use crate::claude::models;

/// All that such a server knows of a request.
const FIELDS: [&str; 9] =
    ["model", "max_tokens", "messages", "system", "stream", "temperature", "top_p", "top_k", "stop_sequences"];

/// Answers everything but messages as a server that never heard of it.
pub(super) async fn narrow(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if state.plain && !matches!(path, "/" | "/v1/messages" | "/__simulator/account") {
        return (StatusCode::NOT_FOUND, "404 page not found").into_response();
    }
    next.run(request).await
}

/// Checks a body. Any model will do.
pub(super) fn check(body: &Value) -> Result<Checked<'_>, Failure> {
    let unknown = |place: String| Err(Failure::invalid(format!("{place}: Extra inputs are not permitted")));
    let fields = body.as_object().ok_or_else(|| Failure::invalid("The body is not an object"))?;
    if let Some(field) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        return unknown(field.clone());
    }
    for (place, block) in blocks(body) {
        match block["type"].as_str() {
            Some("text") => {}
            Some(kind) => return Err(Failure::invalid(format!("{place}: {kind} input is not supported"))),
            None => return Err(Failure::invalid(format!("{place}.type: Field required"))),
        }
        let keys = block.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        if let Some(field) = keys.into_iter().find(|field| !["type", "text"].contains(field)) {
            return unknown(format!("{place}.{field}"));
        }
    }
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    let (Some(model), Some(max_tokens)) = (text("model"), fields.get("max_tokens").and_then(Value::as_u64)) else {
        return Err(Failure::invalid("model and max_tokens: Field required"));
    };
    if max_tokens == 0 {
        return Err(Failure::invalid("max_tokens: Input should be greater than 0"));
    }
    Ok(Checked {
        body,
        model: models::find(model).map_or_else(|| models::lookup(model), Cow::Borrowed),
        max_tokens,
        stream: fields.get("stream").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// All blocks of the request, with their places.
fn blocks(body: &Value) -> Vec<(String, &Value)> {
    let mut blocks = Vec::new();
    let system = body["system"].as_array().map(Vec::as_slice).unwrap_or_default();
    blocks.extend(system.iter().enumerate().map(|(number, block)| (format!("system.{number}"), block)));
    for (turn, message) in body["messages"].as_array().into_iter().flatten().enumerate() {
        let content = message["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        let place = |number: usize| format!("messages.{turn}.content.{number}");
        blocks.extend(content.iter().enumerate().map(|(number, block)| (place(number), block)));
    }
    blocks
}
