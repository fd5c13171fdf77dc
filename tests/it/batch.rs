//! Batches: submitted, left alone, taken up again by other processes, and applied.

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::http::Recorder;
use crate::support::{Sandbox, Simulator};

/// Three functions without a word of documentation.
pub(crate) const TEXT: &str =
    "def one(price):\n    return price\n\n\ndef two(name):\n    return name\n\n\ndef three(items):\n    return items\n";

/// A workspace with two files of three functions each, and a few that are no business of a batch.
pub(crate) fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    for file in ["src/a.py", "src/deep/b.py", "src/ignored/c.py", "src/secret.py"] {
        sandbox.write(file, TEXT);
    }
    sandbox.write(".gitignore", "ignored/\n");
    sandbox.write("src/notes.txt", "def not_python(): pass\n");
    sandbox.write(".git/HEAD", "ref: refs/heads/main\n");
    sandbox.configure("[privacy]\nexclude = [\"secret.py\"]\n[api]\nmax_retries = 0\ntimeout_secs = 20\n");
    sandbox
}

pub(crate) fn command(sandbox: &Sandbox, url: &str, arguments: &[&str]) -> Command {
    let mut command = sandbox.aside();
    command.arg("batch").args(arguments).env("ANTHROPIC_BASE_URL", url).env("ANTHROPIC_API_KEY", "sk-ant-test");
    command
}

/// Runs a command to its end: its JSON, and the exit code.
pub(crate) fn run(sandbox: &Sandbox, simulator: &Simulator, arguments: &[&str]) -> (Value, i32) {
    let output = command(sandbox, simulator.url.as_str(), arguments).arg("--json").output().unwrap();
    (said(&output), output.status.code().unwrap())
}

pub(crate) fn said(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The same, when all must be well.
pub(crate) fn done(sandbox: &Sandbox, simulator: &Simulator, arguments: &[&str]) -> Value {
    let (said, code) = run(sandbox, simulator, arguments);
    assert_eq!(code, 0, "{arguments:?}: {said}");
    said
}

pub(crate) const SUBMIT: &[&str] = &["submit", "document", "src/**/*.py", "--items", "functions", "--yes"];

/// Submits six functions.
pub(crate) fn submit(sandbox: &Sandbox, simulator: &Simulator) -> Value {
    let submitted = done(sandbox, simulator, SUBMIT);
    assert_eq!(submitted["submitted"], json!({"items": 6, "files": 2, "accepted": 6}), "{submitted}");
    submitted
}

fn usage(sandbox: &Sandbox) -> Value {
    let output = sandbox.aside().args(["usage", "--json"]).output().unwrap();
    said(&output)["total"].clone()
}

/// What the simulator reported, against what the ledger says: the same tokens.
pub(crate) fn check_bill(sandbox: &Sandbox, simulator: &Simulator) -> Value {
    let account = simulator.account();
    let sum = |field: &str| -> u64 {
        account["requests"].as_array().unwrap().iter().map(|row| row[field].as_u64().unwrap()).sum()
    };
    let usage = usage(sandbox);
    for (ours, theirs) in [
        ("inputTokens", sum("input_tokens")),
        ("cacheReadTokens", sum("cache_read_tokens")),
        ("cacheWriteTokens", sum("cache_write_5m_tokens") + sum("cache_write_1h_tokens")),
        ("outputTokens", sum("output_tokens")),
    ] {
        assert_eq!(usage[ours], theirs, "{ours}: {usage}\n{account}");
    }
    usage
}

#[test]
fn from_the_estimate_to_the_files() {
    let sandbox = workspace();
    let simulator = Simulator::start(&sandbox, None, None);
    let recorder = Recorder::start(&simulator.url);
    let through = |arguments: &[&str]| {
        let output = command(&sandbox, recorder.url.as_str(), arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (dry, _) = through(&["submit", "document", "src/**/*.py", "--items", "functions", "--dry-run"]);
    assert!(dry.contains("6 functions in 2 files") && dry.contains("as a batch; one by one it would be $"), "{dry}");
    assert!(dry.contains("left out: src/secret.py"), "{dry}");
    assert!(recorder.exchanges(0).is_empty(), "nothing is sent for that");

    let (said, _) = through(SUBMIT);
    let id = said.split("aside batch show ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    assert!(said.contains(&format!("{id}: 6 of 6 items were submitted")), "{said}");
    let (shown, _) = through(&["show", &id, "--wait"]);
    assert!(shown.contains("6 answered") && shown.contains(&format!("aside batch apply {id}")), "{shown}");
    let (diff, said) = through(&["apply", "last"]);
    assert!(diff.contains("--- a/src/a.py") && diff.contains("+++ b/src/deep/b.py"), "{diff}");
    assert!(said.contains("6 of 6 answers would be applied") && sandbox.read("src/a.py") == TEXT, "{said}");
    let (files, said) = through(&["apply", &id, "--write"]);
    assert_eq!(files, "src/a.py\nsrc/deep/b.py\n");
    assert!(said.contains("6 of 6 answers were applied"), "{said}");
    for file in ["src/a.py", "src/deep/b.py"] {
        assert_eq!(sandbox.read(file).matches("\"\"\"").count(), 6, "{}", sandbox.read(file));
    }
    assert_eq!(sandbox.read("src/secret.py"), TEXT);
    let (list, _) = through(&["list"]);
    assert!(list.contains(&id) && list.contains("6 applied"), "{list}");
    let (nothing, said) = through(&["apply", &id]);
    assert!(nothing.is_empty() && said.contains("nothing to apply: 6 applied"), "{said}");

    let usage = check_bill(&sandbox, &simulator);
    assert_eq!(usage["requests"], 6);
    let exchanges = recorder.exchanges(1);
    let sent = exchanges.iter().find(|exchange| exchange.target == "POST /v1/messages/batches").unwrap();
    let requests = sent.request["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 6);
    assert!(requests.iter().all(|request| request["params"].get("stream").is_none()), "{sent:?}");
    let hidden =
        ["secret.py", "src/ignored", sandbox.workspace().to_str().unwrap()].map(|word| sent.body.contains(word));
    assert_eq!(hidden, [false; 3], "what is left out is not mentioned, nor is a path of this machine");
}

#[test]
fn lines_that_failed_are_listed_and_asked_for_again() {
    let sandbox = workspace();
    let path = "path = \"/v1/messages/batches/requests\"";
    let scenario = format!(
        "[[step]]\nmatch = {{ {path}, text = 'lines=\"1-2\"' }}\nstatus = 400\nerror = {{ message = \"Not this one\" }}\n\n\
         [[step]]\nmatch = {{ {path}, text = 'lines=\"5-6\"' }}\nbatch_result = \"expired\"\n\n\
         [[step]]\nmatch = {{ {path}, text = 'lines=\"9-10\"' }}\nanswer = \"No code at all.\"\n"
    );
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    submit(&sandbox, &simulator);
    let shown = done(&sandbox, &simulator, &["show", "last", "--wait"]);
    assert_eq!(shown["counts"], json!({"answered": 4, "errored": 1, "expired": 1}), "{shown}");
    let reasons: Vec<&str> =
        shown["items"].as_array().unwrap().iter().filter_map(|item| item["reason"].as_str()).collect();
    assert_eq!(reasons, ["Not this one", "the API did not get to it within a day"], "{shown}");
    let (applied, code) = run(&sandbox, &simulator, &["apply", "last", "--write"]);
    assert_eq!((applied["applied"].as_u64(), applied["kept"].as_u64(), code), (Some(3), Some(1), 1), "{applied}");
    let item = shown["items"].as_array().unwrap().iter().position(|item| item["name"] == "three").unwrap().to_string();
    let kept = done(
        &sandbox,
        &simulator,
        &["show", "last", "--item", &shown["items"][item.parse::<usize>().unwrap()]["item"].to_string()],
    );
    assert_eq!((&kept["answer"], &kept["state"]), (&json!("No code at all."), &json!("unusable")), "{kept}");
    let again = done(&sandbox, &simulator, &["submit", "--retry", "last", "--yes", "--wait"]);
    assert_eq!(again["submitted"], json!({"items": 3, "files": 1, "accepted": 3}), "{again}");
    assert_eq!(again["counts"], json!({"answered": 3, "applied": 3}), "{again}");
    assert_eq!(done(&sandbox, &simulator, &["apply", "last", "--write"])["applied"], 3);
    assert_eq!(sandbox.read("src/a.py").matches("\"\"\"").count(), 6, "{}", sandbox.read("src/a.py"));
    check_bill(&sandbox, &simulator);
    let (nothing, code) = run(&sandbox, &simulator, &["submit", "--retry", "last", "--yes"]);
    assert!(code == 2 && nothing["error"]["message"].as_str().unwrap().contains("Nothing of the batch"), "{nothing}");
}

/// Waits until the simulator has done something for the program.
fn until(simulator: &Simulator, child: &mut Child, seen: impl Fn(&Value) -> bool) {
    while !seen(&simulator.account()) {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_process_that_is_killed_while_it_submits_loses_nothing() {
    let sandbox = workspace();
    // The batch is taken, and the answer never comes.
    let scenario = "[[step]]\nmatch = { path = \"/v1/messages/batches\" }\nstall = { at = \"first_event\" }\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let mut child = command(&sandbox, simulator.url.as_str(), SUBMIT).stdin(Stdio::null()).spawn().unwrap();
    until(&simulator, &mut child, |account| account["requests"].as_array().unwrap().len() == 6);
    child.kill().unwrap();
    child.wait().unwrap();
    let listed = done(&sandbox, &simulator, &["list"]);
    assert_eq!(listed["batches"][0]["counts"], json!({"sent": 6}), "it was written down before it was sent: {listed}");
    let shown = done(&sandbox, &simulator, &["show", "last", "--wait"]);
    assert_eq!(shown["counts"], json!({"answered": 6}), "{shown}");
    assert_eq!(shown["parts"][0]["confirmed"], true, "{shown}");
    assert_eq!(done(&sandbox, &simulator, &["apply", "last", "--write"])["applied"], 6);
    assert_eq!(check_bill(&sandbox, &simulator)["requests"], 6, "paid once, counted once");
}

#[test]
fn cancelled_midway_it_keeps_what_has_begun() {
    let sandbox = workspace();
    let path = "path = \"/v1/messages/batches/requests\"";
    let scenario = format!("[[step]]\nmatch = {{ {path}, text = 'lines=\"9-10\"' }}\nstall = {{ at = \"headers\" }}\n");
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    submit(&sandbox, &simulator);
    while simulator.account()["stalled"] != 1 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let running = done(&sandbox, &simulator, &["show", "last"]);
    assert_eq!((&running["counts"], &running["settled"]), (&json!({"sent": 6}), &json!(false)), "{running}");
    let (applied, _) = run(&sandbox, &simulator, &["apply", "last", "--write"]);
    assert_eq!(applied["applied"], 0, "{applied}");
    let early = run(&sandbox, &simulator, &["submit", "--retry", "last", "--yes"]);
    assert_eq!(early.1, 2, "nothing is asked for twice: {}", early.0);
    done(&sandbox, &simulator, &["cancel", "last"]);
    let shown = done(&sandbox, &simulator, &["show", "last", "--wait"]);
    assert_eq!(shown["counts"], json!({"answered": 2, "canceled": 4}), "{shown}");
    assert_eq!(check_bill(&sandbox, &simulator)["requests"], 2);
    let again = done(&sandbox, &simulator, &["submit", "--retry", "last", "--yes", "--wait"]);
    assert_eq!(again["counts"], json!({"answered": 6}), "{again}");
    check_bill(&sandbox, &simulator);
}

#[test]
fn files_that_were_changed_meanwhile_are_merged_or_left_alone() {
    let sandbox = workspace();
    let simulator = Simulator::start(&sandbox, None, None);
    submit(&sandbox, &simulator);
    done(&sandbox, &simulator, &["show", "last", "--wait"]);
    let mine = format!("import os\n\n{TEXT}").replace("return price", "return price * 2");
    sandbox.write("src/a.py", &mine);
    std::fs::remove_file(sandbox.workspace().join("src/deep/b.py")).unwrap();
    let (applied, code) = run(&sandbox, &simulator, &["apply", "last", "--write"]);
    assert_eq!((applied["applied"].as_u64(), applied["kept"].as_u64(), code), (Some(3), Some(3), 1), "{applied}");
    let now = sandbox.read("src/a.py");
    assert!(now.starts_with("import os\n") && now.contains("return price * 2"), "{now}");
    assert_eq!(now.matches("\"\"\"").count(), 6, "{now}");
    let shown = done(&sandbox, &simulator, &["show", "last"]);
    let reasons: Vec<_> = shown["items"].as_array().unwrap().iter().filter(|item| item["state"] == "kept").collect();
    assert!(reasons.len() == 3 && reasons[0]["reason"].as_str().unwrap().contains("not there any more"), "{shown}");
    assert!(!sandbox.workspace().join("src/deep/b.py").exists(), "and nothing is made anew");
}

#[test]
fn a_simulation_is_one_process_and_its_answers_stay() {
    let sandbox = workspace();
    let aside = |arguments: &[&str]| {
        let output = sandbox.aside().arg("batch").args(arguments).arg("--json").output().unwrap();
        (said(&output), output.status.code().unwrap())
    };
    let (submitted, code) = aside(&["submit", "explain", "src", "--simulate", "--yes"]);
    assert_eq!((code, &submitted["counts"]), (0, &json!({"answered": 3})), "{submitted}");
    assert_eq!(submitted["simulated"], true);
    let (applied, code) = aside(&["apply", "last", "--write"]);
    assert_eq!((code, applied["applied"].as_u64()), (0, Some(3)), "{applied}");
    let file = applied["files"][0]["written"][0].as_str().unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("src/a.py:1-10") && text.contains("Simulated"), "{text}");
    let usage = usage(&sandbox);
    assert!(usage["simulatedUsd"].as_f64().unwrap() > 0.0, "{usage}");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_sent() {
    let sandbox = workspace();
    let simulator = Simulator::start(&sandbox, None, None);
    for (arguments, code, word) in [
        (&["submit", "document", "src"][..], 2, "--yes"),
        (&["submit", "document", "src/ignored/c.py", "--yes"], 1, "excluded"),
        (&["submit", "document", "nowhere/*.py", "--yes"], 2, "nowhere"),
        (&["submit", "document", "src/notes.txt", "--yes"], 1, "makes no sense"),
        (&["submit", "implement", "src", "--yes"], 2, "not for batches"),
        (&["submit", "documnet", "src", "--yes"], 2, "document"),
        (&["submit", "document", "src", "--items", "classes", "--yes"], 2, "has no classes"),
        (&["show", "last"], 2, "no batch yet"),
        (&["apply", "b0"], 2, "no batch yet"),
        (&["cancel", "b0"], 2, "no batch yet"),
        (&["submit", "--retry", "b0", "--yes"], 2, "no batch yet"),
    ] {
        let output = command(&sandbox, simulator.url.as_str(), arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(word), "{arguments:?}: {stderr}");
        let (said, as_json) = run(&sandbox, &simulator, arguments);
        assert!(as_json == code && said["error"]["message"].is_string(), "{arguments:?}: {said}");
    }
    assert_eq!(simulator.account()["requests"], json!([]));
    assert!(
        !sandbox.path("data/aside/usage.sqlite3").exists()
            || done(&sandbox, &simulator, &["list"])["batches"] == json!([])
    );
    // Without a key, with a budget that is too small, and with a ledger that cannot be written.
    let no_key = sandbox.aside().arg("batch").args(SUBMIT).output().unwrap();
    assert_eq!(no_key.status.code(), Some(1));
    sandbox.configure("[budget]\ndaily_usd = 0.0001\n");
    let (refused, code) = run(&sandbox, &simulator, SUBMIT);
    assert_eq!((&refused["error"]["kind"], code), (&json!("budget"), 1), "{refused}");
    sandbox.configure("");
    let mut nowhere = command(&sandbox, simulator.url.as_str(), SUBMIT);
    let output = nowhere.env("ASIDE_DATA_DIR", sandbox.write("a-file", "")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs the ledger"), "{output:?}");
    assert_eq!(simulator.account()["requests"], json!([]));
}
