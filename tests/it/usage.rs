//! The bill. What Aside says a request took is what the API says, to the token, whatever happened on the way.

use serde_json::{Value, json};

use crate::support::http::Recorder;
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

/// The fields of a `usage` object that count tokens, with what they are called in a row of the simulator's account.
fn tokens_of_row(row: &Value) -> Value {
    let number = |key: &str| row[key].as_u64().unwrap_or_else(|| panic!("{key} in {row}"));
    json!({
        "inputTokens": number("input_tokens"),
        "cacheReadTokens": number("cache_read_tokens"),
        "cacheWriteTokens": number("cache_write_5m_tokens") + number("cache_write_1h_tokens"),
        "cacheWrite1hTokens": number("cache_write_1h_tokens"),
        "outputTokens": number("output_tokens"),
        "thinkingTokens": number("thinking_tokens"),
    })
}

const COUNTS: [&str; 6] =
    ["inputTokens", "cacheReadTokens", "cacheWriteTokens", "cacheWrite1hTokens", "outputTokens", "thinkingTokens"];

fn sum(rows: &[Value]) -> Value {
    COUNTS.iter().map(|key| (*key, rows.iter().map(|row| tokens_of_row(row)[key].as_u64().unwrap()).sum::<u64>())).fold(
        json!({}),
        |mut total, (key, count)| {
            total[key] = json!(count);
            total
        },
    )
}

fn assert_same(usage: &Value, expected: &Value, context: &str) {
    for key in COUNTS {
        assert_eq!(usage[key], expected[key], "{context}: {key}\nusage {usage}\naccount {expected}");
    }
}

/// The totals of the session, by the request and by the command.
fn totals(client: &mut Client) -> Value {
    let by_request = client.request("aside/usage", Value::Null).expect("aside/usage answers");
    let by_command = client.execute("aside.usage", Value::Null).expect("aside.usage answers");
    assert_eq!(by_request["session"], by_command["session"]);
    assert!(by_request["rows"].is_array() && by_request["day"].is_object(), "{by_request}");
    by_request
}

fn rows(simulator: &Simulator) -> Vec<Value> {
    simulator.account()["requests"].as_array().unwrap().clone()
}

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

#[test]
fn every_request_is_counted_to_the_token() {
    for ttl in ["auto", "5m", "1h"] {
        let Fixture { sandbox, simulator, mut client, uri, text } = start(None, &format!("[cache]\nttl = \"{ttl}\"\n"));
        let report = text.find("def restock_report").unwrap();
        let mut usages = Vec::new();
        for (action, span) in [
            ("explain", 0..700),
            ("add-type-hints", report..text.len()),
            ("write-tests", 0..900),
            ("explain", 100..300),
        ] {
            let result = client.run_to_end(action, &uri, span);
            usages.push(result["usage"].clone());
        }
        let rows = rows(&simulator);
        assert_eq!(rows.len(), usages.len(), "{rows:#?}");
        for (usage, row) in usages.iter().zip(&rows) {
            assert_same(usage, &tokens_of_row(row), ttl);
            assert_eq!(usage["requestId"], row["request_id"]);
            assert!(usage["costUsd"].as_f64().is_some_and(|cost| cost > 0.0), "{usage}");
            assert!(usage.get("partial").is_none_or(|partial| partial == false), "{usage}");
        }
        assert!(rows[1]["cache_read_tokens"].as_u64().unwrap() > 0, "the second reads what the first wrote: {rows:#?}");
        if ttl == "1h" {
            assert!(rows[0]["cache_write_1h_tokens"].as_u64().unwrap() > 0, "{rows:#?}");
            assert_eq!(rows[0]["cache_write_5m_tokens"], 0, "{rows:#?}");
        }
        let all = totals(&mut client);
        assert_same(&all["session"], &sum(&rows), "session");
        assert_same(&all["day"], &sum(&rows), "day");
        client.read_all();
        drop(client);
        // A new session starts at nothing, the day goes on.
        let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
        let all = totals(&mut client);
        assert_eq!(all["session"]["outputTokens"], 0, "{all}");
        assert_same(&all["day"], &sum(&rows), "the day in a new session");
    }
}

#[test]
fn the_second_action_reads_most_of_its_prompt_from_the_cache() {
    let Fixture { sandbox: _sandbox, simulator: _simulator, mut client, uri, text } = start(None, "");
    let report = text.find("def restock_report").unwrap();
    client.run_to_end("explain", &uri, report..text.len());
    let second = client.run_to_end("add-type-hints", &uri, report..text.len());
    let rate = second["usage"]["cacheHitRate"].as_f64().unwrap();
    assert!(rate > 0.5, "most of it: {second}");
    assert!(second["usage"]["savedUsd"].as_f64().unwrap() > 0.0, "{second}");
    let ended = client.ended_progress(2);
    let told = ended.iter().filter_map(|progress| progress.end.as_ref()?["message"].as_str());
    let percent = format!("{:.0}%", rate * 100.0);
    let told: Vec<_> = told.collect();
    assert!(told.iter().any(|message| message.replace(' ', "").contains(&percent)), "{percent} in {told:?}");
    client.read_all();
}

#[test]
fn a_failed_attempt_is_not_counted_twice() {
    let scenario = "[[step]]\nstatus = 529\nheaders = { retry-after-ms = \"1\" }\n\n\
                    [[step]]\nstatus = 500\nheaders = { retry-after-ms = \"1\" }\n";
    let Fixture { sandbox: _sandbox, simulator, mut client, uri, text } = start(Some(scenario), "");
    let result = client.run_to_end("explain", &uri, 0..text.len());
    assert_eq!(result["outcome"], "shown", "{result}");
    let rows = rows(&simulator);
    let statuses: Vec<_> = rows.iter().map(|row| row["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [529, 500, 200]);
    assert_same(&result["usage"], &tokens_of_row(&rows[2]), "the attempt that worked");
    assert_same(&totals(&mut client)["session"], &sum(&rows), "session");
    let begins = client.stream(result["job"].as_str().unwrap()).iter().filter(|event| event["kind"] == "begin").count();
    assert!(begins >= 1);
    client.read_all();
}

#[test]
fn an_answer_that_breaks_off_counts_what_was_reported() {
    let scenario = "[[step]]\ntimes = \"always\"\ncut = { after_deltas = 3 }\n";
    let Fixture { sandbox: _sandbox, simulator, mut client, uri, text } =
        start(Some(scenario), "[api]\nmax_retries = 0\n");
    let result = client.run_to_end("add-type-hints", &uri, 0..text.len());
    assert_eq!(result["outcome"], "failed", "{result}");
    assert_eq!(result["error"]["kind"], "network", "{result}");
    assert_eq!(result["usage"]["partial"], true, "{result}");
    assert_same(&result["usage"], &sum(&rows(&simulator)), "the broken one");
    assert_same(&totals(&mut client)["session"], &sum(&rows(&simulator)), "session");
    assert_eq!(client.text(&uri), text, "nothing of a broken answer is applied");
    client.read_all();
}

#[test]
fn a_cancelled_request_counts_what_was_reported_and_is_marked() {
    let scenario = "[[step]]\ntimes = \"always\"\nstall = { at = \"delta\", deltas = 2 }\n";
    let Fixture { sandbox: _sandbox, simulator, mut client, uri, text } = start(Some(scenario), "");
    let job = client.run("explain", &uri, 0..text.len());
    client.first_text(&job);
    client.execute("aside.cancel", json!({"job": job})).unwrap();
    let end = client.stream_end(&job);
    assert_eq!(end["usage"]["partial"], true, "{end}");
    assert_same(&end["usage"], &sum(&rows(&simulator)), "the cancelled one");
    let session = &totals(&mut client)["session"];
    assert_eq!((&session["partial"], &session["partialRequests"]), (&json!(true), &json!(1)), "{session}");
    assert_same(&totals(&mut client)["session"], &sum(&rows(&simulator)), "session");
    client.read_all();
}

#[test]
fn both_requests_of_a_repaired_answer_are_paid() {
    let scenario = "[[step]]\nanswer = 'No code here.'\n\n\
                    [[step]]\nanswer = '''```python\ndef one() -> int:\n    return 1\n```'''\n";
    let Fixture { sandbox, simulator, mut client, .. } = start(Some(scenario), "");
    let uri = sandbox.uri("one.py");
    client.open(&uri, "python", "def one():\n    return 1\n");
    let result = client.run_to_end("add-type-hints", &uri, 0..24);
    assert_eq!(result["outcome"], "applied", "{result}");
    let rows = rows(&simulator);
    assert_eq!(rows.len(), 2);
    assert_same(&result["usage"], &sum(&rows), "the action's whole price");
    assert_same(&totals(&mut client)["session"], &sum(&rows), "session");
    client.read_all();
}

#[test]
fn thinking_is_counted_apart() {
    let scenario = "[[step]]\nthinking = 'Let me think about this for a while.'\nanswer = 'It gives one.'\n";
    let Fixture { sandbox: _sandbox, simulator, mut client, uri, .. } = start(Some(scenario), "");
    let result = client.run_to_end("explain", &uri, 0..300);
    let rows = rows(&simulator);
    assert!(rows[0]["thinking_tokens"].as_u64().unwrap() > 0, "{rows:#?}");
    assert_same(&result["usage"], &tokens_of_row(&rows[0]), "with thinking");
    client.read_all();
}

#[test]
fn the_totals_may_be_asked_for_with_or_without_params() {
    let Fixture { sandbox: _sandbox, simulator: _simulator, mut client, .. } = start(None, "");
    // Libraries differ in what they send for "nothing".
    let without = client.request("aside/usage", Value::Null);
    assert!(without.is_ok());
    assert_eq!(client.request("aside/usage", json!({})), without);
    assert_eq!(client.request("aside/usage", json!([])), without);
}

#[test]
fn a_status_bar_has_something_to_show_from_the_beginning() {
    let sandbox = Sandbox::new();
    let status = |client: &Client| client.wait_for("a first status", |editor| editor.status.first().cloned());
    let mut client = Client::start(&sandbox, ClientOptions::default());
    let first = status(&client);
    assert_eq!(first["running"], json!([]));
    assert_eq!((&first["day"]["requests"], &first["session"]["requests"]), (&json!(0), &json!(0)), "{first}");
    assert!(!sandbox.path("data/aside/usage.sqlite3").exists(), "looking makes no ledger");
    let text = sandbox.example("inventory.py");
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    client.run_to_end("explain", &uri, 0..300);
    client.read_all();
    drop(client);
    let next = Client::start(&sandbox, ClientOptions::default());
    let first = status(&next);
    assert_eq!((&first["day"]["requests"], &first["session"]["requests"]), (&json!(1), &json!(0)), "{first}");
    drop(next);
}

#[test]
fn who_wants_no_status_opens_no_ledger_by_starting() {
    let sandbox = Sandbox::new();
    // A folder in the place of the file: whoever opens it has something to complain of.
    std::fs::create_dir_all(sandbox.path("data/aside/usage.sqlite3")).unwrap();
    let silent = ClientOptions::default().announce("experimental/aside/status", json!(false));
    let mut client = Client::start(&sandbox, silent);
    let error = client.execute("aside.cancel", json!({"job": "none"}));
    assert!(!format!("{error:?}").contains("ledger"), "{error:?}");
    assert_eq!(client.read_all(), Vec::<Value>::new());
    assert!(client.editor().status.is_empty());
}

#[test]
fn two_servers_share_the_day() {
    let Fixture { sandbox, simulator, mut client, uri, text } = start(None, "");
    let mut second = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    second.open(&uri, "python", &text);
    client.run_to_end("explain", &uri, 0..300);
    second.run_to_end("explain", &uri, 300..600);
    let expected = sum(&rows(&simulator));
    assert_same(&totals(&mut client)["day"], &expected, "the day, seen by the first");
    assert_same(&totals(&mut second)["day"], &expected, "the day, seen by the second");
    assert_ne!(totals(&mut client)["session"], totals(&mut client)["day"]);
    client.read_all();
    second.read_all();
}

#[test]
fn the_wire_says_the_same_as_the_bill() {
    // The simulator's account is the program's own code: this one adds up what really went over the wire.
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let simulator = Simulator::start(&sandbox, None, None);
    let recorder = Recorder::start(&simulator.url);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(recorder.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let first = client.run_to_end("explain", &uri, 0..700);
    let second = client.run_to_end("explain", &uri, 700..1500);
    client.read_all();
    drop(client);
    let exchanges = recorder.exchanges(2);
    let messages: Vec<_> = exchanges.iter().filter(|exchange| exchange.target == "POST /v1/messages").collect();
    assert_eq!(messages.len(), 2, "{exchanges:#?}");
    for (exchange, result) in messages.iter().zip([first, second]) {
        assert_eq!(exchange.status, 200);
        let find = |kind: &str| exchange.response.iter().rfind(|event| event["type"] == kind).unwrap();
        let start = &find("message_start")["message"]["usage"];
        let end = &find("message_delta")["usage"];
        let usage = &result["usage"];
        assert_eq!(usage["inputTokens"], start["input_tokens"]);
        assert_eq!(usage["cacheReadTokens"], start["cache_read_input_tokens"]);
        assert_eq!(usage["cacheWriteTokens"], start["cache_creation_input_tokens"]);
        assert_eq!(usage["outputTokens"], end["output_tokens"]);
    }
    // The prefix is stable: what both share is sent byte for byte.
    assert_eq!(messages[0].request["system"], messages[1].request["system"]);
    assert_eq!(messages[0].request["messages"][0]["content"][0], messages[1].request["messages"][0]["content"][0]);
    for exchange in messages {
        assert!(exchange.headers.iter().any(|header| header.to_lowercase().starts_with("x-api-key: sk-ant-test")));
        assert_eq!(exchange.request["stream"], true);
        assert!(exchange.request.get("temperature").is_none(), "not asked for, so not sent");
    }
}
