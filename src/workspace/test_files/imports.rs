//! How a test gets at the source that it tests.

use std::path::{Component, Path};

use super::project::Project;

/// An import in code, in which `NAME` stands for what is imported, or a sentence where nothing is to be imported.
pub(super) fn hint(project: &Project<'_>, family: &str, framework: &str, test: &Path) -> String {
    let beside = test.parent() == project.source.parent();
    match family {
        "python" => format!("from {} import NAME", python_module(project)),
        "javascript" | "typescript" => script(project, family, framework, test),
        "go" => match declared(project, "package ") {
            Some(package) => format!("package {package} (the same package: nothing to import)"),
            None => "The same package: nothing to import.".to_owned(),
        },
        "java" | "kotlin" | "scala" => match declared(project, "package ") {
            Some(package) => format!("package {} (the same package: nothing to import)", package.trim_end_matches(';')),
            None => "The default package: nothing to import.".to_owned(),
        },
        "ruby" => ruby(project, test),
        "php" => match declared(project, "namespace ") {
            Some(namespace) => format!("use {}\\NAME;", namespace.trim_end_matches([';', ' ', '{'])),
            None => format!("require_once __DIR__ . '/{}';", relative(project, test)),
        },
        "csharp" => match declared(project, "namespace ") {
            Some(namespace) => format!("using {};", namespace.trim_end_matches([';', ' ', '{'])),
            None => "The global namespace: nothing to import.".to_owned(),
        },
        "c" | "cpp" => c(project, test),
        "elixir" => "Modules are used by their full name: nothing to import.".to_owned(),
        "swift" => {
            let mut parts = project.source.components().skip_while(|part| part.as_os_str() != "Sources").skip(1);
            match parts.next() {
                Some(module) if parts.next().is_some() => {
                    format!("@testable import {}", module.as_os_str().to_string_lossy())
                }
                _ => "The same module: nothing to import.".to_owned(),
            }
        }
        "lua" => format!("local NAME = require(\"{}\")", dotted(&project.below().join(project.stem()))),
        "dart" if beside => format!("import '{}.dart';", project.stem()),
        "dart" => format!("import '{}';", relative(project, test)),
        "shellscript" => format!("source \"$BATS_TEST_DIRNAME/{}\"", relative(project, test)),
        _ => format!("The source is {} as seen from the test file.", relative(project, test)),
    }
}

/// The module that Python calls the source: by its packages, else from the top of the project.
fn python_module(project: &Project<'_>) -> String {
    let stem = project.stem();
    let is_package = |folder: &Path| project.files.exists(&folder.join("__init__.py"));
    let mut start = project.folder();
    while is_package(start) && start.starts_with(&project.root) {
        let Some(parent) = start.parent() else { break };
        start = parent;
    }
    let packaged = project.folder().strip_prefix(start).unwrap_or(Path::new(""));
    // A folder without `__init__.py` is a package all the same where the project is on the path.
    let from_top = project.folder().strip_prefix(&project.top).unwrap_or(Path::new(""));
    let from_top = from_top.strip_prefix("src").unwrap_or(from_top);
    let named = from_top.components().all(|part| is_identifier(&part.as_os_str().to_string_lossy()));
    let folder = if packaged.as_os_str().is_empty() && project.has_manifest && named { from_top } else { packaged };
    if stem == "__init__" { dotted(folder) } else { dotted(&folder.join(stem)) }
}

fn script(project: &Project<'_>, family: &str, framework: &str, test: &Path) -> String {
    let source = project.read(&project.source).unwrap_or_default();
    let extension = project.extension();
    let line = |begin: &str| source.lines().any(|line| line.starts_with(begin));
    let is_module = match extension.as_str() {
        "mjs" => true,
        "cjs" => false,
        _ if family == "typescript" => true,
        _ if line("export ") || line("import ") => true,
        _ if source.contains("module.exports") || line("exports.") => false,
        _ => project.manifests("package.json").next().is_some_and(|manifest| is_of_modules(&manifest)),
    };
    let path = relative(project, test);
    let bare = path.strip_suffix(&format!(".{extension}")).unwrap_or(&path);
    let bundled = matches!(framework, "vitest" | "jest");
    let path = match (family, extension.as_str()) {
        // Node itself takes TypeScript under its own name only.
        ("typescript", _) if !bundled => path.clone(),
        (_, "mjs" | "cjs" | "mts" | "cts") => path.clone(),
        ("javascript", _) if is_module && !bundled => path.clone(),
        _ => bare.to_owned(),
    };
    let named =
        ["export function", "export const", "export class", "export async", "export {", "export let", "export enum"];
    let only_default = line("export default") && !named.iter().any(|begin| line(begin));
    match (is_module, only_default) {
        (true, true) => format!("import NAME from \"{path}\";"),
        (true, false) => format!("import {{ NAME }} from \"{path}\";"),
        (false, _) => format!("const {{ NAME }} = require(\"{path}\");"),
    }
}

fn is_of_modules(manifest: &str) -> bool {
    let manifest: Option<serde_json::Value> = serde_json::from_str(manifest).ok();
    manifest.is_some_and(|manifest| manifest["type"] == "module")
}

fn ruby(project: &Project<'_>, test: &Path) -> String {
    for set_up in ["rails_helper", "spec_helper", "test_helper"] {
        let folder = if set_up == "test_helper" { "test" } else { "spec" };
        if project.files.exists(&project.top.join(folder).join(format!("{set_up}.rb"))) {
            // Rails loads its own code by itself.
            let loads = set_up == "rails_helper" || project.files.exists(&project.top.join("config/application.rb"));
            let own = if loads {
                String::new()
            } else {
                format!("\nrequire \"{}\"", slashed(&project.below().join(project.stem())))
            };
            return format!("require \"{set_up}\"{own}");
        }
    }
    let path = relative(project, test);
    format!("require_relative \"{}\"", path.strip_prefix("./").unwrap_or(&path).trim_end_matches(".rb"))
}

fn c(project: &Project<'_>, test: &Path) -> String {
    let stem = project.stem();
    for ending in ["hpp", "h", "hh", "hxx"] {
        let name = format!("{stem}.{ending}");
        if project.files.exists(&project.folder().join(&name)) {
            return format!("#include \"{name}\"");
        }
        let below = project.below().join(&name);
        for below in [below.as_path(), Path::new(&name)] {
            if project.files.exists(&project.top.join("include").join(below)) {
                return format!("#include \"{}\"", slashed(below));
            }
        }
    }
    let path = relative(project, test);
    format!("#include \"{}\"", path.strip_prefix("./").unwrap_or(&path))
}

/// What follows a keyword at the beginning of a line, up to the end of the word.
fn declared(project: &Project<'_>, keyword: &str) -> Option<String> {
    let text = project.read(&project.source)?;
    let rest = text.lines().find_map(|line| line.strip_prefix(keyword))?;
    let word = rest.trim().split([' ', ';', '{']).next().unwrap_or_default();
    (!word.is_empty()).then(|| word.to_owned())
}

/// The source as seen from the test's folder, with `/`, beginning with `./` or `../`.
fn relative(project: &Project<'_>, test: &Path) -> String {
    let from: Vec<_> = test.parent().into_iter().flat_map(Path::components).collect();
    let to: Vec<_> = project.source.components().collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.len() - shared;
    let mut parts = vec![if up == 0 { ".".to_owned() } else { vec![".."; up].join("/") }];
    parts.extend(to[shared..].iter().map(|part| part.as_os_str().to_string_lossy().into_owned()));
    parts.join("/")
}

fn slashed(path: &Path) -> String {
    joined(path, "/")
}

fn dotted(path: &Path) -> String {
    joined(path, ".")
}

fn joined(path: &Path, between: &str) -> String {
    let parts = path.components().filter(|part| matches!(part, Component::Normal(_)));
    parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join(between)
}

fn is_identifier(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    begins && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}
