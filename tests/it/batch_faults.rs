//! Batches that meet trouble: processes that are killed, other processes, full disks, locks, and servers that will not.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::batch::{SUBMIT, TEXT, check_bill, command, done, run, said, submit, workspace};
use crate::support::{Sandbox, Simulator};

const ITEMS: &str = "path = \"/v1/messages/batches/requests\"";

/// Looks again and again until something is so.
fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A workspace of so many files with a function each, asked about and answered.
fn many(files: usize) -> (Sandbox, Simulator) {
    let sandbox = Sandbox::new();
    sandbox.write(".git/HEAD", "ref: refs/heads/main\n");
    sandbox.configure("[api]\nmax_retries = 0\ntimeout_secs = 20\n");
    for file in 0..files {
        sandbox.write(&name(file), format!("def f{file}(price):\n    return price + {file}\n"));
    }
    let simulator = Simulator::start(&sandbox, None, None);
    let submitted =
        done(&sandbox, &simulator, &["submit", "document", "src", "--items", "functions", "--yes", "--wait"]);
    assert_eq!(submitted["counts"], json!({"answered": files}), "{submitted}");
    (sandbox, simulator)
}

fn name(file: usize) -> String {
    format!("src/f{file:03}.py")
}

/// How many docstrings a file has.
fn documented(sandbox: &Sandbox, file: usize) -> usize {
    sandbox.read(&name(file)).matches("\"\"\"").count() / 2
}

#[test]
fn a_process_that_is_killed_while_it_reads_the_results_loses_nothing() {
    let sandbox = workspace();
    let scenario = "[[step]]\nmatch = { path = \"/v1/messages/batches/*/results\" }\nstall = { at = \"first_event\" }\n\n\
        [[step]]\nmatch = { path = \"/v1/messages/batches/*/results\" }\ncut = { after_bytes = 4000 }\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    submit(&sandbox, &simulator);
    let mut waiting = command(&sandbox, simulator.url.as_str(), &["show", "last", "--wait"]).spawn().unwrap();
    until(|| simulator.account()["stalled"] == 1);
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    // The next one loses its connection in the middle, says so, and goes on.
    let output = command(&sandbox, simulator.url.as_str(), &["show", "last", "--wait", "--json"]).output().unwrap();
    let warning = String::from_utf8_lossy(&output.stderr);
    assert!(warning.contains("ended before it was complete") && warning.contains("tried again"), "{warning}");
    let shown = said(&output);
    assert_eq!(shown["counts"], json!({"answered": 6}), "{shown}");
    assert_eq!(check_bill(&sandbox, &simulator)["requests"], 6, "paid once, counted once");
    assert_eq!(done(&sandbox, &simulator, &["apply", "last", "--write"])["applied"], 6);
}

#[test]
fn a_process_that_is_killed_while_it_applies_leaves_whole_files_and_the_next_one_does_the_rest() {
    const FILES: usize = 150;
    let (sandbox, simulator) = many(FILES);
    for moment in [0, 30, 90] {
        let mut command = command(&sandbox, simulator.url.as_str(), &["apply", "last", "--write"]);
        let mut applying = command.stdout(Stdio::null()).spawn().unwrap();
        until(|| documented(&sandbox, moment) == 1 || applying.try_wait().unwrap().is_some());
        applying.kill().unwrap();
        applying.wait().unwrap();
        (0..FILES).for_each(|file| assert!(documented(&sandbox, file) <= 1, "{}", sandbox.read(&name(file))));
    }
    done(&sandbox, &simulator, &["apply", "last", "--write"]);
    for file in 0..FILES {
        assert_eq!(documented(&sandbox, file), 1, "{}", sandbox.read(&name(file)));
    }
    let shown = done(&sandbox, &simulator, &["show", "last"]);
    assert_eq!(shown["counts"], json!({"applied": FILES}), "what was written before the end is known as that: {shown}");
}

#[test]
fn two_processes_that_apply_at_once_do_it_once() {
    const FILES: usize = 60;
    let (sandbox, simulator) = many(FILES);
    let apply = || {
        let mut command = command(&sandbox, simulator.url.as_str(), &["apply", "last", "--write", "--json"]);
        command.spawn().unwrap()
    };
    let (first, second) = (apply(), apply());
    let outputs = [first, second].map(|child| child.wait_with_output().unwrap());
    let counts = outputs.each_ref().map(|output| {
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let said = said(output);
        assert_eq!((&said["kept"], &said["unchanged"]), (&json!(0), &json!(0)), "{said}");
        said["applied"].as_u64().unwrap()
    });
    assert_eq!(counts.iter().sum::<u64>(), FILES as u64, "{counts:?}");
    (0..FILES).for_each(|file| assert_eq!(documented(&sandbox, file), 1));
}

#[test]
fn a_locked_ledger_is_said_and_nothing_is_done_without_it() {
    let sandbox = workspace();
    let simulator = Simulator::start(&sandbox, None, None);
    submit(&sandbox, &simulator);
    done(&sandbox, &simulator, &["show", "last", "--wait"]);
    let holder = rusqlite::Connection::open(sandbox.path("data/aside/usage.sqlite3")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (refused, code) = run(&sandbox, &simulator, &["apply", "last", "--write"]);
    assert_ne!(code, 0, "{refused}");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("locked") && !message.contains("no batch"), "{message}");
    assert_eq!(sandbox.read("src/a.py"), TEXT);
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(done(&sandbox, &simulator, &["apply", "last", "--write"])["applied"], 6);
}

#[cfg(unix)]
#[test]
fn where_the_disk_is_full_nothing_is_sent_that_nobody_would_remember() {
    let sandbox = workspace();
    let simulator = Simulator::start(&sandbox, None, None);
    let mut full = sandbox.aside_after("trap '' XFSZ; ulimit -f 40");
    full.arg("batch")
        .args(SUBMIT)
        .env("ANTHROPIC_BASE_URL", simulator.url.as_str())
        .env("ANTHROPIC_API_KEY", "sk-ant-test");
    let output = full.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && stderr.contains("File too large"), "{output:?}");
    let mut nowhere = command(&sandbox, simulator.url.as_str(), SUBMIT);
    let output = nowhere.env("TMPDIR", sandbox.path("nowhere")).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && stderr.contains("temporary file"), "{output:?}");
    assert_eq!(simulator.account()["requests"], json!([]));
    assert_eq!(done(&sandbox, &simulator, &["list"])["batches"], json!([]));

    // Nor is anything applied that nobody would remember.
    submit(&sandbox, &simulator);
    done(&sandbox, &simulator, &["show", "last", "--wait"]);
    let mut full = sandbox.aside_after("trap '' XFSZ; ulimit -f 40");
    full.args(["batch", "apply", "last", "--write"]);
    let output =
        full.env("ANTHROPIC_BASE_URL", simulator.url.as_str()).env("ANTHROPIC_API_KEY", "sk-ant-test").output();
    let output = output.unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("ledger"), "{output:?}");
    assert_eq!(sandbox.read("src/a.py"), TEXT);
    assert_eq!(done(&sandbox, &simulator, &["apply", "last", "--write"])["applied"], 6);
}

#[cfg(unix)]
#[test]
fn a_file_that_the_disk_has_no_room_for_stays_as_it_is_until_there_is() {
    let sandbox = workspace();
    let simulator = Simulator::start(&sandbox, None, None);
    submit(&sandbox, &simulator);
    done(&sandbox, &simulator, &["show", "last", "--wait"]);
    // One file has grown beyond what can be written, so that the ledger still can be.
    let grown = format!("{TEXT}\n\nNOTES = \"{}\"\n", "x".repeat(1_200_000));
    sandbox.write("src/a.py", &grown);
    let mut full = sandbox.aside_after("trap '' XFSZ; ulimit -f 1000");
    full.args(["batch", "apply", "last", "--write", "--json"]);
    let output = full
        .env("ANTHROPIC_BASE_URL", simulator.url.as_str())
        .env("ANTHROPIC_API_KEY", "sk-ant-test")
        .output()
        .unwrap();
    let applied = said(&output);
    assert_eq!((applied["applied"].as_u64(), applied["kept"].as_u64()), (Some(3), Some(3)), "{applied}");
    assert_eq!(output.status.code(), Some(1));
    assert!(sandbox.read("src/a.py") == grown, "whole, or not at all");
    assert_eq!(sandbox.read("src/deep/b.py").matches("\"\"\"").count(), 6);
    let mut names = fs::read_dir(sandbox.path("workspace/src")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.any(|name| name.to_string_lossy().contains("tmp")), "and nothing is left beside it");
    let shown = done(&sandbox, &simulator, &["show", "last"]);
    assert_eq!(shown["counts"], json!({"applied": 3, "kept": 3}), "{shown}");
    assert_eq!(done(&sandbox, &simulator, &["apply", "last", "--write"])["applied"], 3);
    assert_eq!(sandbox.read("src/a.py").matches("\"\"\"").count(), 6);
}

/// Sends a request without a body to the simulator, with the key of the tests.
fn post(simulator: &Simulator, path: &str) -> String {
    let address = simulator.url.socket_addrs(|| None).unwrap()[0];
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nx-api-key: sk-ant-test\r\nanthropic-version: 2023-06-01\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_batch_that_was_cancelled_elsewhere_keeps_what_it_has() {
    let sandbox = workspace();
    let scenario =
        format!("[[step]]\nmatch = {{ {ITEMS}, text = 'lines=\"9-10\"' }}\nstall = {{ at = \"headers\" }}\n");
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    let submitted = submit(&sandbox, &simulator);
    until(|| simulator.account()["stalled"] == 1);
    let id = submitted["parts"][0]["id"].as_str().unwrap();
    let answer = post(&simulator, &format!("/v1/messages/batches/{id}/cancel"));
    assert!(answer.contains(" 200 ") && answer.contains("canceling"), "{answer}");
    let shown = done(&sandbox, &simulator, &["show", "last", "--wait"]);
    assert_eq!(shown["counts"], json!({"answered": 2, "canceled": 4}), "{shown}");
    assert_eq!(done(&sandbox, &simulator, &["apply", "last", "--write"])["applied"], 2);
    let again = done(&sandbox, &simulator, &["submit", "--retry", "last", "--yes", "--wait"]);
    assert_eq!(again["counts"], json!({"applied": 2, "answered": 4}), "{again}");
    check_bill(&sandbox, &simulator);
}

#[test]
fn a_batch_that_expires_costs_nothing_and_can_be_asked_again() {
    let sandbox = workspace();
    let scenario = format!("[[step]]\ntimes = 6\nmatch = {{ {ITEMS} }}\nbatch_result = \"expired\"\n");
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    submit(&sandbox, &simulator);
    let shown = done(&sandbox, &simulator, &["show", "last", "--wait"]);
    assert_eq!((&shown["counts"], &shown["settled"]), (&json!({"expired": 6}), &json!(true)), "{shown}");
    assert_eq!(check_bill(&sandbox, &simulator)["requests"], 0);
    let output = command(&sandbox, simulator.url.as_str(), &["apply", "last"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing to apply: 6 expired"), "{output:?}");
    let again = done(&sandbox, &simulator, &["submit", "--retry", "last", "--yes", "--wait"]);
    assert_eq!(again["counts"], json!({"answered": 6}), "{again}");
}

#[test]
fn a_server_or_a_key_without_batches_and_a_model_that_is_gone_are_told_apart() {
    let sandbox = workspace();
    let scenario = "[[step]]\nmatch = { path = \"/v1/messages/batches\" }\nstatus = 403\n\
        error = { message = \"Your workspace may not use batches\" }\n";
    let forbidding = Simulator::start(&sandbox, Some(scenario), None);
    let plain = Simulator::plain(&sandbox);
    let retired = [SUBMIT, &["--model", "claude-opus-4-1"]].concat();
    for (simulator, arguments, code, words) in [
        (&forbidding, SUBMIT, 1, ["may not do this", "workspace may not use batches"]),
        (&plain, SUBMIT, 2, ["has no Message Batches", "aside act"]),
        (&forbidding, &retired, 2, ["claude-opus-4-1 was retired", "successor"]),
    ] {
        let output = command(&sandbox, simulator.url.as_str(), arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        for word in words {
            assert!(stderr.contains(word), "{word}: {stderr}");
        }
        assert_eq!(done(&sandbox, simulator, &["list"])["batches"], json!([]), "nothing of it is anywhere");
    }
    assert_eq!(forbidding.account()["requests"], json!([]));
}

#[test]
fn the_model_mends_what_it_got_wrong_for_half_the_price() {
    let sandbox = workspace();
    let scenario =
        format!("[[step]]\nmatch = {{ {ITEMS}, text = 'lines=\"5-6\"' }}\nanswer = \"I would rather not.\"\n");
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    submit(&sandbox, &simulator);
    done(&sandbox, &simulator, &["show", "last", "--wait"]);
    let through = |arguments: &[&str], code: i32| {
        let output = command(&sandbox, simulator.url.as_str(), arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        (String::from_utf8(output.stdout).unwrap(), stderr)
    };
    let (_, preview) = through(&["apply", "last"], 1);
    assert!(preview.contains("aside batch submit --retry") && preview.contains("5 of 6"), "{preview}");
    let (dry, _) = through(&["submit", "--retry", "last", "--dry-run"], 0);
    assert!(dry.contains("1 function in 1 file") && dry.contains("told what is wrong with it"), "{dry}");
    let again = done(&sandbox, &simulator, &["submit", "--retry", "last", "--yes", "--wait"]);
    assert_eq!((&again["submitted"]["items"], &again["counts"]), (&json!(1), &json!({"answered": 6})), "{again}");
    assert_eq!(done(&sandbox, &simulator, &["apply", "last", "--write"])["applied"], 6);
    for file in ["src/a.py", "src/deep/b.py"] {
        assert_eq!(sandbox.read(file).matches("\"\"\"").count(), 6, "{}", sandbox.read(file));
    }
    check_bill(&sandbox, &simulator);

    // The bill has a row for it.
    let usage = |arguments: &[&str]| {
        let output = sandbox.aside().arg("usage").args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output
    };
    let said: Value = said(&usage(&["--by", "batch", "--json"]));
    let row = &said["rows"][0];
    assert_eq!(
        (&row["batch"], &row["action"], &row["items"]),
        (&again["batch"], &json!("document"), &json!(6)),
        "{said}"
    );
    assert_eq!(
        (&row["requests"], &row["costUsd"], &row["halfPriceSavedUsd"]),
        (&json!(7), &again["usage"]["costUsd"], &row["costUsd"])
    );
    assert_eq!(said["total"]["costUsd"], row["costUsd"]);
    let table = String::from_utf8(usage(&["--by", "batch"]).stdout).unwrap();
    assert!(table.contains("document, 6 items") && table.contains("saved by half the price"), "{table}");
    let page = sandbox.path("usage.html");
    usage(&["--html", page.to_str().unwrap()]);
    let page = fs::read_to_string(page).unwrap();
    assert!(
        page.contains("By batch") && page.contains(&format!("{} document, 6 items", again["batch"].as_str().unwrap()))
    );
}
