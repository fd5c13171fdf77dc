//! Editors whose configuration is JSON: Zed and Kate.

use std::path::Path;

use serde_json::Value;

use super::{Editor, Findings, Home, Status, at, is_aside, json};

/// How Aside comes into Zed.
pub(super) const EXTENSION_OF_ZED: &str =
    "Run `zed: install dev extension` in Zed, and choose the folder editors/zed of Aside's sources.";

/// Zed: the extension, and `lsp.aside` in its settings.
pub(super) fn zed(home: &Home<'_>, findings: &mut Findings) {
    let folders = [home.data("zed"), home.at("Library/Application Support/Zed")];
    let mut folders = folders.into_iter().flatten();
    let is_installed = folders.any(|folder| folder.join("extensions/installed/aside").is_dir());
    findings.set_up = is_installed;
    let before = findings.checks.len();
    // Also on macOS.
    let path = home.config("zed/settings.json").unwrap_or_default();
    let settings = read(home, findings, Editor::Zed, &path);
    let here = path.display().to_string();
    if let Some(server) = settings.as_ref().and_then(|settings| settings.get("lsp")?.get("aside")) {
        findings.set_up = true;
        if !is_installed {
            let message = format!("{here} has settings for Aside, and its extension is not installed");
            findings.say(Editor::Zed, Status::Failed, message).advice = Some(EXTENSION_OF_ZED.to_owned());
        }
        let binary = server.get("binary");
        let program = binary.and_then(|binary| binary.get("path")).and_then(Value::as_str).unwrap_or("aside");
        let args = binary.and_then(|binary| binary.get("arguments")).and_then(Value::as_array);
        let args: Option<Vec<&str>> = args.map(|args| args.iter().filter_map(Value::as_str).collect());
        findings.command(Editor::Zed, home, &here, program, args.as_deref());
        for section in ["settings", "initialization_options"] {
            if let Some(options) = server.get(section) {
                findings.settings(Editor::Zed, &here, options, false);
            }
        }
    } else if is_installed {
        findings.command(Editor::Zed, home, "the extension", "aside", None);
    }
    if findings.set_up && findings.checks.len() == before {
        findings.say(Editor::Zed, Status::Ok, "the extension is installed");
    }
}

/// Kate: a server in the settings of its LSP client.
pub(super) fn kate(home: &Home<'_>, findings: &mut Findings) {
    let Some(path) = home.config("kate/lspclient/settings.json") else { return };
    findings.present |= home.config("katerc").is_some_and(|file| file.is_file());
    let Some(settings) = read(home, findings, Editor::Kate, &path) else { return };
    let servers = settings.get("servers").and_then(Value::as_object).into_iter().flatten();
    let commands =
        servers.filter_map(|(language, server)| Some((language, server, server.get("command")?.as_array()?)));
    let here = path.display().to_string();
    let mut named = Vec::new();
    let mut good = true;
    for (language, server, command) in commands {
        let words: Option<Vec<&str>> = command.iter().map(Value::as_str).collect();
        if let Some((program, args)) = words.as_deref().and_then(<[&str]>::split_first)
            && is_aside(program)
        {
            findings.set_up = true;
            // One program for many languages is one thing to say.
            good = good && findings.command(Editor::Kate, home, &here, program, Some(args));
            if named.is_empty() {
                let before = findings.checks.len();
                let options = server.get("initializationOptions");
                for settings in [options, server.get("settings")].into_iter().flatten() {
                    findings.settings(Editor::Kate, &here, settings, false);
                }
                findings.takes_edits(
                    (Editor::Kate, "Kate"),
                    home,
                    options,
                    r#"Add `"initializationOptions": {"edits": {"assumeApply": true}}` to it."#,
                );
                good &= findings.checks.len() == before;
            }
            named.push(language.as_str());
        }
    }
    if good && !named.is_empty() {
        findings.say(Editor::Kate, Status::Ok, format!("set up for {}", named.join(", ")));
    }
}

/// A file of JSON, if it is there; what is wrong with it is said.
pub(super) fn read(home: &Home<'_>, findings: &mut Findings, editor: Editor, path: &Path) -> Option<Value> {
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
