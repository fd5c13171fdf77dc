//! What surrounds the selection reaches the API, and what may not be read does not.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::http::Recorder;
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const MAIN: &str = "from shop.prices import parse_price\nfrom shop.secrets_of_others import token\n\n\n\
                    def total(rows):\n    return sum(parse_price(row) for row in rows) + token()\n\n\n\
                    def nightly():\n    print(total([\"1\"]))\n";
const PRICES: &str = "def parse_price(text):\n    \"\"\"A price in cents.\"\"\"\n    return int(float(text) * 100)\n";

struct Fixture {
    // Dropped in this order: whoever talks goes before whoever answers.
    recorder: Recorder,
    _simulator: Simulator,
    sandbox: Sandbox,
}

fn start() -> Fixture {
    let sandbox = Sandbox::new();
    sandbox.write(".git/HEAD", "");
    sandbox.write("shop/__init__.py", "");
    sandbox.write("shop/main.py", MAIN);
    sandbox.write("shop/prices.py", PRICES);
    sandbox.write("shop/secrets_of_others.py", "def token():\n    return 'hush'\n");
    sandbox.configure("[privacy]\nexclude = [\"secrets_of_*\"]\n");
    let simulator = Simulator::start(&sandbox, None, None);
    let recorder = Recorder::start(&simulator.url);
    Fixture { recorder, _simulator: simulator, sandbox }
}

fn act(fixture: &Fixture, arguments: &[&str]) -> Output {
    let mut command = fixture.sandbox.aside();
    command.env("ANTHROPIC_BASE_URL", fixture.recorder.url.as_str()).env("ANTHROPIC_API_KEY", "test");
    let output = command.arg("act").args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The text of all blocks of the last message.
fn prompt(request: &Value) -> String {
    let blocks = request["messages"][0]["content"].as_array().unwrap();
    blocks.iter().map(|block| block["text"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_definition_from_another_file_is_sent_and_what_is_excluded_is_not() {
    let fixture = start();
    act(&fixture, &["explain", "shop/main.py:5"]);
    let sent = prompt(&fixture.recorder.exchanges(1)[0].request);
    let definition = format!(
        "<definition name=\"parse_price\" path=\"shop/prices.py\" lines=\"1-3\">\n{}\n</definition>",
        PRICES.trim_end()
    );
    assert!(sent.contains(&definition), "{sent}");
    assert!(sent.contains("<caller name=\"nightly\" path=\"shop/main.py\" lines=\"10-10\">"), "{sent}");
    assert!(!sent.contains("hush"), "{sent}");
    // Behind the document, so that the document's cache entry serves other selections too.
    assert!(sent.find("</document>").unwrap() < sent.find("<definition ").unwrap(), "{sent}");
    fixture.sandbox.configure("[context]\nmax_tokens = 0\n");
    act(&fixture, &["explain", "shop/main.py:5"]);
    let sent = prompt(&fixture.recorder.exchanges(2)[1].request);
    assert!(!sent.contains("<definition ") && !sent.contains("<caller "), "{sent}");
}

#[test]
fn the_menu_hands_on_what_other_servers_say() {
    let fixture = start();
    let mut client = Client::start(&fixture.sandbox, ClientOptions::with_api(fixture.recorder.url.as_str()));
    let uri = fixture.sandbox.uri("shop/main.py");
    client.open(&uri, "python", MAIN);
    let start = MAIN.find("def total").unwrap();
    let range = client.range(&uri, start..MAIN.find("\n\n\ndef nightly").unwrap());
    let complaint = json!({
        "range": client.range(&uri, MAIN.find("sum(").unwrap()..MAIN.find("sum(").unwrap() + 3),
        "severity": 2, "source": "pyright", "code": "reportAny", "message": "`sum` of what?", "data": {"big": "x"},
    });
    let elsewhere = json!({"range": client.range(&uri, 0..4), "severity": 1, "message": "not about the selection"});
    let context = json!({"diagnostics": [complaint, elsewhere], "only": ["refactor.aside"]});
    let params = json!({"textDocument": {"uri": uri}, "range": range, "context": context});
    let menu = client.request("textDocument/codeAction", params).unwrap();
    let explain = menu.as_array().unwrap().iter().find(|action| action["kind"] == "refactor.aside.explain").unwrap();
    let mut argument = explain["command"]["arguments"][0].clone();
    assert!(argument["diagnostics"][0].get("data").is_none(), "{argument}");
    argument["wait"] = json!(true);
    client.execute("aside.run", argument).unwrap();
    let sent = prompt(&fixture.recorder.exchanges(1)[0].request);
    let quoted =
        "<diagnostic path=\"shop/main.py\" lines=\"6-6\">\nwarning, pyright(reportAny): `sum` of what?\n</diagnostic>";
    assert!(sent.contains(quoted), "{sent}");
    assert!(!sent.contains("not about the selection"), "{sent}");
}

#[test]
fn an_open_document_counts_as_the_editor_has_it() {
    let fixture = start();
    let mut client = Client::start(&fixture.sandbox, ClientOptions::with_api(fixture.recorder.url.as_str()));
    let (main, prices) = (fixture.sandbox.uri("shop/main.py"), fixture.sandbox.uri("shop/prices.py"));
    client.open(&main, "python", MAIN);
    client.open(&prices, "python", &PRICES.replace("cents", "pennies"));
    let start = MAIN.find("def total").unwrap();
    client.run_to_end("explain", &main, start..MAIN.find("\n\n\ndef nightly").unwrap());
    let sent = prompt(&fixture.recorder.exchanges(1)[0].request);
    assert!(sent.contains("A price in pennies."), "{sent}");
}
