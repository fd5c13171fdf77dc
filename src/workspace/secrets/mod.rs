//! Secrets in a text: what of it nobody else should read.
//!
//! One pass over the text looks for anchors: what a provider's secrets begin with, names that tell of one, addresses, keys
//! between their marks. Only where one is found is looked at closely, so ordinary code costs little more than that pass.

mod assigned;
mod blocks;
mod formats;
mod judge;
mod named;
mod whole;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::Regex;

use self::formats::{FORMATS, Format};
use self::named::{NAMED, Named, Strength, TELLING};
pub use self::whole::{LEFT_OUT, Whole, beginning};

/// A secret in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Where it stands, in bytes. Never more than one line.
    pub span: Range<usize>,
    /// What it is, for people: "GitHub token", "password".
    pub kind: &'static str,
}

/// How far a single secret is followed. The longest known are tokens of some kilobytes.
const REACH: usize = 8 * 1024;

/// The secrets of a text, in its order; none overlaps another.
pub fn find(text: &str) -> Vec<Secret> {
    let scanner = &*SCANNER;
    let mut found = Vec::new();
    for hit in scanner.anchors.find_overlapping_iter(text) {
        let (start, end) = (hit.start(), hit.end());
        match scanner.targets[hit.pattern().as_usize()] {
            Target::Format(index) => found.extend(scanner.format(index, text, start)),
            Target::Named(index) => found.extend(scanner.named(index, text, start..end)),
            Target::Telling(strength) => found.extend(assigned::telling(text, start..end, strength)),
            Target::Address => found.extend(assigned::address(text, end)),
            Target::Key => blocks::private_key(text, end, &mut found),
            Target::Kind => blocks::kubernetes(text, start, &mut found),
            Target::Curl => blocks::curl(text, start, &mut found),
        }
    }
    tidied(found)
}

/// In order, and where two overlap, what both cover.
fn tidied(mut found: Vec<Secret>) -> Vec<Secret> {
    // Of two names for one secret the one that says more comes first.
    let says_little = |secret: &Secret| [assigned::PASSWORD, assigned::TELLING].contains(&secret.kind);
    found.sort_by_key(|secret| (secret.span.start, std::cmp::Reverse(secret.span.end), says_little(secret)));
    let mut tidy: Vec<Secret> = Vec::with_capacity(found.len());
    for secret in found {
        match tidy.last_mut() {
            Some(last) if secret.span.start < last.span.end => last.span.end = last.span.end.max(secret.span.end),
            _ => tidy.push(secret),
        }
    }
    tidy
}

#[derive(Clone, Copy)]
enum Target {
    Format(usize),
    Named(usize),
    Telling(Strength),
    Address,
    Key,
    Kind,
    Curl,
}

struct Scanner {
    anchors: AhoCorasick,
    targets: Vec<Target>,
    formats: Vec<OnceLock<Option<Regex>>>,
    named: Vec<OnceLock<Option<Regex>>>,
}

static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::new);

impl Scanner {
    fn new() -> Self {
        let formats = FORMATS.iter().enumerate();
        let formats = formats.flat_map(|(at, format)| format.anchors.iter().map(move |it| (*it, Target::Format(at))));
        let named = NAMED.iter().enumerate();
        let named = named.flat_map(|(at, named)| named.names.iter().map(move |it| (*it, Target::Named(at))));
        let telling = TELLING.iter().map(|(name, strength)| (*name, Target::Telling(*strength)));
        let others =
            [("://", Target::Address), ("-----begin", Target::Key), ("kind:", Target::Kind), ("curl", Target::Curl)];
        let (anchors, targets): (Vec<_>, Vec<_>) = formats.chain(named).chain(telling).chain(others).unzip();
        #[expect(clippy::expect_used, reason = "a constant")]
        let anchors =
            AhoCorasick::builder().ascii_case_insensitive(true).build(anchors).expect("the anchors are a few hundred");
        Self {
            anchors,
            targets,
            formats: FORMATS.iter().map(|_| OnceLock::new()).collect(),
            named: NAMED.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// The secret of a format around its anchor.
    fn format(&self, index: usize, text: &str, anchor: usize) -> Option<Secret> {
        let Format { kind, back, word, pattern, mixed, .. } = FORMATS[index];
        let begin = anchor.checked_sub(back).filter(|begin| text.is_char_boundary(*begin))?;
        if (word || back > 0) && begin > 0 && is_word(text.as_bytes()[begin - 1]) {
            return None;
        }
        let regex = self.formats[index].get_or_init(|| Regex::new(&format!("^(?:{pattern})")).ok()).as_ref()?;
        let window = window(text, begin);
        let captures = regex.captures(window)?;
        let matched = captures.name("secret").or_else(|| captures.get(0))?;
        if mixed && !judge::is_mixed(matched.as_str()) {
            return None;
        }
        let span = begin + matched.start()..grown(text, begin + matched.end());
        // What documentation shows is one letter over and over, or the alphabet.
        (!judge::is_monotonous(&text[span.clone()])).then_some(Secret { span, kind })
    }

    /// The secret that is given a name with a provider's name in it.
    fn named(&self, index: usize, text: &str, name: Range<usize>) -> Option<Secret> {
        let Named { kind, pattern, .. } = NAMED[index];
        let value = assigned::value(text, name)?;
        let regex = self.named[index].get_or_init(|| Regex::new(&format!("^(?i:{pattern})$")).ok()).as_ref()?;
        let said = &text[value.span.clone()];
        if said.len() > REACH || !regex.is_match(said) || judge::is_stand_in(said) || judge::is_monotonous(said) {
            return None;
        }
        // Without quotes a name of the code may have just that many letters.
        (judge::has_digit(said) && (value.quoted || judge::is_mixed(said) || said.bytes().all(|b| b.is_ascii_digit()))
            || judge::is_gibberish(said))
        .then_some(Secret { span: value.span, kind })
    }
}

/// The text from here on, as far as a secret may reach.
fn window(text: &str, begin: usize) -> &str {
    let mut end = text.len().min(begin + REACH);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[begin..end]
}

/// What is longer than its format is taken whole.
fn grown(text: &str, end: usize) -> usize {
    end + text.as_bytes()[end..].iter().take_while(|byte| is_word(**byte)).count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
