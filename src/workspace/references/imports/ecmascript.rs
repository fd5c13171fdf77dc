//! `import`, `export … from` and `require`.

use tree_sitter::Node;

use super::{Import, children, code, unquoted};

pub(super) fn read(node: Node<'_>, text: &str, out: &mut Vec<Import>) -> bool {
    match node.kind() {
        "import_statement" => {
            if let Some(source) = node.child_by_field_name("source") {
                let module = unquoted(source, text);
                let clause = children(node).into_iter().find(|child| child.kind() == "import_clause");
                clause.into_iter().flat_map(children).for_each(|part| bound(part, module, text, out));
            }
            true
        }
        "export_statement" => {
            let Some(source) = node.child_by_field_name("source") else { return false };
            let module = unquoted(source, text);
            let mut named = false;
            for child in children(node) {
                if matches!(child.kind(), "export_clause" | "namespace_export") {
                    named = true;
                    bound(child, module, text, out);
                }
            }
            if !named {
                out.push(Import::all(module));
            }
            true
        }
        "variable_declarator" => {
            let names = node.child_by_field_name("name");
            let required = node.child_by_field_name("value").and_then(|value| required(value, text));
            if let (Some(names), Some((module, item))) = (names, required) {
                match (names.kind(), item) {
                    ("identifier", Some(item)) => out.push(Import::item(code(names, text), module, item)),
                    ("identifier", None) => {
                        // Either all of the module, or what it says it is.
                        out.push(Import::module(code(names, text), module));
                    }
                    _ => children(names).into_iter().for_each(|part| destructured(part, module, text, out)),
                }
                return true;
            }
            false
        }
        _ => false,
    }
}

/// One part of an import or export clause.
fn bound(part: Node<'_>, module: &str, text: &str, out: &mut Vec<Import>) {
    match part.kind() {
        "identifier" => out.push(Import::item(code(part, text), module, "default")),
        "namespace_import" | "namespace_export" => {
            if let Some(name) = children(part).first() {
                out.push(Import::module(code(*name, text), module));
            }
        }
        "named_imports" | "export_clause" => {
            for one in children(part) {
                let Some(name) = one.child_by_field_name("name") else { continue };
                let local = one.child_by_field_name("alias").unwrap_or(name);
                out.push(Import::item(code(local, text), module, code(name, text)));
            }
        }
        _ => {}
    }
}

/// The module of `require("…")`, and the property taken of it.
fn required<'a>(value: Node<'_>, text: &'a str) -> Option<(&'a str, Option<&'a str>)> {
    if value.kind() == "member_expression" {
        let (module, _) = required(value.child_by_field_name("object")?, text)?;
        return Some((module, Some(code(value.child_by_field_name("property")?, text))));
    }
    let function = value.child_by_field_name("function")?;
    let argument = value.child_by_field_name("arguments")?.named_child(0)?;
    (value.kind() == "call_expression" && code(function, text) == "require" && argument.kind() == "string")
        .then(|| (unquoted(argument, text), None))
}

fn destructured(part: Node<'_>, module: &str, text: &str, out: &mut Vec<Import>) {
    match part.kind() {
        "shorthand_property_identifier_pattern" => {
            out.push(Import::item(code(part, text), module, code(part, text)));
        }
        "pair_pattern" => {
            let side = |field| part.child_by_field_name(field).map(|side| code(side, text));
            if let (Some(item), Some(local)) = (side("key"), side("value")) {
                out.push(Import::item(local, module, item));
            }
        }
        _ => {}
    }
}
