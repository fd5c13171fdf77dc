//! `aside config`: what holds, where it came from, and what there is.

mod trust;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use self::trust::TrustArgs;
use super::terminal::{self, DIM, NAME};
use super::{Invocation, exit};
use crate::config::{Options, Paths, Problem, Resolved, Spelling, commented_file, key_names, reference, schema};
use crate::error::{Error, ErrorKind};

/// Arguments of `aside config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to show.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What `aside config` can do.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every value that holds here and where it came from; exits with 2 if something was left out
    Show {
        /// The workspace folder [default: the project of the working directory]
        #[arg(long, value_name = "DIR")]
        workspace: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON schema
    Schema {
        /// Of an editor's settings, in camelCase, instead of config.toml
        #[arg(long)]
        editor: bool,
        /// As a page to read, in Markdown
        #[arg(long, conflicts_with = "editor")]
        markdown: bool,
    },
    /// Print where the configuration files are
    Path,
    /// Allow the actions that came with a workspace, as they are now
    Trust(TrustArgs),
    /// Write a configuration file in which everything is a comment
    Init {
        /// For the workspace (.aside/config.toml) instead of for you
        #[arg(long)]
        workspace: bool,
    },
}

/// Runs the command.
pub fn run(args: ConfigArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    match args.command {
        ConfigCommand::Show { workspace, json } => show(workspace, json, invocation),
        ConfigCommand::Schema { editor, markdown } => {
            if markdown {
                std::io::stdout().lock().write_all(reference().as_bytes())?;
            } else {
                terminal::print_json(&schema(if editor { Spelling::Camel } else { Spelling::Snake }))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Path => path(invocation),
        ConfigCommand::Trust(args) => trust::run(&args, invocation),
        ConfigCommand::Init { workspace } => init(workspace, invocation),
    }
}

fn show(workspace: Option<PathBuf>, json: bool, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let root = workspace.or_else(|| invocation.workspace_root(None));
    let resolved = invocation.resolve(root.as_deref(), &Options::default());
    if json {
        terminal::print_json(&shown_json(&resolved))?;
    } else {
        print_shown(&mut terminal::stdout(), &resolved)?;
        terminal::warn_problems(&resolved.problems);
    }
    Ok(if resolved.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::USAGE) })
}

fn print_shown(out: &mut impl Write, resolved: &Resolved) -> std::io::Result<()> {
    let values = resolved.settings.values();
    let mut lines: Vec<(String, String, String)> = Vec::new();
    for key in key_names().into_iter().filter(|key| !key.contains(".NAME.")) {
        let value = values.iter().find(|(name, _)| *name == key);
        let value = value.map_or_else(|| "(not set)".to_owned(), |(_, value)| value.to_string());
        let source = resolved.origin(&key).to_string();
        lines.push((key, value, source));
    }
    for (key, value) in values.iter().filter(|(key, _)| key.starts_with("actions.") || key.starts_with("prices.")) {
        lines.push((key.clone(), value.to_string(), resolved.origin(key).to_string()));
    }
    let width = |cell: fn(&(String, String, String)) -> &String, most: usize| {
        lines.iter().map(|line| cell(line).chars().count()).filter(|width| *width <= most).max().unwrap_or(0)
    };
    let (keys, values) = (width(|line| &line.0, 60), width(|line| &line.1, 40));
    for (key, value, source) in &lines {
        writeln!(out, "{NAME}{key:<keys$}{NAME:#}  {value:<values$}  {DIM}{source}{DIM:#}")?;
    }
    Ok(())
}

fn shown_json(resolved: &Resolved) -> Value {
    let values: Map<String, Value> = resolved
        .settings
        .values()
        .into_iter()
        .map(|(key, value)| {
            let source = resolved.origin(&key).to_string();
            (key, json!({ "value": value, "source": source }))
        })
        .collect();
    json!({ "values": values, "problems": resolved.problems.iter().map(problem_json).collect::<Vec<_>>() })
}

/// A problem for programs.
pub(super) fn problem_json(problem: &Problem) -> Value {
    json!({
        "source": problem.source.to_string(),
        "line": problem.place.map(|(line, _)| line),
        "column": problem.place.map(|(_, column)| column),
        "key": problem.key,
        "message": problem.message,
    })
}

fn path(invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let mut out = terminal::stdout();
    let mut line = |role: &str, file: PathBuf| {
        let missing = if file.exists() { "" } else { "  (not there)" };
        writeln!(out, "{role:<10} {}{DIM}{missing}{DIM:#}", file.display())
    };
    line("user", invocation.paths.config_file.clone())?;
    if let Some(root) = invocation.workspace_root(None) {
        line("workspace", Paths::workspace_file(&root))?;
    }
    line("data", invocation.paths.data_dir.clone())?;
    line("cache", invocation.paths.cache_dir.clone())?;
    Ok(ExitCode::SUCCESS)
}

fn init(workspace: bool, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let file = if workspace {
        let root = invocation.workspace_root(None).unwrap_or_else(|| invocation.current_dir.clone());
        Paths::workspace_file(&root)
    } else {
        invocation.paths.config_file.clone()
    };
    let failed = |error: &std::io::Error| {
        let message = format!("{} cannot be written: {error}.", file.display());
        Error::new(ErrorKind::Config, message)
    };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let mut created = std::fs::File::create_new(&file).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::new(ErrorKind::Config, format!("{} is there already; it stays as it is.", file.display()))
                .hint("`aside config schema --markdown` shows all keys.")
        }
        _ => failed(&error),
    })?;
    created.write_all(commented_file(workspace).as_bytes()).map_err(|error| failed(&error))?;
    writeln!(terminal::stdout(), "{}", file.display())?;
    Ok(ExitCode::SUCCESS)
}
