//! What the tools of a conversation do: read files, search, list, outline, find definitions. Nothing else, and nothing
//! that [`Access`] does not permit.
//!
//! The model's arguments are guesses and what stands in files is data: a call that cannot be done is a result that says so,
//! and what comes from files stands between tags that its text cannot close. Every tool is limited in what it looks at, in
//! what it gives and in time, and stops when the job is cancelled.

mod definitions;
mod files;
mod search;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::host::Host;
use crate::claude::fold::invalid_arguments;
use crate::claude::types::ContentBlock;
use crate::config::Privacy;
use crate::prompt::tools as names;
use crate::unseen::turns;
use crate::workspace::access::{Access, is_of_system};
use crate::workspace::roots::{normalized, relative};

/// All calls of one turn together take no longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The calls of one turn beyond these are refused.
const MOST_CALLS: usize = 16;

/// Most bytes of one result.
const MOST_BYTES: usize = 40 * 1024;

/// What a call gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the model is told.
    pub text: String,
    /// Whether the tool failed.
    pub is_error: bool,
}

impl Outcome {
    /// What the model asked for.
    pub fn ok(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_error: false }
    }

    /// Why it does not get that; one sentence, and what may help.
    pub fn error(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_error: true }
    }
}

/// Who takes the findings that the model reports.
pub trait Findings: Send + Sync {
    /// The arguments of one call of `report_finding`, as the model gave them. Must not block.
    fn report(&self, finding: &Value) -> Outcome;
}

/// For tasks that ask for none.
pub struct NoFindings;

impl Findings for NoFindings {
    fn report(&self, _: &Value) -> Outcome {
        Outcome::error("This task asks for no findings. Answer it in words.")
    }
}

/// A tool call of the model's.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) input: Value,
}

impl Call {
    /// The calls of an answer, in its order.
    pub(super) fn all(answer: &[ContentBlock]) -> Vec<Self> {
        let calls = answer.iter().filter_map(|block| match block {
            ContentBlock::ToolUse { id, name, input, .. } => {
                Some(Self { id: id.clone(), name: name.clone(), input: input.clone() })
            }
            _ => None,
        });
        calls.collect()
    }

    /// The block that answers it.
    pub(super) fn answered(&self, outcome: Outcome) -> ContentBlock {
        ContentBlock::ToolResult {
            tool_use_id: self.id.clone(),
            content: Some(Value::String(outcome.text)),
            is_error: outcome.is_error.then_some(true),
            cache_control: None,
        }
    }

    /// What it does, for people: one line, such as ``searches `load(` ``.
    pub(super) fn line(&self) -> String {
        let text = |key: &str| self.input.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = |key: &str| self.input.get(key).and_then(Value::as_u64);
        let path = match text("path") {
            "" => "the project",
            path => path,
        };
        let line = match self.name.as_str() {
            names::READ_FILE => match (number("start_line"), number("end_line")) {
                (None, None) => format!("reads {path}"),
                (first, None) => format!("reads {path}:{}-", first.unwrap_or(1)),
                (first, Some(last)) => format!("reads {path}:{}-{last}", first.unwrap_or(1)),
            },
            names::SEARCH => format!("searches `{}`", text("pattern")),
            names::LIST_FILES => format!("lists {path}"),
            names::OUTLINE => format!("outlines {path}"),
            names::FIND_DEFINITION => format!("looks for `{}`", text("name")),
            names::REPORT_FINDING => format!("reports: {}", text("message")),
            other => format!("calls {other}"),
        };
        shortened(&line)
    }
}

/// The most characters of a line for people, and of an item's head.
const WIDEST: usize = 100;

/// One line of at most [`WIDEST`] characters.
fn shortened(text: &str) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).take(WIDEST + 1).collect();
    match line.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The project, as the tools see it.
pub(super) struct Toolbox<'a> {
    host: &'a dyn Host,
    root: Option<PathBuf>,
    access: Option<Access>,
    redact: bool,
    cancel: &'a CancellationToken,
    until: Instant,
}

impl<'a> Toolbox<'a> {
    /// The project below `root`, as far as `privacy` lets it be read; no project, no files.
    pub(super) fn new(
        host: &'a dyn Host,
        root: Option<&Path>,
        privacy: &Privacy,
        cancel: &'a CancellationToken,
    ) -> Self {
        let root = root.map(normalized);
        let access = root.as_deref().map(|root| Access::of(root, privacy));
        Self { host, root, access, redact: privacy.redact, cancel, until: Instant::now() + PATIENCE }
    }

    /// Does what the calls ask for. Blocks, for some seconds at most.
    pub(super) fn run(&self, calls: &[Call], findings: &dyn Findings, told: &dyn Fn(&str)) -> Vec<ContentBlock> {
        let results = calls.iter().enumerate().map(|(index, call)| {
            told(&call.line());
            call.answered(if index < MOST_CALLS {
                self.call(call, findings)
            } else {
                Outcome::error(format!(
                    "At most {MOST_CALLS} calls in one turn are done; make this one again if you need it."
                ))
            })
        });
        results.collect()
    }

    pub(super) fn call(&self, call: &Call, findings: &dyn Findings) -> Outcome {
        if let Some(text) = invalid_arguments(&call.input) {
            return Outcome::error(format!("The arguments are no JSON object: {}", shortened(text)));
        }
        if call.name == names::REPORT_FINDING {
            return findings.report(&call.input);
        }
        if self.is_over() {
            return Outcome::error("There was no time left for this call. Ask for less at once.");
        }
        let done = match call.name.as_str() {
            names::READ_FILE => arguments(&call.input).and_then(|it| self.read_file(&it)),
            names::SEARCH => arguments(&call.input).and_then(|it| self.search(&it)),
            names::LIST_FILES => arguments(&call.input).and_then(|it| self.list_files(&it)),
            names::OUTLINE => arguments(&call.input).and_then(|it| self.outline(&it)),
            names::FIND_DEFINITION => arguments(&call.input).and_then(|it| self.find_definition(&it)),
            other => Err(format!("There is no tool `{}`.", shortened(other))),
        };
        match done {
            Ok(text) => Outcome::ok(text),
            Err(text) => Outcome::error(text),
        }
    }

    /// Whether the time is over, or nobody waits any more.
    fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || Instant::now() >= self.until
    }

    /// The project's folder and what of it may be read.
    fn project(&self) -> Result<(&Path, &Access), String> {
        match (&self.root, &self.access) {
            (Some(root), Some(access)) => Ok((root, access)),
            _ => Err("This document belongs to no project, so there are no files to look at.".to_owned()),
        }
    }

    /// A path of the model's as one of this machine; never one outside of the project.
    fn resolve(&self, path: &str) -> Result<PathBuf, String> {
        let (root, _) = self.project()?;
        let resolved = normalized(&root.join(path.trim()));
        if resolved.starts_with(root) && !is_of_system(&resolved) {
            return Ok(resolved);
        }
        Err(format!("`{}` is outside of the project.", shortened(path)))
    }

    /// The text of a file as the user sees it. What may not be read is not there.
    fn text(&self, path: &Path) -> Result<String, String> {
        let (_, access) = self.project()?;
        let missing = || format!("There is no file `{}` that may be read.", self.shown(path));
        if !access.may_read(path) {
            return Err(missing());
        }
        match self.host.file(path) {
            Ok(Some(file)) => Ok(file.text.to_string()),
            Ok(None) => Err(missing()),
            // Its own words may name a path of this machine.
            Err(_) => Err(format!("`{}` is no text file.", self.shown(path))),
        }
    }

    /// What a file is called in the project.
    fn shown(&self, path: &Path) -> String {
        relative(path, self.root.as_deref().unwrap_or(Path::new("")))
    }
}

/// The arguments of a call.
fn arguments<T: DeserializeOwned>(input: &Value) -> Result<T, String> {
    serde_path_to_error::deserialize(input.clone()).map_err(|error| {
        let place = error.path().to_string();
        let place = if place == "." { String::new() } else { format!(" at `{place}`") };
        format!("The arguments are not right{place}: {}.", error.inner())
    })
}
