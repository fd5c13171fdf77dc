//! Message Batches: many requests at half the price, answered within a day.

use std::time::Duration;

use bytes::BytesMut;
use http::Method;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{
    call,
    client::{Client, next_delay},
    errors::Place,
    retry,
    types::{ErrorResponse, MessageRequest, MessageResponse, Page},
};
use crate::error::{Error, ErrorKind};

pub use body::{BatchBody, LARGEST_BATCH, MOST_REQUESTS};

/// The longest line of results, in bytes; one message.
const LONGEST_LINE: usize = 64 * 1024 * 1024;
/// Nobody's line is slower than this, in bytes a second.
const SLOWEST_UPLOAD: u64 = 64 * 1024;

/// One request of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchRequest {
    /// Unique in the batch, `^[a-zA-Z0-9_-]{1,64}$`; results carry it, as they come in any order.
    pub custom_id: String,
    /// The request, without `stream` and with `max_tokens` above 0.
    pub params: MessageRequest,
}

/// A batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// `msgbatch_…`.
    pub id: String,
    /// Always `message_batch`.
    #[serde(rename = "type", default = "batch_type")]
    pub kind: String,
    /// How far it is.
    #[serde(default)]
    pub processing_status: ProcessingStatus,
    /// How many requests are where.
    #[serde(default)]
    pub request_counts: RequestCounts,
    /// RFC 3339.
    #[serde(default)]
    pub created_at: String,
    /// 24 hours later (RFC 3339): what has not run by then, expires.
    #[serde(default)]
    pub expires_at: String,
    /// When all requests were through (RFC 3339).
    #[serde(default)]
    pub ended_at: Option<String>,
    /// When the results were deleted, 29 days on (RFC 3339).
    #[serde(default)]
    pub archived_at: Option<String>,
    /// When it was cancelled (RFC 3339).
    #[serde(default)]
    pub cancel_initiated_at: Option<String>,
    /// Set once there are results. Never fetched from: credentials go to the base URL only.
    #[serde(default)]
    pub results_url: Option<String>,
}

impl Batch {
    /// How many requests it has, wherever they are.
    pub fn total(&self) -> u64 {
        let RequestCounts { processing, succeeded, errored, canceled, expired } = self.request_counts;
        [succeeded, errored, canceled, expired].into_iter().fold(processing, u64::saturating_add)
    }
}

/// How far a batch is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessingStatus {
    /// It runs.
    #[default]
    InProgress,
    /// It was cancelled; requests that had begun are finished.
    Canceling,
    /// The results are there.
    Ended,
    /// A state this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// How many requests of a batch are where; they are counted only when all is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestCounts {
    /// Not through.
    pub processing: u64,
    /// Answered.
    pub succeeded: u64,
    /// Failed; not billed.
    pub errored: u64,
    /// Cancelled before they began; not billed.
    pub canceled: u64,
    /// Not reached in time; not billed.
    pub expired: u64,
}

/// One line of results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchLine {
    /// The request's.
    pub custom_id: String,
    /// What became of it.
    pub result: BatchResult,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BatchResult {
    /// Answered.
    Succeeded {
        /// The answer.
        message: Box<MessageResponse>,
    },
    /// Failed.
    Errored {
        /// Why.
        error: ErrorResponse,
    },
    /// Cancelled before it began.
    Canceled,
    /// Not reached in time.
    Expired,
    /// A result this version does not know.
    #[serde(untagged)]
    Other(serde_json::Value),
}

/// What a deleted batch leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedBatch {
    /// The batch's id.
    pub id: String,
    /// Always `message_batch_deleted`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// The results of a batch, read line by line as they arrive.
#[derive(Debug)]
pub struct BatchResults {
    client: Client,
    response: reqwest::Response,
    buffer: BytesMut,
    /// How much of `buffer` is known to have no line end.
    searched: usize,
    ended: bool,
}

const PATH: [&str; 3] = ["v1", "messages", "batches"];

impl Client {
    /// Submits a batch.
    ///
    /// Repeated only when the first attempt was certainly not accepted, since a batch that is submitted twice is paid
    /// twice: after an error in doubt look at [`Client::batches`] first.
    pub async fn submit_batch(&self, body: &BatchBody) -> Result<Batch, NotSubmitted> {
        let place = self.place(body.model.as_deref());
        if body.count() == 0 {
            let error = Error::new(ErrorKind::Config, "A batch needs at least one request.");
            return Err(NotSubmitted { error, in_doubt: false });
        }
        let refused = |error| NotSubmitted { error, in_doubt: false };
        let file = body.closed().map_err(refused)?;
        let patience = self.upload_patience(body.len());
        let reply = call::post_file(self, &place, &PATH, &file, body.len(), patience).await.map_err(|refusal| {
            NotSubmitted {
                in_doubt: refusal.is_in_doubt(),
                error: if refusal.lacks_endpoint() && !refusal.is_not_there() {
                    place.no_batches()
                } else {
                    refusal.error
                },
            }
        })?;
        reply.json(&place).map_err(|error| NotSubmitted { error, in_doubt: true })
    }

    /// How long submitting a body of so many bytes may take at most, with all attempts and the waits between them.
    pub fn longest_submission(&self, bytes: u64) -> Duration {
        let options = self.options();
        let attempt = self.upload_patience(bytes) + options.idle_timeout;
        attempt * (options.max_retries + 1) + retry::LONGEST_WAIT * options.max_retries
    }

    fn upload_patience(&self, bytes: u64) -> Duration {
        self.options().first_event_timeout + Duration::from_secs(bytes / SLOWEST_UPLOAD)
    }

    /// One batch, as it is now; `None` when the API says that it has none of this id.
    pub async fn batch(&self, id: &str) -> Result<Option<Batch>, Error> {
        let place = self.place(None);
        match call::get(self, &place, &[&PATH[..], &[id]].concat(), &[]).await {
            Ok(reply) => reply.json(&place).map(Some),
            Err(refusal) if refusal.is_not_there() => Ok(None),
            Err(refusal) => Err(refusal.error),
        }
    }

    /// The newest batches of the key's workspace, newest first, at most `most` of them.
    pub async fn batches(&self, most: usize) -> Result<Vec<Batch>, Error> {
        let place = self.place(None);
        let limit = most.clamp(1, 100).to_string();
        let mut batches: Vec<Batch> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut query = vec![("limit", limit.as_str())];
            query.extend(after.as_deref().map(|id| ("after_id", id)));
            let reply = call::get(self, &place, &PATH, &query).await;
            let page: Page<Batch> = reply.map_err(|refusal| refusal.error)?.json(&place)?;
            let is_last = !page.has_more || page.data.is_empty() || page.last_id.is_none() || page.last_id == after;
            batches.extend(page.data);
            if is_last || batches.len() >= most {
                batches.truncate(most);
                return Ok(batches);
            }
            after = page.last_id;
        }
    }

    /// Cancels a batch; requests that have begun are still finished and billed.
    pub async fn cancel_batch(&self, id: &str) -> Result<Batch, Error> {
        let place = self.place(None);
        let reply = call::post(self, &place, &[&PATH[..], &[id, "cancel"]].concat(), None).await;
        reply.map_err(|refusal| refusal.error)?.json(&place)
    }

    /// Deletes an ended batch and its results.
    pub async fn delete_batch(&self, id: &str) -> Result<DeletedBatch, Error> {
        let place = self.place(None);
        let path = [&PATH[..], &[id]].concat();
        let reply = call::call(self, &place, Method::DELETE, &path, &[], None).await;
        reply.map_err(|refusal| refusal.error)?.json(&place)
    }

    /// The results of an ended batch, in any order.
    pub async fn batch_results(&self, id: &str) -> Result<BatchResults, Error> {
        let place = self.place(None);
        let path = [&PATH[..], &[id, "results"]].concat();
        let mut attempt = 1;
        let response = loop {
            match call::open(self, &place, Method::GET, &path, &[], None).await {
                Ok(response) => break response,
                Err(refusal) => match next_delay(self.options(), attempt, refusal.verdict) {
                    Some(delay) => tokio::time::sleep(delay).await,
                    None => return Err(refusal.error),
                },
            }
            attempt += 1;
        };
        Ok(BatchResults { client: self.clone(), response, buffer: BytesMut::new(), searched: 0, ended: false })
    }
}

impl BatchResults {
    /// The next result, or `None` after the last. After an error there is no more; lines before it hold.
    pub async fn next(&mut self) -> Option<Result<BatchLine, Error>> {
        loop {
            let line = match self.line().await {
                Ok(line) => line?,
                Err(error) => {
                    self.ended = true;
                    self.buffer.clear();
                    self.searched = 0;
                    return Some(Err(error));
                }
            };
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            let parsed = serde_json::from_slice(text);
            return Some(parsed.map_err(|_| self.client.place(None).not_the_api("a line of results cannot be read")));
        }
    }

    async fn line(&mut self) -> Result<Option<BytesMut>, Error> {
        let place: Place<'_> = self.client.place(None);
        loop {
            if let Some(at) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(self.searched + at + 1);
                self.searched = 0;
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.ended {
                self.searched = 0;
                return Ok((!self.buffer.is_empty()).then(|| self.buffer.split()));
            }
            if self.buffer.len() > LONGEST_LINE {
                return Err(place.not_the_api("a line of results has no end"));
            }
            let patience = self.client.options().idle_timeout;
            match timeout(patience, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => self.buffer.extend_from_slice(&chunk),
                Ok(Ok(None)) => self.ended = true,
                Ok(Err(_)) => return Err(place.cut()),
                Err(_) => return Err(place.silent(patience, true)),
            }
        }
    }
}

/// Why a batch was not submitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct NotSubmitted {
    /// Why.
    pub error: Error,
    /// Whether the API may have accepted it all the same.
    pub in_doubt: bool,
}

fn batch_type() -> String {
    "message_batch".to_owned()
}

mod body;
#[cfg(test)]
mod tests;
