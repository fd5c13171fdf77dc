use futures::{Sink, SinkExt as _};
use lsp_types::ProgressToken;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, DuplexStream};
use tower_lsp::jsonrpc::{Error, Id, Response};

use super::super::test_client::TestClient;
use super::*;
use crate::error::ErrorKind;
use crate::jobs::Outcome;

fn report(outcome: Outcome) -> Report {
    Report {
        job: "job".to_owned(),
        action: "explain".to_owned(),
        outcome,
        reason: None,
        standing: None,
        quiet: false,
        error: None,
        explanation: None,
        conversation: None,
        edits: Vec::new(),
        findings: None,
        notes: Vec::new(),
        usage: None,
        warm_until: None,
        model: "model".to_owned(),
        simulated: false,
    }
}

/// Work on nothing in particular.
pub(in crate::server) fn work(title: &str) -> Work {
    Work {
        title: title.to_owned(),
        action: "explain".to_owned(),
        result: "explain".to_owned(),
        uri: "file:///a".parse().expect("a URI"),
        range: lsp_types::Range::default(),
    }
}

/// A feed whose client wants everything.
async fn start(own_token: bool) -> (Feed, tokio::task::JoinHandle<()>, Wire<impl Sink<Response> + Unpin>) {
    let (client, end) = TestClient::connect().await;
    let (near, far) = tokio::io::duplex(1 << 12);
    let outlet = Outlet::over(near);
    let progress = Some((ProgressToken::String("token".to_owned()), !own_token));
    let (job, outlet, work) = ("job".to_owned(), outlet.clone(), work("Explain it"));
    let channel = Channel { client, job, work, progress, outlet: outlet.clone(), stream: true };
    let (feed, task) = Feed::start(channel);
    (feed, task, Wire { answers: end.onto(outlet), output: BufReader::new(far) })
}

/// The client's end of standard output, where messages of all ways are in their order.
struct Wire<S> {
    answers: S,
    output: BufReader<DuplexStream>,
}

impl<S: Sink<Response> + Unpin> Wire<S> {
    /// The next message of the server.
    async fn next(&mut self) -> LspAny {
        let mut length = String::new();
        self.output.read_line(&mut length).await.expect("the server lives");
        let length = length.trim().strip_prefix("Content-Length: ").expect("a header").parse().expect("a length");
        self.output.read_line(&mut String::new()).await.expect("an empty line");
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).await.expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// All that the server says until the pump has ended.
    async fn drain(&mut self, task: tokio::task::JoinHandle<()>) -> Vec<String> {
        let mut said = Vec::new();
        // Time stands still as long as there is anything to do.
        while let Ok(message) = tokio::time::timeout(PATIENCE * 2, self.next()).await {
            said.push(in_short(&message));
        }
        assert!(task.is_finished(), "{said:?}");
        task.await.expect("the pump does not panic");
        said
    }

    async fn answer(&mut self, request: &LspAny, result: Result<LspAny, Error>) {
        let id = request["id"].as_i64().expect("only requests are answered");
        let sent = self.answers.send(Response::from_parts(Id::Number(id), result)).await;
        assert!(sent.is_ok(), "the server lives");
    }
}

fn in_short(message: &LspAny) -> String {
    let params = &message["params"];
    match message["method"].as_str().unwrap_or_default() {
        "aside/stream" => {
            let kind = params["kind"].as_str().unwrap_or_default();
            format!("{kind} {}", params["text"].as_str().unwrap_or_default()).trim_end().to_owned()
        }
        "$/progress" => {
            let value = &params["value"];
            let kind = value["kind"].as_str().unwrap_or_default();
            format!("progress {kind}: {}", value["message"].as_str().unwrap_or_default())
        }
        method => method.to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn says_everything_in_order_and_the_end_last() {
    let (feed, task, mut client) = start(true).await;
    feed.event(&Event::Attempt(1));
    feed.event(&Event::Text("a"));
    feed.event(&Event::Text(""));
    feed.event(&Event::Text("b\n"));
    feed.event(&Event::Thinking("hm"));
    feed.event(&Event::Text("c"));
    feed.event(&Event::Editing);
    feed.end(&report(Outcome::Applied));
    let said = client.drain(task).await;
    let parts = ["begin", "text ab", "thinking hm", "text c", "edit", "end"];
    let (progress, stream): (Vec<_>, Vec<_>) = said.iter().partition(|said| said.starts_with("progress"));
    assert_eq!(stream, parts);
    assert_eq!(progress, ["progress begin: ", "progress end: Applied"]);
    assert_eq!(said[said.len() - 2..], ["end", "progress end: Applied"]);
}

#[tokio::test(start_paused = true)]
async fn reports_at_most_ten_times_a_second_and_the_newest_state() {
    let (feed, task, mut client) = start(true).await;
    feed.event(&Event::Attempt(1));
    let told = tokio::spawn(async move {
        for word in 0..500 {
            feed.event(&Event::Text(&format!("w{word}\n")));
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        // What was said last is reported although nothing comes after it.
        tokio::time::sleep(Duration::from_secs(1)).await;
        feed.end(&report(Outcome::Shown));
    });
    let said = client.drain(task).await;
    told.await.expect("it does not panic");
    let reports: Vec<_> = said.iter().filter(|line| line.starts_with("progress report")).collect();
    assert!((15..=21).contains(&reports.len()), "two seconds of output: {}", reports.len());
    assert!(reports.last().is_some_and(|last| last.contains("w499") && last.contains("500 lines")), "{reports:?}");
    assert_eq!(said.last().map(String::as_str), Some("progress end: Explained"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_gets_fewer_parts_and_no_letter_less() {
    let (feed, task, mut client) = start(true).await;
    feed.event(&Event::Attempt(1));
    let mut whole = String::new();
    for word in 0..10_000 {
        let word = format!("{word} ");
        feed.event(&Event::Text(&word));
        whole += &word;
        if word.ends_with("00 ") {
            tokio::task::yield_now().await;
        }
    }
    feed.end(&report(Outcome::Shown));
    let said = client.drain(task).await;
    let texts: Vec<_> = said.iter().filter_map(|line| line.strip_prefix("text ")).collect();
    assert_eq!(texts.join(" ").trim_end(), whole.trim_end());
    assert!(texts.len() < 200, "{} parts", texts.len());
}

#[tokio::test(start_paused = true)]
async fn the_stream_flows_and_ends_while_the_client_never_creates_the_progress() {
    let (feed, task, mut client) = start(false).await;
    feed.event(&Event::Attempt(1));
    feed.event(&Event::Text("all of it"));
    let mut said = [in_short(&client.next().await), in_short(&client.next().await), in_short(&client.next().await)];
    said.sort_unstable();
    assert_eq!(said, ["begin", "text all of it", "window/workDoneProgress/create"]);
    feed.end(&report(Outcome::Shown));
    assert_eq!(client.drain(task).await, ["end"], "no progress that the client did not take");
}

#[tokio::test(start_paused = true)]
async fn a_progress_that_is_created_late_begins_before_it_ends() {
    let (feed, task, mut client) = start(false).await;
    let create = client.next().await;
    feed.end(&report(Outcome::Cancelled));
    assert_eq!(in_short(&client.next().await), "end");
    client.answer(&create, Ok(LspAny::Null)).await;
    assert_eq!(client.drain(task).await, ["progress begin: ", "progress end: Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_progress_is_not_used() {
    let (feed, task, mut client) = start(false).await;
    let create = client.next().await;
    client.answer(&create, Err(Error::method_not_found())).await;
    feed.event(&Event::Attempt(1));
    let failed = Report {
        error: Some(crate::error::Error::new(ErrorKind::Network, "Nobody there.")),
        ..report(Outcome::Failed)
    };
    feed.end(&failed);
    assert_eq!(client.drain(task).await, ["begin", "end"]);
}
