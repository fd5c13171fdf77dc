//! From an answer to an edit that landed, or to a kept answer with its reason.

use std::path::Path;
use std::time::Duration;

use super::host::{Change, Current, Event, Host, Landing, Target};
use super::order::Order;
use super::report::{FileEdit, Outcome};
use super::run::{Run, Stop, text_of};
use crate::actions::ResultForm;
use crate::claude::client::Answer;
use crate::claude::types::StopReason;
use crate::error::{Error, ErrorKind};
use crate::output::answer::{BadAnswer, edit_answer, tests_answer};
use crate::output::check::{self, Promise, Verdict};
use crate::output::edit::{self, Selected, TextEdit};
use crate::output::{diff, tests_file};
use crate::prompt::{self, Plan};
use crate::workspace::Language;
use crate::workspace::roots::relative;
use crate::workspace::syntax::Parsed;
use crate::workspace::test_files::{RealFiles, TestPlace, test_place};

/// How often an edit that came too late is fitted to fresh text.
const RETRIES: u32 = 8;

/// The pause before the first of these times; each is twice as long as the one before, 5 s in all.
const PAUSE: Duration = Duration::from_millis(20);

/// Where an answer goes.
pub(super) enum Step {
    /// In place of the selection.
    Selection,
    /// Into a test file.
    Tests(TestPlace),
}

/// Why a change can't be made.
enum Obstacle {
    /// The answer is not of its form; the model may repair it, once.
    Bad(String),
    /// The change does not do what the action says, or brings syntax errors, for this reason; the model may make
    /// another, once.
    Broken(String, Box<FileEdit>),
    /// The text is as the answer wants it; with the model's note.
    Nothing(Option<String>),
    /// Nothing will be changed, for this reason.
    Keep(String),
    /// The user changed the selected text where the answer changes it too; this is how it is now.
    Conflict(String),
}

impl From<BadAnswer> for Obstacle {
    fn from(bad: BadAnswer) -> Self {
        Self::Bad(bad.reason)
    }
}

/// The place for the tests of an order.
pub(super) fn place_for_tests(order: &Order) -> Result<TestPlace, Error> {
    let Some(path) = &order.snapshot.path else {
        return Err(Error::new(ErrorKind::Config, "This document has no file yet, so its tests have no place.")
            .hint("Save it, then run the action again."));
    };
    Ok(test_place(path, order.snapshot.language, order.root.as_deref(), &RealFiles))
}

impl<H: Host> Run<'_, H> {
    /// Makes an edit of the answer and lands it: one repair request for an answer that does not fit, and the edit fitted
    /// to fresh text as often as it takes when somebody types, within reason.
    pub(super) async fn land(&mut self, plan: &Plan, answer: Answer, step: Step) -> Result<Outcome, Stop> {
        let mut text = self.complete(answer)?;
        let mut repaired = false;
        let mut late = 0;
        let mut sent = None;
        loop {
            let obstacle = match tokio::task::block_in_place(|| self.change(&text, &step)) {
                Ok((change, note)) => match self.apply(&change).await? {
                    Landing::Landed => return Ok(self.landed(&change, note, Outcome::Applied)),
                    Landing::Proposed => return Ok(self.landed(&change, note, Outcome::Proposed)),
                    Landing::Stale if late < RETRIES => {
                        sent = Some((change, note));
                        self.pause(PAUSE * 2_u32.pow(late)).await?;
                        late += 1;
                        continue;
                    }
                    Landing::Stale => Obstacle::Keep("the text kept changing while the edit was on its way".to_owned()),
                    Landing::Cancelled => return Err(Stop::Cancelled),
                    Landing::Refused(reason) => {
                        self.edits.push(self.file_edit(&change));
                        Obstacle::Keep(reason)
                    }
                },
                Err(obstacle) => obstacle,
            };
            match obstacle {
                Obstacle::Bad(reason) | Obstacle::Broken(reason, _) if !repaired => {
                    repaired = true;
                    let request = prompt::repair(plan, &text, &reason);
                    let answer = self.ask(plan, &request).await?;
                    text = self.complete(answer)?;
                }
                Obstacle::Bad(reason) => {
                    self.explanation = Some(self.document(&kept(&text, &reason, &[])));
                    let message =
                        format!("The answer does not have the form of an edit: {}.", reason.trim_end_matches('.'));
                    return Err(Error::new(ErrorKind::BadAnswer, message)
                        .hint("Nothing was changed; the answer can be read.")
                        .into());
                }
                Obstacle::Conflict(now) => {
                    let reason = "you changed the selected text meanwhile, where the answer changes it too".to_owned();
                    self.explanation = Some(self.document(&both_sides(self.order, &text, &now)));
                    self.reason = Some(reason);
                    self.conflict = Some(text);
                    return Ok(Outcome::Kept);
                }
                Obstacle::Broken(reason, edit) => {
                    // What was asked for twice and came out wrong twice is the user's to judge.
                    self.edits.push(*edit);
                    self.explanation = Some(self.document(&kept(&text, &reason, &self.edits)));
                    self.reason = Some(reason);
                    return Ok(Outcome::Kept);
                }
                Obstacle::Nothing(note) => {
                    if let Some((change, note)) = sent {
                        // What seemed to have come too late is there.
                        return Ok(self.landed(&change, note, Outcome::Applied));
                    }
                    self.notes.extend(note);
                    self.reason = Some("there is nothing to change".to_owned());
                    return Ok(Outcome::Kept);
                }
                Obstacle::Keep(reason) => {
                    self.explanation = Some(self.document(&kept(&text, &reason, &self.edits)));
                    self.reason = Some(reason);
                    return Ok(Outcome::Kept);
                }
            }
        }
    }

    /// The text of a whole answer; half an edit is never applied.
    fn complete(&mut self, answer: Answer) -> Result<String, Stop> {
        let text = text_of(&answer);
        match answer.message.stop_reason {
            Some(StopReason::MaxTokens | StopReason::ModelContextWindowExceeded) => {
                self.explanation = Some(self.document(&kept(&text, "the answer ends early", &[])));
                Err(Error::new(ErrorKind::Truncated, "The answer reached its limit of tokens before it was complete.")
                    .hint("Nothing was changed. Select less, or raise `max_output_tokens`.")
                    .request_id(answer.request_id)
                    .into())
            }
            _ => Ok(text),
        }
    }

    /// The change an answer asks for, on the text as it is now, and the model's note.
    fn change(&self, answer: &str, step: &Step) -> Result<(Change, Option<String>), Obstacle> {
        let language = self.order.snapshot.language;
        let (change, note) = match step {
            Step::Selection => self.selection_change(answer)?,
            Step::Tests(place) => self.tests_change(answer, place)?,
        };
        if change.edits.is_empty() && !matches!(change.target, Target::File { create: true, .. }) {
            return Err(Obstacle::Nothing(note));
        }
        match self.objection(&change, language) {
            Verdict::Kept => Ok((change, note)),
            Verdict::Broken(reason) => Err(Obstacle::Broken(reason, Box::new(self.file_edit(&change)))),
            Verdict::Unknown(reason) => Err(Obstacle::Keep(reason)),
        }
    }

    /// Whether a change does what its action says and no more, and leaves the file as sound as it was.
    fn objection(&self, change: &Change, language: &Language) -> Verdict {
        let before = change.base.text.to_string();
        let after = change.result();
        let comparison = check::Comparison::of_edits(self.parsed(&before, language), &change.edits, &after);
        let errors = comparison.new_syntax_errors();
        if !errors.is_empty() {
            return Verdict::Broken(format!("it would bring syntax errors ({})", errors.join("; ")));
        }
        match (self.order.action.result, Promise::of(&self.order.action.id)) {
            (ResultForm::Tests, _) => check::only_adds(language, &before, &change.edits),
            (_, Some(promise)) => comparison.verdict(promise),
            (_, None) => Verdict::Kept,
        }
    }

    /// A text that may be the one that the job began with, or that with a few changes.
    fn parsed<'t>(&'t self, text: &'t str, language: &'t Language) -> Parsed<'t> {
        match &self.original {
            Some(original) => original.now(text),
            None => Parsed::new(language, text),
        }
    }

    fn selection_change(&self, answer: &str) -> Result<(Change, Option<String>), Obstacle> {
        let answer = edit_answer(answer)?;
        let language = self.order.snapshot.language;
        let Some((base, span)) = self.host.selection() else { return Err(closed()) };
        let text = base.text.to_string();
        let parsed = self.parsed(&text, language);
        let now = Selected { text: &text, span };
        if now.selection() == self.order.selected() {
            let edits = edit::plan_in(&parsed, now.span, &answer)?;
            return Ok((change_of(self.order, Target::Document, base, edits), answer.note));
        }
        let before = self.order.snapshot.text.to_string();
        let original = Selected { text: &before, span: self.order.selection.clone() };
        let Some(edits) = edit::plan_merged(&original, &now, &parsed, &answer)? else {
            return Err(Obstacle::Conflict(now.selection().to_owned()));
        };
        let merged = "You changed the selected text meanwhile; both changes were kept.";
        let note = answer.note.map_or_else(|| merged.to_owned(), |note| format!("{note}\n{merged}"));
        Ok((change_of(self.order, Target::Document, base, edits), Some(note)))
    }

    fn tests_change(&self, answer: &str, place: &TestPlace) -> Result<(Change, Option<String>), Obstacle> {
        let answer = tests_answer(answer)?;
        let language = self.order.snapshot.language;
        let (target, base) = if place.inline {
            let Some((base, _)) = self.host.selection() else { return Err(closed()) };
            (Target::Document, Some(base))
        } else {
            let base = self.host.file(&place.path).map_err(|error| Obstacle::Keep(error.sentence()))?;
            (Target::File { path: place.path.clone(), create: base.is_none() }, base)
        };
        let existing = base.as_ref().map(|base| base.text.to_string());
        let tests = tests_file::add_tests(existing.as_deref(), place, language, &answer.code)?;
        let base = base.unwrap_or_else(|| Current { text: ropey::Rope::new(), version: None });
        let note = answer.note.into_iter().chain(tests.note()).collect::<Vec<_>>().join("\n");
        Ok((change_of(self.order, target, base, tests.edits), (!note.is_empty()).then_some(note)))
    }

    async fn pause(&self, time: Duration) -> Result<(), Stop> {
        tokio::select! {
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    async fn apply(&self, change: &Change) -> Result<Landing, Stop> {
        if self.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        self.host.event(Event::Editing);
        // An edit that is on its way can't be called back, so this await is not cut short by a cancel.
        Ok(self.host.apply(change).await)
    }

    fn landed(&mut self, change: &Change, note: Option<String>, outcome: Outcome) -> Outcome {
        self.notes.extend(note);
        self.edits.push(self.file_edit(change));
        outcome
    }

    fn file_edit(&self, change: &Change) -> FileEdit {
        let path = match &change.target {
            Target::Document => self.order.shown_path(),
            Target::File { path, .. } => relative(path, self.order.root.as_deref().unwrap_or(Path::new(""))),
        };
        FileEdit::new(path, &change.base.text.to_string(), change.result())
    }
}

/// Lands an answer that was kept because of a conflict, in place of whatever the selection is by now.
///
/// # Errors
/// Why nothing was changed, in words.
pub async fn apply_anyway<H: Host>(order: &Order, answer: &str, host: &H) -> Result<(), String> {
    let language = order.snapshot.language;
    let answer = edit_answer(answer).map_err(|bad| bad.reason)?;
    let (base, span) = host.selection().ok_or("the document was closed meanwhile")?;
    let edits = edit::plan(&base.text.to_string(), span, language, &answer).map_err(|bad| bad.reason)?;
    let change = change_of(order, Target::Document, base, edits);
    if change.edits.is_empty() {
        return Err("there is nothing to change".to_owned());
    }
    match host.apply(&change).await {
        Landing::Landed | Landing::Proposed => Ok(()),
        Landing::Stale => Err("the text changed while the edit was on its way".to_owned()),
        Landing::Refused(reason) => Err(reason),
        Landing::Cancelled => Err("it was cancelled".to_owned()),
    }
}

fn change_of(order: &Order, target: Target, base: Current, edits: Vec<TextEdit>) -> Change {
    Change { target, base, edits, label: format!("Aside: {}", order.title()) }
}

fn closed() -> Obstacle {
    Obstacle::Keep("the document was closed meanwhile".to_owned())
}

/// The document in which a kept answer can be read.
fn kept(answer: &str, reason: &str, edits: &[FileEdit]) -> String {
    let reason = reason.trim_end_matches('.');
    let mut text = format!("Nothing was changed: {reason}.\n\n## The answer\n\n{}\n", answer.trim_end());
    let diffs = unified_diffs(edits);
    if !diffs.is_empty() {
        text.push_str("\n## What it would change\n\n````diff\n");
        text.push_str(&diffs);
        text.push_str("````\n");
    }
    text
}

/// The document that shows a conflict: what the answer says, and what stands there now.
fn both_sides(order: &Order, answer: &str, now: &str) -> String {
    let fence = order.snapshot.language.fence;
    let diff = diff::unified(&order.shown_path(), &order.selected(), now);
    format!(
        "You changed the selected text while the answer was written, in the same places; nothing was overwritten. \
         *Apply anyway* puts the answer in place of what stands there now, *retry* asks again about the text as it is \
         now, *discard* leaves everything as it is.\n\n\
         ## The answer\n\n{}\n\n## What stands there now\n\n`````{fence}\n{}\n`````\n\n\
         ## What you changed\n\n`````diff\n{diff}`````\n",
        answer.trim(),
        now.trim_end_matches(['\n', '\r']),
    )
}

/// The diffs of all edits, one behind the other.
pub fn unified_diffs(edits: &[FileEdit]) -> String {
    edits.iter().map(|edit| edit.diff.as_str()).collect()
}
