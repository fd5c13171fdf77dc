//! Import statements as what they bind.

use tree_sitter::{Node, Tree};

use super::{ecmascript, paths, python};
use crate::workspace::{Language, Span};

/// Languages that write imports the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Python,
    EcmaScript,
    Rust,
    Go,
    Java,
    Ruby,
    Php,
    C,
    Lua,
    Shell,
}

impl Family {
    pub(super) fn of(language: &Language) -> Option<Self> {
        Some(match language.family() {
            "python" => Self::Python,
            "javascript" | "typescript" => Self::EcmaScript,
            "rust" => Self::Rust,
            "go" => Self::Go,
            "java" => Self::Java,
            "ruby" => Self::Ruby,
            "php" => Self::Php,
            "c" | "cpp" => Self::C,
            "lua" => Self::Lua,
            "shellscript" => Self::Shell,
            _ => return None,
        })
    }

    /// Import lines as a text that the grammar reads.
    pub(super) fn as_file(self, lines: &[String]) -> String {
        let text = lines.join("\n");
        match self {
            Self::Php if !text.contains("<?") => format!("<?php\n{text}\n"),
            // Models leave the keyword out, since most files have a block.
            Self::Go => {
                let quoted = |line: &String| line.trim_start().starts_with(['"', '`']);
                if lines.iter().all(quoted) { format!("import (\n{text}\n)\n") } else { format!("{text}\n") }
            }
            _ => format!("{text}\n"),
        }
    }

    /// Whether a statement of a file's top level imports something.
    pub(super) fn is_import(self, node: Node<'_>, text: &str) -> bool {
        let code = &text[node.byte_range()];
        match self {
            Self::Python => python::is_import(node) || python::guarded_block(node, text).is_some(),
            Self::EcmaScript => node.kind() == "import_statement" || ecmascript::required(node, text).is_some(),
            Self::Rust => matches!(node.kind(), "use_declaration" | "extern_crate_declaration"),
            Self::Go | Self::Java => node.kind() == "import_declaration",
            Self::Ruby => {
                node.kind() == "call"
                    && ["require ", "require_relative ", "require("].iter().any(|word| code.starts_with(word))
            }
            Self::Php => {
                node.kind() == "namespace_use_declaration"
                    || node.kind() == "expression_statement" && code.starts_with("require")
            }
            Self::C => matches!(node.kind(), "preproc_include" | "using_declaration"),
            Self::Lua => {
                node.kind() == "variable_declaration" && code.starts_with("local ") && code.contains("require")
                    || node.kind() == "function_call" && code.starts_with("require")
            }
            Self::Shell => node.kind() == "command" && (code.starts_with("source ") || code.starts_with(". ")),
        }
    }
}

/// All import statements of a text's top level.
#[derive(Debug, Default)]
pub(super) struct Imports {
    pub(super) statements: Vec<Statement>,
    /// Where further members can be added to the statements.
    pub(super) joins: Vec<Join>,
    /// The body of the first block of imports for type checkers only.
    pub(super) guard: Option<Span>,
    /// Statements that are no imports.
    pub(super) others: Vec<Span>,
}

/// An import statement, or the part of one that binds names in one way.
#[derive(Debug, Default)]
pub(super) struct Statement {
    /// The whole statement.
    pub(super) span: Span,
    pub(super) members: Vec<Member>,
    /// What stands before and after members that are written as a statement.
    pub(super) shell: (String, String),
    /// Whether each member is a statement of its own.
    pub(super) one_each: bool,
    /// The key of the [`Join`] that members may go to.
    pub(super) join_key: Option<String>,
    pub(super) scope: Scope,
    /// Whether it is a line of a block, which is nothing on its own.
    pub(super) in_block: bool,
}

/// Where a statement belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Scope {
    /// Among the file's imports.
    #[default]
    File,
    /// Where only type checkers see it.
    TypeChecking,
    /// Before all others.
    First,
}

impl Statement {
    /// A statement that cannot be divided.
    pub(super) fn whole(span: Span, key: String, text: &str) -> Self {
        Self { span, members: vec![Member::new(key, text)], ..Self::default() }
    }

    /// The statement with these members only.
    pub(super) fn written(&self, members: &[String]) -> String {
        format!("{}{}{}", self.shell.0, members.join(", "), self.shell.1)
    }
}

/// One thing that a statement binds.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) text: String,
    /// The keys that make it superfluous: its own, and those of wider imports.
    pub(super) satisfied_by: Vec<String>,
}

impl Member {
    pub(super) fn new(key: String, text: &str) -> Self {
        Self { satisfied_by: vec![key.clone()], key, text: text.to_owned() }
    }

    pub(super) fn or(mut self, wider: String) -> Self {
        self.satisfied_by.push(wider);
        self
    }
}

/// A place within a statement where members can be added.
#[derive(Debug)]
pub(super) struct Join {
    pub(super) key: String,
    pub(super) at: usize,
    pub(super) before: String,
    pub(super) between: String,
    pub(super) after: String,
}

impl Join {
    /// Behind `last`, the last of several members separated by commas, in its way: on one line or on lines of their own.
    pub(super) fn behind(key: String, last: Node<'_>, text: &str) -> Self {
        let start = text[..last.start_byte()].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let lead = &text[start..last.start_byte()];
        let own_line = start > 0 && !lead.is_empty() && lead.trim().is_empty();
        let separator = if own_line { format!(",\n{lead}") } else { ", ".to_owned() };
        Self { key, at: last.end_byte(), before: separator.clone(), between: separator, after: String::new() }
    }
}

/// Reads the imports of a text.
pub(super) fn read(family: Family, tree: &Tree, text: &str) -> Imports {
    let mut imports = Imports::default();
    let container = top(family, tree.root_node());
    let mut cursor = container.walk();
    let mut gated = false;
    for node in container.named_children(&mut cursor) {
        if matches!(node.kind(), "attribute_item") {
            gated = true;
            continue;
        }
        // What holds in some builds only does not count as there.
        let skipped = std::mem::take(&mut gated);
        if !family.is_import(node, text) {
            if !is_frame(node) && !skipped {
                imports.others.push(node.byte_range());
            }
        } else if !skipped {
            read_one(family, node, text, &mut imports);
        }
    }
    imports
}

fn read_one(family: Family, node: Node<'_>, text: &str, imports: &mut Imports) {
    let span = node.start_byte()..node.start_byte() + text[node.byte_range()].trim_end().len();
    let code = &text[span.clone()];
    match family {
        Family::Python => python::read(node, text, imports),
        Family::EcmaScript => ecmascript::read(node, text, imports),
        Family::Go => paths::read_go(node, text, imports),
        Family::Rust if node.kind() == "use_declaration" => imports.statements.push(paths::read_rust(span, code)),
        Family::Php if node.kind() == "namespace_use_declaration" => {
            imports.statements.push(paths::read_php(span, code));
        }
        Family::Java => imports.statements.push(paths::read_java(span, code)),
        _ => imports.statements.push(Statement::whole(span, normal(code), code)),
    }
}

/// What holds the statements: the file, or the include guard around them.
pub(super) fn top(family: Family, root: Node<'_>) -> Node<'_> {
    if family != Family::C {
        return root;
    }
    let mut cursor = root.walk();
    let first = root.named_children(&mut cursor).find(|node| node.kind() != "comment");
    let guard = |node: &Node<'_>| {
        node.kind() == "preproc_ifdef"
            && node.child(0).is_some_and(|word| word.kind() == "#ifndef")
            && node.named_child(1).is_some_and(|second| second.kind() == "preproc_def")
    };
    first.filter(guard).unwrap_or(root)
}

/// Whether a node is no statement: a comment, or what marks the language.
pub(super) fn is_frame(node: Node<'_>) -> bool {
    node.kind().contains("comment")
        || matches!(node.kind(), "php_tag" | "text_interpolation" | "text" | "empty_statement")
}

/// A statement's text with single spaces, either quotes and no semicolon.
pub(super) fn normal(code: &str) -> String {
    let words: Vec<&str> = code.trim_end_matches(';').split_whitespace().collect();
    words.join(" ").replace('\'', "\"")
}
