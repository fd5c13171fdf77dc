//! What a cursor is in, with a grammar and without.

use ropey::Rope;
use tree_sitter::Node;

use super::{Item, ItemKind, Syntax};
use crate::workspace::Span;
use crate::workspace::positions::{floor_char_boundary, line_content};

/// Words that begin the head of a definition in some language.
const DEFINING: &[&str] = &[
    "class",
    "def",
    "defmacro",
    "defmodule",
    "defn",
    "defp",
    "defprotocol",
    "defun",
    "enum",
    "extension",
    "fn",
    "fun",
    "func",
    "function",
    "impl",
    "interface",
    "macro",
    "method",
    "module",
    "namespace",
    "object",
    "proc",
    "procedure",
    "property",
    "protocol",
    "record",
    "struct",
    "sub",
    "subroutine",
    "table",
    "trait",
    "type",
    "union",
    "void",
];

/// What a line begins with that ends a block.
const CLOSING: &[&str] = &["}", ")", "]", "end", "fi", "done", "esac", "else", "endif", "endfunction"];

/// See [`super::enclosing`].
pub(super) fn enclosing(syntax: Option<&Syntax>, items: &[Item], text: &Rope, offset: usize) -> Span {
    let offset = floor_char_boundary(text, offset);
    let lines = Lines { text };
    let found = syntax.and_then(|syntax| by_syntax(syntax, items, &lines, offset));
    lines.whole(found.unwrap_or_else(|| lines.block(lines.nearest(text.byte_to_line(offset)))))
}

fn by_syntax(syntax: &Syntax, items: &[Item], lines: &Lines<'_>, offset: usize) -> Option<Span> {
    let at = lines.on_content(offset);
    let worth = |index: usize, at: usize| {
        let item = &items[index];
        match item.kind {
            ItemKind::Module => item.signature.start <= at && at <= item.signature.end,
            ItemKind::Constant => item.parent.is_none(),
            _ => true,
        }
    };
    let around = |at: usize| {
        let mut found = (0..items.len()).filter(|&index| items[index].span.start <= at && at <= items[index].span.end);
        found.rfind(|&index| worth(index, at)).map(|index| items[index].span.clone())
    };
    if let Some(span) = around(at) {
        return Some(span);
    }
    // A blank line between items: the nearest line that has something on it.
    let line = lines.nearest(lines.text.byte_to_line(at));
    let at = lines.on_content(lines.content(line).end.min(at.max(lines.content(line).start)));
    if let Some(span) = around(at) {
        return Some(span);
    }
    if let Some(span) = statement(syntax, at) {
        return Some(span);
    }
    // Lines of their own, but nothing of the items before and after.
    let block = lines.block(line);
    let own = items.iter().filter(|item| item.kind != ItemKind::Constant && item.kind != ItemKind::Module);
    let (mut start, mut end) = (block.start, block.end);
    for item in own {
        if item.span.end <= at {
            start = start.max(item.span.end);
        }
        if item.span.start > at {
            end = end.min(item.span.start);
        }
    }
    let piece = lines.text.byte_slice(start..end).to_string();
    let blank = piece.len() - piece.trim_start().len();
    (!piece.trim().is_empty()).then(|| start + blank..start + piece.trim_end().len())
}

/// The innermost statement around `at` that holds a block of its own.
fn statement(syntax: &Syntax, at: usize) -> Option<Span> {
    let rules = super::grammars::rules(syntax.grammar);
    let mut found = None;
    let mut cursor = syntax.tree.root_node().walk();
    let mut inside: Vec<Node<'_>> = Vec::new();
    while cursor.goto_first_child_for_byte(at).is_some() || cursor.goto_first_child() {
        // The cursor went to the first child that ends behind `at`; one that ends just there is as good.
        let node = cursor.node();
        if node.start_byte() > at {
            break;
        }
        inside.push(node);
    }
    for (depth, node) in inside.iter().enumerate() {
        let several = node.end_position().row > node.start_position().row;
        let block = || {
            inside[depth..].iter().any(|inner| rules.lambdas.contains(&inner.kind())) || has_block(*node, rules.lambdas)
        };
        if several && rules.statements.contains(&node.kind()) && block() {
            found = Some(node.byte_range());
        }
    }
    found
}

/// Whether a call has a function among its arguments, or a block.
fn has_block(node: Node<'_>, lambdas: &[&str]) -> bool {
    let mut cursor = node.walk();
    let mut level: Vec<Node<'_>> = node.children(&mut cursor).collect();
    // expression statement → call → arguments → function
    for _ in 0..3 {
        if level.iter().any(|node| lambdas.contains(&node.kind())) {
            return true;
        }
        level = level.iter().flat_map(|node| node.children(&mut node.walk()).collect::<Vec<_>>()).collect();
    }
    false
}

/// A text as lines with an indentation.
struct Lines<'a> {
    text: &'a Rope,
}

impl Lines<'_> {
    fn count(&self) -> usize {
        self.text.len_lines()
    }

    /// A line without the white space around it; empty, at its start, for a blank line.
    fn content(&self, line: usize) -> Span {
        let span = line_content(self.text, line);
        let slice = self.text.byte_slice(span.clone());
        let lead: usize = slice.chars().take_while(|c| c.is_whitespace()).map(char::len_utf8).sum();
        if lead == span.len() {
            return span.start..span.start;
        }
        let text = slice.to_string();
        span.start + lead..span.start + text.trim_end().len()
    }

    fn is_blank(&self, line: usize) -> bool {
        self.content(line).is_empty()
    }

    fn words(&self, line: usize) -> String {
        self.text.byte_slice(self.content(line)).to_string()
    }

    /// How far a line is indented, in columns.
    fn indent(&self, line: usize) -> usize {
        let start = self.text.line_to_byte(line);
        let lead = self.text.byte_slice(start..self.content(line).start);
        lead.chars().fold(0, |columns, c| if c == '\t' { columns / 4 * 4 + 4 } else { columns + 1 })
    }

    /// The offset itself, or, if it is in the white space at either end of a line, where the line's content is.
    fn on_content(&self, offset: usize) -> usize {
        let content = self.content(self.text.byte_to_line(offset));
        if content.is_empty() { offset } else { offset.clamp(content.start, content.end) }
    }

    /// The line itself, or the nearest that is not blank; of two as near, the one below.
    fn nearest(&self, line: usize) -> usize {
        let below = (line..self.count()).find(|&line| !self.is_blank(line));
        let above = (0..line).rev().find(|&line| !self.is_blank(line));
        match (above, below) {
            (Some(above), Some(below)) => {
                if line - above < below - line {
                    above
                } else {
                    below
                }
            }
            (above, below) => below.or(above).unwrap_or(line),
        }
    }

    /// Begins where its first line's content does, or with the indentation in front if nothing else is there.
    fn whole(&self, span: Span) -> Span {
        let line = self.text.byte_to_line(span.start);
        let content = self.content(line);
        let start = if span.start <= content.start { self.text.line_to_byte(line) } else { span.start };
        let end = span.end.max(start);
        let piece = self.text.byte_slice(start..end);
        let blank: usize =
            piece.chars_at(piece.len_chars()).reversed().take_while(|c| c.is_whitespace()).map(char::len_utf8).sum();
        if blank == piece.len_bytes() { start..start } else { start..end - blank }
    }

    /// The block that `line` is in, by indentation and blank lines.
    fn block(&self, line: usize) -> Span {
        let head = self.head(line);
        let (first, last) = match head {
            Some(head) => (self.lead(head), self.tail(head)),
            None => self.paragraph(line),
        };
        self.content(first).start..self.content(last).end
    }

    /// The line that heads the block around `line`: the nearest that looks like a definition, else the outermost.
    fn head(&self, line: usize) -> Option<usize> {
        let mut found = None;
        let mut indent = self.indent(line);
        if self.closes(line) {
            indent += 1;
        } else if self.opens(line) {
            found = Some(line);
        }
        if found.is_none_or(|head| !self.defines(head)) {
            for above in (0..line).rev() {
                if indent == 0 {
                    break;
                }
                if self.is_blank(above) || self.indent(above) >= indent || self.closes(above) {
                    continue;
                }
                // A brace on a line of its own belongs to the line above it.
                let opener = self.words(above) == "{" && above > 0 && !self.is_blank(above - 1);
                let head = if opener { above - 1 } else { above };
                indent = self.indent(above);
                found = Some(head);
                if self.defines(head) {
                    break;
                }
            }
        }
        found
    }

    /// Whether a block follows: the next line with content is further in, or is an opening brace.
    fn opens(&self, line: usize) -> bool {
        let next = (line + 1..self.count()).find(|&line| !self.is_blank(line));
        next.is_some_and(|next| self.indent(next) > self.indent(line) || self.words(next) == "{")
    }

    fn closes(&self, line: usize) -> bool {
        let words = self.words(line);
        CLOSING.iter().any(|closing| {
            let rest = words.strip_prefix(closing);
            rest.is_some_and(|rest| {
                !closing.ends_with(char::is_alphabetic) || !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            })
        })
    }

    fn defines(&self, line: usize) -> bool {
        let words = self.words(line);
        words.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| DEFINING.contains(&word))
    }

    /// The first line of comments and attributes directly above `head`.
    fn lead(&self, head: usize) -> usize {
        let attached = |line: usize| {
            let words = self.words(line);
            self.indent(line) >= self.indent(head)
                && ["//", "#", "--", ";", "%", "/*", "*", "@", "[", "(*", "{-", "'"]
                    .iter()
                    .any(|begin| words.starts_with(begin))
        };
        (0..head).rev().take_while(|&line| attached(line)).last().unwrap_or(head)
    }

    /// The last line of the block under `head`.
    fn tail(&self, head: usize) -> usize {
        let indent = self.indent(head);
        let mut last = head;
        for line in head + 1..self.count() {
            if self.is_blank(line) {
                continue;
            }
            let further = self.indent(line) > indent;
            let same = self.indent(line) == indent;
            let opener = same && self.words(line) == "{" && last == head;
            if further || opener || (same && self.closes(line)) {
                last = line;
            } else {
                break;
            }
        }
        last
    }

    /// Lines without a blank one between them.
    fn paragraph(&self, line: usize) -> (usize, usize) {
        let first = (0..line).rev().take_while(|&line| !self.is_blank(line)).last().unwrap_or(line);
        let last = (line + 1..self.count()).take_while(|&line| !self.is_blank(line)).last().unwrap_or(line);
        (first, last)
    }
}
