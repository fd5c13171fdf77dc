//! Servers that know messages and nothing else of the platform: each feature does without what is missing, with one word.

use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const USE: &str = "from store import load_items\n\n\ndef report(path, seen=[]):\n    try:\n        return len(load_items(path))\n    \
                   except:\n        return seen\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("pyproject.toml", "[project]\nname = \"x\"\n");
    sandbox.write("use.py", USE);
    sandbox
}

fn run(sandbox: &Sandbox, simulator: &Simulator, arguments: &[&str]) -> Value {
    let mut command = sandbox.aside();
    command.env("ANTHROPIC_BASE_URL", simulator.url.as_str()).env("ANTHROPIC_API_KEY", "sk-ant-test");
    let output = command.args(arguments).arg("--json").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {stderr}"))
}

#[test]
fn each_feature_does_without_what_is_missing_and_says_so_once() {
    let sandbox = sandbox();
    let own = "---\nresult: diagnostics\n---\nLook for defects.\n";
    sandbox.write("../config/aside/actions/find-defects.md", own);
    let simulator = Simulator::plain(&sandbox);
    for (arguments, outcome, words) in [
        (vec!["explain", "use.py:4"], "shown", vec!["`cache_control`"]),
        // Of the tools there is a word as well, and no other.
        (vec!["ask", "use.py:4", "--prompt", "What is it?"], "shown", vec!["`cache_control`", "no tools"]),
        (vec!["follow-up", "--prompt", "Where is load_items?"], "shown", vec!["no tools"]),
        (vec!["review", "use.py:4"], "shown", vec!["no tools"]),
        (vec!["follow-up", "--prompt", "Is it bad?"], "shown", vec!["no tools"]),
        (vec!["find-defects", "use.py:4"], "shown", vec!["no tools"]),
        (vec!["document", "use.py:4"], "proposed", vec!["`cache_control`"]),
        (vec!["write-tests", "use.py:4"], "proposed", vec!["`cache_control`"]),
    ] {
        let said = run(&sandbox, &simulator, &[&["act"], &arguments[..]].concat());
        assert_eq!(said["outcome"], outcome, "{arguments:?}: {said}");
        let note = said["note"].as_str().unwrap_or_default();
        for word in &words {
            assert_eq!(note.matches(word).count(), 1, "{word}, {arguments:?}: {said}");
        }
        let told = note.lines().filter(|line| line.contains("does not take") || line.contains("no tools")).count();
        assert!(told <= 2, "{arguments:?}: {note}");
        if arguments[0] == "review" || arguments[0] == "find-defects" {
            assert!(!said["findings"].as_array().unwrap().is_empty(), "{said}");
        }
    }
}

#[test]
fn what_sends_nothing_needs_nothing_of_a_server() {
    let sandbox = sandbox();
    let simulator = Simulator::plain(&sandbox);
    let dry = run(&sandbox, &simulator, &["act", "explain", "use.py:4", "--dry-run"]);
    assert!(dry["request"]["messages"].is_array(), "{dry}");
    let estimate =
        run(&sandbox, &simulator, &["batch", "submit", "document", "use.py", "--items", "functions", "--dry-run"]);
    assert!(estimate.to_string().contains("estimate"), "{estimate}");
    assert_eq!(simulator.account()["requests"], json!([]), "nothing was asked");
    let counted = run(&sandbox, &simulator, &["act", "explain", "use.py:4", "--dry-run", "--count"]);
    assert!(counted["countedInputTokens"].is_null(), "{counted}");
    assert!(counted["notes"].to_string().contains("does not count tokens"), "{counted}");
}

#[test]
fn a_picture_is_refused_in_words_that_help() {
    let sandbox = sandbox();
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(2, 2).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    sandbox.write("a.png", bytes.into_inner());
    sandbox.write("a.md", "![](a.png)\n");
    let simulator = Simulator::plain(&sandbox);
    let said = run(&sandbox, &simulator, &["act", "describe-image", "a.md:1"]);
    assert_eq!(said["error"]["kind"], "config", "{said}");
    assert!(said["error"]["message"].as_str().unwrap().contains("takes no pictures"), "{said}");
    assert!(said["error"]["hint"].as_str().unwrap().contains("actions.describe-image.model"), "{said}");
}

#[test]
fn a_cache_that_is_not_there_is_warmed_once_and_never_again() {
    let sandbox = sandbox();
    sandbox.configure("[cache]\nprewarm = true\n");
    // A prompt that is too short to be cached is not warmed.
    sandbox.write("AGENTS.md", "Be exact about edges, and name what you saw. ".repeat(200));
    let simulator = Simulator::plain(&sandbox);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("use.py");
    client.open(&uri, "python", USE);
    let told = client.next("window/showMessage");
    assert!(told["message"].as_str().unwrap().contains("`cache.prewarm` does nothing"), "{told}");
    let refused = simulator.account()["requests"].as_array().unwrap().len();
    assert_eq!(refused, 1, "{}", simulator.account());
    let report = client.run_to_end("explain", &uri, 0..USE.len());
    assert_eq!(report["outcome"], "shown", "{report}");
    client.read_all();
}
