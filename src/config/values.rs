//! Values that cannot be wrong: each type's `Deserialize` refuses what is out of range, and its schema says the range.

#[cfg(test)]
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Whole<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Whole<MIN, MAX> {
    /// The number, `None` when it is out of range.
    pub fn new(number: u32) -> Option<Self> {
        (MIN..=MAX).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number<const MIN: u32, const MAX: u32>;
        impl<const MIN: u32, const MAX: u32> Visitor<'_> for Number<MIN, MAX> {
            type Value = Whole<MIN, MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from {MIN} to {MAX}")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                u32::try_from(number)
                    .ok()
                    .and_then(Whole::new)
                    .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
                }
            }
        }
        deserializer.deserialize_u32(Number)
    }
}

#[cfg(test)]
impl<const MIN: u32, const MAX: u32> JsonSchema for Whole<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Whole_{MIN}_{MAX}").into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// An amount of US dollars, zero or more.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Dollars(f64);

impl Dollars {
    /// The amount, `None` when it is negative or not a number.
    pub fn new(amount: f64) -> Option<Self> {
        (amount.is_finite() && amount >= 0.0).then_some(Self(amount))
    }

    /// The amount.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = f64::deserialize(deserializer)?;
        Self::new(amount).ok_or_else(|| {
            de::Error::invalid_value(Unexpected::Float(amount), &"an amount of US dollars, zero or more")
        })
    }
}

#[cfg(test)]
impl JsonSchema for Dollars {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Dollars".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0 })
    }
}

/// A number from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Share(f64);

impl Share {
    /// The number, `None` when it is out of range.
    pub fn new(number: f64) -> Option<Self> {
        (0.0..=1.0).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| de::Error::invalid_value(Unexpected::Float(number), &"a number from 0 to 1"))
    }
}

#[cfg(test)]
impl JsonSchema for Share {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

/// Gives a text type, whose [`FromStr`] says what it takes, the rest of what a value needs.
macro_rules! text_value {
    ($name:ident, $schema:tt) => {
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
        #[cfg(test)]
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

/// A model's id, such as `claude-sonnet-5-5`; whether there is such a model only the API can say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveDeserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelId(String);

text_value!(ModelId, { "type": "string", "pattern": "^\\S+$" });

impl FromStr for ModelId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let id = text.trim();
        if id.is_empty() {
            return Err("a model's id must not be empty".into());
        }
        if id.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!("`{}` is not a model's id: it has white space in it", id.escape_debug()));
        }
        Ok(Self(id.to_owned()))
    }
}

/// A version of the API, sent as the `anthropic-version` header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveDeserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiVersion(String);

text_value!(ApiVersion, { "type": "string", "pattern": "^[!-~]+$" });

impl FromStr for ApiVersion {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("`{}` is not a version: it looks like `2023-06-01`", text.escape_debug()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A text that ends an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveDeserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StopSequence(String);

text_value!(StopSequence, { "type": "string", "pattern": "\\S" });

impl FromStr for StopSequence {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("a text that ends an answer must not be white space only".into());
        }
        Ok(Self(text.to_owned()))
    }
}

/// An opaque id of the user, for the provider's own records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveDeserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(String);

text_value!(UserId, { "type": "string", "minLength": 1, "maxLength": 256 });

impl FromStr for UserId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.chars().count() {
            0 => Err("a user's id must not be empty".into()),
            1..=256 => Ok(Self(text.to_owned())),
            _ => Err("a user's id has at most 256 characters".into()),
        }
    }
}

/// A pattern (glob) for paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveDeserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Glob(String);

text_value!(Glob, { "type": "string", "minLength": 1 });

impl FromStr for Glob {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("a pattern must not be empty".into());
        }
        // An exclusion that can be taken back by a later line could be taken back by a repository.
        if text.starts_with('!') {
            return Err(format!("`{text}`: a pattern cannot take an exclusion back"));
        }
        match globset::Glob::new(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(format!("`{text}` is not a pattern: {}", error.kind())),
        }
    }
}

/// The name or address of a machine, without scheme, port or path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveDeserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

text_value!(HostName, { "type": "string", "minLength": 1 });

impl FromStr for HostName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match url::Host::parse(text) {
            Ok(host) => Ok(Self(host.to_string())),
            Err(_) => Err(format!("`{text}` is no name of a machine: it has no http://, port or path")),
        }
    }
}

/// A program and its arguments, run without a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveDeserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Argv(Vec<String>);

impl Argv {
    /// The program first.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for Argv {
    type Error = String;
    fn try_from(argv: Vec<String>) -> Result<Self, String> {
        match argv.first() {
            Some(program) if !program.trim().is_empty() => Ok(Self(argv)),
            _ => Err("a command needs a program: [\"program\", \"argument\", …]".into()),
        }
    }
}

impl From<Argv> for Vec<String> {
    fn from(argv: Argv) -> Self {
        argv.0
    }
}

#[cfg(test)]
impl JsonSchema for Argv {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Argv".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
    }
}
