//! What answers ask of a syntax tree beyond the items that [`Syntax`](crate::workspace::syntax::Syntax) knows.

use tree_sitter::{Node, Tree};

use crate::workspace::Span;

/// Every node below and including one, parents first; below a node for which `enter` is false nothing is visited.
pub(super) fn walk<'tree>(root: Node<'tree>, mut enter: impl FnMut(Node<'tree>) -> bool) {
    let mut cursor = root.walk();
    let mut depth = 0_usize;
    loop {
        if enter(cursor.node()) && cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        loop {
            if depth == 0 {
                return;
            }
            if cursor.goto_next_sibling() {
                break;
            }
            cursor.goto_parent();
            depth -= 1;
        }
    }
}

/// The node that covers a span; of several that do, the outermost: a block rather than its only statement.
pub(super) fn covering<'tree>(tree: &'tree Tree, span: &Span) -> Option<Node<'tree>> {
    let mut node = tree.root_node().descendant_for_byte_range(span.start, span.end)?;
    while let Some(parent) = node.parent().filter(|parent| parent.byte_range() == node.byte_range()) {
        node = parent;
    }
    Some(node)
}

/// The named children of a node.
pub(super) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

/// Whether a node is a function of its own, whose statements are not those of the function around it.
pub(super) fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        "function_definition"
            | "function_declaration"
            | "function_item"
            | "function_expression"
            | "arrow_function"
            | "generator_function"
            | "generator_function_declaration"
            | "method_definition"
            | "method_declaration"
            | "constructor_declaration"
            | "class_definition"
            | "class_declaration"
            | "class_body"
            | "lambda"
            | "lambda_expression"
            | "closure_expression"
            | "func_literal"
            | "anonymous_function"
            | "method"
            | "singleton_method"
            | "do_block"
            | "block_argument"
    )
}
