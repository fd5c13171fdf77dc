//! C#: tests live in a project of their own, named after the one that they test.

use std::path::{Path, PathBuf};

use super::project::Project;
use super::{TestPlace, imports};

/// Where tests go if there is a test project; `None` leaves it to the table.
pub(super) fn place(project: &Project<'_>, framework: &'static str) -> Option<TestPlace> {
    let manifests: Vec<PathBuf> = project
        .walk(&project.root)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "csproj"))
        .collect();
    let own = manifests
        .iter()
        .filter(|path| project.source.starts_with(parent(path)))
        .max_by_key(|path| path.components().count())?;
    let name = own.file_stem()?.to_string_lossy().into_owned();
    let tested = |path: &&PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        stem.strip_prefix(&name).is_some_and(|end| matches!(end, ".Tests" | ".Test" | ".UnitTests" | "Tests" | "Test"))
    };
    let tests = manifests.iter().find(tested)?;
    let text = project.read(tests).unwrap_or_default().to_lowercase();
    let framework = match () {
        () if text.contains("nunit") => "NUnit",
        () if text.contains("mstest") => "MSTest",
        () if text.contains("xunit") => "xUnit",
        () => framework,
    };
    let below = project.folder().strip_prefix(parent(own)).unwrap_or(Path::new(""));
    let path = parent(tests).join(below).join(format!("{}Tests.cs", project.stem()));
    let import_hint = imports::hint(project, "csharp", framework, &path);
    Some(TestPlace { exists: project.files.exists(&path), path, framework, inline: false, import_hint })
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
