//! An answer that was cut and goes on: streamed or whole it is joined in the same way, and only what stood there already,
//! a fence or white space is left out.

use super::{pieces, texts};
use crate::jobs::fuzzed::continued;

/// No more than this of what comes is looked at.
const WINDOW: usize = 600;

pub(super) fn check(data: &[u8]) {
    let Some((size, data)) = data.split_first() else { return };
    let [before, after] = texts(data);
    // What is repeated has to be long before it counts, so the fuzzer is given some of it.
    let end =
        (0..=before.len().min(usize::from(*size))).rev().find(|length| before.is_char_boundary(before.len() - length));
    let after = format!("{}{after}", &before[before.len() - end.unwrap_or_default()..]);
    for size in [1, 7, usize::from(*size) + 1] {
        let (whole, streamed) = continued(&before, &pieces(&after, size));
        assert_eq!(whole, streamed);
        let left_out = after.strip_suffix(whole.as_str()).expect("what goes on is the end of what came");
        assert!(left_out.len() <= WINDOW, "{left_out:?}");
        let mut lines = left_out.trim_start_matches(['\n', '\r']).splitn(2, '\n');
        let first = lines.next().unwrap_or_default();
        let is_fence = ["```", "~~~"].iter().any(|fence| first.starts_with(fence));
        let again = if is_fence { lines.next().unwrap_or_default() } else { left_out };
        let is_there = before.contains(again.trim_end()) || before.contains(again.trim()) || again.trim().is_empty();
        assert!(is_there, "{left_out:?} goes, and is not in {before:?}");
    }
}
