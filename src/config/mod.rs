//! What the user wants: raw options in layers, resolved to settings; where files live; how to sign in.
//!
//! [`Options`] is what a file, an editor or a flag may say, one type for all of them. [`Layers`] keeps what each of them
//! said and [`Layers::resolve`] folds it to [`Settings`], with a [`Problem`] for every key or value that was left out.

mod base_url;
mod credentials;
mod environment;
mod keys;
mod layers;
mod leaves;
mod options;
mod paths;
mod prices;
mod problem;
mod reference;
mod schema;
mod settings;
mod trust;
mod values;
#[cfg(test)]
mod vscode;

pub use self::base_url::BaseUrl;
#[cfg(any(test, fuzzing))]
pub(crate) use self::base_url::allows;
pub(crate) use self::base_url::is_loopback;
pub use self::credentials::{bad_custom_headers, credentials, custom_headers};
pub use self::environment::Environment;
pub use self::keys::{camel, snake};
pub use self::layers::{Layers, Resolved, editor_problems};
pub use self::options::{
    ActionOptions, ApiOptions, BudgetOptions, CacheOptions, EditsOptions, HoverOptions, LongPriceOptions, Options,
    ParameterOptions, PriceOptions, PrivacyOptions, ThinkingOptions,
};
pub use self::paths::Paths;
pub use self::prices::{OwnPrices, PriceSettings};
pub use self::problem::{Problem, Source};
pub use self::reference::{commented_file, reference};
pub use self::schema::{Spelling, key_names, schema};
pub use self::settings::{
    ActionSettings, Api, Budget, Cache, CacheLayout, CacheTtl, Confirm, Edits, Hover, HoverMode, Parameters, Privacy,
    ServiceTier, Settings, ThinkingSettings,
};
pub use self::trust::{Allowed, TrustStore};
pub use self::values::{Argv, Dollars, Glob, ModelId, Share, StopSequence, UserId, Whole};
