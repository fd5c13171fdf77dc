//! Connections that failed: which of the many ways it was, and what helps.

use std::{error::Error as StdError, io};

use super::Place;
use crate::error::{Error, ErrorKind};

/// What a chain of sources shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Proxy,
    ProxySignIn,
    Dns,
    UnknownIssuer,
    Certificate,
    NotTls,
    Tls,
    Refused,
    Reset,
    Unreachable,
    Timeout,
    Other,
}

impl Place<'_> {
    /// The error of a request that got no answer, or no whole one, and whether another try may help.
    pub fn transport(&self, error: &reqwest::Error) -> (Error, bool) {
        if error.is_builder() {
            let what = format!("The request to {} cannot be made: {}.", self.host, innermost(error));
            return (Error::new(ErrorKind::Config, what).hint("Check `api.base_url` and the custom headers."), false);
        }
        let cause = if error.is_timeout() { Cause::Timeout } else { cause(error) };
        // A certificate that is not trusted now will not be in a second.
        let again = !matches!(cause, Cause::UnknownIssuer | Cause::Certificate | Cause::NotTls | Cause::ProxySignIn);
        (self.unconnected(cause, error), again)
    }

    fn unconnected(&self, cause: Cause, error: &reqwest::Error) -> Error {
        let host = self.host;
        let network = |message: String| Error::new(ErrorKind::Network, message);
        match cause {
            Cause::Proxy => network(format!("The proxy did not connect to {host}: {}.", innermost(error)))
                .hint("Check HTTPS_PROXY (with user and password when it needs them), or list the host in NO_PROXY."),
            Cause::ProxySignIn => network("The proxy asks for a sign-in (status 407).".to_owned())
                .hint("Put user and password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT."),
            Cause::Dns => network(format!("The name of {host} cannot be resolved."))
                .hint("Check the network connection and `api.base_url`; behind a proxy set HTTPS_PROXY."),
            Cause::UnknownIssuer => {
                network(format!("The certificate of {host} is signed by an authority this system does not trust."))
                    .hint("Behind a company's proxy, point SSL_CERT_FILE at its certificate in PEM form.")
            }
            Cause::Certificate => network(format!("The certificate of {host} is not valid: {}.", innermost(error)))
                .hint("Check this machine's clock and `api.base_url`."),
            Cause::NotTls => network(format!("{host} does not speak HTTPS."))
                .hint("If that is meant, `api.base_url` (or the proxy's address) begins with http://."),
            Cause::Tls => network(format!("No secure connection to {host}: {}.", innermost(error)))
                .hint("Check HTTPS_PROXY and SSL_CERT_FILE."),
            Cause::Refused => network(format!("{host} refuses connections.")).hint(
                "Check `api.base_url` (ANTHROPIC_BASE_URL), and HTTPS_PROXY if there is one; a local server must be running.",
            ),
            Cause::Reset => network(format!("{host} closed the connection before the answer was complete."))
                .hint("Try again; if it happens often, look at proxies between here and there."),
            Cause::Unreachable => network(format!("{host} cannot be reached from this network."))
                .hint("Check the network connection; behind a proxy set HTTPS_PROXY."),
            Cause::Timeout => Error::new(ErrorKind::Timeout, format!("Connecting to {host} took too long."))
                .hint("Check the network connection; behind a proxy set HTTPS_PROXY."),
            Cause::Other => network(format!("The connection to {host} failed: {}.", innermost(error)))
                .hint("Check the network connection, proxies and `api.base_url`."),
        }
    }
}

fn cause(error: &(dyn StdError + 'static)) -> Cause {
    let mut seen = Cause::Other;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return tls_cause(tls);
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            // An `io::Error` hides what it wraps from `source`.
            if let Some(inner) = io.get_ref() {
                match cause(inner) {
                    Cause::Other => {}
                    found => return found,
                }
            }
            match io.kind() {
                // On the way to the proxy, not to the server.
                _ if seen == Cause::Proxy => return seen,
                io::ErrorKind::ConnectionRefused => return Cause::Refused,
                io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
                    return Cause::Reset;
                }
                io::ErrorKind::UnexpectedEof => return Cause::Reset,
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => return Cause::Unreachable,
                io::ErrorKind::TimedOut => return Cause::Timeout,
                _ => {}
            }
        }
        // These libraries' error types are private, so their words have to do.
        let words = error.to_string();
        if words.contains("dns error") || words.contains("invalid dns name") {
            seen = Cause::Dns;
        } else if words.contains("proxy authorization required") {
            return Cause::ProxySignIn;
        } else if words.contains("tunnel") || words.contains("proxy") {
            seen = Cause::Proxy;
        } else if seen == Cause::Other
            && (words.contains("connection closed before")
                || words.contains("unexpected EOF")
                // A stream or connection of HTTP/2 that the other side ends.
                || words.contains("error received: ")
                || words.contains("reset"))
        {
            seen = Cause::Reset;
        }
        next = error.source();
    }
    seen
}

fn tls_cause(error: &rustls::Error) -> Cause {
    match error {
        rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => Cause::UnknownIssuer,
        // The platform's own verifier (macOS, Windows) has only words for it.
        rustls::Error::InvalidCertificate(other) => match other.to_string() {
            words if words.contains("not trusted") || words.contains("UnknownIssuer") => Cause::UnknownIssuer,
            _ => Cause::Certificate,
        },
        rustls::Error::InvalidMessage(_) => Cause::NotTls,
        _ => Cause::Tls,
    }
}

/// The words of the innermost error, which never hold an address with credentials as reqwest's own may.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    let words = inner.to_string();
    if inner.is::<reqwest::Error>() { "unknown reason".to_owned() } else { words.trim_end_matches('.').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain as connectors build it: an `io::Error` around the cause, something opaque around that.
    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Layer {
        words: &'static str,
        #[source]
        inner: Option<Box<dyn StdError + Send + Sync>>,
    }

    fn layered(words: &'static str, inner: impl Into<Box<dyn StdError + Send + Sync>>) -> Layer {
        Layer { words, inner: Some(inner.into()) }
    }

    #[test]
    fn causes_are_found_at_any_depth() {
        let tls = |error: rustls::Error| layered("client error (Connect)", io::Error::other(error));
        let io =
            |kind: io::ErrorKind| layered("tcp connect error", layered("tcp connect error", io::Error::from(kind)));
        let bad = rustls::CertificateError::Expired;
        for (error, expected) in [
            (tls(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)), Cause::UnknownIssuer),
            (tls(rustls::Error::InvalidCertificate(bad)), Cause::Certificate),
            (tls(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)), Cause::NotTls),
            (tls(rustls::Error::HandshakeNotComplete), Cause::Tls),
            (io(io::ErrorKind::ConnectionRefused), Cause::Refused),
            (io(io::ErrorKind::ConnectionReset), Cause::Reset),
            (io(io::ErrorKind::TimedOut), Cause::Timeout),
            (io(io::ErrorKind::NetworkUnreachable), Cause::Unreachable),
            (layered("dns error", io::Error::other("failed to lookup address information")), Cause::Dns),
            (layered("client error (Connect)", layered("tunnel error: unsuccessful", "407")), Cause::Proxy),
            (
                layered("error sending request", layered("connection closed before message completed", "x")),
                Cause::Reset,
            ),
            (layered("something", "else"), Cause::Other),
        ] {
            assert_eq!(cause(&error), expected, "{error:?}");
        }
    }
}
