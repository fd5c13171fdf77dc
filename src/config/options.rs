//! What one layer may say: every value optional, one type for TOML (`snake_case`) and an editor's JSON (`camelCase`).
//!
//! The doc comments are the reference text: schema, reference page and `aside config init` are made from them.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::BaseUrl;
use super::settings::{CacheLayout, CacheTtl, Confirm, HoverMode, ServiceTier};
use super::values::{ApiVersion, Argv, Dollars, Glob, HostName, ModelId, Share, StopSequence, UserId, Whole};
use crate::claude::types::Effort;

/// Tokens of an answer.
pub(super) type OutputTokens = Whole<1, 1_000_000>;

/// Tokens to think with; 0 asks for none.
pub(super) type ThinkingTokens = Whole<0, 1_000_000>;

/// Aside's configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The model that actions use.
    pub model: Option<ModelId>,
    /// A small model, only for hover in `ask` mode and for image texts.
    pub fast_model: Option<ModelId>,
    /// The model that is asked when another declines to answer. When not set, the refusal is shown.
    pub fallback_model: Option<ModelId>,
    /// The most tokens one answer may take. Thinking that cannot be switched off counts too, so a small number cuts
    /// answers off.
    pub max_output_tokens: Option<OutputTokens>,
    /// How many requests may run at once; more actions than that wait for their turn.
    pub max_running: Option<Whole<1, 256>>,
    /// Actions to show above each function, by their names, such as `["explain", "write-tests"]`; in editors that have
    /// code lenses.
    pub code_lens: Option<Vec<String>>,
    /// The Messages API. Only the user file, the environment and flags may set these: whoever sets the address is sent
    /// your code and your key.
    pub api: ApiOptions,
    /// Prompt caching, which makes the second action on a file cost a fraction of the first.
    pub cache: CacheOptions,
    /// What a prompt has beside the document.
    pub context: ContextOptions,
    /// Extended thinking.
    pub thinking: ThinkingOptions,
    /// Parameters of the API for those who know that they want them. Each is sent only where the model and `api.version`
    /// take it; what is left out is said once.
    pub parameters: ParameterOptions,
    /// Explanations on hover.
    pub hover: HoverOptions,
    /// How answers reach the text.
    pub edits: EditsOptions,
    /// What never leaves this machine. A workspace file or an editor may only make these stricter.
    pub privacy: PrivacyOptions,
    /// Limits on spending. Only the user file, the environment and flags may set these.
    pub budget: BudgetOptions,
    /// Settings of single actions, by the action's name.
    pub actions: BTreeMap<String, ActionOptions>,
    /// Prices of your own, by the model's id (in quotes if it has a dot), in US dollars per million tokens: for a model
    /// that Aside does not know, or a contract. What is left out is what Aside knows; while a price is not known, neither
    /// is what a request cost. Only the user file, the environment and flags may set these: what budgets are compared
    /// with is computed from them.
    pub prices: BTreeMap<String, PriceOptions>,
}

/// `api.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ApiOptions {
    /// The address of the Messages API or of a gateway; a path prefix is kept. `http://` only to this machine, and to
    /// those that `api.http_hosts` names. `ANTHROPIC_BASE_URL` sets it too.
    pub base_url: Option<BaseUrl>,
    /// Names or addresses of other machines that code and key may be sent to over `http://`, so that anybody on the way can
    /// read both.
    pub http_hosts: Option<Vec<HostName>>,
    /// The API version asked for, sent as `anthropic-version`.
    pub version: Option<ApiVersion>,
    /// A program and its arguments, run without a shell, that prints the API key. It has 10 seconds. Used when neither
    /// `ANTHROPIC_API_KEY` nor `ANTHROPIC_AUTH_TOKEN` is set.
    pub key_command: Option<Argv>,
    /// Seconds to wait for the beginning of an answer. Between two parts of an answer half as long is waited.
    pub timeout_secs: Option<Whole<1, 3600>>,
    /// How often a request that failed for a passing reason is sent again.
    pub max_retries: Option<Whole<0, 20>>,
}

/// `cache.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CacheOptions {
    /// How long a cached prompt lives. One hour costs more to write and survives a coffee.
    pub ttl: Option<CacheTtl>,
    /// How the document is laid out in the prompt.
    pub layout: Option<CacheLayout>,
    /// Write the prompt to the cache before it is needed: when a workspace's first document is opened, the part that all
    /// actions share (Aside's own, the rules, the language's conventions), and when several actions wait for the same cold
    /// prefix, that prefix. Costs one cache write, whether or not an action follows.
    pub prewarm: Option<bool>,
    /// Ask the API itself why a prompt was not read from the cache. Gateways may not know the question; then it is left out
    /// and said once.
    pub diagnostics: Option<bool>,
}

/// `context.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ContextOptions {
    /// The most tokens of a prompt that go to what surrounds the selection: definitions from other files that it uses,
    /// its callers, a test as an example of the style, diagnostics. Each action has a number of its own (1,000 to 4,000)
    /// when not set; 0 leaves them all out.
    pub max_tokens: Option<Whole<0, 50_000>>,
}

/// `thinking.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ThinkingOptions {
    /// How much effort the model puts into an answer; the model's own default when not set.
    #[cfg_attr(test, schemars(schema_with = "effort"))]
    pub effort: Option<Effort>,
    /// Tokens to think with, for models that take a budget instead of an effort; at least 1,024 of them. 0 asks any model
    /// not to think, where it can do without.
    pub budget_tokens: Option<ThinkingTokens>,
    /// Have the API sum up what the model thought, and put that behind the explanation. It costs no more tokens; the answer
    /// may begin a little later.
    pub show: Option<bool>,
}

/// `parameters.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ParameterOptions {
    /// How much chance there is in the choice of words, from 0 to 1. Claude models since Opus 4.7 do not take it, and none
    /// does under version 2026-10-21.
    pub temperature: Option<Share>,
    /// Choose only among the likeliest words that together have this probability; as `temperature`.
    pub top_p: Option<Share>,
    /// Choose only among so many of the likeliest words; as `temperature`.
    pub top_k: Option<Whole<1, 1_000_000>>,
    /// Texts that end an answer where they appear in it. An edit that is cut by one does not have its form, and is not
    /// applied.
    pub stop_sequences: Option<Vec<StopSequence>>,
    /// An opaque id of yours, sent as `metadata.user_id`: your provider can tell users of one key apart by it. No name, no
    /// address. Only the user file, the environment and flags may set it.
    pub user_id: Option<UserId>,
    /// Which capacity may serve requests. Only the user file, the environment and flags may set it, as it may cost more.
    pub service_tier: Option<ServiceTier>,
}

/// `hover.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HoverOptions {
    /// What hovering over code shows.
    pub mode: Option<HoverMode>,
}

/// `edits.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct EditsOptions {
    /// Whether an edit is shown before it is made.
    pub confirm: Option<Confirm>,
    /// Send edits to an editor that does not announce that it applies them, for plugins that do all the same.
    pub assume_apply: Option<bool>,
}

/// `privacy.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PrivacyOptions {
    /// Patterns (globs) of files that are never sent. Those of a workspace file and of the editor are added to your own.
    pub exclude: Option<Vec<Glob>>,
    /// Patterns (globs) of files that may be sent although their names are those of files with secrets, or `exclude` or
    /// `.aside/ignore` names them: `.env.example`. Only the user file, the environment and flags may set this.
    pub include: Option<Vec<Glob>>,
    /// Replace what looks like a password, key or token before anything is sent.
    pub redact: Option<bool>,
}

/// `budget.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct BudgetOptions {
    /// The most to spend in a day of your local time, in US dollars. Looked at before a request is sent: what was spent,
    /// what running requests of all editors may take, and what this one is expected to take must fit. The answer is
    /// expected to be as long as nine of ten of the action's last 20, or before there are any a quarter of
    /// `max_output_tokens`. A model whose price is not known is not held back. Simulated requests are held against simulated
    /// spending only.
    pub daily_usd: Option<Dollars>,
    /// The most to spend in a calendar month of your local time, in US dollars; otherwise as `daily_usd`.
    pub monthly_usd: Option<Dollars>,
}

/// `actions.NAME.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ActionOptions {
    /// The model for this action alone. Caches are per model, so this action then pays for its own.
    pub model: Option<ModelId>,
    /// Whether the action is offered.
    pub enabled: Option<bool>,
    /// The most tokens an answer of this action may take.
    pub max_output_tokens: Option<OutputTokens>,
    /// Effort for this action alone. A change of effort loses the cached prompt, so this action then pays for its own.
    #[cfg_attr(test, schemars(schema_with = "effort"))]
    pub effort: Option<Effort>,
    /// `thinking.budget_tokens` for this action alone; otherwise as `effort`.
    pub budget_tokens: Option<ThinkingTokens>,
    /// `parameters.temperature` for this action alone.
    pub temperature: Option<Share>,
}

/// `prices.NAME.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PriceOptions {
    /// Input that is neither read from the cache nor written to it.
    pub input: Option<Dollars>,
    /// Output, thinking included.
    pub output: Option<Dollars>,
    /// Input that is written to the cache for five minutes.
    pub cache_write_5m: Option<Dollars>,
    /// Input that is written to the cache for an hour.
    pub cache_write_1h: Option<Dollars>,
    /// Input that is read from the cache.
    pub cache_read: Option<Dollars>,
    /// Prices of long prompts, which hold for all tokens of such a request.
    pub long: LongPriceOptions,
}

/// `prices.NAME.long.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LongPriceOptions {
    /// A prompt is long above this many tokens of input, cached or not. Then these prices hold for all tokens of the
    /// request, and each that is left out is what Aside knows of the model's long prompts.
    pub over_tokens: Option<Whole<1, 1_000_000_000>>,
    /// As `input`, for long prompts.
    pub input: Option<Dollars>,
    /// As `output`, for long prompts.
    pub output: Option<Dollars>,
    /// As `cache_write_5m`, for long prompts.
    pub cache_write_5m: Option<Dollars>,
    /// As `cache_write_1h`, for long prompts.
    pub cache_write_1h: Option<Dollars>,
    /// As `cache_read`, for long prompts.
    pub cache_read: Option<Dollars>,
}

/// The wire's type has no schema of its own; a test keeps this list complete.
#[cfg(test)]
fn effort(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["low", "medium", "high", "xhigh", "max"] })
}
