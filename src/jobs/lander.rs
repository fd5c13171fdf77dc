//! The landing of one answer: made into a change of the text as it is then, looked at, and applied.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio_util::sync::CancellationToken;

use super::edit::{place_for_file, place_for_tests};
use super::host::{Change, Current, Event, Host, Landing, Queue, Target};
use super::kept::{both_sides, kept};
use super::order::Order;
use super::outgoing;
use super::report::{FileEdit, Standing};
use super::reports::are_about_all_of;
use crate::actions::{Applies, ResultForm};
use crate::output::answer::{BadAnswer, EditAnswer, TestsAnswer, edit_answer, edit_answer_or_removal, tests_answer};
use crate::output::check::{self, Promise, Verdict};
use crate::output::edit::{self, Selected, TextEdit};
use crate::output::tests_file;
use crate::unseen::turns;
use crate::workspace::roots::relative;
use crate::workspace::syntax::{Parsed, ParsedAhead};
use crate::workspace::test_files::TestPlace;
use crate::workspace::{Language, language};

/// How often an edit that came too late is fitted to fresh text in the hope that somebody who types was between two words.
pub(crate) const EAGER: u32 = 6;

/// The pause before the first of these times; each is twice as long as the one before, 1.3 s in all.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// How often it is fitted after that, each time when the text has come to rest. Whoever types on and on is waited for:
/// this ends only what would never end, such as a program that answers each edit with one of its own.
pub(crate) const PATIENT: u32 = 32;

const CONFLICT: &str = "you changed the selected text meanwhile, where the answer changes it too";

/// Where an answer goes.
#[derive(Clone)]
pub(crate) enum Step {
    /// In place of the selection.
    Selection,
    /// Into a test file.
    Tests(TestPlace),
    /// Into this file, which is not there yet.
    File(PathBuf),
}

/// What became of an answer.
#[derive(Debug)]
pub(crate) enum Fate {
    /// The edit landed.
    Applied,
    /// It would have; the host only shows it.
    Proposed,
    /// Nothing was changed.
    Kept(Kept),
    /// The model may give another answer, once; this is wrong with the one it gave.
    Repair(String),
    /// It is no edit at all, for this reason.
    Unreadable(String),
    /// The user stopped it.
    Cancelled,
}

/// An answer that was not applied.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Why.
    pub(crate) reason: String,
    /// Where it can be read, in Markdown; `None` when there is nothing to read.
    pub(crate) document: Option<String>,
    /// What it takes to apply it all the same.
    pub(crate) standing: Option<Standing>,
    /// The user said so: no need to show anything.
    pub(crate) quiet: bool,
}

/// Lands the answers of one order.
pub(crate) struct Lander<'a> {
    order: &'a Order,
    host: &'a dyn Host,
    cancel: &'a CancellationToken,
    step: Step,
    mode: Mode,
    /// The text that the edit was asked for, if somebody parsed it.
    pub(super) original: Option<Arc<ParsedAhead>>,
    /// What the model said beside the edit, and what was noticed on the way.
    pub(crate) notes: Vec<String>,
    /// What was changed, or would be.
    pub(crate) edits: Vec<FileEdit>,
}

/// How much is put up with.
enum Mode {
    /// Nothing, and the model may be asked once to do better.
    First,
    /// Nothing.
    Repaired,
    /// The user wants the answer in any case and knows of this objection to it.
    Anyway(Option<String>),
}

/// Whether the user may have a kept answer applied all the same.
enum Stands {
    No,
    Unopposed,
    /// Against this objection, which the user is told.
    Against(String),
}

/// Why a change can't be made.
enum Obstacle {
    /// The answer is not of its form.
    Bad(String),
    /// The change does not do what the action says, or brings syntax errors, for this reason.
    Broken(String, Box<FileEdit>),
    /// It cannot be told whether the change does what the action says, for this reason.
    Unknown(String, Box<FileEdit>),
    /// The text is as the answer wants it; with the model's note.
    Nothing(Option<String>),
    /// Nothing will be changed, for this reason.
    Keep(String),
    /// The user changed the selected text where the answer changes it too; this is how it is now, and what could be
    /// said against putting the answer in its place.
    Conflict { now: String, objection: Option<String> },
}

impl From<BadAnswer> for Obstacle {
    fn from(bad: BadAnswer) -> Self {
        Self::Bad(bad.reason)
    }
}

impl<'a> Lander<'a> {
    pub(crate) fn new(order: &'a Order, host: &'a dyn Host, cancel: &'a CancellationToken, step: Step) -> Self {
        Self { order, host, cancel, step, mode: Mode::First, original: None, notes: Vec::new(), edits: Vec::new() }
    }

    /// Makes an edit of the answer and lands it, fitted to fresh text as often as it takes when somebody types; who does
    /// not stop typing has it at the first pause.
    pub(crate) async fn land(&mut self, answer: &str) -> Fate {
        let mut late = 0;
        let mut sent = None;
        loop {
            let obstacle = match computing(|| self.change(answer)) {
                Ok((change, note)) => match self.apply(&change).await {
                    Landing::Landed => return self.landed(&change, note, Fate::Applied),
                    Landing::Proposed => return self.landed(&change, note, Fate::Proposed),
                    Landing::Stale if late < EAGER + PATIENT => {
                        if !self.pause(late, &change.target).await {
                            return Fate::Cancelled;
                        }
                        sent = Some((change, note));
                        late += 1;
                        continue;
                    }
                    Landing::Stale => Obstacle::Keep("the text kept changing while the edit was on its way".to_owned()),
                    Landing::Cancelled => return Fate::Cancelled,
                    Landing::Refused(reason) => {
                        self.edits.push(self.file_edit(&change));
                        Obstacle::Keep(reason)
                    }
                    Landing::Declined(reason) => {
                        self.edits.push(self.file_edit(&change));
                        let hint = format!("{reason}. *Apply anyway*, in the menu of actions, asks it once more");
                        let document = Some(kept(answer, &hint, &self.edits));
                        let standing =
                            Some(Standing { answer: answer.to_owned(), reason: reason.clone(), objection: None });
                        return Fate::Kept(Kept { reason, document, standing, quiet: false });
                    }
                    Landing::Rejected(reason) => {
                        self.edits.push(self.file_edit(&change));
                        return self.keep(answer, reason, Stands::No, true);
                    }
                    Landing::Overtaken => {
                        let reason = "the text changed while the edit waited for your word".to_owned();
                        return self.keep(answer, reason, Stands::Unopposed, false);
                    }
                },
                Err(obstacle) => obstacle,
            };
            return self.obstructed(answer, obstacle, sent);
        }
    }

    /// What becomes of an answer that can't be applied, or need not be.
    fn obstructed(&mut self, answer: &str, obstacle: Obstacle, sent: Option<(Change, Option<String>)>) -> Fate {
        match obstacle {
            Obstacle::Bad(reason) | Obstacle::Broken(reason, _) if matches!(self.mode, Mode::First) => {
                self.mode = Mode::Repaired;
                Fate::Repair(reason)
            }
            Obstacle::Bad(reason) => Fate::Unreadable(reason),
            Obstacle::Conflict { now, objection } => {
                let document = both_sides(self.order, answer, &now, objection.as_deref());
                let standing = Standing {
                    answer: answer.to_owned(),
                    reason: match &objection {
                        Some(objection) => format!("{CONFLICT}; besides, {objection}"),
                        None => CONFLICT.to_owned(),
                    },
                    objection,
                };
                let (reason, standing) = (CONFLICT.to_owned(), Some(standing));
                Fate::Kept(Kept { reason, document: Some(document), standing, quiet: false })
            }
            // What was asked for twice and came out wrong twice is the user's to judge.
            Obstacle::Broken(reason, edit) | Obstacle::Unknown(reason, edit) => {
                self.edits.push(*edit);
                self.keep(answer, reason.clone(), Stands::Against(reason), false)
            }
            Obstacle::Nothing(note) => {
                if let Some((change, note)) = sent {
                    // What seemed to have come too late is there.
                    return self.landed(&change, note, Fate::Applied);
                }
                self.notes.extend(note);
                let reason = "there is nothing to change".to_owned();
                Fate::Kept(Kept { reason, document: None, standing: None, quiet: false })
            }
            Obstacle::Keep(reason) => self.keep(answer, reason, Stands::No, false),
        }
    }

    /// Keeps an answer.
    fn keep(&self, answer: &str, reason: String, stands: Stands, quiet: bool) -> Fate {
        let document = Some(kept(answer, &reason, &self.edits));
        let standing = |objection| Some(Standing { answer: answer.to_owned(), reason: reason.clone(), objection });
        let standing = match stands {
            Stands::No => None,
            Stands::Unopposed => standing(None),
            Stands::Against(objection) => standing(Some(objection)),
        };
        Fate::Kept(Kept { reason, document, standing, quiet })
    }

    /// The change an answer asks for, on the text as it is now, and the model's note.
    fn change(&self, answer: &str) -> Result<(Change, Option<String>), Obstacle> {
        let (change, note) = match &self.step {
            Step::Selection => self.selection_change(answer)?,
            Step::Tests(place) => self.tests_change(answer, place)?,
            Step::File(path) => self.new_file(answer, path)?,
        };
        if change.edits.is_empty() && !matches!(change.target, Target::File { create: true, .. }) {
            return Err(Obstacle::Nothing(note));
        }
        let verdict = self.objection(&change);
        match (&verdict, &self.mode) {
            (Verdict::Kept, _) => Ok((change, note)),
            (Verdict::Broken(reason) | Verdict::Unknown(reason), Mode::Anyway(Some(known))) if reason == known => {
                let all_the_same = format!("You had it applied all the same, though {reason}.");
                let note = note.map_or_else(|| all_the_same.clone(), |note| format!("{note}\n{all_the_same}"));
                Ok((change, Some(note)))
            }
            (Verdict::Broken(reason), _) => Err(Obstacle::Broken(reason.clone(), Box::new(self.file_edit(&change)))),
            (Verdict::Unknown(reason), _) => Err(Obstacle::Unknown(reason.clone(), Box::new(self.file_edit(&change)))),
        }
    }

    /// Whether a change does what its action says and no more, and leaves the file as sound as it was.
    fn objection(&self, change: &Change) -> Verdict {
        let language = self.language();
        let before = change.base.text.to_string();
        let after = change.result();
        let strange = outgoing::strangers(&after).find(|it| !before.contains(it));
        if let Some(strange) = strange {
            return Verdict::Broken(format!("it has `{strange}`, which stands for no secret of this file"));
        }
        if let Some(char) =
            change.edits.iter().flat_map(|edit| edit.text.chars()).find(|it| turns(*it) && !before.contains(*it))
        {
            let code = u32::from(char);
            return Verdict::Broken(format!(
                "it brings U+{code:04X}, which turns the writing: code then reads as what it is not"
            ));
        }
        let comparison = check::Comparison::of_edits(self.parsed(&before), &change.edits, &after);
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
    fn parsed<'t>(&'t self, text: &'t str) -> Parsed<'t> {
        match &self.original {
            Some(original) => original.now(text),
            None => Parsed::new(self.language(), text),
        }
    }

    /// The language of what is changed.
    fn language(&self) -> &'static Language {
        match &self.step {
            Step::File(path) => language::by_path(path),
            Step::Selection | Step::Tests(_) => self.order.snapshot.language,
        }
    }

    fn selection_change(&self, answer: &str) -> Result<(Change, Option<String>), Obstacle> {
        let answer = if self.may_remove() { edit_answer_or_removal(answer)? } else { edit_answer(answer)? };
        let language = self.order.snapshot.language;
        let Some((base, span)) = self.host.selection() else { return Err(closed()) };
        let text = base.text.to_string();
        let parsed = self.parsed(&text);
        let now = Selected { text: &text, span };
        let before = self.order.snapshot.text.to_string();
        let original = Selected { text: &before, span: self.order.selection.clone() };
        if let Some(edits) = edit::plan_merged(&original, &now, &parsed, &answer)? {
            if now.selection() == original.selection() {
                return Ok((self.change_of(Target::Document, base, edits), answer.note));
            }
            let merged = "You changed the selected text meanwhile; both changes were kept.";
            let note = answer.note.map_or_else(|| merged.to_owned(), |note| format!("{note}\n{merged}"));
            return Ok((self.change_of(Target::Document, base, edits), Some(note)));
        }
        let over = self.change_over(&now, base.clone(), language, &answer);
        if matches!(self.mode, Mode::Anyway(_)) {
            return Ok((over?, answer.note));
        }
        let objection = over.ok().and_then(|change| match self.objection(&change) {
            Verdict::Kept => None,
            Verdict::Broken(reason) | Verdict::Unknown(reason) => Some(reason),
        });
        Err(Obstacle::Conflict { now: now.selection().to_owned(), objection })
    }

    /// Whether an answer may take all of the selection away: what other tools complain about may be too much.
    fn may_remove(&self) -> bool {
        self.order.action.result == ResultForm::Diagnostics
            || self.order.action.applies == Applies::Reported
                && are_about_all_of(
                    &self.order.snapshot.text.to_string(),
                    &self.order.selection,
                    &self.order.diagnostics,
                )
    }

    /// The answer in place of whatever stands in the selection by now.
    fn change_over(
        &self,
        now: &Selected<'_>,
        base: Current,
        language: &Language,
        answer: &EditAnswer,
    ) -> Result<Change, Obstacle> {
        let edits = edit::plan(now.text, now.span.clone(), language, answer)?;
        Ok(self.change_of(Target::Document, base, edits))
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
        Ok((self.change_of(target, base, tests.edits), (!note.is_empty()).then_some(note)))
    }

    /// A file of its own; one that came into being meanwhile is left alone.
    fn new_file(&self, answer: &str, path: &Path) -> Result<(Change, Option<String>), Obstacle> {
        let TestsAnswer { code, note } = tests_answer(answer)?;
        let text = format!("{}\n", code.trim_end());
        let there = self.host.file(path).map_err(|error| Obstacle::Keep(error.sentence()))?;
        if let Some(there) = there {
            let is_ours = there.text == text.as_str();
            let name = relative(path, self.order.root.as_deref().unwrap_or(Path::new("")));
            return Err(if is_ours {
                Obstacle::Nothing(note)
            } else {
                Obstacle::Keep(format!("{name} was made by somebody else meanwhile"))
            });
        }
        let base = Current { text: ropey::Rope::new(), version: None };
        let target = Target::File { path: path.to_owned(), create: true };
        Ok((self.change_of(target, base, vec![TextEdit { span: 0..0, text }]), note))
    }

    /// Waits after an edit that came too late as `late` others did before; whether the job goes on.
    async fn pause(&self, late: u32, target: &Target) -> bool {
        let over = async {
            if late < EAGER {
                return tokio::time::sleep(PAUSE * 2_u32.pow(late)).await;
            }
            self.host.event(Event::Queued(Queue::Typing));
            self.host.rest(target).await;
        };
        tokio::select! {
            () = self.cancel.cancelled() => false,
            () = over => true,
        }
    }

    async fn apply(&self, change: &Change) -> Landing {
        if self.cancel.is_cancelled() {
            return Landing::Cancelled;
        }
        self.host.event(Event::Editing);
        // An edit that is on its way can't be called back, so this await is not cut short by a cancel.
        self.host.apply(change).await
    }

    fn landed(&mut self, change: &Change, note: Option<String>, fate: Fate) -> Fate {
        self.notes.extend(note);
        self.edits.push(self.file_edit(change));
        fate
    }

    fn file_edit(&self, change: &Change) -> FileEdit {
        let path = match &change.target {
            Target::Document => self.order.shown_path(),
            Target::File { path, .. } => relative(path, self.order.root.as_deref().unwrap_or(Path::new(""))),
        };
        FileEdit::new(path, &change.base.text.to_string(), change.result())
    }

    fn change_of(&self, target: Target, base: Current, edits: Vec<TextEdit>) -> Change {
        Change { target, base, edits, label: format!("Aside: {}", self.order.title()) }
    }
}

/// What became of a kept answer that the user wants in any case.
#[derive(Debug)]
pub enum Anyway {
    /// It landed; what there is to say about it.
    Applied(Option<String>),
    /// It stands on: there is something against it that the user did not know of, which is its reason now.
    Stands(Standing),
    /// Nothing was changed, for this reason.
    Failed(String),
}

/// Lands an answer that was kept, in place of whatever the selection is by now if it can't be merged. What it would make
/// is looked at as if it were new; only what the user was told of is put up with.
pub async fn apply_anyway(order: &Order, standing: &Standing, host: &dyn Host, cancel: &CancellationToken) -> Anyway {
    let step = match order.action.result {
        ResultForm::Tests => match place_for_tests(order) {
            Ok(place) => Step::Tests(place),
            Err(error) => return Anyway::Failed(error.sentence()),
        },
        ResultForm::NewFile => match place_for_file(order, host) {
            Ok(path) => Step::File(path),
            Err(error) => return Anyway::Failed(error.sentence()),
        },
        _ => Step::Selection,
    };
    let mut lander = Lander::new(order, host, cancel, step);
    lander.mode = Mode::Anyway(standing.objection.clone());
    match lander.land(&standing.answer).await {
        Fate::Applied | Fate::Proposed => Anyway::Applied((!lander.notes.is_empty()).then(|| lander.notes.join("\n"))),
        Fate::Kept(Kept { standing: Some(standing), .. }) => Anyway::Stands(standing),
        Fate::Kept(Kept { reason, .. }) | Fate::Repair(reason) | Fate::Unreadable(reason) => Anyway::Failed(reason),
        Fate::Cancelled => Anyway::Failed("it was cancelled".to_owned()),
    }
}

/// Puts the replacement of a finding in the place of the order's selection. What it would make is looked at as any edit is.
pub async fn apply_replacement(
    order: &Order,
    replacement: &str,
    host: &dyn Host,
    cancel: &CancellationToken,
) -> Anyway {
    let mut lander = Lander::new(order, host, cancel, Step::Selection);
    lander.mode = Mode::Repaired;
    let longest = replacement.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    match lander.land(&format!("{fence}\n{replacement}\n{fence}")).await {
        Fate::Applied | Fate::Proposed => Anyway::Applied(None),
        Fate::Kept(Kept { reason, .. }) | Fate::Repair(reason) | Fate::Unreadable(reason) => Anyway::Failed(reason),
        Fate::Cancelled => Anyway::Failed("it was cancelled".to_owned()),
    }
}

fn closed() -> Obstacle {
    Obstacle::Keep("the document was closed meanwhile".to_owned())
}

/// Work that takes milliseconds in a large file; other tasks of this thread go on elsewhere meanwhile, if there is one.
pub(super) fn computing<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
