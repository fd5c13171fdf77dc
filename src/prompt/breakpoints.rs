//! Where the prompt is cut for the cache, and for how long each piece is kept.

use super::{Draft, LayerName};
use crate::claude::models::Model;
use crate::claude::types::Ttl;
use crate::config::{CacheLayout, CacheTtl, Settings};

/// The API refuses a fifth.
pub(super) const MOST: usize = 4;

/// For each layer, the life of the entry that ends with it; `None` where none does.
///
/// Every layer but the last is shared: the system prompt by all requests, the rules by those of a project, the conventions
/// by those of a language, the document by all actions on it. A breakpoint writes an entry that other requests can read up
/// to there, and costs nothing in itself: what is written is paid once, up to the last breakpoint. Below the model's minimum
/// an entry is silently not made, so there the first breakpoint moves behind the next layer.
pub(super) fn choose(
    drafts: &[Draft],
    settings: &Settings,
    model: &Model,
    notes: &mut Vec<String>,
) -> Vec<Option<Ttl>> {
    let mut chosen = vec![None; drafts.len()];
    if settings.cache.layout == CacheLayout::Off {
        return chosen;
    }
    let mut prefix = 0;
    for (draft, breakpoint) in drafts.iter().zip(&mut chosen) {
        prefix += draft.tokens;
        if draft.name < LayerName::Instruction && prefix >= model.cache_minimum {
            *breakpoint = Some(ttl(settings.cache.ttl));
        }
        if draft.name == LayerName::Document && prefix < model.cache_minimum {
            notes.push(format!(
                "Too short to be cached: about {prefix} tokens are shared with other actions, and {} caches from {} on.",
                model.id, model.cache_minimum
            ));
        }
    }
    // Of too many the first go: the shorter a prefix, the less reading it saves over reading a longer one.
    let surplus = chosen.iter().flatten().count().saturating_sub(MOST);
    chosen.iter_mut().filter(|breakpoint| breakpoint.is_some()).take(surplus).for_each(|breakpoint| *breakpoint = None);
    chosen
}

/// How long entries are kept. One life for all layers, so an entry of an hour never comes behind one of five minutes, which
/// the API refuses.
///
/// By the prices of all models, writing for five minutes costs 1.25 of the input price, for an hour 2, and a read at most
/// 0.1, which also renews the entry. So an hour costs 0.75 more at the start, and saves at least 1.15 for every pause of
/// between five minutes and an hour. For `auto` that is worth it from the first such pause on and a loss without one; as
/// nothing here observes pauses, `auto` takes the choice that can lose least, and that every gateway knows.
fn ttl(wanted: CacheTtl) -> Ttl {
    match wanted {
        CacheTtl::Auto | CacheTtl::FiveMinutes => Ttl::FiveMinutes,
        CacheTtl::OneHour => Ttl::OneHour,
    }
}
