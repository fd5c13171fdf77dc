//! The project around a source file, as far as it tells where tests go.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use super::Files;
use super::table::{Convention, MANIFESTS, SOURCE_FOLDERS, Sign};
use crate::workspace::roots::normalized;

/// Folders in which nobody writes tests.
const SKIPPED: &[&str] = &[
    "node_modules",
    "target",
    "vendor",
    "dist",
    "build",
    "out",
    "venv",
    "__pycache__",
    "bin",
    "obj",
    "_build",
    "deps",
];

/// How many folders and files are looked at, so that a huge repository does not take long.
const MAX_FOLDERS: usize = 400;
const MAX_FILES: usize = 4000;

/// A source file and its surroundings.
pub(super) struct Project<'a> {
    pub(super) source: PathBuf,
    /// Nothing is ever placed outside of this.
    pub(super) root: PathBuf,
    /// The nearest folder with a manifest of the language, else the root.
    pub(super) top: PathBuf,
    /// Whether there is such a manifest.
    pub(super) has_manifest: bool,
    pub(super) files: &'a dyn Files,
    tests: OnceCell<Vec<PathBuf>>,
}

impl<'a> Project<'a> {
    pub(super) fn new(source: &Path, family: &str, root: Option<&Path>, files: &'a dyn Files) -> Self {
        let source = normalized(source);
        let folder = source.parent().unwrap_or(Path::new("")).to_owned();
        let root = root.map(normalized).filter(|root| source.starts_with(root) && *root != source);
        let manifests = MANIFESTS.iter().find(|(of, _)| *of == family).map_or(&[][..], |(_, names)| names);
        let holds = |folder: &Path| manifests.iter().any(|name| !matching(files, folder, name).is_empty());
        let top = match &root {
            Some(root) => folder.ancestors().take_while(|folder| folder.starts_with(root)).find(|folder| holds(folder)),
            // Without a root, the project is what its manifest says it is.
            None => folder.ancestors().filter(|folder| !folder.as_os_str().is_empty()).find(|folder| holds(folder)),
        };
        let has_manifest = top.is_some();
        let root = root.unwrap_or_else(|| top.unwrap_or(&folder).to_owned());
        let top = top.map_or_else(|| root.clone(), Path::to_owned);
        Self { source, root, top, has_manifest, files, tests: OnceCell::new() }
    }

    /// The folder of the source.
    pub(super) fn folder(&self) -> &Path {
        self.source.parent().unwrap_or(Path::new(""))
    }

    pub(super) fn stem(&self) -> String {
        self.source.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(super) fn extension(&self) -> String {
        self.source.extension().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(super) fn read(&self, path: &Path) -> Option<String> {
        self.files.read_to_string(path)
    }

    /// The texts of files of the project and of the root above it; a name that begins with `*` is an ending.
    pub(super) fn manifests(&self, name: &str) -> impl Iterator<Item = String> {
        let folders = [Some(&self.top), Some(&self.root).filter(|root| **root != self.top)];
        folders
            .into_iter()
            .flatten()
            .flat_map(move |folder| matching(self.files, folder, name))
            .filter_map(|path| self.read(&path))
    }

    /// The folders between the project's top and the source, without those that only say "sources".
    pub(super) fn below(&self) -> PathBuf {
        let below = self.folder().strip_prefix(&self.top).unwrap_or(Path::new(""));
        let first = below.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
        match first {
            Some(first) if SOURCE_FOLDERS.contains(&first.as_str()) => below.components().skip(1).collect(),
            _ => below.to_owned(),
        }
    }

    /// Whether the project tells that it uses a framework.
    pub(super) fn shows(&self, convention: &Convention) -> bool {
        convention.signs.iter().any(|sign| match sign {
            Sign::File(name) => [&self.top, &self.root].into_iter().any(|folder| self.files.exists(&folder.join(name))),
            Sign::Text(name, word) => self.manifests(name).any(|text| text.contains(word)),
            // The tests nearest to the source tell most, and a few of them are enough.
            Sign::Test(word) => {
                let extension = self.extension();
                let same = |path: &&PathBuf| path.extension().is_some_and(|other| *other == *extension);
                let mut few = self.tests().iter().filter(same).take(8);
                few.any(|path| self.read(path).is_some_and(|text| text.contains(word)))
            }
        })
    }

    /// The tests that there are, those nearest to the source first.
    pub(super) fn tests(&self) -> &[PathBuf] {
        self.tests.get_or_init(|| {
            let mut tests: Vec<_> = self.walk(&self.top).into_iter().filter(|path| is_test(path, &self.top)).collect();
            let shared =
                |path: &Path| path.components().zip(self.source.components()).take_while(|(a, b)| a == b).count();
            tests.sort_by_cached_key(|path| (std::cmp::Reverse(shared(path)), path.clone()));
            tests
        })
    }

    /// Files below `top`, breadth first, up to a limit.
    pub(super) fn walk(&self, top: &Path) -> Vec<PathBuf> {
        let mut folders = std::collections::VecDeque::from([top.to_owned()]);
        let mut out = Vec::new();
        let mut seen = 0;
        while let Some(folder) = folders.pop_front() {
            seen += 1;
            if seen > MAX_FOLDERS || out.len() > MAX_FILES {
                break;
            }
            for name in self.files.list(&folder) {
                if name.starts_with('.') || SKIPPED.contains(&name.as_str()) {
                    continue;
                }
                let path = folder.join(&name);
                // Listing a file gives nothing, so that what has no ending is tried as a folder.
                let ending = Path::new(&name).extension().is_some_and(|ending| {
                    ending.len() <= 8
                        && ending
                            .to_str()
                            .is_some_and(|ending| ending.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
                });
                if ending { out.push(path) } else { folders.push_back(path) }
            }
        }
        out
    }
}

/// The files of a folder that `name` means; a name that begins with `*` is an ending.
fn matching(files: &dyn Files, folder: &Path, name: &str) -> Vec<PathBuf> {
    match name.strip_prefix('*') {
        Some(ending) => {
            let names = files.list(folder);
            names.into_iter().filter(|name| name.ends_with(ending)).map(|name| folder.join(name)).collect()
        }
        None => Some(folder.join(name)).filter(|path| files.exists(path)).into_iter().collect(),
    }
}

/// Whether a path is that of a test, by its name or by its folder.
pub(super) fn is_test(path: &Path, top: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
    let by_name = match extension.as_str() {
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" => {
            matches!(stem.rsplit_once('.'), Some((_, "test" | "spec")))
        }
        "java" | "kt" | "php" | "cs" | "swift" | "scala" => {
            ["Test", "Tests", "Spec", "Suite"].iter().any(|end| stem.ends_with(end)) && stem.len() > 5
                || stem.starts_with("Test") && stem.len() > 4 && extension == "java"
        }
        "rs" => false,
        "bats" => true,
        _ => stem.starts_with("test_") || stem.ends_with("_test") || stem.ends_with("_spec"),
    };
    let below = path.strip_prefix(top).unwrap_or(path);
    let folders: Vec<_> = below
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let first = folders.first().map(String::as_str);
    let by_folder = match extension.as_str() {
        "rs" => first == Some("tests") && folders.len() == 1,
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" => {
            first == Some("test") || folders.iter().any(|folder| folder == "__tests__")
        }
        _ => false,
    };
    by_name || by_folder
}
