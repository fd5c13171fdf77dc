//! What of this room's inside is held against any input (`fuzzing`).

use std::path::Path;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::host::Host;
use super::outgoing::{Passing, Sealed};
use super::seam::{Joint, behind};
use super::tools::{Call, Toolbox};
pub(crate) use super::tools::{Findings, Outcome};
use crate::claude::client::Progress;
use crate::config::Privacy;

/// What goes on behind `before`: of the whole text that comes, and of its pieces as they come.
pub(crate) fn continued(before: &str, pieces: &[&str]) -> (String, String) {
    let whole = pieces.concat();
    let mut joint = Joint::new(before);
    let mut streamed: String = pieces.iter().filter_map(|piece| joint.push(piece)).collect();
    streamed.extend(joint.end());
    (behind(before, &whole).to_owned(), streamed)
}

/// What is shown of an answer that streams in these pieces.
pub(crate) fn opened(sealed: &Sealed, pieces: &[&str]) -> String {
    let mut shown = String::new();
    let mut sink = |progress: Progress<'_>| {
        if let Progress::Text(text) = progress {
            shown.push_str(text);
        }
    };
    let mut passing = Passing::new(sealed);
    for piece in pieces {
        passing.pass(Progress::Text(piece), &mut sink);
    }
    passing.finish(&mut sink);
    shown
}

/// What a call gives in the project below `root`: the line that people see of it, and what the model is told.
pub(crate) fn called(
    host: &dyn Host,
    root: &Path,
    privacy: &Privacy,
    (name, input): (&str, Value),
    findings: &dyn Findings,
) -> (String, Outcome) {
    let cancel = CancellationToken::new();
    let call = Call { id: "toolu_1".to_owned(), name: name.to_owned(), input };
    (call.line(), Toolbox::new(host, Some(root), privacy, &cancel).call(&call, findings))
}
