//! `fix`: from what another tool reports to an edit around it.

use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox};

const TEXT: &str = "import os\nimport sys\n\n\ndef load(path):\n    with opne(path) as file:\n        return json.load(file)\n\n\ndef main():\n    print(load(sys.argv[1]))\n";

fn client(sandbox: &Sandbox) -> (Client, String) {
    let client = Client::start(sandbox, ClientOptions::default());
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", TEXT);
    (client, uri)
}

/// What a linter says about the first place of a word.
fn complaint(client: &Client, uri: &str, word: &str, severity: u8, message: &str) -> Value {
    let at = TEXT.find(word).unwrap();
    json!({
        "range": client.range(uri, at..at + word.len()), "severity": severity, "source": "lint", "code": "X1",
        "message": message, "data": {"only": "the linter's"},
    })
}

/// The fixes in the menu at the first place of a word.
fn offered(client: &mut Client, uri: &str, word: &str, context: Value) -> Vec<Value> {
    let at = TEXT.find(word).unwrap();
    let range = client.range(uri, at..at);
    let params = json!({"textDocument": {"uri": uri}, "range": range, "context": context});
    let menu = client.request("textDocument/codeAction", params).expect("code actions");
    let actions = menu.as_array().unwrap().iter().filter(|action| action["kind"] == "quickfix.aside.fix");
    actions.cloned().collect()
}

#[test]
fn a_complaint_is_repaired_from_the_menu_and_the_import_comes_along() {
    let sandbox = Sandbox::new();
    let (mut client, uri) = client(&sandbox);
    let told = json!([
        complaint(&client, &uri, "json", 1, "\"json\" is not defined"),
        complaint(&client, &uri, "opne", 2, "\"opne\" is not defined"),
        complaint(&client, &uri, "path", 4, "a hint that is none of its business"),
    ]);
    let both = json!([told[0], {"range": told[0]["range"], "severity": 2, "message": "second"}]);
    let menu = offered(&mut client, &uri, "json", json!({"diagnostics": both, "only": ["quickfix"], "triggerKind": 1}));
    assert_eq!(menu[0]["title"], "Aside: fix: \"json\" is not defined (and 1 more)", "{menu:#?}");
    let menu = offered(&mut client, &uri, "json", json!({"diagnostics": told, "only": ["quickfix"], "triggerKind": 1}));
    assert_eq!(menu.len(), 1, "{menu:#?}");
    assert_eq!(menu[0]["title"], "Aside: fix: \"json\" is not defined", "{menu:#?}");
    assert_eq!(menu[0]["diagnostics"], json!([told[0]]), "named as the client has it: {menu:#?}");
    let argument = &menu[0]["command"]["arguments"][0];
    assert!(argument["diagnostics"][0].get("data").is_none(), "{argument}");
    let command = json!({"command": menu[0]["command"]["command"], "arguments": menu[0]["command"]["arguments"]});
    let started = client.request("workspace/executeCommand", command).expect("the menu's own command works");
    let end = client.stream_end(started["job"].as_str().unwrap());
    assert_eq!(end["outcome"], "applied", "{end}");
    assert_eq!(client.text(&uri), TEXT.replace("import sys\n", "import sys\nimport json\n"));
    client.read_all();
}

#[test]
fn an_import_that_nobody_needs_is_taken_away_with_its_line() {
    let sandbox = Sandbox::new();
    let (mut client, uri) = client(&sandbox);
    let told = json!([complaint(&client, &uri, "import os", 2, "`os` imported but unused")]);
    let menu = offered(&mut client, &uri, "import os", json!({"diagnostics": told, "triggerKind": 1}));
    let mut argument = menu[0]["command"]["arguments"][0].clone();
    argument["wait"] = json!(true);
    let report = client.execute("aside.run", argument).expect("it runs");
    assert_eq!(report["outcome"], "applied", "{report}");
    assert_eq!(client.text(&uri), TEXT.replace("import os\n", ""));
    client.read_all();
}

#[test]
fn a_fix_is_offered_only_for_errors_and_warnings_that_somebody_asked_about() {
    let sandbox = Sandbox::new();
    let (mut client, uri) = client(&sandbox);
    let error = complaint(&client, &uri, "opne", 1, "\"opne\" is not defined");
    let hint = complaint(&client, &uri, "opne", 4, "could be shorter");
    for (context, expected) in [
        (json!({"diagnostics": [error]}), 1),
        (json!({"diagnostics": [error], "only": ["quickfix"]}), 1),
        (json!({"diagnostics": [error], "only": ["quickfix.aside"]}), 1),
        (json!({"diagnostics": [error], "only": ["refactor"]}), 0),
        (json!({"diagnostics": [error], "triggerKind": 2}), 0),
        (json!({"diagnostics": [hint]}), 0),
        (json!({"diagnostics": []}), 0),
    ] {
        assert_eq!(offered(&mut client, &uri, "opne", context.clone()).len(), expected, "{context}");
    }
    let elsewhere = offered(&mut client, &uri, "main", json!({"diagnostics": [error]}));
    assert_eq!(elsewhere, Vec::<Value>::new(), "it is about another line");
}

#[test]
fn what_cannot_be_repaired_changes_nothing_and_says_so() {
    let sandbox = Sandbox::new();
    let (mut client, uri) = client(&sandbox);
    let told = json!([complaint(&client, &uri, "return", 1, "the moon is full")]);
    let mut argument = client.run_argument("fix", &uri, 60..60);
    argument["diagnostics"] = told;
    let report = client.execute("aside.run", argument.clone()).expect("it runs");
    assert_eq!(report["outcome"], "kept", "{report}");
    assert!(report["note"].as_str().unwrap().contains("cannot repair \"the moon is full\""), "{report}");
    assert_eq!(client.text(&uri), TEXT);
    argument.as_object_mut().unwrap().remove("diagnostics");
    let error = client.execute("aside.run", argument.clone()).expect_err("there is nothing to fix");
    assert!(error["message"].as_str().unwrap().contains("nothing to fix"), "{error}");
    argument["prompt"] = json!("name 'opne' is not defined");
    argument["range"] = client.range(&uri, TEXT.find("opne").unwrap()..TEXT.find("opne").unwrap());
    let report = client.execute("aside.run", argument).expect("the user's words are as good");
    assert_eq!(report["outcome"], "applied", "{report}");
    assert_eq!(client.text(&uri), TEXT.replace("opne", "open"));
    client.read_all();
}

#[test]
fn in_a_terminal_the_prompt_is_the_complaint() {
    let sandbox = Sandbox::new();
    sandbox.write("a.py", TEXT);
    let act = |arguments: &[&str]| sandbox.aside().args(["act", "fix"]).args(arguments).output().unwrap();
    let message = "a.py:6:10: F821 Undefined name `opne`";
    let output = act(&["a.py:6", "--prompt", message, "--simulate"]);
    let (diff, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(diff.contains("-    with opne(path) as file:\n+    with open(path) as file:\n"), "{diff}");
    let dry = act(&["a.py:6", "--prompt", message, "--simulate", "--dry-run"]);
    let prompt = String::from_utf8_lossy(&dry.stdout).into_owned();
    let quoted = format!("lines=\"6-6\">\nerror: {message}\n</diagnostic>");
    assert!(prompt.contains(&quoted) && !prompt.contains("<wish>"), "{prompt}");
    assert!(prompt.contains("lines=\"5-7\""), "the function around it is to be edited: {prompt}");
    let output = act(&["a.py:6", "--simulate"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--prompt"), "{output:?}");
}
