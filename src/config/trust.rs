//! What a repository may not say.
//!
//! A workspace file comes with somebody's repository, and so can an editor's settings. Neither may choose where code and
//! keys are sent, how much is spent, or what is kept back.

mod store;

use serde_json::Value;

pub use self::store::{Allowed, TrustStore};
use super::Source;
use super::leaves::Leaf;

/// What a layer that is not trusted may do with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It replaces the value of earlier layers.
    Set,
    /// It is added to the list of earlier layers.
    Add,
    /// It does not count, for this reason.
    Refuse(&'static str),
}

/// Judges a value of a workspace file or of an editor.
pub(super) fn judge(leaf: &Leaf, source: &Source) -> Verdict {
    let keys: Vec<&str> = leaf.path.iter().map(String::as_str).collect();
    match keys.as_slice() {
        ["api", ..] => Verdict::Refuse("it would choose where your code and your key are sent"),
        ["budget", ..] | ["parameters", "service_tier"] => Verdict::Refuse("it would choose how much you spend"),
        ["prices", ..] => Verdict::Refuse("it would choose what your bill says"),
        ["parameters", "user_id"] => Verdict::Refuse("it would choose as whom you ask"),
        ["privacy", "exclude"] => Verdict::Add,
        ["privacy", "include"] => Verdict::Refuse("it would send files that are kept back"),
        ["privacy", "redact"] if leaf.value == Ok(Value::Bool(false)) => {
            Verdict::Refuse("it would send what looks like a secret")
        }
        // To clone a repository is no reason to send it.
        ["hover", "mode"] if matches!(source, Source::Workspace(_)) && leaf.value == Ok("ask".into()) => {
            Verdict::Refuse("it would send your code unasked")
        }
        ["cache", "prewarm"] if matches!(source, Source::Workspace(_)) && leaf.value == Ok(Value::Bool(true)) => {
            Verdict::Refuse("it would send your code unasked")
        }
        // An editor's user may well want that there; who only has a repository's file did not say so.
        ["edits", "confirm"] if matches!(source, Source::Workspace(_)) && leaf.value == Ok("never".into()) => {
            Verdict::Refuse("it would make edits without showing them first")
        }
        _ => Verdict::Set,
    }
}
