//! Protocol positions to byte offsets and back, in each of the three encodings.
//!
//! Lines end at `\n`, `\r\n` and `\r` and nowhere else, as the protocol says: U+2028, U+0085, vertical tab and form
//! feed are characters of a line like any other. All conversions are `O(log n)` in the length of the text.

#[cfg(test)]
mod tests;

use ropey::Rope;

use super::Span;

/// What a [`Position::character`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Bytes of UTF-8.
    Utf8,
    /// Code units of UTF-16, the protocol's default.
    #[default]
    Utf16,
    /// Unicode scalar values.
    Utf32,
}

/// A place in a text as the protocol names it: both numbers start at 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// How far into the line, in units of an [`Encoding`].
    pub character: u32,
}

impl Position {
    /// The place `character` units into `line`.
    pub fn new(line: u32, character: u32) -> Self {
        Self { line, character }
    }
}

/// The byte offset of `position`.
///
/// A character past the line's end means the line's end (before its line break), a line past the text means the end
/// of the text, and a place inside a character means that character's start.
pub fn offset(text: &Rope, encoding: Encoding, position: Position) -> usize {
    let line = position.line as usize;
    if line >= text.len_lines() {
        return text.len_bytes();
    }
    let content = line_content(text, line);
    let character = position.character as usize;
    match encoding {
        Encoding::Utf8 => floor_char_boundary(text, (content.start + character).min(content.end)),
        Encoding::Utf16 => {
            let start = text.char_to_utf16_cu(text.byte_to_char(content.start));
            let end = text.char_to_utf16_cu(text.byte_to_char(content.end));
            text.char_to_byte(text.utf16_cu_to_char((start + character).min(end)))
        }
        Encoding::Utf32 => {
            let start = text.byte_to_char(content.start);
            let end = text.byte_to_char(content.end);
            text.char_to_byte((start + character).min(end))
        }
    }
}

/// The position of the byte `offset`.
///
/// An offset past the text means its end, one inside a character that character's start, and one between `\r` and
/// `\n` the end of that line: the protocol has no name for the place between the two.
pub fn position(text: &Rope, encoding: Encoding, offset: usize) -> Position {
    let offset = floor_char_boundary(text, offset.min(text.len_bytes()));
    let line = text.byte_to_line(offset);
    let content = line_content(text, line);
    let offset = offset.min(content.end);
    let character = match encoding {
        Encoding::Utf8 => offset - content.start,
        Encoding::Utf16 => {
            let start = text.char_to_utf16_cu(text.byte_to_char(content.start));
            text.char_to_utf16_cu(text.byte_to_char(offset)) - start
        }
        Encoding::Utf32 => text.byte_to_char(offset) - text.byte_to_char(content.start),
    };
    Position { line: saturate(line), character: saturate(character) }
}

/// Whether `position` names a place of the text without clamping: a line that exists and a character that is not
/// past the line's end. For callers that refuse a range outside the document instead of bending it.
pub fn is_inside(text: &Rope, encoding: Encoding, position: Position) -> bool {
    let line = position.line as usize;
    if line >= text.len_lines() {
        return false;
    }
    let end = self::position(text, encoding, line_content(text, line).end);
    position.character <= end.character
}

/// The span of a line (0-based) without its line break. The last, possibly empty, line is a line too.
///
/// # Panics
/// If `line` is not below `text.len_lines()`.
pub fn line_content(text: &Rope, line: usize) -> Span {
    let start = text.line_to_byte(line);
    let mut end = text.line_to_byte(line + 1);
    if end > start && text.byte(end - 1) == b'\n' {
        end -= 1;
    }
    // A line that ends in `\n` may end in `\r\n`; a line that has no `\n` may end in a lone `\r`.
    if end > start && text.byte(end - 1) == b'\r' {
        end -= 1;
    }
    start..end
}

/// The start of the character that the byte `offset` lies in; `offset` itself at a boundary or past the end.
pub fn floor_char_boundary(text: &Rope, offset: usize) -> usize {
    if offset >= text.len_bytes() {
        return text.len_bytes();
    }
    text.char_to_byte(text.byte_to_char(offset))
}

fn saturate(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
