//! A definition as text: all of it, with the bodies of its members left out, or its signature.

use std::rc::Rc;

use super::project::Source;
use crate::workspace::Span;
use crate::workspace::syntax::{Item, ItemKind};

/// An item of a file that defines a name.
#[derive(Clone)]
pub struct Definition {
    /// The file.
    pub source: Rc<Source>,
    /// The item, as an index into the file's.
    pub(super) item: usize,
}

impl Definition {
    /// The item.
    pub fn item(&self) -> &Item {
        &self.source.items[self.item]
    }

    /// Where it is: whole lines where it has them to itself.
    pub fn span(&self) -> Span {
        let span = &self.item().span;
        line_start(self.source.text(), span.start)..span.end
    }

    /// All of it.
    pub fn whole(&self) -> String {
        self.source.text()[self.span()].to_owned()
    }

    /// Its comments, its signature, and in Python what its documentation string says.
    pub fn signature(&self) -> String {
        self.source.text()[self.signature_span()].to_owned()
    }

    /// Where that stands.
    pub fn signature_span(&self) -> Span {
        let (text, item) = (self.source.text(), self.item());
        let start = self.span().start;
        let mut end = item.signature.end.max(start);
        if let Some(doc) = self.documentation() {
            end = end.max(doc.end);
        }
        start..start + text[start..end].trim_end().len()
    }

    /// All of it but the bodies of its members; `None` if it has no members with a body.
    pub fn outline(&self) -> Option<String> {
        let (text, items) = (self.source.text(), &self.source.items);
        let span = self.span();
        let mut out = String::new();
        let mut next = span.start;
        for item in items {
            let Some(body) = &item.body else { continue };
            let is_code = matches!(item.kind, ItemKind::Function | ItemKind::Method);
            // A body in a body that was left out is gone already.
            if !is_code || item.span == self.item().span || body.start < next || body.end > span.end {
                continue;
            }
            out.push_str(&text[next..body.start]);
            out.push_str(if text[body.clone()].starts_with('{') { "{ … }" } else { "…" });
            next = body.end;
        }
        if next == span.start {
            return None;
        }
        out.push_str(&text[next..span.end]);
        Some(out)
    }

    /// Python's documentation is the first statement of a body.
    fn documentation(&self) -> Option<Span> {
        let body = self.item().body.clone()?;
        if self.source.language.family() != "python" {
            return None;
        }
        let node = self.source.syntax.tree().root_node().descendant_for_byte_range(body.start, body.end)?;
        let first = node.named_child(0).filter(|first| first.kind() == "expression_statement")?;
        first.named_child(0).filter(|string| string.kind() == "string").map(|string| string.byte_range())
    }
}

/// The beginning of the line, if nothing but white space is in front.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let before = &text[..at];
    let blank = before.len() - before.trim_end_matches([' ', '\t']).len();
    let start = at - blank;
    if start == 0 || text[..start].ends_with(['\n', '\r']) { start } else { at }
}
