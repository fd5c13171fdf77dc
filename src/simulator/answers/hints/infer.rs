//! What type a literal, or an expression whose type its form gives away, has.

use tree_sitter::Node;

use super::super::code::Code;
use super::super::tree;
use crate::workspace::Span;
use crate::workspace::syntax::ItemKind;

/// A type, in no language's spelling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Type {
    None,
    Bool,
    Int,
    Float,
    Str,
    Bytes,
    List(Option<Box<Type>>),
    Set(Option<Box<Type>>),
    Map(Option<Box<(Type, Type)>>),
    Tuple(Vec<Type>),
    Regex,
    /// A class of the document, or one that was called with `new`.
    Class(String),
}

/// The type of the expression at a span; none where its form does not tell.
pub(super) fn at(code: &Code, span: &Span) -> Option<Type> {
    let node = tree::covering(code.tree()?, span)?;
    of(code, node)
}

/// One type for several, if they are the same.
pub(super) fn common(types: impl IntoIterator<Item = Option<Type>>) -> Option<Type> {
    let mut types = types.into_iter();
    let first = types.next()??;
    types.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

fn of(code: &Code, node: Node<'_>) -> Option<Type> {
    let text = code.of(&node.byte_range());
    let field = |name: &str| node.child_by_field_name(name);
    let inner = || tree::children(node).into_iter().next().and_then(|inner| of(code, inner));
    match node.kind() {
        "parenthesized_expression" | "expression_list" | "parenthesized_statements"
            if tree::children(node).len() == 1 =>
        {
            inner()
        }
        "integer" | "integer_literal" => Some(Type::Int),
        "float" | "float_literal" => Some(Type::Float),
        "number" => Some(number(code, text)),
        "string" if code.language.family() == "python" && is_bytes(text) => Some(Type::Bytes),
        "string"
        | "concatenated_string"
        | "template_string"
        | "encapsed_string"
        | "chained_string"
        | "heredoc_body" => Some(Type::Str),
        "true" | "false" | "boolean" | "comparison_operator" | "not_operator" => Some(Type::Bool),
        "none" | "null" | "nil" => Some(Type::None),
        "regex" => Some(Type::Regex),
        "list" | "array" | "array_creation_expression" => Some(list(code, node)),
        "list_comprehension" => Some(Type::List(field("body").and_then(|body| of(code, body)).map(Box::new))),
        "set" => {
            let element = common(tree::children(node).into_iter().map(|element| of(code, element)));
            Some(Type::Set(element.map(Box::new)))
        }
        "set_comprehension" => Some(Type::Set(field("body").and_then(|body| of(code, body)).map(Box::new))),
        "dictionary" | "object" | "hash" => Some(map(code, node)),
        "dictionary_comprehension" => Some(Type::Map(None)),
        "tuple" => {
            let elements: Option<Vec<Type>> =
                tree::children(node).into_iter().map(|element| of(code, element)).collect();
            elements.filter(|elements| !elements.is_empty()).map(Type::Tuple)
        }
        "unary_operator" | "unary_expression" | "unary" | "unary_op_expression" => unary(code, node, text),
        "binary_operator" | "binary_expression" | "binary" => binary(code, node),
        "boolean_operator" => common([field("left"), field("right")].map(|side| side.and_then(|side| of(code, side)))),
        "conditional_expression" | "ternary_expression" | "conditional" => branches(code, node),
        "identifier" | "constant" => constant(code, text).or_else(|| local(code, node, text)),
        "subscript" if field("subscript").is_some_and(|index| index.kind() == "slice") => {
            // A part of a list or a text is one again.
            let whole = field("value").and_then(|value| of(code, value));
            whole.filter(|whole| matches!(whole, Type::List(_) | Type::Str | Type::Bytes))
        }
        "new_expression" | "object_creation_expression" => {
            let name = field("constructor").or_else(|| tree::children(node).into_iter().next())?;
            let name = code.of(&name.byte_range());
            let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            plain.then(|| Type::Class(name.to_owned()))
        }
        "call" | "call_expression" | "function_call_expression" | "function_call" => call(code, node),
        _ => None,
    }
}

fn number(code: &Code, text: &str) -> Type {
    let fraction = text.contains('.') || (text.contains(['e', 'E']) && !text.starts_with("0x"));
    // One type of number is enough for JavaScript.
    if fraction || is_script(code) { Type::Float } else { Type::Int }
}

fn is_bytes(text: &str) -> bool {
    text.chars().take_while(|c| c.is_alphabetic()).any(|c| c == 'b' || c == 'B')
}

fn list(code: &Code, node: Node<'_>) -> Type {
    let elements = tree::children(node);
    let is_map = elements
        .iter()
        .any(|element| element.kind() == "array_element_initializer" && tree::children(*element).len() == 2);
    if is_map {
        return Type::Map(None);
    }
    let element = |node: Node<'_>| {
        let value = if node.kind() == "array_element_initializer" {
            tree::children(node).into_iter().next()
        } else {
            Some(node)
        };
        value.and_then(|value| of(code, value))
    };
    Type::List(common(elements.into_iter().map(element)).map(Box::new))
}

fn map(code: &Code, node: Node<'_>) -> Type {
    let pairs = tree::children(node);
    let part = |name: &'static str| {
        common(pairs.iter().map(move |pair| pair.child_by_field_name(name).and_then(|part| of(code, part))))
    };
    Type::Map(part("key").zip(part("value")).map(Box::new))
}

fn unary(code: &Code, node: Node<'_>, text: &str) -> Option<Type> {
    if text.starts_with('!') || text.starts_with("not") {
        return Some(Type::Bool);
    }
    if text.starts_with("typeof") {
        return Some(Type::Str);
    }
    let operand = tree::children(node).into_iter().next().and_then(|operand| of(code, operand));
    operand.filter(|operand| matches!(operand, Type::Int | Type::Float))
}

fn binary(code: &Code, node: Node<'_>) -> Option<Type> {
    let operator = node.child_by_field_name("operator").map(|operator| code.of(&operator.byte_range()).to_owned());
    let operator = operator.unwrap_or_default();
    let [left, right] = ["left", "right"].map(|side| node.child_by_field_name(side).and_then(|side| of(code, side)));
    match operator.as_str() {
        "==" | "!=" | "===" | "!==" | "<" | ">" | "<=" | ">=" | "in" | "instanceof" | "~=" => Some(Type::Bool),
        "&&" | "||" | "and" | "or" | "??" => common([left, right]),
        "." | ".." if matches!(code.language.family(), "php" | "lua") => Some(Type::Str),
        "%" if left == Some(Type::Str) => Some(Type::Str),
        "+" if left == Some(Type::Str) || (right == Some(Type::Str) && is_script(code)) => Some(Type::Str),
        "-" | "*" | "/" | "**" | "%" if is_script(code) => Some(Type::Float),
        "+" | "-" | "*" | "//" | "%" => match (left?, right?) {
            (Type::Int, Type::Int) => Some(Type::Int),
            (Type::Int | Type::Float, Type::Int | Type::Float) => Some(Type::Float),
            (left, right) if operator == "+" && left == right => Some(left),
            _ => None,
        },
        "/" if code.language.family() == "python" => {
            let numbers = [left, right].iter().all(|side| matches!(side, Some(Type::Int | Type::Float)));
            numbers.then_some(Type::Float)
        }
        _ => None,
    }
}

/// Whether the language has one type of number, so that arithmetic tells.
fn is_script(code: &Code) -> bool {
    matches!(code.language.family(), "javascript" | "typescript")
}

fn branches(code: &Code, node: Node<'_>) -> Option<Type> {
    let all = tree::children(node);
    let (first, second) = match (node.child_by_field_name("consequence"), node.child_by_field_name("alternative")) {
        (Some(first), Some(second)) => (first, second),
        // Python: value, condition, other value.
        _ => (*all.first()?, *all.last()?),
    };
    common([of(code, first), of(code, second)])
}

/// A constant of the document that is a literal.
fn constant(code: &Code, name: &str) -> Option<Type> {
    let item =
        code.items.iter().find(|item| item.kind == ItemKind::Constant && item.parent.is_none() && item.name == name)?;
    let mut node = tree::covering(code.tree()?, &item.name_span)?;
    let value = loop {
        if let Some(value) = ["right", "value"].into_iter().find_map(|field| node.child_by_field_name(field)) {
            break value;
        }
        node = node.parent().filter(|parent| parent.start_byte() >= item.span.start)?;
    };
    // Only literals: a name that stands for another name could go in a circle.
    if value.kind() == "identifier" { None } else { of(code, value) }
}

/// A variable of the function that only ever holds one type of container or text.
fn local(code: &Code, node: Node<'_>, name: &str) -> Option<Type> {
    let mut function = node.parent()?;
    while !tree::is_function(function.kind()) {
        function = function.parent()?;
    }
    if code.followed.borrow().iter().any(|followed| followed == name) {
        return None;
    }
    code.followed.borrow_mut().push(name.to_owned());
    let is_name = |side: Option<Node<'_>>| side.is_some_and(|side| code.of(&side.byte_range()) == name);
    let mut types = Vec::new();
    tree::walk(function, |node| {
        let target = || ["left", "name"].into_iter().find_map(|field| node.child_by_field_name(field));
        match node.kind() {
            "assignment" | "assignment_expression" | "variable_declarator" if is_name(target()) => {
                let value = ["right", "value"].into_iter().find_map(|field| node.child_by_field_name(field));
                types.push(value.filter(|value| value.kind() != "identifier").and_then(|value| of(code, value)));
            }
            // What is bound in any other way can be anything.
            "augmented_assignment"
            | "augmented_assignment_expression"
            | "for_statement"
            | "for_in_statement"
            | "as_pattern"
                if is_name(target()) || is_name(node.child_by_field_name("alias")) =>
            {
                types.push(None);
            }
            _ => {}
        }
        true
    });
    code.followed.borrow_mut().pop();
    // What a container holds changes after it was made, so only what it is remains.
    match common(types)? {
        Type::List(_) => Some(Type::List(None)),
        Type::Set(_) => Some(Type::Set(None)),
        Type::Map(_) => Some(Type::Map(None)),
        kind @ (Type::Str | Type::Bytes | Type::Bool) => Some(kind),
        _ => None,
    }
}

/// Calls whose result their name gives away.
#[expect(clippy::match_same_arms, reason = "a table by language")]
fn call(code: &Code, node: Node<'_>) -> Option<Type> {
    let function = node.child_by_field_name("function").or_else(|| node.child_by_field_name("name"))?;
    let name = code.of(&function.byte_range());
    let arguments = node.child_by_field_name("arguments").map(|list| tree::children(list).len()).unwrap_or_default();
    let method = name.rsplit_once('.').map(|(_, method)| method);
    let is_class = |name: &str| {
        code.items.iter().any(|item| item.kind == ItemKind::Class && item.parent.is_none() && item.name == name)
    };
    match (code.language.family(), name, method) {
        ("python", "len" | "int" | "ord" | "hash" | "id", _) => Some(Type::Int),
        ("python", "str" | "repr" | "format" | "chr" | "input", _) => Some(Type::Str),
        ("python", "float", _) => Some(Type::Float),
        ("python", "round", _) => Some(if arguments > 1 { Type::Float } else { Type::Int }),
        ("python", "bool" | "isinstance" | "issubclass" | "callable" | "hasattr" | "all" | "any", _) => {
            Some(Type::Bool)
        }
        ("python", "list" | "sorted", _) => Some(Type::List(None)),
        ("python", "dict", _) => Some(Type::Map(None)),
        ("python", "set", _) => Some(Type::Set(None)),
        ("python", name, None) if is_class(name) => Some(Type::Class(name.to_owned())),
        ("python", _, Some("casefold" | "lower" | "upper" | "title" | "capitalize" | "join" | "format" | "strip")) => {
            Some(Type::Str)
        }
        ("python", _, Some("startswith" | "endswith" | "isdigit" | "isalpha" | "is_file" | "is_dir")) => {
            Some(Type::Bool)
        }
        ("javascript" | "typescript", "String" | "JSON.stringify", _) => Some(Type::Str),
        ("javascript" | "typescript", "Number" | "parseInt" | "parseFloat", _) => Some(Type::Float),
        ("javascript" | "typescript", "Boolean" | "Array.isArray" | "Number.isInteger", _) => Some(Type::Bool),
        ("javascript" | "typescript", name, _) if name.starts_with("Math.") => Some(Type::Float),
        ("javascript" | "typescript", _, Some("toFixed" | "toUpperCase" | "toLowerCase" | "trim" | "join")) => {
            Some(Type::Str)
        }
        ("javascript" | "typescript", _, Some("includes" | "startsWith" | "endsWith" | "some" | "every" | "has")) => {
            Some(Type::Bool)
        }
        ("lua", "tostring" | "string.format" | "table.concat" | "type", _) => Some(Type::Str),
        ("php", "count" | "strlen" | "intval", _) => Some(Type::Int),
        ("php", "sprintf" | "implode" | "trim" | "strtolower" | "strtoupper", _) => Some(Type::Str),
        _ => None,
    }
}
