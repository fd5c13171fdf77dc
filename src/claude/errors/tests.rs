#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::{Expect, expect};
use http::{HeaderName, HeaderValue};

use super::*;

fn place(model: Option<&str>) -> Place<'_> {
    Place { host: "api.anthropic.com", doubled_version: false, model }
}

fn api(kind: &str, message: &str) -> String {
    serde_json::json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_body"})
        .to_string()
}

fn shown(error: &Error) -> String {
    format!("{} | {} | {}\n", error.kind, error.message, error.hint.as_deref().unwrap_or("-"))
}

fn check(model: &str, answers: &[(u16, String)], expect: &Expect) {
    let lines: String = answers
        .iter()
        .map(|(status, body)| {
            let error = place(Some(model)).status(*status, &HeaderMap::new(), &Fault::from_body(body.as_bytes()));
            assert!(error.hint.is_some(), "an error must say what to do: {error}");
            shown(&error)
        })
        .collect();
    expect.assert_eq(&lines);
}

#[test]
fn the_api_s_own_errors() {
    check(
        "claude-sonnet-5-5",
        &[
            (400, api("invalid_request_error", "messages: text content blocks must be non-empty")),
            (400, api("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")),
            (400, api("invalid_request_error", "Your credit balance is too low to access the API.")),
            (401, api("authentication_error", "invalid x-api-key")),
            (402, api("billing_error", "Payment failed")),
            (403, api("permission_error", "Your key does not have permission to use this resource")),
            (409, api("conflict_error", "The resource changed")),
            (413, api("request_too_large", "Request exceeds the maximum size")),
            (429, api("rate_limit_error", "This request would exceed the limit of 30,000 input tokens per minute")),
            (500, api("api_error", "Internal server error")),
            (504, api("timeout_error", "Timed out")),
            (529, api("overloaded_error", "Overloaded")),
        ],
        &expect![[r#"
            config | api.anthropic.com refuses the request (status 400): messages: text content blocks must be non-empty. | Check `model`, `max_output_tokens`, `thinking.*` and `api.version` against what the server takes.
            too_long | The prompt is too long (status 400): prompt is too long: 210000 tokens > 200000 maximum. | Select less code, or use a model with a larger context.
            budget | The account's money is spent (status 400): Your credit balance is too low to access the API. | Raise the spending limit or add credit in the Claude Console, or use another key.
            credentials | api.anthropic.com does not accept the key (status 401): invalid x-api-key. | Check ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN, or `api.key_command`); --simulate works without one.
            budget | api.anthropic.com asks for payment (status 402): Payment failed. | Check the account's billing in the Claude Console.
            permission | The key may not do this (status 403): Your key does not have permission to use this resource. | Use a key of a workspace that may use this model and feature.
            overloaded | api.anthropic.com could not do this just now (status 409): The resource changed. | Try again.
            too_long | The request is larger than the API takes. | Select less code, or leave large files out.
            rate_limit | Too many requests or tokens a minute (status 429): This request would exceed the limit of 30,000 input tokens per minute. | Try again in a minute, or run fewer actions at once (`max_running`).
            overloaded | api.anthropic.com failed (status 500): Internal server error. | Try again in a minute.
            timeout | api.anthropic.com took too long (status 504): Timed out. | Try again; a shorter selection or a smaller model answers faster.
            overloaded | api.anthropic.com is overloaded (status 529): Overloaded. | Try again in a minute, or use another model.
        "#]],
    );
}

#[test]
fn models_that_are_not_there() {
    let lines: String = [
        "claude-sonnet-4-20250514",
        "claude-3-5-haiku-20241022",
        "claude-opus-4-1",
        "claude-sonnet-4-5",
        "claude-sonet-5-5",
        "claude-opus-5-5",
        "qwen3-coder",
    ]
    .into_iter()
    .map(|id| {
        let fault = Fault::from_body(api("not_found_error", &format!("model: {id}")).as_bytes());
        shown(&place(Some(id)).status(404, &HeaderMap::new(), &fault))
    })
    .collect();
    expect![[r#"
        config | The model claude-sonnet-4-20250514 was retired on 2026-06-15 (status 404): model: claude-sonnet-4-20250514. | Set `model` to its successor claude-sonnet-5-5.
        config | The model claude-3-5-haiku-20241022 was retired on 2026-02-19 (status 404): model: claude-3-5-haiku-20241022. | Set `model` to its successor claude-haiku-5-5.
        config | The model claude-opus-4-1 was retired on 2026-08-05 (status 404): model: claude-opus-4-1. | Set `model` to its successor claude-opus-5-5.
        config | The model claude-sonnet-4-5 is retired from 2026-11-30 on (status 404): model: claude-sonnet-4-5. | Set `model` to its successor claude-sonnet-5-5.
        config | api.anthropic.com has no model claude-sonet-5-5 (status 404): model: claude-sonet-5-5. | Did you mean claude-sonnet-5-5, claude-sonnet-5, claude-sonnet-4-5? Set `model`.
        config | api.anthropic.com has no model claude-opus-5-5 (status 404): model: claude-opus-5-5. | api.anthropic.com does not serve it, or not to this key: set another `model`.
        config | api.anthropic.com has no model qwen3-coder (status 404): model: qwen3-coder. | Set `model` to one that the server has; `aside doctor` lists them.
    "#]].assert_eq(&lines);
}

#[test]
fn what_gateways_send() {
    check(
        "claude-sonnet-5-5",
        &[
            (403, "<html><head><title>Access denied |\n corporate proxy</title></head></html>".to_owned()),
            (404, "404 page not found\n".to_owned()),
            (404, String::new()),
            (405, r#"{"detail":"Method Not Allowed"}"#.to_owned()),
            (407, String::new()),
            (418, String::new()),
            (422, r#"{"detail":[{"loc":["body","tools"],"msg":"extra fields not permitted"}]}"#.to_owned()),
            (500, r#"{"error":"model runner has unexpectedly stopped"}"#.to_owned()),
            (502, "<!DOCTYPE html><title>502 Bad Gateway</title>".to_owned()),
            (503, r#"{"error":{"message":"Loading model","type":"unavailable_error","code":503}}"#.to_owned()),
        ],
        &expect![[r#"
            permission | Something in front of api.anthropic.com refuses the request (status 403): Access denied | corporate proxy. | A proxy, firewall or sign-in page answered, not the API: check HTTPS_PROXY and `api.base_url`.
            config | api.anthropic.com has no Messages API at this address (status 404): 404 page not found. | Check `api.base_url` (ANTHROPIC_BASE_URL): /v1/messages is appended to it.
            config | api.anthropic.com has no Messages API at this address (status 404). | Check `api.base_url` (ANTHROPIC_BASE_URL): /v1/messages is appended to it.
            config | api.anthropic.com has no Messages API at this address (status 405): Method Not Allowed. | Check `api.base_url` (ANTHROPIC_BASE_URL): /v1/messages is appended to it.
            network | The proxy asks for a sign-in (status 407). | Put user and password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT.
            network | api.anthropic.com answered in an unexpected way (status 418). | Check `api.base_url` and proxies.
            config | api.anthropic.com refuses the request (status 422): body.tools: extra fields not permitted. | Check `model`, `max_output_tokens`, `thinking.*` and `api.version` against what the server takes.
            overloaded | api.anthropic.com failed (status 500): model runner has unexpectedly stopped. | Try again in a minute.
            network | A gateway in front of api.anthropic.com got no answer (status 502): 502 Bad Gateway. | Try again; a local server or gateway may still be starting.
            overloaded | api.anthropic.com is overloaded (status 503): Loading model. | Try again in a minute, or use another model.
        "#]],
    );
}

#[test]
fn request_ids_come_from_the_header_first() {
    let fault = Fault::from_body(api("api_error", "x").as_bytes());
    let mut headers = HeaderMap::new();
    assert_eq!(place(None).status(500, &headers, &fault).request_id.as_deref(), Some("req_body"));
    headers.insert(HeaderName::from_static("request-id"), HeaderValue::from_static("req_head"));
    assert_eq!(place(None).status(500, &headers, &fault).request_id.as_deref(), Some("req_head"));
}

#[test]
fn events_are_explained_like_answers() {
    let event = |kind: &str| {
        let error = ApiError { kind: kind.to_owned(), message: "Overloaded".to_owned(), details: None };
        place(None).event(&error, Some("req_1"))
    };
    assert_eq!((event("overloaded_error").kind, event("").kind), (ErrorKind::Overloaded, ErrorKind::Overloaded));
    assert_eq!(event("authentication_error").kind, ErrorKind::Credentials);
    assert_eq!(event("rate_limit_error").request_id.as_deref(), Some("req_1"));
}

#[test]
fn waits_that_are_too_long_are_told() {
    let error = || Error::new(ErrorKind::RateLimit, "Too many requests.");
    let hint = |seconds| Place::told_to_wait(error(), Duration::from_secs(seconds)).hint.unwrap();
    assert_eq!(hint(61), "The server asks to wait 61 seconds; try again then.");
    assert_eq!(hint(3601), "The server asks to wait 61 minutes; try again then.");
}

#[test]
fn somebody_else_s_text_is_tamed() {
    let long = Fault::from_body(format!("{{\"error\":\"{}\"}}", "word \\u001b[31m ".repeat(5000)).as_bytes());
    assert!(long.message.chars().count() <= 301);
    assert!(!long.message.contains('\u{1b}'));
    for body in [&b"\xff\xfe\x00"[..], b"null", b"[]", b"{\"error\":null}", b"<title", b"<title></title>", b"7"] {
        let fault = Fault::from_body(body);
        assert!(fault.kind.is_empty() && !fault.is_spent_budget(), "{body:?}");
    }
    // Lowercasing must not move the place of the title.
    let shifted = Fault::from_body("<html>İİİ<TITLE>Zugang gesperrt</TITLE>".as_bytes());
    assert_eq!(shifted.message, "Zugang gesperrt");
}
