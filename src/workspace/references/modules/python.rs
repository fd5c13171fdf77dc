//! Packages, relative imports, and the `src` layout.

use std::path::{Path, PathBuf};

use super::{Place, first};
use crate::workspace::references::project::{Project, Source};

/// Folders of a repository that hold packages, beside its top.
const SOURCES: &[&str] = &["src", "lib", "python"];

pub(super) fn places(project: &Project<'_>, from: &Source, module: &str) -> Vec<Place> {
    let name = module.trim_start_matches('.');
    let dots = module.len() - name.len();
    let below: PathBuf = name.split('.').filter(|part| !part.is_empty()).collect();
    if dots > 0 {
        let Some(base) = from.folder().ancestors().nth(dots - 1) else { return Vec::new() };
        return first(project, files(base, &below));
    }
    // What the interpreter would find from: the script's own folder, the folder above the outermost package, and every
    // folder in between, which is where tests and tools are run.
    let mut bases: Vec<PathBuf> = Vec::new();
    for folder in project.upwards(from.folder()) {
        bases.push(folder.to_owned());
        bases.extend(SOURCES.iter().map(|sources| folder.join(sources)));
    }
    // The nearer folder may hold a file of the same name by chance; the package that `from` is in wins.
    let top = project.upwards(from.folder()).find(|folder| !project.exists(&folder.join("__init__.py")));
    let bases = top.map(Path::to_owned).into_iter().chain(bases);
    first(project, bases.flat_map(|base| files(&base, &below)))
}

/// A module is a file, or a folder with a file for it.
fn files(base: &Path, below: &Path) -> Vec<PathBuf> {
    if below.as_os_str().is_empty() {
        return vec![base.join("__init__.py"), base.join("__init__.pyi")];
    }
    let path = base.join(below);
    let with = |ending: &str| {
        let mut name = path.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    };
    vec![with(".py"), path.join("__init__.py"), with(".pyi"), path.join("__init__.pyi")]
}
