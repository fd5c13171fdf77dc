//! Requests that ask for nothing: they write a prompt's shared part to the cache before it is needed.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::ask::{Ended, Start};
use super::bill::Seen;
use super::connection::Connection;
use super::host::{Event, Host};
use super::life::lock;
use super::order::Order;
use super::run::{Context, Run, Stop};
use crate::actions::{Action, Applies, ResultForm};
use crate::claude::usage::Tokens;
use crate::prompt::{self, Plan};

/// What a workspace is warmed with: a task that nobody will read, behind the part that all actions share. It is in no
/// menu, and names the rows of the ledger.
pub static PREWARM: LazyLock<Arc<Action>> = LazyLock::new(|| {
    Arc::new(Action {
        id: "prewarm".into(),
        title: "warm the cache".to_owned(),
        link: None,
        summary: "Writes the shared part of a prompt to the cache.".to_owned(),
        kind: String::new(),
        result: ResultForm::Explanation,
        applies: Applies::Always,
        instruction: "-".to_owned(),
        custom: None,
    })
});

/// Writes what all actions of an order's project share to the cache, unless it is there: the system prompt, the project's
/// rules and the language's conventions, and the document as well where these are too short to be cached.
///
/// Nobody asked for it, so whatever stands in its way ends it without a word but in the log.
pub async fn prewarm(context: &Context, order: &Order, host: &dyn Host, cancel: &CancellationToken) {
    let mut run = Run::new(context, order, host, cancel);
    match run.warm_up().await {
        Ok(()) => {}
        Err(Stop::Cancelled) => tracing::info!(job = order.job, "warming the cache was cancelled"),
        Err(Stop::Failed(error)) => tracing::info!(job = order.job, "the cache was not warmed: {}", error.sentence()),
    }
}

impl Run<'_> {
    async fn warm_up(&mut self) -> Result<(), Stop> {
        let connection = self.connect().await?;
        let plan = self.plan(None)?;
        let Some(warming) = prompt::prewarm(&plan, false) else { return Ok(()) };
        let mut start = self.turn(&warming).await?;
        self.warm(&connection, &plan, &mut start, false).await?;
        for note in std::mem::take(&mut self.notes) {
            self.host.event(Event::Notice(&note));
        }
        Ok(())
    }

    /// Writes the shared part of a plan, in the turn that is given. A failure is the next request's to meet.
    pub(super) async fn warm(
        &mut self,
        connection: &Connection,
        plan: &Plan,
        start: &mut Start,
        whole_document: bool,
    ) -> Result<(), Stop> {
        let Some(warming) = prompt::prewarm(plan, whole_document).filter(|_| connection.warms()) else { return Ok(()) };
        if self.context.cache.cold(&warming, &self.context.planner, Timestamp::now()).is_empty() {
            return Ok(());
        }
        // Nobody waits for it: what is left of a limit is for those who ask.
        let expected = lock(&self.context.planner).warmth().expected(&warming, Timestamp::now());
        let tokens = expected.input + expected.cache_write();
        let now = tokio::time::Instant::now();
        let Ok(_pass) = connection.pace().enter(&warming.request.model, tokens, None, now) else { return Ok(()) };
        let held = self.afford(&warming, &warming.request).await?;
        let (started, clock) = (Timestamp::now(), Instant::now());
        let mut seen = Seen { attempts: 1, ..Seen::default() };
        let mut sending = self.sending(connection, &warming, start.claim.take());
        sending.sent(started);
        let sealed = connection.seal(&warming.request, &self.order.settings);
        let ended = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            ended = connection.send(&sealed) => Some(ended),
        };
        if let Some(Ok(sent)) = &ended {
            seen.begun = true;
            seen.tokens = Tokens::from(&sent.message.usage);
            // To write is what it was sent for.
            let _ = sending.began(&sent.message, Timestamp::now());
        }
        sending.settled().await;
        if let Some(Err(error)) = &ended
            && connection.refused_to_warm(error)
        {
            let host = connection.client().host();
            let word = format!("{host} takes no request that only warms the cache, so `cache.prewarm` does nothing.");
            self.notes.extend(self.context.connections.is_news(&word).then_some(word));
        }
        let (outcome, request_id) = match &ended {
            Some(Ok(sent)) => ("ok", sent.request_id.clone()),
            Some(Err(error)) => (error.kind.as_str(), error.request_id.clone()),
            None => ("cancelled", None),
        };
        let how = Ended { tokens: seen.tokens, request_id, outcome, partial: ended.is_none() };
        self.settle(&warming.request, &seen, how, started, clock, held).await;
        if ended.is_none() { Err(Stop::Cancelled) } else { Ok(()) }
    }
}
