//! What survives: killed servers, dead editors, full disks, and folders that nobody can write to or that are gone.

use std::process::{Command, Stdio};
use std::time::Duration;

use aside::ledger::Ledger;
use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

/// Within a second a server has ended after its editor; this is for machines that have much else to do, and less than what any
/// request or wait of the server's would take.
const SOON: Duration = Duration::from_secs(10);

const TEXT: &str = "def one():\n    return 1\n\n\ndef two():\n    return 2\n";

fn rude(url: &str) -> ClientOptions {
    ClientOptions { rude: true, ..ClientOptions::with_api(url) }
}

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

#[test]
fn a_server_killed_at_any_moment_leaves_all_that_it_had_told_of() {
    let sandbox = Sandbox::new();
    let simulator = Simulator::start(&sandbox, None, None);
    let uri = sandbox.uri("a.py");
    let mut told = Vec::new();
    for round in 0..8_u64 {
        let mut client = Client::start(&sandbox, rude(simulator.url.as_str()));
        client.open(&uri, "python", TEXT);
        let range = client.range(&uri, 0..24);
        let argument = json!({"action": "explain", "uri": uri, "range": range});
        for _ in 0..6 {
            let run = json!({"command": "aside.run", "arguments": [argument]});
            client.begin_request("workspace/executeCommand", run);
        }
        // From the first words on, each round a little later.
        client.wait_for("some words", |editor| editor.stream.iter().any(|part| part["kind"] == "text").then_some(()));
        std::thread::sleep(Duration::from_millis(round * round * 7));
        signal("-KILL", client.process_id());
        client.exit_status();
        client.wait_for("the last word", |editor| editor.ended.clone());
        let ended: Vec<Value> = client.editor().stream.iter().filter(|part| part["kind"] == "end").cloned().collect();
        told.extend(ended);
        let file = sandbox.path("data/aside/usage.sqlite3");
        let (ledger, warning) = Ledger::open(&file);
        assert_eq!(warning, None, "round {round}");
        let attempts = ledger.attempts(None).unwrap();
        for end in &told {
            let job = end["job"].as_str().unwrap();
            let rows: Vec<_> = attempts.iter().filter(|attempt| attempt.job == job).collect();
            assert_eq!(rows.len(), 1, "round {round}: {end}");
            assert_eq!(Value::from(rows[0].tokens.output), end["usage"]["outputTokens"], "round {round}");
            let kept = ledger.load(job).unwrap().unwrap_or_else(|| panic!("round {round}: no explanation of {job}"));
            assert!(!kept.markdown.is_empty());
        }
    }
    assert!(!told.is_empty(), "no round was late enough");
    let usage = sandbox.aside().args(["usage", "--json"]).output().unwrap();
    assert!(usage.status.success() && usage.stderr.is_empty(), "{}", String::from_utf8_lossy(&usage.stderr));
}

/// An editor's process of which something else inherited the pipes: the pipes stay open when it dies.
#[test]
fn the_server_ends_with_its_editor_even_if_the_pipes_do_not() {
    let sandbox = Sandbox::new();
    let simulator = Simulator::start(&sandbox, None, Some(20));
    let mut editor = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
    let mut options = rude(simulator.url.as_str());
    options.initialize["processId"] = json!(editor.id());
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", TEXT);
    let job = client.run("explain", &uri, 0..24);
    client.first_text(&job);
    editor.kill().unwrap();
    editor.wait().unwrap();
    assert_eq!(client.exit_status_within(SOON).code(), Some(0));
    let rows = simulator.account();
    assert_eq!(rows["requests"][0]["complete"], false, "its request ended, too: {rows}");
    assert_eq!(Ledger::open(&sandbox.path("data/aside/usage.sqlite3")).0.attempts(None).unwrap().len(), 1);
}

/// An editor that is not of this machine, as with a server in a container, is none to watch.
#[test]
fn a_process_that_was_never_there_is_no_reason_to_end() {
    let sandbox = Sandbox::new();
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let mut options = ClientOptions::default();
    options.initialize["processId"] = json!(gone.id());
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", TEXT);
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(client.run_to_end("explain", &uri, 0..24)["outcome"], "shown");
    client.read_all();
}

#[test]
fn an_editor_that_dies_with_an_edit_in_hand_is_not_waited_for() {
    let sandbox = Sandbox::new();
    let simulator = Simulator::start(&sandbox, None, None);
    let mut options = rude(simulator.url.as_str());
    options.behaviour.on_edit = crate::support::editor::OnEdit::Silence;
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", TEXT);
    client.run("document", &uri, 0..24);
    client.next("workspace/applyEdit");
    client.close_input();
    client.exit_status_within(SOON);
    assert_eq!(Ledger::open(&sandbox.path("data/aside/usage.sqlite3")).0.attempts(None).unwrap().len(), 1);
}

/// Runs three explanations, which must all be shown, and gives the warnings that came with them.
fn warnings(client: &mut Client, uri: &str) -> Vec<String> {
    let mut said = Vec::new();
    for _ in 0..3 {
        let result = client.run_to_end("explain", uri, 0..24);
        assert_eq!(result["outcome"], "shown", "the work goes on: {result}");
        assert!(result["explanation"].as_str().is_some_and(|text| !text.is_empty()), "{result}");
        said.extend(client.read_all());
    }
    // What is told beside the answers may come a moment later.
    client.request("aside/usage", Value::Null).expect("usage is to be had");
    said.extend(client.read_all());
    let said = said.iter().filter(|message| message["method"] == "window/showMessage");
    let said = said.filter(|message| message["params"]["type"] != 3);
    said.map(|message| message["params"]["message"].as_str().unwrap().to_owned()).collect()
}

fn assert_said_once(said: &[String], words: &str) {
    assert_eq!(said.iter().filter(|text| text.contains(words)).count(), 1, "{words}: {said:#?}");
}

#[test]
fn a_full_disk_is_said_once_and_the_work_goes_on() {
    let sandbox = Sandbox::new();
    let simulator = Simulator::start(&sandbox, None, None);
    // No file may grow beyond 16 KB, which the ledger must: to a program this is a disk without room.
    let prelude = Some("trap '' XFSZ; ulimit -f 32");
    let mut client =
        Client::start(&sandbox, ClientOptions { prelude, ..ClientOptions::with_api(simulator.url.as_str()) });
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", TEXT);
    let said = warnings(&mut client, &uri);
    assert_said_once(&said, "cannot be used");
}

/// A disk of the server's own, which has no room from the beginning on or soon. Without the right to make one it is, once more,
/// a limit for files.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_without_room_is_said_once_and_the_work_goes_on() {
    const PRELUDE: &str = r#"
        if unshare --user --map-root-user --mount true; then
            exec unshare --user --map-root-user --mount sh -c '
                for folder in "$ASIDE_DATA_DIR" "$ASIDE_CACHE_DIR"; do
                    mkdir -p "$folder" && mount -t tmpfs -o size=16k tmpfs "$folder"
                done
                exec "$0" "$@"' "$0" "$@"
        fi
        trap '' XFSZ; ulimit -f 32"#;
    let sandbox = Sandbox::new();
    let simulator = Simulator::start(&sandbox, None, None);
    let options = ClientOptions { prelude: Some(PRELUDE), ..ClientOptions::with_api(simulator.url.as_str()) };
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", TEXT);
    let said = warnings(&mut client, &uri);
    assert_said_once(&said, "cannot be used");
    let result = client.run_to_end("document", &uri, 0..24);
    assert_eq!(result["outcome"], "applied", "{result}");
    client.read_all();
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_and_an_output_without_room_end_in_a_word_and_not_in_a_crash() {
    let sandbox = Sandbox::new();
    sandbox.write("a.py", TEXT);
    let arguments = ["serve", "--simulate", "--log", "/dev/full", "--log-level", "trace"].map(str::to_owned).to_vec();
    let mut client = Client::start(&sandbox, ClientOptions { arguments, ..ClientOptions::default() });
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", TEXT);
    assert_eq!(client.run_to_end("explain", &uri, 0..24)["outcome"], "shown");
    client.read_all();
    drop(client);
    for arguments in
        [&["act", "explain", "a.py:1", "--simulate"][..], &["act", "explain", "a.py:1", "--simulate", "--json"]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = sandbox.aside().args(arguments).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("No space left") && !said.contains("defect"), "{said}");
    }
}

#[test]
fn a_home_that_cannot_be_written_to_is_said_once_and_the_work_goes_on() {
    let sandbox = Sandbox::new();
    let simulator = Simulator::start(&sandbox, None, None);
    // Files where folders should be: nobody can write below them, whoever runs the test.
    sandbox.write("../nowhere", "");
    let below = |name: &str| sandbox.path("nowhere").join(name).display().to_string();
    let mut options = ClientOptions::with_api(simulator.url.as_str());
    for name in ["ASIDE_DATA_DIR", "ASIDE_CACHE_DIR", "HOME"] {
        options.environment.push((name.to_owned(), below("aside")));
    }
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", TEXT);
    let said = warnings(&mut client, &uri);
    assert_said_once(&said, "cannot be used");
}

#[test]
fn folders_that_are_removed_while_it_runs_are_said_once_and_the_work_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.write("a.py", TEXT);
    let simulator = Simulator::start(&sandbox, None, None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", TEXT);
    assert_eq!(warnings(&mut client, &uri), Vec::<String>::new());
    for folder in ["data", "cache", "workspace"] {
        std::fs::remove_dir_all(sandbox.path(folder)).unwrap();
    }
    let said = warnings(&mut client, &uri);
    assert_said_once(&said, "was removed");
    let result = client.run_to_end("document", &uri, 0..24);
    assert_eq!(result["outcome"], "applied", "the text is the editor's: {result}");
    client.read_all();
    drop(client);
    let kept = Ledger::open(&sandbox.path("data/aside/usage.sqlite3")).0.attempts(None).unwrap();
    assert_eq!(kept.len(), 4, "what came behind the removal is in the new one");
}
