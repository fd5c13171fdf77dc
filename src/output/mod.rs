//! What an answer becomes: cleaned code, minimal edits, a test file, a document to read.
//!
//! Nothing here knows editors or the API. Texts and answers come in, edits in byte offsets come out, and an answer
//! that does not have the form that was asked for is a [`BadAnswer`](answer::BadAnswer), never half an edit.
//!
//! - [`answer`]: the code blocks of an answer; [`fit`]: what models repeat around them, taken off
//! - [`edit`]: the replacement of a selection; [`imports`]: lines merged into a file's imports
//! - [`tests_file`]: tests added to a file that may exist
//! - [`merge`]: an answer and what the user changed meanwhile
//! - [`check`]: what is looked at before anything is applied
//! - [`diff`]: an edit to read; [`explanation`]: an explanation to read; [`conversation`]: how it grows

pub mod answer;
pub mod check;
pub mod conversation;
pub mod diff;
pub mod edit;
pub mod explanation;
pub mod findings;
pub mod fit;
mod hunks;
pub mod imports;
mod indent;
mod lines;
mod markdown;
pub mod merge;
pub mod tests_file;
mod tree;

pub use answer::BadAnswer;
pub use edit::TextEdit;
