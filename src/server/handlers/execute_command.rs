//! `workspace/executeCommand`: every command answers at once, unless the client asked to wait.

use std::sync::Arc;

use lsp_types::{ExecuteCommandParams, LspAny};
use serde::de::DeserializeOwned;
use serde_json::json;
use tower_lsp::jsonrpc::{Error, Result};

use super::super::backend::Backend;
use super::super::ext::{self, FollowUpArguments, JobArguments, RunArguments, ShowArguments};
use super::super::findings;
use super::super::session::Session;
use super::super::show;
use super::follow_up::follow_up;
use super::run::{invalid, run_action};
use super::usage;
use crate::error::ErrorKind;
use crate::jobs::Thread;

/// Runs a command.
pub(in crate::server) async fn execute_command(
    backend: &Backend,
    params: ExecuteCommandParams,
) -> Result<Option<LspAny>> {
    let session = &backend.session;
    let argument = params.arguments.and_then(|arguments| arguments.into_iter().next());
    match params.command.as_str() {
        ext::RUN => {
            let arguments: RunArguments = arguments(ext::RUN, argument)?;
            let progress = params.work_done_progress_params.work_done_token;
            run_action(session, arguments, progress).await.map(Some)
        }
        ext::CANCEL => {
            let arguments: JobArguments = arguments(ext::CANCEL, argument)?;
            Ok(Some(json!({ "cancelled": session.registry.cancel(arguments.job.as_deref()) })))
        }
        ext::ACCEPT | ext::REJECT => {
            let arguments: JobArguments = arguments(&params.command, argument)?;
            let accept = params.command == ext::ACCEPT;
            if let (true, Some(number)) = (accept, arguments.finding) {
                if findings::repair(session, number) {
                    return Ok(Some(json!({ "decided": true })));
                }
                let error = crate::error::Error::new(ErrorKind::Conflict, "There is no such finding any more.")
                    .hint("The code was changed since, or reviewed again.");
                return Err(invalid(&error));
            }
            let (decided, kept) = {
                let mut state = session.state();
                let decided = state.proposals.decide(arguments.job.as_deref(), accept);
                let kept = if decided { None } else { state.standing.take(arguments.job.as_deref()) };
                (decided || kept.is_some(), kept)
            };
            match kept {
                Some(kept) if accept => {
                    let session = session.clone();
                    // The client may be waiting for this command's answer before it handles anything else.
                    tokio::spawn(async move { kept.apply(&session).await });
                }
                Some(kept) if arguments.retry => kept.retry(session),
                _ => {}
            }
            if !decided {
                let error = crate::error::Error::new(ErrorKind::Config, "No edit waits for that decision.")
                    .hint("It may have been decided or cancelled already.");
                return Err(invalid(&error));
            }
            Ok(Some(json!({ "decided": true })))
        }
        ext::FOLLOW_UP => {
            let arguments: FollowUpArguments = arguments(ext::FOLLOW_UP, argument)?;
            let progress = params.work_done_progress_params.work_done_token;
            follow_up(session, arguments, progress).await.map(Some)
        }
        ext::USAGE => usage::usage(backend).await.map(Some),
        ext::SHOW_EXPLANATION => {
            let arguments: ShowArguments = arguments(ext::SHOW_EXPLANATION, argument)?;
            show_explanation(session, arguments.id).await.map(Some)
        }
        unknown => {
            let error = crate::error::Error::new(ErrorKind::Config, format!("There is no command `{unknown}`."))
                .hint(format!("There are: {}.", ext::COMMANDS.join(", ")));
            Err(invalid(&error))
        }
    }
}

/// The command's one argument; none is an empty object.
fn arguments<T: DeserializeOwned>(command: &str, argument: Option<LspAny>) -> Result<T> {
    let argument = argument.filter(|argument| !argument.is_null()).unwrap_or_else(|| json!({}));
    serde_path_to_error::deserialize(argument).map_err(|error| {
        let message = format!("The argument of `{command}` is not right at `{}`: {}.", error.path(), error.inner());
        invalid(&crate::error::Error::new(ErrorKind::Config, message))
    })
}

/// Shows an explanation of any process that shares the ledger.
async fn show_explanation(session: &Arc<Session>, id: String) -> Result<LspAny> {
    let reader = session.clone();
    let wanted = id.clone();
    let stored = tokio::task::spawn_blocking(move || Thread::load(&reader.ledger, &wanted)).await;
    match stored {
        Ok(Ok(Some(thread))) => {
            let session = session.clone();
            // The client may be waiting for this command's answer before it handles anything else.
            tokio::spawn(async move { show::show(&session, &thread.explanation()).await });
            Ok(json!({ "id": id }))
        }
        Ok(Ok(None)) => {
            let error = crate::error::Error::new(ErrorKind::Config, format!("There is no explanation `{id}`."));
            Err(invalid(&error))
        }
        Ok(Err(error)) => Err(Error { message: error.sentence().into(), ..Error::internal_error() }),
        Err(_) => Err(Error::internal_error()),
    }
}
