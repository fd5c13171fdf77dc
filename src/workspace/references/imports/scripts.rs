//! Ruby, PHP and Lua.

use std::path::Path;

use tree_sitter::Node;

use super::{Import, children, code, unquoted};

pub(super) fn ruby(node: Node<'_>, text: &str, out: &mut Vec<Import>) -> bool {
    if node.kind() != "call" {
        return false;
    }
    let method = node.child_by_field_name("method").map(|method| code(method, text));
    let argument = node.child_by_field_name("arguments").and_then(|arguments| arguments.named_child(0));
    let Some(path) = argument.filter(|argument| argument.kind() == "string").map(|path| unquoted(path, text)) else {
        return false;
    };
    match method {
        // A leading `./` tells the two kinds apart from here on.
        Some("require_relative") => out.push(Import::all(format!("./{path}"))),
        Some("require") => out.push(Import::all(path)),
        _ => return false,
    }
    true
}

pub(super) fn php(node: Node<'_>, text: &str, out: &mut Vec<Import>) -> bool {
    match node.kind() {
        "namespace_use_declaration" => {
            // `use A\{B, function c as d};`
            let group = children(node).into_iter().find(|child| child.kind() == "namespace_use_group");
            let prefix = group.and_then(|_| {
                let name = children(node).into_iter().find(|child| child.kind() == "namespace_name")?;
                Some(format!("{}\\", code(name, text)))
            });
            for clause in group.map_or_else(|| children(node), children) {
                if clause.kind() != "namespace_use_clause" {
                    continue;
                }
                let path = children(clause)
                    .into_iter()
                    .find(|child| matches!(child.kind(), "qualified_name" | "name" | "namespace_name"))
                    .map_or("", |path| code(path, text));
                let path = format!("{}{}", prefix.as_deref().unwrap_or_default(), path.trim_start_matches('\\'));
                let last = path.rsplit('\\').next().unwrap_or(&path).to_owned();
                let alias = clause.child_by_field_name("alias").map(|alias| code(alias, text));
                out.push(Import::item(alias.unwrap_or(&last), &path, last.as_str()));
            }
            true
        }
        "require_expression" | "require_once_expression" | "include_expression" | "include_once_expression" => {
            // `__DIR__ . '/x.php'` or a path by itself.
            let written = code(node, text);
            let path = written.split(['"', '\'']).nth(1).unwrap_or_default();
            if Path::new(path).extension().is_some_and(|ending| ending == "php") && !written.contains('$') {
                out.push(Import::all(format!("./{}", path.trim_start_matches('/'))));
            }
            true
        }
        _ => false,
    }
}

pub(super) fn lua(node: Node<'_>, text: &str, out: &mut Vec<Import>) -> bool {
    if !matches!(node.kind(), "assignment_statement" | "function_call") {
        return false;
    }
    if node.kind() == "function_call" {
        // Without a name, for what it defines globally.
        return required(node, text).inspect(|module| out.push(Import::all(*module))).is_some();
    }
    let list = |kind: &str| children(node).into_iter().find(|child| child.kind() == kind);
    let (Some(names), Some(values)) = (list("variable_list"), list("expression_list")) else { return false };
    let mut found = false;
    for (name, value) in children(names).into_iter().zip(children(values)) {
        if let Some(module) = required(value, text) {
            out.push(Import::module(code(name, text), module));
            found = true;
        } else if value.kind() == "dot_index_expression"
            && let Some(module) = value.child_by_field_name("table").and_then(|table| required(table, text))
            && let Some(field) = value.child_by_field_name("field")
        {
            out.push(Import::item(code(name, text), module, code(field, text)));
            found = true;
        }
    }
    found
}

/// The module of `require("…")` or `require "…"`.
fn required<'a>(call: Node<'_>, text: &'a str) -> Option<&'a str> {
    let name = call.child_by_field_name("name")?;
    let argument = call.child_by_field_name("arguments")?.named_child(0)?;
    (call.kind() == "function_call" && code(name, text) == "require" && argument.kind() == "string")
        .then(|| unquoted(argument, text))
}
