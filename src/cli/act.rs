//! `aside act`: one action, with a terminal at the end instead of an editor.

mod follow_up;
mod host;
mod input;
mod output;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio_util::sync::CancellationToken;

use self::host::TerminalHost;
use super::place::{self, Place};
use super::{Invocation, exit, terminal};
use crate::actions::{self, Action, Applies, ResultForm};
use crate::claude::catalogue::Catalogue;
use crate::claude::models::Model;
use crate::config::{ModelId, Options};
use crate::error::{Error, ErrorKind};
use crate::jobs::outgoing::{Gate, Sealed};
use crate::jobs::{
    self, Budgets, Connections, Context, Order, Outcome, Places, Report, action_for, catch_up, model_as_told,
    new_job_id, no_question, picture_at, plan, to_fix,
};
use crate::ledger::Ledger;
use crate::prompt::{self, Plan};
use crate::simulator::SimulatorOptions;
use crate::workspace::{Span, selection};

/// Arguments of `aside act`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = "\
Lines and columns count from 1, columns count characters.
  FILE             the whole file
  FILE:12          the function, class or item at line 12
  FILE:12:5        the one at column 5 of line 12
  FILE:12-20       lines 12 to 20
  FILE:12:5-20:9   from column 5 of line 12 up to column 9 of line 20
  -                standard input; --stdin-path says what it is called")]
pub struct ActArgs {
    /// The action, as `aside actions` lists it
    pub action: String,
    /// A file and the place in it, or `-` for standard input; for `follow-up` an explanation's file or id, or a file that was
    /// explained, and without any what was explained last in this project
    #[arg(value_name = "FILE[:L1[:C1][-L2[:C2]]]", allow_hyphen_values = true)]
    pub place: Option<String>,
    /// What you want to have asked or taken care of; for `fix`, what a tool says is wrong there
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// Apply the edit to the file instead of printing it as a diff
    #[arg(long)]
    pub write: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Print what would be sent, with estimated tokens and price, and send nothing
    #[arg(long, conflicts_with = "write")]
    pub dry_run: bool,
    /// With `--dry-run`: have the server count the tokens, which is free, but sends the prompt to be counted
    #[arg(long, requires = "dry_run")]
    pub count: bool,
    /// Use this model
    #[arg(long, value_name = "MODEL")]
    pub model: Option<ModelId>,
    /// Answer on this machine, without an account: starts `aside simulate` inside and talks to it
    #[arg(long)]
    pub simulate: bool,
    /// What standard input is called: its language and its neighbours are found by this path
    #[arg(long, value_name = "PATH")]
    pub stdin_path: Option<PathBuf>,
}

impl ActArgs {
    /// What is named of files.
    ///
    /// # Errors
    /// Of kind `config` when nothing is.
    pub fn place(&self) -> Result<&str, Error> {
        self.place.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("`{}` needs a file to work on.", self.action))
                .hint(format!("Name it: `aside act {} FILE`, or `FILE:12` for the function at line 12.", self.action))
        })
    }

    /// What the command line says of the configuration.
    pub fn flags(&self) -> Options {
        Options { model: self.model.clone(), ..Options::default() }
    }
}

/// Runs the action. With `--json` there is an object on standard output whatever happens.
pub fn run(args: &ActArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    match run_action(args, invocation) {
        Err(error) if args.json => {
            let error = error.downcast::<Error>()?;
            terminal::print_json(&output::failure(args, &error))?;
            Ok(ExitCode::from(if error.kind == ErrorKind::Config { exit::USAGE } else { exit::FAILED }))
        }
        result => result,
    }
}

fn run_action(args: &ActArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let mut action = find(args, invocation)?;
    if action.result == ResultForm::Control {
        return Err(Error::new(ErrorKind::Config, format!("`{}` is for editors.", action.id))
            .hint("Ctrl-C cancels a running `aside act`.")
            .into());
    }
    if action.applies == Applies::Explanations {
        return follow_up::run(args, invocation, &action);
    }
    let mut input = input::read(args, invocation)?;
    let (mut diagnostics, mut prompt) = (Vec::new(), args.prompt.clone());
    if action.applies == Applies::Reported {
        (diagnostics, prompt) = to_fix(&input.snapshot, &input.place, Vec::new(), prompt)
            .map_err(|error| error.hint("Say what is wrong there: `--prompt \"the compiler's message\"`."))?;
        let places: Vec<Span> = diagnostics.iter().map(|one| one.span.clone()).collect();
        (input.selection, input.subject) = selection::around(&input.snapshot, &places);
    }
    if action.applies == Applies::Pictured {
        let link = picture_at(&input.snapshot, &input.place)?;
        action = action_for(&action, &link);
        input.subject = Some(link.name().to_owned()).filter(|name| !name.is_empty());
        input.selection = link.span;
    }
    let is_said = prompt.as_deref().is_some_and(|prompt| !prompt.trim().is_empty());
    if action.applies == Applies::Prompted && !is_said && !is_comment(&input) {
        return Err(no_question().hint("Say it with `--prompt`, or select a comment that does.").into());
    }
    if action.result == ResultForm::Diagnostics {
        input.selection = selection::whole_lines(&input.snapshot.text, &input.selection);
    }
    let root = invocation.workspace_root(input.snapshot.path.as_deref());
    let resolved = invocation.resolve(root.as_deref(), &args.flags());
    resolved.usable()?;
    terminal::warn_problems(&resolved.problems);
    let settings = action.settings(&Arc::new(resolved.settings));
    let order = Order {
        job: new_job_id(),
        model: settings.model_for(&action.id).to_owned(),
        action,
        snapshot: input.snapshot,
        selection: input.selection,
        subject: input.subject,
        root,
        diagnostics,
        prompt,
        settings,
        simulated: args.simulate,
    };
    let host = TerminalHost::new(&order, args.write, input.from_stdin, !args.json);
    let context = context(args, invocation);
    if args.dry_run {
        return dry_run(args, invocation, &context, &order, |model| plan(&context, &order, &host, model));
    }
    let running = until_interrupted(|cancel| {
        let (context, order, host) = (&context, &order, &host);
        async move { jobs::run(context, order, host, &cancel).await }
    });
    let report = super::runtime()?.block_on(running);
    ended(args, &context, &order, &host, report)
}

/// Whether what is selected is a comment, which says what is wanted.
fn is_comment(input: &input::Input) -> bool {
    let snapshot = &input.snapshot;
    actions::is_comment(snapshot.language, &snapshot.text.byte_slice(input.selection.clone()).to_string())
}

fn context(args: &ActArgs, invocation: &Invocation) -> Context {
    let simulator = args.simulate.then(SimulatorOptions::default);
    Context {
        cache: Arc::default(),
        budgets: Arc::new(Budgets::new(invocation.paths.config_file.clone())),
        connections: Arc::new(Connections::new(invocation.env.clone(), simulator)),
        ledger: Ledger::lazy(invocation.paths.ledger()),
        places: Places::new(1),
        session: Arc::default(),
        planner: Arc::default(),
        estimates: Arc::new(prompt::Estimates::kept_in(invocation.paths.estimates())),
        models: Arc::new(Catalogue::kept_in(invocation.paths.models())),
    }
}

/// Prints what came of a run.
fn ended(
    args: &ActArgs,
    context: &Context,
    order: &Order,
    host: &TerminalHost,
    mut report: Report,
) -> anyhow::Result<ExitCode> {
    if args.simulate {
        // That cache ends with this process.
        report.warm_until = None;
    }
    host.finish();
    if let Some(warning) = context.ledger.take_warning() {
        writeln!(terminal::stderr(), "{warning}")?;
    }
    output::print(&report, order, host, args.json)?;
    Ok(ExitCode::from(match (report.outcome, &report.error) {
        (Outcome::Applied | Outcome::Proposed | Outcome::Shown, _) => 0,
        (Outcome::Cancelled, _) => exit::INTERRUPTED,
        (_, Some(error)) if error.kind == ErrorKind::Config => exit::USAGE,
        (Outcome::Kept | Outcome::Failed, _) => exit::FAILED,
    }))
}

/// The action, among those of the place that is named.
fn find(args: &ActArgs, invocation: &Invocation) -> Result<Arc<Action>, Error> {
    let place = args.place.as_deref().and_then(|place| Place::parse(place, &invocation.current_dir).ok());
    let file = match place.map(|place| place.input) {
        Some(place::Input::File(file)) => Some(file),
        _ => args.stdin_path.clone(),
    };
    let root = invocation.workspace_root(file.as_deref());
    let folders = actions::Folders::new(&invocation.paths, root.as_deref());
    folders.load().catalogue.find(&args.action).cloned()
}

/// Prints what would be sent, to the model as its server told of it when it was last asked.
fn dry_run(
    args: &ActArgs,
    invocation: &Invocation,
    context: &Context,
    order: &Order,
    planned: impl FnOnce(&Model) -> Result<Plan, Error>,
) -> anyhow::Result<ExitCode> {
    let (model, word) = model_as_told(order, &context.models)?;
    let runtime = super::runtime()?;
    runtime.block_on(catch_up(context, order));
    if let Some(warning) = context.ledger.take_warning() {
        writeln!(terminal::stderr(), "{warning}")?;
    }
    let mut plan = planned(&model)?;
    plan.notes.extend(word);
    let sealed = Gate::new(invocation.paths.data_dir.clone()).seal(&plan.request, order.settings.privacy.redact);
    plan.notes.extend(sealed.withheld().sentence());
    let counted = args.count.then(|| runtime.block_on(count(context, order, &sealed))).transpose()?;
    plan.notes.extend(counted.map(|counted| match counted {
        Some(tokens) => format!("The server counts {tokens} tokens of input."),
        None => "This server does not count tokens; they are estimated.".to_owned(),
    }));
    plan.request = sealed.into_request();
    if !args.json {
        let text = prompt::describe(&plan, &model);
        writeln!(terminal::stdout(), "{}", terminal::visible(text.trim_end()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let description = prompt::Description::new(&plan, &model)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "The request could not be written as JSON."))?;
    terminal::print_json(&DryRun {
        action: &order.action.id,
        file: order.shown_path(),
        is_dry: true,
        model: &plan.request.model,
        counted_input_tokens: counted.flatten(),
        description,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The tokens of a request, by the server's own count; `None` if it cannot.
async fn count(context: &Context, order: &Order, sealed: &Sealed) -> Result<Option<u64>, Error> {
    context.connections.get(&order.settings).await?.count_tokens(sealed).await
}

/// `--dry-run --json`.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct DryRun<'a> {
    action: &'a str,
    file: String,
    /// Always, so that nobody takes it for a result.
    #[serde(rename = "dryRun")]
    is_dry: bool,
    model: &'a str,
    /// By the server itself, where it was asked and can.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted_input_tokens: Option<u64>,
    #[serde(flatten)]
    description: prompt::Description<'a>,
}

/// Runs something; Ctrl-C cancels it, and a second one ends the process at once.
async fn until_interrupted<F: Future<Output = Report>>(run: impl FnOnce(CancellationToken) -> F) -> Report {
    let cancel = CancellationToken::new();
    let on_interrupt = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            on_interrupt.cancel();
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
    });
    run(cancel).await
}
