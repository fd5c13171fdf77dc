//! What a project says of itself: its manifest, and its folders.
//!
//! Little, as every request carries it: what code has to agree with (the language's version, what may be imported, how
//! tests are run) and where things are. No versions of the project itself, no numbers of files: they change often and say
//! nothing of how code is to be written.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::workspace::walk::walk;

/// Reads facts from a manifest's text.
type Reader = fn(&str, &mut Facts);

/// Manifests, by what they are called. In one folder the first that is there counts.
const MANIFESTS: &[(&str, Reader)] =
    &[("Cargo.toml", cargo), ("pyproject.toml", pyproject), ("package.json", package_json), ("go.mod", go_mod)];

/// A larger manifest is not read.
const MAX_BYTES: u64 = 256 * 1024;

/// More of what a project depends on is left out.
const MOST_DEPENDENCIES: usize = 24;

/// More folders are left out.
const MOST_FOLDERS: usize = 32;

/// Folders that hold what was fetched or built.
const BUILT: &[&str] =
    &["__pycache__", "bower_components", "build", "dist", "node_modules", "out", "target", "vendor", "venv"];

/// What a manifest says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Facts {
    name: String,
    /// The language's version, as it is written.
    language: String,
    tests: String,
    dependencies: BTreeSet<String>,
}

/// The project that `file` belongs to, as the text of a block: what the nearest manifest between its folder and the
/// workspace folder `root` says, and the folders below `root`; nothing of what is not `allowed`, which takes a path below
/// `root`. `None` outside of a workspace, and where there is nothing to say.
pub fn project(root: Option<&Path>, file: &Path, allowed: &dyn Fn(&Path) -> bool) -> Option<String> {
    let root = root?.canonicalize().ok()?;
    let folder = file.parent()?.canonicalize().ok().filter(|folder| folder.starts_with(&root)).unwrap_or(root.clone());
    let may = |path: &Path| path.strip_prefix(&root).is_ok_and(allowed);
    let mut text = String::new();
    if let Some((path, facts)) =
        folder.ancestors().take_while(|at| at.starts_with(&root)).find_map(|at| manifest(at, &may))
    {
        let _ = writeln!(text, "manifest: {}", shown(&path, &root));
        let dependencies: Vec<&str> = facts.dependencies.iter().map(String::as_str).take(MOST_DEPENDENCIES).collect();
        let dependencies = dependencies.join(", ");
        for (what, fact) in
            [("package", &facts.name), ("language", &facts.language), ("tests", &facts.tests), ("uses", &dependencies)]
        {
            if !fact.is_empty() {
                let _ = writeln!(text, "{what}: {}", fact.lines().next().unwrap_or_default());
            }
        }
    }
    let folders = folders(&root, &may);
    if !folders.is_empty() {
        let _ = writeln!(text, "folders: {}", folders.join(", "));
    }
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

fn manifest(folder: &Path, may: &dyn Fn(&Path) -> bool) -> Option<(PathBuf, Facts)> {
    MANIFESTS.iter().find_map(|(name, read)| {
        let path = folder.join(name);
        // A link could lead out of the workspace.
        let is_file = path.symlink_metadata().is_ok_and(|it| it.is_file() && it.len() <= MAX_BYTES) && may(&path);
        let mut text = String::new();
        std::fs::File::open(path.as_path()).ok().filter(|_| is_file)?.take(MAX_BYTES).read_to_string(&mut text).ok()?;
        let mut facts = Facts::default();
        read(&text, &mut facts);
        Some((path, facts))
    })
}

fn shown(path: &Path, root: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    relative.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The folders of two levels that may hold source, sorted; none that the project's ignore files name.
fn folders(root: &Path, may: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let is_source = |entry: &ignore::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !BUILT.contains(&name.as_ref()) && !name.ends_with("-info")
    };
    // Without the ignore files above the project and those of the machine: equal projects give equal prompts.
    let is_folder = |entry: &ignore::DirEntry| entry.file_type().is_some_and(|kind| kind.is_dir());
    let walk = walk(root, move |entry| is_folder(entry) && is_source(entry))
        .max_depth(Some(2))
        .parents(false)
        .git_global(false)
        .sort_by_file_path(Ord::cmp)
        .build();
    let below = walk.flatten().filter(|entry| entry.depth() > 0).map(ignore::DirEntry::into_path);
    let may = |path: &Path| may(path) && path.parent().is_none_or(|folder| folder == root || may(folder));
    below.filter(|path| may(path)).map(|path| shown(&path, root) + "/").take(MOST_FOLDERS).collect()
}

fn cargo(text: &str, facts: &mut Facts) {
    let Ok(manifest) = text.parse::<toml::Table>() else { return };
    let package = manifest.get("package");
    let field = |name: &str| package.and_then(|package| package.get(name)?.as_str()).unwrap_or_default();
    field("name").clone_into(&mut facts.name);
    let parts = [("edition", "Rust edition "), ("rust-version", "Rust from ")];
    let language = parts.iter().filter(|(name, _)| !field(name).is_empty());
    facts.language = language.map(|(name, what)| format!("{what}{}", field(name))).collect::<Vec<_>>().join(", ");
    for table in ["dependencies", "dev-dependencies"] {
        let table = manifest.get(table).and_then(toml::Value::as_table);
        facts.dependencies.extend(table.into_iter().flat_map(toml::Table::keys).cloned());
    }
}

fn pyproject(text: &str, facts: &mut Facts) {
    let Ok(manifest) = text.parse::<toml::Table>() else { return };
    let project = manifest.get("project");
    let field = |name: &str| project.and_then(|project| project.get(name)?.as_str()).unwrap_or_default();
    field("name").clone_into(&mut facts.name);
    if !field("requires-python").is_empty() {
        facts.language = format!("Python {}", field("requires-python"));
    }
    let listed = project.and_then(|project| project.get("dependencies")?.as_array());
    let name = |requirement: &str| {
        let is_name = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
        requirement.chars().take_while(|char| is_name(*char)).collect::<String>()
    };
    facts.dependencies.extend(listed.into_iter().flatten().filter_map(toml::Value::as_str).map(name));
    let tool = manifest.get("tool");
    if tool.is_some_and(|tool| tool.get("pytest").is_some()) || text.contains("pytest") {
        "pytest".clone_into(&mut facts.tests);
    }
}

fn package_json(text: &str, facts: &mut Facts) {
    let Ok(manifest) = serde_json::from_str::<serde_json::Value>(text) else { return };
    let field = |path: &str| manifest.pointer(path).and_then(serde_json::Value::as_str).unwrap_or_default();
    field("/name").clone_into(&mut facts.name);
    let mut language = Vec::new();
    if !field("/engines/node").is_empty() {
        language.push(format!("Node {}", field("/engines/node")));
    }
    if !field("/type").is_empty() {
        language.push(format!("modules are {}", field("/type")));
    }
    facts.language = language.join(", ");
    for table in ["dependencies", "devDependencies", "peerDependencies"] {
        let table = manifest.get(table).and_then(serde_json::Value::as_object);
        facts.dependencies.extend(table.into_iter().flat_map(serde_json::Map::keys).cloned());
    }
    let known = ["vitest", "jest", "mocha", "ava", "tap"].into_iter().find(|name| facts.dependencies.contains(*name));
    facts.tests = known.map_or_else(|| field("/scripts/test").to_owned(), str::to_owned);
}

fn go_mod(text: &str, facts: &mut Facts) {
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("module ") {
            name.trim().clone_into(&mut facts.name);
        } else if let Some(version) = line.strip_prefix("go ") {
            facts.language = format!("Go {}", version.trim());
        } else if !line.ends_with("// indirect")
            && let Some((path, _)) = line.trim_start_matches("require ").split_once(" v")
        {
            facts.dependencies.insert(path.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(files: &[(&str, &str)], file: &str, expected: &Expect) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let text = project(Some(folder.path()), &folder.path().join(file), &|_| true).unwrap_or_default();
        assert!(!text.contains(&*folder.path().to_string_lossy()), "{text}");
        expected.assert_eq(&(text + "\n"));
    }

    #[test]
    fn says_what_code_has_to_agree_with() {
        check(
            &[
                (
                    "pyproject.toml",
                    "[project]\nname = \"inventory\"\nversion = \"1.2\"\nrequires-python = \">=3.9\"\ndependencies = [\"rich>=13\", \"httpx[http2]\"]\n[tool.pytest.ini_options]\n",
                ),
                ("src/inventory/load.py", ""),
                ("tests/test_load.py", ""),
                ("node_modules/x/index.js", ""),
                (".gitignore", "generated/\n"),
                ("src/generated/load.py", ""),
                (".git/config", ""),
            ],
            "src/inventory/load.py",
            &expect![[r"
                manifest: pyproject.toml
                package: inventory
                language: Python >=3.9
                tests: pytest
                uses: httpx, rich
                folders: src/, src/inventory/, tests/
            "]],
        );
        check(
            &[
                ("Cargo.toml", "[workspace]\n"),
                (
                    "web/package.json",
                    r#"{"name": "web", "type": "module", "engines": {"node": ">=20"}, "devDependencies": {"vitest": "1", "zod": "3"}}"#,
                ),
                ("web/src/a.ts", ""),
            ],
            "web/src/a.ts",
            &expect![[r"
                manifest: web/package.json
                package: web
                language: Node >=20, modules are module
                tests: vitest
                uses: vitest, zod
                folders: web/, web/src/
            "]],
        );
        check(
            &[(
                "go.mod",
                "module example.org/x\n\ngo 1.22\n\nrequire (\n\tgolang.org/x/text v0.1.0\n\texample.org/y v1.0.0 // indirect\n)\n",
            )],
            "main.go",
            &expect![[r"
                manifest: go.mod
                package: example.org/x
                language: Go 1.22
                uses: golang.org/x/text
            "]],
        );
        check(
            &[("Cargo.toml", "[package]\nname = \"x\"\nedition = \"2024\"\n[dependencies]\nserde = \"1\"\n")],
            "lib.rs",
            &expect![[r"
                manifest: Cargo.toml
                package: x
                language: Rust edition 2024
                uses: serde
            "]],
        );
        check(
            &[("package.json", "not JSON")],
            "a.js",
            &expect![[r"
            manifest: package.json
        "]],
        );
    }

    #[test]
    fn outside_of_a_workspace_there_is_nothing_to_say() {
        assert_eq!(project(None, Path::new("/tmp/a.py"), &|_| true), None);
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(project(Some(empty.path()), &empty.path().join("a.py"), &|_| true), None);
        std::fs::create_dir(empty.path().join("private")).unwrap();
        std::fs::write(empty.path().join("go.mod"), "module example.org/x\n").unwrap();
        assert_eq!(project(Some(empty.path()), &empty.path().join("a.py"), &|_| false), None);
    }
}
