//! VS Code and its family: is the extension there, and are its settings good?

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Editor, Findings, Home, Status, at, json, nearest, place};

const VSCODE: Editor = Editor::Vscode;

/// The settings that the extension keeps to itself.
const OF_THE_EXTENSION: [&str; 4] =
    ["aside.server.path", "aside.server.simulate", "aside.server.environment", "aside.trace.server"];

pub(super) fn look(home: &Home<'_>, findings: &mut Findings) {
    let kinds = ["Code", "Code - Insiders", "VSCodium"];
    let mut users: Vec<PathBuf> = kinds.iter().filter_map(|kind| home.support(&format!("{kind}/User"))).collect();
    users.extend(home.data("code-server/User"));
    users.extend(home.at(".vscode-server/data/Machine"));
    users.extend(home.data("code-server/Machine"));
    findings.present |= users.iter().any(|folder| folder.is_dir());

    let folders = [".vscode", ".vscode-insiders", ".vscode-oss", ".vscode-server"];
    let mut extensions: Vec<PathBuf> =
        folders.iter().filter_map(|folder| home.at(&format!("{folder}/extensions"))).collect();
    extensions.extend(home.data("code-server/extensions"));
    let versions: Vec<String> = extensions.iter().flat_map(|folder| installed(folder)).collect();
    findings.set_up = !versions.is_empty();

    let before = findings.checks.len();
    for folder in users {
        settings(home, findings, &folder.join("settings.json"), true);
    }
    if let Some(file) = home.project.as_ref().map(|project| project.join(".vscode").join("settings.json")) {
        settings(home, findings, &file, false);
    }
    if findings.set_up && findings.checks.len() == before {
        findings.say(VSCODE, Status::Ok, format!("the extension is installed ({})", versions.join(", ")));
    }
}

/// The versions of the extension in a folder of extensions.
fn installed(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().take(2000).flatten();
    let mut versions: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix("aside.aside-")?;
            entry.path().join("package.json").is_file().then(|| version.to_owned())
        })
        .collect();
    versions.sort();
    versions
}

fn settings(home: &Home<'_>, findings: &mut Findings, path: &Path, is_personal: bool) {
    let Some(text) = findings.read(VSCODE, home, path) else { return };
    let all = match json::parse(&text) {
        Ok(Value::Object(all)) => all,
        Ok(_) => return,
        Err((place, reason)) => {
            let status = if text.contains("aside.") { Status::Failed } else { Status::Warning };
            findings.say(VSCODE, status, format!("{}: not JSON: {reason}", at(path, place)));
            return;
        }
    };
    for (key, value) in all.into_iter().filter(|(key, _)| key.starts_with("aside.")) {
        let offset = text.find(&format!("\"{key}\"")).unwrap_or(0);
        let here = at(path, place(&text, offset));
        if OF_THE_EXTENSION.contains(&key.as_str()) {
            if !is_personal && key.starts_with("aside.server.") {
                let message = format!("{here}: `{key}` does not count here, where a repository could set it");
                findings.say(VSCODE, Status::Failed, message).advice = Some("Set it in your own settings.".to_owned());
            } else if let (true, Some(program)) = (key == "aside.server.path", value.as_str())
                && !program.is_empty()
            {
                findings.command(VSCODE, home, &here, program, None);
            }
        } else if key.starts_with("aside.server.") {
            let hint = nearest(&key, &OF_THE_EXTENSION).map(|name| format!("; did you mean `{name}`?"));
            let message = format!("{here}: there is no `{key}`{}", hint.unwrap_or_default());
            findings.say(VSCODE, Status::Failed, message);
        } else {
            let name = key.trim_start_matches("aside.").to_owned();
            findings.settings(VSCODE, &here, &Value::Object(Map::from_iter([(name, value)])), is_personal);
        }
    }
}
