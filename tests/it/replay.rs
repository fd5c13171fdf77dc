//! Sessions of many actions against the simulator's bookkeeping, as `cargo bench --bench replay` has them, but over
//! histories that are made here.

use crate::drive::{Layout, replay, settings};
use crate::sessions::{KINDS, Kind, session};
use crate::synthetic::synthetic;

/// Enough for the promise, which is about sessions of twenty actions and more.
const ACTIONS: usize = 36;

fn usd(kind: Kind, layout: Layout, seed: u64) -> Vec<f64> {
    let session = session(kind, &synthetic(24, 4), seed, ACTIONS);
    replay(&session, layout, &settings("claude-sonnet-5-5")).iter().map(|bill| bill.usd).collect()
}

#[test]
fn no_session_costs_much_more_than_without_a_cache() {
    for kind in KINDS {
        let (off, snapshot) = (usd(kind, Layout::Off, 1), usd(kind, Layout::Snapshot, 1));
        for (turn, (off, snapshot)) in off.iter().zip(&snapshot).enumerate().skip(19) {
            assert!(*snapshot <= 1.1 * off, "{kind:?}: {snapshot} against {off} after {turn}");
        }
    }
}

#[test]
fn a_snapshot_with_changes_costs_less_than_the_text_each_time() {
    let (mut plain, mut snapshot) = (0.0, 0.0);
    for kind in [Kind::Focused, Kind::Hopping, Kind::Mixed, Kind::LongPauses] {
        plain += usd(kind, Layout::Plain, 2).last().unwrap();
        snapshot += usd(kind, Layout::Snapshot, 2).last().unwrap();
    }
    assert!(snapshot < 0.8 * plain, "{snapshot} against {plain}");
}
