//! Where the requests of a batch are cut for the cache.
//!
//! They run at the same time and in any order, so none of them can know what another has written; that some find it is all
//! that can be said. A prefix is marked when it pays even if only [`READ`] of those that could read it do.

use std::collections::{HashMap, HashSet};

use crate::claude::models::Model;
use crate::claude::types::{CacheControl, ContentBlock, MessageRequest, SystemBlock, Ttl};
use crate::claude::usage::{Tokens, cost};
use crate::config::{CacheLayout, CacheTtl, Settings};
use crate::prompt::warmth::PrefixKey;
use crate::prompt::{LayerName, Plan};

/// Of the requests that share a prefix, this part is reckoned to find it in the cache. An assumption, on the careful side.
const READ: f64 = 2.0 / 3.0;

/// The API refuses a fifth breakpoint.
const MOST_BREAKPOINTS: usize = 4;

/// What of a request can be shared with others.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    layers: Vec<ShapeLayer>,
    /// About how many tokens there are behind these layers.
    rest: u64,
}

#[derive(Clone, Copy, Debug)]
struct ShapeLayer {
    prefix: PrefixKey,
    tokens: u64,
    blocks: usize,
    is_system: bool,
}

impl Shape {
    pub(super) fn new(plan: &Plan) -> Self {
        let shared = plan.layers.iter().filter(|layer| layer.name != LayerName::Instruction);
        let layers: Vec<ShapeLayer> = shared
            .map(|layer| ShapeLayer {
                prefix: layer.prefix,
                tokens: layer.estimated_tokens,
                blocks: layer.blocks,
                is_system: layer.name <= LayerName::System,
            })
            .collect();
        let known: u64 = layers.iter().map(|layer| layer.tokens).sum();
        Self { layers, rest: plan.estimated_input_tokens.saturating_sub(known) }
    }

    /// The same with so many tokens more at its end.
    pub(super) fn with(self, more: u64) -> Self {
        Self { rest: self.rest + more, ..self }
    }

    pub(super) fn tokens(&self) -> u64 {
        self.layers.iter().map(|layer| layer.tokens).sum::<u64>() + self.rest
    }
}

/// How often each prefix is there, and what that means.
#[derive(Debug)]
pub(super) struct Layout {
    uses: HashMap<PrefixKey, u32>,
    /// The life of what is written; none where the user wants no caching.
    ttl: Option<Ttl>,
    minimum: u64,
    /// From so many requests on a prefix is worth writing.
    enough: u32,
}

impl Layout {
    /// The layout of all requests of a batch together.
    pub(super) fn new(shapes: &[Shape], model: &Model, settings: &Settings) -> Self {
        let mut uses: HashMap<PrefixKey, u32> = HashMap::new();
        for layer in shapes.iter().flat_map(|shape| &shape.layers) {
            *uses.entry(layer.prefix).or_default() += 1;
        }
        let ttl = match (settings.cache.layout, settings.cache.ttl) {
            (CacheLayout::Off, _) => None,
            (_, CacheTtl::FiveMinutes) => Some(Ttl::FiveMinutes),
            // Nobody knows when the API gets to a request; an hour is the longer of two guesses.
            (_, CacheTtl::Auto | CacheTtl::OneHour) => Some(Ttl::OneHour),
        };
        Self { uses, ttl, minimum: model.cache_minimum, enough: enough(model, ttl) }
    }

    fn uses(&self, layer: &ShapeLayer) -> u32 {
        self.uses.get(&layer.prefix).copied().unwrap_or(1)
    }

    /// How many of a request's layers are cached.
    fn cached(&self, shape: &Shape) -> usize {
        if self.ttl.is_none() {
            return 0;
        }
        let shared = shape.layers.iter().take_while(|layer| self.uses(layer) >= self.enough).count();
        let tokens: u64 = shape.layers[..shared].iter().map(|layer| layer.tokens).sum();
        if tokens >= self.minimum { shared } else { 0 }
    }

    /// Marks a request for the cache: at the end of what is cached, and wherever others go another way.
    pub(super) fn mark(&self, shape: &Shape, request: &mut MessageRequest) {
        let cached = self.cached(shape);
        let Some(ttl) = self.ttl.filter(|_| cached > 0) else { return };
        let (mut before, mut chosen) = (0, Vec::new());
        for (index, layer) in shape.layers[..cached].iter().enumerate() {
            before += layer.tokens;
            let is_last = index + 1 == cached;
            let parts_here = !is_last && self.uses(layer) > self.uses(&shape.layers[index + 1]);
            if is_last || (parts_here && before >= self.minimum) {
                chosen.push(index);
            }
        }
        // The farthest ones save the most.
        let skipped = chosen.len().saturating_sub(MOST_BREAKPOINTS);
        let control = Some(CacheControl::new(ttl));
        for index in chosen.into_iter().skip(skipped) {
            let layer = &shape.layers[index];
            let of_kind = |other: &&ShapeLayer| other.is_system == layer.is_system;
            let blocks: usize = shape.layers[..=index].iter().filter(of_kind).map(|layer| layer.blocks).sum();
            let Some(last) = blocks.checked_sub(1) else { continue };
            if layer.is_system {
                if let Some(SystemBlock::Text { cache_control, .. }) = request.system.get_mut(last) {
                    *cache_control = control;
                }
            } else if let Some(ContentBlock::Text { cache_control, .. }) =
                request.messages.first_mut().and_then(|message| message.content.get_mut(last))
            {
                *cache_control = control;
            }
        }
    }

    /// What a request is expected to take, with `output` tokens of answer, when tokens are `scale` times the estimate.
    pub(super) fn expected(&self, shape: &Shape, scale: f64, output: u64) -> Tokens {
        let cached = self.cached(shape);
        let (mut written, mut read) = (0.0, 0.0);
        for layer in &shape.layers[..cached] {
            let uses = f64::from(self.uses(layer));
            let misses = (1.0 + (uses - 1.0) * (1.0 - READ)) / uses;
            written += amount(layer.tokens) * misses;
            read += amount(layer.tokens) * (1.0 - misses);
        }
        let (written, read) = (whole(written * scale), whole(read * scale));
        let input = whole(amount(shape.tokens()) * scale).saturating_sub(written + read);
        let mut tokens = Tokens { input, cache_read: read, output, ..Tokens::default() };
        match self.ttl {
            Some(Ttl::OneHour) => tokens.cache_write_1h = written,
            _ => tokens.cache_write_5m = written,
        }
        tokens
    }
}

/// From how many requests on a prefix is worth writing.
fn enough(model: &Model, ttl: Option<Ttl>) -> u32 {
    // The dearest usual prices where they are not known.
    let (write, read) = match (model.prices.filter(|prices| prices.input > 0.0), ttl) {
        (Some(prices), Some(Ttl::FiveMinutes)) => {
            (prices.cache_write_5m / prices.input, prices.cache_read / prices.input)
        }
        (Some(prices), _) => (prices.cache_write_1h / prices.input, prices.cache_read / prices.input),
        (None, Some(Ttl::FiveMinutes)) => (1.25, 0.1),
        (None, _) => (2.0, 0.1),
    };
    let follower = READ * read + (1.0 - READ) * write;
    (2..=64).find(|uses| write + f64::from(uses - 1) * follower < f64::from(*uses)).unwrap_or(u32::MAX)
}

/// What the same requests would cost one after the other, each reading what the one before has written.
pub(super) fn live_cost(layout: &Layout, shapes: &[Shape], model: &Model, scale: f64, output: u64) -> Option<f64> {
    let mut seen: HashSet<PrefixKey> = HashSet::new();
    let mut usd = 0.0;
    for shape in shapes {
        let mut tokens = Tokens { output, ..Tokens::default() };
        let (mut read, mut written, mut before) = (0, 0, 0);
        for layer in &shape.layers {
            before += layer.tokens;
            let shared = layout.ttl.is_some() && layout.uses(layer) > 1 && before >= layout.minimum;
            match (shared, seen.insert(layer.prefix)) {
                (true, false) => read = before,
                (true, true) => written = before,
                (false, _) => {}
            }
        }
        let scaled = |tokens: u64| whole(amount(tokens) * scale);
        tokens.cache_read = scaled(read);
        tokens.cache_write_5m = scaled(written.saturating_sub(read));
        tokens.input = scaled(shape.tokens()).saturating_sub(tokens.cache_read + tokens.cache_write_5m);
        usd += cost(model, &tokens, false)?.usd;
    }
    Some(usd)
}

#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
fn amount(tokens: u64) -> f64 {
    tokens as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "token counts are small and not negative")]
fn whole(tokens: f64) -> u64 {
    tokens.max(0.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claude::models;
    use crate::claude::types::{Message, Role};

    fn shape(layers: &[(&str, u64, bool)]) -> Shape {
        let mut prefix = PrefixKey::root("test");
        let layers = layers
            .iter()
            .map(|(name, tokens, is_system)| {
                prefix = prefix.and(name);
                ShapeLayer { prefix, tokens: *tokens, blocks: 1, is_system: *is_system }
            })
            .collect();
        Shape { layers, rest: 200 }
    }

    fn request() -> MessageRequest {
        let text = |text: &str| ContentBlock::Text { text: text.to_owned(), cache_control: None };
        MessageRequest {
            system: vec![SystemBlock::Text { text: "system".to_owned(), cache_control: None }],
            messages: vec![Message { role: Role::User, content: ["project", "document", "task"].map(text).into() }],
            ..MessageRequest::default()
        }
    }

    /// Which of system, project and document end with a breakpoint, in a batch of files with so many items each.
    fn marked(files: &[usize], settings: &Settings) -> Vec<Vec<bool>> {
        let shapes: Vec<Shape> = files
            .iter()
            .enumerate()
            .flat_map(|(file, items)| {
                let document = format!("file {file}");
                let one = shape(&[("system", 600, true), ("project", 300, false), (&document, 2000, false)]);
                vec![one; *items]
            })
            .collect();
        let model = models::find("claude-sonnet-5-5").unwrap();
        let layout = Layout::new(&shapes, model, settings);
        shapes
            .iter()
            .map(|shape| {
                let mut request = request();
                layout.mark(shape, &mut request);
                let SystemBlock::Text { cache_control, .. } = &request.system[0];
                let content = request.messages[0].content.iter().map(|block| match block {
                    ContentBlock::Text { cache_control, .. } => *cache_control,
                    _ => None,
                });
                let all: Vec<_> = std::iter::once(*cache_control).chain(content).collect();
                assert!(all.iter().flatten().all(|control| control.ttl() == Ttl::OneHour));
                all.iter().map(Option::is_some).collect()
            })
            .collect()
    }

    #[test]
    fn what_enough_requests_share_is_written() {
        let settings = Settings::default();
        assert_eq!(marked(&[1], &settings), [[false; 4]]);
        // Nobody else reads the documents, all read what is in front of them.
        assert_eq!(marked(&[1; 6], &settings)[0], [false, true, false, false]);
        assert_eq!(marked(&[8], &settings)[0], [false, false, true, false]);
        let both = marked(&[8, 2], &settings);
        assert_eq!((&both[0][..], &both[9][..]), (&[false, true, true, false][..], &[false, true, false, false][..]));
        let mut off = Settings::default();
        off.cache.layout = CacheLayout::Off;
        assert_eq!(marked(&[8], &off)[0], [false; 4]);
    }

    #[test]
    fn what_is_written_costs_less_than_what_is_not() {
        for id in ["claude-sonnet-5-5", "claude-haiku-4-5", "claude-opus-4-1"] {
            let model = models::find(id).unwrap();
            let mut off = Settings::default();
            off.cache.layout = CacheLayout::Off;
            for items in 1..40 {
                let shapes = vec![shape(&[("system", 6000, true), ("document", 3000, false)]); items];
                let usd = |settings: &Settings| -> f64 {
                    let layout = Layout::new(&shapes, model, settings);
                    shapes
                        .iter()
                        .filter_map(|it| cost(model, &layout.expected(it, 1.0, 100), true))
                        .map(|it| it.usd)
                        .sum()
                };
                assert!(usd(&Settings::default()) <= usd(&off) + 1e-9, "{id} {items}");
            }
        }
    }

    #[test]
    fn nothing_is_lost_in_an_estimate_and_live_costs_more_than_half() {
        let model = models::find("claude-sonnet-5-5").unwrap();
        let shapes = vec![shape(&[("system", 6000, true), ("document", 3000, false)]); 10];
        let layout = Layout::new(&shapes, model, &Settings::default());
        let expected = layout.expected(&shapes[0], 1.5, 70);
        assert_eq!((expected.total_input(), expected.output), (9200 * 3 / 2, 70));
        let live = live_cost(&layout, &shapes, model, 1.0, 0).unwrap();
        // The first writes 9,000 tokens, nine read them, all send 200.
        let by_hand = (9000.0 * 2.5 + 9.0 * 9000.0 * 0.10 + 10.0 * 200.0 * 2.0) / 1e6;
        assert!((live - by_hand).abs() < 1e-9, "{live} {by_hand}");
        assert_eq!(live_cost(&layout, &shapes, &models::lookup("llama-9"), 1.0, 0), None);
    }
}
