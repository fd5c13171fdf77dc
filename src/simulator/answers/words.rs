//! Names as words.

/// The words of a name: `parse`, `http`, `request` of `parseHTTPRequest`, `parse_http_request` and `Parse-HttpRequest`.
pub(super) fn words(name: &str) -> Vec<String> {
    let name = name.rsplit([':', '.']).next().unwrap_or(name);
    let chars: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            words.push(std::mem::take(&mut word));
            continue;
        }
        let before = at.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(at + 1);
        let hump = c.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_ascii_digit())
                || (before.is_some_and(char::is_uppercase) && after.is_some_and(|after| after.is_lowercase())));
        if hump {
            words.push(std::mem::take(&mut word));
        }
        word.extend(c.to_lowercase());
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// A name as a sentence: `Parse price.` of `parse_price`.
pub(super) fn sentence(name: &str) -> String {
    let words = words(name).join(" ");
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => format!("{name}."),
    }
}

/// A name in snake case.
pub(super) fn snake(name: &str) -> String {
    words(name).join("_")
}

/// A name in Pascal case.
pub(super) fn pascal(name: &str) -> String {
    words(name)
        .iter()
        .map(|word| {
            let mut chars = word.chars();
            chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_apart() {
        for name in [
            "parseHTTPRequest",
            "parse_http_request",
            "Parse-HttpRequest",
            "__parse_http_request__",
            "m.parseHttpRequest",
        ] {
            assert_eq!(words(name), ["parse", "http", "request"], "{name}");
        }
        assert_eq!(sentence("parse_price"), "Parse price.");
        assert_eq!(sentence("__"), "__.");
        assert_eq!(
            (snake("formatTotal"), pascal("format_total")),
            ("format_total".to_owned(), "FormatTotal".to_owned())
        );
    }
}
