//! Is Aside set up in the editors that are here? Their files are read, never written, and no value of them is shown.

mod emacs;
mod helix;
mod home;
mod json;
mod kakoune;
mod lua;
mod neovim;
mod others;
mod vim;
mod vscode;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use self::home::{Home, Text, place};
use super::{Check, Status};
use crate::cli::terminal::visible;
use crate::config::{Environment, editor_problems};

/// An editor whose configuration `aside doctor` can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Editor {
    /// Neovim, with or without the plugin.
    Neovim,
    /// Helix.
    Helix,
    /// VS Code and its family.
    Vscode,
    /// Emacs with eglot.
    Emacs,
    /// Zed.
    Zed,
    /// Kakoune with kak-lsp.
    Kakoune,
    /// Vim with ALE or coc.
    Vim,
    /// Kate.
    Kate,
}

/// What to add, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Snippet {
    /// The file it goes into; a command for a shell has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<&'static str>,
    /// The lines.
    pub(super) text: &'static str,
}

/// What the files of one editor say.
#[derive(Default)]
struct Findings {
    /// The editor has a folder of its own here.
    present: bool,
    /// Aside is configured in it, well or not.
    set_up: bool,
    /// A file could not be looked into.
    unread: bool,
    checks: Vec<Check>,
}

impl Editor {
    fn name(self) -> &'static str {
        match self {
            Self::Neovim => "Neovim",
            Self::Helix => "Helix",
            Self::Vscode => "VS Code",
            Self::Emacs => "Emacs",
            Self::Zed => "Zed",
            Self::Kakoune => "Kakoune",
            Self::Vim => "Vim",
            Self::Kate => "Kate",
        }
    }

    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Neovim => &["nvim"],
            Self::Helix => &["hx", "helix"],
            Self::Vscode => &["code", "code-insiders", "codium", "code-server"],
            Self::Emacs => &["emacs"],
            Self::Zed => &["zed", "zeditor"],
            Self::Kakoune => &["kak"],
            // It is on machines of many who never start it.
            Self::Vim => &[],
            Self::Kate => &["kate"],
        }
    }

    /// The lines that set Aside up, as its page has them.
    pub(super) fn snippet(self) -> Option<Snippet> {
        let (file, text) = match self {
            Self::Neovim => (Some("~/.config/nvim/init.lua"), include_str!("editors/snippets/neovim.lua")),
            Self::Helix => (Some("~/.config/helix/languages.toml"), include_str!("editors/snippets/helix.toml")),
            Self::Vscode => (None, include_str!("editors/snippets/vscode.sh")),
            Self::Emacs => (Some("~/.emacs.d/init.el"), include_str!("editors/snippets/emacs.el")),
            Self::Kakoune => (Some("~/.config/kak/kakrc"), include_str!("editors/snippets/kakoune.kak")),
            Self::Vim => (Some("~/.vimrc"), include_str!("editors/snippets/vim.vim")),
            Self::Kate => (Some("~/.config/kate/lspclient/settings.json"), include_str!("editors/snippets/kate.json")),
            // What sets it up is an extension.
            Self::Zed => return None,
        };
        Some(Snippet { file, text })
    }

    fn look(self, home: &Home<'_>) -> Findings {
        let mut findings = Findings::default();
        match self {
            Self::Neovim => neovim::look(home, &mut findings),
            Self::Helix => helix::look(home, &mut findings),
            Self::Vscode => vscode::look(home, &mut findings),
            Self::Emacs => emacs::look(home, &mut findings),
            Self::Zed => others::zed(home, &mut findings),
            Self::Kakoune => kakoune::look(home, &mut findings),
            Self::Vim => vim::look(home, &mut findings),
            Self::Kate => others::kate(home, &mut findings),
        }
        findings.present |= self.programs().iter().any(|program| home.has_program(program));
        findings
    }

    fn not_set_up(self) -> Check {
        let check = Check::new(self.name(), Status::Warning, "Aside is not set up in it");
        match self.snippet() {
            Some(_) => check,
            None => check.advice(others::EXTENSION_OF_ZED),
        }
    }
}

/// Looks at one editor, whether it is here or not, or at all that are here.
pub(super) fn look(env: &Environment, project: Option<PathBuf>, only: Option<Editor>) -> Vec<Check> {
    let home = Home::new(env, project);
    if let Some(editor) = only {
        let findings = editor.look(&home);
        let mut checks = findings.checks;
        if !findings.set_up && !findings.unread {
            checks.push(editor.not_set_up().snippet(editor.snippet()));
        }
        return checks;
    }
    let found = Editor::value_variants().iter().map(|editor| (*editor, editor.look(&home)));
    let found: Vec<(Editor, Findings)> = found.filter(|(_, it)| it.present || it.set_up).collect();
    let is_used = found.iter().any(|(_, findings)| findings.set_up);
    let mut checks = Vec::new();
    for (editor, findings) in found {
        checks.extend(findings.checks);
        if findings.set_up || findings.unread {
            continue;
        }
        let mut check = editor.not_set_up();
        if is_used {
            // Somebody with several editors has a reason; one line is enough about the others.
            check.status = Status::Skipped;
            let name = editor.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            check = check.advice(format!("`aside doctor --editor {name}` says more."));
        } else {
            check = check.snippet(editor.snippet());
        }
        checks.push(check);
    }
    checks
}

impl Findings {
    fn say(&mut self, editor: Editor, status: Status, message: impl Into<String>) -> &mut Check {
        let message: String = message.into();
        self.checks.push(Check::new(editor.name(), status, visible(&message).into_owned()));
        let last = self.checks.len() - 1;
        &mut self.checks[last]
    }

    /// The text of a file, if it is there and can be read; why not, if only that.
    fn read(&mut self, editor: Editor, home: &Home<'_>, path: &Path) -> Option<String> {
        match home.read(path) {
            Text::Absent => None,
            Text::Unread(reason) => {
                self.unread = true;
                self.say(editor, Status::Skipped, format!("{} was not looked into: {reason}", path.display()));
                None
            }
            Text::Read(text) => Some(text),
        }
    }

    /// What is wrong with the settings for Aside in an editor's file.
    fn settings(&mut self, editor: Editor, at: &str, settings: &Value, is_personal: bool) {
        for message in editor_problems(settings, is_personal) {
            self.say(editor, Status::Failed, format!("{at}: {message}")).advice =
                Some("`aside config schema --editor` has all keys.".to_owned());
        }
    }

    /// Says so where an editor that does not announce that it applies edits is not taken to do so: neither by what it
    /// tells the server, nor by the user's own file.
    fn takes_edits(
        &mut self,
        (editor, client): (Editor, &str),
        home: &Home<'_>,
        options: Option<&Value>,
        advice: &str,
    ) {
        let options = options.map(|options| options.get("aside").unwrap_or(options));
        let said = options.and_then(|options| options.get("edits")?.get("assumeApply")?.as_bool());
        if said.or_else(|| home.assumes_edits()) != Some(true) {
            let message = format!("{client} does not say that it applies edits, so they arrive as documents");
            self.say(editor, Status::Warning, message).advice = Some(advice.to_owned());
        }
    }

    /// Whether the command that starts the server is right.
    fn command(&mut self, editor: Editor, home: &Home<'_>, at: &str, command: &str, args: Option<&[&str]>) -> bool {
        if !home.has_program(command) {
            let is_line = command.split_whitespace().count() > 1;
            let shown: String = command.chars().take(60).collect();
            let message = if command.contains(['/', '\\']) {
                format!("{at}: there is no program `{shown}`")
            } else {
                format!("{at}: `{shown}` is not on the PATH")
            };
            let advice = if is_line {
                "The command is the program alone; `serve` is an argument.".to_owned()
            } else {
                format!("Add its folder to PATH, or write the full path{}.", own_path())
            };
            self.say(editor, Status::Failed, message).advice = Some(advice);
            return false;
        }
        if args.is_some_and(|args| args.first() != Some(&"serve")) {
            let message = format!("{at}: the server's first argument is not `serve`");
            self.say(editor, Status::Failed, message).advice =
                Some("The server is started by `aside serve`.".to_owned());
            return false;
        }
        true
    }
}

/// Where this program is, to be written into a configuration.
fn own_path() -> String {
    std::env::current_exe().map(|path| format!(", such as {}", path.display())).unwrap_or_default()
}

/// A file with a place in it.
fn at(path: &Path, (line, column): (usize, usize)) -> String {
    format!("{}:{line}:{column}", path.display())
}

/// Whether a command starts Aside.
fn is_aside(command: &str) -> bool {
    let name = command.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.split_whitespace().next().unwrap_or_default();
    name == "aside" || name == "aside.exe"
}

/// The most similar name, if it is similar enough to have been meant.
fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let best = names.iter().map(|name| (strsim::jaro_winkler(word, name), *name)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score > 0.8).map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
