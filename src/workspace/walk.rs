//! Going through folders by what their ignore files say, as long as these are files.
//!
//! A repository can bring a link such as `.gitignore -> /dev/zero`, and an archive a pipe of that name. Reading the one fills the
//! memory, opening the other waits for ever.

use std::fs;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use super::access::is_of_system;

/// What a folder's ignore files are called.
const IGNORE_FILES: &[&str] = &[".gitignore", ".ignore"];

/// No ignore file is this large; what is, is not read.
const MAX_BYTES: u64 = 1024 * 1024;

/// A walk through a folder, of the entries that `wanted` lets through. A folder below it whose ignore files cannot be read is left
/// out; if its own cannot, none count.
pub fn walk(folder: &Path, wanted: impl Fn(&DirEntry) -> bool + Send + Sync + 'static) -> WalkBuilder {
    let mut builder = WalkBuilder::new(folder);
    builder.require_git(false);
    if !can_be_read(folder) {
        builder.ignore(false).git_ignore(false).git_exclude(false).parents(false);
    } else if !folder.ancestors().skip(1).all(can_be_read) {
        builder.parents(false);
    }
    builder.filter_entry(move |entry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let is_open = |path: &Path| !is_of_system(path) && can_be_read(path);
        wanted(entry) && (!is_folder || is_open(entry.path()))
    });
    builder
}

/// Whether a folder's ignore files, as far as there are any, are files.
fn can_be_read(folder: &Path) -> bool {
    let git = folder.join(".git");
    let exclude = if git.is_file() { exclude_of_worktree(&git) } else { Some(git.join("info/exclude")) };
    let own = IGNORE_FILES.iter().map(|name| folder.join(name)).chain(exclude);
    is_harmless(&git) && own.into_iter().all(|file| is_harmless(&file))
}

/// The exclude file that the `.git` file of a worktree leads to.
fn exclude_of_worktree(git: &Path) -> Option<PathBuf> {
    let first_line = |file: &Path| {
        let text = if file.is_file() && is_harmless(file) { fs::read_to_string(file).ok()? } else { return None };
        text.lines().next().map(str::to_owned)
    };
    let folder = PathBuf::from(first_line(git)?.strip_prefix("gitdir: ")?);
    let common = folder.join("commondir");
    if !is_harmless(&common) {
        // Any pipe or device will do: it is what says no.
        return Some(common);
    }
    Some(folder.join(first_line(&common)?).join("info/exclude"))
}

/// Whether opening and reading what is here ends, if there is anything.
fn is_harmless(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |it| it.is_dir() || it.is_file() && it.len() <= MAX_BYTES)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    fn pipe(path: &Path) {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    fn walked(folder: &Path) -> Vec<String> {
        let mut builder = walk(folder, |_| true);
        builder.parents(false).git_global(false).sort_by_file_path(Ord::cmp);
        let entries = builder.build().flatten().filter(|entry| entry.depth() > 0);
        entries.map(|entry| entry.path().strip_prefix(folder).unwrap().display().to_string()).collect()
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a.py", "sub/b.py", "sub/c.log", "other/d.py"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn ignore_files_count() {
        let folder = folder();
        fs::write(folder.path().join(".gitignore"), "*.log\n").unwrap();
        fs::create_dir_all(folder.path().join(".git/info")).unwrap();
        fs::write(folder.path().join(".git/info/exclude"), "other/\n").unwrap();
        assert_eq!(walked(folder.path()), ["a.py", "sub", "sub/b.py"]);
    }

    #[test]
    fn pipes_and_devices_are_no_ignore_files() {
        for name in [".gitignore", ".ignore"] {
            for make in [|path: &Path| pipe(path), |path: &Path| symlink("/dev/zero", path).unwrap()] {
                let below = folder();
                make(&below.path().join("sub").join(name));
                assert_eq!(walked(below.path()), ["a.py", "other", "other/d.py"], "{name}");
                let top = folder();
                make(&top.path().join(name));
                assert_eq!(walked(top.path()).len(), 6, "{name}");
            }
        }
        let excluded = folder();
        fs::create_dir_all(excluded.path().join("sub/.git/info")).unwrap();
        pipe(&excluded.path().join("sub/.git/info/exclude"));
        assert_eq!(walked(excluded.path()), ["a.py", "other", "other/d.py"]);
    }

    #[test]
    fn a_worktree_leads_to_no_pipe_either() {
        let folder = folder();
        let git = folder.path().join("far");
        fs::create_dir_all(&git).unwrap();
        fs::write(folder.path().join("sub/.git"), format!("gitdir: {}\n", git.display())).unwrap();
        assert_eq!(walked(folder.path()).len(), 7, "the folder of git is not there");
        fs::write(git.join("commondir"), ".\n").unwrap();
        fs::create_dir(git.join("info")).unwrap();
        symlink("/dev/zero", git.join("info/exclude")).unwrap();
        assert!(!walked(folder.path()).iter().any(|path| path.starts_with("sub")));
        fs::remove_file(git.join("commondir")).unwrap();
        pipe(&git.join("commondir"));
        assert!(!walked(folder.path()).iter().any(|path| path.starts_with("sub")));
    }
}
