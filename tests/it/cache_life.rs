//! The life of the cache: who goes first, what is warm, why it missed, and that the bill is right in every case.

use std::time::{Duration, Instant};

use aside::ledger::Ledger;
use serde_json::{Value, json};

use crate::support::http::Recorder;
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

/// Bindings are dropped from the last on, so the client comes behind what it needs.
struct Fixture {
    sandbox: Sandbox,
    simulator: Simulator,
    client: Client,
    uri: String,
    text: String,
}

fn start(scenario: Option<&str>, config: &str) -> Fixture {
    let sandbox = Sandbox::new();
    sandbox.configure(config);
    let text = sandbox.example("inventory.py");
    let simulator = Simulator::start(&sandbox, scenario, None);
    let client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    Fixture { sandbox, simulator, client, uri, text }
}

/// Jobs that differ in nothing but the selection.
fn explain_many(client: &mut Client, uri: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| client.run("explain", uri, number * 100..number * 100 + 300)).collect()
}

fn rows(simulator: &Simulator) -> Vec<Value> {
    simulator.account()["requests"].as_array().unwrap().clone()
}

/// Before that, a scenario's first step could still go to another request than the first.
fn wait_for_arrival(simulator: &Simulator) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while simulator.account()["stalled"] != 1 {
        assert!(Instant::now() < deadline, "no request is held back");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key} in {value}"))
}

/// The session's totals are what the simulator counted, to the token.
fn assert_bill(client: &mut Client, simulator: &Simulator) {
    let totals = client.request("aside/usage", Value::Null).unwrap()["session"].clone();
    let rows = rows(simulator);
    for (name, keys) in [
        ("inputTokens", &["input_tokens"][..]),
        ("cacheReadTokens", &["cache_read_tokens"]),
        ("cacheWriteTokens", &["cache_write_5m_tokens", "cache_write_1h_tokens"]),
        ("outputTokens", &["output_tokens"]),
    ] {
        let sum: u64 = rows.iter().flat_map(|row| keys.iter().map(|key| number(row, key))).sum();
        assert_eq!(number(&totals, name), sum, "{name}: {totals}\n{rows:#?}");
    }
}

fn wait_for_report(client: &Client, job: &str, words: &str) {
    client.wait_for(&format!("`{words}` in the progress of {job}"), |editor| {
        let progress = editor.progress.iter().find(|(token, _)| token.contains(job))?.1;
        progress.reports.iter().find(|report| report["message"].as_str().is_some_and(|it| it.contains(words))).map(drop)
    });
}

fn wait_until_warm(client: &Client) {
    client.wait_for("something warm", |editor| {
        editor.status.iter().find(|status| status["warm"].as_array().is_some_and(|warm| !warm.is_empty())).map(drop)
    });
}

/// The job that went first, and the others.
fn first_and_others(client: &Client, jobs: &[String]) -> (String, Vec<String>) {
    let first = client.wait_for("a job to go first", |editor| {
        let begun = editor.stream.iter().find(|event| event["kind"] == "begin")?;
        Some(begun["job"].as_str().unwrap().to_owned())
    });
    let others = jobs.iter().filter(|job| **job != first).cloned().collect();
    (first, others)
}

#[test]
fn of_many_with_one_cold_prefix_one_goes_first_and_all_others_read_what_it_wrote() {
    // Its answer begins late, so the others are there before it.
    let scenario = "[[step]]\nstall = { at = \"headers\", ms = 400 }\n";
    let Fixture { sandbox: _sandbox, simulator, mut client, uri, .. } = start(Some(scenario), "");
    let jobs = explain_many(&mut client, &uri, 5);
    for job in &jobs {
        assert_eq!(client.stream_end(job)["outcome"], "shown");
    }
    let rows = rows(&simulator);
    assert_eq!(rows.len(), 5);
    let writers: Vec<_> = rows.iter().filter(|row| number(row, "cache_write_5m_tokens") > 0).collect();
    assert_eq!(writers.len(), 1, "written once: {rows:#?}");
    let written = number(writers[0], "cache_write_5m_tokens");
    assert_eq!(rows.iter().filter(|row| number(row, "cache_read_tokens") == written).count(), 4, "{rows:#?}");
    assert_bill(&mut client, &simulator);
    client.read_all();
}

#[test]
fn when_the_first_is_cancelled_the_next_goes() {
    let scenario = "[[step]]\nstall = { at = \"headers\" }\n";
    let Fixture { sandbox: _sandbox, simulator, mut client, uri, .. } = start(Some(scenario), "");
    let jobs = explain_many(&mut client, &uri, 3);
    let (first, others) = first_and_others(&client, &jobs);
    for job in &others {
        wait_for_report(&client, job, "waiting for the cache");
    }
    wait_for_arrival(&simulator);
    client.execute("aside.cancel", json!({"job": first})).unwrap();
    assert_eq!(client.stream_end(&first)["outcome"], "cancelled");
    let ends: Vec<_> = others.iter().map(|job| client.stream_end(job)).collect();
    let missed = ends.iter().filter(|end| end["usage"]["missReason"] == "first").count();
    assert_eq!(missed, 1, "one wrote, the other read: {ends:#?}");
    assert_bill(&mut client, &simulator);
    client.read_all();
}

#[test]
fn who_waits_can_be_cancelled() {
    let scenario = "[[step]]\nstall = { at = \"headers\" }\n";
    let Fixture { sandbox: _sandbox, simulator, mut client, uri, .. } = start(Some(scenario), "");
    let jobs = explain_many(&mut client, &uri, 2);
    let (first, others) = first_and_others(&client, &jobs);
    wait_for_report(&client, &others[0], "waiting for the cache");
    wait_for_arrival(&simulator);
    client.execute("aside.cancel", json!({"job": others[0]})).unwrap();
    let end = client.stream_end(&others[0]);
    assert_eq!(end["outcome"], "cancelled");
    assert!(end.get("usage").is_none(), "nothing was sent: {end}");
    client.execute("aside.cancel", json!({"job": first})).unwrap();
    client.stream_end(&first);
    assert!(rows(&simulator).iter().all(|row| row["complete"] == false));
    client.read_all();
}

#[test]
fn when_the_first_fails_the_next_goes_even_with_a_single_place() {
    let scenario = "[[step]]\nstatus = 500\n\n[[step]]\nstatus = 529\nheaders = { x-should-retry = \"false\" }\n";
    let Fixture { sandbox: _sandbox, simulator, mut client, uri, .. } =
        start(Some(scenario), "max_running = 1\n[api]\nmax_retries = 0\n");
    let jobs = explain_many(&mut client, &uri, 4);
    let mut outcomes: Vec<_> =
        jobs.iter().map(|job| client.stream_end(job)["outcome"].as_str().unwrap().to_owned()).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["failed", "failed", "shown", "shown"]);
    assert_bill(&mut client, &simulator);
    client.read_all();
}

#[test]
fn a_retry_of_the_first_holds_nobody_up() {
    // An attempt that fails is over for those who wait, however long its own next one takes.
    let scenario = "[[step]]\nstatus = 529\nheaders = { retry-after = \"40\" }\n";
    let Fixture { sandbox: _sandbox, simulator, mut client, uri, .. } = start(Some(scenario), "");
    let jobs = explain_many(&mut client, &uri, 2);
    let first = client.wait_for("one of them to end", |editor| {
        editor.stream.iter().find(|event| event["kind"] == "end").map(|event| event["job"].as_str().unwrap().to_owned())
    });
    let other = jobs.iter().find(|job| **job != first).unwrap();
    client.execute("aside.cancel", json!({"job": other})).unwrap();
    assert_eq!(client.stream_end(other)["outcome"], "cancelled");
    assert_bill(&mut client, &simulator);
    client.read_all();
}

#[test]
fn why_it_missed_is_told_with_the_usage_at_the_end_and_in_the_status() {
    let Fixture { sandbox, simulator, mut client, uri, text } = start(None, "[cache]\nlayout = \"plain\"\n");
    sandbox.write("AGENTS.md", "Say please in comments.\n".repeat(60));
    let run = |client: &mut Client| client.run_to_end("explain", &uri, 0..300)["usage"].clone();
    let first = run(&mut client);
    assert_eq!(first["missReason"], "first", "{first}");
    let again = run(&mut client);
    assert!(again.get("missReason").is_none(), "all of it was read: {again}");
    client.edit(&uri, text.len()..text.len(), "\n# changed\n");
    let changed = run(&mut client);
    assert_eq!(changed["missReason"], "document", "{changed}");
    assert!(number(&changed, "cacheReadTokens") > 0, "the rest was read: {changed}");
    sandbox.write("AGENTS.md", "Say thank you in comments.\n".repeat(60));
    let rules = run(&mut client);
    assert_eq!(rules["missReason"], "rules", "{rules}");
    client.notify("workspace/didChangeConfiguration", json!({"settings": {"thinking": {"effort": "low"}}}));
    let settings = run(&mut client);
    assert_eq!(settings["missReason"], "settings", "{settings}");
    client.notify("workspace/didChangeConfiguration", json!({"settings": {"model": "claude-haiku-5-5"}}));
    let model = run(&mut client);
    assert_eq!(model["missReason"], "model", "{model}");
    let ended = client.ended_progress(6);
    let messages: Vec<_> = ended.iter().map(|it| it.end.as_ref().unwrap()["message"].as_str().unwrap()).collect();
    assert!(messages[2].contains("document"), "{messages:#?}");
    assert!(messages[1].contains("cache warm until "), "{messages:#?}");
    let status = client.wait_for("the miss in the status", |editor| {
        editor.status.iter().rfind(|status| status["lastMiss"]["reason"] == "model").cloned()
    });
    let documents = status["warm"].as_array().unwrap().iter().filter(|it| it["layer"] == "document");
    let mut models: Vec<_> = documents.filter(|it| it["uri"] == uri.as_str()).map(|it| it["model"].clone()).collect();
    models.dedup();
    models.sort_by_key(ToString::to_string);
    models.dedup();
    assert_eq!(models, [json!("claude-haiku-5-5"), json!("claude-sonnet-5-5")], "{status}");
    assert_bill(&mut client, &simulator);
    client.read_all();
}

#[test]
fn another_process_knows_what_was_sent() {
    let Fixture { sandbox, simulator, mut client, uri, text } = start(None, "[cache]\nlayout = \"plain\"\n");
    client.run_to_end("explain", &uri, 0..300);
    client.read_all();
    drop(client);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    client.open(&uri, "python", &text);
    let same = client.run_to_end("document", &uri, text.find("def parse_price").unwrap()..text.len());
    assert!(same["usage"].get("missReason").is_none(), "{same}");
    client.read_all();
    drop(client);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    client.open(&uri, "python", &format!("{text}\n# changed\n"));
    let changed = client.run_to_end("explain", &uri, 0..300);
    assert_eq!(changed["usage"]["missReason"], "document", "{changed}");
    client.read_all();
}

#[test]
fn the_api_is_asked_why_when_the_user_wants_it() {
    let sandbox = Sandbox::new();
    sandbox.configure("[cache]\ndiagnostics = true\n");
    let text = sandbox.example("inventory.py");
    let simulator = Simulator::start(&sandbox, None, None);
    let recorder = Recorder::start(&simulator.url);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(recorder.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    client.run_to_end("explain", &uri, 0..300);
    client.run_to_end("explain", &uri, 300..600);
    client.read_all();
    let exchanges = recorder.exchanges(2);
    assert_eq!(exchanges[0].request["diagnostics"], json!({"previous_message_id": null}));
    let first = exchanges[0].response.iter().find(|event| event["type"] == "message_start").unwrap();
    assert_eq!(exchanges[1].request["diagnostics"], json!({"previous_message_id": first["message"]["id"]}));
}

#[test]
fn a_gateway_that_does_not_know_the_question_is_not_asked_again() {
    let scenario = "[[step]]\nstatus = 400\nerror = { message = \"diagnostics: Extra inputs are not permitted\" }\n";
    let Fixture { sandbox: _sandbox, simulator, mut client, uri, .. } =
        start(Some(scenario), "[cache]\ndiagnostics = true\n");
    let first = client.run_to_end("explain", &uri, 0..300);
    assert_eq!(first["outcome"], "shown", "{first}");
    assert!(first["note"].as_str().is_some_and(|note| note.contains("`cache.diagnostics = false`")), "{first}");
    let second = client.run_to_end("explain", &uri, 300..600);
    assert!(second["note"].is_null(), "said once: {second}");
    let statuses: Vec<_> = rows(&simulator).iter().map(|row| row["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [400, 200, 200]);
    assert_bill(&mut client, &simulator);
    client.read_all();
}

#[test]
fn opening_a_document_warms_its_project_if_that_is_wanted() {
    let Fixture { sandbox, simulator, mut client, uri, .. } = start(None, "[cache]\nprewarm = true\n");
    wait_until_warm(&client);
    client.open(&sandbox.uri("other.py"), "python", "def other():\n    return 1\n");
    let result = client.run_to_end("explain", &uri, 0..300);
    let rows = rows(&simulator);
    assert_eq!(rows.len(), 2, "once a project: {rows:#?}");
    assert_eq!((&rows[0]["stream"], &rows[0]["output_tokens"]), (&json!(false), &json!(0)));
    let written = number(&rows[0], "cache_write_5m_tokens");
    assert!(written > 0, "{rows:#?}");
    assert_eq!(number(&result["usage"], "cacheReadTokens"), written, "{result}");
    assert_bill(&mut client, &simulator);
    let usage = client.request("aside/usage", Value::Null).unwrap();
    let actions: Vec<_> = usage["rows"].as_array().unwrap().iter().map(|row| row["action"].clone()).collect();
    assert_eq!(actions, [json!("explain"), json!("prewarm")]);
    let told: Vec<_> = rows.iter().map(|row| row["request_id"].clone()).collect();
    let attempts = Ledger::open(&sandbox.path("data/aside/usage.sqlite3")).0.attempts(None).unwrap();
    let kept: Vec<_> = attempts.iter().map(|attempt| json!(attempt.request_id)).collect();
    assert_eq!(kept, told, "what nobody asked for has a name, too");
    client.read_all();
}

#[test]
fn what_several_wait_for_is_written_on_its_own_if_that_is_wanted() {
    // The workspace's own warming comes first, then the job that never gets an answer.
    let scenario = "[[step]]\nmatch = { stream = true }\nstall = { at = \"headers\" }\n";
    let Fixture { sandbox: _sandbox, simulator, mut client, uri, .. } =
        start(Some(scenario), "[cache]\nprewarm = true\n");
    wait_until_warm(&client);
    let jobs = explain_many(&mut client, &uri, 4);
    let (stuck, others) = first_and_others(&client, &jobs);
    for job in &others {
        wait_for_report(&client, job, "waiting for the cache");
    }
    wait_for_arrival(&simulator);
    client.execute("aside.cancel", json!({"job": stuck})).unwrap();
    for job in &others {
        assert_eq!(client.stream_end(job)["outcome"], "shown");
    }
    let rows = rows(&simulator);
    let warming: Vec<_> = rows.iter().filter(|row| row["stream"] == false).collect();
    assert_eq!(warming.len(), 2, "the project's, and the document's: {rows:#?}");
    let answered: Vec<_> = rows.iter().filter(|row| row["stream"] == true && row["complete"] == true).collect();
    assert_eq!(answered.len(), 3, "{rows:#?}");
    assert!(answered.iter().all(|row| number(row, "cache_write_5m_tokens") == 0), "all read: {rows:#?}");
    assert_bill(&mut client, &simulator);
    client.read_all();
}
