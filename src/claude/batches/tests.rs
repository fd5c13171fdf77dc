use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::claude::{
    client::{Auth, ClientOptions},
    test_server::{Act, Server, respond},
    types::{ContentBlock, Message, Role},
};

fn client(server: &Server) -> Client {
    Client::new(ClientOptions::new(server.url.clone(), Auth::ApiKey("k".into()))).unwrap()
}

fn request(id: &str) -> BatchRequest {
    let params = MessageRequest {
        model: "claude-haiku-5-5".to_owned(),
        max_tokens: Some(10),
        messages: vec![Message { role: Role::User, content: vec![ContentBlock::text("Hi")] }],
        ..MessageRequest::default()
    };
    BatchRequest { custom_id: id.to_owned(), params }
}

fn body(requests: &[BatchRequest]) -> BatchBody {
    let mut body = BatchBody::new().unwrap();
    assert!(requests.iter().all(|request| body.push(request).unwrap()));
    body.finish().unwrap();
    body
}

fn batch(id: &str, status: &str) -> Value {
    json!({"id": id, "type": "message_batch", "processing_status": status, "results_url": null, "archived_at": null,
        "request_counts": {"processing": 1, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
        "created_at": "2026-11-23T10:00:00Z", "expires_at": "2026-11-24T10:00:00Z", "ended_at": null,
        "cancel_initiated_at": null})
}

#[tokio::test]
async fn a_batch_from_submission_to_deletion() {
    let server = Server::start([
        respond(200, "", &batch("msgbatch_1", "in_progress").to_string()),
        respond(200, "", &batch("msgbatch_1", "canceling").to_string()),
        respond(200, "", &batch("msgbatch_1", "ended").to_string()),
        respond(200, "", r#"{"id":"msgbatch_1","type":"message_batch_deleted"}"#),
    ])
    .await;
    let client = client(&server);
    let submitted = client.submit_batch(&body(&[request("a"), request("b-2_")])).await.unwrap();
    assert_eq!((submitted.id.as_str(), submitted.request_counts.processing), ("msgbatch_1", 1));
    assert_eq!(client.cancel_batch("msgbatch_1").await.unwrap().processing_status, ProcessingStatus::Canceling);
    let ended = client.batch("msgbatch_1").await.unwrap().expect("it is there");
    assert_eq!(ended.processing_status, ProcessingStatus::Ended);
    assert_eq!(client.delete_batch("msgbatch_1").await.unwrap().id, "msgbatch_1");

    let requests = server.requests();
    let lines: Vec<&str> = requests.iter().map(|request| request.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "POST /v1/messages/batches",
            "POST /v1/messages/batches/msgbatch_1/cancel",
            "GET /v1/messages/batches/msgbatch_1",
            "DELETE /v1/messages/batches/msgbatch_1",
        ]
    );
    assert!(requests[0].headers.iter().any(|(name, _)| name == "content-length"), "gateways do not like chunks");
    let body = requests[0].json();
    assert_eq!(body["requests"][1]["custom_id"], "b-2_");
    assert_eq!(body["requests"][0]["params"].get("stream"), None);
}

#[tokio::test]
async fn a_batch_is_never_submitted_twice_in_doubt() {
    let ok = || respond(200, "", &batch("msgbatch_1", "in_progress").to_string());
    let again = "retry-after-ms: 1";
    for (first, attempts, in_doubt) in [
        (respond(429, again, ""), 2, false),
        (respond(529, again, ""), 2, false),
        (respond(500, again, ""), 1, true),
        (respond(400, "", ""), 1, false),
        (respond(200, "", "<html>"), 1, true),
        (vec![Act::Reset], 1, true),
    ] {
        let replies = if attempts == 2 { vec![first, ok()] } else { vec![first] };
        let server = Server::start(replies).await;
        let outcome = client(&server).submit_batch(&body(&[request("a")])).await;
        assert_eq!((outcome.is_ok(), server.requests().len()), (attempts == 2, attempts));
        assert_eq!(outcome.is_err_and(|error| error.in_doubt), in_doubt);
    }
}

#[tokio::test]
async fn what_the_api_would_refuse_is_not_sent() {
    let server = Server::start([]).await;
    let client = client(&server);
    let streaming = |mut wrong: BatchRequest| {
        wrong.params.stream = true;
        wrong
    };
    let warming = |mut wrong: BatchRequest| {
        wrong.params.max_tokens = Some(0);
        wrong
    };
    for (requests, says) in [
        (vec![request("")], "no id"),
        (vec![request("a b")], "no id"),
        (vec![request("é")], "no id"),
        (vec![request(&"x".repeat(65))], "no id"),
        (vec![request("a"), request("a")], "Two requests"),
        (vec![streaming(request("a"))], "streams"),
        (vec![warming(request("a"))], "no answer"),
    ] {
        let mut body = BatchBody::new().unwrap();
        let refused = requests.iter().find_map(|request| body.push(request).err());
        let error = refused.unwrap_or_else(|| panic!("{says}"));
        assert!(error.kind == ErrorKind::Config && error.message.contains(says), "{error}");
    }
    let empty = client.submit_batch(&body(&[])).await.unwrap_err();
    assert!(empty.error.message.contains("at least one") && !empty.in_doubt, "{empty}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn lists_are_read_as_far_as_asked() {
    let page = |ids: &[&str], more: bool| {
        let data: Vec<Value> = ids.iter().map(|id| batch(id, "ended")).collect();
        respond(200, "", &json!({"data": data, "has_more": more, "last_id": ids.last()}).to_string())
    };
    let server = Server::start([page(&["a", "b"], true), page(&["c", "d"], true), page(&[], false)]).await;
    let client = client(&server);
    let ids: Vec<String> = client.batches(3).await.unwrap().into_iter().map(|batch| batch.id).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(client.batches(500).await.unwrap(), []);
    let lines: Vec<String> = server.requests().into_iter().map(|request| request.line).collect();
    assert_eq!(
        lines,
        [
            "GET /v1/messages/batches?limit=3",
            "GET /v1/messages/batches?limit=3&after_id=b",
            "GET /v1/messages/batches?limit=100"
        ]
    );
}

#[tokio::test]
async fn results_come_line_by_line() {
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "stop_sequence": null, "content": [{"type": "text", "text": "Grüße"}], "usage": {"input_tokens": 1, "output_tokens": 2}});
    let error =
        json!({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}, "request_id": null});
    let lines = [
        json!({"custom_id": "b", "result": {"type": "errored", "error": error}}),
        json!({"custom_id": "a", "result": {"type": "succeeded", "message": message}}),
        json!({"custom_id": "c", "result": {"type": "canceled"}}),
        json!({"custom_id": "d", "result": {"type": "expired"}}),
        json!({"custom_id": "e", "result": {"type": "teleported"}}),
    ];
    let body = lines.map(|line| line.to_string()).join("\r\n\n");
    let (head, tail) = body.split_at(body.find("ß").unwrap());
    let acts = vec![
        Act::Send(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{head}")),
        Act::Sleep(Duration::from_millis(10)),
        Act::Send(tail.to_owned()),
    ];
    let server = Server::start([respond(503, "retry-after-ms: 1", ""), acts]).await;
    let mut results = client(&server).batch_results("msgbatch_1").await.unwrap();
    let mut told = Vec::new();
    while let Some(line) = results.next().await {
        let line = line.unwrap();
        told.push(match line.result {
            BatchResult::Succeeded { message } => format!("{} {:?}", line.custom_id, message.content[0]),
            BatchResult::Errored { error } => format!("{} {}", line.custom_id, error.error.kind),
            other => format!("{} {}", line.custom_id, serde_json::to_value(&other).unwrap()["type"]),
        });
    }
    assert!(told[1].contains("Grüße"));
    told.remove(1);
    assert_eq!(told, ["b invalid_request_error", "c \"canceled\"", "d \"expired\"", "e \"teleported\""]);
}

#[tokio::test]
async fn broken_results_end_with_an_error() {
    let whole = json!({"custom_id": "a", "result": {"type": "expired"}}).to_string();
    let head =
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 999\r\n\r\n{whole}\n{{\"custom_id\":\"b");
    let server = Server::start([vec![Act::Send(head)]]).await;
    let mut results = client(&server).batch_results("msgbatch_1").await.unwrap();
    assert_eq!(results.next().await.unwrap().unwrap().custom_id, "a");
    assert_eq!(results.next().await.unwrap().unwrap_err().kind, ErrorKind::Network);
    assert!(results.next().await.is_none());
}

#[tokio::test]
async fn a_batch_that_is_not_there() {
    let gone = r#"{"type":"error","error":{"type":"not_found_error","message":"Batch not found"}}"#;
    let server = Server::start([respond(404, "", gone)]).await;
    assert_eq!(client(&server).batch("msgbatch_9").await.unwrap(), None);
    let server = Server::start([respond(404, "", "<html>")]).await;
    let error = client(&server).batch("msgbatch_9").await.unwrap_err();
    assert!(error.hint.unwrap().contains("base_url"), "that is not the API");
}

#[test]
fn a_body_is_full_at_either_limit() {
    let mut few = BatchBody::within(2, LARGEST_BATCH).unwrap();
    let fit = ["a", "b", "c"].map(|id| few.push(&request(id)).unwrap());
    assert_eq!(fit, [true, true, false]);
    let exact = body(&[request("a"), request("b")]).len();
    for (room, fits) in [(exact, true), (exact - 1, false)] {
        let mut small = BatchBody::within(100, room).unwrap();
        assert!(small.push(&request("a")).unwrap());
        assert_eq!(small.push(&request("b")).unwrap(), fits);
    }
}

#[test]
fn numbers_that_nobody_can_have_end_nothing() {
    let counts = RequestCounts { processing: u64::MAX, succeeded: 1, ..RequestCounts::default() };
    assert_eq!(Batch { request_counts: counts, ..Batch::default() }.total(), u64::MAX);
}
