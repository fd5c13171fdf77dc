//! The answers of a batch on their way into files: by the same checks as those of single actions, on the files as they are
//! by now. All answers for one file land together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::super::edit::place_for_tests;
use super::super::lander::{Fate, Kept, Lander, Step};
use super::super::order::Order;
use super::super::report::FileEdit;
use super::super::run::plan;
use super::alone::Alone;
use super::desk::{Desk, Disk, Sheet};
use super::target::snapshot_of;
use super::{Books, root_of};
use crate::actions::{self, Action, ResultForm};
use crate::claude::types::{ContentBlock, Message, Role};
use crate::claude::usage::Tokens;
use crate::error::{Error, ErrorKind};
use crate::hash::sha256;
use crate::ledger::StoredExplanation;
use crate::ledger::batches::{BatchFile, BatchItem, ItemState, StoredBatch};
use crate::output::explanation::Explanation;
use crate::workspace::documents::{Document, Snapshot};
use crate::workspace::roots::{normalized, relative};
use crate::workspace::syntax::ParsedAhead;
use crate::workspace::tracking::TrackId;
use crate::workspace::write::{create_file, replace_file};
use crate::workspace::{Span, content};

/// So often answers are fitted anew to a file that was changed while they were written into it.
const TRIES: u32 = 3;

/// What became of the answers for one file.
#[derive(Clone, Debug, Default)]
pub struct FileLanding {
    /// Its path below the batch's root, with `/`.
    pub path: String,
    /// What became of each item.
    pub items: Vec<ItemLanding>,
    /// What is changed, or would be; several files where tests go elsewhere.
    pub edits: Vec<FileEdit>,
    /// What there is to read.
    pub explanations: Vec<Explanation>,
}

/// What became of one answer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemLanding {
    /// The item's number.
    pub item: u32,
    /// Where it is in the file that was asked about, as `path:first-last`.
    pub place: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `applied` (also: would be), `unchanged`, `kept` or `unusable`.
    pub state: ItemState,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the model said beside the edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// All answers together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Landed {
    /// How many are in their files, or would be.
    pub applied: usize,
    /// How many change nothing.
    pub unchanged: usize,
    /// How many were kept or cannot be used.
    pub kept: usize,
    /// How many of these cannot be used: the model would have to mend them.
    pub unusable: usize,
}

/// Lands all answers that were not landed yet, file by file; without `write`, the right to, nothing is changed, neither in
/// files nor in the ledger. Each file is handed to `each` when it is done.
///
/// # Errors
/// When the ledger cannot be read. Trouble with one file is the reason of its items.
pub async fn land(
    books: &Books,
    batch: &StoredBatch,
    write: Option<&Alone>,
    cancel: &CancellationToken,
    each: &mut (dyn FnMut(FileLanding) -> Result<(), Error> + Send),
) -> Result<Landed, Error> {
    let action = actions::find(&batch.action)?.clone();
    let root = root_of(batch);
    let work = Work { books, batch, root, action, cancel, desk: Desk::new(), write: write.is_some() };
    if let Some(alone) = write {
        recover(books, batch, alone)?;
    }
    let mut by_path: BTreeMap<String, Vec<BatchItem>> = BTreeMap::new();
    for item in books.ledger.batch_items(&batch.id)? {
        if item.state.may_be_applied() {
            by_path.entry(item.path.clone()).or_default().push(item);
        }
    }
    let mut landed = Landed::default();
    for (path, items) in by_path {
        if cancel.is_cancelled() {
            break;
        }
        let file = match work.action.result {
            ResultForm::Explanation => work.explain(&path, items)?,
            _ => work.edit(&path, items).await?,
        };
        for item in &file.items {
            match item.state {
                ItemState::Applied => landed.applied += 1,
                ItemState::Unchanged => landed.unchanged += 1,
                state => {
                    landed.kept += 1;
                    landed.unusable += usize::from(state == ItemState::Unusable);
                }
            }
        }
        each(file)?;
    }
    Ok(landed)
}

/// Checks the answers that were not landed yet as if they were now. Those that cannot be used are marked so; the numbers of
/// those that would be kept are given back.
pub(super) async fn check(books: &Books, batch: &StoredBatch, alone: &Alone) -> Result<BTreeSet<u32>, Error> {
    let (mut kept, mut unusable) = (BTreeSet::new(), Vec::new());
    if actions::find(&batch.action)?.result == ResultForm::Explanation {
        return Ok(kept);
    }
    recover(books, batch, alone)?;
    let mut each = |file: FileLanding| {
        for item in file.items {
            match item.state {
                ItemState::Kept => drop(kept.insert(item.item)),
                ItemState::Unusable => unusable.push((item.item, item.state, item.reason)),
                _ => {}
            }
        }
        Ok(())
    };
    land(books, batch, None, &CancellationToken::new(), &mut each).await?;
    if !unusable.is_empty() {
        books.ledger.move_items(&batch.id, &unusable)?;
    }
    Ok(kept)
}

/// Finds out whether landings that a process has begun and not finished were done.
///
/// # Errors
/// When the ledger cannot be read.
pub fn recover(books: &Books, batch: &StoredBatch, _: &Alone) -> Result<(), Error> {
    let root = root_of(batch);
    let mut moved = Vec::new();
    for (number, landing) in books.ledger.unfinished_landings(&batch.id)? {
        let written: Vec<(String, String)> = serde_json::from_str(&landing).unwrap_or_default();
        let is_there = |(path, hash): &(String, String)| {
            content::read_text(&root.join(path)).is_ok_and(|text| sha256(text) == *hash)
        };
        let done = !written.is_empty() && written.iter().all(is_there);
        moved.push((number, if done { ItemState::Applied } else { ItemState::Answered }, None));
    }
    if moved.is_empty() { Ok(()) } else { books.ledger.move_items(&batch.id, &moved) }
}

/// What does not change from file to file.
struct Work<'a> {
    books: &'a Books,
    batch: &'a StoredBatch,
    root: PathBuf,
    action: Arc<Action>,
    cancel: &'a CancellationToken,
    desk: Desk,
    write: bool,
}

/// A text that was asked about, and where its items are in what it became.
struct Base {
    snapshot: Snapshot,
    parsed: Arc<ParsedAhead>,
    tracks: BTreeMap<u32, TrackId>,
}

impl Work<'_> {
    fn order(&self, item: &BatchItem, snapshot: &Snapshot) -> Order {
        Order {
            job: format!("{}-{}-{}", self.batch.id, item.number, item.turn),
            action: self.action.clone(),
            selection: within(&item.selection, snapshot),
            snapshot: snapshot.clone(),
            subject: item.subject.clone(),
            root: Some(self.root.clone()),
            diagnostics: Vec::new(),
            prompt: self.batch.prompt.clone(),
            model: self.batch.model.clone(),
            settings: self.books.settings.clone(),
            simulated: self.batch.simulated,
        }
    }

    fn answer(&self, item: &BatchItem) -> Result<String, Error> {
        Ok(self.books.answer(self.batch, item)?.unwrap_or_default())
    }

    /// Lands the edits for one file.
    async fn edit(&self, path: &str, items: Vec<BatchItem>) -> Result<FileLanding, Error> {
        let place = normalized(&self.root.join(path));
        let mut left = TRIES;
        loop {
            left -= 1;
            let (landing, sheets) = match self.fit(path, &place, &items).await {
                Ok(fitted) => fitted,
                Err(error) if error.kind == ErrorKind::Internal => return Err(error),
                Err(error) => {
                    let _ = self.desk.take();
                    return self.all_kept(path, &items, &error);
                }
            };
            if !self.write {
                // Tests of several files may go into one, and the next file's are to stand beside these.
                if self.action.result == ResultForm::Tests {
                    self.desk.put_back(sheets);
                }
                return Ok(landing);
            }
            match self.write_down(&landing, &sheets) {
                Ok(()) => return Ok(landing),
                Err(error) if error.kind == ErrorKind::Conflict && left > 0 => {}
                Err(error) => {
                    // Without the ledger there is no going on to the next file.
                    self.books.check_ledger()?;
                    return self.all_kept(path, &items, &error);
                }
            }
        }
    }

    /// Fits all answers for a file to what it is now, one after the other, in memory.
    async fn fit(
        &self,
        path: &str,
        place: &Path,
        items: &[BatchItem],
    ) -> Result<(FileLanding, BTreeMap<PathBuf, Sheet>), Error> {
        let mut landing = FileLanding { path: path.to_owned(), ..FileLanding::default() };
        let (bases, documents) = self.bases(items)?;
        self.desk.open(place, documents)?;
        for item in items {
            let Some((index, base)) = bases.iter().enumerate().find(|(_, base)| base.tracks.contains_key(&item.number))
            else {
                continue;
            };
            self.desk.turn_to(index, base.tracks[&item.number]);
            let order = self.order(item, &base.snapshot);
            let step = match self.action.result {
                ResultForm::Tests => Step::Tests(place_for_tests(&order)?),
                _ => Step::Selection,
            };
            let mut lander = Lander::new(&order, &self.desk, self.cancel, step);
            lander.original = Some(base.parsed.clone());
            let fate = lander.land(&self.answer(item)?).await;
            let note = (!lander.notes.is_empty()).then(|| lander.notes.join("\n"));
            let (state, reason) = match fate {
                Fate::Applied | Fate::Proposed => (ItemState::Applied, None),
                Fate::Kept(Kept { reason, document: None, .. }) => (ItemState::Unchanged, Some(reason)),
                Fate::Kept(Kept { reason, .. }) => (ItemState::Kept, Some(reason)),
                Fate::Repair(reason) | Fate::Unreadable(reason) => (ItemState::Unusable, Some(reason)),
                Fate::Cancelled => break,
            };
            let (place, name) = (order.place(), item.subject.clone());
            landing.items.push(ItemLanding { item: item.number, place, name, state, reason, note });
        }
        let mut sheets = self.desk.take();
        sheets.retain(|_, sheet| sheet.before.as_ref() != Some(&sheet.after));
        landing.edits = sheets.iter().map(|(path, sheet)| self.edit_of(path, sheet)).collect();
        Ok((landing, sheets))
    }

    /// The texts that a file's items were asked about, with their places in each.
    fn bases(&self, items: &[BatchItem]) -> Result<(Vec<Base>, Vec<Document>), Error> {
        let mut by_file: BTreeMap<i64, Vec<&BatchItem>> = BTreeMap::new();
        for item in items {
            by_file.entry(item.file).or_default().push(item);
        }
        let (mut bases, mut documents) = (Vec::new(), Vec::new());
        for (file, items) in by_file {
            let file: BatchFile = self.books.ledger.batch_file(file)?;
            let snapshot = snapshot_of(&file, &self.root)?;
            let mut document = Document::new(snapshot.uri.clone(), &file.language, 0, &file.text);
            let track = |item: &&BatchItem| (item.number, document.track(within(&item.selection, &snapshot)));
            let tracks = items.iter().map(track).collect();
            let parsed = Arc::new(ParsedAhead::new(snapshot.language, file.text.to_string()));
            parsed.parse();
            bases.push(Base { snapshot, parsed, tracks });
            documents.push(document);
        }
        Ok((bases, documents))
    }

    fn edit_of(&self, path: &Path, sheet: &Sheet) -> FileEdit {
        let before = sheet.before.as_deref().unwrap_or_default();
        FileEdit::new(relative(path, &self.root), before, sheet.after.clone())
    }

    /// Writes what was fitted, and that it was.
    fn write_down(&self, landing: &FileLanding, sheets: &BTreeMap<PathBuf, Sheet>) -> Result<(), Error> {
        let (ledger, id) = (&self.books.ledger, &self.batch.id);
        let is_applied = |item: &&ItemLanding| item.state == ItemState::Applied;
        if !sheets.is_empty() {
            let applied: Vec<u32> = landing.items.iter().filter(is_applied).map(|item| item.item).collect();
            let hash = |(path, sheet): (&PathBuf, &Sheet)| (relative(path, &self.root), sha256(&sheet.after));
            let hashes: Vec<(String, String)> = sheets.iter().map(hash).collect();
            ledger.begin_landing(id, &applied, &serde_json::to_string(&hashes).unwrap_or_default())?;
            // What nobody will remember is not written.
            self.books.check_ledger()?;
            if let Err(error) = self.write_files(sheets) {
                let back: Vec<_> = applied.iter().map(|number| (*number, ItemState::Answered, None)).collect();
                ledger.move_items(id, &back)?;
                return Err(error);
            }
        }
        let moved = landing.items.iter().map(|item| (item.item, item.state, item.reason.clone()));
        ledger.move_items(id, &moved.collect::<Vec<_>>())
    }

    fn write_files(&self, sheets: &BTreeMap<PathBuf, Sheet>) -> Result<(), Error> {
        for (path, sheet) in sheets {
            match &sheet.before {
                Some(before) => replace_file(path, before, &sheet.after)?,
                None => create_file(path, &self.root, &sheet.after)?,
            }
        }
        Ok(())
    }

    /// Nothing of a file's answers landed, for one reason.
    fn all_kept(&self, path: &str, items: &[BatchItem], error: &Error) -> Result<FileLanding, Error> {
        let mut landing = FileLanding { path: path.to_owned(), ..FileLanding::default() };
        for item in items {
            let file = self.books.ledger.batch_file(item.file)?;
            let order = self.order(item, &snapshot_of(&file, &self.root)?);
            landing.items.push(ItemLanding {
                item: item.number,
                place: order.place(),
                name: item.subject.clone(),
                state: ItemState::Kept,
                reason: Some(error.sentence()),
                note: None,
            });
        }
        if self.write {
            let moved: Vec<_> = landing.items.iter().map(|item| (item.item, item.state, item.reason.clone())).collect();
            self.books.ledger.move_items(&self.batch.id, &moved)?;
        }
        Ok(landing)
    }

    /// What was said, so that a conversation can go on from it. What was sent is not kept, so it is planned again on the text
    /// that was asked about.
    fn conversation(&self, order: &Order, explanation: &Explanation) -> String {
        let model = order.settings.model_data(&order.model);
        let scale = self.books.estimates.scale(&model.id);
        let Ok(plan) = plan(&Mutex::default(), scale, order, &Disk, &model) else { return "[]".to_owned() };
        let mut messages = plan.request.messages;
        messages.push(Message { role: Role::Assistant, content: vec![ContentBlock::text(&*explanation.markdown)] });
        serde_json::to_string(&messages).unwrap_or_else(|_| "[]".to_owned())
    }

    /// Explanations are there to be read, and with `write` for every hover over what they explain.
    fn explain(&self, path: &str, items: Vec<BatchItem>) -> Result<FileLanding, Error> {
        let mut landing = FileLanding { path: path.to_owned(), ..FileLanding::default() };
        for item in items {
            let file = self.books.ledger.batch_file(item.file)?;
            let order = self.order(&item, &snapshot_of(&file, &self.root)?);
            let markdown = self.answer(&item)?;
            let explanation = Explanation {
                id: order.job.clone(),
                action: order.title(),
                subject: String::new(),
                place: order.place(),
                markdown,
                model: self.batch.model.clone(),
                usage: String::new(),
                simulated: self.batch.simulated,
                ..Explanation::default()
            };
            if self.write {
                let stored = StoredExplanation {
                    messages: self.conversation(&order, &explanation),
                    ..stored(&order, &explanation)
                };
                self.books.ledger.save(&stored)?;
                self.books
                    .ledger
                    .move_items(&self.batch.id, &[(item.number, ItemState::Applied, item.reason.clone())])?;
            }
            landing.items.push(ItemLanding {
                item: item.number,
                place: order.place(),
                name: item.subject.clone(),
                state: ItemState::Applied,
                reason: item.reason.clone(),
                note: None,
            });
            landing.explanations.push(explanation);
        }
        Ok(landing)
    }
}

/// An explanation as hovers find it.
fn stored(order: &Order, explanation: &Explanation) -> StoredExplanation {
    let (first, last) = order.lines();
    let line = |line: usize| u32::try_from(line - 1).unwrap_or(u32::MAX);
    StoredExplanation {
        id: explanation.id.clone(),
        job: order.job.clone(),
        action: order.action.id.to_string(),
        uri: order.snapshot.uri.to_string(),
        path: Some(order.shown_path()),
        language: order.snapshot.language.id.to_owned(),
        title: explanation.title(),
        code: order.selected(),
        code_start_line: line(first),
        code_end_line: line(last),
        markdown: explanation.markdown.clone(),
        thoughts: String::new(),
        messages: "[]".to_owned(),
        model: explanation.model.clone(),
        // The whole batch is paid together.
        tokens: Tokens::default(),
        cost_usd: None,
        created: jiff::Timestamp::now(),
        simulated: explanation.simulated,
    }
}

/// A stored selection, which a damaged file may have put anywhere.
fn within(selection: &Span, snapshot: &Snapshot) -> Span {
    let end = selection.end.min(snapshot.text.len_bytes());
    selection.start.min(end)..end
}
