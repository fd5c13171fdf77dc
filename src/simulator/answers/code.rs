//! The selected code in its document: which functions and classes are meant, and what can be seen in them.

use std::cell::RefCell;

use tree_sitter::{Node, Tree};

use super::marks::Marks;
use super::tree;
use crate::workspace::Span;
use crate::workspace::language::{self, Language};
use crate::workspace::syntax::{Item, ItemKind, Parameter, Syntax};

/// The selection, located in a text that can be parsed.
pub(super) struct Code {
    pub(super) language: &'static Language,
    /// The document, or what could be had of it.
    pub(super) text: String,
    /// The selection in it.
    pub(super) selection: Span,
    pub(super) items: Vec<Item>,
    syntax: Option<Syntax>,
    /// The variables whose types are being looked for: each may be said to be what another is.
    pub(super) followed: RefCell<Vec<String>>,
}

/// What can be seen in a function's body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// What is called, in the order of first calls.
    pub(super) calls: Vec<String>,
    /// The values that are returned.
    pub(super) returns: Vec<Span>,
    /// Whether something is returned without a value.
    pub(super) bare_returns: bool,
    /// What is raised or thrown.
    pub(super) raises: Vec<String>,
    /// The values that are yielded.
    pub(super) yields: Vec<Span>,
    pub(super) branches: usize,
    pub(super) loops: usize,
    pub(super) awaits: usize,
}

impl Code {
    /// Locates the selection.
    pub(super) fn new(marks: &Marks) -> Self {
        let language = language::by_id(&marks.language);
        let located = marks.document.as_ref().and_then(|document| {
            let at = line_start(document, marks.first_line)?;
            let start = at + document[at..].find(&marks.selection)?;
            Some((document.clone(), start..start + marks.selection.len()))
        });
        let (text, selection) = located.unwrap_or_else(|| alone(&marks.selection, language));
        let syntax = Syntax::parse(language, text.as_str());
        let items = syntax.as_ref().map(Syntax::items).unwrap_or_default();
        Self { language, text, selection, items, syntax, followed: RefCell::default() }
    }

    /// The text of a span.
    pub(super) fn of(&self, span: &Span) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The selected code.
    pub(super) fn selected(&self) -> &str {
        self.of(&self.selection)
    }

    /// Whether all of an item's head is selected.
    pub(super) fn has(&self, item: &Item) -> bool {
        self.selection.start <= item.name_span.start && item.signature.end <= self.selection.end
    }

    /// The items whose head is selected, by number; the innermost around the selection when there is none.
    pub(super) fn selected_items(&self) -> Vec<usize> {
        let inside: Vec<usize> = (0..self.items.len()).filter(|at| self.has(&self.items[*at])).collect();
        if !inside.is_empty() {
            return inside;
        }
        let around = |item: &Item| item.span.start <= self.selection.start && self.selection.end <= item.span.end;
        let innermost =
            self.items.iter().enumerate().filter(|(_, item)| around(item)).min_by_key(|(_, item)| item.span.len());
        innermost.map(|(at, _)| at).into_iter().collect()
    }

    /// The functions and methods among them.
    pub(super) fn functions(&self) -> impl Iterator<Item = &Item> {
        self.selected_items().into_iter().map(|at| &self.items[at]).filter(|item| is_callable(item))
    }

    /// The parameters of a function without the one that stands for the object.
    pub(super) fn parameters(&self, item: &Item) -> Vec<Parameter> {
        let mut parameters = self.all_parameters(item);
        let receiver = match self.language.family() {
            "python" if self.class_of(item).is_some() && !self.is_decorated(item, "staticmethod") => {
                !parameters.is_empty()
            }
            "rust" => parameters
                .first()
                .is_some_and(|first| self.of(&first.span).split([' ', '&', ':']).any(|word| word == "self")),
            "java" => parameters.first().is_some_and(|first| first.name == "this"),
            _ => false,
        };
        if receiver {
            parameters.remove(0);
        }
        parameters
    }

    /// The parameters of a function as written.
    pub(super) fn all_parameters(&self, item: &Item) -> Vec<Parameter> {
        self.syntax.as_ref().map(|syntax| syntax.parameters(item)).unwrap_or_default()
    }

    /// The return type that is written.
    pub(super) fn return_type(&self, item: &Item) -> Option<Span> {
        self.syntax.as_ref().and_then(|syntax| syntax.return_type(item))
    }

    /// The class that a method is in.
    pub(super) fn class_of(&self, item: &Item) -> Option<&Item> {
        let parent = &self.items[item.parent?];
        matches!(parent.kind, ItemKind::Class | ItemKind::Struct | ItemKind::Interface | ItemKind::Enum)
            .then_some(parent)
    }

    /// Whether something with a body of its own stands around a function: it cannot be reached from outside.
    pub(super) fn is_local(&self, item: &Item) -> bool {
        let mut parent = item.parent;
        while let Some(at) = parent {
            if is_callable(&self.items[at]) {
                return true;
            }
            parent = self.items[at].parent;
        }
        false
    }

    /// What stands in front of an item's keyword: decorators, attributes, comments.
    pub(super) fn front(&self, item: &Item) -> &str {
        self.of(&(item.span.start..item.signature.start.max(item.span.start)))
    }

    /// What is written in front of an item's name, with decorators and modifiers.
    pub(super) fn head(&self, item: &Item) -> &str {
        self.of(&(item.span.start..item.name_span.start))
    }

    /// Whether a function is declared `async`.
    pub(super) fn is_async(&self, item: &Item) -> bool {
        let declared = |text: &str| text.split_whitespace().any(|word| word == "async");
        declared(self.head(item))
            || self.node(item).is_some_and(|node| self.of(&node.byte_range()).trim_start().starts_with("async"))
    }

    /// Whether an item has a decorator of this name.
    pub(super) fn is_decorated(&self, item: &Item, name: &str) -> bool {
        self.decorators(item).any(|decorator| decorator == name)
    }

    /// The names of an item's decorators.
    pub(super) fn decorators(&self, item: &Item) -> impl Iterator<Item = &str> {
        self.head(item).lines().filter_map(|line| {
            let line = line.trim().strip_prefix('@')?;
            Some(line.split(['(', ' ']).next().unwrap_or(line))
        })
    }

    /// The tree, if the language has a grammar.
    pub(super) fn tree(&self) -> Option<&Tree> {
        self.syntax.as_ref().map(Syntax::tree)
    }

    /// The node of a function: the nearest around its name that has parameters or a body.
    pub(super) fn node(&self, item: &Item) -> Option<Node<'_>> {
        let mut at = tree::covering(self.tree()?, &item.name_span)?;
        loop {
            let value = ["value", "right"].into_iter().find_map(|field| at.child_by_field_name(field));
            if let Some(function) = value.filter(|value| tree::is_function(value.kind())) {
                return Some(function);
            }
            if at.child_by_field_name("parameters").is_some() || at.child_by_field_name("body").is_some() {
                return Some(at);
            }
            at = at.parent().filter(|parent| parent.start_byte() >= item.span.start)?;
        }
    }

    /// What can be seen in a function.
    pub(super) fn facts(&self, item: &Item) -> Facts {
        let mut facts = Facts::default();
        let body = item.body.as_ref().and_then(|body| tree::covering(self.tree()?, body));
        if let Some(body) = body {
            self.look(body, &mut facts);
        }
        facts
    }

    /// What can be seen in the selection, whatever it is.
    pub(super) fn selection_facts(&self) -> Facts {
        let mut facts = Facts::default();
        if let Some(node) = self.tree().and_then(|tree| tree::covering(tree, &self.selection)) {
            let (start, end) = (self.selection.start, self.selection.end);
            for child in
                tree::children(node).into_iter().filter(|child| child.start_byte() >= start && child.end_byte() <= end)
            {
                self.look(child, &mut facts);
            }
        }
        facts
    }

    fn look(&self, body: Node<'_>, facts: &mut Facts) {
        tree::walk(body, |node| {
            let inner = node.id() != body.id() && tree::is_function(node.kind());
            match node.kind() {
                _ if inner || !node.is_named() => {}
                "if_statement"
                | "if_expression"
                | "elif_clause"
                | "conditional_expression"
                | "ternary_expression"
                | "if"
                | "elsif"
                | "unless"
                | "conditional"
                | "match_expression"
                | "match_statement"
                | "switch_statement"
                | "expression_switch_statement"
                | "switch_expression"
                | "case"
                | "case_statement"
                | "if_modifier"
                | "unless_modifier"
                | "elseif_statement"
                | "else_if_clause" => facts.branches += 1,
                "for_statement"
                | "while_statement"
                | "for_in_statement"
                | "for_expression"
                | "while_expression"
                | "loop_expression"
                | "do_statement"
                | "enhanced_for_statement"
                | "foreach_statement"
                | "for"
                | "while"
                | "until"
                | "for_range_loop"
                | "repeat_statement"
                | "for_in_clause" => facts.loops += 1,
                "return_statement" | "return_expression" | "return" => look_at_return(node, facts),
                "raise_statement" | "throw_statement" | "throw_expression" => {
                    let what = tree::children(node).first().map(|what| self.head_of(*what)).unwrap_or_default();
                    if !what.is_empty() && !facts.raises.contains(&what) {
                        facts.raises.push(what);
                    }
                }
                "yield" | "yield_expression" => facts.yields.extend(tree::children(node).first().map(Node::byte_range)),
                "await" | "await_expression" => facts.awaits += 1,
                "call"
                | "call_expression"
                | "method_invocation"
                | "function_call"
                | "function_call_expression"
                | "member_call_expression"
                | "scoped_call_expression"
                | "macro_invocation"
                | "command"
                | "object_creation_expression"
                | "new_expression" => {
                    let what = self.head_of(node);
                    if !what.is_empty() && !facts.calls.contains(&what) {
                        facts.calls.push(what);
                    }
                }
                _ => {}
            }
            !inner
        });
    }

    /// What is called or raised: `Item` of `Item(sku=…)`, `path.open` of `path.open(…)`.
    fn head_of(&self, node: Node<'_>) -> String {
        let fields = ["function", "constructor", "macro", "name", "method", "type"];
        let head = fields.into_iter().find_map(|field| node.child_by_field_name(field));
        let receiver = ["receiver", "object", "scope"].into_iter().find_map(|field| node.child_by_field_name(field));
        let name = head.map_or_else(|| self.of(&node.byte_range()), |head| self.of(&head.byte_range()));
        let name = name.split(['(', '\n', '{']).next().unwrap_or_default().trim();
        let short = if name.len() > 40 { name.rsplit(['.', ':']).next().unwrap_or(name) } else { name };
        match receiver.map(|receiver| self.of(&receiver.byte_range())) {
            Some(receiver) if receiver.len() <= 24 && !receiver.contains('\n') && head.is_some() => {
                format!("{receiver}.{short}")
            }
            _ => short.trim_start_matches("new ").to_owned(),
        }
    }
}

fn look_at_return(node: Node<'_>, facts: &mut Facts) {
    match tree::children(node).into_iter().find(|child| !child.kind().contains("comment")) {
        Some(value) => facts.returns.push(value.byte_range()),
        None => facts.bare_returns = true,
    }
}

/// Whether an item is a function or a method.
pub(super) fn is_callable(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Function | ItemKind::Method)
}

/// The offset of a line's start, counted from 1.
pub(super) fn line_start(text: &str, line: usize) -> Option<usize> {
    if line == 1 {
        return Some(0);
    }
    text.match_indices('\n').nth(line - 2).map(|(at, _)| at + 1)
}

/// A selection without its document, with what it needs in front to be parsed.
fn alone(selection: &str, language: &Language) -> (String, Span) {
    let indented = selection.starts_with([' ', '\t']);
    let front = match language.family() {
        "python" if indented => "class _:\n",
        "php" if !selection.contains("<?") => "<?php\n",
        _ => "",
    };
    (format!("{front}{selection}"), front.len()..front.len() + selection.len())
}

/// Puts texts into a selection; each is a span of the whole text and what stands there instead.
pub(super) fn edited(code: &Code, mut edits: Vec<(Span, String)>) -> String {
    edits.retain(|(span, _)| span.start >= code.selection.start && span.end <= code.selection.end);
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let mut result = String::new();
    let mut at = code.selection.start;
    for (span, text) in edits {
        if span.start < at {
            continue;
        }
        result.push_str(code.of(&(at..span.start)));
        result.push_str(&text);
        at = span.end;
    }
    result.push_str(code.of(&(at..code.selection.end)));
    result
}

/// Code in a fence that nothing in it closes.
pub(super) fn fenced(info: &str, code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if code.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{info}\n{code}{end}{fence}")
}
