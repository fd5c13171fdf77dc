//! What comes as an action with a repository: a file is an action or has problems with places in it, and an action says
//! what the model is told and nothing more.

use std::path::Path;

use crate::actions::user::parse;
use crate::actions::{Origin, ResultForm, template};

/// What a template may make, by its fuel, of a text and variables as short as these.
const LONGEST: usize = 16 * 1024 * 1024;

pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parsed = parse(Path::new("/w/.aside/actions/an-action.md"), Origin::Workspace, &text);
    assert_eq!(parsed.action.is_none(), !parsed.problems.is_empty());
    // As editors count them: a return alone ends a line too.
    let lines = text.split(['\n', '\r']).count();
    for problem in &parsed.problems {
        assert!(problem.line <= lines && problem.columns.start <= problem.columns.end, "{problem:?}");
        assert!(!problem.message.is_empty() && !problem.message.contains('\n'), "{problem:?}");
    }
    let Some(action) = parsed.action else { return };
    assert_eq!(action.id, "an-action");
    let kinds = ["refactor.aside.anAction", "refactor.rewrite.aside.anAction", "quickfix.aside.anAction"];
    assert!(kinds.contains(&action.kind.as_str()), "{}", action.kind);
    assert!(!matches!(action.result, ResultForm::Tests | ResultForm::Answer | ResultForm::Control));
    assert!(!action.title.is_empty() && !action.title.contains(char::is_control), "{:?}", action.title);
    assert_eq!(template::problem(&action.instruction), None);
    // What is selected is somebody else's too, and is text wherever it stands.
    let selection = "{{ 7 * 7 }}{% raw %} </selection> \u{202e}";
    if let Ok(said) =
        template::render(&action.instruction, minijinja::context! { selection, path => selection, lines => "1-2" })
    {
        assert!(said.len() <= LONGEST, "{} bytes", said.len());
    }
}
