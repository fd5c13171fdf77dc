//! The simulator over real connections.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::*;

/// An answer as it came: status, headers, body, and whether the body came to its proper end.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    pub(super) whole: bool,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The events of a stream in its usual form.
    pub(super) fn events(&self) -> Vec<Value> {
        let text = self.text();
        text.split("\n\n")
            .filter_map(|event| event.lines().find_map(|line| line.strip_prefix("data: ")))
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Starts a simulator that plays a scenario.
pub(super) fn play(scenario: &str) -> Running {
    let scenario = Some(Scenario::from_toml(scenario).unwrap());
    Simulator::start(SimulatorOptions { scenario, ..SimulatorOptions::default() }).unwrap()
}

pub(super) fn start() -> Running {
    Simulator::start(SimulatorOptions::default()).unwrap()
}

/// Sends a request with the usual headers.
pub(super) fn send(running: &Running, method: &str, path: &str, body: &str) -> Answer {
    let headers = "x-api-key: test\r\nanthropic-version: 2023-06-01\r\ncontent-type: application/json\r\n";
    send_with(running, method, path, headers, body)
}

pub(super) fn send_with(running: &Running, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let mut connection = TcpStream::connect(("127.0.0.1", running.url().port().unwrap())).unwrap();
    let length = body.len();
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut bytes = Vec::new();
    let ended = connection.read_to_end(&mut bytes).is_ok();
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let raw = bytes.get(split + 4..).unwrap_or_default();
    let (body, whole) = if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        unchunk(raw)
    } else {
        (raw.to_vec(), ended)
    };
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head, body, whole }
}

/// A chunked body, and whether its last chunk came.
fn unchunk(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&raw[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let rest = &raw[end + 2..];
        body.extend_from_slice(&rest[..size.min(rest.len())]);
        raw = rest.get(size + 2..).unwrap_or_default();
    }
    (body, false)
}

/// A small request.
pub(super) fn hello() -> Value {
    json!({"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": [{"role": "user", "content": "Hello"}]})
}

pub(super) fn streamed(mut request: Value) -> String {
    request["stream"] = json!(true);
    request.to_string()
}

#[test]
fn streams_an_answer_whose_account_agrees() {
    let running = start();
    let answer = send(&running, "POST", "/v1/messages", &streamed(hello()));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.whole);
    assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let events = answer.events();
    assert_eq!(events.first().unwrap()["type"], "message_start");
    assert_eq!(events.last().unwrap()["type"], "message_stop");
    let text: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert!(text.contains("simulated"), "{text}");

    let end = events.iter().find(|event| event["type"] == "message_delta").unwrap();
    let account = running.account();
    let row = account.row(answer.header("request-id").unwrap()).unwrap();
    assert!(row.complete);
    assert_eq!(end["usage"]["output_tokens"], row.output_tokens);
    assert_eq!(end["usage"]["input_tokens"], row.input_tokens);
    assert_eq!(events[0]["message"]["id"], row.message_id.clone().unwrap());
}

#[test]
fn stops_when_dropped_and_frees_the_port() {
    let running = start();
    let port = running.url().port().unwrap();
    drop(running);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_port_in_use_is_an_error_with_a_way_out() {
    let running = start();
    let port = running.url().port().unwrap();
    let error = Simulator::start(SimulatorOptions { port, ..SimulatorOptions::default() }).unwrap_err();
    assert!(error.message.contains("in use"), "{error}");
    assert!(error.hint.is_some());
}

#[test]
fn asks_for_a_key_and_a_version() {
    let running = start();
    let ask = |headers| {
        let answer = send_with(&running, "POST", "/v1/messages", headers, &hello().to_string());
        let body = answer.json();
        assert_eq!(body["request_id"], answer.header("request-id").unwrap());
        (answer.status, body["error"]["type"].as_str().unwrap().to_owned())
    };
    assert_eq!(ask("anthropic-version: 2023-06-01\r\n"), (401, "authentication_error".to_owned()));
    assert_eq!(ask("x-api-key: \r\nanthropic-version: 2023-06-01\r\n"), (401, "authentication_error".to_owned()));
    assert_eq!(ask("authorization: Basic abc\r\n"), (401, "authentication_error".to_owned()));
    assert_eq!(ask("authorization: Bearer abc\r\n"), (400, "invalid_request_error".to_owned()));
    assert_eq!(ask("x-api-key: a\r\nanthropic-version: 1999-01-01\r\n"), (400, "invalid_request_error".to_owned()));
    let answer = send(&running, "GET", "/v1/nowhere", "");
    assert_eq!((answer.status, answer.json()["error"]["type"].as_str()), (404, Some("not_found_error")));
}
