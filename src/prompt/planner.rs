//! The plans of one process: what one request learns of the cache, the next one makes use of.

use jiff::Timestamp;

use super::warmth::Warmth;
use super::{Input, Plan, plan};
use crate::claude::usage::Tokens;
use crate::error::Error;

/// Makes plans, and remembers what of them may still be in the cache.
///
/// Shared by all runs of a process behind a mutex that is never held across an await. Nothing in it looks at a clock.
#[derive(Clone, Debug, Default)]
pub struct Planner {
    warmth: Warmth,
}

impl Planner {
    /// A planner that knows of nothing sent.
    pub fn new() -> Self {
        Self::default()
    }

    /// The request for an action on a selection, at this moment. Nothing is taken to be sent by that.
    ///
    /// Fails with `too_long` when not even an excerpt of the document fits, and with `config` when the action's template
    /// is wrong or the action asks no model.
    pub fn plan(&mut self, input: &Input<'_>, now: Timestamp) -> Result<Plan, Error> {
        let _ = now;
        plan(input)
    }

    /// A plan's request is sent.
    pub fn sent(&mut self, plan: &Plan, now: Timestamp) {
        self.warmth.sent(plan, now);
    }

    /// The answer begins; `tokens` is the usage it begins with.
    pub fn began(&mut self, plan: &Plan, tokens: &Tokens, now: Timestamp) {
        self.warmth.began(plan, tokens, now);
    }

    /// The request ended before its answer began.
    pub fn failed(&mut self, plan: &Plan) {
        self.warmth.failed(plan);
    }

    /// What is known of the cache.
    pub fn warmth(&self) -> &Warmth {
        &self.warmth
    }
    /// What is known of the cache, to be told what others wrote to it.
    pub fn warmth_mut(&mut self) -> &mut Warmth {
        &mut self.warmth
    }
}
