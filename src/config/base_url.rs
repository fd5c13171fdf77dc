//! The address of the Messages API.

#[cfg(test)]
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// An address that code and credentials may be sent to: `https`, or `http` to this machine or to one that is allowed by
/// name ([`allows`]).
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
            // Whether `http` may be used is looked at when all that was said is known.
            "https" | "http" => Ok(Self(url)),
            scheme => Err(format!("an address begins with https://, not {scheme}:")),
        }
    }
}

/// Whether code and keys may be sent to an address, of which `hosts` are allowed to be sent to in the clear.
///
/// # Errors
/// Why not.
pub(crate) fn allows(url: &Url, hosts: &[String]) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default();
    if url.scheme() != "http" || is_loopback(url) || hosts.iter().any(|allowed| allowed == host) {
        return Ok(());
    }
    Err(format!(
        "http:// would send code and keys to {host} in the clear: use https://, or a tunnel to 127.0.0.1; \
         `api.http_hosts = [\"{host}\"]` allows it"
    ))
}

/// Whether an address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
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

#[cfg(test)]
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
    use super::{BaseUrl, allows};

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
            ("http://gate.lan:8080", Ok("http://gate.lan:8080/")),
            ("http://gate.lan.evil.example", Err("api.http_hosts = [\"gate.lan.evil.example\"]")),
            ("api.anthropic.com", Err("begins with https://")),
            ("localhost:8080", Err("not localhost:")),
            ("https://", Err("not an address")),
            ("https://user:s3cret@gate.example", Err("name or password")),
            ("https://gate.example/?a=1", Err("before `?`")),
            ("file:///etc/passwd", Err("not file:")),
        ];
        for (text, expected) in table {
            let allowed = ["gate.lan".to_owned()];
            let parsed = text.parse::<BaseUrl>().and_then(|url| allows(url.as_url(), &allowed).map(|()| url));
            match (parsed, expected) {
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
