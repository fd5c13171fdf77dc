//! What goes over the wire to the API, for every action, several languages and all ways to configure a request. The
//! simulator refuses what the API refuses; the records also go to a judge outside, when there is one.

use serde_json::{Value, json};

use crate::support::http::{Exchange, Recorder};
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const RUST: &str = "pub fn add(a: u32, b: u32) -> u32 {\n    a + b\n}\n";
const GO: &str = "package shop\n\nfunc Total(prices []float64) float64 {\n\tsum := 0.0\n\tfor _, p := range prices {\n\t\t\
                  sum += p\n\t}\n\treturn sum\n}\n";

/// Runs each of `actions` on the whole of a file and gives what was said to the API.
fn exchanges(config: &str, name: &str, language: &str, text: &str, actions: &[&str]) -> Vec<Exchange> {
    let sandbox = Sandbox::new();
    sandbox.configure(config);
    sandbox.write(name, text);
    let simulator = Simulator::start(&sandbox, None, None);
    let recorder = Recorder::start(&simulator.url);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(recorder.url.as_str()));
    let uri = sandbox.uri(name);
    client.open(&uri, language, text);
    for action in actions {
        let result = client.run_to_end(action, &uri, 0..text.len());
        assert!(
            ["shown", "applied"].contains(&result["outcome"].as_str().unwrap()),
            "{config} {name} {action}: {result}"
        );
        client.read_all();
        // Each action starts from the same text.
        client.close_document(&uri);
        client.open(&uri, language, text);
    }
    drop(client);
    recorder.exchanges(actions.len()).into_iter().filter(|exchange| exchange.target == "POST /v1/messages").collect()
}

fn breakpoints(request: &Value) -> usize {
    request.to_string().matches("\"cache_control\"").count()
}

#[test]
fn every_action_in_every_language_is_accepted() {
    let cart = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/cart.js")).unwrap();
    let inventory = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/inventory.py")).unwrap();
    for (name, language, text, actions) in [
        ("inventory.py", "python", inventory.as_str(), &["explain", "add-type-hints", "document", "write-tests"][..]),
        ("cart.js", "javascript", &cart, &["explain", "document", "write-tests"]),
        ("add.rs", "rust", RUST, &["explain", "document", "write-tests"]),
        ("shop.go", "go", GO, &["explain", "document", "write-tests"]),
        ("notes.txt", "plaintext", "Some words, no code.\n", &["explain"]),
    ] {
        let all = exchanges("", name, language, text, actions);
        assert_eq!(all.len(), actions.len(), "one request an action: {name}");
        let system = &all[0].request["system"];
        for exchange in &all {
            assert_eq!(exchange.status, 200, "{name}: {:?}", exchange.response);
            let request = &exchange.request;
            assert_eq!(&request["system"], system, "all actions share one system prompt: {name}");
            assert_eq!(request["stream"], true);
            assert_eq!(request["model"], "claude-sonnet-5-5");
            assert!((1..=4).contains(&breakpoints(request)), "{name}: {} breakpoints", breakpoints(request));
            for gone in ["temperature", "top_p", "top_k", "tools", "tool_choice"] {
                assert!(request.get(gone).is_none(), "{gone} was not asked for: {name}");
            }
            let roles: Vec<_> = request["messages"].as_array().unwrap().iter().map(|turn| &turn["role"]).collect();
            assert_eq!(roles, ["user"], "no prefill: {name}");
        }
    }
}

#[test]
fn every_kind_of_model_is_asked_in_its_own_way() {
    for (config, expected) in [
        ("model = \"claude-fable-5-2\"\n", json!({})),
        ("model = \"claude-opus-5-5\"\n[thinking]\neffort = \"low\"\n", json!({"output_config": {"effort": "low"}})),
        ("model = \"claude-haiku-5-5\"\n", json!({})),
        (
            "model = \"claude-sonnet-4-5\"\n[thinking]\nbudget_tokens = 2048\n",
            json!({"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        ),
        ("model = \"claude-haiku-4-5\"\nmax_output_tokens = 900\n", json!({"max_tokens": 900})),
        ("model = \"claude-opus-4-7\"\n", json!({})),
    ] {
        let all = exchanges(config, "add.rs", "rust", RUST, &["explain"]);
        assert_eq!(all[0].status, 200, "{config}: {:?}", all[0].response);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&all[0].request[key], value, "{config}");
        }
    }
}

#[test]
fn the_cache_is_used_as_configured() {
    let inventory = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/inventory.py")).unwrap();
    let request =
        |config: &str| exchanges(config, "inventory.py", "python", &inventory, &["explain"]).remove(0).request;
    let off = request("[cache]\nlayout = \"off\"\n");
    assert_eq!(breakpoints(&off), 0, "{off}");
    let hour = request("[cache]\nttl = \"1h\"\n").to_string();
    assert!(hour.contains("\"ttl\":\"1h\"") && !hour.contains("\"ttl\":\"5m\""), "{hour}");
    let short = request("[cache]\nttl = \"5m\"\n").to_string();
    assert!(!short.contains("\"ttl\":\"1h\""), "{short}");
}

#[test]
fn the_same_thing_is_sent_in_the_same_bytes() {
    let twice = exchanges("", "add.rs", "rust", RUST, &["explain", "explain"]);
    assert_eq!(twice[0].body, twice[1].body, "two equal requests are byte-equal");
    let elsewhere = exchanges("", "add.rs", "rust", RUST, &["explain"]);
    assert_eq!(twice[0].body, elsewhere[0].body, "in another folder, process and minute, too");
}

#[test]
fn rules_of_the_project_come_before_the_document() {
    let sandbox = Sandbox::new();
    sandbox.write("AGENTS.md", "Always say please in comments.\n");
    sandbox.write("sub/one.py", "def one():\n    return 1\n");
    let simulator = Simulator::start(&sandbox, None, None);
    let recorder = Recorder::start(&simulator.url);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(recorder.url.as_str()));
    let uri = sandbox.uri("sub/one.py");
    client.open(&uri, "python", "def one():\n    return 1\n");
    client.run_to_end("explain", &uri, 0..24);
    client.read_all();
    drop(client);
    let body = recorder.exchanges(1).last().unwrap().body.clone();
    let at = |what: &str| body.find(what).unwrap_or_else(|| panic!("{what} in {body}"));
    assert!(at("Always say please") < at("def one():"), "{body}");
    assert!(!body.contains(sandbox.path("").to_str().unwrap()), "no path of this machine: {body}");
}

#[test]
fn gateways_with_a_path_tokens_and_headers_of_their_own() {
    let sandbox = Sandbox::new();
    sandbox.write("add.rs", RUST);
    let simulator = Simulator::start(&sandbox, None, None);
    let recorder = Recorder::start(&simulator.url);
    let mut options = ClientOptions::with_api(&format!("{}gateway/", recorder.url));
    options.environment = vec![
        ("ANTHROPIC_BASE_URL".into(), format!("{}gateway/", recorder.url)),
        ("ANTHROPIC_AUTH_TOKEN".into(), "the-token".into()),
        ("ANTHROPIC_CUSTOM_HEADERS".into(), "X-Team: tools\nX-Cost-Center: 42".into()),
    ];
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("add.rs");
    client.open(&uri, "rust", RUST);
    client.run_to_end("explain", &uri, 0..RUST.len());
    client.read_all();
    drop(client);
    let all = recorder.exchanges(1);
    let exchange = all.iter().find(|exchange| exchange.target.ends_with("/messages")).expect("it was asked");
    assert_eq!(exchange.target, "POST /gateway/v1/messages");
    let header = |line: &str| exchange.headers.iter().any(|header| header.eq_ignore_ascii_case(line));
    assert!(header("authorization: Bearer the-token"), "{:?}", exchange.headers);
    assert!(header("x-team: tools") && header("x-cost-center: 42"), "{:?}", exchange.headers);
    assert!(header("anthropic-version: 2023-06-01"), "{:?}", exchange.headers);
    assert!(
        !exchange.headers.iter().any(|line| line.to_lowercase().starts_with("x-api-key")),
        "{:?}",
        exchange.headers
    );
}
