//! Where a file uses what is selected in it.

use super::definition::line_start;
use super::project::Source;
use super::search::last;
use crate::workspace::Span;
use crate::workspace::syntax::{Item, ItemKind};

/// A use of something, with the lines it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The function it is in; empty at the top of a file.
    pub within: String,
    /// Whole lines.
    pub span: Span,
}

/// So many places where a name is written are looked at.
const MAX_PLACES: usize = 200;

/// A call over more lines says more of what is passed than of what is called.
const MAX_LINES: usize = 8;

/// Names of the selection beyond these are not looked for.
const MAX_NAMES: usize = 4;

/// The uses of the functions and types that are selected, in the order of the file, outside of the selection.
pub fn callers(source: &Source, selection: &Span) -> Vec<Caller> {
    let within = |item: &Item| selection.start <= item.name_span.start && item.name_span.end <= selection.end;
    let has_callers = |item: &&Item| !matches!(item.kind, ItemKind::Constant | ItemKind::Module | ItemKind::Other);
    let outermost = |item: &&Item| within(item) && !item.parent.is_some_and(|parent| within(&source.items[parent]));
    let selected = source.items.iter().filter(outermost).filter(has_callers).take(MAX_NAMES);
    let mut out: Vec<Caller> = selected.flat_map(|item| uses(source, item, selection)).collect();
    out.sort_by_key(|caller| (caller.span.start, caller.span.end));
    // Two uses on the same lines are shown once.
    out.dedup_by(|next, before| next.span.start < before.span.end);
    out
}

fn uses(source: &Source, of: &Item, selection: &Span) -> Vec<Caller> {
    let text = source.text();
    let name = last(&of.name);
    if name.is_empty() {
        return Vec::new();
    }
    let is_function = matches!(of.kind, ItemKind::Function | ItemKind::Method);
    // Ruby and Lua call without parentheses too.
    let may_call = matches!(source.language.family(), "ruby" | "lua" | "shellscript");
    let declared: Vec<&Span> =
        source.items.iter().filter(|item| item.name.contains(name)).map(|item| &item.name_span).collect();
    let is_declared = |at, end| declared.iter().any(|span| span.start <= at && end <= span.end);
    let root = source.syntax.tree().root_node();
    let mut out = Vec::new();
    for (at, _) in text.match_indices(name).take(MAX_PLACES) {
        let end = at + name.len();
        if selection.start < end && at < selection.end {
            continue;
        }
        let behind = text[end..].trim_start_matches([' ', '\t']);
        let is_call = behind.starts_with(['(', '!']) || behind.starts_with("::<");
        // The tree is asked last: to find a place in it takes as long as the file has items.
        if (is_function && !is_call && !may_call) || is_declared(at, end) {
            continue;
        }
        let Some(leaf) = root.descendant_for_byte_range(at, end) else { continue };
        let is_name = leaf.byte_range() == (at..end) && leaf.child_count() == 0 && leaf.is_named();
        if !is_name || ["comment", "string", "content", "fragment"].iter().any(|part| leaf.kind().contains(part)) {
            continue;
        }
        let mut call = leaf;
        for _ in 0..4 {
            let Some(parent) = call.parent() else { break };
            let kind = parent.kind();
            let goes_on =
                ["call", "invocation", "creation", "new_expression", "member", "attribute", "selector", "scoped"];
            if !goes_on.iter().any(|part| kind.contains(part)) {
                break;
            }
            call = parent;
        }
        let span = line_start(text, first_of_line(text, call.start_byte()))..line_end(text, call.end_byte());
        if text[span.clone()].lines().count() > MAX_LINES || (span.start < selection.end && selection.start < span.end)
        {
            continue;
        }
        let inner = source.items.iter().rev().find(|item| {
            item.span.start <= at && end <= item.span.end && !matches!(item.kind, ItemKind::Constant | ItemKind::Other)
        });
        out.push(Caller { within: inner.map(|item| item.name.clone()).unwrap_or_default(), span });
    }
    out
}

fn first_of_line(text: &str, at: usize) -> usize {
    text[..at].rfind(['\n', '\r']).map_or(0, |before| before + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find(['\n', '\r']).map_or(text.len(), |after| at + after)
}
