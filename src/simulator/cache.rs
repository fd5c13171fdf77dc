//! The prompt cache, and what it makes a request cost: pure bookkeeping, with the time handed in.
//!
//! The rules are those of the API's documentation:
//! - entries are **written only at breakpoints**, keyed by everything up to and including the block, if that is at least the
//!   model's minimum of tokens;
//! - each breakpoint **reads** the longest entry found walking back block by block, at most [`LOOK_BACK`] positions counting
//!   itself; what is read is refreshed, for the life it was written with;
//! - an entry lives from the **start** of the request that last wrote or read it, and can be read once the writing response
//!   has begun;
//! - keys do not see each other's entries;
//! - with the longest hit ending at A, the last one-hour breakpoint behind it at B and the last breakpoint at C: A is read,
//!   A to B is written for an hour, B to C for five minutes, and the rest is plain input.
//!
//! Where the documentation is silent: a breakpoint inside what was read writes its entry too, at no charge, as its tokens
//! were read; and an entry keeps the life it was written with when a later request asks for another.

use std::collections::HashMap;

use jiff::Timestamp;

use super::clock::later;
use super::prompt::{Hash, Prompt};
use super::validate::{self, Context, Purpose};
use crate::claude::types::{MessageRequest, Ttl};
use crate::claude::usage::Tokens;
use crate::error::{Error, ErrorKind};

/// How many positions a breakpoint looks at, itself included.
pub const LOOK_BACK: usize = 20;

/// The cache entries of all keys.
#[derive(Clone, Debug, Default)]
pub struct Accounting {
    entries: HashMap<(String, Hash), Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    ttl: Ttl,
    expires: Timestamp,
}

/// What a request's input is made of, and the entries that it writes once its answer begins.
#[derive(Debug)]
pub(super) struct Charge {
    /// Plain, read and written input; no output yet.
    pub(super) tokens: Tokens,
    key: String,
    started: Timestamp,
    writes: Vec<(Hash, Ttl)>,
}

impl Accounting {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the input of a request is made of when it is sent at `now` and its answer begins at once: for those who want the
    /// bookkeeping without HTTP. The output is not counted.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with the API's words when it would refuse the request.
    pub fn charge(&mut self, key: &str, request: &MessageRequest, now: Timestamp) -> Result<Tokens, Error> {
        let refused = |message: String| Error::new(ErrorKind::Config, message);
        let body = serde_json::to_value(request).map_err(|error| refused(error.to_string()))?;
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let context = Context { purpose: Purpose::Message, new_version: false, today, resumes: false };
        let checked = validate::check(&body, context).map_err(|failure| refused(failure.error.message))?;
        let charge = self.begin(key, &Prompt::new(&body, &checked.model), now);
        let tokens = charge.tokens;
        self.answered(charge);
        Ok(tokens)
    }

    /// A request starts: what it reads is read (and refreshed), what it writes is written by [`Accounting::answered`].
    pub(super) fn begin(&mut self, key: &str, prompt: &Prompt, now: Timestamp) -> Charge {
        self.entries.retain(|_, entry| entry.expires > now);
        let mut charge = Charge { tokens: Tokens::default(), key: key.to_owned(), started: now, writes: Vec::new() };
        // Numbers of tokens up to the hit, the last one-hour breakpoint and the last breakpoint.
        let (mut hit, mut hour, mut last) = (0, 0, 0);
        for (index, position) in prompt.positions.iter().enumerate() {
            let Some(ttl) = position.breakpoint else { continue };
            let first = (index + 1).saturating_sub(LOOK_BACK);
            let found = prompt.positions[first..=index].iter().rev().find_map(|candidate| {
                let entry = self.entries.get_mut(&(key.to_owned(), candidate.hash))?;
                entry.expires = later(now, entry.ttl.duration()).max(entry.expires);
                Some(candidate)
            });
            hit = found.map_or(hit, |found| hit.max(found.tokens));
            if position.tokens < prompt.minimum {
                continue;
            }
            last = position.tokens;
            if ttl == Ttl::OneHour {
                hour = position.tokens;
            }
            if found.is_none_or(|found| found.hash != position.hash) {
                charge.writes.push((position.hash, ttl));
            }
        }
        // An entry may end behind the last breakpoint that is long enough only if there is none: then nothing is cached.
        let hour = hour.max(hit);
        let last = last.max(hour);
        charge.tokens.cache_read = hit;
        charge.tokens.cache_write_1h = hour - hit;
        charge.tokens.cache_write_5m = last - hour;
        charge.tokens.input = prompt.tokens - last;
        charge
    }

    /// The answer has begun: what its request writes can be read from now on.
    pub(super) fn answered(&mut self, charge: Charge) {
        for (hash, ttl) in charge.writes {
            let expires = later(charge.started, ttl.duration());
            let entry = self.entries.entry((charge.key.clone(), hash)).or_insert(Entry { ttl, expires });
            entry.expires = entry.expires.max(expires);
        }
    }
}

#[cfg(test)]
mod tests;
