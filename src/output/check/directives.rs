//! Comments that tools act on, and those that a law acts on.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::tables;
use crate::workspace::Language;

/// The words by which such comments are known.
#[derive(Deserialize)]
struct Table {
    anywhere: Vec<String>,
    words: HashMap<String, Vec<String>>,
    signs: HashMap<String, Vec<String>>,
}

#[expect(clippy::expect_used, reason = "the table is part of the program, and a test reads it")]
static TABLE: LazyLock<Table> =
    LazyLock::new(|| tables::read(include_str!("known/directives.toml")).expect("the table of directives is valid"));

/// Whether a line of a comment is for a tool, and must stay as it is. `raw` begins with the comment's sign on the
/// comment's first line; `line` is without signs; `at_start` says that nothing stands before it in the file.
pub(super) fn is_directive(language: &Language, raw: &str, line: &str, at_start: bool) -> bool {
    if at_start && raw.starts_with("#!") {
        return true;
    }
    let family = match language.family() {
        "typescript" => "javascript",
        "cpp" => "c",
        family => family,
    };
    let listed =
        |table: &'static HashMap<String, Vec<String>>, key: &str| table.get(key).map_or(&[][..], Vec::as_slice);
    let mut words = listed(&TABLE.words, "all").iter().chain(listed(&TABLE.words, family));
    if words.any(|word| begins(line, word)) || listed(&TABLE.signs, family).iter().any(|sign| raw.starts_with(sign)) {
        return true;
    }
    let lower = raw.to_ascii_lowercase();
    if TABLE.anywhere.iter().any(|word| lower.contains(word)) {
        return true;
    }
    match family {
        // A tool's name and a colon, right behind the slashes.
        "go" => raw.strip_prefix("//").is_some_and(|rest| {
            let name = rest.split(':').next().unwrap_or("");
            rest.len() > name.len()
                && !name.is_empty()
                && name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit())
        }),
        // Annotations that frameworks read from documentation.
        "php" => line.strip_prefix('@').is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_uppercase())),
        _ => false,
    }
}

/// Whether a line begins with `word`, as a whole word where that ends like one.
fn begins(line: &str, word: &str) -> bool {
    line.strip_prefix(word).is_some_and(|rest| {
        !word.ends_with(|char: char| char.is_alphanumeric()) || !rest.starts_with(|char: char| char.is_alphanumeric())
    })
}

/// Whether a comment at the top of a file is about rights.
pub(super) fn is_licence(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["copyright", "license", "licence", "(c) ", "©", "all rights reserved"].iter().any(|word| lower.contains(word))
}

/// Whether a comment is a note of the authors to themselves.
pub(super) fn is_note(line: &str) -> bool {
    line.split(|char: char| !char.is_alphanumeric())
        .any(|word| matches!(word, "TODO" | "FIXME" | "XXX" | "HACK" | "BUG"))
}
