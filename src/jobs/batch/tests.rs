mod collecting;
mod landing;
mod retrying;
mod submitting;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::super::connection::Connections;
use super::submit::{custom_id, parse_id, submit_within};
use super::*;
use crate::actions;
use crate::claude::batches::LARGEST_BATCH;
use crate::claude::usage::{Tokens, cost_at};
use crate::config::Environment;
use crate::ledger::batches::{BatchPart, ItemState, PartState};
use crate::simulator::{Running, Scenario, Simulator, SimulatorOptions};

/// A workspace, a ledger, and an API.
struct Bench {
    folder: TempDir,
    books: Books,
    connections: Connections,
    api: Running,
}

/// Three functions without a word of documentation.
const TEXT: &str =
    "def one(price):\n    return price\n\n\ndef two(name):\n    return name\n\n\ndef three(items):\n    return items\n";

impl Bench {
    fn new(scenario: &str) -> Self {
        let scenario = Some(Scenario::from_toml(scenario).unwrap());
        let api = Simulator::start(SimulatorOptions { scenario, ..SimulatorOptions::default() }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("w/.git")).unwrap();
        let mut settings = Settings::default();
        settings.api.base_url = api.url();
        settings.api.max_retries = 0;
        settings.api.first_event_timeout = Duration::from_secs(5);
        settings.api.idle_timeout = Duration::from_secs(5);
        let books = Books {
            ledger: Ledger::lazy(folder.path().join("usage.sqlite3")),
            settings: Arc::new(settings),
            estimates: Arc::default(),
            budgets: Arc::new(Budgets::new(folder.path().join("config.toml"))),
            gate: Gate::new(folder.path().join("data")),
        };
        let connections = Connections::new(Environment::from_pairs([("ANTHROPIC_API_KEY", "sk-ant-test")]), None);
        Self { folder, books, connections, api }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("w")
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    fn asked(&self, action: &str, items: Items) -> Asked {
        let action = actions::find(action).unwrap().clone();
        Asked { action, items, prompt: None, root: self.root(), simulated: false }
    }

    fn draft(&self, action: &str, items: Items, files: &[PathBuf]) -> Draft {
        Draft::new(&self.books, self.asked(action, items), files, Vec::new(), &mut |_, _| {}).unwrap()
    }

    async fn connection(&self) -> Arc<Connection> {
        self.connections.get(&self.books.settings).await.unwrap()
    }

    /// Documents three functions of one file, up to the answers.
    async fn answered(&self) -> StoredBatch {
        let draft = self.draft("document", Items::Functions, &[self.write("a.py", TEXT)]);
        self.send(&draft).await
    }

    /// What of a batch of documented functions can be asked for again.
    async fn retried(&self, batch: &StoredBatch, kept: bool) -> (Vec<Target>, Vec<LeftOut>) {
        let alone = alone(&self.books, &mut || {}).await;
        retried(&self.books, batch, kept, &alone).await.unwrap()
    }

    async fn again(&self, batch: &StoredBatch, kept: bool) -> Draft {
        let (targets, left_out) = self.retried(batch, kept).await;
        let asked = self.asked("document", Items::Functions);
        Draft::again(&self.books, batch, asked, targets, left_out, &mut |_, _| {}).unwrap()
    }

    /// Sends a draft and waits for its answers.
    async fn send(&self, draft: &Draft) -> StoredBatch {
        let connection = self.connection().await;
        let submitted = submit(&self.books, &connection, draft).await.unwrap();
        assert_eq!((submitted.accepted, submitted.error), (draft.items() as u64, None));
        wait(&self.books, &connection, &submitted.batch, &mut |_| {}).await.unwrap();
        submitted.batch
    }

    async fn land(&self, batch: &StoredBatch, write: bool) -> (Landed, Vec<FileLanding>) {
        let mut files = Vec::new();
        let cancel = CancellationToken::new();
        let write = if write { Some(alone(&self.books, &mut || {}).await) } else { None };
        let mut each = |file| {
            files.push(file);
            Ok(())
        };
        let landed = land(&self.books, batch, write.as_ref(), &cancel, &mut each).await.unwrap();
        (landed, files)
    }

    fn counts(&self, batch: &StoredBatch) -> BTreeMap<ItemState, u64> {
        self.books.ledger.batch_counts(&batch.id).unwrap()
    }

    fn part(&self, batch: &StoredBatch) -> BatchPart {
        self.books.ledger.batch_parts(&batch.id).unwrap().remove(0)
    }

    /// The simulator's own account against ours: the same tokens, each at half the price.
    fn check_bill(&self, batch: &StoredBatch) {
        let rows = self.api.account().requests;
        assert!(rows.iter().all(|row| row.batch), "{rows:?}");
        let tokens = |row: &crate::simulator::AccountRow| Tokens {
            input: row.input_tokens,
            cache_read: row.cache_read_tokens,
            cache_write_5m: row.cache_write_5m_tokens,
            cache_write_1h: row.cache_write_1h_tokens,
            output: row.output_tokens,
            thinking: row.thinking_tokens,
        };
        let theirs: Tokens = rows.iter().map(tokens).sum();
        let ours = self.books.ledger.batch_totals(&batch.id).unwrap();
        assert_eq!(ours.tokens, theirs);
        let model = self.books.settings.model_data(&batch.model);
        let usd: f64 = rows
            .iter()
            .map(tokens)
            .filter_map(|tokens| Some(cost_at(&model.prices_for(tokens.total_input())?, &tokens, true).usd))
            .sum();
        assert!((ours.known_cost_usd - usd).abs() < 1e-9, "{ours:?} {usd}");
    }
}

fn edited(text: &str) -> bool {
    text.matches("\"\"\"").count() == 6
}

#[test]
fn batches_are_named_by_the_beginning_of_their_ids() {
    let ledger = Ledger::in_memory();
    assert!(named(&ledger, "last").unwrap_err().message.contains("no batch yet"));
    for (id, created) in
        [("b12", "2026-11-23T10:00:00Z"), ("b123", "2026-11-23T11:00:00Z"), ("b2", "2026-11-23T09:00:00Z")]
    {
        let batch = StoredBatch {
            id: id.to_owned(),
            action: "document".to_owned(),
            items: "files".to_owned(),
            model: "m".to_owned(),
            root: "/w".to_owned(),
            prompt: None,
            account: String::new(),
            host: String::new(),
            created: created.parse().unwrap(),
            estimated_usd: None,
            simulated: false,
        };
        ledger.add_batch(&batch, &crate::ledger::batches::Intent::default()).unwrap();
    }
    for (name, expected) in [("last", "b123"), ("b2", "b2"), ("b123", "b123"), ("b12", "b12")] {
        assert_eq!(named(&ledger, name).map(|batch| batch.id).as_deref(), Ok(expected), "{name}");
    }
    for (name, word) in [("b1", "More than one"), ("x", "no batch `x`"), ("", "no batch")] {
        assert!(named(&ledger, name).unwrap_err().message.contains(word), "{name}");
    }
}

proptest! {
    #[test]
    fn an_id_is_read_as_it_was_written(item in 0_u32..200_000, turn in 1_u32..50, other in "[a-z0-9-]{0,12}") {
        let id = custom_id("b0123456789", item, turn);
        prop_assert!(id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        prop_assert_eq!(parse_id("b0123456789", &id), Some((item, turn)));
        prop_assert_eq!(parse_id("b9", &id), None);
        let _ = parse_id("b", &other);
    }
}
