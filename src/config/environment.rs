//! Environment variables as a value, so that tests say what is set and never depend on the machine.

use std::collections::BTreeMap;
use std::fmt;

/// The variables Aside may look at. An empty variable counts as unset, as does one that is not Unicode.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// The variables of this process, read once.
    pub fn from_process() -> Self {
        Self::from_pairs(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// Exactly these variables.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        Self { variables: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }

    /// The variable's value; `None` when it is unset or holds nothing but white space.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// The same variables with one more, or one changed.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }
}

/// Names only: values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn empty_is_unset_and_values_are_not_shown() {
        let env = Environment::from_pairs([("A", "1"), ("B", ""), ("C", " \n")]).with("D", "s3cret");
        assert_eq!(env.get("A"), Some("1"));
        assert_eq!((env.get("B"), env.get("C"), env.get("E")), (None, None, None));
        assert!(!format!("{env:?}").contains("s3cret"));
    }
}
