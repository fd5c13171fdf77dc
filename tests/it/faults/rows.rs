//! The faults, as data: what the server does, and what the user is told then.

use std::time::Duration;

use serde_json::json;

use crate::support::scripted::{
    Act, Script, block, bytes_of, end, error_event, event, head, refusal, send, start, status, text, text_event,
};

/// When a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Before the first event of the answer.
    Before,
    /// At the first event: the answer has begun and has no word yet.
    At,
    /// After words came.
    After,
}

/// What becomes of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sees {
    /// The answer, as if nothing had been.
    Answer,
    /// A line that says what happened and when it is tried again, then the answer.
    Later,
    /// An error of this kind that says this; `HOST` stands for the server.
    Error(&'static str, &'static str),
    /// The same, and the words that came are kept.
    Kept(&'static str, &'static str),
}

/// One fault.
pub(super) struct Row {
    pub(super) fault: &'static str,
    pub(super) moment: Moment,
    /// What the first connections get. Behind them stands a good answer, for those who come again.
    pub(super) scripts: fn() -> Vec<Script>,
    pub(super) sees: Sees,
    /// How often the server is asked.
    pub(super) asked: usize,
}

impl Moment {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::At => "at",
            Self::After => "after",
        }
    }
}

impl Row {
    const fn new(fault: &'static str, moment: Moment, sees: Sees, asked: usize, scripts: fn() -> Vec<Script>) -> Self {
        Self { fault, moment, scripts, sees, asked }
    }

    /// Whether it is noticed by nothing coming for a while.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self.sees, Error("timeout", _) | Kept("timeout", _))
    }
}

use Moment::{After, At, Before};
use Sees::{Answer, Error, Kept, Later};

/// Soon, and long enough for the wait to be shown.
const SOON: &str = "retry-after-ms: 300";

fn twice(act: Act) -> Vec<Script> {
    vec![Script::new(vec![act.clone()]), Script::new(vec![act])]
}

fn once(acts: Vec<Act>) -> Vec<Script> {
    vec![Script::new(acts)]
}

/// The beginning of a stream, then this.
fn begun(acts: Vec<Act>) -> Vec<Script> {
    once([vec![head(), start(), block()], acts].concat())
}

/// Words, then this. The pause lets them arrive: what a reset overtakes, nobody sees.
fn said(acts: Vec<Act>) -> Vec<Script> {
    begun([vec![text("It gives\n"), Act::Sleep(Duration::from_millis(60))], acts].concat())
}

fn endless(json: &serde_json::Value) -> Act {
    Act::Repeat(bytes_of(json), usize::MAX)
}

/// A body in one stored block of gzip, cut behind `length` bytes.
fn gzip(body: &[u8], length: usize) -> Vec<u8> {
    let mut crc = !0_u32;
    for byte in body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let size = u16::try_from(body.len()).unwrap();
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    out.extend(size.to_le_bytes());
    out.extend((!size).to_le_bytes());
    out.extend(body);
    out.extend((!crc).to_le_bytes());
    out.extend(u32::from(size).to_le_bytes());
    out.truncate(length);
    out
}

fn whole_stream() -> Vec<u8> {
    let acts = [vec![start(), block(), text("Zipped")], end()].concat();
    let bytes = acts.into_iter().map(|act| if let Act::Send(bytes) = act { bytes } else { Vec::new() });
    bytes.flatten().collect()
}

const ZIPPED: &str =
    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n\r\n";

/// Where nobody answers as a server does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Nowhere {
    /// A name that nobody knows.
    Unknown,
    /// A port that nobody listens on.
    Closed,
    /// `https`, and a server that does this when it is greeted.
    Tls(fn() -> Vec<Act>),
    /// Behind a proxy that does this when it is asked for the connection.
    Proxy(fn() -> Vec<Act>),
    /// Behind a proxy that is not there.
    NoProxy,
}

/// Faults before there is a connection.
pub(super) const NOWHERE: &[(&str, Nowhere, &str, &str, usize)] = &[
    ("DNS: no such name", Nowhere::Unknown, "network", "The name of HOST cannot be resolved.", 2),
    ("nobody listens", Nowhere::Closed, "network", "HOST refuses connections.", 2),
    (
        "TLS: the server speaks HTTP",
        Nowhere::Tls(|| vec![send("HTTP/1.1 400 Bad Request\r\n\r\n")]),
        "network",
        "HOST does not speak HTTPS.",
        1,
    ),
    (
        "TLS: the server refuses the handshake",
        Nowhere::Tls(|| vec![send([21, 3, 3, 0, 2, 2, 40])]),
        "network",
        "No secure connection to HOST: ",
        2,
    ),
    (
        "TLS: closed in the handshake",
        Nowhere::Tls(Vec::new),
        "network",
        "HOST closed the connection before the answer was complete.",
        2,
    ),
    (
        "TLS: silence in the handshake",
        Nowhere::Tls(|| vec![Act::Hang]),
        "timeout",
        "HOST did not begin to answer within 1 s.",
        2,
    ),
    (
        "a proxy that asks for a sign-in (407)",
        Nowhere::Proxy(|| vec![status(407, "", "")]),
        "network",
        "The proxy asks for a sign-in (status 407).",
        1,
    ),
    (
        "a proxy that does not go there (403)",
        Nowhere::Proxy(|| vec![status(403, "", "")]),
        "network",
        "The proxy did not connect to HOST: ",
        2,
    ),
    ("a proxy that dies", Nowhere::Proxy(Vec::new), "network", "The proxy did not connect to HOST: ", 2),
    ("a proxy that is reset", Nowhere::Proxy(|| vec![Act::Reset]), "network", "The proxy did not connect to HOST: ", 2),
    ("a proxy that is not there", Nowhere::NoProxy, "network", "The proxy did not connect to HOST: ", 2),
    (
        "a proxy that dies once it has connected",
        Nowhere::Proxy(|| vec![send("HTTP/1.1 200 OK\r\n\r\n")]),
        "network",
        "HOST closed the connection before the answer was complete.",
        2,
    ),
];

/// All others, in the order of the page.
pub(super) const ROWS: &[Row] = &[
    // What the API answers.
    Row::new(
        "status 400, `invalid_request_error`",
        Before,
        Error("config", "HOST refuses the request (status 400): So it is."),
        1,
        || once(vec![refusal(400, "invalid_request_error", "")]),
    ),
    Row::new(
        "status 400, prompt too long",
        Before,
        Error("too_long", "The prompt is too long (status 400): prompt is too long: 9 tokens > 8 maximum."),
        1,
        || {
            once(vec![status(
                400,
                "",
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}"#,
            )])
        },
    ),
    Row::new(
        "status 401, `authentication_error`",
        Before,
        Error("credentials", "HOST does not accept the key (status 401): So it is."),
        1,
        || once(vec![refusal(401, "authentication_error", "")]),
    ),
    Row::new(
        "status 402, `billing_error`",
        Before,
        Error("budget", "HOST asks for payment (status 402): So it is."),
        1,
        || once(vec![refusal(402, "billing_error", "")]),
    ),
    Row::new(
        "status 403, `permission_error`",
        Before,
        Error("permission", "The key may not do this (status 403): So it is."),
        1,
        || once(vec![refusal(403, "permission_error", "")]),
    ),
    Row::new(
        "status 404, `not_found_error`",
        Before,
        Error("config", "HOST has no model claude-sonnet-5-5 (status 404): So it is."),
        1,
        || once(vec![refusal(404, "not_found_error", "")]),
    ),
    Row::new(
        "status 405",
        Before,
        Error("config", "HOST has no Messages API at this address (status 405)."),
        1,
        || once(vec![status(405, "", "")]),
    ),
    Row::new(
        "status 407 from a proxy",
        Before,
        Error("network", "The proxy asks for a sign-in (status 407)."),
        1,
        || once(vec![status(407, "", "")]),
    ),
    Row::new("status 408, once", Before, Later, 2, || once(vec![refusal(408, "timeout_error", SOON)])),
    Row::new(
        "status 408, every time",
        Before,
        Error("timeout", "HOST took too long (status 408): So it is."),
        2,
        || twice(refusal(408, "timeout_error", SOON)),
    ),
    Row::new(
        "status 409, `conflict_error`, every time",
        Before,
        Error("overloaded", "HOST could not do this just now (status 409): So it is."),
        2,
        || twice(refusal(409, "conflict_error", SOON)),
    ),
    Row::new(
        "status 413, `request_too_large`",
        Before,
        Error("too_long", "The request is larger than the API takes."),
        1,
        || once(vec![refusal(413, "request_too_large", "")]),
    ),
    Row::new(
        "status 422 of another server",
        Before,
        Error("config", "HOST refuses the request (status 422): body.tools: Extra inputs are not permitted."),
        1,
        || {
            once(vec![status(
                422,
                "",
                r#"{"detail":[{"loc":["body","tools"],"msg":"Extra inputs are not permitted"}]}"#,
            )])
        },
    ),
    Row::new("status 429, `rate_limit_error`, once", Before, Later, 2, || {
        once(vec![refusal(429, "rate_limit_error", SOON)])
    }),
    Row::new(
        "status 429, every time",
        Before,
        Error("rate_limit", "Too many requests or tokens a minute (status 429): So it is."),
        2,
        || twice(refusal(429, "rate_limit_error", SOON)),
    ),
    Row::new(
        "status 429, the account's money is spent",
        Before,
        Error("budget", "The account's money is spent (status 429): Spent."),
        1,
        || {
            once(vec![status(
                429,
                "",
                r#"{"type":"error","error":{"type":"rate_limit_error","message":"Spent","details":{"error_code":"enforced_spend_limit_reached"}}}"#,
            )])
        },
    ),
    Row::new("status 500, `api_error`, once", Before, Later, 2, || once(vec![refusal(500, "api_error", SOON)])),
    Row::new("status 500, every time", Before, Error("overloaded", "HOST failed (status 500): So it is."), 2, || {
        twice(refusal(500, "api_error", SOON))
    }),
    Row::new(
        "status 502, HTML of a gateway, every time",
        Before,
        Error("network", "A gateway in front of HOST got no answer (status 502): Bad Gateway."),
        2,
        || twice(status(502, SOON, "<html><title>Bad Gateway</title><body>nginx</body></html>")),
    ),
    Row::new(
        "status 503, empty, every time",
        Before,
        Error("overloaded", "HOST is overloaded (status 503)."),
        2,
        || twice(status(503, SOON, "")),
    ),
    Row::new(
        "status 504, `timeout_error`, every time",
        Before,
        Error("timeout", "HOST took too long (status 504): So it is."),
        2,
        || twice(refusal(504, "timeout_error", SOON)),
    ),
    Row::new("status 529, `overloaded_error`, once", Before, Later, 2, || {
        once(vec![refusal(529, "overloaded_error", SOON)])
    }),
    Row::new(
        "status 529, every time",
        Before,
        Error("overloaded", "HOST is overloaded (status 529): So it is."),
        2,
        || twice(refusal(529, "overloaded_error", SOON)),
    ),
    Row::new(
        "status 418, nothing anybody knows",
        Before,
        Error("network", "HOST answered in an unexpected way (status 418): A teapot."),
        1,
        || once(vec![status(418, "", r#"{"error":"A teapot"}"#)]),
    ),
    // What headers ask for.
    Row::new("`x-should-retry: true` on a 400", Before, Later, 2, || {
        once(vec![refusal(400, "invalid_request_error", "x-should-retry: true\nretry-after-ms: 300")])
    }),
    Row::new(
        "`x-should-retry: false` on a 529",
        Before,
        Error("overloaded", "HOST is overloaded (status 529): So it is."),
        1,
        || once(vec![refusal(529, "overloaded_error", "x-should-retry: false")]),
    ),
    Row::new("`retry-after: 1`", Before, Later, 2, || once(vec![refusal(429, "rate_limit_error", "retry-after: 1")])),
    Row::new(
        "`retry-after` of an hour",
        Before,
        Error(
            "rate_limit",
            "Too many requests or tokens a minute (status 429): So it is. The server asks to wait 60 minutes; try again then.",
        ),
        1,
        || once(vec![refusal(429, "rate_limit_error", "retry-after: 3600")]),
    ),
    Row::new("`retry-after` as a date, of a server whose clock is years off", Before, Later, 2, || {
        once(vec![refusal(
            529,
            "overloaded_error",
            "date: Mon, 01 Jan 2001 00:00:00 GMT\nretry-after: Mon, 01 Jan 2001 00:00:01 GMT",
        )])
    }),
    Row::new("`retry-after` that is no time", Before, Later, 2, || {
        once(vec![refusal(529, "overloaded_error", "retry-after: soon")])
    }),
    // Redirects.
    Row::new(
        "redirect to another host",
        Before,
        Error("config", "HOST redirects to elsewhere.example, which is not followed."),
        1,
        || once(vec![status(307, "location: https://elsewhere.example/v1/messages", "")]),
    ),
    Row::new(
        "redirect that would make a GET of it",
        Before,
        Error("config", "HOST redirects to another address, which is not followed."),
        1,
        || once(vec![status(302, "location: /v1/messages/", "")]),
    ),
    Row::new("redirect to the same host", Before, Answer, 2, || once(vec![status(308, "location: /v1/messages/", "")])),
    // What is no answer of the API.
    Row::new(
        "HTML with status 200",
        Before,
        Error("bad_answer", "HOST does not answer as the Messages API does: it sends a web page (Sign in)."),
        1,
        || once(vec![status(200, "content-type: text/html", "<html><title>Sign in</title></html>")]),
    ),
    Row::new(
        "HTML with status 403",
        Before,
        Error("permission", "Something in front of HOST refuses the request (status 403): Blocked."),
        1,
        || once(vec![status(403, "content-type: text/html", "<html><title>Blocked</title></html>")]),
    ),
    Row::new(
        "JSON of something else with status 200",
        Before,
        Error("bad_answer", "HOST does not answer as the Messages API does: it sends no message (no such engine)."),
        1,
        || once(vec![status(200, "content-type: application/json", r#"{"error":"no such engine"}"#)]),
    ),
    Row::new("an empty body with status 200", Before, Later, 2, || once(vec![head()])),
    Row::new(
        "an event that is no JSON",
        Before,
        Error("bad_answer", "HOST does not answer as the Messages API does: an event is not JSON"),
        1,
        || once(vec![head(), send("data: {nonsense\n\n")]),
    ),
    Row::new(
        "an event of 100 MB",
        Before,
        Error("bad_answer", "HOST does not answer as the Messages API does: an event is larger than 16777216 bytes."),
        1,
        || once(vec![head(), send("data: \""), Act::Repeat(vec![b'x'; 1 << 20], 100)]),
    ),
    Row::new("no HTTP at all", Before, Error("network", "The connection to HOST failed: "), 2, || {
        twice(send("SSH-2.0-OpenSSH_9.9\r\n\r\n"))
    }),
    Row::new("headers that are garbage, once", Before, Later, 2, || {
        once(vec![send("HTTP/1.1 200 OK\r\nno colon here\r\n\u{0}: \u{1}\r\n\r\n")])
    }),
    Row::new("headers without end", Before, Error("network", "The connection to HOST failed: "), 2, || {
        vec![
            Script::new(vec![send("HTTP/1.1 200 OK\r\n"), Act::Repeat(b"x-more: of this\r\n".to_vec(), usize::MAX)]);
            2
        ]
    }),
    Row::new("a compressed stream", Before, Answer, 1, || {
        once(vec![send(ZIPPED), send(gzip(&whole_stream(), usize::MAX))])
    }),
    Row::new("a compressed stream that is broken, once", Before, Later, 2, || {
        once(vec![send(ZIPPED), send(gzip(&whole_stream(), 30))])
    }),
    // What the network does.
    Row::new("closed before a byte, once", Before, Later, 2, || vec![Script::deaf(vec![])]),
    Row::new(
        "closed before a byte, every time",
        Before,
        Error("network", "HOST closed the connection before the answer was complete."),
        2,
        || vec![Script::new(vec![]); 2],
    ),
    Row::new(
        "reset before a byte, every time",
        Before,
        Error("network", "HOST closed the connection before the answer was complete."),
        2,
        || vec![Script::new(vec![Act::Reset]); 2],
    ),
    Row::new("closed in the middle of the headers, once", Before, Later, 2, || {
        once(vec![send("HTTP/1.1 200 OK\r\ncontent-ty")])
    }),
    Row::new(
        "half-open: the connection stands, nothing comes",
        Before,
        Error("timeout", "HOST did not begin to answer within 1 s."),
        2,
        || vec![Script::new(vec![Act::Hang]); 2],
    ),
    Row::new("headers, then nothing", Before, Error("timeout", "HOST did not begin to answer within 1 s."), 2, || {
        vec![Script::new(vec![head(), Act::Hang]); 2]
    }),
    Row::new(
        "headers at a byte a while",
        Before,
        Error("timeout", "HOST did not begin to answer within 1 s."),
        2,
        || vec![Script::new(vec![Act::Drip(b"HTTP/1.1 200 OK\r\nx: y\r\n".repeat(9), Duration::from_millis(100))]); 2],
    ),
    // The answer has begun and has no word yet.
    Row::new(
        "the first event at a byte a while",
        At,
        Error("timeout", "HOST did not begin to answer within 1 s."),
        2,
        || vec![Script::new(vec![head(), Act::Drip(vec![b'x'; 99], Duration::from_millis(100))]); 2],
    ),
    Row::new("`error` instead of the first event, once", At, Later, 2, || {
        once(vec![head(), error_event("overloaded_error")])
    }),
    Row::new(
        "`error` behind the first event, every time",
        At,
        Error("overloaded", "HOST is overloaded (status 529): So it is."),
        2,
        || [begun(vec![error_event("overloaded_error")]), begun(vec![error_event("overloaded_error")])].concat(),
    ),
    Row::new(
        "`error` that no retry cures",
        At,
        Error("config", "HOST refuses the request (status 400): So it is."),
        1,
        || begun(vec![error_event("invalid_request_error")]),
    ),
    Row::new(
        "a gateway's own `error` in the stream, every time",
        At,
        Error("overloaded", "HOST failed (status 500): upstream died."),
        2,
        || {
            twice(send(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\nevent: error\ndata: {\"error\":\"upstream died\"}\n\n",
            ))
        },
    ),
    Row::new("closed, once", At, Later, 2, || begun(vec![])),
    Row::new("closed, every time", At, Error("network", "The answer of HOST ended before it was complete."), 2, || {
        [begun(vec![]), begun(vec![])].concat()
    }),
    Row::new("reset, once", At, Later, 2, || begun(vec![Act::Sleep(Duration::from_millis(60)), Act::Reset])),
    Row::new(
        "silence, every time",
        At,
        Error("timeout", "HOST fell silent for 0.5 s in the middle of the answer."),
        2,
        || [begun(vec![Act::Hang]), begun(vec![Act::Hang])].concat(),
    ),
    Row::new(
        "words before `message_start`",
        At,
        Error("bad_answer", "HOST does not answer as the Messages API does: an event before message_start."),
        1,
        || once(vec![head(), text("early")]),
    ),
    Row::new(
        "`message_start` twice",
        At,
        Error("bad_answer", "HOST does not answer as the Messages API does: a second message_start."),
        1,
        || begun(vec![start()]),
    ),
    Row::new("events, deltas and blocks that nobody knows", At, Answer, 1, || {
        begun(
            [
                vec![
                    event(&json!({"type": "hello"})),
                    event(&json!({"type": "content_block_start", "index": 1, "content_block": {"type": "dance"}})),
                    event(&json!({"type": "content_block_delta", "index": 1, "delta": {"type": "step"}})),
                    text("Known"),
                ],
                end(),
            ]
            .concat(),
        )
    }),
    Row::new(
        "a whole answer without a word",
        At,
        Error("bad_answer", "The model answered without any text."),
        1,
        || begun(end()),
    ),
    // Words came.
    Row::new("closed", After, Kept("network", "The answer of HOST ended before it was complete."), 1, || said(vec![])),
    Row::new(
        "closed behind the last word, without `message_stop`",
        After,
        Kept("network", "The answer of HOST ended before it was complete."),
        1,
        || said(end()[..2].to_vec()),
    ),
    Row::new("reset", After, Kept("network", "The answer of HOST ended before it was complete."), 1, || {
        said(vec![Act::Reset])
    }),
    Row::new("silence", After, Kept("timeout", "HOST fell silent for 0.5 s in the middle of the answer."), 1, || {
        said(vec![Act::Hang])
    }),
    Row::new(
        "an event at a byte a while",
        After,
        Kept("timeout", "HOST fell silent for 0.5 s in the middle of the answer."),
        1,
        || said(vec![Act::Drip(vec![b'x'; 99], Duration::from_millis(100))]),
    ),
    Row::new(
        "comments and nothing else",
        After,
        Kept("timeout", "HOST fell silent for 0.5 s in the middle of the answer."),
        1,
        || said(vec![Act::Drip(b":\n\n".repeat(99), Duration::from_millis(20))]),
    ),
    Row::new(
        "`error`, `overloaded_error`",
        After,
        Kept("overloaded", "HOST is overloaded (status 529): So it is."),
        1,
        || said(vec![error_event("overloaded_error")]),
    ),
    Row::new("`error`, `api_error`", After, Kept("overloaded", "HOST failed (status 500): So it is."), 1, || {
        said(vec![error_event("api_error")])
    }),
    Row::new(
        "`error` without a name anybody knows",
        After,
        Kept("overloaded", "HOST failed (status 500): So it is."),
        1,
        || said(vec![error_event("strange_error")]),
    ),
    Row::new(
        "an event that is no JSON",
        After,
        Kept("bad_answer", "HOST does not answer as the Messages API does: an event is not JSON"),
        1,
        || said(vec![send("data: {nonsense\n\n")]),
    ),
    Row::new(
        "an event of 100 MB",
        After,
        Kept("bad_answer", "HOST does not answer as the Messages API does: an event is larger than 16777216 bytes."),
        1,
        || said(vec![send("data: \""), Act::Repeat(vec![b'x'; 1 << 20], 100)]),
    ),
    Row::new(
        "an answer without end",
        After,
        Kept("bad_answer", "HOST does not answer as the Messages API does: the answer has no end."),
        1,
        || said(vec![endless(&text_event(&"word ".repeat(20_000)))]),
    ),
    Row::new("pings, one after the other, and then the rest", After, Answer, 1, || {
        said([vec![Act::Repeat(bytes_of(&json!({"type": "ping"})), 500), text("the rest")], end()].concat())
    }),
];
