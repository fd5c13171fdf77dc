//! What is known of each model: prices, cache minimum, and what a request may ask of it.
//!
//! The facts are data (`models.toml`, with their source and date). What they mean for a request is in
//! [`params`](super::params), what they mean for money in [`usage`](super::usage).

use std::{borrow::Cow, sync::LazyLock};

use serde::{Deserialize, Serialize};

use super::types::{Effort, ModelInfo};

/// A model and its rules.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The id without a date, such as `claude-sonnet-5-5`; of a model that is not in the table, the id as asked for.
    pub id: String,
    /// Other ids of the same model; a date suffix needs no alias.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Whether requests work.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// The day on which requests begin to fail, `YYYY-MM-DD`.
    #[serde(default)]
    pub retires: Option<String>,
    /// The model to move to.
    #[serde(default)]
    pub successor: Option<String>,
    /// `None` when not known, which is never the same as free.
    #[serde(default)]
    pub prices: Option<Prices>,
    /// Other prices for long prompts.
    #[serde(default)]
    pub long_prompt: Option<LongPrompt>,
    /// A shorter prefix (in tokens) is silently not cached.
    pub cache_minimum: u64,
    /// The most tokens of a prompt, when known.
    #[serde(default)]
    pub max_input_tokens: Option<u64>,
    /// The most tokens of an answer, when known.
    #[serde(default)]
    pub max_output_tokens: Option<u64>,
    /// How the model thinks.
    pub thinking: ThinkingRule,
    /// Whether it takes `temperature`, `top_p` and `top_k`.
    pub sampling: Sampling,
    /// Whether it takes a `tool_choice` of `any` or `tool`.
    pub forced_tools: ForcedTools,
    /// The tokenizer of 4.7 and later gives about 30 % more tokens for the same text.
    #[serde(default)]
    pub dense_tokenizer: bool,
}

/// Where a model is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Served.
    #[default]
    Active,
    /// Served until [`Model::retires`].
    Deprecated,
    /// Requests fail.
    Retired,
}

/// Prices in $ per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 5]", into = "[f64; 5]")]
pub struct Prices {
    /// Plain input.
    pub input: f64,
    /// Output, thinking included.
    pub output: f64,
    /// Input that is written to the cache for five minutes.
    pub cache_write_5m: f64,
    /// Input that is written to the cache for an hour.
    pub cache_write_1h: f64,
    /// Input that is read from the cache.
    pub cache_read: f64,
}

impl From<[f64; 5]> for Prices {
    fn from([input, output, short_write, long_write, cache_read]: [f64; 5]) -> Self {
        Self { input, output, cache_write_5m: short_write, cache_write_1h: long_write, cache_read }
    }
}

impl From<Prices> for [f64; 5] {
    fn from(prices: Prices) -> Self {
        [prices.input, prices.output, prices.cache_write_5m, prices.cache_write_1h, prices.cache_read]
    }
}

/// Prices of long prompts, for **all** tokens of the request.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongPrompt {
    /// They begin above this many tokens of input, cached or not.
    pub over_tokens: u64,
    /// The prices; `None` when not known.
    #[serde(default)]
    pub prices: Option<Prices>,
}

/// Which forms of `thinking` a model takes, and what it does without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the API lists these forms as independent flags, too")]
pub struct ThinkingRule {
    /// `{type: adaptive}`.
    #[serde(default)]
    pub adaptive: bool,
    /// `{type: enabled, budget_tokens}`.
    #[serde(default)]
    pub enabled: bool,
    /// `{type: between_tools}`.
    #[serde(default)]
    pub between_tools: bool,
    /// `output_config.effort`.
    #[serde(default)]
    pub effort: bool,
    /// The effort that is meant when none is given, where known.
    #[serde(default)]
    pub default_effort: Option<Effort>,
    /// Whether the level `xhigh` is taken, too.
    #[serde(default)]
    pub xhigh: bool,
    /// Without `thinking` in the request.
    pub default: ThinkingDefault,
    /// `{type: disabled}`.
    #[serde(default)]
    pub can_disable: bool,
}

/// What a model does when `thinking` is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThinkingDefault {
    /// It thinks.
    On,
    /// It answers at once.
    Off,
}

/// Whether a model takes `temperature`, `top_p` and `top_k`. From `anthropic-version: 2026-10-21` on nothing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// A 400.
    Never,
    /// Under `2023-06-01`.
    OldVersionOnly,
    /// In all its life, which ended before the newer version came.
    Always,
}

/// Whether a model takes a forced `tool_choice`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForcedTools {
    /// A 400.
    Never,
    /// A 400 together with enabled thinking.
    NotWithThinking,
    /// Yes.
    Always,
}

/// All models of the table, retired ones too.
pub fn all() -> &'static [Model] {
    &TABLE.models
}

/// The day the table was last compared with its source, `YYYY-MM-DD`.
pub fn date() -> &'static str {
    &TABLE.date
}

/// Where the table's facts come from.
pub fn source() -> &'static str {
    &TABLE.source
}

/// The model of this id, which may be an alias, and may end in a date (`-20250514`) or `-latest`.
pub fn find(id: &str) -> Option<&'static Model> {
    let bare = without_date(id);
    all().iter().find(|model| model.id == bare || model.aliases.iter().any(|alias| alias == bare))
}

/// The model of this id, or for an id that is not in the table what is safe with any model: nothing optional is sent,
/// prices are unknown, the cache minimum is the largest there is, and texts are taken to have many tokens.
pub fn lookup(id: &str) -> Cow<'static, Model> {
    match find(id) {
        Some(model) => Cow::Borrowed(model),
        None => Cow::Owned(Model::unknown(id)),
    }
}

/// The ids of served models that look most like `id`, the most similar first; at most three.
pub fn nearest(id: &str) -> Vec<&'static str> {
    let bare = without_date(id).to_ascii_lowercase();
    let mut scored: Vec<(f64, &'static str)> = all()
        .iter()
        .filter(|model| model.lifecycle != Lifecycle::Retired)
        .map(|model| (similarity(&bare, &model.id), model.id.as_str()))
        .filter(|(score, _)| *score >= 0.6)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, id)| id).collect()
}

impl Model {
    /// A model that is not in the table.
    fn unknown(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            aliases: Vec::new(),
            lifecycle: Lifecycle::Active,
            retires: None,
            successor: None,
            prices: None,
            long_prompt: None,
            cache_minimum: all().iter().map(|model| model.cache_minimum).max().unwrap_or(0),
            max_input_tokens: None,
            max_output_tokens: None,
            thinking: ThinkingRule {
                adaptive: false,
                enabled: false,
                between_tools: false,
                effort: false,
                default_effort: None,
                xhigh: false,
                default: ThinkingDefault::Off,
                can_disable: false,
            },
            // Anthropic's newer models refuse it; what is not Anthropic's takes it in general.
            sampling: if is_claude(id) { Sampling::Never } else { Sampling::OldVersionOnly },
            forced_tools: ForcedTools::Never,
            dense_tokenizer: true,
        }
    }

    /// Whether the table has the model.
    pub fn is_known(&self) -> bool {
        find(&self.id).is_some()
    }

    /// The prices of a request with so many tokens of input in all (plain, written and read); `None` when not known.
    pub fn prices_for(&self, total_input_tokens: u64) -> Option<Prices> {
        match self.long_prompt {
            Some(long) if total_input_tokens > long.over_tokens => long.prices,
            _ => self.prices,
        }
    }

    /// Whether requests fail on `day`: a deprecated model is gone from its last day on, even before the table says so.
    pub fn is_retired(&self, day: jiff::civil::Date) -> bool {
        self.lifecycle == Lifecycle::Retired
            || self.retires.as_deref().and_then(|end| end.parse().ok()).is_some_and(|end: jiff::civil::Date| day >= end)
    }

    /// The same model with what the server itself says about it; prices and cache minimum are not among that.
    ///
    /// `capabilities` is read leniently: each flag is either `{supported: bool}` or a bare bool, and what is missing
    /// leaves the table's word.
    #[must_use]
    pub fn with_info(mut self, info: &ModelInfo) -> Self {
        self.max_input_tokens = info.max_input_tokens.or(self.max_input_tokens);
        self.max_output_tokens = info.max_tokens.or(self.max_output_tokens);
        match info.lifecycle.as_deref() {
            Some("active") => self.lifecycle = Lifecycle::Active,
            Some("deprecated") => self.lifecycle = Lifecycle::Deprecated,
            Some("retired") => self.lifecycle = Lifecycle::Retired,
            _ => {}
        }
        if let Some(day) = info.retires_at.as_deref().and_then(|time| time.get(..10)) {
            self.retires = Some(day.to_owned());
        }
        let flag = |path: &str| {
            let value = info.capabilities.as_ref()?.pointer(path)?;
            value.as_bool().or_else(|| value.get("supported")?.as_bool())
        };
        let rule = &mut self.thinking;
        for (path, field) in [
            ("/thinking/types/adaptive", &mut rule.adaptive),
            ("/thinking/types/enabled", &mut rule.enabled),
            ("/thinking/types/between_tools", &mut rule.between_tools),
            ("/thinking/types/disabled", &mut rule.can_disable),
            ("/effort", &mut rule.effort),
            ("/effort/xhigh", &mut rule.xhigh),
        ] {
            if let Some(value) = flag(path) {
                *field = value;
            }
        }
        self
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    source: String,
    date: String,
    #[serde(rename = "model")]
    models: Vec<Model>,
}

#[expect(clippy::expect_used, reason = "the file is part of the program, and a test parses it")]
static TABLE: LazyLock<Table> =
    LazyLock::new(|| crate::tables::read(include_str!("models.toml")).expect("models.toml"));

fn without_date(id: &str) -> &str {
    match id.rsplit_once('-') {
        Some((bare, "latest")) => bare,
        Some((bare, date)) if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        _ => id,
    }
}

/// Whether an id is one of Anthropic's, by any gateway's spelling.
fn is_claude(id: &str) -> bool {
    id.to_ascii_lowercase().contains("claude")
}

/// People leave out `claude-` and write versions with a dot; neither makes an id less similar.
fn similarity(asked: &str, id: &str) -> f64 {
    let plain = |id: &str| id.trim_start_matches("claude-").replace('.', "-");
    strsim::jaro(&plain(asked), &plain(id))
}

#[cfg(test)]
mod tests;
