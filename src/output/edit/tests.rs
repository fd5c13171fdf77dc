use super::*;
use crate::workspace::language;

/// Replaces what stands between the two `$` of a text, and compares the edits, `old→new`, and the outcome.
fn check(id: &str, marked: &str, replacement: &str, expected: &str) {
    let (document, selection) = selected(marked);
    let edits = replace_selection(&document, selection.clone(), language::by_id(id), replacement);
    assert_eq!(apply(&document, &edits), expected, "{edits:?}");
    let mut at = selection.start;
    for edit in &edits {
        assert!(edit.span.start >= at && edit.span.end <= selection.end, "{edits:?} is not within {selection:?}");
        at = edit.span.end + 1;
    }
}

fn selected(marked: &str) -> (String, Span) {
    let parts: Vec<&str> = marked.split('$').collect();
    let [before, inside, after] = parts[..] else { panic!("two marks are needed: {marked}") };
    ([before, inside, after].concat(), before.len()..before.len() + inside.len())
}

#[test]
fn indentation_is_the_selections() {
    let whole = "class A:\n$    def f(a):\n        return a\n$\n    x = 1\n";
    let wanted = "class A:\n    def f(a: int) -> int:\n        return a\n\n    x = 1\n";
    for replacement in [
        // As it was, moved to column zero, and with the first line alone moved.
        "    def f(a: int) -> int:\n        return a",
        "def f(a: int) -> int:\n    return a",
        "def f(a: int) -> int:\n        return a",
        "\n\n    def f(a: int) -> int:\n        return a\n\n",
        "def f(a: int) -> int:\r\n    return a\r\n",
    ] {
        check("python", whole, replacement, wanted);
        // Helix and VS Code end at column 0, Neovim at the line's end; some begin behind the indentation.
        check("python", &whole.replace("return a\n$", "return a$\n"), replacement, wanted);
        check("python", &whole.replace("$    def", "    $def"), replacement, wanted);
    }
}
