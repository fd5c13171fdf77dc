//! What somebody else wrote, and the words that it gets: the rows of `docs/reliability.md`, each tried with the real
//! program, whose words are held against the page's.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use serde_json::json;

use crate::support::{Sandbox, Simulator};

/// What the program said to each variant of an input.
type Said = fn() -> Vec<String>;

/// The page's inputs. Those that nobody can write from outside, such as a race, are tried in unit tests.
const ROWS: &[(&str, Said)] = &[
    ("action file without front matter", || vec![action("Check it.\n")]),
    ("its front matter has no end", || vec![action("---\ntitle: x\n")]),
    ("it is not YAML", || vec![action("---\ntitle: [\n---\nx"), action("---\ntitle: \"\\q\"\n---\nx")]),
    ("a list, a scalar, nested keys", || vec![action("---\n- a\n---\nx"), action("---\na\n---\nx")]),
    ("anchors and aliases", || vec![action("---\ntitle: &a x\n---\nx"), action("---\ntitle: x\nkind: *a\n---\nx")]),
    ("an unknown key", || vec![action("---\ntitel: x\n---\nx")]),
    ("a key twice", || vec![action("---\ntitle: a\ntitle: b\n---\nx")]),
    ("`api`, `budget`, `prices`, `privacy`", || {
        ["api", "budget", "prices", "privacy"].map(|key| action(format!("---\n{key}: x\n---\nx"))).into()
    }),
    ("a kind that editors run by themselves", || vec![action("---\nkind: source.fixAll\n---\nx")]),
    ("a title with controls, or that turns the writing", || {
        ["\\u202e", "\\u0007", "\\n"].map(|odd| action(format!("---\ntitle: \"a{odd}b\"\n---\nx"))).into()
    }),
    ("the name of an action of Aside's", || vec![actions("explain.md", "---\ntitle: x\n---\nx")]),
    ("more than 32 KB, not UTF-8, not a file", || {
        let sandbox = Sandbox::new();
        std::fs::create_dir_all(sandbox.workspace().join(".aside/actions/an-action.md")).unwrap();
        vec![
            action(format!("---\ntitle: x\n---\n{}", "x".repeat(33 * 1024))),
            action(b"---\ntitle: \xff\n---\nx"),
            run(&sandbox, &["actions"]),
        ]
    }),
    ("a template that is none, or uses what is not there", || {
        ["{% if %}", "{{ slection }}", "{{ selection|nosuch }}"]
            .map(|text| action(format!("---\ntitle: x\n---\n{text}")))
            .into()
    }),
    ("a template without end", || {
        let twice = "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}";
        vec![action(format!("---\ntitle: x\n---\n{twice}"))]
    }),
    ("a workspace's action that nobody allowed", || {
        let sandbox = with_code();
        sandbox.write(".aside/actions/an-action.md", "---\ntitle: x\n---\nLook.\n");
        vec![run(&sandbox, &["act", "an-action", "area.py:1", "--simulate"])]
    }),
    ("a damaged `trust.json`", || {
        let sandbox = with_code();
        sandbox.write(".aside/actions/an-action.md", "---\ntitle: x\n---\nLook.\n");
        run(&sandbox, &["config", "trust", ".aside/actions/an-action.md"]);
        let file = sandbox.path("data/aside/trust.json");
        assert!(file.is_file(), "it was allowed");
        std::fs::write(file, "{\"a\":").unwrap();
        vec![run(&sandbox, &["config", "trust", "--list"])]
    }),
    #[cfg(unix)]
    ("a link out of the workspace", || {
        let sandbox = Sandbox::new();
        sandbox.write("../home/an-action.md", "---\ntitle: x\n---\nx");
        sandbox.write(".aside/actions/other.md", "---\ntitle: x\n---\nx");
        linked("../../../home/an-action.md", &sandbox.workspace().join(".aside/actions/an-action.md"));
        vec![run(&sandbox, &["actions"])]
    }),
    #[cfg(unix)]
    ("a test file outside of the workspace, also by a link", || {
        let sandbox = with_tests();
        linked("../home", &sandbox.workspace().join("tests"));
        vec![acted("write-tests", TESTS, &sandbox)]
    }),
    #[cfg(unix)]
    ("one that something runs or obeys", || {
        let sandbox = with_tests();
        sandbox.write(".git/hooks/x", "");
        linked(".git/hooks", &sandbox.workspace().join("tests"));
        vec![acted("write-tests", TESTS, &sandbox)]
    }),
    #[cfg(unix)]
    ("one that is a script and executable", || {
        use std::os::unix::fs::PermissionsExt as _;
        let sandbox = with_tests();
        let file = sandbox.write("tests/test_area.py", "#!/usr/bin/env python3\n");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
        vec![acted("write-tests", TESTS, &sandbox)]
    }),
    #[cfg(unix)]
    ("a link on its way that leads nowhere", || {
        let sandbox = with_tests();
        sandbox.write("tests/x", "");
        linked("nowhere.py", &sandbox.workspace().join("tests/test_area.py"));
        vec![acted("write-tests", TESTS, &sandbox)]
    }),
    #[cfg(target_os = "linux")]
    ("a file where the system shows itself, also by a link", || {
        let sandbox = Sandbox::new();
        linked("/proc/self/status", &sandbox.workspace().join("a.py"));
        let explained = |place: &str| run(&sandbox, &["act", "explain", place, "--simulate"]);
        vec![explained("a.py:1"), explained("/proc/self/status:1")]
    }),
    ("imports that are more than imports", || {
        let answer = "```python\ndef area(width: int, height: int) -> int:\n    return width * height\n```\n\n\
                      ```python imports\nimport os; os.remove('x')\n```\n";
        vec![acted("add-type-hints", answer, &with_code())]
    }),
    ("`api.*`, `budget.*`, … in a workspace's file or an editor's settings", || {
        vec![configured("[api]\nbase_url = \"https://elsewhere.example\"\n")]
    }),
    ("`edits.confirm = \"never\"` in a workspace's file", || vec![configured("[edits]\nconfirm = \"never\"\n")]),
    ("a configuration file that is no TOML", || vec![configured("x = [\n"), configured("[a\n")]),
    ("one that is larger than 1 MB, or not UTF-8", || {
        vec![configured("#".repeat(1 << 21)), configured(b"model = \"\xff\"\n")]
    }),
    ("a key or a value that there is none of", || {
        vec![configured("modle = \"x\"\n"), configured("max_running = \"two\"\n")]
    }),
    ("a frame that is no JSON, or has no length", || {
        vec![framed(b"Content-Length: 5\r\n\r\n{not "), framed(b"X: 1\r\n\r\n")]
    }),
    ("JSON that is no message", || vec![framed(&frame("[1]")), framed(&frame("{\"a\":1}"))]),
    ("a request's parameters that have another form", || {
        let params = json!({"command": "aside.run", "arguments": [{"action": 3}]});
        vec![framed(&frame(&request("workspace/executeCommand", &params)))]
    }),
    ("a command that there is none of", || {
        let params = json!({"command": "aside.no", "arguments": []});
        vec![framed(&frame(&request("workspace/executeCommand", &params)))]
    }),
    ("a document that is not open", || {
        let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}});
        let argument = json!({"action": "explain", "uri": "file:///nowhere.py", "range": range});
        let params = json!({"command": "aside.run", "arguments": [argument]});
        vec![framed(&frame(&request("workspace/executeCommand", &params)))]
    }),
    ("a file that is binary, or no UTF-8", || vec![explained(b"x\0y\n", "1"), explained(b"x\xff\n", "1")]),
    ("a place that is not in the file", || vec![explained(b"x = 1\n", "99")]),
    ("a picture that is none, of another kind, or cut off", || {
        vec![described(b"no"), described(b"<svg></svg>"), described(b"\x89PNG\r\n\x1a\n\0\0")]
    }),
];

#[test]
fn the_page_has_the_programs_words() {
    let page = include_str!("../../docs/reliability.md");
    let (_, section) = page.split_once("\n## Hostile and malformed input").expect("the page has the section");
    let section = section.split("\n## ").next().unwrap();
    let (mut on_page, mut untrue) = (Vec::new(), Vec::new());
    for row in section.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [input, words, ..] = cells[..] else { panic!("{row}") };
        on_page.push(input);
        let Some((_, said)) = ROWS.iter().find(|(tried, _)| *tried == input) else {
            if !cells.last().unwrap().contains("::") {
                untrue.push(format!("{input}: nobody tries it"));
            }
            continue;
        };
        let wanted: Vec<&str> = words.split('*').skip(1).step_by(2).collect();
        assert!(!wanted.is_empty(), "{input}: no words");
        let said = said();
        for said in said.iter().filter(|said| !wanted.iter().any(|wanted| says(said, wanted))) {
            untrue.push(format!("{input}: the page has {wanted:?}, but it says {said}"));
        }
        for wanted in wanted.iter().filter(|wanted| !said.iter().any(|said| says(said, wanted))) {
            untrue.push(format!("{input}: nothing says {wanted:?}: {said:?}"));
        }
    }
    assert!(untrue.is_empty(), "{}", untrue.join("\n\n"));
    for (tried, _) in ROWS {
        assert!(on_page.contains(tried), "{tried} is not on the page");
    }
}

/// Whether a text has these words in order, with anything in the places of `…`.
fn says(said: &str, wanted: &str) -> bool {
    let mut rest = said;
    wanted.split('…').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

fn with_code() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("area.py", "def area(width, height):\n    return width * height\n");
    sandbox
}

#[cfg(unix)]
const TESTS: &str = "```python\ndef test_area():\n    assert True\n```";

#[cfg(unix)]
fn with_tests() -> Sandbox {
    let sandbox = with_code();
    sandbox.write("pyproject.toml", "[project]\nname = \"x\"\n[tool.pytest.ini_options]\n");
    sandbox
}

#[cfg(unix)]
fn linked(target: &str, at: &std::path::Path) {
    std::os::unix::fs::symlink(target, at).unwrap();
}

/// What a run says, and how it ended.
fn run(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = sandbox.aside().args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.code().is_some_and(|code| code <= 2), "it is an end in order: {out}{err}");
    format!("{err}{out}")
}

fn action(text: impl AsRef<[u8]>) -> String {
    actions("an-action.md", text)
}

fn actions(name: &str, text: impl AsRef<[u8]>) -> String {
    let sandbox = Sandbox::new();
    sandbox.write(&format!(".aside/actions/{name}"), text);
    run(&sandbox, &["actions"])
}

fn configured(text: impl AsRef<[u8]>) -> String {
    let sandbox = Sandbox::new();
    sandbox.write(".aside/config.toml", text);
    let output = sandbox.aside().args(["config", "show"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn explained(text: &[u8], line: &str) -> String {
    let sandbox = Sandbox::new();
    sandbox.write("a.py", text);
    run(&sandbox, &["act", "explain", &format!("a.py:{line}"), "--simulate"])
}

fn described(picture: &[u8]) -> String {
    let sandbox = Sandbox::new();
    sandbox.write("a.md", "![a](a.png)\n");
    sandbox.write("a.png", picture);
    run(&sandbox, &["act", "describe-image", "a.md:1", "--simulate"])
}

/// What is said when the model always answers so.
fn acted(action: &str, answer: &str, sandbox: &Sandbox) -> String {
    let steps = format!("[[step]]\ntimes = \"always\"\nanswer = '''{answer}'''\n");
    let simulator = Simulator::start(sandbox, Some(&steps), None);
    let mut command = sandbox.aside();
    command.env("ANTHROPIC_BASE_URL", simulator.url.as_str()).env("ANTHROPIC_API_KEY", "sk-ant-test");
    let output = command.args(["act", action, "area.py:1-2", "--write"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn request(method: &str, params: &serde_json::Value) -> String {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string()
}

fn frame(body: &str) -> Vec<u8> {
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// What a server answers to these bytes; it goes on to the end of the session.
fn framed(bytes: &[u8]) -> String {
    let sandbox = Sandbox::new();
    let mut child = sandbox.aside().args(["serve", "--simulate"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let initialize = json!({"processId": null, "rootUri": null, "capabilities": {}});
    let initialize = request("initialize", &initialize).replace("\"id\":7", "\"id\":1");
    let shutdown = "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"shutdown\"}";
    let initialized = "{\"jsonrpc\":\"2.0\",\"method\":\"initialized\",\"params\":{}}";
    for part in [&frame(&initialize)[..], &frame(initialized), bytes] {
        stdin.write_all(part).unwrap();
    }
    // What shutdown would find running it would end.
    let mut stdout = child.stdout.take().unwrap();
    let mut said = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&said).contains("\"error\"") && stdout.read(&mut byte).unwrap() == 1 {
        said.push(byte[0]);
    }
    for part in [shutdown, "{\"jsonrpc\":\"2.0\",\"method\":\"exit\"}"] {
        stdin.write_all(&frame(part)).unwrap();
    }
    stdout.read_to_end(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("\"id\":9"), "what comes behind it is answered: {said}");
    said
}
