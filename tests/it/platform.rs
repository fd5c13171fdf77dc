//! What the platform does beside answering: answers that end early, limits that are kept, models that change, and servers
//! that know none of it.

use serde_json::{Value, json};

use super::run::streamed_text;
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.example("inventory.py");
    sandbox
}

/// One action on the example, in a process of its own: its `--json` and its standard error.
fn act(sandbox: &Sandbox, simulator: &Simulator, arguments: &[&str]) -> (Value, String) {
    let mut command = sandbox.aside();
    command.arg("act").args(arguments).arg("--json");
    command.env("ANTHROPIC_BASE_URL", simulator.url.as_str()).env("ANTHROPIC_API_KEY", "sk-ant-test");
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    (said, stderr)
}

const EXPLAIN: [&str; 2] = ["explain", "inventory.py"];

fn explain(sandbox: &Sandbox, simulator: &Simulator) -> Value {
    act(sandbox, simulator, &EXPLAIN).0
}

fn statuses(simulator: &Simulator) -> Vec<u64> {
    let account = simulator.account();
    account["requests"].as_array().unwrap().iter().map(|row| row["status"].as_u64().unwrap()).collect()
}

fn note(said: &Value) -> &str {
    said["note"].as_str().unwrap_or_default()
}

/// A limit under which an answer has to come in so many parts.
fn limit_for(said: &Value, parts: u64) -> u64 {
    let [output, thinking] = ["outputTokens", "thinkingTokens"].map(|name| said["usage"][name].as_u64().unwrap());
    assert!(output > thinking + 20, "an answer that is worth cutting: {said}");
    thinking + (output - thinking) / parts + 2
}

#[test]
fn an_explanation_that_reaches_the_limit_goes_on() {
    let sandbox = sandbox();
    let simulator = Simulator::start(&sandbox, None, None);
    let whole = explain(&sandbox, &simulator);
    assert_eq!(note(&whole), "");
    sandbox.configure(&format!("max_output_tokens = {}\n", limit_for(&whole, 3)));
    let joined = explain(&sandbox, &simulator);
    assert_eq!(joined["outcome"], "shown", "{joined}");
    assert_eq!(joined["explanation"], whole["explanation"], "nothing twice, nothing lost");
    assert_eq!(note(&joined), "", "nobody needs to know");
    let requests = statuses(&simulator).len() - 1;
    assert!((2..=4).contains(&requests), "{requests} parts");
    let output = |said: &Value| said["usage"]["outputTokens"].as_u64().unwrap();
    assert!(output(&joined) >= output(&whole), "all parts are on the bill: {joined}");
}

#[test]
fn an_explanation_without_end_ends_at_a_limit() {
    let sandbox = sandbox();
    let scenario =
        "[[step]]\ntimes = \"always\"\nanswer = \"And so on and so on, for ever.\"\nstop_reason = \"max_tokens\"\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let said = explain(&sandbox, &simulator);
    assert_eq!(said["outcome"], "shown", "{said}");
    assert_eq!(statuses(&simulator).len(), 5, "one, and four times the rest of it");
    assert!(note(&said).contains("5 times") && note(&said).contains("max_output_tokens"), "{said}");
}

#[test]
fn a_part_that_does_not_come_leaves_what_came() {
    let sandbox = sandbox();
    let scenario = "[[step]]\nanswer = \"The beginning of it\"\nstop_reason = \"max_tokens\"\n[[step]]\ntimes = \"always\"\nstatus = 401\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let said = explain(&sandbox, &simulator);
    assert_eq!((&said["outcome"], &said["explanation"]), (&json!("shown"), &json!("The beginning of it")), "{said}");
    assert!(note(&said).contains("ends early") && note(&said).contains("key"), "{said}");
}

#[test]
fn a_part_that_breaks_off_is_kept_as_far_as_it_came() {
    let sandbox = sandbox();
    let scenario = "[[step]]\nanswer = \"The beginning of it\"\nstop_reason = \"max_tokens\"\n\
        [[step]]\nanswer = \" goes on for a while and then it stops for good\"\ncut = { after_deltas = 4 }\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &sandbox.read("inventory.py"));
    let said = client.run_to_end("explain", &uri, 0..300);
    let answer = said["explanation"].as_str().unwrap();
    assert!(answer.starts_with("The beginning of it goes"), "{said}");
    assert!(!answer.contains("for good"), "the end never came: {said}");
    assert_eq!(said["outcome"], "shown", "{said}");
    assert!(note(&said).contains("ends early"), "{said}");
    assert_eq!(streamed_text(&client.stream(said["job"].as_str().unwrap())), answer, "the stream has the same");
    client.read_all();
}

#[test]
fn an_edit_goes_on_once_and_is_looked_at_as_a_whole() {
    let sandbox = sandbox();
    let simulator = Simulator::start(&sandbox, None, None);
    let text = sandbox.read("inventory.py");
    let line = text.lines().position(|line| line.starts_with("def restock_report")).unwrap() + 1;
    let place = format!("inventory.py:{line}");
    let hints = |sandbox: &Sandbox| act(sandbox, &simulator, &["add-type-hints", &place]).0;
    let whole = hints(&sandbox);
    assert_eq!(whole["outcome"], "proposed", "{whole}");
    sandbox.configure(&format!("max_output_tokens = {}\n", limit_for(&whole, 2)));
    let joined = hints(&sandbox);
    assert_eq!(joined["edits"], whole["edits"], "{joined}");
    assert!(note(&joined).contains("two parts"), "{joined}");
    let before = statuses(&simulator).len();
    sandbox.configure(&format!("max_output_tokens = {}\n", limit_for(&whole, 4)));
    let cut = hints(&sandbox);
    assert_eq!((&cut["outcome"], &cut["error"]["kind"]), (&json!("failed"), &json!("truncated")), "{cut}");
    assert!(cut["explanation"].as_str().unwrap().contains("ends early"), "what came can be read: {cut}");
    assert_eq!(statuses(&simulator).len() - before, 2);
}

#[test]
fn what_is_declined_is_asked_of_the_other_model() {
    let sandbox = sandbox();
    let scenario = "[[step]]\ntimes = \"always\"\nmatch = { model = \"claude-sonnet-5-5\" }\nanswer = \"Let me\"\nstop_reason = \"refusal\"\nrefusal_category = \"cyber\"\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let said = explain(&sandbox, &simulator);
    assert_eq!(said["error"]["kind"], "refused", "{said}");
    assert!(said["error"]["message"].as_str().unwrap().contains("The scenario has the model decline"), "{said}");
    assert!(said["error"]["hint"].as_str().unwrap().contains("fallback_model"), "{said}");
    assert!(said["explanation"].is_null(), "what came before is void: {said}");

    sandbox.configure("fallback_model = \"claude-opus-5-5\"\n");
    let said = explain(&sandbox, &simulator);
    assert_eq!((&said["outcome"], &said["model"]), (&json!("shown"), &json!("claude-opus-5-5")), "{said}");
    assert!(said["explanation"].as_str().unwrap().contains("restock_report"), "{said}");
    assert!(note(&said).contains("claude-sonnet-5-5 declined") && note(&said).contains("claude-opus-5-5"), "{said}");
    sandbox.configure("fallback_model = \"claude-sonnet-5-5\"\n");
    assert_eq!(explain(&sandbox, &simulator)["error"]["kind"], "refused", "the same model is no other");
}

#[test]
fn what_was_streamed_before_a_refusal_is_void() {
    let sandbox = sandbox();
    let scenario = "[[step]]\nanswer = \"Let me help you with all of that\"\nstop_reason = \"refusal\"\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &sandbox.read("inventory.py"));
    let job = client.run("explain", &uri, 0..300);
    assert_eq!(client.stream_end(&job)["error"]["kind"], "refused");
    let events = client.stream(&job);
    assert!(events.iter().any(|event| event["kind"] == "text"), "something was streamed: {events:#?}");
    assert_eq!(streamed_text(&events), "", "since the last begin there is nothing");
    client.read_all();
}

#[test]
fn a_paused_turn_is_sent_back_as_it_is() {
    let sandbox = sandbox();
    let pause = "[[step]]\ntimes = 2\nstop_reason = \"pause_turn\"\n";
    let simulator = Simulator::start(&sandbox, Some(pause), None);
    let resumed = explain(&sandbox, &simulator);
    let whole = explain(&sandbox, &simulator);
    assert_eq!(statuses(&simulator), [200; 4], "the turn came back unchanged, with its thinking");
    assert_eq!((&resumed["outcome"], &resumed["explanation"]), (&json!("shown"), &whole["explanation"]), "{resumed}");
}

#[test]
fn ends_that_nobody_knows_break_nothing() {
    let sandbox = sandbox();
    let scenario = "[[step]]\nanswer = \"Fine.\"\nstop_reason = \"enlightenment\"\n\n\
        [[step]]\nanswer = \"So far.\"\nstop_reason = \"model_context_window_exceeded\"\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let odd = explain(&sandbox, &simulator);
    assert_eq!((&odd["outcome"], &odd["explanation"], note(&odd)), (&json!("shown"), &json!("Fine."), ""), "{odd}");
    let full = explain(&sandbox, &simulator);
    assert_eq!((&full["outcome"], &full["explanation"]), (&json!("shown"), &json!("So far.")), "{full}");
    assert!(note(&full).contains("context is full") && note(&full).contains("select less"), "{full}");
    assert_eq!(statuses(&simulator).len(), 2, "there is no room to go on in");
}

#[test]
fn a_limit_is_waited_for_before_it_is_passed() {
    let sandbox = sandbox();
    // Three at once, and a fourth of a second for each more.
    let simulator = Simulator::start(&sandbox, Some("[limits]\nrequests = 3\nseconds = 4\n"), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &sandbox.read("inventory.py"));
    client.run_to_end("explain", &uri, 0..300);
    let jobs: Vec<String> = (0..5).map(|start| client.run("explain", &uri, start..300)).collect();
    for job in &jobs {
        assert_eq!(client.stream_end(job)["outcome"], "shown");
    }
    assert_eq!(statuses(&simulator), [200; 6], "nothing was refused");
    let lines: Vec<String> = client
        .ended_progress(6)
        .iter()
        .flat_map(|progress| &progress.reports)
        .filter_map(|report| Some(report["message"].as_str()?.to_owned()))
        .collect();
    assert!(lines.iter().any(|line| line.contains("Waiting for the server's limit of requests: 2 s.")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("Waiting for the server's limit of requests: 1 s.")), "{lines:#?}");
    client.read_all();
}

#[test]
fn who_waits_for_a_limit_can_be_cancelled() {
    let sandbox = sandbox();
    let simulator = Simulator::start(&sandbox, Some("[limits]\nrequests = 1\nseconds = 90\n"), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &sandbox.read("inventory.py"));
    client.run_to_end("explain", &uri, 0..300);
    let job = client.run("explain", &uri, 0..200);
    client.wait_for("the wait to be shown", |editor| {
        let reports = editor.progress.values().flat_map(|progress| &progress.reports);
        let mut lines = reports.filter_map(|report| report["message"].as_str());
        lines.any(|line| line.contains("limit of requests")).then_some(())
    });
    client.execute("aside.cancel", json!({"job": job})).unwrap();
    assert_eq!(client.stream_end(&job)["outcome"], "cancelled");
    assert_eq!(statuses(&simulator).len(), 1, "it was never sent");
    client.read_all();
}

#[test]
fn the_wait_for_another_attempt_is_counted_down() {
    let sandbox = sandbox();
    let scenario = "[[step]]\nstatus = 429\nheaders = { retry-after = \"3\" }\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &sandbox.read("inventory.py"));
    client.run_to_end("explain", &uri, 0..300);
    let reports = client.ended_progress(1)[0].reports.clone();
    let said =
        |words: &str| reports.iter().any(|report| report["message"].as_str().is_some_and(|line| line.contains(words)));
    for left in ["in 3 s.", "in 2 s.", "in 1 s."] {
        assert!(said(&format!("Trying again {left}")), "{left}: {reports:#?}");
    }
    client.read_all();
}

#[test]
fn a_server_that_knows_nothing_else_still_explains_and_edits() {
    let sandbox = sandbox();
    sandbox.configure(
        "[cache]\ndiagnostics = true\n[thinking]\neffort = \"low\"\nshow = true\n\
         [parameters]\nuser_id = \"me\"\nservice_tier = \"standard_only\"\nstop_sequences = [\"<END>\"]\n",
    );
    let simulator = Simulator::plain(&sandbox);
    let (asked, _) = act(&sandbox, &simulator, &["ask", "inventory.py:75-80", "--prompt", "Why?"]);
    assert_eq!(asked["outcome"], "shown", "{asked}");
    assert_eq!(note(&asked).matches("no tools").count(), 1, "{asked}");
    let before = statuses(&simulator).len();
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &sandbox.read("inventory.py"));
    let first = client.run_to_end("explain", &uri, 0..300);
    assert_eq!(first["outcome"], "shown", "{first}");
    let said = note(&first).to_owned();
    for word in ["`cache_control`", "`thinking`", "an effort", "`service_tier`", "`metadata`", "`diagnostics`"] {
        assert_eq!(said.matches(word).count(), 1, "{word} in {said}");
    }
    assert!(!said.contains("stop_sequences"), "that it knows: {said}");
    let refused = statuses(&simulator)[before..].iter().filter(|status| **status == 400).count();
    assert_eq!(refused, 6, "one a field");
    let text = client.text(&uri);
    let start = text.find("def restock_report").unwrap();
    let second = client.run_to_end("add-type-hints", &uri, start..start);
    assert_eq!(second["outcome"], "applied", "{second}");
    assert!(!note(&second).contains("does not take"), "once: {second}");
    let account = simulator.account();
    assert_eq!(account["requests"].as_array().unwrap().len(), before + 6 + 2, "it is remembered: {account:#}");
    assert_eq!(second["usage"]["cacheHitRate"], json!(0.0), "{second}");
    client.read_all();
}

#[test]
fn doctor_is_content_with_a_server_that_tells_no_models() {
    let sandbox = sandbox();
    let simulator = Simulator::plain(&sandbox);
    let mut command = sandbox.aside();
    command.args(["doctor", "--json"]).env("ANTHROPIC_BASE_URL", simulator.url.as_str()).env("ANTHROPIC_API_KEY", "x");
    let output = command.output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let network = said["checks"].as_array().unwrap().iter().find(|check| check["name"] == "network").unwrap();
    assert_eq!(network["status"], "ok", "{said:#}");
    assert!(network["message"].as_str().unwrap().contains("does not tell its models"), "{network}");
}

/// A scenario in which the server tells of these models.
fn models(list: &Value) -> String {
    format!("[[step]]\ntimes = \"always\"\nmatch = {{ path = \"/v1/models\" }}\nbody = '{}'\n", json!({"data": list}))
}

#[test]
fn what_a_server_says_of_its_models_counts_from_the_next_action_on() {
    let sandbox = sandbox();
    let told = models(
        &json!([{"id": "claude-sonnet-5-5", "max_tokens": 400}, {"id": "claude-opus-5-5", "lifecycle": "retired",
        "retires_at": "2026-11-01T00:00:00Z"}, {"id": "claude-haiku-5-5", "lifecycle": "deprecated", "retires_at": "2026-12-24T00:00:00Z"}]),
    );
    let simulator = Simulator::start(&sandbox, Some(&told), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &sandbox.read("inventory.py"));
    let file = sandbox.path("cache/aside/models.json");
    assert!(!file.exists(), "nobody is asked at the start");
    assert_eq!(client.run_to_end("explain", &uri, 0..300)["outcome"], "shown");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !file.exists() {
        assert!(std::time::Instant::now() < deadline, "the answer is kept");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    client.read_all();
    let with = |model: &str| act(&sandbox, &simulator, &["explain", "inventory.py:75-80", "--model", model]).0;
    let retired = with("claude-opus-5-5");
    assert_eq!(retired["error"]["kind"], "config", "{retired}");
    assert!(retired["error"]["message"].as_str().unwrap().contains("was retired on 2026-11-01"), "{retired}");
    let ending = with("claude-haiku-5-5");
    assert_eq!(ending["outcome"], "shown", "{ending}");
    assert!(note(&ending).contains("is served until 2026-12-24"), "{ending}");
    // Where nothing is sent, the server's last word counts all the same.
    let dry =
        |model: &str| act(&sandbox, &simulator, &["explain", "inventory.py:75-80", "--dry-run", "--model", model]).0;
    assert_eq!(dry("claude-sonnet-5-5")["request"]["max_tokens"], 400, "{}", dry("claude-sonnet-5-5"));
    assert!(dry("claude-opus-5-5")["error"]["message"].as_str().unwrap().contains("was retired on 2026-11-01"));
    assert!(dry("claude-haiku-5-5")["notes"].to_string().contains("is served until 2026-12-24"));
}

#[test]
fn a_model_that_is_not_there_is_answered_with_those_that_are() {
    let sandbox = sandbox();
    let simulator = Simulator::start(&sandbox, Some(&models(&json!([{"id": "qwen3"}, {"id": "llama-9"}]))), None);
    let said = act(&sandbox, &simulator, &["explain", "inventory.py:75-80", "--model", "mistral-8"]).0;
    assert_eq!(said["error"]["kind"], "config", "{said}");
    assert_eq!(said["error"]["hint"], "It has qwen3, llama-9: set `model` to one of them.", "{said}");
}

#[test]
fn a_dry_run_is_counted_by_the_server_if_that_is_wanted() {
    let sandbox = sandbox();
    let simulator = Simulator::start(&sandbox, None, None);
    let dry = act(&sandbox, &simulator, &["explain", "inventory.py", "--dry-run"]).0;
    assert!(dry["countedInputTokens"].is_null(), "{dry}");
    let counted = act(&sandbox, &simulator, &["explain", "inventory.py", "--dry-run", "--count"]).0;
    assert_eq!(statuses(&simulator).len(), 0, "counting is no message");
    let usage = &explain(&sandbox, &simulator)["usage"];
    let input: u64 =
        ["inputTokens", "cacheReadTokens", "cacheWriteTokens"].iter().map(|name| usage[name].as_u64().unwrap()).sum();
    assert_eq!(counted["countedInputTokens"], json!(input), "{counted}");
    assert!(counted["notes"].to_string().contains(&format!("counts {input} tokens")), "{counted}");
}

#[test]
fn what_was_thought_is_shown_to_who_wants_it() {
    let sandbox = sandbox();
    let simulator = Simulator::start(&sandbox, None, None);
    let plain = explain(&sandbox, &simulator);
    assert!(plain["thinking"].is_null() && plain["usage"]["thinkingTokens"].as_u64() > Some(0), "{plain}");
    sandbox.configure("thinking.show = true\n");
    let shown = explain(&sandbox, &simulator);
    assert!(shown["thinking"].as_str().unwrap().contains("Simulated thinking"), "{shown}");
    assert_eq!(shown["explanation"], plain["explanation"]);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &sandbox.read("inventory.py"));
    let job = client.run("explain", &uri, 0..300);
    client.stream_end(&job);
    let thought = client.stream(&job).iter().any(|event| event["kind"] == "thinking");
    assert!(thought, "the stream has it, too");
    let document = client.next("window/showDocument");
    let path = url::Url::parse(document["uri"].as_str().unwrap()).unwrap().to_file_path().unwrap();
    let file = std::fs::read_to_string(path).unwrap();
    assert!(file.contains("## What the model thought\n\n> Simulated thinking"), "{file}");
    // Also when it is shown again from the ledger.
    client.execute("aside.showExplanation", json!({"id": job})).unwrap();
    let again = client.next("window/showDocument");
    let path = url::Url::parse(again["uri"].as_str().unwrap()).unwrap().to_file_path().unwrap();
    assert!(std::fs::read_to_string(path).unwrap().contains("## What the model thought"));
    client.read_all();
}

#[test]
fn parameters_go_where_the_model_takes_them() {
    let sandbox = sandbox();
    sandbox.configure("[parameters]\ntemperature = 0.3\ntop_k = 40\nstop_sequences = [\"<END>\"]\nuser_id = \"u-1\"\nservice_tier = \"auto\"\n");
    let request = |model: &str| {
        let mut command = sandbox.aside();
        let arguments = ["act", "explain", "inventory.py:75-80", "--dry-run", "--json", "--model", model];
        let output = command.args(arguments).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let old = request("claude-sonnet-4-5");
    assert_eq!((&old["request"]["temperature"], &old["request"]["top_k"]), (&json!(0.3), &json!(40)), "{old}");
    let new = request("claude-sonnet-5-5");
    assert!(new["request"]["temperature"].is_null(), "{new}");
    assert!(new["notes"].to_string().contains("temperature, top_k is left out"), "{new}");
    for sent in [&old["request"], &new["request"]] {
        assert_eq!(sent["stop_sequences"], json!(["<END>"]));
        assert_eq!((&sent["metadata"], &sent["service_tier"]), (&json!({"user_id": "u-1"}), &json!("auto")));
    }
    let simulator = Simulator::start(&sandbox, None, None);
    let (said, _) = act(&sandbox, &simulator, &EXPLAIN);
    assert!(said["outcome"] == "shown" && note(&said).contains("left out"), "{said}");
}

/// What a page of the documentation names in backticks, in this column of its tables, or anywhere.
fn named(page: &str, last_column: bool) -> Vec<String> {
    let lines = page.lines().filter(|line| !last_column || line.starts_with('|'));
    let cells = lines
        .map(|line| if last_column { line.trim_end_matches('|').rsplit('|').next().unwrap_or(line) } else { line });
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_platform_page_names_what_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/platform.md")).unwrap();
    let is_path =
        |name: &String| name.contains('/') && !name.contains(' ') && !name.starts_with('/') && !name.contains('*');
    let paths: Vec<String> = named(&page, false).into_iter().filter(is_path).collect();
    assert!(paths.len() > 40, "the page names files: {paths:?}");
    for path in &paths {
        assert!(root.join(path).exists(), "docs/platform.md names `{path}`, which is not there");
    }
    let mut sources = String::new();
    let mut folders = vec![root.join("src"), root.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.extension().and_then(|extension| extension.to_str()) {
                None if entry.is_dir() => folders.push(entry),
                Some("rs") => sources += &std::fs::read_to_string(&entry).unwrap(),
                _ => {}
            }
        }
    }
    let tests: Vec<String> = named(&page, true).into_iter().filter(|name| !is_path(name)).collect();
    assert!(tests.len() > 60, "the page names tests: {tests:?}");
    for test in &tests {
        assert!(
            sources.contains(&format!("fn {test}(")),
            "docs/platform.md names the test `{test}`, which is not there"
        );
    }
}
