//! The parameters and the return type that a function is written with.

use tree_sitter::Node;

use super::Parameter;
use super::outline::declared;
use crate::workspace::Span;

/// The node of the function whose name is at `name`: the nearest around it that has parameters, within `item`.
fn function<'tree>(root: Node<'tree>, name: &Span, item: &Span) -> Option<(Node<'tree>, Node<'tree>)> {
    let mut at = root.descendant_for_byte_range(name.start, name.end)?;
    loop {
        let value = ["value", "right"].into_iter().find_map(|field| at.child_by_field_name(field));
        // In Lua `f = function(a) end` is a statement with two lists.
        let listed = (0..at.named_child_count()).filter_map(|index| at.named_child(u32::try_from(index).ok()?));
        let listed = listed.filter(|child| child.kind() == "expression_list").find_map(|list| list.named_child(0));
        for node in [Some(at), value, listed].into_iter().flatten() {
            let list = node.child_by_field_name("parameters").or_else(|| node.child_by_field_name("parameter"));
            if let Some(list) = list {
                return Some((node, list));
            }
        }
        at = at.parent().filter(|parent| item.start <= parent.start_byte() && parent.end_byte() <= item.end)?;
    }
}

/// The parameters of the function named at `name`.
pub(super) fn parameters(root: Node<'_>, text: &str, name: &Span, item: &Span) -> Vec<Parameter> {
    let Some((_, list)) = function(root, name, item) else { return Vec::new() };
    if list.kind() == "identifier" {
        // `x => x`
        return vec![parameter(list, list, text)];
    }
    let mut out = Vec::new();
    let mut cursor = list.walk();
    for node in list.named_children(&mut cursor) {
        if matches!(
            node.kind(),
            "comment"
                | "line_comment"
                | "block_comment"
                | "keyword_separator"
                | "positional_separator"
                | "attribute_item"
        ) || node.is_error()
        {
            continue;
        }
        // C: no parameters at all.
        if node.kind() == "parameter_declaration" && text.get(node.byte_range()) == Some("void") {
            continue;
        }
        // Go: one type for several names.
        let mut names = node.walk();
        let names: Vec<_> = node.children_by_field_name("name", &mut names).collect();
        if names.len() > 1 {
            out.extend(names.into_iter().map(|name| parameter(node, name, text)));
        } else {
            out.push(parameter(node, name_of(node), text));
        }
    }
    out
}

/// The return type written at the function named at `name`.
pub(super) fn return_type(root: Node<'_>, name: &Span, item: &Span) -> Option<Span> {
    let (node, _) = function(root, name, item)?;
    let written = ["return_type", "result"].into_iter().find_map(|field| node.child_by_field_name(field));
    let written = written.or_else(|| {
        // Java and C write it in front.
        let definition = if node.kind() == "function_declarator" { declaration_of(node)? } else { node };
        definition.child_by_field_name("type")
    })?;
    // Some grammars count the colon in.
    let typed = (written.kind() == "type_annotation").then(|| written.named_child(0)).flatten();
    Some(typed.unwrap_or(written).byte_range())
}

fn declaration_of(node: Node<'_>) -> Option<Node<'_>> {
    let mut at = node;
    while at.kind().ends_with("_declarator") {
        at = at.parent()?;
    }
    Some(at)
}

fn parameter(node: Node<'_>, name: Node<'_>, text: &str) -> Parameter {
    let default = ["value", "default_value", "right"].into_iter().find_map(|field| node.child_by_field_name(field));
    let name = text.get(name.byte_range()).unwrap_or_default();
    let bare = name.trim_start_matches(['*', '&', '$', '.']);
    Parameter {
        // Lua's and C's `...` is all there is.
        name: if bare.is_empty() { name } else { bare }.to_owned(),
        span: node.byte_range(),
        has_type: node.child_by_field_name("type").is_some()
            || matches!(
                node.kind(),
                "self_parameter"
                    | "typed_parameter"
                    | "formal_parameter"
                    | "spread_parameter"
                    | "variadic_parameter_declaration"
            ),
        default: default.map(|default| default.byte_range()),
    }
}

/// The node that names a parameter; the parameter itself if it is a pattern.
fn name_of(node: Node<'_>) -> Node<'_> {
    if let Some((name, _)) = declared(node) {
        return name;
    }
    let mut at = node;
    loop {
        let inner =
            ["name", "pattern", "left"].into_iter().find_map(|field| at.child_by_field_name(field)).or_else(|| {
                let holds = matches!(
                    at.kind(),
                    "typed_parameter"
                        | "list_splat_pattern"
                        | "dictionary_splat_pattern"
                        | "rest_pattern"
                        | "mut_pattern"
                        | "ref_pattern"
                        | "reference_pattern"
                        | "spread_parameter"
                        | "variable_declarator"
                );
                let mut cursor = at.walk();
                let named = at.named_children(&mut cursor).filter(|child| {
                    !child.kind().contains("type") && child.kind() != "mutable_specifier" && child.kind() != "modifiers"
                });
                if holds { named.into_iter().next() } else { None }
            });
        match inner {
            Some(inner) => at = inner,
            None => return at,
        }
    }
}
