//! What of a file is asked about.

use crate::workspace::syntax::{Item, ItemKind, Syntax};
use crate::workspace::{Snapshot, Span};

/// What an item of a batch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Items {
    /// A whole file.
    #[default]
    Files,
    /// A function or method; what is inside of another function belongs to that one.
    Functions,
    /// A class, struct, interface or enumeration, with all that is in it.
    Classes,
    /// A function or class that is in no other one.
    All,
}

impl Items {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Files, Self::Functions, Self::Classes, Self::All];

    /// The word on the command line and in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Functions => "functions",
            Self::Classes => "classes",
            Self::All => "all",
        }
    }

    fn takes(self, item: &Item) -> bool {
        let is_function = matches!(item.kind, ItemKind::Function | ItemKind::Method) && item.body.is_some();
        let is_class = matches!(item.kind, ItemKind::Class | ItemKind::Struct | ItemKind::Enum | ItemKind::Interface);
        match self {
            Self::Files => false,
            Self::Functions => is_function,
            Self::Classes => is_class,
            Self::All => is_function || is_class,
        }
    }

    /// The items of a file, with their names, in their order; none of them overlaps another. `None` when its language has
    /// no grammar here.
    pub(super) fn of(self, snapshot: &Snapshot) -> Option<Vec<(Span, Option<String>)>> {
        let text = snapshot.text.to_string();
        if self == Self::Files {
            return Some(vec![(0..text.len(), None)]);
        }
        let syntax = Syntax::parse(snapshot.language, text.as_str())?;
        let items = syntax.items();
        let is_in_another = |item: &Item| {
            let mut above = item.parent;
            while let Some(index) = above {
                let outer = &items[index];
                if self.takes(outer) {
                    return true;
                }
                above = outer.parent;
            }
            false
        };
        let mut found: Vec<(Span, Option<String>)> = Vec::new();
        for item in items.iter().filter(|item| self.takes(item) && !is_in_another(item)) {
            let span = whole_lines(&text, &item.span);
            // Two on one line, as in minified code, would be one another's surroundings.
            if found.last().is_none_or(|(last, _)| last.end <= span.start) && !span.is_empty() {
                found.push((span, Some(item.name.clone())));
            }
        }
        Some(found)
    }
}

/// The span with its first line's indentation, and without white space at its end.
fn whole_lines(text: &str, span: &Span) -> Span {
    let end = span.start + text[span.clone()].trim_end().len();
    let line = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let start = if text[line..span.start].trim().is_empty() { line } else { span.start };
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use ropey::Rope;
    use url::Url;

    use super::*;
    use crate::workspace::language;

    fn names(language: &str, items: Items, text: &str) -> Option<Vec<String>> {
        let uri = Url::parse("untitled:x").unwrap();
        let snapshot = Snapshot::new(uri, None, language::by_id(language), None, Rope::from_str(text));
        let found = items.of(&snapshot)?;
        for pair in found.windows(2) {
            assert!(pair[0].0.end <= pair[1].0.start, "{pair:?}");
        }
        Some(found.into_iter().map(|(span, name)| format!("{}: {}", name.unwrap_or_default(), &text[span])).collect())
    }

    const TEXT: &str = "import os\n\n# about f\ndef f(a):\n    def inner():\n        pass\n    return inner\n\n\n\
                        class C:\n    x = 1\n\n    @property\n    def m(self):\n        return 1\n";

    #[test]
    fn each_kind_takes_its_own_and_nothing_twice() {
        let function = "f: # about f\ndef f(a):\n    def inner():\n        pass\n    return inner";
        let method = "m:     @property\n    def m(self):\n        return 1";
        let class = "C: class C:\n    x = 1\n\n    @property\n    def m(self):\n        return 1";
        assert_eq!(names("python", Items::Functions, TEXT).unwrap(), [function, method]);
        assert_eq!(names("python", Items::Classes, TEXT).unwrap(), [class]);
        assert_eq!(names("python", Items::All, TEXT).unwrap(), [function, class]);
        assert_eq!(names("python", Items::Files, TEXT).unwrap(), [format!(": {TEXT}")]);
        assert_eq!(names("python", Items::Functions, "x = 1\n").unwrap(), [""; 0]);
    }

    #[test]
    fn declarations_are_no_functions_and_some_languages_have_no_items() {
        assert_eq!(names("c", Items::Functions, "int f(int);\n").unwrap(), [""; 0]);
        assert_eq!(names("plaintext", Items::Functions, "def f(): pass\n"), None);
        assert!(names("plaintext", Items::Files, "text").is_some());
    }
}
