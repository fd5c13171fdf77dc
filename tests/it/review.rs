//! `review`: findings as diagnostics at their places, each with its repair.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const TEXT: &str = "import json\n\n\ndef load(path, seen=[], limit=3):\n    try:\n        text = open(path).read()\n    \
                    except:\n        return None\n    if text == None:\n        return seen\n    return json.loads(text)\n\n\n\
                    def later():\n    return 1\n";

struct Fixture {
    client: Client,
    _simulator: Option<Simulator>,
    _sandbox: Sandbox,
    uri: String,
}

impl Fixture {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let client = Client::start(&sandbox, ClientOptions::default());
        Self::open(sandbox, client, None)
    }

    fn played(scenario: &str) -> Self {
        let sandbox = Sandbox::new();
        let simulator = Simulator::start(&sandbox, Some(scenario), None);
        let client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
        Self::open(sandbox, client, Some(simulator))
    }

    fn open(sandbox: Sandbox, client: Client, simulator: Option<Simulator>) -> Self {
        let uri = sandbox.uri("a.py");
        client.open(&uri, "python", TEXT);
        Self { client, _simulator: simulator, _sandbox: sandbox, uri }
    }

    fn review(&mut self) -> Value {
        let at = TEXT.find("def load").unwrap();
        self.client.run_to_end("review", &self.uri, at..at)
    }

    /// Waits until the document has this many diagnostics.
    fn shown(&self, count: usize) -> Vec<Value> {
        loop {
            let told = self.client.next("textDocument/publishDiagnostics");
            assert_eq!(told["uri"], json!(self.uri));
            let items = told["diagnostics"].as_array().unwrap().clone();
            if items.len() == count {
                return items;
            }
        }
    }

    fn repairs(&mut self, word: &str) -> Vec<Value> {
        let at = self.client.text(&self.uri).find(word).unwrap();
        let range = self.client.range(&self.uri, at..at);
        let context = json!({"diagnostics": [], "only": ["quickfix"], "triggerKind": 1});
        let params = json!({"textDocument": {"uri": self.uri}, "range": range, "context": context});
        self.client.request("textDocument/codeAction", params).expect("code actions").as_array().unwrap().clone()
    }
}

fn categories(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["code"].as_str().unwrap()).collect()
}

#[test]
fn findings_are_diagnostics_at_their_places() {
    let mut fixture = Fixture::new();
    let report = fixture.review();
    assert_eq!(report["outcome"], "shown", "{report}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 4, "{report}");
    let mut items = fixture.shown(4);
    items.sort_by_key(|item| item["range"]["start"]["line"].as_u64());
    let mut found = categories(&items);
    found.sort_unstable();
    assert_eq!(found, ["bare-except", "mutable-default", "none-comparison", "unused-parameter"]);
    for item in &items {
        assert_eq!(item["source"], "aside");
        assert!(item["message"].as_str().unwrap().starts_with("Simulated: "), "{item}");
    }
    let bare = items.iter().find(|item| item["code"] == "bare-except").unwrap();
    let at = TEXT.find("except:").unwrap();
    assert_eq!(bare["range"], fixture.client.range(&fixture.uri, at..at + "except:".len()));
    assert_eq!(bare["severity"], 2);
    let ended = fixture.client.ended_progress(1);
    let words = ended[0].end.as_ref().unwrap()["message"].as_str().unwrap().to_owned();
    assert!(words.contains("4 findings") && words.contains("simulated"), "{words}");
    fixture.client.read_all();
}

#[test]
fn a_repair_lands_and_what_it_mended_is_gone() {
    let mut fixture = Fixture::new();
    fixture.review();
    fixture.shown(4);
    let menu = fixture.repairs("except:");
    assert_eq!(menu.len(), 1, "{menu:#?}");
    assert_eq!(menu[0]["kind"], "quickfix.aside.finding");
    assert_eq!(menu[0]["diagnostics"][0]["code"], "bare-except");
    let command = json!({"command": menu[0]["command"]["command"], "arguments": menu[0]["command"]["arguments"]});
    fixture.client.request("workspace/executeCommand", command.clone()).expect("the menu's own command works");
    let items = fixture.shown(3);
    assert!(!categories(&items).contains(&"bare-except"));
    assert_eq!(fixture.client.text(&fixture.uri), TEXT.replace("except:", "except Exception:"));
    let error = fixture.client.request("workspace/executeCommand", command).expect_err("it is done");
    assert!(error["message"].as_str().unwrap().contains("no such finding any more"), "{error}");
    fixture.client.read_all();
}

#[test]
fn a_finding_goes_when_its_code_changes_and_stays_when_other_code_does() {
    let mut fixture = Fixture::new();
    fixture.review();
    fixture.shown(4);
    // Above, and in the lines between: the places follow.
    fixture.client.edit(&fixture.uri, 0..0, "# New.\n");
    let at = fixture.client.text(&fixture.uri).find("return None").unwrap();
    fixture.client.edit(&fixture.uri, at..at + "return None".len(), "return ''");
    let at = fixture.client.text(&fixture.uri).find("text == None").unwrap();
    fixture.client.edit(&fixture.uri, at..at + 4, "data");
    let items = fixture.shown(3);
    let bare = items.iter().find(|item| item["code"] == "bare-except").unwrap();
    let at = fixture.client.text(&fixture.uri).find("except:").unwrap();
    assert_eq!(bare["range"], fixture.client.range(&fixture.uri, at..at + "except:".len()), "it has moved along");
    let again = fixture.review_at("def load");
    assert_eq!(again["outcome"], "shown");
    fixture.shown(4);
    let uri = fixture.uri.clone();
    fixture.client.close_document(&uri);
    fixture.shown(0);
    fixture.client.read_all();
}

impl Fixture {
    fn review_at(&mut self, word: &str) -> Value {
        let at = self.client.text(&self.uri).find(word).unwrap();
        self.client.run_to_end("review", &self.uri, at..at)
    }
}

#[test]
fn reviewing_again_replaces_what_was_found_there_and_nothing_else() {
    let finding = |line: u32, category: &str| {
        format!(
            "{{ name = \"report_finding\", input = {{ start_line = {line}, end_line = {line}, severity = \"error\", \
             category = \"{category}\", message = \"Here.\" }} }}"
        )
    };
    let step = |content: &str| format!("[[step]]\nmatch = {{ action = \"review\" }}\n{content}\n");
    let steps = [
        format!("answer = \"Let me see.\"\ntool_calls = [{}, {}]", finding(4, "first"), finding(5, "second")),
        "answer = \"Two.\"".to_owned(),
        "answer = \"None.\"".to_owned(),
        format!("answer = \"Once more.\"\ntool_calls = [{}]", finding(5, "third")),
        "answer = \"One.\"".to_owned(),
    ];
    let mut fixture = Fixture::played(&steps.map(|content| step(&content)).concat());
    fixture.review();
    assert_eq!(categories(&fixture.shown(2)), ["first", "second"]);
    let report = fixture.review_at("def later");
    assert_eq!(report["findings"], json!([]), "{report}");
    fixture.review();
    assert_eq!(categories(&fixture.shown(1)), ["third"]);
    fixture.client.read_all();
}

#[test]
fn a_finding_is_shown_while_the_review_goes_on() {
    let long = "word ".repeat(4000);
    let scenario = format!(
        "[[step]]\ntimes = \"always\"\nmatch = {{ action = \"review\" }}\nanswer = \"Let me see.\"\nstall = {{ at = \"delta\", deltas = 800 }}\n\
         tool_calls = [{{ name = \"report_finding\", input = {{ start_line = 4, end_line = 4, severity = \"error\", \
         category = \"first\", message = \"One.\" }} }}, {{ name = \"report_finding\", input = {{ start_line = 5, end_line = 5, \
         severity = \"error\", category = \"second\", message = \"{long}\" }} }}]\n"
    );
    let mut fixture = Fixture::played(&scenario);
    let at = TEXT.find("def load").unwrap();
    let uri = fixture.uri.clone();
    let job = fixture.client.run("review", &uri, at..at);
    let items = fixture.shown(1);
    assert_eq!(categories(&items), ["first"]);
    fixture.client.execute("aside.cancel", json!({"job": job})).expect("it can be cancelled");
    assert_eq!(fixture.client.stream_end(&job)["outcome"], "cancelled");
    fixture.client.read_all();
}

#[test]
fn malformed_findings_are_left_out_and_counted() {
    let scenario = "[[step]]\nanswer = \"Let me see.\"\ntool_calls = [{ name = \"report_finding\", input = { start_line = 400, end_line = 4, severity = \"error\", \
         category = \"x\", message = \"Far away.\" } }, { name = \"report_finding\", input = { what = 1 } }, \
         { name = \"report_finding\", input = { start_line = 5, end_line = 5, severity = \"hint\", category = \"fine\", \
         message = \"Here.\" } }]\n[[step]]\nanswer = \"It could be worse.\"\n";
    let mut fixture = Fixture::played(scenario);
    let report = fixture.review();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report}");
    let note = report["note"].as_str().unwrap();
    assert!(note.contains("2 findings were not in order") && note.contains("It could be worse."), "{note}");
    assert_eq!(categories(&fixture.shown(1)), ["fine"]);
    fixture.client.read_all();
}

#[test]
fn what_is_reported_again_in_other_words_is_shown_once() {
    let finding = |message: &str| {
        format!(
            "{{ name = \"report_finding\", input = {{ start_line = 7, end_line = 7, severity = \"warning\", category = \
             \"bare-except\", message = \"{message}\" }} }}"
        )
    };
    let scenario = format!(
        "[[step]]\nanswer = \"Let me see.\"\ntool_calls = [{}]\n[[step]]\nanswer = \"I looked further.\"\ntool_calls = [{}, {}]\n\
         [[step]]\nanswer = \"Mend the except.\"\n",
        finding("`except` takes everything, also a keyboard interrupt."),
        finding("The `except` swallows all errors."),
        finding("`open` is left open by it."),
    );
    let mut fixture = Fixture::played(&scenario);
    let report = fixture.review();
    assert_eq!(report["findings"].as_array().unwrap().len(), 2, "{report}");
    fixture.shown(2);
    fixture.client.read_all();
}

#[test]
fn what_a_declined_answer_found_is_taken_back() {
    let scenario = "[[step]]\nmatch = { model = \"claude-sonnet-5-5\" }\nanswer = \"Let me see.\"\ntool_calls = [{ name = \"report_finding\", input = { \
         start_line = 4, end_line = 4, severity = \"error\", category = \"void\", message = \"Void.\" } }]\n\
         [[step]]\nmatch = { model = \"claude-sonnet-5-5\" }\nanswer = \"I would rather not.\"\nstop_reason = \"refusal\"\n";
    let sandbox = Sandbox::new();
    sandbox.configure("fallback_model = \"claude-opus-5-5\"\n");
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let mut fixture = Fixture::open(sandbox, client, Some(simulator));
    let report = fixture.review();
    assert_eq!((&report["outcome"], &report["model"]), (&json!("shown"), &json!("claude-opus-5-5")), "{report}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 4, "only the other model's: {report}");
    let found = fixture.shown(4);
    assert!(!categories(&found).contains(&"void"), "{found:?}");
    fixture.client.read_all();
}

#[test]
fn a_replacement_that_breaks_the_code_is_not_applied() {
    let scenario = "[[step]]\nanswer = \"Let me see.\"\ntool_calls = [{ name = \"report_finding\", input = { start_line = 7, end_line = 7, severity = \"error\", \
         category = \"x\", message = \"Wrong.\", replacement = \"    except (:\" } }]\n[[step]]\nanswer = \"Done.\"\n";
    let mut fixture = Fixture::played(scenario);
    fixture.review();
    fixture.shown(1);
    let menu = fixture.repairs("except:");
    let command = json!({"command": menu[0]["command"]["command"], "arguments": menu[0]["command"]["arguments"]});
    fixture.client.request("workspace/executeCommand", command).expect("it is tried");
    let said = loop {
        let said = fixture.client.next("window/showMessage");
        if said["type"] == 1 {
            break said;
        }
    };
    assert!(said["message"].as_str().unwrap().contains("syntax errors"), "{said}");
    assert_eq!(fixture.client.text(&fixture.uri), TEXT);
    fixture.client.read_all();
}

#[test]
fn a_server_without_tools_is_asked_for_a_list() {
    let refused = "[[step]]\nmatch = { text = \"read_file\" }\nstatus = 400\nerror = { type = \"invalid_request_error\", \
                   message = \"tools are not supported by this model\" }\n";
    let mut fixture = Fixture::played(refused);
    let report = fixture.review();
    assert_eq!(report["findings"].as_array().unwrap().len(), 4, "{report}");
    assert!(report["note"].as_str().unwrap().contains("no tools"), "{report}");
    fixture.shown(4);
    fixture.client.read_all();
    let words = format!("{refused}\n[[step]]\ntimes = 2\nanswer = \"All is well, I think.\"\n");
    let mut fixture = Fixture::played(&words);
    let report = fixture.review();
    assert_eq!(report["error"]["kind"], "bad_answer", "{report}");
    assert!(report["explanation"].as_str().unwrap().contains("All is well"), "{report}");
    fixture.client.read_all();
}

#[test]
fn a_client_that_only_asks_is_not_told() {
    let sandbox = Sandbox::new();
    let options = ClientOptions::default().announce("textDocument/diagnostic", json!({}));
    let client = Client::start(&sandbox, options);
    assert_eq!(client.initialized["capabilities"]["diagnosticProvider"]["identifier"], "aside");
    let mut fixture = Fixture::open(sandbox, client, None);
    fixture.review();
    let params = json!({"textDocument": {"uri": fixture.uri}});
    let answer = fixture.client.request("textDocument/diagnostic", params).expect("diagnostics");
    assert_eq!((&answer["kind"], answer["items"].as_array().unwrap().len()), (&json!("full"), 4), "{answer}");
    let unread = fixture.client.read_all();
    assert!(!unread.iter().any(|message| message["method"] == "textDocument/publishDiagnostics"), "{unread:?}");
}

#[test]
fn in_a_terminal_findings_are_lines_and_json() {
    let sandbox = Sandbox::new();
    sandbox.write("a.py", TEXT);
    let act =
        |arguments: &[&str]| -> Output { sandbox.aside().args(["act", "review"]).args(arguments).output().unwrap() };
    let output = act(&["a.py:4-11", "--simulate"]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(out.contains("a.py:7: warning [bare-except] Simulated: "), "{out}");
    assert!(out.contains("    +     except Exception:\n"), "{out}");
    assert!(err.contains("4 findings"), "{err}");
    let output = act(&["a.py:4-11", "--simulate", "--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let findings = said["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 4, "{said}");
    let bare = findings.iter().find(|finding| finding["category"] == "bare-except").unwrap();
    assert_eq!((&bare["startLine"], &bare["endLine"], &bare["severity"]), (&json!(7), &json!(7), &json!("warning")));
    assert_eq!(bare["replacement"], "    except Exception:");
    let dry = act(&["a.py:4-11", "--simulate", "--dry-run"]);
    let prompt = String::from_utf8_lossy(&dry.stdout).into_owned();
    assert!(prompt.contains("numbered=\"true\">\n4| def load(path, seen=[], limit=3):\n5|     try:\n"), "{prompt}");
}
