//! `use` trees, one path at a time, and the modules that a file declares.

use tree_sitter::Node;

use super::{Import, children, code};

pub(super) fn read(node: Node<'_>, text: &str, out: &mut Vec<Import>) -> bool {
    match node.kind() {
        "use_declaration" => {
            if let Some(argument) = node.child_by_field_name("argument") {
                tree(argument, &[], modules_around(node), text, out);
            }
            true
        }
        "mod_item" if node.child_by_field_name("body").is_none() => {
            if let Some(name) = node.child_by_field_name("name") {
                let name = code(name, text);
                out.push(Import::module(name, format!("self::{name}")));
            }
            true
        }
        // What is used inside of functions counts too, but nothing is imported in the middle of an expression.
        "macro_invocation" | "token_tree" | "call_expression" | "use_list" => true,
        _ => false,
    }
}

/// How many inline modules a statement is in: so many `super` lead to nowhere but the file itself.
fn modules_around(node: Node<'_>) -> usize {
    std::iter::successors(node.parent(), Node::parent).filter(|node| node.kind() == "mod_item").count()
}

fn tree(node: Node<'_>, before: &[String], inline: usize, text: &str, out: &mut Vec<Import>) {
    let joined = |more: Node<'_>| -> Vec<String> {
        let segments = code(more, text).split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty());
        before.iter().cloned().chain(segments).collect()
    };
    match node.kind() {
        "use_list" => children(node).into_iter().for_each(|child| tree(child, before, inline, text, out)),
        "scoped_use_list" => {
            let path = node.child_by_field_name("path").map_or_else(|| before.to_vec(), joined);
            if let Some(list) = node.child_by_field_name("list") {
                tree(list, &path, inline, text, out);
            }
        }
        "use_wildcard" => {
            let path = node.named_child(0).map_or_else(|| before.to_vec(), joined);
            if let Some(path) = outside(path, inline) {
                out.push(Import::all(path.join("::")));
            }
        }
        "use_as_clause" => {
            let side = |field| node.child_by_field_name(field);
            if let (Some(path), Some(alias)) = (side("path"), side("alias")) {
                path_as(joined(path), Some(code(alias, text)), inline, out);
            }
        }
        _ => path_as(joined(node), None, inline, out),
    }
}

fn path_as(mut path: Vec<String>, alias: Option<&str>, inline: usize, out: &mut Vec<Import>) {
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let Some(path) = outside(path, inline) else { return };
    let Some((last, module)) = path.split_last() else { return };
    let local = alias.unwrap_or(last);
    if local == "_" {
        return;
    }
    out.push(match module {
        // A crate by itself, or a module of this one.
        [] => Import::module(local, last.clone()),
        module => Import::item(local, module.join("::"), last.clone()),
    });
}

/// The path as seen from the file, not from a module in it; `None` if it stays inside of the inline modules.
fn outside(path: Vec<String>, inline: usize) -> Option<Vec<String>> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    if inline == 0 || (supers == 0 && path.first().is_none_or(|first| first != "self")) {
        return Some(path);
    }
    let mut left = path.into_iter().skip(inline);
    match supers.checked_sub(inline)? {
        // `super::…` in a test module means the file.
        0 => Some(std::iter::once("self".to_owned()).chain(left).collect()),
        _ => Some(left.by_ref().collect()),
    }
}
