//! From a plan to a whole answer: one that was cut is asked to go on, and one that was declined is asked of another model.

use std::borrow::Cow;

use super::host::Event;
use super::run::{Run, Stop, text_of};
use super::seam;
use crate::actions::ResultForm;
use crate::claude::client::Answer;
use crate::claude::models::Model;
use crate::claude::types::{ContentBlock, MessageRequest, StopReason};
use crate::error::{Error, ErrorKind};
use crate::prompt::{self, Plan};
use crate::workspace::test_files::TestPlace;

/// How often an answer to read goes on: five times `max_output_tokens` in all.
const CONTINUATIONS: u32 = 4;

/// An edit is half as long as nothing: it goes on once, and its joined parts are looked at like any answer.
const CONTINUATIONS_OF_AN_EDIT: u32 = 1;

/// The parts of an answer, joined.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) text: String,
    /// What the model let be seen of its thinking.
    pub(super) thinking: String,
    pub(super) end: End,
    /// How many parts it has.
    pub(super) parts: u32,
    /// Why the last part did not come.
    pub(super) broken: Option<Error>,
    pub(super) request_id: Option<String>,
    /// All input of the first request, as it was reported; 0 when that was another job's.
    pub(super) input_tokens: u64,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// As the model wanted, or in a way that this version does not know.
    Complete,
    /// At the limit of tokens.
    Limit,
    /// The model's context is full.
    Context,
}

impl From<&Answer> for End {
    fn from(answer: &Answer) -> Self {
        match &answer.message.stop_reason {
            Some(StopReason::MaxTokens) => Self::Limit,
            Some(StopReason::ModelContextWindowExceeded) => Self::Context,
            Some(StopReason::Other(reason)) => {
                // Whether what came is of use is seen by its form.
                tracing::info!(reason, "an answer ended for a reason that is not known");
                Self::Complete
            }
            _ => Self::Complete,
        }
    }
}

impl From<Answer> for Whole {
    fn from(answer: Answer) -> Self {
        Self {
            text: text_of(&answer),
            thinking: thinking_of(&answer),
            end: End::from(&answer),
            parts: 1,
            broken: None,
            input_tokens: answer.tokens.total_input(),
            request_id: answer.request_id,
        }
    }
}

impl Whole {
    fn add(&mut self, answer: Answer) {
        let more = text_of(&answer);
        self.text.push_str(seam::behind(&self.text, &more));
        let thinking = thinking_of(&answer);
        if !self.thinking.is_empty() && !thinking.is_empty() {
            self.thinking.push_str("\n\n");
        }
        self.thinking.push_str(&thinking);
        self.end = End::from(&answer);
        self.parts += 1;
        self.request_id = answer.request_id.or(self.request_id.take());
    }

    /// The error of an answer without a word.
    pub(super) fn empty(&self, limit: u32) -> Error {
        let error = if self.end == End::Complete {
            Error::new(ErrorKind::BadAnswer, "The model answered without any text.")
                .hint("Run the action again; if it happens again, another `model` may help.")
        } else {
            Error::new(
                ErrorKind::Truncated,
                format!("All of the {limit} tokens went into thinking, and none was left for the answer."),
            )
            .hint("Raise `max_output_tokens`, or lower `thinking.effort`.")
        };
        error.request_id(self.request_id.clone())
    }

    /// What is to be said of an answer to read that is not whole, or was not at once.
    pub(super) fn note(&self, limit: u32) -> Option<String> {
        if let Some(error) = &self.broken {
            return Some(format!("The explanation ends early, as the rest of it did not come: {}", error.sentence()));
        }
        match self.end {
            End::Complete => None,
            End::Limit if self.parts > 1 => Some(format!(
                "The explanation reached the limit of {limit} tokens {} times and ends early; raise `max_output_tokens`.",
                self.parts
            )),
            End::Limit => Some(format!(
                "The explanation reached the limit of {limit} tokens and ends early; raise `max_output_tokens`."
            )),
            End::Context => Some(CONTEXT_IS_FULL.to_owned()),
        }
    }
}

const CONTEXT_IS_FULL: &str =
    "The model's context is full, so the answer ends early; select less, or use a model with a larger context.";

impl Run<'_> {
    /// Sends a plan's request and has its answer, whole if it can be had; with the plan that was followed in the end.
    pub(super) async fn obtain(&mut self, plan: Plan, place: Option<&TestPlace>) -> Result<(Plan, Whole), Stop> {
        match self.ask_whole(&plan, &plan.request).await {
            Err(Stop::Failed(error)) if self.turns_to_another(&error) => {
                let plan = self.plan(place)?;
                self.planned(&plan);
                self.count_near_limit(&plan).await?;
                let whole = self.ask_whole(&plan, &plan.request).await?;
                Ok((plan, whole))
            }
            whole => Ok((plan, whole?)),
        }
    }

    /// Sends a request that begins as the plan does, and goes on with its answer as often as that is of use.
    pub(super) async fn ask_whole(&mut self, plan: &Plan, request: &MessageRequest) -> Result<Whole, Stop> {
        if let Some(begun) = self.host.begun().map(str::to_owned) {
            return self.rest(plan, request, begun).await;
        }
        let answer = self.ask(plan, request).await?;
        self.whole(plan, request, answer).await
    }

    /// Asks for what comes behind the beginning of an answer that broke off.
    async fn rest(&mut self, plan: &Plan, request: &MessageRequest, begun: String) -> Result<Whole, Stop> {
        // The stream of an attempt is the whole answer.
        self.host.event(Event::Attempt(1));
        self.host.event(Event::Text(&begun));
        match self.ask_behind(plan, &prompt::go_on(request, &begun), &begun).await {
            Ok(answer) => {
                let (text, thinking) = (begun, String::new());
                let (end, parts, broken, request_id) = (End::Complete, 1, None, None);
                let mut whole = Whole { text, thinking, end, parts, broken, request_id, input_tokens: 0 };
                whole.add(answer);
                Ok(whole)
            }
            Err(stop) => {
                let more = self.came.take().unwrap_or_default();
                let text = format!("{begun}{}", seam::behind(&begun, &more));
                self.explanation = Some(self.document(&text));
                Err(stop)
            }
        }
    }

    /// Goes on with the answer to a request that begins as the plan does.
    pub(super) async fn whole(&mut self, plan: &Plan, request: &MessageRequest, answer: Answer) -> Result<Whole, Stop> {
        let most = match self.order.action.result {
            ResultForm::Explanation | ResultForm::Answer => CONTINUATIONS,
            _ => CONTINUATIONS_OF_AN_EDIT,
        };
        let mut whole = Whole::from(answer);
        while whole.end == End::Limit && whole.parts <= most && !whole.text.trim().is_empty() {
            let more = prompt::go_on(request, &whole.text);
            match self.ask_behind(plan, &more, &whole.text).await {
                Ok(answer) => whole.add(answer),
                // What was declined in the end is void as a whole, and what was cancelled is nobody's wish any more.
                Err(Stop::Failed(error)) if error.kind != ErrorKind::Refused => {
                    let more = self.came.take().unwrap_or_default();
                    whole.text.push_str(seam::behind(&whole.text, &more));
                    whole.broken = Some(error);
                    break;
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(whole)
    }

    /// Whether another model is to be asked what this one declined. From then on the run is with that one.
    pub(super) fn turns_to_another(&mut self, error: &Error) -> bool {
        let Some(model) = self.fallback().filter(|_| error.kind == ErrorKind::Refused) else { return false };
        self.notes.push(format!(
            "{} {} was asked instead.",
            error.message.replacen("The model", &self.model.id, 1),
            model.id
        ));
        self.model = model;
        true
    }
}

impl Run<'_> {
    /// The model to turn to when this one declines.
    pub(super) fn fallback(&self) -> Option<Cow<'static, Model>> {
        let settings = &self.order.settings;
        let model = settings.model_data(settings.fallback_model.as_deref()?);
        (model.id != self.model.id).then_some(model)
    }
}

/// The thinking of an answer, as far as it is shown.
fn thinking_of(answer: &Answer) -> String {
    let blocks = answer.message.content.iter().filter_map(|block| match block {
        ContentBlock::Thinking { thinking, .. } if !thinking.trim().is_empty() => Some(thinking.trim()),
        _ => None,
    });
    blocks.collect::<Vec<_>>().join("\n\n")
}
