//! The log of the server: to standard error, which editors keep, or to a file.

use std::fs::OpenOptions;
use std::path::Path;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::Environment;
use crate::error::{Error, ErrorKind};

/// What is logged when nobody says otherwise.
const DEFAULT: &str = "warn";

/// Starts the log. What was logged is written when the guard is dropped, at the latest.
pub(super) fn start(file: Option<&Path>, level: Option<&str>, env: &Environment) -> Result<WorkerGuard, Error> {
    let wanted = level.or_else(|| env.get("ASIDE_LOG")).unwrap_or(DEFAULT);
    let filter = in_full(wanted).parse::<Targets>().map_err(|error| {
        Error::new(ErrorKind::Config, format!("`{wanted}` is no log level: {error}."))
            .hint("Use error, warn, info, debug or trace, or a filter such as `aside::claude=debug`.")
    })?;
    let (writer, guard) = match file {
        Some(file) => {
            let opened = OpenOptions::new().create(true).append(true).open(file).map_err(|error| {
                Error::new(ErrorKind::Config, format!("The log {} could not be opened: {error}.", file.display()))
                    .hint("Name a file in a folder that exists and that you may write to.")
            })?;
            queue().finish(opened)
        }
        None => queue().finish(std::io::stderr()),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    // Whoever asks for contents of any part is told what that means, also where warnings are not asked for.
    let tells = wanted.to_lowercase().contains("trace");
    let filter = if tells { filter.with_target(module_path!(), LevelFilter::WARN) } else { filter };
    // A second start in one process, as in tests, keeps the first log.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    if tells {
        tracing::warn!("the log is at `trace`: it holds code, prompts and answers; keep it to yourself");
    }
    Ok(guard)
}

/// The queue in front of the log. Its places are made at once: at the default size that takes 4 MB and a millisecond.
fn queue() -> NonBlockingBuilder {
    NonBlockingBuilder::default().buffered_lines_limit(4096)
}

/// A bare level is meant for Aside alone; libraries say what is wrong and no more.
fn in_full(wanted: &str) -> String {
    let bare = ["error", "warn", "info", "debug", "trace", "off"].contains(&wanted.to_lowercase().as_str());
    if bare { format!("warn,aside={wanted}") } else { wanted.to_owned() }
}
