//! Where imports stand in a file.

use tree_sitter::{Node, Tree};

use super::statements::{Family, top};
use crate::output::edit::TextEdit;
use crate::output::lines::{dominant_line_end, indentation, lines};
use crate::workspace::Language;

/// The first part of a file, by the ends of what is in it.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The last thing that has to come before imports.
    pub(super) header: Option<usize>,
    /// The last import that must come before others.
    pub(super) future: Option<usize>,
    /// The last import of the first group of them.
    pub(super) imports: Option<usize>,
}

/// Where a text without anything before its imports begins: behind a byte order mark.
pub(super) fn beginning(document: &str) -> usize {
    if document.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// Finds the places.
pub(super) fn leading_part(family: Family, tree: &Tree, text: &str) -> Place {
    let container = top(family, tree.root_node());
    let mut cursor = container.walk();
    let nodes: Vec<Node<'_>> = container.named_children(&mut cursor).collect();
    let end = |node: &Node<'_>| node.start_byte() + text[node.byte_range()].trim_end().len();
    let mut place = Place::default();

    let mut comment_end = None;
    if container != tree.root_node() {
        // Within an include guard: its name, and the definition of it.
        place.header = nodes.get(1).map(&end);
    }
    for node in &nodes {
        if let Some(comment_end) = comment_end.take() {
            let gap = &text[comment_end..node.start_byte().max(comment_end)];
            if lines(gap).filter(|line| !line.end.is_empty()).count() > 1 || is_header(family, *node, text) {
                place.header = Some(comment_end);
            }
        }
        if is_header(family, *node, text) {
            place.header = Some(end(node));
        } else if node.kind().contains("comment") {
            comment_end = Some(end(node));
        } else if !is_passable(family, *node) {
            break;
        }
    }
    if comment_end.is_some() {
        // Nothing but comments.
        place.header = comment_end;
    }

    let first = nodes.iter().position(|node| family.is_import(*node, text));
    let run = first.map_or(&[][..], |first| &nodes[first..]);
    for node in run {
        if family.is_import(*node, text) {
            place.imports = Some(end(node));
            if node.kind() == "future_import_statement" {
                place.future = Some(end(node));
            }
        } else if !is_passable(family, *node) && !node.kind().contains("comment") {
            break;
        }
    }
    place
}

/// Whether something that is no import, and ends the part where imports stand, comes behind the last import: then it
/// makes no difference what follows.
pub(super) fn is_settled(family: Family, tree: &Tree, text: &str) -> bool {
    let root = tree.root_node();
    let mut cursor = root.walk();
    let nodes: Vec<Node<'_>> = root.named_children(&mut cursor).collect();
    let after = nodes.iter().rposition(|node| family.is_import(*node, text)).map_or(0, |last| last + 1);
    nodes[after..]
        .iter()
        .any(|node| !node.kind().contains("comment") && !is_passable(family, *node) && !is_header(family, *node, text))
}

/// Whether a node has to come before imports.
fn is_header(family: Family, node: Node<'_>, text: &str) -> bool {
    let code = &text[node.byte_range()];
    if node.kind().contains("comment") || node.kind() == "hash_bang_line" {
        let magic = ["#!", "//!", "/*!"].iter().any(|start| code.starts_with(start))
            || code.starts_with('#') && ["coding", "frozen_string_literal"].iter().any(|word| code.contains(word));
        return magic;
    }
    match family {
        Family::Python => {
            node.kind() == "expression_statement"
                && node.prev_named_sibling().is_none_or(|before| before.kind() == "comment")
                && node.named_child(0).is_some_and(|child| child.kind() == "string")
        }
        Family::EcmaScript => {
            node.kind() == "expression_statement" && node.named_child(0).is_some_and(|child| child.kind() == "string")
        }
        Family::Rust => matches!(node.kind(), "inner_attribute_item" | "shebang"),
        Family::Go => node.kind() == "package_clause",
        Family::Java => node.kind() == "package_declaration",
        Family::Php => {
            matches!(node.kind(), "php_tag" | "declare_statement")
                || node.kind() == "namespace_definition" && node.child_by_field_name("body").is_none()
        }
        Family::C => node.kind() == "preproc_call" && code.contains("once"),
        Family::Shell => node.kind() == "command" && code.starts_with("set "),
        Family::Ruby | Family::Lua => false,
    }
}

/// Whether a node may stand between imports, or between the header and them.
fn is_passable(family: Family, node: Node<'_>) -> bool {
    match family {
        Family::Rust => {
            matches!(node.kind(), "mod_item" | "attribute_item") && node.child_by_field_name("body").is_none()
        }
        Family::C => matches!(node.kind(), "preproc_def" | "preproc_ifdef" | "preproc_if" | "identifier"),
        Family::Php => node.kind() == "text_interpolation",
        _ => false,
    }
}

/// The same for a language without a grammar: behind the last line that begins as the first import does, else behind
/// the comments at the top.
pub(super) fn by_lines(document: &str, language: &Language, imports: &[String]) -> Vec<TextEdit> {
    let present: std::collections::HashSet<&str> = lines(document).map(|line| line.content.trim()).collect();
    let missing: Vec<&str> = imports.iter().map(String::as_str).filter(|line| !present.contains(line.trim())).collect();
    let Some(first) = missing.first() else { return Vec::new() };
    let keyword = first.split(char::is_whitespace).next();
    let mut after_import = None;
    let mut after_header = beginning(document);
    let mut in_header = true;
    let mut at = 0;
    for line in lines(document) {
        at += line.len();
        if line.content.split(char::is_whitespace).next() == keyword && indentation(line.content).is_empty() {
            after_import = Some(at);
        }
        in_header &= line.content.starts_with("#!")
            || language.line_comment.is_some_and(|comment| line.content.starts_with(comment));
        if in_header {
            after_header = at;
        }
    }
    let at = after_import.unwrap_or(after_header);
    let end = dominant_line_end(document).unwrap_or("\n");
    let mut text: String = missing.iter().flat_map(|line| [line, end]).collect();
    if at > 0 && !document[..at].ends_with(['\n', '\r', '\u{feff}']) {
        text = format!("{end}{}", text.strip_suffix(end).unwrap_or(&text));
    }
    vec![TextEdit { span: at..at, text }]
}
