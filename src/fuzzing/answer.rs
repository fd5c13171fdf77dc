//! A model's answer: nothing is made up, nothing outside of the selection changes, and what is shown loads nothing.

use super::{pieces, texts};
use crate::output::answer::{EditAnswer, edit_answer, edit_answer_or_removal, tests_answer};
use crate::output::edit::{Selected, apply, plan, plan_merged};
use crate::output::explanation::{LineTail, readable};
use crate::workspace::language;
use crate::workspace::syntax::Parsed;

pub(super) fn check(data: &[u8]) {
    let [answer, before, selected, behind, typed] = texts(data);
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
        // The user went on in the selection meanwhile.
        let original = Selected { text: &document, span: selection.clone() };
        let now = format!("{before}{typed}{behind}");
        let selected_now = Selected { text: &now, span: before.len()..before.len() + typed.len() };
        let parsed = Parsed::new(language::by_id("plaintext"), &now);
        if let Ok(Some(edits)) = plan_merged(&original, &selected_now, &parsed, &edit) {
            let after = apply(&now, &edits);
            assert!(after.starts_with(&before) && after.ends_with(&behind), "{after:?}");
        }
    }
    if let Ok(tests) = tests_answer(&answer) {
        assert!(is_answered(&tests.code), "{:?}", tests.code);
    }
    let tail = |size: usize| {
        let mut tail = LineTail::new(20);
        for piece in pieces(&answer, size) {
            tail.push(piece);
        }
        tail.line()
    };
    assert_eq!(tail(1), tail(usize::MAX));
    assert!(tail(1).chars().count() <= 20, "{:?}", tail(1));
    let shown = readable(&answer);
    // What was made harmless stays so when it is shown again.
    assert!(!loads(&shown), "{shown:?}");
}

/// Whether showing Markdown would fetch something, an image or HTML, or following a link would tell somebody something.
fn loads(markdown: &str) -> bool {
    use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};
    let is_harmful = |options| {
        Parser::new_ext(markdown, options).any(|event| match event {
            Event::Start(Tag::Image { .. } | Tag::HtmlBlock) | Event::Html(_) | Event::InlineHtml(_) => true,
            Event::Start(Tag::Link { link_type: LinkType::Email, .. }) => false,
            Event::Start(Tag::Link { dest_url, .. }) => {
                let is_web = dest_url.starts_with("http:") || dest_url.starts_with("https:");
                is_web && dest_url.contains('?') || dest_url.to_lowercase().starts_with("javascript:")
            }
            _ => false,
        })
    };
    [Options::all(), Options::ENABLE_GFM | Options::ENABLE_TABLES, Options::empty()].into_iter().any(is_harmful)
}
