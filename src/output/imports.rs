//! Imports that a replacement needs, merged into those that a file has.

use super::edit::TextEdit;
use super::lines::{dominant_line_end, indentation, lines};
use crate::workspace::Language;

/// The edits that add `lines`, which are import statements of the file's language, to `document`.
///
/// What is imported already is not repeated. Names of a module that the file imports from join that statement where
/// the language has such a thing. Everything else goes behind the file's last import or, without one, behind what has
/// to come first: the shebang, the header comment, the docstring, the package clause. Nothing else is touched.
pub fn merge_imports(document: &str, language: &Language, imports: &[String]) -> Vec<TextEdit> {
    by_lines(document, language, imports)
}

fn by_lines(document: &str, language: &Language, imports: &[String]) -> Vec<TextEdit> {
    let present: std::collections::HashSet<&str> = lines(document).map(|line| line.content.trim()).collect();
    let missing: Vec<&str> =
        imports.iter().map(|line| line.trim_end()).filter(|line| !present.contains(line.trim())).collect();
    let Some(first) = missing.first() else { return Vec::new() };
    let keyword = first.split(char::is_whitespace).next().unwrap_or(first);
    let mut after_import = None;
    let mut after_header = 0;
    let mut in_header = true;
    let mut at = 0;
    for line in lines(document) {
        at += line.len();
        if line.content.split(char::is_whitespace).next() == Some(keyword) && indentation(line.content).is_empty() {
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
    if at == document.len() && !document.is_empty() && !document.ends_with(['\n', '\r']) {
        text = format!("{end}{}", text.strip_suffix(end).unwrap_or(&text));
    }
    vec![TextEdit { span: at..at, text }]
}
