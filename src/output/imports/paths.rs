//! Languages that import paths: Rust and PHP with groups of them, Go with blocks, Java one by one.

use tree_sitter::Node;

use super::statements::{Imports, Join, Member, Statement, normal};
use crate::workspace::Span;

pub(super) fn read_rust(span: Span, code: &str) -> Statement {
    // What is visible elsewhere is still imported here.
    let tree = code.split_once("use ").map_or(code, |(_, tree)| tree).trim_end_matches(';');
    Statement { shell: ("use ".to_owned(), ";".to_owned()), ..by_path(span, tree, "::") }
}

pub(super) fn read_php(span: Span, code: &str) -> Statement {
    let tree = code.strip_prefix("use ").unwrap_or(code).trim_end_matches(';').trim();
    let kind = ["function ", "const "].into_iter().find(|kind| tree.starts_with(kind)).unwrap_or("");
    let mut statement = by_path(span, &tree[kind.len()..], "\\");
    for member in &mut statement.members {
        member.key.insert_str(0, kind);
        member.satisfied_by.iter_mut().for_each(|key| key.insert_str(0, kind));
    }
    statement.shell = (format!("use {kind}"), ";".to_owned());
    statement
}

pub(super) fn read_java(span: Span, code: &str) -> Statement {
    let path = code.strip_prefix("import ").unwrap_or(code).trim_end_matches(';');
    let key: String = path.split_whitespace().collect::<Vec<_>>().join(" ");
    let parent = key.rsplit_once('.').map_or(String::new(), |(parent, _)| format!("{parent}.*"));
    Statement {
        span,
        members: vec![Member::new(key, path.trim()).or(parent)],
        shell: ("import ".to_owned(), ";".to_owned()),
        ..Statement::default()
    }
}

fn by_path(span: Span, tree: &str, separator: &str) -> Statement {
    let mut paths = Vec::new();
    expand("", tree, separator, &mut paths);
    let members = paths.into_iter().map(|path| {
        let parent = path.rsplit_once(separator).map_or("", |(parent, _)| parent);
        let wider = format!("{parent}{separator}*");
        Member::new(path.clone(), &path).or(wider)
    });
    Statement { span, members: members.collect(), one_each: true, ..Statement::default() }
}

/// The single paths of a tree of them, such as `a::{b, c::{d, self}}`.
fn expand(prefix: &str, tree: &str, separator: &str, out: &mut Vec<String>) {
    for part in split(tree) {
        let part = normal(part);
        match part.split_once('{') {
            Some((head, group)) => {
                let group = group.strip_suffix('}').unwrap_or(group).trim_end();
                expand(&format!("{prefix}{}", head.trim_end()), group, separator, out);
            }
            None if part == "self" => out.push(prefix.trim_end_matches(separator).to_owned()),
            None => out.push(format!("{prefix}{}", part.trim_start_matches('\\'))),
        }
    }
}

/// The parts of a list between commas that are in no braces.
fn split(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let parts = list.split(move |char| {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        char == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// Whether a Go path is one of the standard library's: those of others begin with a domain.
fn is_standard(spec: &str) -> bool {
    let path = spec.split('"').nth(1).unwrap_or(spec);
    !path.split('/').next().unwrap_or(path).contains('.')
}

pub(super) fn read_go(node: Node<'_>, text: &str, imports: &mut Imports) {
    let mut cursor = node.walk();
    let block = node.named_children(&mut cursor).find(|child| child.kind() == "import_spec_list");
    let holder = block.unwrap_or(node);
    let mut cursor = holder.walk();
    let specs: Vec<Node<'_>> =
        holder.named_children(&mut cursor).filter(|child| child.kind() == "import_spec").collect();
    let group = |spec: &str| if is_standard(spec) { "standard" } else { "other" };
    for spec in &specs {
        let written = &text[spec.byte_range()];
        imports.statements.push(Statement {
            // In a block each line is a statement, so that the two groups go their own ways.
            span: if block.is_some() { spec.byte_range() } else { node.byte_range() },
            members: vec![Member::new(normal(written), written)],
            shell: ("import ".to_owned(), String::new()),
            join_key: Some(group(written).to_owned()),
            in_block: block.is_some(),
            ..Statement::default()
        });
    }
    let on_lines = block.is_some_and(|block| block.end_position().row > block.start_position().row);
    if !on_lines {
        return;
    }
    let written = |spec: &Node<'_>| &text[spec.byte_range()];
    for (key, other) in [("standard", "other"), ("other", "standard")] {
        let last = |key: &str| specs.iter().rfind(|spec| group(written(spec)) == key);
        let (at, before) = match (last(key), last(other)) {
            (Some(last), _) => (last.end_byte(), "\n\t"),
            // A group that is not there yet comes behind the other, set off from it.
            (None, Some(last)) => (last.end_byte(), "\n\n\t"),
            (None, None) => continue,
        };
        let (key, before) = (key.to_owned(), before.to_owned());
        imports.joins.push(Join { key, at, before, between: "\n\t".to_owned(), after: String::new() });
    }
}
