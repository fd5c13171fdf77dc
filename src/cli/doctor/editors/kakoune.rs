//! Kakoune: a server among those of kak-lsp, in `kakrc` or, as older versions of kak-lsp have it, in `kak-lsp.toml`.

use std::path::Path;

use toml::{Table, Value};

use super::{Editor, Findings, Home, Status, at, is_aside, nearest, place};

const KAKOUNE: Editor = Editor::Kakoune;

/// What kak-lsp 22 takes for a server. With any other key it takes none of the servers.
const SERVER_KEYS: [&str; 16] = [
    "command",
    "args",
    "root_globs",
    "root",
    "roots",
    "filetypes",
    "envs",
    "settings",
    "settings_section",
    "single_instance",
    "offset_encoding",
    "symbol_kinds",
    "experimental",
    "workspace_did_change_configuration_subsection",
    "workaround_server_sends_plaintext_labeled_as_markdown",
    "workaround_eslint",
];

pub(super) fn look(home: &Home<'_>, findings: &mut Findings) {
    let files = [home.config("kak/kakrc"), home.config("kak/autoload/aside.kak"), home.config("kak-lsp/kak-lsp.toml")];
    for path in files.into_iter().flatten() {
        let Some(text) = findings.read(KAKOUNE, home, &path) else { continue };
        findings.present = true;
        if findings.set_up {
            continue;
        }
        if path.extension().is_some_and(|extension| extension == "toml") {
            let table = text.parse::<Table>().unwrap_or_default();
            let name = |table: &str| table == "language" || table == "language_server";
            let servers = table.iter().filter(|(key, _)| name(key)).filter_map(|(_, servers)| servers.as_table());
            for (name, entry) in servers.flatten() {
                server(home, findings, &path, &path.display().to_string(), (name, entry));
            }
        } else {
            kakrc(home, findings, &path, &text);
        }
    }
}

fn kakrc(home: &Home<'_>, findings: &mut Findings, path: &Path, text: &str) {
    let code: String = text.lines().flat_map(|line| [uncommented(line), "\n"]).collect();
    for (offset, block) in blocks(&code) {
        let servers = match block.parse::<Table>() {
            Ok(servers) => servers,
            Err(error) if block.contains("aside") => {
                findings.set_up = true;
                let offset = offset + error.span().map_or(0, |span| span.start);
                let message =
                    format!("{}: not TOML: {}", at(path, place(&code, offset)), error.message().replace('\n', " "));
                findings.say(KAKOUNE, Status::Failed, message).snippet = KAKOUNE.snippet();
                continue;
            }
            Err(_) => continue,
        };
        let before = findings.set_up;
        for (name, entry) in &servers {
            let here = at(path, place(&code, offset + block.find(&format!("[{name}]")).unwrap_or(0)));
            server(home, findings, path, &here, (name, entry));
        }
        // Somebody may have it in a file that this one reads.
        if findings.set_up && !before && !code.contains("lsp-enable") {
            findings.say(KAKOUNE, Status::Warning, format!("{}: `lsp-enable` is missing", path.display())).advice =
                Some("Behind `eval %sh{kak-lsp}`, `lsp-enable` starts the servers of a buffer.".to_owned());
        }
    }
}

/// One server, if it is Aside.
fn server(home: &Home<'_>, findings: &mut Findings, path: &Path, here: &str, (name, entry): (&String, &Value)) {
    // Without a command the name is the program.
    let command = entry.get("command").and_then(Value::as_str).unwrap_or(name);
    if findings.set_up || !(name == "aside" || is_aside(command)) {
        return;
    }
    findings.set_up = true;
    let before = findings.checks.len();
    for key in entry.as_table().into_iter().flat_map(Table::keys).filter(|key| !SERVER_KEYS.contains(&key.as_str())) {
        let hint = nearest(key, &SERVER_KEYS).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        findings.say(KAKOUNE, Status::Failed, format!("{here}: kak-lsp knows no `{key}`{hint}")).advice =
            Some("kak-lsp then starts no server at all.".to_owned());
    }
    let args: Vec<&str> =
        entry.get("args").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    findings.command(KAKOUNE, home, here, command, Some(&args));
    let settings =
        entry.get("settings").and_then(|settings| match entry.get("settings_section").and_then(Value::as_str) {
            Some(section) => settings.get(section),
            None => Some(settings),
        });
    if let Some(settings) = settings.and_then(|settings| serde_json::to_value(settings).ok()) {
        findings.settings(KAKOUNE, here, &settings, false);
    }
    if findings.checks.len() == before {
        findings.say(KAKOUNE, Status::Ok, format!("named in {}", path.display()));
    }
}

/// A line of Kakoune's without its comment, if it is nothing else; comments behind commands are left to Kakoune.
fn uncommented(line: &str) -> &str {
    if line.trim_start().starts_with('#') { "" } else { line }
}

/// What stands in `%{ … }` behind `lsp_servers`, with its place.
fn blocks(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (offset, name) in text.match_indices("lsp_servers") {
        let behind = offset + name.len();
        let Some(start) = text[behind..].strip_prefix(|c: char| c.is_whitespace()).and_then(|rest| {
            let rest = rest.trim_start();
            rest.starts_with("%{").then(|| text.len() - rest.len() + 2)
        }) else {
            continue;
        };
        let mut depth = 1;
        let end = text[start..].char_indices().find(|(_, character)| {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        found.push((start, end.map_or(&text[start..], |(end, _)| &text[start..start + end])));
    }
    found
}
