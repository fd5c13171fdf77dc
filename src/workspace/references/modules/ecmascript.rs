//! Relative paths, endings left out, folders with an index, and the `paths` of a `tsconfig.json`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Place, first};
use crate::workspace::references::project::{Project, Source};
use crate::workspace::roots::normalized;

const ENDINGS: &[&str] = &["ts", "tsx", "d.ts", "js", "jsx", "mts", "cts", "mjs", "cjs"];

/// A configuration extends another, that one a third.
const MAX_EXTENDS: usize = 5;

pub(super) fn places(project: &Project<'_>, from: &Source, module: &str) -> Vec<Place> {
    if module == "." || module == ".." || module.starts_with("./") || module.starts_with("../") {
        return first(project, files(&from.folder().join(module)));
    }
    let configured = configured(project, from.folder(), module);
    first(project, configured.iter().flat_map(|path| files(path)))
}

/// What a path without its ending may be. One with `.js` may be a TypeScript file that is yet to be compiled.
fn files(path: &Path) -> Vec<PathBuf> {
    let path = normalized(path);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let mut out = Vec::new();
    let sources: &[&str] = match ending {
        "js" => &["ts", "tsx"],
        "jsx" => &["tsx"],
        "mjs" => &["mts"],
        "cjs" => &["cts"],
        _ => &[],
    };
    out.extend(sources.iter().map(|source| path.with_extension(source)));
    if ENDINGS.contains(&ending) {
        out.push(path.clone());
    }
    let with = |ending: &str| {
        let mut name = path.clone().into_os_string();
        name.push(".");
        name.push(ending);
        PathBuf::from(name)
    };
    out.extend(ENDINGS.iter().map(|ending| with(ending)));
    out.extend(ENDINGS.iter().map(|ending| path.join(format!("index.{ending}"))));
    out
}

/// Where the nearest `tsconfig.json` or `jsconfig.json` says that a module is.
fn configured(project: &Project<'_>, folder: &Path, module: &str) -> Vec<PathBuf> {
    let configs =
        project.upwards(folder).flat_map(|folder| ["tsconfig.json", "jsconfig.json"].map(|it| folder.join(it)));
    let Some(config) = configs.into_iter().find(|path| project.exists(path)) else { return Vec::new() };
    let mut next = Some(config);
    let (mut paths, mut base): (Option<(PathBuf, Value)>, Option<PathBuf>) = (None, None);
    for _ in 0..MAX_EXTENDS {
        let Some(path) = next.take() else { break };
        let Some(config) = project.text(&path).and_then(|text| serde_json::from_str::<Value>(&plain_json(&text)).ok())
        else {
            break;
        };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let options = &config["compilerOptions"];
        if base.is_none()
            && let Some(url) = options["baseUrl"].as_str()
        {
            base = Some(folder.join(url));
        }
        if paths.is_none() && options["paths"].is_object() {
            paths = Some((folder.clone(), options["paths"].clone()));
        }
        next = config["extends"].as_str().filter(|path| path.starts_with('.')).map(|extended| {
            let path = folder.join(extended);
            if Path::new(extended).extension().is_some_and(|ending| ending == "json") {
                path
            } else {
                folder.join(format!("{extended}.json"))
            }
        });
    }
    let mut out = Vec::new();
    if let Some((folder, paths)) = &paths {
        let base = base.as_deref().unwrap_or(folder);
        for (pattern, targets) in paths.as_object().into_iter().flatten() {
            let Some(star) = matched(pattern, module) else { continue };
            let targets = targets.as_array().into_iter().flatten().filter_map(Value::as_str);
            out.extend(targets.map(|target| base.join(target.replacen('*', star, 1))));
        }
    }
    out.extend(base.map(|base| base.join(module)));
    out
}

/// What the star of a pattern stands for in a module's name; nothing for a pattern without one.
fn matched<'a>(pattern: &str, module: &'a str) -> Option<&'a str> {
    match pattern.split_once('*') {
        None => (pattern == module).then_some(""),
        Some((before, after)) => module.strip_prefix(before)?.strip_suffix(after),
    }
}

/// JSON without the comments and trailing commas that these files may have.
fn plain_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_string = false;
    while let Some(char) = chars.next() {
        match char {
            '"' => {
                in_string = !in_string;
                out.push(char);
            }
            '\\' if in_string => {
                out.push(char);
                out.extend(chars.next());
            }
            '/' if !in_string && chars.peek() == Some(&'/') => {
                while chars.peek().is_some_and(|char| *char != '\n') {
                    chars.next();
                }
            }
            '/' if !in_string && chars.peek() == Some(&'*') => {
                chars.next();
                let mut last = ' ';
                for char in chars.by_ref() {
                    if last == '*' && char == '/' {
                        break;
                    }
                    last = char;
                }
            }
            ']' | '}' if !in_string => {
                let end = out.trim_end().len();
                if out[..end].ends_with(',') {
                    out.truncate(end - 1);
                }
                out.push(char);
            }
            _ => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_go() {
        let text = "{ // a\n \"a//b\": [1, 2,\n ], /* , } */ \"c\\\"\": \"x,}\", }";
        assert_eq!(
            serde_json::from_str::<Value>(&plain_json(text)).unwrap(),
            serde_json::json!({"a//b": [1, 2], "c\"": "x,}"})
        );
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, module, star) in [
            ("@/*", "@/a/b", Some("a/b")),
            ("@/*", "a", None),
            ("lib", "lib", Some("")),
            ("*.css", "a.css", Some("a")),
            ("lib", "lib/x", None),
        ] {
            assert_eq!(matched(pattern, module), star, "{pattern} {module}");
        }
    }
}
