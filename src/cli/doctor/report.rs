//! `aside doctor --report`: what helps others to help, and nothing that is nobody else's business.
//!
//! What is printed is what is known to be harmless: versions, names of Aside's own, numbers, choices. Anything else is
//! named by what it is (`<path>`, `<host>`) or only said to be there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::super::Invocation;
use super::{Check, Status};
use crate::actions;
use crate::claude::models;
use crate::config::{Problem, Resolved, Settings, Source, key_names};
use crate::workspace::secrets;

/// The report, as Markdown to paste.
pub(super) fn report(checks: &[Check], resolved: &Resolved, invocation: &Invocation) -> String {
    let mut text = String::new();
    let _ = write(&mut text, checks, resolved, &Masks::new(resolved, invocation));
    text
}

fn write(text: &mut String, checks: &[Check], resolved: &Resolved, masks: &Masks) -> std::fmt::Result {
    writeln!(text, "### aside {} ({}, {})\n", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH)?;
    writeln!(text, "Settings that are not built-in:\n")?;
    let values: BTreeMap<String, Value> = resolved.settings.values().into_iter().collect();
    for (key, source) in &resolved.origins {
        let value = values.get(key).map_or_else(|| "(set)".to_owned(), |value| shown(key, value));
        writeln!(text, "- {} = {value} ({})", named(key), origin(source))?;
    }
    if resolved.origins.is_empty() {
        writeln!(text, "- none")?;
    }
    writeln!(text, "\nChecks:\n")?;
    for problem in &resolved.problems {
        writeln!(text, "- failed: configuration: {}", wrong(problem))?;
    }
    for Check { name, status, message, .. } in checks {
        let word = match status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Failed => "failed",
            Status::Skipped => "skipped",
        };
        // What is wrong with the configuration is said above, without what was written there.
        let is_quoting = *name == "configuration" && *status != Status::Ok;
        if !is_quoting {
            writeln!(text, "- {word}: {name}: {}", masks.masked(message))?;
        }
    }
    Ok(())
}

/// What is wrong, without the wrong value, which may be a key in the wrong line.
fn wrong(problem: &Problem) -> String {
    let place = problem.place.map(|(line, _)| format!(", line {line}")).unwrap_or_default();
    let key = snake(&problem.key);
    let what = match key.as_str() {
        "" => "all of it".to_owned(),
        known if is_known(known) => named(known),
        _ => "an unknown key".to_owned(),
    };
    format!("{what} does not count ({}{place})", origin(&problem.source))
}

/// A key as `config.toml` spells it, whoever wrote it.
fn snake(key: &str) -> String {
    key.split('.').map(crate::config::snake).collect::<Vec<_>>().join(".")
}

fn is_known(key: &str) -> bool {
    let parts: Vec<&str> = key.split('.').collect();
    key_names().iter().any(|known| {
        let known: Vec<&str> = known.split('.').collect();
        known.len() == parts.len() && known.iter().zip(&parts).all(|(known, part)| known == part || *known == "NAME")
    })
}

/// A key, without a name that the user made up.
fn named(key: &str) -> String {
    let own = |name: &str| actions::find(name).is_err() && !models::lookup(name).is_known();
    match key.split('.').collect::<Vec<_>>().as_slice() {
        [section @ ("actions" | "prices"), name @ .., last] if !name.is_empty() && own(&name.join(".")) => {
            format!("{section}.<name>.{last}")
        }
        _ => key.to_owned(),
    }
}

/// A value, if it can be nobody's secret.
fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Number(_) | Value::Null => value.to_string(),
        Value::String(text) if models::lookup(text).is_known() || is_choice(key, text) => value.to_string(),
        Value::Array(items) => match items.len() {
            1 => "(1 item)".to_owned(),
            count => format!("({count} items)"),
        },
        _ => "(set)".to_owned(),
    }
}

/// Whether a value is one of few.
fn is_choice(key: &str, value: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or_default();
    matches!(last, "ttl" | "layout" | "mode" | "confirm" | "effort" | "version" | "service_tier")
        && value.len() <= 16
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn origin(source: &Source) -> String {
    match source {
        Source::BuiltIn => "built-in".to_owned(),
        Source::User(_) => "the user's file".to_owned(),
        Source::Workspace(_) => "the workspace's file".to_owned(),
        Source::Editor => "the editor".to_owned(),
        Source::Environment(variable) => format!("${variable}"),
        Source::Flag => "a flag".to_owned(),
    }
}

/// What must not be in a report, and what stands for it.
struct Masks(Vec<(String, &'static str)>);

impl Masks {
    fn new(resolved: &Resolved, invocation: &Invocation) -> Self {
        let mut masks: Vec<(String, &'static str)> = Vec::new();
        let Invocation { env, paths, current_dir } = invocation;
        let folders = [
            (Some(paths.config_file.clone()), "<configuration file>"),
            (Some(paths.data_dir.clone()), "<data folder>"),
            (Some(paths.cache_dir.clone()), "<cache folder>"),
            (Some(paths.config_dir.clone()), "<configuration folder>"),
            (invocation.workspace_root(None), "<workspace>"),
            (Some(current_dir.clone()), "<folder>"),
        ];
        masks.extend(folders.into_iter().filter_map(|(path, mask)| Some((path?.display().to_string(), mask))));
        for (variable, mask) in [
            ("HOME", "<home>"),
            ("USERPROFILE", "<home>"),
            ("USER", "<user>"),
            ("LOGNAME", "<user>"),
            ("USERNAME", "<user>"),
            ("HOSTNAME", "<machine>"),
            ("COMPUTERNAME", "<machine>"),
            ("ANTHROPIC_API_KEY", "<key>"),
            ("ANTHROPIC_AUTH_TOKEN", "<key>"),
        ] {
            masks.extend(env.get(variable).map(|value| (value.trim().to_owned(), mask)));
        }
        // A home is often called like its owner, whatever the variables say.
        let home = env.get("HOME").or_else(|| env.get("USERPROFILE")).unwrap_or_default();
        masks.extend(home.rsplit(['/', '\\']).next().map(|name| (name.to_owned(), "<user>")));
        let Settings { api, model, fast_model, prices, actions, .. } = &resolved.settings;
        let host = api.base_url.host_str().unwrap_or_default();
        if host != "api.anthropic.com" && host != "127.0.0.1" && host != "localhost" {
            masks.push((host.to_owned(), "<host>"));
        }
        let own = [model, fast_model].into_iter().chain(prices.keys());
        let own = own.chain(actions.values().filter_map(|action| action.model.as_ref()));
        masks.extend(own.filter(|model| !models::lookup(model).is_known()).map(|model| (model.clone(), "<model>")));
        masks.extend(actions.keys().filter(|name| actions::find(name).is_err()).map(|name| (name.clone(), "<action>")));
        masks.extend(api.key_command.iter().flatten().map(|word| (word.clone(), "<command>")));
        masks.retain(|(value, _)| value.len() > 2);
        masks.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        Self(masks)
    }

    fn masked(&self, message: &str) -> String {
        static PLACES: LazyLock<[Option<Regex>; 2]> = LazyLock::new(|| {
            [
                r"[A-Za-z][A-Za-z0-9+.-]*://[^\s`\x22'<>()]+",
                r"(?:\B~|\b[A-Za-z]:|\B)[/\\][^\s`\x22'<>(),;:/\\]+(?:[/\\][^\s`\x22'<>(),;:/\\]*)*",
            ]
            .map(|pattern| Regex::new(pattern).ok())
        });
        let mut text = message.to_owned();
        for secret in secrets::find(&text).into_iter().rev() {
            text.replace_range(secret.span, "<secret>");
        }
        let [address, path] = &*PLACES;
        // Without its pattern nothing can be told to be harmless.
        let (Some(address), Some(path)) = (address, path) else { return "(not shown)".to_owned() };
        text = address.replace_all(&text, "<address>").into_owned();
        let (folders, words): (Vec<_>, Vec<_>) = self.0.iter().partition(|(value, _)| value.contains(['/', '\\']));
        for (value, mask) in folders {
            text = text.replace(value.as_str(), mask);
        }
        text = path.replace_all(&text, "<path>").into_owned();
        for (value, mask) in words {
            text = whole_words_replaced(&text, value, mask);
        }
        text
    }
}

/// A text without a word; `pass` is no word of `password`.
fn whole_words_replaced(text: &str, word: &str, mask: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut end = 0;
    for (at, _) in text.match_indices(word) {
        let goes_on = |it: Option<char>| it.is_some_and(char::is_alphanumeric);
        if !goes_on(text[..at].chars().next_back()) && !goes_on(text[at + word.len()..].chars().next()) {
            replaced.push_str(&text[end..at]);
            replaced.push_str(mask);
            end = at + word.len();
        }
    }
    replaced.push_str(&text[end..]);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Options, Paths};

    #[tokio::test]
    async fn holds_nothing_of_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("grace.hopper");
        std::fs::create_dir_all(home.join(".config/aside")).unwrap();
        std::fs::create_dir_all(home.join("clients/acme/.aside")).unwrap();
        let token = format!("sk-ant-api03-{}", "k7Qp2Xv9Zt4Lm8Rw3Yb6Nc1Hd5Jf0Gs".repeat(3));
        let config = format!(
            "model = \"acme-internal-7\"\nmax_runing = 3\n\"{token}\" = 1\n[api]\nkey_command = [\"pass\", \"work/acme\"]\nversion = \"{token}\"\n[cache]\nttl = \
             \"{token}\"\n[privacy]\nexclude = [\"acme/**\"]\n[edits]\nconfirm = \"preview\"\n[actions.acme-audit]\nmodel = \"claude-haiku-5-5\"\n\
             [actions.explain]\nmodel = \"claude-haiku-5-5\"\n"
        );
        std::fs::write(home.join(".config/aside/config.toml"), config).unwrap();
        std::fs::write(home.join("clients/acme/.aside/config.toml"), "[api]\nbase_url = \"https://x.acme.example\"\n")
            .unwrap();
        let env = Environment::from_pairs([
            ("HOME", home.to_str().unwrap()),
            ("USER", "ghopper7"),
            ("HOSTNAME", "acme-laptop"),
            ("ANTHROPIC_API_KEY", &token),
            ("ANTHROPIC_BASE_URL", "https://gateway.acme.example/claude"),
            ("ANTHROPIC_CUSTOM_HEADERS", "x-acme-team: s3cretTeam\nbad line"),
        ]);
        let paths = Paths::new(&env);
        let invocation = Invocation { env, paths, current_dir: home.join("clients/acme") };
        let resolved = invocation.resolve(invocation.workspace_root(None).as_deref(), &Options::default());
        let mut checks = super::super::look(true, &invocation).await.unwrap();
        let told = |message: String| Check::new("network", Status::Failed, message);
        checks.push(told(format!("https://gateway.acme.example/claude said {token} of {}", home.display())));
        checks.push(told(
            "cannot read C:\\Users\\ghopper7\\x, ~/work/a.txt or /srv/acme/b.pem: password = \"hunter2!\"".to_owned(),
        ));
        let report = report(&checks, &resolved, &invocation);
        for word in [
            "grace",
            "hopper",
            "ghopper",
            "acme",
            "sk-ant",
            "k7Qp2Xv9",
            "hunter2",
            "s3cretTeam",
            "/tmp",
            "srv",
            "Users",
            "work/",
        ] {
            assert!(!report.contains(word), "{word}: {report}");
        }
        assert!(!report.contains(folder.path().to_str().unwrap()), "{report}");
        for line in [
            &format!("### aside {} ({}, {})", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH),
            "- model = (set) (the user's file)",
            "- actions.explain.model = \"claude-haiku-5-5\" (the user's file)",
            "- actions.<name>.model = \"claude-haiku-5-5\" (the user's file)",
            "- edits.confirm = \"preview\" (the user's file)",
            "- privacy.exclude = (1 item) (the user's file)",
            "- api.base_url = (set) ($ANTHROPIC_BASE_URL)",
            "- failed: configuration: cache.ttl does not count (the user's file, line 8)",
            "- failed: configuration: an unknown key does not count (the user's file, line 2)",
            "- failed: configuration: api.base_url does not count (the workspace's file, line 2)",
            "- ok: data folder: <data folder> (made when needed)",
            "- failed: network: <address> said <secret> of <home>",
        ] {
            assert!(report.contains(line), "{line}: {report}");
        }
    }
}
