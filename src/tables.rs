//! Tables that are part of the program, written in TOML.

use serde::de::DeserializeOwned;

/// Reads one. By way of JSON: what makes types of JSON is in the program anyway, what makes these types of TOML is not.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> anyhow::Result<T> {
    let table: toml::Table = text.parse()?;
    Ok(serde_json::from_value(serde_json::to_value(table)?)?)
}
