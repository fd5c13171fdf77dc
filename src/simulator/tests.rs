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

#[test]
fn answers_whole_when_no_stream_is_asked_for() {
    let running = start();
    let answer = send(&running, "POST", "/v1/messages", &hello().to_string());
    let message = answer.json();
    assert_eq!((message["type"].as_str(), message["stop_reason"].as_str()), (Some("message"), Some("end_turn")));
    // The default model thinks first, and says nothing of it but its tokens.
    assert_eq!(message["content"][0]["type"], "thinking");
    assert_eq!(message["content"][0]["thinking"], "");
    assert!(message["usage"]["output_tokens_details"]["thinking_tokens"].as_u64().unwrap() > 0);
    let account = running.account();
    let row = account.row(answer.header("request-id").unwrap()).unwrap();
    let usage: crate::claude::types::Usage = serde_json::from_value(message["usage"].clone()).unwrap();
    assert_eq!(row.tokens(), crate::claude::usage::Tokens::from(&usage));
    assert_eq!(row.output_tokens_made, row.output_tokens);
    assert!(answer.header("anthropic-ratelimit-requests-remaining").is_some());
}

#[test]
fn the_account_is_had_from_outside_and_holds_no_key() {
    let running = start();
    send(&running, "POST", "/v1/messages", &streamed(hello()));
    send(&running, "POST", "/v1/messages", "{}");
    let outside = send_with(&running, "GET", "/__simulator/account", "", "");
    assert_eq!(outside.json(), serde_json::to_value(running.account()).unwrap());
    assert!(!outside.text().contains("\"test\""));
    let statuses: Vec<u16> = running.account().requests.iter().map(|row| row.status).collect();
    assert_eq!(statuses, [200, 400]);
    assert!(send_with(&running, "GET", "/", "", "").text().contains("simulator"));
}

#[test]
fn reads_what_an_earlier_request_wrote_and_forgets_it_in_time() {
    let clock = std::sync::Arc::new(ManualClock::new("2026-11-23T12:00:00Z".parse().unwrap()));
    let shared: std::sync::Arc<dyn Clock> = std::sync::Arc::<ManualClock>::clone(&clock);
    let options = SimulatorOptions { clock: Some(shared), ..SimulatorOptions::default() };
    let running = Simulator::start(options).unwrap();
    let mut request = hello();
    request["system"] = json!([{"type": "text", "text": "word ".repeat(900), "cache_control": {"type": "ephemeral"}}]);
    let usage = |answer: &Answer| {
        let usage = &answer.events()[0]["message"]["usage"];
        (
            usage["cache_read_input_tokens"].as_u64().unwrap(),
            usage["cache_creation"]["ephemeral_5m_input_tokens"].as_u64().unwrap(),
        )
    };
    let first = usage(&send(&running, "POST", "/v1/messages", &streamed(request.clone())));
    assert_eq!(first.0, 0);
    assert!(first.1 > 512);
    let second = usage(&send(&running, "POST", "/v1/messages", &streamed(request.clone())));
    assert_eq!(second, (first.1, 0));
    clock.advance(std::time::Duration::from_secs(301));
    assert_eq!(usage(&send(&running, "POST", "/v1/messages", &streamed(request.clone()))), first);

    let mut warm = request.clone();
    warm["max_tokens"] = json!(0);
    let warmed = send(&running, "POST", "/v1/messages", &warm.to_string()).json();
    assert_eq!((&warmed["content"], warmed["stop_reason"].as_str()), (&json!([]), Some("max_tokens")));
    assert_eq!(warmed["usage"]["cache_read_input_tokens"], first.1);
}

#[test]
fn says_why_the_cache_was_missed() {
    let running = start();
    let mut request = hello();
    request["system"] = json!([{"type": "text", "text": "word ".repeat(900), "cache_control": {"type": "ephemeral"}}]);
    request["diagnostics"] = json!({"previous_message_id": null});
    let first = send(&running, "POST", "/v1/messages", &request.to_string()).json();
    assert_eq!(first["diagnostics"], json!({"cache_miss_reason": null}));
    let ask = |change: &dyn Fn(&mut Value)| {
        let mut next = request.clone();
        next["diagnostics"]["previous_message_id"] = first["id"].clone();
        change(&mut next);
        let answer = send(&running, "POST", "/v1/messages", &next.to_string()).json();
        answer["diagnostics"]["cache_miss_reason"]["type"].as_str().map(str::to_owned)
    };
    assert_eq!(ask(&|_| {}), None);
    assert_eq!(ask(&|next| next["model"] = json!("claude-opus-5-5")).as_deref(), Some("model_changed"));
    assert_eq!(ask(&|next| next["system"][0]["text"] = json!("other")).as_deref(), Some("system_changed"));
    let tools = json!([{"name": "a", "input_schema": {"type": "object"}}]);
    assert_eq!(ask(&|next| next["tools"] = tools.clone()).as_deref(), Some("tools_changed"));
    let unknown = |next: &mut Value| next["diagnostics"]["previous_message_id"] = json!("msg_x");
    assert_eq!(ask(&unknown).as_deref(), Some("previous_message_not_found"));
}

#[test]
fn ends_at_max_tokens_and_at_stop_sequences() {
    let running = start();
    let mut short = hello();
    short["model"] = json!("claude-haiku-4-5");
    short["max_tokens"] = json!(5);
    let message = send(&running, "POST", "/v1/messages", &short.to_string()).json();
    assert_eq!(
        (message["stop_reason"].as_str(), message["usage"]["output_tokens"].as_u64()),
        (Some("max_tokens"), Some(5))
    );
    let mut stopped = hello();
    stopped["stop_sequences"] = json!(["zebra", "simulated"]);
    let message = send(&running, "POST", "/v1/messages", &stopped.to_string()).json();
    assert_eq!(
        (message["stop_reason"].as_str(), message["stop_sequence"].as_str()),
        (Some("stop_sequence"), Some("simulated"))
    );
    assert!(!message.to_string().contains("no model has read"));
}

#[test]
fn counts_tokens_as_it_bills_them() {
    let running = start();
    let mut request = hello();
    let billed = send(&running, "POST", "/v1/messages", &request.to_string()).json()["usage"]["input_tokens"].clone();
    request.as_object_mut().unwrap().shift_remove("max_tokens");
    let counted = send(&running, "POST", "/v1/messages/count_tokens", &request.to_string());
    assert_eq!(counted.json(), json!({"input_tokens": billed}));
    assert_eq!(running.account().requests.len(), 1, "counting is free");
}

#[test]
fn a_slash_too_many_does_not_matter() {
    let running = start();
    assert_eq!(send(&running, "POST", "//v1/messages", &hello().to_string()).status, 200);
    assert_eq!(send(&running, "GET", "//v1/models/?limit=1", "").json()["data"].as_array().unwrap().len(), 1);
}

#[test]
fn lists_and_describes_models() {
    let running = start();
    let list = send(&running, "GET", "/v1/models?limit=3", "").json();
    assert_eq!((list["data"].as_array().unwrap().len(), list["has_more"].as_bool()), (3, Some(true)));
    let model = send(&running, "GET", "/v1/models/claude-sonnet-5-5", "").json();
    assert_eq!(
        (model["display_name"].as_str(), model["lifecycle"].as_str()),
        (Some("Claude Sonnet 5.5"), Some("active"))
    );
    assert_eq!(model["capabilities"]["thinking"]["types"]["between_tools"]["supported"], true);
    assert_eq!(send(&running, "GET", "/v1/models/claude-opus-4-1", "").json()["lifecycle"], "retired");
    assert_eq!(send(&running, "GET", "/v1/models/nobody", "").status, 404);
    assert_eq!(send(&running, "GET", "/v1/models?limit=0", "").status, 400);
}

/// Waits until a batch has ended.
fn ended(running: &Running, id: &str) -> Value {
    for _ in 0..500 {
        let batch = send(running, "GET", &format!("/v1/messages/batches/{id}"), "").json();
        if batch["processing_status"] == "ended" {
            return batch;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("the batch does not end");
}

#[test]
fn works_through_batches() {
    let running = start();
    let request = |id: &str, params: Value| json!({"custom_id": id, "params": params});
    let body = json!({"requests": [request("a", hello()), request("b", json!({"model": "claude-opus-4-1"}))]});
    let made = send(&running, "POST", "/v1/messages/batches", &body.to_string());
    assert_eq!(made.status, 200, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let batch = ended(&running, &id);
    assert_eq!((&batch["request_counts"]["succeeded"], &batch["request_counts"]["errored"]), (&json!(1), &json!(1)));
    assert!(batch["results_url"].as_str().unwrap().ends_with(&format!("/v1/messages/batches/{id}/results")));

    let results = send(&running, "GET", &format!("/v1/messages/batches/{id}/results"), "").text();
    let lines: Vec<Value> = results.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |id: &str| &lines.iter().find(|line| line["custom_id"] == id).unwrap()["result"];
    assert_eq!(of("a")["message"]["usage"]["service_tier"], "batch");
    assert_eq!(of("b")["error"]["error"]["message"], "max_tokens: Field required");
    assert!(running.account().requests.iter().all(|row| row.batch));

    let list = send(&running, "GET", "/v1/messages/batches", "").json();
    assert_eq!(list["data"][0]["id"], id.as_str());
    let other = send_with(
        &running,
        "GET",
        &format!("/v1/messages/batches/{id}"),
        "x-api-key: b\r\nanthropic-version: 2023-06-01\r\n",
        "",
    );
    assert_eq!(other.status, 404, "another key's batch");
    assert_eq!(send(&running, "POST", &format!("/v1/messages/batches/{id}/cancel"), "").status, 400, "too late");
    assert_eq!(
        send(&running, "DELETE", &format!("/v1/messages/batches/{id}"), "").json()["type"],
        "message_batch_deleted"
    );
    assert_eq!(send(&running, "GET", &format!("/v1/messages/batches/{id}"), "").status, 404);
}

#[test]
fn refuses_bad_batches_and_cancels_slow_ones() {
    let options = SimulatorOptions { tokens_per_second: Some(200.0), ..SimulatorOptions::default() };
    let running = Simulator::start(options).unwrap();
    let request = |id: &str| json!({"custom_id": id, "params": hello()});
    let refused = |body: Value| {
        send(&running, "POST", "/v1/messages/batches", &body.to_string()).json()["error"]["message"].to_string()
    };
    assert!(
        refused(json!({"requests": [request("a"), request("a")]}))
            .contains("requests.1.custom_id: custom_id must be unique")
    );
    assert!(
        refused(json!({"requests": [request("a b")]})).contains("requests.0.custom_id: String should match pattern")
    );
    assert!(refused(json!({"requests": []})).contains("requests: List should have"));
    assert!(
        refused(json!({"requests": [{"custom_id": "a", "params": hello(), "x": 1}]})).contains("requests.0.x: Extra")
    );
    let made =
        send(&running, "POST", "/v1/messages/batches", &json!({"requests": [request("a"), request("b")]}).to_string());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(send(&running, "GET", &format!("/v1/messages/batches/{id}/results"), "").status, 404, "not yet");
    assert_eq!(
        send(&running, "POST", &format!("/v1/messages/batches/{id}/cancel"), "").json()["processing_status"],
        "canceling"
    );
    let counts = &ended(&running, &id)["request_counts"];
    assert!(counts["canceled"].as_u64().unwrap() >= 1, "{counts}");
}

#[test]
fn requests_of_a_batch_expire_and_wait_as_a_scenario_wants() {
    let running = play(
        "[[step]]\nmatch = { path = \"/v1/messages/batches/requests\", text = \"late\" }\nbatch_result = \"expired\"\n\n\
         [[step]]\nmatch = { path = \"/v1/messages/batches/requests\", text = \"slow\" }\nstall = { at = \"headers\" }\n",
    );
    let request = |text: &str| {
        let params =
            json!({"model": "claude-sonnet-5-5", "max_tokens": 500, "messages": [{"role": "user", "content": text}]});
        json!({"custom_id": text, "params": params})
    };
    let requests = ["late", "now", "slow", "never"].map(request);
    let body = json!({"requests": requests});
    let id =
        send(&running, "POST", "/v1/messages/batches", &body.to_string()).json()["id"].as_str().unwrap().to_owned();
    while running.account().stalled == 0 {
        std::thread::yield_now();
    }
    send(&running, "POST", &format!("/v1/messages/batches/{id}/cancel"), "");
    let counts = &ended(&running, &id)["request_counts"];
    let ends = ["succeeded", "expired", "canceled", "errored"].map(|end| counts[end].as_u64().unwrap());
    assert_eq!(ends, [1, 1, 2, 0], "{counts}");
    assert_eq!(running.account().requests.len(), 1, "who did not begin is not billed");
}

#[test]
fn a_batch_expires_after_a_day_and_its_results_go_after_29() {
    const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
    const MOMENT: std::time::Duration = std::time::Duration::from_secs(1);
    let clock = std::sync::Arc::new(ManualClock::new("2026-11-23T10:00:00Z".parse().unwrap()));
    let shared: std::sync::Arc<dyn Clock> = std::sync::Arc::<ManualClock>::clone(&clock);
    let scenario = "[[step]]\nmatch = { path = \"/v1/messages/batches/requests\", text = \"slow\" }\nstall = { at = \"headers\" }\n";
    let running = Simulator::start(SimulatorOptions {
        clock: Some(shared),
        scenario: Some(Scenario::from_toml(scenario).unwrap()),
        ..SimulatorOptions::default()
    })
    .unwrap();
    let request = |text: &str| {
        let params =
            json!({"model": "claude-sonnet-5-5", "max_tokens": 500, "messages": [{"role": "user", "content": text}]});
        json!({"custom_id": text, "params": params})
    };
    let requests = ["now", "slow", "never"].map(request);
    let body = json!({"requests": requests}).to_string();
    let made = send(&running, "POST", "/v1/messages/batches", &body).json();
    let path = format!("/v1/messages/batches/{}", made["id"].as_str().unwrap());
    while running.account().stalled == 0 {
        std::thread::yield_now();
    }
    clock.advance(DAY.saturating_sub(MOMENT));
    assert_eq!(send(&running, "GET", &path, "").json()["processing_status"], "in_progress");
    clock.advance(MOMENT);
    let batch = ended(&running, made["id"].as_str().unwrap());
    assert_eq!(
        (&batch["ended_at"], &batch["expires_at"]),
        (&json!("2026-11-24T10:00:00Z"), &json!("2026-11-24T10:00:00Z"))
    );
    assert_eq!((&batch["request_counts"]["succeeded"], &batch["request_counts"]["expired"]), (&json!(1), &json!(2)));
    assert_eq!(running.account().requests.len(), 1, "what expired is not billed");
    let results = send(&running, "GET", &format!("{path}/results"), "").text();
    let ids: Vec<Value> =
        results.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["custom_id"].clone()).collect();
    assert_eq!(ids, ["never", "slow", "now"], "not in the order of the requests");

    clock.advance((28 * DAY).saturating_sub(MOMENT));
    assert_eq!(send(&running, "GET", &path, "").json()["archived_at"], Value::Null);
    clock.advance(MOMENT);
    let batch = send(&running, "GET", &path, "").json();
    assert_eq!((&batch["archived_at"], &batch["results_url"]), (&json!("2026-12-22T10:00:00Z"), &Value::Null));
    assert_eq!(send(&running, "GET", &format!("{path}/results"), "").status, 404);
}

#[test]
fn an_answer_that_is_lost_was_carried_out_all_the_same() {
    let running = play(
        "[[step]]\nmatch = { path = \"/v1/messages/batches\" }\ncut = {}\n\n\
         [[step]]\nmatch = { path = \"/v1/messages/batches/*/results\" }\ncut = { after_bytes = 20 }\n",
    );
    let body = json!({"requests": [{"custom_id": "a", "params": hello()}]});
    assert!(!send(&running, "POST", "/v1/messages/batches", &body.to_string()).whole);
    let list = send(&running, "GET", "/v1/messages/batches", "").json();
    let id = list["data"][0]["id"].as_str().unwrap().to_owned();
    ended(&running, &id);
    let results = format!("/v1/messages/batches/{id}/results");
    let broken = send(&running, "GET", &results, "");
    assert_eq!((broken.whole, broken.body.len()), (false, 20));
    assert!(send(&running, "GET", &results, "").whole);
}

mod scenarios;
