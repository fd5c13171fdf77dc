//! Tests: one for each function, of what is certain without running it: that it is there, what it takes, and what it
//! returns when that is a literal.

mod compiled;
mod javascript;
mod python;
mod scripts;

use super::code::{Code, fenced};
use super::marks::{Marks, TestMarks};
use crate::workspace::Span;
use crate::workspace::syntax::Item;

/// Where the tests are and what they test.
struct Job<'a> {
    code: &'a Code,
    marks: &'a Marks,
    /// The framework's name in lower case.
    framework: String,
    /// The test file's path.
    path: String,
    /// What the test file says already.
    existing: &'a str,
    subjects: Vec<&'a Item>,
}

/// The answer: a block with tests, and a note.
pub(super) fn answer(marks: &Marks, code: &Code) -> String {
    let nowhere = TestMarks::default();
    let place = marks.tests.as_ref().unwrap_or(&nowhere);
    let mut subjects: Vec<&Item> = code.functions().filter(|item| !code.is_local(item)).collect();
    // A name that is defined twice is the later one.
    subjects.reverse();
    let mut seen = std::collections::BTreeSet::new();
    subjects.retain(|item| seen.insert((code.class_of(item).map(|class| class.name.clone()), item.name.clone())));
    subjects.reverse();
    let job = Job {
        code,
        marks,
        framework: place.framework.to_ascii_lowercase(),
        path: place.path.clone(),
        existing: &place.existing,
        subjects,
    };
    let tests = match code.language.family() {
        "python" => python::tests(&job),
        "javascript" | "typescript" => javascript::tests(&job),
        "rust" => compiled::rust(&job),
        "go" => compiled::go(&job),
        "java" => compiled::java(&job),
        "ruby" => scripts::ruby(&job),
        "php" => scripts::php(&job),
        "lua" => scripts::lua(&job),
        "shellscript" => scripts::bats(&job),
        _ => None,
    };
    let (tests, note) = match tests {
        Some(tests) => (tests, "each test checks that a function is there and what it takes, and nothing more."),
        None => (skeleton(&job), "nothing here can be tested without knowing more, so this is only a place to begin."),
    };
    format!("{}\n\nSimulated answer, no model has read this code: {note}", fenced(code.language.fence, &tests))
}

/// Comments that say what is to be tested: valid in any language, and nothing that could fail.
fn skeleton(job: &Job<'_>) -> String {
    let language = job.code.language;
    let comment = |line: String| match (language.line_comment, language.block_comment) {
        (Some(mark), _) => format!("{mark} {line}"),
        (None, Some((open, close))) => format!("{open} {line} {close}"),
        (None, None) => format!("# {line}"),
    };
    let mut lines = vec![comment(format!("Tests of {} go here.", job.marks.path))];
    lines.extend(job.subjects.iter().map(|item| comment(format!("- {}", item.name))));
    lines.join("\n")
}

impl Job<'_> {
    /// The names of a function's parameters, without the object.
    fn parameter_names(&self, item: &Item) -> Vec<String> {
        self.code.parameters(item).into_iter().map(|parameter| parameter.name).collect()
    }

    /// The literal that a function without parameters returns, if that is all it does.
    fn literal_result(&self, item: &Item) -> Option<&str> {
        if !self.code.all_parameters(item).is_empty() || item.body.is_none() {
            return None;
        }
        let facts = self.code.facts(item);
        let [value] = facts.returns.as_slice() else { return None };
        let alone = facts.branches == 0 && facts.loops == 0 && facts.calls.is_empty() && facts.raises.is_empty();
        let text = self.code.of(value);
        (alone && facts.yields.is_empty() && is_literal(text)).then_some(text)
    }

    /// The text of a default that is a plain literal.
    fn literal_default(&self, default: Option<&Span>) -> Option<&str> {
        default.map(|default| self.code.of(default)).filter(|text| is_literal(text))
    }

    /// What the prompt says on how tests get at the code, in which `NAME` stands for what is imported; empty when it is a
    /// sentence and not code.
    fn import_hint(&self) -> &str {
        let told = self.marks.task.split_once("How tests get at the code: ").map_or("", |(_, told)| told);
        let told = told.split("\n\n").next().unwrap_or_default().trim();
        let code = ["from ", "import ", "const ", "use ", "require", "local "];
        if code.iter().any(|begin| told.starts_with(begin)) { told } else { "" }
    }

    /// The way from the test file's folder to the source file, such as `../src/cart.js`; `./cart.js` beside it.
    fn relative_path(&self) -> String {
        let folder = |path: &str| -> Vec<String> {
            let mut parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
            parts.pop();
            parts
        };
        let (from, to) = (folder(&self.path), folder(&self.marks.path));
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        let mut way: Vec<String> = vec!["..".to_owned(); from.len() - shared];
        if way.is_empty() {
            way.push(".".to_owned());
        }
        way.extend(to[shared..].iter().cloned());
        way.push(self.marks.path.rsplit('/').next().unwrap_or_default().to_owned());
        way.join("/")
    }
}

/// A number, a string on one line without escapes or holes, or a truth value: the same in the code and in its test.
fn is_literal(text: &str) -> bool {
    let number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.starts_with(|c: char| c.is_ascii_digit());
    let quoted = ['"', '\''].iter().any(|quote| {
        let inner = text.strip_prefix(*quote).and_then(|rest| rest.strip_suffix(*quote));
        inner.is_some_and(|inner| !inner.contains([*quote, '\\', '\n', '#', '$', '{', '%']))
    });
    number || quoted || matches!(text, "True" | "False" | "true" | "false")
}
