//! What is looked at before anything is applied: an edit brings no syntax errors, and an action does only what its
//! name says.
//!
//! Both texts, before and after, are read as streams of tokens with what an action may change erased: annotations and
//! their imports for type hints, comments and docstrings for documentation. The streams must be the same, token by
//! token and nested in the same way, so that a change of indentation or of a line break that changes the meaning counts
//! too. What was erased is looked at on its own: comments are not lost, directives to tools stay as they are, new
//! imports are used by annotations only, and an annotation that acts at run time or names what does not exist is told.

mod additions;
mod bindings;
mod by_lines;
mod comments;
mod difference;
mod directives;
mod doc_types;
mod errors;
mod names;
mod python;
mod roles;
mod shared;
mod stream;
mod typescript;

#[cfg(test)]
mod tests;

use tree_sitter::Tree;

pub use additions::only_adds;

use crate::output::edit::{TextEdit, parsed_after};
use crate::workspace::Language;
use crate::workspace::syntax::Parsed;
use roles::Roles;
use shared::Shared;
use stream::Stream;

/// What an action says that it leaves alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promise {
    /// Only annotations change, with their imports and the types in documentation comments.
    TypeHints,
    /// Only comments and docstrings change.
    Documentation,
}

impl Promise {
    /// The promise of the action called `id`, if its name makes one.
    pub fn of(id: &str) -> Option<Self> {
        match id {
            "add-type-hints" => Some(Self::TypeHints),
            "document" => Some(Self::Documentation),
            _ => None,
        }
    }
}

/// Whether an edit keeps a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does, or the language has no grammar to tell by.
    Kept,
    /// It does not. The reason says so of the edit ("it …", without a full stop) and quotes the first difference with
    /// its line, for the user and for a request to the model to repair it.
    Broken(String),
    /// It cannot be told, for this reason; another answer would be no better.
    Unknown(String),
}

/// A text before and after an edit, each parsed once.
pub struct Comparison<'a> {
    before: Parsed<'a>,
    after: Parsed<'a>,
}

impl<'a> Comparison<'a> {
    /// Parses both texts.
    pub fn new(language: &'a Language, before: &'a str, after: &'a str) -> Self {
        Self { before: Parsed::new(language, before), after: Parsed::new(language, after) }
    }

    /// Takes a text that may have been parsed already, and parses of the other what `edits` changed.
    pub fn of_edits(before: Parsed<'a>, edits: &[TextEdit], after: &'a str) -> Self {
        before.tree();
        let after = parsed_after(&before, edits, after);
        Self { before, after }
    }

    /// `None` where there is no grammar, or one of the texts is too large or too tangled to parse.
    fn trees(&self) -> Option<(&Tree, &Tree)> {
        Some((self.before.tree()?, self.after.tree()?))
    }

    /// Syntax errors that are in the text after the edit and were not in the one before, as sentences such as
    /// `line 3: …` with lines of the text after. Empty where the texts cannot be parsed.
    pub fn new_syntax_errors(&self) -> Vec<String> {
        let Some((before, after)) = self.trees() else { return Vec::new() };
        let errors = errors::new_errors((before, self.before.text()), (after, self.after.text()));
        if errors.is_empty() || self.is_same_code(before, after) { Vec::new() } else { errors }
    }

    /// Whether the texts are the same but for comments. Then what cannot be parsed is what the grammar does not know,
    /// such as a macro: how it gets over that depends on what stands around it.
    fn is_same_code(&self, before: &Tree, after: &Tree) -> bool {
        let language = self.before.language();
        let Some(grammar) = language.grammar else { return false };
        let lines = |tree, text| by_lines::by_lines(&Stream::read(Promise::Documentation, grammar, tree, text));
        // The documentation of Python is code, and can stand wrongly.
        let documents_by_code = language.family() == "python";
        !documents_by_code
            && difference::code(&lines(before, self.before.text()), &lines(after, self.after.text())).is_none()
    }

    /// Whether the edit keeps `promise`.
    pub fn verdict(&self, promise: Promise) -> Verdict {
        let language = self.before.language();
        let Some(grammar) = language.grammar else { return Verdict::Kept };
        let Some((before, after)) = self.trees() else {
            return Verdict::Unknown("the file is too large to check that only what was asked for changes".to_owned());
        };
        let (text, new_text) = (self.before.text(), self.after.text());
        let shared = Shared::of((before.root_node(), text), (after.root_node(), new_text));
        if !shared.is_empty() {
            let roles = Roles::new(promise, grammar, &before.language());
            let before = Stream::read_but(&shared.before, &roles, before, text);
            let after = Stream::read_but(&shared.after, &roles, after, new_text);
            // What is said against it may be unsaid by what was left out; and this import is about all annotations.
            let for_all = after.new_imports(&before).iter().any(|import| import.module == "__future__");
            if !for_all && broken(promise, language, &before, &after).is_none() {
                return Verdict::Kept;
            }
        }
        let mut before = Stream::read(promise, grammar, before, text);
        let mut after = Stream::read(promise, grammar, after, new_text);
        if difference::code(&before, &after).is_some() {
            let lines = (by_lines::by_lines(&before), by_lines::by_lines(&after));
            if difference::code(&lines.0, &lines.1).is_none() {
                (before, after) = lines;
            }
        }
        match broken(promise, language, &before, &after) {
            None => Verdict::Kept,
            Some(reason) => Verdict::Broken(reason),
        }
    }
}

/// What breaks a promise, the gravest first.
fn broken(promise: Promise, language: &Language, before: &Stream<'_>, after: &Stream<'_>) -> Option<String> {
    let only = match promise {
        Promise::TypeHints => "it changes more than type annotations",
        Promise::Documentation => "it changes more than documentation",
    };
    let changed = difference::code(before, after)
        .or_else(|| difference::imports(before, after))
        .or_else(|| comments::difference(promise, language, before, after));
    if let Some(changed) = changed {
        return Some(format!("{only}: {changed}"));
    }
    match promise {
        Promise::Documentation => None,
        Promise::TypeHints => difference::lost_annotation(before, after).or_else(|| match language.family() {
            "python" => python::objection(before, after),
            "typescript" => typescript::objection(before, after),
            _ => names::objection_in_comments(language, before, after),
        }),
    }
}

/// [`Comparison::verdict`] for a single question.
pub fn kept_promise(promise: Promise, language: &Language, before: &str, after: &str) -> Verdict {
    Comparison::new(language, before, after).verdict(promise)
}

/// [`Comparison::new_syntax_errors`] for a single question.
pub fn new_syntax_errors(language: &Language, before: &str, after: &str) -> Vec<String> {
    Comparison::new(language, before, after).new_syntax_errors()
}
