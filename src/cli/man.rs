//! `aside man`: manual pages.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory};

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
    let mut command = Cli::command();
    command.build();
    match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(|error| cannot_write(dir, &error))?;
            write_pages(&command, "aside", dir)?;
        }
        None => std::io::stdout().lock().write_all(&page(&command, "aside")?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn page(command: &Command, name: &str) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone().name(name.to_owned()).display_name(name.to_owned())).render(&mut page)?;
    Ok(page)
}

fn write_pages(command: &Command, name: &str, dir: &Path) -> anyhow::Result<()> {
    let file = dir.join(format!("{name}.1"));
    std::fs::write(&file, page(command, name)?).map_err(|error| cannot_write(&file, &error))?;
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        write_pages(inner, &format!("{name}-{}", inner.get_name()), dir)?;
    }
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Config, format!("{} cannot be written: {error}.", path.display()))
}
