//! An answer on its way back through the gate, piece by piece.

use super::Sealed;
use super::opening::{ID_LENGTH, Opening, STEM, id_length};
use crate::claude::client::{Partial, Progress};

/// Puts secrets back into what is streamed. A placeholder may come in any number of pieces, so what could be the
/// beginning of one waits for the rest.
pub(in crate::jobs) struct Passing<'a> {
    sealed: &'a Sealed,
    text: Held,
    thinking: Held,
    /// A tool's arguments, and the block they belong to.
    input: (usize, Held),
}

/// What waits for the rest.
#[derive(Default)]
struct Held(String);

impl<'a> Passing<'a> {
    pub(in crate::jobs) fn new(sealed: &'a Sealed) -> Self {
        Self { sealed, text: Held::default(), thinking: Held::default(), input: (0, Held::default()) }
    }

    /// Passes on what happened.
    pub(in crate::jobs) fn pass(&mut self, progress: Progress<'_>, sink: &mut (dyn FnMut(Progress<'_>) + Send)) {
        let opening = &self.sealed.opening;
        if opening.is_empty() {
            return sink(progress);
        }
        match progress {
            Progress::Sent { .. } => {
                (self.text, self.thinking, self.input) = (Held::default(), Held::default(), (0, Held::default()));
                sink(progress);
            }
            Progress::Waiting { attempt, delay, reason, partial } => {
                let partial = partial.map(|it| Partial { text: opening.text(&it.text).into_owned(), ..it.clone() });
                sink(Progress::Waiting { attempt, delay, reason, partial: partial.as_ref() });
            }
            Progress::Text(more) => {
                tell(&self.thinking.rest(opening, false), |it| sink(Progress::Thinking(it)));
                tell(&self.text.push(opening, more, false), |it| sink(Progress::Text(it)));
            }
            Progress::Thinking(more) => {
                tell(&self.text.rest(opening, false), |it| sink(Progress::Text(it)));
                tell(&self.thinking.push(opening, more, false), |it| sink(Progress::Thinking(it)));
            }
            Progress::ToolInput { index, json } => {
                if self.input.0 != index {
                    self.finish(sink);
                    self.input.0 = index;
                }
                tell(&self.input.1.push(opening, json, true), |json| sink(Progress::ToolInput { index, json }));
            }
            Progress::BlockStarted(block) => {
                self.finish(sink);
                let mut block = block.clone();
                opening.block(&mut block);
                sink(Progress::BlockStarted(&block));
            }
            Progress::BlockFinished(block) => {
                // Whether the text ends here or was cut here is not known yet.
                let text = std::mem::take(&mut self.text);
                self.finish(sink);
                self.text = text;
                let mut block = block.clone();
                opening.block(&mut block);
                sink(Progress::BlockFinished(&block));
            }
            Progress::Started { .. } | Progress::Usage(_) => sink(progress),
        }
    }

    /// Passes on what waited: there is no more. Of an answer that was `cut` a begun placeholder is left out, as it is of the
    /// answer: whoever goes on with that writes it anew.
    pub(in crate::jobs) fn end(&mut self, cut: bool, sink: &mut (dyn FnMut(Progress<'_>) + Send)) {
        if cut {
            let length = self.text.0.len() - unfinished(&self.sealed.opening, &self.text.0);
            self.text.0.truncate(length);
        }
        self.finish(sink);
    }

    pub(in crate::jobs) fn finish(&mut self, sink: &mut (dyn FnMut(Progress<'_>) + Send)) {
        let opening = &self.sealed.opening;
        tell(&self.thinking.rest(opening, false), |it| sink(Progress::Thinking(it)));
        tell(&self.text.rest(opening, false), |it| sink(Progress::Text(it)));
        let index = self.input.0;
        tell(&self.input.1.rest(opening, true), |json| sink(Progress::ToolInput { index, json }));
    }
}

fn tell(text: &str, mut to: impl FnMut(&str)) {
    if !text.is_empty() {
        to(text);
    }
}

impl Held {
    /// Takes more, and gives what can be told by now.
    fn push(&mut self, opening: &Opening, more: &str, as_json: bool) -> String {
        self.0.push_str(more);
        let rest = self.0.split_off(self.0.len() - undecided(&self.0));
        let told = std::mem::replace(&mut self.0, rest);
        opening.opened(&told, as_json)
    }

    fn rest(&mut self, opening: &Opening, as_json: bool) -> String {
        opening.opened(&std::mem::take(&mut self.0), as_json)
    }
}

/// How many bytes at the end are the beginning of a placeholder of this request.
pub(super) fn unfinished(opening: &Opening, text: &str) -> usize {
    let length = undecided(text);
    if length > 0 && opening.has_begun(&text[text.len() - length..]) { length } else { 0 }
}

/// How many bytes at the end may belong to a placeholder that goes on.
fn undecided(text: &str) -> usize {
    let next = (1..STEM.len()).rev().find(|length| text.ends_with(&STEM[..*length])).unwrap_or(0);
    if let Some(at) = text.rfind(STEM) {
        let behind = &text[at + STEM.len()..];
        // What is longer than a placeholder by now is none, however it goes on; unless its end begins another.
        if id_length(behind) == behind.len() && behind.len() - next.min(behind.len()) <= ID_LENGTH {
            return text.len() - at;
        }
    }
    next
}
