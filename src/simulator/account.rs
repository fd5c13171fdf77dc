//! What every request took: the truth that a client's own bookkeeping can be compared with.

use serde::{Deserialize, Serialize};

use crate::claude::types::Usage;
use crate::claude::usage::Tokens;

/// All requests so far, in the order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// One row per request to `/v1/messages` or of a batch, refused ones included.
    pub requests: Vec<AccountRow>,
    /// How many requests a scenario holds back at this moment, before a header is sent; they have no row yet.
    #[serde(default)]
    pub stalled: u64,
}

/// What one request took.
///
/// The token counts are those that were *reported*: for an answer that was cut, those of the events that were handed to the
/// connection. [`AccountRow::output_tokens_made`] also counts what was made and never reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// The `request-id` header.
    pub request_id: String,
    /// The message's id; none when the request failed before an answer began.
    pub message_id: Option<String>,
    /// The first 16 hexadecimal digits of the SHA-256 of the key; keys themselves are not kept.
    pub key: String,
    /// The model as the request named it.
    pub model: String,
    /// The HTTP status.
    pub status: u16,
    /// Whether it was streamed.
    pub stream: bool,
    /// Whether it was part of a batch.
    pub batch: bool,
    /// Plain input tokens.
    pub input_tokens: u64,
    /// Tokens read from the cache.
    pub cache_read_tokens: u64,
    /// Tokens written for five minutes.
    pub cache_write_5m_tokens: u64,
    /// Tokens written for one hour.
    pub cache_write_1h_tokens: u64,
    /// Output tokens, thinking included, as far as they were reported.
    pub output_tokens: u64,
    /// The part of `output_tokens` that was thinking.
    pub thinking_tokens: u64,
    /// Output tokens made, reported or not.
    pub output_tokens_made: u64,
    /// Whether the whole answer was handed to the connection; a cut, failed or cancelled one is not complete.
    pub complete: bool,
}

impl Account {
    /// The row of a request.
    pub fn row(&self, request_id: &str) -> Option<&AccountRow> {
        self.requests.iter().find(|row| row.request_id == request_id)
    }
}

impl AccountRow {
    /// The reported tokens, in the client's own terms.
    pub fn tokens(&self) -> Tokens {
        Tokens {
            input: self.input_tokens,
            cache_read: self.cache_read_tokens,
            cache_write_5m: self.cache_write_5m_tokens,
            cache_write_1h: self.cache_write_1h_tokens,
            output: self.output_tokens,
            thinking: self.thinking_tokens,
        }
    }

    /// Takes over what a client was told; numbers that are not there stay, as clients keep them too.
    pub(super) fn report(&mut self, usage: &Usage) {
        let take = |row: &mut u64, told: Option<u64>| {
            if let Some(told) = told {
                *row = told;
            }
        };
        take(&mut self.input_tokens, usage.input_tokens);
        take(&mut self.cache_read_tokens, usage.cache_read_input_tokens);
        if let Some(creation) = &usage.cache_creation {
            take(&mut self.cache_write_5m_tokens, creation.ephemeral_5m_input_tokens);
            take(&mut self.cache_write_1h_tokens, creation.ephemeral_1h_input_tokens);
        }
        take(&mut self.output_tokens, usage.output_tokens);
        if let Some(details) = &usage.output_tokens_details {
            take(&mut self.thinking_tokens, details.thinking_tokens);
        }
    }
}
