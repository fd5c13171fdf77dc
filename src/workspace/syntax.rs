//! The shape of code: functions and classes, parameters, errors, and what a cursor is in.

mod enclosing;
mod grammars;
mod outline;
mod parameters;
mod parsed;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ropey::Rope;

pub(super) use parsed::SharedTree;
pub use parsed::{Parsed, ParsedAhead};

use super::Span;
use super::language::{Grammar, Language};

/// Something with a name: a function, a class, a constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name; as written, so also `A::b` in C++ and `M.f` in Lua.
    pub name: String,
    /// What it is.
    pub kind: ItemKind,
    /// All of it, with decorators, attributes, `export` and the comments attached to it.
    pub span: Span,
    /// Its name.
    pub name_span: Span,
    /// From its first keyword or modifier up to its body, without white space at the end.
    pub signature: Span,
    /// Its body, with braces where the language has them; `None` for a declaration.
    pub body: Option<Span>,
    /// The item that it is in, as an index into the same list.
    pub parent: Option<usize>,
}

/// What an [`Item`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A function on its own.
    Function,
    /// A function of a class, trait or the like.
    Method,
    /// A class; in Rust an `impl`.
    Class,
    /// A struct, union or record.
    Struct,
    /// An enumeration.
    Enum,
    /// An interface, trait or protocol.
    Interface,
    /// A module, namespace or package.
    Module,
    /// A constant, or a variable of a module.
    Constant,
    /// Anything else with a name: a type alias, a macro.
    Other,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name without sigils: `args` for `*args`, `x` for PHP's `$x`. For a pattern, the pattern's text.
    pub name: String,
    /// All of it.
    pub span: Span,
    /// Whether a type is written with it.
    pub has_type: bool,
    /// Its default value.
    pub default: Option<Span>,
}

/// A parsed text.
pub struct Syntax {
    tree: tree_sitter::Tree,
    text: String,
    grammar: Grammar,
    /// Shared with whoever has the same tree.
    items: Arc<OnceLock<Vec<Item>>>,
}

/// Texts larger than this are not parsed.
const MAX_PARSED_BYTES: usize = 4 * 1024 * 1024;

/// A parse that takes longer is given up: some texts drive error recovery into the ground.
const MAX_PARSE_TIME: Duration = Duration::from_secs(2);

/// How often the parser says that it goes on until the clock is looked at: about every millisecond.
const CALLS_PER_LOOK: u32 = 32;

/// The tree of a text; `None` for a language without a grammar, and for a text too large or too tangled to parse.
pub(crate) fn tree(language: &Language, text: &str) -> Option<tree_sitter::Tree> {
    parse(language, text, None)
}

/// The tree of a text, made anew where `edited`, the tree of what it was before, does not hold any more.
fn parse(language: &Language, text: &str, edited: Option<&tree_sitter::Tree>) -> Option<tree_sitter::Tree> {
    let grammar = language.grammar?;
    if text.len() > MAX_PARSED_BYTES {
        return None;
    }
    let text = &*harmless(grammar, text);
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&grammars::language(grammar)).ok()?;
    let begun = Instant::now();
    let mut calls = 0_u32;
    let mut progress = |_: &tree_sitter::ParseState| {
        // Reading the clock costs more than what is parsed between two calls.
        calls = calls.wrapping_add(1);
        if calls.is_multiple_of(CALLS_PER_LOOK) && begun.elapsed() > MAX_PARSE_TIME {
            std::ops::ControlFlow::Break(())
        } else {
            std::ops::ControlFlow::Continue(())
        }
    };
    let options = tree_sitter::ParseOptions::new().progress_callback(&mut progress);
    parser.parse_with_options(&mut |at, _| text.as_bytes().get(at..).unwrap_or(&[]), edited, Some(options))
}

/// The text as its grammar can take it, byte for byte in the same places.
///
/// The scanner of the Bash grammar (0.25.1) hands any character to C's `isdigit`, which reads beyond its table for those
/// outside of Latin-1 and may end the process. Letters mean to a shell what such characters mean. And to grammars a `\r`
/// alone ends no line.
fn harmless(grammar: Grammar, text: &str) -> Cow<'_, str> {
    if text.contains('\r') && text.split("\r\n").any(|part| part.contains('\r')) {
        let parts = text.split("\r\n").map(|part| part.replace('\r', "\n"));
        let text = parts.collect::<Vec<_>>().join("\r\n");
        return Cow::Owned(harmless(grammar, &text).into_owned());
    }
    if grammar != Grammar::Bash || text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let ascii = text.chars().flat_map(|char| {
        let letter = if char.is_ascii() { char } else { 'x' };
        std::iter::repeat_n(letter, char.len_utf8())
    });
    Cow::Owned(ascii.collect())
}

impl Syntax {
    /// Parses `text`. `None` if the language has no grammar, or the text is too large or too tangled to parse.
    pub fn parse(language: &Language, text: impl Into<String>) -> Option<Self> {
        let grammar = language.grammar?;
        let text = text.into();
        let tree = tree(language, &text)?;
        Some(Self { tree, text, grammar, items: Arc::default() })
    }

    /// All items, each after the one that it is in.
    pub fn items(&self) -> Vec<Item> {
        let found = || outline::items(self.tree.root_node(), &self.text, grammars::rules(self.grammar));
        self.items.get_or_init(found).clone()
    }

    /// Where the text does not parse: the outermost pieces that fit nowhere, and an empty span where something is
    /// missing.
    pub fn errors(&self) -> Vec<Span> {
        let mut out = Vec::new();
        let mut cursor = self.tree.walk();
        loop {
            let node = cursor.node();
            if node.is_error() || node.is_missing() {
                out.push(node.byte_range());
            } else if node.has_error() && cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return out;
                }
            }
        }
    }

    /// The parameters of a function, in order, with `self` where the language writes it. Empty for other items.
    pub fn parameters(&self, item: &Item) -> Vec<Parameter> {
        match item.kind {
            ItemKind::Function | ItemKind::Method => {
                parameters::parameters(self.tree.root_node(), &self.text, &item.name_span, &item.span)
            }
            _ => Vec::new(),
        }
    }

    /// The return type that is written at a function.
    pub fn return_type(&self, item: &Item) -> Option<Span> {
        match item.kind {
            ItemKind::Function | ItemKind::Method => {
                parameters::return_type(self.tree.root_node(), &item.name_span, &item.span)
            }
            _ => None,
        }
    }

    /// The syntax tree, for questions that only one room asks.
    pub(crate) fn tree(&self) -> &tree_sitter::Tree {
        &self.tree
    }

    /// The text that was parsed.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// What a cursor at `offset` is in: the innermost function, method or class, with its comments and decorators, else
/// the block of lines around it.
///
/// Begins with the indentation of its first line and ends before the last line break. Empty only where there is
/// nothing but white space.
pub fn enclosing(language: &Language, text: &Rope, offset: usize) -> Span {
    let syntax = Syntax::parse(language, text.to_string());
    let items = syntax.as_ref().map(Syntax::items).unwrap_or_default();
    enclosing_in(syntax.as_ref(), &items, text, offset)
}

/// The same in a text that was parsed, as far as it could be, with its items.
pub(super) fn enclosing_in(syntax: Option<&Syntax>, items: &[Item], text: &Rope, offset: usize) -> Span {
    enclosing::enclosing(syntax, items, text, offset)
}
