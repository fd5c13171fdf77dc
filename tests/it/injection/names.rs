//! Files whose names say something else than what they are.

use serde_json::Value;

use super::model::{html, scenario};
use super::{BEFORE, SELECTED, code};
use crate::support::{Client, ClientOptions, Sandbox, Simulator};

/// What a name may try. A `/` can be in none.
const NAMES: &[&str] = &[
    "a](https:evil.example?q=x).py",
    "![x](https:evil.example).py",
    "<img src=x onerror=y>.py",
    "`code` **bold** [x]: y.py",
    "line\nbreak\r# Heading.py",
    "\u{1b}]0;stolen\u{7}\u{1b}[2J.py",
    "area\u{202e}yp.exe.py",
    "area\u{2066}\u{200b}.py",
    "$(touch stolen); `touch stolen`.py",
    "%0a%1b[2J.py",
    "--write.py",
];

/// What would steer a line of an editor or of a terminal.
fn steers(text: &str) -> bool {
    text.chars().any(|char| char.is_control() && char != '\n' && char != '\t')
        || text.contains(['\u{202e}', '\u{2066}'])
        || text.contains("\n# Heading")
}

#[test]
fn a_files_name_is_only_a_name() {
    for name in NAMES {
        let sandbox = Sandbox::new();
        sandbox.write(name, code());
        let step = "times = \"always\"\nanswer = '''It multiplies.'''";
        let simulator = Simulator::start(&sandbox, Some(&scenario(&[step])), None);
        let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
        let uri = sandbox.uri(name);
        client.open(&uri, "python", &code());
        let result = client.run_to_end("explain", &uri, BEFORE.len()..BEFORE.len() + SELECTED.len());
        assert_eq!(result["outcome"], "shown", "{name:?}: {result}");
        let lines: Vec<String> = {
            let editor = client.editor();
            let said = editor.progress.values().flat_map(|it| it.begin.iter().chain(&it.reports).chain(&it.end));
            let words = said.flat_map(|it| [it["title"].as_str(), it["message"].as_str()]);
            words.flatten().map(str::to_owned).collect()
        };
        assert!(!lines.is_empty());
        for line in lines {
            assert!(!steers(&line) && !line.contains('\n'), "{name:?}: {line:?}");
        }
        for message in client.read_all() {
            if let Some(words) = message["params"]["message"].as_str() {
                assert!(!steers(words), "{name:?}: {words:?}");
            }
            if message["method"] == "window/showDocument" {
                let uri = message["params"]["uri"].as_str().unwrap();
                let file = url::Url::parse(uri).unwrap().to_file_path().unwrap();
                let page = std::fs::read_to_string(file).unwrap();
                assert!(!steers(&page), "{name:?}: {page:?}");
                let rendered = html(&page);
                for element in ["<img", "<a ", "<strong>", "<h1>Heading"] {
                    assert!(!rendered.contains(element), "{name:?}: {rendered}");
                }
            }
        }
        drop(client);
        for arguments in [&["explain"][..], &["explain", "--json"], &["simplify"], &["explain", "--dry-run"]] {
            let mut command = sandbox.aside();
            command.env("CLICOLOR_FORCE", "1").env("ANTHROPIC_BASE_URL", simulator.url.as_str());
            command.env("ANTHROPIC_API_KEY", "sk-ant-test").arg("act").args(arguments);
            let output = command.arg(format!("./{name}:8")).output().unwrap();
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            if arguments.contains(&"--json") {
                assert!(serde_json::from_str::<Value>(&out).is_ok(), "{name:?}: {out}");
            }
            // A diff into a pipe is for `patch`, which needs the name as it is.
            let seen = if arguments.contains(&"simplify") { err.into_owned() } else { format!("{out}{err}") };
            for steer in ["\u{1b}]", "\u{1b}[2J", "\u{7}", "\r#"] {
                assert!(!seen.contains(steer), "{name:?} {arguments:?}: {seen:?}");
            }
            let err = String::from_utf8_lossy(&output.stderr);
            assert!(!err.contains('\u{202e}'), "{name:?} {arguments:?}: {err:?}");
        }
        assert!(!sandbox.workspace().join("stolen").exists(), "{name:?}");
    }
}
