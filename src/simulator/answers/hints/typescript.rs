//! TypeScript: annotations in the signature.

use super::super::code::Code;
use super::infer::{self, Type};
use super::{Hints, Returns, returns};

pub(super) fn hints(code: &Code) -> Hints {
    let mut hints = Hints::default();
    for item in code.functions().filter(|item| code.has(item)) {
        for parameter in code.parameters(item).iter().filter(|parameter| !parameter.has_type) {
            let Some(default) = &parameter.default else { continue };
            let Some(kind) = infer::at(code, default).filter(|kind| *kind != Type::None) else { continue };
            let at = parameter.span.start + parameter.name.len();
            if code.of(&(at..default.start)).trim() == "=" {
                hints.edits.push((at..at, format!(": {}", spell(&kind))));
            }
        }
        if code.return_type(item).is_some() || item.name == "constructor" {
            continue;
        }
        let Some(list) = code.node(item).and_then(|node| node.child_by_field_name("parameters")) else { continue };
        let facts = code.facts(item);
        if !facts.yields.is_empty() || !code.of(&list.byte_range()).starts_with('(') {
            continue;
        }
        let spelled = match returns(code, item, &facts) {
            Some(Returns::Nothing) => "void".to_owned(),
            Some(Returns::Value { kind, or_none: false }) => spell(&kind),
            Some(Returns::Value { kind, or_none: true }) if facts.bare_returns => {
                format!("{} | undefined", spell(&kind))
            }
            Some(Returns::Value { kind, or_none: true }) if says_null(code, &facts.returns) => {
                format!("{} | null", spell(&kind))
            }
            _ => continue,
        };
        let is_async = code.is_async(item);
        let spelled = if is_async { format!("Promise<{spelled}>") } else { spelled };
        hints.edits.push((list.end_byte()..list.end_byte(), format!(": {spelled}")));
    }
    hints
}

fn says_null(code: &Code, returns: &[crate::workspace::Span]) -> bool {
    returns.iter().any(|value| code.of(value) == "null")
}

pub(super) fn spell(kind: &Type) -> String {
    match kind {
        Type::None => "null".to_owned(),
        Type::Bool => "boolean".to_owned(),
        Type::Int | Type::Float => "number".to_owned(),
        Type::Str => "string".to_owned(),
        Type::Bytes => "Uint8Array".to_owned(),
        Type::List(Some(element)) => format!("{}[]", spell(element)),
        Type::List(None) => "unknown[]".to_owned(),
        Type::Set(_) => "Set<unknown>".to_owned(),
        Type::Map(Some(pair)) => format!("Record<string, {}>", spell(&pair.1)),
        Type::Map(None) => "Record<string, unknown>".to_owned(),
        Type::Tuple(elements) => format!("[{}]", elements.iter().map(spell).collect::<Vec<_>>().join(", ")),
        Type::Regex => "RegExp".to_owned(),
        Type::Class(name) => name.clone(),
    }
}
