//! Where the tests of a source file go.

mod dotnet;
mod imports;
mod project;
mod rust;
mod table;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use project::Project;
use table::{CONVENTIONS, Convention, Folder, OTHER, Place, TEST_FOLDERS};

use super::language::Language;
use super::roots;

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

/// Where the tests of `source` go: by the project's manifests and the tests that it has, else by the custom of the
/// language. Never outside of `root`; without one, never outside of the project that the manifests tell.
///
/// In `import_hint`, `NAME` stands for what a test imports.
pub fn test_place(source: &Path, language: &Language, root: Option<&Path>, files: &dyn Files) -> TestPlace {
    let family = language.family();
    let project = Project::new(source, family, root, files);
    if project::is_test(&project.source, &project.top) {
        return own(&project, family);
    }
    let convention = convention(&project, family);
    let special = match family {
        "rust" => Some(rust::place(&project)),
        "csharp" => dotnet::place(&project, convention.framework),
        _ => None,
    };
    if let Some(place) = special {
        return place;
    }
    let path = path(&project, convention);
    let import_hint = imports::hint(&project, family, convention.framework, &path);
    TestPlace { exists: files.exists(&path), path, framework: convention.framework, inline: false, import_hint }
}

/// The tests of the project that `source` is in, the nearest first, without `source` itself.
pub fn nearest_tests(source: &Path, language: &Language, root: Option<&Path>, files: &dyn Files) -> Vec<PathBuf> {
    let project = Project::new(source, language.family(), root, files);
    project.tests().iter().filter(|test| **test != project.source).cloned().collect()
}

/// A source that is a test already: more tests go into it.
fn own(project: &Project<'_>, family: &str) -> TestPlace {
    let framework = if family == "rust" { "cargo test" } else { convention(project, family).framework };
    TestPlace {
        path: project.source.clone(),
        exists: true,
        framework,
        inline: false,
        import_hint: "The file is a test file already; it imports what it needs.".to_owned(),
    }
}

fn convention(project: &Project<'_>, family: &str) -> &'static Convention {
    let mut of = CONVENTIONS.iter().filter(|row| row.languages.contains(&family)).peekable();
    if of.peek().is_none() {
        return &OTHER;
    }
    let mut last = &OTHER;
    for row in of {
        if project.shows(row) {
            return row;
        }
        last = row;
    }
    last
}

/// The test file that is there, else one as the project's other tests are, else one by custom.
fn path(project: &Project<'_>, convention: &Convention) -> PathBuf {
    let candidates: Vec<_> =
        convention.places.iter().filter_map(|place| Some((place, candidate(project, place)?))).collect();
    if let Some((_, path)) = candidates.iter().find(|(_, path)| project.files.exists(path)) {
        return path.clone();
    }
    let used = |place: &Place| project.tests().iter().filter(|test| fits(project, place, test)).count();
    // Of two that are used as much, the narrower: `tests/Unit` says more than `tests`.
    let most = candidates.iter().rev().max_by_key(|(place, _)| (used(place), depth(place)));
    if let Some((_, path)) = most.filter(|(place, _)| used(place) > 0) {
        return path.clone();
    }
    let beside = candidates.iter().find(|(place, _)| matches!(place.folder, Folder::Beside));
    // Where no manifest says whose `tests` it is, it may be another language's.
    let is_ours = |folder: &Path| {
        let names = project.files.list(folder);
        let other = |name: &String| Path::new(name).extension().is_some_and(|ending| *ending != *project.extension());
        project.files.exists(folder) && (project.has_manifest || !names.iter().any(other))
    };
    let is_there = |place: &Place| match place.folder {
        Folder::Mirror(top) | Folder::Flat(top) => is_ours(&project.top.join(top)),
        _ => false,
    };
    let there = candidates.iter().rev().filter(|(place, _)| is_there(place)).max_by_key(|(place, _)| depth(place));
    // A folder for tests is there or there is a project to make one in; a lone file gets its tests beside it.
    let by_custom = if project.has_manifest { candidates.first() } else { beside };
    match there.or(by_custom).or(candidates.first()) {
        Some((_, path)) => path.clone(),
        None => project.source.with_file_name(format!("{}_test.{}", project.stem(), project.extension())),
    }
}

/// How many folders a place names.
fn depth(place: &Place) -> usize {
    match place.folder {
        Folder::Mirror(top) | Folder::Flat(top) => Path::new(top).components().count(),
        _ => 0,
    }
}

/// The path that a place means for the source; `None` if it has none, or one outside of the root.
fn candidate(project: &Project<'_>, place: &Place) -> Option<PathBuf> {
    let name = named(place.file, &project.stem(), &project.extension());
    let folder = match place.folder {
        Folder::Beside => project.folder().to_owned(),
        Folder::Within(inner) => project.folder().join(inner),
        Folder::Mirror(top) => project.top.join(top).join(project.below()),
        Folder::Flat(top) => project.top.join(top),
        Folder::Swap(from, to) => {
            let below = project.folder().strip_prefix(&project.top).ok()?;
            project.top.join(to).join(below.strip_prefix(from).ok()?)
        }
    };
    let path = roots::normalized(&folder.join(name));
    (path.starts_with(&project.root) && path != project.source).then_some(path)
}

/// Whether a test that is there is where a place would put it.
fn fits(project: &Project<'_>, place: &Place, test: &Path) -> bool {
    let Some(name) = test.file_name().and_then(|name| name.to_str()) else { return false };
    let (before, after) =
        place.file.split_once("{stem}").or_else(|| place.file.split_once("{Stem}")).unwrap_or_default();
    let after = after.replace("{ext}", &project.extension());
    if !(name.starts_with(before) && name.ends_with(&after) && name.len() > before.len() + after.len()) {
        return false;
    }
    let below = test.parent().and_then(|folder| folder.strip_prefix(&project.top).ok()).unwrap_or(Path::new(""));
    let is_for_tests = |part: std::path::Component<'_>| TEST_FOLDERS.iter().any(|name| part.as_os_str() == *name);
    match place.folder {
        Folder::Beside => !below.components().any(is_for_tests),
        Folder::Within(inner) => below.ends_with(inner) && below != Path::new(inner),
        // A test right at the top fits a flat folder; with folders in between it is a mirror.
        Folder::Mirror(top) => below
            .strip_prefix(top)
            .is_ok_and(|rest| !rest.as_os_str().is_empty() || project.below().as_os_str().is_empty()),
        Folder::Flat(top) => below == Path::new(top),
        Folder::Swap(_, to) => below.starts_with(to),
    }
}

fn named(pattern: &str, stem: &str, extension: &str) -> String {
    let mut letters = stem.chars();
    let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    pattern.replace("{stem}", stem).replace("{Stem}", &capital).replace("{ext}", extension)
}
