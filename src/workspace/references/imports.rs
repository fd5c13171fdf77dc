//! Import statements as what they bind to what.

mod compiled;
mod ecmascript;
mod python;
mod rust;
mod scripts;

use aho_corasick::AhoCorasick;
use tree_sitter::Node;

use crate::workspace::syntax::Syntax;

/// One name that an import brings, or all names of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// What it is called here, part by part; empty when all names of the module are there without any prefix.
    pub local: Vec<String>,
    /// The module, as the language writes it.
    pub module: String,
    /// What of the module it is; `None` for the module itself, and for all of its names.
    pub item: Option<String>,
}

impl Import {
    /// A module under a name.
    fn module(local: &str, module: impl Into<String>) -> Self {
        let local = local.split('.').map(str::to_owned).collect();
        Self { local, module: module.into(), item: None }
    }

    /// Something of a module under a name.
    fn item(local: impl Into<String>, module: impl Into<String>, item: impl Into<String>) -> Self {
        Self { local: vec![local.into()], module: module.into(), item: Some(item.into()) }
    }

    /// All names of a module.
    fn all(module: impl Into<String>) -> Self {
        Self { local: Vec::new(), module: module.into(), item: None }
    }

    /// Whether all names of the module are there without any prefix.
    pub fn is_all(&self) -> bool {
        self.local.is_empty()
    }
}

/// Imports of one text beyond these are not looked at.
const MAX_IMPORTS: usize = 400;

/// What a text imports, in its order. `family` is the language's.
pub fn imports(syntax: &Syntax, family: &str) -> Vec<Import> {
    imports_at(syntax, family, words(syntax.text(), family).as_deref())
}

/// Those in the nodes that have one of these places in them.
fn imports_at(syntax: &Syntax, family: &str, mut words: Option<&[usize]>) -> Vec<Import> {
    let read: fn(Node<'_>, &str, &mut Vec<Import>) -> bool = match family {
        "python" => python::read,
        "javascript" | "typescript" => ecmascript::read,
        "rust" => rust::read,
        "go" => compiled::go,
        "java" => compiled::java,
        "c" | "cpp" => compiled::c,
        "ruby" => scripts::ruby,
        "php" => scripts::php,
        "lua" => scripts::lua,
        _ => return Vec::new(),
    };
    let text = syntax.text();
    let mut out = Vec::new();
    let mut cursor = syntax.tree().root_node().walk();
    loop {
        let node = cursor.node();
        // Nodes come in the order in which they begin.
        words = words.map(|words| &words[words.partition_point(|at| *at < node.start_byte())..]);
        let is_about_it = words.is_none_or(|words| words.first().is_some_and(|at| *at < node.end_byte()));
        // Imports are statements: what is inside of one, or of a literal, is none.
        let done = !is_about_it || !node.is_named() || read(node, text, &mut out) || out.len() > MAX_IMPORTS;
        if !done && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                out.truncate(MAX_IMPORTS);
                return out;
            }
        }
    }
}

/// Where in a text there is a word that every import of its language has, so that most of a large tree need not be looked
/// at; none where imports are only at the top of a file.
fn words(text: &str, family: &str) -> Option<Vec<usize>> {
    let words: &[&str] = match family {
        "python" => &["import"],
        "javascript" | "typescript" => &["import", "export", "require"],
        "rust" => &["use", "mod"],
        "ruby" | "lua" => &["require"],
        "php" => &["use", "require", "include"],
        _ => return None,
    };
    // PHP's may be written in capitals.
    let found = AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()?;
    Some(found.find_iter(text).map(|found| found.start()).collect())
}

/// The text of a node.
fn code<'a>(node: Node<'_>, text: &'a str) -> &'a str {
    text.get(node.byte_range()).unwrap_or_default()
}

/// The named children of a node.
fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

/// What a string literal says.
fn unquoted<'a>(node: Node<'_>, text: &'a str) -> &'a str {
    code(node, text).trim_matches(['"', '\'', '`', '<', '>'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::workspace::language;

    const PIECES: [(&str, &[&str]); 7] = [
        (
            "python",
            &[
                "import a.b as c, d\n",
                "from .a import (b, c as d)\n",
                "if x:\n    from a import *\n",
                "def f():\n    import e\n    return important\n",
                "from x",
                "class C:\n    pass\n",
            ],
        ),
        (
            "javascript",
            &[
                "import a, {b as c} from './x'\n",
                "export * from 'y'\n",
                "const {p: q} = require('z')\n",
                "function f() { let g = require(\"g\").h; }\n",
                "export function e() {}\n",
                "required(1)\n",
            ],
        ),
        (
            "typescript",
            &[
                "import type {T} from 't'\n",
                "export {a as b} from './b'\n",
                "namespace N { export const x = 1 }\n",
                "f(() => { const y = require('y') })\n",
            ],
        ),
        (
            "rust",
            &[
                "use a::{b, c as d, e::*};\n",
                "mod m;\n",
                "mod n { use super::x; }\n",
                "fn f() { use g::h; modus(); }\n",
                "struct S;\n",
            ],
        ),
        ("ruby", &["require 'a'\n", "require_relative \"b/c\"\n", "def f\n  require 'd'\nend\n", "class C\nend\n"]),
        (
            "php",
            &[
                "<?php\n",
                "USE A\\B as C;\n",
                "use function a\\{b, c};\n",
                "Require_Once __DIR__ . '/x.php';\n",
                "function f() { include 'y.php'; }\n",
                "class Museum {}\n",
            ],
        ),
        (
            "lua",
            &[
                "local a = require('a')\n",
                "local b = require 'b'.c\n",
                "if x then require('d') end\n",
                "function f() return 1 end\n",
            ],
        ),
    ];

    proptest! {
        #[test]
        fn none_is_missed_where_nothing_is_looked_for(
            which in 0..PIECES.len(), pieces in prop::collection::vec(any::<prop::sample::Index>(), 0..12)
        ) {
            let (id, all) = PIECES[which];
            let text: String = pieces.iter().map(|piece| *piece.get(all)).collect();
            let language = language::by_id(id);
            let syntax = Syntax::parse(language, text.as_str()).unwrap();
            let family = language.family();
            prop_assert!(words(&text, family).is_some());
            prop_assert_eq!(imports(&syntax, family), imports_at(&syntax, family, None), "{}", text);
        }
    }

    #[test]
    fn each_language_has_imports() {
        for (id, pieces) in PIECES {
            let language = language::by_id(id);
            let syntax = Syntax::parse(language, pieces.concat()).unwrap();
            assert!(imports(&syntax, language.family()).len() >= 3, "{id}");
        }
    }
}
