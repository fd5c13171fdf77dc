//! The user's folders and programs as far as the environment names them, and careful reading of what lies there.

use std::path::{Path, PathBuf};

use crate::config::Environment;

/// No editor's configuration is this large; what is, is not read.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// A user's home, as the environment has it: nothing is guessed where that names none.
pub(super) struct Home<'a> {
    env: &'a Environment,
    /// The folder of the project, which may carry settings of editors.
    pub(super) project: Option<PathBuf>,
}

/// A file that was looked for.
pub(super) enum Text {
    Absent,
    /// It is there and cannot or should not be read, for this reason.
    Unread(String),
    Read(String),
}

impl<'a> Home<'a> {
    pub(super) fn new(env: &'a Environment, project: Option<PathBuf>) -> Self {
        Self { env, project }
    }

    /// A path below the home folder.
    pub(super) fn at(&self, path: &str) -> Option<PathBuf> {
        let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        Some(PathBuf::from(self.env.get(variable)?).join(path))
    }

    /// A path below the folder of configurations, which terminal programs have at the same place on Linux and macOS.
    pub(super) fn config(&self, path: &str) -> Option<PathBuf> {
        self.base("XDG_CONFIG_HOME", "APPDATA", ".config").map(|base| base.join(path))
    }

    /// A path below the folder of data.
    pub(super) fn data(&self, path: &str) -> Option<PathBuf> {
        self.base("XDG_DATA_HOME", "LOCALAPPDATA", ".local/share").map(|base| base.join(path))
    }

    /// A path below the folder of programs with windows, which macOS has elsewhere.
    pub(super) fn support(&self, path: &str) -> Option<PathBuf> {
        if cfg!(target_os = "macos") {
            return self.at(&format!("Library/Application Support/{path}"));
        }
        self.config(path)
    }

    /// The value of a variable.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name)
    }

    fn base(&self, xdg: &str, windows: &str, fallback: &str) -> Option<PathBuf> {
        let named = if cfg!(windows) { self.env.get(xdg).or_else(|| self.env.get(windows)) } else { self.env.get(xdg) };
        named.map(PathBuf::from).filter(|path| path.is_absolute()).or_else(|| self.at(fallback))
    }

    /// Reads a small file of text, which has to lie in the home or the project also when it is a link.
    pub(super) fn read(&self, path: &Path) -> Text {
        let Ok(metadata) = std::fs::metadata(path) else {
            let is_dangling = std::fs::symlink_metadata(path).is_ok();
            return if is_dangling { Text::Unread("it is a link to nothing".to_owned()) } else { Text::Absent };
        };
        // Reading a pipe or a device would never end.
        if !metadata.is_file() {
            return Text::Unread("it is not a file".to_owned());
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Text::Unread("it is larger than 1 MB".to_owned());
        }
        if !self.is_own(path) {
            return Text::Unread("it is a link that leads elsewhere".to_owned());
        }
        match std::fs::read(path).map(String::from_utf8) {
            Ok(Ok(text)) => Text::Read(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
            Ok(Err(_)) => Text::Unread("it is not UTF-8".to_owned()),
            Err(error) => Text::Unread(error.to_string()),
        }
    }

    /// Whether a path, with all links followed, is below a folder that is the user's or the project's.
    fn is_own(&self, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else { return false };
        let folders = [self.at(""), self.config(""), self.data(""), self.support(""), self.project.clone()];
        let mut folders = folders.into_iter().flatten().filter_map(|folder| folder.canonicalize().ok());
        folders.any(|folder| path.starts_with(folder))
    }

    /// What the user's own configuration says of `edits.assume_apply`.
    pub(super) fn assumes_edits(&self) -> Option<bool> {
        let path = self.env.get("ASIDE_CONFIG").map(PathBuf::from).or_else(|| self.config("aside/config.toml"))?;
        let Text::Read(text) = self.read(&path) else { return None };
        text.parse::<toml::Table>().ok()?.get("edits")?.get("assume_apply")?.as_bool()
    }

    /// Whether a program can be started: a name by `PATH`, a path as it is.
    pub(super) fn has_program(&self, command: &str) -> bool {
        if command.contains(['/', '\\']) {
            let path = match command.strip_prefix("~/") {
                Some(rest) => self.at(rest).unwrap_or_default(),
                None => PathBuf::from(command),
            };
            return is_program(&path);
        }
        let path = self.env.get("PATH").unwrap_or_default();
        let endings: &[&str] = if cfg!(windows) { &["", ".exe", ".cmd", ".bat"] } else { &[""] };
        let mut folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
        folders.any(|folder| endings.iter().any(|ending| is_program(&folder.join(format!("{command}{ending}")))))
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Line and column, from 1, of a byte offset; columns count characters.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let end = (0..=offset.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let line_start = text[..end].rfind('\n').map_or(0, |newline| newline + 1);
    (text[..end].matches('\n').count() + 1, text[line_start..end].chars().count() + 1)
}
