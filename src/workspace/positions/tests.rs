use proptest::prelude::*;
use ropey::Rope;

use super::*;

const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

/// The lines of a text, each with its start and its content, found by nothing but walking over the characters.
fn model_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = vec![(0, String::new())];
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = match c {
            '\r' if chars.peek().is_some_and(|(_, c)| *c == '\n') => {
                chars.next();
                Some(at + 2)
            }
            '\r' | '\n' => Some(at + 1),
            _ => None,
        };
        match next {
            Some(start) => lines.push((start, String::new())),
            None => lines.last_mut().unwrap().1.push(c),
        }
    }
    lines
}

fn units(encoding: Encoding, c: char) -> usize {
    match encoding {
        Encoding::Utf8 => c.len_utf8(),
        Encoding::Utf16 => c.len_utf16(),
        Encoding::Utf32 => 1,
    }
}

fn model_offset(lines: &[(usize, String)], end: usize, encoding: Encoding, position: Position) -> usize {
    let Some((start, content)) = lines.get(position.line as usize) else { return end };
    let mut left = position.character as usize;
    let mut at = *start;
    for c in content.chars() {
        if left < units(encoding, c) {
            break;
        }
        left -= units(encoding, c);
        at += c.len_utf8();
    }
    at
}

fn model_position(lines: &[(usize, String)], encoding: Encoding, offset: usize) -> Position {
    let line = lines.iter().rposition(|(start, _)| *start <= offset).unwrap();
    let (start, content) = &lines[line];
    let before = content.char_indices().take_while(|(at, c)| start + at + c.len_utf8() <= offset);
    let character: usize = before.map(|(_, c)| units(encoding, c)).sum();
    Position::new(u32::try_from(line).unwrap(), u32::try_from(character).unwrap())
}

/// Text of everything that has ever broken a position.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-z ]{0,6}",
        2 => Just("\n".to_owned()),
        2 => Just("\r\n".to_owned()),
        1 => Just("\r".to_owned()),
        1 => Just("👍🏽".to_owned()),
        1 => Just("👩‍👩‍👧‍👦".to_owned()),
        1 => Just("e\u{301}o\u{308}\u{323}".to_owned()),
        1 => Just("漢字かな".to_owned()),
        1 => Just("𝕏μß".to_owned()),
        1 => Just("\u{2028}\u{2029}\u{85}\u{b}\u{c}".to_owned()),
        1 => Just("\u{feff}\0\t".to_owned()),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn positions_are_those_of_the_model(text in text()) {
        let rope = Rope::from_str(&text);
        let lines = model_lines(&text);
        for encoding in ENCODINGS {
            for at in 0..=text.len() + 2 {
                prop_assert_eq!(position(&rope, encoding, at), model_position(&lines, encoding, at.min(text.len())));
            }
        }
    }

    #[test]
    fn offsets_are_those_of_the_model(text in text()) {
        let rope = Rope::from_str(&text);
        let model = model_lines(&text);
        let lines = u32::try_from(model.len()).unwrap();
        for encoding in ENCODINGS {
            for line in 0..=lines {
                for character in (0..24).chain([u32::MAX]) {
                    let at = Position::new(line, character);
                    prop_assert_eq!(offset(&rope, encoding, at), model_offset(&model, text.len(), encoding, at), "{:?} {:?}", encoding, at);
                    let exact = position(&rope, encoding, offset(&rope, encoding, at));
                    let inside = line < lines && exact.line == line && exact.character >= character;
                    let splits = line < lines && !inside
                        && offset(&rope, encoding, at) < line_content(&rope, line as usize).end;
                    prop_assert_eq!(is_inside(&rope, encoding, at), inside || splits);
                }
            }
        }
    }

    #[test]
    fn every_offset_comes_back(text in text()) {
        let rope = Rope::from_str(&text);
        for encoding in ENCODINGS {
            for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
                let within_line_break = c == '\n' && text[..at].ends_with('\r');
                let expected = if within_line_break { at - 1 } else { at };
                prop_assert_eq!(offset(&rope, encoding, position(&rope, encoding, at)), expected);
            }
        }
    }

    /// Long texts are kept in many pieces, and a line break may come to lie across two of them.
    #[test]
    fn line_breaks_are_seen_across_the_pieces_of_a_rope(
        text in "[a\r\n]{1500,2500}",
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4, "[a\r\n]{0,3}"), 1..30),
    ) {
        let mut rope = Rope::from_str(&text);
        let mut model = text;
        for (at, removed, inserted) in edits {
            let start = at.index(model.len() + 1);
            let end = (start + removed).min(model.len());
            model.replace_range(start..end, &inserted);
            rope.remove(start..end);
            rope.insert(start, &inserted);
        }
        let lines = model_lines(&model);
        prop_assert_eq!(rope.len_lines(), lines.len());
        for (line, (start, content)) in lines.iter().enumerate() {
            prop_assert_eq!(line_content(&rope, line), *start..start + content.len());
        }
    }
}

#[test]
fn a_place_inside_a_character_means_its_start() {
    let rope = Rope::from_str("a👍b");
    let at = |encoding, character| offset(&rope, encoding, Position::new(0, character));
    assert_eq!([1, 2, 3].map(|c| at(Encoding::Utf16, c)), [1, 1, 5]);
    assert_eq!([1, 2, 3, 4, 5].map(|c| at(Encoding::Utf8, c)), [1, 1, 1, 1, 5]);
    assert_eq!([1, 2, 3].map(|c| at(Encoding::Utf32, c)), [1, 5, 6]);
}

#[test]
fn only_the_line_breaks_of_the_protocol_break_lines() {
    for inside in ["\u{2028}", "\u{2029}", "\u{85}", "\u{b}", "\u{c}"] {
        let rope = Rope::from_str(&format!("a{inside}b\r\nc\rd\n"));
        assert_eq!(rope.len_lines(), 4, "{inside:?}");
        assert_eq!(position(&rope, Encoding::Utf32, 1 + inside.len()), Position::new(0, 2));
    }
}
