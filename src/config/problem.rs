//! What was wrong with a key or a value, and where it stands.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from. The order is that of the layers: later wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Aside's own default.
    BuiltIn,
    /// The user's configuration file.
    User(PathBuf),
    /// The configuration file that came with a workspace: not trusted.
    Workspace(PathBuf),
    /// The editor's settings, which a repository can carry too: not trusted.
    Editor,
    /// The environment variable of this name.
    Environment(&'static str),
    /// The command line.
    Flag,
}

impl Source {
    /// Whether somebody's repository cannot have written it.
    pub fn is_trusted(&self) -> bool {
        !matches!(self, Self::Workspace(_) | Self::Editor)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::User(path) | Self::Workspace(path) => write!(f, "{}", path.display()),
            Self::Editor => f.write_str("editor settings"),
            Self::Environment(variable) => write!(f, "${variable}"),
            Self::Flag => f.write_str("command line"),
        }
    }
}

/// A key or value that was left out, or a file that could not be read. Everything else in the same layer still counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it came from.
    pub source: Source,
    /// Line and column in the file, from 1, columns in characters.
    pub place: Option<(usize, usize)>,
    /// The key as the source spells it, with dots; empty when the whole source is meant.
    pub key: String,
    /// What is wrong, and the nearest valid name where there is one.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}
