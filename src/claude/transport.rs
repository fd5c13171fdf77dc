//! The HTTP client: certificates, proxies, redirects, addresses and headers.

use std::time::Duration;
#[cfg(any(windows, target_vendor = "apple"))]
use std::{env, fs, path::PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use reqwest::redirect;
use secrecy::ExposeSecret;
use url::Url;

use super::client::{Auth, ClientOptions};
use crate::config::is_loopback;
use crate::error::{Error, ErrorKind};

const USER_AGENT: &str = concat!("aside/", env!("CARGO_PKG_VERSION"));
const MOST_REDIRECTS: usize = 5;

/// Builds the client with its connection pool. Takes some milliseconds where system certificates are read.
///
/// Certificates are the system's: on Linux the files `SSL_CERT_FILE` and `SSL_CERT_DIR` name, or else the
/// distribution's; on macOS and Windows the system's own verifier, with what these variables name added.
pub(super) fn build(options: &ClientOptions, headers: HeaderMap) -> Result<reqwest::Client, Error> {
    // Someone else in the process may have installed one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(headers)
        .connect_timeout(options.connect_timeout)
        .redirect(redirect::Policy::custom(same_origin_only))
        .referer(false)
        .tcp_keepalive(Duration::from_secs(30))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10));
    let builder = if is_this_machine(&options.base_url) && options.base_url.scheme() == "http" {
        // No proxy can know this machine's loopback, whatever HTTP_PROXY says, and certificates play no part.
        builder.no_proxy().tls_certs_only([])
    } else {
        with_extra_certificates(builder)
    };
    builder.build().map_err(|error| {
        let reason = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Error::new(ErrorKind::Network, format!("The HTTPS client cannot be set up: {}.", reason.trim_end_matches('.')))
            .hint("Install the system's certificates (ca-certificates), or point SSL_CERT_FILE at a PEM file.")
    })
}

/// The headers of every request: version, credentials and the user's own, which win.
pub(super) fn headers(options: &ClientOptions) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let version = HeaderValue::from_str(&options.version).map_err(|_| {
        Error::new(ErrorKind::Config, "`api.version` has characters that no header can have.")
            .hint("It is a date such as 2023-06-01.")
    })?;
    headers.insert("anthropic-version", version);
    let (name, value) = match &options.auth {
        Auth::ApiKey(key) => (HeaderName::from_static("x-api-key"), key.expose_secret().trim().to_owned()),
        Auth::Token(token) => (header::AUTHORIZATION, format!("Bearer {}", token.expose_secret().trim())),
    };
    let mut value = HeaderValue::from_str(&value).map_err(|_| {
        Error::new(ErrorKind::Credentials, "The key has characters that no key has, such as a line break.").hint(
            "Check ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN, or `api.key_command`); --simulate works without one.",
        )
    })?;
    value.set_sensitive(true);
    headers.insert(name, value);
    for (name, value) in &options.headers {
        // The value may be a secret, so only the name is told.
        let bad = || {
            Error::new(ErrorKind::Config, format!("The custom header `{}` is not a valid header.", name.escape_debug()))
                .hint("ANTHROPIC_CUSTOM_HEADERS has one `Name: value` a line.")
        };
        let mut value = HeaderValue::from_str(value.trim()).map_err(|_| bad())?;
        value.set_sensitive(true);
        headers.insert(HeaderName::try_from(name.trim()).map_err(|_| bad())?, value);
    }
    Ok(headers)
}

/// `base` with path segments appended to its own path; trailing slashes make no difference.
pub(crate) fn address(base: &Url, segments: &[&str]) -> Result<Url, Error> {
    let mut url = base.clone();
    url.set_fragment(None);
    let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
    if is_http {
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
    }
    match url.path_segments_mut() {
        Ok(mut path) if is_http => {
            path.pop_if_empty().extend(segments);
        }
        _ => {
            return Err(Error::new(ErrorKind::Config, "`api.base_url` is not an http(s) address.")
                .hint("It looks like https://api.anthropic.com."));
        }
    }
    Ok(url)
}

/// Host and port, as errors name them.
pub(super) fn host(base: &Url) -> String {
    let host = base.host_str().unwrap_or("the server");
    base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Key and code go only where the user sent them: to the same scheme, host and port, and with the same method (so no
/// 301-303, which turn a POST into a GET). Any other redirect is left as the answer, which becomes an error.
fn same_origin_only(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let kept_method = matches!(attempt.status().as_u16(), 307 | 308);
    let same_origin = attempt.previous().last().is_some_and(|previous| previous.origin() == attempt.url().origin());
    if kept_method && same_origin && attempt.previous().len() <= MOST_REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// What may be sent to in the clear because it is here must not be sent by way of a proxy, which is not.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    is_loopback(url)
}

/// Elsewhere the certificate loader honours these variables itself.
#[cfg(not(any(windows, target_vendor = "apple")))]
fn with_extra_certificates(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
}

#[cfg(any(windows, target_vendor = "apple"))]
fn with_extra_certificates(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    let mut files: Vec<PathBuf> = env::var_os("SSL_CERT_FILE").map(PathBuf::from).into_iter().collect();
    for folder in env::var_os("SSL_CERT_DIR").iter().flat_map(env::split_paths) {
        files.extend(fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    let certificates = files.iter().filter_map(|file| {
        let bundle = reqwest::Certificate::from_pem_bundle(&fs::read(file).ok()?);
        bundle.inspect_err(|error| tracing::warn!("{}: {error}", file.display())).ok()
    });
    builder.tls_certs_merge(certificates.flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(auth: Auth, headers: &[(&str, &str)]) -> ClientOptions {
        ClientOptions {
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..ClientOptions::new(Url::parse("https://api.anthropic.com").unwrap(), auth)
        }
    }

    #[test]
    fn addresses_keep_prefix_and_query() {
        for (base, expected) in [
            ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
            ("https://api.anthropic.com/", "https://api.anthropic.com/v1/messages"),
            ("http://127.0.0.1:4000/anthropic", "http://127.0.0.1:4000/anthropic/v1/messages"),
            ("http://127.0.0.1:4000/a/b/", "http://127.0.0.1:4000/a/b/v1/messages"),
            ("https://h//", "https://h/v1/messages"),
            ("https://h/a//b//", "https://h/a//b/v1/messages"),
            ("https://h/a%20b?api-version=7#top", "https://h/a%20b/v1/messages?api-version=7"),
        ] {
            assert_eq!(address(&Url::parse(base).unwrap(), &["v1", "messages"]).unwrap().as_str(), expected);
        }
        let odd = address(&Url::parse("https://h").unwrap(), &["v1", "models", "a/b?c#d é"]).unwrap();
        assert_eq!(odd.as_str(), "https://h/v1/models/a%2Fb%3Fc%23d%20%C3%A9");
        for bad in ["mailto:a@b", "file:///v1", "ftp://h"] {
            assert_eq!(address(&Url::parse(bad).unwrap(), &["v1"]).unwrap_err().kind, ErrorKind::Config, "{bad}");
        }
    }

    #[test]
    fn credentials_have_their_header_and_are_not_shown() {
        let key = headers(&options(Auth::ApiKey("sk-secret\n".into()), &[])).unwrap();
        assert_eq!(key["x-api-key"], "sk-secret");
        assert_eq!(key["anthropic-version"], "2023-06-01");
        assert!(!key.contains_key("authorization"));
        let token = options(Auth::Token("tok-secret".into()), &[]);
        let headers = headers(&token).unwrap();
        assert_eq!(headers["authorization"], "Bearer tok-secret");
        assert!(!headers.contains_key("x-api-key"));
        assert!(!format!("{headers:?} {token:?}").contains("secret"));
    }

    #[test]
    fn custom_headers_win_and_bad_ones_are_named() {
        let custom = options(Auth::ApiKey("k".into()), &[("X-Team", " blue "), ("Anthropic-Version", "2026-10-21")]);
        let map = headers(&custom).unwrap();
        assert_eq!((map["x-team"].as_bytes(), map["anthropic-version"].as_bytes()), (&b"blue"[..], &b"2026-10-21"[..]));
        let bad = headers(&options(Auth::ApiKey("k".into()), &[("no spaces", "hush")])).unwrap_err();
        assert!(bad.message.contains("no spaces") && !bad.sentence().contains("hush"));
        let key = headers(&options(Auth::ApiKey("a\nb".into()), &[])).unwrap_err();
        assert_eq!(key.kind, ErrorKind::Credentials);
        assert!(!key.sentence().contains("a\nb"));
    }

    #[test]
    fn loopback_is_this_machine() {
        for (url, here) in [
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("http://localhost", true),
            ("http://api.localhost:8080", true),
            ("http://[::ffff:127.0.0.1]:1", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(is_this_machine(&Url::parse(url).unwrap()), here, "{url}");
        }
    }
}
