//! What a batch asks about: the items of files, also of those that were asked about before and have changed since.

use std::collections::BTreeMap;
use std::path::Path;

use ropey::Rope;

use super::alone::Alone;
use super::files::LeftOut;
use super::items::Items;
use super::land::check;
use super::{Books, root_of};
use crate::error::{Error, ErrorKind};
use crate::ledger::batches::{BatchFile, BatchItem, StoredBatch};
use crate::workspace::documents::{Change as TextChange, Document, Snapshot};
use crate::workspace::roots::normalized;
use crate::workspace::{Span, language};

/// What is asked about in one file.
pub struct Target {
    pub(super) snapshot: Snapshot,
    pub(super) items: Vec<TargetItem>,
}

/// An item of it.
pub(super) struct TargetItem {
    pub(super) number: u32,
    pub(super) turn: u32,
    pub(super) selection: Span,
    pub(super) subject: Option<String>,
    /// An answer that the model is to mend.
    pub(super) faulty: Option<Faulty>,
}

/// An answer that cannot be used.
pub(super) struct Faulty {
    pub(super) answer: String,
    /// What is wrong with it.
    pub(super) complaint: String,
}

impl Target {
    /// The items of a file that is worked on for the first time; numbers count on from `next`.
    ///
    /// # Errors
    /// Why there is nothing in it to work on, in words.
    pub(super) fn read(path: &Path, items: Items, next: &mut u32) -> Result<Self, String> {
        let snapshot = Snapshot::read(path).and_then(|snapshot| snapshot.check().map(|()| snapshot));
        let snapshot = snapshot.map_err(|error| error.sentence())?;
        if snapshot.text.chars().all(char::is_whitespace) {
            return Err("has no code in it".to_owned());
        }
        let Some(found) = items.of(&snapshot) else {
            return Err(format!(
                "is {}, whose items are not known; `--items files` takes it whole",
                snapshot.language.name
            ));
        };
        if found.is_empty() {
            return Err(format!("has no {}", if items == Items::All { "items" } else { items.word() }));
        }
        let items = found.into_iter().map(|(selection, subject)| {
            let number = *next;
            *next += 1;
            TargetItem { number, turn: 1, selection, subject, faulty: None }
        });
        Ok(Self { items: items.collect(), snapshot })
    }
}

/// The items of a batch that can be asked for again, as they are now, with what cannot; with `kept` also those whose answer
/// does not fit what its place became. Answers that nobody looked at yet are checked first.
///
/// # Errors
/// When the ledger cannot be read or written.
pub async fn retried(
    books: &Books,
    batch: &StoredBatch,
    kept: bool,
    alone: &Alone,
) -> Result<(Vec<Target>, Vec<LeftOut>), Error> {
    let would_be_kept = check(books, batch, alone).await?;
    let is_wanted = |item: &BatchItem| item.state.may_be_retried() || (kept && would_be_kept.contains(&item.number));
    let ledger = &books.ledger;
    let parts = ledger.batch_parts(&batch.id)?;
    let is_settled = |number: u32| parts.iter().all(|part| part.number != number || part.state.is_settled());
    let mut by_file: BTreeMap<(String, i64), Vec<BatchItem>> = BTreeMap::new();
    for item in ledger.batch_items(&batch.id)? {
        if is_wanted(&item) && is_settled(item.part) {
            by_file.entry((item.path.clone(), item.file)).or_default().push(item);
        }
    }
    let (mut targets, mut left_out) = (Vec::new(), Vec::new());
    for ((path, file), items) in by_file {
        let was = ledger.batch_file(file)?;
        let now = Snapshot::read(&root_of(batch).join(&path)).and_then(|now| now.check().map(|()| now));
        match now {
            Err(error) => left_out.push(LeftOut::file(path, error.sentence())),
            Ok(snapshot) => targets.push(moved(books, batch, &was, snapshot, items, &mut left_out)?),
        }
    }
    targets.retain(|target| !target.items.is_empty());
    Ok((targets, left_out))
}

/// Where items of a text are in what it became.
fn moved(
    books: &Books,
    batch: &StoredBatch,
    was: &BatchFile,
    snapshot: Snapshot,
    items: Vec<BatchItem>,
    left_out: &mut Vec<LeftOut>,
) -> Result<Target, Error> {
    let mut document = Document::new(snapshot.uri.clone(), &was.language, 0, &was.text);
    let tracks: Vec<_> = items.iter().map(|item| document.track(item.selection.clone())).collect();
    if snapshot.text != *was.text {
        document.apply(TextChange::Full(snapshot.text.to_string()));
    }
    let mut found = Vec::new();
    for (item, track) in items.into_iter().zip(tracks) {
        let span = document.tracked(track).map(|tracked| tracked.span).unwrap_or_default();
        let span = to_ends_of_lines(&was.text, &item.selection, &snapshot.text, span);
        let is_there = !snapshot.text.byte_slice(span.clone()).chars().all(char::is_whitespace);
        // A whole file stays one, whatever was added at its ends.
        let whole = item.selection == (0..was.text.len());
        let selection = if whole { 0..snapshot.text.len_bytes() } else { span };
        if is_there || whole {
            // An answer about another text is nothing to go on from.
            let is_same = was
                .text
                .get(item.selection.clone())
                .is_some_and(|was| snapshot.text.byte_slice(selection.clone()) == *was);
            let faulty = if is_same { faulty(books, batch, was, &item)? } else { None };
            found.push(TargetItem {
                number: item.number,
                turn: item.turn + 1,
                selection,
                subject: item.subject,
                faulty,
            });
        } else {
            let reason = "is not in the file any more".to_owned();
            left_out.push(LeftOut { path: was.path.clone(), item: item.subject, reason });
        }
    }
    Ok(Target { snapshot, items: found })
}

/// A selection that had all of its first and last line has all of them again: what was written at its ends is not tracked.
fn to_ends_of_lines(was: &str, selection: &Span, text: &Rope, mut span: Span) -> Span {
    if span.is_empty() {
        return span;
    }
    let before = was.get(..selection.start).unwrap_or_default();
    if before.is_empty() || before.ends_with('\n') {
        span.start = text.line_to_byte(text.byte_to_line(span.start));
    }
    let behind = was.get(selection.end..).unwrap_or_default();
    let last = text.byte_to_line(span.end);
    // A selection that ends with a line break stands at the beginning of the next line, which is not its own.
    if (behind.is_empty() || behind.starts_with(['\n', '\r'])) && span.end > text.line_to_byte(last) {
        let line = text.line(last).to_string();
        span.end = text.line_to_byte(last) + line.trim_end_matches(['\n', '\r']).len();
    }
    span
}

/// The last answer to an item, if the model can be told what is wrong with it.
fn faulty(books: &Books, batch: &StoredBatch, file: &BatchFile, item: &BatchItem) -> Result<Option<Faulty>, Error> {
    let Some(complaint) = item.complaint.clone() else { return Ok(None) };
    let answer = books.ledger.faulty_answer(&batch.id, item.number)?;
    Ok(answer.map(|answer| Faulty { answer: books.opened(batch, file, answer), complaint }))
}

/// A stored file as it was, for an order.
pub(super) fn snapshot_of(file: &BatchFile, root: &Path) -> Result<Snapshot, Error> {
    let path = normalized(&root.join(&file.path));
    let uri = url::Url::from_file_path(&path)
        .map_err(|()| Error::new(ErrorKind::Internal, format!("{} is not an absolute path.", path.display())))?;
    let language = language::of_document(&file.language, Some(&path));
    Ok(Snapshot::new(uri, Some(path), language, None, Rope::from_str(&file.text)))
}
