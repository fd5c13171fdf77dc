//! Every fault of the network and of servers, in front of the real program: what the user sees, how often the server is
//! asked, and that an edit is whole or not at all. `docs/reliability.md` shows the same rows.

mod frames;
mod rows;

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::rows::{Moment, NOWHERE, Nowhere, ROWS, Row, Sees};
use crate::support::scripted::{Act, Script, Scripted, answer, block, head, refusal, start, status, text};
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const TEXT: &str = "def one():\n    return 1\n";
/// What the good answers say.
const FINE: &str = "All is fine.";
/// Seconds of patience with a server that falls silent.
const SHORT: u32 = 1;
/// The same for faults that are not about silence: however slow this machine is, they come to their end before.
const LONG: u32 = 50;

/// An editor in front of a scripted server. Bindings are dropped from the last on.
struct Bench {
    uri: String,
    client: Client,
    server: Scripted,
    _sandbox: Sandbox,
}

impl Bench {
    fn new() -> Self {
        Self::patient(SHORT)
    }

    /// With so many seconds for a first event, and half as many for each other.
    fn patient(seconds: u32) -> Self {
        let server = Scripted::start();
        let (sandbox, client, uri) = open_patient(server.url.as_str(), Vec::new(), seconds);
        Self { uri, client, server, _sandbox: sandbox }
    }

    fn run(&mut self, action: &str) -> Value {
        let result = self.client.run_to_end(action, &self.uri, 0..TEXT.len());
        assert!(!result.to_string().contains("sk-ant-test"), "a key: {result}");
        result
    }

    /// The lines of a job's progress.
    fn lines(&self, result: &Value) -> Vec<String> {
        let token = format!("aside-{}", result["job"].as_str().unwrap());
        let editor = self.client.editor();
        let reports = &editor.progress[&token].reports;
        reports.iter().filter_map(|report| Some(report["message"].as_str()?.to_owned())).collect()
    }
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn open(url: &str, environment: Vec<(String, String)>) -> (Sandbox, Client, String) {
    open_patient(url, environment, SHORT)
}

fn open_patient(url: &str, environment: Vec<(String, String)>, seconds: u32) -> (Sandbox, Client, String) {
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("[api]\ntimeout_secs = {seconds}\nmax_retries = 1\n"));
    sandbox.write("one.py", TEXT);
    let mut options = ClientOptions::with_api(url);
    options.environment.extend(environment);
    let client = Client::start(&sandbox, options);
    let uri = sandbox.uri("one.py");
    client.open(&uri, "python", TEXT);
    client.read_all();
    (sandbox, client, uri)
}

fn sentence(error: &Value) -> String {
    format!("{} {}", error["message"].as_str().unwrap_or_default(), error["hint"].as_str().unwrap_or_default())
}

/// Plays all faults of a moment.
fn play(moment: Moment) {
    for patience in [SHORT, LONG] {
        let rows = ROWS.iter().filter(|row| row.moment == moment && row.is_silence() == (patience == SHORT));
        play_rows(&mut Bench::patient(patience), rows);
    }
}

fn play_rows<'a>(bench: &mut Bench, rows: impl Iterator<Item = &'a Row>) {
    let host = bench.server.url.authority().to_owned();
    for row in rows {
        let (fault, scripts) = (row.fault, (row.scripts)());
        bench.server.play([scripts, vec![answer(FINE)]].concat());
        let result = bench.run("explain");
        assert_eq!(bench.server.connections(), row.asked, "{fault}: {result}");
        let waited = bench.lines(&result).iter().any(|line| line.contains("Trying again in"));
        let explanation = result["explanation"].as_str();
        match row.sees {
            Sees::Answer | Sees::Later => {
                assert_eq!(result["outcome"], "shown", "{fault}: {result}");
                assert_eq!(waited, row.sees == Sees::Later, "{fault}: {:?}", bench.lines(&result));
                // Of an attempt that had begun, one token was told.
                assert!(result["usage"]["outputTokens"].as_u64() >= Some(7), "{fault}: {result}");
            }
            Sees::Error(kind, says) | Sees::Kept(kind, says) => {
                let (error, says) = (&result["error"], says.replace("HOST", &host));
                assert_eq!((&result["outcome"], &error["kind"]), (&json!("failed"), &json!(kind)), "{fault}: {error}");
                assert!(sentence(error).starts_with(&says), "{fault}: {error}");
                assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "what to do: {fault}: {error}");
                assert_eq!(waited, row.asked > 1, "{fault}: {:?}", bench.lines(&result));
                let kept = matches!(row.sees, Sees::Kept(..));
                assert_eq!(explanation.is_some_and(|text| text.starts_with("It gives")), kept, "{fault}: {result}");
            }
        }
        edit(bench, row);
        bench.client.read_all();
    }
}

/// The same for an edit: nothing of a broken answer gets into the text.
fn edit(bench: &mut Bench, row: &Row) {
    if row.moment != Moment::After {
        return;
    }
    bench.server.play([(row.scripts)(), vec![answer(FINE)]].concat());
    bench.client.read_all();
    let result = bench.run("document");
    // What the scripts say is no edit, also where they say it to the end; then it is asked for anew, once.
    assert_eq!(result["outcome"], "failed", "{}: {result}", row.fault);
    assert_eq!(bench.client.text(&bench.uri), TEXT, "{}", row.fault);
    let sent = bench.client.read_all();
    assert!(sent.iter().all(|message| message["method"] != "workspace/applyEdit"), "{}: {sent:?}", row.fault);
}

#[test]
fn before_the_first_event() {
    play(Moment::Before);
}

#[test]
fn at_the_first_event() {
    play(Moment::At);
}

#[test]
fn after_the_first_words() {
    play(Moment::After);
}

#[test]
fn where_no_connection_comes_about() {
    for (fault, place, kind, says, asked) in NOWHERE {
        let server = Scripted::start();
        // A label of a name has 63 characters at most, so nobody has to be asked for this one.
        let url = match place {
            Nowhere::Unknown => format!("https://{}.invalid:4711", "x".repeat(64)),
            Nowhere::Closed => {
                format!("http://127.0.0.1:{}", free_port())
            }
            Nowhere::Tls(acts) => {
                server.play(vec![Script::deaf([vec![Act::Sleep(Duration::from_millis(50))], acts()].concat()); 8]);
                server.url.as_str().replacen("http:", "https:", 1)
            }
            Nowhere::Proxy(acts) => {
                server.play(vec![Script::new(acts()); 8]);
                "https://api.example.invalid:4711".to_owned()
            }
            Nowhere::NoProxy => "https://api.example.invalid:4711".to_owned(),
        };
        let proxy = match place {
            Nowhere::Proxy(_) => Some(server.url.to_string()),
            Nowhere::NoProxy => Some(format!("http://127.0.0.1:{}", free_port())),
            _ => None,
        };
        let environment = proxy.into_iter().map(|proxy| ("HTTPS_PROXY".to_owned(), proxy)).collect();
        let (_sandbox, mut client, uri) = open(&url, environment);
        let result = client.run_to_end("explain", &uri, 0..TEXT.len());
        client.read_all();
        let error = &result["error"];
        let host = url.split("//").nth(1).unwrap().trim_end_matches('/');
        assert_eq!((&result["outcome"], &error["kind"]), (&json!("failed"), &json!(kind)), "{fault}: {error}");
        assert!(sentence(error).starts_with(&says.replace("HOST", host)), "{fault}: {error}");
        assert!(error["hint"].is_string(), "what to do: {fault}: {error}");
        let reports = &client.editor().progress[&format!("aside-{}", result["job"].as_str().unwrap())].reports.clone();
        let waited = reports.iter().any(|report| report.to_string().contains("Trying again in"));
        assert_eq!(waited, *asked > 1, "{fault}: {reports:?}");
    }
}

#[test]
fn a_redirect_takes_neither_key_nor_code_to_another_host() {
    let (mut bench, thief) = (Bench::new(), Scripted::start());
    for code in [301, 302, 303, 307, 308] {
        let location = format!("location: {}v1/messages", thief.url);
        bench.server.play(vec![Script::new(vec![status(code, &location, "")])]);
        assert_eq!(bench.run("explain")["outcome"], "failed", "{code}");
        let asked = bench.server.asked();
        assert!(asked[0].head.to_lowercase().contains("x-api-key: sk-ant-test"), "{}", asked[0].head);
    }
    assert_eq!(thief.connections(), 0, "it was not even greeted");
    bench.client.read_all();
}

#[test]
fn the_same_bytes_are_asked_for_again_and_not_before_the_server_said() {
    let mut bench = Bench::new();
    bench.server.play(vec![Script::new(vec![refusal(429, "rate_limit_error", "retry-after-ms: 700")]), answer(FINE)]);
    let result = bench.run("explain");
    assert_eq!(result["outcome"], "shown", "{result}");
    let asked = bench.server.asked();
    assert_eq!(asked[0].body, asked[1].body);
    assert!(asked[1].at - asked[0].at >= Duration::from_millis(699), "{:?}", asked[1].at - asked[0].at);
    let lines = bench.lines(&result);
    assert!(
        lines.iter().any(|line| line.contains("Too many requests") && line.contains("Trying again in 1 s")),
        "{lines:?}"
    );
    bench.client.read_all();
}

#[test]
fn a_job_can_be_cancelled_wherever_it_waits() {
    let mut bench = Bench::new();
    let hangs = |acts: Vec<Act>| vec![Script::new([acts, vec![Act::Hang]].concat())];
    let long = "retry-after: 50";
    for (place, scripts, sign) in [
        ("for the connection's first byte", hangs(vec![]), "asking"),
        ("for the first event", hangs(vec![head()]), "asking"),
        ("for the first word", hangs(vec![head(), start(), block()]), "105"),
        ("for more words", hangs(vec![head(), start(), block(), text("So far")]), "So far"),
        ("for another try", vec![Script::new(vec![refusal(529, "overloaded_error", long)])], "Trying again in 50 s"),
    ] {
        let hanging = scripts.iter().filter(|script| matches!(script.acts.last(), Some(Act::Hang))).count();
        bench.server.play(scripts);
        let range = bench.client.range(&bench.uri, 0..TEXT.len());
        let answer = bench.client.execute("aside.run", json!({"action": "explain", "uri": bench.uri, "range": range}));
        let job = answer.unwrap()["job"].as_str().unwrap().to_owned();
        bench.client.wait_for(place, |editor| {
            let reports = &editor.progress.get(&format!("aside-{job}"))?.reports;
            reports
                .iter()
                .any(|report| report["message"].as_str().is_some_and(|line| line.contains(sign)))
                .then_some(())
        });
        let asked = Instant::now();
        bench.server.wait_asked();
        bench.client.execute("aside.cancel", json!({"job": job})).unwrap();
        assert_eq!(bench.client.stream_end(&job)["outcome"], "cancelled", "{place}");
        bench.server.wait_gone(hanging, place);
        assert!(asked.elapsed() < Duration::from_secs(20), "{place}: {:?}", asked.elapsed());
        bench.client.read_all();
    }
}

/// The table of the page, as the rows say.
fn table() -> String {
    let mut lines = vec![
        "| fault | moment | what the user sees of an explanation | asked | test |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    let mut line = |fault: &str, moment: &str, sees: &str, asked: &str, test: &str| {
        lines.push(format!("| {fault} | {moment} | {sees} | {asked} | `faults::{test}` |"));
    };
    for (fault, _, kind, says, asked) in NOWHERE {
        line(fault, "before", &told(kind, says), &asked.to_string(), "where_no_connection_comes_about");
    }
    for (fault, _, says) in frames::CERTIFICATES {
        line(fault, "before", &told("network", says), "0", "frames::where_the_certificate_is_not_good");
    }
    let sees = |sees: Sees| match sees {
        Sees::Answer => "the answer".to_owned(),
        Sees::Later => "why and when it is tried again, then the answer".to_owned(),
        Sees::Error(kind, says) => told(kind, says),
        Sees::Kept(kind, says) => format!("the words that came; {}", told(kind, says)),
    };
    for row in ROWS {
        let test = match row.moment {
            Moment::Before => "before_the_first_event",
            Moment::At => "at_the_first_event",
            Moment::After => "after_the_first_words",
        };
        line(row.fault, row.moment.words(), &sees(row.sees), &row.asked.to_string(), test);
    }
    for row in frames::ROWS {
        line(row.fault, row.moment.words(), &sees(row.sees), &row.asked.to_string(), "frames::over_http2");
    }
    lines.join("\n")
}

fn told(kind: &str, says: &str) -> String {
    let dots = if says.ends_with(['.', '?']) { "" } else { "…" };
    format!("`{kind}`: {}{dots}", says.trim_end())
}

#[test]
fn the_page_has_these_rows() {
    const BEGIN: &str = "<!-- The rows of tests/it/faults/rows.rs; the test writes them. -->\n";
    const END: &str = "\n<!-- end of rows -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the rows");
    let (rows, after) = rest.split_once(END).expect("the rows have an end");
    let table = table();
    if rows != table {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        panic!("docs/reliability.md was out of date and is written anew: run the test again");
    }
}

/// The answer that the user would have had, in two requests.
#[test]
fn an_explanation_that_broke_off_can_be_gone_on_with() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let uri = sandbox.uri("inventory.py");
    let explained = |scenario: Option<&str>, choice: Option<&'static str>| {
        let simulator = Simulator::start(&sandbox, scenario, None);
        let mut options = ClientOptions::with_api(simulator.url.as_str());
        options.behaviour.choice = choice;
        let mut client = Client::start(&sandbox, options);
        client.open(&uri, "python", &text);
        let result = client.run_to_end("explain", &uri, 0..text.len());
        if choice.is_none() {
            client.read_all();
            return result["explanation"].as_str().unwrap().to_owned();
        }
        assert_eq!((&result["outcome"], &result["error"]["kind"]), (&json!("failed"), &json!("network")), "{result}");
        let begun = result["explanation"].as_str().unwrap();
        assert!(begun.lines().count() > 2, "enough to go on from: {begun}");
        let asked = client.next("window/showMessageRequest");
        let question = asked["message"].as_str().unwrap();
        for part in ["Explain ", "ended before it was complete", "is kept", "sent once more (about ", " tokens, $"] {
            assert!(question.contains(part), "{question}");
        }
        let rest = client.wait_for("the second job", |editor| {
            let parts = editor.stream.iter().filter(|part| part["job"] != result["job"]);
            parts.clone().find(|part| part["kind"] == "end").map(|end| end["job"].as_str().unwrap().to_owned())
        });
        assert_eq!(client.stream_end(&rest)["outcome"], "shown");
        let told: String = client.stream(&rest).iter().filter_map(|part| part["text"].as_str()).collect();
        client.ended_progress(2);
        client.read_all();
        told
    };
    let whole = explained(None, None);
    let cut = "[[step]]\ncut = { after_deltas = 60 }\n";
    let joined = explained(Some(cut), Some("Go on"));
    let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&joined), lines(&whole));
}
