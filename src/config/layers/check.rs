//! One value at a time: is there such a key, may this layer set it, does it take this value?

use serde_json::{Map, Value};

use crate::config::leaves::Leaf;
use crate::config::trust::{Verdict, judge};
use crate::config::{Options, Problem, Source, camel, schema, snake};

/// A value that counts.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    path: Vec<String>,
    value: Value,
    adds: bool,
    pub(super) source: Source,
}

impl Entry {
    /// The dotted `snake_case` name.
    pub(super) fn key(&self) -> String {
        self.path.join(".")
    }

    /// Writes the value over, or adds it to, what earlier layers left in `tree`.
    pub(super) fn put_into(&self, tree: &mut Value) {
        let mut slot = tree;
        for key in &self.path {
            if !slot.is_object() {
                *slot = Value::Object(Map::new());
            }
            slot = &mut slot[key];
        }
        match (self.adds, &mut *slot, &self.value) {
            (true, Value::Array(present), Value::Array(more)) => {
                for item in more {
                    if !present.contains(item) {
                        present.push(item.clone());
                    }
                }
            }
            _ => *slot = self.value.clone(),
        }
    }
}

/// Sorts the values of one layer into those that count and those that do not.
pub(super) fn check_all(leaves: Vec<Leaf>, source: &Source) -> (Vec<Entry>, Vec<Problem>) {
    let mut entries = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for leaf in leaves {
        let verdict = if source.is_trusted() { Verdict::Set } else { judge(&leaf, source) };
        let adds = match verdict {
            Verdict::Set => false,
            Verdict::Add => true,
            Verdict::Refuse(reason) => {
                let message = format!(
                    "`{}` does not count here, where a repository could set it: {reason}. Set it in your own file \
                     (`aside config path`)",
                    leaf.spelled
                );
                problems.push(problem(&leaf, source, message));
                continue;
            }
        };
        let value = match check(&leaf, source) {
            Ok(value) => Some(value),
            Err(messages) => {
                for message in messages {
                    let problem = problem(&leaf, source, message);
                    // Two values below a key that is no section have one and the same problem.
                    if !problems.iter().any(|known| known.message == problem.message && known.source == problem.source)
                    {
                        problems.push(problem);
                    }
                }
                good_items(&leaf)
            }
        };
        if let Some(value) = value {
            entries.push(Entry { path: leaf.path, value, adds, source: source.clone() });
        }
    }
    (entries, problems)
}

fn problem(leaf: &Leaf, source: &Source, message: String) -> Problem {
    Problem { source: source.clone(), place: leaf.place, key: leaf.key(), message }
}

/// The value if the options take it, else what is wrong with it.
fn check(leaf: &Leaf, source: &Source) -> Result<Value, Vec<String>> {
    let value = match &leaf.value {
        Ok(value) => value,
        Err(kind) if schema::at(&leaf.path).is_some() => {
            return Err(vec![format!("`{}` does not take {kind}", leaf.spelled)]);
        }
        Err(_) => return Err(vec![unknown(leaf, source)]),
    };
    match serde_json::from_value::<Options>(leaf.nested(value)) {
        Ok(_) => Ok(value.clone()),
        Err(error) => Err(explain(leaf, value, source, &error.to_string())),
    }
}

/// A list of exclusions loses only its bad patterns: losing all of them would send files that should stay.
fn good_items(leaf: &Leaf) -> Option<Value> {
    let (Ok(Value::Array(items)), ["privacy", "exclude" | "include"]) =
        (&leaf.value, leaf.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice())
    else {
        return None;
    };
    let good = |item: &&Value| serde_json::from_value::<crate::config::Glob>((*item).clone()).is_ok();
    Some(items.iter().filter(good).cloned().collect())
}

fn explain(leaf: &Leaf, value: &Value, source: &Source, reason: &str) -> Vec<String> {
    // The longest part of the path that exists.
    let known = (1..=leaf.path.len()).rev().find_map(|length| Some((length, schema::at(&leaf.path[..length])?)));
    let Some((length, schema)) = known else {
        return vec![unknown(leaf, source)];
    };
    let spelled: String = leaf.spelled.split('.').take(length).collect::<Vec<_>>().join(".");
    let is_section = schema.get("type").is_some_and(|kind| kind == "object");
    if length < leaf.path.len() {
        return vec![if is_section {
            unknown(leaf, source)
        } else {
            format!("`{spelled}` is a single value, not a section")
        }];
    }
    if is_section {
        let example = schema.get("properties").and_then(Value::as_object).and_then(|keys| keys.keys().next());
        let named = if leaf.path[0] == "prices" { "NAME.input" } else { "NAME.model" };
        let example = example.map_or_else(|| named.to_owned(), |key| spell(key, source));
        return vec![format!("`{spelled}` is a section, as in `{spelled}.{example}`")];
    }
    let choices: Vec<&str> = schema::choices(schema).into_iter().map(|(name, _)| name).collect();
    if !choices.is_empty() {
        let nearest = value.as_str().and_then(|value| nearest(value, choices.iter().copied()));
        let hint = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        return vec![format!("`{spelled}` is one of {}, not {value}{hint}", list(&choices))];
    }
    if let (Value::Array(items), [section, key]) = (value, leaf.path.as_slice())
        && section == "privacy"
        && matches!(key.as_str(), "exclude" | "include")
    {
        let reasons = items.iter().filter_map(|item| {
            let error = serde_json::from_value::<crate::config::Glob>(item.clone()).err()?;
            Some(format!("`{spelled}`: {error}"))
        });
        return reasons.collect();
    }
    // What our own types say is better than what can be said of a kind of value in general.
    if reason.starts_with("invalid ") {
        return vec![format!("`{spelled}` takes {}, not {value}", schema::takes(schema))];
    }
    vec![format!("`{spelled}`: {reason}")]
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn spell(key: &str, source: &Source) -> String {
    if *source == Source::Editor { camel(key) } else { key.to_owned() }
}

fn unknown(leaf: &Leaf, source: &Source) -> String {
    let section = leaf.path.first().filter(|section| *section == "actions" || *section == "prices");
    let own = section.and_then(|section| Some((format!("{section}.NAME."), leaf.path.get(1)?)));
    let names = schema::key_names().into_iter().map(|name| match &own {
        Some((prefix, own)) if name.starts_with(prefix) => name.replacen("NAME", own, 1),
        _ => name,
    });
    let names: Vec<String> = names.collect();
    let key = leaf.key();
    // `ttl` alone, or in the wrong section, is the key of that name in its section.
    let misplaced = || {
        let last = leaf.path.last()?;
        let last = snake(last);
        names.iter().map(String::as_str).find(|name| name.rsplit('.').next() == Some(&last))
    };
    // In a section that exists its own keys are meant, so only the last word counts.
    let in_section = || {
        let (last, section) = leaf.path.split_last()?;
        let prefix = if section.is_empty() { String::new() } else { format!("{}.", section.join(".")) };
        let own = names.iter().filter_map(|name| name.strip_prefix(&prefix)).filter(|rest| !rest.contains('.'));
        let found = nearest(last, own)?;
        names.iter().map(String::as_str).find(|name| *name == format!("{prefix}{found}"))
    };
    let suggestion = in_section().or_else(misplaced).or_else(|| nearest(&key, names.iter().map(String::as_str)));
    match suggestion {
        Some(name) if *name == leaf.spelled => format!("there is no key \"{name}\"; write it without quotes"),
        Some(name) => format!("there is no `{}`; did you mean `{}`?", leaf.spelled, spell(name, source)),
        None => format!("there is no `{}`; `aside config schema` lists what there is", leaf.spelled),
    }
}

/// The most similar name, if it is similar enough to have been meant.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let scored = names.map(|name| (strsim::damerau_levenshtein(&word, name), strsim::jaro_winkler(&word, name), name));
    scored
        .filter(|(distance, similarity, name)| *distance <= 1 + name.len() / 4 || *similarity > 0.88)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(_, _, name)| name)
}
