//! Which files a batch is about: what the user names, as far as it may be read and the action makes sense in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::actions::Action;
use crate::error::{Error, ErrorKind};
use crate::workspace::access::Access;
use crate::workspace::roots::{normalized, relative};
use crate::workspace::{language, walk};

/// What was named.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Files to work on, by path.
    pub files: Vec<PathBuf>,
    /// What was named and is not worked on.
    pub left_out: Vec<LeftOut>,
}

/// Something that is not worked on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// Its path below the root, or as it was named.
    pub path: String,
    /// The item's name, when it is an item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Why.
    pub reason: String,
}

impl LeftOut {
    pub(super) fn file(path: String, reason: impl Into<String>) -> Self {
        Self { path, item: None, reason: reason.into() }
    }
}

/// The files that `names` mean: files, folders, and patterns as `src/**/*.py`, all of them from `folder` on.
///
/// # Errors
/// Of kind `config` when a name means nothing at all, and of kind `excluded` when nothing of what is named may be sent.
pub fn find(names: &[String], folder: &Path, root: &Path, exclude: &[String], action: &Action) -> Result<Found, Error> {
    let access = Access::new(root, exclude);
    let mut files = BTreeSet::new();
    let mut left_out = Vec::new();
    for name in names {
        let path = normalized(&folder.join(name));
        if path.is_file() {
            match objection(&path, root, &access, action) {
                None => drop(files.insert(path)),
                Some(reason) => left_out.push(LeftOut::file(shown(&path, root, name), reason)),
            }
            continue;
        }
        let (base, pattern) = if path.is_dir() { (path, None) } else { pattern(name, folder)? };
        let before = files.len();
        let mut seen = 0;
        for path in walk(&base) {
            if pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&path)) {
                continue;
            }
            seen += 1;
            // What a pattern takes along without being meant needs no word; what may not be read does.
            if !action.applies_in(language::by_path(&path)) {
                continue;
            }
            match objection(&path, root, &access, action) {
                None => drop(files.insert(path)),
                Some(reason) => left_out.push(LeftOut::file(shown(&path, root, name), reason)),
            }
        }
        if files.len() == before && seen == 0 {
            return Err(Error::new(ErrorKind::Config, format!("No file matches `{name}`."))
                .hint("Ignored and hidden files do not count; `**` stands for any folders."));
        }
    }
    if files.is_empty() {
        return Err(match left_out.first() {
            Some(first) => {
                Error::new(ErrorKind::Excluded, format!("Nothing is left: {} {}.", first.path, first.reason))
            }
            None => Error::new(ErrorKind::Config, format!("`{}` makes no sense in any of these files.", action.id)),
        });
    }
    Ok(Found { files: files.into_iter().collect(), left_out })
}

/// Why a file is not worked on.
fn objection(path: &Path, root: &Path, access: &Access, action: &Action) -> Option<String> {
    if !path.starts_with(normalized(root)) {
        return Some("is not in the workspace".to_owned());
    }
    if !access.may_read(path) {
        return Some(
            "is excluded (`privacy.exclude`, .gitignore or .aside/ignore), or holds keys by custom".to_owned(),
        );
    }
    let language = language::by_path(path);
    (!action.applies_in(language)).then(|| format!("is {}, where `{}` makes no sense", language.name, action.id))
}

fn shown(path: &Path, root: &Path, name: &str) -> String {
    if path.starts_with(normalized(root)) { relative(path, root) } else { name.to_owned() }
}

/// Files below a folder that are neither hidden nor ignored, by path.
fn walk(base: &Path) -> impl Iterator<Item = PathBuf> {
    let mut builder = walk::walk(base, |_| true);
    builder.follow_links(false).sort_by_file_path(Path::cmp);
    // What cannot be read is not there.
    let entries = builder.build().filter_map(Result::ok);
    entries.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file())).map(ignore::DirEntry::into_path)
}

/// The folder that a pattern begins in, and the pattern.
fn pattern(name: &str, folder: &Path) -> Result<(PathBuf, Option<GlobMatcher>), Error> {
    let special = |part: &str| part.contains(['*', '?', '[', '{']);
    if !special(name) {
        return Err(Error::new(ErrorKind::Config, format!("There is no `{name}`."))
            .hint("Name files, folders, or patterns in quotes, such as 'src/**/*.py'."));
    }
    let plain: PathBuf =
        Path::new(name).iter().take_while(|part| part.to_str().is_none_or(|part| !special(part))).collect();
    let base = normalized(&folder.join(plain));
    if !base.is_dir() {
        return Err(Error::new(
            ErrorKind::Config,
            format!("No file matches `{name}`: there is no {}.", base.display()),
        ));
    }
    let whole = normalized(&folder.join(name));
    let wrong = |why: String| Error::new(ErrorKind::Config, format!("`{name}` is no pattern for files: {why}."));
    let whole = whole.to_str().ok_or_else(|| wrong("it is no text".to_owned()))?;
    // The folder's own name may have signs that mean something in a pattern.
    let base_text = base.to_str().ok_or_else(|| wrong("its folder's name is no text".to_owned()))?;
    let rest = whole.strip_prefix(base_text).unwrap_or(whole);
    let pattern = format!("{}{rest}", globset::escape(base_text));
    let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
    let glob = glob.map_err(|error| wrong(error.kind().to_string()))?;
    Ok((base, Some(glob.compile_matcher())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions;

    fn workspace(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, if file.ends_with("ignore") { "build/\n" } else { "text" }).unwrap();
        }
        folder
    }

    fn found(root: &Path, folder: &str, names: &[&str], exclude: &[&str]) -> Result<(Vec<String>, Vec<String>), Error> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let exclude: Vec<String> = exclude.iter().map(|name| (*name).to_owned()).collect();
        let action = actions::find("document").unwrap();
        let found = find(&names, &root.join(folder), root, &exclude, action)?;
        let files = found.files.iter().map(|file| relative(file, root)).collect();
        Ok((files, found.left_out.into_iter().map(|out| out.path).collect()))
    }

    const FILES: &[&str] = &[
        ".gitignore",
        "src/a.py",
        "src/deep/b.py",
        "src/deep/c.js",
        "src/notes.txt",
        "src/secret.py",
        "build/gen.py",
        "od[d]/x.py",
        ".hidden/y.py",
    ];

    #[test]
    fn names_folders_and_patterns() {
        let folder = workspace(FILES);
        let root = folder.path();
        for (from, names, expected) in [
            ("", &["src/a.py"][..], &["src/a.py"][..]),
            ("", &["src/**/*.py"], &["src/a.py", "src/deep/b.py", "src/secret.py"]),
            ("", &["src/*.py"], &["src/a.py", "src/secret.py"]),
            ("", &["src"], &["src/a.py", "src/deep/b.py", "src/deep/c.js", "src/secret.py"]),
            ("src", &["*.py", "a.py", "deep"], &["src/a.py", "src/deep/b.py", "src/deep/c.js", "src/secret.py"]),
            ("src/deep", &["../*.py"], &["src/a.py", "src/secret.py"]),
            ("od[d]", &["*.py"], &["od[d]/x.py"]),
            ("", &["src/**/*.{js,ts}"], &["src/deep/c.js"]),
        ] {
            assert_eq!(found(root, from, names, &[]).unwrap().0, expected, "{names:?} from {from:?}");
        }
    }

    #[test]
    fn what_may_not_be_sent_is_left_out_with_a_word() {
        let folder = workspace(FILES);
        let root = folder.path();
        let (files, left_out) =
            found(root, "", &["src/**/*.py", "build/gen.py", "src/notes.txt"], &["secret.py"]).unwrap();
        assert_eq!(files, ["src/a.py", "src/deep/b.py"]);
        assert_eq!(left_out, ["src/secret.py", "build/gen.py", "src/notes.txt"]);
        let outside = tempfile::NamedTempFile::with_suffix(".py").unwrap();
        let outside = outside.path().to_str().unwrap();
        assert_eq!(found(root, "", &["src/a.py", outside], &[]).unwrap().1, [outside]);
        for (names, kind, word) in [
            (&["build/gen.py"][..], ErrorKind::Excluded, "excluded"),
            (&["src/notes.txt"], ErrorKind::Excluded, "makes no sense"),
            (&["none.py"], ErrorKind::Config, "no `none.py`"),
            (&["none/*.py"], ErrorKind::Config, "No file matches"),
            (&["src/*.rs"], ErrorKind::Config, "No file matches"),
            (&["src/*.txt"], ErrorKind::Config, "makes no sense"),
            (&["src/[a.py"], ErrorKind::Config, "no pattern"),
        ] {
            let error = found(root, "", names, &[]).unwrap_err();
            assert!(error.kind == kind && error.message.contains(word), "{names:?}: {error}");
        }
    }
}
