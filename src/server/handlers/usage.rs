//! `aside/usage` and `aside/status`: what was used, and what runs.

use std::sync::Arc;

use lsp_types::LspAny;
use serde_json::json;
use tower_lsp::jsonrpc::{Error, Result};

use super::super::backend::Backend;
use super::super::ext::StatusNotification;
use super::super::session::Session;
use crate::ledger::{By, Ledger, Totals, day_start};

/// The totals of the session and the day, and a row per action and model.
pub(in crate::server) async fn usage(backend: &Backend) -> Result<LspAny> {
    let session = Arc::clone(&backend.session);
    on_ledger(session, |session, ledger| {
        let day = today();
        Ok(json!({
            "session": session.totals(),
            "day": ledger.totals(Some(day))?,
            "rows": ledger.rows(Some(day), By::ActionAndModel)?,
        }))
    })
    .await
}

/// Sends `aside/status` at once, and whenever something starts or ends, one at a time and always the newest state, to a
/// client that wants it. Ends with the session.
pub(in crate::server) fn start_status(session: &Arc<Session>) {
    if !session.state().capabilities.status {
        return;
    }
    session.status_due.notify_one();
    let session = session.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = session.status_due.notified() => {}
                () = session.end.cancelled() => return,
            }
            let status = on_ledger(session.clone(), |session, ledger| {
                let running = session.registry.list();
                let running: Vec<_> =
                    running.into_iter().map(|(job, title)| json!({ "job": job, "title": title })).collect();
                let (warm, last_miss) = session.cache();
                Ok(json!({
                    "running": running,
                    "session": session.totals(),
                    // Whoever only looks makes no ledger.
                    "day": if ledger.is_new() { Totals::default() } else { ledger.totals(Some(today()))? },
                    "simulated": session.simulated(),
                    "warm": warm,
                    "lastMiss": last_miss,
                }))
            });
            match status.await {
                Ok(status) => session.client.send_notification::<StatusNotification>(status).await,
                Err(error) => tracing::warn!("no status: {}", error.message),
            }
        }
    });
}

/// When the user's local day began.
fn today() -> jiff::Timestamp {
    day_start(jiff::Timestamp::now(), &jiff::tz::TimeZone::system())
}

async fn on_ledger<T: Send + 'static>(
    session: Arc<Session>,
    read: impl FnOnce(&Session, &Ledger) -> std::result::Result<T, crate::error::Error> + Send + 'static,
) -> Result<T> {
    let result = tokio::task::spawn_blocking(move || read(&session, &session.ledger)).await;
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error { message: error.sentence().into(), ..Error::internal_error() }),
        Err(_) => Err(Error::internal_error()),
    }
}
