//! A table of what goes wrong: each gets a clear error of its kind, nothing is lost, and the server goes on.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const TEXT: &str = "def one():\n    return 1\n";

/// Runs `explain` and gives the error of its result.
fn failure(client: &mut Client, uri: &str) -> Value {
    let result = client.run_to_end("explain", uri, 0..10);
    client.read_all();
    assert_eq!(result["outcome"], "failed", "{result}");
    result["error"].clone()
}

fn words(error: &Value) -> String {
    format!("{} {}", error["message"].as_str().unwrap_or_default(), error["hint"].as_str().unwrap_or_default())
}

fn open(sandbox: &Sandbox, options: ClientOptions) -> (Client, String) {
    sandbox.write("one.py", TEXT);
    let client = Client::start(sandbox, options);
    let uri = sandbox.uri("one.py");
    client.open(&uri, "python", TEXT);
    (client, uri)
}

#[test]
fn no_credentials_names_both_ways_out() {
    let sandbox = Sandbox::new();
    let mut options = ClientOptions { arguments: vec!["serve".into()], ..ClientOptions::default() };
    // An empty variable is an unset one.
    options.environment =
        vec![("ANTHROPIC_API_KEY".into(), String::new()), ("ANTHROPIC_AUTH_TOKEN".into(), String::new())];
    let (mut client, uri) = open(&sandbox, options);
    let error = failure(&mut client, &uri);
    assert_eq!(error["kind"], "credentials", "{error}");
    assert!(words(&error).contains("ANTHROPIC_API_KEY") && words(&error).contains("--simulate"), "{error}");
}

#[test]
fn failures_of_the_api_have_their_kind() {
    for (step, kind, word) in [
        ("status = 401", "credentials", "ANTHROPIC_API_KEY"),
        ("status = 402", "budget", ""),
        ("status = 403", "permission", ""),
        ("status = 404", "config", ""),
        ("status = 413", "too_long", ""),
        ("status = 429\nheaders = { retry-after-ms = \"1\" }", "rate_limit", ""),
        ("status = 529\nheaders = { retry-after-ms = \"1\" }", "overloaded", ""),
        ("status = 502\nheaders = { retry-after-ms = \"1\" }\nbody = '<html>Bad Gateway</html>'", "network", ""),
        ("cut = { after_bytes = 0 }", "network", ""),
        ("truncate = { after_deltas = 1 }", "network", ""),
        ("stop_reason = \"refusal\"", "refused", ""),
        ("error_event = { after_deltas = 1 }", "overloaded", ""),
    ] {
        let sandbox = Sandbox::new();
        let scenario = format!("[[step]]\ntimes = \"always\"\n{step}\n");
        let simulator = Simulator::start(&sandbox, Some(&scenario), None);
        let (mut client, uri) = open(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
        let error = failure(&mut client, &uri);
        assert_eq!(error["kind"], kind, "{step}: {error}");
        assert!(words(&error).contains(word), "{step}: {error}");
        assert!(!error.to_string().contains("sk-ant-test"), "no key in an error: {error}");
        assert!(!error.to_string().contains("return 1"), "no code in an error: {error}");
        assert_eq!(client.text(&uri), TEXT);
    }
}

#[test]
fn an_edit_that_was_cut_short_is_truncated_and_not_applied() {
    let sandbox = Sandbox::new();
    let scenario = "[[step]]\ntimes = \"always\"\nstop_reason = \"max_tokens\"\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let (mut client, uri) = open(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let result = client.run_to_end("add-type-hints", &uri, 0..TEXT.len());
    assert_eq!(result["outcome"], "failed", "{result}");
    assert_eq!(result["error"]["kind"], "truncated", "{result}");
    assert_eq!(client.text(&uri), TEXT);
    client.read_all();
}

#[test]
fn nobody_at_the_address() {
    let sandbox = Sandbox::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (mut client, uri) = open(&sandbox, ClientOptions::with_api(&format!("http://127.0.0.1:{port}")));
    let error = failure(&mut client, &uri);
    assert_eq!(error["kind"], "network", "{error}");
    assert!(words(&error).contains(&port.to_string()), "says where it looked: {error}");
}

#[test]
fn a_model_that_does_not_exist_and_one_that_is_gone() {
    for (model, word) in [("claude-nonsense-9", "claude-nonsense-9"), ("claude-sonnet-4-20250514", "claude-sonnet-5")] {
        let sandbox = Sandbox::new();
        sandbox.configure(&format!("model = \"{model}\"\n"));
        let (mut client, uri) = open(&sandbox, ClientOptions::default());
        let error = failure(&mut client, &uri);
        assert_eq!(error["kind"], "config", "{error}");
        assert!(words(&error).contains(word), "{model}: {error}");
    }
}

#[test]
fn an_unknown_action_lists_the_actions() {
    let sandbox = Sandbox::new();
    let (mut client, uri) = open(&sandbox, ClientOptions::default());
    let range = client.range(&uri, 0..10);
    let answer = client.execute("aside.run", json!({"action": "explian", "uri": uri, "range": range, "wait": true}));
    let said = format!("{answer:?}");
    client.read_all();
    assert!(said.contains("explian") && said.contains("add-type-hints") && said.contains("write-tests"), "{said}");
    assert_eq!(client.run_to_end("explain", &uri, 0..10)["outcome"], "shown", "the server goes on");
    client.read_all();
}

/// An `aside.run` that must not be done: an error of the request, or a result that failed with `kind`.
fn refused(client: &mut Client, argument: Value, kind: &str, word: &str) {
    let mut argument = argument;
    argument["wait"] = json!(true);
    match client.execute("aside.run", argument.clone()) {
        Err(error) => {
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(word), "{argument}: {message}");
        }
        Ok(result) => {
            assert_eq!(result["outcome"], "failed", "{argument}: {result}");
            assert_eq!(result["error"]["kind"], kind, "{argument}: {result}");
            assert!(words(&result["error"]).contains(word), "{argument}: {result}");
        }
    }
    client.read_all();
}

#[test]
fn places_that_are_not_in_the_document() {
    let sandbox = Sandbox::new();
    let (mut client, uri) = open(&sandbox, ClientOptions::default());
    let range = |a: (i64, i64), b: (i64, i64)| json!({"start": {"line": a.0, "character": a.1}, "end": {"line": b.0, "character": b.1}});
    let run = |range: Value| json!({"action": "explain", "uri": uri, "range": range});
    refused(&mut client, run(range((70, 0), (80, 0))), "config", "line");
    assert_eq!(client.text(&uri), TEXT);
    assert_eq!(client.run_to_end("explain", &uri, 0..10)["outcome"], "shown", "the server goes on");
    client.read_all();
}

#[test]
fn a_version_that_is_not_the_current_one() {
    let sandbox = Sandbox::new();
    let (mut client, uri) = open(&sandbox, ClientOptions::default());
    let range = client.range(&uri, 0..10);
    client.edit(&uri, 0..0, "# new\n");
    let answer =
        client.execute("aside.run", json!({"action": "add-type-hints", "uri": uri, "range": range, "version": 1}));
    let error = answer.expect_err("an error");
    assert_eq!(error["code"], -32801, "the content was modified: {error}");
    assert_eq!(error["data"]["kind"], "conflict", "{error}");
    assert!(error["message"].as_str().unwrap().contains("again"), "says what to do: {error}");
    assert_eq!(client.text(&uri), format!("# new\n{TEXT}"));
}

#[test]
fn arguments_that_are_none() {
    let sandbox = Sandbox::new();
    let (mut client, uri) = open(&sandbox, ClientOptions::default());
    for arguments in [
        json!([]),
        json!([null]),
        json!([7]),
        json!(["explain"]),
        json!([{"action": "explain"}]),
        json!([{"action": "explain", "uri": "not a uri", "range": null}]),
        json!([{"action": 3, "uri": uri, "range": {"start": {"line": -1, "character": 0}, "end": {}}}]),
    ] {
        let answer =
            client.request("workspace/executeCommand", json!({"command": "aside.run", "arguments": arguments}));
        assert_eq!(answer.expect_err("an error")["code"], -32602, "{arguments}");
    }
    let answer = client.request("workspace/executeCommand", json!({"command": "aside.noSuchThing", "arguments": []}));
    let message = answer.expect_err("an error")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("aside.noSuchThing"), "{message}");
    client.read_all();
}

#[test]
fn files_that_are_not_open() {
    let sandbox = Sandbox::new();
    let (mut client, _) = open(&sandbox, ClientOptions::default());
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}});
    let run = |name: &str| json!({"action": "explain", "uri": sandbox.uri(name), "range": range});
    refused(&mut client, run("no-such-file.py"), "config", "no-such-file.py");
    sandbox.write("binary.py", [0_u8, 159, 146, 150, 0, 1, 2, 3]);
    refused(&mut client, run("binary.py"), "config", "binary.py");
    let mut huge = "x = 1\n".repeat(50 * 1024 * 1024 / 6 + 1);
    huge.push_str("# end\n");
    sandbox.write("huge.py", &huge);
    refused(&mut client, run("huge.py"), "too_long", "");
    refused(&mut client, json!({"action": "explain", "uri": "untitled:Untitled-1", "range": range}), "config", "");
    assert_eq!(std::fs::metadata(sandbox.workspace().join("huge.py")).unwrap().len(), huge.len() as u64);
}

#[test]
fn a_file_on_disk_that_nobody_opened_can_be_explained() {
    let sandbox = Sandbox::new();
    let mut client = Client::start(&sandbox, ClientOptions::default());
    sandbox.write("closed.py", TEXT);
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}});
    let argument = json!({"action": "explain", "uri": sandbox.uri("closed.py"), "range": range, "wait": true});
    match client.execute("aside.run", argument) {
        Ok(result) => assert_eq!(result["outcome"], "shown", "{result}"),
        Err(error) => assert!(error["message"].as_str().unwrap().contains("open"), "or a clear no: {error}"),
    }
    client.read_all();
}

#[test]
fn an_open_document_of_50_mb_is_kept_in_step_and_refused_politely() {
    let sandbox = Sandbox::new();
    let mut client = Client::start(&sandbox, ClientOptions::default());
    let uri = sandbox.uri("huge.py");
    let text = "x = 1\n".repeat(50 * 1024 * 1024 / 6);
    client.open(&uri, "python", &text);
    client.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": [
            {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}, "text": "y"}]}),
    );
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 3_000_000, "character": 0}});
    refused(&mut client, json!({"action": "explain", "uri": uri, "range": range}), "too_long", "");
}

#[test]
fn configuration_that_is_wrong_loses_only_itself() {
    let sandbox = Sandbox::new();
    sandbox.configure("modell = \"x\"\nmax_running = \"many\"\n\n[hover]\nmode = \"off\"\n");
    let (mut client, uri) = open(&sandbox, ClientOptions::default());
    let mut said = String::new();
    for _ in 0..2 {
        said += client.next("window/showMessage")["message"].as_str().unwrap();
    }
    assert!(said.contains("modell") && said.contains("model"), "the key and the nearest valid name: {said}");
    assert!(said.contains("max_running"), "{said}");
    assert_eq!(client.run_to_end("explain", &uri, 0..10)["outcome"], "shown");
    client.read_all();
}

#[test]
fn configuration_that_cannot_be_read_is_reported() {
    let sandbox = Sandbox::new();
    sandbox.configure("this is = = not toml\n");
    let (mut client, uri) = open(&sandbox, ClientOptions::default());
    let said = client.next("window/showMessage");
    assert!(said["message"].as_str().unwrap().contains("config.toml"), "{said}");
    // It may hold the address, the key command, the budget: nothing is sent on a guess.
    let argument = client.run_argument("explain", &uri, 0..10);
    let error = client.execute("aside.run", argument).expect_err("an error");
    assert!(error["message"].as_str().unwrap().contains("config.toml:1"), "the place: {error}");
    assert_eq!(error["data"]["kind"], "config", "{error}");
    client.read_all();
}

#[test]
fn a_repository_cannot_point_the_key_somewhere_else() {
    let sandbox = Sandbox::new();
    sandbox.write(".aside/config.toml", "[api]\nbase_url = \"http://127.0.0.1:9/evil\"\n");
    let mut options = ClientOptions::default();
    options.initialize["initializationOptions"] = json!({"api": {"baseUrl": "http://127.0.0.1:9/evil"}});
    let (mut client, uri) = open(&sandbox, options);
    let said = client.next("window/showMessage")["message"].as_str().unwrap().to_owned()
        + client.next("window/showMessage")["message"].as_str().unwrap();
    assert!(said.contains("base_url") || said.contains("baseUrl"), "{said}");
    assert_eq!(client.run_to_end("explain", &uri, 0..10)["outcome"], "shown", "and it is not followed");
    client.read_all();
}

#[test]
fn a_port_in_use() {
    let sandbox = Sandbox::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = sandbox.aside().args(["simulate", "--port", &port]).output().unwrap();
    assert!(matches!(output.status.code(), Some(1 | 2)), "{:?}", output.status);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&port), "{said}");
}

#[test]
fn a_data_folder_that_cannot_be_written_is_said_once_and_work_goes_on() {
    let sandbox = Sandbox::new();
    // A file where the folder should be stops root as well.
    std::fs::write(sandbox.path("data/aside"), "not a folder").unwrap();
    let (mut client, uri) = open(&sandbox, ClientOptions::default());
    assert_eq!(client.run_to_end("explain", &uri, 0..10)["outcome"], "shown");
    assert_eq!(client.run_to_end("explain", &uri, 0..24)["outcome"], "shown");
    let unread = client.read_all();
    let warnings =
        unread.iter().filter(|message| message["method"] == "window/showMessage" && message["params"]["type"] == 2);
    assert_eq!(warnings.count(), 1, "{unread:#?}");
}
