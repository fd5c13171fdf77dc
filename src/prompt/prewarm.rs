//! The request that only writes to the cache.

use super::{LayerName, Plan};
use crate::claude::types::{ContentBlock, Message, Role, Thinking};

/// The part of a plan that other requests share, as a request that writes it to the cache and asks for nothing: up to the
/// project's and the language's part where that is long enough to be cached, or else up to the document, or `whole_document`
/// up to there in any case.
///
/// None where nothing is cached, and with thinking of the older form, which such a request may not have and without which
/// it would write another prefix.
pub fn prewarm(plan: &Plan, whole_document: bool) -> Option<Plan> {
    if matches!(plan.request.thinking, Some(Thinking::Enabled { .. })) {
        return None;
    }
    let last = |most: LayerName| plan.layers.iter().rposition(|layer| layer.breakpoint.is_some() && layer.name <= most);
    let last = if whole_document { None } else { last(LayerName::Language) }.or_else(|| last(LayerName::Document))?;
    let mut warming = plan.clone();
    warming.layers.truncate(last + 1);
    warming.estimated_input_tokens = warming.layers.iter().map(|layer| layer.estimated_tokens).sum();
    warming.notes.clear();
    warming.memo = plan.memo.of_warming(warming.layers[last].name >= LayerName::Document);
    let kept = |layer: &&super::Layer| layer.name > LayerName::System;
    let blocks: usize = warming.layers.iter().filter(kept).map(|layer| layer.blocks).sum();
    let request = &mut warming.request;
    request.max_tokens = Some(0);
    request.stream = false;
    let first = request.messages.first_mut()?;
    first.content.truncate(blocks);
    request.messages.truncate(1);
    if blocks == 0 {
        // The API wants a message; what it says is behind the prefix and nobody reads it.
        request.messages = vec![Message { role: Role::User, content: vec![ContentBlock::text("-")] }];
    }
    Some(warming)
}
