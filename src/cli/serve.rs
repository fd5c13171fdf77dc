//! `aside serve`: the language server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Invocation;
use crate::error::{Error, ErrorKind};

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

/// Serves until the editor ends it.
pub fn run(_args: ServeArgs, _invocation: &Invocation) -> anyhow::Result<ExitCode> {
    Err(Error::new(ErrorKind::Internal, "This build has no language server yet.").into())
}
