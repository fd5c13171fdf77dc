//! `GET /v1/models` and `GET /v1/models/{id}`, from the same table that requests are checked against.

use std::sync::Arc;

use axum::extract::{Path, Query, State as Shared};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::failure::Failure;
use super::http::{self, Caller};
use super::paging::{Paging, page};
use super::state::State;
use crate::claude::models::{self, Lifecycle, Model};

/// Lists the models, newest first.
pub(super) async fn list(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let today = state.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let served: Vec<Value> =
        models::all().iter().filter(|model| !model.is_retired(today)).map(|model| describe(model, today)).collect();
    match Paging::new(&query).and_then(|paging| page(&served, &paging)) {
        Ok(page) => Json(page).into_response(),
        Err(failure) => http::refuse(&failure, &caller.request_id.0),
    }
}

/// Describes one model; a retired one too.
pub(super) async fn get(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    let today = state.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    match models::find(&id) {
        Some(model) => Json(describe(model, today)).into_response(),
        None => http::refuse(&Failure::not_found(format!("model: {id}")), &caller.request_id.0),
    }
}

fn describe(model: &Model, today: jiff::civil::Date) -> Value {
    let can = |supported: bool| json!({"supported": supported});
    let rule = &model.thinking;
    let thinks = rule.adaptive || rule.enabled;
    let lifecycle = if model.is_retired(today) { Lifecycle::Retired } else { model.lifecycle };
    let words: Vec<&str> = model.id.split('-').collect();
    let line = words.iter().find(|word| ["haiku", "sonnet", "opus", "fable"].contains(word));
    json!({
        "id": model.id,
        "type": "model",
        "display_name": display_name(&words),
        // When each model came out is not in the table; clients only order by it, and the table is in order.
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": lifecycle,
        "line": line,
        "deprecated_at": Value::Null,
        "retires_at": model.retires.as_ref().map(|day| format!("{day}T00:00:00Z")),
        "max_input_tokens": model.max_input_tokens,
        "max_tokens": model.max_output_tokens,
        "capabilities": {
            "batch": can(true),
            "citations": can(false),
            "code_execution": can(false),
            "context_management": can(false),
            "effort": {
                "supported": rule.effort, "low": can(rule.effort), "medium": can(rule.effort), "high": can(rule.effort),
                "xhigh": can(rule.xhigh), "max": can(rule.effort),
            },
            "image_input": can(true),
            "pdf_input": can(true),
            "server_tools": {"supported": false, "code_execution": can(false), "web_search": can(false)},
            "structured_outputs": can(true),
            "thinking": {
                "supported": thinks,
                "types": {
                    "adaptive": can(rule.adaptive), "between_tools": can(rule.between_tools),
                    "disabled": can(rule.can_disable), "enabled": can(rule.enabled),
                },
            },
        },
    })
}

/// `Claude Sonnet 5.5` of `claude-sonnet-5-5`.
fn display_name(words: &[&str]) -> String {
    let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    let numbers: Vec<&str> = words.iter().copied().filter(is_number).collect();
    let names = words.iter().filter(|word| !is_number(word)).map(|word| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    });
    names.chain(std::iter::once(numbers.join("."))).collect::<Vec<_>>().join(" ")
}
