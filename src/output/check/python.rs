//! What speaks against annotations of Python that left the code as it was: most are evaluated, and some are read.

mod facts;
mod readers;

use std::collections::HashSet;

use facts::Facts;

use super::difference::shortened;
use super::names::{is_python_builtin, is_python_module, undefined};
use super::stream::{Annotation, Site, Stream};

pub(super) fn objection(before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    let new = after.new_annotations(before);
    if new.is_empty() && after.new_imports(before).is_empty() {
        return None;
    }
    let facts = Facts::of(after);
    new.iter()
        .find_map(|annotation| misplaced(annotation, after, &facts))
        .or_else(|| imports(before, after, &facts))
        .or_else(|| new.iter().find_map(|annotation| readers::objection(annotation, after, &facts)))
        .or_else(|| new.iter().find_map(|annotation| unknown(annotation, after, &facts)))
}

/// Annotations that Python refuses, or that make a name local, though the grammar takes them.
fn misplaced(annotation: &Annotation<'_>, after: &Stream<'_>, facts: &Facts<'_>) -> Option<String> {
    let Site::Variable { bare } = annotation.site else { return None };
    let target = annotation.owner.child_by_field_name("left")?;
    let line = after.line(target.start_byte());
    let code = shortened(&after.text[annotation.owner.byte_range()]);
    let single = matches!(target.kind(), "identifier" | "attribute" | "subscript" | "parenthesized_expression");
    let chained = annotation.owner.child_by_field_name("right").is_some_and(|right| right.kind() == "assignment")
        || annotation.owner.parent().is_some_and(|parent| parent.kind() == "assignment");
    if !single || chained {
        return Some(format!("it annotates several targets at once in line {line}, which Python refuses: `{code}`"));
    }
    let function = annotation.scopes.first().filter(|scope| scope.kind() == "function_definition")?;
    let name = &after.text[target.byte_range()];
    if target.kind() != "identifier" {
        return None;
    }
    if facts.is_global_in(*function, name) {
        return Some(format!("it annotates `{name}` in line {line}, which is global there; Python refuses that"));
    }
    (bare && !facts.assigns_in(*function, name)).then(|| {
        format!("it declares `{name}` in line {line}, which makes it a variable of that function and hides any other")
    })
}

/// New imports must be for annotations and must not load anything that was not loaded before.
fn imports(before: &Stream<'_>, after: &Stream<'_>, facts: &Facts<'_>) -> Option<String> {
    let new = after.new_imports(before);
    let guards = new.iter().any(|import| import.types_only);
    let used: HashSet<&str> = after
        .annotations
        .iter()
        .flat_map(|annotation| facts::names(facts::kind_of(annotation, after)))
        .map(|(name, _)| name)
        .collect();
    for import in new {
        let line = after.line(import.start);
        if import.module == "__future__" {
            if import.bound != "annotations" {
                return Some(format!("it adds `{}` in line {line}, which changes how the code runs", import.key));
            }
            // From here on no annotation is evaluated, also none that was there.
            let reader = after.annotations.iter().find_map(|annotation| readers::reader(annotation, after, facts))?;
            return Some(format!(
                "it adds `{}` in line {line}, which turns all annotations into text, and {reader} reads them",
                import.key
            ));
        }
        let guard = import.bound == "TYPE_CHECKING" || import.module == "typing" && guards;
        if !used.contains(import.bound.as_str()) && !guard {
            return Some(format!("it adds `{}` in line {line}, which no annotation uses", import.key));
        }
        if facts.defines(&import.bound) {
            return Some(format!(
                "it adds `{}` in line {line}, and `{}` is the name of something else in this file",
                import.key, import.bound
            ));
        }
        let loaded = before.imports.iter().any(|other| other.module == import.module && !other.types_only);
        if !(import.types_only || loaded || is_python_module(&import.module)) {
            return Some(format!(
                "it adds `{}` in line {line}, which loads a module when the program runs; it must stand under \
                 `if TYPE_CHECKING:`, and what it imports in quotes",
                import.key
            ));
        }
    }
    None
}

/// A name that is not there, or not yet there when the annotation is evaluated.
fn unknown(annotation: &Annotation<'_>, after: &Stream<'_>, facts: &Facts<'_>) -> Option<String> {
    if facts.imports_all {
        return None;
    }
    let kind = facts::kind_of(annotation, after);
    let at = annotation.node.start_byte();
    // To count lines takes a look at all of the text before.
    let line = || after.line(at);
    let in_function = |scope: Option<&tree_sitter::Node<'_>>| {
        scope.is_some_and(|scope| matches!(scope.kind(), "function_definition" | "lambda"))
    };
    let (evaluated, at_once) = match annotation.site {
        // What is local to a function is never evaluated.
        Site::Variable { .. } => (!in_function(annotation.scopes.first()), true),
        _ => (true, !annotation.scopes.iter().skip(1).any(|scope| in_function(Some(scope)))),
    };
    let evaluated = evaluated && !facts.postponed;
    facts::names(kind).into_iter().find_map(|(name, quoted)| {
        if facts.checked_only(name) {
            return (evaluated && !quoted).then(|| {
                format!(
                    "it writes the type `{}` in line {}, where `{name}` is imported for type checkers only and is missing \
                     when the program runs; the type must stand in quotes",
                    shortened(kind),
                    line()
                )
            });
        }
        match facts.there_from(name) {
            None if is_python_builtin(name) => None,
            None => Some(undefined(line(), kind, name)),
            Some(from) => (evaluated && at_once && !quoted && from > at).then(|| {
                format!(
                    "it writes the type `{}` in line {}, where `{name}` is not defined yet; the type must stand in quotes",
                    shortened(kind),
                    line()
                )
            }),
        }
    })
}
