//! `aside batch`: an action on many files or items, at half the price, answered within a day.

mod apply;
mod show;
mod submit;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Invocation, exit, terminal};
use crate::config::{ModelId, Options};
use crate::error::{Error, ErrorKind};
use crate::jobs::batch::{self, Books, Items};
use crate::jobs::outgoing::Gate;
use crate::jobs::{Budgets, Connections};
use crate::ledger::Ledger;
use crate::ledger::batches::StoredBatch;
use crate::prompt::Estimates;
use crate::simulator::SimulatorOptions;

/// Arguments of `aside batch`.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct BatchArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: BatchCommand,
}

/// What can be done about batches.
#[derive(Debug, Subcommand)]
pub enum BatchCommand {
    /// Ask for an action on many files or items; says what it would cost, and asks, before anything is sent
    Submit(SubmitArgs),
    /// List the batches there are
    List(ListArgs),
    /// Show how far a batch is, and take in the answers that are there
    Show(ShowArgs),
    /// Show what the answers change, or change it
    Apply(ApplyArgs),
    /// Cancel what of a batch has not begun
    Cancel(CancelArgs),
}

/// Arguments of `aside batch submit`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = "\
Files are files, folders, or patterns in quotes: 'src/**/*.py'. What is ignored or excluded is left out.
Answers come within a day, mostly within an hour. Nothing has to run meanwhile.")]
pub struct SubmitArgs {
    /// The action: explain, add-type-hints, write-tests, document or simplify
    #[arg(required_unless_present = "retry", conflicts_with = "retry")]
    pub action: Option<String>,
    /// Files, folders, or patterns
    #[arg(value_name = "FILES", required_unless_present = "retry", conflicts_with = "retry")]
    pub files: Vec<String>,
    /// What is asked about one by one
    #[arg(long, value_enum, default_value_t = Kind::Files, conflicts_with = "retry")]
    pub items: Kind,
    /// What you want to have taken care of
    #[arg(long, value_name = "TEXT", conflicts_with = "retry")]
    pub prompt: Option<String>,
    /// Use this model
    #[arg(long, value_name = "MODEL", conflicts_with = "retry")]
    pub model: Option<ModelId>,
    /// Ask again for those items of a batch that have no answer, or none that can be used: the model is told what was wrong
    #[arg(long, value_name = "ID")]
    pub retry: Option<String>,
    /// With --retry: also items whose answer does not fit any more, as you changed what it is about
    #[arg(long, requires = "retry")]
    pub kept: bool,
    /// Send it without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Only say what would be sent and what it would cost
    #[arg(long)]
    pub dry_run: bool,
    /// Wait for the answers
    #[arg(long)]
    pub wait: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Answer on this machine, without an account: starts `aside simulate` inside, and waits for it
    #[arg(long)]
    pub simulate: bool,
}

/// What is asked about one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Whole files
    #[default]
    Files,
    /// Functions and methods
    Functions,
    /// Classes and the like, as a whole
    Classes,
    /// Functions and classes that are in no other one
    All,
}

impl From<Kind> for Items {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Files => Self::Files,
            Kind::Functions => Self::Functions,
            Kind::Classes => Self::Classes,
            Kind::All => Self::All,
        }
    }
}

/// Arguments of `aside batch list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `aside batch show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The batch: its id, the beginning of one, or `last`
    #[arg(default_value = "last")]
    pub id: String,
    /// Wait until all answers are there
    #[arg(long, conflicts_with = "item")]
    pub wait: bool,
    /// Print the answer to this item
    #[arg(long, value_name = "N")]
    pub item: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `aside batch apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The batch: its id, the beginning of one, or `last`
    pub id: String,
    /// Change the files; explanations are stored where editors show them
    #[arg(long)]
    pub write: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `aside batch cancel`.
#[derive(Debug, Args)]
pub struct CancelArgs {
    /// The batch: its id, the beginning of one, or `last`
    pub id: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command. With `--json` there is an object on standard output whatever happens.
pub fn run(args: &BatchArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let (as_json, result) = match &args.command {
        BatchCommand::Submit(args) => (args.json, submit::run(args, invocation)),
        BatchCommand::List(args) => (args.json, show::list(args, invocation)),
        BatchCommand::Show(args) => (args.json, show::run(args, invocation)),
        BatchCommand::Apply(args) => (args.json, apply::run(args, invocation)),
        BatchCommand::Cancel(args) => (args.json, show::cancel(args, invocation)),
    };
    match result {
        Err(error) if as_json => {
            let error = error.downcast::<Error>()?;
            terminal::print_json(&serde_json::json!({"error": error}))?;
            Ok(ExitCode::from(if error.kind == ErrorKind::Config { exit::USAGE } else { exit::FAILED }))
        }
        result => result,
    }
}

/// The ledger and the settings, for the batches of a workspace.
fn books(
    invocation: &Invocation,
    root: Option<&Path>,
    flags: &Options,
    action: Option<(&str, &str)>,
) -> Result<Books, Error> {
    let mut resolved = invocation.resolve(root, flags);
    resolved.usable()?;
    terminal::warn_problems(&resolved.problems);
    if let Some((action, model)) = action {
        // What is asked again is asked of the same model, whatever the settings say by now.
        resolved.settings.actions.entry(action.to_owned()).or_default().model = Some(model.to_owned());
    }
    Ok(Books {
        ledger: Ledger::lazy(invocation.paths.ledger()),
        settings: Arc::new(resolved.settings),
        estimates: Arc::new(Estimates::kept_in(invocation.paths.estimates())),
        budgets: Arc::new(Budgets::new(invocation.paths.config_file.clone())),
        gate: Gate::new(invocation.paths.data_dir.clone()),
    })
}

/// A batch that is there already, with the settings of its workspace.
fn known(invocation: &Invocation, name: &str) -> Result<(Books, StoredBatch), Error> {
    let file = Ledger::lazy(invocation.paths.ledger());
    // Looking must not make a ledger where none is.
    let ledger = opened(file)?;
    let batch = batch::named(&ledger, name)?;
    let root = PathBuf::from(&batch.root);
    let mut books = books(invocation, Some(&root), &Options::default(), Some((&batch.action, &batch.model)))?;
    books.ledger = ledger;
    Ok((books, batch))
}

/// The ledger, if it can be read: batches that are in it must not seem to be none.
fn opened(file: Ledger) -> Result<Ledger, Error> {
    if file.is_new() {
        return Ok(Ledger::in_memory());
    }
    if file.is_lasting() {
        return Ok(file);
    }
    let why = file.take_warning().map(|warning| format!(" {warning}")).unwrap_or_default();
    Err(Error::new(ErrorKind::Config, format!("The batches cannot be read.{why}")))
}

fn connections(invocation: &Invocation, simulate: bool) -> Connections {
    Connections::new(invocation.env.clone(), simulate.then(SimulatorOptions::default))
}

/// Warns of what became of the ledger, if anything did.
fn warn(books: &Books) -> std::io::Result<()> {
    if let Some(warning) = books.ledger.take_warning() {
        writeln!(terminal::stderr(), "{}warning{}: {warning}", terminal::WARNING, terminal::WARNING.render_reset())?;
    }
    Ok(())
}

/// A bar on standard error, where somebody looks.
fn bar(length: u64, what: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {bar:30} {pos}/{len} · {msg}{elapsed}") {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Runs `work`; Ctrl-C ends it, and what it left is there for the next time.
async fn until_interrupted<T>(work: impl Future<Output = Result<T, Error>>) -> Result<Option<T>, Error> {
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Ok(None),
        done = work => done.map(Some),
    }
}
