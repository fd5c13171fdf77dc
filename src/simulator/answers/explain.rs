//! Explanations: an outline of what is there, in sentences.

use super::code::{Code, Facts, is_callable};
use super::marks::Marks;
use super::words::sentence;
use crate::workspace::syntax::{Item, ItemKind};

/// The line that marks an explanation as simulated.
pub(super) const NOTE: &str =
    "*Simulated answer: no model has read this code. It is an outline made from the code's syntax.*";

/// Explains the selection.
pub(super) fn explain(marks: &Marks, code: &Code) -> String {
    let items: Vec<&Item> = code.selected_items().into_iter().map(|at| &code.items[at]).collect();
    let mut parts = vec![opening(marks, code, &items)];
    for item in items.iter().filter(|item| item.kind != ItemKind::Constant).take(40) {
        parts.push(section(code, item));
    }
    let constants: Vec<&str> =
        items.iter().filter(|item| item.kind == ItemKind::Constant).map(|item| item.name.as_str()).collect();
    if !constants.is_empty() {
        parts.push(format!("### Constants\n\n{}", ticked(&constants)));
    }
    if items.is_empty() {
        parts.push(statements(&code.selection_facts(), marks));
    }
    parts.push(NOTE.to_owned());
    parts.join("\n\n")
}

fn opening(marks: &Marks, code: &Code, items: &[&Item]) -> String {
    let lines = marks.selection.lines().count().max(1);
    let count = |of: fn(&Item) -> bool, one: &str, many: &str| match items.iter().filter(|item| of(item)).count() {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let kinds = [
        count(|item| item.kind == ItemKind::Class, "class", "classes"),
        count(|item| matches!(item.kind, ItemKind::Struct | ItemKind::Enum | ItemKind::Interface), "type", "types"),
        count(|item| item.kind == ItemKind::Function, "function", "functions"),
        count(|item| item.kind == ItemKind::Method, "method", "methods"),
    ];
    let kinds: Vec<String> = kinds.into_iter().flatten().collect();
    let (what, are, define) = match lines {
        1 => ("This line".to_owned(), "is", "defines"),
        lines => (format!("These {lines} lines"), "are", "define"),
    };
    let language = code.language.name;
    let path = if marks.path.is_empty() { "the file" } else { &marks.path };
    if let [around] = items
        && !code.has(around)
    {
        return format!("{what} of `{path}` ({language}) {are} part of `{}`.", around.name);
    }
    match kinds.as_slice() {
        [] => {
            format!(
                "{what} of `{path}` ({language}) {are} part of something larger, or not code with names of its own."
            )
        }
        [only] => format!("{what} of `{path}` ({language}) {define} {only}."),
        [first @ .., last] => format!("{what} of `{path}` ({language}) {define} {} and {last}.", first.join(", ")),
    }
}

/// What there is to say about one item.
fn section(code: &Code, item: &Item) -> String {
    let kind = match item.kind {
        ItemKind::Function => "function",
        ItemKind::Method => "method",
        ItemKind::Class => "class",
        ItemKind::Struct => "struct",
        ItemKind::Enum => "enumeration",
        ItemKind::Interface => "interface",
        ItemKind::Module => "module",
        ItemKind::Constant | ItemKind::Other => "definition",
    };
    let owner = code.class_of(item).map_or_else(String::new, |class| format!(" of `{}`", class.name));
    let mut lines = vec![format!("### `{}`", item.name)];
    lines.push(String::new());
    lines.push(format!("A {kind}{owner}; by its name: {}", sentence(&item.name)));
    if is_callable(item) {
        lines.push(String::new());
        lines.extend(points(code, item).into_iter().map(|point| format!("- {point}")));
    } else {
        let inside: Vec<&str> = code
            .items
            .iter()
            .filter(|inner| inner.parent.is_some_and(|parent| code.items[parent] == *item))
            .map(|inner| inner.name.as_str())
            .collect();
        if !inside.is_empty() {
            lines.push(String::new());
            lines.push(format!("- Holds {}", ticked(&inside)));
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n")
}

fn points(code: &Code, item: &Item) -> Vec<String> {
    let facts = code.facts(item);
    let mut points = Vec::new();
    let parameters: Vec<String> = code
        .parameters(item)
        .iter()
        .map(|parameter| match &parameter.default {
            Some(default) => format!("`{}` (`{}` unless given)", parameter.name, one_line(code.of(default))),
            None => format!("`{}`", parameter.name),
        })
        .collect();
    match parameters.as_slice() {
        [] => points.push("Takes no parameters.".to_owned()),
        some => points.push(format!("Takes {}.", some.join(", "))),
    }
    if let Some(written) = code.return_type(item) {
        points.push(format!("Is declared to return `{}`.", one_line(code.of(&written))));
    }
    points.extend(facts_in_words(code, &facts));
    points
}

fn facts_in_words(code: &Code, facts: &Facts) -> Vec<String> {
    let mut points = Vec::new();
    let quoted = |spans: &[crate::workspace::Span]| {
        let mut texts: Vec<String> = spans.iter().map(|span| one_line(code.of(span))).collect();
        texts.dedup();
        texts.truncate(4);
        texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
    };
    if !facts.yields.is_empty() {
        points.push(format!("Yields {}, one after the other.", quoted(&facts.yields)));
    }
    if !facts.returns.is_empty() {
        points.push(format!("Returns {}.", quoted(&facts.returns)));
    }
    let times = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("one {one}")),
        count => Some(format!("{count} {many}")),
    };
    let flow = [
        times(facts.branches, "branch", "branches"),
        times(facts.loops, "loop", "loops"),
        times(facts.awaits, "wait for something asynchronous", "waits for something asynchronous"),
    ];
    let flow: Vec<String> = flow.into_iter().flatten().collect();
    if !flow.is_empty() {
        points.push(format!("Has {}.", flow.join(" and ")));
    }
    if !facts.raises.is_empty() {
        let raised: Vec<&str> = facts.raises.iter().map(String::as_str).collect();
        points.push(format!("Fails with {}.", ticked(&raised).trim_end_matches('.')));
    }
    if !facts.calls.is_empty() {
        let called: Vec<&str> = facts.calls.iter().take(8).map(String::as_str).collect();
        points.push(format!("Calls {}", ticked(&called)));
    }
    points
}

/// A selection without a definition.
fn statements(facts: &Facts, marks: &Marks) -> String {
    let code = Code::new(marks);
    let points = facts_in_words(&code, facts);
    if points.is_empty() {
        let lines: Vec<&str> = marks.selection.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        return match lines.as_slice() {
            [] => "There is nothing but white space in it.".to_owned(),
            [only] => format!("It says `{}`.", one_line(only)),
            [first, .., last] => format!("It begins with `{}` and ends with `{}`.", one_line(first), one_line(last)),
        };
    }
    points.iter().map(|point| format!("- {point}")).collect::<Vec<_>>().join("\n")
}

fn ticked(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("{}.", names.join(", "))
}

/// Code for a sentence: one line, not too long, without backticks.
fn one_line(code: &str) -> String {
    let joined = code.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "'");
    if joined.chars().count() <= 60 {
        return joined;
    }
    joined.chars().take(57).chain("...".chars()).collect()
}
