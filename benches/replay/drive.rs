//! Sends a session's requests, with a clock that is moved by hand, to the simulator's bookkeeping.

use aside::actions;
use aside::claude::models::{self, Model};
use aside::claude::types::{CacheControl, MessageRequest, SystemBlock, Ttl};
use aside::claude::usage::{Tokens, cost};
use aside::config::{CacheLayout, Environment, Layers, Paths, Settings};
use aside::prompt::{Family, Input, Plan, Planner, Scale};
use aside::simulator::Accounting;
use jiff::Timestamp;

use super::sessions::Action;

/// How the requests are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Without a cache.
    Off,
    /// With one breakpoint, behind the system prompt.
    SystemOnly,
    /// `cache.layout = "plain"`.
    Plain,
    /// `cache.layout = "snapshot"`.
    Snapshot,
}

/// What the input of a session took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bill {
    pub(crate) tokens: Tokens,
    pub(crate) usd: f64,
}

/// The default configuration with a model.
pub(crate) fn settings(model: &str) -> Settings {
    let environment = Environment::from_pairs([("HOME", "/nonexistent")]);
    let mut settings = Layers::load(&environment, &Paths::new(&environment), None).resolve().settings;
    model.clone_into(&mut settings.model);
    settings
}

/// Replays a session: what it took up to and including each action. The answers are not part of it: every layout has the
/// same.
pub(crate) fn replay(actions: &[Action], layout: Layout, settings: &Settings) -> Vec<Bill> {
    let mut settings = settings.clone();
    settings.cache.layout = match layout {
        Layout::Off | Layout::SystemOnly => CacheLayout::Off,
        Layout::Plain => CacheLayout::Plain,
        Layout::Snapshot => CacheLayout::Snapshot,
    };
    let model = models::lookup(&settings.model);
    let (mut planner, mut accounting) = (Planner::new(), Accounting::new());
    let mut bill = Bill::default();
    let mut bills = Vec::with_capacity(actions.len());
    let mut now = Timestamp::UNIX_EPOCH;
    for action in actions {
        now += action.pause;
        let plan = plan(&mut planner, action, &settings, &model, now);
        let mut request = plan.request.clone();
        if layout == Layout::SystemOnly {
            mark_system(&mut request);
        }
        planner.sent(&plan, now);
        let tokens = accounting.charge("key", &request, now).expect("a request that the API takes");
        planner.began(&plan, &tokens, now);
        bill.tokens += tokens;
        bill.usd += cost(&model, &tokens, false).expect("a model with prices").usd;
        bills.push(bill);
    }
    bills
}

/// The plan of an action.
pub(crate) fn plan(planner: &mut Planner, action: &Action, settings: &Settings, model: &Model, now: Timestamp) -> Plan {
    let input = Input {
        family: Family::Document,
        action: actions::find(action.name).expect("an action"),
        settings,
        model,
        language: action.language,
        document: &action.path,
        path: &action.path,
        text: &action.text,
        selection: action.selection.clone(),
        rules: &[],
        project: None,
        prompt: None,
        tests: None,
        context: None,
        scale: Scale::default(),
    };
    planner.plan(&input, now).expect("a prompt that fits")
}

fn mark_system(request: &mut MessageRequest) {
    if let Some(SystemBlock::Text { cache_control, .. }) = request.system.last_mut() {
        *cache_control = Some(CacheControl::new(Ttl::FiveMinutes));
    }
}
