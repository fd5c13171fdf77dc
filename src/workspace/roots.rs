//! Which folder a file belongs to, and what the file is called in it.

use std::path::{Component, Path, PathBuf};

/// Files and folders that mark the top of a project, beside `.git`.
const MARKERS: &[&str] = &[
    ".git",
    ".hg",
    ".jj",
    ".svn",
    ".aside",
    "Cargo.toml",
    "package.json",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
    "Gemfile",
    "composer.json",
    "mix.exs",
    "Package.swift",
    "CMakeLists.txt",
    "deno.json",
    "meson.build",
    "Makefile",
];

/// The folders that an editor has open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    folders: Vec<PathBuf>,
}

impl Roots {
    /// These folders.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { folders: folders.into_iter().map(|folder| normalized(&folder)).collect() }
    }

    /// Adds and removes folders, as an editor does at any time.
    pub fn change(&mut self, added: impl IntoIterator<Item = PathBuf>, removed: &[PathBuf]) {
        let removed: Vec<_> = removed.iter().map(|folder| normalized(folder)).collect();
        self.folders.retain(|folder| !removed.contains(folder));
        for folder in added {
            let folder = normalized(&folder);
            if !self.folders.contains(&folder) {
                self.folders.push(folder);
            }
        }
    }

    /// The folders, in the editor's order.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The innermost open folder that `file` is in.
    pub fn nearest(&self, file: &Path) -> Option<&Path> {
        let file = normalized(file);
        let holding = self.folders.iter().filter(|folder| file.starts_with(folder));
        holding.max_by_key(|folder| folder.components().count()).map(PathBuf::as_path)
    }

    /// The root of `file`: the innermost open folder that it is in, else the project that it is in on disk.
    pub fn root_of(&self, file: &Path) -> Option<PathBuf> {
        self.nearest(file).map(Path::to_owned).or_else(|| project_root(file))
    }

    /// What to call `file`: its path below its root, with `/` on every system; its name if it is in no folder.
    pub fn name_of(&self, file: &Path) -> String {
        match self.root_of(file) {
            Some(root) => relative(file, &root),
            None => relative(file, Path::new("")),
        }
    }
}

/// The path of `file` below `root`, with `/` on every system. A file that is not below `root` is called by its name
/// alone, so that no path of the machine gets out.
pub fn relative(file: &Path, root: &Path) -> String {
    let (file, root) = (normalized(file), normalized(root));
    let below = if root.as_os_str().is_empty() { None } else { file.strip_prefix(&root).ok() };
    match below {
        Some(below) => {
            let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            parts.join("/")
        }
        None => file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    }
}

/// The project that a lone file belongs to: the nearest folder above it with `.git`, else the nearest with a manifest,
/// else its own folder. `None` for a path without a folder.
pub fn project_root(file: &Path) -> Option<PathBuf> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    let marked = |markers: &[&str]| {
        let mut folders = folder.ancestors().filter(|folder| !folder.as_os_str().is_empty());
        folders.find(|folder| markers.iter().any(|marker| folder.join(marker).exists())).map(Path::to_owned)
    };
    Some(marked(&MARKERS[..1]).or_else(|| marked(&MARKERS[1..])).unwrap_or_else(|| folder.to_owned()))
}

/// A path without `.` and `..`, by its words alone: files that do not exist yet have paths too.
pub fn normalized(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir if out.has_root() => {}
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_several_folders_counts() {
        let roots = Roots::new(["/w", "/w/packages/a", "/other/"].map(PathBuf::from));
        let nearest = |file: &str| roots.nearest(Path::new(file)).map(|root| root.to_str().unwrap().to_owned());
        assert_eq!(nearest("/w/packages/a/x.py").as_deref(), Some("/w/packages/a"));
        assert_eq!(nearest("/w/packages/ab/x.py").as_deref(), Some("/w"));
        assert_eq!(nearest("/other/x.py").as_deref(), Some("/other"));
        assert_eq!(nearest("/w/packages/a/../b.py").as_deref(), Some("/w"));
        assert_eq!(nearest("/elsewhere/x.py"), None);
    }

    #[test]
    fn folders_come_and_go() {
        let mut roots = Roots::new([PathBuf::from("/a")]);
        roots.change([PathBuf::from("/b"), PathBuf::from("/b/")], &[PathBuf::from("/a/.")]);
        assert_eq!(roots.folders(), [PathBuf::from("/b")]);
    }

    #[test]
    fn a_file_is_called_by_its_path_below_the_root() {
        let name = |file: &str, root: &str| relative(Path::new(file), Path::new(root));
        assert_eq!(name("/w/src/ä b.py", "/w"), "src/ä b.py");
        assert_eq!(name("/w/./src/../a.py", "/w/"), "a.py");
        assert_eq!(name("/home/me/secret/a.py", "/w"), "a.py");
        assert_eq!(name("a.py", ""), "a.py");
    }

    #[test]
    fn a_lone_file_belongs_to_the_project_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path();
        std::fs::create_dir_all(top.join("repo/.git")).unwrap();
        std::fs::create_dir_all(top.join("repo/inner/src")).unwrap();
        std::fs::create_dir_all(top.join("lone")).unwrap();
        std::fs::write(top.join("repo/inner/package.json"), "{}").unwrap();
        assert_eq!(project_root(&top.join("repo/inner/src/a.js")), Some(top.join("repo")));
        std::fs::remove_dir(top.join("repo/.git")).unwrap();
        assert_eq!(project_root(&top.join("repo/inner/src/a.js")), Some(top.join("repo/inner")));
        assert_eq!(project_root(Path::new("a.js")), None);
        assert_eq!(Roots::new([top.join("lone")]).name_of(&top.join("repo/inner/src/a.js")), "src/a.js");
    }
}
