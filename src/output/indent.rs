//! Indentation: an answer's lines moved to where the selection stands, in the document's tabs or spaces.
//!
//! Models give back a selection as it was, moved to column zero, or with only its first line moved. Which of these it
//! was is decided by trying: the reading that makes most lines equal to lines of the selection is right.

use std::collections::HashSet;
use std::ops::Range;

use super::lines::{indentation, lines};
use super::tree::multi_line_strings;
use crate::workspace::Language;

/// The lines of `replacement` as they stand in the document, the first without its indentation.
///
/// `old` is the selected code without white space around it, and `base` the indentation of its first line. Neither
/// `replacement` is empty, nor blank its first line.
pub(crate) fn rebased(replacement: &[&str], old: &str, base: &str, language: &Language, document: &str) -> Vec<String> {
    let style = Style::of(old, document);
    let candidates = respelled(replacement, style).iter().flat_map(|lines| readings(lines, base)).collect::<Vec<_>>();
    if let [only] = candidates.as_slice()
        && only.leaves(replacement)
    {
        // Nothing to choose from and nothing to move: no need to know where strings are.
        return without_first_indentation(only.lines());
    }
    let old_strings = inside_strings(language, &lines(old).map(|line| line.content).collect::<Vec<_>>());
    let known: Known<'_> = Known::new(old, &old_strings);
    let strings = inside_strings(language, replacement);
    let mut best: Option<(Score, Reading)> = None;
    for reading in candidates {
        let score = reading.score(&known, &strings, base);
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, reading));
        }
    }
    let Some((_, reading)) = best else { return Vec::new() };
    let mut moved = reading.lines();
    if !reading.leaves(replacement) {
        keep_strings(replacement, &mut moved, &known, &strings);
    }
    without_first_indentation(moved)
}

fn without_first_indentation(mut lines: Vec<String>) -> Vec<String> {
    if let Some(first) = lines.first_mut() {
        first.drain(..indentation(first).len());
    }
    lines
}

/// Whether two indentations look alike on some screen: equal, or equal with tabs of 2, 4 or 8 columns.
pub(crate) fn same_width(a: &str, b: &str) -> bool {
    a == b || [2, 4, 8].iter().any(|&tab| width(a, tab) == width(b, tab))
}

fn width(indentation: &str, tab: usize) -> usize {
    indentation.bytes().fold(0, |column, byte| if byte == b'\t' { (column / tab + 1) * tab } else { column + 1 })
}

/// The lines of the selection, for comparison.
struct Known<'a> {
    lines: HashSet<&'a str>,
    /// The least indentation of the lines of code after the first.
    rest: Option<usize>,
}

impl<'a> Known<'a> {
    fn new(old: &'a str, strings: &[Range<usize>]) -> Self {
        let rest =
            || lines(old).map(|line| line.content).enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty());
        let code = rest().filter(|(row, _)| !is_inside(strings, *row));
        Self {
            rest: code.map(|(_, line)| indentation(line).len()).min(),
            lines: rest().map(|(_, line)| line.trim_end()).collect(),
        }
    }

    fn holds(&self, line: &str) -> bool {
        self.lines.contains(line.trim_end())
    }
}

/// What a document indents with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Tabs,
    /// Spaces, that many a level.
    Spaces(usize),
    Unclear,
}

impl Style {
    /// The style of the selection if it shows one, else that of the document.
    fn of(old: &str, document: &str) -> Self {
        match Self::seen(old, 1) {
            Some(style) => style,
            None => Self::seen(document, 0).unwrap_or(Self::Unclear),
        }
    }

    fn seen(text: &str, skip: usize) -> Option<Self> {
        let (mut tabs, mut spaces) = (0_usize, 0_usize);
        let mut unit = usize::MAX;
        for line in lines(text).skip(skip).filter(|line| !line.is_blank()) {
            let indentation = indentation(line.content);
            if indentation.starts_with('\t') {
                tabs += 1;
            } else if indentation.len() > 1 {
                spaces += 1;
                unit = unit.min(indentation.len());
            }
        }
        match (tabs, spaces) {
            (0, 0) => None,
            (_, 0) => Some(Self::Tabs),
            (0, _) => Some(Self::Spaces(if unit > 4 { 4 } else { unit })),
            _ => Some(Self::Unclear),
        }
    }
}

/// The lines as they are and, where they are indented in another style than the document, in its style.
fn respelled(replacement: &[&str], style: Style) -> Vec<Vec<String>> {
    let raw: Vec<String> = replacement.iter().map(|&line| line.to_owned()).collect();
    let indented = || replacement.iter().map(|line| indentation(line));
    match style {
        Style::Tabs if indented().any(|white| white.len() > 1) && !indented().any(|white| white.contains('\t')) => {
            // Which of these it is shows when lines are compared; of equals the first that divides all is taken.
            let mut units = vec![4, 2, 8, 3];
            units.sort_by_key(|unit| indented().filter(|white| white.len() % unit > 1).count());
            units
                .into_iter()
                .map(|unit| {
                    respell(&raw, |white| {
                        format!("{}{}", "\t".repeat(white.len() / unit), &white[..white.len() % unit])
                    })
                })
                .collect()
        }
        Style::Spaces(unit) if indented().any(|white| white.contains('\t')) => {
            vec![respell(&raw, |white| white.replace('\t', &" ".repeat(unit))), raw]
        }
        _ => vec![raw],
    }
}

fn respell(lines: &[String], spelled: impl Fn(&str) -> String) -> Vec<String> {
    lines
        .iter()
        .map(|line| {
            let white = indentation(line);
            spelled(white) + &line[white.len()..]
        })
        .collect()
}

/// A way to read the indentation of an answer: what its lines begin with, and what they begin with in the document.
struct Reading {
    source: Vec<String>,
    from: String,
    to: String,
}

/// How well a reading fits: lines it finds again, then how near its depth is to the old one, then what form suggests.
type Score = (usize, std::cmp::Reverse<usize>, bool);

/// The readings there are, the most usual first.
fn readings(lines: &[String], base: &str) -> Vec<Reading> {
    let reading = |from: &str, to: &str| Reading { source: lines.to_vec(), from: from.to_owned(), to: to.to_owned() };
    let first = lines.first().map_or("", |line| indentation(line));
    let mut readings = vec![reading(first, base)];
    if first != base {
        readings.push(reading("", ""));
    }
    readings
}

impl Reading {
    /// Whether it takes all lines as they are.
    fn leaves(&self, replacement: &[&str]) -> bool {
        self.from == self.to && self.source == replacement
    }

    fn lines(&self) -> Vec<String> {
        self.source.iter().map(|line| self.moved(line)).collect()
    }

    fn moved(&self, line: &str) -> String {
        let white = indentation(line);
        let code = &line[white.len()..];
        if code.is_empty() {
            return String::new();
        }
        if let Some(deeper) = white.strip_prefix(self.from.as_str()) {
            return format!("{}{deeper}{code}", self.to);
        }
        if !self.from.starts_with(white) {
            // Tabs where the first line has spaces, or the other way round: nothing to count by.
            return line.to_owned();
        }
        let missing = self.from.len().saturating_sub(white.len());
        format!("{}{code}", &self.to[..self.to.len().saturating_sub(missing)])
    }

    fn score(&self, known: &Known<'_>, strings: &[Range<usize>], base: &str) -> Score {
        let rest: Vec<&String> = self
            .source
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(row, line)| !line.trim().is_empty() && !is_inside(strings, *row))
            .map(|(_, line)| line)
            .collect();
        let found = rest.iter().filter(|line| known.holds(&self.moved(line))).count();
        let least = rest.iter().map(|line| indentation(&self.moved(line)).len()).min();
        let distance = match (known.rest, least) {
            (Some(old), Some(new)) => old.abs_diff(new),
            _ => 0,
        };
        (found, std::cmp::Reverse(distance), (self.from == self.to) == self.likely_kept(base))
    }

    /// Whether lines behind a first one that lost its indentation look as though they still had theirs.
    fn likely_kept(&self, base: &str) -> bool {
        let mut code = self.source.iter().filter(|line| !line.trim().is_empty());
        let first = code.next().map_or("", |line| line.trim_end());
        let rest: Vec<usize> = code.map(|line| indentation(line).len()).collect();
        let opens = first.ends_with([':', '{', '(', '[']);
        match rest.first() {
            Some(&second) => {
                rest.iter().all(|&depth| depth >= base.len())
                    && if opens { second > base.len() } else { second == base.len() }
            }
            None => false,
        }
    }
}

/// The rows that begin within a string.
fn inside_strings(language: &Language, text: &[&str]) -> Vec<Range<usize>> {
    if text.len() < 2 {
        return Vec::new();
    }
    multi_line_strings(language, &text.join("\n")).into_iter().map(|rows| rows.start + 1..rows.end).collect()
}

fn is_inside(strings: &[Range<usize>], row: usize) -> bool {
    let at = strings.partition_point(|rows| rows.end <= row);
    strings.get(at).is_some_and(|rows| rows.contains(&row))
}

/// Puts back the inside of strings that the answer has as the selection had it: white space in them is content.
fn keep_strings(replacement: &[&str], moved: &mut [String], known: &Known<'_>, strings: &[Range<usize>]) {
    for rows in strings {
        let inside = rows.start..rows.end.min(moved.len());
        let as_it_was = inside.clone().any(|row| {
            !replacement[row].trim().is_empty() && known.holds(replacement[row]) && !known.holds(&moved[row])
        });
        if as_it_was {
            for row in inside {
                replacement[row].clone_into(&mut moved[row]);
            }
        }
    }
}
