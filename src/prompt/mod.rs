//! What is sent: the prompt of a document action, laid out so that as much of it as possible is read from the cache.
//!
//! From what is shared by most requests to what is shared by none: tools → system prompt → the project's rules → the
//! language's conventions → the document → tests, selection and task. Everything in front of the last layer depends only on
//! the content of files, never on the action, the selection, the time or the machine, so that every action on a document
//! has the same bytes up to there.

mod breakpoints;
pub mod calibration;
pub mod context;
mod conventions;
mod describe;
pub mod diagnosis;
mod document;
mod estimate;
mod instruction;
mod planner;
mod prewarm;
mod repair;
mod rules;
pub mod tags;
pub mod warmth;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use calibration::{Estimates, Scale};
pub use context::Context;
pub use describe::{Description, describe};
pub use estimate::estimate_tokens;
pub use planner::Planner;
pub use prewarm::prewarm;
pub use repair::repair;
pub use rules::{RulesFile, rules};

use crate::actions::{Action, ResultForm};
use crate::claude::models::{self, Model};
use crate::claude::params::{Wishes, params};
use crate::claude::types::{CacheControl, ContentBlock, Message, MessageRequest, Role, SystemBlock, Ttl};
use crate::config::Settings;
use crate::error::{Error, ErrorKind};
use crate::hash::hex;
use crate::workspace::{Language, Span};
use warmth::PrefixKey;

/// The system prompt of all document actions. Its bytes are shared by every request of every user of a key.
const SYSTEM: &str = include_str!("system.md");

/// What a model that does not say takes in, in tokens: the least any model of the last years takes.
const COMMON_CONTEXT: u64 = 200_000;

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
    pub language: &'a Language,
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
    /// The project's rules.
    Project,
    /// The language's conventions.
    Language,
    /// The document.
    Document,
    /// What differs from action to action: tests, selection and task.
    Instruction,
}

impl LayerName {
    /// The name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::System => "system",
            Self::Project => "project rules",
            Self::Language => "language conventions",
            Self::Document => "document",
            Self::Instruction => "selection and task",
        }
    }
}

/// A layer before breakpoints are chosen: its texts become one block each.
struct Draft {
    name: LayerName,
    blocks: Vec<String>,
    tokens: u64,
}

/// The request for an action on a selection. Equal inputs give equal bytes.
///
/// Fails with `too_long` when not even an excerpt of the document fits, and with `config` when the action's template is
/// wrong or the action asks no model.
pub fn plan(input: &Input<'_>) -> Result<Plan, Error> {
    let mut notes = Vec::new();
    let request_model = model_id(input);
    let max_tokens = max_tokens(input);
    let limit = input_limit(input.model, max_tokens);

    let mut drafts = Vec::with_capacity(5);
    let mut draft = |name, blocks: Vec<String>| {
        let tokens = tokens(&blocks, input);
        if !blocks.is_empty() {
            drafts.push(Draft { name, blocks, tokens });
        }
        tokens
    };
    let mut used = draft(LayerName::System, vec![SYSTEM.trim_end().to_owned()]);
    used += draft(LayerName::Project, project(input.rules));
    used += draft(LayerName::Language, conventions::block(input.language).into_iter().collect());
    let document_tokens = estimate_tokens(input.text, input.model);
    let room = |instruction: &[String]| limit.saturating_sub(used + tokens(instruction, input));
    // By the estimate alone: a correction that moves must not change how a document is sent.
    let mut is_whole = document_tokens <= document::WHOLE_DOCUMENT_TOKENS;
    let document_tokens = input.scale.of(document_tokens);
    let mut instruction = instruction::blocks(input, is_whole)?;
    if is_whole && document_tokens > room(&instruction) {
        is_whole = false;
        instruction = instruction::blocks(input, is_whole)?;
    }
    let document =
        if is_whole { document::whole(input) } else { document::excerpt(input, document_tokens, room(&instruction)) };
    if let Some(note) = document.note {
        notes.push(note);
    }
    used += draft(LayerName::Document, vec![document.text]);
    used += draft(LayerName::Instruction, instruction);
    // Near the limit the server is asked to count before anything is sent; far above there is nothing to count.
    if used > limit + limit / NEAR {
        return Err(too_long(&input.action.title, &input.model.id, used, limit));
    }

    let breakpoints = breakpoints::choose(&drafts, input.settings, input.model, &mut notes);
    let mut request = MessageRequest {
        model: request_model,
        max_tokens: Some(max_tokens),
        stream: true,
        ..MessageRequest::default()
    };
    tune(&mut request, input, max_tokens, &mut notes);
    let mut prefix = PrefixKey::root(&splitting(input, &request));
    let layers = drafts.iter().zip(&breakpoints).map(|(draft, at)| layer(draft, *at, &mut prefix)).collect();
    let (system, content) = assemble(drafts, &breakpoints);
    request.system = system;
    request.messages = vec![Message { role: Role::User, content }];
    Ok(Plan {
        request,
        layers,
        estimated_input_tokens: used,
        uncorrected_input_tokens: input.scale.undone(used),
        input_limit: limit,
        form: input.action.result,
        notes,
    })
}

fn tokens(blocks: &[String], input: &Input<'_>) -> u64 {
    input.scale.of(blocks.iter().map(|block| estimate_tokens(block, input.model)).sum())
}

/// The model's id as the user wrote it, which may name a dated version of the same model.
fn model_id(input: &Input<'_>) -> String {
    let settings = input.settings;
    let written = [settings.model_for(&input.action.id), &settings.fast_model];
    let same = written.into_iter().find(|written| models::lookup(written).id == input.model.id);
    same.unwrap_or(&input.model.id).to_owned()
}

fn max_tokens(input: &Input<'_>) -> u32 {
    let wanted = input.settings.max_output_tokens_for(&input.action.id);
    input.model.max_output_tokens.and_then(|most| u32::try_from(most).ok()).map_or(wanted, |most| wanted.min(most))
}

/// Thinking and effort as the user wishes and the model takes.
fn tune(request: &mut MessageRequest, input: &Input<'_>, max_tokens: u32, notes: &mut Vec<String>) {
    let settings = input.settings;
    let wishes = Wishes {
        effort: settings.effort_for(&input.action.id),
        budget_tokens: settings.thinking.budget_tokens,
        ..Wishes::default()
    };
    let params = params(input.model, &settings.api.version, max_tokens, &wishes);
    params.apply(request);
    notes.extend(params.notes);
}

/// How many tokens of input there may be, so that the answer fits too.
fn input_limit(model: &Model, max_tokens: u32) -> u64 {
    model.max_input_tokens.unwrap_or(COMMON_CONTEXT).saturating_sub(u64::from(max_tokens))
}

impl Plan {
    /// Whether the estimate is so near the model's limit that only a count can tell whether it fits: within a tenth.
    pub fn is_near_limit(&self) -> bool {
        self.estimated_input_tokens > self.input_limit - self.input_limit / NEAR
    }
}

/// The error for a prompt that does not fit.
pub fn too_long(action_title: &str, model: &str, tokens: u64, limit: u64) -> Error {
    Error::new(
        ErrorKind::TooLong,
        format!(
            "{} needs about {tokens} tokens, and {model} takes {limit} beside its answer.",
            capitalized(action_title)
        ),
    )
    .hint("Select less.")
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn project(rules: &[RulesFile]) -> Vec<String> {
    let files: Vec<String> =
        rules.iter().map(|file| tags::wrap("rules", &[("path", &file.path)], &file.text)).collect();
    if files.is_empty() { Vec::new() } else { vec![files.join("\n\n")] }
}

/// What splits the cache: another server, another model, other thinking or effort.
fn splitting(input: &Input<'_>, request: &MessageRequest) -> String {
    let MessageRequest { thinking, output_config, .. } = request;
    format!("{} {} {:?} {thinking:?} {output_config:?}", input.settings.api.base_url, input.model.id, input.family)
}

fn layer(draft: &Draft, breakpoint: Option<Ttl>, prefix: &mut PrefixKey) -> Layer {
    let mut hash = Sha256::new();
    for block in &draft.blocks {
        // With their lengths, so that no two lists of blocks give the same bytes.
        hash.update((block.len() as u64).to_le_bytes());
        hash.update(block);
        *prefix = prefix.and(block);
    }
    Layer {
        name: draft.name,
        estimated_tokens: draft.tokens,
        blocks: draft.blocks.len(),
        breakpoint,
        hash: hex(&hash.finalize()),
        prefix: *prefix,
    }
}

/// The blocks of the system prompt and of the message, with a breakpoint at the end of each layer that has one.
fn assemble(drafts: Vec<Draft>, breakpoints: &[Option<Ttl>]) -> (Vec<SystemBlock>, Vec<ContentBlock>) {
    let (mut system, mut content) = (Vec::new(), Vec::new());
    for (draft, breakpoint) in drafts.into_iter().zip(breakpoints) {
        let last = draft.blocks.len().saturating_sub(1);
        for (index, text) in draft.blocks.into_iter().enumerate() {
            let cache_control = breakpoint.filter(|_| index == last).map(CacheControl::new);
            if draft.name <= LayerName::System {
                system.push(SystemBlock::Text { text, cache_control });
            } else {
                content.push(ContentBlock::Text { text, cache_control });
            }
        }
    }
    (system, content)
}

#[cfg(test)]
mod tests;
