//! The plans of one process: what one request learns of the cache, the next one makes use of.

mod talk;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::changes::{self, Base, Statement, selected_lines};
use super::compose::{self, Block, Draft};
use super::document::{self, is_most_of, line_spans};
use super::estimate::estimate_beyond;
use super::habits::{Habits, Key, Odds};
use super::insurance::Insurance;
use super::price::{self, Layout, Rates, Segment};
use super::warmth::{Heat, PrefixKey, Warmth};
use super::{Family, History, Input, LayerName, NEAR, Plan, conventions, conversation, instruction, tags};
use crate::claude::models;
use crate::claude::types::{Message, Role, Ttl};
use crate::claude::usage::Tokens;
use crate::config::{CacheLayout, CacheTtl};
use crate::error::Error;
use crate::workspace::Span;

/// Makes plans, and remembers what of them may still be in the cache.
///
/// Shared by all runs of a process behind a mutex that is never held across an await. Nothing in it looks at a clock.
#[derive(Clone, Debug, Default)]
pub struct Planner {
    warmth: Warmth,
    habits: Habits,
    insurance: Insurance,
    /// The document that was last written to the cache, by its name and the settings that split the cache.
    sent: BTreeMap<(String, PrefixKey), (Timestamp, Sent)>,
    /// The newest text of a document and its tokens, by its name.
    measured: BTreeMap<String, Measured>,
}

/// Documents are forgotten beyond this number, the longest unused first.
const MOST_DOCUMENTS: usize = 64;

/// A document as it was sent, and what was stated behind it.
#[derive(Clone, Debug, PartialEq)]
struct Sent {
    base: Arc<Base>,
    block: Block,
    stated: Vec<Stated>,
    /// The part of an excerpt that is there without gaps; none if all is there.
    shown: Option<Span>,
}

/// Changes that were sent as one block.
#[derive(Clone, Debug, PartialEq)]
struct Stated {
    statements: Vec<Statement>,
    block: Block,
}

#[derive(Clone, Debug)]
struct Measured {
    text: Arc<str>,
    dense: bool,
    tokens: u64,
}

/// What the planner has to know of a plan when it is sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Memo {
    document: String,
    root: Option<PrefixKey>,
    keys: Vec<Key>,
    /// The document in the cache, if this plan writes or reads one.
    sent: Option<Sent>,
    /// About how many tokens the request would have without anything that is there for the cache's sake.
    without: u64,
    /// Notes that are the same for every request under these settings.
    pub(crate) left_out: Vec<String>,
}

impl Memo {
    /// What is to be known of a request that shares nothing with others.
    pub(super) fn alone(tokens: u64) -> Self {
        Self { without: tokens, ..Self::default() }
    }

    /// What is to be known of a request that only writes the prefix up to there: nobody acted.
    pub(super) fn of_warming(&self, with_document: bool) -> Self {
        let sent = self.sent.clone().filter(|_| with_document);
        Self { keys: Vec::new(), sent, without: 0, ..self.clone() }
    }

    /// What is to be known of a conversation that goes on.
    pub(super) fn of_conversation(root: PrefixKey, left_out: Vec<String>) -> Self {
        Self { root: Some(root), keys: vec![Key::Conversation], left_out, ..Self::default() }
    }

    /// The conversation has so many tokens now.
    pub(super) fn grew(&mut self, tokens: u64) {
        self.without = tokens;
    }
}

/// One way to send the document.
struct Candidate {
    layers: Vec<Draft>,
    sent: Sent,
    /// What of the changes is in the selection.
    aside: Option<Block>,
    /// What shares the document's entry.
    key: Key,
}

/// A candidate with its breakpoints.
struct Choice {
    drafts: Vec<Draft>,
    layout: Layout,
    sent: Sent,
    key: Key,
    score: f64,
}

/// What is the same for all candidates.
struct Ground<'a> {
    input: &'a Input<'a>,
    root: PrefixKey,
    heads: Vec<Draft>,
    instruction: Vec<Block>,
    /// Tokens without a cache.
    without: u64,
    now: Timestamp,
}

impl Planner {
    /// A planner that knows of nothing sent.
    pub fn new() -> Self {
        Self::default()
    }

    /// The request for an action on a selection, at this moment. Nothing is taken to be sent by that. Equal inputs give equal
    /// bytes as long as nothing was sent.
    ///
    /// Fails with `too_long` when not even an excerpt of the document fits, and with `config` when the action's template
    /// is wrong or the action asks no model.
    pub fn plan(&mut self, input: &Input<'_>, now: Timestamp) -> Result<Plan, Error> {
        let (mut request, left_out) = compose::request(input);
        let mut notes = left_out.clone();
        request.tools = input.family.tools().to_vec();
        let root = compose::root(input, &request);
        let limit = compose::input_limit(input);
        let heads = heads(input);
        let scale = input.scale;
        let used = scale.of(heads.iter().map(Draft::tokens).sum());
        // By the estimate alone: a correction that moves must not change how a document is sent.
        let measured = self.measure(input);
        let document_tokens = scale.of(measured);

        let mut is_whole = measured <= document::WHOLE_DOCUMENT_TOKENS;
        let mut instruction = instruction(input, is_whole)?;
        let left = |instruction: &[Block]| limit.saturating_sub(used + scale.of(tokens(instruction)));
        if is_whole && document_tokens > left(&instruction) {
            is_whole = false;
            instruction = self::instruction(input, is_whole)?;
        }
        let left = left(&instruction);
        let current = if is_whole {
            current(input, measured)
        } else {
            let (candidate, note) = self.excerpt(input, root, document_tokens, left);
            notes.push(note);
            candidate
        };
        let without = used + scale.of(current.layers[0].tokens()) + scale.of(tokens(&instruction));
        // Near the limit the server is asked to count before anything is sent; far above there is nothing to count.
        if without > limit + limit / NEAR {
            return Err(compose::too_long(&input.action.title, &input.model.id, without, limit));
        }
        let ground = Ground { input, root, heads, instruction, without, now };
        let kept = if is_whole { self.kept(&ground, limit) } else { None };
        let choice = self.choose(&ground, kept, current);

        let Choice { drafts, layout, sent, key, .. } = choice;
        let cacheable = scale.of(drafts[..drafts.len() - 1].iter().map(Draft::tokens).sum());
        if input.settings.cache.layout != CacheLayout::Off && cacheable < input.model.cache_minimum {
            notes.push(format!(
                "Too short to be cached: about {cacheable} tokens are shared with other actions, and {} caches from {} on.",
                input.model.id, input.model.cache_minimum
            ));
        }
        let lives: Vec<Option<Ttl>> = (0..drafts.len()).map(|index| layout.ttl(index)).collect();
        let breakpoints = compose::breakpoints(input.family, &drafts, &lives, input.model.cache_minimum, scale);
        let breakpoints = conversation::with_end(input, &drafts, breakpoints);
        let memo = Memo {
            document: input.document.to_owned(),
            root: Some(root),
            keys: keys(&ground.heads, input, key),
            sent: remembered(&drafts, &layout, sent),
            without,
            left_out,
        };
        let layers = compose::layers(&drafts, &breakpoints, root, scale);
        (request.system, request.messages) = {
            let (system, content) = compose::assemble(&drafts, &breakpoints);
            (system, vec![Message { role: Role::User, content }])
        };
        Ok(Plan {
            request,
            estimated_input_tokens: layers.iter().map(|layer| layer.estimated_tokens).sum(),
            uncorrected_input_tokens: drafts.iter().map(Draft::tokens).sum(),
            input_limit: limit,
            layers,
            form: input.action.result,
            notes,
            memo,
        })
    }

    /// The request that goes on with a conversation; `news` is what the model has to be told of the document first.
    ///
    /// Fails as [`Planner::plan`] does.
    pub fn resume(input: &Input<'_>, history: &History, news: &[String]) -> Result<Plan, Error> {
        conversation::resume(input, history, news)
    }

    /// A plan's request is sent.
    pub fn sent(&mut self, plan: &Plan, now: Timestamp) {
        self.warmth.sent(plan, now);
        for key in &plan.memo.keys {
            self.habits.used(key.clone(), now);
        }
        if let (Some(root), Some(sent)) = (plan.memo.root, &plan.memo.sent) {
            self.sent.insert((plan.memo.document.clone(), root), (now, sent.clone()));
        }
        if self.sent.len() > MOST_DOCUMENTS {
            let oldest = self.sent.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| self.sent.remove(&oldest));
        }
    }

    /// The answer begins; `tokens` is the usage it begins with.
    pub fn began(&mut self, plan: &Plan, tokens: &Tokens, now: Timestamp) {
        self.warmth.began(plan, tokens, now);
        // Estimates are off by about the same factor for all of a prompt.
        let factor = amount(tokens.total_input()) / amount(plan.estimated_input_tokens.max(1));
        self.insurance.took(&models::lookup(&plan.request.model), tokens, amount(plan.memo.without) * factor);
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

    /// The tokens of the document's text. Of a text that was measured before only the difference is.
    fn measure(&mut self, input: &Input<'_>) -> u64 {
        let dense = input.model.dense_tokenizer;
        // How much more than what is sent whole need not be known exactly.
        let count = |text: &str| estimate_beyond(text, input.model, 2 * document::WHOLE_DOCUMENT_TOKENS);
        let known = self.measured.get(input.document).filter(|known| known.dense == dense);
        let tokens = match known {
            Some(known) if *known.text == *input.text => return known.tokens,
            Some(known) => {
                let (old, new) = differing(&known.text, input.text);
                (known.tokens + count(&input.text[new])).saturating_sub(count(&known.text[old]))
            }
            None => count(input.text),
        };
        if self.measured.len() >= MOST_DOCUMENTS {
            self.measured.pop_first();
        }
        self.measured.insert(input.document.to_owned(), Measured { text: input.text.into(), dense, tokens });
        tokens
    }

    /// An excerpt: the one that was sent, as long as it shows the selection and nothing changed.
    fn excerpt(&self, input: &Input<'_>, root: PrefixKey, tokens: u64, left: u64) -> (Candidate, String) {
        let note = document::excerpt_note(input, tokens);
        let known = self.sent.get(&(input.document.to_owned(), root)).map(|(_, sent)| sent).filter(|sent| {
            let shown = sent.shown.as_ref();
            shown.is_some_and(|shown| shown.start <= input.selection.start && input.selection.end <= shown.end)
                && *sent.base.text == *input.text
                && input.scale.of(sent.block.tokens) <= left
        });
        let sent = known.cloned().unwrap_or_else(|| {
            let excerpt = document::excerpt(input, tokens, left);
            Sent {
                base: Arc::new(Base::new(input.text.into(), input.language)),
                block: Block::new(excerpt.text, input.model),
                stated: Vec::new(),
                shown: Some(excerpt.shown),
            }
        });
        let key = in_family(Key::Text(sent.block.digest()), input.family);
        let layers = vec![Draft { name: LayerName::Document, blocks: vec![sent.block.clone()] }];
        (Candidate { layers, sent, aside: None, key }, note)
    }

    /// The document as it was sent, and what changed since; none if it has to be sent anew.
    fn kept(&self, ground: &Ground<'_>, limit: u64) -> Option<Candidate> {
        let input = ground.input;
        if input.settings.cache.layout != CacheLayout::Snapshot {
            return None;
        }
        let (_, sent) = self.sent.get(&(input.document.to_owned(), ground.root))?;
        let base = &sent.base;
        if sent.shown.is_some() || *base.text == *input.text && sent.stated.is_empty() {
            return None;
        }
        let document = Draft { name: LayerName::Document, blocks: vec![sent.block.clone()] };
        let prefix = ground.heads.iter().fold(ground.root, |prefix, head| head.behind(prefix));
        if matches!(self.warmth.heat(document.behind(prefix), ground.now), Heat::Cold | Heat::Expired { .. }) {
            return None;
        }
        // In a selection that is named by its lines the model would have to look for the changes.
        if is_most_of(input.text, &input.selection) {
            return None;
        }
        let spans = line_spans(input.text);
        let difference = base.difference(input.text, &spans)?;
        let selected = selected_lines(input.text, &spans, &input.selection);
        let mut stated = sent.stated.clone();
        let statements = |stated: &[Stated]| {
            let stated: Vec<Statement> = stated.iter().flat_map(|stated| stated.statements.clone()).collect();
            base.statements(&difference, &stated, input.text, &spans, selected.as_ref())
        };
        let mut new = statements(&stated);
        if is_mostly_stale(&stated, &new) {
            stated.clear();
            new = statements(&[]);
        }
        let (aside, new): (Vec<_>, Vec<_>) = new.into_iter().partition(|statement| statement.is_selection);
        let mut all: Vec<Statement> = stated.iter().flat_map(|stated| stated.statements.clone()).collect();
        all.extend(new.iter().chain(&aside).cloned());
        if base.with(&all) != *input.text {
            tracing::error!("changes that do not lead to the text were not sent");
            return None;
        }
        let old: Vec<Block> = stated.iter().map(|stated| stated.block.clone()).collect();
        let mut layers = vec![document];
        if !old.is_empty() {
            layers.push(Draft { name: LayerName::Changes, blocks: old });
        }
        if !new.is_empty() {
            let block = Block::new(changes::block(&new), input.model);
            layers.push(Draft { name: LayerName::Changes, blocks: vec![block.clone()] });
            stated.push(Stated { statements: new, block });
        }
        let aside = (!aside.is_empty()).then(|| Block::new(changes::block(&aside), input.model));
        let all: u64 = ground.heads.iter().chain(&layers).map(Draft::tokens).sum();
        let behind = tokens(&ground.instruction) + aside.as_ref().map_or(0, |block| block.tokens);
        let sent = Sent { stated, ..sent.clone() };
        let key = in_family(Key::Document(input.document.to_owned()), input.family);
        (input.scale.of(all + behind) <= limit).then_some(Candidate { layers, sent, aside, key })
    }

    /// The cheaper of the two ways, with its breakpoints.
    fn choose(&self, ground: &Ground<'_>, kept: Option<Candidate>, current: Candidate) -> Choice {
        let current = self.priced(ground, current, false);
        match kept.map(|kept| self.priced(ground, kept, true)) {
            Some(kept) if kept.score <= current.score => kept,
            _ => current,
        }
    }

    fn priced(&self, ground: &Ground<'_>, candidate: Candidate, kept: bool) -> Choice {
        let (input, now) = (ground.input, ground.now);
        let Candidate { layers, sent, aside, key } = candidate;
        let rates = Rates::of(input.model);
        let mut drafts: Vec<Draft> = ground.heads.iter().cloned().chain(layers).collect();
        let mut prefix = ground.root;
        let anything = self.habits.odds(&in_family(Key::Any, input.family), now);
        // Nothing is used sooner than anything is, of which more is known.
        let odds = |key: &Key| self.habits.odds(key, now).at_most(anything);
        let document_odds = odds(&key);
        // Nothing ends behind the tools alone: they belong to the system prompt.
        let mut carried = 0;
        let segments: Vec<Segment> = drafts
            .iter()
            .map(|draft| {
                prefix = draft.behind(prefix);
                let warm = match self.warmth.heat(prefix, now) {
                    Heat::Warm { ttl, .. } => Some(ttl),
                    Heat::Writing { .. } => Some(Ttl::FiveMinutes),
                    Heat::Cold | Heat::Expired { .. } => None,
                };
                let odds = match shared_by(draft, input) {
                    Some(key) => odds(&key),
                    None => document_odds,
                };
                let tokens = carried + draft.tokens();
                carried = if draft.name == LayerName::Tools { tokens } else { 0 };
                Segment { tokens: amount(input.scale.of(tokens - carried)), warm, odds }
            })
            .collect();
        let mut behind: Vec<Block> = aside.into_iter().collect();
        behind.extend(ground.instruction.iter().cloned());
        let rest = amount(input.scale.of(tokens(&behind)));
        let most = match input.settings.cache.ttl {
            CacheTtl::Auto => self.insurance.most(input.model, ground.without, input.scale.of(common(&ground.heads))),
            // Who names a life has decided.
            CacheTtl::FiveMinutes | CacheTtl::OneHour => f64::INFINITY,
        };
        let layout = if input.settings.cache.layout == CacheLayout::Off {
            Layout::default()
        } else {
            let minimum = amount(input.model.cache_minimum);
            price::cheapest(&segments, rest, rates, lives(input.settings.cache.ttl), minimum, most)
        };
        let changes = drafts.iter().filter(|draft| draft.name == LayerName::Changes).map(Draft::tokens).sum();
        let changes = input.scale.of(changes);
        // Changes are carried along by every request to come.
        let carried = rates.read * amount(changes) * uses(document_odds);
        let documents = drafts.iter().position(|draft| draft.name == LayerName::Document).unwrap_or_default();
        let score = if kept && layout.cached <= documents { f64::INFINITY } else { layout.expected + carried };
        drafts.push(Draft { name: LayerName::Instruction, blocks: behind });
        Choice { drafts, layout, sent, key, score }
    }
}

/// How many more requests there will be before a pause ends the entry's life.
fn uses(odds: Odds) -> f64 {
    (odds.short / (1.0 - odds.short).max(0.05)).min(20.0)
}

/// What comes first in every request, from the most to the least widely shared.
fn heads(input: &Input<'_>) -> Vec<Draft> {
    let draft = |name, texts: Vec<String>| {
        let blocks: Vec<Block> = texts.into_iter().map(|text| Block::new(text, input.model)).collect();
        (!blocks.is_empty()).then_some(Draft { name, blocks })
    };
    let rules: Vec<String> =
        input.rules.iter().map(|file| tags::wrap("rules", &[("path", &file.path)], &file.text)).collect();
    let mut project: Vec<String> = input.project.map(|facts| tags::wrap("project", &[], facts)).into_iter().collect();
    project.extend((!rules.is_empty()).then(|| rules.join("\n\n")));
    let layers = [
        draft(LayerName::Tools, conversation::tools(input.family)),
        draft(LayerName::System, vec![input.family.system().trim_end().to_owned()]),
        draft(LayerName::Project, project),
        draft(LayerName::Language, conventions::block(input.language).into_iter().collect()),
    ];
    layers.into_iter().flatten().collect()
}

/// What of it every request of the family begins with.
fn common(heads: &[Draft]) -> u64 {
    heads.iter().filter(|head| head.name <= LayerName::System).map(Draft::tokens).sum()
}

fn instruction(input: &Input<'_>, is_whole: bool) -> Result<Vec<Block>, Error> {
    let blocks = instruction::blocks(input, is_whole)?;
    Ok(blocks.into_iter().map(|block| Block::new(block, input.model)).collect())
}

/// The whole document as it is now.
fn current(input: &Input<'_>, document_tokens: u64) -> Candidate {
    let text: Arc<str> = document::whole(input).into();
    let around = text.len() - input.text.len();
    let block = Block::counted(text, document_tokens + (around as u64).div_ceil(3));
    let key = match input.settings.cache.layout {
        // What is named by its lines has to be sent as it is, so that its entry ends with the next edit.
        CacheLayout::Snapshot if !is_most_of(input.text, &input.selection) => Key::Document(input.document.to_owned()),
        CacheLayout::Snapshot | CacheLayout::Plain | CacheLayout::Off => Key::Text(block.digest()),
    };
    let key = in_family(key, input.family);
    let base = Arc::new(Base::new(input.text.into(), input.language));
    let layers = vec![Draft { name: LayerName::Document, blocks: vec![block.clone()] }];
    Candidate { layers, sent: Sent { base, block, stated: Vec::new(), shown: None }, aside: None, key }
}

/// Whether less than half of what would be stated still holds.
fn is_mostly_stale(stated: &[Stated], new: &[Statement]) -> bool {
    let all: Vec<Statement> = stated.iter().flat_map(|stated| stated.statements.clone()).chain(new.to_vec()).collect();
    let size = |statements: &mut dyn Iterator<Item = &Statement>| -> usize { statements.map(|it| it.text.len()).sum() };
    let total = size(&mut all.iter());
    let holding = changes::holding(&all);
    2 * size(&mut holding.into_iter()) < total
}

/// The document to remember: only what is in the cache can be read from it.
fn remembered(drafts: &[Draft], layout: &Layout, mut sent: Sent) -> Option<Sent> {
    let document = drafts.iter().position(|draft| draft.name == LayerName::Document)?;
    if layout.cached <= document {
        return None;
    }
    let cached = drafts[..layout.cached].iter().filter(|draft| draft.name == LayerName::Changes);
    let blocks: usize = cached.map(|draft| draft.blocks.len()).sum();
    sent.stated.truncate(blocks);
    Some(sent)
}

/// What shares the prefix up to the end of a layer; `None` for the document's own.
fn shared_by(draft: &Draft, input: &Input<'_>) -> Option<Key> {
    let key = match draft.name {
        LayerName::Tools | LayerName::System => Some(Key::Any),
        LayerName::Project => Some(Key::Project(draft.blocks.iter().map(Block::digest).collect())),
        LayerName::Language => Some(Key::Language(input.language.id)),
        LayerName::Document | LayerName::Changes | LayerName::Conversation | LayerName::Instruction => None,
    };
    key.map(|key| in_family(key, input.family))
}

/// What shares a prefix in the other family has another prefix in this one.
fn in_family(key: Key, family: Family) -> Key {
    let with_tools = |name: &str| format!("{name} with tools");
    match (family, key) {
        (Family::Document, key) => key,
        (Family::Conversation, key) => match key {
            Key::Any | Key::Conversation => Key::Conversation,
            Key::Project(name) => Key::Project(with_tools(&name)),
            Key::Language(name) => Key::Project(with_tools(name)),
            Key::Document(name) => Key::Document(with_tools(&name)),
            Key::Text(name) => Key::Text(with_tools(&name)),
            Key::Talk(name) => Key::Talk(name),
        },
    }
}

fn keys(heads: &[Draft], input: &Input<'_>, document: Key) -> Vec<Key> {
    heads.iter().filter_map(|head| shared_by(head, input)).chain([document]).collect()
}

fn lives(wanted: CacheTtl) -> &'static [Ttl] {
    match wanted {
        CacheTtl::Auto => &[Ttl::FiveMinutes, Ttl::OneHour],
        CacheTtl::FiveMinutes => &[Ttl::FiveMinutes],
        CacheTtl::OneHour => &[Ttl::OneHour],
    }
}

/// So many bytes are compared at once.
const CHUNK: usize = 256;

/// The bytes of the whole chunks that two texts begin with.
fn equal<'a>(a: impl Iterator<Item = &'a [u8]>, b: impl Iterator<Item = &'a [u8]>) -> usize {
    CHUNK * a.zip(b).take_while(|(a, b)| a.len() == CHUNK && a == b).count()
}

/// Where two texts differ: all but what both begin and end with, in whole lines.
fn differing(old: &str, new: &str) -> (Span, Span) {
    let (a, b) = (old.as_bytes(), new.as_bytes());
    let front = equal(a.chunks(CHUNK), b.chunks(CHUNK));
    let front = front + a[front..].iter().zip(&b[front..]).take_while(|(a, b)| a == b).count();
    let (c, d) = (&a[front..], &b[front..]);
    let back = equal(c.rchunks(CHUNK), d.rchunks(CHUNK));
    let (c, d) = (&c[..c.len() - back], &d[..d.len() - back]);
    let back = back + c.iter().rev().zip(d.iter().rev()).take_while(|(a, b)| a == b).count();
    let front = a[..front].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let tail = &a[a.len() - back..];
    let back = tail.iter().position(|byte| *byte == b'\n').map_or(0, |at| back - at - 1);
    (front..a.len() - back, front..b.len() - back)
}

fn tokens(blocks: &[Block]) -> u64 {
    blocks.iter().map(|block| block.tokens).sum()
}

#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
fn amount(tokens: u64) -> f64 {
    tokens as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_two_texts_have_in_common_is_left_out(
            front in "[ab\n]{0,600}", old in "[cdé\n]{0,20}", new in "[cdé\n]{0,20}", back in "[ab\n]{0,600}"
        ) {
            let (old, new) = (format!("{front}{old}{back}"), format!("{front}{new}{back}"));
            let (was, is) = differing(&old, &new);
            prop_assert_eq!(&old[..was.start], &new[..is.start]);
            prop_assert_eq!(&old[was.end..], &new[is.end..]);
            prop_assert!(was.start == 0 || old[..was.start].ends_with('\n'));
        }
    }
}
