//! Folders held open, so that a name in one of them is a name in that very folder whatever happens to its path.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, renameat, unlinkat};

/// An open folder.
pub(super) struct Folder(OwnedFd);

/// Nobody may execute what is made, whatever the mask says.
const NEW_FILE: Mode = Mode::from_raw_mode(0o644);
const NEW_FOLDER: Mode = Mode::from_raw_mode(0o755);

impl Folder {
    /// Opens a folder by its path, which has no links.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// The folder of this name in it, which is no link.
    pub(super) fn enter(self, name: &OsStr, create: bool) -> io::Result<Self> {
        if create {
            match mkdirat(&self.0, name, NEW_FOLDER) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(openat(&self.0, name, flags, Mode::empty())?))
    }

    /// A new file in it.
    pub(super) fn create(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.0, name, flags, NEW_FILE)?.into())
    }

    /// What was opened is what was looked at.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "other systems have something to look at")]
    pub(super) fn check(&self, _: &OsStr, _: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Replaces a file's text if it is the expected one; whether it was.
    pub(super) fn replace(&self, name: &OsStr, expected: &str, text: &str) -> io::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut old: File = openat(&self.0, name, flags, Mode::empty())?.into();
        let metadata = old.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a file"));
        }
        if metadata.permissions().readonly() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
        }
        let mut bytes = Vec::new();
        old.read_to_end(&mut bytes)?;
        if bytes != expected.as_bytes() {
            return Ok(false);
        }
        let beside = beside();
        let written = self.create(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.set_permissions(Permissions::from_mode(metadata.mode() & 0o777))?;
            Ok(renameat(&self.0, &beside, &self.0, name)?)
        });
        if written.is_err() {
            let _ = unlinkat(&self.0, &beside, AtFlags::empty());
        }
        written.map(|()| true)
    }
}

/// Whether somebody may execute a file.
pub(super) fn is_executable(metadata: &Metadata) -> bool {
    metadata.mode() & 0o111 != 0
}

/// A name that no other file has: what is there already is not opened, so a collision is an error and no more.
fn beside() -> OsString {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = jiff::Timestamp::now().as_nanosecond();
    format!(".aside-{}-{}-{now:x}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)).into()
}
