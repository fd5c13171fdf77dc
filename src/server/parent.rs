//! The process that started the server, as `initialize` names it.

/// Waits until the process has ended; for ever if that cannot be known. A process that is not there to begin with is none of
/// this machine's: the editor is outside of the container that the server runs in.
#[cfg(unix)]
pub(super) async fn ended(id: i32) {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};

    /// How often it is looked for.
    const LOOK: std::time::Duration = std::time::Duration::from_millis(250);

    let Some(id) = Pid::from_raw(id).filter(|id| test_kill_process(*id) != Err(Errno::SRCH)) else {
        return std::future::pending().await;
    };
    while test_kill_process(id) != Err(Errno::SRCH) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Elsewhere a pipe ends with its process.
#[cfg(not(unix))]
pub(super) async fn ended(_: i32) {
    std::future::pending().await
}
