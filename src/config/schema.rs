//! The JSON schema of the configuration, made from [`Options`] and the built-in values.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::keys::camel;

/// How keys are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `config.toml`.
    Snake,
    /// An editor's settings.
    Camel,
}

/// The JSON schema, with descriptions and defaults, of a `config.toml` or of an editor's `aside` section.
pub fn schema(spelling: Spelling) -> Value {
    match spelling {
        Spelling::Snake => SNAKE.clone(),
        Spelling::Camel => respell(&SNAKE, false),
    }
}

/// All keys by their dotted `snake_case` names, in the order of the reference; the name of an action or a model is `NAME`.
pub fn key_names() -> Vec<String> {
    let mut names = Vec::new();
    collect(&SNAKE, "", &mut |name, _| names.push(name.to_owned()));
    names
}

/// Calls `visit` with each key's dotted name and schema.
pub(super) fn each_key(visit: &mut dyn FnMut(&str, &Value)) {
    collect(&SNAKE, "", visit);
}

/// The schema of the value or section at a path of `snake_case` keys.
pub(super) fn at(path: &[String]) -> Option<&'static Value> {
    path.iter().try_fold(&*SNAKE, |schema, key| {
        let properties = schema.get("properties").and_then(|properties| properties.get(key));
        properties.or_else(|| schema.get("additionalProperties").filter(|inner| inner.is_object()))
    })
}

/// The values that a schema allows by name, each with its description.
pub(super) fn choices(schema: &Value) -> Vec<(&str, &str)> {
    let named = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten().filter_map(|choice| {
        let description = choice.get("description").and_then(Value::as_str).unwrap_or_default();
        Some((choice.get("const")?.as_str()?, description))
    });
    let plain = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    named.chain(plain.filter_map(|choice| Some((choice.as_str()?, "")))).collect()
}

/// What a value may be, in words.
pub(super) fn takes(key: &Value) -> String {
    let choices = choices(key);
    if !choices.is_empty() {
        return choices.iter().map(|(choice, _)| format!("`\"{choice}\"`")).collect::<Vec<_>>().join(", ");
    }
    let number = |name: &str| key.get(name).and_then(Value::as_u64);
    match (key.get("type").and_then(Value::as_str), number("minimum"), number("maximum")) {
        (Some("integer"), Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
        (Some("number"), Some(min), Some(max)) => format!("a number from {min} to {max}"),
        (Some("number"), ..) => "a number, zero or more".into(),
        (Some("boolean"), ..) => "`true` or `false`".into(),
        (Some("array"), ..) => "a list of texts".into(),
        _ => "a text".into(),
    }
}

/// The schema as a test makes it of [`Options`](super::Options) and writes it down. What makes it has the same outcome in
/// every run, so it need not be in the program.
#[cfg(not(test))]
static SNAKE: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("schema.json")).unwrap_or_default());

#[cfg(test)]
static SNAKE: LazyLock<Value> = LazyLock::new(tests::generated);

fn collect(schema: &Value, prefix: &str, visit: &mut dyn FnMut(&str, &Value)) {
    let name = |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
    for (key, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        match property.get("type").and_then(Value::as_str) {
            Some("object") => collect(property, &name(key), visit),
            _ => visit(&name(key), property),
        }
    }
    if let Some(inner @ Value::Object(_)) = schema.get("additionalProperties") {
        collect(inner, &name("NAME"), visit);
    }
}

/// The same schema with `camelCase` property names.
fn respell(schema: &Value, are_names: bool) -> Value {
    match schema {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| {
                    let spelled = if are_names { camel(key) } else { key.clone() };
                    (spelled, respell(value, !are_names && key == "properties"))
                })
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.iter().map(|item| respell(item, false)).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use schemars::generate::SchemaSettings;
    use serde_json::{Value, json};

    use crate::config::{Options, Settings};

    #[test]
    fn what_is_written_down_is_in_step() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/schema.json");
        let schema = format!("{:#}\n", generated());
        let present = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
        if present != schema {
            std::fs::write(&file, schema).unwrap();
            panic!("{} was not up to date: it has been rewritten, look at it and commit it", file.display());
        }
    }

    pub(super) fn generated() -> Value {
        let generator = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true).into_generator();
        let mut schema = generator.into_root_schema_for::<Options>().to_value();
        tidy(&mut schema);
        for (key, value) in Settings::default().values() {
            let path: Vec<&str> = key.split('.').collect();
            let pointer = format!("/properties/{}", path.join("/properties/"));
            if let Some(Value::Object(property)) = schema.pointer_mut(&pointer) {
                property.insert("default".into(), value);
            }
        }
        schema["title"] = json!("Aside");
        schema
    }

    /// An option that is not set is left out, not null, and its schema is simply that of its value.
    fn tidy(schema: &mut Value) {
        if let Value::Object(members) = schema {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    members["type"] = only.clone();
                }
            }
            if let Some(Value::Array(options)) = members.get_mut("anyOf") {
                options.retain(|option| option.get("type").is_none_or(|kind| kind != "null"));
                if let [Value::Object(only)] = options.as_mut_slice() {
                    let only = std::mem::take(only);
                    members.remove("anyOf");
                    for (key, value) in only {
                        members.entry(key).or_insert(value);
                    }
                }
            }
            // Rust's names for integer widths; and the empty section as a default says nothing.
            members
                .remove("format")
                .filter(|format| format == "uri")
                .map(|format| members.insert("format".into(), format));
            members.remove("default");
            for text in ["description"] {
                if let Some(Value::String(text)) = members.get_mut(text) {
                    *text = text.replace('\n', " ");
                }
            }
        }
        match schema {
            Value::Object(members) => members.values_mut().for_each(tidy),
            Value::Array(items) => items.iter_mut().for_each(tidy),
            _ => {}
        }
    }
}
