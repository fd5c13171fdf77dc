//! A review: findings that the model reports one by one while it looks around.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::host::Event;
use super::report::Outcome;
use super::run::{Run, Stop, text_of};
use super::tools::{Findings, Outcome as Given};
use crate::claude::client::Answer;
use crate::claude::types::{ContentBlock, StopReason};
use crate::error::{Error, ErrorKind};
use crate::output::findings::{Finding, in_answer, page};
use crate::prompt::{self, Plan, tools::REPORT_FINDING};

/// Nobody reads more than that of one review.
const MOST_FINDINGS: usize = 100;

/// So much of what the model says beside its findings is passed on.
const LONGEST_SUMMARY: usize = 600;

/// Takes the findings of one review.
pub(super) struct Reviewer {
    /// The first and the last line that is reviewed.
    lines: (usize, usize),
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    findings: Vec<Finding>,
    /// Those that nobody was told of yet.
    fresh: Vec<Finding>,
    malformed: usize,
    /// What was wrong with the first of those.
    reason: Option<String>,
}

impl State {
    /// Models say a thing again when they have looked further, and not always in the same words.
    fn has(&self, finding: &Finding) -> bool {
        self.findings.iter().any(|known| finding.repeats(known))
    }
}

impl Reviewer {
    fn new(lines: (usize, usize)) -> Self {
        Self { lines, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a block of an answer that is still written: a finding, if it is a new one.
    pub(super) fn watch(&self, block: &ContentBlock) -> Option<Finding> {
        let ContentBlock::ToolUse { name, input, .. } = block else { return None };
        if name != REPORT_FINDING {
            return None;
        }
        let finding = Finding::read(input, self.lines).ok()?;
        let mut state = self.state();
        if state.has(&finding) || state.findings.len() >= MOST_FINDINGS {
            return None;
        }
        state.findings.push(finding.clone());
        Some(finding)
    }

    fn take_fresh(&self) -> Vec<Finding> {
        std::mem::take(&mut self.state().fresh)
    }
}

impl Findings for Reviewer {
    fn report(&self, finding: &Value) -> Given {
        let mut state = self.state();
        match Finding::read(finding, self.lines) {
            // It was seen while it was written.
            Ok(finding) if state.has(&finding) => Given::ok("Noted."),
            Ok(_) if state.findings.len() >= MOST_FINDINGS => {
                Given::error(format!("There are {MOST_FINDINGS} findings already, which is enough. Sum up."))
            }
            Ok(finding) => {
                state.findings.push(finding.clone());
                state.fresh.push(finding);
                Given::ok("Noted.")
            }
            Err(reason) => {
                state.malformed += 1;
                state.reason.get_or_insert_with(|| reason.clone());
                Given::error(format!("It was not taken: {reason}"))
            }
        }
    }
}

impl Run<'_> {
    /// Reviews the selection.
    pub(super) async fn review(&mut self, mut plan: Plan) -> Result<Outcome, Stop> {
        let reviewer = Arc::new(Reviewer::new(self.order.lines()));
        self.reviewer = Some(reviewer.clone());
        let answer = self.converse(&mut plan, &*reviewer).await;
        self.tell_of(&reviewer);
        if let Err(Stop::Failed(error)) = &answer
            && error.kind == ErrorKind::Refused
        {
            // What was found before is void, as the text is.
            self.findings = Some(Vec::new());
        }
        let answer = answer?;
        if answer.message.stop_reason == Some(StopReason::MaxTokens) {
            let most = plan.request.max_tokens.unwrap_or_default();
            self.notes.push(format!("The review reached the limit of {most} tokens and may lack findings; select less, or raise `max_output_tokens`."));
        }
        let mut text = text_of(&answer);
        let has_tools = !plan.request.tools.is_empty();
        let mut listed = in_answer(&text);
        if listed.is_none() && !has_tools && reviewer.state().findings.is_empty() {
            let reason = "it holds no fenced `json` block with an array of findings";
            let again: Answer = self.ask(&plan, &prompt::repair(&plan, &text, reason)).await?;
            text = text_of(&again);
            self.answered = None;
            listed = in_answer(&text);
            if listed.is_none() {
                self.explanation = Some(self.document(&text));
                return Err(Error::new(
                    ErrorKind::BadAnswer,
                    "The answer to the review does not have the form of findings.",
                )
                .hint("It can be read. This server may have no tools, and the model does not write lists as asked.")
                .request_id(again.request_id)
                .into());
            }
        }
        for finding in listed.iter().flatten() {
            reviewer.report(finding);
        }
        self.tell_of(&reviewer);
        let summary = if listed.is_none() { self.sum_up(&text) } else { String::new() };
        let findings = self.findings.as_deref().unwrap_or_default();
        self.talk = Some(self.document(&page(findings, &summary, self.order.snapshot.language.fence)));
        if listed.is_some() && self.answered.is_none() {
            self.answered = Some(vec![ContentBlock::text(text.trim_end())]);
        }
        Ok(Outcome::Shown)
    }

    /// Tells of findings that were not seen while they were written, and takes all over into the report.
    fn tell_of(&mut self, reviewer: &Reviewer) {
        for finding in reviewer.take_fresh() {
            self.host.event(Event::Finding(&finding));
        }
        let (malformed, reason) = {
            let mut state = reviewer.state();
            self.findings = Some(state.findings.clone());
            (std::mem::take(&mut state.malformed), state.reason.take())
        };
        if malformed > 0 {
            let what = if malformed == 1 { "One finding was".to_owned() } else { format!("{malformed} findings were") };
            self.notes.push(format!("{what} not in order and left out: {}", reason.unwrap_or_default()));
        }
    }

    /// What the model says beside its findings.
    fn sum_up(&mut self, text: &str) -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        let summary: String = words.join(" ").chars().take(LONGEST_SUMMARY).collect();
        self.notes.extend((!summary.is_empty()).then(|| summary.clone()));
        summary
    }
}
