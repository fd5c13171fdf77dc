//! What speaks against annotations of TypeScript that left the code as it was.

use std::collections::HashSet;

use tree_sitter::Node;

use super::difference::shortened;
use super::names::{is_typescript_global, undefined};
use super::stream::{Annotation, Site, Stream};
use crate::output::tree::walk;

pub(super) fn objection(before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    let new = after.new_annotations(before);
    if let Some(reason) = imports(before, after) {
        return Some(reason);
    }
    if new.is_empty() {
        return None;
    }
    if let Some(reason) = new.iter().find_map(|annotation| at_run_time(annotation, after)) {
        return Some(reason);
    }
    let bound = bound(after);
    new.iter().find_map(|annotation| {
        let name = mentioned(annotation.node, after.text)
            .into_iter()
            .find(|name| !bound.contains(name) && !is_typescript_global(name))?;
        Some(undefined(after.line(annotation.node.start_byte()), annotation.text, name))
    })
}

/// New imports must be for types, and used by them.
fn imports(before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    let new = after.new_imports(before);
    if new.is_empty() {
        return None;
    }
    let mut used: HashSet<&str> = HashSet::new();
    for annotation in &after.annotations {
        walk(annotation.node, |node| {
            if matches!(node.kind(), "type_identifier" | "identifier") {
                used.insert(&after.text[node.byte_range()]);
            }
            true
        });
    }
    new.iter().find_map(|import| {
        let line = after.line(import.start);
        if !used.contains(import.bound.as_str()) {
            return Some(format!("it adds `{}` in line {line}, which no annotation uses", import.key));
        }
        let twice = after.imports.iter().filter(|other| !import.bound.is_empty() && other.bound == import.bound).count() > 1;
        if twice {
            return Some(format!("it adds `{}` in line {line}, and `{}` is imported already", import.key, import.bound));
        }
        let loaded = before.imports.iter().any(|other| other.module == import.module && !other.types_only);
        (!import.types_only && !loaded).then(|| {
            format!(
                "it adds `{}` in line {line}, which can load that module when the program runs; it must be `import type`",
                import.key
            )
        })
    })
}

/// Decorators get the types of what they decorate handed over, where the compiler is told to emit them.
fn at_run_time(annotation: &Annotation<'_>, after: &Stream<'_>) -> Option<String> {
    let owner = match annotation.site {
        Site::Variable { .. } if annotation.owner.kind() == "public_field_definition" => annotation.owner,
        Site::Parameter | Site::Result => *annotation.scopes.first()?,
        _ => return None,
    };
    let is_constructor = owner
        .child_by_field_name("name")
        .is_some_and(|name| owner.kind() == "method_definition" && &after.text[name.byte_range()] == "constructor");
    let class = owner.parent().and_then(|body| body.parent()).filter(|_| is_constructor);
    let decorator = decorators(owner)
        .or_else(|| {
            let parameters = owner.child_by_field_name("parameters")?;
            let mut cursor = parameters.walk();
            parameters.named_children(&mut cursor).find_map(decorators)
        })
        .or_else(|| class.and_then(|class| decorators(class).or_else(|| class.parent().and_then(decorators))))?;
    Some(format!(
        "it writes the type `{}` in line {}, which `{}` may get handed over when the program runs",
        shortened(annotation.text),
        after.line(annotation.node.start_byte()),
        shortened(&after.text[decorator.byte_range()])
    ))
}

/// The first decorator of a node, in it or in front of it.
fn decorators(node: Node<'_>) -> Option<Node<'_>> {
    if matches!(node.kind(), "program" | "statement_block") {
        return None;
    }
    let mut cursor = node.walk();
    let inside = node.named_children(&mut cursor).find(|child| child.kind() == "decorator");
    inside.or_else(|| node.prev_named_sibling().filter(|before| before.kind() == "decorator"))
}

/// All names that types can be called by in a file.
fn bound<'a>(stream: &Stream<'a>) -> HashSet<&'a str> {
    let mut bound: HashSet<&str> = HashSet::new();
    let text = stream.text;
    walk(stream.root, |node| {
        let name = match node.kind() {
            "class_declaration"
            | "abstract_class_declaration"
            | "class"
            | "interface_declaration"
            | "type_alias_declaration"
            | "enum_declaration"
            | "internal_module"
            | "module"
            | "type_parameter"
            | "mapped_type_clause"
            | "import_alias" => node.child_by_field_name("name").or_else(|| node.named_child(0)),
            "infer_type" | "namespace_import" | "import_require_clause" | "namespace_export" => node.named_child(0),
            "import_specifier" => node.child_by_field_name("alias").or_else(|| node.child_by_field_name("name")),
            "import_clause" => node.named_child(0).filter(|child| child.kind() == "identifier"),
            _ => None,
        };
        if let Some(name) = name {
            bound.insert(&text[name.byte_range()]);
        }
        true
    });
    bound
}

/// The types that an annotation names; of a qualified name its first part.
fn mentioned<'a>(annotation: Node<'_>, text: &'a str) -> Vec<&'a str> {
    let mut names = Vec::new();
    walk(annotation, |node| {
        match node.kind() {
            "nested_type_identifier" => {
                let mut first = node;
                while let Some(inner) = first.named_child(0) {
                    first = inner;
                }
                names.push(&text[first.byte_range()]);
                return false;
            }
            "type_identifier" => names.push(&text[node.byte_range()]),
            _ => {}
        }
        // `typeof x` and `import('x').Y` name values and modules.
        !matches!(node.kind(), "type_query")
    });
    names
}
