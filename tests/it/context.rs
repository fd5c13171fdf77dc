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
    command.arg("act").args(arguments).output().unwrap()
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
fn a_dry_run_prints_the_very_bytes_that_are_sent() {
    let fixture = start();
    for action in ["explain", "add-type-hints", "document", "write-tests"] {
        let dry =
            act(&fixture, &[action, "shop/main.py:5", "--dry-run", "--json", "--prompt", "Only € and \"quotes\"."]);
        assert_eq!(dry.status.code(), Some(0), "{}", String::from_utf8_lossy(&dry.stderr));
        let before = fixture.recorder.exchanges(0).len();
        act(&fixture, &[action, "shop/main.py:5", "--json", "--prompt", "Only € and \"quotes\"."]);
        let exchange = &fixture.recorder.exchanges(before + 1)[before];
        let printed = String::from_utf8(dry.stdout).unwrap();
        assert!(printed.contains(&exchange.body), "{action}: {printed}\nis not\n{}", exchange.body);
        let described: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(described["request"], exchange.request, "{action}");
        let layers = described["layers"].as_array().unwrap();
        let estimates: u64 = layers.iter().map(|layer| layer["estimatedTokens"].as_u64().unwrap()).sum();
        assert_eq!(described["estimatedInputTokens"], estimates, "{described}");
        assert!(described["inputUsd"]["warm"].as_f64() < described["inputUsd"]["cold"].as_f64(), "{described}");
        assert_eq!(described["action"], action);
    }
}

#[test]
fn a_dry_run_of_a_conversation_prints_the_very_bytes_that_are_sent() {
    const USED: [&str; 2] = ["--prompt", "Where is parse_price defined?"];
    let turns: [(&[&str], &[&str]); 7] = [
        (&["explain", "shop/main.py:5"], &[]),
        (&["follow-up"], &USED),
        (&["follow-up"], &["--prompt", "Why?"]),
        (&["explain", "shop/main.py:9"], &[]),
        (&["ask", "shop/main.py:5"], &USED),
        (&["review", "shop/main.py:5"], &[]),
        (&["follow-up"], &["--prompt", "Is it that bad?"]),
    ];
    for settings in ["", "[cache]\ndiagnostics = true\n"] {
        let fixture = start();
        fixture.sandbox.configure(settings);
        for (what, prompt) in turns {
            let arguments = [what, prompt].concat();
            let dry = |more: &[&str]| {
                let output = act(&fixture, &[&arguments, more].concat());
                assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
                String::from_utf8(output.stdout).unwrap()
            };
            let (printed, shown) = (dry(&["--dry-run", "--json"]), dry(&["--dry-run"]));
            let before = fixture.recorder.exchanges(0).len();
            dry(&[]);
            let sent = fixture.recorder.exchanges(before + 1).split_off(before);
            let first = sent.iter().find(|one| one.target == "POST /v1/messages").expect("it is asked");
            assert!(printed.contains(&first.body), "{settings} {arguments:?}: {printed}\nis not\n{}", first.body);
            is_shown(&shown, &first.request);
        }
    }
}

#[test]
fn a_dry_run_for_people_shows_every_block_and_every_breakpoint() {
    let fixture = start();
    let output = act(&fixture, &["explain", "shop/main.py:5", "--dry-run"]);
    assert_eq!(fixture.recorder.exchanges(0).len(), 0, "nothing is sent");
    let text = String::from_utf8(output.stdout).unwrap();
    act(&fixture, &["explain", "shop/main.py:5"]);
    assert!(is_shown(&text, &fixture.recorder.exchanges(1)[0].request) > 0, "{text}");
    assert!(text.contains("kept 5 minutes") && text.contains("while the cache is warm"), "{text}");
}

/// Looks for every block of a request in what people are shown, in its order, and for its breakpoints, which are counted.
fn is_shown(text: &str, request: &Value) -> usize {
    let of = |blocks: &Value| blocks.as_array().into_iter().flatten().cloned().collect::<Vec<_>>();
    let said = request["messages"].as_array().unwrap().iter().flat_map(|message| of(&message["content"]));
    let (mut at, mut breakpoints) = (0, 0);
    for mut block in of(&request["tools"]).into_iter().chain(of(&request["system"])).chain(said) {
        let life = block.as_object_mut().unwrap().shift_remove("cache_control");
        let said = block["text"].as_str().map_or_else(|| block.to_string(), str::to_owned);
        let found = text[at..].find(&said).unwrap_or_else(|| panic!("{said}\nis not behind byte {at} of\n{text}"));
        at += found + said.len();
        breakpoints += usize::from(life.is_some());
        let mark = format!("\n══ breakpoint {breakpoints}: ");
        assert_eq!(text[at..].starts_with(&mark), life.is_some(), "{}", &text[at..]);
        at += if life.is_some() { mark.len() } else { 0 };
    }
    assert!(!text[at..].contains("══ breakpoint"), "{}", &text[at..]);
    breakpoints
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
    client.read_all();
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
    client.read_all();
    let sent = prompt(&fixture.recorder.exchanges(1)[0].request);
    assert!(sent.contains("A price in pennies."), "{sent}");
}

/// All input tokens that a result reports.
fn input_tokens(result: &Value) -> u64 {
    ["inputTokens", "cacheReadTokens", "cacheWriteTokens"]
        .iter()
        .map(|kind| result["usage"][kind].as_u64().unwrap())
        .sum()
}

#[test]
fn estimates_learn_from_answers_also_for_later_processes() {
    let fixture = start();
    let dry = || -> u64 {
        let output = act(&fixture, &["explain", "shop/main.py:5", "--dry-run", "--json"]);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["estimatedInputTokens"].as_u64().unwrap()
    };
    let mut reported = 0;
    for _ in 0..3 {
        let output = act(&fixture, &["explain", "shop/main.py:5", "--json"]);
        reported = input_tokens(&serde_json::from_slice(&output.stdout).unwrap());
    }
    assert!(fixture.sandbox.path("cache/aside/estimates.json").exists());
    let estimated = dry();
    assert!(estimated.abs_diff(reported) * 100 <= reported * 2, "{estimated} instead of {reported}");
}

#[test]
fn tokens_are_counted_only_near_the_limit() {
    let fixture = start();
    fixture.sandbox.configure("model = \"claude-haiku-4-5\"\n");
    let limit = 200_000 - 16_000;
    let write = |lines: usize| {
        let line = |text: String, number: usize| text + &format!("value_{number} = compute({number}, \"text\")\n");
        let text: String = (0..lines).fold(String::new(), line);
        fixture.sandbox.write("large.py", text);
        let output = act(&fixture, &["explain", "large.py", "--dry-run", "--json"]);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["estimatedInputTokens"].as_u64().unwrap()
    };
    // What is beside the selection stays the same, so two sizes tell a third.
    let (few, more) = (write(9_000), write(10_000));
    let lines = 10_000 + (limit * 96 / 100 - more) * 1000 / (more - few);
    let estimated = write(usize::try_from(lines).unwrap());
    assert!(estimated > limit * 9 / 10 && estimated < limit, "{estimated}");
    let output = act(&fixture, &["explain", "large.py", "--json"]);
    let exchanges = fixture.recorder.exchanges(1);
    assert_eq!((exchanges[0].target.as_str(), exchanges[0].status), ("POST /v1/messages/count_tokens", 200));
    let fits = exchanges[0].response[0]["input_tokens"].as_u64().unwrap() <= limit;
    assert_eq!(output.status.code(), Some(i32::from(!fits)), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(fixture.recorder.exchanges(1 + usize::from(fits)).len(), 1 + usize::from(fits));
    act(&fixture, &["explain", "shop/main.py:5"]);
    let last = fixture.recorder.exchanges(2 + usize::from(fits)).pop().unwrap();
    assert_eq!(last.target, "POST /v1/messages", "a small prompt is not counted");
}
