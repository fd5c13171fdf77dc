//! What a file of Lua says to Neovim about Aside, as far as it says it in words: calls and tables of literals.

use serde_json::{Map, Value};
use tree_sitter::Node;

use super::place;
use crate::workspace::language;
use crate::workspace::syntax;

/// The parts of a file that are about Aside.
#[derive(Default)]
pub(super) struct Lua {
    /// `vim.lsp.config("aside", { … })`, with its place.
    pub(super) configs: Vec<(Value, (usize, usize))>,
    /// `vim.lsp.enable("aside")`.
    pub(super) enables: bool,
    /// `require("aside").setup({ … })`, with its place.
    pub(super) setups: Vec<(Value, (usize, usize))>,
    /// `require("aside")`, or a plugin manager's words for the plugin's folder.
    pub(super) requires: bool,
    /// The folders that the plugin is said to be in, with their places.
    pub(super) folders: Vec<(String, (usize, usize))>,
    /// What the file returns, as those in `lsp/` do.
    pub(super) returned: Option<(Value, (usize, usize))>,
    /// Where it is not Lua.
    pub(super) broken: Option<(usize, usize)>,
}

/// Deeper tables than this are no settings.
const MAX_DEPTH: usize = 16;

/// Reads a file; nothing is found in one that cannot be parsed at all.
pub(super) fn read(text: &str) -> Lua {
    let mut found = Lua { requires: text.contains("aside/editors/neovim"), ..Lua::default() };
    let Some(tree) = syntax::tree(language::by_id("lua"), text) else { return found };
    let mut nodes = vec![tree.root_node()];
    while let Some(node) = nodes.pop() {
        if found.broken.is_none() && (node.is_error() || node.is_missing()) {
            found.broken = Some(place(text, node.start_byte()));
        }
        match node.kind() {
            "function_call" => call(node, text, &mut found),
            "table_constructor" => spec(node, text, &mut found),
            "assignment_statement" => assignment(node, text, &mut found),
            "return_statement" if node.parent().is_some_and(|parent| parent.parent().is_none()) => {
                let table = children(node).into_iter().flat_map(children).find(|it| it.kind() == "table_constructor");
                found.returned = table.map(|table| (value(table, text, 0), place(text, table.start_byte())));
            }
            _ => {}
        }
        // Also what has no name: a bracket that is missing is such a node.
        let inner: Vec<Node<'_>> = node.children(&mut node.walk()).collect();
        nodes.extend(inner.into_iter().rev());
    }
    found
}

fn call(node: Node<'_>, text: &str, found: &mut Lua) {
    let (Some(name), Some(arguments)) = (node.child_by_field_name("name"), node.child_by_field_name("arguments"))
    else {
        return;
    };
    let arguments: Vec<Node<'_>> = children(arguments);
    let first = arguments.first().map(|first| value(*first, text, 0)).unwrap_or_default();
    let called = &text[name.byte_range()];
    if called.starts_with("vim.opt.r") && (called.ends_with(":append") || called.ends_with(":prepend")) {
        let mut inner = arguments.clone();
        while let Some(node) = inner.pop() {
            inner.extend(children(node));
            folder(&value(node, text, 0), place(text, node.start_byte()), found);
        }
    }
    match called {
        "vim.lsp.config" if first == "aside" => {
            let table = arguments.get(1).map(|table| value(*table, text, 0)).unwrap_or_default();
            found.configs.push((table, place(text, node.start_byte())));
        }
        "vim.lsp.enable" => {
            let names = first.get(LIST).and_then(Value::as_array);
            found.enables |= first == "aside" || names.is_some_and(|names| names.iter().any(|name| name == "aside"));
        }
        "require" => found.requires |= first == "aside",
        r#"require("aside").setup"# | "require('aside').setup" => {
            found.setups.push((first, place(text, node.start_byte())));
        }
        _ => {}
    }
}

/// What lazy.nvim is told of the plugin: its folder, and the options that it is set up with.
fn spec(node: Node<'_>, text: &str, found: &mut Lua) {
    let table = value(node, text, 0);
    let here = place(text, node.start_byte());
    let before = found.folders.len();
    folder(&table["dir"], here, found);
    if found.folders.len() > before {
        found.setups.push((table.get("opts").cloned().unwrap_or_default(), here));
    }
}

/// A text that names the plugin's folder.
fn folder(value: &Value, here: (usize, usize), found: &mut Lua) {
    if let Some(path) = value.as_str().filter(|path| path.trim_end_matches('/').ends_with("editors/neovim")) {
        found.requires = true;
        found.folders.push((path.to_owned(), here));
    }
}

/// `vim.lsp.config.aside = { … }`, or with brackets.
fn assignment(node: Node<'_>, text: &str, found: &mut Lua) {
    let sides = children(node);
    let [left, right] = sides.as_slice() else { return };
    let name = text[left.byte_range()].replace("[\"aside\"]", ".aside").replace("['aside']", ".aside");
    if name.trim() == "vim.lsp.config.aside"
        && let Some(table) = children(*right).into_iter().next()
    {
        found.configs.push((value(table, text, 0), place(text, node.start_byte())));
    }
}

/// The items of a table that have no name.
pub(super) const LIST: &str = "\0list";

/// A literal; null for what has to be computed.
fn value(node: Node<'_>, text: &str, depth: usize) -> Value {
    let raw = &text[node.byte_range()];
    match node.kind() {
        "string" => {
            let content = node.child_by_field_name("content").map(|content| &text[content.byte_range()]);
            Value::from(content.unwrap_or_default())
        }
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "number" => serde_json::from_str(raw).unwrap_or_default(),
        "table_constructor" if depth < MAX_DEPTH => {
            let mut members = Map::new();
            let mut list = Vec::new();
            for field in children(node).into_iter().filter(|field| field.kind() == "field") {
                let Some(inner) = field.child_by_field_name("value").map(|inner| value(inner, text, depth + 1)) else {
                    continue;
                };
                match field.child_by_field_name("name") {
                    Some(name) if name.kind() == "string" => {
                        members.insert(value(name, text, depth).as_str().unwrap_or_default().to_owned(), inner);
                    }
                    Some(name) => {
                        members.insert(text[name.byte_range()].to_owned(), inner);
                    }
                    None => list.push(inner),
                }
            }
            if members.is_empty() && !list.is_empty() {
                return Value::Object(Map::from_iter([(LIST.to_owned(), Value::Array(list))]));
            }
            Value::Object(members)
        }
        _ => Value::Null,
    }
}

/// A table as settings have it: lists are arrays.
pub(super) fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => match members.get(LIST) {
            Some(Value::Array(items)) => items.iter().map(plain).collect(),
            _ => members.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        },
        other => other.clone(),
    }
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    node.named_children(&mut node.walk()).collect()
}
