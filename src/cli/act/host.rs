//! The terminal as the host of a run.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ropey::Rope;

use super::super::terminal::{self, WARNING};
use crate::actions::ResultForm;
use crate::claude::words::{counters, paced, trying_again};
use crate::error::Error;
use crate::jobs::{Change, Current, Event, Host, Landing, Order, Target, write_root};
use crate::output::explanation::LineTail;
use crate::workspace::documents::{Change as TextChange, Document};
use crate::workspace::tracking::TrackId;
use crate::workspace::write::{create_file, replace_below, replace_file};
use crate::workspace::{Span, content};

/// The most characters of output in the progress line.
const TAIL_WIDTH: usize = 60;

/// The terminal, for one run.
pub(super) struct TerminalHost {
    write: bool,
    from_stdin: bool,
    /// Whether the explanation goes to standard output while it is written.
    live: bool,
    root: Option<std::path::PathBuf>,
    bar: ProgressBar,
    state: Mutex<State>,
}

struct State {
    document: Document,
    track: TrackId,
    tail: LineTail,
    /// What of the current attempt was printed.
    printed: String,
    /// Whether it was said that something is waited for.
    waits: bool,
}

impl TerminalHost {
    /// The host of a run; without `write` edits are only shown, and with `human` people watch.
    pub(super) fn new(order: &Order, write: bool, from_stdin: bool, human: bool) -> Self {
        let snapshot = &order.snapshot;
        let mut document = Document::new(snapshot.uri.clone(), snapshot.language.id, 0, &snapshot.text.to_string());
        let track = document.track(order.selection.clone());
        // What is said before tools are used is no part of the answer.
        let explains = order.action.result == ResultForm::Explanation && !order.action.converses();
        let live = human && explains && std::io::stdout().is_terminal();
        let bar = if human && !live { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        // Where standard error is no terminal, the bar draws nothing.
        bar.set_draw_target(if human && !live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() });
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(order.title());
        bar.enable_steady_tick(Duration::from_millis(100));
        let state = State { document, track, tail: LineTail::new(TAIL_WIDTH), printed: String::new(), waits: false };
        Self { write, from_stdin, live, root: order.root.clone(), bar, state: Mutex::new(state) }
    }

    /// Whether edits land.
    pub(super) fn writes(&self) -> bool {
        self.write
    }

    /// What was already printed of the explanation.
    pub(super) fn printed(&self) -> String {
        self.state().printed.clone()
    }

    /// Takes the progress away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, line: &str) {
        if self.live {
            // What is shown live has no line of its own; only what the reader must know comes between.
            return;
        }
        self.bar.set_message(terminal::visible(line).into_owned());
    }

    /// A line that counts down. Where there is only one for all, it is said once.
    fn wait(&self, line: &str) {
        if self.live && !std::mem::replace(&mut self.state().waits, true) {
            let _ = writeln!(terminal::stderr(), "{}", terminal::visible(line));
        }
        self.say(line);
    }

    fn write_file(&self, path: &Path, change: &Change, create: bool) -> Result<(), Error> {
        let text = change.result();
        let before = change.base.text.to_string();
        let root = write_root(self.root.as_deref(), path);
        // What the user named is theirs to name.
        let is_named = self.state().document.path() == Some(path);
        match change.target {
            Target::File { .. } if create => create_file(path, root, &text),
            Target::File { .. } if !is_named => replace_below(path, root, &before, &text),
            Target::File { .. } | Target::Document => replace_file(path, &before, &text),
        }
    }
}

impl Host for TerminalHost {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Queued(queue) => self.say(queue.as_str()),
            Event::Attempt(attempt) => {
                let mut state = self.state();
                state.tail = LineTail::new(TAIL_WIDTH);
                if self.live && !state.printed.is_empty() {
                    let _ = writeln!(terminal::stderr(), "\n(The answer broke off and begins again.)");
                }
                state.printed.clear();
                state.waits = false;
                drop(state);
                self.say(if attempt > 1 { "asking again" } else { "asking" });
            }
            Event::Waiting { delay, reason } => {
                self.wait(&trying_again(&reason.message, delay));
            }
            Event::Paced { delay, limit } => self.wait(&paced(limit, delay)),
            Event::Discarded => {
                let mut state = self.state();
                if self.live && !state.printed.is_empty() {
                    let _ = writeln!(terminal::stderr(), "\n(What stands above is void.)");
                }
                state.printed.clear();
            }
            Event::Thinking(_) => self.say("thinking…"),
            Event::Tool(line) => self.say(line),
            Event::Text(text) => {
                let mut state = self.state();
                state.tail.push(text);
                if self.live {
                    let mut out = terminal::stdout();
                    // A reader who went away, as with `| head`, is no reason to lose the answer for the ledger.
                    let _ = out.write_all(terminal::visible(text).as_bytes()).and_then(|()| out.flush());
                    state.printed.push_str(text);
                } else {
                    let line = state.tail.line();
                    drop(state);
                    self.say(&line);
                }
            }
            Event::Usage(usage) => self.say(&counters(&usage.tokens())),
            Event::Editing => self.say("editing"),
            Event::Finding(finding) => self.say(&finding.message),
            Event::Notice(text) => self.bar.suspend(|| {
                let _ = writeln!(terminal::stderr(), "{WARNING}warning{WARNING:#}: {}", terminal::visible(text));
            }),
        }
    }

    fn selection(&self) -> Option<(Current, Span)> {
        let mut state = self.state();
        // The file may have been saved by an editor while the answer was written.
        if !self.from_stdin
            && let Some(path) = state.document.path().map(Path::to_path_buf)
        {
            let now = content::read_text(&path).ok()?;
            if state.document.text() != now.as_str() {
                state.document.apply(TextChange::Full(now));
            }
        }
        let tracked = state.document.tracked(state.track)?;
        Some((Current { text: state.document.text().clone(), version: None }, tracked.span))
    }

    fn file(&self, path: &Path) -> Result<Option<Current>, Error> {
        if !path.exists() {
            return Ok(None);
        }
        let text = content::read_text(path)?;
        Ok(Some(Current { text: Rope::from_str(&text), version: None }))
    }

    fn apply<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Landing> {
        Box::pin(async move {
            if !self.write {
                return Landing::Proposed;
            }
            let (path, create) = match &change.target {
                Target::Document => (self.state().document.path().map(Path::to_path_buf), false),
                Target::File { path, create } => (Some(path.clone()), *create),
            };
            let Some(path) = path else { return Landing::Refused("standard input can't be written to".to_owned()) };
            match self.write_file(&path, change, create) {
                Ok(()) => Landing::Landed,
                Err(error) if error.kind == crate::error::ErrorKind::Conflict => Landing::Stale,
                Err(error) => Landing::Refused(error.sentence()),
            }
        })
    }
}
