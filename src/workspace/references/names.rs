//! The names that a piece of code uses, by the leaves of its tree alone: no grammar has to be known for that.

use tree_sitter::Node;

use crate::workspace::Span;
use crate::workspace::syntax::Syntax;

/// A name that is used, with what stands in front of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Its parts: `["os", "path", "join"]` for `os.path.join`, `["crate", "store", "load"]` for `crate::store::load`. What
    /// is used of a value that is no name, as in `f().x`, has an empty first part.
    pub parts: Vec<String>,
    /// Where its last part is.
    pub span: Span,
    /// How it is used.
    pub role: Role,
}

/// How a name is used, by what stands around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// As a value, or in a way that does not show.
    Value,
    /// As a type, or as something that is written like one.
    Type,
    /// It is called.
    Call,
}

/// Nodes that are a name.
const NAMES: &[&str] = &[
    "identifier",
    "type_identifier",
    "field_identifier",
    "namespace_identifier",
    "package_identifier",
    "property_identifier",
    "shorthand_property_identifier",
    "shorthand_field_identifier",
    "constant",
    "name",
    // Rust's own first parts of paths.
    "crate",
    "super",
    "self",
];

/// What joins the parts of a name.
const JOINTS: &[&str] = &[".", "::", "->", "?.", "?->", "&.", "\\"];

/// More leaves of one selection are not looked at.
const MAX_LEAVES: usize = 100_000;

/// The names used in a range, each once, in the order of their first use.
pub fn names(syntax: &Syntax, span: &Span) -> Vec<Name> {
    let mut reader = Reader { text: syntax.text(), found: Vec::new(), joint: Joint::None, after_name: false };
    walk(syntax.tree().root_node(), span, &mut |leaf| reader.take_in(leaf));
    let mut known = std::collections::HashMap::new();
    let mut out: Vec<Name> = Vec::new();
    for name in reader.found {
        let first = *known.entry(name.parts.clone()).or_insert(out.len());
        match out.get_mut(first) {
            Some(earlier) => earlier.role = earlier.role.max(name.role),
            None => out.push(name),
        }
    }
    out
}

/// The leaves of a tree that touch a range, without recursion.
fn walk<'tree>(root: Node<'tree>, span: &Span, visit: &mut dyn FnMut(Node<'tree>)) {
    let mut cursor = root.walk();
    let mut left = MAX_LEAVES;
    loop {
        let node = cursor.node();
        if node.start_byte() >= span.end || left == 0 {
            // What follows begins even later.
            return;
        }
        if node.end_byte() > span.start {
            if cursor.goto_first_child() {
                continue;
            }
            visit(node);
            left -= 1;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// What stood directly in front of a leaf.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// Nothing that joins.
    None,
    /// A joint behind a name.
    Name,
    /// A joint behind something else, such as a call.
    Other,
}

struct Reader<'a> {
    text: &'a str,
    found: Vec<Name>,
    joint: Joint,
    /// The leaf in front was the name found last.
    after_name: bool,
}

impl Reader<'_> {
    fn take_in(&mut self, leaf: Node<'_>) {
        let code = self.text.get(leaf.byte_range()).unwrap_or_default();
        // Lua calls methods with a colon, which means something else everywhere else.
        let is_method = code == ":" && leaf.parent().is_some_and(|parent| parent.kind() == "method_index_expression");
        if JOINTS.contains(&code) || is_method {
            self.joint = if std::mem::take(&mut self.after_name) { Joint::Name } else { Joint::Other };
            return;
        }
        let joint = std::mem::replace(&mut self.joint, Joint::None);
        if !NAMES.contains(&leaf.kind()) || code.is_empty() {
            let called = code == "(" || (code == "!" && self.text[leaf.end_byte()..].starts_with(['(', '[', '{', ' ']));
            if called
                && self.after_name
                && let Some(name) = self.found.last_mut()
            {
                name.role = Role::Call;
            }
            self.after_name = false;
            return;
        }
        let capital = code.chars().next().is_some_and(char::is_uppercase);
        let role = if capital || leaf.kind() == "type_identifier" { Role::Type } else { Role::Value };
        let mut parts = match joint {
            Joint::Name => self.found.pop().map(|name| name.parts).unwrap_or_default(),
            Joint::Other => vec![String::new()],
            Joint::None => Vec::new(),
        };
        parts.push(code.to_owned());
        self.found.push(Name { parts, span: leaf.byte_range(), role });
        self.after_name = true;
    }
}
