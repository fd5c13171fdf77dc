//! What the model gets to see beside the document: definitions that the selection uses, who calls it, a test as an example
//! of the style, and what other tools say about it.
//!
//! All of it belongs to one selection, so it stands behind the document's breakpoint, in one block.

mod gather;
#[cfg(test)]
mod tests;

pub use gather::{Around, gather, may_be_excerpt, wants_diagnostics};

use super::tags;

/// What a selection's surroundings have to offer, in the order it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The pieces that fit into the budget; each is whole, or says of itself that it is not.
    pub pieces: Vec<Piece>,
}

/// One piece of context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// Its file, relative to the workspace folder, with `/`.
    pub path: String,
    /// Its first and last line, 1-based and inclusive.
    pub lines: (usize, usize),
    /// What it is called; empty if it has no name.
    pub name: String,
    /// How much of it is there.
    pub form: Form,
    /// Its text, verbatim but for what `form` says.
    pub text: String,
}

/// What a piece of context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PieceKind {
    /// What another file of the workspace defines and the selection uses.
    Definition,
    /// Where the document calls what is selected.
    Caller,
    /// A test from elsewhere in the project.
    Example,
    /// What another tool says about the selection.
    Diagnostic,
}

/// How much of a thing is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// All of it.
    Whole,
    /// Its signature with its comments, without its body.
    Signature,
    /// It without the bodies of its members.
    Outline,
    /// Its beginning and whole items of it.
    Excerpt,
}

impl PieceKind {
    /// The name of its tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Definition => "definition",
            Self::Caller => "caller",
            Self::Example => "example",
            Self::Diagnostic => "diagnostic",
        }
    }
}

impl Form {
    /// The attribute that says what is missing; none if nothing is.
    fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::Signature => Some("signature"),
            Self::Outline => Some("outline"),
            Self::Excerpt => Some("excerpt"),
        }
    }
}

impl Piece {
    /// The piece between its tags.
    fn wrapped(&self) -> String {
        let lines = format!("{}-{}", self.lines.0, self.lines.1);
        let mut attributes = Vec::with_capacity(4);
        if !self.name.is_empty() {
            attributes.push(("name", self.name.as_str()));
        }
        attributes.extend([("path", self.path.as_str()), ("lines", &lines)]);
        attributes.extend(self.form.attribute().map(|form| ("shown", form)));
        tags::wrap(self.kind.tag(), &attributes, &self.text)
    }
}

/// The context as one block of the prompt; none if there is nothing to say.
pub(super) fn block(context: &Context) -> Option<String> {
    let pieces: Vec<String> = context.pieces.iter().map(Piece::wrapped).collect();
    (!pieces.is_empty()).then(|| pieces.join("\n\n"))
}
