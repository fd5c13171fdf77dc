//! Conversations: a question that names something leads to tools, and their results to the answer.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::reply::{Part, Reply};
use super::code::{Code, edited, fenced};
use super::explain;
use super::marks::Marks;
use crate::claude::types::StopReason;
use crate::hash::hex;
use crate::prompt::{tags, tools};

/// More of a result is not quoted.
const MOST_LINES: usize = 12;

/// Words that a wish for a change begins with.
const CHANGES: &[&str] = &[
    "add", "change", "convert", "delete", "extract", "inline", "make", "move", "remove", "rename", "replace",
    "rewrite", "turn", "use", "wrap",
];

/// What the names of files end in.
const ENDINGS: &[&str] = &["c", "go", "h", "java", "js", "json", "lua", "md", "php", "py", "rb", "rs", "toml", "ts"];

/// The answer to a question, or the calls that it takes first.
pub(super) fn reply(body: &Value, marks: &Marks) -> Reply {
    let question = question(marks);
    let results = results(body);
    if !results.is_empty() {
        return Reply::text(from_results(&results));
    }
    let calls = calls(body, &question);
    if !calls.is_empty() {
        let parts = calls.into_iter().enumerate().map(|(number, (name, input))| Part::ToolUse {
            id: id(body, number),
            name: name.to_owned(),
            input,
        });
        return Reply { parts: parts.collect(), stop_reason: StopReason::ToolUse, ..Reply::text("") };
    }
    let code = Code::new(marks);
    if marks.action == "ask" && asks_for_change(&question) {
        return Reply::text(change(&code, &question));
    }
    let known = match marks.action.as_str() {
        "ask" => explain::explain(marks, &code),
        _ => "There is nothing in the question that the tools could look for: name a function, or a file.".to_owned(),
    };
    Reply::text(format!("{OPENING}\n\n{known}"))
}

/// The question in the task; where there is none, the selection is the question.
fn question(marks: &Marks) -> String {
    let asked = marks.task.find("<question").and_then(|at| {
        let (_, text) = tags::unwrap("question", marks.task[at..].trim_end())?;
        Some(text.to_owned())
    });
    let comment = || marks.selection.trim().trim_start_matches(['#', '/', '*', '-', ';', '<', '!']).trim().to_owned();
    asked.unwrap_or_else(comment)
}

/// What the last turn brings of tools: the text of each result, and whether it is an error.
fn results(body: &Value) -> Vec<(String, bool)> {
    let last = body.get("messages").and_then(Value::as_array).and_then(|messages| messages.last());
    let blocks = last.and_then(|message| message.get("content")).and_then(Value::as_array);
    let results = blocks.into_iter().flatten().filter(|block| block["type"] == "tool_result");
    results
        .map(|block| {
            let text = block["content"].as_str().unwrap_or_default().to_owned();
            (text, block["is_error"].as_bool().unwrap_or(false))
        })
        .collect()
}

/// The calls for what a question names, as far as there are such tools.
fn calls(body: &Value, question: &str) -> Vec<(&'static str, Map<String, Value>)> {
    let offered = |name: &str| {
        let tools = body.get("tools").and_then(Value::as_array);
        tools.into_iter().flatten().any(|tool| tool["name"] == name)
    };
    let mut calls = Vec::new();
    let mut call = |name: &'static str, input: Value| {
        if let (true, Value::Object(input)) = (offered(name), input) {
            calls.push((name, input));
        }
    };
    if let Some(path) = words(question).find(|word| is_path(word)) {
        call(tools::READ_FILE, json!({ "path": path }));
    } else if let Some(name) = words(question).find(|word| is_name(word)).or_else(|| ticked(question)) {
        let last = name.rsplit(['.', ':']).next().unwrap_or(name);
        call(tools::FIND_DEFINITION, json!({ "name": name }));
        call(tools::SEARCH, json!({ "pattern": format!(r"\b{last}\b") }));
    }
    calls
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "`'\"?,;!".contains(c))
        .map(|word| word.trim_matches(|c: char| matches!(c, '.' | ':' | '(' | ')')))
        .filter(|word| !word.is_empty())
}

/// `src/store.py`, `README.md`
fn is_path(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    plain && word.rsplit_once('.').is_some_and(|(stem, ending)| !stem.is_empty() && ENDINGS.contains(&ending))
}

/// `load_items`, `Store.load`, `loadItems`
fn is_name(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_alphanumeric() || "_.:".contains(c));
    let begins = word.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let inner = |c: char| word.char_indices().skip(1).any(|(_, other)| other == c);
    let humps = word.chars().zip(word.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    let ends = word.rsplit(['.', ':']).next().is_some_and(|last| last.len() > 1);
    plain && begins && ends && (inner('_') || inner('.') || word.contains("::") || humps)
}

/// The first name in backticks.
fn ticked(text: &str) -> Option<&str> {
    let name = text.split('`').nth(1)?.trim_end_matches("()");
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.:".contains(c));
    plain.then_some(name)
}

/// Unique in a conversation, and the same for the same request.
fn id(body: &Value, number: usize) -> String {
    let said = body.get("messages").map(Value::to_string).unwrap_or_default();
    let digest = hex(&Sha256::digest(format!("{number} {said}")));
    format!("toolu_{}", &digest[..24])
}

const OPENING: &str = "This answer is **simulated**: no model has read the question.";

fn from_results(results: &[(String, bool)]) -> String {
    let mut parts = vec![OPENING.to_owned(), "What the tools gave:".to_owned()];
    for (text, is_error) in results {
        if *is_error {
            parts.push(format!("- a tool failed: {}", text.lines().next().unwrap_or_default()));
            continue;
        }
        let mut lines: Vec<&str> = text.lines().take(MOST_LINES).collect();
        if text.lines().count() > MOST_LINES {
            lines.push("…");
        }
        parts.push(fenced("text", &lines.join("\n")));
    }
    parts.join("\n\n")
}

fn asks_for_change(question: &str) -> bool {
    let first = question.split_whitespace().find(|word| !word.eq_ignore_ascii_case("please")).unwrap_or_default();
    CHANGES.contains(&first.to_lowercase().trim_matches(|c: char| !c.is_alphanumeric()))
}

/// The selection with the wish as a comment above it, where that is possible.
fn change(code: &Code, wish: &str) -> String {
    let start = code.selection.start;
    let before = &code.text[..start];
    let begins_line = before.rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
    let note = "Simulated answer: no model has read this code.";
    let mut edits = Vec::new();
    if let (true, Some(mark)) = (begins_line, code.language.line_comment) {
        let own = code.selected();
        let indent = &own[..own.len() - own.trim_start_matches([' ', '\t']).len()];
        let at = start + indent.len();
        let outer = before.rsplit('\n').next().unwrap_or_default();
        let wish = wish.lines().next().unwrap_or_default();
        edits.push((at..at, format!("{mark} Simulated: {wish}\n{outer}{indent}")));
    }
    let replacement = edited(code, edits);
    let block = fenced(&format!("{} edit", code.language.fence), &replacement);
    format!("{block}\n\n{note} It would have been asked to: {}", wish.lines().next().unwrap_or_default())
}
