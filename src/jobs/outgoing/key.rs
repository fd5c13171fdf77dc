//! The key that placeholders are made with, random and known to this installation only.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

/// Its name in the data folder.
const FILE: &str = "placeholder.key";

const BYTES: usize = 32;

/// Read or made when it is first needed.
#[derive(Debug)]
pub(super) struct Key {
    folder: PathBuf,
    key: OnceLock<hmac::Key>,
}

impl Key {
    pub(super) fn kept_in(folder: PathBuf) -> Self {
        Self { folder, key: OnceLock::new() }
    }

    /// A digest of a value from which nobody without the key learns anything, not even by guessing.
    pub(super) fn digest(&self, value: &str) -> hmac::Tag {
        let key = self.key.get_or_init(|| {
            let bytes = load(&self.folder).unwrap_or_else(|error| {
                // Other processes will make other placeholders, which costs them the cache and nothing else.
                tracing::warn!("placeholders of secrets hold for this process only: {error}");
                random().unwrap_or_default()
            });
            hmac::Key::new(hmac::HMAC_SHA256, &bytes)
        });
        hmac::sign(key, value.as_bytes())
    }
}

fn random() -> std::io::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| std::io::Error::other("the system gives no random numbers"))?;
    Ok(bytes)
}

/// The key in the folder; of several processes that make one at the same time, one wins.
fn load(folder: &Path) -> std::io::Result<[u8; BYTES]> {
    let file = folder.join(FILE);
    if let Some(bytes) = read(&file)? {
        return Ok(bytes);
    }
    std::fs::create_dir_all(folder)?;
    // Readable by its owner alone from the beginning.
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(&random()?)?;
    new.as_file().sync_all()?;
    match new.persist_noclobber(&file) {
        Ok(_) => {}
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.error),
    }
    read(&file)?.ok_or_else(|| std::io::Error::other(format!("{} is no key", file.display())))
}

/// `None` if there is none yet.
fn read(file: &Path) -> std::io::Result<Option<[u8; BYTES]>> {
    match std::fs::read(file) {
        Ok(bytes) => {
            bytes.try_into().map(Some).map_err(|_| std::io::Error::other(format!("{} is no key", file.display())))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_same_in_every_process_and_another_elsewhere() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let digest = |folder: &Path| Key::kept_in(folder.join("data")).digest("value").as_ref().to_vec();
        let first = digest(one.path());
        assert_eq!(first, digest(one.path()));
        assert_ne!(first, digest(other.path()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = one.path().join("data").join(FILE).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn many_that_make_one_at_once_agree() {
        let folder = tempfile::tempdir().unwrap();
        let digests: Vec<_> = std::thread::scope(|scope| {
            let work = || Key::kept_in(folder.path().to_path_buf()).digest("value").as_ref().to_vec();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(digests.windows(2).all(|two| two[0] == two[1]));
    }

    #[test]
    fn without_a_folder_to_keep_it_in_it_lasts_as_long_as_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let key = Key::kept_in(file.clone());
        assert_eq!(key.digest("value").as_ref(), key.digest("value").as_ref());
        assert_ne!(key.digest("value").as_ref(), Key::kept_in(file).digest("value").as_ref());
    }
}
