//! `FILE[:L1[:C1][-L2[:C2]]]`: a file and a place in it, as a person types it.
//!
//! Lines and columns count from 1 and columns count characters. Lines end as the protocol ends them: `\n`, `\r\n`, `\r`.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::workspace::Span;

/// A file and a place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub input: Input,
    /// The place in it; `None` is all of it.
    pub range: Option<PlaceRange>,
}

/// Where a text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, as it was typed.
    File(PathBuf),
}

/// From a point up to another; without an end it is the point alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceRange {
    /// The beginning. Without a column it is the line's beginning, or its first character that is not blank when there is
    /// no end: what is meant then is the item that this line belongs to.
    pub start: Point,
    /// The end. Without a column it is the line's end; a column is the first that does not belong any more.
    pub end: Option<Point>,
}

/// A line and perhaps a column in it, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: Option<usize>,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "{}:{column}", self.line),
            None => write!(f, "{}", self.line),
        }
    }
}

impl Place {
    /// Reads an argument; a relative path is looked for below `current_dir`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when what follows a file's name is no place.
    pub fn parse(argument: &str, current_dir: &Path) -> Result<Self, Error> {
        Self::parse_with(argument, &|path| current_dir.join(path).exists())
    }

    fn parse_with(argument: &str, exists: &dyn Fn(&str) -> bool) -> Result<Self, Error> {
        if argument.is_empty() {
            return Err(usage("The file's name is empty."));
        }
        // Names may hold colons. The longest name that exists is the one that is meant.
        if argument != "-" && exists(argument) {
            return Ok(Self { input: Input::File(argument.into()), range: None });
        }
        let splits = || argument.rmatch_indices(':').map(|(colon, _)| (&argument[..colon], &argument[colon + 1..]));
        let named = |(name, _): &(&str, &str)| *name == "-" || exists(name);
        let split = splits().find(named).or_else(|| {
            // No such file: the error will come from reading it, and should name the file without the place.
            splits().rev().find(|(name, place)| !name.is_empty() && PlaceRange::parse(place).is_ok())
        });
        match split {
            Some((name, place)) => {
                Ok(Self { input: Input::new(name), range: Some(PlaceRange::parse(place).map_err(usage)?) })
            }
            None => Ok(Self { input: Input::new(argument), range: None }),
        }
    }

    /// The bytes of `text` that are meant; an empty span is a point. Without a range it is the whole text.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the place is outside of the text.
    pub fn resolve(&self, text: &str) -> Result<Span, Error> {
        match self.range {
            None => Ok(0..text.len()),
            Some(range) => range.resolve(text),
        }
    }
}

impl Input {
    fn new(name: &str) -> Self {
        if name == "-" { Self::Stdin } else { Self::File(name.into()) }
    }
}

impl PlaceRange {
    fn parse(text: &str) -> Result<Self, String> {
        let (start, end) = match text.split_once('-') {
            Some((start, end)) => (start, Some(end)),
            None => (text, None),
        };
        let point = |part: &str| {
            let (line, column) = match part.split_once(':') {
                Some((line, column)) => (line, Some(column)),
                None => (part, None),
            };
            Ok::<_, String>(Point { line: number(line, text)?, column: column.map(|c| number(c, text)).transpose()? })
        };
        Ok(Self { start: point(start)?, end: end.map(point).transpose()? })
    }

    fn resolve(self, text: &str) -> Result<Span, Error> {
        let lines = lines(text);
        let outside = |message: String| {
            Err(Error::new(ErrorKind::Config, message)
                .hint("Lines and columns count from 1, columns count characters."))
        };
        let count = lines.len();
        for point in [Some(self.start), self.end].into_iter().flatten() {
            let Some(line) = lines.get(point.line - 1) else {
                return outside(format!("Line {} is outside of the file, which has {count} lines.", point.line));
            };
            let columns = text[line.clone()].chars().count();
            if let Some(column) = point.column.filter(|column| *column > columns + 1) {
                return outside(format!(
                    "Column {column} is outside of line {}, which has {columns} characters.",
                    point.line
                ));
            }
        }
        let at = |point: Point, otherwise: usize| {
            let line = &lines[point.line - 1];
            match point.column {
                Some(column) => {
                    let mut starts = text[line.clone()].char_indices().map(|(offset, _)| line.start + offset);
                    starts.nth(column - 1).unwrap_or(line.end)
                }
                None => otherwise,
            }
        };
        let line = &lines[self.start.line - 1];
        let Some(end) = self.end else {
            let content = &text[line.clone()];
            let code = content.find(|c: char| !c.is_whitespace()).unwrap_or(0);
            let offset = at(self.start, line.start + code);
            return Ok(offset..offset);
        };
        let span = at(self.start, line.start)..at(end, lines[end.line - 1].end);
        if span.start > span.end {
            return outside(format!("The end, {end}, is before the beginning, {}.", self.start));
        }
        Ok(span)
    }
}

fn number(digits: &str, place: &str) -> Result<usize, String> {
    let wrong = || format!("`{place}` is no place in a file.");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    // More digits than a number holds are outside of every file, which is found out later.
    match digits.parse().unwrap_or(usize::MAX) {
        0 => Err(format!("`{place}` is no place in a file: lines and columns count from 1.")),
        number => Ok(number),
    }
}

fn usage(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message.into())
        .hint("It is FILE, FILE:LINE, FILE:LINE-LINE or FILE:LINE:COLUMN-LINE:COLUMN.")
}

/// The lines without what ends them; a text that ends in a line break has an empty last line, as in an editor.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let (bytes, mut start, mut at) = (text.as_bytes(), 0, 0);
    while at < bytes.len() {
        let length = match bytes[at] {
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => 2,
            b'\r' | b'\n' => 1,
            _ => 0,
        };
        if length > 0 {
            lines.push(start..at);
            start = at + length;
        }
        at += length.max(1);
    }
    lines.push(start..text.len());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(argument: &str, files: &[&str]) -> String {
        match Place::parse_with(argument, &|path| files.contains(&path)) {
            Ok(Place { input, range }) => {
                let name = match input {
                    Input::Stdin => "<stdin>".to_owned(),
                    Input::File(path) => path.display().to_string(),
                };
                match range {
                    None => name,
                    Some(PlaceRange { start, end: None }) => format!("{name} @ {start}"),
                    Some(PlaceRange { start, end: Some(end) }) => format!("{name} @ {start} to {end}"),
                }
            }
            Err(error) => format!("! {}", error.message),
        }
    }

    #[test]
    fn arguments() {
        let files = &["a.py", "dir/a b.py", "a:1", "C:\\x\\a.py", "x:y:2", "2-3"];
        for (argument, expected) in [
            ("a.py", "a.py"),
            ("a.py:3", "a.py @ 3"),
            ("a.py:3:4", "a.py @ 3:4"),
            ("a.py:3-5", "a.py @ 3 to 5"),
            ("a.py:3:4-5", "a.py @ 3:4 to 5"),
            ("a.py:3-5:6", "a.py @ 3 to 5:6"),
            ("a.py:3:4-5:6", "a.py @ 3:4 to 5:6"),
            ("dir/a b.py:1", "dir/a b.py @ 1"),
            ("-", "<stdin>"),
            ("-:2-3", "<stdin> @ 2 to 3"),
            // Windows.
            ("C:\\x\\a.py", "C:\\x\\a.py"),
            ("C:\\x\\a.py:7:1", "C:\\x\\a.py @ 7:1"),
            ("D:\\none.py:7:1-8", "D:\\none.py @ 7:1 to 8"),
            ("D:\\none.py", "D:\\none.py"),
            // Names with colons.
            ("a:1", "a:1"),
            ("a:1:5", "a:1 @ 5"),
            ("a:1:5:6-7", "a:1 @ 5:6 to 7"),
            ("x:y:2", "x:y:2"),
            ("x:y:2:2", "x:y:2 @ 2"),
            ("2-3", "2-3"),
            // No such file.
            ("none.py", "none.py"),
            ("none.py:3:4-5:6", "none.py @ 3:4 to 5:6"),
            ("none.py:abc", "none.py:abc"),
            // No such place.
            ("a.py:", "! `` is no place in a file."),
            ("a.py:0", "! `0` is no place in a file: lines and columns count from 1."),
            ("a.py:1:0", "! `1:0` is no place in a file: lines and columns count from 1."),
            ("a.py:3-", "! `3-` is no place in a file."),
            ("a.py:-3", "! `-3` is no place in a file."),
            ("a.py:3:", "! `3:` is no place in a file."),
            ("a.py:1-2-3", "! `1-2-3` is no place in a file."),
            ("a.py:1:2:3", "! `1:2:3` is no place in a file."),
            ("a.py:+3", "! `+3` is no place in a file."),
            ("a.py:load", "! `load` is no place in a file."),
            ("a.py:٣", "! `٣` is no place in a file."),
            ("", "! The file's name is empty."),
        ] {
            assert_eq!(parse(argument, files), expected, "{argument}");
        }
    }

    #[test]
    fn places_in_a_text() {
        // Emoji with a modifier, a combining mark, U+2028 inside of a line, every line break, no final one.
        let text = "def f():\n    x = '👍🏽é'\r\n\u{2028}a\r\n\rlast";
        for (place, expected) in [
            ("1", Ok("|def f():")),
            ("2", Ok("|x = '👍🏽é'")),
            ("2:1", Ok("|    x = '👍🏽é'")),
            ("2-2", Ok("    x = '👍🏽é'")),
            ("1-2", Ok("def f():\n    x = '👍🏽é'")),
            ("2:10-2:12", Ok("👍🏽")),
            ("2:12-2:14", Ok("e\u{301}")),
            ("2:10-2", Ok("👍🏽e\u{301}'")),
            ("3:2-3:3", Ok("a")),
            ("4-4", Ok("")),
            ("5", Ok("|last")),
            ("5:5", Ok("|")),
            ("4-5", Ok("\rlast")),
            ("1:9-2:1", Ok("\n")),
            ("6", Err("Line 6 is outside of the file, which has 5 lines.")),
            ("1-99999999999999999999999", Err("which has 5 lines.")),
            ("5:6", Err("Column 6 is outside of line 5, which has 4 characters.")),
            ("1-2:99", Err("Column 99 is outside of line 2")),
            ("3-2", Err("The end, 2, is before the beginning, 3.")),
            ("1:4-1:3", Err("The end, 1:3, is before the beginning, 1:4.")),
        ] {
            let text = text.replace('é', "e\u{301}");
            let place = Place::parse_with(&format!("f:{place}"), &|path| path == "f").unwrap();
            match (place.resolve(&text), expected) {
                (Ok(span), Ok(expected)) => match expected.strip_prefix('|') {
                    Some(line) => {
                        assert!(span.is_empty());
                        let rest = text[span.start..].split(['\n', '\r']).next().unwrap();
                        assert_eq!(rest, line.replace('é', "e\u{301}"), "{place:?}");
                    }
                    None => assert_eq!(text[span], expected.replace('é', "e\u{301}"), "{place:?}"),
                },
                (Err(error), Err(part)) => assert!(error.message.contains(part), "{place:?}: {error}"),
                (result, _) => panic!("{place:?}: {result:?}"),
            }
        }
        let all = Place { input: Input::Stdin, range: None };
        assert_eq!(all.resolve("").unwrap(), 0..0);
        assert_eq!(all.resolve("ab\n").unwrap(), 0..3);
        let last = Place::parse_with("f:2", &|path| path == "f").unwrap();
        assert_eq!(last.resolve("ab\n").unwrap(), 3..3);
    }

    proptest::proptest! {
        /// Any place either resolves inside of the text, between characters, or is an error.
        #[test]
        fn spans_are_in_the_text(text in "[a\u{e9}\u{1f44d}\r\n \t]{0,30}", a in 1usize..6, b in 1usize..8, c in 1usize..6, d in 1usize..8) {
            for place in [format!("f:{a}"), format!("f:{a}:{b}"), format!("f:{a}-{c}"), format!("f:{a}:{b}-{c}:{d}")] {
                if let Ok(span) = Place::parse_with(&place, &|path| path == "f").unwrap().resolve(&text) {
                    proptest::prop_assert!(text.get(span).is_some());
                }
            }
        }
    }
}
