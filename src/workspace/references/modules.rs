//! From a module as the language writes it to files of the project.

mod compiled;
mod ecmascript;
mod python;
mod rust;
mod scripts;

use std::path::PathBuf;

use super::names::Name;
use super::project::{Project, Source};

/// Where names of a module are defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The file.
    pub(super) file: PathBuf,
    /// The items that they are in there: what is left of a path when the file is found.
    pub(super) within: Vec<String>,
}

impl Place {
    fn file(file: PathBuf) -> Self {
        Self { file, within: Vec::new() }
    }
}

/// The files of a module that `from` imports, the likeliest first; none for a module from elsewhere.
pub(super) fn places(project: &Project<'_>, from: &Source, module: &str) -> Vec<Place> {
    match from.language.family() {
        "python" => python::places(project, from, module),
        "javascript" | "typescript" => ecmascript::places(project, from, module),
        "rust" => rust::places(project, from, module),
        "go" => compiled::go(project, from, module),
        "java" => compiled::java(project, from, module),
        "c" | "cpp" => compiled::c(project, from, module),
        "ruby" => scripts::ruby(project, from, module),
        "php" => scripts::php(project, from, module),
        "lua" => scripts::lua(project, from, module),
        _ => Vec::new(),
    }
}

/// The files in which a name can be defined that nothing imports: those of the same package, or where the language's
/// customs say.
pub(super) fn unimported(project: &Project<'_>, from: &Source, name: &Name) -> Vec<Place> {
    match from.language.family() {
        "rust" => rust::written_out(project, from, name),
        "go" => compiled::go_package(project, from, name),
        "java" => compiled::java_package(project, from, name),
        "ruby" => scripts::ruby_constant(project, name),
        "php" => scripts::php_namespace(project, from, name),
        _ => Vec::new(),
    }
}

/// The first of these paths that there is.
fn first(project: &Project<'_>, candidates: impl IntoIterator<Item = PathBuf>) -> Vec<Place> {
    candidates.into_iter().find(|path| project.exists(path)).map(Place::file).into_iter().collect()
}
