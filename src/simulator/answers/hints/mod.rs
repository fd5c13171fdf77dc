//! Type hints from defaults, literals and return statements: only what the code itself gives away.

mod comments;
mod infer;
mod python;
mod typescript;

use self::infer::Type;
use super::code::{Code, Facts, edited, fenced};
use super::tree;
use crate::workspace::Span;
use crate::workspace::syntax::Item;

/// Edits of the document, imports that they need, and what the user should know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Hints {
    edits: Vec<(Span, String)>,
    imports: Vec<String>,
    notes: Vec<String>,
}

/// The answer: the selection with hints, and a note.
pub(super) fn answer(code: &Code) -> String {
    let hints = match code.language.family() {
        "python" => python::hints(code),
        "typescript" => typescript::hints(code),
        "javascript" | "ruby" | "php" | "lua" => comments::hints(code),
        _ => Hints::default(),
    };
    let mut parts = vec![fenced(code.language.fence, &edited(code, hints.edits.clone()))];
    if !hints.imports.is_empty() {
        let imports = fenced(&format!("{} imports", code.language.fence), &hints.imports.join("\n"));
        parts.push(imports);
    }
    let changed = if hints.edits.is_empty() {
        "nothing in this selection gives a type away, so nothing was changed."
    } else {
        "only types that defaults, literals and `return` give away were added."
    };
    let mut note = format!("Simulated answer, no model has read this code: {changed}");
    for more in &hints.notes {
        note.push(' ');
        note.push_str(more);
    }
    parts.push(note);
    parts.join("\n\n")
}

/// What a function returns, as far as all of its ways out are known.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Returns {
    /// It never returns a value.
    Nothing,
    /// Always this, or nothing at all on some ways if `or_none`.
    Value { kind: Type, or_none: bool },
}

/// What the statements of a function say of its result.
fn returns(code: &Code, item: &Item, facts: &Facts) -> Option<Returns> {
    let body = tree::covering(code.tree()?, item.body.as_ref()?)?;
    let ends = always_leaves(body);
    if facts.returns.is_empty() {
        // A body that only fails says nothing about what others that override it return.
        return (!ends).then_some(Returns::Nothing);
    }
    let types: Vec<Option<Type>> = facts.returns.iter().map(|value| infer::at(code, value)).collect();
    let (nothing, values): (Vec<_>, Vec<_>) = types.into_iter().partition(|kind| *kind == Some(Type::None));
    let or_none = !nothing.is_empty() || facts.bare_returns || !ends;
    if values.is_empty() {
        return Some(Returns::Nothing);
    }
    Some(Returns::Value { kind: infer::common(values)?, or_none })
}

/// Whether control never comes to the end of a block.
fn always_leaves(node: tree_sitter::Node<'_>) -> bool {
    let children = tree::children(node);
    let last = children.iter().rev().find(|child| !child.kind().contains("comment"));
    match node.kind() {
        "return_statement" | "raise_statement" | "throw_statement" | "return" => true,
        "block" | "statement_block" | "compound_statement" | "else_clause" | "module" | "body_statement" => {
            last.is_some_and(|last| always_leaves(*last))
        }
        "expression_statement" => last.is_some_and(|last| last.kind() == "throw_expression"),
        "with_statement" => last.is_some_and(|last| always_leaves(*last)),
        "if_statement" => {
            let branches: Vec<_> = children
                .iter()
                .filter(|child| {
                    matches!(
                        child.kind(),
                        "block" | "statement_block" | "compound_statement" | "elif_clause" | "else_clause"
                    )
                })
                .collect();
            let has_else = children.iter().any(|child| child.kind() == "else_clause");
            let arrow = children.iter().filter(|child| child.kind() == "return_statement").count();
            has_else && branches.len() + arrow > 1 && branches.iter().all(|branch| always_leaves(**branch))
        }
        "elif_clause" => last.is_some_and(|last| always_leaves(*last)),
        _ => false,
    }
}
