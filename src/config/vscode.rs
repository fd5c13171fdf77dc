//! The settings of the extension for VS Code, made from the schema; a test keeps its `package.json` in step.

use serde_json::{Map, Value, json};

use super::reference::is_personal;
use super::schema;
use super::{Spelling, camel, snake};

/// The sections of `contributes.configuration` behind the extension's own: one for the keys without a section, one for
/// each section.
fn sections() -> Vec<Value> {
    let whole = schema(Spelling::Camel);
    let mut general = Map::new();
    let mut sections = Vec::new();
    for (key, property) in whole["properties"].as_object().expect("the schema has keys") {
        let name = format!("aside.{key}");
        if property["type"] != "object" {
            general.insert(name, setting(key, property));
            continue;
        }
        let settings = match property.get("properties").and_then(Value::as_object) {
            Some(inner) => inner
                .iter()
                .map(|(inner, property)| (format!("{name}.{inner}"), setting(&format!("{key}.{inner}"), property)))
                .collect(),
            None => Map::from_iter([(name, by_name(key, property))]),
        };
        sections.push(json!({ "title": title(key), "properties": settings }));
    }
    sections.insert(0, json!({ "title": "Model", "properties": general }));
    sections
}

/// A key as VS Code shows it. A key without a default is unset, for which VS Code has `null` only.
fn setting(key: &str, property: &Value) -> Value {
    let mut setting = Map::new();
    let choices = schema::choices(property);
    let kind = property.get("type").cloned().unwrap_or_else(|| json!("string"));
    let default = property.get("default").cloned();
    let is_set = default.is_some();
    setting.insert("type".into(), if is_set { kind } else { json!([kind, "null"]) });
    setting.insert("default".into(), default.unwrap_or_default());
    if !choices.is_empty() {
        let unset = (!is_set).then_some(Value::Null);
        let values: Vec<Value> = choices.iter().map(|(choice, _)| json!(choice)).chain(unset.clone()).collect();
        setting.insert("enum".into(), Value::Array(values));
        if choices.iter().any(|(_, meaning)| !meaning.is_empty()) {
            let meanings = choices.iter().map(|(_, meaning)| *meaning).chain(unset.map(|_| "Not set."));
            setting.insert("enumDescriptions".into(), meanings.collect());
        }
    }
    for name in ["items", "minimum", "maximum", "pattern"] {
        if let Some(value) = property.get(name) {
            setting.insert(name.into(), value.clone());
        }
    }
    setting.insert("markdownDescription".into(), property["description"].clone());
    setting.insert("scope".into(), scope(key).into());
    Value::Object(setting)
}

/// What a repository must not set comes from the user's own settings; `window` can be said by a workspace as well.
fn scope(key: &str) -> &'static str {
    if is_personal(&snake(key)) || matches!(key, "privacy.redact" | "privacy.include") { "machine" } else { "window" }
}

/// Settings by names that the user makes up or knows, such as those of actions.
fn by_name(key: &str, property: &Value) -> Value {
    let mut inner = property["additionalProperties"].clone();
    inner["additionalProperties"] = json!(false);
    json!({
        "type": "object",
        "default": {},
        "additionalProperties": inner,
        "markdownDescription": property["description"],
        "scope": scope(&format!("{key}.")),
    })
}

/// A section's name as a heading.
fn title(key: &str) -> String {
    if key == "api" {
        return key.to_uppercase();
    }
    let words: String =
        camel(key).chars().flat_map(|c| c.is_uppercase().then_some(' ').into_iter().chain([c])).collect();
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[test]
fn settings_of_the_extension_are_in_step() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode/package.json");
    let present = std::fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
    let mut package: Value = serde_json::from_str(&present).unwrap();
    let configuration = package["contributes"]["configuration"].as_array_mut().unwrap();
    // The first section is the extension's own and written by hand.
    configuration.truncate(1);
    let sections = sections();
    let settings = sections.iter().filter_map(|section| section["properties"].as_object()).flatten();
    let carried: Vec<&String> =
        settings.filter(|(_, setting)| setting["scope"] != "machine").map(|(name, _)| name).collect();
    let carried = json!(carried);
    configuration.extend(sections);
    // Of a workspace that is not trusted nothing counts.
    package["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] = carried;
    let wanted = format!("{}\n", serde_json::to_string_pretty(&package).unwrap());
    if present != wanted {
        std::fs::write(&file, wanted).unwrap();
        panic!("{} was not up to date: it has been rewritten, look at it and commit it", file.display());
    }
}

#[test]
fn the_extension_has_the_programs_version() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode");
    for file in ["package.json", "package-lock.json"] {
        let package: Value = serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
        assert_eq!(package["version"], env!("CARGO_PKG_VERSION"), "{file}");
    }
}
