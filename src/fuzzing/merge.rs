//! Differences and merges: a difference leads from one text to the other, who changed nothing gets the other's text, and
//! nothing that either side wrote is lost or comes twice.

use super::texts;
use crate::output::diff::unified;
use crate::output::edit::{apply, difference};
use crate::output::merge::merge;

pub(super) fn check(data: &[u8]) {
    let [original, answer, now] = texts(data);
    for (old, new) in [(&original, &answer), (&answer, &now), (&now, &original)] {
        let edits = difference(old, new);
        let ordered = edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start);
        assert!(ordered, "{edits:?}");
        assert_eq!(apply(old, &edits), *new);
        assert_eq!(unified("a.py", old, new).is_empty(), old == new);
    }
    assert_eq!(merge(&original, &answer, &original).as_ref(), Some(&answer));
    assert_eq!(merge(&original, &original, &now).as_ref(), Some(&now));
    assert_eq!(merge(&original, &now, &now).as_ref(), Some(&now));
    let merged = merge(&original, &answer, &now);
    // It does not matter who is called the answer.
    assert_eq!(merged, merge(&original, &now, &answer));
    let Some(merged) = merged else { return };
    let count = |text: &str, c: char| text.chars().filter(|it| *it == c).count();
    for c in answer.chars().chain(now.chars()).filter(|c| !original.contains(*c)) {
        let (answered, typed, both) = (count(&answer, c), count(&now, c), count(&merged, c));
        let range = answered.max(typed)..=answered + typed;
        assert!(range.contains(&both), "{c:?}: {answered} and {typed} became {both} in {merged:?}");
    }
    // What nobody took away is there.
    for c in original
        .chars()
        .filter(|c| count(&answer, *c) >= count(&original, *c) && count(&now, *c) >= count(&original, *c))
    {
        assert!(merged.contains(c), "{c:?} is lost in {merged:?}");
    }
}
