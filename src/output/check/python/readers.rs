//! Who reads annotations when a program of Python runs.

use std::sync::LazyLock;

use serde::Deserialize;
use tree_sitter::Node;

use super::facts::Facts;
use crate::output::check::difference::shortened;
use crate::output::check::stream::{Annotation, Site, Stream};
use crate::tables;

/// The names by which readers are known.
#[derive(Deserialize)]
struct Table {
    harmless_decorators: Vec<String>,
    harmless_packages: Vec<String>,
    field_readers: Vec<String>,
    function_readers: Vec<String>,
    harmless_bases: Vec<String>,
}

#[expect(clippy::expect_used, reason = "the table is part of the program, and a test reads it")]
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    tables::read(include_str!("../known/python_readers.toml")).expect("the table of readers is valid")
});

fn listed(names: &[String], name: &str) -> bool {
    names.iter().any(|listed| listed == name)
}

/// Why an annotation may not be added, if something reads it when the program runs.
pub(super) fn objection(annotation: &Annotation<'_>, after: &Stream<'_>, facts: &Facts<'_>) -> Option<String> {
    let reader = reader(annotation, after, facts).or_else(|| {
        let local = matches!(annotation.site, Site::Variable { .. })
            && annotation.scopes.first().is_some_and(|scope| scope.kind() == "function_definition");
        let reads = facts.reads.filter(|_| !local)?;
        Some(format!("`{reads}` in this file"))
    })?;
    Some(format!(
        "it writes the type `{}` in line {}, where it acts when the program runs: {reader} reads it",
        shortened(super::facts::kind_of(annotation, after)),
        after.line(annotation.node.start_byte()),
    ))
}

/// Who reads an annotation: a phrase such as `` `@dataclass` ``.
pub(super) fn reader(annotation: &Annotation<'_>, after: &Stream<'_>, facts: &Facts<'_>) -> Option<String> {
    let innermost = *annotation.scopes.first()?;
    match (annotation.site, innermost.kind()) {
        (Site::Variable { .. }, "class_definition") => {
            of_fields(innermost, wrapped(innermost, annotation.scopes.get(1)), after, facts)
        }
        (Site::Variable { .. }, _) => None,
        (_, "function_definition") => {
            let around = wrapped(innermost, annotation.scopes.get(1));
            of_function(innermost, around, after, facts).or_else(|| {
                let mut outer = annotation.scopes[1..].iter().skip(usize::from(around.is_some()));
                let class = *outer.next().filter(|scope| scope.kind() == "class_definition")?;
                of_methods(wrapped(class, outer.next()), after, facts)
            })
        }
        _ => None,
    }
}

/// `around`, if it is the decorated definition of `node`.
fn wrapped<'a>(node: Node<'a>, around: Option<&Node<'a>>) -> Option<Node<'a>> {
    around.filter(|outer| outer.child_by_field_name("definition") == Some(node)).copied()
}

/// The decorators of a decorated definition, without `@` and arguments.
fn decorators<'s>(decorated: Option<Node<'_>>, text: &'s str) -> Vec<&'s str> {
    let Some(decorated) = decorated else { return Vec::new() };
    let mut cursor = decorated.walk();
    let all = decorated.named_children(&mut cursor).filter(|child| child.kind() == "decorator");
    all.map(|decorator| {
        text[decorator.byte_range()].trim_start_matches('@').split(['(', '#']).next().unwrap_or("").trim()
    })
    .collect()
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Whether a decorator is one that nothing is known against.
fn is_harmless(name: &str, facts: &Facts<'_>) -> bool {
    let package = name.split('.').next().unwrap_or(name);
    let reads = listed(&TABLE.function_readers, last(name)) && package != "click";
    // One that is written in this file reads annotations only if the file has words for that.
    let own = facts.functions.contains_key(name) && facts.reads.is_none();
    !reads && (listed(&TABLE.harmless_decorators, last(name)) || listed(&TABLE.harmless_packages, package)) || own
}

fn of_function(function: Node<'_>, around: Option<Node<'_>>, after: &Stream<'_>, facts: &Facts<'_>) -> Option<String> {
    let decorated = decorators(around, after.text).into_iter().find(|name| !is_harmless(name, facts));
    if let Some(name) = decorated {
        return Some(says(&format!("@{name}"), listed(&TABLE.function_readers, last(name))));
    }
    let name = function.child_by_field_name("name").map(|name| &after.text[name.byte_range()])?;
    let (callee, _) = facts.handed_over.iter().find(|(callee, argument)| {
        *argument == name && (listed(&TABLE.function_readers, last(callee)) || *callee == "typer.run")
    })?;
    Some(format!("`{callee}`, which `{name}` is handed over to,"))
}

fn says(name: &str, sure: bool) -> String {
    if sure { format!("`{name}`") } else { format!("`{name}`, as far as can be seen from here,") }
}

fn of_methods(around: Option<Node<'_>>, after: &Stream<'_>, facts: &Facts<'_>) -> Option<String> {
    let reads = |name: &&str| !is_harmless(name, facts) && !listed(&TABLE.field_readers, last(name));
    decorators(around, after.text).into_iter().find(reads).map(|name| says(&format!("@{name}"), false))
}

fn of_fields(class: Node<'_>, around: Option<Node<'_>>, after: &Stream<'_>, facts: &Facts<'_>) -> Option<String> {
    let decorator = decorators(around, after.text).into_iter().find(|name| !is_harmless(name, facts));
    if let Some(name) = decorator {
        return Some(says(&format!("@{name}"), listed(&TABLE.field_readers, last(name))));
    }
    let base = reading_base(class, after.text, facts, 0)?;
    Some(says(
        base,
        matches!(last(base), "BaseModel" | "NamedTuple" | "TypedDict" | "BaseSettings" | "Struct" | "SQLModel"),
    ))
}

/// A base of a class, or of its bases in this file, that may read the annotations of fields.
fn reading_base<'s>(class: Node<'_>, text: &'s str, facts: &Facts<'_>, depth: usize) -> Option<&'s str> {
    const DEEPEST: usize = 16;
    let bases = class.child_by_field_name("superclasses")?;
    let mut cursor = bases.walk();
    bases.named_children(&mut cursor).find_map(|base| {
        let base = match base.kind() {
            "keyword_argument" => {
                let value = base.child_by_field_name("value")?;
                let name = base.child_by_field_name("name").map(|name| &text[name.byte_range()]);
                return (name == Some("metaclass") && last(&text[value.byte_range()]) != "ABCMeta")
                    .then(|| &text[value.byte_range()]);
            }
            "subscript" => base.child_by_field_name("value")?,
            "identifier" | "attribute" => base,
            _ => return None,
        };
        let name = &text[base.byte_range()];
        if let Some(class) = facts.classes.get(name).filter(|_| depth < DEEPEST) {
            return reading_base(*class, text, facts, depth + 1);
        }
        let is_exception = ["Error", "Exception", "Warning"].iter().any(|end| name.ends_with(end));
        let harmless = is_exception
            || listed(&TABLE.harmless_bases, last(name))
            || crate::output::check::names::is_python_builtin(name);
        (!harmless).then_some(name)
    })
}
