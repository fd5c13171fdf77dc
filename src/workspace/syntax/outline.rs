//! From a syntax tree to the items in it: one walk over the tree, without recursion, since code can be nested as deep
//! as a file is long.

use tree_sitter::Node;

use super::grammars::{ItemRule, Name, Rules};
use super::{Item, ItemKind};
use crate::workspace::Span;

/// What the walk knows of a node that it is inside of.
struct Frame {
    /// Comments and attributes just seen, that belong to an item if one follows.
    lead: Option<Span>,
    /// Where the child before ended.
    last_end: usize,
    /// The item that children are in.
    item: Option<usize>,
    /// The item that ended at `last_end`, as far as a semicolon may still belong to it.
    last_item: Option<usize>,
    /// What belongs to the only item in here: the span of a wrapper and where its own words begin.
    wrapper: Option<(Span, usize)>,
    /// Whether this is inside of a function.
    in_function: bool,
}

/// What a kind of node means.
#[derive(Clone, Copy, Default)]
struct Meaning {
    is_attached: bool,
    is_wrapper: bool,
    is_semicolon: bool,
    item: Option<&'static ItemRule>,
}

/// What each kind of node means, by its number: a large tree has half a million nodes, and to compare names takes longer than
/// everything else that is done with most of them.
fn meanings(root: Node<'_>, rules: &'static Rules) -> Vec<Meaning> {
    let language = root.language();
    let kinds = 0..u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
    let meaning = |kind: &str| Meaning {
        is_attached: rules.attached.contains(&kind),
        is_wrapper: rules.wrappers.contains(&kind),
        is_semicolon: kind == ";",
        item: rules.items.iter().find(|rule| rule.node == kind),
    };
    kinds.map(|kind| language.node_kind_for_id(kind).map(meaning).unwrap_or_default()).collect()
}

/// All items of the tree.
pub(super) fn items(root: Node<'_>, text: &str, rules: &'static Rules) -> Vec<Item> {
    let meanings = meanings(root, rules);
    let mut out: Vec<Item> = Vec::new();
    let mut cursor = root.walk();
    let mut frames =
        vec![Frame { lead: None, last_end: 0, item: None, last_item: None, wrapper: None, in_function: false }];
    if !cursor.goto_first_child() {
        return out;
    }
    loop {
        let node = cursor.node();
        let Some(frame) = frames.last_mut() else { return out };
        // What does not parse has a kind beyond all others.
        let meaning = meanings.get(usize::from(node.kind_id())).copied().unwrap_or_default();
        let entered = enter(node, meaning, text, rules, frame, &mut out);
        if let Some(child) = entered.filter(|_| cursor.goto_first_child()) {
            frames.push(child);
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() || frames.len() == 1 {
                return out;
            }
            frames.pop();
        }
    }
}

/// Takes in one node; answers the frame for its children, if they are worth a visit.
fn enter(
    node: Node<'_>,
    meaning: Meaning,
    text: &str,
    rules: &Rules,
    frame: &mut Frame,
    out: &mut Vec<Item>,
) -> Option<Frame> {
    let span = node.byte_range();
    if meaning.is_attached {
        let begins_line = text.get(frame.last_end..span.start).is_none_or(|gap| gap.contains('\n'))
            || frame.last_end == 0
            || text.get(..frame.last_end).is_some_and(|before| before.ends_with('\n'))
            || frame.lead.is_some();
        frame.lead = match frame.lead.take() {
            Some(lead) if adjoins(text, lead.end, span.start) => Some(lead.start..span.end),
            _ if begins_line || frame.wrapper.is_some() => Some(span.clone()),
            _ => None,
        };
        frame.last_end = span.end;
        return None;
    }
    if meaning.is_semicolon
        && frame.last_end == span.start
        && let Some(item) = frame.last_item.and_then(|index| out.get_mut(index))
    {
        item.span.end = item.span.end.max(span.end);
    }
    let lead = frame.lead.take().filter(|lead| adjoins(text, lead.end, span.start));
    let start = lead.as_ref().map_or(span.start, |lead| lead.start);
    frame.last_end = span.end;
    frame.last_item = None;
    let mut child = Frame {
        lead: None,
        last_end: span.start,
        item: frame.item,
        last_item: None,
        wrapper: None,
        in_function: frame.in_function,
    };
    if let Some(item) = meaning.item.and_then(|rule| item(node, rule, text, rules, frame, start, out)) {
        child.in_function |= matches!(item.kind, ItemKind::Function | ItemKind::Method);
        child.item = Some(out.len());
        frame.last_item = Some(out.len());
        out.push(item);
    } else if meaning.is_wrapper && is_around_one(node, rules) {
        let (outer, words) = match &frame.wrapper {
            Some((outer, words)) => (outer.clone(), *words),
            None => (start..span.end, own_words(node, rules)),
        };
        child.wrapper = Some((outer, words));
    } else {
        // In Ruby the comments of the first thing in a body stand in front of the body.
        child.lead = lead;
    }
    (node.child_count() > 0).then_some(child)
}

fn item(
    node: Node<'_>,
    rule: &ItemRule,
    text: &str,
    rules: &Rules,
    frame: &Frame,
    start: usize,
    out: &[Item],
) -> Option<Item> {
    let (name, value) = name_and_value(node, rule, rules)?;
    let parent = frame.item.and_then(|index| out.get(index));
    let mut kind = match rule.kind {
        ItemKind::Constant if value.is_some_and(|value| rules.lambdas.contains(&value.kind())) => ItemKind::Function,
        kind => refined(kind, node),
    };
    let held = parent.is_some_and(|parent| {
        matches!(parent.kind, ItemKind::Class | ItemKind::Struct | ItemKind::Interface | ItemKind::Enum)
    }) || parent.is_some_and(|parent| parent.kind == ItemKind::Module && rule.node == "method");
    if kind == ItemKind::Function && held {
        kind = ItemKind::Method;
    }
    if frame.in_function && (kind == ItemKind::Constant || matches!(rule.name, Name::Prototype)) {
        return None;
    }
    let body = value.unwrap_or(node).child_by_field_name("body").map(|body| body.byte_range());
    let (span, words) = match &frame.wrapper {
        Some((outer, words)) => (outer.clone(), *words),
        None => (start..node.end_byte(), own_words(node, rules)),
    };
    let definition = value.unwrap_or(node);
    let last = definition.child_count().checked_sub(1).and_then(|last| definition.child(last));
    let bare_end = last.filter(|last| last.kind() == "end").map_or(span.end, |end| end.start_byte());
    let signature_end = body.as_ref().map_or(bare_end, |body| body.start);
    let signature = text.get(words..signature_end).map_or(words..words, |text| words..words + text.trim_end().len());
    Some(Item {
        name: text.get(name.clone()).unwrap_or_default().to_owned(),
        kind,
        span,
        name_span: name,
        signature,
        body,
        parent: frame.item,
    })
}

/// The span of the name, and the node of the value if the rule has one. `None` if the node is no item after all.
fn name_and_value<'tree>(node: Node<'tree>, rule: &ItemRule, rules: &Rules) -> Option<(Span, Option<Node<'tree>>)> {
    let field = |name: &str| node.child_by_field_name(name);
    let value = |name: &str, field_name: &str| {
        // Lua keeps names and values in two lists without field names of their own.
        if field_name.is_empty() {
            let list = |kind: &str| (0..2).filter_map(|at| node.named_child(at)).find(|child| child.kind() == kind);
            (
                list("variable_list").and_then(|list| list.named_child(0)),
                list("expression_list").and_then(|list| list.named_child(0)),
            )
        } else {
            (field(name), field(field_name))
        }
    };
    match rule.name {
        Name::Field(name) => Some((field(name)?.byte_range(), None)),
        Name::Defined(name) => {
            field("body")?;
            Some((field(name)?.byte_range(), None))
        }
        Name::Declarator => Some((declared(node)?.0.byte_range(), None)),
        Name::Prototype => declared(node).filter(|(_, function)| *function).map(|(name, _)| (name.byte_range(), None)),
        Name::Binding(name, field_name) => {
            let (name, value) = value(name, field_name);
            Some((name?.byte_range(), value))
        }
        Name::FunctionBinding(name, field_name) => {
            let (name, value) = value(name, field_name);
            let value = value.filter(|value| rules.lambdas.contains(&value.kind()))?;
            Some((name?.byte_range(), Some(value)))
        }
        Name::ConstantBinding(name, kind) => {
            let name = field(name).filter(|name| name.kind() == kind)?;
            Some((name.byte_range(), None))
        }
    }
}

/// The name in a C declarator, and whether it is a function's.
pub(super) fn declared(node: Node<'_>) -> Option<(Node<'_>, bool)> {
    let mut at = node.child_by_field_name("declarator")?;
    let mut function = false;
    loop {
        function |= at.kind() == "function_declarator";
        let inner = at.child_by_field_name("declarator").or_else(|| {
            let wraps =
                matches!(at.kind(), "reference_declarator" | "parenthesized_declarator" | "attributed_declarator");
            at.named_child(0).filter(|_| wraps)
        });
        match inner {
            Some(inner) => at = inner,
            None => return Some((at, function)),
        }
    }
}

/// What a node's content says of its kind.
fn refined(kind: ItemKind, node: Node<'_>) -> ItemKind {
    match node.child_by_field_name("type").map(|of| of.kind()) {
        Some("interface_type") if kind == ItemKind::Struct => ItemKind::Interface,
        Some("struct_type") => ItemKind::Struct,
        Some("struct_specifier" | "union_specifier") if kind == ItemKind::Other => ItemKind::Struct,
        Some("enum_specifier") if kind == ItemKind::Other => ItemKind::Enum,
        // Go: a type that is neither a struct nor an interface.
        Some(_) if node.kind() == "type_spec" => ItemKind::Other,
        _ => kind,
    }
}

/// Where a declaration's own words begin, behind decorators and annotations.
fn own_words(node: Node<'_>, rules: &Rules) -> usize {
    let mut at = node;
    let mut cursor = node.walk();
    // Down along first children: a decorated definition begins where its definition does.
    while cursor.goto_first_child() {
        let leading = |node: Node<'_>| {
            rules.attached.contains(&node.kind()) || matches!(node.kind(), "annotation" | "marker_annotation")
        };
        let mut skipped = false;
        while leading(cursor.node()) {
            skipped = true;
            if !cursor.goto_next_sibling() {
                break;
            }
        }
        if leading(cursor.node()) {
            // Nothing but annotations in here: the words begin behind it.
            let end = cursor.node().end_byte();
            return following(node, end).unwrap_or(end);
        }
        at = cursor.node();
        let goes_on = skipped
            || rules.wrappers.contains(&at.kind())
            || at.kind() == "modifiers"
            || rules.items.iter().any(|rule| rule.node == at.kind());
        if !goes_on {
            break;
        }
    }
    at.start_byte()
}

/// Where the first child of `node` behind `end` begins.
fn following(node: Node<'_>, end: usize) -> Option<usize> {
    let mut cursor = node.walk();
    node.children(&mut cursor).map(|child| child.start_byte()).find(|start| *start >= end)
}

/// Whether a wrapper holds one thing only, beside what is attached to it.
fn is_around_one(node: Node<'_>, rules: &Rules) -> bool {
    let mut cursor = node.walk();
    let mut held = node.named_children(&mut cursor).filter(|child| {
        !rules.attached.contains(&child.kind()) && !matches!(child.kind(), "template_parameter_list" | "string_literal")
    });
    held.next().is_some() && held.next().is_none()
}

/// Whether what ends at `end` stands directly in front of what begins at `start`: on the same or the line above.
fn adjoins(text: &str, end: usize, start: usize) -> bool {
    // A line comment may include its own line break.
    let end = end - text.get(..end).map_or(0, |before| before.len() - before.trim_end_matches(['\r', '\n']).len());
    text.get(end..start)
        .is_some_and(|gap| gap.trim().is_empty() && gap.replace("\r\n", "\n").matches(['\n', '\r']).count() <= 1)
}
