//! Lines and their ends: `\n`, `\r\n`, `\r` and no others, as in the protocol.

/// One line of a text: what it says, and how it ends (`""` only at the end of the text).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) content: &'a str,
    pub(crate) end: &'a str,
}

impl Line<'_> {
    pub(crate) fn len(&self) -> usize {
        self.content.len() + self.end.len()
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.content.trim().is_empty()
    }
}

/// The lines of `text`. A text that ends with a line break has no empty line after it; an empty text has no line.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let bytes = rest.as_bytes();
        let content = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(bytes.len());
        let end = match &bytes[content..] {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        let line = Line { content: &rest[..content], end: &rest[content..content + end] };
        rest = &rest[content + end..];
        Some(line)
    })
}

/// The line end that occurs most in `text`; of equally frequent ones the first of `\n`, `\r\n`, `\r`.
pub(crate) fn dominant_line_end(text: &str) -> Option<&'static str> {
    let mut counts = [(0_usize, "\n"), (0, "\r\n"), (0, "\r")];
    for line in lines(text) {
        if let Some(count) = counts.iter_mut().find(|(_, end)| *end == line.end) {
            count.0 += 1;
        }
    }
    let most = counts.iter().map(|(count, _)| *count).max().filter(|&most| most > 0)?;
    counts.iter().find(|(count, _)| *count == most).map(|(_, end)| *end)
}

/// The white space a line begins with.
pub(crate) fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Where the line begins that holds the byte at `offset`.
pub(crate) fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind(['\n', '\r']).map_or(0, |at| at + 1)
}

/// Where the line ends that holds `offset`, without its line break.
pub(crate) fn line_end(text: &str, offset: usize) -> usize {
    text[offset..].find(['\n', '\r']).map_or(text.len(), |at| offset + at)
}

/// Where the line after the one that holds `offset` begins, or the end of the text.
pub(crate) fn next_line(text: &str, offset: usize) -> usize {
    let end = line_end(text, offset);
    match text.as_bytes()[end..] {
        [b'\r', b'\n', ..] => end + 2,
        [] => end,
        _ => end + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_protocols_line_breaks_count() {
        let text = "a\u{2028}b\r\n\rc\n\nd\u{85}e";
        let found: Vec<_> = lines(text).map(|line| (line.content, line.end)).collect();
        assert_eq!(found, [("a\u{2028}b", "\r\n"), ("", "\r"), ("c", "\n"), ("", "\n"), ("d\u{85}e", "")]);
        assert_eq!(lines("").count(), 0);
        assert_eq!(lines("a\n").count(), 1);
    }

    #[test]
    fn the_dominant_line_end_is_counted() {
        assert_eq!(dominant_line_end("one line"), None);
        assert_eq!(dominant_line_end("a\r\nb\nc\r\n"), Some("\r\n"));
        assert_eq!(dominant_line_end("a\r\nb\n"), Some("\n"));
        assert_eq!(dominant_line_end("a\rb\r"), Some("\r"));
    }

    #[test]
    fn the_next_line_begins_behind_the_whole_break() {
        let text = "ab\r\ncd\re";
        assert_eq!(next_line(text, 1), 4);
        assert_eq!(next_line(text, 4), 7);
        assert_eq!(next_line(text, 7), 8);
        assert_eq!(line_start(text, 8), 7);
        assert_eq!(line_end(text, 4), 6);
    }
}
