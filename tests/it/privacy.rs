//! What never leaves this machine, and what is told to nobody.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::http::Recorder;
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

/// A token that nobody has, made here so that no scanner finds it in the file.
fn token() -> String {
    format!("ghp_{}", "k7Qp2Xv9Zt4Lm8Rw3Yb6Nc1Hd5Jf0GsA2Bq4")
}

fn module() -> String {
    format!(
        "import http\n\n\ndef connect(host, retries=3):\n    token = \"{}\"\n    return http.session(host, token, retries)\n\n\nconnect(\"x\")\n",
        token()
    )
}

fn act(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    sandbox.aside().arg("act").args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What a dry run shows in place of the token.
fn placeholder(sandbox: &Sandbox) -> String {
    let text = said(&act(sandbox, &["explain", "connect.py:4", "--dry-run", "--json"]));
    assert!(!text.contains(&token()), "{text}");
    let sent = &text[text.rfind("<document").expect("the document is sent")..];
    let at = sent.find("ASIDE_SECRET_").expect("there is a placeholder");
    sent[at..].chars().take_while(|it| it.is_ascii_alphanumeric() || *it == '_').collect()
}

#[test]
fn an_edit_of_code_with_a_secret_lands_with_the_secret() {
    let sandbox = Sandbox::new();
    let text = module();
    sandbox.write("connect.py", &text);
    let placeholder = placeholder(&sandbox);
    let answer = format!(
        "```python\ndef connect(host: str, retries: int = 3) -> object:\n    token = \"{placeholder}\"\n    return http.session(host, token, retries)\n```"
    );
    let scenario = format!("[[step]]\ntimes = \"always\"\nanswer = '''{answer}'''\n");
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    let recorder = Recorder::holding(&simulator.url);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(recorder.url.as_str()));
    let uri = sandbox.uri("connect.py");
    client.open(&uri, "python", &text);
    let start = text.find("def connect").unwrap();
    let job = client.run("add-type-hints", &uri, start..text.find("\n\n\nconnect").unwrap());
    client.first_text(&job);
    // The user changes the selected text meanwhile: a merge of three texts, one of which the model never saw whole.
    let at = text.find("    return").unwrap();
    client.edit(&uri, at..at, "    # typed meanwhile\n");
    recorder.release();
    let end = client.stream_end(&job);
    assert_eq!(end["outcome"], "applied", "{end}");
    let now = client.text(&uri);
    let expected = text
        .replace("def connect(host, retries=3):", "def connect(host: str, retries: int = 3) -> object:")
        .replace("    return", "    # typed meanwhile\n    return");
    assert_eq!(now, expected);
    let streamed = crate::run::streamed_text(&client.stream(&job));
    assert!(streamed.contains(&token()) && !streamed.contains("ASIDE_SECRET_"), "{streamed}");
    for exchange in recorder.exchanges(1) {
        assert!(!exchange.body.contains(&token()) && exchange.body.contains(&placeholder), "{}", exchange.body);
    }
    client.read_all();
}

#[test]
fn what_was_kept_back_is_told_by_kind() {
    let sandbox = Sandbox::new();
    sandbox.write("connect.py", module());
    let output = act(&sandbox, &["explain", "connect.py:4", "--simulate", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["note"], "A secret was kept back (GitHub token): a placeholder stands in its place.", "{report}");
    let text = said(&act(&sandbox, &["explain", "connect.py:4", "--dry-run"]));
    assert!(text.contains("A secret was kept back (GitHub token)") && !text.contains(&token()), "{text}");
    // Only the user may have it otherwise.
    sandbox.write(".aside/config.toml", "[privacy]\nredact = false\n");
    assert!(!said(&act(&sandbox, &["explain", "connect.py:4", "--dry-run"])).contains(&token()));
    sandbox.configure("[privacy]\nredact = false\n");
    assert!(said(&act(&sandbox, &["explain", "connect.py:4", "--dry-run"])).contains(&token()));
}

#[test]
fn an_altered_placeholder_is_never_applied_in_silence() {
    let sandbox = Sandbox::new();
    let text = module();
    sandbox.write("connect.py", &text);
    let altered = placeholder(&sandbox).to_lowercase();
    let answer = format!(
        "```python\ndef connect(host: str, retries: int = 3) -> object:\n    token = \"{altered}\"\n    return http.session(host, token, retries)\n```"
    );
    let scenario = format!("[[step]]\ntimes = \"always\"\nanswer = '''{answer}'''\n");
    let simulator = Simulator::start(&sandbox, Some(&scenario), None);
    let output = sandbox
        .aside()
        .args(["act", "add-type-hints", "connect.py:4", "--write", "--json"])
        .env("ANTHROPIC_BASE_URL", simulator.url.as_str())
        .env("ANTHROPIC_API_KEY", "sk-ant-test")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["outcome"], "kept", "{report}");
    assert!(report["reason"].as_str().unwrap().contains(&altered), "{report}");
    assert!(report["note"].as_str().unwrap().contains("altered a placeholder"), "{report}");
    assert_eq!(sandbox.read("connect.py"), text);
}

#[test]
fn an_excluded_file_is_refused_with_the_reason() {
    let sandbox = Sandbox::new();
    sandbox.write(".env", "PASSWORD=x\n");
    sandbox.write("drafts/a.py", "def a():\n    pass\n");
    sandbox.write(".aside/ignore", "/drafts/\n");
    let refused = |path: &str, reason: &str| {
        let output = act(&sandbox, &["explain", path, "--simulate", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["outcome"], &report["error"]["kind"]), (&json!("failed"), &json!("excluded")), "{report}");
        assert!(report["error"]["message"].as_str().unwrap().contains(reason), "{report}");
        assert!(report["error"]["hint"].as_str().unwrap().contains("privacy.include"), "{report}");
        let dry = said(&act(&sandbox, &["explain", path, "--dry-run"]));
        assert!(dry.contains(reason) && !dry.contains("PASSWORD"), "{dry}");
    };
    refused(".env", "hold secrets");
    refused("drafts/a.py", ".aside/ignore");
    // Questions and pictures are no way around it.
    sandbox.write(".env.md", "![the keys](keys.png)\n");
    sandbox.write("keys.png", "no picture");
    for arguments in [&["ask", ".env", "--prompt", "What is in it?"][..], &["describe-image", ".env.md:1"]] {
        let output = act(&sandbox, &[arguments, &["--simulate", "--json"]].concat());
        assert!(said(&output).contains("\"excluded\""), "{arguments:?}: {}", said(&output));
    }
    // The repository's own word does not count.
    sandbox.write(".aside/config.toml", "[privacy]\ninclude = [\".env\"]\n");
    refused(".env", "hold secrets");
    sandbox.configure("[privacy]\ninclude = [\".env\", \"drafts\"]\n");
    for path in [".env", "drafts/a.py"] {
        let output = act(&sandbox, &["explain", path, "--simulate"]);
        assert_eq!(output.status.code(), Some(0), "{path}: {}", said(&output));
    }
}

#[test]
fn an_editor_is_told_why_a_file_is_not_sent() {
    let sandbox = Sandbox::new();
    let simulator = Simulator::start(&sandbox, None, None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("deploy/.env.production");
    let text = "DB_HOST=localhost\n";
    client.open(&uri, "plaintext", text);
    let job = client.run("explain", &uri, 0..text.len());
    let end = client.stream_end(&job);
    assert_eq!((&end["outcome"], &end["error"]["kind"]), (&json!("failed"), &json!("excluded")), "{end}");
    assert_eq!(simulator.account()["requests"].as_array().map(Vec::len).unwrap_or_default(), 0, "nothing was sent");
    client.read_all();
}

/// Whether a text is in any file below a folder.
fn is_in(folder: &Path, text: &str) -> Option<String> {
    for entry in std::fs::read_dir(folder).ok()?.map_while(Result::ok) {
        let path = entry.path();
        let found = if path.is_dir() {
            is_in(&path, text)
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            bytes.windows(text.len()).any(|window| window == text.as_bytes()).then(|| path.display().to_string())
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

#[test]
fn a_key_is_told_to_nobody_but_the_api() {
    let key = format!("sk-ant-api03-{}", "k7Qp2Xv9Zt4Lm8Rw3Yb6Nc1Hd5Jf0Gs".repeat(3));
    let header = "Zt4Lm8Rw3Yb6Nc1Hd5Jf0Gsk7Qp2Xv9";
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let simulator = Simulator::start(&sandbox, None, None);
    let recorder = Recorder::start(&simulator.url);
    let log = sandbox.path("aside.log");
    let mut options = ClientOptions::with_api(recorder.url.as_str());
    options.arguments =
        ["serve", "--log", log.to_str().unwrap(), "--log-level", "trace,aside=trace"].map(str::to_owned).to_vec();
    options.environment.retain(|(name, _)| name != "ANTHROPIC_API_KEY");
    options.environment.push(("ANTHROPIC_API_KEY".into(), key.clone()));
    options.environment.push(("ANTHROPIC_CUSTOM_HEADERS".into(), format!("x-team: {header}")));
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let start = text.find("def parse_price").unwrap();
    let job = client.run("explain", &uri, start..start + 200);
    assert_eq!(client.stream_end(&job)["outcome"], "shown");
    #[cfg(target_os = "linux")]
    {
        let title = std::fs::read(format!("/proc/{}/cmdline", client.process_id())).unwrap();
        assert!(!String::from_utf8_lossy(&title).contains(&key));
    }
    assert!(!client.stderr().contains(&key) && !json!(client.read_all()).to_string().contains(&key));
    drop(client);
    let exchanges = recorder.exchanges(1);
    let sent = exchanges[0].headers.join("\n");
    assert!(sent.contains(&key) && sent.contains(header), "the API has both: {sent}");
    let log = std::fs::read_to_string(&log).unwrap();
    let warning = log.lines().find(|line| line.contains("holds code, prompts and answers"));
    assert!(warning.is_some(), "{log}");
    assert!(log.contains("a request ended") && log.contains("duration_ms") && log.contains(&job), "{log}");
    assert!(log.contains("parse_price"), "contents are at trace");
    for secret in [key.as_str(), header] {
        assert!(!log.contains(secret), "in the log");
        assert_eq!(is_in(&sandbox.path(""), secret), None);
    }
}

#[test]
fn without_trace_a_log_has_no_code() {
    let sandbox = Sandbox::new();
    let text = sandbox.example("inventory.py");
    let log = sandbox.path("aside.log");
    let options = ClientOptions {
        arguments: ["serve", "--simulate", "--log", log.to_str().unwrap(), "--log-level", "debug"]
            .map(str::to_owned)
            .to_vec(),
        ..ClientOptions::default()
    };
    let mut client = Client::start(&sandbox, options);
    let uri = sandbox.uri("inventory.py");
    client.open(&uri, "python", &text);
    let start = text.find("def parse_price").unwrap();
    let job = client.run("explain", &uri, start..start + 200);
    assert_eq!(client.stream_end(&job)["outcome"], "shown");
    client.read_all();
    drop(client);
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains("the job ended") && log.contains(&job), "{log}");
    assert!(!log.contains("parse_price") && !log.contains("inventory"), "{log}");
}

#[test]
fn errors_and_reports_hold_no_key() {
    let key = format!("sk-ant-api03-{}", "k7Qp2Xv9Zt4Lm8Rw3Yb6Nc1Hd5Jf0Gs".repeat(3));
    let sandbox = Sandbox::new();
    sandbox.example("inventory.py");
    let home = sandbox.path("home").display().to_string();
    for (url, key, arguments) in [
        // Nobody is there.
        ("http://127.0.0.1:9", key.clone(), &["act", "explain", "inventory.py:75", "--json"][..]),
        ("http://127.0.0.1:9", format!("{key}\nmore"), &["act", "explain", "inventory.py:75", "--json"]),
        ("http://127.0.0.1:9", key.clone(), &["doctor"]),
        ("http://127.0.0.1:9", key.clone(), &["doctor", "--json"]),
        ("http://127.0.0.1:9", key.clone(), &["doctor", "--report"]),
        ("http://127.0.0.1:9", key.clone(), &["config", "show", "--json"]),
        ("https://user:pass@127.0.0.1", key.clone(), &["doctor"]),
    ] {
        let output = sandbox
            .aside()
            .args(arguments)
            .env("ANTHROPIC_BASE_URL", url)
            .env("ANTHROPIC_API_KEY", &key)
            .env("USER", "ghopper7")
            .output()
            .unwrap();
        let text = said(&output);
        assert!(!text.contains("k7Qp2Xv9") && !text.contains("pass@"), "{arguments:?}: {text}");
        if arguments.contains(&"--report") {
            assert!(text.starts_with("### aside "), "{text}");
            for personal in [home.as_str(), "ghopper7", sandbox.path("").to_str().unwrap()] {
                assert!(!text.contains(personal), "{personal}: {text}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_key_command_is_run_without_a_shell_and_its_key_goes_nowhere_else() {
    use std::os::unix::fs::PermissionsExt as _;
    let key = "sk-ant-api03-Lm8Rw3Yb6Nc1Hd5Jf0Gsk7Qp2Xv9Zt4";
    let sandbox = Sandbox::new();
    sandbox.example("inventory.py");
    let script = sandbox.path("home/key");
    std::fs::write(&script, format!("#!/bin/sh\n[ $# = 1 ] && [ \"$1\" = '$(id); x' ] && echo '{key}'\n")).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.configure(&format!("[api]\nkey_command = [\"{}\", \"$(id); x\"]\n", script.display()));
    let simulator = Simulator::start(&sandbox, None, None);
    let recorder = Recorder::start(&simulator.url);
    let output = sandbox
        .aside()
        .args(["act", "explain", "inventory.py:75", "--json"])
        .env("ANTHROPIC_BASE_URL", recorder.url.as_str())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!said(&output).contains(key));
    assert!(recorder.exchanges(1)[0].headers.join("\n").contains(key));
    for folder in ["cache", "data", "workspace"] {
        assert_eq!(is_in(&sandbox.path(folder), key), None);
    }
}
