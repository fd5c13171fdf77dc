//! `aside config trust`: which of the actions that came with a workspace may run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::actions::{Action, Folders, workspace_folder};
use crate::cli::terminal::{self, BOLD, DIM, GOOD, NAME, WARNING};
use crate::cli::{Invocation, exit};
use crate::config::TrustStore;
use crate::error::{Error, ErrorKind};
use crate::hash::sha256;
use crate::workspace::roots::{normalized, project_root};

/// Arguments of `aside config trust`.
#[derive(Debug, Args)]
#[command(after_help = "\
An action says what the model is told to do with code that you select. One that came with a workspace is offered only after
you allowed it, and again after its file changed. Read the files first: they are in .aside/actions/.")]
pub struct TrustArgs {
    /// The workspace folder, or the file of one action in it [default: the project of the working directory]
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// List what was allowed, in all workspaces
    #[arg(long, conflicts_with_all = ["path", "revoke"])]
    pub list: bool,
    /// Take back what was allowed
    #[arg(long)]
    pub revoke: bool,
}

/// Runs the command.
pub(super) fn run(args: &TrustArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let store = TrustStore::new(&invocation.paths);
    if args.list {
        return list(&store);
    }
    let (root, file) = place(args.path.as_deref(), invocation)?;
    if args.revoke { revoke(&store, &root, file.as_deref()) } else { allow(&root, file.as_deref(), invocation) }
}

/// The workspace that is meant, and the name of the file in it if one is.
fn place(path: Option<&Path>, invocation: &Invocation) -> Result<(PathBuf, Option<String>), Error> {
    let Some(path) = path.map(|path| normalized(&invocation.current_dir.join(path))) else {
        return Ok((invocation.workspace_root(None).unwrap_or_else(|| invocation.current_dir.clone()), None));
    };
    if path.extension().is_some_and(|ending| ending == "md") && !path.is_dir() {
        let root = path.ancestors().nth(3).filter(|root| path.parent() == Some(&workspace_folder(root)));
        let name = path.file_name().and_then(|name| name.to_str());
        return match (root, name) {
            (Some(root), Some(name)) => Ok((root.to_owned(), Some(name.to_owned()))),
            _ => Err(Error::new(ErrorKind::Config, format!("{} is not in `.aside/actions/`.", path.display()))
                .hint("Only actions of a workspace need to be allowed; your own and Aside's run as they are.")),
        };
    }
    // A folder within a workspace stands for it, as everywhere.
    let root = if path.join(".aside").is_dir() { Some(path.clone()) } else { project_root(&path.join("-")) };
    Ok((root.unwrap_or(path), None))
}

fn allow(root: &Path, file: Option<&str>, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let folders = Folders::new(&invocation.paths, Some(root));
    let loaded = folders.load();
    let is_meant = |path: &Path| file.is_none_or(|name| path.file_name().is_some_and(|own| own == name));
    let file_of = |action: &Action| action.custom.as_ref().map(|custom| custom.file.clone()).unwrap_or_default();
    let waiting = loaded.catalogue.waiting().iter().filter(|action| is_meant(&file_of(action)));
    let waiting: Vec<_> = waiting.cloned().collect();
    let wrong = loaded.files.iter().filter(|file| is_meant(&file.path) && file.path.starts_with(root));
    let wrong: Vec<_> = wrong.filter(|file| !file.problems.is_empty()).collect();
    folders.allow(&waiting)?;
    let mut out = terminal::stdout();
    for action in &waiting {
        let file = file_of(action).display().to_string();
        writeln!(
            out,
            "{GOOD}allowed{GOOD:#} {NAME}{}{NAME:#}  {}  {DIM}{}{DIM:#}",
            action.id,
            action.title,
            terminal::visible(&file)
        )?;
    }
    if waiting.is_empty() && wrong.is_empty() {
        writeln!(out, "There is nothing to allow in {}.", terminal::visible(&root.display().to_string()))?;
    }
    drop(out);
    let mut err = terminal::stderr();
    for file in &wrong {
        let file = file.path.display().to_string();
        writeln!(
            err,
            "{WARNING}warning{WARNING:#}: {} is no action yet; `aside actions` says why",
            terminal::visible(&file)
        )?;
    }
    Ok(if waiting.is_empty() && !wrong.is_empty() { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS })
}

fn revoke(store: &TrustStore, root: &Path, file: Option<&str>) -> anyhow::Result<ExitCode> {
    let found = store.revoke(root, file)?;
    let said = if found { "is not allowed any more" } else { "was not allowed" };
    let what = file.map_or_else(|| root.to_owned(), |name| workspace_folder(root).join(name));
    writeln!(terminal::stdout(), "{} {said}.", terminal::visible(&what.display().to_string()))?;
    Ok(ExitCode::SUCCESS)
}

fn list(store: &TrustStore) -> anyhow::Result<ExitCode> {
    let all = store.all()?;
    let mut out = terminal::stdout();
    if all.is_empty() {
        writeln!(out, "No workspace's actions were allowed.")?;
    }
    for (root, allowed) in &all {
        writeln!(out, "{BOLD}{}{BOLD:#}", terminal::visible(root))?;
        for (name, hashes) in allowed.files() {
            let now = std::fs::read(workspace_folder(Path::new(root)).join(name));
            let state = match now {
                Err(_) => " (not there any more)",
                Ok(bytes) if hashes.contains(&sha256(&bytes)) => "",
                Ok(_) => " (changed since; asks again)",
            };
            writeln!(out, "  {NAME}{}{NAME:#}{DIM}{state}{DIM:#}", terminal::visible(name))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
