//! A batch before it is sent: every request planned and written to a file, and what all of them are expected to cost.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::super::budget::SAMPLE;
use super::super::connection::Connection;
use super::super::order::new_job_id;
use super::super::outgoing::Withheld;
use super::Books;
use super::files::LeftOut;
use super::items::Items;
use super::layout::{Layout, Shape, live_cost};
use super::planning::{PlannedFile, PlannerOf};
use super::target::{Target, TargetItem};
use crate::actions::Action;
use crate::claude::models::Model;
use crate::claude::types::MessageRequest;
use crate::claude::usage::cost;
use crate::config::Settings;
use crate::error::{Error, ErrorKind};
use crate::hash::sha256;
use crate::ledger::batches::{BatchFile, StoredBatch};
use crate::workspace::Span;
use crate::workspace::roots::relative;

/// With fewer answers than this an action's usual output is not known.
const FEW_ANSWERS: usize = 5;

/// So many requests are counted by the API to correct the estimate.
const COUNTED: usize = 5;

/// What is asked of every item.
#[derive(Clone)]
pub struct Asked {
    /// The action.
    pub action: Arc<Action>,
    /// What an item is.
    pub items: Items,
    /// The user's own words.
    pub prompt: Option<String>,
    /// The folder that paths are relative to.
    pub root: PathBuf,
    /// Whether the simulator answers.
    pub simulated: bool,
}

/// A batch before it is sent.
pub struct Draft {
    /// Its id; for items that are asked for again, that of their batch.
    pub id: String,
    /// What is asked.
    pub asked: Asked,
    /// The model's id.
    pub model: String,
    /// What is not asked about, and why.
    pub left_out: Vec<LeftOut>,
    /// The secrets that are kept back.
    pub withheld: Withheld,
    pub(super) again: bool,
    pub(super) files: Vec<BatchFile>,
    pub(super) entries: Vec<Entry>,
    pub(super) layout: Layout,
    settings: Arc<Settings>,
    price: Model,
    shapes: Vec<Shape>,
    spool: File,
    /// How far the estimate is off, as far as was counted.
    correction: f64,
    output: u64,
}

/// One request of a draft.
pub(super) struct Entry {
    pub(super) number: u32,
    pub(super) turn: u32,
    pub(super) file: usize,
    pub(super) selection: Span,
    pub(super) subject: Option<String>,
    pub(super) estimated: u64,
    pub(super) repairs: bool,
}

/// What a batch is expected to take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Tokens of input, read from the cache or not.
    pub input_tokens: u64,
    /// Tokens of the answers.
    pub output_tokens: u64,
    /// Dollars; `null` where the model's price is not known.
    pub cost_usd: Option<f64>,
    /// Dollars that the same requests would cost one after the other, without a batch.
    pub live_cost_usd: Option<f64>,
}

impl Draft {
    /// Plans a new batch. `progress` is told how many of how many files are planned.
    ///
    /// # Errors
    /// When nothing is left to ask, or the disk has no room for what is to be sent.
    pub fn new(
        books: &Books,
        asked: Asked,
        files: &[PathBuf],
        left_out: Vec<LeftOut>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, Error> {
        let mut left_out = left_out;
        let (mut next, mut targets) = (0, Vec::new());
        for path in files {
            match Target::read(path, asked.items, &mut next) {
                Ok(target) => targets.push(target),
                Err(reason) => left_out.push(LeftOut::file(relative(path, &asked.root), reason)),
            }
        }
        let id = format!("b{}", &sha256(new_job_id())[..9]);
        Self::plan(books, id, asked, targets, left_out, progress)
    }

    /// Plans items of a batch that are asked for again.
    ///
    /// # Errors
    /// As for [`Draft::new`].
    pub fn again(
        books: &Books,
        batch: &StoredBatch,
        asked: Asked,
        targets: Vec<Target>,
        left_out: Vec<LeftOut>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, Error> {
        let mut draft = Self::plan(books, batch.id.clone(), asked, targets, left_out, progress)?;
        draft.again = true;
        Ok(draft)
    }

    fn plan(
        books: &Books,
        id: String,
        asked: Asked,
        targets: Vec<Target>,
        mut left_out: Vec<LeftOut>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, Error> {
        let model = books.settings.model_for(&asked.action.id).to_owned();
        let price = books.settings.model_data(&model).into_owned();
        let mut spool = BufWriter::new(tempfile::tempfile().map_err(|error| no_room(&error))?);
        let (mut files, mut entries, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
        let mut outputs = 0;
        let mut withheld = Withheld::default();
        let scale = books.estimates.scale(&price.id);
        let planner = PlannerOf {
            asked: &asked,
            settings: &books.settings,
            model: &model,
            price: &price,
            scale,
            gate: &books.gate,
        };
        let mut failed: Result<(), Error> = Ok(());
        let count = targets.len();
        planner.all(targets, &mut |index, planned: PlannedFile| {
            left_out.extend(planned.left_out);
            for one in planned.planned {
                let written = spool.write_all(&one.request).and_then(|()| spool.write_all(b"\n"));
                if let Err(error) = written {
                    failed = Err(no_room(&error));
                    return false;
                }
                let TargetItem { number, turn, selection, subject, faulty } = one.item;
                let (file, estimated, repairs) = (files.len(), one.estimated, faulty.is_some());
                entries.push(Entry { number, turn, file, selection, subject, estimated, repairs });
                shapes.push(one.shape);
                outputs += one.likely_output;
                withheld.extend(&one.withheld);
            }
            files.push(planned.file);
            progress(index + 1, count);
            true
        });
        failed?;
        if entries.is_empty() {
            let error = Error::new(ErrorKind::Config, "There is nothing to ask about.");
            return Err(match left_out.last() {
                Some(LeftOut { path, item: None, reason }) => {
                    error.hint(format!("{path} {}.", reason.trim_end_matches('.')))
                }
                Some(LeftOut { path, item: Some(item), reason }) => {
                    error.hint(format!("{item} of {path}: {}.", reason.trim_end_matches('.')))
                }
                None => error,
            });
        }
        let spool = spool.into_inner().map_err(|error| no_room(error.error()))?;
        let layout = Layout::new(&shapes, &price, &books.settings);
        let recent = books.ledger.recent_outputs(&asked.action.id, &model, SAMPLE)?;
        let output = match recent.len() {
            0..FEW_ANSWERS => outputs / entries.len() as u64,
            count => recent.iter().sum::<u64>() / count as u64,
        };
        let settings = books.settings.clone();
        let (correction, again) = (1.0, false);
        Ok(Self {
            id,
            asked,
            model,
            left_out,
            withheld,
            again,
            files,
            entries,
            layout,
            settings,
            price,
            shapes,
            spool,
            correction,
            output,
        })
    }

    /// How many items it has.
    pub fn items(&self) -> usize {
        self.entries.len()
    }

    /// How many of them the model is to mend: it is shown its last answer, and told what is wrong with that.
    pub fn repairs(&self) -> usize {
        self.entries.iter().filter(|entry| entry.repairs).count()
    }

    /// How many files.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// The model and its price.
    pub fn price(&self) -> &Model {
        &self.price
    }

    /// Has the API count some of the requests, which is free, and corrects the estimate by what it says. A server that
    /// cannot count leaves the estimate as it is.
    ///
    /// # Errors
    /// When the requests themselves are refused, as every line of the batch would be.
    pub async fn count(&mut self, connection: &Connection) -> Result<(), Error> {
        let step = self.entries.len().div_ceil(COUNTED).max(1);
        let (mut estimated, mut counted) = (0_u64, 0_u64);
        let mut samples = Vec::new();
        self.each(&mut |index, request| {
            if index % step == 0 {
                samples.push((self.shapes[index].tokens(), request));
            }
            Ok(())
        })?;
        for (tokens, request) in samples {
            match connection.client().count_tokens(&request).await {
                Ok(Some(count)) => (estimated, counted) = (estimated + tokens, counted + count),
                Ok(None) => return Ok(()),
                Err(error)
                    if matches!(error.kind, ErrorKind::Credentials | ErrorKind::Permission | ErrorKind::Config) =>
                {
                    return Err(error);
                }
                Err(error) => {
                    tracing::info!("the estimate stays as it is: {error}");
                    return Ok(());
                }
            }
        }
        if estimated > 0 {
            #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
            let correction = counted as f64 / estimated as f64;
            // Farther off is no count of tokens.
            self.correction = correction.clamp(0.25, 4.0);
        }
        Ok(())
    }

    /// What it is expected to take.
    pub fn estimate(&self) -> Estimate {
        let expected = |shape| self.layout.expected(shape, self.correction, self.output);
        let tokens = self.shapes.iter().map(expected);
        let usd = tokens.clone().map(|tokens| cost(&self.price, &tokens, true).map(|cost| cost.usd)).sum();
        let total: crate::claude::usage::Tokens = tokens.sum();
        Estimate {
            input_tokens: total.total_input(),
            output_tokens: total.output,
            cost_usd: usd,
            live_cost_usd: live_cost(&self.layout, &self.shapes, &self.price, self.correction, self.output),
        }
    }

    /// The settings it was planned with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Every request in its order, cut for the cache.
    pub(super) fn each(&self, take: &mut dyn FnMut(usize, MessageRequest) -> Result<(), Error>) -> Result<(), Error> {
        let mut file = self.spool.try_clone().map_err(|error| no_room(&error))?;
        file.rewind().map_err(|error| no_room(&error))?;
        for (index, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(|error| no_room(&error))?;
            let mut request: MessageRequest = serde_json::from_str(&line).map_err(|error| {
                Error::new(ErrorKind::Internal, format!("A request cannot be read again: {error}."))
            })?;
            self.layout.mark(&self.shapes[index], &mut request);
            take(index, request)?;
        }
        Ok(())
    }
}

fn no_room(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Config, format!("What is to be sent could not be written to a temporary file: {error}."))
        .hint("Make room in the folder for temporary files, or set TMPDIR to another one.")
}
