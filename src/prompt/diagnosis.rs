//! Why less was read from the cache than could have been: this request's shared part compared with that of the one before.
//!
//! Pure, as [`super::warmth`] is: what was sent is kept as [`Footprint`]s, of this process and, through the ledger, of all
//! others that work on the project.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::warmth::{Heat, PrefixKey, Warmth};
use super::{LayerName, Plan};
use crate::claude::types::Ttl;
use crate::claude::usage::Tokens;

/// So many footprints are kept; a comparison needs the newest of each document.
const MOST: usize = 256;

/// Why less was read than could have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissReason {
    /// Nothing of this prefix was sent before.
    First,
    /// Another model.
    Model,
    /// Other thinking, effort or server.
    Settings,
    /// Other tools.
    Tools,
    /// Another system prompt.
    System,
    /// The project's rules changed.
    Rules,
    /// The document changed.
    Document,
    /// The entry's time was over.
    Expired,
    /// The prefix is below the model's minimum.
    TooShort,
    /// The request that writes the entry had not begun to answer.
    NotReady,
    /// It should have been there.
    Unknown,
}

impl MissReason {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::First,
        Self::Model,
        Self::Settings,
        Self::Tools,
        Self::System,
        Self::Rules,
        Self::Document,
        Self::Expired,
        Self::TooShort,
        Self::NotReady,
        Self::Unknown,
    ];

    /// The word that programs are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Model => "model",
            Self::Settings => "settings",
            Self::Tools => "tools",
            Self::System => "system",
            Self::Rules => "rules",
            Self::Document => "document",
            Self::Expired => "expired",
            Self::TooShort => "too_short",
            Self::NotReady => "not_ready",
            Self::Unknown => "unknown",
        }
    }

    /// This diagnosis with the API's own, the `diagnostics` of its answer. The API compares with one message and knows no
    /// layers, so it is asked which of the parts it knows changed, and believed.
    #[must_use]
    pub fn refined(self, diagnostics: Option<&serde_json::Value>) -> Self {
        let kind = diagnostics.and_then(|told| told.pointer("/cache_miss_reason/type")).and_then(|kind| kind.as_str());
        match kind {
            Some("model_changed") => Self::Model,
            Some("tools_changed") => Self::Tools,
            Some("system_changed") => Self::System,
            Some("messages_changed") if self == Self::Unknown => Self::Document,
            _ => self,
        }
    }
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The document's URI.
    pub document: &'a str,
    /// The workspace folder; empty for a file outside of one.
    pub project: &'a str,
}

/// The shared part of a request that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// When it was sent.
    pub started: Timestamp,
    /// The document's URI.
    pub document: String,
    /// The workspace folder.
    pub project: String,
    /// The model's id.
    pub model: String,
    /// The answer's id.
    pub message: Option<String>,
    /// The empty prefix under the request's settings.
    settings: String,
    layers: Vec<Print>,
}

/// A shared layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Print {
    name: LayerName,
    hash: String,
    prefix: PrefixKey,
    /// Set where an entry was written or read.
    ttl: Option<Ttl>,
}

impl Footprint {
    /// What a plan's request began with; `cached` when the API wrote or read any of it.
    pub fn new(plan: &Plan, subject: Subject<'_>, started: Timestamp, message: Option<String>, cached: bool) -> Self {
        let shared = plan.layers.iter().filter(|layer| layer.name <= LayerName::Document);
        Self {
            started,
            document: subject.document.to_owned(),
            project: subject.project.to_owned(),
            model: plan.request.model.clone(),
            message,
            settings: settings(plan),
            layers: shared
                .map(|layer| Print {
                    name: layer.name,
                    hash: layer.hash.clone(),
                    prefix: layer.prefix,
                    ttl: layer.breakpoint.filter(|_| cached),
                })
                .collect(),
        }
    }

    /// The entries it wrote or read, and until when they can be read.
    pub fn entries(&self) -> impl Iterator<Item = (PrefixKey, Ttl, Timestamp)> + '_ {
        self.layers.iter().filter_map(|layer| {
            let ttl = layer.ttl?;
            let life = SignedDuration::try_from(ttl.duration()).ok()?;
            Some((layer.prefix, ttl, self.started.checked_add(life).unwrap_or(Timestamp::MAX)))
        })
    }

    /// The first thing that differs in a later request; none when its shared part is the same.
    fn difference(&self, plan: &Plan, same_document: bool) -> Option<MissReason> {
        if self.model != plan.request.model {
            return Some(MissReason::Model);
        }
        if self.settings != settings(plan) {
            return Some(MissReason::Settings);
        }
        let hashes = |name| {
            let before = self.layers.iter().find(|layer| layer.name == name).map(|layer| &layer.hash);
            let now = plan.layers.iter().find(|layer| layer.name == name).map(|layer| &layer.hash);
            (before, now)
        };
        if matches!(hashes(LayerName::Tools), (None, Some(_)) | (Some(_), None)) {
            // A conversation has nothing in common with an action on a document.
            return Some(MissReason::First);
        }
        let differs = |name| {
            let (before, now) = hashes(name);
            before != now
        };
        [
            (LayerName::Tools, MissReason::Tools),
            (LayerName::System, MissReason::System),
            (LayerName::Project, MissReason::Rules),
            (LayerName::Language, MissReason::First),
            (LayerName::Document, if same_document { MissReason::Document } else { MissReason::First }),
        ]
        .into_iter()
        .find_map(|(name, reason)| differs(name).then_some(reason))
    }
}

/// What splits the cache besides the model.
fn settings(plan: &Plan) -> String {
    let request = &plan.request;
    let said = (&request.thinking, &request.output_config, &request.tool_choice);
    serde_json::to_string(&said).unwrap_or_default()
}

/// What was sent lately, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    prints: VecDeque<Footprint>,
}

impl Trail {
    /// Adds a request whose answer has begun.
    pub fn add(&mut self, print: Footprint) {
        if self.prints.contains(&print) {
            return;
        }
        if self.prints.len() >= MOST {
            self.prints.pop_front();
        }
        self.prints.push_back(print);
    }

    /// The request to compare with: the newest about the same document, or else of the same project.
    pub fn previous(&self, subject: Subject<'_>) -> Option<&Footprint> {
        let newest = |same: &dyn Fn(&Footprint) -> bool| {
            self.prints.iter().filter(|print| same(print)).max_by_key(|print| print.started)
        };
        newest(&|print| print.document == subject.document)
            .or_else(|| newest(&|print| print.project == subject.project))
    }

    /// What a request may hope to read, to be asked when it is about to be sent.
    pub fn hope(&self, plan: &Plan, subject: Subject<'_>, warmth: &Warmth, now: Timestamp) -> Hope {
        let previous = self.previous(subject);
        Hope {
            heats: plan.layers.iter().map(|layer| warmth.heat(layer.prefix, now)).collect(),
            difference: match previous {
                None => Some(MissReason::First),
                Some(previous) => previous.difference(plan, previous.document == subject.document),
            },
        }
    }

    /// What can still be read, by layer and document, each with the latest end; sorted by it.
    pub fn warm(&self, warmth: &Warmth, now: Timestamp) -> Vec<Warm> {
        let mut warm: Vec<Warm> = Vec::new();
        for print in &self.prints {
            for layer in print.layers.iter().filter(|layer| layer.ttl.is_some()) {
                let Heat::Warm { until, .. } = warmth.heat(layer.prefix, now) else { continue };
                let document = (layer.name == LayerName::Document).then(|| print.document.clone());
                let model = print.model.clone();
                match warm.iter_mut().find(|it| (it.layer, &it.uri, &it.model) == (layer.name, &document, &model)) {
                    Some(known) => known.until = known.until.max(until),
                    None => warm.push(Warm { layer: layer.name, uri: document, model, until }),
                }
            }
        }
        warm.sort_by(|a, b| (a.until, a.layer, &a.uri).cmp(&(b.until, b.layer, &b.uri)));
        warm
    }
}

/// An entry that can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warm {
    /// The last layer in it.
    pub layer: LayerName,
    /// The document, where the entry ends with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The model it is for.
    pub model: String,
    /// Until when, if nothing reads it.
    pub until: Timestamp,
}

/// What was known of the cache when a request was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hope {
    /// By layer.
    heats: Vec<Heat>,
    /// The first difference from the request before.
    difference: Option<MissReason>,
}

impl Hope {
    /// Why the request read less than could have been, if it did: `tokens` is the usage its answer begins with, `minimum`
    /// the least tokens that the model caches.
    ///
    /// What counts is the part that other requests share, up to the document: changes behind it are written for the first
    /// time by nature. A plan without breakpoints misses nothing, unless it would have had one were it longer; `minimum` is
    /// none where caching is switched off.
    pub fn missed(&self, plan: &Plan, tokens: &Tokens, minimum: Option<u64>) -> Option<MissReason> {
        let minimum = minimum?;
        let shared = plan.layers.iter().rposition(|layer| layer.name <= LayerName::Document)?;
        let last = plan.layers.iter().rposition(|layer| layer.breakpoint.is_some());
        let Some(last) = last else {
            return (up_to(plan, shared) < minimum).then_some(MissReason::TooShort);
        };
        let cached = tokens.cache_read + tokens.cache_write();
        if cached == 0 && up_to(plan, last) < minimum + minimum / 2 {
            // Estimated to be just long enough, and was not.
            return Some(MissReason::TooShort);
        }
        let aim = plan.layers[..=shared.min(last)].iter().rposition(|layer| layer.breakpoint.is_some())?;
        let read = read_up_to(plan, tokens, last);
        if read.is_some_and(|read| read >= aim) {
            return None;
        }
        let first = read.map_or(0, |read| read + 1);
        let known = self.heats[first..=aim].iter().rev().find(|heat| **heat != Heat::Cold);
        Some(match known {
            Some(Heat::Expired { .. }) => MissReason::Expired,
            Some(Heat::Writing { .. }) => MissReason::NotReady,
            Some(Heat::Warm { .. }) => MissReason::Unknown,
            // The same as before, and yet it was never there: it was sent without a breakpoint here.
            Some(Heat::Cold) | None => self.difference.unwrap_or(MissReason::First),
        })
    }
}

/// The estimated tokens up to and including a layer.
fn up_to(plan: &Plan, layer: usize) -> u64 {
    plan.layers[..=layer].iter().map(|layer| layer.estimated_tokens).sum()
}

/// The layer at whose end the read part ended. What was read and written ends exactly at the last breakpoint, which tells
/// how far the estimates are off.
fn read_up_to(plan: &Plan, tokens: &Tokens, last: usize) -> Option<usize> {
    if tokens.cache_read == 0 {
        return None;
    }
    let cached = u128::from(tokens.cache_read + tokens.cache_write());
    let estimated = u128::from(up_to(plan, last).max(1));
    let read = u128::from(tokens.cache_read);
    // In estimated tokens: read / cached of them.
    (0..=last).min_by_key(|layer| (u128::from(up_to(plan, *layer)) * cached).abs_diff(read * estimated))
}

#[cfg(test)]
mod tests;
