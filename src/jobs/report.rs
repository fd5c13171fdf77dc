//! How a run ended.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::order::Order;
use crate::error::{Error, ErrorKind};
use crate::ledger::UsageReport;
use crate::output::diff;
use crate::output::explanation::Explanation;
use crate::output::findings::Finding;

/// How a run ended, as users and programs are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The edit landed.
    Applied,
    /// The edit would land; the host only shows it.
    Proposed,
    /// There is something to read.
    Shown,
    /// Nothing was changed; the answer was kept.
    Kept,
    /// The user stopped it.
    Cancelled,
    /// It did not work; there is an error.
    Failed,
}

impl Outcome {
    /// The name used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Proposed => "proposed",
            Self::Shown => "shown",
            Self::Kept => "kept",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// What became of one file.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileEdit {
    /// The file's path, relative to the root with `/` where there is one.
    pub path: String,
    /// A unified diff.
    pub diff: String,
    /// The whole text after the edit.
    pub new_text: String,
}

impl FileEdit {
    /// What became of the file at `path`.
    pub fn new(path: String, old: &str, new_text: String) -> Self {
        Self { diff: diff::unified(&path, old, &new_text), path, new_text }
    }
}

/// An answer that was not applied, and may be all the same when the user says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The answer, as the model gave it.
    pub answer: String,
    /// Why it was not applied.
    pub reason: String,
    /// What applying it would do that its action should not, as far as the user was told.
    pub objection: Option<String>,
}

/// How a run ended, whole.
#[derive(Clone, Debug)]
pub struct Report {
    /// The job.
    pub job: String,
    /// The action's id.
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// With `kept`: why.
    pub reason: Option<String>,
    /// With `failed`: what went wrong.
    pub error: Option<Error>,
    /// What there is to read: the explanation, or a kept answer.
    pub explanation: Option<Explanation>,
    /// The id of what can be asked on about: what there is to read, or what was said about findings or an edit.
    pub conversation: Option<String>,
    /// What was changed, or would be.
    pub edits: Vec<FileEdit>,
    /// What a review found, in the order of the reports; absent when it was no review.
    pub findings: Option<Vec<Finding>>,
    /// With `kept` by a judgement that is the user's in the end: for [`apply_anyway`](super::apply_anyway).
    pub standing: Option<Standing>,
    /// With `kept` because the user said so: what there is to read is there for those who ask.
    pub quiet: bool,
    /// What the model said beside the edit, and what was noticed on the way.
    pub notes: Vec<String>,
    /// What all requests of the job took together; absent when none was sent.
    pub usage: Option<UsageReport>,
    /// Until when the next action on the document reads what this one has in common with it from the cache.
    pub warm_until: Option<jiff::Timestamp>,
    /// The model that was asked.
    pub model: String,
    /// Whether the answer came from the simulator.
    pub simulated: bool,
}

impl Report {
    /// The closing line of a progress: the outcome, the cache and the price.
    pub fn sentence(&self) -> String {
        let what = match self.outcome {
            Outcome::Applied => "Applied".to_owned(),
            Outcome::Proposed => "Proposed".to_owned(),
            Outcome::Shown => match self.findings.as_ref().map(Vec::len) {
                None => "Explained".to_owned(),
                Some(0) => "Reviewed: nothing found".to_owned(),
                Some(1) => "Reviewed: one finding".to_owned(),
                Some(several) => format!("Reviewed: {several} findings"),
            },
            Outcome::Kept => format!("Not applied: {}", self.reason.as_deref().unwrap_or("the answer was kept")),
            Outcome::Cancelled => "Cancelled".to_owned(),
            Outcome::Failed => {
                let error = self.error.as_ref().map_or_else(|| "no reason was given".to_owned(), Error::sentence);
                format!("Failed: {error}")
            }
        };
        let mut parts = vec![what];
        if let Some(usage) = &self.usage {
            parts.push(usage.line());
        }
        if let Some(until) = self.warm_until {
            parts.push(format!("cache warm until {}", until.to_zoned(TimeZone::system()).strftime("%H:%M")));
        }
        if self.simulated {
            parts.push("simulated".to_owned());
        }
        parts.join(" · ")
    }

    /// The report of a run that hit a defect of Aside's own.
    pub fn defect(order: &Order) -> Self {
        let error = Error::new(ErrorKind::Internal, "Aside hit a defect of its own; nothing was changed.")
            .hint("The log says more; please report it.");
        Self {
            job: order.job.clone(),
            action: order.action.id.to_string(),
            outcome: Outcome::Failed,
            reason: None,
            error: Some(error),
            explanation: None,
            conversation: None,
            edits: Vec::new(),
            findings: None,
            standing: None,
            quiet: false,
            notes: Vec::new(),
            usage: None,
            warm_until: None,
            model: order.model.clone(),
            simulated: order.simulated,
        }
    }

    /// The notes as one text, if there are any.
    pub fn note(&self) -> Option<String> {
        (!self.notes.is_empty()).then(|| self.notes.join("\n"))
    }
}
