//! The same run with a terminal at its end.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::support::{Sandbox, Simulator};

fn act(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    sandbox.aside().arg("act").args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_explanation_goes_to_stdout_and_the_usage_to_stderr() {
    let sandbox = Sandbox::new();
    sandbox.example("inventory.py");
    let output = act(&sandbox, &["explain", "inventory.py:75-80", "--simulate"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("parse_price"), "{}", stdout(&output));
    assert!(!stdout(&output).contains('\u{1b}'), "no colours where nobody looks");
    assert!(stderr(&output).contains('$'), "{}", stderr(&output));
    assert!(stderr(&output).to_lowercase().contains("simulated"), "{}", stderr(&output));
}

#[test]
fn an_edit_is_a_diff_and_with_write_it_is_made() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let line = text.lines().position(|line| line.starts_with("def restock_report")).unwrap() + 1;
    let place = format!("inventory.py:{line}");
    let output = act(&sandbox, &["add-type-hints", &place, "--simulate"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let diff = stdout(&output);
    assert!(diff.contains("-def restock_report(items,") && diff.contains("+def restock_report("), "{diff}");
    assert_eq!(sandbox.read("inventory.py"), text, "nothing is written without --write");
    let output = act(&sandbox, &["add-type-hints", &place, "--simulate", "--write"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_ne!(sandbox.read("inventory.py"), text);
}

#[test]
fn json_has_the_contracts_form() {
    let sandbox = Sandbox::new();
    sandbox.example("inventory.py");
    let read = |arguments: &[&str]| -> Value {
        let output = act(&sandbox, arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).expect("one JSON object")
    };
    let explained = read(&["explain", "inventory.py:75-80", "--simulate", "--json"]);
    assert_eq!(explained["outcome"], "shown", "{explained}");
    assert_eq!(explained["action"], "explain");
    assert!(explained["explanation"].as_str().is_some_and(|text| !text.is_empty()), "{explained}");
    assert!(explained["usage"]["outputTokens"].as_u64().unwrap() > 0, "{explained}");
    assert_eq!(explained["simulated"], true);
    assert_eq!(explained["model"], "claude-sonnet-5-5");
    let proposed = read(&["add-type-hints", "inventory.py:76", "--simulate", "--json"]);
    assert_eq!(proposed["outcome"], "proposed", "{proposed}");
    let edit = &proposed["edits"][0];
    assert!(edit["path"].as_str().unwrap().ends_with("inventory.py"), "{edit}");
    assert!(edit["diff"].as_str().unwrap().contains("@@"), "{edit}");
    assert!(edit["newText"].as_str().unwrap().contains("def parse_price("), "{edit}");
    let applied = read(&["add-type-hints", "inventory.py:76", "--simulate", "--json", "--write"]);
    assert_eq!(applied["outcome"], "applied", "{applied}");
    assert_eq!(sandbox.read("inventory.py"), applied["edits"][0]["newText"].as_str().unwrap());
}

#[test]
fn standard_input_is_a_file_with_a_name() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .aside()
        .args(["act", "explain", "-", "--stdin-path", "sum.py", "--simulate", "--json"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"def total(items):\n    return sum(items)\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(said["file"].as_str().unwrap().ends_with("sum.py"), "{said}");
    assert!(said["explanation"].as_str().unwrap().contains("total"), "{said}");
}

#[test]
fn what_is_wrong_ends_with_its_code_and_a_word() {
    let sandbox = Sandbox::new();
    sandbox.example("inventory.py");
    sandbox.write("binary.py", [0_u8, 1, 2, 255]);
    for (arguments, code, word) in [
        (&["explain", "inventory.py"][..], 1, "--simulate"),
        (&["explian", "inventory.py", "--simulate"], 2, "explain"),
        (&["explain", "missing.py", "--simulate"], 2, "missing.py"),
        (&["explain", "binary.py", "--simulate"], 2, "binary.py"),
        (&["explain", "inventory.py:900", "--simulate"], 2, "900"),
        (&["explain", "inventory.py:9-3", "--simulate"], 2, "3, is before"),
        (&["explain", "inventory.py:0", "--simulate"], 2, ""),
        (&["explain", "inventory.py", "--simulate", "--model", "claude-nonsense"], 2, "claude-nonsense"),
        (&["explain"], 2, "FILE"),
    ] {
        let output = act(&sandbox, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(word), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
}

#[test]
fn json_tells_of_failures_too() {
    let sandbox = Sandbox::new();
    sandbox.example("inventory.py");
    let output = act(&sandbox, &["explain", "inventory.py:75", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(said["outcome"], "failed", "{said}");
    assert_eq!(said["error"]["kind"], "credentials", "{said}");
    assert!(said["error"]["hint"].is_string(), "{said}");
    for (arguments, kind, code) in [
        (&["explain", "missing.py", "--json", "--simulate"][..], "config", 2),
        (&["no-such-action", "inventory.py", "--json", "--simulate"], "config", 2),
    ] {
        let output = act(&sandbox, arguments);
        let said: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert_eq!((&said["outcome"], &said["error"]["kind"]), (&"failed".into(), &kind.into()), "{said}");
        assert_eq!(output.status.code(), Some(code), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_cancels() {
    let sandbox = Sandbox::new();
    sandbox.example("inventory.py");
    let simulator = Simulator::start(&sandbox, None, Some(10));
    let mut child = sandbox
        .aside()
        .args(["act", "explain", "inventory.py"])
        .env("ANTHROPIC_BASE_URL", simulator.url.as_str())
        .env("ANTHROPIC_API_KEY", "sk-ant-test")
        .spawn()
        .unwrap();
    // Standard output stays empty until the end where nobody looks, so the simulator is asked whether the request runs.
    while simulator.account()["requests"].as_array().unwrap().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before its request began");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let account = simulator.account();
    assert_eq!(account["requests"][0]["complete"], false, "{account}");
}
