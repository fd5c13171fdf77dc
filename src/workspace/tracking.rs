//! Ranges of a document that follow its text while it is edited.
//!
//! A range is two anchors. Text that comes in exactly at one of them stays outside, so that a user who types at the
//! edge of a selection does not change it. A replacement that reaches over an edge stays outside too, since nobody can
//! tell which part of the new text belongs to the range. Where an editor sends more than it changed (a formatter's
//! whole text, a whole line for one word), [`hunks`] finds what did change before the anchors move.

mod hunks;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};

use ropey::Rope;

use super::Span;

/// Names one tracked range. Unique within the process, so that an id of one document never means a range of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(u64);

impl TrackId {
    fn next() -> Self {
        // Ids only have to differ; nothing is ordered by them.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Where a tracked range is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// Its place in the document's current text.
    pub span: Span,
    /// Whether the text inside differs from what it was when tracking began. Changed and changed back is untouched.
    pub touched: bool,
}

/// The tracked ranges of one document.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracks {
    tracks: Vec<Track>,
}

#[derive(Clone, Debug)]
struct Track {
    id: TrackId,
    span: Span,
    original: Rope,
    /// Whether a change reached inside, so that a later one may restore what was lost.
    reached: bool,
    /// Where the range began in a piece of text that was removed around it: undo brings that piece back at once.
    lost_at: usize,
    /// What the range was before something was cut off its edges, the last cut last, once its text had changed.
    cuts: Vec<Cut>,
}

#[derive(Clone, Debug)]
struct Cut {
    /// The range's text before.
    whole: Rope,
    /// Where it began in what was removed.
    at: usize,
}

/// So many cuts can be undone, one after the other.
const MOST_CUTS: usize = 32;

impl Tracks {
    pub(super) fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    pub(super) fn track(&mut self, text: &Rope, span: Span) -> TrackId {
        let id = TrackId::next();
        let original = text.byte_slice(span.clone()).into();
        self.tracks.push(Track { id, span, original, reached: false, lost_at: 0, cuts: Vec::new() });
        id
    }

    pub(super) fn untrack(&mut self, id: TrackId) {
        self.tracks.retain(|track| track.id != id);
    }

    pub(super) fn tracked(&self, text: &Rope, id: TrackId) -> Option<Tracked> {
        let track = self.tracks.iter().find(|track| track.id == id)?;
        Some(Tracked { span: track.span.clone(), touched: !track.is_original_at(text, track.span.clone()) })
    }

    pub(super) fn original(&self, id: TrackId) -> Option<&Rope> {
        self.tracks.iter().find(|track| track.id == id).map(|track| &track.original)
    }

    /// Moves the anchors for a change that is about to replace `removed` in `text` by `inserted`.
    pub(super) fn before_change(&mut self, text: &Rope, removed: &Span, inserted: &str) {
        if self.tracks.is_empty() {
            return;
        }
        let near =
            |span: &Span| self.tracks.iter().any(|track| track.span.start <= span.end && track.span.end >= span.start);
        let hunks = hunks::hunks(text, removed, inserted, &near);
        for track in &mut self.tracks {
            let overlaps = removed.start < track.span.end && track.span.start < removed.end;
            let at = track.span.start.saturating_sub(removed.start);
            if overlaps && !track.reached {
                track.lost_at = at;
            } else if overlaps && (removed.start <= track.span.start || track.span.end <= removed.end) {
                if track.cuts.len() == MOST_CUTS {
                    track.cuts.remove(0);
                }
                track.cuts.push(Cut { whole: text.byte_slice(track.span.clone()).into(), at });
            }
            // From the last to the first, so that the places of those before stay right.
            for hunk in hunks.iter().rev() {
                track.replaced(&hunk.removed, hunk.inserted);
            }
        }
    }

    /// Gives ranges back what an undo restored, after a change put `inserted` into `text`.
    pub(super) fn after_change(&mut self, text: &Rope, inserted: &Span) {
        for track in self.tracks.iter_mut().filter(|track| track.reached) {
            track.restore(text, inserted);
        }
    }
}

impl Track {
    fn replaced(&mut self, removed: &Span, inserted: usize) {
        let overlap = removed.start.max(self.span.start) < removed.end.min(self.span.end);
        let within = removed.is_empty() && self.span.start < removed.start && removed.start < self.span.end;
        self.reached |= overlap || within;
        self.span = moved(&self.span, removed, inserted);
    }

    /// Takes back the original text, or what was cut off since, where new text completed it at an edge. Typing at an edge does not do that by
    /// accident: the result has to be the original, to the byte.
    fn restore(&mut self, text: &Rope, inserted: &Span) {
        if let Some(span) = self.restored(text, inserted, &self.original, self.lost_at) {
            self.span = span;
            self.reached = false;
            self.cuts.clear();
            return;
        }
        let mut cuts = self.cuts.iter().enumerate().rev();
        let found = cuts.find_map(|(index, cut)| Some((index, self.restored(text, inserted, &cut.whole, cut.at)?)));
        if let Some((index, span)) = found {
            self.span = span;
            self.cuts.truncate(index);
        }
    }

    /// Where the range is if new text made it `whole` again.
    fn restored(&self, text: &Rope, inserted: &Span, whole: &Rope, lost_at: usize) -> Option<Span> {
        let len = whole.len_bytes();
        if inserted.is_empty() || inserted.start > self.span.end || inserted.end < self.span.start {
            return None;
        }
        let reach = inserted.start.min(self.span.start)..inserted.end.max(self.span.end);
        let starts = [Some(inserted.start + lost_at), Some(self.span.start), self.span.end.checked_sub(len)];
        // An anchor in the middle of new text is a guess, which the original beats.
        let guessed = |anchor: usize| inserted.start <= anchor && anchor <= inserted.end;
        starts.into_iter().flatten().map(|start| start..start + len).find(|span| {
            let start_fits = span.start <= self.span.start || guessed(self.span.start);
            let end_fits = self.span.end <= span.end || guessed(self.span.end);
            let reached = reach.start <= span.start && span.end <= reach.end;
            start_fits && end_fits && reached && is_at(text, span.clone(), whole)
        })
    }

    fn is_original_at(&self, text: &Rope, span: Span) -> bool {
        is_at(text, span, &self.original)
    }
}

fn is_at(text: &Rope, span: Span, whole: &Rope) -> bool {
    span.len() == whole.len_bytes() && text.get_byte_slice(span).is_some_and(|slice| slice == whole.slice(..))
}

/// Where `span` is after `removed` was replaced by `inserted` bytes.
fn moved(span: &Span, removed: &Span, inserted: usize) -> Span {
    let after = |offset: usize| offset - removed.len() + inserted;
    // A replacement of nothing but the range's own text stays inside, also at its edges.
    let own = !removed.is_empty() && span.start <= removed.start && removed.end <= span.end;
    let start = if removed.end <= span.start {
        after(span.start)
    } else if removed.start < span.start {
        removed.start + inserted
    } else {
        span.start
    };
    let end = if removed.end < span.end || own {
        after(span.end)
    } else if removed.start >= span.end {
        span.end
    } else {
        removed.start
    };
    start..end.max(start)
}
