use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use futures::future::BoxFuture;
use ropey::Rope;
use serde_json::json;

use super::*;
use crate::error::Error;
use crate::jobs::{Change, Current, Event, Landing};
use crate::workspace::Span;
use crate::workspace::content::read_text;

fn privacy(exclude: &[&str]) -> Privacy {
    Privacy { exclude: exclude.iter().map(ToString::to_string).collect(), include: Vec::new(), redact: true }
}

/// Files on disk, and some that are open with another text.
#[derive(Default)]
struct Disk {
    open: BTreeMap<PathBuf, String>,
}

impl Host for Disk {
    fn event(&self, _: Event<'_>) {}

    fn selection(&self) -> Option<(Current, Span)> {
        None
    }

    fn file(&self, path: &Path) -> Result<Option<Current>, Error> {
        let text = match self.open.get(path) {
            Some(text) => text.clone(),
            None if !path.exists() => return Ok(None),
            None => read_text(path)?,
        };
        Ok(Some(Current { text: Rope::from_str(&text), version: None }))
    }

    fn apply<'a>(&'a self, _: &'a Change) -> BoxFuture<'a, Landing> {
        Box::pin(async { Landing::Refused("nothing is changed".to_owned()) })
    }
}

const STORE: &str = "\
import json

LIMIT = 3


class Store:
    \"\"\"Keeps things.\"\"\"

    def load(self, path):
        with open(path) as file:
            return json.load(file)


def load(path):
    return Store().load(path)
";

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        (".gitignore", "build/\n"),
        (".env", "KEY=load\n"),
        ("README.md", "How to load.\n"),
        ("src/store.py", STORE),
        ("src/main.rs", "struct Store<T>(T);\n\nimpl<T> Store<T> {\n    fn load(&self) {}\n}\n"),
        ("src/deep/er/use.py", "from store import load\n\nload('</file>')\n"),
        ("build/out.py", "def load(): pass\n"),
        ("data.bin", "load\0"),
    ];
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn call_in(folder: &Path, host: &Disk, name: &str, input: Value) -> Outcome {
    let cancel = CancellationToken::new();
    let tools = Toolbox::new(host, Some(folder), &privacy(&["secret/**"]), &cancel);
    tools.call(&Call { id: "toolu_1".to_owned(), name: name.to_owned(), input }, &NoFindings)
}

fn call(name: &str, input: Value) -> Outcome {
    call_in(project().path(), &Disk::default(), name, input)
}

#[track_caller]
fn check(name: &str, input: &Value, expected: &Expect) {
    let given = call(name, input.clone());
    let mark = if given.is_error { "error: " } else { "" };
    expected.assert_eq(&format!("{mark}{}\n", given.text));
}

#[test]
fn reads_lines_of_a_file() {
    check(
        "read_file",
        &json!({"path": "src/store.py", "start_line": 14, "end_line": 99}),
        &expect![[r#"
        <file path="src/store.py" lines="14-15" of="15">
        def load(path):
            return Store().load(path)
        </file>
    "#]],
    );
    check(
        "read_file",
        &json!({"path": "./src/deep/er/use.py"}),
        &expect![[r#"
        <file-2 path="src/deep/er/use.py" lines="1-3" of="3">
        from store import load

        load('</file>')
        </file-2>
    "#]],
    );
    check(
        "read_file",
        &json!({"path": "src/store.py", "start_line": 16}),
        &expect![[r"
        error: `src/store.py` has only 15 lines.
    "]],
    );
    check(
        "read_file",
        &json!({"path": "src/store.py", "start_line": 5, "end_line": 4}),
        &expect![[r"
        error: Line 4 is in front of line 5.
    "]],
    );
    check(
        "read_file",
        &json!({"path": "src/store.py", "start_line": "one"}),
        &expect![[r#"
        error: The arguments are not right at `start_line`: invalid type: string "one", expected usize.
    "#]],
    );
}

/// What makes a secret one may stand outside of what a tool gives.
#[test]
fn no_tool_gives_half_of_a_secret_or_one_that_only_the_file_tells() {
    let folder = project();
    let line = "k7Qp2Xv9Zt4Lm8Rw3Yb6Nc1Hd5Jf0Gsk7Qp2Xv9Zt4Lm8Rw3Yb6Nc1Hd5Jf0GsAA";
    let token = format!("ghp_{}", "k7Qp2Xv9Zt4Lm8Rw3Yb6Nc1Hd5Jf0GsA2Bq4");
    // Of a long line only the beginning is given: here the cut would go through the token.
    let filler = "x".repeat(70);
    let text = format!(
        "KEY = '-----BEGIN RSA PRIVATE KEY-----\n{line}\n{line}\n-----END RSA PRIVATE KEY-----'\n\n\n\
         def use(a='{filler}', b=\"{token}\"):\n    return 1\n\n\nW = '{filler}{filler}{filler}', \"{token}\"\n"
    );
    std::fs::write(folder.path().join("src/keys.py"), text).unwrap();
    for (tool, input) in [
        ("read_file", json!({"path": "src/keys.py", "start_line": 2, "end_line": 2})),
        ("read_file", json!({"path": "src/keys.py", "start_line": 3})),
        ("search", json!({"pattern": "Lm8Rw3Yb6"})),
        ("search", json!({"pattern": "^W = "})),
        ("outline", json!({"path": "src/keys.py"})),
    ] {
        let given = call_in(folder.path(), &Disk::default(), tool, input.clone());
        assert!(!given.is_error, "{input}: {}", given.text);
        assert!(!given.text.replace(&token, "").contains("k7Qp2Xv9"), "{tool} {input}: {}", given.text);
    }
    let whole = call_in(folder.path(), &Disk::default(), "read_file", json!({"path": "src/keys.py"}));
    assert!(whole.text.contains(line), "what tells by itself is left to the gate");
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_not_waited_for() {
    let folder = project();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("src/pipe.py")).status().unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink("pipe.py", folder.path().join("src/again.py")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("src/zero.py")).unwrap();
    for path in ["src/pipe.py", "src/again.py", "src/zero.py"] {
        for tool in ["read_file", "outline"] {
            let given = call_in(folder.path(), &Disk::default(), tool, json!({"path": path}));
            assert!(given.is_error && given.text.contains("There is no file"), "{tool} {path}: {}", given.text);
        }
        let given = call_in(folder.path(), &Disk::default(), "search", json!({"pattern": "x", "path": path}));
        assert!(given.is_error, "{path}: {}", given.text);
    }
}

#[test]
fn a_long_file_is_cut_where_the_result_says() {
    let folder = project();
    let text = (1..=2000).fold(String::new(), |text, number| text + &format!("line {number}\n"));
    let host = Disk { open: BTreeMap::from([(folder.path().join("README.md"), text)]) };
    let given = call_in(folder.path(), &host, "read_file", json!({"path": "README.md", "start_line": 11}));
    assert!(
        given.text.starts_with("<file path=\"README.md\" lines=\"11-810\" of=\"2000\">\nline 11\n"),
        "{}",
        given.text
    );
    assert!(given.text.ends_with("line 810\n</file>\nCut here: go on from line 811."), "{}", given.text);
}

#[test]
fn what_may_not_be_read_is_not_there() {
    let folder = project();
    std::fs::create_dir(folder.path().join("secret")).unwrap();
    std::fs::write(folder.path().join("secret/a.py"), "load\n").unwrap();
    for path in [".env", "build/out.py", "secret/a.py", "missing.py", "src"] {
        let given = call_in(folder.path(), &Disk::default(), "read_file", json!({"path": path}));
        assert!(given.is_error, "{path}: {}", given.text);
        let given = call_in(folder.path(), &Disk::default(), "search", json!({"pattern": "load|KEY", "path": path}));
        assert!(path == "src" || given.is_error || given.text == "Nothing matches.", "{path}: {}", given.text);
    }
    for path in ["../elsewhere.py", "/etc/passwd", "src/../../x"] {
        let given = call_in(folder.path(), &Disk::default(), "read_file", json!({"path": path}));
        assert!(given.is_error && given.text.contains("outside of the project"), "{path}: {}", given.text);
    }
}

#[test]
fn searches_what_is_not_ignored() {
    check(
        "search",
        &json!({"pattern": r"\bload\(", "glob": "*.py"}),
        &expect![[r#"
        <matches pattern="\bload\(">
        src/deep/er/use.py:3: load('</file>')
        src/store.py:9:     def load(self, path):
        src/store.py:11:             return json.load(file)
        src/store.py:14: def load(path):
        src/store.py:15:     return Store().load(path)
        </matches>
    "#]],
    );
    check(
        "search",
        &json!({"pattern": "^HOW.*\\.$", "ignore_case": true}),
        &expect![[r#"
        <matches pattern="^HOW.*\.$">
        README.md:1: How to load.
        </matches>
    "#]],
    );
    check(
        "search",
        &json!({"pattern": "load(", "literal": true, "path": "src/main.rs"}),
        &expect![[r#"
        <matches pattern="load(">
        src/main.rs:4:     fn load(&self) {}
        </matches>
    "#]],
    );
    check(
        "search",
        &json!({"pattern": "nowhere"}),
        &expect![[r"
        Nothing matches.
    "]],
    );
    check(
        "search",
        &json!({"pattern": r"load[^.]*use|pass$|^\s*return\s"}),
        &expect![[r#"
        <matches pattern="load[^.]*use|pass$|^\s*return\s">
        src/store.py:11:             return json.load(file)
        src/store.py:15:     return Store().load(path)
        </matches>
    "#]],
    );
    for pattern in ["load\n", r"load\\\n\s"] {
        let broken = call("search", json!({"pattern": pattern}));
        assert!(broken.is_error && broken.text.contains("line break"), "{}", broken.text);
    }
    assert!(!call("search", json!({"pattern": r"\\n"})).is_error);
    let wrong = call("search", json!({"pattern": "load("}));
    assert!(wrong.is_error && wrong.text.starts_with("The pattern is not right"), "{}", wrong.text);
    assert!(call("search", json!({"pattern": ""})).is_error);
    assert!(call("search", json!({"pattern": "x", "path": "nowhere/"})).is_error);
}

#[test]
fn what_is_open_counts_before_what_is_on_disk() {
    let folder = project();
    let host = Disk { open: BTreeMap::from([(folder.path().join("src/store.py"), "new = 1\n".to_owned())]) };
    let given = call_in(folder.path(), &host, "search", json!({"pattern": "new|LIMIT"}));
    assert_eq!(given.text, "<matches pattern=\"new|LIMIT\">\nsrc/store.py:1: new = 1\n</matches>");
}

#[test]
fn many_matches_are_cut_and_a_file_does_not_take_all_of_them() {
    let folder = project();
    for number in 0..6 {
        let text = "again\n".repeat(if number == 0 { 5000 } else { 25 });
        std::fs::write(folder.path().join(format!("{number}.txt")), text).unwrap();
    }
    let given = call_in(folder.path(), &Disk::default(), "search", json!({"pattern": "again"}));
    assert_eq!(given.text.matches("\n0.txt:").count(), 30);
    assert_eq!(given.text.matches(": again").count(), 100);
    assert!(given.text.contains("4970 more lines of these files match."), "{}", &given.text[given.text.len() - 200..]);
    assert!(given.text.ends_with("narrow the search."));
}

#[test]
fn lists_folders_to_a_depth_or_what_fits_a_glob() {
    check(
        "list_files",
        &json!({}),
        &expect![[r"
        <files>
        README.md
        data.bin
        src/deep/
        src/main.rs
        src/store.py
        </files>
    "]],
    );
    check(
        "list_files",
        &json!({"path": "src", "depth": 1}),
        &expect![[r"
        <files>
        src/deep/
        src/main.rs
        src/store.py
        </files>
    "]],
    );
    check(
        "list_files",
        &json!({"glob": "**/*.py"}),
        &expect![[r"
        <files>
        src/deep/er/use.py
        src/store.py
        </files>
    "]],
    );
    assert!(call("list_files", json!({"path": "nowhere"})).is_error);
    assert_eq!(call("list_files", json!({"glob": "*.zig"})).text, "There are no such files.");
}

#[test]
fn outlines_a_file() {
    check(
        "outline",
        &json!({"path": "src/store.py"}),
        &expect![[r#"
        <outline path="src/store.py">
        3-3 LIMIT = 3
        6-11 class Store:
          9-11 def load(self, path):
        14-15 def load(path):
        </outline>
    "#]],
    );
    assert!(call("outline", json!({"path": "README.md"})).is_error);
}

#[test]
fn finds_what_defines_a_name() {
    check(
        "find_definition",
        &json!({"name": "load", "path": "src/store.py"}),
        &expect![[r#"
        <definition name="load" path="src/store.py" lines="9-11">
            def load(self, path):
                with open(path) as file:
                    return json.load(file)
        </definition>
        <definition name="load" path="src/store.py" lines="14-15">
        def load(path):
            return Store().load(path)
        </definition>
    "#]],
    );
    let places = |name: &str| {
        let text = call("find_definition", json!({"name": name})).text;
        let places =
            text.lines().filter_map(|line| line.strip_prefix("<definition ")?.split_once("path=")).map(|it| it.1);
        places.map(|it| it.trim_end_matches('>').replace('"', "")).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(places("Store.load"), "src/main.rs lines=4-4, src/store.py lines=9-11");
    assert_eq!(places("Store::load()"), "src/main.rs lines=4-4, src/store.py lines=9-11");
    assert_eq!(places("store.load"), "src/store.py lines=14-15");
    assert_eq!(places("LIMIT"), "src/store.py lines=3-3");
    assert!(call("find_definition", json!({"name": "nobody"})).text.contains("is not defined in the project"));
    assert!(call("find_definition", json!({"name": " "})).is_error);
}

#[test]
fn a_call_that_cannot_be_done_is_a_result_that_says_so() {
    let cancel = CancellationToken::new();
    let nowhere = Toolbox::new(&Disk::default(), None, &privacy(&[]), &cancel)
        .call(&Call { id: "a".into(), name: "read_file".into(), input: json!({"path": "a"}) }, &NoFindings);
    assert!(nowhere.is_error && nowhere.text.contains("no project"), "{}", nowhere.text);
    assert_eq!(call("rm", json!({})), Outcome::error("There is no tool `rm`."));
    assert!(call("search", json!({crate::claude::fold::INVALID_JSON: "{\"pat"})).text.contains("no JSON object"));
    assert!(call("report_finding", json!({})).text.contains("no findings"));
    assert!(call("read_file", json!({})).text.contains("missing field `path`"));
}

#[test]
fn every_call_has_its_result_also_when_there_are_too_many_or_nobody_waits() {
    let folder = project();
    let cancel = CancellationToken::new();
    let host = Disk::default();
    let calls: Vec<Call> = (0..MOST_CALLS + 2)
        .map(|number| Call {
            id: format!("toolu_{number}"),
            name: "outline".into(),
            input: json!({"path": "src/store.py"}),
        })
        .collect();
    let told = std::cell::RefCell::new(Vec::new());
    let results =
        |tools: &Toolbox<'_>| tools.run(&calls, &NoFindings, &|line: &str| told.borrow_mut().push(line.to_owned()));
    let failed = |results: &[ContentBlock]| {
        let errors = results.iter().filter(|it| matches!(it, ContentBlock::ToolResult { is_error: Some(true), .. }));
        errors.count()
    };
    let given = results(&Toolbox::new(&host, Some(folder.path()), &privacy(&[]), &cancel));
    assert_eq!((given.len(), failed(&given)), (calls.len(), 2));
    for (call, result) in calls.iter().zip(&given) {
        assert!(matches!(result, ContentBlock::ToolResult { tool_use_id, .. } if *tool_use_id == call.id));
    }
    assert_eq!(told.borrow().first().map(String::as_str), Some("outlines src/store.py"));
    cancel.cancel();
    let given = results(&Toolbox::new(&host, Some(folder.path()), &privacy(&[]), &cancel));
    assert_eq!((given.len(), failed(&given)), (calls.len(), calls.len()));
}

#[test]
fn a_call_is_told_in_one_line() {
    for (name, input, line) in [
        ("read_file", json!({"path": "src/store.py", "start_line": 10, "end_line": 80}), "reads src/store.py:10-80"),
        ("read_file", json!({"path": "a"}), "reads a"),
        ("read_file", json!({"path": "a", "start_line": 3}), "reads a:3-"),
        ("search", json!({"pattern": "load("}), "searches `load(`"),
        ("list_files", json!({}), "lists the project"),
        ("find_definition", json!({"name": "Store.load"}), "looks for `Store.load`"),
        ("other", json!([]), "calls other"),
    ] {
        assert_eq!(Call { id: String::new(), name: name.into(), input }.line(), line);
    }
    let long = Call { id: String::new(), name: "search".into(), input: json!({"pattern": "μ\n".repeat(100)}) };
    assert!(long.line().chars().count() == 101 && !long.line().contains('\n'), "{}", long.line());
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_is_not_there_where_a_project_is_the_whole_machine() {
    let root = Path::new("/");
    let host = Disk::default();
    for (name, input) in [
        ("read_file", json!({"path": "proc/self/environ"})),
        ("read_file", json!({"path": "/proc/self/cmdline"})),
        ("outline", json!({"path": "tmp/../proc/self/environ"})),
        ("list_files", json!({"path": "proc/self"})),
        ("list_files", json!({"path": "sys", "depth": 9})),
        ("search", json!({"pattern": "PATH", "path": "proc/self"})),
    ] {
        let given = call_in(root, &host, name, input.clone());
        assert!(given.is_error && given.text.contains("outside of the project"), "{input}: {}", given.text);
    }
    let folder = project();
    std::os::unix::fs::symlink("/proc/self/environ", folder.path().join("src/environ.py")).unwrap();
    let given = call_in(folder.path(), &host, "read_file", json!({"path": "src/environ.py"}));
    assert!(given.is_error && given.text.contains("no file"), "{}", given.text);
}
