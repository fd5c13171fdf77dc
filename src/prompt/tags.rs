//! The tags that mark what is whose in a prompt: code stays verbatim, and cannot close the tag that wraps it.
//!
//! A text is put between `<name …>` and `</name>` on lines of their own, unchanged. Escaping it would show the model other
//! code than the user has. If the text itself holds something like `</name>`, the tag gets a number that the text does not
//! close: `<name-2 …>` … `</name-2>`. The number depends on the text alone, so equal texts give equal bytes.

use std::collections::HashSet;
use std::fmt::Write as _;

/// `text` between the tags `name`, whose start tag has the `attributes` in the order given.
pub fn wrap(name: &str, attributes: &[(&str, &str)], text: &str) -> String {
    let tag = unclosed(name, text);
    let mut wrapped = String::with_capacity(text.len() + 2 * tag.len() + 64);
    open(&mut wrapped, &tag, attributes);
    wrapped.push_str(">\n");
    wrapped.push_str(text);
    let _ = write!(wrapped, "\n</{tag}>");
    wrapped
}

/// A tag without content.
pub fn empty(name: &str, attributes: &[(&str, &str)]) -> String {
    let mut tag = String::new();
    open(&mut tag, name, attributes);
    tag.push_str("/>");
    tag
}

/// The attributes and the text of a block that [`wrap`] made of `name`; the text is empty for one that [`empty`] made.
/// `None` for any other text. What the model sees is a string, so this is for tests and for the simulator.
pub fn unwrap<'a>(name: &str, block: &'a str) -> Option<(Vec<(String, String)>, &'a str)> {
    let (head, rest) = block.split_once('>')?;
    let head = head.strip_prefix('<')?;
    let (tag, attributes) = head.split_once(' ').unwrap_or((head, ""));
    let number = tag.trim_end_matches('/').strip_prefix(name)?;
    if !(number.is_empty() || number.strip_prefix('-').is_some_and(|digits| digits.parse::<u64>().is_ok())) {
        return None;
    }
    let text = match head.strip_suffix('/') {
        Some(_) if rest.is_empty() => "",
        Some(_) => return None,
        None => rest.strip_prefix('\n')?.strip_suffix('>')?.strip_suffix(tag)?.strip_suffix("\n</")?,
    };
    let mut parsed = Vec::new();
    let mut left = attributes.trim_end_matches('/').trim();
    while let Some((key, rest)) = left.split_once("=\"") {
        let (value, rest) = rest.split_once('"')?;
        parsed.push((key.trim().to_owned(), unescape(value)));
        left = rest.trim_start();
    }
    Some((parsed, text))
}

fn open(into: &mut String, tag: &str, attributes: &[(&str, &str)]) {
    into.push('<');
    into.push_str(tag);
    for (key, value) in attributes {
        let _ = write!(into, " {key}=\"");
        escape(into, value);
        into.push('"');
    }
}

const ENTITIES: &[(char, &str)] =
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\n', "&#10;"), ('\r', "&#13;")];

fn escape(into: &mut String, value: &str) {
    for char in value.chars() {
        match ENTITIES.iter().find(|(plain, _)| *plain == char) {
            Some((_, entity)) => into.push_str(entity),
            None => into.push(char),
        }
    }
}

fn unescape(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let (char, length) = match ENTITIES.iter().find(|(_, entity)| rest.starts_with(entity)) {
            Some((char, entity)) => (*char, entity.len()),
            None => ('&', 1),
        };
        plain.push(char);
        rest = &rest[length..];
    }
    plain.push_str(rest);
    plain
}

/// `name`, or `name-N` with the smallest N from 2 that `text` does not close. Models are lenient readers, so white space
/// and capitals do not make a closing tag another one.
fn unclosed(name: &str, text: &str) -> String {
    let mut plain = true;
    let mut numbers = HashSet::new();
    for (at, _) in text.match_indices("</") {
        let rest = text[at + 2..].trim_start();
        let Some(found) = rest.get(..name.len()).filter(|found| found.eq_ignore_ascii_case(name)) else { continue };
        plain = false;
        if let Some(number) = rest[found.len()..].strip_prefix('-') {
            let digits = number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            numbers.extend(number[..digits].parse::<u64>());
        }
    }
    if plain {
        return name.to_owned();
    }
    // One more candidate than there are numbers, so one of them is free.
    let last = 2 + numbers.len() as u64;
    let number = (2..=last).find(|number| !numbers.contains(number)).unwrap_or(last);
    format!("{name}-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_cannot_close_its_tag() {
        for (text, tag) in [
            ("plain", "document"),
            ("<document>", "document"),
            ("</task>", "document"),
            ("a </document> b", "document-2"),
            ("</ DOCUMENT\t>", "document-2"),
            ("</documents>", "document-2"),
            ("</document></document-2>", "document-3"),
            ("</document-2></document-4>", "document-3"),
            ("</document-x> </document-99999999999999999999999>", "document-2"),
            ("</", "document"),
            ("</документ>", "document"),
        ] {
            assert_eq!(wrap("document", &[], text), format!("<{tag}>\n{text}\n</{tag}>"));
        }
    }

    #[test]
    fn attributes_stay_on_one_line_and_in_their_quotes() {
        let tag = empty("selection", &[("path", "a\"b<c>&d\ne"), ("lines", "1-2")]);
        assert_eq!(tag, r#"<selection path="a&quot;b&lt;c&gt;&amp;d&#10;e" lines="1-2"/>"#);
        let (attributes, text) = unwrap("selection", &tag).unwrap();
        assert_eq!((attributes[0].1.as_str(), attributes[1].1.as_str(), text), ("a\"b<c>&d\ne", "1-2", ""));
    }

    #[test]
    fn other_blocks_are_no_such_tag() {
        for block in
            ["", "text", "<selections>\n\n</selections>", "<selection>\nopen", "<selection-x>\n\n</selection-x>"]
        {
            assert_eq!(unwrap("selection", block), None, "{block}");
        }
    }

    proptest! {
        #[test]
        fn what_is_wrapped_comes_back(
            parts in prop::collection::vec(
                prop::sample::select(vec!["</", "document", "-2", "-3", ">", "<", "\n", " ", "\r\n", "x", "é", "/", "&amp;", "\""]), 0..30),
            path in "[ -~\n\r]{0,20}",
        ) {
            let text = parts.concat();
            let block = wrap("document", &[("path", &path), ("language", "python")], &text);
            let (attributes, inner) = unwrap("document", &block).unwrap();
            prop_assert_eq!(inner, text.as_str());
            prop_assert_eq!(&attributes[0], &("path".to_owned(), path));
            // The closing tag is nowhere but at the end.
            let close = &block[block.rfind("</").unwrap()..];
            prop_assert_eq!(block.matches(close).count(), 1);
        }
    }
}
