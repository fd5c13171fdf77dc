//! Links to pictures in documents of all kinds: they are where they are said to be, and an alternative text stays in its
//! place, whatever a model writes there.

use ropey::Rope;

use super::{Choices, texts};
use crate::workspace::language;
use crate::workspace::pictures::{PictureLink, link_at};

/// Languages with their files' names.
const KINDS: [(&str, &str); 7] = [
    ("markdown", "a.md"),
    ("html", "a.html"),
    ("json", "a.ipynb"),
    ("css", "a.css"),
    ("typescriptreact", "a.tsx"),
    ("php", "a.php"),
    ("vue", "a.vue"),
];

pub(super) fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let (Some(kind), Some(at), Some(length)) = (choices.byte(), choices.byte(), choices.byte()) else { return };
    let (id, path) = KINDS[usize::from(kind) % KINDS.len()];
    let [text, alternative] = texts(choices.0);
    let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let selection = boundary(at.into())..boundary(usize::from(at) + usize::from(length % 8));
    let found = |text: &str, selection| link_at(language::by_id(id), path, &Rope::from_str(text), &selection);
    let Some(link) = found(&text, selection) else { return };
    let written = text.get(link.span.clone()).expect("a piece of the text");
    assert!(!link.target.is_empty() && link.name().len() <= link.target.len());
    let Some(place) = &link.alternative else { return };
    assert!(link.span.start <= place.span.start && place.span.end <= link.span.end, "{link:?}");
    assert!(text.get(place.span.clone()).is_some(), "{link:?} in {text:?}");
    // As the answer comes to this place: words with single spaces between.
    let words = alternative.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let described = link.described(&text, &words.collect::<Vec<_>>().join(" ")).expect("there is a place for it");
    let after = format!("{}{described}{}", &text[..link.span.start], &text[link.span.end..]);
    if id == "json" && serde_json::from_str::<serde_json::Value>(&text).is_ok() {
        assert!(serde_json::from_str::<serde_json::Value>(&after).is_ok(), "{written:?} became {described:?}");
    }
    let again: Option<PictureLink> = found(&after, link.span.start..link.span.start + 1);
    let again = again.unwrap_or_else(|| panic!("{written:?} became {described:?}, which is none"));
    assert_eq!(again.target, link.target, "{written:?} became {described:?}");
    assert_eq!(again.span, link.span.start..link.span.start + described.len(), "{written:?} became {described:?}");
}
