//! Changes of a document in any encoding: its text is what a text of characters and nothing else would be.

use super::Choices;
use crate::workspace::Span;
use crate::workspace::documents::{Change, Document};
use crate::workspace::positions::{self, Encoding, Position, offset};

pub(super) fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let Some(first) = choices.byte() else { return };
    let encoding = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32][usize::from(first % 3)];
    let Some(mut model) = choices.text() else { return };
    let uri = url::Url::parse("file:///a.py").expect("an address");
    let mut document = Document::new(uri, "python", 1, &model);
    let track = document.track(model.len() / 3..model.len());
    let mut is_whole = true;
    while let (Some(line), Some(character), Some(lines), Some(end)) =
        (choices.byte(), choices.byte(), choices.byte(), choices.byte())
    {
        let Some(new) = choices.text() else { break };
        // The last of numbers stands for the largest that the protocol has.
        let number = |byte: u8| if byte == u8::MAX { u32::MAX } else { u32::from(byte) };
        let at = |line: u8, character: u8| Position::new(number(line), number(character));
        let (start, end) = (at(line, character), at(line.saturating_add(lines % 4), end));
        let ends = [start, end].map(|position| {
            let own = offset(document.text(), encoding, position);
            assert_eq!(own, walked(&model, encoding, position), "{position:?} in {model:?}");
            // The way back leads to the same place.
            assert_eq!(offset(document.text(), encoding, positions::position(document.text(), encoding, own)), own);
            own
        });
        let span = ends[0].min(ends[1])..ends[0].max(ends[1]);
        let before = (span.clone(), document.tracked(track).expect("it is tracked").span);
        let removed = model.get(span.clone()).expect("characters").to_owned();
        if lines == u8::MAX {
            model.clone_from(&new);
            document.apply(Change::Full(new));
            is_whole = false;
        } else {
            model.replace_range(span.clone(), &new);
            document.apply(Change::Span(span, new.clone()));
            // What was cut off comes back with an undo, so it is simple only until then.
            let (changed, tracked) = &before;
            let touches = changed.start <= tracked.end && tracked.start <= changed.end;
            if is_whole {
                follows(before.clone(), &removed, &new, &document.tracked(track).expect("it is tracked").span);
            }
            is_whole &= !touches;
        }
        assert_eq!(document.text(), &model);
        let tracked = document.tracked(track).expect("it is tracked").span;
        assert!(model.get(tracked.clone()).is_some(), "{tracked:?} in {model:?}");
    }
}

/// What is in front of a change stays, and what is behind it moves by what came in.
fn follows((changed, tracked): (Span, Span), removed: &str, new: &str, after: &Span) {
    if removed == new || changed.is_empty() && new.is_empty() {
        assert_eq!(*after, tracked);
    } else if changed.start > tracked.end || changed.start == tracked.end && !tracked.is_empty() {
        assert_eq!(*after, tracked, "{changed:?} became {new:?}");
    } else if changed.end < tracked.start {
        let moved = |at: usize| at - removed.len() + new.len();
        assert_eq!(*after, moved(tracked.start)..moved(tracked.end), "{changed:?} became {new:?}");
    }
}

/// The byte that a position means, found by walking over the characters.
fn walked(text: &str, encoding: Encoding, position: Position) -> usize {
    let (mut line, mut units) = (0, 0);
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let is_break = char == '\n' || char == '\r';
        let size = match encoding {
            Encoding::Utf8 => char.len_utf8(),
            Encoding::Utf16 => char.len_utf16(),
            Encoding::Utf32 => 1,
        };
        if line == position.line && (is_break || units + size > position.character as usize) {
            return at;
        }
        units += size;
        if is_break {
            // A return and a newline are one break.
            chars.next_if(|(_, next)| char == '\r' && *next == '\n');
            (line, units) = (line + 1, 0);
        }
    }
    text.len()
}
