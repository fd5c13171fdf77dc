//! What a file of Python defines, and where.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;

use crate::output::check::stream::{Annotation, Site, Stream};
use crate::output::tree::walk;

/// What is bound in a file, in any scope of it: a type that is bound in another scope than it is used in is rare, and
/// a checker tells.
pub(super) struct Facts<'a> {
    /// Where each name is there for the first time.
    bound: HashMap<&'a str, usize>,
    defined: HashSet<&'a str>,
    checked: HashSet<String>,
    pub(super) classes: HashMap<&'a str, Node<'a>>,
    pub(super) functions: HashMap<&'a str, Node<'a>>,
    /// Functions that are handed over to another, and to which.
    pub(super) handed_over: Vec<(&'a str, &'a str)>,
    /// Whether something imports whatever there is.
    pub(super) imports_all: bool,
    /// Whether no annotation is evaluated.
    pub(super) postponed: bool,
    /// A name in the file by which annotations are read.
    pub(super) reads: Option<&'a str>,
    /// By the ids of nodes' kinds: asking each node for the name of its own takes longer than all the rest.
    kinds: Vec<Kind>,
    text: &'a str,
}

const READING: &[&str] = &["get_type_hints", "__annotations__", "get_annotations", "__annotate__"];

impl<'a> Facts<'a> {
    pub(super) fn of(stream: &Stream<'a>) -> Self {
        let mut facts = Self {
            bound: HashMap::new(),
            defined: HashSet::new(),
            checked: HashSet::new(),
            classes: HashMap::new(),
            functions: HashMap::new(),
            handed_over: Vec::new(),
            imports_all: false,
            postponed: false,
            reads: None,
            kinds: Kind::all(&stream.root.language()),
            text: stream.text,
        };
        let mut sure = HashSet::new();
        for import in &stream.imports {
            facts.imports_all |= import.bound == "*";
            facts.postponed |= import.module == "__future__" && import.bound == "annotations";
            if import.types_only {
                facts.checked.insert(import.bound.clone());
            } else {
                sure.insert(import.bound.as_str());
            }
        }
        facts.checked.retain(|name| !sure.contains(name.as_str()));
        walk(stream.root, |node| {
            facts.read(node);
            true
        });
        facts
    }

    fn read(&mut self, node: Node<'a>) {
        let text = self.text;
        let of = |node: Node<'a>| &text[node.byte_range()];
        let kind = self.kinds.get(usize::from(node.kind_id())).copied().unwrap_or_default();
        if matches!(kind, Kind::Class | Kind::Function)
            && let Some(parameters) = node.child_by_field_name("type_parameters")
        {
            self.targets(parameters, node.start_byte());
        }
        match kind {
            Kind::Class => {
                if let Some(name) = node.child_by_field_name("name") {
                    self.define(of(name), node.end_byte());
                    self.classes.entry(of(name)).or_insert(node);
                }
            }
            Kind::Function => {
                if let Some(name) = node.child_by_field_name("name") {
                    self.define(of(name), node.end_byte());
                    self.functions.entry(of(name)).or_insert(node);
                }
            }
            Kind::Import => {
                let mut cursor = node.walk();
                for name in node.children_by_field_name("name", &mut cursor) {
                    let bound = name.child_by_field_name("alias").unwrap_or(name);
                    let first = of(bound).split('.').next().unwrap_or("").trim();
                    let at = self.bound.entry(first).or_insert(node.end_byte());
                    *at = (*at).min(node.end_byte());
                }
            }
            Kind::Assignment | Kind::Binding => {
                let value = node.child_by_field_name("right").or_else(|| node.child_by_field_name("type"));
                let target = node.child_by_field_name("left").or_else(|| node.child_by_field_name("name"));
                let bare = kind == Kind::Assignment && node.child_by_field_name("right").is_none();
                if let Some(target) = target.filter(|_| value.is_some() && !bare || kind != Kind::Assignment) {
                    self.targets(target, node.end_byte().min(value.map_or(usize::MAX, |value| value.end_byte())));
                }
            }
            Kind::Target => self.targets(node, node.end_byte()),
            Kind::Call => self.call(node),
            Kind::Identifier if READING.contains(&of(node)) => self.reads = Some(of(node)),
            Kind::Identifier | Kind::Other => {}
        }
    }

    fn define(&mut self, name: &'a str, from: usize) {
        self.defined.insert(name);
        let at = self.bound.entry(name).or_insert(from);
        *at = (*at).min(from);
    }

    fn targets(&mut self, target: Node<'a>, from: usize) {
        let text = self.text;
        let mut names = Vec::new();
        walk(target, |node| {
            if node.kind() == "identifier" {
                names.push(&text[node.byte_range()]);
            }
            !matches!(node.kind(), "attribute" | "subscript")
        });
        for name in names {
            self.define(name, from);
        }
    }

    fn call(&mut self, node: Node<'a>) {
        let text = self.text;
        let (Some(callee), Some(arguments)) =
            (node.child_by_field_name("function"), node.child_by_field_name("arguments"))
        else {
            return;
        };
        let mut cursor = arguments.walk();
        for argument in arguments.named_children(&mut cursor) {
            let value = argument.child_by_field_name("value").filter(|_| argument.kind() == "keyword_argument");
            let value = value.unwrap_or(argument);
            if value.kind() == "identifier" {
                self.handed_over.push((&text[callee.byte_range()], &text[value.byte_range()]));
            }
        }
    }

    /// Whether something other than an import is called so.
    pub(super) fn defines(&self, name: &str) -> bool {
        self.defined.contains(name)
    }

    /// Whether type checkers only see the name.
    pub(super) fn checked_only(&self, name: &str) -> bool {
        self.checked.contains(name) && !self.defined.contains(name)
    }

    /// Where a name is there for the first time; `None` if it never is.
    pub(super) fn there_from(&self, name: &str) -> Option<usize> {
        self.bound.get(name).copied()
    }

    /// Whether a function declares `name` as global or nonlocal.
    pub(super) fn is_global_in(&self, function: Node<'a>, name: &str) -> bool {
        any(function, |node| {
            let mut cursor = node.walk();
            matches!(node.kind(), "global_statement" | "nonlocal_statement")
                && node.named_children(&mut cursor).any(|child| &self.text[child.byte_range()] == name)
        })
    }

    /// Whether a function gives `name` a value anywhere.
    pub(super) fn assigns_in(&self, function: Node<'a>, name: &str) -> bool {
        any(function, |node| {
            let target = match node.kind() {
                "assignment" if node.child_by_field_name("right").is_some() => node.child_by_field_name("left"),
                "augmented_assignment" | "for_statement" => node.child_by_field_name("left"),
                "named_expression" => node.child_by_field_name("name"),
                "as_pattern_target" => Some(node),
                _ => None,
            };
            target.is_some_and(|target| {
                self.text[target.byte_range()]
                    .split(|char: char| !(char.is_alphanumeric() || char == '_'))
                    .any(|word| word == name)
            })
        })
    }
}

/// What a kind of node can say.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Class,
    Function,
    Import,
    Assignment,
    Binding,
    Target,
    Call,
    Identifier,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "class_definition" => Self::Class,
            "function_definition" => Self::Function,
            "import_statement" | "import_from_statement" => Self::Import,
            "assignment" => Self::Assignment,
            "for_statement" | "named_expression" | "type_alias_statement" => Self::Binding,
            "as_pattern_target" => Self::Target,
            "call" => Self::Call,
            "identifier" => Self::Identifier,
            _ => Self::Other,
        }
    }

    /// Those of all nodes of a language, by their ids.
    fn all(language: &tree_sitter::Language) -> Vec<Self> {
        let count = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
        let named = |id: &u16| language.node_kind_is_named(*id);
        let name = |id: u16| Some(id).filter(named).and_then(|id| language.node_kind_for_id(id)).unwrap_or_default();
        (0..count).map(|id| Self::of(name(id))).collect()
    }
}

/// Whether something holds for a node of a function, those of functions and classes in it aside.
fn any<'a>(function: Node<'a>, mut holds: impl FnMut(Node<'a>) -> bool) -> bool {
    let mut found = false;
    walk(function, |node| {
        found |= holds(node);
        !found && (node == function || !matches!(node.kind(), "function_definition" | "class_definition" | "lambda"))
    });
    found
}

/// The text of the type that an annotation writes.
pub(super) fn kind_of<'a>(annotation: &Annotation<'a>, stream: &Stream<'a>) -> &'a str {
    match annotation.site {
        Site::Variable { bare: true } => {
            annotation.owner.child_by_field_name("type").map_or(annotation.text, |kind| &stream.text[kind.byte_range()])
        }
        _ => annotation.text,
    }
}

/// The names in a type, and whether each stands in quotes. Of a qualified name only the first part; nothing of what
/// stands in `Literal[…]`.
pub(super) fn names(kind: &str) -> Vec<(&str, bool)> {
    const WORDS: &[&str] = &["None", "True", "False", "and", "or", "not", "if", "else", "lambda", "for", "in", "is"];
    let mut found = Vec::new();
    read_names(kind, false, &mut found);
    found.retain(|(name, _)| !WORDS.contains(name));
    found
}

/// What stands in a pair of brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Types,
    /// Types up to the first comma, then values.
    TypesFirst,
    /// Names count, text does not.
    Values,
    /// Nothing counts.
    Literals,
}

fn read_names<'a>(kind: &'a str, quoted: bool, found: &mut Vec<(&'a str, bool)>) {
    let mut at = 0;
    let mut open = vec![Within::Types];
    let mut last = "";
    while let Some(char) = kind[at..].chars().next() {
        let rest = &kind[at..];
        let within = open.last().copied().unwrap_or(Within::Types);
        if char.is_alphabetic() || char == '_' {
            let end = rest.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            let is_prefix = behind.starts_with(['"', '\'']);
            let is_keyword = behind.trim_start().starts_with('=') && !behind.trim_start().starts_with("==");
            if !(kind[..at].trim_end().ends_with('.') || is_prefix || is_keyword || within == Within::Literals) {
                found.push((word, quoted));
            }
            last = word;
            at += end;
            continue;
        }
        match char {
            '"' | '\'' => {
                let sign = if rest.starts_with("\"\"\"") || rest.starts_with("'''") { &rest[..3] } else { &rest[..1] };
                let inner = &rest[sign.len()..];
                let end = inner.find(sign).unwrap_or(inner.len());
                if matches!(within, Within::Types | Within::TypesFirst) {
                    read_names(&inner[..end], true, found);
                }
                at += (end + 2 * sign.len()).min(rest.len());
                continue;
            }
            '[' if last == "Literal" => open.push(Within::Literals),
            '[' if last == "Annotated" => open.push(Within::TypesFirst),
            '[' if !matches!(within, Within::Literals) => open.push(Within::Types),
            '[' | '(' | '{' => open.push(if within == Within::Literals { within } else { Within::Values }),
            ']' | ')' | '}' => {
                open.pop();
            }
            ',' if within == Within::TypesFirst => {
                open.pop();
                open.push(Within::Values);
            }
            _ => {}
        }
        if !char.is_whitespace() {
            last = "";
        }
        at += char.len_utf8();
    }
}
