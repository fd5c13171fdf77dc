//! Secrets in any text: what is found can be cut out of it, piece by piece, and is found again.

use crate::workspace::secrets::find;

pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let found = find(&text);
    let mut end = 0;
    for secret in &found {
        let value = text.get(secret.span.clone()).expect("a piece of the text");
        assert!(secret.span.start >= end, "{found:?} overlap");
        assert!(!value.is_empty() && !value.contains('\n'), "{value:?}");
        end = secret.span.end;
    }
    assert_eq!(find(&text), found);
}
