//! A JSON object that knows where it is in the request, so that every complaint names its place.

use serde_json::{Map, Value};

use super::super::failure::Failure;

/// An object whose keys have all been found to be known.
#[derive(Clone, Debug)]
pub(super) struct Object<'a> {
    place: String,
    map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// The object at `place`, which may have these keys and no others.
    pub(super) fn new(value: &'a Value, place: impl Into<String>, known: &[&str]) -> Result<Self, Failure> {
        let object = Self::any(value, place)?;
        match object.map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(unknown) => Err(object.error(unknown, "Extra inputs are not permitted")),
            None => Ok(object),
        }
    }

    /// The object at `place`, whatever its keys.
    pub(super) fn any(value: &'a Value, place: impl Into<String>) -> Result<Self, Failure> {
        let place = place.into();
        match value {
            Value::Object(map) => Ok(Self { place, map }),
            _ if place.is_empty() => Err(Failure::invalid("The request body must be a JSON object")),
            _ => Err(Failure::invalid(format!("{place}: Input should be a valid dictionary"))),
        }
    }

    /// The place of a key.
    pub(super) fn at(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    /// A complaint about a key.
    pub(super) fn error(&self, key: &str, message: &str) -> Failure {
        Failure::invalid(format!("{}: {message}", self.at(key)))
    }

    /// A complaint about the object itself.
    pub(super) fn complaint(&self, message: &str) -> Failure {
        Failure::invalid(format!("{}: {message}", self.place))
    }

    /// The value of a key, null included.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    /// The value of a key for which null is the same as nothing.
    pub(super) fn nullable(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// The value of a key that must be there.
    pub(super) fn required(&self, key: &str) -> Result<&'a Value, Failure> {
        self.get(key).ok_or_else(|| self.error(key, "Field required"))
    }

    /// A string that must be there.
    pub(super) fn string(&self, key: &str) -> Result<&'a str, Failure> {
        self.required(key)?.as_str().ok_or_else(|| self.error(key, "Input should be a valid string"))
    }

    /// A string that may be missing, but not null.
    pub(super) fn optional_string(&self, key: &str) -> Result<Option<&'a str>, Failure> {
        self.get(key).map(|_| self.string(key)).transpose()
    }

    /// A string that may be missing or null.
    pub(super) fn nullable_string(&self, key: &str) -> Result<Option<&'a str>, Failure> {
        self.nullable(key).map(|_| self.string(key)).transpose()
    }

    /// A truth value that may be missing, but not null.
    pub(super) fn optional_bool(&self, key: &str) -> Result<Option<bool>, Failure> {
        let wrong = || self.error(key, "Input should be a valid boolean");
        self.get(key).map(|value| value.as_bool().ok_or_else(wrong)).transpose()
    }

    /// A whole number, `least` or more, that may be missing.
    pub(super) fn optional_integer(&self, key: &str, least: u64) -> Result<Option<u64>, Failure> {
        let Some(value) = self.get(key) else { return Ok(None) };
        if value.as_i64().is_none() && value.as_u64().is_none() {
            return Err(self.error(key, "Input should be a valid integer"));
        }
        match value.as_u64().filter(|number| *number >= least) {
            Some(number) => Ok(Some(number)),
            None => Err(self.error(key, &format!("Input should be greater than or equal to {least}"))),
        }
    }

    /// A number between 0 and 1 that may be missing.
    pub(super) fn optional_share(&self, key: &str) -> Result<Option<f64>, Failure> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let number = value.as_f64().ok_or_else(|| self.error(key, "Input should be a valid number"))?;
        if (0.0..=1.0).contains(&number) { Ok(Some(number)) } else { Err(self.error(key, "range: 0..1")) }
    }

    /// A list that must be there.
    pub(super) fn list(&self, key: &str) -> Result<&'a [Value], Failure> {
        match self.required(key)? {
            Value::Array(list) => Ok(list),
            _ => Err(self.error(key, "Input should be a valid list")),
        }
    }

    /// A list that may be missing, but not null.
    pub(super) fn optional_list(&self, key: &str) -> Result<Option<&'a [Value]>, Failure> {
        self.get(key).map(|_| self.list(key)).transpose()
    }

    /// One of these words, which may be missing.
    pub(super) fn optional_word(&self, key: &str, words: &[&str]) -> Result<Option<&'a str>, Failure> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.as_str().filter(|word| words.contains(word)) {
            Some(word) => Ok(Some(word)),
            None => Err(self.error(key, &format!("Input should be {}", listed(words)))),
        }
    }

    /// The object's `type`, which decides what else it may have.
    pub(super) fn tag(&self, tags: &[&str]) -> Result<&'a str, Failure> {
        let tag = self.string("type")?;
        if tags.contains(&tag) {
            return Ok(tag);
        }
        let expected = tags.iter().map(|tag| format!("'{tag}'")).collect::<Vec<_>>().join(", ");
        Err(self.complaint(&format!(
            "Input tag '{tag}' found using 'type' does not match any of the expected tags: {expected}"
        )))
    }

    /// The same object, now that its `type` has said which keys it may have.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Failure> {
        match self.map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(unknown) => Err(self.error(unknown, "Extra inputs are not permitted")),
            None => Ok(()),
        }
    }
}

/// `'a', 'b' or 'c'`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("'{only}'"),
        [first @ .., last] => {
            let first = first.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
            format!("{first} or '{last}'")
        }
    }
}
