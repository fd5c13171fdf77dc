//! Edits that wait for the user's word, when `edits.confirm` is `preview`.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

/// The edits that wait, by job.
#[derive(Default)]
pub(super) struct Proposals(BTreeMap<String, Proposal>);

struct Proposal {
    title: String,
    decision: oneshot::Sender<bool>,
}

impl Proposals {
    /// A job's edit waits from now on; the receiver gets the decision, and an error when it was withdrawn.
    pub(super) fn propose(&mut self, job: &str, title: &str) -> oneshot::Receiver<bool> {
        let (decision, receiver) = oneshot::channel();
        self.0.insert(job.to_owned(), Proposal { title: title.to_owned(), decision });
        receiver
    }

    /// The user accepts or rejects one edit, or the only one there is. Tells whether there was one.
    pub(super) fn decide(&mut self, job: Option<&str>, accept: bool) -> bool {
        let job = match job {
            Some(job) => job.to_owned(),
            None if self.0.len() == 1 => self.0.keys().next().cloned().unwrap_or_default(),
            None => return false,
        };
        self.0.remove(&job).is_some_and(|proposal| proposal.decision.send(accept).is_ok())
    }

    /// Forgets a job's edit.
    pub(super) fn withdraw(&mut self, job: &str) {
        self.0.remove(job);
    }

    /// The waiting edits' jobs and titles, oldest first.
    pub(super) fn list(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(job, proposal)| (job.clone(), proposal.title.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decides_by_job_or_for_the_only_one() {
        let mut proposals = Proposals::default();
        let mut first = proposals.propose("1", "one");
        let mut second = proposals.propose("2", "two");
        assert!(!proposals.decide(None, true), "which one is meant?");
        assert!(proposals.decide(Some("1"), false));
        assert!(!proposals.decide(Some("1"), true), "it was decided already");
        assert!(proposals.decide(None, true));
        assert_eq!((first.try_recv(), second.try_recv()), (Ok(false), Ok(true)));
        let mut third = proposals.propose("3", "three");
        proposals.withdraw("3");
        assert!(third.try_recv().is_err() && proposals.list().is_empty());
    }
}
