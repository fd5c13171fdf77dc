//! How far estimates are off, learned from what answers report.
//!
//! A tokenizer is not known from outside, and gateways put others behind the same names. So for each model the last few
//! ratios of what was reported to what was estimated are kept, and their median corrects the next estimate. A median,
//! because one odd answer (a gateway that adds a prompt of its own, a count that leaves the cache out) says nothing; kept
//! on disk, because `aside act` is a process of its own every time.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// A correction of estimates, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(u32);

impl Default for Scale {
    fn default() -> Self {
        Self(1000)
    }
}

impl Scale {
    /// The estimate as experience corrects it.
    pub fn of(self, tokens: u64) -> u64 {
        tokens.saturating_mul(u64::from(self.0)).saturating_add(500) / 1000
    }

    /// About the estimate that a corrected one was made of.
    pub fn undone(self, tokens: u64) -> u64 {
        tokens.saturating_mul(1000) / u64::from(self.0.max(1))
    }
}

/// The last ratios of each model, in thousandths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Calibration {
    models: BTreeMap<String, VecDeque<u32>>,
}

/// So many ratios are kept of each model.
const KEPT: usize = 15;

/// With fewer nothing is corrected: the first answers of a day should not be laid out in three ways.
const NEEDED: usize = 3;

/// Smaller prompts are mostly what stands around them.
const LEAST_TOKENS: u64 = 500;

/// Further off is not the tokenizer's doing.
const BOUNDS: std::ops::RangeInclusive<u64> = 400..=2500;

/// Corrections go by steps, so that the same prompt is estimated the same for a while.
const STEP: u32 = 20;

/// So many models are remembered.
const MAX_MODELS: usize = 50;

impl Calibration {
    /// An answer reported so many tokens of input, where an uncorrected estimate said `estimated`.
    pub fn observe(&mut self, model: &str, estimated: u64, reported: u64) {
        if estimated < LEAST_TOKENS {
            return;
        }
        let ratio = reported.saturating_mul(1000) / estimated;
        if !BOUNDS.contains(&ratio) || (self.models.len() >= MAX_MODELS && !self.models.contains_key(model)) {
            return;
        }
        let ratios = self.models.entry(model.to_owned()).or_default();
        ratios.extend(u32::try_from(ratio).ok());
        while ratios.len() > KEPT {
            ratios.pop_front();
        }
    }

    /// How estimates for a model are to be corrected.
    pub fn scale(&self, model: &str) -> Scale {
        let Some(ratios) = self.models.get(model).filter(|ratios| ratios.len() >= NEEDED) else {
            return Scale::default();
        };
        let mut sorted: Vec<u32> = ratios.iter().copied().collect();
        sorted.sort_unstable();
        let median = sorted[sorted.len() / 2];
        Scale(((median + STEP / 2) / STEP * STEP).max(STEP))
    }
}

/// What is known of estimates, shared by all runs of a process, and with later processes by way of a file.
#[derive(Debug, Default)]
pub struct Estimates {
    /// Nowhere when `None`.
    file: Option<PathBuf>,
    known: Mutex<Option<Calibration>>,
}

impl Estimates {
    /// Kept in this file, which is read at the first need. One that cannot be read counts as empty: what it knew is learned
    /// again within a few answers.
    pub fn kept_in(file: PathBuf) -> Self {
        Self { file: Some(file), known: Mutex::default() }
    }

    /// How estimates for a model are to be corrected.
    pub fn scale(&self, model: &str) -> Scale {
        self.with(|calibration| calibration.scale(model))
    }

    /// An answer reported so many tokens where an uncorrected estimate said `estimated`. Writes a small file.
    pub fn observe(&self, model: &str, estimated: u64, reported: u64) {
        let known = self.with(|calibration| {
            calibration.observe(model, estimated, reported);
            calibration.clone()
        });
        if let Some(file) = &self.file
            && let Err(error) = write(file, &known)
        {
            tracing::debug!("what is known of estimates could not be kept: {error}");
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Calibration) -> T) -> T {
        let mut known: MutexGuard<'_, _> = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        act(known.get_or_insert_with(|| self.file.as_deref().map(read).unwrap_or_default()))
    }
}

fn read(file: &Path) -> Calibration {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut calibration: Calibration = serde_json::from_str(&text).unwrap_or_default();
    // A file can say anything.
    for ratios in calibration.models.values_mut() {
        ratios.retain(|ratio| BOUNDS.contains(&u64::from(*ratio)));
        ratios.truncate(KEPT);
    }
    calibration
}

/// Whole or not at all; of several processes the last one wins, and all of them know about the same.
fn write(file: &Path, calibration: &Calibration) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut new, calibration)?;
    new.flush()?;
    new.persist(file).map(|_| ()).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(ratios: &[f64]) -> u64 {
        let mut calibration = Calibration::default();
        for ratio in ratios {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]
            calibration.observe("m", 10_000, (ratio * 10_000.0).round() as u64);
        }
        calibration.scale("m").of(1000)
    }

    #[test]
    fn a_few_answers_correct_the_next_estimate_and_one_odd_answer_does_not() {
        assert_eq!(after(&[]), 1000);
        assert_eq!(after(&[1.2, 1.2]), 1000, "two answers are too few");
        assert_eq!(after(&[1.2, 1.2, 1.2]), 1200);
        assert_eq!(after(&[1.2, 1.21, 1.19, 2.4, 0.41]), 1200);
        assert_eq!(after(&[1.2, 1.2, 90.0, 0.0, 1.2]), 1200, "what no tokenizer does is left out");
        assert_eq!(after(&[0.8, 0.8, 0.8, 1.2, 1.2]), 800);
        let moved: Vec<f64> = [0.8].repeat(20).into_iter().chain([1.3].repeat(8)).collect();
        assert_eq!(after(&moved), 1300, "a change of tokenizer is followed");
    }

    #[test]
    fn models_are_apart_and_short_prompts_say_nothing() {
        let mut calibration = Calibration::default();
        for _ in 0..5 {
            calibration.observe("a", 1000, 1500);
            calibration.observe("b", 100, 300);
        }
        assert_eq!(calibration.scale("a").of(100), 150);
        assert_eq!(calibration.scale("b"), Scale::default());
        assert_eq!(calibration.scale("c"), Scale::default());
    }

    #[test]
    fn later_processes_know_it_and_a_damaged_file_is_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("not/yet/estimates.json");
        let estimates = Estimates::kept_in(file.clone());
        (0..3).for_each(|_| estimates.observe("m", 1000, 1300));
        assert_eq!(Estimates::kept_in(file.clone()).scale("m").of(100), 130);
        for damaged in ["", "{", "[]", "{\"m\": [0, 0, 0, 4294967295]}", "\u{0}"] {
            std::fs::write(&file, damaged).unwrap();
            let estimates = Estimates::kept_in(file.clone());
            assert_eq!(estimates.scale("m"), Scale::default(), "{damaged:?}");
            (0..3).for_each(|_| estimates.observe("m", 1000, 1300));
            assert_eq!(Estimates::kept_in(file.clone()).scale("m").of(100), 130, "{damaged:?}");
        }
        let nowhere = Estimates::default();
        (0..3).for_each(|_| nowhere.observe("m", 1000, 1300));
        assert_eq!(nowhere.scale("m").of(100), 130);
    }

    proptest! {
        #[test]
        fn a_correction_is_within_its_bounds_and_keeps_the_order(
            seen in prop::collection::vec((0_u64..1 << 40, 0_u64..1 << 40), 0..40), a in 0_u64..1 << 40, b in 0_u64..1 << 40
        ) {
            let mut calibration = Calibration::default();
            for (estimated, reported) in seen {
                calibration.observe("m", estimated, reported);
            }
            let scale = calibration.scale("m");
            prop_assert!(scale.of(1000) >= *BOUNDS.start() && scale.of(1000) <= *BOUNDS.end() + u64::from(STEP));
            prop_assert!(scale.of(a.min(b)) <= scale.of(a.max(b)));
        }
    }
}
