//! What the server knows: documents, settings, the client's abilities, running jobs.
//!
//! The mutable part stands under one `std` mutex that is never held across an await. Handlers of notifications change it in
//! wire order; handlers of requests take a snapshot and leave.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lsp_types::{MessageType, Uri};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_lsp::Client;

use super::actions::Actions;
use super::capabilities::Capabilities;
use super::explained::Explained;
use super::findings::Findings;
use super::handlers::code_lens;
use super::handlers::hover::Asking;
use super::landing::Expectations;
use super::proposals::Proposals;
use super::standing::Standing;
use super::stdout::Outlet;
use crate::claude::catalogue::Catalogue;
use crate::config::{Environment, Layers, Paths, Settings};
use crate::error::Error;
use crate::jobs::{Budgets, CacheLife, Connections, Context, Missed, Places, Registry};
use crate::ledger::{Ledger, Totals};
use crate::prompt::diagnosis::Warm;
use crate::prompt::{Estimates, Planner};
use crate::simulator::SimulatorOptions;
use crate::workspace::Documents;
use crate::workspace::roots::Roots;

/// Everything handlers and jobs share.
pub(super) struct Session {
    /// The way to the client.
    pub(super) client: Client,
    /// The way to it for what has to be there at once.
    pub(super) outlet: Outlet,
    /// Users' own actions.
    pub(super) actions: Actions,
    /// Where files are.
    pub(super) paths: Paths,
    /// The running jobs, to be listed and cancelled.
    pub(super) registry: Registry,
    /// The running jobs' tasks, to be waited for when the client leaves.
    pub(super) jobs: TaskTracker,
    /// Cancelled when the client leaves.
    pub(super) end: CancellationToken,
    /// Cancelled when its process was found dead: there is nobody to say anything to.
    pub(super) dead: CancellationToken,
    /// Something started or ended that the client's status should show.
    pub(super) status_due: Notify,
    /// Findings came or went that the client should show.
    pub(super) findings_due: Notify,
    connections: Arc<Connections>,
    /// Opened at the first use: a server that only sits there opens no file.
    pub(super) ledger: Ledger,
    totals: Arc<Mutex<Totals>>,
    planner: Arc<Mutex<Planner>>,
    cache: Arc<CacheLife>,
    budgets: Arc<Budgets>,
    estimates: Arc<Estimates>,
    models: Arc<Catalogue>,
    state: Mutex<State>,
    /// Counts the changes of all documents, to wake those who wait for one.
    changes: watch::Sender<u64>,
}

/// What changes while the server runs.
pub(super) struct State {
    /// The open documents.
    pub(super) documents: Documents,
    /// When a document was changed last.
    pub(super) changed: Option<tokio::time::Instant>,
    /// What the client can do.
    pub(super) capabilities: Capabilities,
    /// The settings' layers.
    pub(super) layers: Layers,
    /// The settings as they result.
    pub(super) settings: Arc<Settings>,
    /// What must be corrected before anything is sent.
    pub(super) unusable: Option<Error>,
    /// The workspace's folders.
    pub(super) roots: Roots,
    /// The progress tokens of running jobs, by which the client cancels them.
    pub(super) tokens: HashMap<String, String>,
    /// Edits that are on their way to the client.
    pub(super) expectations: Expectations,
    /// The explanations of open documents, for hovers.
    pub(super) explained: HashMap<Uri, Arc<Vec<Explained>>>,
    /// The folders whose shared prompt was written to the cache when they were opened; none stands for files of no folder.
    pub(super) warmed: Vec<Option<PathBuf>>,
    /// How many explanations this process made; what was read from the ledger while one came is out of date.
    pub(super) explanations: u64,
    /// How many hovers there were.
    pub(super) hovers: u64,
    /// The newest request that a hover made.
    pub(super) asking: Option<Asking>,
    /// Edits that wait for the user's word.
    pub(super) proposals: Proposals,
    /// What reviews found.
    pub(super) findings: Findings,
    /// Answers that met a conflict.
    pub(super) standing: Standing,
    /// The requests that may run at once.
    places: Places,
    /// What was already said, so that it is said once.
    said: Vec<String>,
    /// How often the client was asked for its settings; only the newest answer counts.
    pub(super) pulls: u64,
    /// Which of these questions was answered last.
    pub(super) pulled: u64,
}

impl State {
    /// Takes over the layers' settings; what is wrong in them.
    pub(super) fn resolve_settings(&mut self) -> Vec<String> {
        let resolved = self.layers.resolve();
        self.places.set_limit(resolved.settings.max_running);
        self.unusable = resolved.usable().err();
        self.settings = Arc::new(resolved.settings);
        resolved.problems.iter().map(ToString::to_string).collect()
    }
}

impl Session {
    /// A session before `initialize`.
    pub(super) fn new(
        client: Client,
        outlet: Outlet,
        environment: &Environment,
        simulator: Option<SimulatorOptions>,
        end: CancellationToken,
    ) -> Self {
        let paths = Paths::new(environment);
        let layers = Layers::load(environment, &paths, None);
        let settings = Arc::new(layers.resolve().settings);
        Self {
            client,
            outlet,
            connections: Arc::new(Connections::new(environment.clone(), simulator)),
            ledger: Ledger::lazy(paths.ledger()),
            budgets: Arc::new(Budgets::new(paths.config_file.clone())),
            estimates: Arc::new(Estimates::kept_in(paths.estimates())),
            models: Arc::new(Catalogue::kept_in(paths.models())),
            actions: Actions::new(paths.clone()),
            paths,
            registry: Registry::default(),
            jobs: TaskTracker::new(),
            end,
            dead: CancellationToken::new(),
            totals: Arc::default(),
            planner: Arc::default(),
            cache: Arc::default(),
            status_due: Notify::new(),
            findings_due: Notify::new(),
            state: Mutex::new(State {
                documents: Documents::default(),
                changed: None,
                capabilities: Capabilities::none(),
                layers,
                places: Places::new(settings.max_running),
                settings,
                unusable: None,
                roots: Roots::default(),
                tokens: HashMap::new(),
                expectations: Expectations::default(),
                explained: HashMap::new(),
                warmed: Vec::new(),
                explanations: 0,
                hovers: 0,
                asking: None,
                proposals: Proposals::default(),
                findings: Findings::default(),
                standing: Standing::default(),
                said: Vec::new(),
                pulls: 0,
                pulled: 0,
            }),
            changes: watch::Sender::new(0),
        }
    }

    /// The state, for a moment. A panic under the lock leaves whole values only, so its poison is ignored.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether answers come from the simulator.
    pub(super) fn simulated(&self) -> bool {
        self.connections.simulated()
    }

    /// Tells those who wait that a document changed.
    pub(super) fn documents_changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Wakes at every change of a document.
    pub(super) fn watch_documents(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What a run needs.
    pub(super) fn context(&self) -> Context {
        let places = self.state().places.clone();
        Context {
            cache: self.cache.clone(),
            budgets: self.budgets.clone(),
            connections: self.connections.clone(),
            ledger: self.ledger.clone(),
            places,
            session: self.totals.clone(),
            planner: self.planner.clone(),
            estimates: self.estimates.clone(),
            models: self.models.clone(),
        }
    }

    /// What this process took so far.
    pub(super) fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can still be read from the cache, and why the newest request missed that did.
    pub(super) fn cache(&self) -> (Vec<Warm>, Option<Missed>) {
        (self.cache.warm(&self.planner, jiff::Timestamp::now()), self.cache.last_miss())
    }

    /// Says what went wrong with the ledger's file, if anything did since.
    pub(super) fn tell_of_ledger(&self) {
        if let Some(warning) = self.ledger.take_warning() {
            self.tell(MessageType::Warning, format!("Aside: {warning}"));
        }
    }

    /// Takes over the layers' settings and reports what is wrong in them, each problem once.
    pub(super) fn resolve_settings(&self) {
        let mut state = self.state();
        let before = state.settings.code_lens.clone();
        let problems = state.resolve_settings();
        let fresh: Vec<String> = problems.iter().filter(|problem| !state.said.contains(problem)).cloned().collect();
        state.said = problems;
        let lenses_changed = state.settings.code_lens != before;
        drop(state);
        if lenses_changed {
            code_lens::refresh(self);
        }
        for problem in fresh {
            self.tell(MessageType::Warning, format!("Aside's settings: {problem}"));
        }
    }

    /// Shows a message without waiting for a slow client.
    pub(super) fn tell(&self, kind: MessageType, message: String) {
        let client = self.client.clone();
        tokio::spawn(async move { client.show_message(kind, message).await });
    }
}
