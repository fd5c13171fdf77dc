//! The units of a test file: what has a name, what holds others, what imports.

use tree_sitter::Node;

use crate::workspace::syntax::tree as parse;
use crate::workspace::{Language, Span};

/// What a [`Unit`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An import.
    Import,
    /// What a file has once, such as a package clause.
    Frame,
    /// A function or a test.
    Function,
    /// What holds units: a class, a module, a `describe`.
    Holder,
    /// A constant or variable.
    Value,
    /// What runs the tests when the file is run.
    Runner,
    /// Anything else.
    Other,
}

/// A statement or definition of one level.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) kind: Kind,
    /// All of it, with comments and attributes in front.
    pub(super) span: Span,
    /// The same without comments.
    pub(super) code: Span,
    /// What tells it from others of its level.
    pub(super) key: Option<String>,
    pub(super) name: Option<String>,
    pub(super) body: Option<Body>,
    /// Whether it is Rust's `#[cfg(test)] mod`.
    pub(super) is_test_module: bool,
    /// Whether custom has two blank lines around it.
    pub(super) two_apart: bool,
    /// Whether the name is a title in words.
    titled: bool,
}

/// The inside of a unit.
#[derive(Debug)]
pub(super) struct Body {
    /// Behind the opening brace or word.
    pub(super) start: usize,
    /// In front of the closing one.
    pub(super) end: usize,
    /// Behind the last thing in it.
    pub(super) last: usize,
    /// Whether something closes it, other than indentation.
    pub(super) closed: bool,
    /// One level of indentation by custom.
    pub(super) unit: &'static str,
    pub(super) units: Vec<Unit>,
}

impl Unit {
    /// Another name for this unit.
    pub(super) fn numbered(&self, name: &str, count: usize) -> String {
        match (self.titled, name.contains('_')) {
            (true, _) => format!("{name} ({count})"),
            (false, true) => format!("{name}_{count}"),
            (false, false) => format!("{name}{count}"),
        }
    }
}

/// The units of a file; `None` without a grammar.
pub(super) fn units(language: &Language, text: &str) -> Option<Vec<Unit>> {
    let tree = parse(language, text)?;
    Some(Reader { text, family: language.family() }.level(tree.root_node()))
}

/// Code without differences of white space.
pub(super) fn normal(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Reader<'a> {
    text: &'a str,
    family: &'static str,
}

impl Reader<'_> {
    fn level(&self, parent: Node<'_>) -> Vec<Unit> {
        let mut out: Vec<Unit> = Vec::new();
        let mut lead: Option<usize> = None;
        let mut attributes = String::new();
        let mut cursor = parent.walk();
        for node in parent.named_children(&mut cursor) {
            let code = self.code_of(node);
            if node.kind().contains("comment") {
                // A comment at a statement's end belongs to that statement.
                let same_line = out.last().is_some_and(|unit| !self.text[unit.span.end..code.start].contains('\n'));
                match out.last_mut() {
                    Some(unit) if same_line && lead.is_none() => unit.span.end = code.end,
                    _ => _ = lead.get_or_insert(code.start),
                }
                continue;
            }
            if node.kind() == "attribute_item" {
                attributes.push_str(&self.text[code.clone()]);
                lead.get_or_insert(code.start);
                continue;
            }
            let span = lead.take().unwrap_or(code.start)..code.end;
            out.push(self.unit(node, span, code, &std::mem::take(&mut attributes)));
        }
        out
    }

    fn code_of(&self, node: Node<'_>) -> Span {
        let mut end = node.end_byte();
        // Some grammars leave the semicolon outside.
        let rest = &self.text[end..];
        if rest.starts_with(';') {
            end += 1;
        }
        node.start_byte()..node.start_byte() + self.text[node.start_byte()..end].trim_end().len()
    }

    fn unit(&self, node: Node<'_>, span: Span, code: Span, attributes: &str) -> Unit {
        let mut unit = Unit {
            kind: Kind::Other,
            span,
            code,
            key: None,
            name: None,
            body: None,
            is_test_module: false,
            two_apart: false,
            titled: false,
        };
        let inner = match node.kind() {
            "decorated_definition" => node.child_by_field_name("definition").unwrap_or(node),
            "export_statement" => node.child_by_field_name("declaration").unwrap_or(node),
            _ => node,
        };
        let text = |node: Node<'_>| &self.text[node.byte_range()];
        let name = inner.child_by_field_name("name").map(text).map(str::to_owned);
        match inner.kind() {
            "import_statement"
            | "import_from_statement"
            | "future_import_statement"
            | "import_declaration"
            | "use_declaration"
            | "namespace_use_declaration"
            | "preproc_include"
            | "using_declaration" => {
                unit.kind = Kind::Import;
            }
            "package_clause"
            | "package_declaration"
            | "php_tag"
            | "namespace_definition"
            | "declare_statement"
            | "text_interpolation"
            | "inner_attribute_item" => unit.kind = Kind::Frame,
            "function_definition"
            | "function_declaration"
            | "function_item"
            | "method_declaration"
            | "method"
            | "method_definition"
            | "singleton_method"
            | "constructor_declaration" => self.function(inner, name, &mut unit),
            "class_definition"
            | "class_declaration"
            | "class"
            | "module"
            | "mod_item"
            | "impl_item"
            | "enum_declaration"
            | "struct_item"
            | "enum_item"
            | "class_specifier"
            | "interface_declaration" => {
                unit.kind = Kind::Holder;
                unit.key = name.as_ref().map(|name| format!("{} {name}", inner.kind()));
                unit.two_apart = self.family == "python";
                let tested = attributes.contains("cfg(test)") || name.as_deref() == Some("tests");
                unit.is_test_module = inner.kind() == "mod_item" && tested;
                unit.name = name;
                unit.body = inner.child_by_field_name("body").map(|body| self.body(body, inner));
            }
            "if_statement" if text(inner).contains("__main__") => unit.kind = Kind::Runner,
            "call" | "call_expression" | "function_call" => self.call(inner, &mut unit),
            "expression_statement" => match inner.named_child(0) {
                Some(call) if call.kind().contains("call") => self.call(call, &mut unit),
                Some(assignment) if assignment.kind().contains("assignment") => {
                    self.value(assignment, "left", &mut unit);
                }
                Some(string) if string.kind() == "string" && self.family == "python" => unit.kind = Kind::Frame,
                _ => {}
            },
            "assignment" => self.value(inner, "left", &mut unit),
            "const_item" | "static_item" => self.value(inner, "name", &mut unit),
            "lexical_declaration" | "variable_declaration" => {
                if text(inner).contains("require") {
                    unit.kind = Kind::Import;
                } else if let Some(declarator) = inner.named_child(0) {
                    self.value(declarator, "name", &mut unit);
                }
            }
            _ => {}
        }
        unit
    }

    fn function(&self, node: Node<'_>, name: Option<String>, unit: &mut Unit) {
        unit.kind = Kind::Function;
        unit.two_apart = self.family == "python";
        let declarator = node.child_by_field_name("declarator").map(|declarator| &self.text[declarator.byte_range()]);
        let receiver = node.child_by_field_name("receiver").map_or("", |receiver| &self.text[receiver.byte_range()]);
        // Java's methods may share a name if their parameters differ; tests have none.
        let parameters = match self.family {
            "java" => node.child_by_field_name("parameters").map_or("", |list| &self.text[list.byte_range()]),
            _ => "",
        };
        if let Some(name) = name {
            unit.key = Some(format!("{receiver} {name} {parameters}"));
            unit.name = Some(name);
        } else if let Some(declarator) = declarator {
            // `TEST(Suite, Name)` of C++ is named by what stands last in it.
            let name = declarator.trim_end_matches(')').rsplit([',', ' ', '(']).next().unwrap_or(declarator);
            let macro_call = declarator.starts_with("TEST") && declarator.contains(',');
            unit.name = Some(
                if macro_call { name } else { declarator.split('(').next().unwrap_or(declarator) }.trim().to_owned(),
            );
            unit.key = Some(normal(declarator));
        }
    }

    fn value(&self, node: Node<'_>, field: &str, unit: &mut Unit) {
        if let Some(name) = node.child_by_field_name(field) {
            let name = normal(&self.text[name.byte_range()]);
            unit.kind = Kind::Value;
            unit.key = Some(format!("value {name}"));
            unit.name = Some(name);
        }
    }

    /// A call that begins a test or a group of tests: `describe('a', () => {…})`, `it 'b' do … end`; and Ruby's
    /// `require`.
    fn call(&self, node: Node<'_>, unit: &mut Unit) {
        let code = &self.text[node.byte_range()];
        if code.starts_with("require") {
            unit.kind = Kind::Import;
            return;
        }
        let mut body = node.child_by_field_name("block");
        let arguments = node.child_by_field_name("arguments");
        let mut cursor = node.walk();
        let arguments: Vec<Node<'_>> = arguments.map_or(Vec::new(), |list| list.named_children(&mut cursor).collect());
        if body.is_none() {
            let last = arguments
                .last()
                .map(|last| if last.kind() == "argument" { last.named_child(0).unwrap_or(*last) } else { *last });
            body = last
                .and_then(|last| last.child_by_field_name("body"))
                .filter(|body| body.start_byte() < body.end_byte());
        }
        let Some(body) = body else { return };
        let head = normal(self.text[node.start_byte()..body.start_byte()].trim_end());
        let called = head.split([' ', '(', '.']).next().unwrap_or("");
        let groups = ["describe", "context", "suite", "RSpec", "feature"];
        let title = arguments.first().map(|title| &self.text[title.byte_range()]);
        unit.name = title.map(|title| title.trim_matches(['"', '\'', '`']).to_owned());
        unit.titled = true;
        unit.key = title.map(|title| format!("{called} {}", title.replace('\'', "\"")));
        if groups.contains(&called) {
            unit.kind = Kind::Holder;
            unit.body = Some(self.body(body, node));
        } else {
            unit.kind = Kind::Function;
        }
    }

    fn body(&self, body: Node<'_>, holder: Node<'_>) -> Body {
        // Ruby's classes and blocks: the statements stand in a node of their own, and `end` closes.
        let mut cursor = body.walk();
        let statements =
            body.named_children(&mut cursor).find(|child| child.kind() == "body_statement").unwrap_or(body);
        let closed = self.family != "python";
        let braced = self.text[body.byte_range()].starts_with('{');
        let word = |word: &str| self.text[body.byte_range()].starts_with(word);
        let start = if braced {
            body.start_byte() + 1
        } else if word("do") {
            body.start_byte() + 2
        } else {
            body.start_byte()
        };
        let end = if braced {
            body.end_byte() - 1
        } else if word("do") {
            body.end_byte() - "end".len()
        } else if closed {
            holder.end_byte() - "end".len()
        } else {
            body.end_byte()
        };
        let units = self.level(statements);
        let mut cursor = statements.walk();
        let inside = |node: &Node<'_>| node.start_byte() >= start && node.end_byte() <= end;
        let last_node =
            statements.named_children(&mut cursor).filter(inside).last().map_or(start, |last| self.code_of(last).end);
        let last = units.last().map_or(start, |unit| unit.span.end).max(last_node);
        let unit = match self.family {
            "ruby" | "javascript" | "typescript" | "lua" => "  ",
            "go" => "\t",
            _ => "    ",
        };
        Body { start, end, last: last.min(end.max(start)), closed, unit, units }
    }
}
