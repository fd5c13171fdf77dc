//! A model's calls of tools: whatever the arguments are, the answer is bounded, says nothing of what must not be read, and
//! what people see of it is one line. Findings are about the lines that were asked about.

use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use ropey::Rope;
use serde_json::{Value, json};

use super::{Choices, texts};
use crate::config::Privacy;
use crate::error::Error;
use crate::jobs::fuzzed::{Findings, called};
use crate::jobs::{Change, Current, Event, Host, Landing};
use crate::output::findings::{Finding, in_answer};
use crate::workspace::Span;
use crate::workspace::content::read_text;

const NAMES: [&str; 7] =
    ["read_file", "search", "list_files", "outline", "find_definition", "report_finding", "another_tool"];

/// What stands in every file that must not be read.
const HIDDEN: &str = "Xyzzy";

/// The most bytes of an answer, with its last line and what stands around it.
const LONGEST: usize = 48 * 1024;

/// The reviewed lines.
const LINES: (usize, usize) = (10, 20);

thread_local! {
    static PROJECT: tempfile::TempDir = project().expect("a project");
}

/// A project with files of which some must not be read, below a folder with more of those.
fn project() -> std::io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let hidden = format!("{HIDDEN} = 1\n");
    for (path, text) in [
        ("outside.py", hidden.as_str()),
        ("w/.gitignore", "build/\n"),
        ("w/.aside/ignore", "/own\n"),
        ("w/.env", &hidden),
        ("w/build/out.py", &hidden),
        ("w/own/a.py", &hidden),
        ("w/secret/a.py", &hidden),
        ("w/src/a.py", "import json\n\nclass Store:\n    def load(self, path):\n        return json.load(path)\n"),
        ("w/src/b.rs", "/// Doubles.\nfn double(x: u8) -> u8 {\n    x * 2\n}\n"),
        ("w/data.bin", "load\0"),
        ("w/empty.py", ""),
        ("w/é.md", "# </file>\n"),
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
        std::fs::write(path, text)?;
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("../../outside.py", folder.path().join("w/src/link.py"))?;
    Ok(folder)
}

pub(super) fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let (Some(name), Some(form), Some(first), Some(last)) =
        (choices.byte(), choices.byte(), choices.byte(), choices.byte())
    else {
        return;
    };
    let whole = String::from_utf8_lossy(choices.0);
    if let Some(found) = in_answer(&whole) {
        found.iter().for_each(finding);
    }
    let name = NAMES[usize::from(name) % NAMES.len()];
    let input = if form & 1 == 0 {
        serde_json::from_str(&whole).unwrap_or_else(|_| json!({ "INVALID_JSON": whole }))
    } else {
        let [path, pattern, glob] = texts(choices.0);
        let glob = if form & 2 == 0 { Value::Null } else { Value::String(glob) };
        json!({
            "path": path, "pattern": pattern, "name": pattern, "glob": glob, "depth": last % 8,
            "literal": form & 4 != 0, "ignore_case": form & 8 != 0, "start_line": first, "end_line": last,
            "severity": path, "category": pattern, "message": pattern,
        })
    };
    let asked = input.to_string();
    PROJECT.with(|folder| {
        let root = folder.path().join("w");
        let privacy = Privacy { exclude: vec!["secret".to_owned()], include: Vec::new(), redact: true };
        let (line, outcome) = called(&Disk, &root, &privacy, (name, input), &Reviewed);
        assert!(line.chars().count() <= 101 && !line.contains(char::is_control), "{line:?}");
        assert!(!outcome.text.is_empty() && outcome.text.len() <= LONGEST, "{} bytes", outcome.text.len());
        let is_asked = asked.to_lowercase().contains(&HIDDEN.to_lowercase());
        assert!(is_asked || !outcome.text.contains(HIDDEN), "{asked}: {}", outcome.text);
        let machine = folder.path().to_string_lossy();
        assert!(
            asked.contains(machine.as_ref()) || !outcome.text.contains(machine.as_ref()),
            "{asked}: {}",
            outcome.text
        );
    });
}

struct Reviewed;

impl Findings for Reviewed {
    fn report(&self, value: &Value) -> crate::jobs::fuzzed::Outcome {
        finding(value);
        crate::jobs::fuzzed::Outcome::ok("Noted.")
    }
}

fn finding(value: &Value) {
    match Finding::read(value, LINES) {
        Ok(finding) => {
            assert!(LINES.0 <= finding.start_line && finding.end_line <= LINES.1, "{finding:?}");
            assert!(finding.start_line <= finding.end_line, "{finding:?}");
            assert!(!finding.message.is_empty() && !finding.category.is_empty(), "{finding:?}");
            assert!(finding.message.chars().count() <= 1000 && finding.category.len() <= 40, "{finding:?}");
        }
        Err(reason) => assert!(!reason.is_empty() && reason.len() < 200, "{reason}"),
    }
}

/// Files as they are.
struct Disk;

impl Host for Disk {
    fn event(&self, _: Event<'_>) {}

    fn selection(&self) -> Option<(Current, Span)> {
        None
    }

    fn file(&self, path: &Path) -> Result<Option<Current>, Error> {
        let path: PathBuf = path.to_path_buf();
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(Current { text: Rope::from_str(&read_text(&path)?), version: None }))
    }

    fn apply<'a>(&'a self, _: &'a Change) -> BoxFuture<'a, Landing> {
        Box::pin(async { Landing::Refused(String::new()) })
    }
}
