//! `aside man`: manual pages.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};

use super::Cli;
use crate::error::{Error, ErrorKind};

/// Arguments of `aside man`.
#[derive(Debug, Args)]
#[command(after_help = "For example: aside man | man -l -")]
pub struct ManArgs {
    /// Write a page for the program and for every command into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Prints the page of the program, or writes all pages.
pub fn run(args: &ManArgs) -> anyhow::Result<ExitCode> {
    if let Some(dir) = &args.dir {
        let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
        written
            .map_err(|error| Error::new(ErrorKind::Config, format!("{} cannot be written: {error}.", dir.display())))?;
    } else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        std::io::stdout().lock().write_all(&page)?;
    }
    Ok(ExitCode::SUCCESS)
}
