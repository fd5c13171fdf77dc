//! Every client that was recorded, by what it announces: what the server offers it, and what a run looks like there.
//! `tests/fixtures/clients.json` holds the announcements and the expectations.

use serde_json::{Map, Value, json};

use crate::support::{Client, ClientOptions, Sandbox};

fn clients() -> Vec<Value> {
    serde_json::from_str(include_str!("../fixtures/clients.json")).expect("the fixture is JSON")
}

/// The `initialize` request that a fixture stands for. `announces` and `denies` name what is `true` and `false` below a
/// path, `values` gives the rest, with `"1..26"` for all numbers from 1 to 26, and `empty` is announced without a word.
fn request(client: &Value) -> Value {
    let mut capabilities = json!({});
    let mut set = |path: &str, value: Value| {
        let mut place = &mut capabilities;
        for key in path.split('.') {
            place = place.as_object_mut().unwrap().entry(key).or_insert_with(|| Value::Object(Map::new()));
        }
        *place = value;
    };
    for path in client["empty"].as_array().into_iter().flatten() {
        set(path.as_str().unwrap(), json!({}));
    }
    for (list, value) in [("announces", true), ("denies", false)] {
        for (parent, names) in client[list].as_object().into_iter().flatten() {
            for name in names.as_str().unwrap().split(' ') {
                set(&format!("{parent}.{name}"), json!(value));
            }
        }
    }
    for (path, value) in client["values"].as_object().into_iter().flatten() {
        let span = value.as_str().and_then(|value| value.split_once(".."));
        let span = span.and_then(|(from, to)| Some((from.parse::<u32>().ok()?, to.parse::<u32>().ok()?)));
        set(path, span.map_or_else(|| value.clone(), |(from, to)| (from..=to).map(Value::from).collect()));
    }
    let mut params = json!({"capabilities": capabilities});
    if let Some(info) = client["info"].as_array() {
        params["clientInfo"] = json!({"name": info[0], "version": info[1]});
    }
    for (from, to) in
        [("options", "initializationOptions"), ("token", "workDoneToken"), ("trace", "trace"), ("locale", "locale")]
    {
        if let Some(value) = client.get(from) {
            params[to] = value.clone();
        }
    }
    // The client fills in its own root in the forms that are not ruled out here.
    for form in ["workspaceFolders", "rootUri"] {
        if client["root"].as_array().is_some_and(|forms| !forms.contains(&json!(form))) {
            params[form] = Value::Null;
        }
    }
    params
}

fn start(sandbox: &Sandbox, client: &Value) -> Client {
    Client::start(sandbox, ClientOptions { initialize: request(client), ..ClientOptions::default() })
}

#[test]
fn every_client_is_offered_what_it_can_use() {
    for fixture in clients() {
        let (name, expects) = (&fixture["name"], &fixture["expects"]);
        let sandbox = Sandbox::new();
        let client = start(&sandbox, &fixture);
        let offer = &client.initialized["capabilities"];
        assert_eq!(client.initialized["serverInfo"], json!({"name": "aside", "version": env!("CARGO_PKG_VERSION")}));
        assert_eq!(offer["positionEncoding"], expects["encoding"], "{name}");
        let sync = &offer["textDocumentSync"];
        assert_eq!(sync["openClose"], true, "{name}");
        assert_eq!(sync["change"], 2, "incremental changes: {name}");
        assert_eq!(offer["hoverProvider"], true, "{name}");
        let provider = &offer["codeActionProvider"];
        assert!(provider.get("resolveProvider").is_none(), "nothing to resolve: {name}");
        let mut kinds: Vec<_> =
            provider["codeActionKinds"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
        kinds.sort_unstable();
        assert_eq!(
            kinds,
            [
                "quickfix.aside",
                "quickfix.aside.finding",
                "quickfix.aside.fix",
                "refactor.aside",
                "refactor.aside.ask",
                "refactor.aside.cancel",
                "refactor.aside.explain",
                "refactor.aside.followUp",
                "refactor.aside.image",
                "refactor.aside.review",
                "refactor.aside.tests",
                "refactor.rewrite.aside",
                "refactor.rewrite.aside.document",
                "refactor.rewrite.aside.implement",
                "refactor.rewrite.aside.simplify",
                "refactor.rewrite.aside.typeHints",
            ],
            "{name}"
        );
        let commands = offer["executeCommandProvider"]["commands"].as_array().unwrap();
        for command in ["run", "cancel", "usage", "showExplanation", "followUp", "accept", "reject"]
            .map(|it| format!("aside.{it}"))
        {
            assert!(commands.contains(&json!(command)), "{command} is listed: {name}");
        }
        // A virtual document is offered only to clients that know such things.
        let content = offer["workspace"]["textDocumentContent"].is_object();
        assert_eq!(content, expects["explanation"] == "virtual", "{name}");
    }
}

#[test]
fn every_client_can_be_explained_something() {
    for fixture in clients() {
        let (name, expects) = (&fixture["name"], &fixture["expects"]);
        let sandbox = Sandbox::new();
        let text = sandbox.example("inventory.py");
        let mut client = start(&sandbox, &fixture);
        let uri = sandbox.uri("inventory.py");
        client.open(&uri, "python", &text);
        let start = text.find("def parse_price").unwrap();
        let result = client.run_to_end("explain", &uri, start..start + 200);
        assert_eq!(result["outcome"], "shown", "{name}: {result}");
        match expects["explanation"].as_str().unwrap() {
            "message" => {
                let message = client.next("window/showMessage");
                assert!(message["message"].as_str().unwrap().contains(".md"), "{name}: {message}");
            }
            form => {
                let shown = client.next("window/showDocument")["uri"].as_str().unwrap().to_owned();
                let scheme = if form == "virtual" { "aside-explain:" } else { "file:" };
                assert!(shown.starts_with(scheme), "{name}: {shown}");
            }
        }
        assert_eq!(!client.editor().progress.is_empty(), expects["progress"] == true, "progress for {name}");
        let editor = client.editor();
        assert!(editor.stream.is_empty() && editor.status.is_empty(), "{name} did not ask for Aside's own messages");
    }
}

#[test]
fn every_client_gets_its_edit_or_can_read_it() {
    for fixture in clients() {
        let (name, expects) = (&fixture["name"], &fixture["expects"]);
        let sandbox = Sandbox::new();
        let text = sandbox.example("inventory.py");
        let mut client = start(&sandbox, &fixture);
        let uri = sandbox.uri("inventory.py");
        client.open(&uri, "python", &text);
        let start = text.find("def restock_report").unwrap();
        let result = client.run_to_end("add-type-hints", &uri, start..text.len());
        assert_eq!(result["outcome"], expects["edit"], "{name}: {result}");
        let changed = client.text(&uri) != text;
        assert_eq!(changed, expects["edit"] == "applied", "{name}");
        if expects["edit"] == "kept" {
            client.wait_for("a message that says where the answer is", |editor| {
                editor.unread.iter().find(|message| message["params"]["message"].to_string().contains(".md")).map(drop)
            });
        }
        let unread = client.read_all();
        let asked = unread.iter().any(|message| message["method"] == "workspace/applyEdit");
        assert_eq!(asked, expects["edit"] == "applied", "{name}: {unread:#?}");
    }
}

#[test]
fn every_client_gets_a_menu_in_a_form_it_knows() {
    for fixture in clients() {
        let (name, expects) = (&fixture["name"], &fixture["expects"]);
        let sandbox = Sandbox::new();
        let text = sandbox.example("inventory.py");
        let mut client = start(&sandbox, &fixture);
        let uri = sandbox.uri("inventory.py");
        client.open(&uri, "python", &text);
        let range = client.range(&uri, 0..text.len());
        let params = json!({"textDocument": {"uri": uri}, "range": range, "context": {"diagnostics": []}});
        let menu = client.request("textDocument/codeAction", params).unwrap();
        let menu = menu.as_array().unwrap();
        assert!(menu.len() >= 4, "{name}: {menu:#?}");
        for entry in menu {
            if expects["plain"] == true {
                assert_eq!(entry["command"], "aside.run", "a plain command for {name}: {entry}");
            } else {
                assert_eq!(entry["command"]["command"], "aside.run", "{name}: {entry}");
                assert!(entry.get("disabled").is_none() && entry.get("data").is_none(), "{name}: {entry}");
                assert_eq!(entry.get("tags").is_some(), expects["tags"] == true, "{name}: {entry}");
            }
        }
    }
}

#[test]
fn roots_are_found_in_all_three_forms() {
    for form in ["workspaceFolders", "rootUri", "rootPath"] {
        let sandbox = Sandbox::new();
        sandbox.write(".aside/config.toml", "model = \"claude-haiku-4-5\"\n");
        let text = sandbox.example("inventory.py");
        let mut initialize = request(&json!({}));
        let root = sandbox.uri("");
        let root = root.trim_end_matches('/');
        initialize["workspaceFolders"] = Value::Null;
        initialize["rootUri"] = Value::Null;
        match form {
            "workspaceFolders" => initialize[form] = json!([{"uri": root, "name": "w"}]),
            "rootUri" => initialize[form] = json!(root),
            _ => initialize[form] = json!(sandbox.workspace()),
        }
        let mut client = Client::start(&sandbox, ClientOptions { initialize, ..ClientOptions::default() });
        let uri = sandbox.uri("inventory.py");
        client.open(&uri, "python", &text);
        let result = client.run_to_end("explain", &uri, 0..300);
        assert_eq!(result["usage"]["model"], "claude-haiku-4-5", "the workspace's settings are read from its {form}");
        client.read_all();
    }
}
