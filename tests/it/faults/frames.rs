//! Faults that only HTTP/2 has, and certificates that are not what they should be. The authority of the tests is made known
//! by `SSL_CERT_FILE`, which on other systems than Linux is only one word among others.

use std::time::Duration;

use serde_json::{Value, json};

use super::rows::{Moment, Sees};
use super::{FINE, TEXT, sentence};
use crate::support::scripted::{block, start, text};
use crate::support::secure::{Certificate, Frame, Secure, answer, framed};
use crate::support::{Client, ClientOptions, Sandbox};

/// One fault of a connection in HTTP/2; behind its scripts stands a good answer.
pub(super) struct Row {
    pub(super) fault: &'static str,
    pub(super) moment: Moment,
    scripts: fn() -> Vec<Vec<Frame>>,
    pub(super) sees: Sees,
    pub(super) asked: usize,
}

/// `NO_ERROR`: a server that is being replaced.
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

const CLOSED: &str = "HOST closed the connection before the answer was complete.";
const ENDED: &str = "The answer of HOST ended before it was complete.";

/// The answer has begun, then this.
fn begun(frames: Vec<Frame>) -> Vec<Frame> {
    [vec![Frame::Headers], framed(vec![start(), block()]), frames].concat()
}

/// Words, then this.
fn said(frames: Vec<Frame>) -> Vec<Frame> {
    let pause = Frame::Sleep(Duration::from_millis(60));
    begun([framed(vec![text("It gives\n")]), vec![pause], frames].concat())
}

fn goes(code: u32, takes: bool) -> Vec<Frame> {
    vec![Frame::GoAway { code, takes }, Frame::Close]
}

/// What is left of a good answer.
fn rest() -> Vec<Frame> {
    [framed([vec![text(FINE)], crate::support::scripted::end()].concat()), vec![Frame::End, Frame::Close]].concat()
}

pub(super) const ROWS: &[Row] = &[
    Row {
        fault: "HTTP/2: `GOAWAY`, and the request was not looked at",
        moment: Moment::Before,
        scripts: || vec![goes(NO_ERROR, false)],
        sees: Sees::Answer,
        asked: 2,
    },
    Row {
        fault: "HTTP/2: `RST_STREAM`, refused before it was looked at",
        moment: Moment::Before,
        scripts: || vec![vec![Frame::Reset(REFUSED_STREAM)]],
        sees: Sees::Answer,
        asked: 2,
    },
    Row {
        fault: "HTTP/2: `RST_STREAM`, once",
        moment: Moment::Before,
        scripts: || vec![vec![Frame::Reset(INTERNAL_ERROR)]],
        sees: Sees::Later,
        asked: 2,
    },
    Row {
        fault: "HTTP/2: `RST_STREAM`, every time",
        moment: Moment::Before,
        scripts: || vec![vec![Frame::Reset(INTERNAL_ERROR)]; 2],
        sees: Sees::Error("network", CLOSED),
        asked: 2,
    },
    Row {
        fault: "HTTP/2: `GOAWAY` for too many requests, every time",
        moment: Moment::Before,
        scripts: || vec![goes(ENHANCE_YOUR_CALM, true); 2],
        sees: Sees::Error("network", CLOSED),
        asked: 2,
    },
    Row {
        fault: "HTTP/2: `RST_STREAM`, once",
        moment: Moment::At,
        scripts: || vec![begun(vec![Frame::Reset(INTERNAL_ERROR)])],
        sees: Sees::Later,
        asked: 2,
    },
    Row {
        fault: "HTTP/2: `RST_STREAM`, every time",
        moment: Moment::At,
        scripts: || vec![begun(vec![Frame::Reset(INTERNAL_ERROR)]); 2],
        sees: Sees::Error("network", ENDED),
        asked: 2,
    },
    Row {
        fault: "HTTP/2: `GOAWAY`, and this answer is still given",
        moment: Moment::At,
        scripts: || vec![begun([vec![Frame::GoAway { code: NO_ERROR, takes: true }], rest()].concat())],
        sees: Sees::Answer,
        asked: 1,
    },
    Row {
        fault: "HTTP/2: `GOAWAY` with an error, once",
        moment: Moment::At,
        scripts: || vec![begun(goes(INTERNAL_ERROR, true))],
        sees: Sees::Later,
        asked: 2,
    },
    Row {
        fault: "HTTP/2: `RST_STREAM`",
        moment: Moment::After,
        scripts: || vec![said(vec![Frame::Reset(INTERNAL_ERROR)])],
        sees: Sees::Kept("network", ENDED),
        asked: 1,
    },
    Row {
        fault: "HTTP/2: `RST_STREAM` without an error, before the end",
        moment: Moment::After,
        scripts: || vec![said(vec![Frame::Reset(NO_ERROR)])],
        sees: Sees::Kept("network", ENDED),
        asked: 1,
    },
    Row {
        fault: "HTTP/2: the stream is ended without `message_stop`",
        moment: Moment::After,
        scripts: || vec![said(vec![Frame::End])],
        sees: Sees::Kept("network", ENDED),
        asked: 1,
    },
    Row {
        fault: "HTTP/2: `GOAWAY`, and this answer is still given",
        moment: Moment::After,
        scripts: || vec![said([vec![Frame::GoAway { code: NO_ERROR, takes: true }], rest()].concat())],
        sees: Sees::Answer,
        asked: 1,
    },
    Row {
        fault: "HTTP/2: `GOAWAY` with an error",
        moment: Moment::After,
        scripts: || vec![said(goes(ENHANCE_YOUR_CALM, true))],
        sees: Sees::Kept("network", ENDED),
        asked: 1,
    },
    Row {
        fault: "HTTP/2: the connection is closed",
        moment: Moment::After,
        scripts: || vec![said(vec![Frame::Close])],
        sees: Sees::Kept("network", ENDED),
        asked: 1,
    },
];

/// Certificates, and what is said of them; `…` is the library's word.
pub(super) const CERTIFICATES: &[(&str, Certificate, &str)] = &[
    (
        "TLS: the certificate is of an authority that nobody trusts",
        Certificate::OfNobody,
        "The certificate of HOST is signed by an authority this system does not trust.",
    ),
    ("TLS: the certificate has expired", Certificate::Expired, "The certificate of HOST is not valid: "),
    (
        "TLS: the certificate is not valid yet, as to a clock that is behind",
        Certificate::NotYet,
        "The certificate of HOST is not valid: ",
    ),
    ("TLS: the certificate is of another host", Certificate::OfAnotherHost, "The certificate of HOST is not valid: "),
];

struct Bench {
    uri: String,
    client: Client,
    server: Secure,
    _sandbox: Sandbox,
}

impl Bench {
    fn new(certificate: Certificate) -> Self {
        let sandbox = Sandbox::new();
        let server = Secure::start(&sandbox.path(""), certificate);
        sandbox.configure("[api]\ntimeout_secs = 2\nmax_retries = 1\n");
        sandbox.write("one.py", TEXT);
        let mut options = ClientOptions::with_api(server.url.as_str());
        options.environment.push(("SSL_CERT_FILE".into(), server.authority.display().to_string()));
        let client = Client::start(&sandbox, options);
        let uri = sandbox.uri("one.py");
        client.open(&uri, "python", TEXT);
        client.read_all();
        Self { uri, client, server, _sandbox: sandbox }
    }

    fn run(&mut self, action: &str) -> (Value, bool) {
        let result = self.client.run_to_end(action, &self.uri, 0..TEXT.len());
        let token = format!("aside-{}", result["job"].as_str().unwrap());
        let reports = self.client.editor().progress[&token].reports.clone();
        (result, reports.iter().any(|report| report.to_string().contains("Trying again in")))
    }
}

#[test]
fn over_http2() {
    let mut bench = Bench::new(Certificate::Good);
    let host = bench.server.url.authority().to_owned();
    for row in ROWS {
        let Row { fault, moment, .. } = row;
        bench.server.play([(row.scripts)(), vec![answer(FINE)]].concat());
        let (result, waited) = bench.run("explain");
        let (error, explanation) = (&result["error"], result["explanation"].as_str());
        match row.sees {
            Sees::Answer | Sees::Later => {
                assert_eq!(result["outcome"], "shown", "{fault}, {moment:?}: {result}");
                assert!(explanation.unwrap().ends_with(FINE), "{fault}, {moment:?}: {result}");
                assert_eq!(waited, row.sees == Sees::Later, "{fault}, {moment:?}");
            }
            Sees::Error(kind, says) | Sees::Kept(kind, says) => {
                assert_eq!(
                    (&result["outcome"], &error["kind"]),
                    (&json!("failed"), &json!(kind)),
                    "{fault}, {moment:?}: {result}"
                );
                assert!(sentence(error).starts_with(&says.replace("HOST", &host)), "{fault}, {moment:?}: {error}");
                assert!(error["hint"].is_string(), "{fault}, {moment:?}: {error}");
                let kept = matches!(row.sees, Sees::Kept(..));
                assert_eq!(explanation.is_some_and(|text| text.starts_with("It gives")), kept, "{fault}: {result}");
            }
        }
        assert_eq!(bench.server.asked(), row.asked, "{fault}, {moment:?}: {result}");
        if row.moment == Moment::After {
            // Of an edit nothing comes into the text; what the scripts say to the end is none, and asked for anew, once.
            bench.server.play([(row.scripts)(), vec![answer(FINE)]].concat());
            assert_eq!(bench.run("document").0["outcome"], "failed", "{fault}");
            assert_eq!(bench.client.text(&bench.uri), TEXT, "{fault}");
        }
        bench.client.read_all();
    }
}

#[test]
fn where_the_certificate_is_not_good() {
    for (fault, certificate, says) in CERTIFICATES {
        let mut bench = Bench::new(*certificate);
        let (result, waited) = bench.run("explain");
        let error = &result["error"];
        assert_eq!((&result["outcome"], &error["kind"]), (&json!("failed"), &json!("network")), "{fault}: {result}");
        let says = says.replace("HOST", bench.server.url.authority());
        assert!(sentence(error).starts_with(&says), "{fault}: {error}");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains("SSL_CERT_FILE") || hint.contains("clock"), "what to do: {fault}: {error}");
        assert!(!waited, "it will not be better in a second: {fault}");
        assert_eq!(bench.server.asked(), 0, "neither key nor code went there: {fault}");
        bench.client.read_all();
    }
}
