//! pytest and unittest.

use super::super::words::{pascal, snake};
use super::Job;
use crate::workspace::syntax::Item;

pub(super) fn tests(job: &Job<'_>) -> Option<String> {
    let mut cases = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for item in &job.subjects {
        let Some((root, path)) = reach(job, item) else { continue };
        let Some(body) = body(job, item, &path) else { continue };
        if !names.contains(&root) {
            names.push(root);
        }
        cases.push((case_name(job, item), body));
    }
    if cases.is_empty() {
        return None;
    }
    let module = module(job);
    let unittest = job.framework.contains("unittest");
    let mut head = vec!["import inspect".to_owned()];
    if unittest {
        head.push("import unittest".to_owned());
    }
    head.push(String::new());
    head.push(format!("from {module} import {}", names.join(", ")));
    let mut text = head.join("\n");
    text.push('\n');
    if unittest {
        let class = format!("{}Tests", pascal(module.rsplit('.').next().unwrap_or(&module)));
        text.extend(["\n\nclass ", class.as_str(), "(unittest.TestCase):\n"]);
        let methods: Vec<String> = cases
            .iter()
            .map(|(name, checks)| {
                let checks: Vec<String> = checks.iter().map(|check| format!("        {}", check.unittest())).collect();
                format!("    def {name}(self):\n{}\n", checks.join("\n"))
            })
            .collect();
        text.push_str(&methods.join("\n"));
    } else {
        for (name, checks) in &cases {
            text.extend(["\n\ndef ", name.as_str(), "():\n"]);
            for check in checks {
                text.extend(["    ", check.pytest().as_str(), "\n"]);
            }
        }
    }
    Some(text)
}

/// The name to import and the expression for the function; none for what only a running program reaches.
fn reach(job: &Job<'_>, item: &Item) -> Option<(String, String)> {
    let Some(class) = job.code.class_of(item) else { return Some((item.name.clone(), item.name.clone())) };
    // Names with two underscores in front are changed by Python.
    let mangled = item.name.starts_with("__") && !item.name.ends_with("__");
    (class.parent.is_none() && !mangled).then(|| (class.name.clone(), format!("{}.{}", class.name, item.name)))
}

/// What is certain of a function.
enum Check {
    /// Two expressions are equal.
    Equal(String, String),
    /// An expression is this truth value.
    Is(String, String),
    /// An expression holds.
    Holds(String),
}

impl Check {
    /// That a value is a literal.
    fn literal(value: String, literal: &str) -> Self {
        match literal {
            "True" | "False" => Self::Is(value, literal.to_owned()),
            _ => Self::Equal(value, literal.to_owned()),
        }
    }

    fn pytest(&self) -> String {
        match self {
            Self::Equal(left, right) => format!("assert {left} == {right}"),
            Self::Is(left, right) => format!("assert {left} is {right}"),
            Self::Holds(what) => format!("assert {what}"),
        }
    }

    fn unittest(&self) -> String {
        match self {
            Self::Equal(left, right) => format!("self.assertEqual({left}, {right})"),
            Self::Is(left, right) => format!("self.assertIs({left}, {right})"),
            Self::Holds(what) => format!("self.assertTrue({what})"),
        }
    }
}

/// The checks of a function.
fn body(job: &Job<'_>, item: &Item, path: &str) -> Option<Vec<Check>> {
    let mut decorators = job.code.decorators(item);
    let is_property = job
        .code
        .decorators(item)
        .any(|name| name.ends_with("property") || name.contains('.') && name.ends_with("setter"));
    if is_property {
        let (class, name) = path.rsplit_once('.')?;
        return Some(vec![Check::Holds(format!("hasattr({class}, \"{name}\")"))]);
    }
    // Another decorator may put anything in the function's place.
    if decorators.any(|name| !matches!(name, "staticmethod" | "classmethod" | "abstractmethod" | "abc.abstractmethod"))
    {
        return Some(vec![Check::Holds(format!("callable({path})"))]);
    }
    let parameters = if job.code.is_decorated(item, "classmethod") {
        job.code.parameters(item)
    } else {
        job.code.all_parameters(item)
    };
    let names: Vec<String> = parameters.iter().map(|parameter| format!("\"{}\"", parameter.name)).collect();
    let signature = format!("inspect.signature({path}).parameters");
    let mut checks = vec![Check::Equal(format!("list({signature})"), format!("[{}]", names.join(", ")))];
    for parameter in &parameters {
        if let Some(default) = job.literal_default(parameter.default.as_ref()) {
            checks.push(Check::literal(format!("{signature}[\"{}\"].default", parameter.name), default));
        }
    }
    if let Some(result) = job.literal_result(item).filter(|_| !path.contains('.') && !job.code.is_async(item)) {
        checks.push(Check::literal(format!("{path}()"), result));
    }
    Some(checks)
}

fn case_name(job: &Job<'_>, item: &Item) -> String {
    let class = job.code.class_of(item).map_or_else(String::new, |class| format!("{}_", snake(&class.name)));
    let mut name = format!("test_{class}{}_takes_its_parameters", snake(&item.name));
    while job.existing.contains(&format!("def {name}(")) {
        name.push_str("_again");
    }
    name
}

/// The module's name: from the prompt's hint, else from the path.
fn module(job: &Job<'_>) -> String {
    let hint = job.import_hint();
    let hinted = hint
        .strip_prefix("from ")
        .or_else(|| hint.strip_prefix("import "))
        .and_then(|rest| rest.split_whitespace().next());
    if let Some(module) = hinted {
        return module.trim_end_matches([';', ',']).to_owned();
    }
    let path = job.marks.path.trim_end_matches(".py");
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let beside = folder(&job.path) == folder(&job.marks.path);
    let path = path.strip_prefix("src/").or_else(|| path.strip_prefix("lib/")).unwrap_or(path);
    let module = if beside { path.rsplit('/').next().unwrap_or(path) } else { path };
    module.trim_end_matches("/__init__").replace('/', ".")
}
