//! A file or an object of settings taken apart into its single values, each with its place, so that each can be judged
//! alone.

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::snake;
use super::{Problem, Source};

/// One value, as a layer says it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    /// The keys that lead to it, in `snake_case`; names of actions and models as they are.
    pub(super) path: Vec<String>,
    /// The same keys with dots, as the source spells them.
    pub(super) spelled: String,
    /// The value, or what kind of value it is that no setting takes.
    pub(super) value: Result<Value, &'static str>,
    /// Line and column of the key, from 1.
    pub(super) place: Option<(usize, usize)>,
}

impl Leaf {
    /// The dotted `snake_case` name.
    pub(super) fn key(&self) -> String {
        self.path.join(".")
    }

    /// The value alone in its sections, as the raw options take it. A value of no known kind is null there.
    pub(super) fn nested(&self, value: &Value) -> Value {
        self.path.iter().rev().fold(value.clone(), |inner, key| Value::Object(Map::from_iter([(key.clone(), inner)])))
    }
}

/// The values of a TOML text. A text that does not parse is one problem, with its place.
pub(super) fn of_toml(text: &str, source: &Source) -> Result<Vec<Leaf>, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let table = DeTable::parse(text).map_err(|error| Problem {
        source: source.clone(),
        place: Some(place(text, error.span().map_or(0, |span| span.start))),
        key: String::new(),
        message: format!("not TOML, so nothing in this file counts: {}", error.message().replace('\n', " ")),
    })?;
    let mut leaves = Vec::new();
    toml_table(text, table.get_ref(), &mut Vec::new(), &mut leaves);
    // By place in the file, so that problems come in the order in which they are read.
    leaves.sort_by_key(|leaf| leaf.place);
    Ok(leaves)
}

fn toml_table(text: &str, table: &DeTable<'_>, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => toml_table(text, inner, path, leaves),
            scalar => leaves.push(Leaf {
                path: path.clone(),
                spelled: path.join("."),
                value: toml_value(scalar),
                place: Some(place(text, key.span().start)),
            }),
        }
        path.pop();
    }
}

fn toml_value(value: &DeValue<'_>) -> Result<Value, &'static str> {
    match value {
        DeValue::String(text) => Ok(Value::String(text.to_string())),
        DeValue::Boolean(value) => Ok(Value::Bool(*value)),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(&number.as_str().replace('_', ""), number.radix());
            parsed.map(Value::from).map_err(|_| "a number too large")
        }
        DeValue::Float(number) => {
            let parsed: Option<f64> = number.as_str().replace('_', "").parse().ok();
            parsed.and_then(Number::from_f64).map(Value::Number).ok_or("a number that is not finite")
        }
        DeValue::Datetime(_) => Err("a date or time"),
        DeValue::Array(items) => items.iter().map(|item| toml_value(item.get_ref())).collect(),
        DeValue::Table(table) => {
            let member = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                Ok((key.to_string(), toml_value(value.get_ref())?))
            };
            table.iter().map(member).collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
    }
}

/// Line and column, from 1, of a byte offset; columns count characters.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let end = (0..=offset.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The values of an editor's settings, bare or under `aside`. `null` means "not set", as VS Code sends it.
pub(super) fn of_json(settings: &Value) -> Vec<Leaf> {
    let settings = match settings.get("aside") {
        Some(section) => section,
        None => settings,
    };
    let mut leaves = Vec::new();
    if let Value::Object(members) = settings {
        json_object(members, &mut Vec::new(), &mut Vec::new(), &mut leaves);
    }
    leaves
}

fn json_object(
    members: &Map<String, Value>,
    path: &mut Vec<String>,
    spelled: &mut Vec<String>,
    leaves: &mut Vec<Leaf>,
) {
    for (key, value) in members {
        let outer = path.len();
        // What stands under `actions` is the action's own name, and the model's under `prices`. Elsewhere `cache.ttl` is
        // short for `ttl` in `cache`.
        match path.as_slice() {
            [section] if section == "actions" || section == "prices" => path.push(key.clone()),
            [] => path.extend(key.strip_prefix("aside.").unwrap_or(key).split('.').map(snake)),
            _ => path.extend(key.split('.').map(snake)),
        }
        spelled.push(key.clone());
        match value {
            Value::Null => {}
            Value::Object(inner) => json_object(inner, path, spelled, leaves),
            scalar => leaves.push(Leaf {
                path: path.clone(),
                spelled: spelled.join("."),
                value: Ok(scalar.clone()),
                place: None,
            }),
        }
        spelled.pop();
        path.truncate(outer);
    }
}
