//! All the ways to stop a running action, and that each of them stops the request that costs money.

use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

/// Bindings are dropped from the last on, so the client comes behind what it needs.
struct Slow {
    sandbox: Sandbox,
    simulator: Simulator,
    client: Client,
    uri: String,
    text: String,
}

/// A server whose answers take minutes, so that every cancel is in time.
fn slow() -> Slow {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let simulator = Simulator::start(&sandbox, None, Some(10));
    let client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    Slow { sandbox, simulator, client, uri, text }
}

fn assert_cut(simulator: &Simulator, usage: &Value) {
    let account = simulator.account();
    let row = &account["requests"][0];
    assert_eq!(row["complete"], false, "the request was ended: {account}");
    assert_eq!(usage["partial"], true, "what was billed but not reported is owned up to: {usage}");
    assert_eq!(usage["inputTokens"], row["input_tokens"], "{usage} {account}");
}

#[test]
fn by_command() {
    let Slow { sandbox: _sandbox, simulator, mut client, uri, text } = slow();
    let job = client.run("explain", &uri, 0..text.len());
    client.first_text(&job);
    client.execute("aside.cancel", json!({"job": job})).expect("cancel answers");
    let end = client.stream_end(&job);
    assert_eq!(end["outcome"], "cancelled", "{end}");
    assert_cut(&simulator, &end["usage"]);
    let progress = client.ended_progress(1);
    assert!(progress[0].end.as_ref().unwrap()["message"].as_str().unwrap().to_lowercase().contains("cancel"));
    client.read_all();
}

#[test]
fn by_command_without_a_job_cancels_all() {
    let Slow { sandbox: _sandbox, simulator: _simulator, mut client, uri, text } = slow();
    let jobs = [client.run("explain", &uri, 0..text.len()), client.run("document", &uri, 0..text.len())];
    client.execute("aside.cancel", Value::Null).expect("cancel answers");
    for job in jobs {
        assert_eq!(client.stream_end(&job)["outcome"], "cancelled");
    }
    assert_eq!(client.text(&uri), text);
    client.ended_progress(2);
    client.read_all();
}

#[test]
fn by_the_button_of_the_progress() {
    let Slow { sandbox: _sandbox, simulator, mut client, uri, text } = slow();
    let job = client.run("add-type-hints", &uri, 0..text.len());
    client.first_text(&job);
    let token = client.wait_for("a progress that began", |editor| {
        editor.progress.iter().find(|(_, progress)| progress.begin.is_some()).map(|(token, _)| token.clone())
    });
    client.notify("window/workDoneProgress/cancel", json!({"token": token}));
    let end = client.stream_end(&job);
    assert_eq!(end["outcome"], "cancelled", "{end}");
    assert_cut(&simulator, &end["usage"]);
    client.ended_progress(1);
    assert_eq!(client.text(&uri), text, "nothing of an edit that was cancelled");
    client.read_all();
}

#[test]
fn by_cancelling_a_request_that_waits() {
    let Slow { sandbox: _sandbox, simulator, mut client, uri, text } = slow();
    let argument = client.run_argument("explain", &uri, 0..text.len());
    let id = client.begin_request("workspace/executeCommand", json!({"command": "aside.run", "arguments": [argument]}));
    let job = client.wait_for("the stream", |editor| {
        editor
            .stream
            .iter()
            .find(|event| event["kind"] == "text")
            .map(|event| event["job"].as_str().unwrap().to_owned())
    });
    client.notify("$/cancelRequest", json!({"id": id}));
    let result = client.response(id).expect("a cancelled run has a result, not an error");
    assert_eq!(result["outcome"], "cancelled", "{result}");
    assert_eq!(result["job"], json!(job));
    assert_cut(&simulator, &result["usage"]);
    client.read_all();
}

#[test]
fn a_cancel_before_the_first_byte_works_too() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let scenario = "[[step]]\ntimes = \"always\"\nstall = { at = \"headers\" }\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let job = client.run("explain", &uri, 0..text.len());
    client.execute("aside.cancel", json!({"job": job})).expect("cancel answers");
    assert_eq!(client.stream_end(&job)["outcome"], "cancelled");
    client.read_all();
}

#[test]
fn one_of_two_goes_on() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let simulator = Simulator::start(&sandbox, None, Some(300));
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let (stopped, kept) = (client.run("explain", &uri, 0..text.len()), client.run("explain", &uri, 0..300));
    client.execute("aside.cancel", json!({"job": stopped})).expect("cancel answers");
    assert_eq!(client.stream_end(&stopped)["outcome"], "cancelled");
    assert_eq!(client.stream_end(&kept)["outcome"], "shown");
    client.read_all();
}

#[test]
fn a_job_that_has_ended_or_never_was_is_no_crash() {
    let sandbox = Sandbox::new();
    let mut client = Client::start(&sandbox, ClientOptions::default());
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", "def one():\n    return 1\n");
    let result = client.run_to_end("explain", &uri, 0..20);
    for job in [result["job"].clone(), json!("no-such-job")] {
        // Whether this is an error or a no is a matter of taste; that the server lives on is not.
        let _ = client.execute("aside.cancel", json!({"job": job}));
    }
    client.notify("$/cancelRequest", json!({"id": 1}));
    client.notify("$/cancelRequest", json!({"id": 987_654}));
    assert_eq!(client.run_to_end("explain", &uri, 0..20)["outcome"], "shown");
    client.read_all();
}
