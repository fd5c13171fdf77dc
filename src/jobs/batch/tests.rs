use std::collections::BTreeMap;
use std::fs;

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
use std::time::Duration;

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

    fn draft(&self, action: &str, items: Items, files: &[PathBuf]) -> Draft {
        let asked = Asked {
            action: actions::find(action).unwrap().clone(),
            items,
            prompt: None,
            root: self.root(),
            simulated: false,
        };
        Draft::new(&self.books, asked, files, Vec::new(), &mut |_, _| {}).unwrap()
    }

    async fn connection(&self) -> Arc<Connection> {
        self.connections.get(&self.books.settings).await.unwrap()
    }

    /// Documents three functions of one file, up to the answers.
    async fn answered(&self) -> StoredBatch {
        let draft = self.draft("document", Items::Functions, &[self.write("a.py", TEXT)]);
        let connection = self.connection().await;
        let submitted = submit(&self.books, &connection, &draft).await.unwrap();
        assert_eq!((submitted.accepted, submitted.error), (3, None));
        wait(&self.books, &connection, &submitted.batch, &mut |_| {}).await.unwrap();
        submitted.batch
    }

    async fn land(&self, batch: &StoredBatch, write: bool) -> (Landed, Vec<FileLanding>) {
        let mut files = Vec::new();
        let cancel = CancellationToken::new();
        let mut each = |file| {
            files.push(file);
            Ok(())
        };
        let landed = land(&self.books, batch, write, &cancel, &mut each).await.unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn goes_out_in_as_many_batches_as_it_takes_and_comes_back_as_one() {
    let bench = Bench::new("");
    let files: Vec<PathBuf> = (0..4).map(|file| bench.write(&format!("{file}.py"), TEXT)).collect();
    let draft = bench.draft("document", Items::Functions, &files);
    let connection = bench.connection().await;
    let submitted = submit_within(&bench.books, &connection, &draft, 5, LARGEST_BATCH).await.unwrap();
    let batch = submitted.batch;
    let parts = bench.books.ledger.batch_parts(&batch.id).unwrap();
    assert_eq!(parts.iter().map(|part| part.requests).collect::<Vec<_>>(), [5, 5, 2]);
    let mut looks = 0;
    let refreshed = wait(&bench.books, &connection, &batch, &mut |_| looks += 1).await.unwrap();
    assert!(refreshed.settled && looks > 0 && refreshed.notes.is_empty(), "{refreshed:?}");
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Answered, 12)]));
    bench.check_bill(&batch);
    // Looking again takes nothing in again.
    let again = refresh(&bench.books, &connection, &batch).await.unwrap();
    assert_eq!(again, Refreshed { settled: true, ..Refreshed::default() });
    bench.check_bill(&batch);
    let (shown, _) = bench.land(&batch, false).await;
    assert_eq!((shown.applied, bench.read("0.py").as_str()), (12, TEXT), "only shown");
    let (landed, files) = bench.land(&batch, true).await;
    assert_eq!((landed.applied, files.len()), (12, 4));
    assert!((0..4).all(|file| edited(&bench.read(&format!("{file}.py")))));
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Applied, 12)]));
    assert_eq!(bench.land(&batch, true).await.0, Landed::default(), "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cache_reads_in_a_batch_is_what_was_marked() {
    let bench = Bench::new("");
    let functions = (0..12).map(|n| format!("def f{n}(a):\n    return a + {n}  # {}\n\n\n", "words ".repeat(60)));
    let text = functions.collect::<Vec<_>>().concat();
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", &text)]);
    let connection = bench.connection().await;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    let totals = bench.books.ledger.batch_totals(&batch.id).unwrap();
    // One after the other, as the simulator works, the first writes and eleven read.
    assert!(totals.tokens.cache_write_1h > 0 && totals.tokens.cache_write_5m == 0, "{totals:?}");
    assert_eq!(totals.tokens.cache_read, 11 * totals.tokens.cache_write_1h);
    // The estimate reckons that fewer of them do.
    let estimate = draft.estimate();
    assert!(estimate.cost_usd.unwrap() > totals.known_cost_usd && estimate.live_cost_usd.is_some(), "{estimate:?}");
    bench.check_bill(&batch);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_stay_here_and_are_in_the_answers_again() {
    let secret = format!("sk-ant-api03-{}", "Zq3vT9mK2x".repeat(9));
    let bench = Bench::new("");
    let text = format!("def key(name):\n    return {{\"name\": name, \"key\": \"{secret}\"}}\n");
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", &text)]);
    let connection = bench.connection().await;
    let mut sent = String::new();
    draft
        .each(&mut |_, request| {
            sent = serde_json::to_string(&request).unwrap();
            Ok(())
        })
        .unwrap();
    assert_eq!(draft.withheld.counts().map(|(_, count)| count).sum::<usize>(), 1);
    assert!(sent.contains("def key") && !sent.contains("Zq3vT9mK2x") && sent.contains("ASIDE_SECRET_"), "{sent}");
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    // Any other process knows what the placeholders stand for by the file that was asked about.
    assert_eq!(bench.land(&batch, true).await.0.applied, 1);
    let now = bench.read("a.py");
    assert!(now.contains(&secret) && now.contains("\"\"\"") && !now.contains("ASIDE_SECRET_"), "{now}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_counts_what_it_is_sent() {
    let bench = Bench::new("");
    let mut draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
    let guessed = draft.estimate().input_tokens;
    let connection = bench.connection().await;
    draft.count(&connection).await.unwrap();
    let counted = draft.estimate().input_tokens;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    let taken = bench.books.ledger.batch_totals(&batch.id).unwrap().tokens.total_input();
    assert!(
        counted.abs_diff(taken) <= guessed.abs_diff(taken) && counted.abs_diff(taken) < 5,
        "{guessed} {counted} {taken}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_acceptance_was_lost_is_found_and_not_sent_twice() {
    let bench = Bench::new("[[step]]\nmatch = { path = \"/v1/messages/batches\" }\ncut = {}\n");
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
    let connection = bench.connection().await;
    let submitted = submit(&bench.books, &connection, &draft).await.unwrap();
    assert_eq!((submitted.accepted, &submitted.error), (3, &None));
    wait(&bench.books, &connection, &submitted.batch, &mut |_| {}).await.unwrap();
    assert_eq!(bench.counts(&submitted.batch), BTreeMap::from([(ItemState::Answered, 3)]));
    assert!(bench.part(&submitted.batch).confirmed, "its results say whose they are");
    bench.check_bill(&submitted.batch);
    assert_eq!(connection.client().batches(10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_not_accepted_leaves_nothing() {
    for (step, word) in [("status = 500\n", "failed"), ("status = 401\n", "key")] {
        let bench = Bench::new(&format!("[[step]]\nmatch = {{ path = \"/v1/messages/batches\" }}\n{step}"));
        let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
        let error = submit(&bench.books, &*bench.connection().await, &draft).await.unwrap_err();
        assert!(error.message.contains(word), "{error}");
        assert_eq!(bench.books.ledger.batches().unwrap(), []);
    }
}

/// Leaves a batch as a process does that is killed at a moment, and says how it is found.
async fn killed(bench: &Bench, at: PartState, until: SignedDuration) -> (StoredBatch, Result<Refreshed, Error>) {
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
    let connection = bench.connection().await;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    let mut part = bench.part(&batch);
    part.state = at;
    part.api_id = None;
    part.confirmed = false;
    part.sending_until = Some(Timestamp::now() + until);
    if at == PartState::Intended {
        part.sent = None;
        bench.books.ledger.set_part_items(&batch.id, 0, ItemState::Unsent, None).unwrap();
    }
    bench.books.ledger.set_part(&batch.id, &part).unwrap();
    let refreshed = refresh(&bench.books, &connection, &batch).await;
    (batch, refreshed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_while_it_sends_has_sent_or_not() {
    let over = SignedDuration::from_secs(-1);
    let bench = Bench::new("");
    let (batch, refreshed) = killed(&bench, PartState::Sending, over).await;
    refreshed.unwrap();
    assert_ne!(bench.part(&batch).api_id, None, "it was accepted");
    wait(&bench.books, &*bench.connection().await, &batch, &mut |_| {}).await.unwrap();
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Answered, 3)]));

    let bench = Bench::new("");
    let (batch, refreshed) = killed(&bench, PartState::Intended, over).await;
    assert!(refreshed.unwrap().settled);
    assert_eq!(
        (bench.part(&batch).state, bench.counts(&batch)),
        (PartState::Unsent, BTreeMap::from([(ItemState::Unsent, 3)]))
    );
    let (targets, left_out) = retried(&bench.books.ledger, &batch).unwrap();
    assert_eq!((targets.len(), left_out), (1, Vec::new()));

    // Another process may be about to send it right now.
    let bench = Bench::new("");
    let (batch, refreshed) = killed(&bench, PartState::Intended, SignedDuration::from_mins(1)).await;
    assert!(!refreshed.unwrap().settled);
    assert!(retried(&bench.books.ledger, &batch).unwrap().0.is_empty(), "not twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_batch_is_not_taken_for_ours() {
    let bench = Bench::new("");
    // Another tool's batch, of the same size and at the same time; ours never got there.
    let connection = bench.connection().await;
    let other = bench.draft("explain", Items::Functions, &[bench.write("a.py", TEXT)]);
    let other = submit(&bench.books, &connection, &other).await.unwrap().batch;
    bench.books.ledger.forget_batch(&other.id).unwrap();
    let mine = StoredBatch { id: "bmine".to_owned(), action: "document".to_owned(), ..other };
    let items = (0..3).map(|number| crate::ledger::batches::NewItem {
        number,
        turn: 1,
        part: 0,
        file: 0,
        selection: 0..1,
        subject: None,
        estimated_input: 1,
    });
    let now = Timestamp::now();
    let intent = crate::ledger::batches::Intent {
        files: vec![crate::ledger::batches::BatchFile {
            id: 0,
            path: "a.py".to_owned(),
            language: "python".to_owned(),
            text: TEXT.into(),
        }],
        items: items.collect(),
        parts: vec![crate::ledger::batches::NewPart { number: 0, requests: 3, sending_until: now }],
    };
    bench.books.ledger.add_batch(&mine, &intent).unwrap();
    let part = BatchPart { state: PartState::Sending, sent: Some(now), ..bench.part(&mine) };
    bench.books.ledger.set_part("bmine", &part).unwrap();
    let refreshed = wait(&bench.books, &connection, &mine, &mut |_| {}).await.unwrap();
    assert!(refreshed.settled);
    assert_eq!((bench.part(&mine).state, bench.part(&mine).api_id), (PartState::Unsent, None));
    assert_eq!(bench.books.ledger.batch_totals("bmine").unwrap().attempts, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_break_off_are_taken_up_where_they_broke() {
    let bench =
        Bench::new("[[step]]\nmatch = { path = \"/v1/messages/batches/*/results\" }\ncut = { after_bytes = 1500 }\n");
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
    let connection = bench.connection().await;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    let broken = wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap_err();
    assert_eq!(broken.kind, ErrorKind::Network);
    let before = bench.counts(&batch);
    assert!(before.contains_key(&ItemState::Answered) && before.contains_key(&ItemState::Sent), "{before:?}");
    assert_eq!(bench.part(&batch).state, PartState::Running);
    assert!(refresh(&bench.books, &connection, &batch).await.unwrap().settled);
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Answered, 3)]));
    bench.check_bill(&batch);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_asked_for_again_where_it_is_by_now() {
    let requests = "match = { path = \"/v1/messages/batches/requests\", text = ";
    let bench = Bench::new(&format!(
        "[[step]]\n{requests}'lines=\"5-6\"' }}\nstatus = 400\nerror = {{ message = \"Not today\" }}\n\n\
         [[step]]\n{requests}'lines=\"9-10\"' }}\nbatch_result = \"expired\"\n"
    ));
    let batch = bench.answered().await;
    assert_eq!(
        bench.counts(&batch),
        BTreeMap::from([(ItemState::Answered, 1), (ItemState::Errored, 1), (ItemState::Expired, 1)])
    );
    let items = bench.books.ledger.batch_items(&batch.id).unwrap();
    assert_eq!(items[1].reason.as_deref(), Some("Not today"));
    assert_eq!(bench.land(&batch, true).await.0.applied, 1);
    // One function is gone meanwhile, and the other is elsewhere.
    let text = bench.read("a.py").replace("def two(name):\n    return name\n", "");
    bench.write("a.py", &format!("import os\n\n{text}"));
    let (targets, left_out) = retried(&bench.books.ledger, &batch).unwrap();
    assert_eq!(left_out.len(), 1, "{left_out:?}");
    let asked = Asked {
        action: actions::find("document").unwrap().clone(),
        items: Items::Functions,
        prompt: None,
        root: bench.root(),
        simulated: false,
    };
    let draft = Draft::again(&bench.books, &batch, asked, targets, left_out, &mut |_, _| {}).unwrap();
    let connection = bench.connection().await;
    let submitted = submit(&bench.books, &connection, &draft).await.unwrap();
    assert_eq!((submitted.accepted, &submitted.batch.id), (1, &batch.id));
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    assert_eq!(bench.land(&batch, true).await.0.applied, 1);
    let now = bench.read("a.py");
    assert!(now.starts_with("import os\n") && now.matches("\"\"\"").count() == 4, "{now}");
    assert_eq!(
        bench.counts(&batch),
        BTreeMap::from([(ItemState::Applied, 2), (ItemState::Errored, 1)]),
        "the one that is gone stays as it was"
    );
    bench.check_bill(&batch);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_merged_with_what_the_user_did_or_kept() {
    let bench = Bench::new("");
    let batch = bench.answered().await;
    // Text in front, a change inside of a function that the answer does not touch, and one function replaced.
    let changed = format!("# new\n{TEXT}")
        .replace("    return price\n", "    return price * 2\n")
        .replace("def two(name):\n    return name\n", "two = str\n");
    bench.write("a.py", &changed);
    let (landed, files) = bench.land(&batch, true).await;
    let now = bench.read("a.py");
    assert_eq!((landed.applied, landed.kept), (2, 1), "{files:?}\n{now}");
    assert!(now.starts_with("# new\n") && now.contains("return price * 2") && now.contains("two = str"), "{now}");
    let kept: Vec<_> = files[0].items.iter().filter(|item| item.state == ItemState::Kept).collect();
    assert!(kept[0].name.as_deref() == Some("two") && kept[0].reason.is_some(), "{kept:?}");
    assert!(bench.books.ledger.batch_answer(&batch.id, kept[0].item).unwrap().is_some(), "it can be read");
    // With the old text back it can be applied after all.
    bench.write("a.py", &now.replace("two = str\n", "def two(name):\n    return name\n"));
    assert_eq!(bench.land(&batch, true).await.0.applied, 1);
    assert!(edited(&bench.read("a.py")), "{}", bench.read("a.py"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_landing_that_was_cut_short_is_not_repeated() {
    let bench = Bench::new("");
    let batch = bench.answered().await;
    let (_, files) = bench.land(&batch, false).await;
    let written = files[0].edits[0].new_text.clone();
    let landing = serde_json::to_string(&[("a.py", crate::hash::sha256(&written))]).unwrap();
    // Killed after the file was written, and before it was.
    for (text, state) in [(written.as_str(), ItemState::Applied), (TEXT, ItemState::Answered)] {
        bench.write("a.py", text);
        bench.books.ledger.begin_landing(&batch.id, &[0, 1, 2], &landing).unwrap();
        recover(&bench.books, &batch).unwrap();
        assert_eq!(bench.counts(&batch), BTreeMap::from([(state, 3)]));
    }
    assert_eq!(bench.land(&batch, true).await.0.applied, 3);
    assert_eq!(bench.read("a.py"), written);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_its_promise_is_not_applied() {
    let requests = "match = { path = \"/v1/messages/batches/requests\" }";
    let bench = Bench::new(&format!(
        "[[step]]\n{requests}\nanswer = \"```python\\ndef one(price):\\n    return price + 1\\n```\"\n\n\
         [[step]]\n{requests}\nanswer = \"I would rather not.\"\n\n\
         [[step]]\n{requests}\nanswer = \"half\"\nstop_reason = \"max_tokens\"\n"
    ));
    let batch = bench.answered().await;
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Answered, 2), (ItemState::Unusable, 1)]));
    let (landed, files) = bench.land(&batch, true).await;
    assert_eq!((landed.applied, landed.kept), (0, 2), "{files:?}");
    assert_eq!(bench.read("a.py"), TEXT);
    assert_eq!(bench.counts(&batch), BTreeMap::from([(ItemState::Unusable, 3)]));
    assert_eq!(retried(&bench.books.ledger, &batch).unwrap().0.len(), 1, "in one file");
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_of_several_functions_go_into_one_new_file() {
    let bench = Bench::new("");
    bench.write("pyproject.toml", "[tool.pytest.ini_options]\n");
    let draft = bench.draft("write-tests", Items::Functions, &[bench.write("a.py", TEXT)]);
    let connection = bench.connection().await;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    let (shown, files) = bench.land(&batch, false).await;
    assert_eq!((shown.applied, files[0].edits.len()), (3, 1), "{files:?}");
    let (landed, files) = bench.land(&batch, true).await;
    assert_eq!((landed.applied, landed.kept), (3, 0), "{files:?}");
    let tests = bench.read(&files[0].edits[0].path);
    assert_eq!(tests, files[0].edits[0].new_text);
    assert!(["one", "two", "three"].iter().all(|name| tests.contains(&format!("def test_{name}"))), "{tests}");
    assert_eq!(bench.read("a.py"), TEXT);
}

#[tokio::test(flavor = "multi_thread")]
async fn explanations_are_found_where_hovers_look() {
    let bench = Bench::new("");
    let path = bench.write("a.py", TEXT);
    let draft = bench.draft("explain", Items::Functions, std::slice::from_ref(&path));
    let connection = bench.connection().await;
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    let uri = url::Url::from_file_path(&path).unwrap();
    let (shown, files) = bench.land(&batch, false).await;
    assert_eq!((shown.applied, files[0].explanations.len()), (3, 3));
    assert!(bench.books.ledger.for_uri(uri.as_str()).unwrap().is_empty());
    bench.land(&batch, true).await;
    let codes: Vec<String> =
        bench.books.ledger.for_uri(uri.as_str()).unwrap().into_iter().map(|explained| explained.code).collect();
    assert!(codes.iter().any(|code| code == "def two(name):\n    return name"), "{codes:?}");
    let stored = bench.books.ledger.load(&format!("{}-0-1", batch.id)).unwrap().expect("the first of them");
    assert!(
        stored.messages.contains("<document path") && stored.messages.contains("assistant"),
        "it can be gone on with"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_kept_from_the_submission_on() {
    let mut bench = Bench::new("");
    let draft = bench.draft("document", Items::Functions, &[bench.write("a.py", TEXT)]);
    let usd = draft.estimate().cost_usd.unwrap();
    let budget = |bench: &mut Bench, usd: f64| {
        let mut settings = Settings::clone(&bench.books.settings);
        settings.budget.daily_usd = Some(usd);
        bench.books.settings = Arc::new(settings);
    };
    budget(&mut bench, usd * 0.9);
    let connection = bench.connection().await;
    let error = submit(&bench.books, &connection, &draft).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Budget);
    assert_eq!(bench.books.ledger.batches().unwrap(), [], "nothing was sent");
    budget(&mut bench, usd * 1.5);
    let batch = submit(&bench.books, &connection, &draft).await.unwrap().batch;
    let second = bench.draft("explain", Items::Functions, &[bench.root().join("a.py")]);
    let error = submit(&bench.books, &connection, &second).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Budget, "what runs counts as spent");
    wait(&bench.books, &connection, &batch, &mut |_| {}).await.unwrap();
    let now = Timestamp::now();
    let spent = bench.books.ledger.spent(now - SignedDuration::from_hours(1), false, now).unwrap();
    assert!(spent.reserved_usd.abs() < 1e-12 && spent.usd > 0.0, "what was reserved was given back: {spent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_another_key_is_told() {
    let bench = Bench::new("");
    let batch = bench.answered().await;
    let mut part = bench.part(&batch);
    part.state = PartState::Running;
    bench.books.ledger.set_part(&batch.id, &part).unwrap();
    let others = Connections::new(Environment::from_pairs([("ANTHROPIC_API_KEY", "sk-ant-other")]), None);
    let other = others.get(&bench.books.settings).await.unwrap();
    let error = refresh(&bench.books, &other, &batch).await.unwrap_err();
    assert!(error.message.contains("another key"), "{error}");
    assert!(cancel(&bench.books, &other, &batch).await.is_err());
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
