//! What this process knows of the API's cache: which prefixes it sent, and until when they can be read.
//!
//! Pure bookkeeping with the time handed in, by the rules of the API's documentation: an entry is written at a breakpoint,
//! can be read once the writing response has begun, and lives from the **start** of the request that last wrote or read it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Plan;
use crate::claude::types::Ttl;
use crate::claude::usage::Tokens;

/// How many blocks a breakpoint looks back for an entry, its own included.
pub const LOOK_BACK: usize = 20;

/// How long an entry is remembered after its end, so that `expired` can be told from `first`.
const MEMORY: SignedDuration = SignedDuration::from_hours(24);

/// Names a cache entry: everything up to and including a breakpoint, with the model and the settings that split the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PrefixKey([u8; 16]);

impl PrefixKey {
    /// The empty prefix under these settings: whatever of a request splits the cache, in any unambiguous form.
    pub fn root(settings: &str) -> Self {
        Self::of(&[settings.as_bytes()])
    }

    /// The prefix that has one more block.
    #[must_use]
    pub fn and(self, block: impl AsRef<[u8]>) -> Self {
        Self::of(&[&self.0, block.as_ref()])
    }

    fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        Self(key)
    }
}

impl fmt::Display for PrefixKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hash::hex(&self.0))
    }
}

impl From<PrefixKey> for String {
    fn from(key: PrefixKey) -> Self {
        key.to_string()
    }
}

impl FromStr for PrefixKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| "not a prefix's key")
    }
}

impl TryFrom<String> for PrefixKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The state of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heat {
    /// It was never written, as far as this process knows.
    Cold,
    /// A request that writes it is under way and has not begun to answer.
    Writing {
        /// When that request was sent.
        since: Timestamp,
    },
    /// It can be read.
    Warm {
        /// Until when, if nothing reads it.
        until: Timestamp,
        /// The life it was written with.
        ttl: Ttl,
    },
    /// It could be read until then.
    Expired {
        /// When it ended.
        since: Timestamp,
    },
}

impl Heat {
    /// Whether a request sent now would read it.
    pub fn is_warm(self) -> bool {
        matches!(self, Self::Warm { .. })
    }
}

/// What this process knows of the cache's entries.
#[derive(Clone, Debug, Default)]
pub struct Warmth {
    entries: BTreeMap<PrefixKey, Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    ttl: Ttl,
    /// Until when it can be read; none before the first answer has begun.
    until: Option<Timestamp>,
    /// When the requests that write or read it, and have not begun to answer, were sent: the last one, and how many.
    pending: Option<(Timestamp, u32)>,
}

impl Warmth {
    /// The state of the entry with this key.
    pub fn heat(&self, key: PrefixKey, now: Timestamp) -> Heat {
        let Some(entry) = self.entries.get(&key) else { return Heat::Cold };
        match (entry.until, entry.pending) {
            (Some(until), _) if until > now => Heat::Warm { until, ttl: entry.ttl },
            (_, Some((since, _))) => Heat::Writing { since },
            (Some(since), None) => Heat::Expired { since },
            (None, None) => Heat::Cold,
        }
    }

    /// A request is sent: what its breakpoints find is read and lives on, what they do not find is being written.
    pub fn sent(&mut self, plan: &Plan, now: Timestamp) {
        self.entries
            .retain(|_, entry| entry.pending.is_some() || entry.until.is_some_and(|until| until + MEMORY > now));
        for (at, ttl) in breakpoints(plan) {
            if let Some(read) = self.found(plan, at, now)
                && let Some(entry) = self.entries.get_mut(&plan.layers[read].prefix)
            {
                entry.until = entry.until.map(|until| until.max(now + entry.ttl.duration()));
            }
            let entry = self.entries.entry(plan.layers[at].prefix).or_insert(Entry { ttl, until: None, pending: None });
            // What is still there keeps its life; what is not is written anew.
            if entry.until.is_none_or(|until| until <= now) && entry.pending.is_none() {
                entry.ttl = ttl;
            }
            entry.pending = Some((now, entry.pending.map_or(0, |(_, count)| count) + 1));
        }
    }

    /// Its answer begins, with the input's usage: from now on its entries can be read, if there are any.
    pub fn began(&mut self, plan: &Plan, tokens: &Tokens, now: Timestamp) {
        let cached = tokens.cache_read + tokens.cache_write() > 0;
        for (at, _) in breakpoints(plan) {
            let key = plan.layers[at].prefix;
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            let since = entry.pending.map_or(now, |(since, _)| since);
            entry.pending = less(entry.pending);
            if cached {
                let until = since + entry.ttl.duration();
                entry.until = Some(entry.until.map_or(until, |known| known.max(until)));
            } else {
                // Too short after all, or a server without a cache: nothing of what we believed is there.
                entry.until = None;
            }
        }
    }

    /// It ended before its answer began: it wrote nothing.
    pub fn failed(&mut self, plan: &Plan) {
        for (at, _) in breakpoints(plan) {
            if let Some(entry) = self.entries.get_mut(&plan.layers[at].prefix) {
                entry.pending = less(entry.pending);
            }
        }
        self.entries.retain(|_, entry| entry.pending.is_some() || entry.until.is_some());
    }

    /// The last layer of the plan whose entry a request sent now would read.
    pub fn read(&self, plan: &Plan, now: Timestamp) -> Option<usize> {
        breakpoints(plan).filter_map(|(at, _)| self.found(plan, at, now)).max()
    }

    /// Another process's request wrote or read this entry, which can be read until then.
    pub fn learn(&mut self, key: PrefixKey, ttl: Ttl, until: Timestamp) {
        let entry = self.entries.entry(key).or_insert(Entry { ttl, until: None, pending: None });
        if entry.until.is_none_or(|known| known < until) {
            entry.until = Some(until);
            entry.ttl = ttl;
        }
    }

    /// The entries that a request sent now would have to write, shortest first.
    pub fn cold(&self, plan: &Plan, now: Timestamp) -> Vec<PrefixKey> {
        let read = self.read(plan, now);
        let behind = breakpoints(plan).filter(|(at, _)| read.is_none_or(|read| *at > read));
        behind.map(|(at, _)| plan.layers[at].prefix).collect()
    }

    /// What the input of a request sent now is expected to be made of, by the estimates of its layers.
    pub fn expected(&self, plan: &Plan, now: Timestamp) -> Tokens {
        let up_to = |layer: usize| plan.layers[..=layer].iter().map(|layer| layer.estimated_tokens).sum::<u64>();
        let cache_read = self.read(plan, now).map_or(0, up_to);
        let hour = breakpoints(plan).filter(|(_, ttl)| *ttl == Ttl::OneHour).last();
        let hour = hour.map_or(0, |(at, _)| up_to(at)).max(cache_read);
        let last = breakpoints(plan).last().map_or(0, |(at, _)| up_to(at)).max(hour);
        Tokens {
            cache_read,
            cache_write_1h: hour - cache_read,
            cache_write_5m: last - hour,
            input: plan.estimated_input_tokens.saturating_sub(last),
            ..Tokens::default()
        }
    }

    /// The layer whose entry the breakpoint behind layer `at` finds: the nearest in front of it, not too many blocks away.
    fn found(&self, plan: &Plan, at: usize, now: Timestamp) -> Option<usize> {
        let mut blocks = 0;
        for index in (0..=at).rev() {
            let layer = &plan.layers[index];
            if blocks >= LOOK_BACK {
                return None;
            }
            if self.heat(layer.prefix, now).is_warm() {
                return Some(index);
            }
            blocks += layer.blocks;
        }
        None
    }
}

fn less(pending: Option<(Timestamp, u32)>) -> Option<(Timestamp, u32)> {
    pending.filter(|(_, count)| *count > 1).map(|(since, count)| (since, count - 1))
}

/// The layers with a breakpoint, and the life asked for.
fn breakpoints(plan: &Plan) -> impl Iterator<Item = (usize, Ttl)> {
    plan.layers.iter().enumerate().filter_map(|(at, layer)| Some((at, layer.breakpoint?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::ResultForm;
    use crate::claude::types::MessageRequest;
    use crate::prompt::{Layer, LayerName};

    /// A plan of layers of one block each, with the life of the entry behind each.
    fn plan(layers: &[(&str, Option<Ttl>)]) -> Plan {
        let mut prefix = PrefixKey::root("settings");
        let layer = |(text, breakpoint): &(&str, Option<Ttl>)| {
            prefix = prefix.and(text);
            Layer {
                name: LayerName::Document,
                estimated_tokens: 1000,
                blocks: 1,
                breakpoint: *breakpoint,
                hash: String::new(),
                prefix,
            }
        };
        Plan {
            request: MessageRequest::default(),
            layers: layers.iter().map(layer).collect(),
            estimated_input_tokens: 0,
            uncorrected_input_tokens: 0,
            input_limit: 0,
            form: ResultForm::Explanation,
            notes: Vec::new(),
            memo: crate::prompt::Memo::default(),
        }
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn what_is_cold_and_what_it_will_take_follow_from_what_is_warm() {
        let mut warmth = Warmth::default();
        let mut plan = plan(&[("system", SHORT), ("rules", None), ("document", SHORT), ("task", None)]);
        plan.estimated_input_tokens = 4000;
        let [system, document] = [plan.layers[0].prefix, plan.layers[2].prefix];
        assert_eq!(warmth.cold(&plan, at(0)), [system, document]);
        assert_eq!(warmth.expected(&plan, at(0)), Tokens { input: 1000, cache_write_5m: 3000, ..Tokens::default() });
        warmth.learn(system, Ttl::OneHour, at(30));
        warmth.learn(system, Ttl::FiveMinutes, at(5));
        assert_eq!(warmth.heat(system, at(0)), Heat::Warm { until: at(30), ttl: Ttl::OneHour }, "the longer counts");
        assert_eq!(warmth.cold(&plan, at(0)), [document]);
        let warm = Tokens { input: 1000, cache_read: 1000, cache_write_5m: 2000, ..Tokens::default() };
        assert_eq!(warmth.expected(&plan, at(0)), warm);
        plan.layers[0].breakpoint = Some(Ttl::OneHour);
        let hour = Tokens { input: 1000, cache_write_1h: 1000, cache_write_5m: 2000, ..Tokens::default() };
        assert_eq!(Warmth::default().expected(&plan, at(0)), hour);
        warmth.learn(document, Ttl::FiveMinutes, at(5));
        assert_eq!(warmth.cold(&plan, at(0)), []);
        assert_eq!(warmth.cold(&plan, at(6)), [document]);
    }

    #[test]
    fn a_key_survives_the_ledger() {
        let key = PrefixKey::root("settings").and("system");
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!(serde_json::from_value::<PrefixKey>(serde_json::json!(key)).expect("a key"), key);
        assert!("no key".parse::<PrefixKey>().is_err());
    }

    const WRITTEN: Tokens =
        Tokens { input: 1, cache_read: 0, cache_write_5m: 1000, cache_write_1h: 0, output: 0, thinking: 0 };
    const SHORT: Option<Ttl> = Some(Ttl::FiveMinutes);

    #[test]
    fn an_entry_lives_from_the_start_of_the_request_that_last_used_it() {
        let plan = plan(&[("system", SHORT), ("document", None), ("task", None)]);
        let key = plan.layers[0].prefix;
        let mut warmth = Warmth::default();
        assert_eq!(warmth.heat(key, at(0)), Heat::Cold);
        warmth.sent(&plan, at(0));
        assert_eq!(warmth.heat(key, at(1)), Heat::Writing { since: at(0) });
        warmth.began(&plan, &WRITTEN, at(1));
        assert_eq!(warmth.heat(key, at(1)), Heat::Warm { until: at(5), ttl: Ttl::FiveMinutes });
        warmth.sent(&plan, at(4));
        assert_eq!(warmth.heat(key, at(6)), Heat::Warm { until: at(9), ttl: Ttl::FiveMinutes });
        warmth.began(&plan, &WRITTEN, at(6));
        assert_eq!(warmth.heat(key, at(9)), Heat::Expired { since: at(9) });
        assert_eq!(warmth.heat(plan.layers[1].prefix, at(6)), Heat::Cold);
    }

    #[test]
    fn what_failed_or_was_too_short_wrote_nothing() {
        let plan = plan(&[("system", SHORT)]);
        let key = plan.layers[0].prefix;
        let mut warmth = Warmth::default();
        warmth.sent(&plan, at(0));
        warmth.sent(&plan, at(1));
        warmth.failed(&plan);
        assert_eq!(warmth.heat(key, at(1)), Heat::Writing { since: at(1) });
        warmth.failed(&plan);
        assert_eq!(warmth.heat(key, at(1)), Heat::Cold);
        warmth.sent(&plan, at(2));
        warmth.began(&plan, &Tokens { input: 1000, ..Tokens::default() }, at(2));
        assert_eq!(warmth.heat(key, at(2)), Heat::Cold);
    }

    #[test]
    fn a_breakpoint_reads_what_it_finds_looking_back() {
        let mut warmth = Warmth::default();
        let first = plan(&[("system", SHORT), ("task 1", None)]);
        warmth.sent(&first, at(0));
        warmth.began(&first, &WRITTEN, at(0));
        // No breakpoint behind the system prompt, but one farther on: it finds the entry, and keeps it alive.
        let second = plan(&[("system", None), ("document", SHORT)]);
        assert_eq!(warmth.read(&second, at(4)), Some(0));
        warmth.sent(&second, at(4));
        assert_eq!(warmth.heat(first.layers[0].prefix, at(8)), Heat::Warm { until: at(9), ttl: Ttl::FiveMinutes });
        let mut far = second;
        far.layers[1].blocks = LOOK_BACK;
        assert_eq!(warmth.read(&far, at(4)), None);
        far.layers[1].blocks = LOOK_BACK - 1;
        assert_eq!(warmth.read(&far, at(4)), Some(0));
    }
}
