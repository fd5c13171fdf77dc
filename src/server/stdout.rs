//! Standard output, written to without a detour where the system allows it.
//!
//! The runtime's own standard output hands every write to another thread. Editors connect servers by pipes or, as Node does,
//! by socket pairs, and both can be written to from the task itself: at 20 streams that is what a delta waits for longest.

use tokio::io::AsyncWrite;

/// Standard output, in the fastest form it has.
pub(super) type Stdout = Box<dyn AsyncWrite + Send + Unpin>;

/// Opens standard output. Anything that is neither a pipe nor a socket, such as a file, goes through the runtime's threads.
pub(super) fn open() -> Stdout {
    #[cfg(unix)]
    if let Ok(Some(direct)) = direct() {
        return direct;
    }
    Box::new(tokio::io::stdout())
}

#[cfg(unix)]
fn direct() -> std::io::Result<Option<Stdout>> {
    use std::os::fd::{AsFd as _, OwnedFd};
    use std::os::unix::fs::FileTypeExt as _;

    let file = std::fs::File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    let kind = file.metadata()?.file_type();
    let descriptor = OwnedFd::from(file);
    if kind.is_fifo() {
        return Ok(Some(Box::new(tokio::net::unix::pipe::Sender::from_owned_fd(descriptor)?)));
    }
    if kind.is_socket() {
        let socket = std::os::unix::net::UnixStream::from(descriptor);
        socket.set_nonblocking(true)?;
        return Ok(Some(Box::new(tokio::net::UnixStream::from_std(socket)?)));
    }
    Ok(None)
}
