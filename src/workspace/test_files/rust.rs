//! Rust: a module in the source itself, in a file beside it, or `tests/`.

use std::path::{Path, PathBuf};

use super::TestPlace;
use super::project::Project;

const FRAMEWORK: &str = "cargo test";

pub(super) fn place(project: &Project<'_>) -> TestPlace {
    let text = project.read(&project.source).unwrap_or_default();
    let inline = TestPlace {
        path: project.source.clone(),
        exists: true,
        framework: FRAMEWORK,
        inline: true,
        import_hint: "use super::*;".to_owned(),
    };
    let below = project.source.strip_prefix(&project.top).unwrap_or(&project.source);
    if let Some(path) = module_file(project, &text) {
        return TestPlace { exists: project.files.exists(&path), path, inline: false, ..inline };
    }
    let is_library = below.starts_with("src") && project.files.exists(&project.top.join("src/lib.rs"));
    if text.contains("#[cfg(test)]") || !is_library || below == Path::new("src/main.rs") || has_inline_tests(project) {
        return inline;
    }
    let Some(name) = crate_name(project) else { return inline };
    // The project keeps its tests in `tests/`, and nowhere else.
    let tests = project.top.join("tests");
    let has_tests =
        project.files.list(&tests).iter().any(|name| Path::new(name).extension().is_some_and(|ending| ending == "rs"));
    if !has_tests {
        return inline;
    }
    let module = module(below);
    let stem = module.last().cloned().unwrap_or_else(|| name.clone());
    let path = tests.join(format!("{stem}.rs"));
    let use_path: Vec<_> = std::iter::once(name).chain(module).collect();
    TestPlace {
        exists: project.files.exists(&path),
        path,
        inline: false,
        import_hint: format!("use {}::NAME;", use_path.join("::")),
        ..inline
    }
}

/// The file of `#[cfg(test)] mod tests;`, if the source says so.
fn module_file(project: &Project<'_>, text: &str) -> Option<PathBuf> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| *line != "#[cfg(test)]").skip(1);
    let declared = lines.find(|line| !line.starts_with("#[") && !line.is_empty())?;
    let name = declared.trim_start_matches("pub(crate) ").strip_prefix("mod ")?.strip_suffix(';')?.trim();
    let folder = match project.stem().as_str() {
        "mod" | "lib" | "main" => project.folder().to_owned(),
        stem => project.folder().join(stem),
    };
    let nested = folder.join(name).join("mod.rs");
    Some(if project.files.exists(&nested) { nested } else { folder.join(format!("{name}.rs")) })
}

fn has_inline_tests(project: &Project<'_>) -> bool {
    let sources = project.walk(&project.top.join("src"));
    let mut few = sources.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")).take(40);
    few.any(|path| project.read(path).is_some_and(|text| text.contains("#[cfg(test)]")))
}

/// The library's name: `[lib] name`, else the package's.
fn crate_name(project: &Project<'_>) -> Option<String> {
    let manifest: toml::Table = project.read(&project.top.join("Cargo.toml"))?.parse().ok()?;
    let name = |table: &str| manifest.get(table)?.get("name")?.as_str();
    Some(name("lib").or_else(|| name("package"))?.replace('-', "_"))
}

/// The module path of `src/a/b.rs`.
fn module(below: &Path) -> Vec<String> {
    let inside = below.strip_prefix("src").unwrap_or(below).with_extension("");
    let mut parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}
