use lsp_types::ProgressToken;

use super::super::test_client::{TestClient, params};
use super::*;
use crate::error::{Error, ErrorKind};
use crate::jobs::Outcome;

fn report(outcome: Outcome) -> Report {
    Report {
        job: "job".to_owned(),
        action: "explain".to_owned(),
        outcome,
        reason: None,
        conflict: None,
        error: None,
        explanation: None,
        edits: Vec::new(),
        notes: Vec::new(),
        usage: None,
        model: "model".to_owned(),
        simulated: false,
    }
}

/// A feed whose client wants everything.
async fn start(own_token: bool) -> (Feed, tokio::task::JoinHandle<()>, TestClient) {
    let (client, end) = TestClient::connect().await;
    let progress = Some((ProgressToken::String("token".to_owned()), !own_token));
    let channel = Channel { client, job: "job".to_owned(), title: "Explain it".to_owned(), progress, stream: true };
    let (feed, task) = Feed::start(channel);
    (feed, task, end)
}

/// All that the server says until the pump has ended.
async fn drain(client: &mut TestClient, task: tokio::task::JoinHandle<()>) -> Vec<String> {
    let mut said = Vec::new();
    let mut task = std::pin::pin!(task);
    loop {
        tokio::select! {
            biased;
            message = client.next() => said.push(in_short(&message)),
            ended = &mut task => {
                ended.expect("the pump does not panic");
                return said;
            }
        }
    }
}

fn in_short(message: &tower_lsp::jsonrpc::Request) -> String {
    let params = params(message);
    match message.method() {
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
    let said = drain(&mut client, task).await;
    let parts = ["begin", "text ab", "thinking hm", "text c", "edit", "end"];
    assert_eq!(said.first().map(String::as_str), Some("progress begin: "));
    assert_eq!(said[1..=parts.len()], parts);
    assert_eq!(said[parts.len() + 1..], ["progress end: Applied"]);
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
    let said = drain(&mut client, task).await;
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
    let said = drain(&mut client, task).await;
    let texts: Vec<_> = said.iter().filter_map(|line| line.strip_prefix("text ")).collect();
    assert_eq!(texts.join(" ").trim_end(), whole.trim_end());
    assert!(texts.len() < 200, "{} parts", texts.len());
}

#[tokio::test(start_paused = true)]
async fn the_stream_flows_and_ends_while_the_client_never_creates_the_progress() {
    let (feed, task, mut client) = start(false).await;
    feed.event(&Event::Attempt(1));
    feed.event(&Event::Text("all of it"));
    assert_eq!(client.next().await.method(), "window/workDoneProgress/create");
    assert_eq!(in_short(&client.next().await), "begin");
    assert_eq!(in_short(&client.next().await), "text all of it");
    feed.end(&report(Outcome::Shown));
    assert_eq!(drain(&mut client, task).await, ["end"], "no progress that the client did not take");
}

#[tokio::test(start_paused = true)]
async fn a_progress_that_is_created_late_begins_before_it_ends() {
    let (feed, task, mut client) = start(false).await;
    let create = client.next().await;
    feed.end(&report(Outcome::Cancelled));
    assert_eq!(in_short(&client.next().await), "end");
    client.answer(&create, LspAny::Null).await;
    assert_eq!(drain(&mut client, task).await, ["progress begin: ", "progress end: Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_progress_is_not_used() {
    let (feed, task, mut client) = start(false).await;
    let create = client.next().await;
    client.refuse(&create).await;
    feed.event(&Event::Attempt(1));
    let failed = Report { error: Some(Error::new(ErrorKind::Network, "Nobody there.")), ..report(Outcome::Failed) };
    feed.end(&failed);
    assert_eq!(drain(&mut client, task).await, ["begin", "end"]);
}
