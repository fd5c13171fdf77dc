//! Actions above functions, for those who ask for them.

use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox};

const PYTHON: &str = "class A:\n    # Adds.\n    @once\n    def μ(self):\n        def inner():\n            pass\n\n\ndef b():\n    pass\n";

fn lenses(client: &mut Client, uri: &str) -> Vec<(u64, String, Value)> {
    let answer = client.request("textDocument/codeLens", json!({"textDocument": {"uri": uri}})).expect("lenses");
    let lenses = answer.as_array().expect("a list").iter();
    let lens = |lens: &Value| {
        let command = &lens["command"];
        let title = command["title"].as_str().unwrap().to_owned();
        (lens["range"]["start"]["line"].as_u64().unwrap(), title, command["arguments"][0].clone())
    };
    lenses.map(lens).collect()
}

#[test]
fn functions_get_the_actions_that_the_settings_name_and_only_then() {
    let sandbox = Sandbox::new();
    let options = ClientOptions::default()
        .announce("textDocument/codeLens", json!({}))
        .announce("workspace/codeLens", json!({"refreshSupport": true}));
    let mut client = Client::start(&sandbox, options);
    assert!(client.initialized["capabilities"]["codeLensProvider"].is_object());
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", PYTHON);
    assert_eq!(lenses(&mut client, &uri), []);

    let settings =
        json!({"codeLens": ["write-tests", "explain", "unheard"], "actions": {"write-tests": {"enabled": true}}});
    client.notify("workspace/didChangeConfiguration", json!({"settings": {"aside": settings}}));
    client.next("workspace/codeLens/refresh");
    let found = lenses(&mut client, &uri);
    let shown: Vec<_> = found.iter().map(|(line, title, _)| (*line, title.as_str())).collect();
    assert_eq!(shown, [(3, "Write tests"), (3, "Explain"), (8, "Write tests"), (8, "Explain")]);
    let (_, _, argument) = &found[1];
    assert_eq!((&argument["action"], &argument["version"]), (&json!("explain"), &json!(1)));
    assert_eq!(argument["range"]["start"]["line"], 1, "with what is attached to it: {argument}");
    let job = client.execute("aside.run", argument.clone()).expect("the lens's own command works");
    assert_eq!(client.stream_end(job["job"].as_str().unwrap())["outcome"], "shown");
    client.read_all();
}

#[test]
fn who_knows_no_lenses_is_offered_none() {
    let sandbox = Sandbox::new();
    let client = Client::start(&sandbox, ClientOptions::default());
    assert!(client.initialized["capabilities"].get("codeLensProvider").is_none());
}
