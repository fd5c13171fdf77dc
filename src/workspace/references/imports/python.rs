//! `import a.b as c` and `from .a import b as c`.

use tree_sitter::Node;

use super::{Import, children, code};

pub(super) fn read(node: Node<'_>, text: &str, out: &mut Vec<Import>) -> bool {
    match node.kind() {
        "import_statement" => {
            for child in children(node) {
                let (module, local) = aliased(child, text);
                out.push(Import::module(local, module));
            }
            true
        }
        "import_from_statement" => {
            let Some(from) = node.child_by_field_name("module_name") else { return true };
            let module = code(from, text).replace(char::is_whitespace, "");
            for child in children(node) {
                if child == from {
                    continue;
                }
                if child.kind() == "wildcard_import" {
                    out.push(Import::all(&module));
                } else if matches!(child.kind(), "dotted_name" | "aliased_import") {
                    let (item, local) = aliased(child, text);
                    out.push(Import::item(local, &module, item));
                }
            }
            true
        }
        _ => false,
    }
}

/// A name and what it is called here.
fn aliased<'a>(node: Node<'_>, text: &'a str) -> (&'a str, &'a str) {
    let part = |field| node.child_by_field_name(field).map(|part| code(part, text));
    let name = part("name").unwrap_or_else(|| code(node, text));
    (name, part("alias").unwrap_or(name))
}
