//! The address of the Messages API.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// An address that code and credentials may be sent to: `https`, or `http` to this machine.
///
/// A path prefix (a gateway's) is kept; query and fragment have no meaning here and are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// The address.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Whether the address is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // An address may carry a password, so a message never quotes one that did not parse.
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => {
                "not an address: it begins with https://, as in https://api.anthropic.com".to_owned()
            }
            error => format!("not an address: {error}"),
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address must not hold a name or password: keys come from the environment or \
                        `api.key_command`"
                .into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("the API's address must end before `?` and `#`".into());
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => Err(format!(
                "http:// would send code and keys to {} in the clear: use https://, or a tunnel to 127.0.0.1",
                url.host_str().unwrap_or_default()
            )),
            scheme => Err(format!("an address begins with https://, not {scheme}:")),
        }
    }
}

/// Whether an address is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.0.into()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for BaseUrl {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "BaseUrl".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri" })
    }
}

#[cfg(test)]
mod tests {
    use super::BaseUrl;

    #[test]
    fn addresses() {
        let table: &[(&str, Result<&str, &str>)] = &[
            ("https://api.anthropic.com", Ok("https://api.anthropic.com/")),
            (" https://gate.example/claude/ ", Ok("https://gate.example/claude/")),
            ("https://gate.example/claude", Ok("https://gate.example/claude")),
            ("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080/")),
            ("http://[::1]:1", Ok("http://[::1]:1/")),
            ("http://localhost:11434", Ok("http://localhost:11434/")),
            ("http://localhost.evil.example", Err("in the clear")),
            ("http://127.0.0.1.evil.example", Err("in the clear")),
            ("http://192.168.1.2:8080", Err("tunnel")),
            ("api.anthropic.com", Err("begins with https://")),
            ("localhost:8080", Err("not localhost:")),
            ("https://", Err("not an address")),
            ("https://user:s3cret@gate.example", Err("name or password")),
            ("https://gate.example/?a=1", Err("before `?`")),
            ("file:///etc/passwd", Err("not file:")),
        ];
        for (text, expected) in table {
            match (text.parse::<BaseUrl>(), expected) {
                (Ok(url), Ok(expected)) => assert_eq!(url.to_string(), *expected),
                (Err(message), Err(part)) => {
                    assert!(message.contains(part), "{text}: {message}");
                    assert!(!message.contains("s3cret"));
                }
                (result, _) => panic!("{text}: {result:?}"),
            }
        }
    }
}
