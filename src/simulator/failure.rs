//! Refusals, in the API's shape: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

use axum::http::StatusCode;
use serde_json::Value;

use crate::claude::types::{ApiError, ErrorResponse};

/// A request that is refused, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    /// The HTTP status.
    pub(super) status: StatusCode,
    /// The body's `error`.
    pub(super) error: Box<ApiError>,
}

impl Failure {
    /// A failure with the error type that belongs to the status.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            error: Box::new(ApiError { kind: error_type(status).to_owned(), message: message.into(), details: None }),
        }
    }

    /// 400.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The body on the wire.
    pub(super) fn body(&self, request_id: &str) -> Value {
        let response = ErrorResponse {
            kind: "error".to_owned(),
            error: self.error.as_ref().clone(),
            request_id: Some(request_id.to_owned()),
        };
        serde_json::to_value(response).unwrap_or_default()
    }
}

/// The error type the API uses with a status.
pub(super) fn error_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}
