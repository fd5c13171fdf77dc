//! vitest, jest, mocha and node:test, for JavaScript and TypeScript.

use super::Job;
use crate::workspace::syntax::Item;

pub(super) fn tests(job: &Job<'_>) -> Option<String> {
    let text = &job.code.text;
    let commonjs = text.contains("module.exports") || text.contains("\nexports.");
    let mut names: Vec<String> = Vec::new();
    let mut cases = Vec::new();
    for item in &job.subjects {
        let Some((root, path)) = reach(job, item, commonjs) else { continue };
        if !names.contains(&root) {
            names.push(root);
        }
        let mut checks = vec![(format!("typeof {path}"), "\"function\"".to_owned())];
        checks.push((format!("{path}.length"), length(job, item).to_string()));
        let is_async = job.code.is_async(item);
        if let Some(result) = job.literal_result(item).filter(|_| !path.contains('.') && !is_async) {
            checks.push((format!("{path}()"), result.to_owned()));
        }
        cases.push((path, checks));
    }
    if cases.is_empty() {
        return None;
    }
    let typescript = job.code.language.family() == "typescript";
    let wanted = names.join(", ");
    let hint = job.import_hint();
    let import = if hint.contains("{ NAME }") {
        hint.replace("NAME", &wanted)
    } else if commonjs && !typescript {
        format!("const {{ {wanted} }} = require(\"{}\");", job.relative_path())
    } else {
        let file = job.relative_path();
        let bare = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
        format!("import {{ {wanted} }} from \"{}\";", if typescript && !is_assert(job) { bare } else { &file })
    };
    let how = if import.starts_with("const") { "require" } else { "import" };
    let mut lines = runner(job, how);
    lines.push(String::new());
    lines.push(import);
    for (path, checks) in &cases {
        lines.push(String::new());
        lines.push(format!("describe(\"{path}\", () => {{"));
        lines.push("  it(\"is a function that asks for its parameters\", () => {".to_owned());
        for (left, right) in checks {
            lines.push(if is_assert(job) {
                format!("    assert.strictEqual({left}, {right});")
            } else {
                format!("    expect({left}).toBe({right});")
            });
        }
        lines.push("  });".to_owned());
        lines.push("});".to_owned());
    }
    let start = lines.iter().position(|line| !line.is_empty()).unwrap_or(0);
    Some(format!("{}\n", lines[start..].join("\n")))
}

/// Whether the framework brings no `expect` of its own.
fn is_assert(job: &Job<'_>) -> bool {
    job.framework.contains("node") || job.framework.contains("mocha")
}

/// The lines that bring the framework.
fn runner(job: &Job<'_>, how: &str) -> Vec<String> {
    let bring = |what: &str, from: &str| {
        if how == "require" {
            format!("const {what} = require(\"{from}\");")
        } else {
            format!("import {what} from \"{from}\";")
        }
    };
    if job.framework.contains("node") {
        vec![bring("assert", "node:assert/strict"), bring("{ describe, it }", "node:test")]
    } else if job.framework.contains("mocha") {
        vec![bring("assert", "node:assert/strict")]
    } else if job.framework.contains("jest") {
        // Its functions are global.
        Vec::new()
    } else {
        vec![bring("{ describe, expect, it }", "vitest")]
    }
}

/// The name to import and the expression for the function; none for what is not exported.
fn reach(job: &Job<'_>, item: &Item, commonjs: bool) -> Option<(String, String)> {
    let class = job.code.class_of(item);
    let root = class.unwrap_or(item);
    let exported = if commonjs {
        job.code.text.split("exports").skip(1).any(|rest| {
            let statement = rest.split([';', '}']).next().unwrap_or_default();
            statement.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).any(|word| word == root.name)
        })
    } else {
        let head = job.code.of(&(root.span.start..root.name_span.start));
        head.contains("export ") && !head.contains("default")
    };
    let plain = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    if !exported || root.parent.is_some() || !plain(&item.name) || !plain(&root.name) {
        return None;
    }
    let Some(class) = class else { return Some((item.name.clone(), item.name.clone())) };
    let head = job.code.of(&(item.span.start..item.name_span.start));
    let words: Vec<&str> = head.split_whitespace().collect();
    let accessor = words.iter().any(|word| matches!(*word, "get" | "set" | "private" | "protected" | "abstract"));
    let field = job.code.node(item).is_some_and(|node| node.kind() == "arrow_function");
    if accessor || field || item.name == "constructor" {
        return None;
    }
    let owner = if words.contains(&"static") { class.name.clone() } else { format!("{}.prototype", class.name) };
    Some((class.name.clone(), format!("{owner}.{}", item.name)))
}

/// A function's `length`: the parameters in front of the first with a default or a rest.
fn length(job: &Job<'_>, item: &Item) -> usize {
    let parameters = job.code.all_parameters(item);
    let counted = parameters.iter().filter(|parameter| parameter.name != "this");
    counted.take_while(|parameter| parameter.default.is_none() && !job.code.of(&parameter.span).contains("...")).count()
}
