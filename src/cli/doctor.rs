//! `aside doctor`: is everything in place, and what to do if not.

mod checks;
mod editors;
mod report;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::json;

pub use self::editors::Editor;
use self::editors::Snippet;
use super::terminal::{self, BOLD, DIM, ERROR, GOOD, NAME, WARNING};
use super::{Invocation, exit};
use crate::claude::{Auth, Client, ClientOptions};
use crate::config::{Options, bad_custom_headers, credentials, custom_headers};
use crate::error::Error;
use crate::simulator::{Simulator, SimulatorOptions};

/// Arguments of `aside doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Check against `aside simulate`, started inside, instead of the configured address
    #[arg(long)]
    pub simulate: bool,
    /// Look only at the configuration of this editor, here or not
    #[arg(long, value_name = "NAME", conflicts_with = "simulate")]
    pub editor: Option<Editor>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print versions, settings and checks for a bug report, without keys, paths, names and addresses
    #[arg(long, conflicts_with_all = ["json", "editor"])]
    pub report: bool,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Warning,
    Failed,
    /// Not looked at, because an earlier check failed.
    Skipped,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    /// What is so.
    message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    /// What to put where.
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Snippet>,
}

impl Check {
    fn new(name: &'static str, status: Status, message: impl Into<String>) -> Self {
        Self { name, status, message: message.into(), advice: None, snippet: None }
    }

    fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    fn snippet(mut self, snippet: Option<Snippet>) -> Self {
        self.snippet = snippet;
        self
    }

    fn error(name: &'static str, error: Error) -> Self {
        Self { name, status: Status::Failed, message: error.message, advice: error.hint, snippet: None }
    }
}

/// Looks at everything; exits with 1 if something fails.
pub async fn run(args: &DoctorArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let checks = match args.editor {
        Some(editor) => editors::look(&invocation.env, invocation.workspace_root(None), Some(editor)),
        None => look(args.simulate, invocation).await?,
    };
    let ok = checks.iter().all(|check| check.status != Status::Failed);
    if args.report {
        let root = invocation.workspace_root(None);
        let resolved = invocation.resolve(root.as_deref(), &Options::default());
        let text = report::report(&checks, &resolved, invocation);
        write!(terminal::stdout(), "{}", terminal::visible(&text))?;
    } else if args.json {
        terminal::print_json(&json!({ "ok": ok, "checks": checks }))?;
    } else {
        print(&mut terminal::stdout(), &checks)?;
        // One editor alone does not say whether Aside is ready.
        if args.editor.is_none() {
            print_verdict(&mut terminal::stdout(), &checks)?;
        }
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) })
}

async fn look(simulate: bool, invocation: &Invocation) -> Result<Vec<Check>, Error> {
    let root = invocation.workspace_root(None);
    let resolved = invocation.resolve(root.as_deref(), &Options::default());
    let mut settings = resolved.settings.clone();
    let mut checks = checks::configuration(&resolved, bad_custom_headers(&invocation.env));

    // Kept until the end: it stops when dropped.
    let mut simulator = None;
    let auth = if simulate {
        let running = Simulator::start(SimulatorOptions::default())?;
        settings.api.base_url = running.url();
        simulator = Some(running);
        let message = "not needed: the simulator takes any key";
        Ok((Auth::ApiKey("simulated".to_owned().into()), message.to_owned()))
    } else {
        let from = checks::key_origin(&settings, &invocation.env);
        credentials(&settings, &invocation.env).await.map(|auth| (auth, format!("found: {from}")))
    };
    // With an address that is not the one that was meant, nothing is sent.
    let usable = simulate || resolved.usable().is_ok();
    match auth {
        Ok((auth, found)) => {
            let mut options = ClientOptions::new(settings.api.base_url.clone(), auth);
            options.version.clone_from(&settings.api.version);
            options.headers = custom_headers(&invocation.env);
            // Somebody is waiting in front of a terminal: one try, and not for long.
            options.max_retries = 0;
            options.first_event_timeout = settings.api.first_event_timeout.min(Duration::from_secs(10));
            let client = Client::new(options)?;
            checks.push(Check::new("credentials", Status::Ok, found));
            if usable {
                checks.extend(checks::network(&client, &settings).await);
            } else {
                let message = "not tried, because the configuration that says whom to ask is wrong";
                checks.push(Check::new("network", Status::Skipped, message));
                checks.extend(checks::models(&settings, None));
            }
        }
        Err(error) => {
            checks.push(Check::error("credentials", error));
            checks.push(Check::new("network", Status::Skipped, "not tried without credentials"));
            checks.extend(checks::models(&settings, None));
        }
    }
    checks.extend(checks::prices(&settings));
    checks.extend(checks::cache(&settings));
    checks.push(checks::folder("data folder", &invocation.paths.data_dir, "ASIDE_DATA_DIR"));
    checks.push(checks::folder("cache folder", &invocation.paths.cache_dir, "ASIDE_CACHE_DIR"));
    checks.extend(checks::ledger(&invocation.paths.ledger()));
    checks.extend(editors::look(&invocation.env, root, None));
    drop(simulator);
    Ok(checks)
}

fn print(out: &mut impl Write, checks: &[Check]) -> std::io::Result<()> {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    for check in checks {
        let (style, word) = match check.status {
            Status::Ok => (GOOD, "ok"),
            Status::Warning => (WARNING, "warning"),
            Status::Failed => (ERROR, "failed"),
            Status::Skipped => (DIM, "skipped"),
        };
        writeln!(out, "{style}{word:>7}{style:#}  {BOLD}{:width$}{BOLD:#}  {}", check.name, check.message)?;
        if let Some(advice) = &check.advice {
            writeln!(out, "{:>7}  {:width$}  {NAME}→{NAME:#} {advice}", "", "")?;
        }
        if let Some(Snippet { file, text }) = &check.snippet {
            let what = file.map_or_else(
                || "Run this where Aside's sources are:".to_owned(),
                |file| format!("Put this into {file}:"),
            );
            writeln!(out, "{:>7}  {:width$}  {NAME}→{NAME:#} {what}\n", "", "")?;
            for line in text.lines() {
                // At the line's beginning, to be copied as it is.
                writeln!(out, "{line}")?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

fn print_verdict(out: &mut impl Write, checks: &[Check]) -> std::io::Result<()> {
    let failed = checks.iter().filter(|check| check.status == Status::Failed).count();
    match failed {
        0 => writeln!(out, "\n{GOOD}Aside is ready.{GOOD:#}"),
        1 => writeln!(out, "\n{ERROR}One check failed.{ERROR:#}"),
        _ => writeln!(out, "\n{ERROR}{failed} checks failed.{ERROR:#}"),
    }
}

#[cfg(test)]
mod tests;
