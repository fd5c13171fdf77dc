//! JavaScript, Ruby, PHP and Lua: types in comments above the function, which change nothing at run time.

use super::super::code::{Code, Facts};
use super::super::place;
use super::infer::{self, Type};
use super::typescript;
use super::{Hints, Returns, returns};
use crate::workspace::syntax::{Item, Parameter};

pub(super) fn hints(code: &Code) -> Hints {
    let mut hints = Hints::default();
    for item in code.functions().filter(|item| code.has(item)) {
        if place::has_comment(code, item) {
            hints.notes.push(format!("`{}` has a comment already and was left alone.", item.name));
            continue;
        }
        let facts = code.facts(item);
        let mut lines: Vec<String> =
            code.parameters(item).iter().filter_map(|parameter| line(code, parameter)).collect();
        lines.extend(result(code, item, &facts));
        if let Some(edit) = place::above(code, item, &comment(code, &lines)).filter(|_| !lines.is_empty()) {
            hints.edits.push(edit);
        }
    }
    hints
}

fn comment(code: &Code, lines: &[String]) -> Vec<String> {
    match code.language.family() {
        "ruby" => lines.iter().map(|line| format!("# {line}")).collect(),
        "lua" => lines.iter().map(|line| format!("---{line}")).collect(),
        _ => place::star_comment(lines),
    }
}

fn line(code: &Code, parameter: &Parameter) -> Option<String> {
    let default = parameter.default.as_ref()?;
    let kind = infer::at(code, default).filter(|kind| *kind != Type::None)?;
    let name = &parameter.name;
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$') {
        return None;
    }
    Some(match code.language.family() {
        "javascript" => format!("@param {{{}}} [{name}={}]", typescript::spell(&kind), code.of(default)),
        "ruby" => format!("@param {name} [{}]", ruby(&kind)),
        "php" => format!("@param {} ${name}", php(&kind)),
        _ => format!("@param {name} {}", lua(&kind)),
    })
}

fn result(code: &Code, item: &Item, facts: &Facts) -> Option<String> {
    let family = code.language.family();
    if !facts.yields.is_empty() || matches!(item.name.as_str(), "constructor" | "initialize" | "__construct") {
        return None;
    }
    // In Ruby the last expression is returned without a word; what it is would have to be guessed.
    if family == "ruby" {
        return None;
    }
    let Returns::Value { kind, or_none } = returns(code, item, facts)? else { return None };
    let is_async = code.is_async(item);
    Some(match (family, or_none) {
        ("javascript", true) => return None,
        ("javascript", false) if is_async => format!("@returns {{Promise<{}>}}", typescript::spell(&kind)),
        ("javascript", false) => format!("@returns {{{}}}", typescript::spell(&kind)),
        ("php", false) => format!("@return {}", php(&kind)),
        ("php", true) => format!("@return {}|null", php(&kind)),
        (_, false) => format!("@return {}", lua(&kind)),
        (_, true) => format!("@return {}?", lua(&kind)),
    })
}

fn ruby(kind: &Type) -> String {
    match kind {
        Type::None => "nil".to_owned(),
        Type::Bool => "Boolean".to_owned(),
        Type::Int => "Integer".to_owned(),
        Type::Float => "Float".to_owned(),
        Type::Str | Type::Bytes => "String".to_owned(),
        Type::List(Some(element)) => format!("Array<{}>", ruby(element)),
        Type::List(None) | Type::Tuple(_) => "Array".to_owned(),
        Type::Set(_) => "Set".to_owned(),
        Type::Map(Some(pair)) => format!("Hash{{{} => {}}}", ruby(&pair.0), ruby(&pair.1)),
        Type::Map(None) => "Hash".to_owned(),
        Type::Regex => "Regexp".to_owned(),
        Type::Class(name) => name.clone(),
    }
}

fn php(kind: &Type) -> String {
    match kind {
        Type::None => "null".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Float => "float".to_owned(),
        Type::Str | Type::Bytes | Type::Regex => "string".to_owned(),
        Type::List(Some(element)) => format!("list<{}>", php(element)),
        Type::List(None) | Type::Tuple(_) | Type::Set(_) | Type::Map(_) => "array".to_owned(),
        Type::Class(name) => name.clone(),
    }
}

fn lua(kind: &Type) -> String {
    match kind {
        Type::None => "nil".to_owned(),
        Type::Bool => "boolean".to_owned(),
        Type::Int => "integer".to_owned(),
        Type::Float => "number".to_owned(),
        Type::Str | Type::Bytes | Type::Regex => "string".to_owned(),
        Type::List(_) | Type::Tuple(_) | Type::Set(_) | Type::Map(_) => "table".to_owned(),
        Type::Class(name) => name.clone(),
    }
}
