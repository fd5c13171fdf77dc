//! Paths through a crate's modules, and through the crates beside it that its manifest names.

use std::path::{Path, PathBuf};

use super::Place;
use crate::workspace::references::names::Name;
use crate::workspace::references::project::{Project, Source};

pub(super) fn places(project: &Project<'_>, from: &Source, module: &str) -> Vec<Place> {
    let path: Vec<String> = module.split("::").map(str::to_owned).collect();
    resolve(project, from, &path).into_iter().collect()
}

/// A path that is written where it is used, such as `crate::store::load(…)` or `super::load(…)`.
pub(super) fn written_out(project: &Project<'_>, from: &Source, name: &Name) -> Vec<Place> {
    let [first, _, ..] = name.parts.as_slice() else { return Vec::new() };
    if !matches!(first.as_str(), "crate" | "super" | "self") && !names_a_crate(project, from, first) {
        return Vec::new();
    }
    let module = &name.parts[..name.parts.len() - 1];
    resolve(project, from, module).into_iter().collect()
}

fn names_a_crate(project: &Project<'_>, from: &Source, name: &str) -> bool {
    Crate::of(project, from.folder()).is_some_and(|own| own.named(project, name).is_some())
}

/// A crate of the project.
struct Crate {
    /// The folder of its manifest.
    folder: PathBuf,
    manifest: toml::Table,
}

impl Crate {
    /// The crate that a folder belongs to.
    fn of(project: &Project<'_>, folder: &Path) -> Option<Self> {
        let folder = project.upwards(folder).find(|folder| project.exists(&folder.join("Cargo.toml")))?;
        Self::at(project, folder)
    }

    fn at(project: &Project<'_>, folder: &Path) -> Option<Self> {
        let manifest = project.text(&folder.join("Cargo.toml"))?.parse().ok()?;
        Some(Self { folder: folder.to_owned(), manifest })
    }

    /// The crate that this one calls by a name: itself, or one whose path the manifest tells.
    fn named(&self, project: &Project<'_>, name: &str) -> Option<Self> {
        let own = |table: &str| self.manifest.get(table)?.get("name")?.as_str().map(|name| name.replace('-', "_"));
        if [own("lib"), own("package")].into_iter().flatten().any(|own| own == name) {
            return Some(Self { folder: self.folder.clone(), manifest: self.manifest.clone() });
        }
        let dependency = |manifest: &toml::Table, table: &str| -> Option<toml::Value> {
            let found = manifest.get(table)?.as_table()?.iter().find(|(key, _)| key.replace('-', "_") == name);
            found.map(|(_, value)| value.clone())
        };
        let found = ["dependencies", "dev-dependencies"].iter().find_map(|table| dependency(&self.manifest, table))?;
        if let Some(path) = found.get("path").and_then(toml::Value::as_str) {
            return Self::at(project, &self.folder.join(path));
        }
        // `{ workspace = true }`: the path is in the workspace's manifest.
        found.get("workspace")?.as_bool().filter(|inherits| *inherits)?;
        let above = self.folder.parent()?;
        project.upwards(above).find_map(|folder| {
            let workspace = Self::at(project, folder)?;
            let table = workspace.manifest.get("workspace")?.as_table()?;
            let path = dependency(table, "dependencies")?.get("path")?.as_str()?.to_owned();
            Self::at(project, &folder.join(path))
        })
    }

    /// The file at the top of its library, or of its program.
    fn top(&self, project: &Project<'_>) -> Option<PathBuf> {
        let written = self.manifest.get("lib").and_then(|lib| lib.get("path")).and_then(toml::Value::as_str);
        let candidates = written.into_iter().chain(["src/lib.rs", "src/main.rs"]).map(|path| self.folder.join(path));
        candidates.into_iter().find(|path| project.exists(path))
    }
}

/// Where the modules below a file are: `a.rs` has them in `a/`, the tops of crates and `mod.rs` beside them.
fn below(file: &Path, tops: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_top = folder == tops && matches!(stem, "lib" | "main");
    // Each file in `tests`, `examples`, `benches` and `src/bin` is a crate of its own.
    let is_own =
        matches!(folder.file_name().and_then(|name| name.to_str()), Some("tests" | "examples" | "benches" | "bin"))
            && folder.parent().is_some_and(|above| above == tops || Some(above) == tops.parent());
    if stem == "mod" || is_top || is_own { folder.to_owned() } else { folder.join(stem) }
}

/// The file of a module, and the items of it that the path goes on through.
fn resolve(project: &Project<'_>, from: &Source, path: &[String]) -> Option<Place> {
    let own = Crate::of(project, from.folder());
    let top = own.as_ref().and_then(|own| own.top(project));
    let tops = match (&top, &own) {
        (Some(top), _) => top.parent().unwrap_or(Path::new("")).to_owned(),
        (None, Some(own)) => own.folder.join("src"),
        (None, None) => from.folder().to_owned(),
    };
    let (first, mut rest) = path.split_first()?;
    let (mut file, mut folder) = match first.as_str() {
        "crate" => {
            // A program of its own has itself for a top.
            let is_in_tops = from.path.starts_with(&tops) && !from.path.starts_with(tops.join("bin"));
            let file = if is_in_tops { top? } else { from.path.clone() };
            let folder = below(&file, &tops);
            (Some(file), folder)
        }
        "self" => (Some(from.path.clone()), below(&from.path, &tops)),
        "super" => {
            let mut folder = below(&from.path, &tops);
            folder.pop();
            while let Some((_, more)) = rest.split_first().filter(|(next, _)| *next == "super") {
                folder.pop();
                rest = more;
            }
            (module_at(project, &folder, &tops, top.as_deref()), folder)
        }
        name => {
            let child = below(&from.path, &tops);
            // A module that the file declares, else a crate.
            if let Some(file) = child_file(project, &child, name) {
                (Some(file), child.join(name))
            } else {
                let other = own?.named(project, name)?;
                let top = other.top(project)?;
                let folder = top.parent()?.to_owned();
                (Some(top), folder)
            }
        }
    };
    while let Some((next, more)) = rest.split_first() {
        let Some(child) = child_file(project, &folder, next) else { break };
        folder.push(next);
        (file, rest) = (Some(child), more);
    }
    Some(Place { file: file?, within: rest.to_vec() })
}

fn child_file(project: &Project<'_>, folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")].into_iter().find(|path| project.exists(path))
}

/// The file of the module whose children are in `folder`.
fn module_at(project: &Project<'_>, folder: &Path, tops: &Path, top: Option<&Path>) -> Option<PathBuf> {
    if folder == tops {
        return top.map(Path::to_owned);
    }
    [folder.with_extension("rs"), folder.join("mod.rs")].into_iter().find(|path| project.exists(path))
}
