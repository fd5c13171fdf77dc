//! Where the tests of a source file go.

use std::path::{Path, PathBuf};

use super::language::Language;

/// Where the tests of a source file go, and by what framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestPlace {
    /// The test file; the source file itself if `inline`.
    pub path: PathBuf,
    /// Whether the file is there already.
    pub exists: bool,
    /// The framework's name, such as `pytest`.
    pub framework: &'static str,
    /// Whether the tests are a module of the source file (Rust's `#[cfg(test)]`).
    pub inline: bool,
    /// How the tests get at the source: an import in code, or a sentence where there is nothing to import.
    pub import_hint: String,
}

/// The files of a project, as far as finding a place for tests needs them.
pub trait Files {
    /// Whether there is a file or folder.
    fn exists(&self, path: &Path) -> bool;
    /// A file's text; `None` if there is none or it is not text.
    fn read_to_string(&self, path: &Path) -> Option<String>;
    /// The names of what is in a folder; empty if there is no folder.
    fn list(&self, folder: &Path) -> Vec<String>;
}

/// The files on disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFiles;

impl Files for RealFiles {
    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn read_to_string(&self, path: &Path) -> Option<String> {
        super::content::read_text(path).ok()
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut names: Vec<_> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        names
    }
}

/// Where the tests of `source` go.
pub fn test_place(source: &Path, _language: &Language, _root: Option<&Path>, files: &dyn Files) -> TestPlace {
    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    let extension = source.extension().unwrap_or_default().to_string_lossy();
    let path = source.with_file_name(format!("{stem}_test.{extension}"));
    let exists = files.exists(&path);
    TestPlace { path, exists, framework: "tests", inline: false, import_hint: String::new() }
}
