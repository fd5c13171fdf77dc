//! Finding out what became of a batch: which of the API's are ours, how far they are, and what they answered.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::connection::Connection;
use super::submit::{parse_id, unsent};
use super::{Books, check_account};
use crate::actions::{self, ResultForm};
use crate::claude::batches::{Batch, BatchLine, BatchResult, ProcessingStatus};
use crate::claude::models::Model;
use crate::claude::types::{ContentBlock, ErrorResponse, MessageResponse, StopReason};
use crate::claude::usage::Tokens;
use crate::error::{Error, ErrorKind};
use crate::ledger::Attempt;
use crate::ledger::batches::{BatchItem, BatchPart, ItemState, Outcome, PartState, StoredBatch};

/// So many results are written down at once.
const CHUNK: usize = 200;

/// So many answers of one look correct the estimates.
const OBSERVED: usize = 15;

/// The API's clock and this machine's may differ by so much.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// So many of the API's newest batches are looked through for ours.
const NEWEST: usize = 500;

/// So many looks in a row may fail before waiting ends: with the pauses between them a good while.
const MOST_FAILURES: u32 = 30;

/// The pauses between two looks.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// What a look brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Whether nothing more is to be expected.
    pub settled: bool,
    /// How many items have got a result.
    pub new: usize,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Looks once how far a batch is, and takes in the results that are there.
///
/// # Errors
/// When the API cannot be reached, or the batch was submitted elsewhere. What was taken in until then holds.
pub async fn refresh(books: &Books, connection: &Connection, batch: &StoredBatch) -> Result<Refreshed, Error> {
    let mut refreshed = Refreshed::default();
    let parts = books.ledger.batch_parts(&batch.id)?;
    if parts.iter().any(|part| !part.state.is_settled()) {
        check_account(batch, connection)?;
    }
    let mut settled = true;
    for mut part in parts {
        if matches!(part.state, PartState::Intended | PartState::Sending) {
            reconcile(books, connection, batch, &mut part).await?;
        }
        if matches!(part.state, PartState::Running | PartState::Canceling) {
            look(books, connection, batch, &mut part, &mut refreshed).await?;
        }
        settled &= part.state.is_settled();
        if part.state == PartState::Sending {
            refreshed.notes.push(format!(
                "Whether part {} was accepted is not known yet{}.",
                part.number + 1,
                part.sending_until.map(|time| format!("; look again after {}", clock(time))).unwrap_or_default()
            ));
        }
    }
    if settled {
        books.ledger.release_batch(&batch.id)?;
    }
    refreshed.settled = settled;
    Ok(refreshed)
}

/// Looks until nothing more is to be expected. `seen` is told of each look. One that failed for a reason that passes, as a
/// broken connection does, ends nothing: hours may have been waited by then.
///
/// # Errors
/// As for [`refresh`], when looking again is of no use, or of none so far.
pub async fn wait(
    books: &Books,
    connection: &Connection,
    batch: &StoredBatch,
    seen: &mut (dyn FnMut(Result<&Refreshed, &Error>) + Send),
) -> Result<Refreshed, Error> {
    let (mut pause, mut failures) = (FIRST_PAUSE, 0);
    loop {
        match refresh(books, connection, batch).await {
            Ok(refreshed) => {
                failures = 0;
                seen(Ok(&refreshed));
                if refreshed.settled {
                    return Ok(refreshed);
                }
            }
            Err(error) => {
                failures += 1;
                if !passes(&error) || failures > MOST_FAILURES {
                    return Err(error);
                }
                seen(Err(&error));
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Whether another look may go better.
fn passes(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Overloaded | ErrorKind::RateLimit)
}

/// Nothing more is to be expected of a batch, for this reason.
///
/// # Errors
/// When the ledger cannot be written.
pub fn give_up(books: &Books, batch: &StoredBatch, reason: &str) -> Result<(), Error> {
    for mut part in books.ledger.batch_parts(&batch.id)? {
        if !part.state.is_settled() {
            gone(books, batch, &mut part, reason)?;
        }
    }
    books.ledger.release_batch(&batch.id)
}

fn gone(books: &Books, batch: &StoredBatch, part: &mut BatchPart, reason: &str) -> Result<(), Error> {
    part.state = PartState::Gone;
    part.reason = Some(reason.to_owned());
    books.ledger.set_part(&batch.id, part)?;
    books.ledger.set_part_items(&batch.id, part.number, ItemState::Expired, Some(reason))
}

/// Finds out whether a part that was being sent was accepted. The API tells the requests of a batch only with its results,
/// so until then its time and its size have to do.
pub(super) async fn reconcile(
    books: &Books,
    connection: &Connection,
    batch: &StoredBatch,
    part: &mut BatchPart,
) -> Result<(), Error> {
    let over = part.sending_until.is_none_or(|until| Timestamp::now() >= until);
    let Some(sent) = part.sent else {
        if over {
            *part = unsent(books, &batch.id, part.clone(), "the process that was about to send it ended")?;
        }
        return Ok(());
    };
    let earliest = sent.checked_sub(SKEW).unwrap_or(Timestamp::MIN);
    let latest = part.sending_until.unwrap_or(sent).checked_add(SKEW).unwrap_or(Timestamp::MAX);
    let mut possible = Vec::new();
    for found in connection.client().batches(NEWEST).await? {
        let is_then = found.created_at.parse().is_ok_and(|time: Timestamp| earliest <= time && time <= latest);
        if !is_then || found.total() != part.requests || books.ledger.knows_api_batch(&found.id)? {
            continue;
        }
        if found.processing_status == ProcessingStatus::Ended {
            match is_ours(connection, &found, batch).await? {
                Some(true) => return accept(books, batch, part, &found, true),
                Some(false) => continue,
                None => {}
            }
        }
        possible.push(found);
    }
    match &possible[..] {
        [] if over => {
            let reason = part.reason.take().unwrap_or_else(|| "it did not reach the API".to_owned());
            *part = unsent(books, &batch.id, part.clone(), &reason)?;
            Ok(())
        }
        [one] => accept(books, batch, part, one, false),
        // Which of several it is their results will tell.
        _ => Ok(()),
    }
}

fn accept(books: &Books, batch: &StoredBatch, part: &mut BatchPart, found: &Batch, sure: bool) -> Result<(), Error> {
    running(part, found, sure);
    books.ledger.set_part(&batch.id, part)
}

/// Whether the results of an ended batch are those of ours; none when there are none.
async fn is_ours(connection: &Connection, found: &Batch, batch: &StoredBatch) -> Result<Option<bool>, Error> {
    let mut results = connection.client().batch_results(&found.id).await?;
    Ok(match results.next().await {
        Some(Ok(line)) => Some(parse_id(&batch.id, &line.custom_id).is_some()),
        Some(Err(error)) if error.kind != ErrorKind::BadAnswer => return Err(error),
        Some(Err(_)) | None => None,
    })
}

/// The part is with the API.
pub(super) fn running(part: &mut BatchPart, accepted: &Batch, confirmed: bool) {
    part.state = PartState::Running;
    part.api_id = Some(accepted.id.clone());
    part.confirmed = confirmed;
    part.expires = accepted.expires_at.parse().ok();
    part.reason = None;
}

/// Looks at a part that the API works on.
async fn look(
    books: &Books,
    connection: &Connection,
    batch: &StoredBatch,
    part: &mut BatchPart,
    refreshed: &mut Refreshed,
) -> Result<(), Error> {
    let Some(api_id) = part.api_id.clone() else { return Ok(()) };
    let found = connection.client().batch(&api_id).await?;
    let results = match &found {
        None => Err("the API does not have it any more"),
        Some(found) if found.archived_at.is_some() => Err("its results were deleted after 29 days"),
        Some(found) => Ok(found),
    };
    let found = match results {
        Ok(found) => found,
        Err(reason) => return gone(books, batch, part, reason),
    };
    if found.processing_status != ProcessingStatus::Ended {
        return Ok(());
    }
    let mut collecting = Collecting::new(books, batch, part, found)?;
    let mut results = connection.client().batch_results(&api_id).await?;
    let mut foreign = None;
    while let Some(line) = results.next().await {
        match line {
            Ok(line) if parse_id(&batch.id, &line.custom_id).is_none() && !part.confirmed => {
                foreign = Some(line.custom_id);
                break;
            }
            Ok(line) => {
                part.confirmed = true;
                collecting.take(&line)?;
            }
            // One line that cannot be read loses only itself.
            Err(error) if error.kind == ErrorKind::BadAnswer => collecting.unreadable += 1,
            Err(error) => {
                collecting.flush()?;
                return Err(error);
            }
        }
    }
    if foreign.is_some() {
        // Of the same size, and at the same time, but somebody else's: ours is another one, or none.
        part.state = PartState::Sending;
        part.api_id = None;
        return books.ledger.set_part(&batch.id, part);
    }
    refreshed.new += collecting.end(&mut refreshed.notes)?;
    part.state = PartState::Collected;
    books.ledger.set_part(&batch.id, part)
}

/// Results on their way into the ledger.
struct Collecting<'a> {
    books: &'a Books,
    batch: &'a StoredBatch,
    part: u32,
    items: HashMap<(u32, u32), BatchItem>,
    form: ResultForm,
    model: Model,
    started: Timestamp,
    duration_ms: u64,
    waiting: Vec<Outcome>,
    new: usize,
    observed: usize,
    unreadable: usize,
}

impl<'a> Collecting<'a> {
    fn new(books: &'a Books, batch: &'a StoredBatch, part: &BatchPart, found: &Batch) -> Result<Self, Error> {
        let items = books.ledger.part_items(&batch.id, part.number)?;
        let started = part.sent.unwrap_or(batch.created);
        let ended: Option<Timestamp> = found.ended_at.as_deref().and_then(|time| time.parse().ok());
        let took = ended.map_or(SignedDuration::ZERO, |ended| ended.duration_since(started));
        Ok(Self {
            books,
            batch,
            part: part.number,
            items: items.into_iter().map(|item| ((item.number, item.turn), item)).collect(),
            form: actions::find(&batch.action).map_or(ResultForm::Edit, |action| action.result),
            model: books.settings.model_data(&batch.model).into_owned(),
            started,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(0),
            waiting: Vec::new(),
            new: 0,
            observed: 0,
            unreadable: 0,
        })
    }

    fn take(&mut self, line: &BatchLine) -> Result<(), Error> {
        let id = parse_id(&self.batch.id, &line.custom_id);
        // What nobody asked for, or was told already, is nothing to us.
        let Some((id, item)) = id.and_then(|id| Some((id, self.items.remove(&id)?))) else { return Ok(()) };
        let (state, reason, answer, attempt) = match &line.result {
            BatchResult::Succeeded { message } => {
                let tokens = Tokens::from(&message.usage);
                if self.observed < OBSERVED {
                    self.observed += 1;
                    self.books.estimates.observe(&self.model.id, item.estimated_input, tokens.total_input());
                }
                let (state, reason) = judged(message, self.form);
                let outcome = if state == ItemState::Answered { "ok" } else { "bad_answer" };
                // A line of a batch has no request id of its own; the message's says which it is.
                let request_id = Some(message.id.clone());
                let attempt = Attempt { request_id, ..self.attempt(&item, tokens, outcome) };
                (state, reason, Some(text_of(message)), Some(attempt))
            }
            BatchResult::Errored { error } => {
                let attempt = self.attempt(&item, Tokens::default(), kind(error).as_str());
                (ItemState::Errored, Some(said(error)), None, Some(attempt))
            }
            BatchResult::Canceled => (ItemState::Canceled, None, None, None),
            BatchResult::Expired => {
                (ItemState::Expired, Some("the API did not get to it within a day".to_owned()), None, None)
            }
            BatchResult::Other(_) => {
                let reason = "the API gives a result that this version of Aside does not know".to_owned();
                (ItemState::Errored, Some(reason), None, None)
            }
        };
        self.waiting.push(Outcome { number: id.0, turn: id.1, state, reason, answer, attempt });
        if self.waiting.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn attempt(&self, item: &BatchItem, tokens: Tokens, outcome: &str) -> Attempt {
        let attempt = Attempt {
            job: self.batch.id.clone(),
            action: self.batch.action.clone(),
            language: item.language.clone(),
            project: Some(self.batch.root.clone()),
            model: self.batch.model.clone(),
            tokens,
            started: self.started,
            duration_ms: self.duration_ms,
            outcome: outcome.to_owned(),
            simulated: self.batch.simulated,
            batch: true,
            ..Attempt::default()
        };
        attempt.priced(&self.model)
    }

    fn flush(&mut self) -> Result<(), Error> {
        let waiting = std::mem::take(&mut self.waiting);
        let (ledger, batch) = (&self.books.ledger, &self.batch.id);
        self.new += tokio::task::block_in_place(|| ledger.settle_items(batch, &waiting))?;
        self.books.check_ledger()
    }

    /// All lines were read: how many items are new.
    fn end(mut self, notes: &mut Vec<String>) -> Result<usize, Error> {
        self.flush()?;
        if !self.items.is_empty() {
            let reason = if self.unreadable > 0 {
                "its line of the results could not be read"
            } else {
                "the results have no line for it"
            };
            let missing = self.items.values().filter(|item| matches!(item.state, ItemState::Unsent | ItemState::Sent));
            let missing = missing.count();
            self.books.ledger.set_part_items(&self.batch.id, self.part, ItemState::Errored, Some(reason))?;
            if missing > 0 {
                notes.push(format!("{missing} items have no result: {reason}."));
            }
        }
        Ok(self.new)
    }
}

/// Whether an answer can be worked with, by the way it ended.
fn judged(message: &MessageResponse, form: ResultForm) -> (ItemState, Option<String>) {
    let is_read = form == ResultForm::Explanation;
    let unusable = |reason: String| (ItemState::Unusable, Some(reason));
    match &message.stop_reason {
        Some(StopReason::Refusal) => {
            let details = message.stop_details.clone().unwrap_or_default();
            let why = details.explanation.or(details.category).map(|why| format!(": {why}")).unwrap_or_default();
            unusable(format!("the model declined to answer{why}"))
        }
        Some(StopReason::MaxTokens | StopReason::ModelContextWindowExceeded) if !is_read => {
            unusable("the answer reached its limit of tokens before it was complete".to_owned())
        }
        _ if text_of(message).trim().is_empty() => unusable("the model answered without any text".to_owned()),
        Some(StopReason::MaxTokens | StopReason::ModelContextWindowExceeded) => {
            (ItemState::Answered, Some("it reached the limit of tokens and ends early".to_owned()))
        }
        _ => (ItemState::Answered, None),
    }
}

/// The text of an answer; thinking and other blocks are not part of it.
fn text_of(message: &MessageResponse) -> String {
    let blocks = message.content.iter();
    blocks
        .filter_map(|block| match block {
            ContentBlock::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn said(error: &ErrorResponse) -> String {
    match error.error.message.trim() {
        "" => error.error.kind.clone(),
        message => message.to_owned(),
    }
}

/// What an error of one request is, among those that a request of its own would have met.
fn kind(error: &ErrorResponse) -> ErrorKind {
    match error.error.kind.as_str() {
        "authentication_error" => ErrorKind::Credentials,
        "permission_error" => ErrorKind::Permission,
        "billing_error" => ErrorKind::Budget,
        "request_too_large" => ErrorKind::TooLong,
        "rate_limit_error" => ErrorKind::RateLimit,
        "timeout_error" => ErrorKind::Timeout,
        "invalid_request_error" | "not_found_error" => ErrorKind::Config,
        _ => ErrorKind::Overloaded,
    }
}

fn clock(time: Timestamp) -> String {
    time.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string()
}
