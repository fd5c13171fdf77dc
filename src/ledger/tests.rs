use std::thread;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::claude::models;
use crate::claude::usage::{Tokens, cost};
use crate::claude::words;

fn attempt(action: &str, model: &str, started: &str, tokens: Tokens) -> Attempt {
    let model_data = models::lookup(model);
    let cost = cost(&model_data, &tokens, false);
    Attempt {
        job: "job-1".into(),
        action: action.into(),
        language: "python".into(),
        project: Some("/home/me/shop".into()),
        model: model.into(),
        request_id: Some("req_1".into()),
        tokens,
        prices: model_data.prices_for(tokens.total_input()),
        cost_usd: cost.map(|cost| cost.usd),
        saved_usd: cost.map(|cost| cost.saved()),
        unreported_usd: None,
        started: started.parse().unwrap(),
        duration_ms: 1200,
        time_to_first_token_ms: Some(300),
        outcome: "applied".into(),
        miss_reason: None,
        partial: false,
        simulated: false,
        batch: false,
    }
}

fn tokens(input: u64, output: u64) -> Tokens {
    Tokens { input, cache_read: input * 3, cache_write_5m: 7, cache_write_1h: 2, output, thinking: output / 2 }
}

fn explanation(id: &str, code: &str, created: &str) -> StoredExplanation {
    StoredExplanation {
        id: id.into(),
        job: "job-1".into(),
        action: "explain".into(),
        uri: "file:///a%20b.py".into(),
        path: Some("a b.py".into()),
        language: "python".into(),
        title: "load".into(),
        code: code.into(),
        code_start_line: 3,
        code_end_line: 9,
        markdown: "It loads. 🧺\n".into(),
        thoughts: "First the basket.".into(),
        messages: "[]".into(),
        model: "claude-sonnet-5-5".into(),
        tokens: tokens(5, 9),
        cost_usd: None,
        created: created.parse().unwrap(),
        simulated: true,
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("data").join("usage.sqlite3")
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path().join("data")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn attempts_come_back_as_they_were_kept() {
    let folder = Folder::new();
    let (ledger, warning) = Ledger::open(&folder.file());
    assert_eq!(warning, None);
    let mut bare = attempt("explain", "somebody/elses-model", "2026-11-23T08:00:00Z", Tokens::default());
    bare.project = None;
    bare.request_id = None;
    bare.time_to_first_token_ms = None;
    bare.partial = true;
    let mut full = attempt("document", "claude-haiku-5-5", "2026-11-23T08:00:01.234Z", tokens(1000, 50));
    full.miss_reason = Some("expired".into());
    full.simulated = true;
    full.batch = true;
    ledger.record(&full).unwrap();
    ledger.record(&bare).unwrap();
    drop(ledger);
    let (again, warning) = Ledger::open(&folder.file());
    assert_eq!(warning, None);
    assert_eq!(again.attempts(None).unwrap(), [bare, full.clone()]);
    assert_eq!(again.attempts(Some(full.started)).unwrap(), [full]);
}

#[test]
fn a_lazy_ledger_touches_nothing_before_its_first_use() {
    let folder = Folder::new();
    let ledger = Ledger::lazy(folder.file());
    assert!(!folder.file().parent().unwrap().exists());
    assert_eq!(ledger.totals(None).unwrap(), Totals::default());
    assert!(folder.file().exists());
}

#[test]
fn sums_of_money_with_an_unknown_price_are_unknown() {
    let ledger = Ledger::in_memory();
    let known = attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(100, 10));
    ledger.record(&known).unwrap();
    assert_eq!(ledger.totals(None).unwrap().cost_usd(), known.cost_usd);
    // An attempt that never reached the model cost nothing, whatever its price.
    let failed = attempt("explain", "local", "2026-11-23T08:00:00Z", Tokens::default());
    ledger.record(&failed).unwrap();
    assert_eq!(ledger.totals(None).unwrap().cost_usd(), known.cost_usd);
    let unknown = attempt("explain", "local", "2026-11-23T08:00:00Z", tokens(100, 10));
    ledger.record(&unknown).unwrap();
    let totals = ledger.totals(None).unwrap();
    assert_eq!((totals.cost_usd(), totals.saved_usd(), totals.unpriced), (None, None, 1));
    assert_eq!(Some(totals.known_cost_usd), known.cost_usd);
    let json = serde_json::to_value(totals).unwrap();
    assert_eq!(json["costUsd"], serde_json::Value::Null);
    assert_eq!(json["inputTokens"], 200);
    assert_eq!(json["cacheWriteTokens"], 18);
    assert_eq!(json["cacheWrite1hTokens"], 4);
}

#[test]
fn simulated_money_is_counted_but_not_paid() {
    let ledger = Ledger::in_memory();
    let real = attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(100, 10));
    let simulated = Attempt { simulated: true, ..real.clone() };
    ledger.record(&real).unwrap();
    ledger.record(&simulated).unwrap();
    let totals = ledger.totals(None).unwrap();
    assert!((totals.paid_usd() - real.cost_usd.unwrap()).abs() < 1e-12);
    assert!((totals.cost_usd().unwrap() - 2.0 * real.cost_usd.unwrap()).abs() < 1e-12);
}

#[test]
fn rows_are_by_day_of_the_user_by_action_by_model_by_project() {
    let ledger = Ledger::in_memory();
    for (action, model, started, project) in [
        ("explain", "claude-sonnet-5-5", "2026-11-22T18:29:59Z", Some("/a")),
        ("explain", "claude-haiku-5-5", "2026-11-22T18:30:00Z", None),
        ("document", "claude-sonnet-5-5", "2026-11-23T18:29:59.999Z", Some("/a")),
    ] {
        let mut attempt = attempt(action, model, started, tokens(1, 1));
        attempt.project = project.map(str::to_owned);
        ledger.record(&attempt).unwrap();
    }
    let zone = TimeZone::get("Asia/Kolkata").unwrap();
    let rows = |since: Option<&str>, by| -> Vec<String> {
        let since = since.map(|since| since.parse().unwrap());
        let rows = ledger.rows_in(since, by, &zone).unwrap();
        rows.into_iter()
            .map(|row| {
                let names = [row.day, row.action, row.model, row.project];
                format!("{} {}", names.into_iter().flatten().collect::<Vec<_>>().join("/"), row.totals.attempts)
            })
            .collect()
    };
    assert_eq!(rows(None, By::Day), ["2026-11-22 1", "2026-11-23 2"]);
    assert_eq!(rows(Some("2026-11-22T18:30:00Z"), By::Day), ["2026-11-23 2"]);
    assert_eq!(rows(None, By::Action), ["document 1", "explain 2"]);
    assert_eq!(rows(None, By::Model), ["claude-haiku-5-5 1", "claude-sonnet-5-5 2"]);
    assert_eq!(rows(None, By::Project), [" 1", "/a 2"]);
    assert_eq!(
        rows(None, By::ActionAndModel),
        ["document/claude-sonnet-5-5 1", "explain/claude-haiku-5-5 1", "explain/claude-sonnet-5-5 1"]
    );
}

#[test]
fn a_day_begins_at_the_users_midnight_also_when_clocks_change() {
    for (zone, now, start) in [
        ("UTC", "2026-11-23T05:00:00Z", "2026-11-23T00:00:00Z"),
        ("America/New_York", "2026-11-23T04:59:59Z", "2026-11-22T05:00:00Z"),
        ("Europe/Berlin", "2026-10-25T22:30:00Z", "2026-10-24T22:00:00Z"),
        // Here midnight did not exist on that day.
        ("America/Santiago", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z"),
    ] {
        let start: Timestamp = start.parse().unwrap();
        assert_eq!(day_start(now.parse().unwrap(), &TimeZone::get(zone).unwrap()), start, "{zone}");
    }
}

#[test]
fn many_connections_writing_at_once_lose_no_row() {
    const WRITERS: u64 = 8;
    const ROWS: u64 = 40;
    let folder = Folder::new();
    let file = folder.file();
    // All of them also race to create the folder, the file, its tables and its log.
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let file = &file;
            scope.spawn(move || {
                let (ledger, warning) = Ledger::open(file);
                assert_eq!(warning, None);
                for row in 0..ROWS {
                    let tokens = tokens(writer * 1000 + row, 1);
                    ledger.record(&attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens)).unwrap();
                }
                assert_eq!(ledger.take_warning(), None);
            });
        }
    });
    let (ledger, _) = Ledger::open(&file);
    let totals = ledger.totals(None).unwrap();
    let expected: u64 = (0..WRITERS).flat_map(|writer| (0..ROWS).map(move |row| writer * 1000 + row)).sum();
    assert_eq!((totals.attempts, totals.tokens.input), (WRITERS * ROWS, expected));
}

#[test]
fn rows_of_a_process_that_was_killed_are_there() {
    let folder = Folder::new();
    let (ledger, _) = Ledger::open(&folder.file());
    for _ in 0..100 {
        ledger.record(&attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(1, 1))).unwrap();
    }
    // What is on disk while the connection is open is what a killed process leaves.
    let left = Folder::new();
    std::fs::create_dir_all(left.file().parent().unwrap()).unwrap();
    for name in ["usage.sqlite3", "usage.sqlite3-wal"] {
        std::fs::copy(folder.file().with_file_name(name), left.file().with_file_name(name)).unwrap();
    }
    let (again, warning) = Ledger::open(&left.file());
    assert_eq!((again.totals(None).unwrap().attempts, warning), (100, None));
}

#[test]
fn what_is_no_database_is_set_aside() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.file().parent().unwrap()).unwrap();
    std::fs::write(folder.file(), "this is no database at all, but it is long enough to look like one".repeat(50))
        .unwrap();
    let (ledger, warning) = Ledger::open(&folder.file());
    let message = warning.unwrap().message;
    assert!(message.contains("damaged") && message.contains("set aside as"), "{message}");
    ledger.record(&attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(1, 1))).unwrap();
    let aside: Vec<_> = folder.names().into_iter().filter(|name| name.starts_with("usage.damaged-")).collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    let (again, warning) = Ledger::open(&folder.file());
    assert_eq!((again.totals(None).unwrap().attempts, warning), (1, None));
}

/// Makes a ledger without rows: how large it is then.
fn begun(folder: &Folder) -> usize {
    drop(Ledger::open(&folder.file()));
    std::fs::read(folder.file()).unwrap().len()
}

#[test]
fn damage_that_shows_in_use_is_set_aside_and_the_call_goes_on() {
    let folder = Folder::new();
    let begun = begun(&folder);
    let (ledger, _) = Ledger::open(&folder.file());
    for _ in 0..400 {
        ledger.record(&attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(1, 1))).unwrap();
    }
    drop(ledger);
    // The header and the schema stay, everything behind is noise.
    let mut bytes = std::fs::read(folder.file()).unwrap();
    assert!(bytes.len() > begun + 40_000);
    bytes[begun..].fill(0x5a);
    std::fs::write(folder.file(), bytes).unwrap();
    let (ledger, _) = Ledger::open(&folder.file());
    let reader = Ledger::lazy(folder.file());
    ledger.record(&attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(2, 1))).unwrap();
    assert!(ledger.take_warning().unwrap().message.contains("set aside"));
    assert_eq!(ledger.totals(None).unwrap().tokens.input, 2);
    // Whoever comes next finds the new file, not another reason to set one aside.
    assert_eq!(reader.totals(None).unwrap().tokens.input, 2);
    assert_eq!(reader.take_warning(), None);
}

#[test]
fn who_had_the_file_open_while_it_was_set_aside_goes_on() {
    let folder = Folder::new();
    let begun = begun(&folder);
    let others: Vec<Ledger> = (0..3).map(|_| Ledger::open(&folder.file()).0).collect();
    let row = |input| attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(input, 1));
    for ledger in &others {
        (0..150).for_each(|_| ledger.record(&row(1)).unwrap());
    }
    // Everything into the file itself, so that the damage is where it is read from.
    let connection = rusqlite::Connection::open(folder.file()).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let mut bytes = std::fs::read(folder.file()).unwrap();
    bytes[begun..].fill(0x5a);
    std::fs::write(folder.file(), bytes).unwrap();
    let (finder, _) = Ledger::open(&folder.file());
    finder.record(&row(2)).unwrap();
    let mut expected = 2;
    for (ledger, input) in others.iter().zip([3, 4, 5]) {
        ledger.record(&row(input)).unwrap();
        expected += input;
    }
    for ledger in others.iter().chain([&finder]) {
        assert_eq!(ledger.totals(None).unwrap().tokens.input, expected);
    }
    let warnings: Vec<_> = others.iter().chain([&finder]).filter_map(Ledger::take_warning).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    // The copy has the log beside it, if there was one, and nothing of it is open.
    assert_eq!(folder.names().iter().filter(|name| name.contains("damaged") && name.ends_with("sqlite3")).count(), 1);
    assert_eq!(connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
}

#[test]
fn a_file_of_the_first_version_keeps_its_rows() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.file().parent().unwrap()).unwrap();
    let connection = rusqlite::Connection::open(folder.file()).unwrap();
    connection.execute_batch(include_str!("version_1.sql")).unwrap();
    drop(connection);
    let (ledger, warning) = Ledger::open(&folder.file());
    assert_eq!(warning, None);
    let old = ledger.attempts(None).unwrap();
    let costs: Vec<_> = old.iter().map(|it| (it.action.as_str(), it.cost_usd, it.miss_reason.as_deref())).collect();
    assert_eq!(costs, [("explain", Some(0.0123), None), ("document", None, Some("expired"))]);
    assert_eq!(old[0].prices.map(<[f64; 5]>::from), Some([2.0, 10.0, 2.5, 4.0, 0.1]));
    let first = ledger.load("e1").unwrap().unwrap();
    assert_eq!((first.markdown.as_str(), first.thoughts.as_str()), ("It loads.", ""));
    // And it takes what today's rows have.
    ledger.record(&attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(1, 1))).unwrap();
    ledger.save(&explanation("e2", "code", "2026-11-23T08:00:00Z")).unwrap();
    assert_eq!(ledger.totals(None).unwrap().attempts, 3);
    let connection = rusqlite::Connection::open(folder.file()).unwrap();
    assert_eq!(schema::version(&connection).unwrap(), schema::VERSION);
}

#[test]
fn an_attempt_is_priced_by_its_tokens_its_model_and_its_batch() {
    let model = models::find("claude-haiku-5-5").unwrap();
    let priced = |input, batch| {
        let tokens = Tokens { input, cache_write_1h: 1000, output: 100, ..Tokens::default() };
        Attempt { tokens, batch, ..Attempt::default() }.priced(model)
    };
    let short = priced(99_000, false);
    assert!((short.cost_usd.unwrap() - (99_000.0 * 0.1 + 1000.0 * 0.2 + 100.0 * 0.5) / 1e6).abs() < 1e-12);
    assert!((short.saved_usd.unwrap() + 1000.0 * 0.1 / 1e6).abs() < 1e-12, "a write that nobody read");
    let long = priced(99_001, true);
    assert!((long.cost_usd.unwrap() - (99_001.0 * 0.5 + 1000.0 + 100.0 * 2.5) / 2e6).abs() < 1e-12);
    assert_eq!(long.prices.map(<[f64; 5]>::from), Some([0.5, 2.5, 0.625, 1.0, 0.05]));
    let unknown = Attempt { tokens: tokens(1, 1), ..Attempt::default() }.priced(&models::lookup("local"));
    assert_eq!((unknown.prices, unknown.cost_usd, unknown.saved_usd), (None, None, None));
}

#[test]
fn reasons_for_misses_are_counted() {
    let ledger = Ledger::in_memory();
    for reason in [None, Some("first"), Some("expired"), Some("first")] {
        let mut attempt = attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(10, 1));
        attempt.miss_reason = reason.map(str::to_owned);
        ledger.record(&attempt).unwrap();
    }
    let rows = ledger.rows_in(None, By::MissReason, &TimeZone::UTC).unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.miss_reason.as_deref(), row.totals.attempts)).collect();
    assert_eq!(rows, [(Some("expired"), 1), (Some("first"), 2)]);
}

#[test]
fn what_is_missing_in_a_sum_is_said() {
    let json = |totals: Totals| serde_json::to_value(totals).unwrap();
    let plain = json(Totals::default());
    for key in [
        "partial",
        "partialRequests",
        "unpricedRequests",
        "knownCostUsd",
        "knownSavedUsd",
        "simulatedUsd",
        "halfPriceSavedUsd",
    ] {
        assert_eq!(plain.get(key), None, "{key}");
    }
    let all =
        json(Totals { partial: 2, unpriced: 1, known_cost_usd: 0.5, simulated_cost_usd: 0.25, ..Totals::default() });
    assert_eq!((&all["partial"], &all["partialRequests"]), (&true.into(), &2.into()));
    assert_eq!(
        (&all["unpricedRequests"], &all["knownCostUsd"], &all["costUsd"]),
        (&1.into(), &0.5.into(), &serde_json::Value::Null)
    );
    assert_eq!(all["simulatedUsd"], 0.25);
}

#[test]
fn several_that_find_the_damage_set_it_aside_once() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.file().parent().unwrap()).unwrap();
    std::fs::write(folder.file(), "no database ".repeat(500)).unwrap();
    let file = folder.file();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let (ledger, _) = Ledger::open(&file);
                ledger.record(&attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(1, 1))).unwrap();
            });
        }
    });
    assert_eq!(
        folder.names().iter().filter(|name| name.starts_with("usage.damaged-") && !name.ends_with("-wal")).count(),
        1,
        "{:?}",
        folder.names()
    );
    assert_eq!(Ledger::open(&file).0.totals(None).unwrap().attempts, 6);
}

#[test]
fn without_a_place_to_write_memory_has_to_do() {
    let folder = Folder::new();
    std::fs::write(folder.0.path().join("data"), "a file where the folder should be").unwrap();
    let (ledger, warning) = Ledger::open(&folder.file());
    assert!(warning.unwrap().message.contains("kept only until Aside ends"));
    ledger.record(&attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(1, 1))).unwrap();
    assert_eq!(ledger.totals(None).unwrap().attempts, 1);
    assert_eq!(ledger.take_warning(), None);
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = Folder::new();
    drop(Ledger::open(&folder.file()));
    let connection = rusqlite::Connection::open(folder.file()).unwrap();
    connection.pragma_update(None, "user_version", 999).unwrap();
    drop(connection);
    let (ledger, warning) = Ledger::open(&folder.file());
    assert!(warning.unwrap().message.contains("newer"));
    ledger.record(&attempt("explain", "claude-sonnet-5-5", "2026-11-23T08:00:00Z", tokens(1, 1))).unwrap();
    let connection = rusqlite::Connection::open(folder.file()).unwrap();
    assert_eq!(connection.query_row("SELECT count(*) FROM attempts", [], |row| row.get::<_, i64>(0)), Ok(0));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let (ledger, _) = Ledger::open(&folder.file());
    ledger.save(&explanation("e1", "code", "2026-11-23T08:00:00Z")).unwrap();
    for name in folder.names() {
        let mode = folder.file().with_file_name(&name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
}

#[test]
fn explanations_are_found_by_id_and_by_code() {
    let ledger = Ledger::in_memory();
    let first = explanation("e1", "def load():\r\n    pass", "2026-11-23T08:00:00Z");
    let second = explanation("e2", "def load():\r\n    pass", "2026-11-23T09:00:00Z");
    let other = explanation("e3", "def save(): ...", "2026-11-23T08:30:00Z");
    for explanation in [&second, &first, &other] {
        ledger.save(explanation).unwrap();
    }
    assert_eq!(ledger.load("e1").unwrap().as_ref(), Some(&first));
    assert_eq!(ledger.load("e9").unwrap(), None);
    assert_eq!(ledger.find_by_code(&first.uri, &first.code_hash()).unwrap().as_ref(), Some(&second));
    assert_eq!(ledger.find_by_code("file:///other.py", &first.code_hash()).unwrap(), None);
    let found = ledger.for_uri(&first.uri).unwrap();
    let found: Vec<_> = found.iter().map(|it| (it.id.as_str(), it.code.as_str(), it.start_line)).collect();
    assert_eq!(found, [("e2", second.code.as_str(), 3), ("e3", other.code.as_str(), 3)]);

    let grown = StoredExplanation { messages: r#"[{"role":"user"}]"#.into(), ..first };
    ledger.save(&grown).unwrap();
    assert_eq!(ledger.load("e1").unwrap(), Some(grown));
}

#[test]
fn usage_as_json_is_the_contract() {
    let model = models::find("claude-sonnet-5-5").unwrap();
    let tokens =
        Tokens { input: 1100, cache_read: 11_200, cache_write_5m: 30, cache_write_1h: 10, output: 410, thinking: 100 };
    let report = UsageReport::new(&model.id, &tokens, cost(model, &tokens, false)).request_id(Some("req_7".into()));
    expect_test::expect![[r#"
        {
          "inputTokens": 1100,
          "cacheReadTokens": 11200,
          "cacheWriteTokens": 40,
          "cacheWrite1hTokens": 10,
          "outputTokens": 410,
          "thinkingTokens": 100,
          "cacheHitRate": 0.9076175040518638,
          "costUsd": 0.007535,
          "savedUsd": 0.021245,
          "model": "claude-sonnet-5-5",
          "requestId": "req_7"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&report).unwrap());
    assert_eq!(report.tokens(), tokens);

    let bare = UsageReport::new("local", &Tokens::default(), None).miss_reason(Some("expired".into())).partial(true);
    let json = serde_json::to_value(&bare).unwrap();
    for key in ["cacheHitRate", "costUsd", "savedUsd", "requestId"] {
        assert_eq!(json.get(key), Some(&serde_json::Value::Null), "{key}");
    }
    assert_eq!((&json["partial"], &json["missReason"]), (&true.into(), &"expired".into()));
    assert_eq!(serde_json::from_value::<UsageReport>(json).unwrap(), bare);
}

#[test]
fn lines_for_people() {
    let model = models::find("claude-sonnet-5-5").unwrap();
    let line = |tokens: Tokens| UsageReport::new(&model.id, &tokens, cost(model, &tokens, false)).line();
    let none = Tokens::default();
    let dear = crate::claude::usage::Cost { usd: 0.695, uncached_usd: 0.6928 };
    for (line, expected) in [
        (
            line(Tokens { input: 1100, cache_read: 11_200, output: 410, ..none }),
            "12.3k in · 91% from cache · 410 out · $0.0074 (saved $0.0213)",
        ),
        (
            line(Tokens { input: 100, cache_write_5m: 4000, output: 999, ..none }),
            "4.1k in · 0% from cache · 999 out · $0.0202 (cache writes cost $0.0020 more)",
        ),
        (
            line(Tokens { input: 1100, output: 410, thinking: 300, ..none }),
            "1.1k in · 0% from cache · 410 out (300 thinking) · $0.0063",
        ),
        (line(none), "0 in · 0 out · $0.0000"),
        (line(Tokens { input: 1, ..none }), "1 in · 0% from cache · 0 out · <$0.0001"),
        (
            UsageReport::new("local", &Tokens { input: 5, output: 6, ..none }, None).partial(true).line(),
            "5 in · 0% from cache · 6 out · price unknown",
        ),
        (
            // In front of it comes the outcome, behind it `simulated`: no more than 120 columns in all.
            UsageReport::new("m", &Tokens { input: 100, cache_write_5m: 155_500, output: 12_400, ..none }, Some(dear))
                .partial(true)
                .line(),
            "155k in · 0% from cache · 12.4k out · at least $0.6950 (cache writes cost $0.0022 more)",
        ),
    ] {
        assert_eq!(line, expected);
    }
}

#[test]
fn amounts_are_short() {
    for (count, expected) in [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (12_345, "12.3k"),
        (99_950, "100k"),
        (100_000, "100k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (1_250_000, "1.3M"),
        (u64::from(u32::MAX), "4.3G"),
    ] {
        assert_eq!(words::amount(count), expected);
    }
    assert_eq!(words::dollars(0.99996), "$1.00");
    assert_eq!(words::percent(0.9999), "99%");
    assert_eq!(words::percent(0.001), "<1%");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn totals_are_the_sum_of_the_rows(
        rows in prop::collection::vec((0_usize..100, 0_u64..3_000_000, 0_u64..50_000, any::<bool>(), 0_i64..3_000_000_000), 1..60)
    ) {
        let ledger = Ledger::in_memory();
        let mut expected = Totals::default();
        for (model, input, output, batch, seconds) in rows {
            let model = &models::all()[model % models::all().len()];
            let tokens = tokens(input, output);
            let cost = cost(model, &tokens, batch);
            let mut attempt = attempt("explain", &model.id, "2026-11-23T08:00:00Z", tokens);
            attempt.cost_usd = cost.map(|cost| cost.usd);
            attempt.saved_usd = cost.map(|cost| cost.saved());
            attempt.started = Timestamp::from_second(seconds).unwrap();
            ledger.record(&attempt).unwrap();
            expected.add(&attempt);
        }
        let close = |a: Totals, b: Totals| {
            a.tokens == b.tokens && a.attempts == b.attempts && a.unpriced == b.unpriced
                && (a.known_cost_usd - b.known_cost_usd).abs() < 1e-9 && (a.known_saved_usd - b.known_saved_usd).abs() < 1e-9
        };
        prop_assert!(close(ledger.totals(None).unwrap(), expected));
        for by in [By::Day, By::Action, By::Model, By::Project, By::ActionAndModel] {
            let mut sum = Totals::default();
            ledger.rows_in(None, by, &TimeZone::UTC).unwrap().into_iter().for_each(|row| sum += row.totals);
            prop_assert!(close(sum, expected), "{by:?}");
        }
    }
}

#[test]
fn a_conversation_grows_turn_by_turn_and_one_of_two_writers_notices() {
    let ledger = Ledger::in_memory();
    let first = explanation("e1", "x", "2026-11-23T10:00:00Z");
    ledger.save(&first).unwrap();
    let turn = |question: &str| StoredTurn {
        job: "job-2".into(),
        question: question.into(),
        answer: "Because. 🧺".into(),
        thoughts: "Hm.".into(),
        model: "claude-sonnet-5-5".into(),
        tokens: tokens(5, 9),
        cost_usd: Some(0.25),
        created: "2026-11-24T10:00:00Z".parse().unwrap(),
        simulated: false,
    };
    assert!(ledger.turns("e1").unwrap().is_empty());
    assert!(ledger.append("e1", 0, &turn("Why?"), "[1]").unwrap());
    assert!(!ledger.append("e1", 0, &turn("At the same time?"), "[2]").unwrap(), "it went on since");
    assert!(ledger.append("e1", 1, &turn("And?"), "[3]").unwrap());
    assert!(!ledger.append("gone", 0, &turn("Why?"), "[4]").unwrap());
    assert_eq!(ledger.turns("e1").unwrap(), [turn("Why?"), turn("And?")]);
    assert_eq!(ledger.conversation_of("job-2").unwrap().as_deref(), Some("e1"));
    assert_eq!(ledger.conversation_of("e1").unwrap(), None);
    assert_eq!(ledger.load("e1").unwrap().unwrap(), StoredExplanation { messages: "[3]".into(), ..first });
}

#[test]
fn the_last_conversation_is_the_one_that_was_gone_on_with_last() {
    let ledger = Ledger::in_memory();
    let at = |id: &str, uri: &str, action: &str, created: &str| StoredExplanation {
        uri: uri.into(),
        action: action.into(),
        ..explanation(id, id, created)
    };
    ledger.save(&at("old", "file:///w/a.py", "explain", "2026-11-23T10:00:00Z")).unwrap();
    ledger.save(&at("new", "file:///w/b.py", "review", "2026-11-23T11:00:00Z")).unwrap();
    ledger.save(&at("other", "file:///x/a.py", "explain", "2026-11-23T12:00:00Z")).unwrap();
    ledger.save(&at("hover", "file:///w/a.py", "hover", "2026-11-23T13:00:00Z")).unwrap();
    let last = |uri: &str, exact: bool| ledger.last_conversation(uri, exact).unwrap().map(|found| found.id);
    assert_eq!(last("file:///w/", false).as_deref(), Some("new"));
    assert_eq!(last("file:///w/a.py", true).as_deref(), Some("old"));
    assert_eq!(last("file:///w/a", true), None);
    assert_eq!(last("file:///y/", false), None);
    let turn = StoredTurn {
        job: "job-2".into(),
        question: "Why?".into(),
        answer: "Because.".into(),
        thoughts: String::new(),
        model: "claude-sonnet-5-5".into(),
        tokens: tokens(5, 9),
        cost_usd: None,
        created: "2026-11-24T10:00:00Z".parse().unwrap(),
        simulated: false,
    };
    assert!(ledger.append("old", 0, &turn, "[]").unwrap());
    assert_eq!(last("file:///w/", false).as_deref(), Some("old"));
}
