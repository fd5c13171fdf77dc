//! Conversations: what was said stays as it was sent, to the byte, and everything new comes behind it.
//!
//! Such a prompt is tools → system prompt → project → language → document → what was said → what is said now. It has a
//! breakpoint where it ends and one where it ended the time before: the first writes what the next request reads, and the
//! second finds what the one before wrote, however many blocks a round of tool calls brought (the API looks back over 20).

use std::borrow::Cow;
use std::sync::Arc;

use super::changes::{self, Base};
use super::compose::{self, Block, Draft};
use super::document::line_spans;
use super::{Family, Input, Layer, LayerName, NEAR, Plan, Scale, instruction, planner, tags};
use crate::claude::images;
use crate::claude::models::Model;
use crate::claude::types::{CacheControl, ContentBlock, Message, Role, SystemBlock, Ttl};
use crate::config::{CacheLayout, CacheTtl, Settings};
use crate::error::Error;
use crate::workspace::Language;

/// How the end of a conversation is cached, and by what its tokens are reckoned.
#[derive(Clone, Copy, Debug)]
pub struct Pace<'a> {
    model: &'a Model,
    scale: Scale,
    ttl: Option<Ttl>,
}

impl<'a> Pace<'a> {
    /// As the settings want it.
    pub fn new(settings: &Settings, model: &'a Model, scale: Scale) -> Self {
        let ttl = match (settings.cache.layout, settings.cache.ttl) {
            (CacheLayout::Off, _) => None,
            (_, CacheTtl::OneHour) => Some(Ttl::OneHour),
            // The next round follows within seconds, and a question within minutes or on another day.
            (_, CacheTtl::Auto | CacheTtl::FiveMinutes) => Some(Ttl::FiveMinutes),
        };
        Self { model, scale, ttl }
    }

    /// The life of an entry that ends with so many tokens.
    fn life(&self, tokens: u64) -> Option<Ttl> {
        self.ttl.filter(|_| tokens >= self.model.cache_minimum)
    }
}

/// The tools of a family as blocks of the prompt.
pub(super) fn tools(family: Family) -> Vec<String> {
    family.tools().iter().filter_map(|tool| serde_json::to_string(tool).ok()).collect()
}

/// The breakpoints of a conversation's first request: with the document in the cache, what stands behind it goes there too,
/// as the next request is likely to follow at once.
pub(super) fn with_end(input: &Input<'_>, drafts: &[Draft], mut breakpoints: Vec<Option<Ttl>>) -> Vec<Option<Ttl>> {
    let (Some(document), Family::Conversation) = (drafts.len().checked_sub(2), input.family) else {
        return breakpoints;
    };
    if breakpoints[document].is_some()
        && let Some(end) = breakpoints.last_mut()
    {
        *end = Pace::new(input.settings, input.model, input.scale).ttl;
    }
    breakpoints
}

/// What was said, as it was sent, without its breakpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    messages: Vec<Message>,
}

impl History {
    /// What was said in these messages, the answer last.
    pub fn new(mut messages: Vec<Message>) -> Self {
        for block in messages.iter_mut().flat_map(|message| &mut message.content) {
            set_breakpoint(block, None);
        }
        Self { messages }
    }

    /// From the form that it is kept in; `None` if it is none, or nobody answered.
    pub fn from_json(text: &str) -> Option<Self> {
        let messages: Vec<Message> = serde_json::from_str(text).ok()?;
        let ends = messages.last().is_some_and(|last| last.role == Role::Assistant && !last.content.is_empty());
        ends.then(|| Self::new(messages))
    }

    /// The form that it is kept in.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.messages).unwrap_or_default()
    }

    /// The messages, roles in turn.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The question that it began with, in the user's words; `None` if it began with another task.
    pub fn question(&self) -> Option<String> {
        let first = self.messages.first()?;
        let task = first.content.iter().filter_map(text_of).rev().find_map(|text| tags::unwrap("task", text))?.1;
        let (_, question) = tags::unwrap("question", task[task.find("<question")?..].trim_end())?;
        Some(question.to_owned())
    }

    /// Without thinking, whose proof only the model that thought it takes.
    #[must_use]
    pub fn without_thinking(mut self) -> Self {
        for message in &mut self.messages {
            message.content.retain(|block| {
                !matches!(block, ContentBlock::Thinking { .. } | ContentBlock::RedactedThinking { .. })
            });
        }
        self.messages.retain(|message| !message.content.is_empty());
        self
    }

    /// What the model has to be told of a document that it knows from the conversation: what changed, all of it anew where
    /// that is shorter or much has changed, or that it is gone. `now` is its text. Empty if nothing is new.
    pub fn news(&self, path: &str, language: &'static Language, now: Option<&str>) -> Vec<String> {
        let known = Known::of(&self.messages, path, language);
        let Some(now) = now else {
            let gone = tags::empty("document", &[("path", path), ("now", "deleted")]);
            return if known.is_gone { Vec::new() } else { vec![gone] };
        };
        let whole = || vec![tags::wrap("document", &[("path", path), ("language", language.id)], now)];
        let Some(base) = known.base else {
            // Only a part of it was shown.
            return match known.seen {
                Some(seen) if !now.contains(&seen) => {
                    vec![tags::empty("document", &[("path", path), ("now", "edited")])]
                }
                _ => Vec::new(),
            };
        };
        let spans = line_spans(now);
        let Some(difference) = base.difference(now, &spans) else { return whole() };
        let new = base.statements(&difference, &known.stated, now, &spans, None);
        let mut all = known.stated;
        all.extend(new.iter().cloned());
        match new.as_slice() {
            _ if base.with(&all) != now => whole(),
            [] => Vec::new(),
            new => {
                let (stated, whole) = (changes::block(new), whole());
                // Both come behind what was said, at one price; the whole text also makes what was stated before void.
                if stated.len() < whole[0].len() { vec![stated] } else { whole }
            }
        }
    }
}

/// What a conversation says of a document.
#[derive(Default)]
struct Known {
    base: Option<Base>,
    stated: Vec<changes::Statement>,
    /// What is selected in it, where it was not shown whole.
    seen: Option<String>,
    is_gone: bool,
}

impl Known {
    fn of(messages: &[Message], path: &str, language: &'static Language) -> Self {
        let mut known = Self::default();
        for message in messages.iter().filter(|message| message.role == Role::User) {
            let texts: Vec<&str> = message.content.iter().filter_map(text_of).collect();
            let selection = texts.iter().rev().find_map(|text| selected(text));
            let selection = selection.as_deref();
            for text in texts {
                if let Some((attributes, document)) = tags::unwrap("document", text) {
                    let is = |name, value| attributes.iter().any(|(key, is)| key == name && is == value);
                    if is("path", path) {
                        known = match (is("now", "deleted"), is("now", "edited"), is("excerpt", "true")) {
                            (true, ..) => Self { is_gone: true, ..Self::default() },
                            (_, true, _) => Self::default(),
                            (.., true) => Self { seen: selection.map(str::to_owned), ..Self::default() },
                            _ => Self { base: Some(Base::new(document.into(), language)), ..Self::default() },
                        };
                    }
                } else if let Some(stated) = changes::parse(text, selection) {
                    known.stated.extend(stated);
                }
            }
        }
        known
    }
}

/// The selected code that a block shows, without the numbers of its lines.
fn selected(text: &str) -> Option<Cow<'_, str>> {
    let (attributes, code) = tags::unwrap("selection", text)?;
    if !attributes.iter().any(|(key, value)| *key == "numbered" && *value == "true") {
        return Some(Cow::Borrowed(code));
    }
    let lines = code.split('\n').map(|line| line.split_once("| ").map_or(line, |(_, line)| line));
    Some(Cow::Owned(lines.collect::<Vec<_>>().join("\n")))
}

/// The request that goes on with a conversation: everything that was said, then what is new of the document, then the task.
///
/// Fails with `too_long` when it does not fit, and with `config` when the action's template is wrong.
pub(super) fn resume(input: &Input<'_>, history: &History, news: &[String]) -> Result<Plan, Error> {
    let (mut request, notes) = compose::request(input);
    request.tools = input.family.tools().to_vec();
    let pace = Pace::new(input.settings, input.model, input.scale);
    let system = input.family.system().trim_end();
    let root = compose::root(input, &request);
    let draft = |name, texts: Vec<String>| Draft {
        name,
        blocks: texts.into_iter().map(|text| Block::new(text, input.model)).collect(),
    };
    let drafts = [draft(LayerName::Tools, tools(input.family)), draft(LayerName::System, vec![system.to_owned()])];
    let head: u64 = drafts.iter().map(Draft::tokens).sum();
    let life = pace.life(input.scale.of(head));
    let layers = compose::layers(&drafts, &[None, life], root, input.scale);
    let cache_control = life.map(CacheControl::new);
    request.system = vec![SystemBlock::Text { text: system.to_owned(), cache_control }];
    let mut plan = Plan {
        request,
        estimated_input_tokens: layers.iter().map(|layer| layer.estimated_tokens).sum(),
        uncorrected_input_tokens: head,
        input_limit: compose::input_limit(input),
        layers,
        form: input.action.result,
        memo: planner::Memo::of_conversation(root, notes.clone()),
        notes,
    };
    let mut blocks: Vec<ContentBlock> = news.iter().map(ContentBlock::text).collect();
    blocks.push(ContentBlock::text(instruction::task(input)?));
    let mut turns = history.messages.clone();
    turns.push(Message { role: Role::User, content: blocks });
    plan.append(turns, pace);
    let limit = plan.input_limit;
    if plan.estimated_input_tokens > limit + limit / NEAR {
        let (title, id) = (&input.action.title, &input.model.id);
        return Err(compose::too_long(title, id, plan.estimated_input_tokens, limit)
            .hint("The conversation has become too long; ask about the code anew."));
    }
    Ok(plan)
}

impl Plan {
    /// The request that follows when the model gave an answer and is told something in return: this one, to the byte, and
    /// both behind it.
    #[must_use]
    pub fn and_then(&self, answer: Vec<ContentBlock>, reply: Vec<ContentBlock>, pace: Pace<'_>) -> Self {
        let mut next = self.clone();
        next.append(
            vec![Message { role: Role::Assistant, content: answer }, Message { role: Role::User, content: reply }],
            pace,
        );
        next
    }

    /// The same request without tools, for servers that have none.
    #[must_use]
    pub fn without_tools(&self) -> Self {
        let mut plain = self.clone();
        plain.request.tools.clear();
        plain
    }

    /// Puts messages behind those that are there, with a breakpoint behind the last of them and one behind the last one of
    /// the user's before.
    fn append(&mut self, messages: Vec<Message>, pace: Pace<'_>) {
        for layer in self.layers.iter_mut().filter(|layer| layer.name >= LayerName::Conversation) {
            layer.name = LayerName::Conversation;
            layer.breakpoint = None;
        }
        let mut said = Vec::new();
        for message in &messages {
            said.extend(message.content.iter().map(|block| block_of(block, pace.model)));
            if message.role == Role::User {
                self.add_layer(std::mem::take(&mut said), pace);
            }
        }
        for message in messages {
            match self.request.messages.last_mut().filter(|last| last.role == message.role) {
                Some(last) => last.content.extend(message.content),
                None => self.request.messages.push(message),
            }
        }
        let last = self.layers.len() - 1;
        self.layers[last].name = LayerName::Instruction;
        let mut tokens = 0;
        for (index, layer) in self.layers.iter_mut().enumerate() {
            tokens += layer.estimated_tokens;
            if layer.name >= LayerName::Conversation && index + 2 > last {
                layer.breakpoint = pace.life(tokens);
            }
        }
        self.estimated_input_tokens = tokens;
        self.memo.grew(tokens);
        self.mark();
    }

    fn add_layer(&mut self, blocks: Vec<Block>, pace: Pace<'_>) {
        let Some(prefix) = self.layers.last().map(|layer| layer.prefix) else { return };
        let draft = Draft { name: LayerName::Conversation, blocks };
        self.uncorrected_input_tokens += draft.tokens();
        self.layers.extend(compose::layers(&[draft], &[None], prefix, pace.scale));
    }

    /// Puts the breakpoints of the layers on the request's blocks.
    pub(super) fn mark(&mut self) {
        let life_of_system = self.layers.iter().rfind(|layer| layer.name == LayerName::System).map(|it| it.breakpoint);
        if let (Some(life), Some(SystemBlock::Text { cache_control, .. })) =
            (life_of_system, self.request.system.last_mut())
        {
            *cache_control = life.map(CacheControl::new);
        }
        let behind: Vec<&Layer> = self.layers.iter().filter(|layer| layer.name > LayerName::System).collect();
        let mut blocks = self.request.messages.iter_mut().flat_map(|message| &mut message.content);
        for layer in behind {
            for index in 0..layer.blocks {
                let Some(block) = blocks.next() else { return };
                set_breakpoint(block, layer.breakpoint.filter(|_| index + 1 == layer.blocks));
            }
        }
    }
}

/// A block as the cache's bookkeeping sees it.
fn block_of(block: &ContentBlock, model: &Model) -> Block {
    match block {
        ContentBlock::Text { text, .. } => Block::new(text.as_str(), model),
        other => {
            let mut plain = other.clone();
            set_breakpoint(&mut plain, None);
            let text: Arc<str> = serde_json::to_string(&plain).unwrap_or_default().into();
            match other {
                // Its letters are not what it is billed by.
                ContentBlock::Image { .. } => Block::counted(text, images::MOST_TOKENS),
                _ => Block::new(text, model),
            }
        }
    }
}

fn set_breakpoint(block: &mut ContentBlock, life: Option<Ttl>) {
    match block {
        ContentBlock::Text { cache_control, .. }
        | ContentBlock::Image { cache_control, .. }
        | ContentBlock::ToolUse { cache_control, .. }
        | ContentBlock::ToolResult { cache_control, .. } => *cache_control = life.map(CacheControl::new),
        ContentBlock::Thinking { .. } | ContentBlock::RedactedThinking { .. } | ContentBlock::Other(_) => {}
    }
}

fn text_of(block: &ContentBlock) -> Option<&str> {
    match block {
        ContentBlock::Text { text, .. } => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
