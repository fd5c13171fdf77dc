//! Helix: `languages.toml`, the user's and the project's, and what `config.toml` says about language servers.

use std::path::{Path, PathBuf};

use toml::Table;
use toml::de::{DeTable, DeValue};

use super::{Editor, Findings, Home, Status, at, is_aside, nearest, place};

const HELIX: Editor = Editor::Helix;

/// What `[language-server.NAME]` takes as of Helix 25.07. Helix passes over any other key without a word.
const SERVER_KEYS: [&str; 6] = ["command", "args", "environment", "config", "timeout", "required-root-patterns"];

pub(super) fn look(home: &Home<'_>, findings: &mut Findings) {
    let folder = home.config("helix");
    findings.present |= folder.as_ref().is_some_and(|folder| folder.is_dir());
    let own = folder.as_ref().map(|folder| folder.join("languages.toml"));
    let projects = home.project.as_ref().map(|project| project.join(".helix").join("languages.toml"));
    let files: Vec<(PathBuf, String, Table)> =
        [own, projects].into_iter().flatten().filter_map(|path| read(home, findings, path)).collect();

    let mut servers: Vec<String> = Vec::new();
    let mut good = true;
    for (path, text, table) in &files {
        let entries = table.get("language-server").and_then(toml::Value::as_table).into_iter().flatten();
        for (name, entry) in entries {
            let command = entry.get("command").and_then(toml::Value::as_str);
            if name == "aside" || command.is_some_and(is_aside) {
                servers.push(name.clone());
                good &= server(home, findings, path, text, name, entry);
            }
        }
    }
    let languages = || {
        let lists = files.iter().filter_map(|(_, _, table)| table.get("language")?.as_array());
        lists.flatten().filter_map(toml::Value::as_table)
    };
    if servers.is_empty() {
        if languages().any(|language| lists(language, "aside").is_some()) {
            findings.set_up = true;
            findings.say(HELIX, Status::Failed, "a language lists `aside`, and there is no [language-server.aside]");
            complete(findings);
        }
        return;
    }
    findings.set_up = true;
    let mut named = Vec::new();
    for language in languages() {
        let name = language.get("name").and_then(toml::Value::as_str).unwrap_or("a language without a name");
        let Some(entry) = servers.iter().find_map(|server| lists(language, server)) else { continue };
        named.push(name);
        if hides_actions(entry) {
            good = false;
            let message = format!("`{name}` keeps Aside from its code actions, which is where all it does is offered");
            findings.say(HELIX, Status::Failed, message).advice =
                Some("Add `code-action` to `only-features`, or take it out of `except-features`.".to_owned());
        }
    }
    if named.is_empty() {
        findings.say(HELIX, Status::Failed, "no language lists `aside` in its `language-servers`, so it never starts");
        complete(findings);
        return;
    }
    good &= editor_settings(home, findings, folder.as_deref());
    if good {
        findings.say(HELIX, Status::Ok, format!("set up for {}", named.join(", ")));
    }
}

fn complete(findings: &mut Findings) {
    if let Some(check) = findings.checks.last_mut() {
        check.snippet = HELIX.snippet();
    }
}

fn read(home: &Home<'_>, findings: &mut Findings, path: PathBuf) -> Option<(PathBuf, String, Table)> {
    let text = findings.read(HELIX, home, &path)?;
    match text.parse::<Table>() {
        Ok(table) => Some((path, text, table)),
        Err(error) => {
            findings.unread = true;
            let place = place(&text, error.span().map_or(0, |span| span.start));
            let message = format!("{}: not TOML: {}", at(&path, place), error.message().replace('\n', " "));
            let status = if text.contains("aside") { Status::Failed } else { Status::Warning };
            findings.say(HELIX, status, message).advice = Some("Helix then takes nothing of this file.".to_owned());
            None
        }
    }
}

/// One `[language-server.NAME]`; whether all is well with it.
fn server(home: &Home<'_>, findings: &mut Findings, path: &Path, text: &str, name: &str, entry: &toml::Value) -> bool {
    let before = findings.checks.len();
    let here = |key: &str| at(path, place_of(text, &["language-server", name, key]));
    for key in entry.as_table().into_iter().flat_map(Table::keys) {
        if !SERVER_KEYS.contains(&key.as_str()) {
            let hint = nearest(key, &SERVER_KEYS).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            findings.say(HELIX, Status::Warning, format!("{}: Helix knows no `{key}`{hint}", here(key)));
        }
    }
    if let Some(command) = entry.get("command").and_then(toml::Value::as_str) {
        let args = entry.get("args").and_then(toml::Value::as_array);
        let args: Vec<&str> = args.into_iter().flatten().filter_map(toml::Value::as_str).collect();
        findings.command(HELIX, home, &here("command"), command, Some(&args));
    } else {
        findings.say(HELIX, Status::Failed, format!("{}: `command` is missing", here("")));
        complete(findings);
    }
    if let Some(config) = entry.get("config")
        && let Ok(config) = serde_json::to_value(config)
    {
        findings.settings(HELIX, &here("config"), &config, false);
    }
    findings.checks.len() == before
}

/// Where a key stands, or the nearest thing around it.
fn place_of(text: &str, keys: &[&str]) -> (usize, usize) {
    let Ok(table) = DeTable::parse(text) else { return (1, 1) };
    let mut offset = 0;
    let mut table = table.into_inner();
    for key in keys {
        let Some((found, value)) = table.into_iter().find(|(name, _)| *name.get_ref() == *key) else { break };
        offset = found.span().start;
        let DeValue::Table(inner) = value.into_inner() else { break };
        table = inner;
    }
    place(text, offset)
}

/// The entry of a language's `language-servers` that names this server.
fn lists<'a>(language: &'a Table, server: &str) -> Option<&'a toml::Value> {
    let servers = language.get("language-servers")?.as_array()?;
    servers.iter().find(|entry| {
        let name = entry.as_str().or_else(|| entry.get("name")?.as_str());
        name == Some(server)
    })
}

fn hides_actions(entry: &toml::Value) -> bool {
    let has = |list: &str| {
        let features = entry.get(list)?.as_array()?;
        Some(features.iter().any(|feature| feature.as_str() == Some("code-action")))
    };
    has("only-features") == Some(false) || has("except-features") == Some(true)
}

/// `config.toml`: are language servers on, and can progress be seen?
fn editor_settings(home: &Home<'_>, findings: &mut Findings, folder: Option<&Path>) -> bool {
    let Some(path) = folder.map(|folder| folder.join("config.toml")) else { return true };
    // Helix itself tells what is wrong in there, at each start.
    let table = findings.read(HELIX, home, &path).and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
    let lsp = table.get("editor").and_then(|editor| editor.get("lsp"));
    let is = |key: &str| lsp.and_then(|lsp| lsp.get(key)).and_then(toml::Value::as_bool);
    if is("enable") == Some(false) {
        let message = format!("{}: language servers are switched off", path.display());
        findings.say(HELIX, Status::Failed, message).advice = Some("Remove `editor.lsp.enable = false`.".to_owned());
        return false;
    }
    if is("display-progress-messages") != Some(true) {
        let message = "progress is a spinner only: what Aside writes and what it cost is not shown";
        findings.say(HELIX, Status::Warning, message).advice =
            Some(format!("Set `display-progress-messages = true` below `[editor.lsp]` in {}.", path.display()));
    }
    true
}
