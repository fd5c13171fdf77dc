//! A review without a model: what a syntax tree shows to be doubtful.

use serde_json::{Map, Value, json};
use tree_sitter::Node;

use super::super::reply::{Part, Reply};
use super::code::{Code, fenced, is_callable};
use super::marks::Marks;
use super::tree;
use crate::claude::types::StopReason;
use crate::workspace::Span;

/// Something doubtful.
struct Doubt {
    span: Span,
    severity: &'static str,
    category: &'static str,
    message: String,
    /// What in its lines is to be replaced by what.
    mend: Option<(&'static str, &'static str)>,
}

/// The answer: calls of the tool where there is one, else a list; behind the results a sentence.
pub(super) fn reply(body: &Value, marks: &Marks, code: &Code) -> Reply {
    let found: Vec<Map<String, Value>> = doubts(code).iter().map(|doubt| finding(marks, code, doubt)).collect();
    let tools = body.get("tools").and_then(Value::as_array);
    let has_tool = tools.is_some_and(|tools| tools.iter().any(|tool| tool["name"] == "report_finding"));
    if !has_tool {
        let list: Vec<Value> = found.into_iter().map(Value::Object).collect();
        let list = serde_json::to_string_pretty(&list).unwrap_or_default();
        return Reply::text(format!("{}\n\nSimulated: no model has read this code.", fenced("json", &list)));
    }
    if found.is_empty() || super::follows_tool_result(body) {
        let many = match found.len() {
            0 => "Nothing doubtful shows".to_owned(),
            1 => "One place is doubtful".to_owned(),
            several => format!("{several} places are doubtful"),
        };
        return Reply::text(format!("{many} in the syntax of this code. Simulated: no model has read it."));
    }
    let parts = found.into_iter().enumerate().map(|(number, input)| Part::ToolUse {
        id: format!("toolu_simulated_finding_{number}"),
        name: "report_finding".to_owned(),
        input,
    });
    Reply { parts: parts.collect(), stop_reason: StopReason::ToolUse, stop_sequence: None, stop_details: None }
}

/// A doubt as the tool takes it, counted in the lines of the user's file.
fn finding(marks: &Marks, code: &Code, doubt: &Doubt) -> Map<String, Value> {
    let line = |at: usize| {
        let above = code.text[..at].matches('\n').count();
        let first = code.text[..code.selection.start].matches('\n').count();
        marks.first_line + above.saturating_sub(first)
    };
    let mut finding = Map::new();
    let last = doubt.span.end.saturating_sub(1).max(doubt.span.start);
    finding.insert("start_line".to_owned(), json!(line(doubt.span.start)));
    finding.insert("end_line".to_owned(), json!(line(last)));
    finding.insert("severity".to_owned(), json!(doubt.severity));
    finding.insert("category".to_owned(), json!(doubt.category));
    finding.insert("message".to_owned(), json!(format!("Simulated: {}", doubt.message)));
    if let Some((from, to)) = doubt.mend {
        let start = code.text[..doubt.span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = code.text[last..].find('\n').map_or(code.text.len(), |at| last + at);
        finding.insert("replacement".to_owned(), json!(code.text[start..end].replacen(from, to, 1)));
    }
    finding
}

fn doubts(code: &Code) -> Vec<Doubt> {
    let mut found = Vec::new();
    if let Some(tree) = code.tree() {
        tree::walk(tree.root_node(), |node| {
            let span = node.byte_range();
            let is_selected = code.selection.start <= span.start && span.end <= code.selection.end;
            if is_selected {
                found.extend(doubt(code, node));
            }
            span.start < code.selection.end && code.selection.start < span.end
        });
    }
    for item in code.functions().filter(|item| is_callable(item)) {
        let Some(body) = item.body.as_ref() else { continue };
        let used = |name: &str| {
            code.of(body).split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).any(|word| word == name)
        };
        for parameter in code.parameters(item) {
            let name = parameter.name.as_str();
            if !name.is_empty() && !name.starts_with('_') && !used(name) {
                found.push(Doubt {
                    span: parameter.span.clone(),
                    severity: "information",
                    category: "unused-parameter",
                    message: format!("`{name}` is never used in `{}`.", item.name),
                    mend: None,
                });
            }
        }
    }
    found.sort_by_key(|doubt| doubt.span.start);
    found
}

/// What is doubtful about a node itself.
fn doubt(code: &Code, node: Node<'_>) -> Option<Doubt> {
    let span = node.byte_range();
    let text = code.of(&span);
    let of = |severity, category, message: &str, mend| {
        Some(Doubt { span: span.clone(), severity, category, message: message.to_owned(), mend })
    };
    match (code.language.family(), node.kind()) {
        ("python", "default_parameter" | "typed_default_parameter") => {
            let value = node.child_by_field_name("value")?;
            matches!(value.kind(), "list" | "dictionary" | "set").then_some(())?;
            of("warning", "mutable-default", "this default is made once and shared by all calls.", None)
        }
        ("python", "except_clause") if text.starts_with("except:") => {
            let head = span.start..span.start + "except:".len();
            Some(Doubt {
                span: head,
                severity: "warning",
                category: "bare-except",
                message: "this takes `KeyboardInterrupt` and `SystemExit`, too.".to_owned(),
                mend: Some(("except:", "except Exception:")),
            })
        }
        ("python", "comparison_operator") if text.contains("== None") => {
            of("hint", "none-comparison", "`None` is compared by identity.", Some(("== None", "is None")))
        }
        ("python", "comparison_operator") if text.contains("!= None") => {
            of("hint", "none-comparison", "`None` is compared by identity.", Some(("!= None", "is not None")))
        }
        ("javascript" | "typescript", "binary_expression") => {
            let operator = node.child_by_field_name("operator")?;
            let right = node.child_by_field_name("right")?;
            let is_loose = operator.kind() == "==" && right.kind() != "null";
            is_loose.then_some(())?;
            of("warning", "loose-equality", "`==` converts its sides before it compares them.", Some((" == ", " === ")))
        }
        _ => None,
    }
}
