//! The languages there are: one table, [`table`], and lookups in it.

mod table;

use std::path::Path;

pub use table::PLAIN;

/// What the program knows of a language.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// The protocol's id, such as `typescriptreact`.
    pub id: &'static str,
    /// Other names for it: ids that editors send, and info strings of fences.
    pub aliases: &'static [&'static str],
    /// What people call it.
    pub name: &'static str,
    /// Extensions of its files, without the dot, in lower case.
    pub extensions: &'static [&'static str],
    /// Whole names of its files, such as `Makefile`.
    pub file_names: &'static [&'static str],
    /// Its grammar, if one is built in.
    pub grammar: Option<Grammar>,
    /// What begins a comment that ends with the line.
    pub line_comment: Option<&'static str>,
    /// What begins and ends a comment.
    pub block_comment: Option<(&'static str, &'static str)>,
    /// Whether types are written in it by choice, so that hints can be added.
    pub optional_types: bool,
    /// Whether it is a programming language: it has functions to test and to document.
    pub programming: bool,
    /// The info string of its fenced code blocks.
    pub fence: &'static str,
}

impl Language {
    /// The id of the language whose customs this one shares: `typescript` for `typescriptreact`, `javascript` for
    /// `javascriptreact`, its own id otherwise.
    pub fn family(&self) -> &'static str {
        match self.id {
            "typescriptreact" => "typescript",
            "javascriptreact" => "javascript",
            id => id,
        }
    }

    fn is_called(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name) || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }
}

/// A grammar that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grammar {
    /// Bash and its relatives.
    Bash,
    /// C.
    C,
    /// C++.
    Cpp,
    /// Go.
    Go,
    /// Java.
    Java,
    /// JavaScript, also with JSX.
    JavaScript,
    /// Lua.
    Lua,
    /// PHP, with the HTML around it.
    Php,
    /// Python.
    Python,
    /// Ruby.
    Ruby,
    /// Rust.
    Rust,
    /// TypeScript with JSX.
    Tsx,
    /// TypeScript.
    TypeScript,
}

/// All languages.
pub fn all() -> &'static [Language] {
    table::LANGUAGES
}

/// The language of an id or alias, in any case; [`PLAIN`] if there is none.
pub fn by_id(language_id: &str) -> &'static Language {
    find(language_id).unwrap_or(&PLAIN)
}

/// The language that a file's name tells; [`PLAIN`] if it tells none.
pub fn by_path(path: &Path) -> &'static Language {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return &PLAIN };
    let named = |language: &&Language| language.file_names.contains(&name);
    if let Some(language) = all().iter().find(named) {
        return language;
    }
    // The longest extension wins: `blade.php` is not `php`.
    let name = name.to_ascii_lowercase();
    let mut rest = name.as_str();
    while let Some((_, extension)) = rest.split_once('.') {
        if let Some(language) = all().iter().find(|language| language.extensions.contains(&extension)) {
            return language;
        }
        rest = extension;
    }
    &PLAIN
}

/// The language of a document: the one its editor names, or, where the editor does not know, the one its path tells.
pub fn of_document(language_id: &str, path: Option<&Path>) -> &'static Language {
    match find(language_id) {
        Some(language) if language != &PLAIN => language,
        _ => path.map_or(&PLAIN, by_path),
    }
}

fn find(name: &str) -> Option<&'static Language> {
    // Vim joins file types with a dot: `typescript.tsx`, `html.handlebars`. The whole comes first, then the parts.
    std::iter::once(name)
        .chain(name.split('.').filter(|part| part.len() < name.len()))
        .find_map(|name| all().iter().find(|language| language.is_called(name)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn ids_aliases_and_names_of_editors_are_known() {
        let id = |name: &str| by_id(name).id;
        for (name, expected) in [
            ("python", "python"),
            ("Rust", "rust"),
            ("rs", "rust"),
            ("sh", "shellscript"),
            ("bash", "shellscript"),
            ("typescript.tsx", "typescriptreact"),
            ("tsx", "typescriptreact"),
            ("javascript.jsx", "javascriptreact"),
            ("c++", "cpp"),
            ("cs", "csharp"),
            ("yaml.docker-compose", "yaml"),
            ("html.handlebars", "html"),
            ("viml", "vim"),
            ("tex", "latex"),
            ("text", "plaintext"),
            ("", "plaintext"),
            (".", "plaintext"),
            ("no-such-language", "plaintext"),
        ] {
            assert_eq!(id(name), expected, "{name:?}");
        }
    }

    #[test]
    fn paths_tell_the_language() {
        for (path, expected) in [
            ("a/b.PY", "python"),
            ("Makefile", "makefile"),
            ("CMakeLists.txt", "cmake"),
            ("a.txt", "plaintext"),
            ("a.d.ts", "typescript"),
            ("a.test.tsx", "typescriptreact"),
            ("x.blade.php", "blade"),
            ("x.php", "php"),
            ("Dockerfile", "dockerfile"),
            (".bashrc", "shellscript"),
            ("Gemfile", "ruby"),
            ("README", "plaintext"),
            ("archive.tar.gz", "plaintext"),
            ("a.h", "c"),
            ("a.hpp", "cpp"),
            ("tsconfig.json", "jsonc"),
            ("", "plaintext"),
        ] {
            assert_eq!(by_path(Path::new(path)).id, expected, "{path:?}");
        }
    }

    #[test]
    fn no_name_means_two_languages() {
        let mut seen = HashMap::new();
        for language in all() {
            let names = std::iter::once(&language.id).chain(language.aliases).map(|name| format!("id {name}"));
            let endings = language.extensions.iter().map(|ending| format!(".{ending}"));
            for name in names.chain(endings).chain(language.file_names.iter().map(ToString::to_string)) {
                let before = seen.insert(name.clone(), language.id);
                assert!(before.is_none_or(|before| before == language.id), "{name}: {before:?} and {}", language.id);
            }
            assert!(language.extensions.iter().all(|ending| *ending == ending.to_lowercase()));
        }
        assert!(all().len() > 60);
    }

    #[test]
    fn types_are_optional_where_they_are_and_data_is_no_program() {
        for id in
            ["python", "javascript", "javascriptreact", "typescript", "typescriptreact", "ruby", "php", "lua", "elixir"]
        {
            assert!(by_id(id).optional_types && by_id(id).programming, "{id}");
        }
        for id in ["rust", "go", "java", "c", "cpp", "kotlin"] {
            assert!(!by_id(id).optional_types && by_id(id).programming, "{id}");
        }
        for id in ["markdown", "json", "yaml", "toml", "plaintext", "html", "css"] {
            assert!(!by_id(id).programming && !by_id(id).optional_types, "{id}");
        }
    }
}
