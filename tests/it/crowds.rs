//! Hundreds of jobs at once: others are not starved by them, and each of them can be cancelled.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::scripted::wait_until;
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const CROWD: usize = 200;

/// A file with so many functions, and where each stands.
fn functions(count: usize) -> (String, Vec<std::ops::Range<usize>>) {
    let mut text = String::new();
    let spans = (0..count).map(|number| {
        let start = text.len();
        write!(text, "def function_{number}(value):\n    return value + {number}\n\n\n").unwrap();
        start..text.trim_end().len()
    });
    let spans = spans.collect();
    (text, spans)
}

/// Starts an action without waiting for the answer; the answer has the job.
fn start(client: &mut Client, action: &str, uri: &str, span: std::ops::Range<usize>) -> i64 {
    let range = client.range(uri, span);
    let argument = json!({"action": action, "uri": uri, "range": range});
    client.begin_request("workspace/executeCommand", json!({"command": "aside.run", "arguments": [argument]}))
}

fn job(answer: Result<Value, Value>) -> String {
    answer.expect("a job")["job"].as_str().expect("a job").to_owned()
}

#[test]
fn an_edit_and_a_hover_pass_two_hundred_explanations() {
    let sandbox = Sandbox::new();
    sandbox.configure("max_running = 2\n[hover]\nmode = \"ask\"\n");
    let (text, spans) = functions(CROWD);
    let simulator = Simulator::start(&sandbox, None, Some(400));
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let (crowded, other) = (sandbox.uri("crowded.py"), sandbox.uri("other.py"));
    client.open(&crowded, "python", &text);
    client.open(&other, "python", "def one(value):\n    return value\n");
    let started: Vec<_> = spans.iter().map(|span| start(&mut client, "explain", &crowded, span.clone())).collect();
    let jobs: Vec<String> = started.into_iter().map(|id| job(client.response(id))).collect();
    client.first_text(&jobs[0]);
    let edit = client.run_to_end("document", &other, 0..30);
    assert_eq!(edit["outcome"], "applied", "{edit}");
    let at = json!({"textDocument": {"uri": other}, "position": {"line": 0, "character": 5}});
    client.request("textDocument/hover", at).expect("hovers do not fail");
    wait_until("the hover's request is not sent", || {
        let account = simulator.account();
        account["requests"].as_array().unwrap().iter().any(|row| row["model"] == "claude-haiku-5-5")
    });
    // Of those who came before only a few had their turn meanwhile.
    let ended = client.editor().stream.iter().filter(|part| part["kind"] == "end").count() - 1;
    assert!(ended < CROWD / 2, "{ended} of {CROWD} explanations came first");

    // One that waits can be cancelled alone, and all the others together.
    let waiting = client.editor().stream.iter().filter(|part| part["kind"] == "begin").count();
    assert!(waiting < CROWD, "{waiting} had their turn");
    let last = jobs.last().unwrap();
    assert_eq!(client.execute("aside.cancel", json!({"job": last})).unwrap()["cancelled"], 1);
    let end = client.stream_end(last);
    assert_eq!((&end["outcome"], end.get("usage")), (&json!("cancelled"), None), "nothing was sent for it: {end}");
    client.execute("aside.cancel", Value::Null).unwrap();
    for job in &jobs {
        let outcome = client.stream_end(job)["outcome"].clone();
        assert!(outcome == "shown" || outcome == "cancelled", "{outcome}");
    }
    client.ended_progress(CROWD + 1);
    client.read_all();
}

#[test]
fn never_more_than_max_running_requests_at_once() {
    let sandbox = Sandbox::new();
    sandbox.configure("max_running = 3\n");
    let (text, spans) = functions(12);
    // All answers are held back before their headers, so what runs can be counted.
    let scenario = "[[step]]\ntimes = \"always\"\nmatch = { model = \"claude-sonnet-5-5\" }\n\
                    stall = { at = \"headers\", ms = 400 }\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", &text);
    let started: Vec<_> = spans.iter().map(|span| start(&mut client, "explain", &uri, span.clone())).collect();
    let jobs: Vec<String> = started.into_iter().map(|id| job(client.response(id))).collect();
    let mut most = 0;
    wait_until("they do not end", || {
        most = most.max(simulator.account()["stalled"].as_u64().unwrap());
        client.editor().stream.iter().filter(|part| part["kind"] == "end").count() == jobs.len()
    });
    assert_eq!(most, 3);
    for job in &jobs {
        assert_eq!(client.stream_end(job)["outcome"], "shown");
    }
    client.read_all();
}
