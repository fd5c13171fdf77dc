//! Asking on: from a terminal without naming anything, about a review, and with what the settings say of models and thinking.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const STORE: &str =
    "import json\n\n\ndef load_items(path):\n    with open(path) as file:\n        return json.load(file)\n";

const USE: &str = "from store import load_items\n\n\ndef report(path, seen=[]):\n    try:\n        return len(load_items(path))\n    \
                   except:\n        return seen\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("pyproject.toml", "[project]\nname = \"x\"\n");
    sandbox.write("src/store.py", STORE);
    sandbox.write("src/use.py", USE);
    sandbox
}

/// `aside act`, asking this simulator: its `--json` and its standard error.
fn act(sandbox: &Sandbox, simulator: &Simulator, arguments: &[&str]) -> (Value, String) {
    let mut command = sandbox.aside();
    command.arg("act").args(arguments).arg("--json");
    command.env("ANTHROPIC_BASE_URL", simulator.url.as_str()).env("ANTHROPIC_API_KEY", "sk-ant-test");
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}")), stderr)
}

fn menu(client: &mut Client, uri: &str, at: usize) -> Vec<Value> {
    let params =
        json!({"textDocument": {"uri": uri}, "range": client.range(uri, at..at), "context": {"diagnostics": []}});
    client.request("textDocument/codeAction", params).unwrap().as_array().unwrap().clone()
}

/// Takes the entry with this title.
fn choose(client: &mut Client, menu: &[Value], title: &str) -> Value {
    let titles: Vec<&str> = menu.iter().filter_map(|it| it["title"].as_str()).collect();
    let entry = menu.iter().find(|entry| entry["title"] == title).unwrap_or_else(|| panic!("{title}: {titles:?}"));
    let mut argument = entry["command"]["arguments"][0].clone();
    argument["wait"] = json!(true);
    client.execute(entry["command"]["command"].as_str().unwrap(), argument).unwrap()
}

/// Opens the page that was shown last, as its text is on disk.
fn open_page(client: &mut Client) -> String {
    let page = client.next("window/showDocument")["uri"].as_str().unwrap().to_owned();
    let path = url::Url::parse(&page).unwrap().to_file_path().unwrap();
    client.open(&page, "markdown", &fs::read_to_string(path).unwrap());
    page
}

/// Writes a question under a page and has it answered from the menu.
fn ask_on(client: &mut Client, page: &str, question: &str) -> Value {
    let end = client.text(page).len();
    client.edit(page, end..end, &format!("\n{question}\n"));
    let at = client.text(page).find(question).unwrap();
    let menu = menu(client, page, at);
    choose(client, &menu, "Aside: follow up")
}

#[test]
fn a_terminal_asks_on_about_what_came_last() {
    let sandbox = sandbox();
    let simulator = Simulator::start(&sandbox, None, None);
    let (nothing, _) = act(&sandbox, &simulator, &["follow-up", "--prompt", "Why?"]);
    assert_eq!(nothing["error"]["kind"], "config", "{nothing}");
    assert!(nothing["error"]["message"].as_str().unwrap().starts_with("Nothing was explained"), "{nothing}");
    let (explained, _) = act(&sandbox, &simulator, &["explain", "src/use.py:4"]);
    let id = explained["conversation"].as_str().expect("it can be asked on about").to_owned();
    let question = ["--prompt", "Where is load_items defined?"];
    for place in [vec![], vec!["last"], vec!["src/use.py"], vec!["src/use.py:6"], vec![id.as_str()]] {
        let arguments: Vec<&str> = ["follow-up"].into_iter().chain(place.iter().copied()).chain(question).collect();
        let (answered, stderr) = act(&sandbox, &simulator, &arguments);
        assert_eq!((&answered["outcome"], &answered["conversation"]), (&json!("shown"), &json!(id)), "{answered}");
        assert!(answered["explanation"].as_str().unwrap().contains("src/store.py"), "{answered}");
        // Who did not name it is told what it is.
        let is_named = place == [id.as_str()];
        assert_eq!(stderr.contains("On: Explain report"), !is_named, "{place:?}: {stderr}");
    }
    // What was asked last is last, in whichever way it was answered.
    let (edited, _) = act(&sandbox, &simulator, &["ask", "src/store.py:4", "--prompt", "Add nothing"]);
    assert_eq!(edited["outcome"], "proposed", "{edited}");
    let (answered, _) = act(&sandbox, &simulator, &["follow-up", "--prompt", "Where is load_items defined?"]);
    assert_eq!(answered["conversation"], edited["conversation"], "{answered}");
    let (answered, _) = act(&sandbox, &simulator, &["follow-up", "src/use.py", "--prompt", "Why?"]);
    assert_eq!(answered["conversation"], json!(id), "that was about another file: {answered}");
    for (arguments, words) in [
        (vec!["follow-up"], "no question"),
        (
            vec!["follow-up", "pyproject.toml", "--prompt", "Why?"],
            "Nothing was explained, asked or reviewed in pyproject",
        ),
        (vec!["follow-up", "nothing.md", "--prompt", "Why?"], "no explanation"),
        (vec!["explain"], "needs a file"),
    ] {
        let (refused, _) = act(&sandbox, &simulator, &arguments);
        assert!(refused["error"]["message"].as_str().unwrap().contains(words), "{arguments:?}: {refused}");
    }
}

#[test]
fn a_review_is_asked_on_in_a_terminal() {
    let sandbox = sandbox();
    let simulator = Simulator::start(&sandbox, None, None);
    let (reviewed, _) = act(&sandbox, &simulator, &["review", "src/use.py:4"]);
    assert!(!reviewed["findings"].as_array().unwrap().is_empty(), "{reviewed}");
    assert!(reviewed["explanation"].is_null(), "the findings are the result: {reviewed}");
    let (plan, _) = act(&sandbox, &simulator, &["follow-up", "--prompt", "Is it that bad?", "--dry-run"]);
    let messages = plan["request"]["messages"].as_array().unwrap();
    let said = plan["request"]["messages"].to_string();
    assert!(said.contains("report_finding") && said.contains("tool_result"), "its calls are part of it: {said}");
    let last = messages.last().unwrap().to_string();
    assert!(last.contains("Is it that bad?") && !last.contains("<document"), "nothing is new of the file: {last}");
    let (answered, _) = act(&sandbox, &simulator, &["follow-up", "--prompt", "Where is load_items defined?"]);
    assert_eq!((&answered["outcome"], &answered["conversation"]), (&json!("shown"), &reviewed["conversation"]));
}

#[test]
fn a_review_is_asked_on_from_its_findings() {
    let sandbox = sandbox();
    let simulator = Simulator::start(&sandbox, None, None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("src/use.py");
    client.open(&uri, "python", USE);
    let at = USE.find("except").unwrap();
    let title = "Aside: ask about this review";
    assert!(!menu(&mut client, &uri, at).iter().any(|entry| entry["title"] == title), "there is none yet");
    let report = client.run_to_end("review", &uri, at..at);
    assert_eq!(report["outcome"], "shown", "{report}");
    let entries = menu(&mut client, &uri, at);
    let entry = entries.iter().find(|entry| entry["title"] == title).expect("it is offered at a finding");
    assert_eq!(entry["kind"], "refactor.aside.followUp");
    choose(&mut client, &entries, title);
    let page = open_page(&mut client);
    let text = client.text(&page);
    assert!(text.contains("**Line 7**, warning (`bare-except`): Simulated: "), "{text}");
    assert!(text.contains("```python\n    except Exception:\n```"), "with what mends it: {text}");
    let answered = ask_on(&mut client, &page, "Where is load_items defined?");
    assert_eq!(answered["outcome"], "shown", "{answered}");
    let text = client.text(&page);
    assert!(text.contains("\n> Where is load_items defined?\n") && text.contains("src/store.py"), "{text}");
    // It explains no code: a hover has nothing to show.
    let params = json!({"textDocument": {"uri": uri}, "position": client.range(&uri, at..at)["start"]});
    assert!(client.request("textDocument/hover", params).unwrap().is_null());
    client.read_all();
}

#[test]
fn the_other_model_answers_questions_reviews_and_pictures_too() {
    let sandbox = sandbox();
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(20, 10).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    sandbox.write("a.png", bytes.into_inner());
    sandbox.write("a.md", "![](a.png)\n");
    sandbox.write("a.css", "body {\n  background: url(\"a.png\");\n}\n");
    let declines = |action: &str| {
        ["claude-sonnet-5-5", "claude-haiku-5-5"].map(|model| {
            format!(
                "[[step]]\ntimes = \"always\"\nmatch = {{ action = \"{action}\", model = \"{model}\" }}\nanswer = \"No\"\n\
                 stop_reason = \"refusal\"\n"
            )
        })
    };
    let scenario = ["follow-up", "review", "describe-image"].map(|action| declines(action).concat()).concat();
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    let (refused, _) = act(&sandbox, &simulator, &["review", "src/use.py:4"]);
    assert_eq!(refused["error"]["kind"], "refused", "{refused}");
    sandbox.configure("fallback_model = \"claude-opus-5-5\"\n[thinking]\nshow = true\n");
    act(&sandbox, &simulator, &["explain", "src/use.py:4"]);
    for (arguments, outcome) in [
        (vec!["follow-up", "--prompt", "Where is load_items defined?"], "shown"),
        (vec!["review", "src/use.py:4"], "shown"),
        (vec!["describe-image", "a.md:1"], "proposed"),
        (vec!["describe-image", "a.css:2"], "shown"),
        // What was looked at is part of what is asked on about.
        (vec!["follow-up", "a.css", "--prompt", "Is it dark?"], "shown"),
    ] {
        let (said, _) = act(&sandbox, &simulator, &arguments);
        assert_eq!((&said["outcome"], &said["model"]), (&json!(outcome), &json!("claude-opus-5-5")), "{said}");
        assert_eq!(said["note"].as_str().unwrap().matches("claude-opus-5-5 was asked instead").count(), 1, "{said}");
        if said["explanation"].is_string() {
            assert!(said["thinking"].as_str().unwrap().contains("Simulated thinking"), "{said}");
        }
    }
}

#[test]
fn what_was_thought_of_a_later_answer_is_shown_and_kept() {
    let sandbox = sandbox();
    sandbox.configure("thinking.show = true\n");
    let simulator = Simulator::start(&sandbox, None, None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("src/use.py");
    client.open(&uri, "python", USE);
    let report = client.run_to_end("explain", &uri, USE.find("def").unwrap()..USE.len());
    let page = open_page(&mut client);
    let answered = ask_on(&mut client, &page, "Where is load_items defined?");
    assert_eq!(answered["outcome"], "shown", "{answered}");
    let heading = "## What the model thought";
    assert_eq!(client.text(&page).matches(heading).count(), 2, "{}", client.text(&page));
    // The next question is still found below it, and the ledger has it all.
    let answered = ask_on(&mut client, &page, "And why?");
    assert_eq!(answered["outcome"], "shown", "{answered}");
    client.execute("aside.showExplanation", json!({"id": report["job"]})).unwrap();
    let again = client.next("window/showDocument")["uri"].as_str().unwrap().to_owned();
    let path = url::Url::parse(&again).unwrap().to_file_path().unwrap();
    assert_eq!(fs::read_to_string(path).unwrap().matches(heading).count(), 3);
    client.read_all();
}
