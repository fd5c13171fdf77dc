//! What is sent: the prompt of a document action, laid out so that as much of it as possible is read from the cache.
//!
//! From what is shared by most requests to what is shared by none: tools → system prompt → the project's rules → the
//! language's conventions → the document as it was first sent → what changed in it since → tests, selection and task.
//! Everything in front of the last layer depends only on the content of files, never on the action, the selection, the time
//! or the machine, so that every action on a document has the same bytes up to there.
//!
//! Conversations ([`Family::Conversation`]) have tools and a system prompt of their own. They begin as an action does and grow
//! at their end only: see `conversation`.
//!
//! [`Planner`] decides what is sent and written to the cache, from what it knows was sent before: `warmth` (what can be
//! read), `habits` (how likely somebody will), `price` (what that is worth), `insurance` (what may be lost on it), and
//! `changes` (how a document that was edited is stated).

pub mod calibration;
mod changes;
mod compose;
pub mod context;
mod conventions;
mod conversation;
mod describe;
pub mod diagnosis;
mod document;
mod estimate;
mod go_on;
mod habits;
mod instruction;
mod insurance;
mod picture;
mod planner;
mod prewarm;
mod price;
mod project;
mod repair;
mod rules;
pub mod tags;
pub mod tools;
pub mod warmth;

use serde::{Deserialize, Serialize};

pub use calibration::{Estimates, Scale};
pub use changes::Comparison;
pub use compose::too_long;
pub use context::Context;
pub use conversation::{History, Pace};
pub use describe::{Description, describe};
pub use estimate::estimate_tokens;
pub use go_on::{GO_ON, go_on};
pub use picture::picture;
pub(crate) use planner::Memo;
pub use planner::Planner;
pub use prewarm::prewarm;
pub use project::project;
pub use repair::repair;
pub use rules::{RulesFile, rules};

use crate::actions::{Action, ResultForm};
use crate::claude::models::Model;
use crate::claude::types::{MessageRequest, Tool, Ttl};
use crate::config::Settings;
use crate::error::Error;
use crate::workspace::{Language, Span};
use warmth::PrefixKey;

/// The system prompt of all document actions. Its bytes are shared by every request of every user of a key.
const SYSTEM: &str = include_str!("system.md");

/// The system prompt of all conversations.
const CONVERSATION: &str = include_str!("conversation.md");

/// Estimates within this part of the limit are too near to be trusted.
const NEAR: u64 = 10;

/// Everything a prompt is made of.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// Which family of requests it belongs to.
    pub family: Family,
    /// What is asked for.
    pub action: &'a Action,
    /// The configuration.
    pub settings: &'a Settings,
    /// The model that is asked; its id is sent as the settings spell it.
    pub model: &'a Model,
    /// The document's language.
    pub language: &'static Language,
    /// Tells the document from all others of this process, such as its URI. It is not sent.
    pub document: &'a str,
    /// The document's path, relative to the workspace folder, with `/`; never a path of this machine.
    pub path: &'a str,
    /// The whole document.
    pub text: &'a str,
    /// What is selected in it, on character boundaries; for an empty selection, the enclosing item.
    pub selection: Span,
    /// The project's rules, nearest first.
    pub rules: &'a [RulesFile],
    /// What the project says of itself, as [`project()`] has it.
    pub project: Option<&'a str>,
    /// What the user adds in words.
    pub prompt: Option<&'a str>,
    /// Where tests go; only actions that write tests need it.
    pub tests: Option<&'a TestTarget>,
    /// What the selection's surroundings have to offer.
    pub context: Option<&'a Context>,
    /// How experience corrects estimates for this model.
    pub scale: Scale,
}

/// Requests of one family have the same tools and the same system prompt, and so share a prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// An action on a document: one task and one answer, without tools.
    #[default]
    Document,
    /// A conversation: questions and answers, with tools to look around in the project.
    Conversation,
}

impl Family {
    /// The system prompt.
    fn system(self) -> &'static str {
        match self {
            Self::Document => SYSTEM,
            Self::Conversation => CONVERSATION,
        }
    }

    /// The tools.
    fn tools(self) -> &'static [Tool] {
        match self {
            Self::Document => &[],
            Self::Conversation => tools::definitions(),
        }
    }
}

/// Where tests are to be added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestTarget {
    /// The test file's path, relative to the workspace folder, with `/`.
    pub path: String,
    /// The framework's name, such as `pytest`.
    pub framework: String,
    /// What the file says now; none if there is no such file.
    pub existing: Option<String>,
    /// The tests are a module inside the document itself (Rust's `#[cfg(test)]`).
    pub inline: bool,
    /// How tests get at the code: an import, or a sentence; empty if not known.
    pub import_hint: String,
}

/// A request, and what is known of it before it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The request, complete but for `stream`, which is set.
    pub request: MessageRequest,
    /// The parts of the prompt, in order; only those that are there.
    pub layers: Vec<Layer>,
    /// About how many tokens of input it has, corrected by experience.
    pub estimated_input_tokens: u64,
    /// The same without the correction.
    pub uncorrected_input_tokens: u64,
    /// How many tokens of input the model takes beside its answer. The estimate may be a tenth above it.
    pub input_limit: u64,
    /// What the answer is to become.
    pub form: ResultForm,
    /// What the user may want to know, such as that nothing can be cached.
    pub notes: Vec<String>,
    /// What the planner has to know when it is sent.
    pub(crate) memo: Memo,
}

/// A part of the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Which.
    pub name: LayerName,
    /// About how many tokens it has itself.
    pub estimated_tokens: u64,
    /// How many blocks it has.
    pub blocks: usize,
    /// The life of the cache entry that ends with this layer, if one does.
    pub breakpoint: Option<Ttl>,
    /// SHA-256 of its text: two requests whose layers have equal hashes up to one have an equal prefix up to there.
    pub hash: String,
    /// Names the cache entry that ends with it: the request's settings and everything up to here.
    pub prefix: PrefixKey,
}

/// The parts of a prompt, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerName {
    /// Tools; document actions have none.
    Tools,
    /// The system prompt.
    System,
    /// The project: its manifest, its folders, its rules.
    Project,
    /// The language's conventions.
    Language,
    /// The document.
    Document,
    /// What changed in the document since it was sent.
    Changes,
    /// What was said before, by both.
    Conversation,
    /// What differs from action to action: tests, selection and task.
    Instruction,
}

impl LayerName {
    /// The name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::System => "system",
            Self::Project => "project",
            Self::Language => "language conventions",
            Self::Document => "document",
            Self::Changes => "changes",
            Self::Conversation => "conversation",
            Self::Instruction => "selection and task",
        }
    }
}

/// The request for an action on a selection, from a planner that knows of nothing sent. Equal inputs give equal bytes.
///
/// Fails with `too_long` when not even an excerpt of the document fits, and with `config` when the action's template is
/// wrong or the action asks no model.
pub fn plan(input: &Input<'_>) -> Result<Plan, Error> {
    Planner::new().plan(input, jiff::Timestamp::UNIX_EPOCH)
}

impl Plan {
    /// Whether the estimate is so near the model's limit that only a count can tell whether it fits: within a tenth.
    pub fn is_near_limit(&self) -> bool {
        self.estimated_input_tokens > self.input_limit - self.input_limit / NEAR
    }
}

#[cfg(test)]
mod planner_tests;
#[cfg(test)]
mod tests;
