//! Edits of a document: the replacement of a selection, with everything kept that was not asked to change.

use std::borrow::Cow;

use similar::DiffOp;

use super::answer::{BadAnswer, EditAnswer};
use super::fit::fit;
use super::hunks::{alike, diff, hunks};
use super::imports::{foreign, merge_into};
use super::indent::{rebased, same_width};
use super::lines::{Line, dominant_line_end, indentation, line_start, lines};
use super::merge::merge;
use crate::workspace::syntax::Parsed;
use crate::workspace::{Language, Span};

/// One replacement in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// The bytes replaced, on character boundaries; empty for an insertion.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// `text` with `edits`, which are sorted and disjoint, as all functions of this room return them.
pub fn apply(text: &str, edits: &[TextEdit]) -> String {
    let mut out = String::with_capacity(text.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>());
    let mut at = 0;
    for edit in edits {
        out.push_str(&text[at..edit.span.start]);
        out.push_str(&edit.text);
        at = edit.span.end;
    }
    out.push_str(&text[at..]);
    out
}

/// The small edits that make `new` of `old`.
pub fn difference(old: &str, new: &str) -> Vec<TextEdit> {
    hunks(old, new, 0)
}

/// The same edits in whole lines, for editors that are not known to count the characters of a line as agreed.
pub fn whole_lines(text: &str, edits: &[TextEdit]) -> Vec<TextEdit> {
    let mut groups: Vec<(Span, Span)> = Vec::new();
    for (index, edit) in edits.iter().enumerate() {
        let start = text[..edit.span.start].rfind('\n').map_or(0, |newline| newline + 1);
        let lines = start..line_border(text, edit.span.end);
        match groups.last_mut() {
            Some((together, members)) if lines.start < together.end => {
                together.end = together.end.max(lines.end);
                members.end = index + 1;
            }
            _ => groups.push((lines, index..index + 1)),
        }
    }
    let whole = groups.into_iter().map(|(lines, members)| {
        let mut out = String::new();
        let mut at = lines.start;
        for edit in &edits[members] {
            out.push_str(&text[at..edit.span.start]);
            out.push_str(&edit.text);
            at = edit.span.end;
        }
        out.push_str(&text[at..lines.end]);
        TextEdit { span: lines, text: out }
    });
    whole.collect()
}

/// The first place at an offset or behind it where a line begins, or the end of the text.
fn line_border(text: &str, offset: usize) -> usize {
    if offset == 0 || text[..offset].ends_with('\n') {
        return offset;
    }
    text[offset..].find('\n').map_or(text.len(), |newline| offset + newline + 1)
}

/// All edits of an answer to an action that edits: the replacement, cleaned of what the model repeated around it, and
/// the imports it needs. Empty when nothing is to change.
///
/// # Errors
/// When the answer is for more of the file than the selection and cannot be cut to it.
pub fn plan(
    document: &str,
    selection: Span,
    language: &Language,
    answer: &EditAnswer,
) -> Result<Vec<TextEdit>, BadAnswer> {
    plan_in(&Parsed::new(language, document), selection, answer)
}

/// [`plan`] for a document that may have been parsed already; then it takes a fraction of the time.
///
/// # Errors
/// As for [`plan`].
pub fn plan_in(document: &Parsed<'_>, selection: Span, answer: &EditAnswer) -> Result<Vec<TextEdit>, BadAnswer> {
    let replacement = fit(document.text(), selection.clone(), &answer.replacement)?;
    let edits = replace_selection(document.text(), selection, document.language(), &replacement);
    with_imports(document, edits, answer)
}

/// The document after edits; only what changed is parsed, if it was parsed before.
pub fn parsed_after<'a>(document: &Parsed<'a>, edits: &[TextEdit], after: &'a str) -> Parsed<'a> {
    document.after(edits.iter().map(|edit| (edit.span.clone(), edit.text.len())), after)
}

/// A text and a selection in it.
#[derive(Clone, Debug)]
pub struct Selected<'a> {
    /// The whole text.
    pub text: &'a str,
    /// The selected bytes.
    pub span: Span,
}

impl<'a> Selected<'a> {
    /// The selected text.
    pub fn selection(&self) -> &'a str {
        &self.text[self.span.clone()]
    }

    /// What stands in front of it in its first line.
    fn in_front(&self) -> &'a str {
        &self.text[line_start(self.text, self.span.start)..self.span.start]
    }
}

/// All edits of an answer to `original` that leave standing what the user changed in the selection since, as it is `now`.
/// `None` when both changed the same thing: then there is a conflict. `parsed` is the text `now`.
///
/// # Errors
/// As for [`plan`].
pub fn plan_merged(
    original: &Selected<'_>,
    now: &Selected<'_>,
    parsed: &Parsed<'_>,
    answer: &EditAnswer,
) -> Result<Option<Vec<TextEdit>>, BadAnswer> {
    // What was typed in front of the selection is no indentation that the answer was asked for, and hides the one it was.
    if now.selection() == original.selection() && now.in_front() == original.in_front() {
        return plan_in(parsed, now.span.clone(), answer).map(Some);
    }
    let language = parsed.language();
    let replacement = fit(original.text, original.span.clone(), &answer.replacement)?;
    let edits = replace_selection(original.text, original.span.clone(), language, &replacement);
    let answered = apply(original.text, &edits);
    let behind = original.text.len() - original.span.end;
    let answered = &answered[original.span.start..answered.len() - behind];
    let Some(merged) = merge(original.selection(), answered, now.selection()) else { return Ok(None) };
    let edits = hunks(now.selection(), &merged, now.span.start);
    with_imports(parsed, edits, answer).map(Some)
}

/// The edits, and with them the imports that the answer needs.
fn with_imports(document: &Parsed<'_>, edits: Vec<TextEdit>, answer: &EditAnswer) -> Result<Vec<TextEdit>, BadAnswer> {
    if answer.imports.is_empty() {
        return Ok(edits);
    }
    // They land outside of the selection.
    if let Some(line) = foreign(document.language(), &answer.imports) {
        let line: String = line.chars().take(80).collect();
        return Err(BadAnswer::new(format!("The block of imports has a line that is no import: `{line}`.")));
    }
    let edited = apply(document.text(), &edits);
    let imports = merge_into(document.language(), &edited, &answer.imports, || parsed_after(document, &edits, &edited));
    Ok(compose(&edited, edits, &imports))
}

/// The edits that put `replacement` in the place of the bytes `selection` of `document`.
///
/// The selection's indentation (tabs or spaces), line ends, blank lines around and final line break stay as they are,
/// however the replacement has them. Nothing outside the selection is touched, nor any line in it that stays the same.
/// The selection may be whole lines, with or without the last one's line break, or begin and end anywhere. An empty
/// result says that nothing is to change.
pub fn replace_selection(document: &str, selection: Span, language: &Language, replacement: &str) -> Vec<TextEdit> {
    let core = core(document, &selection);
    let old = &document[core.clone()];
    let replacement = trimmed_lines(replacement);
    if replacement.is_empty() {
        return removal(document, selection, core);
    }

    let start = line_start(document, core.start);
    let base = indentation(&document[start..core.start]);
    let new_lines = rebased(&replacement, old, base, language, document);
    let line_end = dominant_line_end(&document[selection]).or_else(|| dominant_line_end(document)).unwrap_or("\n");
    let new = settled(old, &new_lines, line_end);
    hunks(old, &new, core.start)
}

/// The part of the selection that is code: without white space around it.
fn core(document: &str, selection: &Span) -> Span {
    let selected = &document[selection.clone()];
    let code = selected.trim_matches([' ', '\t', '\n', '\r']);
    if code.is_empty() {
        // Nothing but white space: the answer stands behind the first line's indentation.
        let at = selection.start + indentation(selected).len();
        return at..at;
    }
    let start = selection.start + (selected.len() - selected.trim_start_matches([' ', '\t', '\n', '\r']).len());
    let end = start + code.len();
    // Blanks behind the last line belong to it, as those behind the others do.
    let blanks = blanks_before(&document[end..selection.end]);
    let ends = document[end + blanks..].chars().next().is_none_or(|next| matches!(next, '\n' | '\r'));
    start..if ends { end + blanks } else { end }
}

/// How many bytes of blanks a text begins with.
fn blanks_before(rest: &str) -> usize {
    rest.len() - rest.trim_start_matches([' ', '\t']).len()
}

/// The edit that leaves nothing of the selection: whole lines go with their line breaks.
fn removal(document: &str, selection: Span, core: Span) -> Vec<TextEdit> {
    let whole_lines = line_start(document, selection.start) == selection.start
        && (selection.end == document.len() || line_start(document, selection.end) == selection.end);
    let span = if whole_lines { selection } else { core };
    if span.is_empty() { Vec::new() } else { vec![TextEdit { span, text: String::new() }] }
}

/// The lines of a replacement without blank ones at its ends.
fn trimmed_lines(replacement: &str) -> Vec<&str> {
    let all: Vec<Line<'_>> = lines(replacement).collect();
    let Some(first) = all.iter().position(|line| !line.is_blank()) else { return Vec::new() };
    let last = all.iter().rposition(|line| !line.is_blank()).unwrap_or(first);
    let mut kept: Vec<&str> = all[first..=last].iter().map(|line| line.content).collect();
    if let Some(last) = kept.last_mut() {
        *last = last.trim_end_matches([' ', '\t']);
    }
    kept
}

/// The new text from lines: one that says the same as an old one is that old one, with its white space and its line
/// end; a changed one keeps the line end of the one it replaces.
fn settled(old: &str, new_lines: &[String], line_end: &str) -> String {
    let old_lines: Vec<Line<'_>> = lines(old).collect();
    let old_keys: Vec<&str> = old_lines.iter().map(|line| line.content.trim()).collect();
    let new_keys: Vec<&str> = new_lines.iter().map(|line| line.trim()).collect();
    let mut contents: Vec<Cow<'_, str>> = new_lines.iter().map(|line| Cow::Borrowed(line.as_str())).collect();
    let mut ends: Vec<&str> = vec![line_end; new_lines.len()];
    let mut last_of_last = false;
    for op in diff(&old_keys, &new_keys) {
        let same = matches!(op, DiffOp::Equal { .. });
        for (old, new) in counterparts(&op, &old_keys, &new_keys) {
            let line = &old_lines[old];
            if same && (line.is_blank() || same_width(indentation(line.content), indentation(&contents[new]))) {
                contents[new] = Cow::Borrowed(line.content);
            }
            if !line.end.is_empty() {
                ends[new] = line.end;
            }
            last_of_last |= old + 1 == old_lines.len() && new + 1 == new_lines.len();
        }
    }
    if let Some(last) = ends.last_mut() {
        *last = "";
    }
    // The end of the last line was cut off from the answer; one that was changed keeps it.
    if let (Some(old), Some(new), true) = (old_lines.last(), contents.last_mut(), last_of_last) {
        let blanks = &old.content[old.content.trim_end_matches([' ', '\t']).len()..];
        *new = Cow::Owned(format!("{}{blanks}", new.trim_end_matches([' ', '\t'])));
    }
    contents.iter().zip(ends).flat_map(|(content, end)| [content.as_ref(), end]).collect()
}

/// The lines that came of each other: equal ones, changed ones, and where as many came as went, those in the same place.
fn counterparts(op: &DiffOp, old_keys: &[&str], new_keys: &[&str]) -> Vec<(usize, usize)> {
    let (old_range, new_range) = (op.old_range(), op.new_range());
    if matches!(op, DiffOp::Equal { .. }) {
        return old_range.zip(new_range).collect();
    }
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let mut from = old_range.start;
    for new in new_range.clone() {
        if let Some(old) = (from..old_range.end).find(|old| alike(old_keys[*old], new_keys[new])) {
            pairs.push((old, new));
            from = old + 1;
        }
    }
    if pairs.is_empty() && old_range.len() == new_range.len() {
        return old_range.zip(new_range).collect();
    }
    pairs
}

/// The edits that do what `first` and then `second` do, where `second` is for `edited`, the text after `first`.
fn compose(edited: &str, first: Vec<TextEdit>, second: &[TextEdit]) -> Vec<TextEdit> {
    /// A stretch of the original that changed, where it stands in `edited`, and how the latter part changes.
    struct Stretch {
        old: Span,
        edited: Span,
        changes: Vec<TextEdit>,
    }
    let mut shift = 0_isize;
    let mut stretches: Vec<Stretch> = Vec::new();
    for edit in first {
        let start = edit.span.start.saturating_add_signed(shift);
        shift += edit.text.len().cast_signed() - edit.span.len().cast_signed();
        stretches.push(Stretch { old: edit.span, edited: start..start + edit.text.len(), changes: Vec::new() });
    }
    for edit in second {
        // What touches a stretch becomes part of it, and stretches that meet so become one.
        let from = stretches.partition_point(|stretch| stretch.edited.end < edit.span.start);
        let to = stretches.partition_point(|stretch| stretch.edited.start <= edit.span.end).max(from);
        let before = from.checked_sub(1).and_then(|index| stretches.get(index));
        let offset = before.map_or(0, |stretch| stretch.old.end.cast_signed() - stretch.edited.end.cast_signed());
        let mut merged = Stretch {
            old: edit.span.start.saturating_add_signed(offset)..edit.span.end.saturating_add_signed(offset),
            edited: edit.span.clone(),
            changes: Vec::new(),
        };
        if let (Some(first), Some(last)) = (stretches[from..to].first(), stretches[from..to].last()) {
            let lead = first.edited.start.saturating_sub(edit.span.start);
            let tail = edit.span.end.saturating_sub(last.edited.end);
            merged.old = first.old.start - lead..last.old.end + tail;
            merged.edited = first.edited.start - lead..last.edited.end + tail;
        }
        merged.changes = stretches.drain(from..to).flat_map(|stretch| stretch.changes).collect();
        merged.changes.push(edit.clone());
        stretches.insert(from, merged);
    }
    stretches
        .into_iter()
        .map(|stretch| {
            let start = stretch.edited.start;
            let changes: Vec<TextEdit> = stretch
                .changes
                .into_iter()
                .map(|edit| TextEdit { span: edit.span.start - start..edit.span.end - start, text: edit.text })
                .collect();
            TextEdit { span: stretch.old, text: apply(&edited[stretch.edited], &changes) }
        })
        .collect()
}

#[cfg(test)]
mod tests;
