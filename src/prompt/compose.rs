//! From blocks to a request.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::warmth::PrefixKey;
use super::{Family, Input, Layer, LayerName, Scale, estimate_tokens};
use crate::claude::models::{self, Model};
use crate::claude::params::params;
use crate::claude::types::{CacheControl, ContentBlock, MessageRequest, Metadata, SystemBlock, Ttl};
use crate::error::{Error, ErrorKind};
use crate::hash::hex;

/// What a model that does not say takes in, in tokens: the least any model of the last years takes.
const COMMON_CONTEXT: u64 = 200_000;

/// The API refuses a fifth breakpoint.
const MOST_BREAKPOINTS: usize = 4;

/// A conversation has two of them at its own end: where it ends, and where it ended the time before.
const MOST_BEFORE_CONVERSATION: usize = 2;

/// A block of the prompt. Copies share the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    pub(super) text: Arc<str>,
    /// By the estimate alone: what experience corrects is no part of what was sent.
    pub(super) tokens: u64,
    digest: [u8; 32],
}

impl Block {
    pub(super) fn new(text: impl Into<Arc<str>>, model: &Model) -> Self {
        let text = text.into();
        let tokens = estimate_tokens(&text, model);
        Self::counted(text, tokens)
    }

    /// A block whose tokens are known already.
    pub(super) fn counted(text: Arc<str>, tokens: u64) -> Self {
        Self { digest: Sha256::digest(text.as_bytes()).into(), text, tokens }
    }

    /// The text's SHA-256 in hexadecimal.
    pub(super) fn digest(&self) -> String {
        hex(&self.digest)
    }
}

/// A layer before breakpoints are chosen.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) name: LayerName,
    pub(super) blocks: Vec<Block>,
}

impl Draft {
    pub(super) fn tokens(&self) -> u64 {
        self.blocks.iter().map(|block| block.tokens).sum()
    }

    /// The prefix that has this layer, too.
    pub(super) fn behind(&self, prefix: PrefixKey) -> PrefixKey {
        self.blocks.iter().fold(prefix, |prefix, block| prefix.and(block.digest))
    }
}

/// The request without its prompt, and what of the user's wishes the model does not take.
pub(super) fn request(input: &Input<'_>) -> (MessageRequest, Vec<String>) {
    let settings = input.settings;
    let max_tokens = max_tokens(input);
    let mut request = MessageRequest {
        model: model_id(input),
        max_tokens: Some(max_tokens),
        stream: true,
        stop_sequences: settings.parameters.stop_sequences.clone(),
        metadata: settings.parameters.user_id.clone().map(|id| Metadata { user_id: Some(id) }),
        service_tier: settings.parameters.service_tier.map(|tier| tier.as_str().to_owned()),
        ..MessageRequest::default()
    };
    let wishes = settings.wishes_for(&input.action.id);
    let params = params(input.model, &settings.api.version, max_tokens, &wishes);
    params.apply(&mut request);
    (request, params.notes)
}

/// The model's id as the user wrote it, which may name a dated version of the same model.
fn model_id(input: &Input<'_>) -> String {
    let settings = input.settings;
    let written = [settings.model_for(&input.action.id), &settings.fast_model];
    let mut written = written.into_iter().chain(settings.fallback_model.as_deref());
    let same = written.find(|written| models::lookup(written).id == input.model.id);
    same.unwrap_or(&input.model.id).to_owned()
}

fn max_tokens(input: &Input<'_>) -> u32 {
    let wanted = input.settings.max_output_tokens_for(&input.action.id);
    input.model.max_output_tokens.and_then(|most| u32::try_from(most).ok()).map_or(wanted, |most| wanted.min(most))
}

/// How many tokens of input there may be, so that the answer fits too.
pub(super) fn input_limit(input: &Input<'_>) -> u64 {
    input.model.max_input_tokens.unwrap_or(COMMON_CONTEXT).saturating_sub(u64::from(max_tokens(input)))
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

/// The empty prefix of the request: what splits the cache is another server, another model, other thinking or effort.
pub(super) fn root(input: &Input<'_>, request: &MessageRequest) -> PrefixKey {
    let MessageRequest { thinking, output_config, .. } = request;
    PrefixKey::root(&format!(
        "{} {} {:?} {thinking:?} {output_config:?}",
        input.settings.api.base_url, input.model.id, input.family
    ))
}

/// Where breakpoints are, given the lives that are wanted: at the end of the cached part and of the part for an hour, as
/// these decide what is paid; then where prefixes of other requests may end, the longest first. One that is too short would
/// write nothing.
pub(super) fn breakpoints(
    family: Family,
    drafts: &[Draft],
    lives: &[Option<Ttl>],
    minimum: u64,
    scale: Scale,
) -> Vec<Option<Ttl>> {
    let most = match family {
        Family::Document => MOST_BREAKPOINTS,
        Family::Conversation => MOST_BEFORE_CONVERSATION,
    };
    let mut before = 0;
    let possible: Vec<bool> = drafts
        .iter()
        .zip(lives)
        .map(|(draft, life)| {
            before += draft.tokens();
            life.is_some() && draft.name != LayerName::Tools && scale.of(before) >= minimum
        })
        .collect();
    let last = lives.iter().rposition(Option::is_some);
    let hour = lives.iter().rposition(|life| *life == Some(Ttl::OneHour));
    let mut chosen: Vec<usize> = Vec::with_capacity(most);
    let others = (0..drafts.len()).rev().filter(|index| {
        // Of two layers of one name the later one finds what the earlier one wrote by looking back.
        drafts.get(index + 1).is_none_or(|next| next.name != drafts[*index].name)
    });
    for index in last.into_iter().chain(hour).chain(others) {
        if possible[index] && !chosen.contains(&index) && chosen.len() < most {
            chosen.push(index);
        }
    }
    (0..drafts.len()).map(|index| lives[index].filter(|_| chosen.contains(&index))).collect()
}

/// The layers of drafts with these breakpoints.
pub(super) fn layers(drafts: &[Draft], breakpoints: &[Option<Ttl>], root: PrefixKey, scale: Scale) -> Vec<Layer> {
    let mut prefix = root;
    let layer = |(draft, breakpoint): (&Draft, &Option<Ttl>)| {
        let mut hash = Sha256::new();
        for block in &draft.blocks {
            hash.update(block.digest);
        }
        prefix = draft.behind(prefix);
        Layer {
            name: draft.name,
            estimated_tokens: scale.of(draft.tokens()),
            blocks: draft.blocks.len(),
            breakpoint: *breakpoint,
            hash: hex(&hash.finalize()),
            prefix,
        }
    };
    drafts.iter().zip(breakpoints).map(layer).collect()
}

/// The blocks of the system prompt and of the message, with a breakpoint at the end of each layer that has one. The tools
/// are part of the request already.
pub(super) fn assemble(drafts: &[Draft], breakpoints: &[Option<Ttl>]) -> (Vec<SystemBlock>, Vec<ContentBlock>) {
    let (mut system, mut content) = (Vec::new(), Vec::new());
    for (draft, breakpoint) in drafts.iter().zip(breakpoints) {
        let last = draft.blocks.len().saturating_sub(1);
        for (index, block) in draft.blocks.iter().enumerate() {
            let cache_control = breakpoint.filter(|_| index == last).map(CacheControl::new);
            let text = block.text.to_string();
            if draft.name == LayerName::Tools {
                continue;
            }
            if draft.name == LayerName::System {
                system.push(SystemBlock::Text { text, cache_control });
            } else {
                content.push(ContentBlock::Text { text, cache_control });
            }
        }
    }
    (system, content)
}
