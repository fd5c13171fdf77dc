//! Tests are added to a file, and what is there stays as it is.

use super::Verdict;
use super::difference::shortened;
use crate::output::edit::TextEdit;
use crate::workspace::syntax::{Syntax, tree as parse};
use crate::workspace::{Language, Span};

/// Whether `edits` of `before` only add: nothing but white space is replaced, and nothing is put into a token, or into
/// the body of a function or of a test that is there.
pub fn only_adds(language: &Language, before: &str, edits: &[TextEdit]) -> Verdict {
    let replaced = edits.iter().find(|edit| !before[edit.span.clone()].trim().is_empty());
    if let Some(edit) = replaced {
        let code = shortened(&before[edit.span.clone()]);
        return Verdict::Broken(format!("it changes tests that are there: line {}: `{code}`", line(before, edit)));
    }
    let Some(tree) = parse(language, before) else { return Verdict::Kept };
    let bodies = function_bodies(language, before);
    for edit in edits {
        let span = edit.span.clone();
        let Some(mut node) = tree.root_node().descendant_for_byte_range(span.start, span.end) else { continue };
        let inside = |span: &Span, edit: &Span| span.start < edit.start && edit.end < span.end;
        let token = node.child_count() == 0 && node.parent().is_some() && inside(&node.byte_range(), &span);
        let string = node.kind().contains("string") && inside(&node.byte_range(), &span);
        let mut body = bodies.iter().any(|body| inside(body, &span));
        while let Some(parent) = node.parent() {
            body |= is_test_call(node, before) && inside(&node.byte_range(), &span);
            node = parent;
        }
        if token || string || body {
            let code = shortened(&edit.text);
            return Verdict::Broken(format!(
                "it writes into code that is there, not beside it: line {}: `{code}`",
                line(before, edit)
            ));
        }
    }
    Verdict::Kept
}

fn line(text: &str, edit: &TextEdit) -> usize {
    crate::output::lines::lines(&text[..edit.span.start]).filter(|line| !line.end.is_empty()).count() + 1
}

fn function_bodies(language: &Language, text: &str) -> Vec<Span> {
    use crate::workspace::syntax::ItemKind::{Function, Method};
    let Some(syntax) = Syntax::parse(language, text) else { return Vec::new() };
    let items = syntax.items();
    let is_function = |kind| matches!(kind, Function | Method);
    let functions = items.iter().filter(|item| is_function(item.kind));
    // A function that holds classes or modules may be a place for tests, as an inline one is.
    functions.filter_map(|item| item.body.clone()).collect()
}

/// Whether a node is `it('…', () => { … })`, in any framework's words.
fn is_test_call(node: tree_sitter::Node<'_>, text: &str) -> bool {
    const TESTS: &[&str] =
        &["it", "test", "specify", "example", "scenario", "before", "after", "let", "subject", "setup", "teardown"];
    if !matches!(node.kind(), "call" | "call_expression" | "function_call") {
        return false;
    }
    let code = &text[node.byte_range()];
    let name = code.split(|char: char| !(char.is_alphanumeric() || char == '_')).next().unwrap_or("");
    TESTS.contains(&name) && !code.starts_with("test.describe")
}
