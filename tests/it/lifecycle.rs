//! From the first byte to the exit code.

use std::fmt::Write as _;
use std::io::{BufReader, Read, Write};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::client::capable;
use crate::support::traffic::read_frame;
use crate::support::{Client, ClientOptions, Sandbox};

fn rude() -> ClientOptions {
    ClientOptions { rude: true, ..ClientOptions::default() }
}

fn code(answer: Result<Value, Value>) -> i64 {
    answer.expect_err("an error")["code"].as_i64().unwrap()
}

#[test]
fn exit_after_shutdown_is_success() {
    let sandbox = Sandbox::new();
    // Dropping the client goes through shutdown and exit, and wants 0.
    drop(Client::start(&sandbox, ClientOptions::default()));
}

#[test]
fn exit_without_shutdown_is_a_failure() {
    let sandbox = Sandbox::new();
    let mut client = Client::start(&sandbox, rude());
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_status().code(), Some(1));
}

#[test]
fn exit_before_initialize_is_a_failure() {
    let sandbox = Sandbox::new();
    let mut client = Client::spawn(&sandbox, &rude());
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_status().code(), Some(1));
}

#[test]
fn exit_with_null_params_is_understood() {
    let sandbox = Sandbox::new();
    let mut client = Client::start(&sandbox, rude());
    assert_eq!(client.request("shutdown", Value::Null), Ok(Value::Null));
    // kak-lsp writes the params out.
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_status().code(), Some(0));
}

#[test]
fn end_of_input_ends_the_process() {
    let sandbox = Sandbox::new();
    let mut client = Client::start(&sandbox, rude());
    client.close_input();
    client.exit_status();
}

#[test]
fn end_of_input_ends_the_process_while_a_job_runs() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let simulator = crate::support::Simulator::start(&sandbox, None, Some(20));
    let mut client =
        Client::start(&sandbox, ClientOptions { rude: true, ..ClientOptions::with_api(simulator.url.as_str()) });
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let job = client.run("explain", &uri, 0..text.len());
    client.first_text(&job);
    client.close_input();
    client.exit_status();
    // The request died with the process: the simulator saw an answer that was not taken to its end.
    let rows = simulator.account();
    assert_eq!(rows["requests"].as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(rows["requests"][0]["complete"], false, "{rows}");
}

#[test]
fn end_of_input_inside_a_frame_ends_the_process() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.aside().args(["serve", "--simulate"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Content-Length: 1000\r\n\r\n{\"jsonrpc\":").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.is_empty() || said.starts_with("Content-Length: "), "nothing but frames goes to stdout: {said}");
}

#[test]
fn requests_before_initialize_are_refused_and_the_server_goes_on() {
    let sandbox = Sandbox::new();
    let mut client = Client::spawn(&sandbox, &rude());
    let hover = json!({"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}});
    assert_eq!(code(client.request("textDocument/hover", hover)), -32002);
    assert_eq!(code(client.request("shutdown", Value::Null)), -32002);
    client.request("initialize", json!({"processId": null, "rootUri": null, "capabilities": {}})).unwrap();
    client.notify("initialized", json!({}));
    assert_eq!(client.request("shutdown", Value::Null), Ok(Value::Null));
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_status().code(), Some(0));
}

#[test]
fn a_second_initialize_is_refused() {
    let sandbox = Sandbox::new();
    // A client that is asked nothing by itself, so that nothing else is said between the two.
    let mut client = Client::start(
        &sandbox,
        rude().announce("workspace/configuration", json!(false)).announce("experimental/aside/status", json!(false)),
    );
    let again = client.request("initialize", json!({"processId": null, "rootUri": null, "capabilities": {}}));
    assert_eq!(code(again), -32600);
}

#[test]
fn an_unknown_request_is_not_found_and_an_unknown_notification_is_ignored() {
    let sandbox = Sandbox::new();
    let mut client = Client::start(&sandbox, rude());
    client.notify("aside/noSuchThing", json!({"a": 1}));
    client.notify("$/noSuchThing", json!({}));
    assert_eq!(code(client.request("aside/noSuchThing", json!({}))), -32601);
    assert_eq!(code(client.request("textDocument/definition", json!({}))), -32601);
}

#[test]
fn requests_after_shutdown_are_refused() {
    let sandbox = Sandbox::new();
    let mut client = Client::start(&sandbox, rude());
    assert_eq!(client.request("shutdown", Value::Null), Ok(Value::Null));
    let hover = json!({"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}});
    assert_eq!(code(client.request("textDocument/hover", hover)), -32600);
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_status().code(), Some(0));
}

#[test]
fn params_of_the_wrong_shape_are_an_error_of_that_request_only() {
    let sandbox = Sandbox::new();
    let mut client = Client::start(&sandbox, rude());
    assert_eq!(code(client.request("textDocument/codeAction", json!({"textDocument": 3}))), -32602);
    client.notify("textDocument/didChange", json!({"textDocument": null}));
    client.notify("textDocument/didOpen", json!([]));
    assert_eq!(client.request("shutdown", Value::Null), Ok(Value::Null));
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_status().code(), Some(0));
}

#[test]
fn a_frame_that_is_not_json_does_not_end_the_session() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.aside().args(["serve", "--simulate"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for body in [
        "{not json",
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"rootUri":null,"capabilities":{}}}"#,
        r#"{"jsonrpc":"2.0","method":"initialized","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"shutdown"}"#,
        r#"{"jsonrpc":"2.0","method":"exit"}"#,
    ] {
        write!(stdin, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("-32700"), "a parse error is reported: {said}");
    assert!(said.contains("\"id\":1") && said.contains("\"id\":2"), "what comes behind it is answered: {said}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// What a server wants to know of a client that just came, and of a job that was just asked for, comes too late then.
#[test]
fn who_leaves_is_asked_for_nothing() {
    for _ in 0..3 {
        let sandbox = Sandbox::new();
        sandbox.example("inventory.py");
        let mut child = sandbox.aside().args(["serve", "--simulate"]).stdin(Stdio::piped()).spawn().unwrap();
        let run = json!({"action": "explain", "uri": sandbox.uri("inventory.py"), "range": null});
        let session = [
            json!({"id": 1, "method": "initialize", "params": {"processId": null, "rootUri": null, "capabilities": capable()}}),
            json!({"method": "initialized", "params": {}}),
            json!({"id": 2, "method": "workspace/executeCommand", "params": {"command": "aside.run", "arguments": [run]}}),
            json!({"id": 3, "method": "shutdown"}),
        ];
        let mut frames = String::new();
        for mut message in session {
            message["jsonrpc"] = json!("2.0");
            let body = message.to_string();
            write!(frames, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
        let mut stdin = child.stdin.take();
        stdin.as_mut().unwrap().write_all(frames.as_bytes()).unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut answered = Vec::new();
        while let Some(message) = read_frame(&mut stdout).unwrap() {
            if message.get("method").is_none() {
                answered.push(message["id"].clone());
            } else {
                let asks = message.get("id").is_some();
                assert!(!(asks && answered.contains(&json!(3))), "asked of who is leaving: {message}");
            }
            // The job is over, too: nothing more is to come but the pipe's end.
            if [2, 3].iter().all(|id| answered.contains(&json!(id))) {
                stdin = None;
            }
        }
        assert_eq!(answered.len(), 3, "{answered:?}");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

/// More than there is memory for is not waited for, and what is announced is not made room for.
#[test]
fn a_length_that_nobody_has_memory_for_is_an_error_and_not_the_end() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.aside().args(["serve", "--simulate"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for length in ["99999999999", "18446744073709551615", "99999999999999999999999999", "-1", "1e9", ""] {
        write!(stdin, "Content-Length: {length}\r\n\r\n").unwrap();
    }
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"rootUri":null,"capabilities":{}}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"shutdown"}"#,
        r#"{"jsonrpc":"2.0","method":"exit"}"#,
    ] {
        write!(stdin, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said.matches("-32700").count(), 6, "each is reported: {said}");
    assert!(said.contains("\"id\":1") && said.contains("\"id\":2"), "what comes behind is answered: {said}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Node connects by socket pairs, and a file is what a person redirects to.
#[cfg(unix)]
#[test]
fn standard_output_may_be_a_socket_or_a_file() {
    use std::os::fd::OwnedFd;
    let sandbox = Sandbox::new();
    let session = [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"rootUri":null,"capabilities":{}}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"shutdown"}"#,
        r#"{"jsonrpc":"2.0","method":"exit"}"#,
    ];
    let speak = |stdout: Stdio| {
        let mut child = sandbox.aside().arg("serve").stdin(Stdio::piped()).stdout(stdout).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        for body in session {
            write!(stdin, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
        assert_eq!(child.wait().unwrap().code(), Some(0));
    };
    let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    speak(Stdio::from(OwnedFd::from(theirs)));
    let mut said = String::new();
    ours.read_to_string(&mut said).unwrap();
    assert!(said.contains("\"serverInfo\"") && said.contains("\"id\":2"), "through a socket: {said}");

    let mut file = tempfile::tempfile().unwrap();
    speak(Stdio::from(file.try_clone().unwrap()));
    let mut said = String::new();
    std::io::Seek::rewind(&mut file).unwrap();
    file.read_to_string(&mut said).unwrap();
    assert!(said.contains("\"serverInfo\"") && said.contains("\"id\":2"), "into a file: {said}");
}
