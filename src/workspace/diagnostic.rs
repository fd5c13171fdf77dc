//! What other tools say about a text.

use serde::{Deserialize, Serialize};

use super::Span;

/// A complaint of a compiler, a type checker or a linter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What it is about.
    pub span: Span,
    /// How bad it is.
    pub severity: Severity,
    /// What it says.
    pub message: String,
    /// Who says it, with the code of the complaint, such as `pyright(reportCallIssue)`; empty if unknown.
    pub source: String,
}

/// How bad a complaint is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does not work.
    Error,
    /// It may not work.
    Warning,
    /// It can be better.
    Information,
    /// It can be other.
    Hint,
}

impl Severity {
    /// The name for the prompt.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
            Self::Hint => "hint",
        }
    }
}
