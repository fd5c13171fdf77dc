//! Go, Java, C and C++.

use tree_sitter::Node;

use super::{Import, children, code, unquoted};

pub(super) fn go(node: Node<'_>, text: &str, out: &mut Vec<Import>) -> bool {
    match node.kind() {
        "import_spec" => {
            let Some(path) = node.child_by_field_name("path") else { return true };
            let module = unquoted(path, text);
            match node.child_by_field_name("name").map(|name| code(name, text)) {
                Some("_") => {}
                Some(".") => out.push(Import::all(module)),
                Some(name) => out.push(Import::module(name, module)),
                None => out.push(Import::module(package(module), module)),
            }
            true
        }
        "function_declaration" | "method_declaration" | "type_declaration" | "var_declaration" => true,
        _ => false,
    }
}

/// What a package is called by the custom that its folder has its name; a version at the end is none.
fn package(module: &str) -> &str {
    let is_version = |part: &str| part.strip_prefix('v').is_some_and(|digits| digits.parse::<u32>().is_ok());
    let mut parts = module.rsplit('/').skip_while(|part| is_version(part));
    let last = parts.next().unwrap_or(module);
    last.split('.').next().unwrap_or(last)
}

pub(super) fn java(node: Node<'_>, text: &str, out: &mut Vec<Import>) -> bool {
    if node.kind() != "import_declaration" {
        return node.kind().ends_with("_declaration");
    }
    let statement = code(node, text).trim_start_matches("import").trim().trim_end_matches(';').trim();
    let (is_static, path) = match statement.strip_prefix("static ") {
        Some(path) => (true, path.trim()),
        None => (false, statement),
    };
    let path = path.replace(char::is_whitespace, "");
    let Some((module, last)) = path.rsplit_once('.') else { return true };
    match (last, is_static) {
        ("*", _) => out.push(Import::all(module)),
        // A member of a class: the class is the module.
        (last, true) => out.push(Import::item(last, module, last)),
        (last, false) => out.push(Import::item(last, &path, last)),
    }
    true
}

pub(super) fn c(node: Node<'_>, text: &str, out: &mut Vec<Import>) -> bool {
    match node.kind() {
        "preproc_include" => {
            if let Some(path) = children(node).first() {
                out.push(Import::all(unquoted(*path, text)));
            }
            true
        }
        "translation_unit" | "linkage_specification" | "declaration_list" => false,
        kind => !kind.starts_with("preproc_"),
    }
}
