//! Python: `import a`, `from a import b`, and both under `if TYPE_CHECKING:`.

use tree_sitter::Node;

use super::statements::{Imports, Join, Member, Scope, Statement, normal};

pub(super) fn is_import(node: Node<'_>) -> bool {
    matches!(node.kind(), "import_statement" | "import_from_statement" | "future_import_statement")
}

/// The body of an `if TYPE_CHECKING:` without an `else`.
pub(super) fn guarded_block<'tree>(node: Node<'tree>, text: &str) -> Option<Node<'tree>> {
    let condition = (node.kind() == "if_statement").then(|| node.child_by_field_name("condition")).flatten()?;
    let named = matches!(&text[condition.byte_range()], "TYPE_CHECKING" | "typing.TYPE_CHECKING" | "t.TYPE_CHECKING");
    let plain = node.child_by_field_name("alternative").is_none();
    if named && plain { node.child_by_field_name("consequence") } else { None }
}

pub(super) fn read(node: Node<'_>, text: &str, imports: &mut Imports) {
    let Some(block) = guarded_block(node, text) else {
        read_one(node, text, false, imports);
        return;
    };
    let mut cursor = block.walk();
    for inner in block.named_children(&mut cursor).filter(|inner| is_import(*inner)) {
        read_one(inner, text, true, imports);
    }
    if imports.guard.is_none() {
        imports.guard = Some(block.start_byte()..block.start_byte() + text[block.byte_range()].trim_end().len());
    }
}

fn read_one(node: Node<'_>, text: &str, guarded: bool, imports: &mut Imports) {
    let module = match node.kind() {
        "import_from_statement" => node.child_by_field_name("module_name").map_or("", |name| &text[name.byte_range()]),
        "future_import_statement" => "__future__",
        _ => "",
    };
    let mut cursor = node.walk();
    let names: Vec<Node<'_>> = node.children_by_field_name("name", &mut cursor).collect();
    let plain =
        |name: &str| if module.is_empty() { format!("import {name}") } else { format!("from {module} import {name}") };
    let key = |name: &str| if guarded { format!("checking {}", plain(name)) } else { plain(name) };
    let member = |written: &str| {
        let name = normal(written);
        Member::new(key(&name), written).or(plain(&name))
    };
    let mut members: Vec<Member> = names.iter().map(|name| member(&text[name.byte_range()])).collect();
    let mut join_key = (!module.is_empty()).then(|| key(""));
    if members.is_empty() {
        // `from a import *`
        members.push(member("*"));
        join_key = None;
    } else if let (Some(key), Some(last)) = (&join_key, names.last()) {
        imports.joins.push(Join::behind(key.clone(), *last, text));
    }
    let scope = match (guarded, module) {
        (true, _) => Scope::TypeChecking,
        (false, "__future__") => Scope::First,
        (false, _) => Scope::File,
    };
    imports.statements.push(Statement {
        span: node.byte_range(),
        members,
        shell: (plain(""), String::new()),
        one_each: module.is_empty(),
        join_key,
        scope,
        in_block: false,
    });
}
