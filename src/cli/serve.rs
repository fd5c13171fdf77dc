//! `aside serve`: the language server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Invocation, log};
use crate::server;
use crate::simulator::SimulatorOptions;

/// Arguments of `aside serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Speak LSP on standard input and output; there is no other way, so this changes nothing
    #[arg(long)]
    pub stdio: bool,
    /// Answer on this machine, without an account: starts `aside simulate` inside and talks to it
    #[arg(long)]
    pub simulate: bool,
    /// Write the log to a file instead of standard error
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// How much to log: error, warn, info, debug, trace, or a filter such as `aside::claude=debug`; else `ASIDE_LOG`
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
}

/// Serves until the editor ends it. The process ends here: a thread that still reads standard input would hold it.
pub fn run(args: &ServeArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let log = log::start(args.log.as_deref(), args.log_level.as_deref(), &invocation.env)?;
    let simulator = args.simulate.then(SimulatorOptions::default);
    let runtime = super::runtime()?;
    let code = runtime.block_on(server::serve(&invocation.env, simulator));
    runtime.shutdown_background();
    drop(log);
    std::process::exit(i32::from(code))
}
