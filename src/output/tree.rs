//! What this room asks of a syntax tree.

use std::ops::Range;

use tree_sitter::Node;

use crate::workspace::Language;
use crate::workspace::syntax::tree as parse;

/// Every node, parents first, without those below a node for which `enter` is false.
pub(crate) fn walk<'tree>(root: Node<'tree>, mut enter: impl FnMut(Node<'tree>) -> bool) {
    let mut cursor = root.walk();
    loop {
        if enter(cursor.node()) && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// The rows of strings that go over several lines: from the one where each begins up to behind the one where it ends.
pub(crate) fn multi_line_strings(language: &Language, text: &str) -> Vec<Range<usize>> {
    let Some(tree) = parse(language, text) else { return Vec::new() };
    let mut rows = Vec::new();
    walk(tree.root_node(), |node| {
        let kind = node.kind();
        let string = kind.contains("string") || kind.contains("heredoc") || kind == "text_block";
        let several = node.end_position().row > node.start_position().row;
        if string && several && node.is_named() {
            rows.push(node.start_position().row..node.end_position().row + 1);
        }
        several && !string
    });
    rows
}
