mod documentation;
mod hints;
mod mutations;
mod refused;

use super::shared::Shared;
use super::{Comparison, Promise, Verdict, kept_promise, new_syntax_errors};
use crate::output::edit;
use crate::workspace::language;
use crate::workspace::syntax::Parsed;

pub(super) fn verdict(promise: Promise, id: &str, before: &str, after: &str) -> Verdict {
    let verdict = kept_promise(promise, language::by_id(id), before, after);
    assert_eq!(of_edits(promise, id, before, after), verdict, "of a tree that followed: {id}\n{after}");
    verdict
}

/// As a job asks: the tree after the edit came of the one before, with which it shares what did not change.
pub(super) fn of_edits(promise: Promise, id: &str, before: &str, after: &str) -> Verdict {
    let parsed = Parsed::new(language::by_id(id), before);
    Comparison::of_edits(parsed, &edit::difference(before, after), after).verdict(promise)
}

#[test]
fn what_did_not_change_is_not_read() {
    let function = |n: usize, hint: &str| {
        format!("def f_{n}(first, second{hint}=1):\n    total = first + {n}\n    return total\n\n")
    };
    let class = |hint: &str| {
        let method =
            |n: usize, hint: &str| format!("    def m_{n}(self, a{hint}):\n        return a * {n} + self.x\n\n");
        let methods: String = (0..40).map(|n| method(n, if n == 20 { hint } else { "" })).collect();
        format!("class A:\n    x = 1\n\n{methods}")
    };
    let text = |import: &str, hint: &str| {
        let functions: String = (0..40).map(|n| function(n, if n % 20 == 3 { hint } else { "" })).collect();
        format!("import os\n{import}\n{functions}{}", class(hint))
    };
    let (before, after) = (text("", ""), text("import typing\n", ": typing.Any"));
    let parsed = Parsed::new(language::by_id("python"), &before);
    let comparison = Comparison::of_edits(parsed, &edit::difference(&before, &after), &after);
    let (old, new) = comparison.trees().unwrap();
    let shared = Shared::of((old.root_node(), &before), (new.root_node(), &after));
    // Of 40 functions and 40 methods all but the three that were edited.
    assert!(shared.after.len() >= 77 && shared.before.len() == shared.after.len(), "{}", shared.after.len());
    assert_eq!(comparison.verdict(Promise::TypeHints), Verdict::Kept);
}

#[track_caller]
pub(super) fn accepted(promise: Promise, id: &str, before: &str, after: &str) {
    let errors = new_syntax_errors(language::by_id(id), before, after);
    assert_eq!(errors, Vec::<String>::new(), "{id}\n{after}");
    assert_eq!(verdict(promise, id, before, after), Verdict::Kept, "{id}\n{after}");
}

/// The reason why an edit is not accepted; it holds all of `words`.
#[track_caller]
pub(super) fn refused(promise: Promise, id: &str, before: &str, after: &str, words: &[&str]) {
    match verdict(promise, id, before, after) {
        Verdict::Broken(reason) => {
            for word in words {
                assert!(reason.contains(word), "{word:?} is not in: {reason}");
            }
        }
        other => panic!("{other:?}\n{after}"),
    }
}
