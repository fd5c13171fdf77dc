//! What import statements bind.

use tree_sitter::Node;

use super::stream::Import;
use crate::workspace::language::Grammar;

/// Adds what an import statement binds.
pub(super) fn read(grammar: Grammar, node: Node<'_>, text: &str, anchor: usize, out: &mut Vec<Import>) {
    if grammar == Grammar::Python {
        python_imports(node, text, anchor, false, out);
    } else {
        typescript_imports(node, text, anchor, out);
    }
}

fn python_imports(node: Node<'_>, text: &str, anchor: usize, types_only: bool, out: &mut Vec<Import>) {
    let of = |node: Node<'_>| text[node.byte_range()].split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(block) = node.child_by_field_name("consequence") {
        let mut cursor = block.walk();
        for child in block.named_children(&mut cursor).filter(|child| child.kind().starts_with("import")) {
            python_imports(child, text, anchor, true, out);
        }
        return;
    }
    let source = match node.kind() {
        "future_import_statement" => Some("__future__".to_owned()),
        "import_from_statement" => node.child_by_field_name("module_name").map(of),
        _ => None,
    };
    let mut cursor = node.walk();
    let mut names: Vec<Node<'_>> = node.children_by_field_name("name", &mut cursor).collect();
    let mut cursor = node.walk();
    names.extend(node.named_children(&mut cursor).filter(|child| child.kind() == "wildcard_import"));
    for name in names {
        let written = of(name);
        let bound = match name.child_by_field_name("alias") {
            Some(alias) => of(alias),
            None if source.is_none() => written.split('.').next().unwrap_or("").to_owned(),
            None => written.clone(),
        };
        let from = source.as_ref().map_or_else(String::new, |source| format!("from {source} "));
        let module = match &source {
            Some(source) => source.clone(),
            None => name.child_by_field_name("name").map_or_else(|| written.clone(), of),
        };
        let guard = if types_only { "if TYPE_CHECKING: " } else { "" };
        let key = format!("{guard}{from}import {written}");
        out.push(Import { key, module, bound, types_only, anchor, start: name.start_byte() });
    }
}

fn typescript_imports(node: Node<'_>, text: &str, anchor: usize, out: &mut Vec<Import>) {
    let of = |node: Node<'_>| text[node.byte_range()].split_whitespace().collect::<Vec<_>>().join(" ");
    let module = node.child_by_field_name("source").map_or_else(String::new, of);
    let module = module.trim_matches(['"', '\'']).to_owned();
    let whole = child(node, "type").is_some();
    let attributes = child(node, "import_attribute").map_or_else(String::new, of);
    let mut push = |start: usize, written: &str, bound: String, types_only: bool| {
        let word = if types_only { "import type" } else { "import" };
        let key = format!("{word} {written} from '{module}'{attributes}");
        out.push(Import { key, module: module.clone(), bound, types_only, anchor, start });
    };
    let Some(clause) = child(node, "import_clause") else {
        return push(node.start_byte(), "nothing", String::new(), false);
    };
    let mut cursor = clause.walk();
    for part in clause.named_children(&mut cursor) {
        match part.kind() {
            "named_imports" => {
                let mut cursor = part.walk();
                for specifier in part.named_children(&mut cursor).filter(|name| name.kind() == "import_specifier") {
                    let Some(name) = specifier.child_by_field_name("name") else { continue };
                    let bound = of(specifier.child_by_field_name("alias").unwrap_or(name));
                    let types_only = whole || child(specifier, "type").is_some();
                    let written = if bound == of(name) { bound.clone() } else { format!("{} as {bound}", of(name)) };
                    push(specifier.start_byte(), &format!("{{ {written} }}"), bound, types_only);
                }
            }
            "namespace_import" => {
                let bound = part.named_child(0).map_or_else(String::new, of);
                push(part.start_byte(), &format!("* as {bound}"), bound, whole);
            }
            "identifier" => push(part.start_byte(), &of(part), of(part), whole),
            _ => {}
        }
    }
}

fn child<'a>(node: Node<'a>, kind: &str) -> Option<Node<'a>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).find(|child| child.kind() == kind)
}
