mod documentation;
mod hints;
mod mutations;
mod refused;

use super::{Promise, Verdict, kept_promise, new_syntax_errors};
use crate::workspace::language;

pub(super) fn verdict(promise: Promise, id: &str, before: &str, after: &str) -> Verdict {
    kept_promise(promise, language::by_id(id), before, after)
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
