//! Why the cache was missed: this request compared with the one that the client names.

use serde_json::{Value, json};

use super::prompt::{Hash, Prompt, Section};

/// What is kept of an answered request.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    key: String,
    model: String,
    tools: Option<Hash>,
    system: Option<Hash>,
    /// The prefix up to the last breakpoint, or the whole without one.
    end: Option<Hash>,
}

impl Remembered {
    /// What to keep of a request of `key`.
    pub(super) fn new(key: &str, prompt: &Prompt) -> Self {
        let last = prompt.positions.iter().rev().find(|position| position.breakpoint.is_some());
        Self {
            key: key.to_owned(),
            model: prompt.model.clone(),
            tools: prompt.end_of(Section::Tools).map(|position| position.hash),
            system: prompt.end_of(Section::System).map(|position| position.hash),
            end: last.or(prompt.positions.last()).map(|position| position.hash),
        }
    }
}

/// The answer's `diagnostics`. `previous` is the request that was named, if it is remembered; `named` whether one was.
pub(super) fn diagnose(named: bool, previous: Option<&Remembered>, key: &str, prompt: &Prompt, read: u64) -> Value {
    if !named {
        return json!({"cache_miss_reason": null});
    }
    let Some(previous) = previous.filter(|previous| previous.key == key) else {
        return json!({"cache_miss_reason": {"type": "previous_message_not_found"}});
    };
    let missed = |kind: &str, shared: u64| json!({"cache_miss_reason": {"type": kind, "cache_missed_input_tokens": prompt.tokens.saturating_sub(shared)}});
    let (tools, system) = (prompt.end_of(Section::Tools), prompt.end_of(Section::System));
    if previous.model != prompt.model {
        missed("model_changed", 0)
    } else if previous.tools != tools.map(|position| position.hash) {
        missed("tools_changed", 0)
    } else if previous.system != system.map(|position| position.hash) {
        missed("system_changed", tools.map_or(0, |position| position.tokens))
    } else if !prompt.positions.iter().any(|position| Some(position.hash) == previous.end) {
        missed("messages_changed", system.map_or(0, |position| position.tokens))
    } else if read == 0 {
        // The same prefix, and yet nothing was read: expired, too short, or not yet written.
        json!({"cache_miss_reason": {"type": "unavailable"}})
    } else {
        json!({"cache_miss_reason": null})
    }
}
