//! What a request is about: its task, the selected code and the document around it, read from the prompt's tags.

use serde_json::Value;

use super::super::pictures;
use crate::prompt::tags;

/// What the prompt's tags say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// The action's id.
    pub(super) action: String,
    /// The task in words.
    pub(super) task: String,
    /// The selected file's path in its workspace.
    pub(super) path: String,
    /// The language's id.
    pub(super) language: String,
    /// The selected code, verbatim.
    pub(super) selection: String,
    /// The first of its lines, counted from 1.
    pub(super) first_line: usize,
    /// The whole document, if the request has it.
    pub(super) document: Option<String>,
    /// Where tests are to go.
    pub(super) tests: Option<TestMarks>,
    /// What the request's picture is, in words.
    pub(super) picture: Option<String>,
    /// What other tools say.
    pub(super) reports: Vec<Report>,
}

/// What another tool says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// The lines it is about, counted from 1.
    pub(super) lines: (usize, usize),
    /// What it points at, if that is a piece of a line.
    pub(super) name: String,
    /// Its words, behind how bad it is and who says so.
    pub(super) message: String,
}

/// Where tests are to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TestMarks {
    pub(super) path: String,
    pub(super) framework: String,
    /// What the test file says now.
    pub(super) existing: String,
}

impl Marks {
    /// The marks of the last task in the request; none in a request that has no task or no selection.
    pub(super) fn find(body: &Value) -> Option<Self> {
        let blocks = texts(body);
        let last = |name: &str| blocks.iter().rev().find_map(|block| tags::unwrap(name, block));
        let (task_attributes, task) = last("task")?;
        let (place, code) = last("selection")?;
        let path = attribute(&place, "path");
        let document = blocks.iter().rev().find_map(|block| {
            let (attributes, text) = tags::unwrap("document", block)?;
            let whole = attribute(&attributes, "excerpt") != "true";
            (whole && attribute(&attributes, "path") == path).then(|| text.to_owned())
        });
        let lines = attribute(&place, "lines");
        let (first, end) = lines.split_once('-').unwrap_or((&lines, &lines));
        let first_line = first.parse().unwrap_or(1).max(1);
        let end = end.parse().unwrap_or(first_line);
        // A selection that is most of the document is named by its lines only.
        let selection = match (&document, code) {
            (Some(document), "") => lines_of(document, first_line, end),
            (_, code) if attribute(&place, "numbered") == "true" => unnumbered(code),
            (_, code) => code.to_owned(),
        };
        let tests = last("tests").map(|(attributes, existing)| TestMarks {
            path: attribute(&attributes, "path"),
            framework: attribute(&attributes, "framework"),
            existing: existing.to_owned(),
        });
        Some(Self {
            action: attribute(&task_attributes, "action"),
            task: task.to_owned(),
            language: attribute(&place, "language"),
            path,
            selection,
            first_line,
            document,
            tests,
            picture: picture(body),
            reports: blocks.iter().flat_map(|block| reports(block)).collect(),
        })
    }
}

/// Lines without the numbers in front of them.
fn unnumbered(code: &str) -> String {
    code.lines().map(|line| line.split_once("| ").map_or("", |(_, line)| line)).collect::<Vec<_>>().join("\n")
}

/// What the last picture of a request is.
fn picture(body: &Value) -> Option<String> {
    let messages = body.get("messages").and_then(Value::as_array)?.iter();
    let mut blocks = messages.filter_map(|message| message.get("content").and_then(Value::as_array)).flatten();
    let picture = blocks.rfind(|block| block["type"] == "image")?;
    Some(pictures::words(picture))
}

/// What other tools say, out of the block that all context is in.
fn reports(block: &str) -> Vec<Report> {
    const KINDS: [&str; 4] = ["<definition", "<caller", "<example", "<diagnostic"];
    if !KINDS.iter().any(|kind| block.starts_with(kind)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut rest = block;
    while let Some(at) = rest.find("<diagnostic") {
        rest = &rest[at..];
        let tag = rest[1..].split([' ', '>']).next().unwrap_or_default();
        let close = format!("\n</{tag}>");
        let Some(end) = rest.find(&close) else { break };
        let (one, behind) = rest.split_at(end + close.len());
        rest = behind;
        let Some((attributes, text)) = tags::unwrap("diagnostic", one) else { continue };
        let lines = attribute(&attributes, "lines");
        let (first, last) = lines.split_once('-').unwrap_or((&lines, &lines));
        let first = first.parse().unwrap_or(1).max(1);
        found.push(Report {
            lines: (first, last.parse().unwrap_or(first)),
            name: attribute(&attributes, "name"),
            message: text.split_once(": ").map_or(text, |(_, message)| message).to_owned(),
        });
    }
    found
}

/// All texts of the request that a tag can be in, in order.
fn texts(body: &Value) -> Vec<&str> {
    let mut texts = Vec::new();
    collect(body.get("system"), &mut texts);
    for message in body.get("messages").and_then(Value::as_array).into_iter().flatten() {
        if message.get("role").and_then(Value::as_str) == Some("user") {
            collect(message.get("content"), &mut texts);
        }
    }
    texts
}

fn collect<'a>(content: Option<&'a Value>, texts: &mut Vec<&'a str>) {
    match content {
        Some(Value::String(text)) => texts.push(text),
        Some(Value::Array(blocks)) => {
            texts.extend(blocks.iter().filter_map(|block| block.get("text").and_then(Value::as_str)));
        }
        _ => {}
    }
}

fn attribute(attributes: &[(String, String)], name: &str) -> String {
    attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

/// Lines of a text, counted from 1, without the last line's end.
fn lines_of(text: &str, first: usize, last: usize) -> String {
    let mut lines: String = text.split_inclusive('\n').skip(first - 1).take(last + 1 - first).collect();
    if lines.ends_with('\n') {
        lines.pop();
        if lines.ends_with('\r') {
            lines.pop();
        }
    }
    lines
}
