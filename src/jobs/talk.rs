//! A turn of a conversation: the question, the tools that the model uses, and its answer.
//!
//! Every request is the one before and something behind it. Thinking and calls go back as they came; what the tools gave
//! follows in one turn. After [`MOST_ROUNDS`] rounds the model is told to answer with what it knows, and if it does not, asked
//! once more without being allowed to call.

use jiff::Timestamp;

use super::host::Event;
use super::lander::{Step, computing};
use super::life::lock;
use super::order::Order;
use super::report::Outcome;
use super::run::{Context, Run, Stop, text_of};
use super::tools::{Call, Findings, NoFindings, Outcome as Given, Toolbox};
use super::whole::Whole;
use crate::claude::client::Answer;
use crate::claude::models::Model;
use crate::claude::optional::Optional;
use crate::claude::types::{ContentBlock, MessageRequest, StopReason, ToolChoice};
use crate::error::{Error, ErrorKind};
use crate::output::answer::is_edit;
use crate::prompt::{self, Pace, Plan};

/// So many times the model is given what it called for.
pub(super) const MOST_ROUNDS: u32 = 8;

/// Said with the last results.
const LAST: &str = "These were the last results for this question: answer it now with what you know, without calls.";

/// Decides what a request of a conversation writes to the cache, just before it is sent.
pub(super) fn bet(context: &Context, order: &Order, plan: &mut Plan, model: &Model) {
    lock(&context.planner).bet(plan, &order.settings, model, Timestamp::now());
}

impl Run<'_> {
    /// An answer to a question: to read, or an edit where it says so.
    pub(super) async fn answer(&mut self, mut plan: Plan) -> Result<Outcome, Stop> {
        let whole = self.conversed(&mut plan).await?;
        if is_edit(&whole.text) {
            return self.land(&plan, whole, Step::Selection).await;
        }
        self.explain(&plan, &whole)
    }

    /// The answer that a turn ends with, whole.
    pub(super) async fn conversed(&mut self, plan: &mut Plan) -> Result<Whole, Stop> {
        let answer = self.converse(plan, &NoFindings).await?;
        let whole = self.whole(plan, &plan.request, answer).await?;
        if whole.parts > 1 {
            self.answered = Some(vec![ContentBlock::text(whole.text.trim_end())]);
        }
        Ok(whole)
    }

    /// Asks, and gives the model what it calls tools for, until it answers. The plan is then the one of the last request,
    /// and the answer has no calls that were not done.
    pub(super) async fn converse(&mut self, plan: &mut Plan, findings: &dyn Findings) -> Result<Answer, Stop> {
        let mut round = 0;
        if !plan.request.tools.is_empty() && self.connect().await?.lacks(Optional::Tools) {
            *plan = plan.without_tools();
        }
        loop {
            bet(self.context, self.order, plan, &self.model);
            let answer = match self.ask(plan, &plan.request).await {
                Err(Stop::Failed(error)) if round == 0 && refuses_tools(plan, &error) => {
                    let word = "This server has no tools, so the model saw only what it was shown.";
                    self.notes.extend(self.context.connections.is_news(word).then(|| word.to_owned()));
                    *plan = plan.without_tools();
                    continue;
                }
                answer => answer?,
            };
            if round == 0 {
                self.learn(plan, answer.tokens.total_input()).await;
            }
            let calls = Call::all(&answer.message.content);
            // Half a call is no call.
            let is_cut = answer.message.stop_reason == Some(StopReason::MaxTokens);
            if calls.is_empty() || is_cut {
                return Ok(self.answered(plan, answer));
            }
            round += 1;
            if round > MOST_ROUNDS {
                if !text_of(&answer).trim().is_empty() {
                    return self.never_ended(plan, answer);
                }
                // It was told and calls all the same: now it cannot. That this is read from the cache no more is the lesser evil.
                let mute = MessageRequest { tool_choice: Some(ToolChoice::None), ..plan.request.clone() };
                let answer = self.ask(plan, &mute).await?;
                return self.never_ended(plan, answer);
            }
            let mut results = self.use_tools(&calls, findings)?;
            if round == MOST_ROUNDS {
                results.push(ContentBlock::text(LAST));
            }
            *plan = self.next(plan, said(answer.message.content), results, &calls)?;
        }
    }

    /// The plan of the next request; without the results where there is no room for them.
    fn next(
        &self,
        plan: &Plan,
        answer: Vec<ContentBlock>,
        results: Vec<ContentBlock>,
        calls: &[Call],
    ) -> Result<Plan, Stop> {
        let scale = self.context.estimates.scale(&self.model.id);
        let pace = Pace::new(&self.order.settings, &self.model, scale);
        let next = plan.and_then(answer.clone(), results, pace);
        if next.estimated_input_tokens <= next.input_limit {
            return Ok(next);
        }
        let full = "There is no room left in the conversation for this result. Answer with what you know.";
        let results = calls.iter().map(|call| call.answered(Given::error(full))).collect();
        let next = plan.and_then(answer, results, pace);
        let (tokens, limit) = (next.estimated_input_tokens, next.input_limit);
        if tokens <= limit {
            return Ok(next);
        }
        Err(prompt::too_long(&self.order.action.title, &self.model.id, tokens, limit).into())
    }

    /// Does what the model called for.
    fn use_tools(&self, calls: &[Call], findings: &dyn Findings) -> Result<Vec<ContentBlock>, Stop> {
        let order = self.order;
        let results = computing(|| {
            let tools = Toolbox::new(self.host, order.root.as_deref(), &order.settings.privacy, self.cancel);
            tools.run(calls, findings, &|line| self.host.event(Event::Tool(line)))
        });
        if self.cancel.is_cancelled() { Err(Stop::Cancelled) } else { Ok(results) }
    }

    /// Takes in the answer that ends the turn.
    fn answered(&mut self, plan: &Plan, answer: Answer) -> Answer {
        self.asked.clone_from(&plan.request.messages);
        let mut content = said(answer.message.content.clone());
        content.retain(|block| !matches!(block, ContentBlock::ToolUse { .. }));
        // Thinking alone is no turn that could be gone on from.
        let speaks = content.iter().any(|block| matches!(block, ContentBlock::Text { .. }));
        self.answered = speaks.then_some(content);
        answer
    }

    /// The model calls and calls: what it said beside its last calls has to do.
    fn never_ended(&mut self, plan: &Plan, answer: Answer) -> Result<Answer, Stop> {
        if text_of(&answer).trim().is_empty() {
            return Err(Error::new(
                ErrorKind::BadAnswer,
                format!("The model used tools {MOST_ROUNDS} times in a row and gave no answer."),
            )
            .hint("Ask about less at once, or name the place to look at.")
            .request_id(answer.request_id)
            .into());
        }
        self.notes.push(format!(
            "The model wanted to look further after {MOST_ROUNDS} rounds; its answer may lack something."
        ));
        Ok(self.answered(plan, answer))
    }
}

/// What goes back of an answer: all of it, but for the empty texts that the API sends and does not take.
fn said(mut content: Vec<ContentBlock>) -> Vec<ContentBlock> {
    content.retain(|block| !matches!(block, ContentBlock::Text { text, .. } if text.is_empty()));
    content
}

/// Whether a server turned the request away because of its tools, which not every one has.
fn refuses_tools(plan: &Plan, error: &Error) -> bool {
    !plan.request.tools.is_empty() && error.kind == ErrorKind::Config && error.message.to_lowercase().contains("tool")
}
