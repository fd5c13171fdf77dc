//! `describe-image`: from a link to a picture to its alternative text.

use std::io::Cursor;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::http::Recorder;
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::RgbImage::new(width, height).write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    bytes
}

fn offered(client: &mut Client, uri: &str, at: usize) -> Vec<Value> {
    let range = client.range(uri, at..at);
    let params =
        json!({"textDocument": {"uri": uri}, "range": range, "context": {"diagnostics": [], "triggerKind": 1}});
    let menu = client.request("textDocument/codeAction", params).expect("code actions");
    menu.as_array().unwrap().iter().filter(|action| action["kind"] == "refactor.aside.image").cloned().collect()
}

#[test]
fn a_link_gets_its_alternative_text_from_the_menu() {
    let sandbox = Sandbox::new();
    sandbox.write("docs/img/chart one.png", png(64, 32));
    for (name, language, text, expected) in [
        (
            "docs/a.md",
            "markdown",
            "# Sales\n\nSee ![old](img/chart%20one.png \"2026\") and more.\n",
            "# Sales\n\nSee ![Simulated: a PNG picture of 64 by 32 pixels](img/chart%20one.png \"2026\") and more.\n",
        ),
        (
            "docs/a.html",
            "html",
            "<p>\n  <img class=\"wide\"\n       src=\"img/chart one.png\">\n</p>\n",
            "<p>\n  <img class=\"wide\"\n       src=\"img/chart one.png\" alt=\"Simulated: a PNG picture of 64 by 32 pixels\">\n</p>\n",
        ),
        (
            "site.html",
            "html",
            "<IMG alt='' src='/docs/img/chart one.png'/>\n",
            "<IMG alt='Simulated: a PNG picture of 64 by 32 pixels' src='/docs/img/chart one.png'/>\n",
        ),
        (
            "docs/a.ipynb",
            "json",
            "{\"cells\": [{\"source\": [\"![old](img/chart%20one.png)\\n\"]}]}\n",
            "{\"cells\": [{\"source\": [\"![Simulated: a PNG picture of 64 by 32 pixels](img/chart%20one.png)\\n\"]}]}\n",
        ),
    ] {
        let mut client = Client::start(&sandbox, ClientOptions::default());
        let uri = sandbox.uri(name);
        client.open(&uri, language, text);
        let menu = offered(&mut client, &uri, text.find("chart").unwrap());
        assert_eq!(menu.len(), 1, "{name}");
        let mut argument = menu[0]["command"]["arguments"][0].clone();
        argument["wait"] = json!(true);
        let report = client.execute("aside.run", argument).expect("it runs");
        assert_eq!(report["outcome"], "applied", "{report}");
        assert_eq!(report["model"], "claude-haiku-5-5", "the fast model is enough: {report}");
        assert_eq!(client.text(&uri), expected, "{name}");
        let title = client.ended_progress(1)[0].begin.as_ref().unwrap()["title"].as_str().unwrap().to_owned();
        assert_eq!(
            title,
            "Describe image `chart%20one.png`".replace("%20", if name.ends_with("html") { " " } else { "%20" })
        );
        client.read_all();
    }
}

#[test]
fn it_is_offered_on_links_to_pictures_only() {
    let sandbox = Sandbox::new();
    let mut client = Client::start(&sandbox, ClientOptions::default());
    for (name, language, text, expected) in [
        ("a.md", "markdown", "![a](a.png)", 1),
        ("b.md", "markdown", "![a](https://example.com/a)", 1),
        ("c.md", "markdown", "[a](a.png)", 0),
        ("d.md", "markdown", "![a](a.svg)", 0),
        ("a.css", "css", "a { background: url(a.png) }", 1),
        ("b.css", "css", "@font-face { src: url(a.woff2) }", 0),
        ("a.py", "python", "x = '![a](a.png)'", 0),
    ] {
        let uri = sandbox.uri(name);
        client.open(&uri, language, text);
        assert_eq!(offered(&mut client, &uri, text.find('a').unwrap()).len(), expected, "{text}");
    }
}

#[test]
fn a_style_sheet_gets_a_description_to_read() {
    let sandbox = Sandbox::new();
    sandbox.write("a.png", png(20, 10));
    let text = "body {\n  background: url(\"a.png\");\n}\n";
    let mut client = Client::start(&sandbox, ClientOptions::default());
    let uri = sandbox.uri("a.css");
    client.open(&uri, "css", text);
    let at = text.find("url").unwrap();
    let report = client.run_to_end("describe-image", &uri, at..at);
    assert_eq!(report["outcome"], "shown", "{report}");
    assert!(report["explanation"].as_str().unwrap().contains("a PNG picture of 20 by 10 pixels"), "{report}");
    assert_eq!(client.text(&uri), text);
    client.read_all();
}

struct Terminal {
    recorder: Recorder,
    _simulator: Simulator,
    sandbox: Sandbox,
}

impl Terminal {
    fn new(scenario: Option<&str>) -> Self {
        let sandbox = Sandbox::new();
        sandbox.write(".git/HEAD", "");
        let simulator = Simulator::start(&sandbox, scenario, None);
        let recorder = Recorder::start(&simulator.url);
        Self { recorder, _simulator: simulator, sandbox }
    }

    fn act(&self, arguments: &[&str]) -> Output {
        let mut command = self.sandbox.aside();
        command.env("ANTHROPIC_BASE_URL", self.recorder.url.as_str()).env("ANTHROPIC_API_KEY", "test");
        command.args(["act", "describe-image"]).args(arguments).output().unwrap()
    }
}

#[test]
fn the_picture_goes_in_front_of_its_text_and_no_larger_than_it_is_looked_at() {
    let terminal = Terminal::new(None);
    terminal.sandbox.write("large.png", png(4000, 2000));
    terminal.sandbox.write("a.md", "# Two\n\n![](large.png)\n\n![](https://example.com/a.png)\n");
    let output = terminal.act(&["a.md:3"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let diff = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(diff.contains("+![Simulated: a JPEG picture of 1568 by 784 pixels](large.png)"), "{diff}");
    let output = terminal.act(&["a.md:5"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let exchanges = terminal.recorder.exchanges(2);
    for (exchange, source) in exchanges.iter().zip(["base64", "url"]) {
        let content = exchange.request["messages"][0]["content"].as_array().unwrap();
        assert_eq!((&content[0]["type"], &content[0]["source"]["type"]), (&json!("image"), &json!(source)));
        assert!(content[1..].iter().all(|block| block["type"] == "text"), "{content:?}");
        let sent = exchange.body.as_str();
        assert!(content[1]["text"].as_str().unwrap().contains("# Two"), "what stands around it goes along");
        assert!(!sent.contains("cache_control"), "nothing of it is shared");
        assert_eq!(exchange.request["model"], "claude-haiku-5-5");
    }
    assert_eq!(exchanges[1].request["messages"][0]["content"][0]["source"]["url"], "https://example.com/a.png");
    let dry = terminal.act(&["a.md:3", "--dry-run"]);
    let text = String::from_utf8_lossy(&dry.stdout).into_owned();
    assert!(text.contains("a PNG picture of 4000 by 2000 pixels, sent with 1568 by 784"), "{text}");
    assert_eq!(terminal.recorder.exchanges(2).len(), 2, "a dry run sends nothing");
}

#[test]
fn what_cannot_be_looked_at_says_why_and_nothing_is_sent() {
    let terminal = Terminal::new(None);
    let sandbox = &terminal.sandbox;
    sandbox.write("words.png", "no picture at all");
    sandbox.write("drawing.png", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    sandbox.write("ignored.png", png(1, 1));
    sandbox.write(".gitignore", "ignored.png\n");
    sandbox.write("../outside.png", png(1, 1));
    sandbox.write("folder.png/x", "");
    std::fs::File::create(sandbox.workspace().join("huge.png")).unwrap().set_len(40 * 1024 * 1024).unwrap();
    let mut rows = vec![
        ("words.png", "words.png is no picture", 2),
        ("drawing.png", "SVG", 2),
        ("missing.png", "missing.png is not there", 2),
        ("folder.png", "is no file", 2),
        ("huge.png", "too large: 40 MB", 2),
        ("ignored.png", "excluded", 1),
        ("../outside.png", "out of the workspace", 1),
        ("file:///etc/hostname", "out of the workspace", 1),
        ("http://example.com/a.png", "https", 2),
        ("ftp://example.com/a.png", "`ftp:`", 2),
        ("data:image/png;base64,AAAA", "in the text itself", 2),
        ("attachment:a.png", "inside of the notebook", 2),
    ];
    if cfg!(unix) {
        std::os::unix::fs::symlink("../outside.png", sandbox.workspace().join("link.png")).unwrap();
        rows.push(("link.png", "out of the workspace", 1));
    }
    for (target, word, code) in rows {
        sandbox.write("a.md", format!("![]({target})\n"));
        let output = terminal.act(&["a.md:1"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(word), "{target}: {said}");
        assert_eq!(output.status.code(), Some(code), "{target}: {said}");
    }
    sandbox.write("a.md", "No picture.\n");
    let output = terminal.act(&["a.md:1"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no picture at this place"), "{output:?}");
    assert_eq!(terminal.recorder.exchanges(0).len(), 0);
}

#[test]
fn an_answer_that_is_no_alternative_text_is_asked_for_again_once() {
    let long = "very ".repeat(200);
    let good = "```text\nA [red] cat\n```";
    for (first, second, expected) in [
        ("A cat.".to_owned(), good, Some("![A \\[red\\] cat](a.png)")),
        (format!("```text\n{long}\n```"), good, Some("![A \\[red\\] cat](a.png)")),
        ("A cat.".to_owned(), "Really, a cat.", None),
    ] {
        let scenario = format!("[[step]]\nanswer = {}\n\n[[step]]\nanswer = {}\n", json!(first), json!(second));
        let terminal = Terminal::new(Some(&scenario));
        terminal.sandbox.write("a.png", png(2, 2));
        terminal.sandbox.write("a.md", "![](a.png)\n");
        let output = terminal.act(&["a.md:1", "--json", "--write"]);
        let said: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert_eq!(terminal.recorder.exchanges(2).len(), 2);
        if let Some(link) = expected {
            assert_eq!(terminal.sandbox.read("a.md"), format!("{link}\n"), "{said}");
        } else {
            assert_eq!(said["error"]["kind"], "bad_answer", "{said}");
            assert!(said["explanation"].as_str().unwrap().contains("Really, a cat."), "it can be read: {said}");
            assert_eq!(terminal.sandbox.read("a.md"), "![](a.png)\n");
        }
    }
}
