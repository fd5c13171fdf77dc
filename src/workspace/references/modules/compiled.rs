//! Go, Java, C and C++.

use std::path::{Path, PathBuf};

use super::{Place, first};
use crate::workspace::references::names::{Name, Role};
use crate::workspace::references::project::{Project, Source};
use crate::workspace::roots::normalized;

/// So many files of one package are looked into.
const MAX_PACKAGE_FILES: usize = 60;

/// A package's folder, by the module path of the nearest `go.mod`.
pub(super) fn go(project: &Project<'_>, from: &Source, module: &str) -> Vec<Place> {
    let found = project.upwards(from.folder()).find_map(|folder| {
        let text = project.text(&folder.join("go.mod"))?;
        let own =
            text.lines().find_map(|line| line.trim().strip_prefix("module "))?.trim().trim_matches('"').to_owned();
        Some((folder.to_owned(), own))
    });
    let Some((folder, own)) = found else { return Vec::new() };
    let Some(below) = module.strip_prefix(&own) else { return Vec::new() };
    if !below.is_empty() && !below.starts_with('/') {
        return Vec::new();
    }
    go_files(project, &folder.join(below.trim_start_matches('/')), false).map(Place::file).collect()
}

/// The other files of the package, as far as they speak of the name.
pub(super) fn go_package(project: &Project<'_>, from: &Source, name: &Name) -> Vec<Place> {
    let [wanted, ..] = name.parts.as_slice() else { return Vec::new() };
    if name.role == Role::Value && name.parts.len() == 1 || wanted.is_empty() {
        return Vec::new();
    }
    let is_test = from.path.to_string_lossy().ends_with("_test.go");
    let defines = |path: &PathBuf| {
        *path != from.path
            && project.text(path).is_some_and(|text| {
                // What stands in front of a name that is defined at the top of a file.
                text.lines().filter_map(|line| line.split_once(wanted.as_str())).any(|(before, after)| {
                    let before = before.trim_start();
                    !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                        && (before.is_empty() || matches!(before, "func " | "type " | "const " | "var "))
                })
            })
    };
    go_files(project, from.folder(), is_test).filter(defines).map(Place::file).take(4).collect()
}

fn go_files(project: &Project<'_>, folder: &Path, tests: bool) -> impl Iterator<Item = PathBuf> {
    let names = project.list(folder).into_iter();
    let wanted = names.filter(move |name| {
        Path::new(name).extension().is_some_and(|ending| ending == "go") && (tests || !name.ends_with("_test.go"))
    });
    wanted.take(MAX_PACKAGE_FILES).map(|name| folder.join(name)).collect::<Vec<_>>().into_iter()
}

/// A class's file, by its package; for `import a.b.*` every file of the folder.
pub(super) fn java(project: &Project<'_>, from: &Source, module: &str) -> Vec<Place> {
    let below: PathBuf = module.split('.').collect();
    for sources in java_sources(project, from) {
        let file = sources.join(&below).with_extension("java");
        if project.exists(&file) {
            return vec![Place::file(file)];
        }
        // A class inside of a class.
        if let Some(outer) = below.parent().filter(|outer| !outer.as_os_str().is_empty()) {
            let file = sources.join(outer).with_extension("java");
            if project.exists(&file) {
                return vec![Place::file(file)];
            }
        }
    }
    Vec::new()
}

/// A class of the same package, or of one whose classes are all imported.
pub(super) fn java_package(project: &Project<'_>, from: &Source, name: &Name) -> Vec<Place> {
    let Some(class) = name.parts.first().filter(|first| first.starts_with(char::is_uppercase)) else {
        return Vec::new();
    };
    let file = format!("{class}.java");
    let own = from.folder().join(&file);
    let sources = java_sources(project, from);
    let package = package_of(from).map(|package| package.replace('.', "/"));
    let same = sources.iter().filter_map(|sources| Some(sources.join(package.as_deref()?).join(&file)));
    let all = from.imports().iter().filter(|import| import.is_all()).map(|import| import.module.replace('.', "/"));
    let all: Vec<_> = all.flat_map(|package| sources.iter().map(move |it| it.join(&package))).collect();
    first(project, std::iter::once(own).chain(same).chain(all.into_iter().map(|folder| folder.join(&file))))
}

fn package_of(source: &Source) -> Option<&str> {
    let line = source.text().lines().find_map(|line| line.trim().strip_prefix("package "))?;
    Some(line.split(';').next()?.trim())
}

/// The folders that packages are below: the one that the file's own package tells, and its neighbours for code and tests.
fn java_sources(project: &Project<'_>, from: &Source) -> Vec<PathBuf> {
    let depth = package_of(from).map_or(0, |package| package.split('.').count());
    let Some(own) = from.folder().ancestors().nth(depth).filter(|own| own.starts_with(project.root())) else {
        return vec![from.folder().to_owned()];
    };
    let mut out = vec![own.to_owned()];
    // `module/src/main/java`: the module, and the modules beside it.
    if own.ends_with("src/main/java") || own.ends_with("src/test/java") {
        let module = own.ancestors().nth(3).unwrap_or(own);
        out.extend(["src/main/java", "src/test/java"].map(|sources| module.join(sources)));
        if let Some(above) = module.parent().filter(|above| above.starts_with(project.root())) {
            let beside = project.list(above).into_iter().filter(|name| !name.starts_with('.') && !name.contains('.'));
            out.extend(beside.take(40).map(|name| above.join(name).join("src/main/java")));
        }
    }
    out
}

/// A header, beside the file, or in the folders where projects keep them.
pub(super) fn c(project: &Project<'_>, from: &Source, path: &str) -> Vec<Place> {
    let beside = from.folder().join(path);
    let above = project
        .upwards(from.folder())
        .flat_map(|folder| ["", "include", "src", "inc"].map(|inner| normalized(&folder.join(inner).join(path))));
    first(project, std::iter::once(normalized(&beside)).chain(above))
}
