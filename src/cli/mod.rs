//! The terminal face: one file per command.
//!
//! Exit codes: 0 done, 1 the action failed, 2 bad usage or bad configuration, 130 interrupted.

pub mod act;
pub mod actions;
pub mod batch;
pub mod completions;
pub mod config;
pub mod doctor;
mod log;
pub mod man;
pub mod place;
pub mod serve;
pub mod simulate;
pub mod terminal;
pub mod usage;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Environment, Layers, Options, Paths, Resolved};
use crate::error::{Error, ErrorKind};
use crate::workspace::roots;

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "aside",
    version,
    about = "Explains, types, tests and documents the code you select, with Claude, in any editor that speaks LSP.",
    after_help = "No account yet? `aside act explain FILE --simulate` answers on this machine, without a key.",
    styles = terminal::STYLES,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `aside` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the language server, on standard input and output
    Serve(serve::ServeArgs),
    /// Run one action on a file, without an editor
    Act(act::ActArgs),
    /// Run an action on many files or items at half the price, answered within a day
    Batch(batch::BatchArgs),
    /// List the actions
    Actions(actions::ActionsArgs),
    /// Show tokens, cache hits and money
    Usage(usage::UsageArgs),
    /// Check credentials, network, model, configuration, folders and editors, and say what to do
    Doctor(doctor::DoctorArgs),
    /// Run a Messages API of its own on 127.0.0.1, for trying and for tests
    Simulate(simulate::SimulateArgs),
    /// Show the configuration and where it comes from
    Config(config::ConfigArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Print the manual page
    Man(man::ManArgs),
}

/// Where a command was started: all that it may know of the outside besides its arguments.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The environment variables.
    pub env: Environment,
    /// Where files live.
    pub paths: Paths,
    /// The working directory.
    pub current_dir: PathBuf,
}

impl Invocation {
    /// This process.
    pub fn from_process() -> Self {
        let env = Environment::from_process();
        let paths = Paths::new(&env);
        Self { env, paths, current_dir: std::env::current_dir().unwrap_or_default() }
    }

    /// The workspace of a file, or of the working directory.
    pub fn workspace_root(&self, file: Option<&Path>) -> Option<PathBuf> {
        // `project_root` looks above a file; any name stands for the working directory.
        roots::project_root(&roots::normalized(&self.current_dir.join(file.unwrap_or(Path::new("-")))))
    }

    /// The configuration for a workspace, with flags.
    pub fn resolve(&self, root: Option<&Path>, flags: &Options) -> Resolved {
        let mut layers = Layers::load(&self.env, &self.paths, root);
        layers.set_flags(flags);
        layers.resolve()
    }
}

/// Runs the program: arguments, environment, standard streams.
pub fn main() -> ExitCode {
    terminal::explain_panics();
    run(std::env::args_os())
}

fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no error; clap knows. Nothing can be done if that is closed.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::USAGE));
        }
    };
    match dispatch(cli.command, &Invocation::from_process()) {
        Ok(code) => code,
        Err(error) => terminal::report(&error),
    }
}

/// The exit codes.
pub mod exit {
    /// The action failed.
    pub const FAILED: u8 = 1;
    /// Bad usage or bad configuration.
    pub const USAGE: u8 = 2;
    /// Interrupted, as a shell reports it.
    pub const INTERRUPTED: u8 = 130;
}

fn dispatch(command: Command, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::run(&args, invocation),
        Command::Act(args) => act::run(&args, invocation),
        Command::Batch(args) => batch::run(&args, invocation),
        Command::Actions(args) => actions::run(&args, invocation),
        Command::Usage(args) => usage::run(&args, invocation),
        Command::Doctor(args) => runtime()?.block_on(doctor::run(&args, invocation)),
        Command::Simulate(args) => runtime()?.block_on(simulate::run(args)),
        Command::Config(args) => config::run(args, invocation),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

/// Threads for what blocks: parsing, files, the ledger. One reads standard input all the time. More of them than cores
/// only wait for each other, and each keeps memory of its own.
const BLOCKING_THREADS: usize = 12;

/// A runtime for commands that need one: work here is waiting, so two to four threads are plenty.
pub fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("aside")
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Internal, format!("The system gives no threads: {error}.")))
}

#[cfg(test)]
mod tests;
