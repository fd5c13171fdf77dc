//! What good types, documentation and tests look like in each language.
//!
//! All three in one text, although an action needs one of them: so the prefix in front of the document is the same for all
//! actions, and read from the cache.

use super::tags;
use crate::workspace::Language;

/// By the id of a language, or of the one whose customs it shares.
const TABLE: &[(&str, &str)] = &[
    ("c", include_str!("languages/c.md")),
    ("cpp", include_str!("languages/cpp.md")),
    ("csharp", include_str!("languages/csharp.md")),
    ("elixir", include_str!("languages/elixir.md")),
    ("go", include_str!("languages/go.md")),
    ("java", include_str!("languages/java.md")),
    ("javascript", include_str!("languages/javascript.md")),
    ("kotlin", include_str!("languages/kotlin.md")),
    ("lua", include_str!("languages/lua.md")),
    ("php", include_str!("languages/php.md")),
    ("python", include_str!("languages/python.md")),
    ("ruby", include_str!("languages/ruby.md")),
    ("rust", include_str!("languages/rust.md")),
    ("shellscript", include_str!("languages/shellscript.md")),
    ("swift", include_str!("languages/swift.md")),
    ("typescript", include_str!("languages/typescript.md")),
];

/// The conventions of a language; none where the general rules have to do.
pub(super) fn block(language: &Language) -> Option<String> {
    let (_, text) = TABLE.iter().find(|(id, _)| *id == language.family())?;
    Some(tags::wrap("conventions", &[("language", language.family())], text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::language;

    #[test]
    fn every_text_belongs_to_a_language_and_speaks_of_all_three_things() {
        for (id, text) in TABLE {
            assert_eq!(language::by_id(id).id, *id);
            assert!(text.contains("Documentation:") && text.contains("Tests:"), "{id}");
            assert_eq!(text.contains("Types:"), language::by_id(id).optional_types, "{id}");
        }
    }

    #[test]
    fn the_common_languages_with_optional_types_have_conventions() {
        for id in
            ["python", "javascript", "javascriptreact", "typescript", "typescriptreact", "ruby", "php", "lua", "elixir"]
        {
            let language = language::by_id(id);
            assert!(language.optional_types && block(language).is_some(), "{id}");
        }
    }
}
