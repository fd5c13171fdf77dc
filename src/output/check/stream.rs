//! A text as its tokens and how they nest, with what an action may change taken out and kept beside.

use std::collections::HashSet;

use tree_sitter::{Node, Tree, TreeCursor};

use super::Promise;
use super::bindings;
use super::roles::{self, Class, Role, Roles};
use crate::output::tree::walk;
use crate::workspace::Span;
use crate::workspace::language::Grammar;

/// A token, or where a piece of syntax begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Open(u16),
    Token,
    Close,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: u16,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

/// A comment or a docstring.
#[derive(Clone, Debug)]
pub(super) struct Comment<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
    /// The tokens in front of it.
    pub(super) anchor: usize,
    /// Whether code stands in front of it on its line.
    pub(super) trailing: bool,
    /// Whether it is a string that stands where documentation does.
    pub(super) docstring: bool,
}

/// What an annotation is written at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    Parameter,
    Result,
    /// A variable or an attribute; `bare` if no value is assigned with it.
    Variable {
        bare: bool,
    },
    /// Type parameters or arguments, or anything else.
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Annotation<'a> {
    pub(super) node: Node<'a>,
    pub(super) text: &'a str,
    pub(super) anchor: usize,
    pub(super) site: Site,
    /// The functions and classes around it, the innermost first; for a parameter or a result that is its function.
    pub(super) scopes: Vec<Node<'a>>,
    /// The whole of what carries it: the assignment of a variable.
    pub(super) owner: Node<'a>,
}

/// One thing that an import binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// What is imported, from where and how.
    pub(super) key: String,
    /// The module.
    pub(super) module: String,
    /// The name that it gets here; empty if it gets none.
    pub(super) bound: String,
    /// Whether it is for type checkers only.
    pub(super) types_only: bool,
    pub(super) anchor: usize,
    pub(super) start: usize,
}

/// A text with the annotations, or the documentation, taken out.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    pub(super) text: &'a str,
    pub(super) root: Node<'a>,
    pub(super) events: Vec<Event>,
    pub(super) tokens: Vec<Token<'a>>,
    pub(super) comments: Vec<Comment<'a>>,
    pub(super) annotations: Vec<Annotation<'a>>,
    pub(super) imports: Vec<Import>,
    /// The tokens that begin a definition, as indices.
    pub(super) definitions: Vec<usize>,
}

/// A node that is being read.
pub(super) struct Frame<'a> {
    pub(super) node: Node<'a>,
    pub(super) class: Class,
    /// Where it was opened, unless it leaves no trace.
    opened: Option<usize>,
    /// Whether white space in it is text.
    verbatim: bool,
    /// Whether types in it are no annotations.
    pub(super) frozen: bool,
    /// Whether its last child was an assignment.
    pub(super) assigned: bool,
    /// The index of its last token, if that was a comma.
    comma: Option<usize>,
}

impl<'a> Stream<'a> {
    pub(super) fn read(promise: Promise, grammar: Grammar, tree: &'a Tree, text: &'a str) -> Self {
        Self::read_but(&HashSet::new(), &Roles::new(promise, grammar, &tree.language()), tree, text)
    }

    /// Reads all but the nodes of these ids: each is one token, and what it holds besides is left out.
    pub(super) fn read_but(whole: &HashSet<usize>, roles: &Roles, tree: &'a Tree, text: &'a str) -> Self {
        let root = tree.root_node();
        let reader = Reader {
            roles,
            whole,
            stream: Self {
                text,
                root,
                events: Vec::new(),
                tokens: Vec::new(),
                comments: Vec::new(),
                annotations: Vec::new(),
                imports: Vec::new(),
                definitions: Vec::new(),
            },
            frames: Vec::new(),
            read: 0,
            line_begun: false,
        };
        reader.walk(root.walk())
    }

    /// The line that a byte is in, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        let mut line = 1;
        let mut bytes = self.text.as_bytes()[..at.min(self.text.len())].iter().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\r' if bytes.peek() == Some(&&b'\n') => {}
                b'\n' | b'\r' => line += 1,
                _ => {}
            }
        }
        line
    }

    /// The annotations that `before` has not at the same places.
    pub(super) fn new_annotations<'s>(&'s self, before: &Stream<'_>) -> Vec<&'s Annotation<'a>> {
        let mut known = std::collections::HashMap::<(usize, &str), usize>::new();
        for annotation in &before.annotations {
            *known.entry((annotation.anchor, annotation.text)).or_default() += 1;
        }
        let new = self.annotations.iter().filter(|annotation| {
            let left = known.get_mut(&(annotation.anchor, annotation.text)).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_none()
        });
        new.collect()
    }

    /// The imports that `before` has not.
    pub(super) fn new_imports<'s>(&'s self, before: &Stream<'_>) -> Vec<&'s Import> {
        let mut rest = before.imports.iter().peekable();
        let new = self.imports.iter().filter(|import| match rest.peek() {
            Some(next) if next.key == import.key && next.anchor == import.anchor => rest.next().is_none(),
            _ => true,
        });
        new.collect()
    }
}

struct Reader<'a, 'r> {
    roles: &'r Roles,
    /// The ids of the nodes that are one token each.
    whole: &'r HashSet<usize>,
    stream: Stream<'a>,
    frames: Vec<Frame<'a>>,
    /// Where what has been read ends.
    read: usize,
    /// Whether there is code in front on the same line.
    line_begun: bool,
}

impl<'a> Reader<'a, '_> {
    fn walk(mut self, mut cursor: TreeCursor<'a>) -> Stream<'a> {
        loop {
            let node = cursor.node();
            self.gap(node.start_byte());
            if self.enter(node, &cursor) && cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return self.stream;
                }
                self.leave();
            }
        }
    }

    /// Reads a node; whether its children are to be read too.
    fn enter(&mut self, node: Node<'a>, cursor: &TreeCursor<'a>) -> bool {
        let class = self.roles.class(node);
        let role = roles::role(self.roles, node, class, &self.frames, cursor, &self.stream);
        if let Some(frame) = self.frames.last_mut()
            && !matches!(role, Role::Comment)
        {
            frame.assigned = class == Class::Statement && roles::assigns(node);
        }
        match role {
            Role::Blank => self.skip(node.end_byte()),
            Role::Comment => self.comment(node, false),
            Role::Documentation => self.comment(node, true),
            Role::Erased => {
                self.comments_in(node);
                self.erase(node);
            }
            Role::Annotation(site, owner) => {
                self.annotate(node, site, owner);
                self.comments_in(node);
                self.erase(node);
            }
            Role::Imports => {
                let anchor = self.stream.tokens.len();
                bindings::read(self.roles.grammar, node, self.stream.text, anchor, &mut self.stream.imports);
                self.comments_in(node);
                self.erase(node);
            }
            Role::Bracketed => {
                let [list, item, open, close] = self.roles.parameter_list;
                self.stream.events.push(Event::Open(list));
                self.token(open, "(", node.start_byte());
                self.stream.events.push(Event::Open(item));
                self.leaf(node);
                self.stream.events.push(Event::Close);
                self.token(close, ")", node.end_byte());
                self.stream.events.push(Event::Close);
            }
            Role::Plain | Role::Transparent | Role::Alias(_) => {
                if self.roles.defines(class) && self.stream.definitions.last() != Some(&self.stream.tokens.len()) {
                    self.stream.definitions.push(self.stream.tokens.len());
                }
                if node.child_count() == 0 {
                    self.leaf(node);
                    return false;
                }
                if role == Role::Plain && self.whole.contains(&node.id()) {
                    self.token(node.kind_id(), &self.stream.text[node.byte_range()], node.start_byte());
                    return false;
                }
                self.open(node, class, role);
                return true;
            }
        }
        false
    }

    fn open(&mut self, node: Node<'a>, class: Class, role: Role<'a>) {
        let kind = match role {
            Role::Alias(kind) => kind,
            _ => node.kind_id(),
        };
        let opened = (role != Role::Transparent && node.is_named()).then(|| {
            self.stream.events.push(Event::Open(kind));
            self.stream.events.len()
        });
        let frozen = self.frames.last().is_some_and(|frame| frame.frozen || roles::freezes(frame, node));
        self.frames.push(Frame {
            node,
            class,
            opened,
            verbatim: class == Class::Verbatim,
            frozen: frozen || class == Class::TypeAlias,
            assigned: false,
            comma: None,
        });
    }

    fn leave(&mut self) {
        let Some(end) = self.frames.last().map(|frame| frame.node.end_byte()) else { return };
        self.gap(end);
        let Some(frame) = self.frames.pop() else { return };
        if let Some(opened) = frame.opened {
            if self.stream.events.len() == opened {
                // What holds nothing but comments is as good as absent.
                self.stream.events.pop();
            } else {
                self.stream.events.push(Event::Close);
            }
        }
    }

    /// Text up to `end` that belongs to no child: white space, or a part of what is being read.
    fn gap(&mut self, end: usize) {
        if end <= self.read {
            return;
        }
        let text = &self.stream.text[self.read..end];
        let start = self.read;
        let frame = self.frames.last();
        if frame.is_some_and(|frame| frame.verbatim) {
            let kind = frame.map_or(0, |frame| frame.node.kind_id());
            self.token(kind, text, start);
            return;
        }
        // A directive of the preprocessor ends with its line, unless that goes on.
        let goes_on = !matches!(self.roles.grammar, Grammar::C | Grammar::Cpp);
        let blank = |char: char| char.is_whitespace() || char == '\u{feff}' || char == '\\' && goes_on;
        let code = text.trim_matches(blank);
        if code.is_empty() {
            self.skip(end);
        } else {
            let kind = frame.map_or(0, |frame| frame.node.kind_id());
            self.token(kind, code, start + text.find(code).unwrap_or(0));
            self.read = end;
        }
    }

    fn skip(&mut self, end: usize) {
        if self.stream.text[self.read..end.max(self.read)].contains(['\n', '\r']) {
            self.line_begun = false;
        }
        self.read = end.max(self.read);
    }

    fn erase(&mut self, node: Node<'a>) {
        self.read = node.end_byte().max(self.read);
        self.line_begun = true;
    }

    fn comment(&mut self, node: Node<'a>, docstring: bool) {
        let span = node.byte_range();
        self.stream.comments.push(Comment {
            text: self.stream.text[span.clone()].trim_end(),
            start: span.start,
            anchor: self.stream.tokens.len(),
            trailing: self.line_begun,
            docstring,
        });
        self.skip(span.end);
        if docstring {
            self.line_begun = true;
        }
    }

    /// The comments in what is erased: they are nobody's annotation.
    fn comments_in(&mut self, erased: Node<'a>) {
        let text = self.stream.text;
        let anchor = self.stream.tokens.len();
        let roles = self.roles;
        let comments = &mut self.stream.comments;
        walk(erased, |node| {
            let is_comment = roles.class(node) == Class::Comment;
            if is_comment {
                let start = node.start_byte();
                let line = text[..start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
                let trailing = !text[line..start].trim().is_empty();
                let text = text[node.byte_range()].trim_end();
                comments.push(Comment { text, start, anchor, trailing, docstring: false });
            }
            !is_comment
        });
    }

    fn annotate(&mut self, node: Node<'a>, site: Site, owner: Node<'a>) {
        let scopes = self.frames.iter().rev().filter(|frame| frame.class.is_scope()).map(|frame| frame.node).collect();
        self.stream.annotations.push(Annotation {
            node,
            text: &self.stream.text[node.byte_range()],
            anchor: self.stream.tokens.len(),
            site,
            scopes,
            owner,
        });
    }

    fn leaf(&mut self, node: Node<'a>) {
        let span: Span = node.byte_range();
        let mut text = &self.stream.text[span.clone()];
        let class = self.roles.class(node);
        let verbatim = class == Class::Verbatim || self.frames.last().is_some_and(|frame| frame.verbatim);
        let mut comment = None;
        if class == Class::MacroText {
            let code = roles::without_line_comment(text);
            let rest = text[code.len()..].trim();
            comment = (!rest.is_empty()).then_some((rest, span.end - text[code.len()..].trim_start().len()));
            text = code;
        }
        // A token that is missing is told as a syntax error, if it is new.
        if text.is_empty() || !verbatim && text.trim().is_empty() {
            self.skip(span.end);
            return;
        }
        let comma = text == ",";
        let parameters = |frame: &&mut Frame<'a>| frame.class == Class::Parameters;
        if let Some(frame) = self.frames.last_mut().filter(parameters) {
            let last = frame.comma.take();
            if comma {
                frame.comma = Some(self.stream.tokens.len());
            } else if let Some(last) = last.filter(|_| text == ")") {
                self.remove_comma(last);
            }
        }
        self.token(node.kind_id(), text, span.start);
        self.read = span.end;
        if let Some((text, start)) = comment {
            let anchor = self.stream.tokens.len();
            self.stream.comments.push(Comment { text, start, anchor, trailing: true, docstring: false });
        }
    }

    /// A comma behind the last parameter says nothing: it comes and goes with line breaks.
    fn remove_comma(&mut self, index: usize) {
        if self.stream.tokens.len() == index + 1 && self.stream.events.last() == Some(&Event::Token) {
            self.stream.tokens.pop();
            self.stream.events.pop();
            for comment in self.stream.comments.iter_mut().rev().take_while(|comment| comment.anchor > index) {
                comment.anchor = index;
            }
        }
    }

    fn token(&mut self, kind: u16, text: &'a str, start: usize) {
        self.stream.events.push(Event::Token);
        self.stream.tokens.push(Token { kind, text, start });
        self.read = self.read.max((start + text.len()).min(self.stream.text.len()));
        self.line_begun = true;
    }
}
