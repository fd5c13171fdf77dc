//! Ranges of a document that follow its text while it is edited.

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
}

impl Tracks {
    pub(super) fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    pub(super) fn track(&mut self, text: &Rope, span: Span) -> TrackId {
        let id = TrackId::next();
        let original = text.byte_slice(span.clone()).into();
        self.tracks.push(Track { id, span, original });
        id
    }

    pub(super) fn untrack(&mut self, id: TrackId) {
        self.tracks.retain(|track| track.id != id);
    }

    pub(super) fn tracked(&self, text: &Rope, id: TrackId) -> Option<Tracked> {
        let track = self.tracks.iter().find(|track| track.id == id)?;
        let touched = text.byte_slice(track.span.clone()) != track.original.slice(..);
        Some(Tracked { span: track.span.clone(), touched })
    }

    pub(super) fn original(&self, id: TrackId) -> Option<&Rope> {
        self.tracks.iter().find(|track| track.id == id).map(|track| &track.original)
    }

    /// Follows the replacement of `removed` by `inserted` bytes.
    pub(super) fn replaced(&mut self, removed: &Span, inserted: usize) {
        for track in &mut self.tracks {
            track.span = mapped(&track.span, removed, inserted);
        }
    }
}

/// Where `span` is after `removed` was replaced by `inserted` bytes: text that comes in at an edge stays outside.
fn mapped(span: &Span, removed: &Span, inserted: usize) -> Span {
    let moved = |offset: usize| offset - removed.len() + inserted;
    let inside = removed.start >= span.start && removed.end <= span.end && !removed.is_empty();
    let start = if removed.end <= span.start && !(inside && removed.start == span.start) {
        moved(span.start)
    } else if removed.start < span.start {
        removed.start + inserted
    } else if removed.start == span.start && removed.is_empty() {
        span.start + inserted
    } else {
        span.start
    };
    let end = if removed.end < span.end || (inside && removed.end == span.end) {
        moved(span.end)
    } else if removed.start >= span.end {
        span.end
    } else {
        removed.start
    };
    start..end.max(start)
}
