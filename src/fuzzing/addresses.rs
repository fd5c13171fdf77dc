//! Addresses, of the API and of where an answer redirects to: what may be sent to in the clear is this machine, requests go
//! to the host that was named, and no message tells more of an address than its host.

use http::{HeaderMap, HeaderValue, header};

use super::texts;
use crate::claude::errors::{Fault, Place};
use crate::claude::transport;
use crate::config::{BaseUrl, allows};

pub(super) fn check(data: &[u8]) {
    let [address, location] = texts(data);
    if let Ok(base) = address.parse::<BaseUrl>() {
        held(&base);
    }
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&location) {
        headers.insert(header::LOCATION, value);
        let place = Place { host: "api.example", doubled_version: false, model: None };
        let error = place.status(307, &headers, &Fault::default());
        let target = error.message.strip_prefix("api.example redirects to ").expect("it says where to");
        let target = target.strip_suffix(", which is not followed.").expect("and no more");
        let is_host = !target.contains(['/', '?', '@', '\\']) && !target.contains(char::is_control);
        assert!(is_host, "{target:?}");
    }
}

fn held(base: &BaseUrl) {
    let url = base.as_url();
    assert!(url.has_host() && matches!(url.scheme(), "http" | "https"), "{url}");
    assert!(url.username().is_empty() && url.password().is_none() && url.query().is_none(), "{url}");
    let host = url.host_str().unwrap_or_default();
    if url.scheme() == "http" && allows(url, &[]).is_ok() {
        assert!(is_this_machine(host), "{host}");
        // A proxy would send it on to its own machine, or read it.
        assert!(transport::is_this_machine(url), "{host} is asked for through a proxy");
    }
    let asked = transport::address(url, &["v1", "messages"]).expect("it is an address");
    assert_eq!(asked.origin(), url.origin());
    assert!(asked.path().ends_with("/v1/messages") && asked.query().is_none(), "{asked}");
    assert_eq!(asked.path().strip_suffix("/v1/messages"), Some(url.path().trim_end_matches('/')));
    // What is written down and read again is the same.
    assert_eq!(base.to_string().parse::<BaseUrl>().as_ref(), Ok(base));
}

/// Told from the text of a host alone.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.rsplit('.').next() == Some("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}
