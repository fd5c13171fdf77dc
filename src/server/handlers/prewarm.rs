//! Warming the cache when a workspace is opened, for those who want it (`cache.prewarm`).

use std::sync::Arc;

use futures::future::BoxFuture;

use super::super::session::Session;
use crate::error::Error;
use crate::jobs::{Change, Current, Event, Host, Landing, Order, PREWARM, Urgency, new_job_id, prewarm};
use crate::workspace::Span;

/// Starts to warm the cache for each folder of an open document that was not warmed yet. To be called when a document was
/// opened and when the settings changed: either may come first.
pub(in crate::server) fn when_due(session: &Arc<Session>) {
    let orders: Vec<Order> = {
        let mut state = session.state();
        let state = &mut *state;
        // What the editor still has to say may be another model, for which all of it would have to be written again.
        let settled = state.pulls == state.pulled;
        if !state.settings.cache.prewarm || state.unusable.is_some() || !settled {
            return;
        }
        let mut orders = Vec::new();
        for document in state.documents.iter() {
            let root = document.path().and_then(|path| state.roots.root_of(path));
            let snapshot = document.snapshot();
            if state.warmed.contains(&root) || snapshot.check().is_err() {
                continue;
            }
            state.warmed.push(root.clone());
            orders.push(Order {
                job: new_job_id(),
                action: PREWARM.clone(),
                snapshot,
                selection: 0..0,
                subject: None,
                root,
                diagnostics: Vec::new(),
                prompt: None,
                model: state.settings.model.clone(),
                settings: state.settings.clone(),
                simulated: session.simulated(),
            });
        }
        orders
    };
    for order in orders {
        let (session, token) = (session.clone(), session.end.child_token());
        let tasks = session.jobs.clone();
        tasks.spawn(async move {
            prewarm(&session.context(), &order, &Silent(session.clone()), &token).await;
            session.status_due.notify_one();
        });
    }
}

/// Shows nothing but what concerns the user's money.
struct Silent(Arc<Session>);

impl Host for Silent {
    fn event(&self, event: Event<'_>) {
        if let Event::Notice(text) = event {
            self.0.tell(lsp_types::MessageType::Warning, format!("Aside: {text}"));
        }
    }

    fn urgency(&self) -> Urgency {
        Urgency::Ahead
    }

    fn selection(&self) -> Option<(Current, Span)> {
        None
    }

    fn file(&self, _: &std::path::Path) -> Result<Option<Current>, Error> {
        Ok(None)
    }

    fn apply<'a>(&'a self, _: &'a Change) -> BoxFuture<'a, Landing> {
        Box::pin(async { Landing::Refused("warming the cache changes nothing".to_owned()) })
    }
}
