//! Folders by their paths, for systems without a way to hold them: where something landed is looked at afterwards.

use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A folder.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(path.to_owned()))
    }

    pub(super) fn enter(self, name: &OsStr, create: bool) -> io::Result<Self> {
        let path = self.0.join(name);
        match std::fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Ok(Self(path)),
            Ok(_) => Err(io::Error::other("not a folder")),
            Err(_) if create => std::fs::create_dir(&path).map(|()| Self(path)),
            Err(error) => Err(error),
        }
    }

    pub(super) fn create(&self, name: &OsStr) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(self.0.join(name))
    }

    /// Takes back what landed elsewhere.
    pub(super) fn check(&self, name: &OsStr, root: &Path) -> io::Result<()> {
        let path = self.0.join(name);
        if path.canonicalize()?.starts_with(root) {
            return Ok(());
        }
        std::fs::remove_file(&path)?;
        Err(io::Error::other("a link was put in its way"))
    }

    pub(super) fn replace(&self, name: &OsStr, expected: &str, text: &str) -> io::Result<bool> {
        let path = self.0.join(name);
        let metadata = std::fs::symlink_metadata(&path)?;
        if !metadata.is_file() || metadata.permissions().readonly() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only or not a file"));
        }
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(text.as_bytes())?;
        if std::fs::read(&path)? != expected.as_bytes() {
            return Ok(false);
        }
        file.persist(&path).map_err(|error| error.error)?;
        Ok(true)
    }
}

/// There is no such permission.
pub(super) fn is_executable(_: &Metadata) -> bool {
    false
}
