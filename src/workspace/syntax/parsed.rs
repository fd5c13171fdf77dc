//! A text with its tree, which follows edits: only what changed is parsed anew.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ropey::Rope;
use tree_sitter::{InputEdit, Point, Tree};

use super::{Item, Syntax, parse, tree};
use crate::workspace::{Language, Span};

/// Edits that are nearer to each other than this many bytes count as one. Each edit costs a way down the tree, each byte
/// between two edits is parsed again.
const NEAR: usize = 1024;

/// A text with its tree, which is made at the first need.
#[derive(Clone, Debug)]
pub struct Parsed<'a> {
    language: &'a Language,
    text: &'a str,
    tree: OnceCell<Option<Tree>>,
}

impl<'a> Parsed<'a> {
    /// A text that was not parsed yet.
    pub fn new(language: &'a Language, text: &'a str) -> Self {
        Self { language, text, tree: OnceCell::new() }
    }

    /// A text whose tree is known; `None` if it has none.
    pub(crate) fn with_tree(language: &'a Language, text: &'a str, tree: Option<Tree>) -> Self {
        Self { language, text, tree: OnceCell::from(tree) }
    }

    /// Its language.
    pub fn language(&self) -> &'a Language {
        self.language
    }

    /// The text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Whether the tree was looked at already.
    pub(crate) fn is_parsed(&self) -> bool {
        self.tree.get().is_some()
    }

    /// The tree; `None` for a language without a grammar, and for a text too large or too tangled to parse.
    pub(crate) fn tree(&self) -> Option<&Tree> {
        self.tree.get_or_init(|| tree(self.language, self.text)).as_ref()
    }

    /// The text after edits, which replace spans by that many bytes, and are sorted and disjoint. If this text was
    /// parsed, only what changed is parsed now.
    pub fn after<'b>(&self, edits: impl IntoIterator<Item = (Span, usize)>, text: &'b str) -> Parsed<'b>
    where
        'a: 'b,
    {
        let after = Parsed::new(self.language, text);
        if let Some(Some(tree)) = self.tree.get() {
            let edited = edited(tree, self.text, edits, text);
            // An error is looked at closely, so its tree must not depend on what stood there before.
            let reparsed = parse(self.language, text, Some(&edited)).filter(|tree| !tree.root_node().has_error());
            if reparsed.is_some() {
                let _ = after.tree.set(reparsed);
            }
        }
        after
    }

    /// The same text after a change that nobody told of.
    pub(crate) fn became<'b>(&self, text: &'b str) -> Parsed<'b>
    where
        'a: 'b,
    {
        if self.text == text {
            return Parsed { language: self.language, text, tree: self.tree.clone() };
        }
        let same = |(old, new): &(u8, u8)| old == new;
        let prefix = self.text.bytes().zip(text.bytes()).take_while(same).count();
        let rest = self.text.bytes().rev().zip(text.bytes().rev());
        let suffix = rest.take(self.text.len().min(text.len()) - prefix).take_while(same).count();
        self.after([(prefix..self.text.len() - suffix, text.len() - suffix - prefix)], text)
    }
}

/// A text that is parsed on one thread while its owner does something else on another.
#[derive(Debug)]
pub struct ParsedAhead {
    language: &'static Language,
    text: String,
    tree: OnceLock<Option<Tree>>,
}

impl ParsedAhead {
    /// A text that is to be parsed.
    pub fn new(language: &'static Language, text: String) -> Self {
        Self { language, text, tree: OnceLock::new() }
    }

    /// Parses it; takes milliseconds.
    pub fn parse(&self) {
        self.tree.get_or_init(|| tree(self.language, &self.text));
    }

    /// The text as it became meanwhile. Whoever asks too early parses it himself, when he needs to.
    pub fn now<'a>(&'a self, text: &'a str) -> Parsed<'a> {
        match self.tree.get() {
            Some(tree) => Parsed::with_tree(self.language, &self.text, tree.clone()).became(text),
            None => Parsed::new(self.language, text),
        }
    }
}

/// Where whoever parses a text leaves its tree for whoever needs it next. Clones share the place.
#[derive(Clone, Debug, Default)]
pub(in crate::workspace) struct SharedTree(Arc<Mutex<Option<Left>>>);

/// A tree that was left, with what it was made of.
#[derive(Debug)]
struct Left {
    language: &'static str,
    text: Rope,
    tree: Option<Tree>,
    items: Arc<OnceLock<Vec<Item>>>,
}

impl SharedTree {
    /// A text with its tree: the one that was left, else a new one, which is left.
    pub(in crate::workspace) fn syntax(&self, language: &'static Language, text: &Rope) -> Option<Syntax> {
        let grammar = language.grammar?;
        let whole = text.to_string();
        let known = self.left(language, text, |left| left.as_ref().map(|left| (left.tree.clone(), left.items.clone())));
        let (tree, items) = known.unwrap_or_else(|| {
            let (tree, items) = (tree(language, &whole), Arc::default());
            let (text, kept) = (text.clone(), Arc::clone(&items));
            *self.lock() = Some(Left { language: language.id, text, tree: tree.clone(), items: kept });
            (tree, items)
        });
        Some(Syntax { tree: tree?, text: whole, grammar, items })
    }

    /// The text, to be parsed unless a tree was left, which is taken away.
    pub(in crate::workspace) fn ahead(&self, language: &'static Language, text: &Rope) -> ParsedAhead {
        let left = self.left(language, text, Option::take);
        let tree = left.map_or_else(OnceLock::new, |left| OnceLock::from(left.tree));
        ParsedAhead { language, text: text.to_string(), tree }
    }

    /// Lets go of what was left.
    pub(in crate::workspace) fn forget(&self) {
        *self.lock() = None;
    }

    fn left<T>(
        &self,
        language: &'static Language,
        text: &Rope,
        with: impl FnOnce(&mut Option<Left>) -> Option<T>,
    ) -> Option<T> {
        let mut left = self.lock();
        // Whoever holds a snapshot may change its text.
        left.take_if(|left| left.language != language.id || left.text != *text);
        with(&mut left)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Left>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A tree whose places are those of the text after edits.
fn edited(tree: &Tree, old: &str, edits: impl IntoIterator<Item = (Span, usize)>, new: &str) -> Tree {
    let mut tree = tree.clone();
    let mut groups: Vec<(Span, usize)> = Vec::new();
    for (span, length) in edits {
        match groups.last_mut() {
            Some((last, last_length)) if span.start < last.end + NEAR => {
                *last_length += span.start - last.end + length;
                last.end = span.end;
            }
            _ => groups.push((span, length)),
        }
    }
    // From the last to the first, so that places before an edit are still those of the old text.
    let mut behind = new.len();
    let mut old_behind = old.len();
    for (span, length) in groups.into_iter().rev() {
        let end = behind - (old_behind - span.end);
        let start = end - length;
        let start_position = point(Point::new(0, 0), &old.as_bytes()[..span.start]);
        tree.edit(&InputEdit {
            start_byte: span.start,
            old_end_byte: span.end,
            new_end_byte: span.start + length,
            start_position,
            old_end_position: point(start_position, &old.as_bytes()[span.clone()]),
            new_end_position: point(start_position, &new.as_bytes()[start..end]),
        });
        (behind, old_behind) = (start, span.start);
    }
    tree
}

/// The place behind `text`, which begins at `start`.
fn point(start: Point, text: &[u8]) -> Point {
    match text.iter().rposition(|byte| *byte == b'\n') {
        Some(last) => {
            let breaks = text.split(|byte| *byte == b'\n').count() - 1;
            Point::new(start.row + breaks, text.len() - last - 1)
        }
        None => Point::new(start.row, start.column + text.len()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::workspace::language;

    /// Every node with its places.
    fn nodes(tree: &Tree) -> Vec<String> {
        let mut found = Vec::new();
        let mut cursor = tree.walk();
        loop {
            found.push(format!("{} {:?}", cursor.node().kind(), cursor.node().range()));
            if cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return found;
                }
            }
        }
    }

    /// Texts with line ends of both kinds, each from pieces that can stand in any order.
    fn pieces(language: &str) -> &'static [&'static str] {
        match language {
            "python" => &[
                "import os\n",
                "def f(a, b=1):\n    return a\n",
                "class A:\r\n    x = \"\"\"é\n\"\"\"\r\n\r\n    def g(self):\r\n        if x:\r\n            pass\r\n",
                "x = [\n  1,\n]\n",
                "# e\u{301} 👍🏽\n",
                "\n",
            ],
            "typescript" => &[
                "import { a } from 'b';\n",
                "function f<T>(a: T): T { return a; }\n",
                "const x = `é${ 1 +\n 2 }`\r\n",
                "class A { private b?: number; /* 👍🏽 */ }\n",
                "let re = /a\\/b/g\n",
                "\n",
            ],
            "ruby" => &[
                "require 'a'\n",
                "def f(a)\n  <<~TEXT + a\n    é\n  TEXT\nend\n",
                "class A\r\n  attr_reader :x\r\nend\r\n",
                "x = %w[a b]\n",
                "\n",
            ],
            _ => &[
                "use std::fmt;\n",
                "fn f<'a>(a: &'a str) -> &'a str { a }\n",
                "const S: &str = r#\"é\n\"#;\r\n",
                "/* a /* b */ c */ struct A { x: u8 }\n",
                "\n",
            ],
        }
    }

    fn text(language: &str, indices: &[prop::sample::Index]) -> String {
        let pieces = pieces(language);
        indices.iter().map(|index| *index.get(pieces)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn a_tree_that_follows_edits_is_the_tree_of_the_text(
            language in prop::sample::select(vec!["python", "typescript", "ruby", "rust"]),
            kept in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..40), 1..5),
            changes in prop::collection::vec(
                (prop::collection::vec(any::<prop::sample::Index>(), 0..4),
                 prop::collection::vec(any::<prop::sample::Index>(), 0..4)),
                5,
            ),
        ) {
            let (mut old, mut new) = (String::new(), String::new());
            let mut edits = Vec::new();
            for (kept, (gone, come)) in kept.iter().zip(&changes) {
                let (kept, gone, come) = (text(language, kept), text(language, gone), text(language, come));
                let start = old.len() + kept.len();
                edits.push((start..start + gone.len(), come.len()));
                old += &(kept.clone() + &gone);
                new += &(kept + &come);
            }
            let language = language::by_id(language);
            let before = Parsed::new(language, &old);
            before.tree();
            let fresh = tree(language, &new).expect("there is a grammar");
            for after in [before.after(edits, &new), before.became(&new)] {
                prop_assert!(after.is_parsed() || fresh.root_node().has_error());
                let found = after.tree().expect("there is a grammar");
                prop_assert_eq!(nodes(found), nodes(&fresh));
            }
        }
    }

    #[test]
    fn what_was_not_parsed_is_parsed_at_the_first_need() {
        let python = language::by_id("python");
        let before = Parsed::new(python, "x = 1\n");
        assert!(!before.is_parsed());
        let after = before.after([(4..5, 2)], "x = 22\n");
        assert!(!after.is_parsed() && after.tree().is_some_and(|tree| tree.root_node().end_byte() == 7));
        let ahead = ParsedAhead::new(python, "x = 1\n".to_owned());
        assert!(!ahead.now("x = 22\n").is_parsed());
        ahead.parse();
        let now = ahead.now("x = 22\n");
        assert!(now.is_parsed() && now.tree().is_some_and(|tree| tree.root_node().end_byte() == 7));
        let none = Parsed::new(language::by_id("plaintext"), "x");
        assert!(none.tree().is_none() && none.after([(0..1, 1)], "y").tree().is_none());
    }
}
