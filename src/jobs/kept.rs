//! The documents in which answers that were not applied can be read.

use super::order::Order;
use super::report::FileEdit;
use crate::output::diff;

/// An answer that was not applied: why, what it says, and what it would change.
pub(super) fn kept(answer: &str, reason: &str, edits: &[FileEdit]) -> String {
    let reason = reason.trim_end_matches('.');
    let mut text = format!("Nothing was changed: {reason}.\n\n## The answer\n\n{}\n", answer.trim_end());
    let diffs = unified_diffs(edits);
    if !diffs.is_empty() {
        text.push_str("\n## What it would change\n\n````diff\n");
        text.push_str(&diffs);
        text.push_str("````\n");
    }
    text
}

/// A conflict: what the answer says, and what stands there now. `objection` is what applying it all the same would do
/// that it should not.
pub(super) fn both_sides(order: &Order, answer: &str, now: &str, objection: Option<&str>) -> String {
    let fence = order.snapshot.language.fence;
    let diff = diff::unified(&order.shown_path(), &order.selected(), now);
    let objection = objection.map(|objection| format!(" Mind that {objection}.")).unwrap_or_default();
    format!(
        "You changed the selected text while the answer was written, in the same places; nothing was overwritten. \
         *Apply anyway* puts the answer in place of what stands there now, *retry* asks again about the text as it is \
         now, *discard* leaves everything as it is.{objection}\n\n\
         ## The answer\n\n{}\n\n## What stands there now\n\n`````{fence}\n{}\n`````\n\n\
         ## What you changed\n\n`````diff\n{diff}`````\n",
        answer.trim(),
        now.trim_end_matches(['\n', '\r']),
    )
}

/// The diffs of all edits, one behind the other.
pub fn unified_diffs(edits: &[FileEdit]) -> String {
    edits.iter().map(|edit| edit.diff.as_str()).collect()
}
