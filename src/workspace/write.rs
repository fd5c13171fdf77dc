//! Files written so that nothing is lost and nothing is let in: below the workspace only, through no link out of it, never
//! something that runs, and existing ones whole or not at all.
//!
//! Between a look at a path and the use of it anybody may put a link there. So on Unix the way from the workspace folder to
//! a file is gone folder by folder, each opened within the one before and none through a link; what was looked at is then
//! what is written to. Elsewhere the place is looked at again behind the writing.

#[cfg(unix)]
#[path = "write/unix.rs"]
mod place;
#[cfg(not(unix))]
#[path = "write/other.rs"]
mod place;
#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use self::place::Folder;
use super::content;
use super::protected::protects;
use super::roots::normalized;
use crate::error::{Error, ErrorKind};

/// Whether an answer may be written to a file: it is below `root`, through no link out of it, nothing that runs or is obeyed
/// by itself, and not another thing than a file.
///
/// # Errors
/// Of kind `excluded`, with the reason; nothing was touched.
pub fn guard(path: &Path, root: &Path) -> Result<(), Error> {
    real(path, root).map(drop)
}

/// Creates a file with this text, and the folders it needs below `root`. It cannot be executed.
///
/// # Errors
/// As for [`guard`]; a file is there already; or the disk will not have it.
pub fn create_file(path: &Path, root: &Path, text: &str) -> Result<(), Error> {
    let real = real(path, root)?;
    let failed = |error: std::io::Error| failed(path, &error);
    let folder = real.folder(true).map_err(failed)?;
    let mut file = folder.create(&real.name).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    folder.check(&real.name, &real.root).map_err(failed)
}

/// Creates the folders that a new file needs, below `root`.
///
/// # Errors
/// As for [`create_file`].
pub fn create_folder(path: &Path, root: &Path) -> Result<(), Error> {
    real(path, root)?.folder(true).map(drop).map_err(|error| failed(path, &error))
}

/// Replaces the text of a file below `root`, whole or not at all, provided it still has the text `expected`. Its permissions
/// stay, and a link within the workspace stays a link.
///
/// # Errors
/// As for [`guard`]; of kind `conflict` when the text is another one by now; else what the disk says.
pub fn replace_below(path: &Path, root: &Path, expected: &str, text: &str) -> Result<(), Error> {
    let real = real(path, root)?;
    let failed = |error: std::io::Error| failed(path, &error);
    let folder = real.folder(false).map_err(failed)?;
    folder.replace(&real.name, expected, text).map_err(failed)?.then_some(()).ok_or_else(|| changed(path))
}

/// Replaces the text of a file that the user named, wherever it is; else as [`replace_below`].
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
        return Err(changed(&path));
    }
    file.persist(&path).map_err(|error| failed(&path, &error.error))?;
    Ok(())
}

/// Where a file really is.
struct Real {
    /// The workspace folder, without links.
    root: PathBuf,
    /// The folders from there to the file, without links; not all of them need to be there.
    folders: PathBuf,
    name: std::ffi::OsString,
}

impl Real {
    fn folder(&self, create: bool) -> std::io::Result<Folder> {
        self.folders.iter().try_fold(Folder::open(&self.root)?, |folder, name| folder.enter(name, create))
    }
}

/// Looks where a path leads, and whether an answer may go there.
fn real(path: &Path, root: &Path) -> Result<Real, Error> {
    let (path, root) = (normalized(path), normalized(root));
    let below = path.strip_prefix(&root).map_err(|_| outside(&path))?;
    refuse(&path, below)?;
    let canonical = |path: &Path| path.canonicalize().map_err(|error| failed(path, &error));
    let real_root = canonical(&root)?;
    // What is there of the way decides where it really leads. A link that leads nowhere is there, too.
    let there = path.ancestors().find(|ancestor| ancestor.symlink_metadata().is_ok()).unwrap_or(&root);
    let missing = path.strip_prefix(there).unwrap_or(Path::new(""));
    if there.is_symlink() && !there.exists() {
        return Err(excluded(&path, "a link on its way leads nowhere"));
    }
    let real = canonical(there)?;
    // Joining nothing would leave a slash behind that makes a folder of it.
    let file = if missing.as_os_str().is_empty() { real } else { real.join(missing) };
    let below = file.strip_prefix(&real_root).map_err(|_| outside(&path))?;
    refuse(&path, below)?;
    let (Some(name), Some(folders)) = (below.file_name(), below.parent()) else { return Err(outside(&path)) };
    if missing.as_os_str().is_empty() {
        let metadata = std::fs::metadata(&file).map_err(|error| failed(&path, &error))?;
        if !metadata.is_file() {
            return Err(excluded(&path, "it is not a file"));
        }
        if place::is_executable(&metadata) && content::read_text(&file)?.starts_with("#!") {
            return Err(excluded(&path, "it is a script that can be executed"));
        }
    }
    Ok(Real { name: name.to_owned(), folders: folders.to_owned(), root: real_root })
}

fn refuse(path: &Path, below: &Path) -> Result<(), Error> {
    match protects(below) {
        Some(what) => Err(excluded(path, &format!("it belongs to {what}"))),
        None => Ok(()),
    }
}

fn excluded(path: &Path, reason: &str) -> Error {
    Error::new(ErrorKind::Excluded, format!("{} is not written to: {reason}.", path.display()))
        .hint("An answer goes into the selection or into a test file, and nowhere where something runs it unasked.")
}

fn outside(path: &Path) -> Error {
    Error::new(ErrorKind::Excluded, format!("{} is not in the workspace.", path.display()))
        .hint("Aside creates files below the workspace folder only, and follows no link out of it.")
}

fn changed(path: &Path) -> Error {
    Error::new(ErrorKind::Conflict, format!("{} was changed meanwhile.", path.display()))
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Config, format!("{} could not be written: {error}.", path.display()))
}
