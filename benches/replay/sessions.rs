//! Editing sessions made of histories: the differences between consecutive versions become small edits, and after some of
//! them an action is run on what was just edited, or on something near it. Everything follows from the seed.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use aside::workspace::{Language, language, syntax};
use ropey::Rope;
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The versions of a file, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) path: String,
    pub(crate) versions: Vec<String>,
}

/// An action.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    /// The time since the action before.
    pub(crate) pause: Duration,
    pub(crate) path: String,
    pub(crate) language: &'static Language,
    pub(crate) text: Arc<str>,
    pub(crate) selection: Range<usize>,
    pub(crate) name: &'static str,
}

/// What a session is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// One file, pauses of about a minute.
    Focused,
    /// Four files, another one at every third action.
    Hopping,
    /// Every action is on another file.
    OneActionAFile,
    /// Two files, pauses of about 25 minutes.
    LongPauses,
    /// One to five hours between any two actions.
    Rare,
    /// Bursts of two to eight actions with half an hour between them.
    Mixed,
    /// Function after function of a file, then the next file; a quarter of the actions lead to an edit.
    Review,
    /// Another file each time, always a second after the entries of five minutes have ended.
    JustTooLate,
    /// One file; a short pause and one of more than an hour in turn.
    Teasing,
}

pub(crate) const KINDS: [Kind; 9] = [
    Kind::Focused,
    Kind::Hopping,
    Kind::Review,
    Kind::Mixed,
    Kind::LongPauses,
    Kind::OneActionAFile,
    Kind::Rare,
    Kind::JustTooLate,
    Kind::Teasing,
];

/// A session of a kind over these histories, with so many actions.
pub(crate) fn session(kind: Kind, histories: &[History], seed: u64, count: usize) -> Vec<Action> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ kind as u64);
    let mut order: Vec<&History> = histories.iter().collect();
    for index in (1..order.len()).rev() {
        order.swap(index, dice.below(index + 1));
    }
    if matches!(kind, Kind::Focused | Kind::Hopping | Kind::LongPauses | Kind::Teasing | Kind::Mixed) {
        // People come back to files that change.
        order.sort_by_cached_key(|history| std::cmp::Reverse(changed_lines(history).min(150)));
    }
    let first = if matches!(kind, Kind::Focused | Kind::Teasing) { dice.below(order.len().min(6)) } else { 0 };
    order.rotate_left(first);
    let mut files: Vec<File> = order.into_iter().map(File::new).collect();
    let mut at = 0;
    let mut next_item = 0;
    let mut left_in_burst = 0;
    let mut actions = Vec::with_capacity(count);
    for turn in 0..count {
        let near = files.len().min(4);
        let (pause, edits) = match kind {
            Kind::Focused => (dice.around(60.0, 1.0), dice.below(4)),
            Kind::Hopping => {
                if dice.chance(0.35) {
                    at = dice.below(near);
                }
                (dice.around(60.0, 1.0), dice.below(3))
            }
            Kind::Review => {
                if next_item >= files[at].items().len().clamp(1, 15) {
                    (at, next_item) = ((at + 1) % files.len(), 0);
                }
                (dice.around(30.0, 0.7), usize::from(dice.chance(0.25)))
            }
            Kind::Mixed => {
                if left_in_burst == 0 {
                    left_in_burst = 2 + dice.below(7);
                    if dice.chance(0.5) {
                        at = dice.below(near);
                    }
                    left_in_burst -= 1;
                    (dice.around(1800.0, 1.0), dice.below(5))
                } else {
                    left_in_burst -= 1;
                    (dice.around(40.0, 0.8), dice.below(3))
                }
            }
            Kind::LongPauses => {
                at = dice.below(near.min(2));
                (dice.around(1500.0, 0.7), 1 + dice.below(4))
            }
            Kind::OneActionAFile => {
                at = turn % files.len();
                (dice.around(60.0, 1.0), 0)
            }
            Kind::Rare => {
                at = dice.below(near);
                (4000.0 + 14_000.0 * dice.share(), dice.below(5))
            }
            Kind::JustTooLate => {
                at = turn % files.len();
                (301.0, 0)
            }
            Kind::Teasing => (if turn % 2 == 0 { 3601.0 } else { 30.0 }, dice.below(3)),
        };
        let mut changed = None;
        for _ in 0..edits {
            changed = Some(files[at].edit());
        }
        let file = &mut files[at];
        let place = match changed {
            Some(place) if kind != Kind::Review && dice.chance(0.7) => place,
            _ if kind == Kind::Review => {
                next_item += 1;
                file.items().get(next_item - 1).copied().unwrap_or(0)
            }
            changed => file.nearby(changed.unwrap_or(file.cursor), &mut dice),
        };
        file.cursor = place;
        let text: Arc<str> = file.lines.concat().into();
        let selection = selection(file.language, &text, place);
        let names = ["explain", "document", "add-type-hints", "explain"];
        actions.push(Action {
            pause: Duration::from_secs_f64(pause),
            path: file.path.clone(),
            language: file.language,
            text,
            selection,
            name: names[dice.below(names.len())],
        });
    }
    actions
}

/// The item around a place, or the line there.
fn selection(language: &Language, text: &str, offset: usize) -> Range<usize> {
    let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let span = syntax::enclosing(language, &Rope::from_str(text), offset);
    if span.is_empty() { offset..text[offset..].find('\n').map_or(text.len(), |end| offset + end) } else { span }
}

/// A file that is being worked on.
struct File {
    path: String,
    language: &'static Language,
    versions: Vec<Vec<String>>,
    /// The version that the edits lead to, and the way through them.
    target: usize,
    forwards: bool,
    lines: Vec<String>,
    /// Edits from the last to the first, so that the line numbers of those to come hold.
    edits: Vec<Edit>,
    cursor: usize,
}

/// Lines that are replaced.
struct Edit {
    at: usize,
    remove: usize,
    insert: Vec<String>,
}

/// More lines are not changed at once.
const EDIT_LINES: usize = 8;

impl File {
    fn new(history: &History) -> Self {
        let versions: Vec<Vec<String>> = history.versions.iter().map(|text| lines(text)).collect();
        Self {
            language: language::of_document("", Some(history.path.as_ref())),
            path: history.path.clone(),
            lines: versions[0].clone(),
            versions,
            target: 0,
            forwards: true,
            edits: Vec::new(),
            cursor: 0,
        }
    }

    /// Makes the next edit; where it was.
    fn edit(&mut self) -> usize {
        if self.edits.is_empty() {
            // A history that is at its end is gone back.
            if self.forwards && self.target + 1 == self.versions.len() || !self.forwards && self.target == 0 {
                self.forwards = !self.forwards;
            }
            if self.versions.len() > 1 {
                self.target = if self.forwards { self.target + 1 } else { self.target - 1 };
            }
            self.edits = edits(&self.lines, &self.versions[self.target]);
        }
        let Some(edit) = self.edits.pop() else { return self.cursor };
        self.lines.splice(edit.at..edit.at + edit.remove, edit.insert);
        self.lines[..edit.at.min(self.lines.len())].iter().map(String::len).sum()
    }

    /// Where items begin.
    fn items(&self) -> Vec<usize> {
        let text = self.lines.concat();
        let Some(syntax) = syntax::Syntax::parse(self.language, text) else { return Vec::new() };
        syntax.items().iter().filter(|item| item.body.is_some()).map(|item| item.name_span.start).collect()
    }

    /// An item near a place.
    fn nearby(&self, place: usize, dice: &mut Dice) -> usize {
        let items = self.items();
        if items.is_empty() {
            return place;
        }
        let nearest = items.partition_point(|item| *item <= place);
        let from = nearest.saturating_sub(3);
        items[(from + dice.below(6)).min(items.len() - 1)]
    }
}

fn lines(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// The way from one text to another, in edits of a few lines, from the last to the first.
fn edits(old: &[String], new: &[String]) -> Vec<Edit> {
    let mut edits = Vec::new();
    // Top to bottom, every edit moves those below it.
    let mut moved = 0_isize;
    for op in capture_diff_slices(Algorithm::Histogram, old, new) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (mut from, mut to) = (op.old_range(), op.new_range());
        while !from.is_empty() || !to.is_empty() {
            let remove = from.len().min(EDIT_LINES);
            let insert = if from.len() > EDIT_LINES { to.len().min(EDIT_LINES) } else { to.len().min(EDIT_LINES * 2) };
            let at = from.start.checked_add_signed(moved).unwrap_or_default();
            edits.push(Edit { at, remove, insert: new[to.start..to.start + insert].to_vec() });
            moved += isize::try_from(insert).unwrap_or(0) - isize::try_from(remove).unwrap_or(0);
            from.start += remove;
            to.start += insert;
        }
    }
    edits.reverse();
    edits
}

fn changed_lines(history: &History) -> usize {
    let versions: Vec<Vec<String>> = history.versions.iter().map(|text| lines(text)).collect();
    versions.windows(2).map(|pair| edits(&pair[0], &pair[1]).len()).sum()
}

/// Numbers that follow from a seed (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1.
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }

    /// Below a number.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most.max(1) as u64).unwrap_or(0)
    }

    fn chance(&mut self, odds: f64) -> bool {
        self.share() < odds
    }

    /// Log-normal around a median, in seconds.
    fn around(&mut self, median: f64, spread: f64) -> f64 {
        // The sum of twelve is nearly normal.
        let normal: f64 = (0..12).map(|_| self.share()).sum::<f64>() - 6.0;
        (median * (spread * normal).exp()).max(2.0)
    }
}
