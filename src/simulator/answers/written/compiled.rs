//! Rust, Go and Java: what the compiler checks is half of the test.

use super::super::words::{pascal, snake};
use super::Job;
use crate::workspace::syntax::{Item, ItemKind};

/// `#[test]` functions for a module inside the file, or for a file of their own.
pub(super) fn rust(job: &Job<'_>) -> Option<String> {
    // `use package::module::NAME;` for tests outside of the crate, which reach only what is public.
    let outside = job.import_hint().strip_suffix("::NAME;").filter(|hint| hint.starts_with("use "));
    let reached = |item: &&&Item| outside.is_none() || job.code.head(item).contains("pub ");
    let cases: Vec<String> = job.subjects.iter().filter(reached).filter_map(|item| rust_case(job, item)).collect();
    if cases.is_empty() {
        return None;
    }
    let import = outside.map_or_else(|| "use super::*".to_owned(), |hint| format!("{hint}::*"));
    Some(format!("{import};\n\n{}\n", cases.join("\n\n")))
}

fn rust_case(job: &Job<'_>, item: &Item) -> Option<String> {
    let code = job.code;
    let head = code.of(&(item.signature.start..item.name_span.start));
    let generics = code.of(&(item.name_span.end..item.signature.end)).trim_start().starts_with('<');
    let words: Vec<&str> = head.split_whitespace().collect();
    if generics || words.iter().any(|word| matches!(*word, "async" | "unsafe" | "extern")) {
        return None;
    }
    // Methods of `impl Type`; those of traits and of generic types would need their parameters.
    let owner = match item.parent.map(|parent| &code.items[parent]) {
        None => None,
        Some(parent) if parent.kind == ItemKind::Class => {
            let head = code.of(&parent.signature);
            let plain = parent.name.chars().all(|c| c.is_alphanumeric() || c == '_')
                && !head.contains('<')
                && !head.contains(" for ");
            Some(plain.then(|| parent.name.clone())?)
        }
        Some(parent) if parent.kind == ItemKind::Module => return None,
        Some(_) => return None,
    };
    let own = |text: &str| match &owner {
        Some(owner) => text
            .split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map(|piece| piece.replace("Self", owner))
            .collect(),
        None => text.to_owned(),
    };
    let mut types = Vec::new();
    for parameter in code.all_parameters(item) {
        let written = code.of(&parameter.span).trim();
        let kind = match (written, &owner) {
            ("self" | "mut self", Some(owner)) => owner.clone(),
            ("&self", Some(owner)) => format!("&{owner}"),
            ("&mut self", Some(owner)) => format!("&mut {owner}"),
            _ => own(type_of(written)?),
        };
        if kind.contains("impl ") || kind.contains('\'') {
            return None;
        }
        types.push(kind);
    }
    let result = code.return_type(item).map(|span| own(code.of(&span)));
    if result.as_ref().is_some_and(|result| result.contains("impl ") || result.contains('\'')) {
        return None;
    }
    // Of several borrowed parameters a method's result borrows from the first, but a function pointer's from none.
    let borrowed: usize = types.iter().map(|kind| kind.matches('&').count()).sum();
    if borrowed > 1 && result.as_ref().is_some_and(|result| result.contains('&')) {
        return None;
    }
    let path = owner.as_ref().map_or_else(|| item.name.clone(), |owner| format!("{owner}::{}", item.name));
    let arrow = result.map_or_else(String::new, |result| format!(" -> {result}"));
    let name = format!("{}_has_its_signature", snake(&path.replace("::", "_")));
    let mut lines = vec!["#[test]".to_owned(), format!("fn {name}() {{")];
    lines.push(format!("    let function: fn({}){arrow} = {path};", types.join(", ")));
    lines.push("    assert_eq!(std::mem::size_of_val(&function), std::mem::size_of::<usize>());".to_owned());
    lines.push("}".to_owned());
    Some(lines.join("\n"))
}

/// What stands behind the colon of a parameter; a path's two colons are none.
fn type_of(parameter: &str) -> Option<&str> {
    let bytes = parameter.as_bytes();
    let is_single = |at: &usize| bytes.get(at + 1) != Some(&b':') && (*at == 0 || bytes[at - 1] != b':');
    let colon = parameter.match_indices(':').map(|(at, _)| at).find(is_single)?;
    Some(parameter[colon + 1..].trim())
}

/// Functions of the package, by reflection.
pub(super) fn go(job: &Job<'_>) -> Option<String> {
    let package = job.code.text.lines().find_map(|line| line.strip_prefix("package "))?.trim();
    let cases: Vec<String> = job.subjects.iter().filter_map(|item| go_case(job, item)).collect();
    if cases.is_empty() {
        return None;
    }
    let clause = if job.existing.trim().is_empty() { format!("package {package}\n\n") } else { String::new() };
    let imports = "import (\n\t\"reflect\"\n\t\"testing\"\n)";
    Some(format!("{clause}{imports}\n\n{}\n", cases.join("\n\n")))
}

fn go_case(job: &Job<'_>, item: &Item) -> Option<String> {
    let code = job.code;
    let behind = code.of(&(item.name_span.end..item.signature.end));
    if behind.starts_with('[') || matches!(item.name.as_str(), "main" | "init" | "_") {
        return None;
    }
    let mut count = code.all_parameters(item).len();
    let head = code.of(&(item.signature.start..item.name_span.start));
    let receiver = head.trim().strip_prefix("func")?.trim().trim_start_matches('(').trim_end_matches(')');
    let path = if receiver.is_empty() {
        item.name.clone()
    } else {
        count += 1;
        let kind = receiver.split_whitespace().last()?;
        if kind.contains('[') {
            return None;
        }
        format!("({kind}).{}", item.name)
    };
    let test = format!("Test{}TakesItsParameters", pascal(&path));
    Some(format!(
        "func {test}(t *testing.T) {{\n\tfunction := reflect.TypeOf({path})\n\tif function.NumIn() != {count} {{\n\t\t\
         t.Errorf(\"{path} takes %d parameters, not {count}\", function.NumIn())\n\t}}\n}}"
    ))
}

/// Methods of a class, by reflection.
pub(super) fn java(job: &Job<'_>) -> Option<String> {
    let class = job.subjects.iter().find_map(|item| job.code.class_of(item).filter(|class| class.parent.is_none()))?;
    let old = job.framework.contains('4');
    let cases: Vec<String> = job
        .subjects
        .iter()
        .filter(|item| job.code.class_of(item) == Some(class) && item.name != class.name)
        .map(|item| {
            let (class, name) = (&class.name, &item.name);
            let count = job.code.all_parameters(item).len();
            let test = format!("{name}TakesItsParameters");
            let visibility = if old { "public " } else { "" };
            format!(
                "    @Test\n    {visibility}void {test}() {{\n        assertTrue(Arrays.stream({class}.class.getDeclaredMethods())\n            \
                 .anyMatch(method -> method.getName().equals(\"{name}\") && method.getParameterCount() == {count}));\n    }}"
            )
        })
        .collect();
    if cases.is_empty() {
        return None;
    }
    let package = job.code.text.lines().find(|line| line.trim_start().starts_with("package "));
    let package = package
        .filter(|_| job.existing.trim().is_empty())
        .map_or_else(String::new, |line| format!("{}\n\n", line.trim()));
    let (assert, test) = if old {
        ("org.junit.Assert.assertTrue", "org.junit.Test")
    } else {
        ("org.junit.jupiter.api.Assertions.assertTrue", "org.junit.jupiter.api.Test")
    };
    let visibility = if old { "public " } else { "" };
    let name = job.path.rsplit('/').next().and_then(|file| file.strip_suffix(".java")).filter(|name| !name.is_empty());
    let name = name.map_or_else(|| format!("{}Test", class.name), str::to_owned);
    let mut seen = std::collections::BTreeSet::new();
    let cases: Vec<String> =
        cases.into_iter().filter(|case| seen.insert(case.lines().nth(1).map(str::to_owned))).collect();
    Some(format!(
        "{package}import static {assert};\n\nimport java.util.Arrays;\nimport {test};\n\n{visibility}class {name} {{\n{}\n}}\n",
        cases.join("\n\n")
    ))
}
