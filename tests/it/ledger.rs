//! The ledger between processes: nothing is lost when many write, and nothing is broken when one is killed.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use aside::claude::batches::{BatchBody, BatchRequest, BatchResult, ProcessingStatus};
use aside::claude::models::{self, Lifecycle, Model};
use aside::claude::usage::Tokens;
use aside::claude::{Auth, Client as ClaudeClient, ClientOptions as ClaudeOptions};
use aside::ledger::{Attempt, Ledger};
use aside::prompt::estimate_tokens;
use aside::simulator::{Account, AccountRow};
use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

/// In the environment of a process that this test made of itself: the ledger to write to.
const LEDGER: &str = "ASIDE_TEST_LEDGER";
/// The writer's name, which is the job of its rows.
const WRITER: &str = "ASIDE_TEST_WRITER";
/// How many rows it writes; none is until it is killed.
const ROWS: &str = "ASIDE_TEST_ROWS";

fn row(writer: &str, number: u64) -> Attempt {
    let tokens = Tokens { input: number, cache_read: 3, output: 1, ..Tokens::default() };
    let attempt =
        Attempt { job: writer.into(), action: "explain".into(), outcome: "ok".into(), tokens, ..Attempt::default() };
    attempt.priced(&models::lookup("claude-sonnet-5-5"))
}

/// What a process does that was started as a writer: a line on its output for each row that is kept.
fn write_if_told() -> bool {
    let Some(file) = std::env::var_os(LEDGER) else { return false };
    let writer = std::env::var(WRITER).unwrap();
    let rows = std::env::var(ROWS).map_or(u64::MAX, |rows| rows.parse().unwrap());
    let (ledger, warning) = Ledger::open(Path::new(&file));
    assert_eq!(warning, None);
    let mut out = std::io::stdout().lock();
    for number in 0..rows {
        ledger.record(&row(&writer, number)).unwrap();
        writeln!(out, "row {number}").unwrap();
        out.flush().unwrap();
    }
    assert_eq!(ledger.take_warning(), None);
    true
}

/// Starts this very program again as a writer; `test` is the test that calls [`write_if_told`].
fn writer(test: &str, file: &Path, name: &str, rows: Option<u64>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(LEDGER, file).env(WRITER, name);
    if let Some(rows) = rows {
        command.env(ROWS, rows.to_string());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn kept(ledger: &Ledger, writer: &str) -> Vec<u64> {
    let rows = ledger.attempts(None).unwrap().into_iter().filter(|attempt| attempt.job == writer);
    let mut rows: Vec<u64> = rows.map(|attempt| attempt.tokens.input).collect();
    rows.sort_unstable();
    rows
}

fn is_whole(file: &Path) -> bool {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap() == "ok"
}

#[test]
fn eight_processes_writing_at_once_lose_no_row() {
    const EACH: u64 = 150;
    if write_if_told() {
        return;
    }
    let sandbox = Sandbox::new();
    // Nothing is there yet: they also race to make the folder, the file, its tables and its log.
    let file = sandbox.path("data/new/usage.sqlite3");
    let test = "ledger::eight_processes_writing_at_once_lose_no_row";
    let writers: Vec<_> = (0..8).map(|number| writer(test, &file, &format!("writer-{number}"), Some(EACH))).collect();
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let (ledger, warning) = Ledger::open(&file);
    assert_eq!(warning, None);
    for number in 0..8 {
        assert_eq!(kept(&ledger, &format!("writer-{number}")), (0..EACH).collect::<Vec<_>>(), "writer {number}");
    }
    let totals = ledger.totals(None).unwrap();
    let one: f64 = (0..EACH).map(|number| row("", number).cost_usd.unwrap()).sum();
    assert!((totals.cost_usd().unwrap() - 8.0 * one).abs() < 1e-9);
    assert!(is_whole(&file));
}

#[test]
fn eight_terminals_at_once_lose_no_row_and_no_token() {
    let sandbox = Sandbox::new();
    sandbox.example("inventory.py");
    let simulator = Simulator::start(&sandbox, None, None);
    let act = || {
        let mut command = sandbox.aside();
        command.args(["act", "explain", "inventory.py:75"]).env("ANTHROPIC_BASE_URL", simulator.url.as_str());
        command.env("ANTHROPIC_API_KEY", "sk-ant-test").spawn().unwrap()
    };
    for _ in 0..2 {
        let running: Vec<_> = (0..8).map(|_| act()).collect();
        for running in running {
            let output = running.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(!String::from_utf8_lossy(&output.stderr).contains("ledger"), "nothing to warn of");
        }
    }
    let account = simulator.account();
    let ids: Vec<_> = account["requests"].as_array().unwrap().iter().map(|row| row["request_id"].clone()).collect();
    let attempts = Ledger::open(&sandbox.path("data/aside/usage.sqlite3")).0.attempts(None).unwrap();
    assert_eq!(attempts.len(), 16);
    for attempt in &attempts {
        let id = Value::from(attempt.request_id.clone().unwrap());
        assert_eq!(ids.iter().filter(|other| **other == id).count(), 1, "{id}");
        assert!(attempt.time_to_first_token_ms.is_some_and(|first| first <= attempt.duration_ms), "{attempt:?}");
    }
}

#[test]
fn each_attempt_of_a_request_is_a_row_with_its_own_time() {
    let sandbox = Sandbox::new();
    sandbox.example("inventory.py");
    let busy = "[[step]]\nstatus = 529\nheaders = { retry-after-ms = \"80\" }\n";
    let scenario = format!("{busy}{busy}[[step]]\nanswer = \"It gives one.\"\n");
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    let mut command = sandbox.aside();
    command.args(["act", "explain", "inventory.py:75", "--json"]).env("ANTHROPIC_BASE_URL", simulator.url.as_str());
    let output = command.env("ANTHROPIC_API_KEY", "sk-ant-test").output().unwrap();
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["outcome"], "shown", "{result}");
    let attempts = Ledger::open(&sandbox.path("data/aside/usage.sqlite3")).0.attempts(None).unwrap();
    let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.outcome.as_str()).collect();
    assert_eq!(outcomes, ["overloaded", "overloaded", "ok"]);
    let told: Vec<_> = account(&simulator).into_iter().map(|row| Some(row.request_id)).collect();
    let kept: Vec<_> = attempts.iter().map(|attempt| attempt.request_id.clone()).collect();
    assert_eq!(kept, told, "each with the id that support asks for");
    let [first, second, last] = attempts.as_slice() else { panic!("{attempts:#?}") };
    for failed in [first, second] {
        assert_eq!((failed.tokens, failed.time_to_first_token_ms, failed.partial), (Tokens::default(), None, false));
    }
    assert!(last.time_to_first_token_ms.is_some_and(|first| first <= last.duration_ms), "{last:?}");
    // An attempt's time is neither its request's nor that of the waiting behind it.
    for (one, next) in [(first, second), (second, last)] {
        let end = one.started.as_millisecond() + i64::try_from(one.duration_ms).unwrap();
        assert!(next.started.as_millisecond() - end >= 79, "{one:?} {next:?}");
    }
}

/// Reads lines until there were so many, waits a little, kills, and gives the number of the last row it heard of.
fn killed(mut writer: Child, lines: usize, pause: Duration) -> Option<u64> {
    let mut out = BufReader::new(writer.stdout.take().unwrap()).lines();
    let number = |line: std::io::Result<String>| line.ok()?.strip_prefix("row ")?.parse::<u64>().ok();
    let mut last = None;
    for _ in 0..lines {
        last = out.find_map(number);
    }
    thread::sleep(pause);
    writer.kill().unwrap();
    writer.wait().unwrap();
    // What it had said before it died it had kept before.
    out.filter_map(number).last().or(last)
}

#[test]
fn a_process_killed_at_any_moment_leaves_a_readable_file() {
    if write_if_told() {
        return;
    }
    let sandbox = Sandbox::new();
    let file: PathBuf = sandbox.path("data/usage.sqlite3");
    let test = "ledger::a_process_killed_at_any_moment_leaves_a_readable_file";
    for round in 0..20_u32 {
        // Two at a time, so that one is killed while the other writes. Once round it reaches over a checkpoint.
        let names = [format!("first-{round}"), format!("second-{round}")];
        let writers = names.clone().map(|name| writer(test, &file, &name, None));
        let lines = if round % 7 == 6 { 1200 } else { usize::try_from(round * 5 % 23).unwrap() };
        let pauses = [1, 2].map(|times| Duration::from_micros(u64::from(round * times * 397 % 2900)));
        let [first, second] = writers;
        let heard = thread::scope(|scope| {
            let first = scope.spawn(|| killed(first, lines, pauses[0]));
            let second = scope.spawn(|| killed(second, lines / 2, pauses[1]));
            [first.join().unwrap(), second.join().unwrap()]
        });
        let (ledger, warning) = Ledger::open(&file);
        assert_eq!(warning, None, "round {round}");
        for (name, heard) in names.iter().zip(heard) {
            let kept = kept(&ledger, name);
            assert_eq!(kept, (0..kept.len() as u64).collect::<Vec<_>>(), "{name}: no row is missing or there twice");
            let told = heard.map_or(0, |last| last + 1);
            assert!((told..=told + 1).contains(&(kept.len() as u64)), "{name}: {told} told, {} kept", kept.len());
        }
        ledger.record(&row("after", round.into())).unwrap();
        drop(ledger);
        assert!(is_whole(&file), "round {round}");
    }
}

/// A model, its prices in dollars per million tokens, and those of long prompts.
type Published = (&'static str, [f64; 5], Option<[f64; 5]>);

/// Dollars per million tokens as they were published: input, output, writes for 5 minutes and an hour, reads. Of long
/// prompts behind it.
const PUBLISHED: [Published; 19] = [
    ("claude-fable-5-2", [8.0, 40.0, 10.0, 16.0, 0.20], None),
    ("claude-fable-5-1", [10.0, 50.0, 12.5, 20.0, 0.25], None),
    ("claude-fable-5", [10.0, 50.0, 12.5, 20.0, 1.0], None),
    ("claude-opus-5-5", [4.0, 20.0, 5.0, 8.0, 0.20], None),
    ("claude-opus-5", [5.0, 25.0, 6.25, 10.0, 0.50], None),
    ("claude-opus-4-8", [5.0, 25.0, 6.25, 10.0, 0.50], None),
    ("claude-opus-4-7", [5.0, 25.0, 6.25, 10.0, 0.50], None),
    ("claude-opus-4-6", [5.0, 25.0, 6.25, 10.0, 0.50], None),
    ("claude-opus-4-5", [5.0, 25.0, 6.25, 10.0, 0.50], None),
    ("claude-sonnet-5-5", [2.0, 10.0, 2.5, 4.0, 0.10], None),
    ("claude-sonnet-5", [2.0, 10.0, 2.5, 4.0, 0.20], None),
    ("claude-sonnet-4-6", [3.0, 15.0, 3.75, 6.0, 0.30], None),
    ("claude-sonnet-4-5", [3.0, 15.0, 3.75, 6.0, 0.30], None),
    ("claude-haiku-5-5", [0.10, 0.50, 0.125, 0.20, 0.01], Some([0.50, 2.50, 0.625, 1.0, 0.05])),
    ("claude-haiku-4-5", [1.0, 5.0, 1.25, 2.0, 0.10], None),
    ("claude-opus-4-1", [15.0, 75.0, 18.75, 30.0, 1.50], None),
    ("claude-opus-4", [15.0, 75.0, 18.75, 30.0, 1.50], None),
    ("claude-sonnet-4", [3.0, 15.0, 3.75, 6.0, 0.30], None),
    ("claude-haiku-3-5", [0.80, 4.0, 1.0, 1.60, 0.08], None),
];

/// What a row of the simulator's account costs, and would cost without a cache, by the published prices.
fn published(row: &AccountRow) -> (f64, f64) {
    let (_, ordinary, long) = PUBLISHED.iter().find(|(id, ..)| *id == row.model).unwrap();
    let read = row.input_tokens + row.cache_read_tokens + row.cache_write_5m_tokens + row.cache_write_1h_tokens;
    let [input, output, short_write, long_write, cache_read] = long.filter(|_| read > 100_000).unwrap_or(*ordinary);
    let tokens = |count: u64| f64::from(u32::try_from(count).unwrap());
    let paid = tokens(row.input_tokens) * input
        + tokens(row.cache_write_5m_tokens) * short_write
        + tokens(row.cache_write_1h_tokens) * long_write
        + tokens(row.cache_read_tokens) * cache_read;
    let (out, whole) = (tokens(row.output_tokens) * output, tokens(read) * input);
    let share = if row.batch { 0.5 } else { 1.0 } / 1e6;
    ((paid + out) * share, (whole + out) * share)
}

fn account(simulator: &Simulator) -> Vec<AccountRow> {
    serde_json::from_value::<Account>(simulator.account()).unwrap().requests
}

/// Holds the ledger against the account: row by row, and in the sums that users see.
fn assert_same_bill(sandbox: &Sandbox, rows: &[AccountRow]) {
    let attempts = Ledger::open(&sandbox.path("data/aside/usage.sqlite3")).0.attempts(None).unwrap();
    assert_eq!(attempts.len(), rows.len());
    for row in rows {
        let attempt = attempts.iter().find(|attempt| attempt.request_id.as_ref() == Some(&row.request_id));
        let attempt = attempt.unwrap_or_else(|| panic!("no row for {row:?}"));
        let (cost, uncached) = published(row);
        assert_eq!(
            (attempt.tokens, attempt.model.as_str(), attempt.batch),
            (row.tokens(), row.model.as_str(), row.batch)
        );
        assert!((attempt.cost_usd.unwrap() - cost).abs() < 1e-9, "{attempt:?}: {cost}");
        assert!((attempt.saved_usd.unwrap() - (uncached - cost)).abs() < 1e-9, "{attempt:?}: {uncached} - {cost}");
    }
    let output = sandbox.aside().args(["usage", "--by", "model", "--json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sums = report["rows"].as_array().unwrap().iter().map(|row| (row["model"].as_str().unwrap(), row));
    for (model, shown) in sums.chain([("", &report["total"])]) {
        let own = || rows.iter().filter(|row| model.is_empty() || row.model == model);
        let (cost, uncached) = own().map(published).fold((0.0, 0.0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        let tokens: Tokens = own().map(AccountRow::tokens).sum();
        assert!((shown["costUsd"].as_f64().unwrap() - cost).abs() < 1e-9, "{shown}: {cost}");
        assert!((shown["savedUsd"].as_f64().unwrap() - (uncached - cost)).abs() < 1e-9, "{shown}");
        for (key, count) in [
            ("requests", own().count() as u64),
            ("inputTokens", tokens.input),
            ("cacheReadTokens", tokens.cache_read),
            ("cacheWriteTokens", tokens.cache_write()),
            ("cacheWrite1hTokens", tokens.cache_write_1h),
            ("outputTokens", tokens.output),
            ("thinkingTokens", tokens.thinking),
        ] {
            assert_eq!(shown[key], count, "{model} {key}");
        }
    }
}

/// The models that are served on this day.
fn served() -> impl Iterator<Item = &'static Model> {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    models::all().iter().filter(move |model| model.lifecycle != Lifecycle::Retired && !model.is_retired(today))
}

#[test]
fn every_model_is_billed_as_published() {
    let sandbox = Sandbox::new();
    // Long enough for the model that caches only long prompts.
    let text = sandbox.example("inventory.py").repeat(6);
    let simulator = Simulator::start(&sandbox, None, None);
    // Above the step of the one model whose long prompts have other prices, which are those of all their tokens.
    // Its words are of a kind that is estimated low, or an excerpt would be sent.
    let line = format!("#{}\n", " internationalizations".repeat(5));
    let lines = 95_000 / estimate_tokens(&line, models::find("claude-haiku-5-5").unwrap());
    let long = line.repeat(usize::try_from(lines).unwrap());
    for (model, (id, ordinary, long)) in models::all().iter().zip(PUBLISHED) {
        assert_eq!((model.id.as_str(), model.prices_for(1).map(Into::into)), (id, Some(ordinary)));
        assert_eq!(model.prices_for(100_001).map(<[f64; 5]>::from), Some(long.unwrap_or(ordinary)), "{id}");
    }
    assert_eq!(models::all().len(), PUBLISHED.len());
    for (index, model) in served().enumerate() {
        let ask = |ttl: &str, name: &str, text: &str, spans: &[std::ops::Range<usize>]| {
            sandbox.configure(&format!("model = \"{}\"\n[cache]\nttl = \"{ttl}\"\n", model.id));
            let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
            let uri = sandbox.uri(name);
            client.open(&uri, "python", text);
            for span in spans {
                let result = client.run_to_end("explain", &uri, span.clone());
                assert_eq!(result["outcome"], "shown", "{}: {result}", model.id);
            }
            client.read_all();
        };
        // The first action writes only what is likely to be read; those that follow show that the document is.
        let spans = [0..700, 800..1500, 1600..2300, 2400..3100];
        ask("5m", &format!("a{index}.py"), &text, &spans);
        ask("1h", &format!("b{index}.py"), &format!("# {index}\n{text}"), &spans);
        if model.long_prompt.is_some() {
            ask("5m", "long.py", &long, &[0..40, 50..90]);
        }
    }
    let rows = account(&simulator);
    // The proof is worth something only if each kind of price was charged.
    let any = |of: fn(&AccountRow) -> bool| rows.iter().any(of);
    for model in served() {
        let of = |kind: fn(&AccountRow) -> u64| rows.iter().any(|row| row.model == model.id && kind(row) > 0);
        assert!(of(|row| row.cache_write_5m_tokens), "{}", model.id);
        assert!(of(|row| row.cache_write_1h_tokens), "{}", model.id);
        assert!(of(|row| row.cache_read_tokens), "{}", model.id);
    }
    assert!(any(|row| row.tokens().total_input() > 100_000 && row.model == "claude-haiku-5-5"), "a long prompt");
    assert_same_bill(&sandbox, &rows);
}

#[test]
fn batches_cost_half_of_everything() {
    let sandbox = Sandbox::new();
    let simulator = Simulator::start(&sandbox, None, None);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let ledger = Ledger::lazy(sandbox.path("data/aside/usage.sqlite3"));
    let auth = Auth::ApiKey("sk-ant-test".to_owned().into());
    let client = ClaudeClient::new(ClaudeOptions::new(simulator.url.clone(), auth)).unwrap();
    let words = |count: usize| "All work and no play makes a dull program. ".repeat(count);
    runtime.block_on(async {
        let mut body = BatchBody::new().unwrap();
        for model in served() {
            // The second reads what the first wrote, at half the price of a read.
            for (index, ttl) in ["5m", "5m", "1h"].into_iter().enumerate() {
                let size = if model.long_prompt.is_some() && index == 1 { 30_000 } else { 1200 };
                let params = serde_json::from_value(json!({
                    "model": model.id,
                    "max_tokens": 1000,
                    "system": [{"type": "text", "text": format!("{ttl} {}", words(size)), "cache_control": {"type": "ephemeral", "ttl": ttl}}],
                    "messages": [{"role": "user", "content": [{"type": "text", "text": format!("Say {index}.")}]}],
                }))
                .unwrap();
                let request = BatchRequest { custom_id: format!("{}-{index}", model.id), params };
                assert!(body.push(&request).unwrap(), "there is room");
            }
        }
        body.finish().unwrap();
        let batch = client.submit_batch(&body).await.unwrap();
        while client.batch(&batch.id).await.unwrap().expect("it is there").processing_status != ProcessingStatus::Ended {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut results = client.batch_results(&batch.id).await.unwrap();
        while let Some(line) = results.next().await {
            let line = line.unwrap();
            let BatchResult::Succeeded { message } = line.result else { panic!("{line:?}") };
            let attempt = Attempt {
                job: line.custom_id,
                // A line of a batch has no request id of its own; the message's says which row it is.
                request_id: Some(message.id.clone()),
                model: message.model.clone(),
                tokens: Tokens::from(&message.usage),
                outcome: "ok".into(),
                batch: true,
                ..Attempt::default()
            };
            ledger.record(&attempt.priced(&models::lookup(&message.model))).unwrap();
        }
    });
    let mut rows = account(&simulator);
    for row in &mut rows {
        row.request_id = row.message_id.clone().unwrap();
    }
    assert!(rows.iter().all(|row| row.batch));
    assert!(rows.iter().any(|row| row.tokens().total_input() > 100_000), "a long prompt");
    assert!(rows.iter().any(|row| row.cache_write_1h_tokens > 0) && rows.iter().any(|row| row.cache_read_tokens > 0));
    assert_same_bill(&sandbox, &rows);
}
