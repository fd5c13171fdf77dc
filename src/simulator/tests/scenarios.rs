//! Every fault of a scenario, as a client sees it.

use super::*;

/// One streamed request under a scenario of one step.
fn streamed_under(step: &str) -> (Answer, AccountRow) {
    let running = play(&format!("[[step]]\n{step}"));
    let answer = send(&running, "POST", "/v1/messages", &streamed(hello()));
    (answer, running.account().requests.remove(0))
}

fn deltas(answer: &Answer) -> usize {
    answer.events().iter().filter(|event| event["type"] == "content_block_delta").count()
}

fn kinds(answer: &Answer) -> Vec<String> {
    answer.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn plays_statuses_with_and_without_headers() {
    let running = play(
        "[[step]]\nstatus = 529\n\n[[step]]\nstatus = 429\nheaders = { retry-after = \"7\" }\n\
         error = { message = \"Slow down\", details = { error_code = \"enforced_spend_limit_reached\" } }\n\n\
         [[step]]\nstatus = 502\nbody = \"<html>Bad gateway</html>\"\nheaders = { x-should-retry = \"false\" }\n",
    );
    let ask = || send(&running, "POST", "/v1/messages", &streamed(hello()));
    let overloaded = ask();
    assert_eq!((overloaded.status, overloaded.json()["error"]["type"].as_str()), (529, Some("overloaded_error")));
    assert_eq!(overloaded.header("retry-after"), None);
    let limited = ask();
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("7")));
    assert_eq!(limited.json()["error"]["details"]["error_code"], "enforced_spend_limit_reached");
    let gateway = ask();
    assert_eq!((gateway.status, gateway.text().as_str()), (502, "<html>Bad gateway</html>"));
    assert_eq!(
        (gateway.header("content-type"), gateway.header("x-should-retry")),
        (Some("text/html; charset=utf-8"), Some("false"))
    );
    assert_eq!(ask().status, 200, "the scenario is over");
    assert_eq!(running.account().requests.iter().map(|row| row.status).collect::<Vec<_>>(), [529, 429, 502, 200]);
}

#[test]
fn steps_are_matched_and_repeated() {
    let running = play(
        "[[step]]\ntimes = 2\nmatch = { text = \"banana\" }\nanswer = \"fruit\"\n\n\
         [[step]]\ntimes = \"always\"\nmatch = { model = \"claude-opus-5-5\", stream = false }\nanswer = \"big\"\n\n\
         [[step]]\nmatch = { path = \"/v1/models\" }\nstatus = 404\n",
    );
    let ask = |model: &str, text: &str| {
        let request = json!({"model": model, "max_tokens": 500, "messages": [{"role": "user", "content": text}]});
        let message = send(&running, "POST", "/v1/messages", &request.to_string()).json();
        message["content"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap().to_owned()
    };
    assert!(ask("claude-sonnet-5-5", "apple").contains("simulated"));
    assert_eq!(ask("claude-sonnet-5-5", "a banana"), "fruit");
    assert_eq!(ask("claude-opus-5-5", "a banana"), "fruit");
    assert_eq!(ask("claude-opus-5-5", "a banana"), "big");
    assert_eq!(ask("claude-opus-5-5", "x"), "big");
    assert!(ask("claude-sonnet-5-5", "a banana").contains("simulated"));
    assert_eq!(send(&running, "GET", "/v1/models", "").status, 404);
    assert_eq!(send(&running, "GET", "/v1/models", "").status, 200);
}

#[test]
fn breaks_streams_in_every_way() {
    let (answer, row) = streamed_under(
        "answer = \"one two three four five six seven eight nine ten\"\nerror_event = { after_deltas = 2 }",
    );
    assert!(answer.whole);
    assert_eq!(deltas(&answer), 2);
    let last = answer.events().pop().unwrap();
    assert_eq!((last["type"].as_str(), last["error"]["type"].as_str()), (Some("error"), Some("overloaded_error")));
    // The client was told what `message_start` says, and no more.
    assert!(!row.complete);
    assert_eq!(row.output_tokens, 1);
    assert!(row.output_tokens_made > 1);

    let (answer, _) = streamed_under("error_event = { type = \"api_error\", message = \"x\" }");
    assert_eq!(kinds(&answer), ["error"]);

    let (answer, row) = streamed_under("cut = { after_deltas = 3 }");
    assert!(!answer.whole && !row.complete);
    assert_eq!(deltas(&answer), 3);

    let (answer, _) = streamed_under("cut = { after_bytes = 100 }");
    assert!(!answer.whole);
    assert_eq!(answer.body.len(), 100);

    let (answer, row) = streamed_under("truncate = { after_deltas = 1 }");
    assert!(answer.whole && !row.complete);
    assert_eq!((deltas(&answer), kinds(&answer).contains(&"message_stop".to_owned())), (1, false));

    // A fault behind the end of a short answer comes in front of it.
    let (answer, _) = streamed_under("answer = \"hi\"\ntruncate = { after_deltas = 500 }");
    assert!(answer.whole && !kinds(&answer).contains(&"message_delta".to_owned()));
    let (answer, row) = streamed_under("truncate = {}");
    assert!(answer.whole && answer.body.is_empty());
    assert_eq!(row.input_tokens, 0, "nothing was reported");
}

#[test]
fn plays_endings_and_parts() {
    let text = |answer: &Answer| {
        answer.events().iter().filter_map(|event| event["delta"]["text"].as_str()).collect::<String>()
    };
    let ending = |answer: &Answer| answer.events().into_iter().find(|event| event["type"] == "message_delta").unwrap();

    let (answer, _) =
        streamed_under("stop_reason = \"refusal\"\nrefusal_category = \"cyber\"\nanswer = \"one two three four\"");
    assert_eq!(ending(&answer)["delta"]["stop_details"]["category"], "cyber");
    assert_eq!(text(&answer), "one two");
    let (answer, _) = streamed_under("stop_reason = \"max_tokens\"");
    assert_eq!(ending(&answer)["delta"]["stop_reason"], "max_tokens");
    let (answer, _) = streamed_under("stop_reason = \"tomorrow\"");
    assert_eq!(ending(&answer)["delta"]["stop_reason"], "tomorrow");

    let (answer, row) = streamed_under("thinking = \"Let me see.\"\nanswer = \"Done.\"");
    let events = answer.events();
    assert_eq!(events[1]["content_block"]["type"], "thinking");
    let thought: String = events.iter().filter_map(|event| event["delta"]["thinking"].as_str()).collect();
    assert_eq!((thought.as_str(), text(&answer).as_str()), ("Let me see.", "Done."));
    assert!(row.thinking_tokens > 0 && row.thinking_tokens < row.output_tokens);

    let (answer, _) = streamed_under("tool_calls = [{ name = \"look\", input = { at = \"x\", lines = [1, 2] } }]");
    let json: String = answer.events().iter().filter_map(|event| event["delta"]["partial_json"].as_str()).collect();
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), json!({"at": "x", "lines": [1, 2]}));
    assert_eq!(ending(&answer)["delta"]["stop_reason"], "tool_use");
}

#[test]
fn looks_as_odd_as_asked() {
    let plain = "answer = \"Größe: 🦀\"\n";
    let shaped = |shape: &str| streamed_under(&format!("{plain}stream = {{ {shape} }}")).0;
    let crlf = shaped("line_ends = \"crlf\"").text();
    assert!(crlf.contains("event: message_stop\r\ndata: ") && !crlf.replace("\r\n", "").contains('\n'));
    let cr = shaped("line_ends = \"cr\"").text();
    assert!(cr.contains("event: message_stop\rdata: ") && !cr.contains('\n'));
    assert!(shaped("byte_order_mark = true").text().starts_with('\u{feff}'));
    let pinged = shaped("ping_every = 1");
    assert_eq!(kinds(&pinged).iter().filter(|kind| *kind == "ping").count(), deltas(&pinged));
    let bytewise = shaped("bytes_per_write = 1");
    assert_eq!(kinds(&bytewise).last().unwrap(), "message_stop");
    let decorated = shaped("decorated = true").text();
    assert!(
        decorated.starts_with(": simulated\nid: 1\nretry: 3000\nevent:message_start\ndata: {\ndata:"),
        "{decorated}"
    );

    let unknown = shaped("unknown_events = true");
    let known = [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert!(kinds(&unknown).iter().any(|kind| !known.contains(&kind.as_str())));
    let text: String = unknown.events().iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert_eq!(text, "Größe: 🦀");
}

#[test]
fn stalls_where_it_is_told() {
    // A stall that ends leaves the answer whole; the pause itself is the scenario's own number.
    for place in ["at = \"headers\"", "at = \"first_event\"", "at = \"delta\", deltas = 2"] {
        let begun = std::time::Instant::now();
        let (answer, row) = streamed_under(&format!("stall = {{ {place}, ms = 60 }}"));
        assert!(begun.elapsed() >= std::time::Duration::from_millis(60), "{place}");
        assert!(answer.whole && row.complete);
    }
}

#[test]
fn a_client_that_leaves_is_noticed() {
    let running = play("[[step]]\nstall = { at = \"delta\", deltas = 1 }");
    let body = streamed(hello());
    let mut connection = TcpStream::connect(("127.0.0.1", running.url().port().unwrap())).unwrap();
    let length = body.len();
    write!(connection, "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: a\r\nanthropic-version: 2023-06-01\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("content_block_delta") {
        let mut bytes = [0; 4096];
        let count = connection.read(&mut bytes).unwrap();
        assert!(count > 0);
        seen.extend_from_slice(&bytes[..count]);
    }
    drop(connection);
    let row = running.account().requests.remove(0);
    assert!(!row.complete);
    assert_eq!(row.output_tokens, 1);
}

#[test]
fn a_request_that_fails_early_writes_no_cache_entry() {
    let running = play("[[step]]\nstatus = 500\n\n[[step]]\ntruncate = {}\n");
    let mut request = hello();
    request["system"] = json!([{"type": "text", "text": "word ".repeat(900), "cache_control": {"type": "ephemeral"}}]);
    for _ in 0..2 {
        send(&running, "POST", "/v1/messages", &streamed(request.clone()));
    }
    let third = send(&running, "POST", "/v1/messages", &streamed(request));
    assert_eq!(third.events()[0]["message"]["usage"]["cache_read_input_tokens"], 0);
}

#[test]
fn files_are_read_with_care() {
    let wrong = |text: &str| Scenario::from_toml(text).unwrap_err().message;
    let unknown = wrong("[[step]]\nstatsu = 500\n");
    assert!(
        unknown.starts_with("line 2, column 1: ") && unknown.contains("statsu") && unknown.contains("status"),
        "{unknown}"
    );
    assert!(wrong("[[step]]\nstatus = 500\n[[step]]\nstatus = 99\n").starts_with("step 2: status = 99"));
    assert!(wrong("[[step]]\nstatus = 500\nanswer = \"x\"\n").contains("exclude each other"));
    assert!(wrong("[[step]]\ncut = {}\ntruncate = {}\n").contains("only one of"));
    assert!(wrong("[[step]]\nstream = { bytes_per_write = 0 }\n").contains("at least one byte"));
    assert!(wrong("[[step]]\nheaders = { \"a b\" = \"x\" }\n").contains("not a header's name"));
    let json = Scenario::from_json("{\"step\": [{\"status\": 500, \"times\": \"always\"}]}").unwrap();
    assert_eq!(json.steps[0].times, Repeat::Always(Always::Always));
    let error = Scenario::from_json("{\"step\": [{\"status\": 500,\n \"tmies\": 1}]}").unwrap_err().message;
    assert!(error.contains("tmies") && error.contains("line 2"), "{error}");
    let missing = Scenario::load(std::path::Path::new("/nonexistent/scenario.toml")).unwrap_err();
    assert_eq!(missing.kind, crate::error::ErrorKind::Config);
}

#[test]
fn the_manuals_scenarios_are_understood() {
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/simulator.md")).unwrap();
    let blocks: Vec<&str> = manual.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 2);
    for block in blocks {
        Scenario::from_toml(block).unwrap();
    }
}

#[test]
fn a_cut_at_the_start_comes_behind_the_headers() {
    let (answer, row) = streamed_under("cut = {}");
    assert_eq!((answer.status, answer.whole, answer.body.len(), row.complete), (200, false, 0, false));
    let running = play("[[step]]\ncut = {}");
    let whole = send(&running, "POST", "/v1/messages", &hello().to_string());
    assert!(!whole.whole && !running.account().requests[0].complete);
}
