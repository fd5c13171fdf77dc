//! Conversations: tools, questions that ask for a change, and questions under an explanation, on another day too.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::http::{Exchange, Recorder};
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const STORE: &str = "\
import json


def load_items(path):
    with open(path) as file:
        return json.load(file)


def save_items(path, items):
    with open(path, \"w\") as file:
        json.dump(items, file)
";

const USE: &str = "from store import load_items\n\n\ndef report(path):\n    return len(load_items(path))\n";

/// Bindings are dropped from the last on, so the client comes behind what it needs.
struct Fixture {
    sandbox: Sandbox,
    simulator: Simulator,
    recorder: Recorder,
    client: Client,
    uri: String,
}

fn start_with(scenario: Option<&str>, options: impl FnOnce(ClientOptions) -> ClientOptions) -> Fixture {
    let sandbox = Sandbox::new();
    sandbox.write("src/store.py", STORE);
    sandbox.write("src/use.py", USE);
    let simulator = Simulator::start(&sandbox, scenario, None);
    let recorder = Recorder::start(&simulator.url);
    let client = Client::start(&sandbox, options(ClientOptions::with_api(recorder.url.as_str())));
    let uri = sandbox.uri("src/use.py");
    client.open(&uri, "python", USE);
    Fixture { sandbox, simulator, recorder, client, uri }
}

fn start(scenario: Option<&str>) -> Fixture {
    start_with(scenario, |options| options)
}

impl Fixture {
    /// Asks about the function in the open file.
    fn ask(&mut self, question: &str) -> Value {
        let at = USE.find("def").unwrap();
        let mut argument = self.client.run_argument("ask", &self.uri, at..USE.len());
        argument["prompt"] = json!(question);
        self.client.execute("aside.run", argument).unwrap()
    }

    /// Explains the function in the open file: the explanation's file, opened in the editor.
    fn explain(&mut self) -> String {
        let at = USE.find("def").unwrap();
        self.client.run_to_end("explain", &self.uri, at..USE.len());
        let page = self.client.next("window/showDocument")["uri"].as_str().unwrap().to_owned();
        self.open(&page);
        page
    }

    fn open(&mut self, page: &str) {
        let path = url::Url::parse(page).unwrap().to_file_path().unwrap();
        self.client.open(page, "markdown", &fs::read_to_string(path).unwrap());
    }

    /// Writes a question under an explanation and takes the action from the menu, as far as the end of its job.
    fn write_question(&mut self, page: &str, question: &str) -> Value {
        let end = self.client.text(page).len();
        self.client.edit(page, end..end, &format!("\n{question}\n"));
        let at = self.client.text(page).find(question).unwrap();
        let range = self.client.range(page, at..at);
        let menu = self
            .client
            .request(
                "textDocument/codeAction",
                json!({"textDocument": {"uri": page}, "range": range, "context": {"diagnostics": []}}),
            )
            .unwrap();
        let titles: Vec<&str> = menu.as_array().unwrap().iter().filter_map(|it| it["title"].as_str()).collect();
        assert_eq!(titles, ["Aside: follow up"], "there is nothing else to do in an explanation");
        let mut argument = menu[0]["command"]["arguments"][0].clone();
        argument["wait"] = json!(true);
        self.client.execute(menu[0]["command"]["command"].as_str().unwrap(), argument).unwrap()
    }
}

/// The requests for messages.
fn requests(exchanges: &[Exchange]) -> Vec<&Exchange> {
    exchanges.iter().filter(|it| it.target == "POST /v1/messages").collect()
}

/// A body without its breakpoints, as the cache compares it.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| *key != "cache_control")
            .map(|(key, value)| (key.clone(), bare(value)))
            .collect(),
        Value::Array(list) => list.iter().map(bare).collect(),
        other => other.clone(),
    }
}

/// That each request is the one before and something behind it, with at most four breakpoints.
fn assert_grows(requests: &[&Exchange]) {
    for request in requests {
        let breakpoints = request.body.matches("\"cache_control\"").count();
        assert!((1..=4).contains(&breakpoints), "{breakpoints} breakpoints in {}", request.body);
    }
    for pair in requests.windows(2) {
        let (before, after) = (bare(&pair[0].request), bare(&pair[1].request));
        for key in ["model", "tools", "system", "thinking", "output_config"] {
            assert_eq!(before[key].to_string(), after[key].to_string(), "{key}");
        }
        let (before, after) = (before["messages"].as_array().unwrap(), after["messages"].as_array().unwrap());
        assert!(after.len() > before.len());
        for (number, message) in before.iter().enumerate() {
            assert_eq!(message.to_string(), after[number].to_string(), "message {number}");
        }
    }
}

fn usage(exchange: &Exchange, key: &str) -> u64 {
    let start = exchange.response.iter().find(|event| event["type"] == "message_start").unwrap();
    start["message"]["usage"][key].as_u64().unwrap()
}

/// The results of tools that a request hands in, with whether each is an error.
fn results(request: &Value) -> Vec<(String, bool)> {
    let last = request["messages"].as_array().unwrap().last().unwrap();
    let blocks = last["content"].as_array().unwrap().iter().filter(|block| block["type"] == "tool_result");
    blocks.map(|it| (it["content"].as_str().unwrap().to_owned(), it["is_error"] == true)).collect()
}

#[test]
fn a_question_about_a_name_is_answered_from_the_project() {
    let mut it = start(None);
    let report = it.ask("Where does load_items come from?");
    assert_eq!(report["outcome"], "shown", "{report}");
    let answer = report["explanation"].as_str().unwrap();
    assert!(answer.contains("src/store.py") && answer.contains("return json.load(file)"), "{answer}");
    assert!(answer.contains("simulated"), "{answer}");
    let exchanges = it.recorder.exchanges(2);
    let requests = requests(&exchanges);
    assert_grows(&requests);
    let read = (usage(requests[0], "cache_creation_input_tokens"), usage(requests[1], "cache_read_input_tokens"));
    assert!(read.0 > 0 && read.0 == read.1, "the second round reads all that the first wrote: {read:?}");
    let given = results(&requests[1].request);
    assert_eq!(given.len(), 2, "both calls of the turn have their result");
    assert!(
        given[0].0.starts_with("<definition name=\"load_items\" path=\"src/store.py\" lines=\"4-6\">"),
        "{given:?}"
    );
    assert!(given[1].0.contains("src/use.py:5:     return len(load_items(path))"), "{given:?}");
    // Every call is seen, in the stream and in the progress.
    let job = report["job"].as_str().unwrap();
    let stream = it.client.stream(job);
    let told: Vec<&str> =
        stream.iter().filter(|part| part["kind"] == "tool").filter_map(|it| it["text"].as_str()).collect();
    assert_eq!(told, ["looks for `load_items`", "searches `\\bload_items\\b`"]);
    let after = stream.iter().rposition(|part| part["kind"] == "begin").unwrap();
    let text: String =
        stream[after..].iter().filter(|it| it["kind"] == "text").filter_map(|it| it["text"].as_str()).collect();
    assert_eq!(text, answer, "the text behind the last begin is the answer");
    // What all rounds took is on the bill.
    let input: u64 = requests.iter().map(|it| usage(it, "input_tokens")).sum();
    assert_eq!(report["usage"]["inputTokens"], input, "{report}");
    let shown = it.client.next("window/showDocument")["uri"].as_str().unwrap().to_owned();
    it.open(&shown);
    let page = it.client.text(&shown);
    assert!(page.contains("\n\n> Where does load_items come from?\n\nThis answer"), "{page}");
}

#[test]
fn a_question_that_asks_for_a_change_is_an_edit() {
    let mut it = start(None);
    let report = it.ask("Rename nothing, please");
    assert_eq!(report["outcome"], "applied", "{report}");
    let text = it.client.text(&it.uri);
    assert_eq!(text, USE.replace("def report", "# Simulated: Rename nothing, please\ndef report"));
    it.client.read_all();
}

#[test]
fn an_answer_with_examples_changes_nothing_and_a_broken_edit_is_repaired() {
    let explained = "[[step]]\nanswer = \"Like this:\\n\\n```python\\nx = 1\\n```\\n\"\n";
    let broken = "[[step]]\nanswer = \"```python edit\\ndef report(:\\n```\"\n[[step]]\nanswer = \"```python edit\\ndef report(path):\\n    return 0\\n```\\n\\nAs an example:\\n\\n```python\\nreport(1)\\n```\"\n";
    let mut it = start(Some(&format!("{explained}{broken}")));
    let report = it.ask("How would it look?");
    assert_eq!((report["outcome"].as_str(), it.client.text(&it.uri).as_str()), (Some("shown"), USE), "{report}");
    it.client.next("window/showDocument");
    let report = it.ask("Return 0");
    assert_eq!(report["outcome"], "applied", "{report}");
    assert!(it.client.text(&it.uri).ends_with("def report(path):\n    return 0\n"), "{}", it.client.text(&it.uri));
    it.client.read_all();
}

#[test]
fn ask_needs_words_and_a_selected_comment_is_such() {
    let mut it = start(None);
    let argument = it.client.run_argument("ask", &it.uri, 0..USE.len());
    let refused = it.client.execute("aside.run", argument).unwrap_err();
    assert!(refused["message"].as_str().unwrap().contains("no question"), "{refused}");
    let menu = |it: &mut Fixture, span: std::ops::Range<usize>| {
        let range = it.client.range(&it.uri, span);
        let params = json!({"textDocument": {"uri": it.uri}, "range": range, "context": {"diagnostics": []}});
        it.client.request("textDocument/codeAction", params).unwrap().to_string()
    };
    assert!(!menu(&mut it, 0..USE.len()).contains("Aside: ask"), "this client cannot ask its user");
    it.client.edit(&it.uri, 0..0, "# Where is load_items defined?\n");
    assert!(menu(&mut it, 0..30).contains("Aside: ask"));
    let argument = it.client.run_argument("ask", &it.uri, 0..30);
    let report = it.client.execute("aside.run", argument).unwrap();
    assert!(report["explanation"].as_str().unwrap().contains("src/store.py"), "{report}");
    it.client.next("window/showDocument");
    drop(it);
    let mut it = start_with(None, |options| options.announce("experimental/aside/prompt", json!(true)));
    assert!(menu(&mut it, 0..USE.len()).contains("Aside: ask"), "this one can");
}

#[test]
fn a_tool_that_fails_is_told_to_the_model_and_the_rest_goes_on() {
    let calls = "[[step]]\ntool_calls = [{ name = \"read_file\", input = { path = \"../secret\" } }, { name = \"read_file\", input = { path = \"src/store.py\", start_line = 4, end_line = 4 } }, { name = \"nonsense\" }]\n";
    let mut it = start(Some(&format!("{calls}[[step]]\nanswer = \"It loads.\"\n")));
    let report = it.ask("What does it do?");
    assert_eq!(report["explanation"], "It loads.", "{report}");
    let exchanges = it.recorder.exchanges(2);
    let given = results(&requests(&exchanges)[1].request);
    assert_eq!(given[0], ("`../secret` is outside of the project.".to_owned(), true));
    assert_eq!(given[1].0, "<file path=\"src/store.py\" lines=\"4-4\" of=\"11\">\ndef load_items(path):\n</file>");
    assert_eq!(given[2], ("There is no tool `nonsense`.".to_owned(), true));
    it.client.next("window/showDocument");
}

#[test]
fn a_tool_loop_that_never_ends_is_ended() {
    let again = "[[step]]\ntimes = \"always\"\ntool_calls = [{ name = \"list_files\" }]\n";
    let mut it = start(Some(again));
    let report = it.ask("What is here?");
    assert_eq!(report["outcome"], "failed", "{report}");
    assert!(report["error"]["message"].as_str().unwrap().contains("8 times in a row"), "{report}");
    let exchanges = it.recorder.exchanges(10);
    let requests = requests(&exchanges);
    assert_eq!(requests.len(), 10, "eight rounds of results, and the last request once more without calls");
    let (requests, last) = (&requests[..9], &requests[9].request);
    assert_eq!(last["tool_choice"], json!({"type": "none"}));
    assert_eq!(last["messages"], requests[8].request["messages"], "but for that it is the same");
    assert_grows(requests);
    assert!(requests[8].body.contains("These were the last results"));
    assert!(!requests[7].body.contains("These were the last results"));
    // Each round reads what the one before wrote.
    for pair in requests.windows(2) {
        let written = usage(pair[0], "cache_read_input_tokens") + usage(pair[0], "cache_creation_input_tokens");
        assert_eq!(usage(pair[1], "cache_read_input_tokens"), written);
    }
    it.client.read_all();
}

#[test]
fn a_model_that_does_not_stop_calling_is_made_to_answer() {
    let calls = "[[step]]\ntimes = 9\ntool_calls = [{ name = \"list_files\" }]\n\
                 [[step]]\nanswer = \"Three files.\"\n";
    let mut it = start(Some(calls));
    let report = it.ask("What is here?");
    assert_eq!((&report["outcome"], &report["explanation"]), (&json!("shown"), &json!("Three files.")), "{report}");
    assert!(report["note"].as_str().unwrap().contains("wanted to look further after 8 rounds"), "{report}");
    let exchanges = it.recorder.exchanges(10);
    let last = requests(&exchanges)[9];
    assert_eq!(last.request["tool_choice"], json!({"type": "none"}), "it could not call");
    it.client.read_all();
}

#[test]
fn thinking_goes_back_as_it_came() {
    let thinks = "[[step]]\nthinking = \"Look first.\"\ntool_calls = [{ name = \"list_files\" }]\n[[step]]\nanswer = \"Three files.\"\n";
    let mut it = start(Some(thinks));
    // The simulator refuses thinking whose signature does not fit.
    let report = it.ask("What is here?");
    assert_eq!(report["explanation"], "Three files.", "{report}");
    let exchanges = it.recorder.exchanges(2);
    let said = &requests(&exchanges)[1].request["messages"][1]["content"];
    assert_eq!(said[0]["thinking"], "Look first.", "{said}");
    assert_eq!(said[1]["type"], "tool_use", "{said}");
    it.client.next("window/showDocument");
}

#[test]
fn a_cancel_between_two_rounds_ends_the_job() {
    let calls = "[[step]]\ntool_calls = [{ name = \"list_files\" }]\n[[step]]\nstall = { at = \"headers\" }\n";
    let mut it = start(Some(calls));
    let at = USE.find("def").unwrap();
    let mut argument = it.client.run_argument("ask", &it.uri, at..USE.len());
    argument["prompt"] = json!("What is here?");
    argument["wait"] = json!(false);
    let job = it.client.execute("aside.run", argument).unwrap()["job"].as_str().unwrap().to_owned();
    it.client.wait_for("the second round", |editor| {
        let begun = editor.stream.iter().filter(|part| part["job"] == *job && part["kind"] == "begin");
        (begun.count() == 2).then_some(())
    });
    it.client.execute("aside.cancel", json!({"job": job})).unwrap();
    let end = it.client.stream_end(&job);
    assert_eq!(end["outcome"], "cancelled", "{end}");
    it.client.read_all();
}

#[test]
fn a_question_under_an_explanation_is_answered_there() {
    let mut it = start(None);
    let page = it.explain();
    let before = it.client.text(&page);
    let report = it.write_question(&page, "And where is load_items defined?");
    assert_eq!(report["outcome"], "shown", "{report}");
    let text = it.client.text(&page);
    let grown = text.strip_prefix(before.as_str()).expect("what stood there stays");
    assert!(grown.starts_with("\n> And where is load_items defined?\n\n"), "{grown}");
    assert!(grown.contains("src/store.py") && grown.ends_with('\n'), "{grown}");
    let report = it.write_question(&page, "And save_items?");
    assert_eq!(report["outcome"], "shown", "{report}");
    assert!(it.client.text(&page).contains("json.dump(items, file)"), "{}", it.client.text(&page));
    let exchanges = it.recorder.exchanges(5);
    let requests = requests(&exchanges);
    // The explanation's own request has another system prompt; from then on it only grows.
    assert_grows(&requests[1..]);
    let first = &bare(&requests[1].request)["messages"];
    assert_eq!(first[0], bare(&requests[0].request)["messages"][0], "what was asked stays as it was sent");
    let [.., last] = requests.as_slice() else { panic!("five requests") };
    assert!(usage(last, "cache_read_input_tokens") > usage(requests[1], "cache_read_input_tokens"));
    it.client.read_all();
}

#[test]
fn a_question_can_be_asked_without_an_open_file_and_by_a_selection() {
    let mut it = start(None);
    let page = it.explain();
    it.client.close_document(&page);
    let argument = json!({"uri": page, "prompt": "Where is load_items defined?", "wait": true});
    let report = it.client.execute("aside.followUp", argument).unwrap();
    assert!(report["explanation"].as_str().unwrap().contains("src/store.py"), "{report}");
    // The stream has shown it; the file has it too.
    it.open(&page);
    assert!(it.client.text(&page).contains("> Where is load_items defined?"), "{}", it.client.text(&page));
    let refused = it.client.execute("aside.followUp", json!({"uri": page})).unwrap_err();
    assert!(refused["message"].as_str().unwrap().contains("no question"), "{refused}");
    for uri in [it.uri.as_str(), "aside-explain:/nothing.md"] {
        let refused = it.client.execute("aside.followUp", json!({"uri": uri, "prompt": "Why?"})).unwrap_err();
        assert!(refused["message"].as_str().unwrap().contains("no explanation"), "{refused}");
    }
    it.client.read_all();
}

#[test]
fn a_virtual_document_is_asked_on_by_command_and_refreshed() {
    let mut it = start_with(None, |options| options.announce("workspace/textDocumentContent", json!({})));
    let at = USE.find("def").unwrap();
    it.client.run_to_end("explain", &it.uri, at..USE.len());
    let page = it.client.next("window/showDocument")["uri"].as_str().unwrap().to_owned();
    assert!(page.starts_with("aside-explain:"), "{page}");
    let argument = json!({"uri": page, "prompt": "Where is load_items defined?", "wait": true});
    let report = it.client.execute("aside.followUp", argument).unwrap();
    assert_eq!(report["outcome"], "shown", "{report}");
    let refreshed = it.client.next("workspace/textDocumentContent/refresh");
    assert_eq!(refreshed["uri"], page.as_str());
    let content = it.client.request("workspace/textDocumentContent", json!({"uri": page})).unwrap();
    assert!(content["text"].as_str().unwrap().contains("> Where is load_items defined?"), "{content}");
    // A plugin may know the conversation by its last job.
    let page = format!("aside-explain:/{}.md", report["job"].as_str().unwrap());
    let same = it.client.request("workspace/textDocumentContent", json!({"uri": page})).unwrap();
    assert_eq!(same, content);
    let argument = json!({"uri": page, "prompt": "And why?", "wait": true});
    let report = it.client.execute("aside.followUp", argument).unwrap();
    assert_eq!(report["outcome"], "shown", "{report}");
    it.client.next("workspace/textDocumentContent/refresh");
    let content = it.client.request("workspace/textDocumentContent", json!({"uri": page})).unwrap();
    assert!(content["text"].as_str().unwrap().contains("> And why?"), "{content}");
}

#[test]
fn days_later_another_process_goes_on_and_is_told_what_changed() {
    let mut it = start(None);
    let page = it.explain();
    it.write_question(&page, "Where is load_items defined?");
    let text = it.client.text(&page);
    let path = url::Url::parse(&page).unwrap().to_file_path().unwrap();
    fs::write(&path, &text).unwrap();
    it.client.read_all();
    let changed = USE.replace("len(load_items(path))", "sum(1 for _ in load_items(path))");
    let Fixture { sandbox, simulator, recorder, client, uri } = it;
    drop(client);
    sandbox.write("src/use.py", &changed);
    let client = Client::start(&sandbox, ClientOptions::with_api(recorder.url.as_str()));
    let mut it = Fixture { sandbox, simulator, recorder, client, uri };
    it.open(&page);
    let report = it.write_question(&page, "Does save_items matter here?");
    assert_eq!(report["outcome"], "shown", "{report}");
    let exchanges = it.recorder.exchanges(5);
    let requests = requests(&exchanges);
    assert_grows(&requests[1..]);
    let asked = requests[3].request["messages"].as_array().unwrap().last().unwrap()["content"].clone();
    let news = asked[0]["text"].as_str().unwrap();
    // In a file of five lines one line is so much that all of it is told.
    assert!(news.starts_with("<document path=\"src/use.py\"") && news.contains("sum(1 for _"), "{news}");
    assert!(
        asked[1]["text"].as_str().unwrap().contains("<question>\nDoes save_items matter here?\n</question>"),
        "{asked}"
    );
    // What was told once is not told again.
    it.write_question(&page, "Sure?");
    let exchanges = it.recorder.exchanges(6);
    let last = exchanges.last().unwrap().request["messages"].as_array().unwrap().last().unwrap()["content"].clone();
    assert_eq!(last.as_array().unwrap().len(), 1, "{last}");
    // Gone is told, too.
    fs::remove_file(it.sandbox.workspace().join("src/use.py")).unwrap();
    it.write_question(&page, "And now?");
    let exchanges = it.recorder.exchanges(7);
    assert!(exchanges.last().unwrap().body.contains(r#"<document path=\"src/use.py\" now=\"deleted\"/>"#));
    it.client.read_all();
}

#[test]
fn who_goes_on_typing_loses_nothing() {
    let slow = "[[step]]\n[[step]]\nanswer = \"Because.\"\nstall = { at = \"first_event\", ms = 400 }\n";
    let mut it = start(Some(slow));
    let page = it.explain();
    let end = it.client.text(&page).len();
    it.client.edit(&page, end..end, "\nWhy?\n");
    let job = it.client.execute("aside.followUp", json!({"uri": page})).unwrap()["job"].as_str().unwrap().to_owned();
    let at = it.client.text(&page).find("Why?").unwrap();
    it.client.edit(&page, at..at + 4, "Why so?");
    it.client.stream_end(&job);
    it.client.ended_progress(2);
    // The page grows when the work has ended.
    it.client.wait_for("the answer in the page", |editor| {
        editor.documents.get(&page).filter(|document| document.text.contains("Because.")).map(|_| ())
    });
    let text = it.client.text(&page);
    assert!(text.contains("\nWhy so?\n\n> Why?\n\nBecause.\n"), "{text}");
    it.client.read_all();
}

#[test]
fn a_server_without_tools_answers_from_what_it_was_shown() {
    let without = "[[step]]\nmatch = { text = \"read_file\" }\nstatus = 400\nerror = { type = \"invalid_request_error\", message = \"tools are not supported by this model\" }\n[[step]]\nanswer = \"It counts.\"\n";
    let mut it = start(Some(without));
    let report = it.ask("What does it do?");
    assert_eq!(report["explanation"], "It counts.", "{report}");
    assert!(report["note"].as_str().unwrap().contains("no tools"), "{report}");
    it.client.read_all();
}

fn act(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    sandbox.aside().arg("act").args(arguments).output().unwrap()
}

fn words(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_terminal_asks_too() {
    let sandbox = Sandbox::new();
    sandbox.write("src/store.py", STORE);
    sandbox.write("src/use.py", USE);
    sandbox.write("pyproject.toml", "[project]\nname = \"x\"\n");
    let output = act(&sandbox, &["ask", "src/use.py:4-5", "--prompt", "Where is load_items defined?", "--simulate"]);
    let (out, err) = words(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(out.contains("src/store.py") && out.contains("simulated"), "{out}");
    let output = act(&sandbox, &["ask", "src/use.py:4-5", "--prompt", "Rename nothing", "--simulate", "--json"]);
    let (out, err) = words(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["outcome"], "proposed", "{report}");
    assert!(report["edits"][0]["diff"].as_str().unwrap().contains("+# Simulated: Rename nothing"), "{report}");
    let output = act(&sandbox, &["ask", "src/use.py:4-5", "--simulate"]);
    assert_eq!(output.status.code(), Some(2), "{:?}", words(&output));
    assert!(words(&output).1.contains("--prompt"), "{:?}", words(&output));
    let output = act(&sandbox, &["ask", "src/use.py:4-5", "--prompt", "Why?", "--dry-run"]);
    let (out, _) = words(&output);
    assert!(out.contains("── tools 1/6") && out.contains("<question>\nWhy?\n</question>"), "{out}");
}

#[test]
fn a_terminal_goes_on_where_an_editor_began() {
    let mut it = start(None);
    let page = it.explain();
    it.client.read_all();
    let path = url::Url::parse(&page).unwrap().to_file_path().unwrap();
    let Fixture { sandbox, simulator: _simulator, recorder: _recorder, client, uri: _ } = it;
    drop(client);
    let file = path.to_str().unwrap();
    let output = act(&sandbox, &["follow-up", file, "--simulate"]);
    assert_eq!(output.status.code(), Some(2), "{:?}", words(&output));
    assert!(words(&output).1.contains("no question"), "{:?}", words(&output));
    let before = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{before}\nWhere is load_items defined?\n")).unwrap();
    let output = act(&sandbox, &["follow-up", file, "--simulate", "--write"]);
    let (out, err) = words(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(out.contains("src/store.py"), "{out}");
    let grown = fs::read_to_string(&path).unwrap();
    assert!(grown.starts_with(&format!("{before}\n> Where is load_items defined?\n\n")), "{grown}");
    let output = act(&sandbox, &["follow-up", file, "--prompt", "And save_items?", "--dry-run", "--json"]);
    let (out, err) = words(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let plan: Value = serde_json::from_str(&out).unwrap();
    let messages = plan["request"]["messages"].as_array().unwrap();
    // Question, answer; question, calls, results, answer; question.
    assert_eq!(messages.len(), 7, "{plan}");
    let output = act(&sandbox, &["follow-up", "src/store.py", "--prompt", "Why?", "--simulate"]);
    assert!(words(&output).1.contains("Nothing was explained"), "{:?}", words(&output));
}
