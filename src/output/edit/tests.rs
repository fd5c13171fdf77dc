use proptest::prelude::*;

use super::*;
use crate::output::imports::merge_imports;
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

#[test]
fn tabs_and_spaces_are_the_documents() {
    // Spaces for tabs, and tabs for spaces.
    check(
        "go",
        "func f() {\n$\tif a {\n\t\tb()\n\t}\n$}\n",
        "if a {\n    c()\n    if d {\n        e()\n    }\n}",
        "func f() {\n\tif a {\n\t\tc()\n\t\tif d {\n\t\t\te()\n\t\t}\n\t}\n}\n",
    );
    check("go", "$func f() {\n\ta()\n\tb()\n}\n$", "func f() {\n  a()\n  c()\n}", "func f() {\n\ta()\n\tc()\n}\n");
    check(
        "javascript",
        "$function f() {\n  a();\n}\n$",
        "/**\n * Doc.\n */\nfunction f() {\n\ta();\n\tb();\n}",
        "/**\n * Doc.\n */\nfunction f() {\n  a();\n  b();\n}\n",
    );
    check(
        "java",
        "class A {\n$\tvoid f() {\n\t}\n$}\n",
        "/**\n * Doc.\n */\nvoid f() {\n}",
        "class A {\n\t/**\n\t * Doc.\n\t */\n\tvoid f() {\n\t}\n}\n",
    );
    // Where both occur, lines that say the same stay as they are.
    check(
        "c",
        "$void f() {\n\ta();\n    b();\n}\n$",
        "void f(void) {\n    a();\n    b();\n}",
        "void f(void) {\n\ta();\n    b();\n}\n",
    );
}

#[test]
fn one_line_becomes_several() {
    check("python", "if x:\n    $y = f(a)$\n", "y = f(\n    a,\n)", "if x:\n    y = f(\n        a,\n    )\n");
    check(
        "python",
        "if x:\n    $y = f(a)$\n",
        "    y = f(\n        a,\n    )",
        "if x:\n    y = f(\n        a,\n    )\n",
    );
    check("python", "if x:\n    $y = f(a)$\n", "y = f(\n        a,\n    )", "if x:\n    y = f(\n        a,\n    )\n");
    check("python", "if x:\n    $y()\n$", "y()\nz()", "if x:\n    y()\n    z()\n");
    check("python", "if x:\n    $y()$\n", "y()\n    z()", "if x:\n    y()\n    z()\n");
}

#[test]
fn a_part_of_a_line_is_replaced_alone() {
    check("python", "x = $1 + 1$  # sum\n", "2", "x = 2  # sum\n");
    check("python", "    x = $[1,\n    2]$\n", "[1,\n    3]", "    x = [1,\n    3]\n");
    check("python", "def f($a$): pass\n", "a: int", "def f(a: int): pass\n");
    check("python", "x = $ y $+ z\n", "w\n", "x =  w + z\n");
}

#[test]
fn blank_lines_and_the_last_line_break_stay() {
    check("python", "$\n\na = 1\n\n\n$b\n", "a = 2", "\n\na = 2\n\n\nb\n");
    check("python", "$a = 1$", "a = 2\n\n", "a = 2");
    check("python", "$a = 1\n$", "a = 2", "a = 2\n");
    check("python", "$a = 1$", "a = 2\nb = 3\n", "a = 2\nb = 3");
    check("python", "a:\n    $$\n", "pass", "a:\n    pass\n");
    check("python", "a:\n$    \n$", "    b\n    c", "a:\n    b\n    c\n");
    check("python", "a\n$b\n$c\n", "", "a\nc\n");
    check("python", "a $b$ c\n", "\n", "a  c\n");
    check("python", "$a = 1   \nb = 1\n$", "a = 1\nb = 2", "a = 1   \nb = 2\n");
    check("python", "$a\n    \nb\n$", "a\n\nc", "a\n    \nc\n");
}

#[test]
fn line_ends_are_the_documents() {
    check("python", "$a\r\nb\r\n$c\r\n", "a\nx\nb", "a\r\nx\r\nb\r\nc\r\n");
    check("python", "$a\rb\r$", "a\nx\nb\n", "a\rx\rb\r");
    check("python", "$a$\r\nb", "a\nx", "a\r\nx\r\nb");
    check("python", "$a\r\nb\nc\r\n$", "a\r\nb\r\nx\r\nc\r\n", "a\r\nb\nx\r\nc\r\n");
    check("python", "$a = 1\r\nb = 1\nc = 1\r\n$", "a = 2\nb = 2\nc = 2", "a = 2\r\nb = 2\nc = 2\r\n");
    check("python", "$a = '\u{2028}'\n$", "b = '\u{2028}'", "b = '\u{2028}'\n");
}

#[test]
fn the_inside_of_strings_is_content() {
    let method = "class A:\n$    def f(self):\n        q = \"\"\"\nSELECT\n  a\n\"\"\"\n        return q\n$";
    check(
        "python",
        method,
        "def f(self) -> str:\n    q = \"\"\"\nSELECT\n  a\n\"\"\"\n    return q",
        "class A:\n    def f(self) -> str:\n        q = \"\"\"\nSELECT\n  a\n\"\"\"\n        return q\n",
    );
    check(
        "python",
        "class A:\n$    def f(self):\n        \"\"\"Doc.\n\n        More.\n        \"\"\"\n        pass\n$",
        "def f(self) -> None:\n    \"\"\"Doc.\n\n    More.\n    \"\"\"\n    pass",
        "class A:\n    def f(self) -> None:\n        \"\"\"Doc.\n\n        More.\n        \"\"\"\n        pass\n",
    );
}

#[test]
fn unchanged_lines_are_not_touched() {
    let (document, selection) = selected("$def f(a):\n    x = 1\n    return a\n\ndef g(b):\n    return b\n$");
    let replacement = document.replace("(a):", "(a: int) -> int:").replace("(b):", "(b: str) -> str:");
    let edits = replace_selection(&document, selection, language::by_id("python"), &replacement);
    let touched: Vec<&str> = edits.iter().map(|edit| &document[edit.span.clone()]).collect();
    assert_eq!(touched, [")", ")"]);
    let same = replace_selection(&document, 0..document.len(), language::by_id("python"), &document);
    assert_eq!(same, []);
}

fn planned(marked: &str, code: &str, imports: &str) -> (String, Vec<TextEdit>) {
    let (document, selection) = selected(marked);
    let imports = imports.lines().map(str::to_owned).collect();
    let answer = EditAnswer { replacement: code.to_owned(), imports, note: None };
    let edits = plan(&document, selection, language::by_id("python"), &answer).unwrap();
    for pair in edits.windows(2) {
        assert!(pair[0].span.end < pair[1].span.start, "{edits:?}");
    }
    (apply(&document, &edits), edits)
}

#[test]
fn imports_and_replacement_are_one_edit() {
    let (text, edits) =
        planned("import os\n\n$def f(a):\n    pass\n$", "def f(a: Any):\n    pass", "from typing import Any");
    assert_eq!(text, "import os\nfrom typing import Any\n\ndef f(a: Any):\n    pass\n");
    assert_eq!(edits.len(), 2);
    // The selection holds the imports, or is all there is.
    let (text, _) = planned("$import os\nx = f()\n$", "import os\nx: Any = f()", "from typing import Any");
    assert_eq!(text, "import os\nfrom typing import Any\nx: Any = f()\n");
    let (text, edits) = planned("$x = f()\n$", "x: Any = f()", "from typing import Any");
    assert_eq!(text, "from typing import Any\n\nx: Any = f()\n");
    assert_eq!(edits.len(), 2);
    // The replacement brings an import itself.
    let (text, _) = planned("$x = f()\n$", "from typing import Any\nx: Any = f()", "from typing import Any, List");
    assert_eq!(text, "from typing import Any, List\nx: Any = f()\n");
    let (text, _) = planned("$y$ = 1\n", "x", "import a");
    assert_eq!(text, "import a\n\nx = 1\n");
}

/// A selection that a model was given, and what it may answer: a list of lines, each with its depth.
#[derive(Clone, Debug)]
struct Case {
    tab: &'static str,
    end: &'static str,
    base: usize,
    old: Vec<(usize, String)>,
    new: Vec<(usize, String)>,
    final_break: bool,
}

fn case() -> impl Strategy<Value = Case> {
    // Every line of the old text is another, so that which reading is right can be seen.
    let lines = prop::collection::vec((0_usize..3, any::<bool>(), "(é|👍🏽|x = [a-c]){1}"), 2..14);
    let (tab, end) =
        (prop_oneof![Just("    "), Just("  "), Just("\t")], prop_oneof![Just("\n"), Just("\r\n"), Just("\r")]);
    (tab, end, 0_usize..3, lines, any::<bool>()).prop_map(|(tab, end, base, lines, final_break)| {
        let mut old = vec![(0, "begin".to_owned())];
        let mut new = vec![(0, "begin".to_owned())];
        for (index, (depth, changed, text)) in lines.into_iter().enumerate() {
            old.push((depth + 1, format!("{text} {index}")));
            new.push((depth + 1, if changed { format!("{text}: int {index}") } else { format!("{text} {index}") }));
        }
        // One line at least stays.
        old.push((1, "stays".to_owned()));
        new.push((1, "stays".to_owned()));
        Case { tab, end, base, old, new, final_break }
    })
}

fn written(lines: &[(usize, String)], tab: &str, base: usize, end: &str) -> String {
    let lines: Vec<String> = lines.iter().map(|(depth, text)| format!("{}{text}", tab.repeat(base + depth))).collect();
    lines.join(end)
}

#[test]
fn edits_in_one_line_are_one_edit_of_it() {
    let text = "a = b\nc(d, e)\r\nf\n\ng";
    let edit = |start: usize, end: usize, text: &str| TextEdit { span: start..end, text: text.to_owned() };
    for (edits, expected) in [
        (vec![edit(8, 9, "x"), edit(11, 12, "y")], vec![edit(6, 15, "c(x, y)\r\n")]),
        // What is in whole lines stays as it is, also where another begins.
        (vec![edit(0, 0, "import z\n"), edit(0, 6, "")], vec![edit(0, 0, "import z\n"), edit(0, 6, "")]),
        (vec![edit(4, 5, "B"), edit(6, 6, "#\n")], vec![edit(0, 6, "a = B\n"), edit(6, 6, "#\n")]),
        (vec![edit(17, 18, "")], vec![edit(17, 18, "")]),
        (vec![edit(19, 19, "!")], vec![edit(18, 19, "g!")]),
    ] {
        assert_eq!(whole_lines(text, &edits), expected, "{edits:?}");
    }
}

proptest! {
    #[test]
    fn the_same_in_whole_lines(old in "([ab€]{0,3}(\n|\r\n|\r)){0,6}[ab€]{0,2}", new in "([ab€]{0,3}(\n|\r\n)){0,6}[ab]{0,2}") {
        let edits = difference(&old, &new);
        let whole = whole_lines(&old, &edits);
        prop_assert_eq!(apply(&old, &whole), new, "{:?}", whole);
        for edit in &whole {
            let begins = |offset: usize| offset == 0 || old[..offset].ends_with('\n');
            prop_assert!(begins(edit.span.start), "{:?}", whole);
            prop_assert!(begins(edit.span.end) || edit.span.end == old.len(), "{:?}", whole);
        }
        prop_assert!(whole.windows(2).all(|two| two[0].span.end <= two[1].span.start), "{:?}", whole);
    }

    #[test]
    fn the_document_becomes_what_the_model_meant(case in case(), form in 0..4, whole_lines in any::<bool>()) {
        let Case { tab, end, base, old, new, final_break } = case;
        let (before, after) = (format!("before{end}"), if final_break { format!("{end}after{end}") } else { String::new() });
        let (old_text, new_text) = (written(&old, tab, base, end), written(&new, tab, base, end));
        let document = format!("{before}{old_text}{after}");
        let expected = format!("{before}{new_text}{after}");
        let indent = tab.repeat(base).len();
        let from = before.len() + if whole_lines { 0 } else { indent };
        let to = before.len() + old_text.len() + if whole_lines && final_break { end.len() } else { 0 };
        let answer = match form {
            0 => written(&new, tab, base, "\n"),
            1 => written(&new, tab, 0, "\n"),
            2 => written(&new, tab, base, "\n")[indent..].to_owned(),
            _ => format!("\n{}\n\n", written(&new, tab, 0, "\r\n")),
        };
        let edits = replace_selection(&document, from..to, language::by_id("python"), &answer);
        prop_assert_eq!(apply(&document, &edits), expected, "{:?}", edits);
        prop_assert!(edits.iter().all(|edit| edit.span.start >= from && edit.span.end <= to));
        // No line that stays is touched.
        for edit in &edits {
            let start = line_start(&document, edit.span.start);
            let rest = document[start..].trim_start();
            prop_assert!(!rest.starts_with("stays") && !rest.starts_with("begin"), "{:?}", edits);
        }
    }

    #[test]
    fn nothing_outside_is_touched(
        document in "([a-z é👍\t]{0,4}(\n|\r\n|\r)){0,8}",
        from in 0_usize..50,
        to in 0_usize..50,
        answer in "([a-z é\t]{0,4}\n){0,6}",
        imports in prop::collection::vec("(import|from [ab] import) [a-c]", 0..3),
    ) {
        let boundary = |at: usize| document.char_indices().map(|(at, _)| at).nth(at).unwrap_or(document.len());
        let (from, to) = (boundary(from), boundary(to));
        let selection = from.min(to)..from.max(to);
        let edits = replace_selection(&document, selection.clone(), language::by_id("python"), &answer);
        let mut at = selection.start;
        for edit in &edits {
            prop_assert!(at <= edit.span.start && edit.span.end <= selection.end);
            prop_assert!(document.is_char_boundary(edit.span.start) && document.is_char_boundary(edit.span.end));
            at = edit.span.end + 1;
        }
        // Together with imports the outcome is that of one after the other.
        let replaced = apply(&document, &edits);
        let merged = apply(&replaced, &merge_imports(&replaced, language::by_id("python"), &imports));
        let both = compose(&replaced, edits, &merge_imports(&replaced, language::by_id("python"), &imports));
        prop_assert_eq!(apply(&document, &both), merged);
        for pair in both.windows(2) {
            prop_assert!(pair[0].span.end <= pair[1].span.start);
        }
    }
}

#[test]
fn long_texts_without_anything_in_common_end() {
    let text = |word: &str| (0..4000).map(|line| format!("{word} {line}")).collect::<Vec<_>>().join("\n") + "\n";
    let (old, new) = (text("old"), text("new"));
    let edits = replace_selection(&old, 0..old.len(), language::by_id("python"), &new);
    assert_eq!(apply(&old, &edits), new);
}

#[test]
fn lines_keep_their_own_ends_when_others_come_and_go() {
    let wanted = "a1 b2 c\ng h i\r\nj k l\r\n";
    check("plaintext", "$a1 b c\nd e f\ng h i\r\nj k l$\r\n", "a1 b2 c\ng h i\nj k l", wanted);
    let wanted = "a b2 c\r\nnew\r\nd e2 f\ng h i\r\nj k l\r\n";
    check("plaintext", "$a b c\r\nd e f\ng h i\r\nj k l$\r\n", "a b2 c\nnew\nd e2 f\ng h i\nj k l", wanted);
    let wanted = "new\r\na b2 c\r\ng h2 i\r\nj k l\r\n";
    check("plaintext", "$a b c\r\nd e f\ng h i\r\nj k l$\r\n", "new\na b2 c\ng h2 i\nj k l", wanted);
}

#[test]
fn tabs_beside_spaces_stay_tabs() {
    check("plaintext", "$ a1 b c\n\td e1 f\n\tg h i\n$", " a1 b c\n\td e2 f\n\tg h i", " a1 b c\n\td e2 f\n\tg h i\n");
    check("plaintext", "$a b c\n \td e f\n  g h i$\n", "a b2 c\n \td e f\n  g h i", "a b2 c\n \td e f\n  g h i\n");
}

#[test]
fn blanks_at_the_end_of_a_line_are_no_other_lines() {
    check("plaintext", "$a b c \nd e f \n$", "a b c\nd e f\nnew", "a b c \nd e f \nnew\n");
    check("plaintext", "$a b c \nd e f $\n", "a b c\nd e2 f", "a b c \nd e2 f \n");
    check("plaintext", "$a b c \nd e \n$", "a b c2\nd e\nd e f", "a b c2\nd e \nd e f\n");
    check("plaintext", "x$a b $c\n", "d", "xd c\n");
}

#[test]
fn what_is_typed_in_front_of_a_selection_is_no_indentation_of_the_answer() {
    let language = language::by_id("plaintext");
    let selected = "    one\n      two\n";
    let answer = EditAnswer { replacement: "one\n  2\n".to_owned(), imports: Vec::new(), note: None };
    for in_front in ["", "typed"] {
        let text = format!("{in_front}{selected}");
        let original = Selected { text: selected, span: 0..selected.len() };
        let now = Selected { text: &text, span: in_front.len()..text.len() };
        let edits = plan_merged(&original, &now, &Parsed::new(language, &text), &answer).unwrap().unwrap();
        assert_eq!(apply(&text, &edits), format!("{in_front}    one\n      2\n"));
    }
}
