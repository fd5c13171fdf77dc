//! JavaScript and TypeScript: `import` in all its forms, and `require`.

use tree_sitter::Node;

use super::statements::{Imports, Join, Member, Statement, normal};

pub(super) fn read(node: Node<'_>, text: &str, imports: &mut Imports) {
    if let Some(required) = required(node, text) {
        imports.statements.push(required);
        return;
    }
    let code = &text[node.byte_range()];
    let source = node.child_by_field_name("source").map_or("", |source| &text[source.byte_range()]);
    let module = source.trim_matches(['"', '\'']).to_owned();
    let clause = named_child(node, "import_clause");
    let Some(clause) = clause else {
        imports.statements.push(Statement::whole(node.byte_range(), format!("{module} for effect"), code));
        return;
    };
    let types_only = has_word(node, "type");
    let begin = if types_only { "import type " } else { "import " };
    let rest = text[clause.end_byte()..node.end_byte()].trim_end().to_owned();
    let rest = if rest.starts_with(' ') { rest } else { format!(" {rest}") };
    let part = |key: String, written: &str| Statement {
        shell: (begin.to_owned(), rest.clone()),
        ..Statement::whole(node.byte_range(), key, written)
    };
    let kind = if types_only { "type" } else { "value" };
    let mut cursor = clause.walk();
    let children: Vec<Node<'_>> = clause.named_children(&mut cursor).collect();
    for child in &children {
        let written = &text[child.byte_range()];
        if child.kind() != "named_imports" {
            let mut statement = part(format!("{module} {kind} {}", normal(written)), written);
            if types_only && let Some(member) = statement.members.pop() {
                statement.members.push(member.or(format!("{module} value {}", normal(written))));
            }
            imports.statements.push(statement);
            continue;
        }
        let mut cursor = child.walk();
        let names: Vec<Node<'_>> =
            child.named_children(&mut cursor).filter(|name| name.kind() == "import_specifier").collect();
        let members = names.iter().map(|name| {
            let written = &text[name.byte_range()];
            let bare = normal(written.strip_prefix("type ").unwrap_or(written));
            let as_type = types_only || has_word(*name, "type");
            let key = |kind: &str| format!("{module} {kind} {{{bare}}}");
            if as_type {
                Member::new(key("type"), written).or(key("value"))
            } else {
                Member::new(key("value"), written)
            }
        });
        let join_key = format!("{module} {kind}");
        imports.statements.push(Statement {
            span: node.byte_range(),
            members: members.collect(),
            shell: (format!("{begin}{{ "), format!(" }}{rest}")),
            join_key: Some(join_key.clone()),
            ..Statement::default()
        });
        if let Some(last) = names.last() {
            imports.joins.push(Join::behind(join_key, *last, text));
        }
    }
    if let ([only], false) = (children.as_slice(), types_only)
        && only.kind() == "identifier"
    {
        // A default import takes names along: `import a, { b } from 'c'`. One for types only cannot.
        imports.joins.push(Join {
            key: format!("{module} {kind}"),
            at: only.end_byte(),
            before: ", { ".to_owned(),
            between: ", ".to_owned(),
            after: " }".to_owned(),
        });
    }
}

/// `const a = require('b')`, also with a pattern.
pub(super) fn required(node: Node<'_>, text: &str) -> Option<Statement> {
    if !matches!(node.kind(), "lexical_declaration" | "variable_declaration") {
        return None;
    }
    let declarator = named_child(node, "variable_declarator")?;
    let value = declarator.child_by_field_name("value").filter(|value| value.kind() == "call_expression")?;
    let function = value.child_by_field_name("function")?;
    if &text[function.byte_range()] != "require" || node.named_child_count() != 1 {
        return None;
    }
    let name = declarator.child_by_field_name("name")?;
    let call = normal(&text[value.byte_range()]);
    let key = |bound: &str| format!("{call} {}", normal(bound));
    if name.kind() != "object_pattern" {
        let code = &text[node.byte_range()];
        return Some(Statement::whole(node.byte_range(), key(&text[name.byte_range()]), code));
    }
    let mut cursor = name.walk();
    let written = name.named_children(&mut cursor).map(|bound| &text[bound.byte_range()]);
    Some(Statement {
        span: node.byte_range(),
        members: written.map(|written| Member::new(key(written), written)).collect(),
        shell: (
            format!("{}{{ ", &text[node.start_byte()..name.start_byte()]),
            format!(" }}{}", &text[name.end_byte()..node.end_byte()]),
        ),
        ..Statement::default()
    })
}

fn named_child<'tree>(node: Node<'tree>, kind: &str) -> Option<Node<'tree>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).find(|child| child.kind() == kind)
}

fn has_word(node: Node<'_>, word: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| child.kind() == word)
}
