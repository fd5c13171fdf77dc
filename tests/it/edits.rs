//! What becomes of an edit when the user keeps typing, and when the editor does not do as it was asked.

use serde_json::{Value, json};

use crate::support::editor::OnEdit;
use crate::support::http::Recorder;
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const TEXT: &str = "import os\n\n\ndef area(width, height=1):\n    return width * height\n\n\nprint(area(2))\n";
const HEAD: &str = "def area(width, height=1):";
const TYPED: &str = "def area(width: int, height: int = 1) -> int:";

const ANSWER: &str = "[[step]]\ntimes = \"always\"\n\
                      answer = '''```python\ndef area(width: int, height: int = 1) -> int:\n    return width * height\n```'''\n";

/// What a test keeps until its client is gone comes first in the pattern: bindings are dropped from the last on.
struct Fixture {
    api: Api,
    client: Client,
    uri: String,
}

/// The simulator, and between it and the client what can hold its answers back.
struct Api {
    recorder: Recorder,
    _simulator: Simulator,
    _sandbox: Sandbox,
}

fn start(scenario: &str) -> Fixture {
    with(scenario, Recorder::start)
}

/// Answers stop behind their first words until they are released: there is time to type.
fn start_held(scenario: &str) -> Fixture {
    with(scenario, Recorder::holding)
}

fn with(scenario: &str, recorder: fn(&url::Url) -> Recorder) -> Fixture {
    let sandbox = Sandbox::new();
    sandbox.write("area.py", TEXT);
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let recorder = recorder(&simulator.url);
    let client = Client::start(&sandbox, ClientOptions::with_api(recorder.url.as_str()));
    let uri = sandbox.uri("area.py");
    client.open(&uri, "python", TEXT);
    Fixture { api: Api { recorder, _simulator: simulator, _sandbox: sandbox }, client, uri }
}

fn selection() -> std::ops::Range<usize> {
    TEXT.find(HEAD).unwrap()..TEXT.find("\n\n\nprint").unwrap()
}

#[test]
fn typing_before_and_after_the_selection_moves_the_edit() {
    let Fixture { api, mut client, uri } = start_held(ANSWER);
    let job = client.run("add-type-hints", &uri, selection());
    client.first_text(&job);
    client.edit(&uri, 0..0, "# 🦀 first\n# second\n");
    let end = client.text(&uri).len();
    client.edit(&uri, end..end, "# last\n");
    let at = client.text(&uri).find("print").unwrap();
    client.edit(&uri, at..at, "x = 1\n");
    let expected = client.text(&uri).replace(HEAD, TYPED);
    api.recorder.release();
    let end = client.stream_end(&job);
    assert_eq!(end["outcome"], "applied", "{end}");
    assert_eq!(client.text(&uri), expected);
    client.next("workspace/applyEdit");
    // An edit that crossed the last keystroke on its way was made once more.
    client.read_all();
}

#[test]
fn typing_at_the_very_edges_stays_outside() {
    let Fixture { api, mut client, uri } = start_held(ANSWER);
    let job = client.run("add-type-hints", &uri, selection());
    client.first_text(&job);
    client.edit(&uri, selection().end..selection().end, "  # end");
    client.edit(&uri, selection().start..selection().start, "@cache\n");
    let expected = client.text(&uri).replace(HEAD, TYPED);
    api.recorder.release();
    let end = client.stream_end(&job);
    assert_eq!(end["outcome"], "applied", "{end}");
    assert_eq!(client.text(&uri), expected);
    client.next("workspace/applyEdit");
    // An edit that crossed the last keystroke on its way was made once more.
    client.read_all();
}

#[test]
fn typing_inside_the_selection_keeps_what_was_typed() {
    let Fixture { api, mut client, uri } = start_held(ANSWER);
    let job = client.run("add-type-hints", &uri, selection());
    client.first_text(&job);
    let at = TEXT.find("height=1").unwrap();
    client.edit(&uri, at.."height=1".len() + at, "depth=2");
    let typed = client.text(&uri);
    // Else the answer may be there before the server has read what was typed; the editor would refuse that edit, which is as
    // well, but this is about the one that is not even sent.
    client.settle();
    api.recorder.release();
    let end = client.stream_end(&job);
    assert_eq!(client.text(&uri), typed, "what the user typed is not overwritten");
    assert_eq!(end["outcome"], "kept", "{end}");
    client.next("window/showDocument");
    let unread = client.read_all();
    assert!(unread.iter().all(|message| message["method"] != "workspace/applyEdit"), "{unread:#?}");
}

#[test]
fn closing_the_document_loses_nothing() {
    let Fixture { api, mut client, uri } = start_held(ANSWER);
    let job = client.run("add-type-hints", &uri, selection());
    client.first_text(&job);
    client.close_document(&uri);
    api.recorder.release();
    let end = client.stream_end(&job);
    assert!(["applied", "kept"].contains(&end["outcome"].as_str().unwrap()), "{end}");
    client.read_all();
}

#[test]
fn a_change_reported_before_the_answer_counts() {
    let Fixture { api: _api, mut client, uri } = start(ANSWER);
    client.editor().behaviour.on_edit = OnEdit::ReportFirst;
    let result = client.run_to_end("add-type-hints", &uri, selection());
    assert_eq!(result["outcome"], "applied", "{result}");
    assert_eq!(client.text(&uri), TEXT.replace(HEAD, TYPED));
    client.next("workspace/applyEdit");
}

/// Whatever an editor does instead of applying: the answer is kept, said to be kept, and can be read.
fn refused(on_edit: OnEdit) {
    let Fixture { api: _api, mut client, uri } = start(ANSWER);
    client.editor().behaviour.on_edit = on_edit.clone();
    let result = client.run_to_end("add-type-hints", &uri, selection());
    assert_eq!(result["outcome"], "kept", "{on_edit:?}: {result}");
    assert!(result["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{result}");
    assert_eq!(client.text(&uri), TEXT);
    let shown = client.next("window/showDocument");
    let path = url::Url::parse(shown["uri"].as_str().unwrap()).unwrap().to_file_path().unwrap();
    let document = std::fs::read_to_string(path).unwrap();
    assert!(document.contains(&format!("+{TYPED}")), "a diff of what would have been done: {document}");
    client.read_all();
}

#[test]
fn an_editor_that_says_no_gets_the_answer_as_a_document() {
    refused(OnEdit::Refuse("the file is read-only"));
}

#[test]
fn an_editor_that_fails_gets_the_answer_as_a_document() {
    refused(OnEdit::Fail);
}

#[test]
fn an_editor_that_only_pretends_is_not_believed() {
    refused(OnEdit::Pretend);
}

#[test]
fn an_editor_that_never_answers_gets_the_answer_as_a_document() {
    refused(OnEdit::Silence);
}

#[test]
fn an_editor_without_apply_edit_gets_the_answer_as_a_document() {
    let sandbox = Sandbox::new();
    let simulator = Simulator::start(&sandbox, Some(ANSWER), None);
    let options = ClientOptions::with_api(simulator.url.as_str()).announce("workspace/applyEdit", json!(false));
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("area.py");
    client.open(&uri, "python", TEXT);
    let result = client.run_to_end("add-type-hints", &uri, selection());
    assert_eq!(result["outcome"], "kept", "{result}");
    let unread = client.read_all();
    assert!(unread.iter().all(|message| message["method"] != "workspace/applyEdit"), "{unread:#?}");
    assert!(unread.iter().any(|message| message["method"] == "window/showDocument"), "{unread:#?}");
    assert_eq!(client.text(&uri), TEXT);
}

/// ALE takes columns for bytes, so none but the first is safe.
#[test]
fn an_editor_that_does_not_say_so_and_applies_edits_gets_whole_lines() {
    let sandbox = Sandbox::new();
    sandbox.configure("[edits]\nassume_apply = true\n");
    let text = TEXT.replace("height=1", "unit=\"€\", height=1");
    let head = HEAD.replace("height=1", "unit=\"€\", height=1");
    let typed = head.replace("height=1):", "height: int = 1) -> str:");
    let scenario = format!("[[step]]\nanswer = '''```python\n{typed}\n    return width * height\n```'''\n");
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    let options = ClientOptions::with_api(simulator.url.as_str()).announce("workspace/applyEdit", json!(false));
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("area.py");
    client.open(&uri, "python", &text);
    let result =
        client.run_to_end("add-type-hints", &uri, text.find("def").unwrap()..text.find("\n\n\nprint").unwrap());
    assert_eq!(result["outcome"], "applied", "{result}");
    assert_eq!(client.text(&uri), text.replace(&head, &typed));
    let edit = client.next("workspace/applyEdit")["edit"]["documentChanges"][0]["edits"].clone();
    let line = text.lines().position(|line| line == head).unwrap();
    let range = json!({"start": {"line": line, "character": 0}, "end": {"line": line + 1, "character": 0}});
    assert_eq!(edit, json!([{"range": range, "newText": format!("{typed}\n")}]));
}

#[test]
fn two_edits_in_one_file_both_land() {
    let sandbox = Sandbox::new();
    let text = "def one(a):\n    return a\n\n\ndef two(b):\n    return b\n";
    let step = |name: &str, head: &str, body: &str| {
        format!("[[step]]\nmatch = {{ text = \"{name}-marker\" }}\nanswer = '''```python\n{head}\n    {body}\n```'''\n")
    };
    // The marker comes with the request's own instruction, so that each job gets its own answer.
    let scenario =
        step("one", "def one(a: int) -> int:", "return a") + &step("two", "def two(b: str) -> str:", "return b");
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    let recorder = Recorder::holding(&simulator.url);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(recorder.url.as_str()));
    let uri = sandbox.uri("both.py");
    client.open(&uri, "python", text);
    let mut jobs = Vec::new();
    for (name, start, end) in [("one", 0, 25), ("two", text.find("def two").unwrap(), text.len())] {
        let mut argument = client.run_argument("add-type-hints", &uri, start..end);
        argument["wait"] = json!(false);
        argument["prompt"] = json!(format!("{name}-marker"));
        let answer = client.execute("aside.run", argument).unwrap();
        jobs.push(answer["job"].as_str().unwrap().to_owned());
    }
    for job in &jobs {
        client.first_text(job);
    }
    recorder.release();
    for job in &jobs {
        let end = client.stream_end(job);
        assert_eq!(end["outcome"], "applied", "{end}");
    }
    assert_eq!(client.text(&uri), "def one(a: int) -> int:\n    return a\n\n\ndef two(b: str) -> str:\n    return b\n");
    assert!(client.editor().documents[&uri].history.len() >= 2, "each is a change of its own");
    client.read_all();
}

#[test]
fn a_selection_of_whole_lines_is_the_same_in_both_conventions() {
    for extra in [0, 1] {
        let Fixture { api: _api, mut client, uri } = start(ANSWER);
        let result = client.run_to_end("add-type-hints", &uri, selection().start..selection().end + extra);
        assert_eq!(result["outcome"], "applied", "{result}");
        assert_eq!(client.text(&uri), TEXT.replace(HEAD, TYPED), "with {extra} byte more");
        client.next("workspace/applyEdit");
    }
}

#[test]
fn indentation_and_line_ends_stay_as_they_are() {
    let answer = "[[step]]\ntimes = \"always\"\nanswer = '''```python\ndef area(self, width: int) -> int:\n    \
                  return width\n```'''\n";
    for (text, expected) in [
        (
            "class A:\r\n\tdef area(self, width):\r\n\t\treturn width\r\n",
            "class A:\r\n\tdef area(self, width: int) -> int:\r\n\t\treturn width\r\n",
        ),
        (
            "class A:\n    def area(self, width):\n        return width",
            "class A:\n    def area(self, width: int) -> int:\n        return width",
        ),
    ] {
        let Fixture { api: _api, mut client, uri } = start(answer);
        client.close_document(&uri);
        client.open(&uri, "python", text);
        let result = client.run_to_end("add-type-hints", &uri, text.find("def").unwrap()..text.trim_end().len());
        assert_eq!(result["outcome"], "applied", "{result}");
        assert_eq!(client.text(&uri), expected);
        client.next("workspace/applyEdit");
    }
}

#[test]
fn a_kept_answer_can_be_shown_again() {
    let Fixture { api: _api, mut client, uri } = start(ANSWER);
    client.editor().behaviour.on_edit = OnEdit::Refuse("no");
    let result = client.run_to_end("add-type-hints", &uri, selection());
    client.read_all();
    let id = result.get("explanation").and_then(|it| it.get("id")).or_else(|| result.get("id")).cloned();
    let id = id.unwrap_or_else(|| result["job"].clone());
    let answer = client.execute("aside.showExplanation", json!({"id": id}));
    assert!(answer.is_ok(), "{answer:?}");
    let shown: Value = client.next("window/showDocument");
    assert!(shown["uri"].is_string());
}
