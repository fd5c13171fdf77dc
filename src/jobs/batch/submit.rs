//! Sending a batch: intent first, then the API, then what it said.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::super::ask::on_blocking_thread;
use super::super::budget::{self, Verdict};
use super::super::connection::Connection;
use super::collect::{reconcile, running};
use super::draft::Draft;
use super::{Books, check_account};
use crate::claude::batches::{BatchBody, BatchRequest, LARGEST_BATCH, MOST_REQUESTS};
use crate::error::{Error, ErrorKind};
use crate::ledger::Reservation;
use crate::ledger::batches::{BatchPart, Intent, ItemState, NewItem, NewPart, PartState, StoredBatch};
use crate::ledger::reservations::{Limit, Request};

/// What is reserved for a batch counts for so long: it ends after a day, and somebody has to look.
const EXPIRY: SignedDuration = SignedDuration::from_hours(25);

/// What is left of a batch that was not accepted is looked for right away, since a list may be a moment behind.
const PAUSE: Duration = Duration::from_millis(300);

/// What came of sending.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The batch.
    pub batch: StoredBatch,
    /// How many of its items were accepted.
    pub accepted: u64,
    /// What went wrong with the others.
    pub error: Option<Error>,
}

/// Sends what was drafted. Nothing is lost when the process ends meanwhile: [`super::refresh`] finds it.
///
/// # Errors
/// When nothing was sent: the ledger is no file, the budget does not allow it, or the API refused.
pub async fn submit(books: &Books, connection: &Connection, draft: &Draft) -> Result<Submitted, Error> {
    submit_within(books, connection, draft, MOST_REQUESTS, LARGEST_BATCH).await
}

/// [`submit`], with limits for what one batch of the API takes.
pub(super) async fn submit_within(
    books: &Books,
    connection: &Connection,
    draft: &Draft,
    most_requests: usize,
    most_bytes: u64,
) -> Result<Submitted, Error> {
    let ledger = &books.ledger;
    books.check_ledger()?;
    let known = if draft.again { ledger.batch(&draft.id)? } else { None };
    if let Some(batch) = &known {
        check_account(batch, connection)?;
    }
    let first_part = ledger.batch_parts(&draft.id)?.len();
    let (bodies, items) = bodies(draft, first_part, most_requests, most_bytes)?;
    let estimate = draft.estimate();
    let reserved = afford(books, draft, estimate.cost_usd)?;

    let mut until = Timestamp::now();
    let parts = bodies.iter().enumerate().map(|(index, body)| {
        until = after(until, connection.client().longest_submission(body.len()));
        NewPart { number: number(first_part + index), requests: body.count() as u64, sending_until: until }
    });
    let intent = Intent { parts: parts.collect(), files: draft.files.clone(), items };
    let batch = known.unwrap_or_else(|| StoredBatch {
        id: draft.id.clone(),
        action: draft.asked.action.id.to_string(),
        items: draft.asked.items.word().to_owned(),
        model: draft.model.clone(),
        root: draft.asked.root.display().to_string(),
        prompt: draft.asked.prompt.clone(),
        account: connection.account().to_owned(),
        host: connection.client().host().to_owned(),
        created: Timestamp::now(),
        estimated_usd: estimate.cost_usd,
        simulated: draft.asked.simulated,
    });
    if draft.again {
        if !ledger.extend_batch(&batch.id, &intent, estimate.cost_usd)? {
            reserved.map_or(Ok(()), |reserved| ledger.release(&reserved))?;
            let message = format!("Somebody else has asked again for items of the batch {} meanwhile.", batch.id);
            return Err(Error::new(ErrorKind::Conflict, message)
                .hint(format!("`aside batch show {}` says how far it is.", batch.id)));
        }
    } else {
        ledger.add_batch(&batch, &intent)?;
    }
    // A disk may have been full: what nobody will remember is not sent.
    books.check_ledger()?;
    drop(intent);
    let (mut accepted, mut error) = (0, None);
    let parts = ledger.batch_parts(&batch.id)?;
    for (part, body) in parts.into_iter().skip(first_part).zip(&bodies) {
        if error.is_some() {
            unsent(books, &batch.id, part, "an earlier part was not accepted")?;
            continue;
        }
        match send(books, connection, &batch, part, body).await? {
            None => accepted += body.count() as u64,
            Some(refused) => error = Some(refused),
        }
    }
    let parts = ledger.batch_parts(&batch.id)?;
    if parts.iter().all(|part| part.state.is_settled()) {
        ledger.release_batch(&batch.id)?;
    }
    match error {
        // Nothing of it is anywhere: there is nothing to come back to.
        Some(error) if accepted == 0 && parts.iter().all(|part| part.state == PartState::Unsent) => {
            ledger.forget_batch(&batch.id)?;
            Err(error)
        }
        error => Ok(Submitted { batch, accepted, error }),
    }
}

/// Sends one part; why it was not accepted, if it was not.
async fn send(
    books: &Books,
    connection: &Connection,
    batch: &StoredBatch,
    mut part: BatchPart,
    body: &BatchBody,
) -> Result<Option<Error>, Error> {
    let ledger = &books.ledger;
    let now = Timestamp::now();
    part.state = PartState::Sending;
    part.sent = Some(now);
    part.sending_until = Some(after(now, connection.client().longest_submission(body.len())));
    ledger.set_part(&batch.id, &part)?;
    ledger.set_part_items(&batch.id, part.number, ItemState::Sent, None)?;
    match connection.client().submit_batch(body).await {
        Ok(accepted) => {
            running(&mut part, &accepted, true);
            ledger.set_part(&batch.id, &part)?;
            Ok(None)
        }
        Err(refused) if refused.in_doubt => {
            tokio::time::sleep(PAUSE).await;
            // This process is the one that sends, and it has ended sending.
            part.sending_until = Some(Timestamp::now());
            part.reason = Some(refused.error.sentence());
            ledger.set_part(&batch.id, &part)?;
            // Nothing is lost when that cannot be found out now.
            match reconcile(books, connection, batch, &mut part).await {
                Ok(()) if part.state == PartState::Running => Ok(None),
                Ok(()) => Ok(Some(refused.error)),
                Err(_) => Ok(Some(refused.error.hint(format!(
                    "It may have been accepted all the same; `aside batch show {}` finds out.",
                    batch.id
                )))),
            }
        }
        Err(refused) => {
            unsent(books, &batch.id, part, &refused.error.sentence())?;
            Ok(Some(refused.error))
        }
    }
}

/// Writes down that a part did not reach the API.
pub(super) fn unsent(books: &Books, batch: &str, mut part: BatchPart, reason: &str) -> Result<BatchPart, Error> {
    part.state = PartState::Unsent;
    part.reason = Some(reason.to_owned());
    books.ledger.set_part(batch, &part)?;
    books.ledger.set_part_items(batch, part.number, ItemState::Unsent, Some(reason))?;
    Ok(part)
}

/// The bodies, as few as the limits allow, and the items with the parts that they are in.
fn bodies(
    draft: &Draft,
    first_part: usize,
    most_requests: usize,
    most_bytes: u64,
) -> Result<(Vec<BatchBody>, Vec<NewItem>), Error> {
    let mut bodies = vec![BatchBody::within(most_requests, most_bytes)?];
    let mut items = Vec::with_capacity(draft.items());
    draft.each(&mut |index, params| {
        let entry = &draft.entries[index];
        let request = BatchRequest { custom_id: custom_id(&draft.id, entry.number, entry.turn), params };
        let is_in = bodies.last_mut().map_or(Ok(false), |body| body.push(&request))?;
        if !is_in {
            let mut body = BatchBody::within(most_requests, most_bytes)?;
            if !body.push(&request)? {
                return Err(Error::new(ErrorKind::TooLong, "One request is larger than a batch may be."));
            }
            bodies.push(body);
        }
        items.push(NewItem {
            number: entry.number,
            turn: entry.turn,
            part: number(first_part + bodies.len() - 1),
            file: entry.file,
            selection: entry.selection.clone(),
            subject: entry.subject.clone(),
            estimated_input: entry.estimated,
            repairs: entry.repairs,
        });
        Ok(())
    })?;
    bodies.iter_mut().try_for_each(BatchBody::finish)?;
    Ok((bodies, items))
}

/// Names an item of a batch, and the turn of asking for it, to the API.
pub(super) fn custom_id(batch: &str, item: u32, turn: u32) -> String {
    format!("{batch}-{item}-{turn}")
}

/// What an id that [`custom_id`] made is of; none for any other.
pub(super) fn parse_id(batch: &str, custom_id: &str) -> Option<(u32, u32)> {
    let (item, turn) = custom_id.strip_prefix(batch)?.strip_prefix('-')?.split_once('-')?;
    Some((item.parse().ok()?, turn.parse().ok()?))
}

/// Reserves what the batch is expected to cost, until its results are here.
fn afford(books: &Books, draft: &Draft, usd: Option<f64>) -> Result<Option<Reservation>, Error> {
    let now = Timestamp::now();
    let caps = budget::caps(&books.settings.budget, now, &TimeZone::system());
    // A price that is not known is said with the estimate.
    let (Some(usd), false) = (usd, caps.is_empty()) else { return Ok(None) };
    let limits: Vec<Limit> = caps.iter().map(|cap| cap.limit).collect();
    let simulated = draft.asked.simulated;
    let request = Request { job: &draft.id, usd, simulated, expires: now + EXPIRY };
    let decision = books.ledger.reserve(&request, &limits, now)?;
    if decision.reservation.is_some() {
        return Ok(decision.reservation);
    }
    match budget::judge(&caps, &decision, usd, books.budgets.file(), simulated, true) {
        Verdict::Refuse(error) => Err(error),
        // At a last look nobody waits.
        Verdict::Wait => Err(Error::new(ErrorKind::Budget, "The budget does not allow this now.")),
    }
}

/// Cancels what of a batch is still with the API; what has begun there is finished and billed. How many parts were told.
///
/// # Errors
/// When the API cannot be reached, or the batch was submitted elsewhere.
pub async fn cancel(books: &Books, connection: &Connection, batch: &StoredBatch) -> Result<usize, Error> {
    check_account(batch, connection)?;
    let mut told = 0;
    for mut part in books.ledger.batch_parts(&batch.id)? {
        if part.state == PartState::Sending {
            reconcile(books, connection, batch, &mut part).await?;
        }
        let (PartState::Running, Some(id)) = (part.state, part.api_id.clone()) else { continue };
        match connection.client().cancel_batch(&id).await {
            Ok(_) => {
                part.state = PartState::Canceling;
                let (ledger, id) = (books.ledger.clone(), batch.id.clone());
                on_blocking_thread(move || ledger.set_part(&id, &part)).await?;
                told += 1;
            }
            // It may have ended just now, which is found out when it is looked at.
            Err(error) if error.kind == ErrorKind::Config => tracing::info!("not cancelled: {error}"),
            Err(error) => return Err(error),
        }
    }
    Ok(told)
}

fn after(time: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| time.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
