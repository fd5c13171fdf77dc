//! Positions as the protocol defines them, written a second time and in the plainest way, so that the program's own
//! are compared with something that shares none of their code.

use serde_json::{Value, json};

/// The number of code units that `character` has in an encoding such as `utf-16`.
fn units(encoding: &str, character: char) -> usize {
    match encoding {
        "utf-8" => character.len_utf8(),
        "utf-16" => character.len_utf16(),
        "utf-32" => 1,
        other => panic!("no position encoding: {other}"),
    }
}

/// The byte ranges of all lines, without their ends. Only `\n`, `\r\n` and `\r` end a line.
pub(crate) fn lines(text: &str) -> Vec<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let (mut lines, mut start, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        let end = match bytes[at] {
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => 2,
            b'\r' | b'\n' => 1,
            _ => 0,
        };
        if end > 0 {
            lines.push(start..at);
            start = at + end;
        }
        at += end.max(1);
    }
    lines.push(start..bytes.len());
    lines
}

/// The byte offset of a position that must be inside the text: a server that names another one is wrong.
pub(crate) fn offset(text: &str, encoding: &str, position: &Value) -> usize {
    let line = usize::try_from(position["line"].as_u64().unwrap()).unwrap();
    let character = usize::try_from(position["character"].as_u64().unwrap()).unwrap();
    let lines = lines(text);
    // One line past the last one, at column 0, is what some clients and servers use for the end of the text.
    if line == lines.len() && character == 0 {
        return text.len();
    }
    let range =
        lines.get(line).unwrap_or_else(|| panic!("{position} is outside a text of {} lines", lines.len())).clone();
    let mut seen = 0;
    for (at, c) in text[range.clone()].char_indices() {
        if seen == character {
            return range.start + at;
        }
        seen += units(encoding, c);
        assert!(seen <= character, "{position} is inside a character ({encoding})");
    }
    assert_eq!(seen, character, "{position} is past the end of its line ({encoding})");
    range.end
}

/// The position of a byte offset. One that lies inside a line's end is the end of that line.
pub(crate) fn position(text: &str, encoding: &str, offset: usize) -> Value {
    let lines = lines(text);
    let line = lines.iter().rposition(|line| line.start <= offset).unwrap();
    let end = offset.min(lines[line].end);
    let character: usize = text[lines[line].start..end].chars().map(|c| units(encoding, c)).sum();
    json!({"line": line, "character": character})
}

/// The range from one byte offset to another.
pub(crate) fn range(text: &str, encoding: &str, span: std::ops::Range<usize>) -> Value {
    json!({"start": position(text, encoding, span.start), "end": position(text, encoding, span.end)})
}

/// Applies the `TextEdit`s of one document, all of which refer to the text as it was.
pub(crate) fn apply(text: &str, encoding: &str, edits: &[Value]) -> String {
    let mut edits: Vec<_> = edits
        .iter()
        .map(|edit| {
            let start = offset(text, encoding, &edit["range"]["start"]);
            let end = offset(text, encoding, &edit["range"]["end"]);
            assert!(start <= end, "an edit ends before it starts: {edit}");
            (start..end, edit["newText"].as_str().unwrap())
        })
        .collect();
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let (mut out, mut at) = (String::new(), 0);
    for (span, new) in edits {
        assert!(span.start >= at, "edits overlap at byte {}", span.start);
        out.push_str(&text[at..span.start]);
        out.push_str(new);
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}
