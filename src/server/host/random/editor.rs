//! The scripted editor: it holds the texts, does with edits what real editors do, and says what they say.

use std::collections::VecDeque;
use std::ops::Range;

use serde_json::{Value, json};
use tower_lsp::jsonrpc::Request;

use super::model::{Cell, text_of};
use crate::workspace::positions::Encoding;

/// What the editor does with an edit that is for the text it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Manner {
    /// Answers, then reports the change: most editors.
    Applies,
    /// Reports the change, then answers: Helix.
    ReportsFirst,
    /// Applies it and never answers: ALE.
    SaysNothing,
    /// Answers `false`.
    Refuses,
    /// Answers with an error: eglot.
    Fails,
    /// Answers `true` and does nothing.
    Pretends,
    /// Does and says nothing.
    Ignores,
    /// Applies it after everybody has given up, and never answers.
    Dawdles,
    /// Makes some of the changes and says `false`.
    DoesHalf,
}

/// What it does with an edit for another version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outdated {
    /// Says `false`: VS Code, Helix.
    Refused,
    /// Says which version it has, as an error: Emacs.
    Failed,
    /// Says `true` and does nothing: Neovim.
    Dropped,
    /// Does not look at versions.
    Applied,
}

/// How it reports a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reports {
    /// Each replacement by itself, from the last to the first.
    Each,
    /// One replacement that spans all.
    One,
    /// The whole text.
    Whole,
}

/// What is on the wire to the server, with the characters that a document has by then.
pub(super) enum Sent {
    Open { doc: usize, version: i32, text: String, cells: Vec<Cell> },
    Close { doc: usize },
    Change { doc: usize, version: i32, changes: Vec<Value>, cells: Vec<Cell> },
    Answer { request: Request, body: Result<Value, &'static str> },
}

pub(super) struct OpenDoc {
    pub(super) uri: String,
    pub(super) language: &'static str,
    pub(super) version: i32,
    pub(super) open: bool,
    pub(super) text: String,
    /// What the text should be, character by character; and is, unless an edit went astray.
    pub(super) cells: Vec<Cell>,
    pub(super) history: Vec<Vec<Cell>>,
    /// An edit went astray, and the user looks on.
    pub(super) astray: bool,
}

pub(super) struct Editor {
    pub(super) docs: Vec<OpenDoc>,
    pub(super) encoding: Encoding,
    pub(super) outdated: Outdated,
    pub(super) reports: Reports,
    /// Whether changes are held back for a while, and overtaken by answers: Neovim.
    pub(super) holds_back: bool,
    /// Whether it opens documents with version 0 and counts on from 2, without a look at edits for 0: Neovim.
    pub(super) zero: bool,
    pub(super) wire: VecDeque<Sent>,
    pub(super) held: VecDeque<Sent>,
}

/// One replacement, in characters.
#[derive(Clone, Debug)]
pub(super) struct Replacement {
    start: usize,
    end: usize,
    text: String,
}

impl Editor {
    pub(super) fn say(&mut self, message: Sent) {
        match message {
            Sent::Change { .. } if self.holds_back => self.held.push_back(message),
            Sent::Change { .. } | Sent::Answer { .. } => self.wire.push_back(message),
            Sent::Open { .. } | Sent::Close { .. } => {
                self.flush();
                self.wire.push_back(message);
            }
        }
    }

    pub(super) fn open(&mut self, doc: usize) {
        let OpenDoc { version, text, cells, .. } = &self.docs[doc];
        let message = Sent::Open { doc, version: *version, text: text.clone(), cells: cells.clone() };
        self.say(message);
    }

    pub(super) fn flush(&mut self) {
        self.wire.append(&mut self.held);
    }

    pub(super) fn doc_of(&self, uri: &str) -> usize {
        self.docs.iter().position(|doc| doc.uri == uri).expect("an edit is for a document that was opened")
    }

    /// Whether an edit for `version` is for the text that there is.
    pub(super) fn is_current(&self, doc: usize, version: Option<i64>) -> bool {
        let now = i64::from(self.docs[doc].version);
        match version {
            Some(version) if self.zero => version <= 0 || now <= version,
            version => version == Some(now),
        }
    }

    /// The replacements of an edit, in this text.
    pub(super) fn replacements(&self, doc: usize, edits: &[Value]) -> Vec<Replacement> {
        let chars: Vec<char> = self.docs[doc].text.chars().collect();
        let at = |position: &Value| {
            let number = |name: &str| usize::try_from(position[name].as_u64().expect("a number")).unwrap_or(usize::MAX);
            place(&chars, self.encoding, number("line"), number("character"))
        };
        let read = |edit: &Value| Replacement {
            start: at(&edit["range"]["start"]),
            end: at(&edit["range"]["end"]),
            text: edit["newText"].as_str().expect("a text").to_owned(),
        };
        edits.iter().map(read).collect()
    }

    /// Changes the text, and reports it.
    pub(super) fn replace(&mut self, doc: usize, replacements: &[Replacement]) -> Sent {
        let mut chars: Vec<char> = self.docs[doc].text.chars().collect();
        let before = chars.clone();
        let mut each = Vec::new();
        let mut sorted = replacements.to_vec();
        sorted.sort_by_key(|replacement| (replacement.start, replacement.end));
        for replacement in sorted.iter().rev() {
            each.push(self.report(&chars, replacement.start..replacement.end, &replacement.text));
            chars.splice(replacement.start..replacement.end, replacement.text.chars());
        }
        let changes = match self.reports {
            Reports::Each => each,
            Reports::One => self.one(&before, &chars),
            Reports::Whole => vec![json!({"text": chars.iter().collect::<String>()})],
        };
        let doc_state = &mut self.docs[doc];
        doc_state.text = chars.into_iter().collect();
        doc_state.version += if self.zero && doc_state.version == 0 { 2 } else { 1 };
        Sent::Change { doc, version: doc_state.version, changes, cells: doc_state.cells.clone() }
    }

    /// The user writes `new` in place of some characters.
    pub(super) fn write(&mut self, doc: usize, range: Range<usize>, new: &[Cell]) {
        let state = &mut self.docs[doc];
        state.history.push(state.cells.clone());
        state.cells.splice(range.clone(), new.iter().copied());
        let change = self.replace(doc, &[Replacement { start: range.start, end: range.end, text: text_of(new) }]);
        debug_assert_eq!(self.docs[doc].text, text_of(&self.docs[doc].cells));
        self.say(change);
    }

    /// The user goes back by one step.
    pub(super) fn undo(&mut self, doc: usize) {
        let Some(cells) = self.docs[doc].history.pop() else { return };
        let before: Vec<char> = self.docs[doc].text.chars().collect();
        let after: Vec<char> = cells.iter().map(|cell| cell.char).collect();
        let (start, end, text) = difference(&before, &after);
        self.docs[doc].cells = cells;
        let change = self.replace(doc, &[Replacement { start, end, text: text.iter().collect() }]);
        debug_assert_eq!(self.docs[doc].text, text_of(&self.docs[doc].cells));
        self.say(change);
    }

    fn one(&self, before: &[char], after: &[char]) -> Vec<Value> {
        let (start, end, text) = difference(before, after);
        vec![self.report(before, start..end, &text.iter().collect::<String>())]
    }

    fn report(&self, chars: &[char], range: Range<usize>, text: &str) -> Value {
        let position = |at: usize| {
            let (line, character) = position(chars, self.encoding, at);
            json!({"line": line, "character": character})
        };
        json!({"range": {"start": position(range.start), "end": position(range.end)}, "text": text})
    }
}

/// The one replacement from one text to another; it never divides a `\r\n`.
fn difference<'a>(before: &[char], after: &'a [char]) -> (usize, usize, &'a [char]) {
    let mut start = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let divides = |chars: &[char], at: usize| at > 0 && chars[at - 1] == '\r' && chars.get(at) == Some(&'\n');
    while divides(before, start) || divides(after, start) {
        start -= 1;
    }
    let mut end = before[start..].iter().rev().zip(after[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    while divides(before, before.len() - end) || divides(after, after.len() - end) {
        end -= 1;
    }
    (start, before.len() - end, &after[start..after.len() - end])
}

fn width(encoding: Encoding, char: char) -> usize {
    match encoding {
        Encoding::Utf8 => char.len_utf8(),
        Encoding::Utf16 => char.len_utf16(),
        Encoding::Utf32 => 1,
    }
}

/// Whether a line ends with the character at `at`.
fn ends(chars: &[char], at: usize) -> bool {
    chars[at] == '\n' || chars[at] == '\r' && chars.get(at + 1) != Some(&'\n')
}

/// Where a position is: past the end of a line or of the text it is that end.
fn place(chars: &[char], encoding: Encoding, line: usize, character: usize) -> usize {
    let (mut at, mut lines) = (0, 0);
    while lines < line && at < chars.len() {
        lines += usize::from(ends(chars, at));
        at += 1;
    }
    let mut units = 0;
    while lines == line && at < chars.len() && !matches!(chars[at], '\n' | '\r') && units < character {
        units += width(encoding, chars[at]);
        // A place inside of a character is where that begins.
        if units > character {
            break;
        }
        at += 1;
    }
    at
}

fn position(chars: &[char], encoding: Encoding, at: usize) -> (usize, usize) {
    let line = (0..at).filter(|before| ends(chars, *before)).count();
    let start = (0..at).rev().find(|before| ends(chars, *before)).map_or(0, |end| end + 1);
    (line, chars[start..at].iter().map(|char| width(encoding, *char)).sum())
}
