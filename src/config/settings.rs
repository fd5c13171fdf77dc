//! What holds: plain values, nothing missing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::options::{
    ActionOptions, ApiOptions, BudgetOptions, CacheOptions, EditsOptions, Options, ParameterOptions, PrivacyOptions,
    ThinkingOptions,
};
use super::prices::PriceSettings;
use super::values::{Argv, Dollars, Glob, Share};
use crate::claude::params::Wishes;
use crate::claude::types::Effort;

/// The resolved configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The model that actions use.
    pub model: String,
    /// The small model of hover `ask` and image texts.
    pub fast_model: String,
    /// The model that is asked when another declines.
    pub fallback_model: Option<String>,
    /// The most tokens of one answer, thinking included.
    pub max_output_tokens: u32,
    /// Requests at once.
    pub max_running: usize,
    /// The Messages API.
    pub api: Api,
    /// Prompt caching.
    pub cache: Cache,
    /// What a prompt has beside the document.
    pub context: ContextSettings,
    /// Extended thinking.
    pub thinking: ThinkingSettings,
    /// Parameters of the API that are left to it otherwise.
    pub parameters: Parameters,
    /// Hover.
    pub hover: Hover,
    /// The actions above each function.
    pub code_lens: Vec<String>,
    /// How answers reach the text.
    pub edits: Edits,
    /// What never leaves this machine.
    pub privacy: Privacy,
    /// Limits on spending.
    pub budget: Budget,
    /// By the action's id.
    pub actions: BTreeMap<String, ActionSettings>,
    /// By the model's id.
    pub prices: BTreeMap<String, PriceSettings>,
}

/// `api.*`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Where paths such as `/v1/messages` are appended, behind any path it has.
    pub base_url: Url,
    /// The `anthropic-version` header.
    pub version: String,
    /// Other machines that may be sent to in the clear.
    pub http_hosts: Vec<String>,
    /// A program and its arguments that prints the key.
    pub key_command: Option<Vec<String>>,
    /// From sending to the first event.
    pub first_event_timeout: Duration,
    /// Between two events.
    pub idle_timeout: Duration,
    /// Tries after the first.
    pub max_retries: u32,
}

/// `cache.*`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cache {
    /// How long entries are asked to live.
    pub ttl: CacheTtl,
    /// How the document is laid out.
    pub layout: CacheLayout,
    /// Whether the cache is written before the first action.
    pub prewarm: bool,
    /// Whether the API is asked why it missed.
    pub diagnostics: bool,
}

/// How long a cached prompt lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum CacheTtl {
    /// Chosen by prices and by how often actions are run.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// Five minutes: writing costs 1.25 times the input price.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// One hour: writing costs twice the input price.
    #[serde(rename = "1h")]
    OneHour,
}

/// How the document is laid out in the prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CacheLayout {
    /// The document as it first was, cached, and behind it what changed since.
    #[default]
    Snapshot,
    /// The document as it is now, each time.
    Plain,
    /// No caching.
    Off,
}

/// `context.*`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContextSettings {
    /// The most tokens; `None` leaves it to the action, 0 is none at all.
    pub max_tokens: Option<u64>,
}

/// `thinking.*`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThinkingSettings {
    /// The model's own when `None`.
    pub effort: Option<Effort>,
    /// For models that take a budget; 0 asks for no thinking.
    pub budget_tokens: Option<u32>,
    /// Whether what was thought is shown behind the explanation.
    pub show: bool,
}

/// `parameters.*`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    /// From 0 to 1.
    pub temperature: Option<f64>,
    /// From 0 to 1.
    pub top_p: Option<f64>,
    /// At least 1.
    pub top_k: Option<u32>,
    /// What ends an answer.
    pub stop_sequences: Vec<String>,
    /// `metadata.user_id`.
    pub user_id: Option<String>,
    /// Which capacity may serve requests.
    pub service_tier: Option<ServiceTier>,
}

/// Which capacity may serve a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServiceTier {
    /// Priority capacity where the account has it, else the standard one; the API's own default.
    Auto,
    /// The standard one only.
    StandardOnly,
}

impl ServiceTier {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::StandardOnly => "standard_only",
        }
    }
}

/// `hover.*`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hover {
    /// What hovering over code shows.
    pub mode: HoverMode,
}

/// What hovering over code shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HoverMode {
    /// An explanation that exists already: no request, no cost.
    #[default]
    Cached,
    /// Nothing.
    Off,
    /// Two sentences of the fast model about any symbol: a small request for each place.
    Ask,
}

/// `edits.*`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edits {
    /// Whether an edit is shown before it is made.
    pub confirm: Confirm,
    /// Send edits to clients that do not announce `applyEdit`.
    pub assume_apply: bool,
}

/// Whether an edit is shown before it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// It is made at once; one undo takes it back.
    #[default]
    Never,
    /// It is shown, to be accepted or rejected.
    Preview,
}

/// `privacy.*`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privacy {
    /// Patterns (globs) of files that are never sent.
    pub exclude: Vec<String>,
    /// Patterns (globs) of files that may be sent all the same.
    pub include: Vec<String>,
    /// Whether secrets are replaced before anything is sent.
    pub redact: bool,
}

/// `budget.*`, in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// In a day of the user's local time.
    pub daily_usd: Option<f64>,
    /// In a month of the user's local time.
    pub monthly_usd: Option<f64>,
}

/// `actions.NAME.*`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ActionSettings {
    /// Instead of `model`.
    pub model: Option<String>,
    /// Offered unless this says `false`.
    pub enabled: Option<bool>,
    /// Instead of `max_output_tokens`.
    pub max_output_tokens: Option<u32>,
    /// Instead of `thinking.effort`.
    pub effort: Option<Effort>,
    /// Instead of `thinking.budget_tokens`.
    pub budget_tokens: Option<u32>,
    /// Instead of `parameters.temperature`.
    pub temperature: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: "claude-sonnet-5-5".into(),
            fast_model: "claude-haiku-5-5".into(),
            fallback_model: None,
            max_output_tokens: 16_000,
            max_running: 8,
            api: Api::default(),
            cache: Cache {
                ttl: CacheTtl::default(),
                layout: CacheLayout::default(),
                prewarm: false,
                diagnostics: false,
            },
            context: ContextSettings::default(),
            thinking: ThinkingSettings::default(),
            parameters: Parameters::default(),
            hover: Hover { mode: HoverMode::default() },
            code_lens: Vec::new(),
            edits: Edits { confirm: Confirm::default(), assume_apply: false },
            privacy: Privacy { exclude: Vec::new(), include: Vec::new(), redact: true },
            budget: Budget::default(),
            actions: BTreeMap::new(),
            prices: BTreeMap::new(),
        }
    }
}

impl Default for Api {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a constant")]
        let base_url = Url::parse("https://api.anthropic.com").expect("the default address is an address");
        Self {
            base_url,
            http_hosts: Vec::new(),
            version: "2023-06-01".into(),
            key_command: None,
            first_event_timeout: Duration::from_secs(60),
            idle_timeout: idle_timeout(60),
            max_retries: 2,
        }
    }
}

/// A stream that has begun and falls silent is dead sooner than a queue is.
fn idle_timeout(first_event_secs: u32) -> Duration {
    Duration::from_secs(u64::from(first_event_secs)) / 2
}

/// The actions that the fast model does.
const FAST: &[&str] = &["describe-image"];

impl Settings {
    /// The model of an action: its own, or the one for all; for those that want little, the fast one.
    pub fn model_for(&self, action: &str) -> &str {
        let usual = if FAST.contains(&action) { &self.fast_model } else { &self.model };
        self.actions.get(action).and_then(|settings| settings.model.as_deref()).unwrap_or(usual)
    }

    /// The most tokens of an action's answer.
    pub fn max_output_tokens_for(&self, action: &str) -> u32 {
        self.actions.get(action).and_then(|settings| settings.max_output_tokens).unwrap_or(self.max_output_tokens)
    }

    /// The effort of an action; `None` leaves it to the model.
    pub fn effort_for(&self, action: &str) -> Option<Effort> {
        self.actions.get(action).and_then(|settings| settings.effort).or(self.thinking.effort)
    }

    /// What the user wants of thinking and sampling for an action.
    pub fn wishes_for(&self, action: &str) -> Wishes {
        let own = self.actions.get(action);
        Wishes {
            effort: self.effort_for(action),
            budget_tokens: own.and_then(|own| own.budget_tokens).or(self.thinking.budget_tokens),
            show: self.thinking.show,
            temperature: own.and_then(|own| own.temperature).or(self.parameters.temperature),
            top_p: self.parameters.top_p,
            top_k: self.parameters.top_k,
        }
    }

    /// Whether an action is offered.
    pub fn is_enabled(&self, action: &str) -> bool {
        self.actions.get(action).and_then(|settings| settings.enabled).unwrap_or(true)
    }

    /// Every key that has a value, by its dotted `snake_case` name, in the order of the reference.
    pub fn values(&self) -> Vec<(String, Value)> {
        let Self {
            model,
            fast_model,
            fallback_model,
            max_output_tokens,
            max_running,
            api,
            cache,
            context,
            thinking,
            parameters,
            hover,
            code_lens,
            edits,
            privacy,
            budget,
            actions,
            prices,
        } = self;
        let mut values = vec![
            ("model".to_owned(), json!(model)),
            ("fast_model".to_owned(), json!(fast_model)),
            ("fallback_model".to_owned(), json!(fallback_model)),
            ("max_output_tokens".to_owned(), json!(max_output_tokens)),
            ("max_running".to_owned(), json!(max_running)),
            ("code_lens".to_owned(), json!(code_lens)),
            ("api.base_url".to_owned(), json!(api.base_url.as_str().trim_end_matches('/'))),
            ("api.http_hosts".to_owned(), json!(api.http_hosts)),
            ("api.version".to_owned(), json!(api.version)),
            ("api.key_command".to_owned(), json!(api.key_command)),
            ("api.timeout_secs".to_owned(), json!(api.first_event_timeout.as_secs())),
            ("api.max_retries".to_owned(), json!(api.max_retries)),
            ("cache.ttl".to_owned(), json!(cache.ttl)),
            ("cache.layout".to_owned(), json!(cache.layout)),
            ("cache.prewarm".to_owned(), json!(cache.prewarm)),
            ("cache.diagnostics".to_owned(), json!(cache.diagnostics)),
            ("context.max_tokens".to_owned(), json!(context.max_tokens)),
            ("thinking.effort".to_owned(), json!(thinking.effort)),
            ("thinking.budget_tokens".to_owned(), json!(thinking.budget_tokens)),
            ("thinking.show".to_owned(), json!(thinking.show)),
            ("parameters.temperature".to_owned(), json!(parameters.temperature)),
            ("parameters.top_p".to_owned(), json!(parameters.top_p)),
            ("parameters.top_k".to_owned(), json!(parameters.top_k)),
            ("parameters.stop_sequences".to_owned(), json!(parameters.stop_sequences)),
            ("parameters.user_id".to_owned(), json!(parameters.user_id)),
            ("parameters.service_tier".to_owned(), json!(parameters.service_tier)),
            ("hover.mode".to_owned(), json!(hover.mode)),
            ("edits.confirm".to_owned(), json!(edits.confirm)),
            ("edits.assume_apply".to_owned(), json!(edits.assume_apply)),
            ("privacy.exclude".to_owned(), json!(privacy.exclude)),
            ("privacy.include".to_owned(), json!(privacy.include)),
            ("privacy.redact".to_owned(), json!(privacy.redact)),
            ("budget.daily_usd".to_owned(), json!(budget.daily_usd)),
            ("budget.monthly_usd".to_owned(), json!(budget.monthly_usd)),
        ];
        for (name, action) in actions {
            let ActionSettings { model, enabled, max_output_tokens, effort, budget_tokens, temperature } = action;
            values.push((format!("actions.{name}.model"), json!(model)));
            values.push((format!("actions.{name}.enabled"), json!(enabled)));
            values.push((format!("actions.{name}.max_output_tokens"), json!(max_output_tokens)));
            values.push((format!("actions.{name}.effort"), json!(effort)));
            values.push((format!("actions.{name}.budget_tokens"), json!(budget_tokens)));
            values.push((format!("actions.{name}.temperature"), json!(temperature)));
        }
        for (model, prices) in prices {
            values.extend(prices.values().into_iter().map(|(key, value)| (format!("prices.{model}.{key}"), value)));
        }
        values.retain(|(_, value)| !value.is_null());
        values
    }

    /// The built-in values, changed by what `options` says.
    pub(super) fn from_options(options: Options) -> Self {
        let Options {
            model,
            fast_model,
            fallback_model,
            max_output_tokens,
            max_running,
            api,
            cache,
            context,
            thinking,
            parameters,
            hover,
            code_lens,
            edits,
            privacy,
            budget,
            actions,
            prices,
        } = options;
        let defaults = Self::default();
        Self {
            model: model.map_or(defaults.model, Into::into),
            fast_model: fast_model.map_or(defaults.fast_model, Into::into),
            fallback_model: fallback_model.map(Into::into),
            max_output_tokens: max_output_tokens.map_or(defaults.max_output_tokens, super::Whole::get),
            max_running: max_running.map_or(defaults.max_running, |number| number.get() as usize),
            api: Api::from_options(api),
            cache: Cache::from_options(cache),
            context: ContextSettings { max_tokens: context.max_tokens.map(|tokens| tokens.get().into()) },
            thinking: ThinkingSettings::from_options(thinking),
            parameters: Parameters::from_options(parameters),
            hover: Hover { mode: hover.mode.unwrap_or(defaults.hover.mode) },
            code_lens: code_lens.unwrap_or(defaults.code_lens),
            edits: Edits::from_options(edits),
            privacy: Privacy::from_options(privacy),
            budget: Budget::from_options(budget),
            actions: actions.into_iter().map(|(name, options)| (name, ActionSettings::from_options(options))).collect(),
            prices: prices.into_iter().map(|(model, options)| (model, PriceSettings::from_options(options))).collect(),
        }
    }
}

impl Api {
    fn from_options(
        ApiOptions { base_url, http_hosts, version, key_command, timeout_secs, max_retries }: ApiOptions,
    ) -> Self {
        let defaults = Self::default();
        let (first_event_timeout, idle_timeout) = match timeout_secs {
            Some(secs) => (Duration::from_secs(secs.get().into()), idle_timeout(secs.get())),
            None => (defaults.first_event_timeout, defaults.idle_timeout),
        };
        Self {
            base_url: base_url.map_or(defaults.base_url, |url| url.as_url().clone()),
            http_hosts: http_hosts.unwrap_or_default().into_iter().map(Into::into).collect(),
            version: version.map_or(defaults.version, Into::into),
            key_command: key_command.map(Argv::into),
            first_event_timeout,
            idle_timeout,
            max_retries: max_retries.map_or(defaults.max_retries, super::Whole::get),
        }
    }
}

impl Cache {
    fn from_options(CacheOptions { ttl, layout, prewarm, diagnostics }: CacheOptions) -> Self {
        let defaults = Settings::default().cache;
        Self {
            ttl: ttl.unwrap_or(defaults.ttl),
            layout: layout.unwrap_or(defaults.layout),
            prewarm: prewarm.unwrap_or(defaults.prewarm),
            diagnostics: diagnostics.unwrap_or(defaults.diagnostics),
        }
    }
}

impl ThinkingSettings {
    fn from_options(ThinkingOptions { effort, budget_tokens, show }: ThinkingOptions) -> Self {
        Self { effort, budget_tokens: budget_tokens.map(super::Whole::get), show: show.unwrap_or(false) }
    }
}

impl Parameters {
    fn from_options(options: ParameterOptions) -> Self {
        let ParameterOptions { temperature, top_p, top_k, stop_sequences, user_id, service_tier } = options;
        Self {
            temperature: temperature.map(Share::get),
            top_p: top_p.map(Share::get),
            top_k: top_k.map(super::Whole::get),
            stop_sequences: stop_sequences.unwrap_or_default().into_iter().map(Into::into).collect(),
            user_id: user_id.map(Into::into),
            service_tier,
        }
    }
}

impl Edits {
    fn from_options(EditsOptions { confirm, assume_apply }: EditsOptions) -> Self {
        let defaults = Settings::default().edits;
        Self {
            confirm: confirm.unwrap_or(defaults.confirm),
            assume_apply: assume_apply.unwrap_or(defaults.assume_apply),
        }
    }
}

impl Privacy {
    fn from_options(PrivacyOptions { exclude, include, redact }: PrivacyOptions) -> Self {
        let defaults = Settings::default().privacy;
        let globs = |globs: Option<Vec<Glob>>| globs.unwrap_or_default().into_iter().map(Glob::into).collect();
        Self { exclude: globs(exclude), include: globs(include), redact: redact.unwrap_or(defaults.redact) }
    }
}

impl Budget {
    fn from_options(BudgetOptions { daily_usd, monthly_usd }: BudgetOptions) -> Self {
        Self { daily_usd: daily_usd.map(Dollars::get), monthly_usd: monthly_usd.map(Dollars::get) }
    }
}

impl ActionSettings {
    fn from_options(options: ActionOptions) -> Self {
        let ActionOptions { model, enabled, max_output_tokens, effort, budget_tokens, temperature } = options;
        Self {
            model: model.map(Into::into),
            enabled,
            max_output_tokens: max_output_tokens.map(super::Whole::get),
            effort,
            budget_tokens: budget_tokens.map(super::Whole::get),
            temperature: temperature.map(Share::get),
        }
    }
}
