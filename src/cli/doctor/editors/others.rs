//! Editors of which only this much is looked at: does a file of theirs start Aside, and can it be read?

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Editor, Findings, Home, Status, at, is_aside, json};

/// Emacs: `"aside"` and `eglot` in one of the files it starts with.
pub(super) fn emacs(home: &Home<'_>, findings: &mut Findings) {
    let files = [
        home.at(".emacs"),
        home.at(".emacs.el"),
        home.at(".emacs.d/init.el"),
        home.config("emacs/init.el"),
        home.config("doom/config.el"),
    ];
    mentioned(home, findings, Editor::Emacs, files, ";", |text| {
        text.contains("\"aside\"") && (text.contains("eglot") || text.contains("lsp-"))
    });
}

/// Kakoune: a server in `kak-lsp.toml`, or in `kakrc`, where newer versions of kak-lsp have it.
pub(super) fn kakoune(home: &Home<'_>, findings: &mut Findings) {
    let files = [home.config("kak/kakrc"), home.config("kak-lsp/kak-lsp.toml"), home.config("kak/autoload/aside.kak")];
    mentioned(home, findings, Editor::Kakoune, files, "#", |text| {
        text.contains("aside") && (text.contains("lsp_servers") || text.contains("language_server"))
    });
}

/// Files that are programs: what stands in comments does not count, and the rest is searched for words.
fn mentioned(
    home: &Home<'_>,
    findings: &mut Findings,
    editor: Editor,
    files: impl IntoIterator<Item = Option<PathBuf>>,
    comment: &str,
    is_set_up: fn(&str) -> bool,
) {
    for path in files.into_iter().flatten() {
        let Some(text) = findings.read(editor, home, &path) else { continue };
        findings.present = true;
        let lines = text.lines().filter(|line| !line.trim_start().starts_with(comment));
        let code: String = lines.flat_map(|line| [line, "\n"]).collect();
        if is_set_up(&code) && !findings.set_up {
            findings.set_up = true;
            if home.has_program("aside") {
                findings.say(editor, Status::Ok, format!("named in {}", path.display()));
            } else {
                findings.command(editor, home, &path.display().to_string(), "aside", None);
            }
        }
    }
}

/// Zed: `lsp.aside` in its settings.
pub(super) fn zed(home: &Home<'_>, findings: &mut Findings) {
    // Also on macOS.
    let Some(path) = home.config("zed/settings.json") else { return };
    let Some(settings) = read(home, findings, Editor::Zed, &path) else { return };
    let Some(server) = settings.get("lsp").and_then(|servers| servers.get("aside")) else { return };
    findings.set_up = true;
    let here = path.display().to_string();
    let before = findings.checks.len();
    if let Some(binary) = server.get("binary") {
        let program = binary.get("path").and_then(Value::as_str).unwrap_or("aside");
        let args = binary.get("arguments").and_then(Value::as_array);
        let args: Option<Vec<&str>> = args.map(|args| args.iter().filter_map(Value::as_str).collect());
        findings.command(Editor::Zed, home, &here, program, args.as_deref());
    }
    for section in ["settings", "initialization_options"] {
        if let Some(options) = server.get(section) {
            findings.settings(Editor::Zed, &here, options, false);
        }
    }
    if findings.checks.len() == before {
        findings.say(Editor::Zed, Status::Ok, format!("set up in {here}"));
    }
}

/// Kate: a server in the settings of its LSP client.
pub(super) fn kate(home: &Home<'_>, findings: &mut Findings) {
    let Some(path) = home.config("kate/lspclient/settings.json") else { return };
    findings.present |= home.config("katerc").is_some_and(|file| file.is_file());
    let Some(settings) = read(home, findings, Editor::Kate, &path) else { return };
    let servers = settings.get("servers").and_then(Value::as_object).into_iter().flatten();
    let commands = servers.filter_map(|(language, server)| Some((language, server.get("command")?.as_array()?)));
    let here = path.display().to_string();
    let mut named = Vec::new();
    let mut good = true;
    for (language, command) in commands {
        let words: Option<Vec<&str>> = command.iter().map(Value::as_str).collect();
        if let Some((program, args)) = words.as_deref().and_then(<[&str]>::split_first)
            && is_aside(program)
        {
            findings.set_up = true;
            // One program for many languages is one thing to say.
            good = good && findings.command(Editor::Kate, home, &here, program, Some(args));
            named.push(language.as_str());
        }
    }
    if good && !named.is_empty() {
        findings.say(Editor::Kate, Status::Ok, format!("set up for {}", named.join(", ")));
    }
}

fn read(home: &Home<'_>, findings: &mut Findings, editor: Editor, path: &Path) -> Option<Value> {
    findings.present |= path.parent().is_some_and(Path::is_dir);
    let text = findings.read(editor, home, path)?;
    match json::parse(&text) {
        Ok(settings) => Some(settings),
        Err((place, reason)) => {
            findings.unread = true;
            let status = if text.contains("aside") { Status::Failed } else { Status::Warning };
            findings.say(editor, status, format!("{}: not JSON: {reason}", at(path, place)));
            None
        }
    }
}
