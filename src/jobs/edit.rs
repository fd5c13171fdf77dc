//! From an answer to an edit that landed, or to a kept answer with its reason: what the run does around a [`Lander`].

use std::path::{Path, PathBuf};

use super::host::Host;
use super::kept::kept;
use super::lander::{Fate, Kept, Lander, Step};
use super::order::Order;
use super::report::Outcome;
use super::run::{Run, Stop};
use super::whole::{End, Whole};
use crate::actions::{ResultForm, target};
use crate::error::{Error, ErrorKind};
use crate::prompt::{self, Plan};
use crate::workspace::test_files::{RealFiles, TestPlace, test_place};
use crate::workspace::write;

/// The place for the tests of an order.
pub(super) fn place_for_tests(order: &Order) -> Result<TestPlace, Error> {
    let Some(path) = &order.snapshot.path else {
        return Err(Error::new(ErrorKind::Config, "This document has no file yet, so its tests have no place.")
            .hint("Save it, then run the action again."));
    };
    let place = test_place(path, order.snapshot.language, order.root.as_deref(), &RealFiles);
    // Before anything is read there or asked. More tests for what is a test file itself go where the user said.
    if place.path != *path {
        write::guard(&place.path, write_root(order.root.as_deref(), &place.path))?;
    }
    Ok(place)
}

/// The new file of an order whose action makes one.
///
/// Fails with `config` when it is there already or has no place, and with `excluded` where nothing may be written.
pub(super) fn place_for_file(order: &Order, host: &dyn Host) -> Result<PathBuf, Error> {
    let custom = order.action.custom.as_ref();
    let pattern = custom.and_then(|custom| custom.target.as_deref()).unwrap_or_default();
    let Some(path) = &order.snapshot.path else {
        return Err(Error::new(ErrorKind::Config, "This document has no file yet, so the new one has no place.")
            .hint("Save it, then run the action again."));
    };
    let place = target::place(pattern, &order.shown_path(), order.snapshot.language.id).map_err(|reason| {
        Error::new(ErrorKind::Config, format!("The action `{}` has no place for its file: {reason}.", order.action.id))
    })?;
    let root = write_root(order.root.as_deref(), path);
    let file = root.join(&place);
    write::guard(&file, root)?;
    if host.file(&file)?.is_some() {
        return Err(Error::new(ErrorKind::Config, format!("{place} is there already."))
            .hint("Remove or rename it first: an own action makes new files only."));
    }
    Ok(file)
}

/// The folder that a file of an answer's must be in.
pub(crate) fn write_root<'a>(root: Option<&'a Path>, path: &'a Path) -> &'a Path {
    root.or_else(|| path.parent()).unwrap_or(path)
}

impl Run<'_> {
    /// Makes an edit of the answer and lands it, with one repair request for an answer that does not fit.
    pub(super) async fn land(&mut self, plan: &Plan, whole: Whole, step: Step) -> Result<Outcome, Stop> {
        let mut lander = Lander::new(self.order, self.host, self.cancel, step);
        lander.original.clone_from(&self.original);
        let mut text = self.complete(plan, whole)?;
        let fate = loop {
            match lander.land(&text).await {
                Fate::Repair(reason) => {
                    let request = prompt::repair(plan, &text, &reason);
                    let whole = self.ask_whole(plan, &request).await?;
                    text = self.complete(plan, whole)?;
                    // What stands is what was said last.
                    self.answered = None;
                }
                fate => break fate,
            }
        };
        if self.order.action.result == ResultForm::Answer {
            self.talk = Some(self.document(&text));
        }
        self.notes.append(&mut lander.notes);
        self.edits.append(&mut lander.edits);
        self.conclude(&text, fate)
    }

    /// How the run ends with what became of its answer.
    pub(super) fn conclude(&mut self, answer: &str, fate: Fate) -> Result<Outcome, Stop> {
        match fate {
            Fate::Applied => Ok(Outcome::Applied),
            Fate::Proposed => Ok(Outcome::Proposed),
            Fate::Cancelled => Err(Stop::Cancelled),
            Fate::Kept(Kept { reason, document, standing, quiet }) => {
                self.explanation = document.map(|document| self.document(&document));
                self.reason = Some(reason);
                self.standing = standing;
                self.quiet = quiet;
                Ok(Outcome::Kept)
            }
            Fate::Repair(reason) | Fate::Unreadable(reason) => {
                self.explanation = Some(self.document(&kept(answer, &reason, &[])));
                let message =
                    format!("The answer does not have the form of an edit: {}.", reason.trim_end_matches('.'));
                Err(Error::new(ErrorKind::BadAnswer, message)
                    .hint("Nothing was changed; the answer can be read.")
                    .into())
            }
        }
    }

    /// The text of a whole answer; half an edit is never applied.
    pub(super) fn complete(&mut self, plan: &Plan, whole: Whole) -> Result<String, Stop> {
        let limit = plan.request.max_tokens.unwrap_or_default();
        if whole.text.trim().is_empty() && whole.end != End::Complete {
            return Err(whole.empty(limit).into());
        }
        let early = match (whole.end, whole.broken) {
            (_, Some(error)) => error,
            (End::Complete, None) => {
                if whole.parts > 1 {
                    self.notes.push(format!(
                        "The answer came in two parts, as one reached the limit of {limit} tokens (`max_output_tokens`)."
                    ));
                }
                return Ok(whole.text);
            }
            (End::Limit, None) => {
                Error::new(ErrorKind::Truncated, "The answer reached its limit of tokens before it was complete.")
                    .hint("Nothing was changed. Select less, or raise `max_output_tokens`.")
                    .request_id(whole.request_id)
            }
            (End::Context, None) => {
                Error::new(ErrorKind::Truncated, "The model's context was full before the answer was complete.")
                    .hint("Nothing was changed. Select less, or use a model with a larger context.")
                    .request_id(whole.request_id)
            }
        };
        self.explanation = Some(self.document(&kept(&whole.text, "the answer ends early", &[])));
        Err(early.into())
    }
}
