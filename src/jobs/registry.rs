//! The jobs that are running, so that they can be listed and cancelled.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// A running job, as the outside sees it.
#[derive(Clone, Debug)]
pub struct JobHandle {
    /// What it does, for people.
    pub title: String,
    /// Cancelling it ends the job.
    pub token: CancellationToken,
}

/// The running jobs by id; ids sort by time.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    jobs: Arc<Mutex<BTreeMap<String, JobHandle>>>,
    closed: CancellationToken,
}

/// Takes a job out of the registry when its run ends, however it ends.
#[derive(Debug)]
pub struct Registration {
    registry: Registry,
    job: String,
}

impl Registry {
    /// Adds a job until the registration is dropped. When all are over, a new one is cancelled at once.
    pub fn register(&self, job: &str, handle: JobHandle) -> Registration {
        if self.is_closed() {
            handle.token.cancel();
        }
        self.lock().insert(job.to_owned(), handle);
        Registration { registry: self.clone(), job: job.to_owned() }
    }

    /// Cancels one job, or all; tells how many there were.
    pub fn cancel(&self, job: Option<&str>) -> usize {
        let jobs = self.lock();
        let chosen = jobs.iter().filter(|(id, _)| job.is_none_or(|job| job == *id));
        chosen.map(|(_, handle)| handle.token.cancel()).count()
    }

    /// Cancels all jobs and those that are still to come.
    pub fn close(&self) {
        self.closed.cancel();
        self.cancel(None);
    }

    /// Whether all jobs are over.
    pub fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Whether anything runs.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// The running jobs' ids and titles, oldest first.
    pub fn list(&self) -> Vec<(String, String)> {
        self.lock().iter().map(|(id, handle)| (id.clone(), handle.title.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, JobHandle>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.lock().remove(&self.job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(title: &str) -> JobHandle {
        JobHandle { title: title.to_owned(), token: CancellationToken::new() }
    }

    #[test]
    fn cancels_one_or_all_and_forgets_ended_jobs() {
        let registry = Registry::default();
        let (one, two) = (handle("one"), handle("two"));
        let first = registry.register("1", one.clone());
        let _second = registry.register("2", two.clone());
        assert_eq!(registry.cancel(Some("1")), 1);
        assert!(one.token.is_cancelled() && !two.token.is_cancelled());
        drop(first);
        assert_eq!(registry.list(), [("2".to_owned(), "two".to_owned())]);
        assert_eq!(registry.cancel(Some("1")), 0);
        assert_eq!(registry.cancel(None), 1);
        assert!(two.token.is_cancelled());
    }

    #[test]
    fn a_job_that_comes_too_late_is_cancelled() {
        let registry = Registry::default();
        let (one, late) = (handle("one"), handle("late"));
        let _first = registry.register("1", one.clone());
        registry.close();
        let _second = registry.register("2", late.clone());
        assert!(registry.is_closed() && one.token.is_cancelled() && late.token.is_cancelled());
    }
}
