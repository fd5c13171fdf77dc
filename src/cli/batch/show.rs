//! `aside batch list`, `show` and `cancel`: how far batches are.

use std::io::Write as _;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::terminal::{self, BOLD, DIM, NAME, WARNING};
use super::super::{Invocation, exit, runtime};
use super::{CancelArgs, ListArgs, ShowArgs, bar, connections, known, opened, until_interrupted, warn};
use crate::claude::words::{counters, dollars, price};
use crate::error::{Error, ErrorKind};
use crate::jobs::batch::{self, Books, Refreshed};
use crate::jobs::{Connection, Connections};
use crate::ledger::Ledger;
use crate::ledger::batches::{BatchFile, BatchItem, ItemCounts, ItemState, PartState, StoredBatch};

/// So many items with trouble are named in each state.
const NAMED: usize = 20;

pub(super) fn run(args: &ShowArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let (books, batch) = known(invocation, &args.id)?;
    if let Some(number) = args.item {
        return answer(&books, &batch, number, args.json);
    }
    let connections = connections(invocation, false);
    let mut notes = Vec::new();
    let waited = runtime()?.block_on(async {
        if !args.wait || is_settled(&books, &batch)? || batch.simulated {
            notes = looked(&books, &batch, &connections).await?;
            return Ok(Some(()));
        }
        let connection = connections.get(&books.settings).await?;
        until_interrupted(wait(&books, &connection, &batch))
            .await
            .map(|refreshed| refreshed.map(|refreshed| notes = refreshed.notes))
    });
    let waited = waited.map_err(|error: Error| anyhow::Error::from(error))?;
    warn(&books)?;
    tell(&books, &batch, &notes, args.json)?;
    Ok(if waited.is_some() { ExitCode::SUCCESS } else { ExitCode::from(exit::INTERRUPTED) })
}

pub(super) fn cancel(args: &CancelArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let (books, batch) = known(invocation, &args.id)?;
    let connections = connections(invocation, false);
    let done = runtime()?.block_on(async {
        if is_settled(&books, &batch)? || batch.simulated {
            return Ok((looked(&books, &batch, &connections).await?, 0));
        }
        let connection = connections.get(&books.settings).await?;
        let told = batch::cancel(&books, &connection, &batch).await?;
        Ok((batch::refresh(&books, &connection, &batch).await?.notes, told))
    });
    let (notes, told) = done.map_err(|error: Error| anyhow::Error::from(error))?;
    writeln!(
        terminal::stderr(),
        "{}",
        match told {
            0 => "There is nothing to cancel: all of it has ended.",
            _ => "It was cancelled. What has begun is still finished, and billed.",
        }
    )?;
    tell(&books, &batch, &notes, args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Says that another process is at work.
pub(super) fn others() {
    // Where nobody hears it, waiting is as right.
    let _ = writeln!(terminal::stderr(), "Another process applies answers right now; waiting for it.");
}

pub(super) fn list(args: &ListArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let file = Ledger::lazy(invocation.paths.ledger());
    let ledger = opened(file)?;
    let batches = ledger.batches()?;
    if args.json {
        let rows = batches.iter().map(|batch| row(&ledger, batch)).collect::<Result<Vec<Value>, Error>>()?;
        terminal::print_json(&json!({"batches": rows}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = terminal::stdout();
    if batches.is_empty() {
        writeln!(out, "There is no batch yet: `aside batch submit ACTION FILES` makes one.")?;
    }
    for batch in &batches {
        let counts = ledger.batch_counts(&batch.id)?;
        let simulated = if batch.simulated { " · simulated" } else { "" };
        writeln!(
            out,
            "{NAME}{}{NAME:#}  {}  {}  {}{simulated}",
            batch.id,
            time(batch.created),
            batch.action,
            in_words(&counts)
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for all answers, with a bar where somebody looks.
pub(super) async fn wait(books: &Books, connection: &Connection, batch: &StoredBatch) -> Result<Refreshed, Error> {
    let total: u64 = books.ledger.batch_counts(&batch.id)?.values().sum();
    let progress = bar(total, &batch.id);
    let mut notes = Vec::new();
    let mut seen = |looked: Result<&Refreshed, &Error>| {
        match looked {
            Ok(refreshed) => notes.extend(refreshed.notes.iter().cloned()),
            Err(error) => progress.suspend(|| {
                // Where nobody hears it, going on is as right.
                let _ = writeln!(
                    terminal::stderr(),
                    "{WARNING}warning{WARNING:#}: {} It is tried again.",
                    terminal::visible(&error.message)
                );
            }),
        }
        if let Ok(counts) = books.ledger.batch_counts(&batch.id) {
            let open = count(&counts, &[ItemState::Sent, ItemState::Unsent]);
            progress.set_position(total - open);
            progress.set_message(format!("{} · ", in_words(&counts)));
        }
    };
    let refreshed = batch::wait(books, connection, batch, &mut seen).await;
    progress.finish_and_clear();
    notes.dedup();
    refreshed.map(|refreshed| Refreshed { notes, ..refreshed })
}

/// Looks once how far the batch is, if anything is still to come.
///
/// # Errors
/// When it cannot be found out.
pub(super) async fn look(books: &Books, batch: &StoredBatch, connections: &Connections) -> Result<Vec<String>, Error> {
    if is_settled(books, batch)? {
        return Ok(Vec::new());
    }
    if batch.simulated {
        batch::give_up(books, batch, "the simulator ended with the process that submitted it")?;
        return Ok(Vec::new());
    }
    let connection = connections.get(&books.settings).await?;
    Ok(batch::refresh(books, &connection, batch).await?.notes)
}

/// Looks as [`look`] does; what is known already is worth showing when that fails.
pub(super) async fn looked(
    books: &Books,
    batch: &StoredBatch,
    connections: &Connections,
) -> Result<Vec<String>, Error> {
    match look(books, batch, connections).await {
        Err(error) if error.kind != ErrorKind::Internal => {
            Ok(vec![format!("How far it is could not be found out: {}", error.sentence())])
        }
        looked => looked,
    }
}

fn is_settled(books: &Books, batch: &StoredBatch) -> Result<bool, Error> {
    Ok(books.ledger.batch_parts(&batch.id)?.iter().all(|part| part.state.is_settled()))
}

fn tell(books: &Books, batch: &StoredBatch, notes: &[String], as_json: bool) -> anyhow::Result<()> {
    if as_json { terminal::print_json(&json(books, batch, notes)?) } else { print(books, batch, notes) }
}

/// Prints how far a batch is, and what can be done next.
pub(super) fn print(books: &Books, batch: &StoredBatch, notes: &[String]) -> anyhow::Result<()> {
    let ledger = &books.ledger;
    let counts = ledger.batch_counts(&batch.id)?;
    let mut out = terminal::stdout();
    let simulated = if batch.simulated { " · simulated" } else { "" };
    writeln!(
        out,
        "{BOLD}{}{BOLD:#} · {} · {} · {}{simulated}",
        batch.id,
        batch.action,
        terminal::visible(&batch.model),
        time(batch.created)
    )?;
    writeln!(out, "{}", in_words(&counts))?;
    let totals = ledger.batch_totals(&batch.id)?;
    if totals.attempts > 0 {
        let cost = price(totals.cost_usd(), totals.saved_usd());
        let estimated = batch.estimated_usd.map(|usd| format!(" · {} were expected", dollars(usd))).unwrap_or_default();
        writeln!(out, "{} · {cost}{estimated}", counters(&totals.tokens))?;
    }
    for part in ledger.batch_parts(&batch.id)?.iter().filter(|part| part.state != PartState::Collected) {
        let id = part.api_id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
        let until =
            part.expires.filter(|_| !part.state.is_settled()).map(|until| format!(", until {} at most", time(until)));
        let reason = part.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let line = format!("part {}{id}: {}{}{reason}", part.number + 1, part.state, until.unwrap_or_default());
        writeln!(out, "{DIM}{}{DIM:#}", terminal::visible(&line))?;
    }
    let items = ledger.batch_items(&batch.id)?;
    let mut places = Places::new(ledger);
    for (state, title) in [
        (ItemState::Errored, "Errored"),
        (ItemState::Expired, "Expired"),
        (ItemState::Unusable, "Answered, but not so that it can be used"),
        (ItemState::Kept, "Kept, and not applied"),
    ] {
        let here: Vec<&BatchItem> = items.iter().filter(|item| item.state == state).collect();
        if here.is_empty() {
            continue;
        }
        writeln!(out, "\n{WARNING}{title}{WARNING:#}")?;
        for item in here.iter().take(NAMED) {
            writeln!(out, "  {}", terminal::visible(&line(item, &places.of(item)?)))?;
        }
        if here.len() > NAMED {
            writeln!(out, "  and {} more; `--json` has all of them", here.len() - NAMED)?;
        }
    }
    for note in notes {
        writeln!(terminal::stderr(), "{WARNING}warning{WARNING:#}: {}", terminal::visible(note))?;
    }
    let next = next_steps(batch, &counts);
    if !next.is_empty() {
        writeln!(out)?;
    }
    for (command, what) in next {
        writeln!(out, "{NAME}{command}{NAME:#}  {DIM}# {what}{DIM:#}")?;
    }
    Ok(())
}

/// What can be done next.
fn next_steps(batch: &StoredBatch, counts: &ItemCounts) -> Vec<(String, &'static str)> {
    let id = &batch.id;
    let mut next = Vec::new();
    if count(counts, &[ItemState::Sent]) > 0 {
        next.push((format!("aside batch show {id} --wait"), "wait for the answers"));
    }
    if count(counts, &[ItemState::Answered]) > 0 {
        next.push((format!("aside batch apply {id}"), "see what the answers change; `--write` changes it"));
    }
    if count(counts, &[ItemState::Kept]) > 0 {
        next.push((format!("aside batch show {id} --item N"), "read an answer that was kept"));
    }
    if counts.iter().any(|(state, count)| state.may_be_retried() && *count > 0) {
        let simulate = if batch.simulated { " --simulate" } else { "" };
        next.push((format!("aside batch submit --retry {id}{simulate}"), "ask again for what has no answer of use"));
    }
    if count(counts, &[ItemState::Kept]) > 0 {
        let simulate = if batch.simulated { " --simulate" } else { "" };
        next.push((
            format!("aside batch submit --retry {id} --kept{simulate}"),
            "ask again about what you changed, too",
        ));
    }
    next
}

/// A batch as JSON.
pub(super) fn json(books: &Books, batch: &StoredBatch, notes: &[String]) -> Result<Value, Error> {
    let ledger = &books.ledger;
    let mut value = row(ledger, batch)?;
    let parts: Vec<Value> = ledger
        .batch_parts(&batch.id)?
        .iter()
        .map(|part| {
            json!({
                "id": part.api_id,
                "state": part.state,
                "requests": part.requests,
                "confirmed": part.confirmed,
                "expires": part.expires.map(|time| time.to_string()),
                "reason": part.reason,
            })
        })
        .collect();
    let mut places = Places::new(ledger);
    let mut items = Vec::new();
    for item in ledger.batch_items(&batch.id)? {
        items.push(json!({
            "item": item.number,
            "path": item.path,
            "place": places.of(&item)?,
            "name": item.subject,
            "state": item.state,
            "reason": item.reason,
            "turn": item.turn,
        }));
    }
    if let Value::Object(fields) = &mut value {
        fields.insert("parts".to_owned(), json!(parts));
        fields.insert("items".to_owned(), json!(items));
        if !notes.is_empty() {
            fields.insert("notes".to_owned(), json!(notes));
        }
    }
    Ok(value)
}

fn row(ledger: &Ledger, batch: &StoredBatch) -> Result<Value, Error> {
    let counts = ledger.batch_counts(&batch.id)?;
    let settled = ledger.batch_parts(&batch.id)?.iter().all(|part| part.state.is_settled());
    Ok(json!({
        "batch": batch.id,
        "action": batch.action,
        "itemKind": batch.items,
        "model": batch.model,
        "root": batch.root,
        "prompt": batch.prompt,
        "created": batch.created.to_string(),
        "simulated": batch.simulated,
        "settled": settled,
        "counts": counts.iter().map(|(state, count)| (state.to_string(), json!(count))).collect::<serde_json::Map<_, _>>(),
        "usage": ledger.batch_totals(&batch.id)?,
        "estimatedUsd": batch.estimated_usd,
    }))
}

/// The answer to one item, as the model gave it.
fn answer(books: &Books, batch: &StoredBatch, number: u32, as_json: bool) -> anyhow::Result<ExitCode> {
    let items = books.ledger.batch_items(&batch.id)?;
    let Some(item) = items.into_iter().find(|item| item.number == number) else {
        return Err(Error::new(ErrorKind::Config, format!("The batch {} has no item {number}.", batch.id)).into());
    };
    let answer = books.answer(batch, &item)?;
    let place = Places::new(&books.ledger).of(&item)?;
    if as_json {
        terminal::print_json(&json!({
            "item": number, "path": item.path, "place": place, "name": item.subject, "state": item.state, "reason": item.reason,
            "answer": answer,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(terminal::stderr(), "{DIM}{}{DIM:#}", terminal::visible(&line(&item, &place)))?;
    match answer {
        Some(answer) => writeln!(terminal::stdout(), "{}", terminal::visible(answer.trim_end()))?,
        None => writeln!(terminal::stderr(), "There is no answer to it.")?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Where items are in the texts that were asked about.
struct Places<'a> {
    ledger: &'a Ledger,
    /// Items come file by file.
    file: Option<BatchFile>,
}

impl<'a> Places<'a> {
    fn new(ledger: &'a Ledger) -> Self {
        Self { ledger, file: None }
    }

    /// As `path:first-last`.
    fn of(&mut self, item: &BatchItem) -> Result<String, Error> {
        let file = match self.file.take().filter(|file| file.id == item.file) {
            Some(file) => file,
            None => self.ledger.batch_file(item.file)?,
        };
        let lines = |text: &str| text.matches('\n').count();
        let before = file.text.get(..item.selection.start).map_or(0, lines);
        let selected = file.text.get(item.selection.clone()).unwrap_or_default();
        let (first, last) = (before + 1, before + 1 + lines(selected.trim_end()));
        self.file = Some(file);
        Ok(format!("{}:{first}-{last}", item.path))
    }
}

/// An item in a line.
fn line(item: &BatchItem, place: &str) -> String {
    let name = item.subject.as_deref().map(|name| format!(" `{name}`")).unwrap_or_default();
    let reason = item.reason.as_deref().map(|reason| format!(": {}", one_line(reason))).unwrap_or_default();
    format!("{:>4}  {place}{name}{reason}", item.number)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The counts in words, those that matter most first.
pub(super) fn in_words(counts: &ItemCounts) -> String {
    let words = counts.iter().filter(|(_, count)| **count > 0).map(|(state, count)| match state {
        ItemState::Unsent => format!("{count} not sent"),
        ItemState::Sent => format!("{count} with the API"),
        ItemState::Answered => format!("{count} answered"),
        ItemState::Landing => format!("{count} being applied"),
        ItemState::Applied => format!("{count} applied"),
        ItemState::Unchanged => format!("{count} with nothing to change"),
        ItemState::Kept => format!("{count} kept"),
        ItemState::Unusable => format!("{count} unusable"),
        ItemState::Errored => format!("{count} errored"),
        ItemState::Canceled => format!("{count} cancelled"),
        ItemState::Expired => format!("{count} expired"),
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "no items".to_owned() } else { words.join(" · ") }
}

fn count(counts: &ItemCounts, states: &[ItemState]) -> u64 {
    states.iter().filter_map(|state| counts.get(state)).sum()
}

fn time(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}
