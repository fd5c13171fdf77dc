//! Syntax errors that an edit brings.

use std::collections::HashMap;

use tree_sitter::Tree;

use crate::output::lines::lines;
use crate::output::tree::walk;
use crate::workspace::Span;

/// Syntax errors that are in `after` and were not in `before`, as sentences such as `line 3: …` with lines of `after`.
/// Errors are told apart by the text of their lines, not by their place: grammars do not know every dialect, and an
/// error that was there before and moved is not new.
pub(super) fn new_errors(before: (&Tree, &str), after: (&Tree, &str)) -> Vec<String> {
    let found = errors(after);
    if found.is_empty() {
        return Vec::new();
    }
    let mut known: HashMap<String, usize> = HashMap::new();
    for error in errors(before) {
        *known.entry(error.line_text).or_default() += 1;
    }
    found
        .into_iter()
        .filter(|error| match known.get_mut(&error.line_text) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        })
        .map(|error| format!("line {}: {}", error.line + 1, error.message))
        .collect()
}

struct SyntaxError {
    /// Zero-based, by the line breaks of the protocol.
    line: usize,
    line_text: String,
    message: String,
}

fn errors((tree, text): (&Tree, &str)) -> Vec<SyntaxError> {
    if !tree.root_node().has_error() {
        return Vec::new();
    }
    let mut found: Vec<(Span, String)> = Vec::new();
    walk(tree.root_node(), |node| {
        if node.is_missing() {
            found.push((node.byte_range(), format!("`{}` is missing", node.kind())));
        } else if node.is_error() {
            let code = lines(&text[node.byte_range()]).find(|line| !line.is_blank()).map_or("", |line| line.content);
            found.push((node.byte_range(), format!("`{}` cannot stand here", shortened(code.trim()))));
        }
        node.has_error() && !node.is_error()
    });
    let all: Vec<_> = lines(text).collect();
    let mut starts = Vec::with_capacity(all.len());
    let mut at = 0;
    for line in &all {
        starts.push(at);
        at += line.len();
    }
    found
        .into_iter()
        .map(|(span, message)| {
            let line = starts.partition_point(|&start| start <= span.start).saturating_sub(1);
            let line_text = all.get(line).map_or(String::new(), |line| line.content.trim().to_owned());
            SyntaxError { line, line_text, message }
        })
        .collect()
}

fn shortened(code: &str) -> String {
    const MAX_CHARS: usize = 40;
    match code.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &code[..end]),
        None => code.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::output::check::new_syntax_errors;
    use crate::workspace::language;

    fn check(id: &str, before: &str, after: &str, lines: &[usize]) {
        let found = new_syntax_errors(language::by_id(id), before, after);
        let places: Vec<String> = lines.iter().map(|line| format!("line {line}:")).collect();
        assert_eq!(found.len(), places.len(), "{found:?}");
        for (found, place) in found.iter().zip(places) {
            assert!(found.starts_with(&place), "{found}");
        }
    }

    #[test]
    fn only_new_errors_count() {
        check("python", "x = 1\n", "x = 2\n", &[]);
        check("python", "x = 1\n", "x = 1\ny = (\n", &[2]);
        check("python", "y = = 1\nx = 1\n", "z = 0\ny = = 1\nx = 2\n", &[]);
        check("python", "y = = 1\n", "y = = 1\nz = = 1\n", &[2]);
        check("python", "y = = 1\n", "y = 1\n", &[]);
        check("rust", "fn a() {}\n", "fn a() {}\r\rfn b( {}\r", &[3]);
        check("go", "package a\n", "package a\nfunc f() {\n", &[2]);
        check("c", "int x;\n", "int x;\nint y\n", &[2]);
        check("java", "class A { int x; }\n", "class A { int x = ; }\n", &[1]);
        check("plaintext", "a", "((((", &[]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let found = new_syntax_errors(language::by_id("c"), "", "int y\n");
        assert_eq!(found, ["line 1: `;` is missing"]);
    }
}
