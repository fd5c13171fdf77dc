//! Tests added to a test file, or to a new one. Existing code never changes.

use super::answer::BadAnswer;
use super::edit::TextEdit;
use super::lines::dominant_line_end;
use crate::workspace::Language;
use crate::workspace::test_files::TestPlace;

/// What adding tests comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestsEdit {
    /// Edits of the existing text, or of an empty one. Empty when there is nothing to add.
    pub edits: Vec<TextEdit>,
    /// Tests that were left out, since the file has them already, word for word.
    pub skipped: Vec<String>,
    /// Tests that got another name, since the file has another test of theirs: the old and the new name.
    pub renamed: Vec<(String, String)>,
}

/// The edits that add `code`, imports first, to the file at `place`, whose text is `existing`.
///
/// # Errors
/// When the code holds no test that could be added.
pub fn add_tests(
    existing: Option<&str>,
    _place: &TestPlace,
    _language: &Language,
    code: &str,
) -> Result<TestsEdit, BadAnswer> {
    let code = code.trim_matches(['\n', '\r']);
    if code.trim().is_empty() {
        return Err(BadAnswer::new("The code block holds no tests."));
    }
    let existing = existing.unwrap_or("");
    let end = dominant_line_end(existing).unwrap_or("\n");
    let gap = if existing.is_empty() { "" } else { end };
    let at = existing.len();
    let text = format!("{gap}{code}{end}");
    Ok(TestsEdit { edits: vec![TextEdit { span: at..at, text }], ..TestsEdit::default() })
}
