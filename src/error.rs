//! The one error that reaches a user: a kind that programs can match on, a message, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an action failed, as named in `outcome: failed` results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// No key or token, or one that the API does not accept.
    Credentials,
    /// The key may not do this.
    Permission,
    /// Too many requests or tokens a minute, after all retries.
    RateLimit,
    /// The API is overloaded, after all retries.
    Overloaded,
    /// A spending limit: the user's own (`budget.*`) or the organization's.
    Budget,
    /// The model declined to answer.
    Refused,
    /// The request is larger than the model or the API takes.
    TooLong,
    /// The answer ended at `max_output_tokens`.
    Truncated,
    /// The connection failed, or ended before the answer did.
    Network,
    /// Nothing came within the time limit.
    Timeout,
    /// The answer does not have the form that was asked for.
    BadAnswer,
    /// The text changed in a way that the answer does not fit any more.
    Conflict,
    /// The file is one that never leaves this machine.
    Excluded,
    /// A setting, an argument or a request of the editor is wrong.
    Config,
    /// A defect of Aside.
    Internal,
}

impl ErrorKind {
    /// The name used in JSON, such as `rate_limit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Permission => "permission",
            Self::RateLimit => "rate_limit",
            Self::Overloaded => "overloaded",
            Self::Budget => "budget",
            Self::Refused => "refused",
            Self::TooLong => "too_long",
            Self::Truncated => "truncated",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::BadAnswer => "bad_answer",
            Self::Conflict => "conflict",
            Self::Excluded => "excluded",
            Self::Config => "config",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure in words a user can act on. Never holds a secret, nor code of the user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[serde(rename_all = "camelCase")]
pub struct Error {
    /// What class of failure this is.
    pub kind: ErrorKind,
    /// What happened, in one sentence.
    pub message: String,
    /// What the user can do about it, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The API's `request-id`, for a report to its support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, request_id: None }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the API's `request-id`.
    #[must_use]
    pub fn request_id(mut self, id: Option<String>) -> Self {
        self.request_id = id;
        self
    }

    /// Message and hint in one line, for places that show one line only.
    pub fn sentence(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{} {hint}", self.message),
            None => self.message.clone(),
        }
    }
}
