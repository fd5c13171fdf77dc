//! `aside simulate`: the Messages API on loopback, as a program of its own.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::terminal::{self, BOLD, DIM};
use crate::error::Error;
use crate::simulator::{Scenario, Simulator, SimulatorOptions};

/// Arguments of `aside simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The port on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// Play what this file says: failures, delays, odd streams
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// How fast answers come; else as fast as they can
    #[arg(long, value_name = "TOKENS_PER_S", value_parser = speed)]
    pub speed: Option<f64>,
    /// Be a server that knows nothing but messages, as local ones are: no tools, thinking, caching, counting, models, batches
    #[arg(long)]
    pub plain: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if speed.is_finite() && speed > 0.0 { Ok(speed) } else { Err("must be above 0".to_owned()) }
}

/// Serves until Ctrl-C.
pub async fn run(args: SimulateArgs) -> anyhow::Result<ExitCode> {
    let scenario = args.scenario.as_deref().map(Scenario::load).transpose()?;
    let SimulateArgs { port, speed, plain, scenario: _ } = args;
    // Before the address is printed: whoever reads it may stop us at once.
    let stopped = stop_signal()?;
    let running =
        Simulator::start(SimulatorOptions { port, scenario, tokens_per_second: speed, plain, ..Default::default() })?;
    greet(running.url().as_str().trim_end_matches('/'))?;
    stopped.await;
    drop(running);
    Ok(ExitCode::SUCCESS)
}

fn greet(url: &str) -> std::io::Result<()> {
    let mut out = terminal::stdout();
    writeln!(out, "{BOLD}Simulated Messages API on {url}{BOLD:#}")?;
    writeln!(out, "{DIM}Nothing leaves this machine and nothing is paid for. In another terminal:{DIM:#}\n")?;
    if cfg!(windows) {
        writeln!(out, "$env:ANTHROPIC_BASE_URL = \"{url}\"\n$env:ANTHROPIC_API_KEY = \"simulated\"\n")?;
    } else {
        writeln!(out, "export ANTHROPIC_BASE_URL={url}\nexport ANTHROPIC_API_KEY=simulated\n")?;
    }
    writeln!(out, "{DIM}Ctrl-C ends it.{DIM:#}")?;
    out.flush()
}

/// Ctrl-C, or what a service is ended with. Both are how this command is meant to end.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>, Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| no_signals(&error));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(windows)]
fn stop_signal() -> Result<impl Future<Output = ()>, Error> {
    let mut interrupt = tokio::signal::windows::ctrl_c().map_err(|error| no_signals(&error))?;
    Ok(async move {
        interrupt.recv().await;
    })
}

fn no_signals(error: &std::io::Error) -> Error {
    Error::new(crate::error::ErrorKind::Internal, format!("The system gives no signals: {error}."))
}
