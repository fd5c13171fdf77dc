//! The requests for the items of files, several files at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use super::super::edit::place_for_tests;
use super::super::money::tokens_behind;
use super::super::order::Order;
use super::super::outgoing::{Gate, Withheld};
use super::super::run::plan_for;
use super::desk::Disk;
use super::draft::Asked;
use super::files::LeftOut;
use super::layout::Shape;
use super::target::{Faulty, Target, TargetItem};
use crate::actions::ResultForm;
use crate::claude::models::Model;
use crate::config::{CacheLayout, Settings};
use crate::error::{Error, ErrorKind};
use crate::ledger::batches::BatchFile;
use crate::prompt::{Planner, Scale, estimate_tokens, repair};
use crate::workspace::documents::Snapshot;
use crate::workspace::roots::relative;

/// A request with what is to be known of it until it is sent.
pub(super) struct Planned {
    pub(super) item: TargetItem,
    pub(super) request: Vec<u8>,
    pub(super) shape: Shape,
    pub(super) estimated: u64,
    pub(super) likely_output: u64,
    pub(super) withheld: Withheld,
}

/// What became of one file.
pub(super) struct PlannedFile {
    pub(super) file: BatchFile,
    pub(super) planned: Vec<Planned>,
    pub(super) left_out: Vec<LeftOut>,
}

/// Plans the items of files, several files at once.
pub(super) struct PlannerOf<'a> {
    pub(super) asked: &'a Asked,
    pub(super) settings: &'a Arc<Settings>,
    pub(super) model: &'a str,
    pub(super) price: &'a Model,
    pub(super) scale: Scale,
    pub(super) gate: &'a Gate,
}

impl PlannerOf<'_> {
    /// Plans all files and hands them to `take` in their order, until it says that it has enough.
    pub(super) fn all(&self, targets: Vec<Target>, take: &mut dyn FnMut(usize, PlannedFile) -> bool) {
        let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(targets.len()).max(1);
        let next = AtomicUsize::new(0);
        let waiting: Vec<Mutex<Option<Target>>> = targets.into_iter().map(|target| Mutex::new(Some(target))).collect();
        // The caching of single actions has no say here, so that all plans of a file have the same beginning.
        let mut settings = Settings::clone(self.settings);
        settings.cache.layout = CacheLayout::Off;
        let settings = Arc::new(settings);
        std::thread::scope(|scope| {
            // Few, so that files that are planned do not pile up before they are written.
            let (send, receive) = mpsc::sync_channel(2 * workers);
            for _ in 0..workers {
                let (send, next, waiting, settings) = (send.clone(), &next, &waiting, settings.clone());
                scope.spawn(move || {
                    let planner = Mutex::new(Planner::new());
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(target) = waiting.get(index) else { return };
                        let target = target.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
                        let Some(target) = target else { return };
                        if send.send((index, self.file(&planner, &settings, target))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(send);
            let mut early = BTreeMap::new();
            let mut due = 0;
            for (index, planned) in receive {
                early.insert(index, planned);
                while let Some(planned) = early.remove(&due) {
                    if !take(due, planned) {
                        return;
                    }
                    due += 1;
                }
            }
        });
    }

    fn file(&self, planner: &Mutex<Planner>, settings: &Arc<Settings>, target: Target) -> PlannedFile {
        let Target { snapshot, items } = target;
        let path = snapshot.path.as_deref().map_or_else(|| snapshot.name(), |path| relative(path, &self.asked.root));
        let text: Arc<str> = snapshot.text.to_string().into();
        let file = BatchFile { id: 0, path: path.clone(), language: snapshot.language.id.to_owned(), text };
        let mut done = PlannedFile { file, planned: Vec::new(), left_out: Vec::new() };
        for item in items {
            let subject = item.subject.clone();
            match self.item(planner, settings, &snapshot, item) {
                Ok(one) => done.planned.push(one),
                Err(error) => {
                    done.left_out.push(LeftOut { path: path.clone(), item: subject, reason: error.sentence() });
                }
            }
        }
        done
    }

    fn item(
        &self,
        planner: &Mutex<Planner>,
        settings: &Arc<Settings>,
        snapshot: &Snapshot,
        item: TargetItem,
    ) -> Result<Planned, Error> {
        let asked = self.asked;
        let order = Order {
            job: String::new(),
            action: asked.action.clone(),
            snapshot: snapshot.clone(),
            selection: item.selection.clone(),
            subject: item.subject.clone(),
            root: Some(asked.root.clone()),
            diagnostics: Vec::new(),
            prompt: asked.prompt.clone(),
            model: self.model.to_owned(),
            settings: settings.clone(),
            simulated: asked.simulated,
        };
        let place = match asked.action.result {
            ResultForm::Tests => Some(place_for_tests(&order)?),
            _ => None,
        };
        let mut plan = plan_for(planner, self.scale, &order, &Disk, self.price, place.as_ref())?;
        plan.request.stream = false;
        let shape = Shape::new(&plan);
        let mut beyond = 0;
        if let Some(Faulty { answer, complaint }) = &item.faulty {
            let request = repair(&plan, answer, complaint);
            beyond = tokens_behind(&plan, &request, self.price);
            plan.request = request;
        }
        let sealed = self.gate.seal(&plan.request, settings.privacy.redact);
        let request = serde_json::to_vec(sealed.request())
            .map_err(|error| Error::new(ErrorKind::Internal, format!("The request has no JSON form: {error}.")))?;
        let selected = estimate_tokens(&order.selected(), self.price);
        Ok(Planned {
            shape: shape.with(beyond),
            estimated: plan.uncorrected_input_tokens + beyond,
            likely_output: likely_output(asked.action.result, selected),
            withheld: sealed.withheld().clone(),
            item,
            request,
        })
    }
}

/// About how many tokens an answer has, while nothing is known of earlier ones.
fn likely_output(form: ResultForm, selected: u64) -> u64 {
    match form {
        // The selection comes back, with something added.
        ResultForm::Edit => selected + selected / 2 + 100,
        _ => 800,
    }
}
