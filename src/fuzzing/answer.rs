//! A model's answer: nothing is made up, nothing outside of the selection changes, and what is shown loads nothing.

use super::texts;
use crate::output::answer::{EditAnswer, edit_answer, edit_answer_or_removal, tests_answer};
use crate::output::edit::{apply, plan};
use crate::output::explanation::readable;
use crate::workspace::language;

pub(super) fn check(data: &[u8]) {
    let [answer, before, selected, behind] = texts(data);
    let lines: Vec<&str> = answer.split(['\n', '\r']).collect();
    let is_answered = |text: &str| text.split(['\n', '\r']).all(|line| lines.iter().any(|whole| whole.contains(line)));
    for edit in [edit_answer(&answer), edit_answer_or_removal(&answer)].into_iter().flatten() {
        assert!(is_answered(&edit.replacement), "{:?}", edit.replacement);
        assert!(edit.imports.iter().all(|import| is_answered(import)), "{:?}", edit.imports);
        let document = format!("{before}{selected}{behind}");
        let selection = before.len()..before.len() + selected.len();
        // Without a grammar there are no imports to merge, so all that changes is inside.
        let edit = EditAnswer { imports: Vec::new(), ..edit };
        if let Ok(edits) = plan(&document, selection.clone(), language::by_id("plaintext"), &edit) {
            let ordered = edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start);
            assert!(ordered, "{edits:?}");
            let after = apply(&document, &edits);
            assert!(after.starts_with(&before), "{after:?}");
            assert!(after.ends_with(&behind), "{after:?}");
        }
    }
    if let Ok(tests) = tests_answer(&answer) {
        assert!(is_answered(&tests.code), "{:?}", tests.code);
    }
    let shown = readable(&answer);
    // What was made harmless stays so when it is shown again.
    assert!(!loads(&shown), "{shown:?}");
}

/// Whether showing Markdown would fetch something: an image, or HTML.
fn loads(markdown: &str) -> bool {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    Parser::new_ext(markdown, Options::all()).any(|event| {
        matches!(event, Event::Start(Tag::Image { .. } | Tag::HtmlBlock) | Event::Html(_) | Event::InlineHtml(_))
    })
}
