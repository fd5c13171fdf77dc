//! What changed since a text was sent: whole items as they are now, by the lines that they replace.
//!
//! A statement names lines of the text that was sent and gives what stands there now. Line numbers never move, so what was
//! stated once stays true, byte for byte, until the same lines change again; then a later statement that covers all of the
//! earlier one's lines takes its place.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use similar::{Algorithm, DiffOp};

use super::document::line_spans;
use super::tags;
use crate::workspace::difference::of_numbers;
use crate::workspace::syntax::Syntax;
use crate::workspace::{Language, Span};

/// Items with more lines are not sent whole for a small change in them.
const MOST_ITEM_LINES: usize = 80;

/// How many lines around a change are sent where no item does it.
const AROUND: usize = 2;

/// The part of its lines from which on a text is sent anew instead.
pub(super) const MOST_CHANGED: f64 = 0.15;

/// A text that was sent, prepared for being compared with later ones.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) text: Arc<str>,
    language: &'static Language,
    /// Its lines, cut at the first comparison.
    index: OnceLock<Index>,
    /// Its items that are worth sending whole, found at the first change.
    items: OnceLock<Vec<Item>>,
}

#[derive(Debug)]
struct Index {
    lines: Vec<Span>,
    keys: Vec<u64>,
}

#[derive(Clone, Debug)]
struct Item {
    lines: Range<usize>,
    name: String,
}

/// What stands in place of some lines of the base; an empty range is a place between two lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) lines: Range<usize>,
    pub(super) text: String,
    /// Whether the text is that of the selection, and not repeated.
    pub(super) is_selection: bool,
    name: String,
}

/// A text that later ones are compared with, for those who want to know what would be sent of them.
#[derive(Debug)]
pub struct Comparison(Base);

impl Comparison {
    /// Later texts are compared with `text`.
    pub fn new(text: &str, language: &'static Language) -> Self {
        Self(Base::new(text.into(), language))
    }

    /// What would be stated of a later text, block by block, but for what the selection says anyway; `None` if it would be
    /// sent anew.
    pub fn changes(&self, text: &str, selection: &Span) -> Option<Vec<String>> {
        let spans = line_spans(text);
        let difference = self.0.difference(text, &spans)?;
        let selected = selected_lines(text, &spans, selection);
        let statements = self.0.statements(&difference, &[], text, &spans, selected.as_ref());
        Some(statements.iter().filter(|statement| !statement.is_selection).map(Statement::block).collect())
    }
}

/// The difference of a text from its base.
#[derive(Debug)]
pub(super) struct Difference {
    hunks: Vec<Hunk>,
}

#[derive(Clone, Debug)]
struct Hunk {
    old: Range<usize>,
    new: Range<usize>,
}

/// Lines of the base, and the changes in them.
#[derive(Clone, Debug)]
struct Region {
    lines: Range<usize>,
    name: String,
    hunks: Range<usize>,
}

/// All else follows from these.
impl PartialEq for Base {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.language.id == other.language.id
    }
}

impl Base {
    pub(super) fn new(text: Arc<str>, language: &'static Language) -> Self {
        Self { text, language, index: OnceLock::new(), items: OnceLock::new() }
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let lines = line_spans(&self.text);
            let keys = lines.iter().map(|line| key(&self.text[line.clone()])).collect();
            Index { lines, keys }
        })
    }

    fn lines(&self) -> &[Span] {
        &self.index().lines
    }

    /// How `text` differs; `None` if so much of it does that it has to be sent anew.
    pub(super) fn difference(&self, text: &str, spans: &[Span]) -> Option<Difference> {
        let keys: Vec<u64> = spans.iter().map(|line| key(&text[line.clone()])).collect();
        let own = &self.index().keys;
        let most = MOST_CHANGED * count(own.len());
        let front = own.iter().zip(&keys).take_while(|(old, new)| old == new).count();
        let (old, new) = (&own[front..], &keys[front..]);
        let back = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
        let (old, new) = (&old[..old.len() - back], &new[..new.len() - back]);
        if count(replaced(old, new)) > most {
            return None;
        }
        let mut hunks: Vec<Hunk> = Vec::new();
        for op in of_numbers(Algorithm::Histogram, old, new, None) {
            if matches!(op, DiffOp::Equal { .. }) {
                continue;
            }
            let at = |range: Range<usize>| range.start + front..range.end + front;
            let (old, new) = (at(op.old_range()), at(op.new_range()));
            match hunks.last_mut() {
                Some(last) if last.old.end == old.start && last.new.end == new.start => {
                    last.old.end = old.end;
                    last.new.end = new.end;
                }
                _ => hunks.push(Hunk { old, new }),
            }
        }
        let changed: usize = hunks.iter().map(|hunk| hunk.old.len().max(hunk.new.len())).sum();
        let share = count(changed) / count(own.len().max(1));
        (share <= MOST_CHANGED).then_some(Difference { hunks })
    }

    /// What has to be stated behind what was `stated` already, so that all together give `text`, whose lines are `spans`.
    /// Empty if nothing has to. `selected` are the lines of the selection, if it is whole lines.
    pub(super) fn statements(
        &self,
        difference: &Difference,
        stated: &[Statement],
        text: &str,
        spans: &[Span],
        selected: Option<&Range<usize>>,
    ) -> Vec<Statement> {
        let holding = holding(stated);
        let mut regions = self.regions(difference);
        // What was stated belongs to the same piece as what changed in its lines.
        regions.extend(holding.iter().map(|statement| Region {
            lines: statement.lines.clone(),
            name: statement.name.clone(),
            hunks: 0..0,
        }));
        let mut statements = Vec::new();
        let mut moved = 0_isize;
        for region in merged(regions) {
            let hunks = &difference.hunks[region.hunks];
            let grown: isize = hunks.iter().map(|hunk| length(&hunk.new) - length(&hunk.old)).sum();
            let now = shifted(region.lines.start, moved)..shifted(region.lines.end, moved + grown);
            moved += grown;
            let content = slice(text, spans, &now);
            let known = holding.iter().any(|known| known.lines == region.lines && known.text == content);
            if known {
                continue;
            }
            let is_selection = selected == Some(&now) && !now.is_empty();
            statements.push(Statement {
                lines: region.lines,
                text: content.to_owned(),
                is_selection,
                name: region.name,
            });
        }
        statements
    }

    /// The text that the statements make of the base.
    pub(super) fn with(&self, statements: &[Statement]) -> String {
        let mut holding = holding(statements);
        holding.sort_by_key(|statement| (statement.lines.start, statement.lines.end));
        let mut text = String::with_capacity(self.text.len());
        let mut next = 0;
        for statement in holding {
            text.push_str(slice(&self.text, self.lines(), &(next..statement.lines.start)));
            text.push_str(&statement.text);
            next = statement.lines.end;
        }
        text.push_str(slice(&self.text, self.lines(), &(next..self.lines().len())));
        text
    }

    /// The pieces of the base that changed: the smallest item around a change, else some lines around it.
    fn regions(&self, difference: &Difference) -> Vec<Region> {
        let items = self.items.get_or_init(|| items(self.language, &self.text, self.lines()));
        let regions = difference.hunks.iter().enumerate().map(|(index, Hunk { old, new: _ })| {
            let around = items.iter().filter(|item| item.lines.start <= old.start && old.end <= item.lines.end);
            let around = around.filter(|item| !old.is_empty() || item.lines.start < old.start);
            // What comes directly behind an item may be its new end or the next item; both read well.
            let around = around.filter(|item| !old.is_empty() || old.end < item.lines.end);
            let hunks = index..index + 1;
            if let Some(item) = around.min_by_key(|item| item.lines.len()) {
                return Region { lines: item.lines.clone(), name: item.name.clone(), hunks };
            }
            // Items that a change touches only in part belong to it as a whole.
            let touched = |lines: &Range<usize>| {
                items.iter().find(|item| overlap(&item.lines, lines) && !covers(lines, &item.lines))
            };
            let mut lines = old.clone();
            if items.is_empty() {
                lines = old.start.saturating_sub(AROUND)..(old.end + AROUND).min(self.lines().len());
            }
            while let Some(item) = touched(&lines) {
                lines = lines.start.min(item.lines.start)..lines.end.max(item.lines.end);
            }
            let named: Vec<&str> = items
                .iter()
                .filter(|item| covers(&lines, &item.lines))
                .map(|item| item.name.as_str())
                .take(3)
                .collect();
            Region { lines, name: named.join(", "), hunks }
        });
        regions.collect()
    }
}

impl Statement {
    /// The statement as the model sees it.
    pub(super) fn block(&self) -> String {
        let place = if self.lines.is_empty() {
            ("after", self.lines.start.to_string())
        } else {
            ("lines", format!("{}-{}", self.lines.start + 1, self.lines.end))
        };
        let mut attributes = vec![(place.0, place.1.as_str())];
        if !self.name.is_empty() {
            attributes.push(("item", &self.name));
        }
        if self.is_selection {
            attributes.push(("now", "selection"));
            tags::empty("change", &attributes)
        } else if self.text.is_empty() {
            attributes.push(("now", "deleted"));
            tags::empty("change", &attributes)
        } else {
            tags::wrap("change", &attributes, &self.text)
        }
    }
}

/// The lines of a selection of whole lines; the last line's end may be missing.
pub(super) fn selected_lines(text: &str, spans: &[Span], selection: &Span) -> Option<Range<usize>> {
    let first = spans.iter().position(|line| line.start == selection.start)?;
    let last = first + spans[first..].iter().position(|line| line.end >= selection.end)?;
    let missing = &text[selection.end..spans[last].end];
    (!selection.is_empty() && matches!(missing, "" | "\n" | "\r\n")).then_some(first..last + 1)
}

/// Statements as one block.
pub(super) fn block(statements: &[Statement]) -> String {
    statements.iter().map(Statement::block).collect::<Vec<_>>().join("\n")
}

/// The statements of a block that [`block`] made, where `selection` was selected; `None` for any other text.
pub(super) fn parse(text: &str, selection: Option<&str>) -> Option<Vec<Statement>> {
    let mut statements = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (head, _) = rest.split_once('>').filter(|(head, _)| head.starts_with("<change"))?;
        let end = if head.ends_with('/') {
            head.len() + 1
        } else {
            let close = format!("\n</{}>", head[1..].split(' ').next()?);
            rest.find(&close)? + close.len()
        };
        let (attributes, content) = tags::unwrap("change", &rest[..end])?;
        let value = |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let lines = match (value("lines"), value("after")) {
            (Some(lines), _) => {
                let (first, last) = lines.split_once('-')?;
                first.parse::<usize>().ok()?.checked_sub(1)?..last.parse().ok()?
            }
            (None, after) => {
                let after = after?.parse().ok()?;
                after..after
            }
        };
        let is_selection = value("now") == Some("selection");
        let text = if is_selection { selection? } else { content };
        let name = value("item").unwrap_or_default().to_owned();
        statements.push(Statement { lines, text: text.to_owned(), is_selection, name });
        rest = rest[end..].strip_prefix('\n').unwrap_or(&rest[end..]);
    }
    (!statements.is_empty()).then_some(statements)
}

/// The statements that hold: a later one takes the place of those whose lines it touches.
pub(super) fn holding(statements: &[Statement]) -> Vec<&Statement> {
    let mut holding: Vec<&Statement> = Vec::new();
    for statement in statements {
        holding.retain(|earlier| !overlap(&earlier.lines, &statement.lines));
        holding.push(statement);
    }
    holding
}

/// Regions that touch the same lines become one, in the order of the text.
fn merged(mut regions: Vec<Region>) -> Vec<Region> {
    regions.sort_by_key(|region| (region.lines.start, region.lines.end));
    let mut merged: Vec<Region> = Vec::with_capacity(regions.len());
    for mut region in regions {
        // A place inside sorts behind the lines around it, so it is enough to look back.
        while let Some(last) = merged.pop_if(|last| overlap(&last.lines, &region.lines)) {
            let hunks = if region.hunks.is_empty() {
                last.hunks.clone()
            } else if last.hunks.is_empty() {
                region.hunks.clone()
            } else {
                last.hunks.start.min(region.hunks.start)..last.hunks.end.max(region.hunks.end)
            };
            let name = if covers(&last.lines, &region.lines) && !last.name.is_empty() {
                last.name
            } else if region.name.is_empty() || covers(&region.lines, &last.lines) {
                region.name
            } else {
                String::new()
            };
            let lines = last.lines.start.min(region.lines.start)..last.lines.end.max(region.lines.end);
            region = Region { lines, name, hunks };
        }
        merged.push(region);
    }
    merged
}

/// Whether two ranges share a line; a place between two lines is shared by ranges with lines on both sides of it, and by
/// the same place.
fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    if a.is_empty() && b.is_empty() { a.start == b.start } else { a.start < b.end && b.start < a.end }
}

fn covers(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start <= b.start && b.end <= a.end
}

#[expect(clippy::cast_precision_loss, reason = "lines are far fewer than 2^52")]
fn count(lines: usize) -> f64 {
    lines as f64
}

fn length(range: &Range<usize>) -> isize {
    isize::try_from(range.len()).unwrap_or(isize::MAX)
}

fn shifted(line: usize, by: isize) -> usize {
    line.saturating_add_signed(by)
}

fn slice<'a>(text: &'a str, lines: &[Span], range: &Range<usize>) -> &'a str {
    if range.is_empty() {
        return "";
    }
    &text[lines[range.start].start..lines[range.end - 1].end]
}

fn key(line: &str) -> u64 {
    // The standard hasher has fixed keys, so equal texts are treated equally in every process.
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

/// At least so many lines were replaced: those of either side that the other does not have.
fn replaced(old: &[u64], new: &[u64]) -> usize {
    let mut counts: HashMap<u64, isize> = HashMap::with_capacity(old.len());
    for key in old {
        *counts.entry(*key).or_default() += 1;
    }
    for key in new {
        *counts.entry(*key).or_default() -= 1;
    }
    let gone: isize = counts.values().filter(|count| **count > 0).sum();
    let come: isize = -counts.values().filter(|count| **count < 0).sum::<isize>();
    gone.max(come).unsigned_abs()
}

/// The items of a text by their lines, but for those too long to be sent whole.
fn items(language: &'static Language, text: &str, lines: &[Span]) -> Vec<Item> {
    let Some(syntax) = Syntax::parse(language, text) else { return Vec::new() };
    let line_of = |offset: usize| lines.partition_point(|line| line.end <= offset).min(lines.len() - 1);
    syntax
        .items()
        .iter()
        .filter(|item| !item.span.is_empty())
        .map(|item| Item {
            lines: line_of(item.span.start)..line_of(item.span.end - 1) + 1,
            name: item.name.lines().next().unwrap_or_default().to_owned(),
        })
        .filter(|item| item.lines.len() <= MOST_ITEM_LINES)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::workspace::language::by_id;

    fn base(text: &str, language: &str) -> Base {
        Base::new(text.into(), by_id(language))
    }

    fn changes(before: &str, after: &str, language: &str) -> Vec<String> {
        let base = base(before, language);
        let spans = line_spans(after);
        let difference = base.difference(after, &spans).expect("a small change");
        base.statements(&difference, &[], after, &spans, None).iter().map(Statement::block).collect()
    }

    const CODE: &str = "import json\nimport os\n\nLIMIT = 3\n\n\ndef load(path):\n    with open(path) as file:\n        return json.load(file)\n\n\ndef total(items):\n    return sum(items)\n\n\ndef last():\n    pass\n\n\ndef never(x):\n    y = x\n    return y\n";

    #[test]
    fn a_changed_item_is_stated_whole() {
        let after = CODE.replace("sum(items)", "sum(items) + 1");
        assert_eq!(
            changes(CODE, &after, "python"),
            ["<change lines=\"12-13\" item=\"total\">\ndef total(items):\n    return sum(items) + 1\n\n</change>"]
        );
    }

    #[test]
    fn new_and_deleted_items_have_their_places() {
        let code = format!("{CODE}\n\n{}", "other = 1\n".repeat(20));
        let new = code.replace("\n\ndef last", "\n\ndef first():\n    pass\n\n\ndef last");
        assert_eq!(changes(&code, &new, "python"), ["<change after=\"15\">\ndef first():\n    pass\n\n\n\n</change>"]);
        let without = code.replace("def last():\n    pass\n\n\n", "");
        assert_eq!(changes(&code, &without, "python"), ["<change lines=\"16-19\" item=\"last\" now=\"deleted\"/>"]);
    }

    #[test]
    fn without_a_grammar_there_are_some_lines_around() {
        let text = (1..30).fold(String::new(), |text, line| text + &format!("line {line}\n"));
        let after = text.replace("line 9\n", "line nine\n");
        assert_eq!(
            changes(&text, &after, "plaintext"),
            ["<change lines=\"7-11\">\nline 7\nline 8\nline nine\nline 10\nline 11\n\n</change>"]
        );
    }

    #[test]
    fn a_text_that_changed_much_is_to_be_sent_anew() {
        let text = (1..100).fold(String::new(), |text, line| text + &format!("line {line}\n"));
        let base = base(&text, "plaintext");
        let changed = |count: usize| {
            let after = (1..100).fold(String::new(), |text, line| {
                text + &if line <= count { format!("new {line}\n") } else { format!("line {line}\n") }
            });
            base.difference(&after, &line_spans(&after)).map(|difference| difference.hunks.len())
        };
        assert_eq!(changed(14), Some(1));
        assert!(changed(15).is_none() && changed(99).is_none());
    }

    fn edited(text: &str, edits: &[(prop::sample::Index, usize, String)]) -> String {
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        for (at, remove, insert) in edits {
            let at = at.index(lines.len() + 1);
            let end = (at + remove).min(lines.len());
            lines.splice(at..end, insert.split_inclusive('\n').map(str::to_owned));
        }
        lines.concat()
    }

    proptest! {
        #[test]
        fn all_that_was_stated_gives_the_text(
            language in prop::sample::select(vec!["python", "plaintext", "rust"]),
            rounds in prop::collection::vec(
                prop::collection::vec(
                    (any::<prop::sample::Index>(), 0_usize..4, "(def [a-z]{1,3}\\(\\):\n    pass\n|    x = [0-9]\r?\n|\n|fn f\\(\\) \\{\\}\n|x){0,3}"),
                    0..3),
                1..8),
        ) {
            let start = CODE.repeat(3);
            let base = base(&start, language);
            let (mut text, mut stated) = (start.clone(), Vec::new());
            for edits in rounds {
                text = edited(&text, &edits);
                let spans = line_spans(&text);
                let Some(difference) = base.difference(&text, &spans) else { break };
                let more = base.statements(&difference, &stated, &text, &spans, None);
                // Whatever is stated anew covers what it replaces, so that no half of a statement holds.
                for new in &more {
                    prop_assert!(stated.iter().all(|old: &Statement| !overlap(&old.lines, &new.lines) || covers(&new.lines, &old.lines)
                        || !holding(&stated).contains(&old)));
                }
                stated.extend(more);
                prop_assert_eq!(&base.with(&stated), &text);
                // Nothing is stated twice.
                prop_assert!(base.statements(&difference, &stated, &text, &spans, None).is_empty());
            }
        }
    }
}
