//! The model: a document is characters that each have an identity, and a job is what it does to some of them. Nothing in
//! here compares texts, counts bytes or moves a range; where a character has gone is where the user has carried it.

use std::collections::HashMap;
use std::ops::Range;

/// A generator whose runs can be repeated from their seed.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound.max(1)
    }

    /// True once in `n` times.
    pub(super) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// A character of a document. Two never have the same id, however often a character is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) id: u32,
    pub(super) char: char,
    /// A line end of a job's, in a file that mixes them: any will do.
    any_end: bool,
}

/// Gives out identities.
#[derive(Default)]
pub(super) struct Ids(u32);

impl Ids {
    pub(super) fn cells(&mut self, text: &str) -> Vec<Cell> {
        text.chars().map(|char| self.cell(char)).collect()
    }

    fn cell(&mut self, char: char) -> Cell {
        self.0 += 1;
        Cell { id: self.0, char, any_end: false }
    }
}

pub(super) fn text_of(cells: &[Cell]) -> String {
    cells.iter().map(|cell| cell.char).collect()
}

/// The lines of some cells, each with its end, which may be `\n`, `\r\n` or `\r`.
pub(super) fn lines(cells: &[Cell]) -> Vec<Range<usize>> {
    let (mut out, mut start) = (Vec::new(), 0);
    for (at, cell) in cells.iter().enumerate() {
        let next = cells.get(at + 1).map(|cell| cell.char);
        if cell.char == '\n' || cell.char == '\r' && next != Some('\n') {
            out.push(start..at + 1);
            start = at + 1;
        }
    }
    if start < cells.len() {
        out.push(start..cells.len());
    }
    out
}

/// A line without its end.
pub(super) fn content(cells: &[Cell], line: &Range<usize>) -> Range<usize> {
    let mut end = line.end;
    while end > line.start && matches!(cells[end - 1].char, '\n' | '\r') {
        end -= 1;
    }
    line.start..end
}

/// One thing that a job does.
#[derive(Clone, Debug)]
enum Operation {
    /// Writes behind a character, which may be one that goes.
    Insert(u32, Vec<Cell>),
    Delete(Vec<u32>),
}

/// What a job does, by the identities of what it does it to.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    /// The selected characters, in order.
    selected: Vec<Cell>,
    operations: Vec<Operation>,
    /// Which lines of the selection it touches.
    touched: Vec<usize>,
    /// A line that goes to the file's imports.
    pub(super) import: Option<String>,
    /// A word that stands in everything the job writes.
    pub(super) mark: String,
    /// How many names it writes.
    count: usize,
}

/// How the lines of a language's functions are written: what may be inserted, and where code may be put.
pub(super) struct Shape<'a> {
    pub(super) end: &'a str,
    pub(super) mixed: bool,
    /// A statement around a name.
    pub(super) statement: [&'a str; 2],
    /// Whether any line may get a neighbour, or only what is indented.
    pub(super) plain: bool,
}

impl Work {
    /// Invents work on a selection; `None` when there is no word in it.
    pub(super) fn invent(
        selected: &[Cell],
        mark: String,
        shape: &Shape<'_>,
        ids: &mut Ids,
        random: &mut Random,
    ) -> Option<Self> {
        let mut work = Self { selected: selected.to_vec(), mark, ..Self::default() };
        let all = lines(selected);
        let blank = |line: &Range<usize>| text_of(&selected[line.clone()]).trim().is_empty();
        let indented = |line: &Range<usize>| matches!(selected[line.start].char, ' ' | '\t');
        let body = |line: &Range<usize>| !blank(line) && (shape.plain || indented(line) && line.start > 0);
        let mut count = 0;
        let mut deleted = false;
        for (index, line) in all.iter().enumerate().filter(|(_, line)| !blank(line)) {
            let content = content(selected, line);
            let inner = index > 0 && all.get(index + 1).is_some_and(|next| !blank(next)) && !blank(&all[index - 1]);
            match random.below(7) {
                0 | 1 => {
                    let Some(found) = word(&selected[content.clone()], random) else { continue };
                    let name_at = content.start + found.start..content.start + found.end;
                    count += 1;
                    let name = format!("{}x{count}", work.mark);
                    let last = selected[name_at.end - 1].id;
                    let words = text_of(&selected[content.clone()]).split_whitespace().count();
                    // A line of one word would be another line without it.
                    if words < 4 || random.once_in(2) {
                        work.operations.push(Operation::Insert(last, ids.cells(&format!("_{name}"))));
                    } else {
                        work.operations.push(Operation::Insert(last, ids.cells(&name)));
                        work.operations.push(Operation::Delete(selected[name_at].iter().map(|cell| cell.id).collect()));
                    }
                }
                2 if body(line) => {
                    count += 1;
                    let indentation: String =
                        text_of(&selected[content.clone()]).chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
                    let [before, after] = shape.statement;
                    let statement = ids.cells(&format!("{indentation}{before}{}x{count}{after}", work.mark));
                    let end: Vec<Cell> =
                        if shape.mixed { vec![Cell { any_end: true, ..ids.cell('\n') }] } else { ids.cells(shape.end) };
                    // Behind the last line it goes before that line's own end.
                    let (behind, cells) = if index + 1 < all.len() {
                        (line.end - 1, [statement, end].concat())
                    } else {
                        (content.end - 1, [end, statement].concat())
                    };
                    work.operations.push(Operation::Insert(selected[behind].id, cells));
                }
                3 if inner && body(line) && !deleted => {
                    deleted = true;
                    work.operations
                        .push(Operation::Delete(selected[line.clone()].iter().map(|cell| cell.id).collect()));
                }
                _ => continue,
            }
            work.touched.push(index);
        }
        work.count = count;
        (count > 0).then_some(work)
    }

    /// The names that it writes.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        (1..=self.count).map(|number| format!("{}x{number}", self.mark))
    }

    /// The selection as the job wants it.
    pub(super) fn wanted(&self) -> String {
        self.done(&self.selected, false).map(|cells| text_of(&cells)).unwrap_or_default()
    }

    /// The document after the job. An error says why it can't have been done. What was written behind the last line that
    /// was selected may stand before or, `below` it, behind a line that is added to the selection.
    pub(super) fn done(&self, cells: &[Cell], below: bool) -> Result<Vec<Cell>, String> {
        let mut out = cells.to_vec();
        for operation in &self.operations {
            match operation {
                Operation::Insert(behind, new) => {
                    // What stood before it, where that is gone.
                    let before = self.selected.iter().position(|cell| cell.id == *behind).unwrap_or(0);
                    let left = self.selected[..=before].iter().rev();
                    let found = left
                        .enumerate()
                        .find_map(|(back, left)| Some((back, out.iter().position(|cell| cell.id == left.id)?)));
                    let (back, mut at) = found.ok_or_else(|| format!("{} writes behind what is gone", self.mark))?;
                    let line_end = |cell: Option<&Cell>| cell.is_none_or(|cell| matches!(cell.char, '\n' | '\r'));
                    // A line of its own goes behind the whole line.
                    while (back > 0 || below) && line_end(new.first()) && !line_end(out.get(at + 1)) {
                        at += 1;
                    }
                    let behind = at + 1;
                    out.splice(behind..behind, new.iter().copied());
                }
                Operation::Delete(ids) => out.retain(|cell| !ids.contains(&cell.id)),
            }
        }
        Ok(out)
    }

    /// Where the selection begins and ends, if its edges are still there.
    pub(super) fn edges(&self, cells: &[Cell]) -> Vec<usize> {
        let at = |wanted: Option<&Cell>| cells.iter().position(|cell| Some(cell.id) == wanted.map(|wanted| wanted.id));
        let (first, last) = (at(self.selected.first()), at(self.selected.last()));
        first.into_iter().chain(last.map(|last| last + 1)).collect()
    }

    /// Whether what became of the selection is so close to what the job does that the two may be called a conflict.
    pub(super) fn disturbed(&self, cells: &[Cell]) -> bool {
        let places: HashMap<u32, usize> = self.selected.iter().enumerate().map(|(at, cell)| (cell.id, at)).collect();
        let here = |cell: &Cell| places.get(&cell.id).copied();
        let (Some(first), Some(last)) =
            (cells.iter().position(|cell| here(cell).is_some()), cells.iter().rposition(|cell| here(cell).is_some()))
        else {
            return true;
        };
        let all = lines(&self.selected);
        let line_of = |at: usize| all.iter().position(|line| line.contains(&at)).unwrap_or(0);
        let mut changed = vec![false; all.len()];
        let mut next = 0;
        for cell in &cells[first..=last] {
            if let Some(at) = here(cell) {
                if at < next {
                    return true;
                }
                (next..at).for_each(|gone| changed[line_of(gone)] = true);
                next = at + 1;
            } else {
                changed[line_of(next.saturating_sub(1))] = true;
                changed[line_of(next.min(self.selected.len() - 1))] = true;
            }
        }
        (next..self.selected.len()).for_each(|gone| changed[line_of(gone)] = true);
        // Where the first or the last character went, nobody can tell where the selection begins or ends.
        if changed[0] || changed.last() == Some(&true) {
            return true;
        }
        let telling = |line: &Range<usize>| {
            text_of(&self.selected[line.clone()]).chars().filter(|c| c.is_alphanumeric()).count() > 1
        };
        let between = |a: usize, b: usize| all[a.min(b)..a.max(b)].iter().skip(1).filter(|line| telling(line)).count();
        let changed: Vec<usize> = (0..all.len()).filter(|line| changed[*line]).collect();
        self.touched.iter().any(|mine| changed.iter().any(|line| between(*mine, *line) < 2))
    }
}

/// A word that a name can take the place of: a letter and digits.
fn word(cells: &[Cell], random: &mut Random) -> Option<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for at in 0..=cells.len() {
        let is_word = cells.get(at).is_some_and(|cell| cell.char.is_ascii_alphanumeric() || cell.char == '_');
        match (start, is_word) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let name = cells[from].char.is_ascii_alphabetic() && cells[at - 1].char.is_ascii_digit();
                // What touches a sign from outside of ASCII may be one word with it on the screen.
                let alone = |at: Option<&Cell>| at.is_none_or(|cell| cell.char.is_ascii());
                if name && alone(cells.get(at)) && alone(from.checked_sub(1).and_then(|before| cells.get(before))) {
                    words.push(from..at);
                }
                start = None;
            }
            _ => {}
        }
    }
    (!words.is_empty()).then(|| random.pick(&words))
}

/// The cells of a text that should be `cells`, where any line end stands for one that may be any; `None` if it is not.
pub(super) fn reconciled(cells: &[Cell], text: &str, ids: &mut Ids) -> Option<Vec<Cell>> {
    let mut out = Vec::with_capacity(cells.len());
    let mut rest = text;
    for cell in cells {
        let end = ["\r\n", "\n", "\r"].into_iter().find(|end| cell.any_end && rest.starts_with(end));
        if let Some(end) = end {
            out.extend(ids.cells(end));
            rest = &rest[end.len()..];
        } else {
            rest = rest.strip_prefix(cell.char)?;
            out.push(*cell);
        }
    }
    rest.is_empty().then_some(out)
}

/// As [`reconciled`], of a document that has got a line of imports besides, with blank lines around it at most.
pub(super) fn reconciled_with(cells: &[Cell], import: &str, text: &str, ids: &mut Ids) -> Option<Vec<Cell>> {
    let all = ids.cells(text);
    let all_lines = lines(&all);
    let at = all_lines.iter().position(|line| text_of(&all[content(&all, line)]) == import)?;
    let blank = |line: &Range<usize>| content(&all, line).is_empty();
    let before = all_lines[..at].iter().rev().take_while(|line| blank(line)).count();
    let after = all_lines[at + 1..].iter().take_while(|line| blank(line)).count();
    for up in 0..=before.min(2) {
        for down in 0..=after.min(2) {
            let added = all_lines[at - up].start..all_lines[at + down].end;
            let without: String = all[..added.start].iter().chain(&all[added.end..]).map(|cell| cell.char).collect();
            if let Some(mut cells) = reconciled(cells, &without, ids) {
                // Where it went is known by the number of characters before it.
                cells.splice(added.start..added.start, all[added].iter().copied());
                return Some(cells);
            }
        }
    }
    None
}
