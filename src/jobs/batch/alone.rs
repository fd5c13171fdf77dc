//! One process at a time lands answers of batches: two that do would take each other's work for what a killed one left.

use std::fs::{File, OpenOptions, TryLockError};
use std::time::Duration;

use super::Books;

/// The pause between two looks whether the other process is done.
const PAUSE: Duration = Duration::from_millis(50);

/// The right to land answers. It ends when this is dropped, and with the process, however that ends.
pub struct Alone(Option<File>);

/// Waits until no other process lands answers; `others` is told once when one does.
///
/// Where files cannot be locked, as on some network disks, nobody waits.
pub async fn alone(books: &Books, others: &mut (dyn FnMut() + Send)) -> Alone {
    let Some(path) = books.ledger.path().map(|path| path.with_file_name("batches.lock")) else { return Alone(None) };
    let Ok(file) = OpenOptions::new().create(true).truncate(false).write(true).open(path) else { return Alone(None) };
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Alone(Some(file)),
            Err(TryLockError::Error(error)) => {
                tracing::info!("batches are not locked: {error}");
                return Alone(None);
            }
            Err(TryLockError::WouldBlock) if told => {}
            Err(TryLockError::WouldBlock) => {
                told = true;
                others();
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        // A process that was begun meanwhile may have the file as well.
        if let Some(file) = &self.0 {
            let _ = file.unlock();
        }
    }
}
