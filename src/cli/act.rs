//! `aside act`: one action, with a terminal at the end instead of an editor.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Invocation;
use crate::config::{ModelId, Options};
use crate::error::{Error, ErrorKind};

/// Arguments of `aside act`.
#[derive(Debug, Args)]
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
    /// A file and the place in it, or `-` for standard input
    #[arg(value_name = "FILE[:L1[:C1][-L2[:C2]]]")]
    pub place: String,
    /// What you want to have asked or taken care of
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
    /// What the command line says of the configuration.
    pub fn flags(&self) -> Options {
        Options { model: self.model.clone(), ..Options::default() }
    }
}

/// Runs the action.
pub fn run(_args: ActArgs, _invocation: &Invocation) -> anyhow::Result<ExitCode> {
    Err(Error::new(ErrorKind::Internal, "This build runs no actions yet.").into())
}
