//! A conversation that began with an explanation, of this process or another, and how it goes on.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use futures::FutureExt as _;
use ropey::Rope;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::ask::on_blocking_thread;
use super::host::Host;
use super::order::Order;
use super::report::{Outcome, Report};
use super::run::{Context, Run, Stop, run_to_end};
use crate::claude::models::Model;
use crate::claude::types::ContentBlock;
use crate::claude::words::{counters, dollars};
use crate::defect;
use crate::error::{Error, ErrorKind};
use crate::ledger::{Ledger, StoredExplanation, StoredTurn};
use crate::output::explanation::{Explanation, Turn};
use crate::prompt::{self, History, Plan, Planner};
use crate::workspace::content::read_text;
use crate::workspace::{Snapshot, language};

/// What a document is called that nobody can find any more.
static NOWHERE: LazyLock<Url> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant")]
    Url::parse("untitled:gone").expect("a URL")
});

/// An explanation with all that was asked about it since.
#[derive(Clone, Debug, PartialEq)]
pub struct Thread {
    /// How it began.
    pub first: StoredExplanation,
    /// What followed.
    pub turns: Vec<StoredTurn>,
}

impl Thread {
    /// The conversation with this id, or the one in which the job with this id answered; `None` if there is none. Blocks.
    pub fn load(ledger: &Ledger, id: &str) -> Result<Option<Self>, Error> {
        let first = match ledger.load(id)? {
            None => ledger.conversation_of(id)?.map(|id| ledger.load(&id)).transpose()?.flatten(),
            first => first,
        };
        let Some(first) = first else { return Ok(None) };
        Ok(Some(Self { turns: ledger.turns(&first.id)?, first }))
    }

    /// The document that it is about, as it is on disk now; without a text if it is gone.
    pub fn document(&self) -> Snapshot {
        let uri: Option<Url> = self.first.uri.parse().ok();
        let path = uri.as_ref().and_then(|uri| uri.to_file_path().ok());
        let text = path.as_deref().and_then(|path| read_text(path).ok()).unwrap_or_default();
        let (uri, language) = (uri.unwrap_or_else(|| NOWHERE.clone()), language::by_id(&self.first.language));
        Snapshot::new(uri, path, language, None, Rope::from_str(&text))
    }

    /// The folder that the conversation's paths are relative to, where the document is still called so.
    pub fn root(&self, document: &Snapshot) -> Option<PathBuf> {
        let path = document.path.as_deref()?;
        let below = Path::new(self.first.path.as_deref()?);
        let root = path.ancestors().nth(below.components().count())?;
        (root.join(below) == path).then(|| root.to_owned())
    }

    /// The whole of it, to be shown.
    pub fn explanation(&self) -> Explanation {
        let stored = &self.first;
        let (first, last) = (stored.code_start_line + 1, stored.code_end_line + 1);
        let usage = |tokens, cost: Option<f64>| {
            let cost = cost.map(|usd| format!(" · {}", dollars(usd))).unwrap_or_default();
            format!("{}{cost}", counters(tokens))
        };
        Explanation {
            id: stored.id.clone(),
            action: stored.title.clone(),
            subject: String::new(),
            place: stored.path.as_ref().map(|path| format!("{path}:{first}-{last}")).unwrap_or_default(),
            question: History::from_json(&stored.messages).and_then(|history| history.question()).unwrap_or_default(),
            markdown: stored.markdown.clone(),
            thinking: stored.thoughts.clone(),
            model: stored.model.clone(),
            usage: usage(&stored.tokens, stored.cost_usd),
            simulated: stored.simulated,
            turns: self
                .turns
                .iter()
                .map(|turn| Turn {
                    question: turn.question.clone(),
                    markdown: turn.answer.clone(),
                    model: turn.model.clone(),
                    usage: usage(&turn.tokens, turn.cost_usd),
                    simulated: turn.simulated,
                    thinking: turn.thoughts.clone(),
                })
                .collect(),
        }
    }
}

/// Asks the order's prompt as the next question of a conversation. The order's document is the one that the conversation is
/// about, as it is now; without a text if it is gone. The report's explanation is the new answer under the conversation's id.
///
/// Fails with `config` when the conversation cannot be gone on with or there is no question.
pub async fn follow_up(
    context: &Context,
    order: &Order,
    thread: &Thread,
    host: &dyn Host,
    cancel: &CancellationToken,
) -> Report {
    let run = AssertUnwindSafe(run_to_end(context, order, Some(thread), host, cancel)).catch_unwind();
    run.await.unwrap_or_else(|panic| {
        tracing::error!(job = order.job, "a job panicked: {}", defect::words(panic.as_ref()));
        Report::defect(order)
    })
}

/// What is sent; thinking of another model's, or of another server's, is no use to this one.
pub(super) fn plan(
    order: &Order,
    thread: &Thread,
    model: &Model,
    scale: prompt::Scale,
    without_thinking: bool,
) -> Result<Plan, Error> {
    order.permitted(None)?;
    let stored = &thread.first;
    let Some(mut history) = History::from_json(&stored.messages) else {
        return Err(Error::new(ErrorKind::Config, "This explanation cannot be gone on with.")
            .hint("It was written by another version of Aside; ask about the code anew."));
    };
    if order.prompt.as_deref().is_none_or(|question| question.trim().is_empty()) {
        return Err(no_question());
    }
    let last = thread.turns.last().map_or((&stored.model, stored.simulated), |turn| (&turn.model, turn.simulated));
    if without_thinking || *last.0 != model.id || last.1 != order.simulated {
        history = history.without_thinking();
    }
    // As the conversation calls it, whatever it is called from here.
    let path = stored.path.clone().unwrap_or_else(|| order.shown_path());
    let text = order.snapshot.text.to_string();
    // An empty file says as much as none.
    let now = (!text.is_empty()).then_some(text.as_str());
    let news = history.news(&path, order.snapshot.language, now);
    let input = prompt::Input {
        family: prompt::Family::Conversation,
        action: &order.action,
        settings: &order.settings,
        model,
        language: order.snapshot.language,
        document: order.snapshot.uri.as_str(),
        path: &path,
        text: &text,
        selection: 0..0,
        rules: &[],
        project: None,
        prompt: order.prompt.as_deref(),
        tests: None,
        context: None,
        scale,
    };
    Planner::resume(&input, &history, &news)
}

/// Whether a server turned a conversation away because of what was thought in it.
fn is_about_thoughts(plan: &Plan, error: &Error) -> bool {
    let mut blocks = plan.request.messages.iter().flat_map(|message| &message.content);
    error.kind == ErrorKind::Config
        && error.message.contains("thinking")
        && blocks.any(|block| matches!(block, ContentBlock::Thinking { .. } | ContentBlock::RedactedThinking { .. }))
}

/// The error for a question that was not asked.
pub fn no_question() -> Error {
    Error::new(ErrorKind::Config, "There is no question to answer.")
        .hint("Write it under the explanation, or give it as the prompt.")
}

impl Run<'_> {
    /// Goes on with a conversation.
    pub(super) async fn go_on(&mut self, thread: &Thread) -> Result<Outcome, Stop> {
        let connected = self.connect().await;
        if let Ok(connection) = &connected {
            self.learn_of_model(connection).await?;
        }
        let mut plan = self.plan_turn(thread, false)?;
        connected?;
        self.planned(&plan);
        self.count_near_limit(&plan).await?;
        let whole = match self.conversed(&mut plan).await {
            Err(Stop::Failed(error)) if self.turns_to_another(&error) => {
                plan = self.plan_turn(thread, false)?;
                self.planned(&plan);
                self.count_near_limit(&plan).await?;
                self.conversed(&mut plan).await?
            }
            // Not every server takes back what its model thought.
            Err(Stop::Failed(error)) if is_about_thoughts(&plan, &error) => {
                plan = self.plan_turn(thread, true)?;
                self.asked.clone_from(&plan.request.messages);
                self.conversed(&mut plan).await?
            }
            whole => whole?,
        };
        self.explain(&plan, &whole)
    }

    fn plan_turn(&self, thread: &Thread, without_thinking: bool) -> Result<Plan, Error> {
        let scale = self.context.estimates.scale(&self.model.id);
        tokio::task::block_in_place(|| plan(self.order, thread, &self.model, scale, without_thinking))
    }

    /// Writes a turn down behind the others. Where the conversation went on elsewhere meanwhile, the answer begins another.
    pub(super) async fn keep_turn(&mut self, thread: &Thread, answer: Explanation, outcome: Outcome) -> Explanation {
        let answer = Explanation { place: thread.explanation().place, ..answer };
        if outcome != Outcome::Shown {
            // A question without a whole answer is asked again.
            return answer;
        }
        let turn = StoredTurn {
            job: self.order.job.clone(),
            question: self.order.prompt.clone().unwrap_or_default().trim().to_owned(),
            answer: answer.markdown.clone(),
            thoughts: answer.thinking.clone(),
            model: self.model.id.clone(),
            tokens: self.bill.tokens,
            cost_usd: self.bill.priced.then_some(self.bill.usd),
            created: jiff::Timestamp::now(),
            simulated: self.order.simulated,
        };
        let (ledger, id, known) = (self.context.ledger.clone(), thread.first.id.clone(), thread.turns.len());
        let messages = self.conversation(&answer.markdown);
        let kept = on_blocking_thread(move || ledger.append(&id, known, &turn, &messages)).await;
        match kept {
            Ok(true) => {
                self.conversation = Some(thread.first.id.clone());
                Explanation { id: thread.first.id.clone(), ..answer }
            }
            Ok(false) => {
                self.notes.push(
                    "The conversation went on elsewhere meanwhile; this answer is kept as a conversation of its own."
                        .to_owned(),
                );
                self.keep(answer, outcome).await
            }
            Err(error) => {
                self.notes.push(format!("The answer could not be written down for later: {}", error.sentence()));
                Explanation { id: thread.first.id.clone(), ..answer }
            }
        }
    }
}
