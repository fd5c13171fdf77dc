//! Python: annotations in the signature.

use super::super::code::{Code, is_callable};
use super::super::tree;
use super::infer::{self, Type};
use super::{Hints, Returns, returns};
use crate::workspace::Span;
use crate::workspace::syntax::Item;

/// Decorators that do not look at annotations; below others an annotation could change what the program does.
const HARMLESS: [&str; 12] = [
    "staticmethod",
    "classmethod",
    "property",
    "abstractmethod",
    "abc.abstractmethod",
    "override",
    "functools.cache",
    "functools.lru_cache",
    "cache",
    "lru_cache",
    "cached_property",
    "functools.cached_property",
];

pub(super) fn hints(code: &Code) -> Hints {
    let mut hints = Hints::default();
    for item in code.functions().filter(|item| code.has(item)) {
        if let Some(decorator) =
            code.decorators(item).find(|name| !HARMLESS.contains(name) && !name.ends_with(".setter"))
        {
            hints.notes.push(format!("`{}` was left alone, as `@{decorator}` may read its annotations.", item.name));
            continue;
        }
        parameters(code, item, &mut hints);
        result(code, item, &mut hints);
    }
    hints
}

fn parameters(code: &Code, item: &Item, hints: &mut Hints) {
    for parameter in code.parameters(item).iter().filter(|parameter| !parameter.has_type) {
        let written = code.of(&parameter.span);
        match &parameter.default {
            Some(default) => {
                let name_end = parameter.span.start + parameter.name.len();
                let between = name_end..default.start;
                let kind = infer::at(code, default).filter(says_enough);
                if let Some(kind) = kind.filter(|_| code.of(&between).trim() == "=") {
                    hints.edits.push((between, format!(": {} = ", spell(&kind, code, item))));
                }
            }
            None if written == parameter.name && is_text(code, item, written) => {
                hints.edits.push((parameter.span.end..parameter.span.end, ": str".to_owned()));
            }
            None => {}
        }
    }
}

/// Whether a default tells what else may be given: `None` does not, and neither does an empty tuple, which mostly stands
/// for anything that can be gone through.
fn says_enough(kind: &Type) -> bool {
    !matches!(kind, Type::None | Type::Tuple(_) | Type::Class(_) | Type::Regex)
}

/// Whether a method that only text has is called on a parameter.
fn is_text(code: &Code, item: &Item, name: &str) -> bool {
    let body = item.body.as_ref().map(|body| code.of(body)).unwrap_or_default();
    ["casefold", "encode", "splitlines", "isidentifier", "isnumeric", "format_map"]
        .iter()
        .any(|method| body.match_indices(&format!("{name}.{method}(")).any(|(at, _)| !ends_in_name(&body[..at])))
}

fn ends_in_name(text: &str) -> bool {
    text.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.')
}

fn result(code: &Code, item: &Item, hints: &mut Hints) {
    let Some(list) = code.node(item).and_then(|node| node.child_by_field_name("parameters")) else { return };
    if code.return_type(item).is_some() || is_stub(code, item) {
        return;
    }
    let facts = code.facts(item);
    let spelled = if facts.yields.is_empty() {
        match (item.name.as_str(), returns(code, item, &facts)) {
            (_, Some(Returns::Nothing)) => Some("None".to_owned()),
            (_, Some(Returns::Value { kind, or_none })) => {
                let spelled = spell(&kind, code, item);
                // A quoted name and `|` do not go together at run time.
                match (or_none, spelled.starts_with('"')) {
                    (false, _) => Some(spelled),
                    (true, false) => Some(format!("{spelled} | None")),
                    (true, true) => Some(format!("\"{} | None\"", spelled.trim_matches('"'))),
                }
            }
            ("__str__" | "__repr__" | "__format__", None) => Some("str".to_owned()),
            ("__len__" | "__hash__" | "__int__" | "__index__", None) => Some("int".to_owned()),
            ("__bool__" | "__contains__", None) => Some("bool".to_owned()),
            _ => None,
        }
    } else if facts.returns.is_empty() && !code.is_async(item) {
        let element = infer::common(facts.yields.iter().map(|value| infer::at(code, value)));
        element.map(|element| {
            let line = "from collections.abc import Iterator".to_owned();
            if !code.text.contains(&line) && !hints.imports.contains(&line) {
                hints.imports.push(line);
            }
            format!("Iterator[{}]", spell(&element, code, item))
        })
    } else {
        None
    };
    if let Some(spelled) = spelled {
        hints.edits.push((list.end_byte()..list.end_byte(), format!(" -> {spelled}")));
    }
}

/// Whether a body has nothing in it but a docstring, `...` or `pass`: what it will return is not known.
fn is_stub(code: &Code, item: &Item) -> bool {
    let body = item.body.as_ref().and_then(|body| tree::covering(code.tree()?, body));
    body.is_none_or(|body| {
        tree::children(body).iter().all(|statement| {
            let text = code.of(&statement.byte_range());
            statement.kind() == "pass_statement" || text == "..." || text.starts_with(['"', '\'', '#'])
        })
    })
}

fn spell(kind: &Type, code: &Code, at: &Item) -> String {
    let spell = |kind: &Type| spell(kind, code, at);
    match kind {
        Type::None => "None".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Float => "float".to_owned(),
        Type::Str => "str".to_owned(),
        Type::Bytes => "bytes".to_owned(),
        Type::List(None) => "list".to_owned(),
        Type::List(Some(element)) => format!("list[{}]", spell(element)),
        Type::Set(None) => "set".to_owned(),
        Type::Set(Some(element)) => format!("set[{}]", spell(element)),
        Type::Map(None) => "dict".to_owned(),
        Type::Map(Some(pair)) => format!("dict[{}, {}]", spell(&pair.0), spell(&pair.1)),
        Type::Tuple(elements) => {
            format!("tuple[{}]", elements.iter().map(spell).collect::<Vec<_>>().join(", "))
        }
        Type::Regex => "object".to_owned(),
        Type::Class(name) => {
            let defined =
                code.items.iter().find(|item| item.name == *name && !is_callable(item)).map(|item| item.span.clone());
            // Annotations are evaluated when the function is defined: a class that is not there yet is quoted.
            let there = defined.is_some_and(|span: Span| span.end <= at.span.start);
            if there { name.clone() } else { format!("\"{name}\"") }
        }
    }
}
