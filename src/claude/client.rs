//! The client of the Messages API: what a caller sees of it.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use http::HeaderMap;
use secrecy::SecretString;
use url::Url;

use super::{
    call,
    errors::Place,
    rate::RateHeaders,
    retry, stream, transport,
    types::{ContentBlock, MessageRequest, MessageResponse, ModelInfo, Page, TokenCount},
    usage::Tokens,
};
use crate::error::Error;

/// Whom to ask, as whom, and how patiently.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// `/v1/…` is appended to its path.
    pub base_url: Url,
    /// `anthropic-version`.
    pub version: String,
    /// The credentials.
    pub auth: Auth,
    /// More headers; they win over the client's own.
    pub headers: Vec<(String, String)>,
    /// From sending a request to the first event of its answer.
    pub first_event_timeout: Duration,
    /// Between two events of an answer; a `ping` is one.
    pub idle_timeout: Duration,
    /// For name, connection and TLS together.
    pub connect_timeout: Duration,
    /// So many more attempts after the first.
    pub max_retries: u32,
}

/// Credentials, which are never shown.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Sent as `x-api-key`.
    ApiKey(SecretString),
    /// Sent as `Authorization: Bearer`.
    Token(SecretString),
}

impl ClientOptions {
    /// The defaults: version 2023-06-01, 60 s to the first event, 30 s between events, 10 s to connect, two retries.
    pub fn new(base_url: Url, auth: Auth) -> Self {
        Self {
            base_url,
            version: "2023-06-01".to_owned(),
            auth,
            headers: Vec::new(),
            first_event_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_retries: 2,
        }
    }
}

/// A client with one pool of connections; clones share it.
///
/// Every method can be cancelled by dropping its future, which ends the HTTP request too.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: ClientOptions,
    headers: HeaderMap,
    host: String,
    http: OnceLock<reqwest::Client>,
}

/// What happens to a streamed request, in order.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// An attempt begins, the first is 1. From the second on, what came before is void.
    Sent {
        /// Which.
        attempt: u32,
    },
    /// An attempt failed, another follows.
    Waiting {
        /// The one that failed.
        attempt: u32,
        /// Until the next.
        delay: Duration,
        /// Why it failed.
        reason: &'a Error,
        /// What the failed attempt had reported, which is billed all the same; `None` if it had not begun.
        partial: Option<&'a Partial>,
    },
    /// The answer has begun; from here on its prefix can be read from the cache.
    Started {
        /// The message, still empty, with its first usage.
        message: &'a MessageResponse,
        /// For support.
        request_id: Option<&'a str>,
        /// The limits, as far as told.
        rate: &'a RateHeaders,
    },
    /// A block begins.
    BlockStarted(&'a ContentBlock),
    /// More text.
    Text(&'a str),
    /// More thinking.
    Thinking(&'a str),
    /// More of a tool's arguments.
    ToolInput {
        /// The block's place in the message.
        index: usize,
        /// A piece of JSON text.
        json: &'a str,
    },
    /// A block is complete; a tool's arguments are parsed.
    BlockFinished(&'a ContentBlock),
    /// The tokens so far; cumulative.
    Usage(Tokens),
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The message.
    pub message: MessageResponse,
    /// For support.
    pub request_id: Option<String>,
    /// How many it took; 1 when the first succeeded.
    pub attempts: u32,
    /// What the successful attempt took.
    pub tokens: Tokens,
    /// From sending the successful attempt to its first text or thinking.
    pub time_to_first_token: Option<Duration>,
    /// The limits, as far as told.
    pub rate: RateHeaders,
    /// Attempts that had begun to answer before they failed and were repeated. Billed, but not part of `tokens`.
    pub abandoned: Vec<Partial>,
}

/// An answer in one piece.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The message.
    pub message: MessageResponse,
    /// For support.
    pub request_id: Option<String>,
}

/// No answer, or not a whole one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// Why the last attempt failed.
    pub error: Error,
    /// How many there were.
    pub attempts: u32,
    /// What the last attempt gave before it failed; set once `message_start` came.
    pub partial: Option<Partial>,
    /// As in [`Answer::abandoned`].
    pub abandoned: Vec<Partial>,
}

/// An answer that broke off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partial {
    /// The text until then.
    pub text: String,
    /// The tokens reported until then; output is usually reported only at the end.
    pub tokens: Tokens,
    /// For support.
    pub request_id: Option<String>,
}

impl Client {
    /// A client for these options. Cheap: checks headers and address; certificates are read and the pool is made with
    /// the first request.
    ///
    /// # Errors
    /// `config` for an address, version or header that cannot be sent, `credentials` for a key that cannot.
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        let headers = transport::headers(&options)?;
        transport::address(&options.base_url, &[])?;
        let host = transport::host(&options.base_url);
        Ok(Self { inner: Arc::new(Inner { options, headers, host, http: OnceLock::new() }) })
    }

    /// Host and port of the base URL, as errors name them.
    pub fn host(&self) -> &str {
        &self.inner.host
    }

    /// The options it was made with.
    pub fn options(&self) -> &ClientOptions {
        &self.inner.options
    }

    /// Sends a request as a stream (`stream: true` whatever it says) and feeds what comes to `events`.
    ///
    /// Failed attempts are repeated as the API's rules say, but never once text, thinking or tool input came.
    /// Whether the answer is one to use (`stop_reason`: `refusal`, `max_tokens`) is the caller's to judge.
    pub async fn stream(
        &self,
        request: &MessageRequest,
        events: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<Answer, Failure> {
        stream::run(self, request, events).await
    }

    /// Sends a request for one answer in one piece; meant for `max_tokens: 0`, which cannot be streamed.
    pub async fn send(&self, request: &MessageRequest) -> Result<Sent, Error> {
        let place = self.place(Some(&request.model));
        let body = call::body(&place, &MessageRequest { stream: false, ..request.clone() })?;
        let reply = call::post(self, &place, &["v1", "messages"], Some(body)).await;
        let reply = reply.map_err(|refusal| refusal.error)?;
        Ok(Sent { message: reply.json(&place)?, request_id: reply.request_id() })
    }

    /// Counts the tokens of a request, for free; `None` when the server cannot.
    pub async fn count_tokens(&self, request: &MessageRequest) -> Result<Option<u64>, Error> {
        let place = self.place(Some(&request.model));
        let body = call::body(&place, &call::Countable::new(request))?;
        let path = ["v1", "messages", "count_tokens"];
        match call::post(self, &place, &path, Some(body)).await {
            Ok(reply) => Ok(Some(reply.json::<TokenCount>(&place)?.input_tokens)),
            // The API's own 404 is about the model; anybody else's means that there is no such endpoint.
            Err(refusal) if refusal.lacks_endpoint() && !refusal.is_about_model() => Ok(None),
            Err(refusal) => Err(refusal.error),
        }
    }

    /// All models the server has; empty when it does not tell.
    pub async fn models(&self) -> Result<Vec<ModelInfo>, Error> {
        const PAGES: usize = 50;
        let place = self.place(None);
        let mut models = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..PAGES {
            let mut query = vec![("limit", "1000")];
            query.extend(after.as_deref().map(|id| ("after_id", id)));
            let page: Page<ModelInfo> = match call::get(self, &place, &["v1", "models"], &query).await {
                Ok(reply) => reply.json(&place)?,
                Err(refusal) if refusal.lacks_endpoint() => break,
                Err(refusal) => return Err(refusal.error),
            };
            models.extend(page.data);
            if !page.has_more || page.last_id.is_none() || page.last_id == after {
                break;
            }
            after = page.last_id;
        }
        Ok(models)
    }

    /// One model; `None` when the server does not have it, or does not tell.
    pub async fn model(&self, id: &str) -> Result<Option<ModelInfo>, Error> {
        let place = self.place(Some(id));
        match call::get(self, &place, &["v1", "models", id], &[]).await {
            Ok(reply) => reply.json(&place).map(Some),
            Err(refusal) if refusal.lacks_endpoint() => Ok(None),
            Err(refusal) => Err(refusal.error),
        }
    }

    /// What errors of a request for `model` name.
    pub(super) fn place<'a>(&'a self, model: Option<&'a str>) -> Place<'a> {
        let doubled_version = self.inner.options.base_url.path().trim_end_matches('/').ends_with("/v1");
        Place { host: &self.inner.host, doubled_version, model }
    }

    pub(super) fn http(&self) -> Result<&reqwest::Client, Error> {
        if let Some(http) = self.inner.http.get() {
            return Ok(http);
        }
        let http = transport::build(&self.inner.options, self.inner.headers.clone())?;
        Ok(self.inner.http.get_or_init(|| http))
    }
}

/// The wait before the next attempt, or `None` when this was the last.
pub(super) fn next_delay(options: &ClientOptions, attempt: u32, verdict: retry::Verdict) -> Option<Duration> {
    (attempt <= options.max_retries).then(|| verdict.delay(attempt, retry::random())).flatten()
}

/// The time that is left until `deadline`.
pub(super) fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests;
