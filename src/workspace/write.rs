//! Files written so that nothing is lost: new ones below the workspace only, existing ones whole or not at all.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use super::content;
use super::roots::normalized;
use crate::error::{Error, ErrorKind};

/// Creates a file with this text, and the folders it needs below `root`.
///
/// # Errors
/// The path is not below `root`, or only by way of a link out of it; a file is there already; or the disk will not have it.
pub fn create_file(path: &Path, root: &Path, text: &str) -> Result<(), Error> {
    let path = normalized(path);
    create_folder(&path, root)?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| failed(&path, &error))?;
    file.write_all(text.as_bytes()).map_err(|error| failed(&path, &error))
}

/// Creates the folders that a new file needs, below `root`.
///
/// # Errors
/// As for [`create_file`].
pub fn create_folder(path: &Path, root: &Path) -> Result<(), Error> {
    let path = normalized(path);
    let Some(folder) = path.parent().filter(|_| path.starts_with(normalized(root))) else { return Err(outside(&path)) };
    // What exists of the folder decides where it really is; only then is the rest of it made.
    let existing = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(folder);
    let real = |path: &Path| path.canonicalize().map_err(|error| failed(path, &error));
    if !real(existing)?.starts_with(real(root)?) {
        return Err(outside(&path));
    }
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))
}

/// Replaces a file's text, whole or not at all, provided it still has the text `expected`. Its permissions stay, and a link
/// stays a link.
///
/// # Errors
/// Of kind `conflict` when the text is another one by now; else what the disk says.
pub fn replace_file(path: &Path, expected: &str, text: &str) -> Result<(), Error> {
    let path = path.canonicalize().map_err(|error| failed(path, &error))?;
    let metadata = std::fs::metadata(&path).map_err(|error| failed(&path, &error))?;
    if metadata.permissions().readonly() {
        return Err(Error::new(ErrorKind::Config, format!("{} is read-only.", path.display())));
    }
    let folder = path.parent().unwrap_or(&path);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&path, &error))?;
    file.write_all(text.as_bytes()).map_err(|error| failed(&path, &error))?;
    std::fs::set_permissions(file.path(), metadata.permissions()).map_err(|error| failed(&path, &error))?;
    if content::read_text(&path)? != expected {
        return Err(Error::new(ErrorKind::Conflict, format!("{} was changed meanwhile.", path.display())));
    }
    file.persist(&path).map_err(|error| failed(&path, &error.error))?;
    Ok(())
}

fn outside(path: &Path) -> Error {
    Error::new(ErrorKind::Excluded, format!("{} is not in the workspace.", path.display()))
        .hint("Aside creates files below the workspace folder only, and follows no link out of it.")
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Config, format!("{} could not be written: {error}.", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creates_below_the_root_and_never_overwrites() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("tests/deep/test_a.py");
        create_file(&path, root.path(), "one\n").expect("it is new");
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "one\n");
        assert!(create_file(&path, root.path(), "two\n").is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "one\n");
        let out = create_file(&root.path().join("../escaped.py"), root.path(), "");
        assert_eq!(out.expect_err("it is outside").kind, ErrorKind::Excluded);
    }

    #[test]
    fn replaces_only_the_expected_text() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("a.py");
        std::fs::write(&path, "one\n").expect("it is written");
        replace_file(&path, "one\n", "two\n").expect("it is as expected");
        let error = replace_file(&path, "one\n", "three\n").expect_err("it was changed");
        assert_eq!(error.kind, ErrorKind::Conflict);
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "two\n");
    }

    #[cfg(unix)]
    #[test]
    fn follows_no_link_out_of_the_root() {
        let root = tempfile::tempdir().expect("a folder");
        let elsewhere = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join("tests")).expect("a link");
        let out = create_file(&root.path().join("tests/new/test_a.py"), root.path(), "");
        assert_eq!(out.expect_err("the link leads out").kind, ErrorKind::Excluded);
        assert!(!elsewhere.path().join("new").exists());
    }
}
