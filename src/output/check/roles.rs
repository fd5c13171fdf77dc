//! What the nodes of each grammar are to a check: code, comments, or what the action may change.

use tree_sitter::{Node, TreeCursor};

use super::Promise;
use super::stream::{Event, Frame, Site, Stream};
use crate::workspace::language::Grammar;

/// What a kind of node can be; what a node is follows from its surroundings too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Plain,
    Comment,
    /// A line that goes on.
    Blank,
    /// White space in it is text.
    Verbatim,
    /// The text of a macro of C, with a comment at its end.
    MacroText,
    /// A type, wherever it stands.
    Types,
    /// What has a type in a field of it: a parameter, a variable, a field.
    Typed,
    /// The same, without being a level of syntax of its own.
    TypedParameter,
    /// The same under a name of its own.
    TypedDefault,
    OptionalParameter,
    Function,
    Container,
    Decorated,
    /// A function written `x => …`.
    Arrow,
    Parameters,
    Statement,
    Block,
    Module,
    Imports,
    If,
    TypeAlias,
    /// `x as T` and the like.
    Assertion,
    /// A call that may be a signature for a checker.
    Call,
    Definition,
}

impl Class {
    /// Whether names are defined in it.
    pub(super) fn is_scope(self) -> bool {
        matches!(self, Self::Function | Self::Container | Self::Decorated | Self::Arrow)
    }
}

/// What is to be done with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role<'a> {
    Plain,
    /// Its children stand in its place.
    Transparent,
    /// It goes by the name of another kind.
    Alias(u16),
    /// One parameter without the brackets that it may have.
    Bracketed,
    Blank,
    Comment,
    Documentation,
    Erased,
    Annotation(Site, Node<'a>),
    Imports,
}

/// The classes of all kinds of a grammar's nodes, for one promise.
pub(super) struct Roles {
    pub(super) promise: Promise,
    pub(super) grammar: Grammar,
    classes: Vec<Class>,
    default_parameter: u16,
    required_parameter: u16,
    /// The kinds of a list of parameters, of a parameter, and of the list's brackets.
    pub(super) parameter_list: [u16; 4],
}

impl Roles {
    pub(super) fn new(promise: Promise, grammar: Grammar, language: &tree_sitter::Language) -> Self {
        let count = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
        let class = |id| match language.node_kind_for_id(id) {
            Some(name) if language.node_kind_is_named(id) => class(promise, grammar, name),
            _ => Class::Plain,
        };
        let named = |name| language.id_for_node_kind(name, true);
        let sign = |name| language.id_for_node_kind(name, false);
        Self {
            promise,
            grammar,
            classes: (0..count).map(class).collect(),
            default_parameter: named("default_parameter"),
            required_parameter: named("required_parameter"),
            parameter_list: [named("formal_parameters"), named("required_parameter"), sign("("), sign(")")],
        }
    }

    pub(super) fn class(&self, node: Node<'_>) -> Class {
        // The kind of an error lies beyond the table.
        self.classes.get(usize::from(node.kind_id())).copied().unwrap_or(Class::Plain)
    }

    /// Whether a comment in front of such a node documents it.
    pub(super) fn defines(&self, class: Class) -> bool {
        self.promise == Promise::Documentation
            && matches!(class, Class::Definition | Class::Function | Class::Container | Class::Decorated)
    }

    fn hints(&self, grammars: &[Grammar]) -> bool {
        self.promise == Promise::TypeHints && grammars.contains(&self.grammar)
    }
}

const TYPESCRIPT: &[Grammar] = &[Grammar::TypeScript, Grammar::Tsx];
const PYTHON: &[Grammar] = &[Grammar::Python];

fn class(promise: Promise, grammar: Grammar, kind: &str) -> Class {
    if matches!(kind, "comment" | "line_comment" | "block_comment" | "html_comment") {
        return Class::Comment;
    }
    let specific = match grammar {
        Grammar::Python => python_class(promise, kind),
        Grammar::TypeScript | Grammar::Tsx if promise == Promise::TypeHints => typescript_class(kind),
        Grammar::Php if promise == Promise::TypeHints => php_class(kind),
        Grammar::Ruby if promise == Promise::TypeHints && kind == "call" => Some(Class::Call),
        Grammar::Ruby if matches!(kind, "subshell" | "delimited_symbol") => Some(Class::Verbatim),
        Grammar::C | Grammar::Cpp if kind == "preproc_arg" => Some(Class::MacroText),
        _ => None,
    };
    specific.unwrap_or_else(|| {
        if kind == "line_continuation" {
            Class::Blank
        } else if is_verbatim(kind) {
            Class::Verbatim
        } else if promise == Promise::Documentation && is_definition(kind) {
            Class::Definition
        } else {
            Class::Plain
        }
    })
}

fn is_verbatim(kind: &str) -> bool {
    let list = ["concatenated_string", "chained_string", "string_array", "symbol_array", "string_interpolation"];
    let names = ["string", "heredoc", "nowdoc", "regex", "char_literal", "character", "jsx_text", "shell_command"];
    !list.contains(&kind) && (kind == "text" || names.iter().any(|name| kind.contains(name)))
}

fn is_definition(kind: &str) -> bool {
    let names = ["function", "method", "class", "struct", "enum", "union", "interface", "trait", "impl", "module"];
    let ends = ["declaration", "definition", "declarator", "spec", "_item", "assignment", "field", "signature", "_def"];
    let no = ["call", "type", "invocation", "reference", "body", "expression", "statement"];
    !no.iter().any(|name| kind.ends_with(name))
        && (names.iter().any(|name| kind.contains(name)) || ends.iter().any(|end| kind.ends_with(end)))
        || kind == "assignment_statement"
}

fn python_class(promise: Promise, kind: &str) -> Option<Class> {
    Some(match (promise, kind) {
        (_, "interpolation" | "format_specifier") => Class::Verbatim,
        (_, "function_definition") => Class::Function,
        (_, "class_definition") => Class::Container,
        (_, "decorated_definition") => Class::Decorated,
        (_, "expression_statement") => Class::Statement,
        (_, "parameters") => Class::Parameters,
        (_, "block") => Class::Block,
        (_, "module") => Class::Module,
        (Promise::TypeHints, "typed_parameter") => Class::TypedParameter,
        (Promise::TypeHints, "typed_default_parameter") => Class::TypedDefault,
        (Promise::TypeHints, "assignment") => Class::Typed,
        (Promise::TypeHints, "import_statement" | "import_from_statement" | "future_import_statement") => {
            Class::Imports
        }
        (Promise::TypeHints, "if_statement") => Class::If,
        _ => return None,
    })
}

fn typescript_class(kind: &str) -> Option<Class> {
    Some(match kind {
        "type_annotation"
        | "type_predicate_annotation"
        | "asserts_annotation"
        | "omitting_type_annotation"
        | "adding_type_annotation"
        | "opting_type_annotation"
        | "type_parameters"
        | "type_arguments" => Class::Types,
        "optional_parameter" => Class::OptionalParameter,
        "public_field_definition" | "variable_declarator" => Class::Typed,
        "arrow_function" => Class::Arrow,
        "function_declaration"
        | "function_expression"
        | "generator_function"
        | "generator_function_declaration"
        | "method_definition" => Class::Function,
        "class_declaration" | "class" | "abstract_class_declaration" => Class::Container,
        "formal_parameters" => Class::Parameters,
        "import_statement" => Class::Imports,
        "type_alias_declaration" => Class::TypeAlias,
        "as_expression" | "satisfies_expression" => Class::Assertion,
        _ => return None,
    })
}

fn php_class(kind: &str) -> Option<Class> {
    Some(match kind {
        "simple_parameter"
        | "variadic_parameter"
        | "property_promotion_parameter"
        | "property_declaration"
        | "const_declaration" => Class::Typed,
        "function_definition" | "method_declaration" | "anonymous_function" | "arrow_function" => Class::Function,
        _ => return None,
    })
}

/// What `node` is, in its surroundings.
pub(super) fn role<'a>(
    roles: &Roles,
    node: Node<'a>,
    class: Class,
    frames: &[Frame<'a>],
    cursor: &TreeCursor<'a>,
    stream: &Stream<'a>,
) -> Role<'a> {
    match class {
        Class::Comment => return Role::Comment,
        Class::Blank => return Role::Blank,
        _ => {}
    }
    let Some(parent) = frames.last() else { return Role::Plain };
    if roles.hints(PYTHON) {
        python_hints(roles, node, class, parent, cursor, stream.text)
    } else if roles.hints(TYPESCRIPT) {
        typescript_hints(roles, node, class, parent, cursor)
    } else if roles.hints(&[Grammar::Php]) {
        php_hints(node, parent, cursor)
    } else if roles.hints(&[Grammar::Ruby]) {
        let text = &stream.text[node.byte_range()];
        let signature = class == Class::Call && (text.starts_with("sig {") || text.starts_with("sig do"));
        if signature { Role::Annotation(Site::Other, node) } else { Role::Plain }
    } else if roles.promise == Promise::Documentation && roles.grammar == Grammar::Python {
        python_documentation(node, class, frames, stream)
    } else {
        Role::Plain
    }
}

fn python_hints<'a>(
    roles: &Roles,
    node: Node<'a>,
    class: Class,
    parent: &Frame<'a>,
    cursor: &TreeCursor<'a>,
    text: &str,
) -> Role<'a> {
    let field = || cursor.field_name();
    match parent.class {
        Class::TypedParameter | Class::TypedDefault if field() == Some("type") => {
            return Role::Annotation(Site::Parameter, parent.node);
        }
        Class::Typed if field() == Some("type") => {
            return Role::Annotation(Site::Variable { bare: false }, parent.node);
        }
        Class::Function if field() == Some("return_type") => return Role::Annotation(Site::Result, parent.node),
        Class::Function if field() == Some("type_parameters") => return Role::Erased,
        Class::Function if node.kind() == "->" => return Role::Erased,
        Class::TypedParameter | Class::TypedDefault | Class::Typed if node.kind() == ":" => return Role::Erased,
        _ => {}
    }
    match class {
        Class::TypedParameter => Role::Transparent,
        Class::TypedDefault => Role::Alias(roles.default_parameter),
        Class::Statement => match bare_declaration(node) {
            Some(assignment) => Role::Annotation(Site::Variable { bare: true }, assignment),
            None => Role::Plain,
        },
        Class::Imports => Role::Imports,
        Class::If if holds_imports_for_checkers(node, text) => Role::Imports,
        _ => Role::Plain,
    }
}

/// The assignment of `x: T`, which assigns nothing.
fn bare_declaration(statement: Node<'_>) -> Option<Node<'_>> {
    let only = statement.named_child(0).filter(|_| statement.named_child_count() == 1)?;
    let bare = only.kind() == "assignment" && only.child_by_field_name("right").is_none();
    bare.then_some(only)
}

/// Whether a statement is an assignment of Python.
pub(super) fn assigns(statement: Node<'_>) -> bool {
    statement.named_child(0).is_some_and(|child| child.kind() == "assignment")
}

/// Whether an `if` of Python is for type checkers, and there is nothing but imports in it.
fn holds_imports_for_checkers(node: Node<'_>, text: &str) -> bool {
    let condition = node.child_by_field_name("condition").map_or("", |condition| &text[condition.byte_range()]);
    let checking = condition == "TYPE_CHECKING" || condition.ends_with(".TYPE_CHECKING");
    let Some(block) = node.child_by_field_name("consequence").filter(|_| checking) else { return false };
    if node.child_by_field_name("alternative").is_some() {
        return false;
    }
    let mut cursor = block.walk();
    block.named_children(&mut cursor).all(|child| {
        matches!(child.kind(), "import_statement" | "import_from_statement" | "comment" | "line_continuation")
    })
}

fn typescript_hints<'a>(
    roles: &Roles,
    node: Node<'a>,
    class: Class,
    parent: &Frame<'a>,
    cursor: &TreeCursor<'a>,
) -> Role<'a> {
    if parent.frozen || freezes(parent, node) {
        return Role::Plain;
    }
    match (class, parent.class) {
        (Class::Types, Class::Function | Class::Arrow) if cursor.field_name() == Some("return_type") => {
            Role::Annotation(Site::Result, parent.node)
        }
        (Class::Types, Class::Typed) => Role::Annotation(Site::Variable { bare: false }, parent.node),
        (Class::Types, _) if matches!(parent.node.kind(), "required_parameter" | "optional_parameter") => {
            Role::Annotation(Site::Parameter, parent.node)
        }
        (Class::Types, _) => Role::Annotation(Site::Other, parent.node),
        (Class::OptionalParameter, _) => Role::Alias(roles.required_parameter),
        (_, Class::Arrow) if cursor.field_name() == Some("parameter") => Role::Bracketed,
        (_, Class::OptionalParameter | Class::Typed) if matches!(node.kind(), "?" | "!") => Role::Erased,
        (Class::Imports, _) if !requires(node) => Role::Imports,
        _ => Role::Plain,
    }
}

/// Whether an import of TypeScript is `import a = require('b')`.
fn requires(import: Node<'_>) -> bool {
    let mut cursor = import.walk();
    import.named_children(&mut cursor).any(|child| child.kind() == "import_require_clause")
}

/// Whether types in `child` are there to assert something.
pub(super) fn freezes(parent: &Frame<'_>, child: Node<'_>) -> bool {
    parent.class == Class::Assertion && child.start_byte() > parent.node.start_byte()
}

fn php_hints<'a>(node: Node<'a>, parent: &Frame<'a>, cursor: &TreeCursor<'a>) -> Role<'a> {
    match parent.class {
        Class::Typed if cursor.field_name() == Some("type") => Role::Annotation(Site::Parameter, parent.node),
        Class::Function if cursor.field_name() == Some("return_type") => Role::Annotation(Site::Result, parent.node),
        Class::Function if node.kind() == ":" => Role::Erased,
        _ => Role::Plain,
    }
}

/// A string that documents: the first statement of a module, class or function, or one right behind an attribute.
fn python_documentation<'a>(node: Node<'a>, class: Class, frames: &[Frame<'a>], stream: &Stream<'a>) -> Role<'a> {
    if class != Class::Statement || !is_plain_string(node, stream.text) {
        return Role::Plain;
    }
    let [.., outer, parent] = frames else {
        let [module] = frames else { return Role::Plain };
        return if is_first(stream) || module.assigned { Role::Documentation } else { Role::Plain };
    };
    let first = is_first(stream);
    match (parent.class, outer.class) {
        (Class::Block, Class::Function) if first => Role::Documentation,
        (Class::Block, Class::Container) if first || parent.assigned => Role::Documentation,
        _ => Role::Plain,
    }
}

/// Whether nothing came since the innermost node began.
fn is_first(stream: &Stream<'_>) -> bool {
    matches!(stream.events.last(), Some(Event::Open(_)))
}

/// Whether a statement is a string, without values in it, that Python takes for documentation.
fn is_plain_string(statement: Node<'_>, text: &str) -> bool {
    let Some(only) = statement.named_child(0).filter(|_| statement.child_count() == 1) else { return false };
    let plain = |string: Node<'_>| {
        let prefix = text[string.byte_range()].split(['"', '\'']).next().unwrap_or("");
        string.kind() == "string" && prefix.chars().all(|char| matches!(char, 'r' | 'R' | 'u' | 'U'))
    };
    match only.kind() {
        "string" => plain(only),
        "concatenated_string" => {
            let mut cursor = only.walk();
            only.named_children(&mut cursor).all(plain)
        }
        _ => false,
    }
}

/// The text of a macro without a comment of the form `// …` at its end.
pub(super) fn without_line_comment(text: &str) -> &str {
    let mut quote = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match (quote, char) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), char) if open == char => quote = None,
            (None, '"' | '\'') => quote = Some(char),
            (None, '/') if chars.peek().is_some_and(|(_, next)| *next == '/') => return text[..at].trim_end(),
            _ => {}
        }
    }
    text.trim_end()
}
