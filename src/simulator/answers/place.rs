//! Where comments go: on lines of their own above what they are about, with its indentation and line ends.

use super::code::Code;
use crate::workspace::Span;
use crate::workspace::syntax::Item;

/// Whether a comment is attached to an item already.
pub(super) fn has_comment(code: &Code, item: &Item) -> bool {
    let front = code.front(item).trim_start();
    let above = code.text[..item.span.start].trim_end_matches([' ', '\t']);
    let above = above.strip_suffix('\n').unwrap_or(above).lines().next_back().unwrap_or_default().trim();
    let is_comment = |line: &str| {
        let line = line.trim();
        ["//", "/*", "--", "*/"].iter().any(|mark| line.starts_with(mark))
            || line.ends_with("*/")
            || (line.starts_with('#')
                && !line.starts_with("#[")
                && !line.starts_with("#include")
                && !line.starts_with("#!"))
    };
    front.lines().any(is_comment) || is_comment(above)
}

/// The edit that puts lines above an item, if the item begins its line.
pub(super) fn above(code: &Code, item: &Item, lines: &[String]) -> Option<(Span, String)> {
    let start = item.span.start;
    let line = code.text[..start].rfind('\n').map_or(0, |at| at + 1);
    let indent = &code.text[line..start];
    if !indent.chars().all(|c| c == ' ' || c == '\t') {
        return None;
    }
    // A selection may begin behind the indentation: then the first line has it already, and the item gets its own.
    let end = line_end(code);
    let between = format!("{end}{indent}");
    Some((start..start, lines.iter().flat_map(|line| [line.as_str(), &between]).collect()))
}

/// The document's line end.
pub(super) fn line_end(code: &Code) -> &'static str {
    if code.text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// `/** … */`, on one line when there is one.
pub(super) fn star_comment(lines: &[String]) -> Vec<String> {
    match lines {
        [] => Vec::new(),
        [only] => vec![format!("/** {only} */")],
        several => {
            let middle =
                several.iter().map(|line| if line.is_empty() { " *".to_owned() } else { format!(" * {line}") });
            std::iter::once("/**".to_owned()).chain(middle).chain(std::iter::once(" */".to_owned())).collect()
        }
    }
}
