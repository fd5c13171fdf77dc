//! Pieces of a text: a secret may be one only by what stands elsewhere in the whole.

use std::borrow::Cow;
use std::ops::Range;

use super::{Secret, find};

/// What stands for a secret in a piece that does not tell by itself that it is one.
pub const LEFT_OUT: &str = "[a secret, left out]";

/// A text of which pieces are shown to somebody.
pub struct Whole<'t> {
    text: &'t str,
    secrets: Cow<'t, [Secret]>,
}

impl<'t> Whole<'t> {
    /// With `redact` (the setting `privacy.redact`) off there is nothing to leave out.
    pub fn of(text: &'t str, redact: bool) -> Self {
        Self { text, secrets: if redact { find(text).into() } else { Cow::default() } }
    }

    /// A text whose secrets were [found](find) already.
    pub fn with(text: &'t str, secrets: &'t [Secret]) -> Self {
        Self { text, secrets: secrets.into() }
    }

    /// A piece of it, on character boundaries. A line of a private key without the mark above it, half a token, a value whose
    /// manifest begins elsewhere: whoever sees only the piece would take these for ordinary text, so they are left out of it.
    /// What can be seen for a secret stays.
    pub fn piece(&self, span: Range<usize>) -> Cow<'t, str> {
        let piece = &self.text[span.clone()];
        let touched = self.secrets.iter().map(|secret| &secret.span);
        let touched = touched.filter(|it| it.start < span.end && span.start < it.end);
        let inside: Vec<Range<usize>> =
            touched.map(|it| it.start.max(span.start) - span.start..it.end.min(span.end) - span.start).collect();
        if inside.is_empty() {
            return Cow::Borrowed(piece);
        }
        let seen = find(piece);
        let is_seen = |it: &Range<usize>| seen.iter().any(|by| by.span.start <= it.start && it.end <= by.span.end);
        let (mut left, mut end) = (String::new(), 0);
        for hidden in inside.into_iter().filter(|it| !is_seen(it)) {
            left.push_str(&piece[end..hidden.start]);
            left.push_str(LEFT_OUT);
            end = hidden.end;
        }
        if end == 0 {
            return Cow::Borrowed(piece);
        }
        left.push_str(&piece[end..]);
        Cow::Owned(left)
    }
}

/// So many characters of the beginning of a line, or a few less: half a secret is not known for one, so the cut goes through
/// none.
pub fn beginning(line: &str, most: usize) -> &str {
    let Some((end, _)) = line.char_indices().nth(most) else { return line };
    let cut = find(line).into_iter().map(|secret| secret.span).find(|span| span.start < end && end < span.end);
    &line[..cut.map_or(end, |span| span.start)]
}
