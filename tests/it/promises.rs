//! An action does only what its name says: an answer that does more is asked for again once, then kept.

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const TEXT: &str = "def one(a, b=1):\n    return a + b\n";

/// Runs an action on all of `text` with the model's answers in order; the result, the text afterwards and the number of
/// requests.
fn run(action: &str, file: &str, language: &str, text: &str, answers: &[&str]) -> (serde_json::Value, String, usize) {
    let sandbox = Sandbox::new();
    let steps: Vec<String> =
        answers.iter().map(|answer| format!("[[step]]\nanswer = '''```\n{answer}```'''\n")).collect();
    let simulator = Simulator::start(&sandbox, Some(&steps.join("\n")), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri(file);
    client.open(&uri, language, text);
    let result = client.run_to_end(action, &uri, 0..text.len());
    let after = client.text(&uri);
    let requests = simulator.account()["requests"].as_array().unwrap().len();
    client.read_all();
    (result, after, requests)
}

#[test]
fn a_broken_promise_is_repaired_once() {
    let more = "def one(a: int, b: int = 2) -> int:\n    return a + b\n";
    let right = "def one(a: int, b: int = 1) -> int:\n    return a + b\n";
    let (result, after, requests) = run("add-type-hints", "one.py", "python", TEXT, &[more, right]);
    assert_eq!(result["outcome"], "applied", "{result}");
    assert_eq!((after.as_str(), requests), (right, 2));
}

#[test]
fn a_promise_broken_twice_is_kept_with_the_difference() {
    let more = "def one(a: int, b: int = 2) -> int:\n    return a + b\n";
    let (result, after, requests) = run("add-type-hints", "one.py", "python", TEXT, &[more, more]);
    assert_eq!(result["outcome"], "kept", "{result}");
    let reason = result["reason"].as_str().unwrap();
    assert!(reason.contains("line 1: `1` became `2`"), "{reason}");
    assert!(result["edits"][0]["diff"].as_str().unwrap().contains("+def one(a: int, b: int = 2)"), "{result}");
    assert_eq!((after.as_str(), requests), (TEXT, 2));
}

#[test]
fn documentation_that_changes_code_and_broken_code_are_kept_too() {
    for (answer, words) in [
        ("def one(a, b=1):\n    \"\"\"Add.\"\"\"\n    return b + a\n", "became"),
        ("def one(a, b=1:\n    \"\"\"Add.\"\"\"\n    return a + b\n", "syntax errors"),
    ] {
        let (result, after, requests) = run("document", "one.py", "python", TEXT, &[answer, answer]);
        assert_eq!(result["outcome"], "kept", "{result}");
        assert!(result["reason"].as_str().unwrap().contains(words), "{result}");
        assert_eq!((after.as_str(), requests), (TEXT, 2));
    }
}

#[test]
fn annotations_that_act_are_named() {
    let text = "@dataclass\nclass A:\n    a = 1\n";
    let answer = "@dataclass\nclass A:\n    a: int = 1\n";
    let (result, after, _) = run("add-type-hints", "a.py", "python", text, &[answer, answer]);
    assert_eq!(result["outcome"], "kept", "{result}");
    assert!(result["reason"].as_str().unwrap().contains("`@dataclass` reads it"), "{result}");
    assert_eq!(after, text);
}

/// The simulator's answers are made by rules of their own: all of them keep the promises.
#[test]
fn answers_made_from_the_code_are_accepted() {
    let sandbox = Sandbox::new();
    let (python, javascript) = (sandbox.example("inventory.py"), sandbox.example("cart.js"));
    let files = [
        ("inventory.py", "python", python.as_str()),
        ("cart.js", "javascript", javascript.as_str()),
        (
            "a.ts",
            "typescript",
            "export class Cart {\n  async load(url = '', n = 1) {\n    return this.n > n;\n  }\n}\n",
        ),
        ("a.tsx", "typescriptreact", "export function Row({ name }) {\n  return <b>{name}</b>;\n}\n"),
        ("a.rs", "rust", "pub struct Cart;\n\nimpl Cart {\n    pub fn total(&self) -> u32 {\n        1\n    }\n}\n"),
        ("a.go", "go", "package a\n\nfunc Total(xs []int) int {\n\treturn len(xs)\n}\n"),
        ("A.java", "java", "class A {\n    int total(int a) {\n        return a;\n    }\n}\n"),
        ("a.c", "c", "int total(int a)\n{\n\treturn a;\n}\n"),
        ("a.cpp", "cpp", "class A {\npublic:\n  int total(int a) { return a; }\n};\n"),
        ("a.rb", "ruby", "class Cart\n  def total(a = 1)\n    raise ArgumentError if a.nil?\n    a\n  end\nend\n"),
        ("a.php", "php", "<?php\nfunction total($a = 1.5) {\n    return true;\n}\n"),
        ("a.lua", "lua", "local function join(list)\n  return table.concat(list)\nend\n"),
        ("a.sh", "shellscript", "total() {\n  echo 1\n}\n"),
    ];
    let mut client = Client::start(&sandbox, ClientOptions::default());
    let mut applied = 0;
    for (file, language, text) in files {
        let uri = sandbox.uri(file);
        client.open(&uri, language, text);
        for action in ["add-type-hints", "document"] {
            let all = 0..client.text(&uri).len();
            let result = client.run_to_end(action, &uri, all);
            let nothing = result["reason"] == "there is nothing to change";
            assert!(result["outcome"] == "applied" || nothing, "{action} {file}: {result}");
            applied += usize::from(!nothing);
        }
    }
    assert!(applied >= 16, "{applied}");
    client.read_all();
}
