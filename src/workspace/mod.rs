//! What the user works on: documents and positions in them, languages, syntax, where tests live.
//!
//! Nothing here knows of editors or of HTTP. Every offset is a byte offset into UTF-8 text; [`positions`] is the only
//! place that knows how a protocol counts.

pub mod access;
pub mod content;
pub mod diagnostic;
pub(crate) mod difference;
pub mod documents;
pub mod language;
pub mod pictures;
pub mod positions;
mod protected;
pub mod references;
pub mod roots;
pub mod secrets;
pub mod selection;
pub mod syntax;
pub mod test_files;
pub mod tracking;
pub mod walk;
pub mod write;

pub use diagnostic::{Diagnostic, Severity};
pub use documents::{Change, Document, Documents, Snapshot};
pub use language::Language;

/// A range of byte offsets into UTF-8 text.
pub type Span = std::ops::Range<usize>;
