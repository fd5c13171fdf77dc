//! An answer that was not applied is the user's to judge: it can be applied all the same, asked for again, or discarded,
//! and what there is to say against it is said first.

use serde_json::{Value, json};

use crate::support::editor::OnEdit;
use crate::support::http::Recorder;
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const TEXT: &str = "def area(width, height=1):\n    return width * height\n";
const HINTS: &str = "def area(width: int, height: int = 1) -> int:\n    return width * height\n";
/// Changes a default value besides.
const MORE: &str = "def area(width: int, height: int = 2) -> int:\n    return width * height\n";

struct Fixture {
    recorder: Recorder,
    _simulator: Simulator,
    _sandbox: Sandbox,
    client: Client,
    uri: String,
}

/// An editor in front of a model that gives `answer` whatever it is asked.
fn start(answer: &str, recorder: fn(&url::Url) -> Recorder) -> Fixture {
    let sandbox = Sandbox::new();
    let scenario = format!("[[step]]\ntimes = \"always\"\nanswer = '''```python\n{answer}```'''\n");
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    let recorder = recorder(&simulator.url);
    let client = Client::start(&sandbox, ClientOptions::with_api(recorder.url.as_str()));
    let uri = sandbox.uri("area.py");
    client.open(&uri, "python", TEXT);
    Fixture { recorder, _simulator: simulator, _sandbox: sandbox, client, uri }
}

/// Changes what the answer changes too, while it comes; the question that follows.
fn conflict(it: &mut Fixture) -> String {
    let job = it.client.run("add-type-hints", &it.uri, 0..TEXT.len());
    it.client.first_text(&job);
    let at = TEXT.find("height=1").unwrap();
    it.client.edit(&it.uri, at..at + "height=1".len(), "height=3");
    it.recorder.release();
    assert_eq!(it.client.stream_end(&job)["outcome"], "kept");
    question(&it.client)
}

fn question(client: &Client) -> String {
    let question = client.next("window/showMessageRequest");
    let titles: Vec<_> = question["actions"].as_array().unwrap().iter().map(|action| action["title"].clone()).collect();
    assert_eq!(titles, ["Apply anyway", "Retry on the new text", "Discard"]);
    question["message"].as_str().unwrap().to_owned()
}

fn text_becomes(client: &Client, uri: &str, text: &str) {
    client.wait_for(text, |editor| (editor.documents[uri].text == text).then_some(()));
}

/// The titles of the menu's entries that decide about an answer.
fn offered(client: &mut Client, uri: &str) -> Vec<Value> {
    let range = client.range(uri, 0..1);
    let params = json!({"textDocument": {"uri": uri}, "range": range, "context": {"diagnostics": []}});
    let menu = client.request("textDocument/codeAction", params).unwrap();
    let decides = |entry: &&Value| entry["command"]["arguments"][0].get("job").is_some();
    menu.as_array().unwrap().iter().filter(decides).map(|entry| entry["command"].clone()).collect()
}

#[test]
fn a_broken_promise_is_told_and_can_be_overruled() {
    let mut it = start(MORE, Recorder::start);
    it.client.editor().behaviour.choice = Some("Apply anyway");
    let result = it.client.run_to_end("add-type-hints", &it.uri, 0..TEXT.len());
    assert_eq!(result["outcome"], "kept", "{result}");
    let asked = question(&it.client);
    assert!(asked.contains("it changes more than type annotations: line 1: `1` became `2`"), "{asked}");
    text_becomes(&it.client, &it.uri, MORE);
    it.client.next("workspace/applyEdit");
    it.client.read_all();
}

/// Kate takes edits for two seconds after a command, so one that the user asks for once more lands.
#[test]
fn an_editor_that_said_no_is_asked_again_from_the_menu() {
    let mut it = start(HINTS, Recorder::start);
    it.client.editor().behaviour.on_edit = OnEdit::Refuse("");
    let result = it.client.run_to_end("add-type-hints", &it.uri, 0..TEXT.len());
    assert_eq!((&result["outcome"], &result["reason"]), (&json!("kept"), &json!("the editor refused the edit")));
    assert!(question(&it.client).contains("not applied: the editor refused the edit."));
    let shown = it.client.next("window/showDocument");
    let path = url::Url::parse(shown["uri"].as_str().unwrap()).unwrap().to_file_path().unwrap();
    assert!(std::fs::read_to_string(path).unwrap().contains("*Apply anyway*, in the menu of actions"));
    it.client.editor().behaviour.on_edit = OnEdit::Apply;
    let entries = offered(&mut it.client, &it.uri);
    assert_eq!(entries[0]["title"], "Apply anyway: Add type hints to `area`");
    it.client.execute("aside.accept", entries[0]["arguments"][0].clone()).unwrap();
    text_becomes(&it.client, &it.uri, HINTS);
    assert_eq!(offered(&mut it.client, &it.uri), [] as [Value; 0]);
    it.client.read_all();
}

#[test]
fn commands_and_menu_do_the_same() {
    for (title, becomes) in [("Apply anyway", MORE), ("Discard", TEXT)] {
        let mut it = start(MORE, Recorder::start);
        it.client.run_to_end("add-type-hints", &it.uri, 0..TEXT.len());
        question(&it.client);
        let entries = offered(&mut it.client, &it.uri);
        let titles: Vec<_> = entries.iter().map(|entry| entry["title"].as_str().unwrap()).collect();
        let expected = ["Apply anyway", "Retry on the new text", "Discard"]
            .map(|word| format!("{word}: Add type hints to `area`"));
        assert_eq!(titles, expected);
        let entry = entries.iter().find(|entry| entry["title"].as_str().unwrap().starts_with(title)).unwrap();
        let argument = entry["arguments"][0].clone();
        let done = it.client.execute(entry["command"].as_str().unwrap(), argument);
        assert_eq!(done, Ok(json!({"decided": true})));
        text_becomes(&it.client, &it.uri, becomes);
        assert_eq!(offered(&mut it.client, &it.uri), [] as [Value; 0]);
        it.client.read_all();
    }
}

#[test]
fn an_answer_can_be_asked_for_again() {
    let mut it = start(HINTS, Recorder::holding);
    conflict(&mut it);
    let typed = it.client.text(&it.uri);
    let retry = offered(&mut it.client, &it.uri)[1]["arguments"][0].clone();
    assert_eq!(retry["retry"], true);
    it.client.execute("aside.reject", retry).unwrap();
    // On the new text the same answer does more than it should, and is asked about again.
    let asked = question(&it.client);
    assert!(asked.contains("line 1: `3` became `1`"), "{asked}");
    assert_eq!(it.client.text(&it.uri), typed);
    it.client.read_all();
}

#[test]
fn what_applying_it_would_do_is_looked_at_again() {
    let mut it = start(HINTS, Recorder::holding);
    let asked = conflict(&mut it);
    assert!(asked.contains("you changed the selected text meanwhile"), "{asked}");
    assert!(asked.contains("besides, it changes more than type annotations: line 1: `3` became `1`"), "{asked}");
    // The text moves on, and so does what there is to say against it.
    let at = it.client.text(&it.uri).find("height=3").unwrap();
    it.client.edit(&it.uri, at..at + "height=3".len(), "height=4");
    it.client.execute("aside.accept", json!({})).unwrap();
    let asked = question(&it.client);
    assert!(asked.contains("line 1: `4` became `1`"), "{asked}");
    assert!(it.client.text(&it.uri).contains("height=4"), "nothing is applied that the user does not know of");
    it.client.execute("aside.accept", json!({})).unwrap();
    text_becomes(&it.client, &it.uri, HINTS);
    it.client.next("workspace/applyEdit");
    it.client.read_all();
}
