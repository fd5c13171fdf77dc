//! Ruby, PHP and Lua.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Place, first};
use crate::workspace::references::names::{Name, Role};
use crate::workspace::references::project::{Project, Source};
use crate::workspace::roots::normalized;

/// `require_relative "x"`, and `require "a/b"` from the folders that are on the load path by custom.
pub(super) fn ruby(project: &Project<'_>, from: &Source, path: &str) -> Vec<Place> {
    let named = |path: PathBuf| {
        if path.extension().is_some_and(|ending| ending == "rb") {
            return path;
        }
        let mut name = path.into_os_string();
        name.push(".rb");
        PathBuf::from(name)
    };
    if let Some(relative) = path.strip_prefix("./") {
        return first(project, [named(from.folder().join(relative))]);
    }
    let above = project.upwards(from.folder());
    first(
        project,
        above.flat_map(|folder| ["lib", "app", "test", "spec", ""].map(|it| named(folder.join(it).join(path)))),
    )
}

/// A constant's file as autoloaders find it: `Billing::LineItem` in `app/*/billing/line_item.rb` or `lib/…`.
pub(super) fn ruby_constant(project: &Project<'_>, name: &Name) -> Vec<Place> {
    let constants = name.parts.iter().take_while(|part| part.starts_with(char::is_uppercase));
    let parts: Vec<String> = constants.map(|part| snake_case(part)).collect();
    if parts.is_empty() {
        return Vec::new();
    }
    let app = project.root().join("app");
    let folders = project.list(&app).into_iter().filter(|name| !name.contains('.')).map(|name| app.join(name));
    let folders: Vec<_> = folders.chain([project.root().join("lib")]).collect();
    // The longest name first: `Billing::LineItem` before `Billing`.
    let lengths = (1..=parts.len()).rev();
    let file = |folder: &Path, length: usize| folder.join(parts[..length].join("/")).with_extension("rb");
    first(
        project,
        lengths.flat_map(|length| folders.iter().map(move |folder| file(folder, length)).collect::<Vec<_>>()),
    )
}

fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, char) in chars.iter().enumerate() {
        let after_small = at > 0 && !chars[at - 1].is_uppercase();
        let before_small = at > 0 && chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        if char.is_uppercase() && (after_small || before_small) {
            out.push('_');
        }
        out.extend(char.to_lowercase());
    }
    out
}

/// A class's file, by the `psr-4` table of the nearest `composer.json`.
pub(super) fn php(project: &Project<'_>, from: &Source, path: &str) -> Vec<Place> {
    if let Some(relative) = path.strip_prefix("./") {
        return first(project, [normalized(&from.folder().join(relative))]);
    }
    first(project, psr4(project, from.folder(), path.trim_start_matches('\\')))
}

/// A class of the same namespace, or one that is written out.
pub(super) fn php_namespace(project: &Project<'_>, from: &Source, name: &Name) -> Vec<Place> {
    let Some(class) = name.parts.first().filter(|first| !first.is_empty() && name.role != Role::Value) else {
        return Vec::new();
    };
    let beside = from.folder().join(format!("{class}.php"));
    let written = name.parts.join("\\");
    let namespace = from.text().lines().find_map(|line| line.trim().strip_prefix("namespace "));
    let namespace = namespace.and_then(|rest| rest.split([';', '{']).next()).map(str::trim).unwrap_or_default();
    let qualified = format!("{namespace}\\{class}");
    let candidates = [psr4(project, from.folder(), &qualified), psr4(project, from.folder(), &written)].concat();
    first(project, std::iter::once(beside).chain(candidates))
}

fn psr4(project: &Project<'_>, folder: &Path, class: &str) -> Vec<PathBuf> {
    let found = project.upwards(folder).find_map(|folder| {
        let text = project.text(&folder.join("composer.json"))?;
        Some((folder.to_owned(), serde_json::from_str::<Value>(&text).ok()?))
    });
    let Some((top, composer)) = found else { return Vec::new() };
    let mut out = Vec::new();
    for table in ["autoload", "autoload-dev"] {
        for (prefix, folders) in composer[table]["psr-4"].as_object().into_iter().flatten() {
            let Some(below) = class.strip_prefix(prefix.trim_end_matches('\\')) else { continue };
            let below = below.trim_start_matches('\\').replace('\\', "/");
            let folders = match folders {
                Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
                one => one.as_str().into_iter().collect::<Vec<_>>(),
            };
            out.extend(folders.into_iter().map(|folder| top.join(folder).join(format!("{below}.php"))));
        }
    }
    out
}

/// `require("a.b")` from the folders that are on the path by custom.
pub(super) fn lua(project: &Project<'_>, from: &Source, module: &str) -> Vec<Place> {
    let below = module.replace('.', "/");
    let above = project.upwards(from.folder()).flat_map(|folder| ["", "lua", "src", "lib"].map(|it| folder.join(it)));
    first(project, above.flat_map(|base| [base.join(format!("{below}.lua")), base.join(&below).join("init.lua")]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_files_in_snake_case() {
        for (constant, file) in [
            ("Item", "item"),
            ("LineItem", "line_item"),
            ("HTMLParser", "html_parser"),
            ("APIv2", "ap_iv2"),
            ("Ünit", "ünit"),
        ] {
            assert_eq!(snake_case(constant), file);
        }
    }
}
