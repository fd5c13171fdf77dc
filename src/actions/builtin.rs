//! The actions Aside comes with.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use super::{Action, Applies, ResultForm};

/// The actions Aside comes with, in the order of menus and lists.
pub fn catalogue() -> &'static [Arc<Action>] {
    static CATALOGUE: LazyLock<Vec<Arc<Action>>> =
        LazyLock::new(|| TABLE.iter().map(|row| Arc::new(row.action())).collect());
    &CATALOGUE
}

struct Row {
    id: &'static str,
    title: &'static str,
    link: Option<&'static str>,
    summary: &'static str,
    kind: &'static str,
    result: ResultForm,
    applies: Applies,
    instruction: &'static str,
}

impl Row {
    fn action(&self) -> Action {
        Action {
            id: Cow::Borrowed(self.id),
            title: self.title.to_owned(),
            link: self.link.map(Cow::Borrowed),
            summary: self.summary.to_owned(),
            kind: self.kind.to_owned(),
            result: self.result,
            applies: self.applies,
            instruction: self.instruction.to_owned(),
            custom: None,
        }
    }
}

/// Ids and kinds are the contract with editors and users' settings: they never change.
const TABLE: &[Row] = &[
    Row {
        id: "explain",
        title: "explain",
        link: None,
        summary: "Explain what the selected code does, why, and where it can go wrong.",
        kind: "refactor.aside.explain",
        result: ResultForm::Explanation,
        applies: Applies::Always,
        instruction: include_str!("builtin/explain.md"),
    },
    Row {
        id: "add-type-hints",
        title: "add type hints",
        link: Some("to"),
        summary: "Add types to the selected code without changing what it does.",
        kind: "refactor.rewrite.aside.typeHints",
        result: ResultForm::Edit,
        applies: Applies::OptionalTypes,
        instruction: include_str!("builtin/add-type-hints.md"),
    },
    Row {
        id: "write-tests",
        title: "write tests",
        link: Some("for"),
        summary: "Write tests of the selected code, in the test file where the project keeps them.",
        kind: "refactor.aside.tests",
        result: ResultForm::Tests,
        applies: Applies::Programming,
        instruction: include_str!("builtin/write-tests.md"),
    },
    Row {
        id: "document",
        title: "document",
        link: None,
        summary: "Document the selected code in the language's own form, without touching the code.",
        kind: "refactor.rewrite.aside.document",
        result: ResultForm::Edit,
        applies: Applies::Programming,
        instruction: include_str!("builtin/document.md"),
    },
    Row {
        id: "simplify",
        title: "simplify",
        link: None,
        summary: "Make the selected code easier to read without changing what it does.",
        kind: "refactor.rewrite.aside.simplify",
        result: ResultForm::Edit,
        applies: Applies::Programming,
        instruction: include_str!("builtin/simplify.md"),
    },
    Row {
        id: "implement",
        title: "implement",
        link: None,
        summary: "Write the code that the selected comment, stub or signature describes.",
        kind: "refactor.rewrite.aside.implement",
        result: ResultForm::Edit,
        applies: Applies::Unfinished,
        instruction: include_str!("builtin/implement.md"),
    },
    Row {
        id: "fix",
        title: "fix",
        link: None,
        summary: "Repair the cause of errors and warnings that other tools report.",
        kind: "quickfix.aside.fix",
        result: ResultForm::Edit,
        applies: Applies::Reported,
        instruction: include_str!("builtin/fix.md"),
    },
    Row {
        id: "review",
        title: "review",
        link: None,
        summary: "Report what is wrong or doubtful in the selected code, at its place.",
        kind: "refactor.aside.review",
        result: ResultForm::Diagnostics,
        applies: Applies::Programming,
        instruction: include_str!("builtin/review.md"),
    },
    Row {
        id: "ask",
        title: "ask",
        link: Some("about"),
        summary: "Answer your question about the selected code, or change it as you ask.",
        kind: "refactor.aside.ask",
        result: ResultForm::Answer,
        applies: Applies::Prompted,
        instruction: include_str!("builtin/ask.md"),
    },
    Row {
        id: "follow-up",
        title: "follow up",
        link: Some("on"),
        summary: "Answer the next question, written under an explanation.",
        kind: "refactor.aside.followUp",
        result: ResultForm::Explanation,
        applies: Applies::Explanations,
        instruction: include_str!("builtin/follow-up.md"),
    },
    Row {
        id: "describe-image",
        title: "describe image",
        link: None,
        summary: "Write the alternative text of a picture that is linked to, or say what it shows.",
        kind: "refactor.aside.image",
        result: ResultForm::Edit,
        applies: Applies::Pictured,
        instruction: include_str!("builtin/describe-image.md"),
    },
    Row {
        id: "cancel",
        title: "cancel",
        link: None,
        summary: "Cancel what is running.",
        kind: "refactor.aside.cancel",
        result: ResultForm::Control,
        applies: Applies::WhileRunning,
        instruction: "",
    },
];
