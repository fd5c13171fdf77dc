//! The run itself: plan, ask, read the answer, land the edit or show the explanation, and write down what it cost.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::ask::{millis, on_blocking_thread};
use super::bill::Bill;
use super::budget::Budgets;
use super::connection::Connections;
use super::edit;
use super::host::Host;
use super::image;
use super::lander::Step;
use super::life::CacheLife;
use super::order::Order;
use super::outgoing::Withheld;
use super::places::Places;
use super::report::{Outcome, Report, Standing};
use super::review::Reviewer;
use super::surroundings::surroundings;
use super::thread::Thread;
use super::whole::Whole;
use crate::actions::{Applies, ResultForm};
use crate::claude::catalogue::Catalogue;
use crate::claude::client::Answer;
use crate::claude::models::Model;
use crate::claude::types::{ContentBlock, Message, Role};
use crate::defect;
use crate::error::{Error, ErrorKind};
use crate::ledger::{Ledger, StoredExplanation, Totals, UsageReport};
use crate::output::explanation::Explanation;
use crate::output::findings::Finding;
use crate::prompt::{self, Estimates, History, Plan, Planner, Scale};
use crate::workspace::access::Access;
use crate::workspace::roots::relative;
use crate::workspace::syntax::ParsedAhead;
use crate::workspace::test_files::TestPlace;

/// What runs share.
pub struct Context {
    /// What is known of the cache.
    pub cache: Arc<CacheLife>,
    /// What was said about budgets.
    pub budgets: Arc<Budgets>,
    /// The way to the API.
    pub connections: Arc<Connections>,
    /// Where costs and explanations are written down.
    pub ledger: Ledger,
    /// The requests that may run at once, and the order of those who wait.
    pub places: Places,
    /// What all runs of this process took.
    pub session: Arc<Mutex<Totals>>,
    /// What is sent, and what of it may still be in the cache. The lock is never held across an await.
    pub planner: Arc<Mutex<Planner>>,
    /// How far estimates were off.
    pub estimates: Arc<Estimates>,
    /// What servers say of their models.
    pub models: Arc<Catalogue>,
}

/// Runs an order to its end, which a defect of Aside's own is as well. Dropping the future or cancelling the token ends its
/// HTTP request.
pub async fn run(context: &Context, order: &Order, host: &dyn Host, cancel: &CancellationToken) -> Report {
    let clock = Instant::now();
    let report =
        AssertUnwindSafe(run_to_end(context, order, None, host, cancel)).catch_unwind().await.unwrap_or_else(|panic| {
            tracing::error!(job = order.job, "a job panicked: {}", defect::words(panic.as_ref()));
            Report::defect(order)
        });
    let tokens = report.usage.as_ref().map(UsageReport::tokens).unwrap_or_default();
    tracing::info!(
        job = report.job,
        action = report.action,
        outcome = report.outcome.as_str(),
        duration_ms = millis(clock.elapsed()),
        input = tokens.total_input(),
        cache_read = tokens.cache_read,
        output = tokens.output,
        "the job ended"
    );
    report
}

/// Runs an order, or with a thread its question.
pub(super) async fn run_to_end(
    context: &Context,
    order: &Order,
    thread: Option<&Thread>,
    host: &dyn Host,
    cancel: &CancellationToken,
) -> Report {
    let mut run = Run::new(context, order, host, cancel);
    let ended = match thread {
        None => run.steps().await,
        Some(thread) => run.go_on(thread).await,
    };
    let (outcome, error) = match ended {
        Ok(outcome) => (outcome, None),
        Err(Stop::Cancelled) => (Outcome::Cancelled, None),
        Err(Stop::Failed(error)) => (Outcome::Failed, Some(error)),
    };
    if let Some(error) = &error {
        tracing::warn!(job = order.job, action = %order.action.id, kind = %error.kind, "the action failed");
    }
    if let Some(explanation) = run.explanation.take() {
        run.explanation = Some(match thread {
            None => run.keep(explanation, outcome).await,
            Some(thread) => run.keep_turn(thread, explanation, outcome).await,
        });
    } else if let Some(talk) = run.talk.take() {
        run.keep_talk(&talk).await;
    }
    run.notes.extend(run.withheld.sentence());
    Report {
        job: order.job.clone(),
        action: order.action.id.to_string(),
        outcome,
        reason: run.reason,
        error,
        usage: run.bill.report(&run.model),
        warm_until: run.warm_until,
        explanation: run.explanation,
        conversation: run.conversation,
        edits: run.edits,
        findings: run.findings,
        standing: run.standing,
        quiet: run.quiet,
        notes: run.notes,
        model: run.model.id.clone(),
        simulated: order.simulated,
    }
}

/// What would be sent for an order, without sending it.
pub(super) fn plan(
    planner: &Mutex<Planner>,
    scale: Scale,
    order: &Order,
    host: &dyn Host,
    model: &Model,
) -> Result<Plan, Error> {
    if order.action.applies == Applies::Pictured {
        return image::plan(order, model, scale);
    }
    let place = match order.action.result {
        ResultForm::Tests => Some(edit::place_for_tests(order)?),
        _ => None,
    };
    if order.action.result == ResultForm::NewFile {
        edit::place_for_file(order, host)?;
    }
    plan_for(planner, scale, order, host, model, place.as_ref())
}

pub(super) fn plan_for(
    planner: &Mutex<Planner>,
    scale: Scale,
    order: &Order,
    host: &dyn Host,
    model: &Model,
    place: Option<&TestPlace>,
) -> Result<Plan, Error> {
    order.permitted(place)?;
    let text = order.snapshot.text.to_string();
    let path = order.shown_path();
    let access = order.root.as_deref().map(|root| Access::of(root, &order.settings.privacy));
    let allowed = |below: &Path| {
        order.root.as_deref().zip(access.as_ref()).is_some_and(|(root, access)| access.may_send(&root.join(below)))
    };
    let rules = match &order.snapshot.path {
        Some(file) => prompt::rules(order.root.as_deref(), file, &allowed),
        None => Vec::new(),
    };
    let project =
        order.snapshot.path.as_deref().and_then(|file| prompt::project(order.root.as_deref(), file, &allowed));
    let tests = match place {
        Some(place) => Some(prompt::TestTarget {
            path: relative(&place.path, order.root.as_deref().unwrap_or(Path::new(""))),
            framework: place.framework.to_owned(),
            existing: if place.inline { None } else { host.file(&place.path)?.map(|file| file.text.to_string()) },
            inline: place.inline,
            import_hint: place.import_hint.clone(),
        }),
        None => None,
    };
    let context = surroundings(order, host, model, &text, tests.as_ref());
    let input = prompt::Input {
        family: if order.action.converses() { prompt::Family::Conversation } else { prompt::Family::Document },
        action: &order.action,
        settings: &order.settings,
        model,
        language: order.snapshot.language,
        document: order.snapshot.uri.as_str(),
        path: &path,
        text: &text,
        selection: order.selection.clone(),
        rules: &rules,
        project: project.as_deref(),
        prompt: order.prompt.as_deref(),
        tests: tests.as_ref(),
        context: Some(&context),
        scale,
    };
    planner.lock().unwrap_or_else(PoisonError::into_inner).plan(&input, jiff::Timestamp::now())
}

/// Why a run ends before its end.
pub(super) enum Stop {
    Cancelled,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A run that is under way.
pub(super) struct Run<'a> {
    pub(super) context: &'a Context,
    pub(super) order: &'a Order,
    pub(super) host: &'a dyn Host,
    pub(super) cancel: &'a CancellationToken,
    pub(super) model: Cow<'static, Model>,
    pub(super) bill: Bill,
    pub(super) attempts: u32,
    /// What was sent, and what was answered where that is more than its text.
    pub(super) asked: Vec<Message>,
    pub(super) answered: Option<Vec<ContentBlock>>,
    /// The text that an edit is asked for.
    pub(super) original: Option<Arc<ParsedAhead>>,
    pub(super) notes: Vec<String>,
    /// What no request was allowed to take along.
    pub(super) withheld: Withheld,
    pub(super) edits: Vec<super::report::FileEdit>,
    /// What a review found; none if it was no review.
    pub(super) findings: Option<Vec<Finding>>,
    pub(super) reviewer: Option<Arc<Reviewer>>,
    pub(super) standing: Option<Standing>,
    pub(super) quiet: bool,
    pub(super) explanation: Option<Explanation>,
    /// What was said where there is nothing to show: it is kept for who wants to ask on.
    pub(super) talk: Option<Explanation>,
    /// The id of the conversation that was written down.
    pub(super) conversation: Option<String>,
    /// What came of the last request behind a part that was there already, before it broke off.
    pub(super) came: Option<String>,
    /// What the model let be seen of its thinking.
    thinking: String,
    pub(super) reason: Option<String>,
    pub(super) warm_until: Option<jiff::Timestamp>,
}

impl<'a> Run<'a> {
    /// A run at its beginning.
    pub(super) fn new(
        context: &'a Context,
        order: &'a Order,
        host: &'a dyn Host,
        cancel: &'a CancellationToken,
    ) -> Self {
        Run {
            context,
            order,
            host,
            cancel,
            model: order.settings.model_data(&order.model),
            bill: Bill::default(),
            attempts: 0,
            asked: Vec::new(),
            answered: None,
            original: None,
            notes: Vec::new(),
            withheld: Withheld::default(),
            edits: Vec::new(),
            findings: None,
            reviewer: None,
            standing: None,
            quiet: false,
            explanation: None,
            talk: None,
            conversation: None,
            came: None,
            thinking: String::new(),
            reason: None,
            warm_until: None,
        }
    }

    /// What is to be sent. A large file takes a while to parse.
    pub(super) fn plan(&self, place: Option<&TestPlace>) -> Result<Plan, Error> {
        let scale = self.context.estimates.scale(&self.model.id);
        tokio::task::block_in_place(|| {
            plan_for(&self.context.planner, scale, self.order, self.host, &self.model, place)
        })
    }
}

impl Run<'_> {
    async fn steps(&mut self) -> Result<Outcome, Stop> {
        let order = self.order;
        if order.action.applies == Applies::Pictured {
            return self.describe().await;
        }
        let place = match order.action.result {
            ResultForm::Tests => Some(edit::place_for_tests(order)?),
            _ => None,
        };
        let file = match order.action.result {
            ResultForm::NewFile => Some(edit::place_for_file(order, self.host)?),
            _ => None,
        };
        // First, because what is in the cache decides what is worth writing to it.
        let connected = self.connect().await;
        if let Ok(connection) = &connected {
            self.learn_of_model(connection).await?;
        }
        let plan = self.plan(place.as_ref())?;
        connected?;
        self.planned(&plan);
        if order.action.result == ResultForm::Edit {
            // While the model writes there is time to parse, and with the tree an answer is an edit at once.
            let original = self.original.insert(Arc::new(order.snapshot.parsed_ahead())).clone();
            tokio::task::spawn_blocking(move || original.parse());
        }
        // The answer may be minutes away.
        order.snapshot.forget_tree();
        self.count_near_limit(&plan).await?;
        if order.action.result == ResultForm::Answer {
            return match self.answer(plan).await {
                Err(Stop::Failed(error)) if self.turns_to_another(&error) => {
                    let plan = self.plan(place.as_ref())?;
                    self.planned(&plan);
                    self.count_near_limit(&plan).await?;
                    self.answer(plan).await
                }
                ended => ended,
            };
        }
        if order.action.result == ResultForm::Diagnostics {
            return match self.review(plan).await {
                Err(Stop::Failed(error)) if self.turns_to_another(&error) => {
                    let plan = self.plan(None)?;
                    self.planned(&plan);
                    self.count_near_limit(&plan).await?;
                    self.review(plan).await
                }
                ended => ended,
            };
        }
        let (plan, whole) = self.obtain(plan, place.as_ref()).await?;
        if whole.input_tokens > 0 {
            self.learn(&plan, whole.input_tokens).await;
        }
        match order.action.result {
            ResultForm::Edit => self.land(&plan, whole, Step::Selection).await,
            ResultForm::NewFile => match file {
                Some(file) => self.land(&plan, whole, Step::File(file)).await,
                None => Err(Error::new(ErrorKind::Internal, "No place for the file was looked up.").into()),
            },
            ResultForm::Tests => match place {
                Some(place) => self.land(&plan, whole, Step::Tests(place)).await,
                None => Err(Error::new(ErrorKind::Internal, "No place for the tests was looked up.").into()),
            },
            _ => self.explain(&plan, &whole),
        }
    }

    /// Takes in a plan that is followed.
    pub(super) fn planned(&mut self, plan: &Plan) {
        self.asked.clone_from(&plan.request.messages);
        self.note(plan);
    }

    /// What a plan has to say; what is so for every request under these settings only once.
    pub(super) fn note(&mut self, plan: &Plan) {
        let left_out = &plan.memo.left_out;
        let is_news = |note: &&String| !left_out.contains(note) || self.context.connections.is_news(note);
        self.notes.extend(plan.notes.iter().filter(is_news).cloned());
    }

    /// An answer to read: shown as far as it came.
    pub(super) fn explain(&mut self, plan: &Plan, whole: &Whole) -> Result<Outcome, Stop> {
        let limit = plan.request.max_tokens.unwrap_or_default();
        if whole.text.trim().is_empty() {
            return Err(whole.empty(limit).into());
        }
        self.notes.extend(whole.note(limit));
        self.thinking.clone_from(&whole.thinking);
        self.explanation = Some(self.document(&whole.text));
        Ok(Outcome::Shown)
    }

    /// A document to read, around Markdown text.
    pub(super) fn document(&self, markdown: &str) -> Explanation {
        Explanation {
            id: self.order.job.clone(),
            action: self.order.title(),
            subject: String::new(),
            place: self.order.place(),
            question: if self.order.action.asks() {
                self.order.prompt.clone().unwrap_or_default()
            } else {
                String::new()
            },
            markdown: markdown.to_owned(),
            model: self.model.id.clone(),
            thinking: if self.order.settings.thinking.show { self.thinking.clone() } else { String::new() },
            usage: self.bill.report(&self.model).map(|usage| usage.line()).unwrap_or_default(),
            simulated: self.order.simulated,
            turns: Vec::new(),
        }
    }

    /// Writes the document down so that any process can show it later. A ledger that can't is no reason to lose the answer.
    pub(super) async fn keep(&mut self, explanation: Explanation, outcome: Outcome) -> Explanation {
        // A kept edit and an answer that broke off can be read, but explain no code to whoever hovers over it.
        let code = if outcome == Outcome::Shown { self.order.selected() } else { String::new() };
        self.save(&explanation, code).await;
        explanation
    }

    /// Writes down what was said beside a result that is shown in another way.
    async fn keep_talk(&mut self, talk: &Explanation) {
        self.save(talk, String::new()).await;
    }

    async fn save(&mut self, explanation: &Explanation, code: String) {
        let stored = self.stored(explanation, code);
        let (ledger, id) = (self.context.ledger.clone(), stored.id.clone());
        match on_blocking_thread(move || ledger.save(&stored)).await {
            Ok(()) => self.conversation = Some(id),
            Err(error) => {
                self.notes.push(format!("The explanation could not be written down for later: {}", error.sentence()));
            }
        }
    }

    fn stored(&self, explanation: &Explanation, code: String) -> StoredExplanation {
        let order = self.order;
        let (first, last) = order.lines();
        let line = |line: usize| u32::try_from(line - 1).unwrap_or(u32::MAX);
        StoredExplanation {
            id: explanation.id.clone(),
            job: order.job.clone(),
            action: order.action.id.to_string(),
            uri: order.snapshot.uri.to_string(),
            path: order.snapshot.path.is_some().then(|| order.shown_path()),
            language: order.snapshot.language.id.to_owned(),
            title: explanation.title(),
            code,
            code_start_line: line(first),
            code_end_line: line(last),
            thoughts: explanation.thinking.clone(),
            markdown: explanation.markdown.clone(),
            messages: self.conversation(&explanation.markdown),
            model: self.model.id.clone(),
            tokens: self.bill.tokens,
            cost_usd: self.bill.priced.then_some(self.bill.usd),
            created: jiff::Timestamp::now(),
            simulated: order.simulated,
        }
    }

    /// What was said, so that a conversation can go on from it.
    pub(super) fn conversation(&self, answer: &str) -> String {
        let mut messages = self.asked.clone();
        let content = self.answered.clone().unwrap_or_else(|| vec![ContentBlock::text(answer)]);
        messages.push(Message { role: Role::Assistant, content });
        History::new(messages).to_json()
    }
}

/// The text of an answer; thinking and other blocks are not part of it.
pub(super) fn text_of(answer: &Answer) -> String {
    text_in(&answer.message.content)
}

/// The text in a content.
pub(super) fn text_in(content: &[ContentBlock]) -> String {
    let texts = content.iter().filter_map(|block| match block {
        ContentBlock::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}
