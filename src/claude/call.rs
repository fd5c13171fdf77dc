//! Requests with one answer in one piece: retries, limits, and what a refusal means.

use std::fs::File;
use std::io::Seek as _;
use std::time::{Duration, Instant, SystemTime};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{sleep, timeout};

use super::{
    client::{Client, left, next_delay},
    errors::{Fault, Place},
    retry::{self, Verdict},
    transport,
    types::{CacheControl, Message, MessageRequest, OutputConfig, SystemBlock, Thinking, Tool, ToolChoice},
};
use crate::error::{Error, ErrorKind};

/// The largest body of a request to `/v1/messages`, in bytes.
pub(super) const LARGEST_REQUEST: usize = 32 * 1024 * 1024;
/// The largest answer that is read into memory, in bytes.
const LARGEST_REPLY: usize = 64 * 1024 * 1024;
/// Of an error answer only the beginning matters.
const LARGEST_REFUSAL: usize = 1024 * 1024;

/// A successful answer.
pub(super) struct Reply {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A failed attempt.
pub(super) struct Refusal {
    pub(super) error: Error,
    pub(super) verdict: Verdict,
    /// `None` when there was no answer at all.
    status: Option<StatusCode>,
    kind: String,
}

/// The body of `POST /v1/messages/count_tokens`: what of a request counts, and nothing the endpoint refuses.
#[derive(Serialize)]
pub(super) struct Countable<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "<[Tool]>::is_empty")]
    tools: &'a [Tool],
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'a ToolChoice>,
    #[serde(skip_serializing_if = "<[SystemBlock]>::is_empty")]
    system: &'a [SystemBlock],
    messages: &'a [Message],
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<&'a Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<&'a OutputConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

impl<'a> Countable<'a> {
    pub(super) fn new(request: &'a MessageRequest) -> Self {
        Self {
            model: &request.model,
            tools: &request.tools,
            tool_choice: request.tool_choice.as_ref(),
            system: &request.system,
            messages: &request.messages,
            thinking: request.thinking.as_ref(),
            output_config: request.output_config.as_ref(),
            cache_control: request.cache_control,
        }
    }
}

/// Serializes a request's body, which must not be larger than the API takes.
pub(super) fn body(place: &Place<'_>, request: &impl Serialize) -> Result<Bytes, Error> {
    limited_body(place, request, LARGEST_REQUEST)
}

fn limited_body(place: &Place<'_>, request: &impl Serialize, largest: usize) -> Result<Bytes, Error> {
    let body = serde_json::to_vec(request)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("The request has no JSON form: {error}.")))?;
    if body.len() > largest { Err(place.too_large()) } else { Ok(body.into()) }
}

pub(super) async fn get(
    client: &Client,
    place: &Place<'_>,
    path: &[&str],
    query: &[(&str, &str)],
) -> Result<Reply, Refusal> {
    call(client, place, Method::GET, path, query, None).await
}

pub(super) async fn post(
    client: &Client,
    place: &Place<'_>,
    path: &[&str],
    body: Option<Bytes>,
) -> Result<Reply, Refusal> {
    call(client, place, Method::POST, path, &[], body).await
}

/// Sends a request, and again after a transient failure: doing it twice must do no harm.
pub(super) async fn call(
    client: &Client,
    place: &Place<'_>,
    method: Method,
    path: &[&str],
    query: &[(&str, &str)],
    body: Option<Bytes>,
) -> Result<Reply, Refusal> {
    let mut attempt = 1;
    loop {
        let outcome = async {
            let response = open(client, place, method.clone(), path, query, body.clone()).await?;
            let headers = response.headers().clone();
            let body = read(client, place, response, LARGEST_REPLY).await?;
            Ok(Reply { headers, body })
        };
        let refusal: Refusal = match outcome.await {
            Ok(reply) => return Ok(reply),
            Err(refusal) => refusal,
        };
        match next_delay(client.options(), attempt, refusal.verdict) {
            Some(delay) => sleep(delay).await,
            None => return Err(refusal),
        }
        attempt += 1;
    }
}

/// Sends a body of `length` bytes that is in a file. Repeated only when the request was certainly not carried out.
/// `patience` is for one attempt, up to the head of its answer.
pub(super) async fn post_file(
    client: &Client,
    place: &Place<'_>,
    path: &[&str],
    file: &File,
    length: u64,
    patience: Duration,
) -> Result<Reply, Refusal> {
    let unread = |error: std::io::Error| {
        Refusal::final_word(Error::new(ErrorKind::Internal, format!("What is to be sent cannot be read: {error}.")))
    };
    let mut attempt = 1;
    loop {
        let mut copy = file.try_clone().map_err(unread)?;
        copy.rewind().map_err(unread)?;
        let outcome = async {
            let sent = Sent { body: tokio::fs::File::from_std(copy).into(), length: Some(length) };
            let response = open_within(client, place, Method::POST, path, &[], Some(sent), patience).await?;
            let headers = response.headers().clone();
            let body = read(client, place, response, LARGEST_REPLY).await?;
            Ok(Reply { headers, body })
        };
        let refusal: Refusal = match outcome.await {
            Ok(reply) => return Ok(reply),
            Err(refusal) => refusal,
        };
        match next_delay(client.options(), attempt, refusal.verdict) {
            Some(delay) if refusal.certainly_not_done() => sleep(delay).await,
            _ => return Err(refusal),
        }
        attempt += 1;
    }
}

/// A body on its way.
struct Sent {
    body: reqwest::Body,
    /// Where the body does not know it itself: many gateways take no chunks.
    length: Option<u64>,
}

/// Sends one attempt and waits for the head of its answer; an answer that is not a success is read and explained.
pub(super) async fn open(
    client: &Client,
    place: &Place<'_>,
    method: Method,
    path: &[&str],
    query: &[(&str, &str)],
    body: Option<Bytes>,
) -> Result<reqwest::Response, Refusal> {
    let sent = body.map(|body| Sent { body: body.into(), length: None });
    open_within(client, place, method, path, query, sent, client.options().first_event_timeout).await
}

async fn open_within(
    client: &Client,
    place: &Place<'_>,
    method: Method,
    path: &[&str],
    query: &[(&str, &str)],
    body: Option<Sent>,
    patience: Duration,
) -> Result<reqwest::Response, Refusal> {
    let deadline = Instant::now() + patience;
    let mut url = transport::address(&client.options().base_url, path).map_err(Refusal::final_word)?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    let mut request = client.http().map_err(Refusal::final_word)?.request(method, url);
    if let Some(Sent { body, length }) = body {
        request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        if let Some(length) = length {
            request = request.header(header::CONTENT_LENGTH, length);
        }
    }
    let response = match timeout(patience, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(Refusal::transport(place, &error)),
        Err(_) => return Err(Refusal::without_answer(place.silent(patience, false), Verdict::Backoff)),
    };
    if response.status().is_success() {
        return Ok(response);
    }
    Err(refuse(place, response, left(deadline).max(Duration::from_secs(1))).await)
}

/// Reads a whole body; each piece has the idle timeout.
pub(super) async fn read(
    client: &Client,
    place: &Place<'_>,
    mut response: reqwest::Response,
    largest: usize,
) -> Result<Bytes, Refusal> {
    let patience = client.options().idle_timeout;
    let mut body = BytesMut::new();
    loop {
        match timeout(patience, response.chunk()).await {
            Ok(Ok(Some(chunk))) if body.len() + chunk.len() <= largest => body.extend_from_slice(&chunk),
            Ok(Ok(Some(_))) => return Err(Refusal::final_word(place.not_the_api("the answer has no end"))),
            Ok(Ok(None)) => return Ok(body.freeze()),
            Ok(Err(_)) => return Err(Refusal::without_answer(place.cut(), Verdict::Backoff)),
            Err(_) => return Err(Refusal::without_answer(place.silent(patience, true), Verdict::Backoff)),
        }
    }
}

async fn refuse(place: &Place<'_>, mut response: reqwest::Response, patience: Duration) -> Refusal {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = BytesMut::new();
    // The status says most; a body that does not come in time, or breaks, is not waited for.
    let _ = timeout(patience, async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_REFUSAL {
                break;
            }
        }
    })
    .await;
    let fault = Fault::from_body(&body);
    let verdict = retry::of_status(status.as_u16(), &headers, &fault, SystemTime::now());
    let error = place.status(status.as_u16(), &headers, &fault);
    let error = if let Verdict::TooLong(wait) = verdict { Place::told_to_wait(error, wait) } else { error };
    Refusal { error, verdict, status: Some(status), kind: fault.kind }
}

impl Reply {
    /// The API's name for the request.
    pub(super) fn request_id(&self) -> Option<String> {
        self.headers.get("request-id").and_then(|id| id.to_str().ok()).map(str::to_owned)
    }

    /// The body as the JSON it should be.
    pub(super) fn json<T: DeserializeOwned>(&self, place: &Place<'_>) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = if self.body.trim_ascii_start().starts_with(b"<") {
                "it sends a web page".to_owned()
            } else {
                format!("its answer cannot be read ({})", position(&error))
            };
            place.not_the_api(&what).request_id(self.request_id())
        })
    }
}

/// Where and how JSON is wrong, without quoting it.
fn position(error: &serde_json::Error) -> String {
    format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column()).to_lowercase()
}

impl Refusal {
    pub(super) fn final_word(error: Error) -> Self {
        Self::without_answer(error, Verdict::Never)
    }

    pub(super) fn transport(place: &Place<'_>, error: &reqwest::Error) -> Self {
        let (explained, again) = place.transport(error);
        let mut refusal = Self::without_answer(explained, if again { Verdict::Backoff } else { Verdict::Never });
        if error.is_connect() {
            CONNECT.clone_into(&mut refusal.kind);
        }
        refusal
    }

    pub(super) fn without_answer(error: Error, verdict: Verdict) -> Self {
        Self { error, verdict, status: None, kind: String::new() }
    }

    /// Whether the server has no such endpoint, or no such thing at it.
    pub(super) fn lacks_endpoint(&self) -> bool {
        self.status.is_some_and(|status| matches!(status.as_u16(), 404 | 405 | 501))
    }

    /// Whether the API itself says that it does not have the model.
    pub(super) fn is_about_model(&self) -> bool {
        self.kind == "not_found_error" && self.error.message.contains("model")
    }

    /// Whether the API itself says that it does not have what was asked for.
    pub(super) fn is_not_there(&self) -> bool {
        self.status == Some(StatusCode::NOT_FOUND) && self.kind == "not_found_error"
    }

    /// Whether the request may have been carried out all the same.
    pub(super) fn is_in_doubt(&self) -> bool {
        match self.status {
            Some(status) if status.is_client_error() => matches!(status.as_u16(), 408 | 409),
            Some(_) => !self.certainly_not_done(),
            None => !self.certainly_not_done() && self.verdict != Verdict::Never,
        }
    }

    /// Whether the request was turned away before anything was done.
    fn certainly_not_done(&self) -> bool {
        match self.status {
            None => self.kind == CONNECT,
            Some(status) => matches!(status.as_u16(), 429 | 503 | 529),
        }
    }
}

/// Stands in for the API's error type when there was not even a connection.
const CONNECT: &str = "connect";
