//! Neovim: `init.lua` and what it loads, `lsp/aside.lua`, and the plugin.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::lua::{self, Lua, plain};
use super::{Editor, Findings, Home, Status, Text, at, nearest};

const NEOVIM: Editor = Editor::Neovim;

/// Nobody has more files of configuration than this.
const MAX_FILES: usize = 400;
/// Nor deeper folders.
const MAX_DEPTH: usize = 6;

/// The plugin's options, as `lua/aside/config.lua` has them.
pub(super) const OPTIONS: [&str; 11] = [
    "cmd",
    "simulate",
    "autostart",
    "filetypes",
    "preview",
    "window",
    "progress",
    "keymaps",
    "env",
    "log_level",
    "settings",
];

/// Those below `window`.
pub(super) const OF_THE_WINDOW: [&str; 4] = ["layout", "size", "enter", "border"];

pub(super) fn look(home: &Home<'_>, findings: &mut Findings) {
    let app = home.variable("NVIM_APPNAME").unwrap_or("nvim");
    let Some(folder) = home.config(app) else { return };
    findings.present |= folder.is_dir();
    let plugin = home.data(app).and_then(|data| plugin(&data));

    let mut texts: Vec<(PathBuf, Lua)> = Vec::new();
    for path in files(&folder) {
        // Of all these files only those that are about Aside are of interest, also when they cannot be read.
        let Text::Read(text) = home.read(&path) else { continue };
        if text.contains("aside") || path.ends_with("lsp/aside.lua") {
            let lua = if path.extension().is_some_and(|extension| extension == "lua") {
                lua::read(&text)
            } else {
                Lua { enables: text.contains("vim.lsp.enable"), configs: Vec::new(), ..Lua::default() }
            };
            texts.push((path, lua));
        }
    }
    let before = findings.checks.len();
    let mut has_config = plugin.is_some();
    for (path, text) in &texts {
        if let Some(place) = text.broken {
            findings.say(NEOVIM, Status::Warning, format!("{}: this does not look like Lua", at(path, place)));
        }
        let is_preset = path.ends_with("lsp/aside.lua");
        let returned = text.returned.iter().filter(|_| is_preset);
        for (table, place) in text.configs.iter().chain(returned) {
            has_config = true;
            config(home, findings, &at(path, *place), table);
        }
        for (folder, place) in &text.folders {
            named(home, findings, &at(path, *place), folder);
        }
        for (options, place) in &text.setups {
            setup(home, findings, &at(path, *place), options);
        }
        has_config |= is_preset || path.extension().is_some_and(|extension| extension == "vim");
    }
    let enables = texts.iter().any(|(_, text)| text.enables);
    let requires = texts.iter().any(|(_, text)| text.requires);
    findings.set_up = has_config || enables || requires;
    if !findings.set_up {
        return;
    }
    if !has_config && !requires {
        findings.say(NEOVIM, Status::Failed, "`aside` is enabled, and nothing says how to start it").snippet =
            NEOVIM.snippet();
    } else if !enables && plugin.is_none() && !requires {
        findings.say(NEOVIM, Status::Failed, "`aside` is configured and not enabled").advice =
            Some("Add `vim.lsp.enable(\"aside\")`.".to_owned());
    }
    if findings.checks.len() == before {
        let message = match plugin {
            Some(plugin) => format!("the plugin is installed in {}", plugin.display()),
            None if requires => "the plugin is set up".to_owned(),
            None => "set up".to_owned(),
        };
        findings.say(NEOVIM, Status::Ok, message);
    }
}

fn config(home: &Home<'_>, findings: &mut Findings, here: &str, table: &Value) {
    if let Some(Value::Array(command)) = table.get("cmd").and_then(|command| command.get(lua::LIST)) {
        // What is computed is null, and nothing can be said of it.
        if let Some(program) = command.first().and_then(Value::as_str) {
            let known: Option<Vec<&str>> = command[1..].iter().map(Value::as_str).collect();
            findings.command(NEOVIM, home, here, program, known.as_deref());
        }
    }
    if let Some(settings) = table.get("settings").and_then(|settings| settings.get("aside")) {
        findings.settings(NEOVIM, here, &plain(settings), false);
    }
    if let Some(options) = table.get("init_options") {
        findings.settings(NEOVIM, here, &plain(options), false);
    }
}

/// Whether the plugin is where it is said to be.
fn named(home: &Home<'_>, findings: &mut Findings, here: &str, folder: &str) {
    let path = match folder.strip_prefix("~/") {
        Some(rest) => home.at(rest),
        None => Some(PathBuf::from(folder)).filter(|path| path.is_absolute()),
    };
    if path.is_some_and(|path| !path.join("plugin/aside.lua").is_file()) {
        findings.say(NEOVIM, Status::Failed, format!("{here}: the plugin is not in {folder}")).advice =
            Some("It is the folder editors/neovim of a clone of the repository.".to_owned());
    }
}

/// What the plugin is told. Its `cmd` stands in front of `serve`, and it finds `aside` by the `PATH`.
fn setup(home: &Home<'_>, findings: &mut Findings, here: &str, options: &Value) {
    let command = options.get("cmd").and_then(|command| command.get(lua::LIST)).and_then(|command| command.get(0));
    match (command, options.get("cmd")) {
        (Some(Value::String(program)), _) => {
            findings.command(NEOVIM, home, here, program, None);
        }
        (None, None) => {
            findings.command(NEOVIM, home, here, "aside", None);
        }
        _ => {}
    }
    if let Some(settings) = options.get("settings") {
        findings.settings(NEOVIM, here, &plain(settings), false);
    }
    for (options, known, prefix) in
        [(Some(options), &OPTIONS[..], ""), (options.get("window"), &OF_THE_WINDOW, "window.")]
    {
        let names = options.and_then(Value::as_object).into_iter().flat_map(Map::keys);
        for name in names.filter(|name| *name != lua::LIST && !known.contains(&name.as_str())) {
            let hint = nearest(name, known).map(|name| format!("; did you mean `{prefix}{name}`?")).unwrap_or_default();
            let message = format!("{here}: the plugin has no option `{prefix}{name}`{hint}");
            findings.say(NEOVIM, Status::Failed, message).advice = Some("`:help aside-options` has all.".to_owned());
        }
    }
}

/// The files that Neovim may load from a folder, the first ones first. Links to folders are not followed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["init.lua", "init.vim"].iter().map(|name| folder.join(name)).collect();
    let names = ["lsp", "after/lsp", "plugin", "after/plugin", "lua"];
    let mut folders: Vec<(PathBuf, usize)> = names.iter().rev().map(|name| (folder.join(name), 0)).collect();
    while let Some((folder, depth)) = folders.pop() {
        let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().take(MAX_FILES).flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if depth < MAX_DEPTH && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push((path, depth + 1));
            } else if path.extension().is_some_and(|extension| extension == "lua" || extension == "vim") {
                found.push(path);
            }
        }
        if found.len() > MAX_FILES {
            break;
        }
    }
    found.truncate(MAX_FILES);
    found
}

/// Where a plugin manager put the plugin: by itself, or as a part of the whole repository.
fn plugin(data: &Path) -> Option<PathBuf> {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().take(1000).flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let packs = folders(&data.join("site/pack"));
    let packs = packs.iter().flat_map(|pack| ["start", "opt"].map(|kind| pack.join(kind)));
    let mut homes: Vec<PathBuf> = std::iter::once(data.join("lazy")).chain(packs).flat_map(|it| folders(&it)).collect();
    homes.sort();
    homes
        .into_iter()
        .flat_map(|home| [home.join("editors/neovim"), home])
        .find(|home| home.join("plugin/aside.lua").is_file())
}
