//! Aside's own methods and the arguments of its commands, in one place; `docs/protocol.md` tells plugin authors of them.

use lsp_types::{Diagnostic, LspAny, LspNotificationMethod, MessageDirection, Notification, Range, Uri};
use serde::{Deserialize, Serialize};

use crate::ledger::UsageReport;

/// Runs an action: [`RunArguments`].
pub const RUN: &str = "aside.run";
/// Cancels a job, or all: [`JobArguments`].
pub const CANCEL: &str = "aside.cancel";
/// What was used: no argument.
pub const USAGE: &str = "aside.usage";
/// Asks on about an explanation: [`FollowUpArguments`].
pub const FOLLOW_UP: &str = "aside.followUp";
/// Shows an explanation again: [`ShowArguments`].
pub const SHOW_EXPLANATION: &str = "aside.showExplanation";
/// Applies the edit that a job proposes: [`JobArguments`].
pub const ACCEPT: &str = "aside.accept";
/// Drops the edit that a job proposes, and runs its action again when asked to: [`JobArguments`].
pub const REJECT: &str = "aside.reject";

/// The commands of `workspace/executeCommand`.
pub const COMMANDS: [&str; 7] = [RUN, CANCEL, USAGE, SHOW_EXPLANATION, FOLLOW_UP, ACCEPT, REJECT];

/// The scheme of explanations that exist only in the server.
pub const EXPLANATION_SCHEME: &str = "aside-explain";

/// The argument of `aside.run`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunArguments {
    /// An action's id.
    pub action: String,
    /// The document.
    pub uri: Uri,
    /// The selection; when empty, the enclosing item.
    pub range: Range,
    /// The document's version the range belongs to; another one is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
    /// The user's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// What other servers say about the range: the prompt quotes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
    /// Answer when the work has ended instead of at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait: bool,
}

/// The argument of `aside.cancel`, `aside.accept` and `aside.reject`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JobArguments {
    /// A job's id; without one `aside.cancel` cancels all.
    pub job: Option<String>,
    /// With `aside.accept`: the number of a review's finding, whose replacement is to be applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<u64>,
    /// With `aside.reject`, for an answer that was kept: run the action again, on the text as it is now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retry: bool,
}

/// The argument of `aside.followUp`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FollowUpArguments {
    /// The explanation: its file, or its document of the server's own.
    pub uri: Uri,
    /// The question; without one it is what is selected in the open file, or what is written under the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// What is selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// Answer when the work has ended instead of at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait: bool,
}

/// The argument of `aside.showExplanation`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShowArguments {
    /// An explanation's id, which is its job's.
    pub id: String,
}

/// `aside/stream`: a running job's output, complete and in order.
pub enum StreamNotification {}

impl Notification for StreamNotification {
    type Params = StreamParams;
    const METHOD: LspNotificationMethod<'static> = LspNotificationMethod::new("aside/stream");
    const MESSAGE_DIRECTION: MessageDirection = MessageDirection::ServerToClient;
}

/// One part of a job's output.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamParams {
    /// The job.
    pub job: String,
    /// What this part is.
    pub kind: StreamKind,
    /// With `begin`: which attempt starts; the text of earlier ones is void.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// With `begin`: what the job does.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
    /// With `text` and `thinking`: to append. With `tool`: what it does, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// With `usage` and `end`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageReport>,
    /// With `end`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// With `end`, when the outcome is `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<crate::error::Error>,
}

impl StreamParams {
    /// A part of this kind that says no more than that.
    pub fn new(job: &str, kind: StreamKind) -> Self {
        Self {
            job: job.to_owned(),
            kind,
            attempt: None,
            work: None,
            text: None,
            usage: None,
            outcome: None,
            error: None,
        }
    }
}

/// What a job does, and to what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// The action and what it works on, in words.
    pub title: String,
    /// The action's id.
    pub action: String,
    /// What the answer becomes: `explain`, `edit`, `tests`, `new-file`, `diagnostics`, `answer`.
    pub result: String,
    /// The document.
    pub uri: Uri,
    /// What was selected, or the item that an empty selection stood for, as it was when the action was asked for.
    pub range: Range,
}

/// What a part of the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// An attempt starts.
    Begin,
    /// Text of the answer.
    Text,
    /// Text of the thinking.
    Thinking,
    /// The model uses a tool.
    Tool,
    /// An edit was made of the answer.
    Edit,
    /// What the job took so far.
    Usage,
    /// Nothing comes after it.
    End,
}

/// `aside/proposal`: an edit that waits for `aside.accept` or `aside.reject`.
pub enum ProposalNotification {}

impl Notification for ProposalNotification {
    type Params = ProposalParams;
    const METHOD: LspNotificationMethod<'static> = LspNotificationMethod::new("aside/proposal");
    const MESSAGE_DIRECTION: MessageDirection = MessageDirection::ServerToClient;
}

/// An edit that waits for a decision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProposalParams {
    /// The job.
    pub job: String,
    /// The edit, as it would be sent.
    pub edit: lsp_types::WorkspaceEdit,
    /// The same as a unified diff.
    pub diff: String,
}

/// `aside/status`: what runs and what it cost, for a status bar.
pub enum StatusNotification {}

impl Notification for StatusNotification {
    type Params = LspAny;
    const METHOD: LspNotificationMethod<'static> = LspNotificationMethod::new("aside/status");
    const MESSAGE_DIRECTION: MessageDirection = MessageDirection::ServerToClient;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_page_names_everything() {
        let page = include_str!("../../docs/protocol.md");
        let methods = [
            StreamNotification::METHOD.to_string(),
            StatusNotification::METHOD.to_string(),
            ProposalNotification::METHOD.to_string(),
            "aside/usage".to_owned(),
        ];
        for name in COMMANDS.map(str::to_owned).into_iter().chain(methods) {
            assert!(page.contains(&format!("`{name}`")), "docs/protocol.md does not tell of {name}");
        }
        let run = RunArguments {
            action: "explain".to_owned(),
            uri: "file:///a".parse().expect("a URI"),
            range: Range::default(),
            version: Some(1),
            prompt: Some(String::new()),
            diagnostics: vec![Diagnostic::default()],
            wait: true,
        };
        let run = serde_json::to_value(run).expect("an object");
        for key in run.as_object().expect("an object").keys() {
            assert!(page.contains(key.as_str()), "docs/protocol.md does not tell of `{key}`");
        }
    }
}
