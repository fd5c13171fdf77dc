//! Differences and merges: a difference leads from one text to the other, and who changed nothing gets the other's text.

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
    // It does not matter who is called the answer, as to whether they go together.
    assert_eq!(merge(&original, &answer, &now).is_some(), merge(&original, &now, &answer).is_some());
}
