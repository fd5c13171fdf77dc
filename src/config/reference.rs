//! The reference page `docs/configuration.md` and the commented file of `aside config init`, made from the schema.

use std::fmt::Write;

use serde_json::Value;

use super::keys::camel;
use super::schema;

const INTRODUCTION: &str = "\
<!-- Made by `aside config schema --markdown` from src/config/options.rs; a test keeps it in step. Change it there. -->

# Configuration

Aside works without any configuration; a key in `ANTHROPIC_API_KEY` is enough. Settings come in layers, and later ones win:

1. what is built in,
2. your own file: `$XDG_CONFIG_HOME/aside/config.toml` (`~/.config/aside/config.toml`), on macOS
   `~/Library/Application Support/aside/config.toml`, on Windows `%APPDATA%\\aside\\config.toml`; `ASIDE_CONFIG` names another,
3. the workspace's file: `.aside/config.toml`,
4. your editor's settings, in the section `aside`,
5. the environment,
6. flags on the command line.

`aside config show` prints what holds and where it came from, `aside config init` writes a file to begin with, and
`aside config schema` prints a JSON schema for completion while you type.

In TOML the keys are `snake_case`; in an editor's JSON they are the same words in `camelCase`, bare or under `aside`. A key
or value that is wrong is reported with its place and left out; everything else counts. Two mistakes are different, because
passing them over would send code to where you did not want it: while your own file cannot be read, or an address of the API
in it or in `ANTHROPIC_BASE_URL` is wrong, actions end with that error. `aside doctor` looks at all of this.

## What a repository may not set

The workspace's file comes with somebody's repository, and so can an editor's settings (`.vscode/settings.json`, `.nvim.lua`,
`.helix/languages.toml`). So `api.*`, `budget.*`, `prices.*`, `parameters.user_id` and `parameters.service_tier`
count only in your own file, in the environment and as flags; elsewhere they are refused and reported. `privacy.redact` can be switched on there
but not off, `privacy.include` is refused, and what `privacy.exclude` lists there is added to your own list.

## Environment

| variable | sets |
|---|---|
| `ANTHROPIC_API_KEY` | the key, sent as `x-api-key`; wins over the token and `api.key_command` |
| `ANTHROPIC_AUTH_TOKEN` | a token, sent as `Authorization: Bearer` |
| `ANTHROPIC_BASE_URL` | `api.base_url` |
| `ANTHROPIC_CUSTOM_HEADERS` | headers for every request, one `Name: value` a line |
| `ASIDE_CONFIG` | the path of your configuration file |
| `ASIDE_SETTINGS` | any keys, as one JSON object spelled as in an editor's settings; an editor's plugin hands over so what no repository may set |
| `ASIDE_DATA_DIR` | the folder of the ledger; else `$XDG_DATA_HOME/aside` |
| `ASIDE_CACHE_DIR` | the folder of explanation documents; else `$XDG_CACHE_HOME/aside` |
| `ASIDE_LOG` | what `aside serve` logs, such as `debug` or `aside::claude=trace` |

An empty variable counts as unset.

## Keys
";

/// The reference page, as Markdown.
pub fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut section = None;
    schema::each_key(&mut |name, key| {
        let own_section = name.split_once('.').map(|(section, _)| section.to_owned());
        if own_section != section {
            section = own_section;
            if let Some(section) = &section {
                heading(&mut page, section);
            }
        }
        entry(&mut page, name, key);
    });
    page
}

fn heading(page: &mut String, section: &str) {
    let schema = schema::at(&[section.to_owned()]);
    let named = schema.is_some_and(|schema| schema.get("additionalProperties").is_some_and(Value::is_object));
    let title = if named { format!("{section}.NAME") } else { section.to_owned() };
    let _ = write!(page, "\n### `{title}`\n\n{}\n", schema.map(description).unwrap_or_default());
}

fn entry(page: &mut String, name: &str, key: &Value) {
    let _ = write!(page, "\n#### `{name}`\n\n{}\n\n- takes: {}\n", description(key), schema::takes(key));
    for (choice, meaning) in schema::choices(key) {
        if !meaning.is_empty() {
            let _ = writeln!(page, "  - `{choice}`: {meaning}");
        }
    }
    let default = match key.get("default") {
        Some(value) => format!("`{value}`"),
        None => "not set".to_owned(),
    };
    let _ = writeln!(page, "- default: {default}");
    let _ = if is_personal(name) {
        writeln!(
            page,
            "- not in a workspace's file, not in an editor; in VS Code `aside.{}` of your own settings",
            camel(name)
        )
    } else {
        writeln!(page, "- in an editor: `aside.{}`", camel(name))
    };
}

/// Whether a key counts only where no repository can have written it.
pub(super) fn is_personal(name: &str) -> bool {
    ["api.", "budget.", "prices."].iter().any(|section| name.starts_with(section))
        || matches!(name, "parameters.user_id" | "parameters.service_tier")
}

/// A configuration file in which every key stands as a comment, with its default or an example. One for a workspace
/// leaves out what does not count there.
pub fn commented_file(for_workspace: bool) -> String {
    let mut file = String::from(
        "# Aside's configuration. Every key is shown with its default; remove the `#` in front of what you change.\n\
         # What the keys mean in full: `aside config schema --markdown`.\n",
    );
    let mut section = None;
    schema::each_key(&mut |name, key| {
        if for_workspace && is_personal(name) {
            return;
        }
        let (own_section, last) = match name.rsplit_once('.') {
            Some((section, last)) => {
                let name = if section.starts_with("prices") { "claude-sonnet-5-5" } else { "explain" };
                (Some(section.replace("NAME", name)), last)
            }
            None => (None, name),
        };
        if own_section != section {
            section.clone_from(&own_section);
            if let Some(section) = &section {
                let _ = write!(file, "\n[{section}]\n");
            }
        }
        file.push('\n');
        for line in wrapped(description(key), 96) {
            let _ = writeln!(file, "# {line}");
        }
        let choices: Vec<&str> = schema::choices(key).into_iter().map(|(choice, _)| choice).collect();
        if !choices.is_empty() {
            let _ = writeln!(file, "# One of: {}", choices.join(", "));
        }
        let value = key.get("default").cloned().unwrap_or_else(|| example(last));
        let _ = writeln!(file, "#{last} = {value}");
    });
    file
}

/// For keys without a default.
fn example(key: &str) -> Value {
    match key {
        "key_command" => serde_json::json!(["pass", "show", "anthropic"]),
        "effort" => "low".into(),
        "budget_tokens" => 4096.into(),
        "daily_usd" => 5.0.into(),
        "monthly_usd" => 50.0.into(),
        "enabled" => true.into(),
        "input" => 2.0.into(),
        "output" => 10.0.into(),
        "cache_write_5m" => 2.5.into(),
        "cache_write_1h" => 4.0.into(),
        "cache_read" => 0.1.into(),
        "over_tokens" => 200_000.into(),
        "temperature" => 0.2.into(),
        "top_p" => 0.9.into(),
        "top_k" => 40.into(),
        "user_id" => "user-4711".into(),
        "service_tier" => "standard_only".into(),
        "max_output_tokens" => 8000.into(),
        "max_tokens" => 2000.into(),
        _ => "claude-haiku-5-5".into(),
    }
}

fn description(schema: &Value) -> &str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Layers, Paths};

    #[test]
    fn page_is_in_step() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
        let page = reference();
        let present = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
        if present != page {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, page).unwrap();
            panic!("{} was not up to date: it has been rewritten, look at it and commit it", file.display());
        }
    }

    #[test]
    fn commented_file_is_valid_with_and_without_its_comments() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let env = Environment::from_pairs([("ASIDE_CONFIG", file.to_str().unwrap())]);
        let uncommented = commented_file(false)
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
                _ => line.to_owned(),
            })
            .collect::<Vec<_>>()
            .join("\n");
        for (text, keys) in [(commented_file(false), 0), (uncommented, schema::key_names().len())] {
            std::fs::write(&file, &text).unwrap();
            let resolved = Layers::load(&env, &Paths::new(&env), None).resolve();
            assert_eq!(resolved.problems, [], "{text}");
            assert_eq!(resolved.origins.len(), keys, "{text}");
        }
    }
}
