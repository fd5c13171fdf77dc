//! One action from `aside.run` to its end: the answer, the progress, the stream, the status.

use serde_json::{Value, json};

use crate::support::editor::Progress;
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

/// The whole answer as `aside/stream` told it.
pub(crate) fn streamed_text(events: &[Value]) -> String {
    let last = events.iter().rposition(|event| event["kind"] == "begin").expect("the stream begins");
    events[last..].iter().filter(|event| event["kind"] == "text").map(|event| event["text"].as_str().unwrap()).collect()
}

fn scenario(answer: &str) -> String {
    format!("[[step]]\ntimes = \"always\"\nanswer = '''{answer}'''\n")
}

#[test]
fn explain_streams_and_is_shown() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let answer = "# What it does\n\nIt counts 🧮 things, `schnell` and **größer**.\n\nThe end.";
    let simulator = Simulator::start(&sandbox, Some(&scenario(answer)), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let start = text.find("def parse_price").unwrap();
    let job = client.run("explain", &uri, start..start + 200);
    let end = client.stream_end(&job);
    assert_eq!(end["outcome"], "shown", "{end}");
    assert_eq!(streamed_text(&client.stream(&job)), answer, "joined, the text parts are the whole answer");
    let events = client.stream(&job);
    let begin = events.first().unwrap();
    assert_eq!(
        (&begin["kind"], &begin["action"], &begin["result"]),
        (&json!("begin"), &json!("explain"), &json!("explain"))
    );
    assert_eq!(begin["uri"], json!(uri));
    let first = text[..start].matches('\n').count();
    assert_eq!(begin["range"]["start"], json!({ "line": first, "character": 0 }), "where the selection is");
    assert_eq!(events.iter().filter(|event| event["kind"] == "end").count(), 1);
    assert!(events.iter().any(|event| event["kind"] == "usage"), "{events:#?}");
    let shown = client.next("window/showDocument");
    let path = url::Url::parse(shown["uri"].as_str().unwrap()).unwrap().to_file_path().unwrap();
    assert!(path.starts_with(sandbox.path("cache/aside/explanations")), "{}", path.display());
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(file.contains("It counts 🧮 things, `schnell` and **größer**."), "{file}");
    assert_eq!(client.text(&uri), text, "an explanation changes nothing");
}

#[test]
fn progress_tells_what_is_going_on() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let mut client = Client::start(&sandbox, ClientOptions::default());
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let start = text.find("def restock_report").unwrap();
    let job = client.run("explain", &uri, start..text.len());
    client.stream_end(&job);
    let all = client.ended_progress(1);
    let [progress] = all.as_slice() else { panic!("one progress: {all:#?}") };
    let begin = progress.begin.as_ref().unwrap();
    assert!(begin["title"].as_str().unwrap().contains("restock_report"), "says what it works on: {begin}");
    assert_eq!(begin["cancellable"], true, "{begin}");
    for value in progress.reports.iter().chain([begin]) {
        assert!(value.get("percentage").is_none(), "nobody knows how long a model takes: {value}");
        if let Some(message) = value["message"].as_str() {
            assert!(!message.contains('\n'), "one line: {message:?}");
        }
    }
    assert!(!progress.reports.is_empty(), "something is seen while it works");
    let message = progress.end.as_ref().unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.contains('$'), "the end names the cost: {message}");
    assert!(message.to_lowercase().contains("simulated"), "and that it was simulated: {message}");
    client.read_all();
}

#[test]
fn a_client_without_progress_is_left_alone() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let options =
        ClientOptions::default().announce("window/workDoneProgress", json!(false)).announce("experimental", json!({}));
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let result = client.run_to_end("explain", &uri, 0..text.len());
    assert_eq!(result["outcome"], "shown", "{result}");
    client.next("window/showDocument");
    let editor = client.editor();
    assert!(editor.progress.is_empty() && editor.stream.is_empty() && editor.status.is_empty());
}

#[test]
fn a_client_that_refuses_the_progress_still_gets_the_work() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let mut client = Client::start(&sandbox, ClientOptions::default());
    client.editor().behaviour.allows_progress = false;
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let result = client.run_to_end("explain", &uri, 0..text.len());
    assert_eq!(result["outcome"], "shown", "{result}");
    client.next("window/showDocument");
    assert!(client.editor().progress.is_empty(), "a refused token is not used");
}

#[test]
fn the_clients_own_token_is_used_and_the_answer_waits() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let mut client = Client::start(&sandbox, ClientOptions::default());
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    client.editor().progress.insert("mine".into(), Progress::default());
    let range = client.range(&uri, 0..text.len());
    let result = client
        .request(
            "workspace/executeCommand",
            json!({
                "command": "aside.run",
                "arguments": [{"action": "explain", "uri": uri, "range": range}],
                "workDoneToken": "mine",
            }),
        )
        .unwrap();
    assert_eq!(result["outcome"], "shown", "{result}");
    assert!(result["job"].is_string() && result["usage"].is_object(), "{result}");
    let editor = client.editor();
    assert_eq!(editor.progress.len(), 1, "no second progress is made");
    assert!(editor.progress["mine"].end.is_some(), "it has ended when the answer is there");
    drop(editor);
    client.next("window/showDocument");
}

#[test]
fn add_type_hints_changes_the_selection_as_the_answer_says() {
    let sandbox = Sandbox::new();
    let text = "import os\n\n\ndef area(width, height=1):\n    return width * height\n\n\nprint(area(2))\n";
    let answer = "```python\ndef area(width: int, height: int = 1) -> int:\n    return width * height\n```\n";
    let simulator = Simulator::start(&sandbox, Some(&scenario(answer)), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("area.py");
    client.open(&uri, "python", text);
    let start = text.find("def").unwrap();
    let result = client.run_to_end("add-type-hints", &uri, start..text.find("\n\n\nprint").unwrap());
    assert_eq!(result["outcome"], "applied", "{result}");
    let expected = text.replace("def area(width, height=1):", "def area(width: int, height: int = 1) -> int:");
    assert_eq!(client.text(&uri), expected);
    let edit = client.next("workspace/applyEdit");
    let changes = edit["edit"]["documentChanges"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "one entry a file: {edit}");
    assert_eq!(changes[0]["textDocument"]["version"], 1, "{edit}");
    let touched: Vec<_> = changes[0]["edits"].as_array().unwrap().iter().map(|edit| &edit["range"]).collect();
    for range in touched {
        assert_eq!(range["start"]["line"], 3, "the line that stays is not touched: {range}");
        assert_eq!(range["end"]["line"], 3, "{range}");
    }
    let [before] = client.editor().documents[&uri].history.clone().try_into().expect("one undo brings it back");
    assert_eq!(before, text);
}

#[test]
fn imports_of_the_answer_are_merged_in_the_same_edit() {
    let sandbox = Sandbox::new();
    let text = "\"\"\"Doc.\"\"\"\n\nimport os\n\n\ndef names(items):\n    return [i.name for i in items]\n";
    let answer = "```python\ndef names(items: Iterable[Any]) -> list[str]:\n    return [i.name for i in items]\n```\n\n\
                  ```python imports\nfrom collections.abc import Iterable\nfrom typing import Any\n```\n";
    let simulator = Simulator::start(&sandbox, Some(&scenario(answer)), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("names.py");
    client.open(&uri, "python", text);
    let result = client.run_to_end("add-type-hints", &uri, text.find("def").unwrap()..text.len());
    assert_eq!(result["outcome"], "applied", "{result}");
    let now = client.text(&uri);
    assert!(now.starts_with("\"\"\"Doc.\"\"\"\n\n"), "{now}");
    for line in ["import os\n", "from collections.abc import Iterable\n", "from typing import Any\n"] {
        assert_eq!(now.matches(line).count(), 1, "{line:?} in {now}");
        assert!(now.find(line) < now.find("def names"), "{now}");
    }
    client.next("workspace/applyEdit");
    assert_eq!(client.editor().documents[&uri].history.len(), 1, "one edit, one undo");
}

#[test]
fn write_tests_makes_the_test_file_where_it_belongs() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let mut client = Client::start(&sandbox, ClientOptions::default());
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let start = text.find("def parse_price").unwrap();
    let end = text.find("\n\n\ndef load_items").unwrap();
    let result = client.run_to_end("write-tests", &uri, start..end);
    assert_eq!(result["outcome"], "applied", "{result}");
    assert_eq!(client.text(&uri), text, "the code under test stays as it is");
    let mut written: Vec<_> = client.editor().documents.keys().filter(|key| **key != uri).cloned().collect();
    let test_uri = written.pop().expect("a test file was opened");
    assert!(written.is_empty(), "one test file: {written:?}");
    let name = test_uri.rsplit('/').next().unwrap();
    assert!(name.starts_with("test_inventory") || name.starts_with("inventory_test"), "{test_uri}");
    let tests = client.text(&test_uri);
    assert!(tests.contains("def test_") && tests.contains("parse_price"), "{tests}");

    let again = client.run_to_end("write-tests", &uri, text.find("def restock_report").unwrap()..text.len());
    assert_eq!(again["outcome"], "applied", "{again}");
    let both = client.text(&test_uri);
    assert!(both.contains("restock_report") && both.contains("parse_price"), "the second time extends it: {both}");
    for line in tests.lines().filter(|line| line.starts_with("def ")) {
        assert_eq!(both.matches(line).count(), 1, "no test is lost or doubled: {line}\n{both}");
    }
    client.read_all();
}

#[test]
fn document_changes_comments_only() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let mut client = Client::start(&sandbox, ClientOptions::default());
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let start = text.find("def restock_report").unwrap();
    let result = client.run_to_end("document", &uri, start..text.len());
    assert_eq!(result["outcome"], "applied", "{result}");
    let now = client.text(&uri);
    assert!(now[start..].contains("\"\"\""), "a docstring is there: {now}");
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        assert!(now.contains(line), "{line:?} is still there");
    }
    client.next("workspace/applyEdit");
    // What the model says beside the code.
    client.read_all();
}

#[test]
fn an_answer_that_changes_nothing_is_said_to_change_nothing() {
    let sandbox = Sandbox::new();
    let text = "def one() -> int:\n    return 1\n";
    let simulator = Simulator::start(&sandbox, Some(&scenario(&format!("```python\n{text}```\n"))), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("one.py");
    client.open(&uri, "python", text);
    let result = client.run_to_end("add-type-hints", &uri, 0..text.len());
    assert_eq!(client.text(&uri), text);
    assert!(client.editor().documents[&uri].history.is_empty(), "no edit for nothing");
    assert_ne!(result["outcome"], "failed", "{result}");
    client.read_all();
}

#[test]
fn an_answer_without_its_form_is_repaired_once_and_never_applied() {
    let sandbox = Sandbox::new();
    let text = "def one():\n    return 1\n";
    let scenario = "[[step]]\nanswer = 'I would add hints, if I were you.'\n\n\
                    [[step]]\nanswer = '''```python\ndef one() -> int:\n    return 1\n```'''\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("one.py");
    client.open(&uri, "python", text);
    let result = client.run_to_end("add-type-hints", &uri, 0..text.len());
    assert_eq!(result["outcome"], "applied", "{result}");
    assert_eq!(client.text(&uri), "def one() -> int:\n    return 1\n");
    assert_eq!(simulator.account()["requests"].as_array().unwrap().len(), 2);
    client.next("workspace/applyEdit");

    let never = "[[step]]\ntimes = \"always\"\nanswer = 'I would add hints, if I were you.'\n";
    let simulator = Simulator::start(&sandbox, Some(never), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    client.open(&uri, "python", text);
    let result = client.run_to_end("add-type-hints", &uri, 0..text.len());
    assert_eq!(result["outcome"], "failed", "{result}");
    assert_eq!(result["error"]["kind"], "bad_answer", "{result}");
    assert_eq!(client.text(&uri), text);
    assert_eq!(simulator.account()["requests"].as_array().unwrap().len(), 2, "one repair, not more");
    client.read_all();
}

#[test]
fn status_tells_running_jobs_and_totals() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let mut client = Client::start(&sandbox, ClientOptions::default());
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let result = client.run_to_end("explain", &uri, 0..400);
    let status = client.wait_for("a status with the totals", |editor| {
        editor
            .status
            .iter()
            .find(|status| status["session"]["outputTokens"] == result["usage"]["outputTokens"])
            .cloned()
    });
    for scope in ["session", "day"] {
        for key in ["inputTokens", "cacheReadTokens", "cacheWriteTokens", "outputTokens"] {
            assert_eq!(status[scope][key], result["usage"][key], "{scope}.{key} in {status}");
        }
        assert!(status[scope].get("cacheHitRate").is_some() && status[scope].get("costUsd").is_some(), "{status}");
    }
    let running =
        client.editor().status.iter().any(|status| status.to_string().contains(result["job"].as_str().unwrap()));
    assert!(running, "the job was among the running ones at some time");
    client.read_all();
}

#[test]
fn two_jobs_at_once_keep_apart() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let simulator = Simulator::start(&sandbox, None, Some(400));
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let price = text.find("def parse_price").unwrap();
    let report = text.find("def restock_report").unwrap();
    let first = client.run("explain", &uri, price..price + 300);
    let second = client.run("explain", &uri, report..text.len());
    assert_ne!(first, second);
    client.first_text(&first);
    client.first_text(&second);
    assert!(client.stream(&second).iter().all(|event| event["kind"] != "end"), "both run at the same time");
    for (job, name) in [(&first, "parse_price"), (&second, "restock_report")] {
        assert_eq!(client.stream_end(job)["outcome"], "shown");
        assert!(streamed_text(&client.stream(job)).contains(name));
        client.next("window/showDocument");
    }
    assert_eq!(client.ended_progress(2).len(), 2);
}

#[test]
fn configuration_of_the_editor_reaches_the_request() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let mut options = ClientOptions::default();
    options.initialize["initializationOptions"] = json!({"model": "claude-haiku-4-5"});
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let result = client.run_to_end("explain", &uri, 0..400);
    assert_eq!(result["usage"]["model"], "claude-haiku-4-5", "a pull that answers null leaves what was said first");
    client.editor().behaviour.configuration = json!({"model": "claude-opus-5-5"});
    client.notify("workspace/didChangeConfiguration", json!({"settings": {"aside": {"model": "claude-opus-5-5"}}}));
    let result = client.run_to_end("explain", &uri, 0..400);
    assert_eq!(result["usage"]["model"], "claude-opus-5-5", "{result}");
    client.read_all();
}
