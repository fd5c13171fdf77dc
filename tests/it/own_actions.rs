//! Actions out of files: offered, run, changed, refused.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const CODE: &str = "def area(width, height=1):\n    return width * height\n";

const CHECK: &str = "---\ntitle: check the units of\nlanguages: [python]\n---\nCheck {{ lines }} of `{{ path }}`.\n";

/// A user's own action.
fn own(sandbox: &Sandbox, name: &str, text: &str) {
    sandbox.write(&format!("../config/aside/actions/{name}"), text);
}

/// An action of the workspace.
fn theirs(sandbox: &Sandbox, name: &str, text: &str) {
    sandbox.write(&format!(".aside/actions/{name}"), text);
}

fn titles(client: &mut Client, uri: &str, context: Value) -> Vec<String> {
    let range = client.range(uri, 0..CODE.len());
    let mut context = context;
    if context.get("diagnostics").is_none() {
        context["diagnostics"] = json!([]);
    }
    let params = json!({"textDocument": {"uri": uri}, "range": range, "context": context});
    let menu = client.request("textDocument/codeAction", params).expect("code actions");
    menu.as_array().unwrap().iter().map(|action| action["title"].as_str().unwrap().to_owned()).collect()
}

fn open(sandbox: &Sandbox, options: ClientOptions) -> (Client, String) {
    sandbox.write("area.py", CODE);
    let client = Client::start(sandbox, options);
    let uri = sandbox.uri("area.py");
    client.open(&uri, "python", CODE);
    (client, uri)
}

/// Asks for the menu until it has an entry, or has it no more: a folder is looked at once a second.
fn wait_for_title(client: &mut Client, uri: &str, title: &str, there: bool) {
    for _ in 0..600 {
        if titles(client, uri, json!({})).iter().any(|known| known == title) == there {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{title} {there}: {:?}", titles(client, uri, json!({})));
}

fn terminal(sandbox: &Sandbox, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = sandbox.aside().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_users_own_action_is_offered_run_and_reloaded() {
    let sandbox = Sandbox::new();
    own(&sandbox, "check-units.md", CHECK);
    own(&sandbox, "for-go.md", "---\ntitle: go only\nlanguages: go\n---\nx\n");
    own(
        &sandbox,
        "repair.md",
        "---\ntitle: own repair\nkind: quickfix\n---\n{% for d in diagnostics %}{{ d.message }}{% endfor %}\n",
    );
    let scenario = "[[step]]\nmatch = { action = \"check-units\", text = \"Check 1-2 of `area.py`.\" }\nanswer = 'They fit.'\n\n\
                    [[step]]\nmatch = { action = \"add-return\" }\nanswer = '''```python\ndef area(width, height=1):\n    return (width * height)\n```'''\n";
    let simulator = Simulator::start(&sandbox, Some(scenario), None);
    let (mut client, uri) = open(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let menu = titles(&mut client, &uri, json!({}));
    assert!(menu.contains(&"Aside: check the units of".to_owned()), "{menu:?}");
    assert!(!menu.iter().any(|title| title.contains("go only") || title.contains("own repair")), "{menu:?}");
    let diagnostic = json!({"range": client.range(&uri, 0..4), "severity": 1, "message": "no types"});
    let menu = titles(&mut client, &uri, json!({"diagnostics": [diagnostic], "only": ["quickfix"]}));
    assert!(menu.contains(&"Aside: own repair".to_owned()), "{menu:?}");
    assert_eq!(
        titles(&mut client, &uri, json!({"only": ["refactor.aside.checkUnits"]})),
        ["Aside: check the units of"]
    );

    let result = client.run_to_end("check-units", &uri, 0..CODE.len());
    assert_eq!((&result["outcome"], &result["explanation"]), (&json!("shown"), &json!("They fit.")), "{result}");

    own(&sandbox, "check-units.md", &CHECK.replace("check the units of", "look at the units of"));
    wait_for_title(&mut client, &uri, "Aside: look at the units of", true);
    own(&sandbox, "add-return.md", "---\nresult: edit\n---\nPut the value that is returned into parentheses.\n");
    wait_for_title(&mut client, &uri, "Aside: add return", true);
    let result = client.run_to_end("add-return", &uri, 0..CODE.len());
    assert_eq!(result["outcome"], "applied", "{result}");
    assert!(client.text(&uri).contains("return (width * height)"));
    fs::remove_file(sandbox.path("config/aside/actions/add-return.md")).unwrap();
    wait_for_title(&mut client, &uri, "Aside: add return", false);
    client.read_all();
}

#[test]
fn the_prefix_is_the_one_of_all_actions() {
    let sandbox = Sandbox::new();
    own(&sandbox, "check-units.md", CHECK);
    sandbox.write("area.py", CODE);
    let sent = |action: &str| -> Value {
        let (code, out, err) = terminal(&sandbox, &["act", action, "area.py", "--dry-run", "--json"]);
        assert_eq!(code, Some(0), "{err}");
        serde_json::from_str(&out).unwrap()
    };
    let (explain, check) = (sent("explain"), sent("check-units"));
    assert_eq!(explain["request"]["system"], check["request"]["system"]);
    assert_eq!(explain["request"].get("tools"), check["request"].get("tools"));
    let blocks = |plan: &Value| plan["request"]["messages"][0]["content"].as_array().unwrap().clone();
    let (ours, own) = (blocks(&explain), blocks(&check));
    assert_eq!(ours.len(), own.len());
    assert_eq!(ours[..ours.len() - 1], own[..own.len() - 1], "only the task differs");
    let task = own.last().unwrap()["text"].as_str().unwrap();
    assert!(task.starts_with("<task action=\"check-units\">") && task.contains("Check 1-2 of `area.py`."), "{task}");
    assert!(task.contains("Form: explanation."), "{task}");
}

#[test]
fn a_workspaces_action_waits_for_a_yes() {
    let sandbox = Sandbox::new();
    theirs(&sandbox, "check-units.md", CHECK);
    let mut options = ClientOptions::default();
    options.behaviour.choice = Some("Not now");
    let (mut client, uri) = open(&sandbox, options);
    let question = client.next("window/showMessageRequest");
    let words = question["message"].as_str().unwrap();
    assert!(words.contains("check the units of") && words.contains("check-units.md"), "{words}");
    let offered = "Aside: check the units of (of this workspace)";
    assert!(!titles(&mut client, &uri, json!({})).contains(&offered.to_owned()));
    let error = {
        let argument = client.run_argument("check-units", &uri, 0..CODE.len());
        client.execute("aside.run", argument).unwrap_err()
    };
    assert!(error["message"].as_str().unwrap().contains("aside config trust"), "{error}");

    // In a terminal it is allowed, and the editor hears of it.
    let (code, out, err) = terminal(&sandbox, &["config", "trust"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("allowed check-units"), "{out}");
    wait_for_title(&mut client, &uri, offered, true);
    let result = client.run_to_end("check-units", &uri, 0..CODE.len());
    assert_eq!(result["outcome"], "shown", "{result}");

    // A changed file asks again, and is not offered until then.
    theirs(&sandbox, "check-units.md", &CHECK.replace("Check", "Send"));
    wait_for_title(&mut client, &uri, offered, false);
    client.next("window/showMessageRequest");
    client.editor().behaviour.choice = Some("Allow");
    theirs(&sandbox, "check-units.md", &CHECK.replace("Check", "Look at"));
    titles(&mut client, &uri, json!({}));
    wait_for_title(&mut client, &uri, offered, true);
    client.next("window/showMessageRequest");
    client.read_all();
}

#[test]
fn the_files_are_shown_before_they_are_allowed() {
    let sandbox = Sandbox::new();
    theirs(&sandbox, "check-units.md", CHECK);
    let mut options = ClientOptions::default();
    options.behaviour.choice = Some("Show the files");
    let (mut client, uri) = open(&sandbox, options);
    let first = client.next("window/showMessageRequest");
    assert_eq!(first["actions"].as_array().unwrap().len(), 3, "{first}");
    let shown = client.next("window/showDocument");
    assert!(shown["uri"].as_str().unwrap().ends_with(".aside/actions/check-units.md"), "{shown}");
    let second = client.next("window/showMessageRequest");
    assert_eq!(second["actions"].as_array().unwrap().len(), 2, "it asks once more, without showing: {second}");
    let menu = titles(&mut client, &uri, json!({}));
    assert!(!menu.iter().any(|title| title.contains("units")), "an answer that is no yes allows nothing: {menu:?}");
}

#[test]
fn a_client_without_questions_is_told_of_the_terminal() {
    let sandbox = Sandbox::new();
    theirs(&sandbox, "check-units.md", CHECK);
    let (client, _) = open(&sandbox, ClientOptions::default().announce("window/showMessage", Value::Null));
    let told = client.next("window/showMessage");
    assert!(told["message"].as_str().unwrap().contains("`aside config trust`"), "{told}");
}

#[test]
fn what_is_wrong_with_a_file_is_said_in_it() {
    let sandbox = Sandbox::new();
    let text = "---\ntitel: x\nresult: edit\n---\nµ {{ slection }}\n";
    own(&sandbox, "check-units.md", text);
    let (client, _) = open(&sandbox, ClientOptions::default());
    let file = url::Url::from_file_path(sandbox.path("config/aside/actions/check-units.md")).unwrap().to_string();
    let told = client.next("textDocument/publishDiagnostics");
    assert_eq!(told["uri"], file.as_str());
    let diagnostics = told["diagnostics"].as_array().unwrap();
    assert_eq!(diagnostics.len(), 2, "{told}");
    assert_eq!(diagnostics[0]["source"], "aside");
    assert_eq!(
        diagnostics[0]["range"],
        json!({"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 5}})
    );
    assert!(diagnostics[0]["message"].as_str().unwrap().contains("did you mean `title`?"), "{told}");
    assert_eq!(diagnostics[1]["range"]["start"]["line"], 4, "{told}");
    // As it is typed, before it is saved.
    client.open(&file, "markdown", text);
    assert_eq!(client.next("textDocument/publishDiagnostics")["diagnostics"].as_array().unwrap().len(), 2);
    let at = text.find("slection").unwrap();
    client.edit(&file, at..at + "slection".len(), "selection");
    let told = client.next("textDocument/publishDiagnostics");
    assert_eq!(told["diagnostics"].as_array().unwrap().len(), 1, "{told}");
    client.edit(&file, 4..9, "title");
    assert_eq!(client.next("textDocument/publishDiagnostics")["diagnostics"], json!([]));
}

#[test]
fn a_client_that_watches_files_brings_news_at_once() {
    let sandbox = Sandbox::new();
    let options =
        ClientOptions::default().announce("workspace/didChangeWatchedFiles", json!({"dynamicRegistration": true}));
    let (client, _) = open(&sandbox, options);
    // The folder was looked at when the document was opened; whether before or after this file, the news is told.
    theirs(&sandbox, "broken.md", "no front matter\n");
    let uri = sandbox.uri(".aside/actions/broken.md");
    let changed = || client.notify("workspace/didChangeWatchedFiles", json!({"changes": [{"uri": uri, "type": 1}]}));
    changed();
    let told = client.wait_for("a diagnostic", |editor| {
        let at = editor.unread.iter().position(|message| message["method"] == "textDocument/publishDiagnostics");
        if at.is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        at.and_then(|at| editor.unread.remove(at))
    });
    assert_eq!(told["params"]["uri"], uri.as_str(), "{told}");
    fs::remove_file(sandbox.workspace().join(".aside/actions/broken.md")).unwrap();
    changed();
    assert_eq!(client.next("textDocument/publishDiagnostics")["diagnostics"], json!([]), "what is gone has no errors");
}

#[cfg(unix)]
#[test]
fn a_file_without_an_end_is_told_of_and_not_read() {
    let sandbox = Sandbox::new();
    theirs(&sandbox, "check-units.md", CHECK);
    std::os::unix::fs::symlink("/dev/zero", sandbox.workspace().join(".aside/actions/zero.md")).unwrap();
    let (mut client, uri) = open(&sandbox, ClientOptions::default());
    let told = client.next("textDocument/publishDiagnostics");
    assert!(told["diagnostics"][0]["message"].as_str().unwrap().contains("link out of the workspace"), "{told}");
    assert!(!titles(&mut client, &uri, json!({})).is_empty());
    client.next("window/showMessageRequest");
}

#[test]
fn the_terminal_lists_allows_and_takes_back() {
    let sandbox = Sandbox::new();
    sandbox.write("area.py", CODE);
    own(&sandbox, "mine.md", "---\ntitle: mine\nmodel: claude-haiku-5-5\n---\nx\n");
    own(&sandbox, "explain.md", "---\ntitle: not ours\n---\nx\n");
    theirs(&sandbox, "check-units.md", CHECK);
    let (code, out, err) = terminal(&sandbox, &["actions"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("mine") && out.contains("(not allowed yet: `aside config trust`)"), "{out}");
    assert!(err.contains("explain.md:1:1: `explain` is an action of Aside's own"), "{err}");
    let rows = || -> Vec<Value> { serde_json::from_str(&terminal(&sandbox, &["actions", "--json"]).1).unwrap() };
    let row = |id: &str| rows().into_iter().find(|row| row["id"] == id).unwrap();
    assert_eq!((&row("mine")["origin"], &row("mine")["model"]), (&json!("user"), &json!("claude-haiku-5-5")));
    assert_eq!((&row("check-units")["origin"], &row("check-units")["allowed"]), (&json!("workspace"), &json!(false)));
    assert_eq!(row("explain")["origin"], "aside");

    let (code, _, err) = terminal(&sandbox, &["act", "check-units", "area.py", "--simulate"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("was not allowed yet") && err.contains("aside config trust"), "{err}");
    let (code, out, _) = terminal(&sandbox, &["config", "trust", ".aside/actions/check-units.md"]);
    assert!(code == Some(0) && out.contains("allowed check-units"), "{out}");
    let (code, _, err) = terminal(&sandbox, &["act", "check-units", "area.py", "--simulate"]);
    assert_eq!(code, Some(0), "{err}");
    let (_, out, _) = terminal(&sandbox, &["config", "trust", "--list"]);
    assert!(out.contains("workspace") && out.contains("check-units.md") && !out.contains("changed"), "{out}");
    theirs(&sandbox, "check-units.md", &CHECK.replace("Check", "Send"));
    let (_, out, _) = terminal(&sandbox, &["config", "trust", "--list"]);
    assert!(out.contains("check-units.md (changed since; asks again)"), "{out}");
    let (code, _, err) = terminal(&sandbox, &["act", "check-units", "area.py", "--simulate"]);
    assert!(code == Some(2) && err.contains("changed since"), "{err}");
    theirs(&sandbox, "check-units.md", CHECK);
    let (_, out, _) = terminal(&sandbox, &["config", "trust", "--revoke"]);
    assert!(out.contains("is not allowed any more"), "{out}");
    assert_eq!(terminal(&sandbox, &["act", "check-units", "area.py", "--simulate"]).0, Some(2));
    let (code, _, err) = terminal(&sandbox, &["config", "trust", "area.md"]);
    assert!(code == Some(2) && err.contains("is not in `.aside/actions/`"), "{err}");
    let (code, out, _) = terminal(&sandbox, &["config", "trust", "--list"]);
    assert!(code == Some(0) && out.contains("No workspace's actions were allowed."), "{out}");
}

const FAKE: &str = "---\ntitle: write a fake of\nresult: new-file\nfile: \"{{ folder }}/fakes/{{ stem }}_fake.{{ extension }}\"\n---\nWrite a fake.\n";

fn played(sandbox: &Sandbox, simulator: &Simulator, arguments: &[&str]) -> Value {
    let mut command = sandbox.aside();
    command.env("ANTHROPIC_BASE_URL", simulator.url.as_str()).env("ANTHROPIC_API_KEY", "sk-ant-test");
    let output = command.arg("act").args(arguments).arg("--json").output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_new_file_is_made_where_the_action_says_and_nowhere_else() {
    let sandbox = Sandbox::new();
    sandbox.write("pyproject.toml", "[project]\nname = \"x\"\n");
    sandbox.write("src/area.py", CODE);
    own(&sandbox, "fake.md", FAKE);
    let code = "def area(width, height=1):\\n    return 42\\n";
    let scenario = format!(
        "[[step]]\ntimes = 2\nmatch = {{ action = \"fake\", text = \"Form: new file. It becomes `src/fakes/area_fake.py`.\" }}\n\
         answer = \"```python\\n{code}```\\n\\nIt always says 42.\"\n"
    );
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    let path = sandbox.workspace().join("src/fakes/area_fake.py");
    let shown = played(&sandbox, &simulator, &["fake", "src/area.py:1"]);
    assert_eq!((&shown["outcome"], &shown["note"]), (&json!("proposed"), &json!("It always says 42.")), "{shown}");
    let diff = shown["edits"][0]["diff"].as_str().unwrap();
    assert!(diff.contains("src/fakes/area_fake.py") && diff.contains("+    return 42"), "{diff}");
    assert!(!path.exists(), "it is only shown");
    let made = played(&sandbox, &simulator, &["fake", "src/area.py:1", "--write"]);
    assert_eq!(made["outcome"], "applied", "{made}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "def area(width, height=1):\n    return 42\n");
    assert_eq!(sandbox.read("src/area.py"), CODE, "the code stays as it is");
    let asked = |simulator: &Simulator| simulator.account()["requests"].as_array().unwrap().len();
    let before = asked(&simulator);
    let again = played(&sandbox, &simulator, &["fake", "src/area.py:1", "--write"]);
    assert!(again["error"]["message"].as_str().unwrap().contains("area_fake.py is there already"), "{again}");
    // What runs or obeys a file by itself is out of reach, and a link does not lead out.
    for (file, word) in [(".git/hooks/{{ stem }}", "version control"), ("out/{{ name }}", "is not in the workspace")] {
        own(&sandbox, "fake.md", &FAKE.replace("{{ folder }}/fakes/{{ stem }}_fake.{{ extension }}", file));
        #[cfg(unix)]
        let _ = std::os::unix::fs::symlink(sandbox.path("home"), sandbox.workspace().join("out"));
        if cfg!(unix) || !file.starts_with("out") {
            let refused = played(&sandbox, &simulator, &["fake", "src/area.py:1", "--write"]);
            assert_eq!(refused["error"]["kind"], "excluded", "{refused}");
            assert!(refused["error"]["message"].as_str().unwrap().contains(word), "{refused}");
        }
    }
    assert_eq!(asked(&simulator), before, "nobody was asked for what has no place");
}

#[test]
fn a_new_file_comes_into_the_editor_and_a_broken_one_does_not() {
    let sandbox = Sandbox::new();
    own(&sandbox, "fake.md", FAKE);
    let broken = "answer = \"```python\\ndef area(:\\n```\"\n";
    let scenario = format!(
        "[[step]]\n{broken}[[step]]\nmatch = {{ text = \"cannot be used\" }}\nanswer = \"```python\\nAREA = 42\\n```\"\n[[step]]\ntimes = 2\n{broken}"
    );
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    let (mut client, uri) = open(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let result = client.run_to_end("fake", &uri, 0..CODE.len());
    assert_eq!(result["outcome"], "applied", "the model may mend it once: {result}");
    let fake = sandbox.uri("fakes/area_fake.py");
    assert_eq!(client.text(&fake), "AREA = 42\n");
    assert_eq!(client.text(&uri), CODE);
    own(&sandbox, "fake.md", &FAKE.replace("_fake", "_other").replace("a fake of", "another fake of"));
    wait_for_title(&mut client, &uri, "Aside: write another fake of", true);
    let result = client.run_to_end("fake", &uri, 0..CODE.len());
    assert_eq!(result["outcome"], "kept", "{result}");
    assert!(result["reason"].as_str().unwrap().contains("syntax errors"), "{result}");
    assert!(!sandbox.workspace().join("fakes/area_other.py").exists());
    client.read_all();
}

#[test]
fn an_action_of_ones_own_finds_beside_a_review() {
    let sandbox = Sandbox::new();
    own(&sandbox, "check-units.md", &CHECK.replace("languages", "result: diagnostics\nlanguages"));
    let found = |action: &str, line: u32, message: &str| {
        format!(
            "[[step]]\nmatch = {{ action = \"{action}\", text = \"numbered=\" }}\nanswer = \"Let me see.\"\ntool_calls = [{{ name = \"report_finding\", input = \
             {{ start_line = {line}, end_line = {line}, severity = \"warning\", category = \"{action}\", message = \"{message}\", \
             replacement = \"    return width * height  # m2\" }} }}]\n[[step]]\nmatch = {{ action = \"{action}\" }}\nanswer = \"That is all.\"\n"
        )
    };
    let scenario = [
        found("review", 2, "No checks."),
        found("check-units", 2, "No unit is told."),
        found("check-units", 2, "Which unit?"),
    ];
    let simulator = Simulator::start(&sandbox, Some(&scenario.concat()), None);
    let (mut client, uri) = open(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let shown = |client: &mut Client, action: &str, expected: &[&str]| {
        let result = client.run_to_end(action, &uri, 0..CODE.len());
        assert_eq!(
            (&result["outcome"], result["findings"].as_array().unwrap().len()),
            (&json!("shown"), 1),
            "{result}"
        );
        loop {
            let told = client.next("textDocument/publishDiagnostics");
            let items = told["diagnostics"].as_array().unwrap();
            let mut messages: Vec<&str> = items.iter().map(|item| item["message"].as_str().unwrap()).collect();
            messages.sort_unstable();
            if messages == expected {
                return;
            }
        }
    };
    shown(&mut client, "review", &["No checks."]);
    shown(&mut client, "check-units", &["No checks.", "No unit is told."]);
    // The same action again replaces what it found itself, and nothing else.
    shown(&mut client, "check-units", &["No checks.", "Which unit?"]);
    let sent = played(&sandbox, &simulator, &["check-units", "area.py", "--dry-run"]);
    let task = sent["request"]["messages"][0]["content"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap();
    assert!(
        task.contains("Check 1-2 of `area.py`.\n\nForm: findings. For each finding call `report_finding`"),
        "{task}"
    );
    assert!(sent["request"]["tools"].to_string().contains("report_finding"), "{sent}");
    client.read_all();
}

#[test]
fn the_examples_are_actions_that_run() {
    let sandbox = Sandbox::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/actions");
    let mut ids = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        own(&sandbox, &name, &fs::read_to_string(&path).unwrap());
        ids.push(name.trim_end_matches(".md").to_owned());
    }
    ids.sort();
    assert_eq!(ids, ["check-sql", "explain-complaint", "log-why"]);
    sandbox.example("inventory.py");
    let (_, _, err) = terminal(&sandbox, &["actions"]);
    assert_eq!(err, "", "nothing is wrong with them");
    for id in ids {
        let arguments = ["act", &id, "inventory.py:75-80", "--dry-run", "--prompt", "Be brief."];
        let (code, out, err) = terminal(&sandbox, &arguments);
        assert_eq!(code, Some(0), "{id}: {err}");
        assert!(out.contains(&format!("<task action=\"{id}\">")) && out.contains("Python"), "{id}: {out}");
    }
    let (code, out, err) = terminal(&sandbox, &["act", "check-sql", "inventory.py:75-80", "--simulate"]);
    assert!(code == Some(0) && !out.is_empty(), "{err}");
    sandbox.write("area.py", CODE);
    let code = "def area(width, height=1):\\n    log.debug('area')\\n    return width * height\\n";
    let step = format!("[[step]]\nanswer = \"```python\\n{code}```\"\n");
    let simulator = Simulator::start(&sandbox, Some(&step), None);
    let mut command = sandbox.aside();
    command.env("ANTHROPIC_BASE_URL", simulator.url.as_str()).env("ANTHROPIC_API_KEY", "sk-ant-test");
    let output = command.args(["act", "log-why", "area.py"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("+    log.debug('area')"), "{output:?}");
}
