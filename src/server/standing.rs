//! Answers that were not applied for a reason that the user may overrule: a conflict, a broken promise, text that moved on
//! under a question. Kept until the user says what to do with them.

use std::collections::VecDeque;
use std::sync::Arc;

use lsp_types::{MessageActionItem, MessageType};
use tokio_util::sync::CancellationToken;

use super::handlers::run;
use super::host::EditorHost;
use super::session::Session;
use super::show;
use crate::jobs::{Anyway, Order, Standing as Answer, apply_anyway};

/// So many answers stand at once; older ones can still be read.
const MOST: usize = 16;

const APPLY: &str = "Apply anyway";
const RETRY: &str = "Retry on the new text";
const DISCARD: &str = "Discard";

/// The answers that stand, oldest first.
#[derive(Default)]
pub(super) struct Standing(VecDeque<Kept>);

/// An answer and the selection it was made for, which is still followed.
pub(super) struct Kept {
    order: Order,
    answer: Answer,
    host: EditorHost,
}

impl Standing {
    /// The jobs and titles of the answers that stand.
    pub(super) fn list(&self) -> Vec<(String, String)> {
        self.0.iter().map(|kept| (kept.order.job.clone(), kept.order.title())).collect()
    }

    /// Whether the answer of a job stands.
    fn has(&self, job: &str) -> bool {
        self.0.iter().any(|kept| kept.order.job == job)
    }

    /// Takes one answer out: that of a job, or the only one there is.
    pub(super) fn take(&mut self, job: Option<&str>) -> Option<Kept> {
        let index = match job {
            Some(job) => self.0.iter().position(|kept| kept.order.job == job)?,
            None if self.0.len() == 1 => 0,
            None => return None,
        };
        self.0.remove(index)
    }

    /// Lets one more answer stand; the one that has to go for it comes back, to be dropped outside of the lock.
    fn push(&mut self, kept: Kept) -> Option<Kept> {
        self.0.push_back(kept);
        if self.0.len() > MOST { self.0.pop_front() } else { None }
    }
}

/// Keeps an answer and asks the user. Clients that cannot ask have the code actions and the commands.
pub(super) async fn offer(session: Arc<Session>, order: Order, answer: Answer, host: EditorHost) {
    let mut next = Some(Kept { order, answer, host });
    while let Some(kept) = next {
        next = kept.ask(&session).await;
    }
}

impl Kept {
    /// Lets the answer stand and asks what to do with it; what comes back stands on for another reason.
    async fn ask(self, session: &Arc<Session>) -> Option<Self> {
        let job = self.order.job.clone();
        let question = format!("{}: not applied: {}.", self.order.title(), self.answer.reason.trim_end_matches('.'));
        let forgotten = session.state().standing.push(self);
        drop(forgotten);
        let actions =
            [APPLY, RETRY, DISCARD].map(|title| MessageActionItem { title: title.to_owned(), ..Default::default() });
        // The question takes the keys, and whoever met a conflict was typing a moment ago.
        show::rest(session).await;
        if !session.state().standing.has(&job) {
            return None;
        }
        let chosen = session.client.show_message_request(MessageType::Warning, question, Some(actions.to_vec())).await;
        let Ok(Some(chosen)) = chosen else { return None };
        // It may have been decided by a command since.
        let kept = session.state().standing.take(Some(&job))?;
        match chosen.title.as_str() {
            APPLY => return kept.applied(session).await,
            RETRY => kept.retry(session),
            _ => {}
        }
        None
    }

    /// Puts the answer in place of whatever stands there now, and asks again if there is more against it than the user
    /// knew.
    pub(super) async fn apply(self, session: &Arc<Session>) {
        let mut next = self.applied(session).await;
        while let Some(kept) = next {
            next = kept.ask(session).await;
        }
    }

    async fn applied(self, session: &Arc<Session>) -> Option<Self> {
        match apply_anyway(&self.order, &self.answer, &self.host, &CancellationToken::new()).await {
            Anyway::Applied(note) => {
                if let Some(note) = note {
                    session.tell(MessageType::Info, format!("Aside: {note}"));
                }
                None
            }
            Anyway::Stands(answer) => Some(Self { answer, ..self }),
            Anyway::Failed(reason) => {
                session.tell(MessageType::Error, format!("Aside: not applied: {reason}."));
                None
            }
        }
    }

    /// Runs the action again, on the text as it is now.
    pub(super) fn retry(self, session: &Arc<Session>) {
        run::start_again(session, self.order, &self.host);
    }
}
