//! What would be sent, without sending it: what a run that begins now makes its first request of.

use super::ask::on_blocking_thread;
use super::host::Host;
use super::order::Order;
use super::run::{self, Context};
use super::talk::bet;
use super::thread::{self, Thread};
use crate::claude::models::Model;
use crate::error::Error;
use crate::prompt::Plan;

/// Takes in what other processes sent, as far as it may still be in the cache: that decides what is worth writing to it. A
/// run does so by itself.
///
/// The credentials are read, since they tell whose cache it is; where there are none, nothing is known. Sends nothing.
pub async fn catch_up(context: &Context, order: &Order) {
    if order.simulated || context.ledger.is_new() {
        return;
    }
    let ledger = context.ledger.clone();
    // Credentials may be a program's to tell, which is not to be run for nothing.
    if !on_blocking_thread(move || ledger.has_prefixes()).await.unwrap_or(false) {
        return;
    }
    match context.connections.get(&order.settings).await {
        Ok(connection) => context.cache.catch_up(&connection, &context.ledger, &context.planner).await,
        Err(error) => tracing::debug!("what is in the cache is not known: {}", error.sentence()),
    }
}

/// The first request of an order.
///
/// # Errors
/// Those of its run, as far as they come before a request.
pub fn plan(context: &Context, order: &Order, host: &dyn Host, model: &Model) -> Result<Plan, Error> {
    let scale = context.estimates.scale(&model.id);
    let mut plan = run::plan(&context.planner, scale, order, host, model)?;
    if order.action.converses() {
        bet(context, order, &mut plan, model);
    }
    plan.request.diagnostics = context.cache.question(order);
    Ok(plan)
}

/// The request with the next question of a conversation.
///
/// # Errors
/// Those of [`follow_up`](super::follow_up), as far as they come before a request.
pub fn plan_follow_up(context: &Context, order: &Order, thread: &Thread, model: &Model) -> Result<Plan, Error> {
    let mut plan = thread::plan(order, thread, model, context.estimates.scale(&model.id), false)?;
    bet(context, order, &mut plan, model);
    plan.request.diagnostics = context.cache.question(order);
    Ok(plan)
}
