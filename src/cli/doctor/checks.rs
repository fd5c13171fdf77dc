//! The single checks. Each says what is so and, if that is not well, what to do.

use std::path::Path;

use super::{Check, Status};
use crate::actions;
use crate::claude::Client;
use crate::claude::models::{self, Lifecycle};
use crate::claude::types::ModelInfo;
use crate::claude::words::amount;
use crate::config::{CacheLayout, Environment, HoverMode, OwnPrices, PriceSettings, Resolved, Settings};
use crate::error::ErrorKind;
use crate::ledger::Ledger;
use crate::prompt::{self, Input};
use crate::workspace::language;

/// A document of ordinary size, to tell what of a prompt is cached.
const TYPICAL_DOCUMENT: &str = include_str!("../../../examples/inventory.py");

/// What was left out of the configuration.
pub(super) fn configuration(resolved: &Resolved, bad_headers: usize) -> Vec<Check> {
    let mut checks: Vec<Check> = resolved
        .problems
        .iter()
        .map(|problem| {
            // What a repository says wrong is not the user's to repair.
            let status = if problem.source.is_trusted() { Status::Failed } else { Status::Warning };
            Check::new("configuration", status, problem.to_string())
                .advice("Correct or remove it; `aside config schema --markdown` describes all keys.")
        })
        .collect();
    if bad_headers > 0 {
        let message = match bad_headers {
            1 => "a line of ANTHROPIC_CUSTOM_HEADERS is no header and is not sent".to_owned(),
            count => format!("{count} lines of ANTHROPIC_CUSTOM_HEADERS are no headers and are not sent"),
        };
        checks.push(Check::new("configuration", Status::Failed, message).advice("Each line is `Name: value`."));
    }
    if checks.is_empty() {
        let message = match resolved.origins.len() {
            0 => "all built-in".to_owned(),
            1 => "1 value set, the rest built-in".to_owned(),
            set => format!("{set} values set, the rest built-in"),
        };
        checks.push(Check::new("configuration", Status::Ok, message));
    }
    checks
}

/// Where the credentials come from, without a word of them.
pub(super) fn key_origin(settings: &Settings, env: &Environment) -> &'static str {
    if env.get("ANTHROPIC_API_KEY").is_some() {
        "API key from ANTHROPIC_API_KEY"
    } else if env.get("ANTHROPIC_AUTH_TOKEN").is_some() {
        "token from ANTHROPIC_AUTH_TOKEN"
    } else if settings.api.key_command.is_some() {
        "API key from `api.key_command`"
    } else {
        "API key from the system's keyring"
    }
}

/// Asks the server for its models, which is free, and compares them with the settings.
pub(super) async fn network(client: &Client, settings: &Settings) -> Vec<Check> {
    let listed = match client.models().await {
        Ok(listed) => listed,
        Err(error) => {
            let name = match error.kind {
                ErrorKind::Credentials | ErrorKind::Permission => "credentials",
                _ => "network",
            };
            let mut checks = vec![Check::error(name, error)];
            checks.extend(models(settings, None));
            return checks;
        }
    };
    let message = match listed.len() {
        0 => format!("{} answers; it does not tell its models", client.host()),
        1 => format!("{} answers and has 1 model", client.host()),
        count => format!("{} answers and has {count} models", client.host()),
    };
    let mut checks = vec![Check::new("network", Status::Ok, message)];
    checks.extend(models(settings, (!listed.is_empty()).then_some(listed.as_slice())));
    checks
}

/// The models that the settings name: are they known, and served?
pub(super) fn models(settings: &Settings, listed: Option<&[ModelInfo]>) -> Vec<Check> {
    let mut wanted = vec![("model".to_owned(), settings.model.as_str())];
    if settings.hover.mode == HoverMode::Ask {
        wanted.push(("fast_model".to_owned(), settings.fast_model.as_str()));
    }
    for (name, action) in &settings.actions {
        wanted.extend(action.model.as_deref().map(|model| (format!("actions.{name}.model"), model)));
    }
    let today = jiff::Zoned::now().date();
    wanted.iter().map(|(key, id)| model(key, id, listed, today)).collect()
}

/// One model, on a day.
pub(super) fn model(key: &str, id: &str, listed: Option<&[ModelInfo]>, today: jiff::civil::Date) -> Check {
    let choose = |names: &[&str]| match names {
        [] => format!("Set `{key}` to a model that the server has."),
        names => format!("Set `{key}`, perhaps to {}.", names.join(" or ")),
    };
    // A dated id and its alias are one model, and servers list either.
    let same = |info: &&ModelInfo| {
        info.id == id || models::find(&info.id).is_some_and(|model| models::find(id) == Some(model))
    };
    let info = listed.and_then(|listed| listed.iter().find(same));
    let mut model = models::lookup(id).into_owned();
    if let Some(info) = info {
        model = model.with_info(info);
    }
    let successor: Vec<&str> = model.successor.as_deref().into_iter().collect();
    if model.is_retired(today) {
        return Check::new("model", Status::Failed, format!("`{id}` is retired: requests fail"))
            .advice(choose(&successor));
    }
    // Servers do not list what is retired; that it is says more than that it is not there.
    if let (Some(listed), None) = (listed, info) {
        let nearest = models::nearest(id);
        let names: Vec<&str> = match listed.iter().map(|info| info.id.as_str()).collect::<Vec<_>>() {
            few if few.len() <= 3 => few,
            many => nearest.into_iter().filter(|name| many.contains(name)).collect(),
        };
        return Check::new("model", Status::Failed, format!("the server has no `{id}`")).advice(choose(&names));
    }
    if model.lifecycle == Lifecycle::Deprecated {
        let until = model.retires.as_deref().map(|day| format!(" and ends on {day}")).unwrap_or_default();
        let message = format!("`{id}` is deprecated{until}");
        return Check::new("model", Status::Warning, message).advice(choose(&successor));
    }
    match (model.is_known(), info) {
        (true, _) => Check::new("model", Status::Ok, format!("{id} (`{key}`)")),
        (false, Some(_)) => Check::new("model", Status::Ok, format!("{id} (`{key}`); its price is not known")),
        (false, None) => {
            let check =
                Check::new("model", Status::Warning, format!("`{id}` is not in Aside's table, its price is not known"));
            match models::nearest(id).as_slice() {
                [] => check,
                names => check.advice(choose(names)),
            }
        }
    }
}

/// Prices of the user's own that are not enough to know what a request costs.
pub(super) fn prices(settings: &Settings) -> Vec<Check> {
    let incomplete = |(name, prices): (&String, &PriceSettings)| {
        let model = settings.model_data(name);
        let mut missing: Vec<String> = Vec::new();
        if model.prices.is_none() {
            missing.extend(prices.ordinary.missing().map(|key| format!("`{key}`")));
        }
        if model.long_prompt.is_some_and(|long| long.prices.is_none()) {
            missing.extend(prices.long.missing().map(|key| format!("`long.{key}`")));
        } else if model.long_prompt.is_none() && prices.long != OwnPrices::default() {
            missing.push("`long.over_tokens`".to_owned());
        }
        if missing.is_empty() {
            return None;
        }
        let message = format!("`prices.{name}` lacks {}, so costs of `{name}` stay unknown", missing.join(", "));
        let advice = "Prices are in US dollars per million tokens; one that is missing is never guessed.";
        Some(Check::new("prices", Status::Warning, message).advice(advice))
    };
    settings.prices.iter().filter_map(incomplete).collect()
}

/// How much of a prompt the model would cache.
pub(super) fn cache(settings: &Settings) -> Option<Check> {
    const NAME: &str = "cache";
    if settings.cache.layout == CacheLayout::Off {
        let check = Check::new(NAME, Status::Warning, "switched off: every action pays the full price");
        return Some(check.advice("Remove `cache.layout = \"off\"` unless the server cannot cache."));
    }
    let action = actions::find("explain").ok()?;
    let model = models::lookup(&settings.model);
    let plan = prompt::plan(&Input {
        family: prompt::Family::Document,
        action,
        settings,
        model: &model,
        language: language::by_id("python"),
        document: "inventory.py",
        path: "inventory.py",
        text: TYPICAL_DOCUMENT,
        selection: 0..0,
        rules: &[],
        project: None,
        prompt: None,
        tests: None,
        context: None,
        scale: prompt::Scale::default(),
    });
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => return Some(Check::error(NAME, error)),
    };
    let (mut before, mut cached) = (0, None);
    for layer in &plan.layers {
        before += layer.estimated_tokens;
        if layer.breakpoint.is_some() {
            cached = Some((cached.map_or(layer.name, |(first, _)| first), before));
        }
    }
    let minimum = format!("{} caches from {} tokens on", settings.model, model.cache_minimum);
    Some(match cached {
        Some((first, tokens)) => Check::new(
            NAME,
            Status::Ok,
            format!(
                "about {} of {} tokens of a small file's prompt, first up to the end of the {}; {minimum}",
                amount(tokens),
                amount(plan.estimated_input_tokens),
                first.as_str()
            ),
        ),
        None => Check::new(
            NAME,
            Status::Warning,
            format!(
                "a small file's prompt has about {} tokens, too few; {minimum}",
                amount(plan.estimated_input_tokens)
            ),
        )
        .advice("Larger files are cached; so are all with a model that caches shorter prompts."),
    })
}

/// Whether files can be made in a folder, which needs not be there yet. Leaves nothing behind.
pub(super) fn folder(name: &'static str, folder: &Path, variable: &str) -> Check {
    let existing = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(folder);
    match tempfile::tempfile_in(existing) {
        Ok(_) if existing == folder => Check::new(name, Status::Ok, folder.display().to_string()),
        Ok(_) => Check::new(name, Status::Ok, format!("{} (made when needed)", folder.display())),
        Err(error) => Check::new(name, Status::Failed, format!("{} cannot be written: {error}", folder.display()))
            .advice(format!("Make it writable, or name another in {variable}.")),
    }
}

/// Whether the ledger can be read, if there is one.
pub(super) fn ledger(file: &Path) -> Option<Check> {
    if !file.exists() {
        return None;
    }
    let ledger = Ledger::lazy(file);
    let totals = ledger.totals(None);
    Some(match (ledger.take_warning(), totals) {
        (Some(warning), _) => Check::new("ledger", Status::Warning, warning.message),
        (None, Err(error)) => Check::error("ledger", error),
        (None, Ok(totals)) => Check::new("ledger", Status::Ok, format!("{} requests", totals.attempts)),
    })
}
