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
use std::path::{Path, PathBuf};
use std::process::Command;

use drive::{Bill, Layout, replay};
use sessions::{History, KINDS};

const LAYOUTS: [Layout; 4] = [Layout::Off, Layout::SystemOnly, Layout::Plain, Layout::Snapshot];

/// Sessions of each kind, where no other number is asked for.
const SEEDS: u64 = 3;

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
        for seed in 0..seeds {
            let files = chosen(&histories, kind, seed);
            let session = sessions::session(kind, &files, seed, ACTIONS);
            let steps = LAYOUTS.map(|layout| replay(&session, layout, &settings));
            // Sessions of twenty actions and more are held to it, so any of them may end anywhere.
            let ratios = steps[0].iter().zip(&steps[3]).skip(19).map(|(off, snapshot)| snapshot.usd / off.usd);
            worst = ratios.fold(worst, f64::max);
            let of_session = steps.map(|steps| steps.last().copied().unwrap_or_default());
            for (sum, bill) in bills.iter_mut().zip(of_session) {
                sum.tokens += bill.tokens;
                sum.usd += bill.usd;
            }
            bound += bound::bound(&session, &settings);
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

/// The files of a session: of one package, or of all where each action is on another file.
fn chosen(histories: &BTreeMap<String, Vec<History>>, kind: sessions::Kind, seed: u64) -> Vec<History> {
    use sessions::Kind::{JustTooLate, OneActionAFile};
    if matches!(kind, OneActionAFile | JustTooLate) {
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
