//! How soon a prefix is used again, judged by how soon such prefixes were used again so far.
//!
//! Every use of a key (a document, a language, a project, or anything at all) is answered by its next use: within five
//! minutes, within an hour, later, or never. What came of earlier uses of the same kind, in the same situation, is counted,
//! the newer the more; a few imagined observations stand for what is usual until there are real ones.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// What shares a prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Every request of an action on a document.
    Any,
    /// Every request of a conversation.
    Conversation,
    /// Requests of one project.
    Project(String),
    /// Requests on documents of one language.
    Language(&'static str),
    /// Requests on one document.
    Document(String),
    /// Requests on one text of a document; what names it.
    Text(String),
    /// The requests of one conversation; what names it.
    Talk(String),
}

impl Key {
    fn kind(&self) -> usize {
        match self {
            Self::Any | Self::Conversation => 0,
            Self::Project(_) => 1,
            Self::Language(_) => 2,
            Self::Document(_) => 3,
            Self::Text(_) => 4,
            Self::Talk(_) => 5,
        }
    }
}

/// How likely a next use is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Odds {
    /// Within five minutes.
    pub(super) short: f64,
    /// Within an hour; never less.
    pub(super) long: f64,
}

impl Odds {
    /// These, or where they are worse the others'.
    pub(super) fn at_most(self, other: Self) -> Self {
        Self { short: self.short.min(other.short), long: self.long.min(other.long) }
    }
}

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Habits {
    uses: BTreeMap<Key, Use>,
    counts: BTreeMap<(usize, Situation), Counts>,
}

/// The newest use of a key.
#[derive(Clone, Copy, Debug)]
struct Use {
    at: Timestamp,
    situation: Situation,
}

/// What the pause before a use was. People work in bursts, so a pause tells something of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Situation {
    First,
    Short,
    Long,
    Longer,
}

const SHORT: SignedDuration = SignedDuration::from_mins(5);
const LONG: SignedDuration = SignedDuration::from_hours(1);

/// How many uses: those whose answer is known, and those that were answered within a time.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    known_short: f64,
    short: f64,
    /// Of those not answered within five minutes.
    known_long: f64,
    long: f64,
}

/// What an older observation is worth after each newer one.
const FADING: f64 = 0.93;

/// How many observations the imagined ones are worth.
const IMAGINED: f64 = 2.0;

/// So many of the uses that wait for an answer are looked at.
const NEWEST: usize = 20;

/// Keys are forgotten beyond this number, the longest unused first.
const MOST_KEYS: usize = 400;

impl Habits {
    /// A request uses a key.
    pub(super) fn used(&mut self, key: Key, now: Timestamp) {
        let kind = key.kind();
        let situation = match self.uses.get(&key) {
            None => Situation::First,
            Some(last) => {
                let pause = now.duration_since(last.at);
                let situation = after(pause);
                let counts = self.counts.entry((kind, last.situation)).or_default();
                counts.fade();
                counts.count(situation);
                situation
            }
        };
        self.uses.insert(key, Use { at: now, situation });
        if self.uses.len() > MOST_KEYS {
            let oldest = self.uses.iter().min_by_key(|(_, seen)| seen.at).map(|(key, _)| key.clone());
            if let Some(seen) = oldest.and_then(|key| Some((key.kind(), self.uses.remove(&key)?))) {
                self.counts.entry((seen.0, seen.1.situation)).or_default().count(Situation::Longer);
            }
        }
    }

    /// How likely a key that is used now is used again.
    pub(super) fn odds(&self, key: &Key, now: Timestamp) -> Odds {
        let kind = key.kind();
        let situation = match self.uses.get(key) {
            None => Situation::First,
            Some(last) => after(now.duration_since(last.at)),
        };
        let mut counts = self.counts.get(&(kind, situation)).copied().unwrap_or_default();
        // Uses that wait for an answer tell something too: those of five minutes ago were not answered at once. Only the
        // newest, as with those that were answered.
        let waiting = self.uses.iter().filter(|(other, seen)| other.kind() == kind && seen.situation == situation);
        let mut waiting: Vec<SignedDuration> =
            waiting.filter(|(other, _)| *other != key).map(|(_, seen)| now.duration_since(seen.at)).collect();
        waiting.retain(|pause| *pause > SHORT);
        waiting.sort_unstable();
        waiting.truncate(NEWEST);
        for pause in waiting.into_iter().rev() {
            counts.fade();
            counts.known_short += 1.0;
            if pause > LONG {
                counts.known_long += 1.0;
            }
        }
        let (short, long) = usual(kind, situation);
        let short = (counts.short + IMAGINED * short) / (counts.known_short + IMAGINED);
        let later = (counts.long + IMAGINED * long) / (counts.known_long + IMAGINED);
        Odds { short, long: short + (1.0 - short) * later }
    }
}

/// What is usual: the share of uses that are followed by another within five minutes, and of the others, within an hour.
/// Guesses, which a handful of observations outweigh.
fn usual(kind: usize, situation: Situation) -> (f64, f64) {
    let document = kind >= 3;
    match situation {
        Situation::First if document => (0.5, 0.3),
        Situation::First | Situation::Short => (0.8, 0.3),
        Situation::Long => (0.5, 0.6),
        Situation::Longer => (0.4, 0.3),
    }
}

fn after(pause: SignedDuration) -> Situation {
    // A life that ends at the very moment is over.
    if pause < SHORT {
        Situation::Short
    } else if pause < LONG {
        Situation::Long
    } else {
        Situation::Longer
    }
}

impl Counts {
    fn fade(&mut self) {
        for count in [&mut self.known_short, &mut self.short, &mut self.known_long, &mut self.long] {
            *count *= FADING;
        }
    }

    fn count(&mut self, situation: Situation) {
        self.known_short += 1.0;
        match situation {
            Situation::Short => self.short += 1.0,
            Situation::Long => {
                self.known_long += 1.0;
                self.long += 1.0;
            }
            Situation::First | Situation::Longer => self.known_long += 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn document(number: i64) -> Key {
        Key::Document(format!("{number}"))
    }

    #[test]
    fn pauses_that_repeat_are_expected() {
        for (pause, short, long) in [(1, 0.9..1.0, 0.9..1.0), (20, 0.0..0.2, 0.8..1.0), (90, 0.0..0.2, 0.0..0.3)] {
            let mut habits = Habits::default();
            for turn in 0..30 {
                habits.used(document(0), at(turn * pause));
            }
            let odds = habits.odds(&document(0), at(30 * pause));
            assert!(short.contains(&odds.short) && long.contains(&odds.long), "{pause}: {odds:?}");
        }
    }

    #[test]
    fn documents_that_are_never_seen_again_make_the_next_one_unlikely_to_be() {
        let mut habits = Habits::default();
        let before = habits.odds(&document(0), at(0));
        for turn in 0..12 {
            habits.used(document(turn), at(turn * 10));
        }
        let odds = habits.odds(&document(99), at(200));
        assert!(odds.short < 0.15 && odds.long < 0.3 && before.short > 0.3, "{odds:?}");
        // A second look at one of them is another situation.
        assert!(habits.odds(&document(11), at(111)).short > 0.5);
    }

    #[test]
    fn habits_change_and_keys_are_forgotten() {
        let mut habits = Habits::default();
        for turn in 0..50 {
            habits.used(Key::Any, at(turn));
        }
        for turn in 0..20 {
            habits.used(Key::Any, at(100 + turn * 90));
        }
        assert!(habits.odds(&Key::Any, at(100 + 20 * 90)).long < 0.3);
        for number in 0..1000 {
            habits.used(document(number), at(5000 + number));
        }
        assert!(habits.uses.len() <= MOST_KEYS);
    }
}
