//! Import statements as what they bind to what.

mod compiled;
mod ecmascript;
mod python;
mod rust;
mod scripts;

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
        // Imports are statements: what is inside of one, or of a literal, is none.
        let done = !node.is_named() || read(node, text, &mut out) || out.len() > MAX_IMPORTS;
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
