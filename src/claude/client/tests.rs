use serde_json::{Value, json};

use super::*;
use crate::{
    claude::{
        test_server::{Act, Request, Server, event, respond, stream_head},
        types::{Message, Role, StopReason},
    },
    error::ErrorKind,
};

fn client(url: &Url) -> Client {
    Client::new(options(url)).unwrap()
}

fn options(url: &Url) -> ClientOptions {
    ClientOptions::new(url.clone(), Auth::ApiKey("sk-test".into()))
}

/// Short limits for tests in which silence is the point.
fn impatient(url: &Url) -> Client {
    let limit = Duration::from_millis(80);
    Client::new(ClientOptions { first_event_timeout: limit, idle_timeout: limit, ..options(url) }).unwrap()
}

fn request() -> MessageRequest {
    MessageRequest {
        model: "claude-sonnet-5-5".to_owned(),
        max_tokens: Some(100),
        messages: vec![Message { role: Role::User, content: vec![ContentBlock::text("Hi")] }],
        ..MessageRequest::default()
    }
}

fn start() -> Act {
    event(&json!({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5", "content": [],
        "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": 5, "cache_read_input_tokens": 100, "output_tokens": 1},
    }}))
}

fn text(text: &str) -> Act {
    event(&json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}))
}

fn error(kind: &str) -> Act {
    event(&json!({"type": "error", "error": {"type": kind, "message": "Busy"}}))
}

fn end() -> Vec<Act> {
    vec![
        event(&json!({"type": "content_block_stop", "index": 0})),
        event(&json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}})),
        event(&json!({"type": "message_stop"})),
    ]
}

fn begin() -> Vec<Act> {
    let block = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
    vec![stream_head(), start(), event(&json!({"type": "ping"})), event(&block)]
}

/// A whole good answer.
fn good() -> Vec<Act> {
    [begin(), vec![text("Hel"), text("lo")], end()].concat()
}

/// The outcome, and what was told on the way, one line an event.
async fn run(client: &Client) -> (Result<Answer, Failure>, Vec<String>) {
    let mut told = Vec::new();
    let outcome = client.stream(&request(), &mut |progress| told.push(line(progress))).await;
    (outcome, told)
}

fn line(progress: Progress<'_>) -> String {
    match progress {
        Progress::Sent { attempt } => format!("sent {attempt}"),
        Progress::Waiting { attempt, reason, partial, .. } => {
            format!("waiting {attempt} {} {}", reason.kind, if partial.is_some() { "begun" } else { "nothing" })
        }
        Progress::Started { message, request_id, .. } => format!("started {} {request_id:?}", message.id),
        Progress::BlockStarted(_) => "block".to_owned(),
        Progress::Text(text) => format!("text {text}"),
        Progress::Thinking(text) => format!("thinking {text}"),
        Progress::ToolInput { index, json } => format!("input {index} {json}"),
        Progress::BlockFinished(block) => format!("finished {}", serde_json::to_value(block).unwrap()["type"]),
        Progress::Usage(tokens) => format!("usage {}/{}", tokens.total_input(), tokens.output),
    }
}

fn texts(message: &MessageResponse) -> Vec<&str> {
    message
        .content
        .iter()
        .map(|block| if let ContentBlock::Text { text, .. } = block { text.as_str() } else { "?" })
        .collect()
}

#[tokio::test]
async fn an_answer_is_told_as_it_comes_and_whole_at_the_end() {
    let server = Server::start([good()]).await;
    let (outcome, told) = run(&client(&server.url)).await;
    let answer = outcome.unwrap();
    assert_eq!(
        told,
        [
            "sent 1",
            "started msg_1 Some(\"req_1\")",
            "usage 105/1",
            "block",
            "text Hel",
            "text lo",
            "finished \"text\"",
            "usage 105/7"
        ]
    );
    assert_eq!((texts(&answer.message), answer.attempts), (vec!["Hello"], 1));
    assert_eq!(answer.message.stop_reason, Some(StopReason::EndTurn));
    assert_eq!(answer.tokens, Tokens { input: 5, cache_read: 100, output: 7, ..Tokens::default() });
    assert_eq!(answer.request_id.as_deref(), Some("req_1"));
    assert_eq!(answer.rate.requests.remaining, Some(9));
    assert!(answer.time_to_first_token.is_some() && answer.abandoned.is_empty());

    let [sent]: [Request; 1] = server.requests().try_into().unwrap();
    assert_eq!(sent.line, "POST /v1/messages");
    assert_eq!(sent.header("x-api-key"), Some("sk-test"));
    assert_eq!(sent.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(sent.header("content-type"), Some("application/json"));
    assert!(sent.header("user-agent").unwrap().starts_with("aside/"));
    assert_eq!(sent.json()["stream"], json!(true));
}

#[tokio::test]
async fn transient_failures_are_repeated_with_the_same_bytes() {
    let busy =
        respond(529, "retry-after-ms: 1", r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#);
    let limited = respond(429, "retry-after-ms: 1", "");
    let server = Server::start([busy, limited, good()]).await;
    let (outcome, told) = run(&client(&server.url)).await;
    assert_eq!(outcome.unwrap().attempts, 3);
    assert_eq!(
        told[..5],
        ["sent 1", "waiting 1 overloaded nothing", "sent 2", "waiting 2 rate_limit nothing", "sent 3"]
    );
    let bodies: Vec<String> = server.requests().into_iter().map(|request| request.body).collect();
    assert!(bodies[0] == bodies[1] && bodies[1] == bodies[2]);
}

#[tokio::test]
async fn the_last_error_comes_back_without_another_wait() {
    let fail = |id: &str| respond(500, &format!("retry-after-ms: 1\nrequest-id: {id}"), "");
    let server = Server::start([fail("a"), fail("b"), fail("c")]).await;
    let (outcome, told) = run(&client(&server.url)).await;
    let failure = outcome.unwrap_err();
    assert_eq!((failure.attempts, failure.error.request_id.as_deref()), (3, Some("c")));
    assert_eq!(told.last().map(String::as_str), Some("sent 3"));

    let server = Server::start([fail("only")]).await;
    let once = Client::new(ClientOptions { max_retries: 0, ..options(&server.url) }).unwrap();
    assert_eq!(run(&once).await.0.unwrap_err().attempts, 1);
}

#[tokio::test]
async fn final_refusals_are_not_repeated() {
    let spent = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "Spent",
        "details": {"error_code": "enforced_spend_limit_reached"}}, "request_id": "req_b"});
    for (reply, kind) in [
        (
            respond(
                401,
                "",
                r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
            ),
            ErrorKind::Credentials,
        ),
        (respond(400, "", "{}"), ErrorKind::Config),
        (respond(529, "x-should-retry: false", ""), ErrorKind::Overloaded),
        (respond(429, "", &spent.to_string()), ErrorKind::Budget),
        (respond(429, "retry-after: 3600", ""), ErrorKind::RateLimit),
    ] {
        let server = Server::start([reply]).await;
        let failure = run(&client(&server.url)).await.0.unwrap_err();
        assert_eq!((failure.error.kind, failure.attempts, failure.partial), (kind, 1, None));
    }
}

#[tokio::test]
async fn a_server_may_ask_for_another_try() {
    let server = Server::start([respond(400, "x-should-retry: true\nretry-after-ms: 1", "{}"), good()]).await;
    assert_eq!(run(&client(&server.url)).await.0.unwrap().attempts, 2);
}

#[tokio::test]
async fn silence_before_the_first_event_is_repeated() {
    let server = Server::start([vec![Act::Hang], vec![stream_head(), Act::Hang], vec![Act::Hang]]).await;
    let (outcome, told) = run(&impatient(&server.url)).await;
    let failure = outcome.unwrap_err();
    assert_eq!((failure.error.kind, failure.attempts), (ErrorKind::Timeout, 3));
    assert!(told.contains(&"waiting 2 timeout nothing".to_owned()), "{told:?}");
}

#[tokio::test]
async fn silence_in_the_middle_ends_it() {
    let server = Server::start([[begin(), vec![text("Hel"), Act::Hang]].concat()]).await;
    let failure = run(&impatient(&server.url)).await.0.unwrap_err();
    assert_eq!((failure.error.kind, failure.attempts), (ErrorKind::Timeout, 1));
    assert_eq!(failure.error.request_id.as_deref(), Some("req_1"));
    let partial = failure.partial.unwrap();
    assert_eq!((partial.text.as_str(), partial.tokens.cache_read), ("Hel", 100));
}

#[tokio::test]
async fn a_ping_is_a_sign_of_life() {
    let pings = (0..8).flat_map(|_| [event(&json!({"type": "ping"})), Act::Sleep(Duration::from_millis(50))]);
    let acts = [begin(), pings.collect(), vec![text("at last")], end()].concat();
    let server = Server::start([acts]).await;
    let limit = Duration::from_millis(250);
    let client = Client::new(ClientOptions { idle_timeout: limit, ..options(&server.url) }).unwrap();
    assert_eq!(texts(&run(&client).await.0.unwrap().message), ["at last"]);
}

#[tokio::test]
async fn a_break_before_content_is_repeated_and_remembered() {
    for broken in [vec![Act::Reset], vec![], vec![error("overloaded_error")]] {
        let server = Server::start([[begin(), broken].concat(), good()]).await;
        let (outcome, told) = run(&client(&server.url)).await;
        let answer = outcome.unwrap();
        assert_eq!((answer.attempts, answer.abandoned.len()), (2, 1), "{told:?}");
        assert_eq!(answer.abandoned[0].tokens.total_input(), 105);
        // The failed attempt is not part of the answer's own tokens.
        assert_eq!(answer.tokens.total_input(), 105);
        assert!(told.iter().any(|line| line.starts_with("waiting 1") && line.ends_with("begun")), "{told:?}");
    }
}

#[tokio::test]
async fn a_break_after_content_is_final() {
    for (broken, kind) in [
        (vec![], ErrorKind::Network),
        (vec![Act::Sleep(Duration::from_millis(20)), Act::Reset], ErrorKind::Network),
        (vec![error("overloaded_error")], ErrorKind::Overloaded),
        (vec![error("invalid_request_error")], ErrorKind::Config),
    ] {
        let server = Server::start([[begin(), vec![text("Hel")], broken].concat()]).await;
        let failure = run(&client(&server.url)).await.0.unwrap_err();
        assert_eq!((failure.error.kind, failure.attempts), (kind, 1));
        assert_eq!(failure.partial.unwrap().text, "Hel");
    }
}

#[tokio::test]
async fn an_end_without_message_stop_is_an_error() {
    let acts = [begin(), vec![text("Hello")], end()[..2].to_vec()].concat();
    let server = Server::start([acts]).await;
    let failure = run(&client(&server.url)).await.0.unwrap_err();
    assert_eq!(failure.error.kind, ErrorKind::Network);
    assert_eq!(failure.partial.unwrap().tokens.output, 7);
}

#[tokio::test]
async fn carriage_returns_and_strange_events_do_no_harm() {
    let strange = event(&json!({"type": "something_new", "payload": [1, 2]}));
    let delta = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta"}});
    let acts = [begin(), vec![strange, event(&delta), text("Hello")], end()].concat();
    let acts = acts.into_iter().enumerate().map(|(at, act)| match act {
        Act::Send(text) if at > 0 => Act::Send(text.replace('\n', "\r\n")),
        act => act,
    });
    let server = Server::start([acts.collect()]).await;
    assert_eq!(texts(&run(&client(&server.url)).await.0.unwrap().message), ["Hello"]);
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let message = json!({"id": "msg_2", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "All at once"}], "usage": {"input_tokens": 3, "output_tokens": 4}});
    let server = Server::start([respond(200, "content-type: application/json", &message.to_string())]).await;
    let (outcome, told) = run(&client(&server.url)).await;
    let answer = outcome.unwrap();
    assert_eq!((texts(&answer.message), answer.tokens.output), (vec!["All at once"], 4));
    assert!(told.contains(&"text All at once".to_owned()));
}

#[tokio::test]
async fn what_is_not_the_api_is_told_so() {
    for (reply, kind, says) in [
        (respond(200, "content-type: text/html", "<html><title>Sign in</title>"), ErrorKind::BadAnswer, "Sign in"),
        (
            respond(200, "content-type: application/json", r#"{"error":"no such engine"}"#),
            ErrorKind::BadAnswer,
            "no such engine",
        ),
        (
            respond(404, "content-type: text/html", "<!doctype html><title>Not found</title>"),
            ErrorKind::Config,
            "Not found",
        ),
        (vec![stream_head(), Act::Send("data: {nonsense\n\n".to_owned())], ErrorKind::BadAnswer, "not JSON"),
        (vec![stream_head(), text("early")], ErrorKind::BadAnswer, "before message_start"),
    ] {
        let server = Server::start([reply]).await;
        let failure = run(&client(&server.url)).await.0.unwrap_err();
        assert_eq!((failure.error.kind, failure.attempts), (kind, 1), "{}", failure.error);
        assert!(failure.error.message.contains(says), "{}", failure.error);
        assert!(failure.error.hint.unwrap().contains("api.base_url"));
    }
}

#[tokio::test]
async fn a_redirect_elsewhere_gets_neither_key_nor_code() {
    let thief = Server::start([]).await;
    for status in [301, 302, 307, 308] {
        let location = format!("location: {}", thief.url.join("/v1/messages").unwrap());
        let server = Server::start([respond(status, &location, "")]).await;
        let failure = run(&client(&server.url)).await.0.unwrap_err();
        assert_eq!(failure.error.kind, ErrorKind::Config);
        assert!(failure.error.message.contains("redirects to 127.0.0.1"), "{}", failure.error);
    }
    assert!(thief.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_at_home_is_followed() {
    let server = Server::start([respond(307, "location: /v1/messages/", ""), good()]).await;
    assert!(run(&client(&server.url)).await.0.is_ok());
    let requests = server.requests();
    assert_eq!(requests[1].line, "POST /v1/messages/");
    assert_eq!(requests[0].body, requests[1].body);

    let endless: Vec<_> = (0..7).map(|n| respond(307, &format!("location: /{n}"), "")).take(6).collect();
    let server = Server::start(endless).await;
    assert_eq!(run(&client(&server.url)).await.0.unwrap_err().error.kind, ErrorKind::Config);
}

#[tokio::test]
async fn the_base_url_may_have_a_prefix() {
    for prefix in ["/gateway/anthropic", "/gateway/anthropic/"] {
        let server = Server::start([good()]).await;
        let client = client(&server.url.join(prefix).unwrap());
        assert!(run(&client).await.0.is_ok());
        assert_eq!(server.requests()[0].line, "POST /gateway/anthropic/v1/messages");
    }
    let server = Server::start([respond(404, "", "404 page not found")]).await;
    let failure = run(&client(&server.url.join("/v1").unwrap())).await.0.unwrap_err();
    assert!(failure.error.hint.unwrap().contains("ends in /v1"));
}

#[tokio::test]
async fn nobody_listens() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let client = Client::new(ClientOptions { max_retries: 0, ..options(&url) }).unwrap();
    let failure = run(&client).await.0.unwrap_err();
    assert_eq!(failure.error.kind, ErrorKind::Network);
    assert!(failure.error.message.contains("refuses connections"), "{}", failure.error);
}

#[tokio::test]
async fn dropping_the_future_ends_the_request() {
    let server = Server::start([[begin(), vec![text("Hel"), Act::Hang]].concat()]).await;
    let client = client(&server.url);
    let seen = Arc::new(tokio::sync::Notify::new());
    let notify = Arc::clone(&seen);
    let running = tokio::spawn(async move {
        let mut sink = |progress: Progress<'_>| {
            if matches!(progress, Progress::Text(_)) {
                notify.notify_one();
            }
        };
        client.stream(&request(), &mut sink).await
    });
    seen.notified().await;
    running.abort();
    tokio::time::timeout(Duration::from_secs(20), server.client_gone()).await.unwrap();
}

#[tokio::test]
async fn too_large_a_request_is_not_sent() {
    let server = Server::start([]).await;
    let mut large = request();
    large.messages[0].content = vec![ContentBlock::text("x".repeat(call::LARGEST_REQUEST))];
    let failure = client(&server.url).stream(&large, &mut |_| {}).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.attempts), (ErrorKind::TooLong, 0));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_warm_up_is_answered_in_one_piece() {
    let reply = json!({"id": "msg_3", "type": "message", "role": "assistant", "model": "m", "content": [],
        "stop_reason": "max_tokens", "stop_sequence": null,
        "usage": {"input_tokens": 1, "cache_creation_input_tokens": 600, "output_tokens": 0}});
    let named = respond(200, "request-id: req_3", &reply.to_string());
    let server = Server::start([respond(503, "retry-after-ms: 1", ""), named]).await;
    let warm = MessageRequest { max_tokens: Some(0), stream: true, ..request() };
    let sent = client(&server.url).send(&warm).await.unwrap();
    assert_eq!(Tokens::from(&sent.message.usage).cache_write(), 600);
    assert_eq!(sent.request_id.as_deref(), Some("req_3"));
    let sent = server.requests()[1].json();
    assert_eq!((sent.get("stream"), sent.get("max_tokens")), (None, Some(&json!(0))));
}

#[tokio::test]
async fn tokens_are_counted_where_they_can_be() {
    let full = MessageRequest {
        stop_sequences: vec!["x".to_owned()],
        temperature: Some(1.0),
        service_tier: Some("auto".to_owned()),
        ..request()
    };
    let unknown = json!({"type": "error", "error": {"type": "not_found_error", "message": "model: claude-sonnet-5-5"}});
    let server = Server::start([
        respond(200, "", r#"{"input_tokens": 42}"#),
        respond(404, "", "404 page not found"),
        respond(405, "", ""),
        respond(404, "", &unknown.to_string()),
    ])
    .await;
    let client = client(&server.url);
    assert_eq!(client.count_tokens(&full).await.unwrap(), Some(42));
    assert_eq!(client.count_tokens(&full).await.unwrap(), None);
    assert_eq!(client.count_tokens(&full).await.unwrap(), None);
    assert_eq!(client.count_tokens(&full).await.unwrap_err().kind, ErrorKind::Config);
    let sent: Vec<String> = server.requests()[0].json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(sent, ["model", "messages"]);
}

#[tokio::test]
async fn models_are_listed_page_by_page() {
    let page = |ids: &[&str], more: bool| {
        let data: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        respond(200, "", &json!({"data": data, "has_more": more, "last_id": ids.last()}).to_string())
    };
    let server = Server::start([page(&["a", "b"], true), page(&["c"], false), respond(404, "", "")]).await;
    let client = client(&server.url);
    let ids: Vec<String> = client.models().await.unwrap().into_iter().map(|model| model.id).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(client.models().await.unwrap(), []);
    let lines: Vec<String> = server.requests().into_iter().map(|request| request.line).collect();
    assert_eq!(lines[..2], ["GET /v1/models?limit=1000", "GET /v1/models?limit=1000&after_id=b"]);
}

#[tokio::test]
async fn one_model_is_looked_up() {
    let server = Server::start([
        respond(200, "", r#"{"id":"local/qwen 3","max_tokens":8192,"object":"model"}"#),
        respond(404, "", ""),
        respond(401, "", ""),
    ])
    .await;
    let client = client(&server.url);
    assert_eq!(client.model("local/qwen 3").await.unwrap().unwrap().max_tokens, Some(8192));
    assert_eq!(client.model("x").await.unwrap(), None);
    assert_eq!(client.model("x").await.unwrap_err().kind, ErrorKind::Credentials);
    assert_eq!(server.requests()[0].line, "GET /v1/models/local%2Fqwen%203");
}

#[test]
fn the_future_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let client = client(&Url::parse("http://127.0.0.1:1").unwrap());
    is_send(&client.stream(&request(), &mut |_| {}));
    is_send(&client.batch_results("x"));
    assert_eq!(client.host(), "127.0.0.1:1");
}

/// A client whose patience is a second, for servers that never fall silent.
fn patient_for_a_second(url: &Url) -> Client {
    let limit = Duration::from_secs(1);
    Client::new(ClientOptions { first_event_timeout: limit, idle_timeout: limit, ..options(url) }).unwrap()
}

#[tokio::test(start_paused = true)]
async fn pings_alone_are_not_waited_for_for_ever() {
    let pings = (0..30).flat_map(|_| [event(&json!({"type": "ping"})), Act::Sleep(Duration::from_millis(900))]);
    let server = Server::start([[begin(), vec![text("Hel")], pings.collect(), vec![Act::Hang]].concat()]).await;
    let failure = run(&patient_for_a_second(&server.url)).await.0.unwrap_err();
    assert_eq!((failure.error.kind, failure.attempts), (ErrorKind::Timeout, 1));
    assert!(failure.error.message.contains("20 s"), "{}", failure.error);
    assert_eq!(failure.partial.unwrap().text, "Hel");
}

#[tokio::test]
async fn an_answer_without_end_does_not_fill_the_memory() {
    let piece = text(&"x".repeat(1 << 20));
    let server = Server::start([[begin(), vec![piece; 12]].concat()]).await;
    let failure = run(&client(&server.url)).await.0.unwrap_err();
    assert_eq!((failure.error.kind, failure.attempts), (ErrorKind::BadAnswer, 1));
    assert!(failure.error.message.contains("no end"), "{}", failure.error);
    let kept = failure.partial.unwrap().text.len();
    assert!((7 << 20..=9 << 20).contains(&kept), "{kept}");
}
