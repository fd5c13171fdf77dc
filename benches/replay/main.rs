//! What sessions of 200 actions cost in each layout of the cache: `cargo bench --bench replay`.
//!
//! The sessions are made from consecutive released versions of packages, which `scripts/fetch-histories` loads into
//! `target/histories`. Prices and bookkeeping are the simulator's. Behind `--`: `MODEL` takes another model, `--only KIND` one
//! kind of session, and `--seeds N` so many sessions a kind.

#![expect(clippy::expect_used, reason = "the ground must be as it is")]
#![expect(clippy::print_stdout, reason = "that is what it is for")]
#![expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]

mod bound;
mod drive;
mod sessions;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use aside::config::Settings;
use drive::{Bill, Layout, replay};
use sessions::{History, KINDS, Kind};

const LAYOUTS: [Layout; 4] = [Layout::Off, Layout::SystemOnly, Layout::Plain, Layout::Snapshot];

/// Sessions of each kind, where no other number is asked for: one in each of the packages.
const SEEDS: u64 = 8;

/// Actions of each session.
const ACTIONS: usize = 200;

/// What is asked for.
struct Wishes {
    model: String,
    only: Option<String>,
    seeds: u64,
}

impl Wishes {
    fn read(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut wishes = Self { model: "claude-sonnet-5-5".to_owned(), only: None, seeds: SEEDS };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--only" => wishes.only = arguments.next(),
                "--seeds" => {
                    wishes.seeds = arguments.next().and_then(|number| number.parse().ok()).expect("--seeds NUMBER");
                }
                // Cargo's own.
                other if other.starts_with('-') => {}
                _ => wishes.model = argument,
            }
        }
        wishes
    }
}

fn main() {
    let wishes = Wishes::read(std::env::args().skip(1));
    let settings = drive::settings(&wishes.model);
    let histories = histories();
    let files: usize = histories.values().map(Vec::len).sum();
    let seeds = wishes.seeds;
    println!(
        "{} packages, {files} files, {ACTIONS} actions a session, {seeds} sessions a kind, {}",
        histories.len(),
        settings.model
    );
    println!("{:15} {:12} {:>9} {:>7} {:>9} {:>9}", "session", "layout", "input $", "hits", "written", "behind");
    let mut all = Vec::new();
    for kind in KINDS {
        if wishes.only.as_ref().is_some_and(|only| *only != format!("{kind:?}")) {
            continue;
        }
        let mut bills = [Bill::default(); LAYOUTS.len()];
        let mut bound = 0.0;
        let mut worst: f64 = 0.0;
        for outcome in outcomes(seeds, |seed| Outcome::of(kind, seed, &histories, &settings)) {
            worst = worst.max(outcome.worst);
            for (sum, bill) in bills.iter_mut().zip(outcome.bills) {
                sum.tokens += bill.tokens;
                sum.usd += bill.usd;
            }
            bound += outcome.bound;
        }
        for (layout, bill) in LAYOUTS.iter().zip(&bills) {
            let per_action = bill.tokens.input as f64 / (seeds as f64 * ACTIONS as f64);
            println!(
                "{:15} {:12} {:>9.4} {:>6.1}% {:>9} {:>9.0}",
                format!("{kind:?}"),
                format!("{layout:?}"),
                bill.usd,
                100.0 * bill.tokens.cache_hit_rate().unwrap_or_default(),
                bill.tokens.cache_write(),
                per_action
            );
        }
        println!("{:15} {:12} {bound:>9.4}", format!("{kind:?}"), "bound");
        all.push((kind, bills, bound, worst));
    }
    println!(
        "\n{:15} {:>8} {:>8} {:>8} {:>12} {:>14}",
        "snapshot to", "bound", "plain", "off", "worst to off", "bound to plain"
    );
    for (kind, bills, bound, worst) in all {
        let [off, _, plain, snapshot] = bills.map(|bill| bill.usd);
        println!(
            "{:15} {:>8.3} {:>8.3} {:>8.3} {worst:>12.3} {:>14.3}",
            format!("{kind:?}"),
            snapshot / bound,
            snapshot / plain,
            snapshot / off,
            bound / plain
        );
    }
}

/// What a session came to.
struct Outcome {
    /// In the order of the layouts.
    bills: [Bill; LAYOUTS.len()],
    /// Nobody can go below it who knows the future, in dollars.
    bound: f64,
    /// The snapshot's cost by that of `off`, when it was highest.
    worst: f64,
}

impl Outcome {
    fn of(kind: Kind, seed: u64, histories: &BTreeMap<String, Vec<History>>, settings: &Settings) -> Self {
        let session = sessions::session(kind, &chosen(histories, kind, seed), seed, ACTIONS);
        let steps = LAYOUTS.map(|layout| replay(&session, layout, settings));
        // Sessions of twenty actions and more are held to it, so any of them may end anywhere.
        let ratios = steps[0].iter().zip(&steps[3]).skip(19).map(|(off, snapshot)| snapshot.usd / off.usd);
        let worst = ratios.fold(0.0, f64::max);
        let bills = steps.map(|steps| steps.last().copied().unwrap_or_default());
        Self { bills, bound: bound::bound(&session, settings), worst }
    }
}

/// What so many sessions came to, in their order, on all cores.
fn outcomes(seeds: u64, of: impl Fn(u64) -> Outcome + Sync) -> Vec<Outcome> {
    let next = AtomicU64::new(0);
    let work = || std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds));
    let mut all: Vec<_> = std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let worker = || work().map(|seed| (seed, of(seed))).collect::<Vec<_>>();
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("it ends well")).collect()
    });
    all.sort_by_key(|(seed, _)| *seed);
    all.into_iter().map(|(_, outcome)| outcome).collect()
}

/// The files of a session: of one package, or of all where each action is on another file.
fn chosen(histories: &BTreeMap<String, Vec<History>>, kind: Kind, seed: u64) -> Vec<History> {
    if matches!(kind, Kind::OneActionAFile | Kind::JustTooLate) {
        return histories.values().flatten().cloned().collect();
    }
    let at = usize::try_from(seed).unwrap_or(0) * 3 + kind as usize;
    histories.values().nth(at % histories.len()).cloned().unwrap_or_default()
}

/// The histories of each package.
fn histories() -> BTreeMap<String, Vec<History>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let status = Command::new(root.join("scripts/fetch-histories")).status().expect("the script runs");
    assert!(status.success(), "the packages could not be loaded");
    let mut histories = BTreeMap::new();
    for package in entries(&root.join("target/histories")) {
        let mut versions = entries(&package);
        versions.sort_by_key(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.split('.').map(|part| part.parse::<u32>().unwrap_or(0)).collect::<Vec<_>>()
        });
        let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (number, version) in versions.iter().enumerate() {
            for path in sources(version) {
                let Ok(text) = std::fs::read_to_string(&path) else { continue };
                let name = path.strip_prefix(version).expect("below it").to_string_lossy().replace('\\', "/");
                let texts = files.entry(name).or_default();
                // A file that was away, or came later, has the history from there on.
                if texts.len() == number || texts.is_empty() {
                    texts.push(text);
                }
            }
        }
        let name = package.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let histories_of = files
            .into_iter()
            .filter(|(_, texts)| texts.iter().all(|text| (500..200_000).contains(&text.len())))
            .map(|(path, versions)| History { path, versions })
            .collect();
        histories.insert(name, histories_of);
    }
    histories
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(folder).expect("a folder");
    let mut entries: Vec<PathBuf> = read.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    entries.sort();
    entries
}

/// Python and JavaScript that somebody wrote.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && !name.ends_with("-info") && name != "dist" {
                    folders.push(path);
                }
            } else if [".py", ".js", ".ts"].iter().any(|end| name.ends_with(end)) && !name.ends_with(".min.js") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
