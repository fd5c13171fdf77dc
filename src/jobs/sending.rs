//! A request on its way, as the cache's bookkeeping sees it: sent, begun or failed, once each per attempt.

use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::flight::Claim;
use super::life::lock;
use super::run::Context;
use crate::claude::types::MessageResponse;
use crate::claude::usage::Tokens;
use crate::prompt::Plan;
use crate::prompt::diagnosis::{Footprint, Hope, MissReason, Subject};

/// Dropped, it counts as failed unless its answer has begun.
pub(super) struct Sending<'a> {
    context: &'a Context,
    plan: &'a Plan,
    subject: Subject<'a>,
    /// The least tokens the model caches; none where caching is switched off.
    minimum: Option<u64>,
    /// Whose cache it is, where other processes can read it too.
    account: Option<&'a str>,
    claim: Claim,
    flying: Option<(Timestamp, Hope)>,
    writing: Option<JoinHandle<()>>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(
        context: &'a Context,
        plan: &'a Plan,
        subject: Subject<'a>,
        minimum: Option<u64>,
        account: Option<&'a str>,
        claim: Claim,
    ) -> Self {
        Self { context, plan, subject, minimum, account, claim, flying: None, writing: None }
    }

    /// An attempt is sent.
    pub(super) fn sent(&mut self, now: Timestamp) {
        self.failed();
        let hope = self.context.cache.hope(self.plan, self.subject, &self.context.planner, now);
        lock(&self.context.planner).sent(self.plan, now);
        self.flying = Some((now, hope));
    }

    /// Its answer begins: why it read less than could have been, if it did. From now on the others may go.
    pub(super) fn began(&mut self, message: &MessageResponse, now: Timestamp) -> Option<MissReason> {
        let (started, hope) = self.flying.take()?;
        let tokens = Tokens::from(&message.usage);
        lock(&self.context.planner).began(self.plan, &tokens, now);
        let cached = tokens.cache_read + tokens.cache_write() > 0;
        let id = Some(message.id.clone()).filter(|id| !id.is_empty());
        let print = Footprint::new(self.plan, self.subject, started, id, cached);
        self.remember(&print);
        self.context.cache.began(self.plan, print, &tokens, self.minimum);
        self.claim.land();
        let reason = hope.missed(self.plan, &tokens, self.minimum)?;
        Some(reason.refined(message.diagnostics.as_ref()))
    }

    /// The attempt came to nothing, or to nothing that others could wait for.
    pub(super) fn failed(&mut self) {
        if self.flying.take().is_some() {
            lock(&self.context.planner).failed(self.plan);
        }
    }

    /// Nobody needs to wait for this request any more.
    pub(super) fn land(&mut self) {
        self.claim.land();
    }

    /// Waits until the ledger has what other processes want to know.
    pub(super) async fn settled(mut self) {
        if let Some(writing) = self.writing.take() {
            // It says itself what went wrong.
            let _ = writing.await;
        }
    }

    fn remember(&mut self, print: &Footprint) {
        let (Some(account), Ok(text)) = (self.account, serde_json::to_string(print)) else { return };
        let (ledger, account, started) = (self.context.ledger.clone(), account.to_owned(), print.started);
        self.writing = Some(tokio::task::spawn_blocking(move || {
            if let Err(error) = ledger.remember_prefix(&account, started, &text) {
                tracing::warn!("other processes will not know what is cached: {error}");
            }
        }));
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.failed();
    }
}
