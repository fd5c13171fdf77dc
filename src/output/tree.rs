//! What this room asks of a syntax tree.

use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use crate::workspace::Language;
use crate::workspace::language::Grammar;

/// Texts larger than this are not parsed.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A parse that takes longer is given up: some texts drive error recovery into the ground.
const MAX_TIME: Duration = Duration::from_secs(2);

/// The tree of a text; `None` for a language without a grammar, and for a text too large or too tangled.
pub(crate) fn parse(language: &Language, text: &str) -> Option<Tree> {
    let grammar = match language.grammar? {
        Grammar::Bash => tree_sitter_bash::LANGUAGE,
        Grammar::C => tree_sitter_c::LANGUAGE,
        Grammar::Cpp => tree_sitter_cpp::LANGUAGE,
        Grammar::Go => tree_sitter_go::LANGUAGE,
        Grammar::Java => tree_sitter_java::LANGUAGE,
        Grammar::JavaScript => tree_sitter_javascript::LANGUAGE,
        Grammar::Lua => tree_sitter_lua::LANGUAGE,
        Grammar::Php => tree_sitter_php::LANGUAGE_PHP,
        Grammar::Python => tree_sitter_python::LANGUAGE,
        Grammar::Ruby => tree_sitter_ruby::LANGUAGE,
        Grammar::Rust => tree_sitter_rust::LANGUAGE,
        Grammar::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
        Grammar::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
    };
    if text.len() > MAX_BYTES {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&grammar.into()).ok()?;
    let begun = Instant::now();
    let mut progress = |_: &ParseState| {
        if begun.elapsed() > MAX_TIME { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    parser.parse_with_options(&mut |at, _| text.as_bytes().get(at..).unwrap_or(&[]), None, Some(options))
}

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
