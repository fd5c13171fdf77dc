//! A client that does not read what it is told, for a while: nothing is lost, nobody else suffers, and memory has a bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::scripted::wait_until;
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const JOBS: usize = 12;
const CHANGES: usize = 3_000;
/// What one answer says, in bytes: far more than a pipe holds.
const WORDS: usize = 40_000;

/// Ends a server that nobody could write to any more, so that the test fails and does not hang.
struct Watchdog(Arc<AtomicBool>);

impl Watchdog {
    fn over(client: &Client) -> Self {
        let (done, id) = (Arc::new(AtomicBool::new(false)), client.process_id().to_string());
        let watched = Arc::clone(&done);
        std::thread::spawn(move || {
            let deadline = Instant::now() + Duration::from_secs(90);
            while !watched.load(Ordering::Relaxed) {
                if Instant::now() > deadline {
                    let _ = std::process::Command::new("kill").args(["-9", &id]).status();
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        Self(done)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_client_that_writes_first_and_reads_later_loses_nothing() {
    let sandbox = Sandbox::new();
    sandbox.configure("max_running = 6\n");
    let text = "def one():\n    return 1\n\n\ndef two():\n    return 2\n";
    let answer = "All the words of it. ".repeat(WORDS / 21);
    let scenario = format!("[[step]]\ntimes = \"always\"\nanswer = '{answer}'\n");
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let _watchdog = Watchdog::over(&client);
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", text);
    assert_eq!(client.run_to_end("explain", &uri, 0..24)["outcome"], "shown");
    #[cfg(target_os = "linux")]
    let before = client.footprint().0;

    client.reads(false);
    let range = client.range(&uri, 0..24);
    let argument = json!({"action": "explain", "uri": uri, "range": range, "wait": true});
    let run = json!({"command": "aside.run", "arguments": [argument]});
    let running: Vec<i64> = (0..JOBS).map(|_| client.begin_request("workspace/executeCommand", run.clone())).collect();
    let mut hovers = Vec::new();
    for number in 0..CHANGES {
        let end = client.text(&uri).len();
        client.edit(&uri, end..end, "#");
        if number % 3 == 0 {
            let at = json!({"textDocument": {"uri": uri}, "position": {"line": 0, "character": 5}});
            hovers.push(client.begin_request("textDocument/hover", at));
        }
    }
    // The work goes on: all is asked for and answered although nobody looks.
    wait_until("the jobs stand still", || {
        let account = simulator.account();
        let complete = account["requests"].as_array().unwrap().iter().filter(|row| row["complete"] == true).count();
        complete == JOBS + 1
    });
    #[cfg(target_os = "linux")]
    {
        let grown = client.footprint().0.saturating_sub(before);
        // Twelve answers of 40 KB and a few thousand messages are kept for the client.
        assert!(grown < 64 * 1024, "{grown} KB more");
    }

    client.reads(true);
    for id in running {
        let result = client.response(id).expect("a result");
        assert_eq!(result["outcome"], "shown", "{}", result["error"]);
        let job = result["job"].as_str().unwrap();
        client.stream_end(job);
        let parts = client.stream(job);
        let last = parts.iter().rposition(|part| part["kind"] == "begin").unwrap();
        let told: String = parts[last..].iter().filter_map(|part| part["text"].as_str()).collect();
        assert_eq!(told.len(), answer.len(), "no letter is lost");
        assert_eq!(Value::from(told.trim_end()), Value::from(answer.trim_end()));
        // What could not be sent was joined: few parts, and of the progress only the newest state.
        assert!(parts.len() < 1_000, "{} parts", parts.len());
        let reports = client.editor().progress[&format!("aside-{job}")].reports.len();
        assert!(reports < 100, "{reports} reports");
    }
    for id in hovers {
        client.response(id).expect("hovers do not fail");
    }
    // Every change was taken in, in order.
    let span = 0..client.text(&uri).len();
    assert!(client.text(&uri).ends_with(&"#".repeat(CHANGES)));
    let result = client.run_to_end("explain", &uri, span);
    assert_eq!(result["outcome"], "shown", "the server has this text: {}", result["error"]);
    client.read_all();
}
