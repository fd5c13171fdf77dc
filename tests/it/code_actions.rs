//! The menu: what is offered where, and what each entry carries.

use std::ops::Range;

use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

/// What the menu shows for bytes of a document: the context's other fields come from `context`.
fn menu(client: &mut Client, uri: &str, span: Range<usize>, context: Value) -> Vec<Value> {
    let range = client.range(uri, span);
    let mut context = context;
    if context.get("diagnostics").is_none() {
        context["diagnostics"] = json!([]);
    }
    let params = json!({"textDocument": {"uri": uri}, "range": range, "context": context});
    match client.request("textDocument/codeAction", params).expect("code actions") {
        Value::Null => Vec::new(),
        Value::Array(actions) => actions,
        other => panic!("no list of actions: {other}"),
    }
}

fn kinds(actions: &[Value]) -> Vec<&str> {
    actions.iter().map(|action| action["kind"].as_str().unwrap()).collect()
}

const EXPLAIN: &str = "refactor.aside.explain";
const HINTS: &str = "refactor.rewrite.aside.typeHints";
const TESTS: &str = "refactor.aside.tests";
const REVIEW: &str = "refactor.aside.review";
const SIMPLIFY: &str = "refactor.rewrite.aside.simplify";
const DOCUMENT: &str = "refactor.rewrite.aside.document";
const CANCEL: &str = "refactor.aside.cancel";

/// Bindings are dropped from the last on, so the client comes behind what it needs.
struct Fixture {
    sandbox: Sandbox,
    client: Client,
    uri: String,
    text: String,
}

fn open(name: &str, language: &str, text: &str) -> Fixture {
    let sandbox = Sandbox::new();
    sandbox.write(name, text);
    let client = Client::start(&sandbox, ClientOptions::default());
    let uri = sandbox.uri(name);
    client.open(&uri, language, text);
    Fixture { sandbox, client, uri, text: text.to_owned() }
}

const PYTHON: &str =
    "import os\n\n\ndef area(width, height=1):\n    return width * height\n\n\ndef other():\n    pass\n";

#[test]
fn a_selection_gets_whole_actions_with_their_command() {
    let Fixture { sandbox: _sandbox, mut client, uri, text } = open("a.py", "python", PYTHON);
    let start = text.find("def area").unwrap();
    let end = text.find("\n\n\ndef other").unwrap();
    let actions = menu(&mut client, &uri, start..end, json!({}));
    for kind in [EXPLAIN, HINTS, TESTS, DOCUMENT] {
        assert!(kinds(&actions).contains(&kind), "{kind} is offered: {actions:#?}");
    }
    assert!(!kinds(&actions).contains(&CANCEL), "nothing runs that could be cancelled: {actions:#?}");
    for action in &actions {
        assert!(action["kind"].as_str().unwrap().contains(".aside."), "{action}");
        assert!(!action["kind"].as_str().unwrap().starts_with("source"), "{action}");
        assert!(action["title"].as_str().is_some_and(|title| !title.is_empty()), "{action}");
        assert!(action.get("isPreferred").is_none(), "{action}");
        assert!(action.get("data").is_none() && action.get("edit").is_none(), "nothing is left to resolve: {action}");
        assert_eq!(action["command"]["command"], "aside.run", "{action}");
        let argument = &action["command"]["arguments"][0];
        assert_eq!(argument["uri"], json!(uri), "{action}");
        assert_eq!(argument["version"], json!(client.version(&uri)), "{action}");
        assert_eq!(argument["range"], client.range(&uri, start..end), "{action}");
    }
    let ids: Vec<_> = actions.iter().map(|action| action["command"]["arguments"][0]["action"].clone()).collect();
    for id in ["explain", "add-type-hints", "write-tests", "document"] {
        assert!(ids.contains(&json!(id)), "{id} is among {ids:?}");
    }
}

#[test]
fn an_empty_selection_is_for_the_enclosing_function() {
    let Fixture { sandbox: _sandbox, mut client, uri, text } = open("a.py", "python", PYTHON);
    let cursor = text.find("return width").unwrap() + 3;
    let actions = menu(&mut client, &uri, cursor..cursor, json!({"triggerKind": 1}));
    let hints = actions.iter().find(|action| action["kind"] == HINTS).expect("hints are offered");
    let command = hints["command"].clone();
    let started = client
        .request("workspace/executeCommand", json!({"command": command["command"], "arguments": command["arguments"]}))
        .expect("the menu's own command works");
    let end = client.stream_end(started["job"].as_str().unwrap());
    assert_eq!(end["outcome"], "applied", "{end}");
    let title = client.ended_progress(1)[0].begin.as_ref().unwrap()["title"].as_str().unwrap().to_owned();
    assert!(title.contains("area"), "the progress says what it is for: {title}");
    let now = client.text(&uri);
    assert!(now.contains("def area(width, height: int = 1)"), "the function has hints: {now}");
    assert!(now.contains("def other():\n"), "and no other: {now}");
    client.read_all();
}

#[test]
fn automatic_triggers_with_an_empty_selection_get_nothing() {
    let Fixture { sandbox: _sandbox, mut client, uri, text } = open("a.py", "python", PYTHON);
    let cursor = text.find("return width").unwrap();
    assert_eq!(menu(&mut client, &uri, cursor..cursor, json!({"triggerKind": 2})), Vec::<Value>::new());
    let selected = menu(&mut client, &uri, cursor..cursor + 12, json!({"triggerKind": 2}));
    assert!(!selected.is_empty(), "a selection is a wish, however the menu was opened");
}

#[test]
fn only_is_honoured() {
    let Fixture { sandbox: _sandbox, mut client, uri, text } = open("a.py", "python", PYTHON);
    let span = text.find("def area").unwrap()..text.find("\n\n\ndef other").unwrap();
    let mut only = |filter: Value| {
        let mut found = menu(&mut client, &uri, span.clone(), json!({"only": filter}));
        found.sort_by_key(|action| action["kind"].to_string());
        found.iter().map(|action| action["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(only(json!([EXPLAIN])), [EXPLAIN]);
    assert_eq!(only(json!(["refactor.rewrite"])), [DOCUMENT, SIMPLIFY, HINTS]);
    assert_eq!(only(json!(["refactor.aside"])), [EXPLAIN, REVIEW, TESTS]);
    assert_eq!(only(json!(["source"])), [""; 0]);
    assert_eq!(only(json!(["source.organizeImports", "quickfix"])), [""; 0]);
    // `refactor.rew` is no parent of `refactor.rewrite`: kinds are words between dots.
    assert_eq!(only(json!(["refactor.rew"])), [""; 0]);
    assert!(only(json!(["refactor"])).len() >= 4);
    assert!(only(json!([""])).len() >= 4, "the empty kind is the parent of all");
    assert_eq!(only(json!(["source", TESTS])), [TESTS]);
}

#[test]
fn diagnostics_of_others_do_not_take_actions_away() {
    let Fixture { sandbox: _sandbox, mut client, uri, text } = open("a.py", "python", PYTHON);
    let span = text.find("def area").unwrap()..text.find("\n\n\ndef other").unwrap();
    let range = client.range(&uri, span.clone());
    let diagnostic = json!({"range": range, "severity": 1, "source": "pyright", "message": "width is unknown"});
    let actions = menu(&mut client, &uri, span, json!({"diagnostics": [diagnostic]}));
    assert!(kinds(&actions).contains(&EXPLAIN), "{actions:#?}");
    for action in actions.iter().filter(|action| action.get("diagnostics").is_some()) {
        assert!(action["kind"].as_str().unwrap().starts_with("quickfix"), "only a fix names diagnostics: {action}");
    }
}

#[test]
fn what_is_offered_depends_on_the_language() {
    for (name, language, text, expected) in [
        ("a.rs", "rust", "fn area(w: u32) -> u32 {\n    w\n}\n", vec![DOCUMENT, EXPLAIN, TESTS]),
        ("a.js", "javascript", "function area(w) {\n  return w;\n}\n", vec![DOCUMENT, EXPLAIN, HINTS, TESTS]),
        ("a.md", "markdown", "# Title\n\nSome words.\n", vec![EXPLAIN]),
        ("a.txt", "plaintext", "Some words.\n", vec![EXPLAIN]),
        ("a.zzz", "a-language-nobody-knows", "Some words.\n", vec![EXPLAIN]),
    ] {
        let Fixture { sandbox: _sandbox, mut client, uri, text } = open(name, language, text);
        let actions = menu(&mut client, &uri, 0..text.len(), json!({}));
        let found = kinds(&actions);
        for kind in [EXPLAIN, HINTS, TESTS, DOCUMENT] {
            assert_eq!(found.contains(&kind), expected.contains(&kind), "{kind} for {language}: {found:?}");
        }
    }
}

#[test]
fn cancel_is_offered_only_while_something_runs() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let simulator = Simulator::start(&sandbox, None, Some(20));
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let job = client.run("explain", &uri, 0..text.len());
    client.first_text(&job);
    let actions = menu(&mut client, &uri, 0..text.len(), json!({}));
    let cancel = actions.iter().find(|action| action["kind"] == CANCEL).expect("cancel is offered").clone();
    let command = cancel["command"].clone();
    client
        .request(
            "workspace/executeCommand",
            json!({"command": command["command"], "arguments": command.get("arguments").unwrap_or(&json!([]))}),
        )
        .expect("the menu's own command works");
    assert_eq!(client.stream_end(&job)["outcome"], "cancelled");
    let actions = menu(&mut client, &uri, 0..text.len(), json!({}));
    assert!(!kinds(&actions).contains(&CANCEL), "{actions:#?}");
    client.read_all();
}

#[test]
fn the_tag_comes_only_where_the_client_takes_it() {
    let sandbox = Sandbox::new();
    for takes in [false, true] {
        let options = if takes {
            ClientOptions::default().announce("textDocument/codeAction/tagSupport", json!({"valueSet": [1]}))
        } else {
            ClientOptions::default()
        };
        let mut client = Client::start(&sandbox, options);
        let uri = sandbox.uri("a.py");
        client.open(&uri, "python", PYTHON);
        for action in menu(&mut client, &uri, 0..PYTHON.len(), json!({})) {
            assert_eq!(action.get("tags"), takes.then(|| json!([1])).as_ref(), "{action}");
        }
    }
}

#[test]
fn a_document_that_is_not_open_gets_an_empty_menu() {
    let sandbox = Sandbox::new();
    let mut client = Client::start(&sandbox, ClientOptions::default());
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}});
    let params = json!({"textDocument": {"uri": sandbox.uri("no.py")}, "range": range, "context": {"diagnostics": []}});
    let answer = client.request("textDocument/codeAction", params).expect("no error pops up for a menu");
    assert!(answer.is_null() || answer == json!([]), "{answer}");
}
