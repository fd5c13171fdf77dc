//! Made-up secrets of every format in gitleaks' public list are found; ordinary code is left alone.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use super::find;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }
}

/// The characters of a class such as `a-z0-9_-`.
fn class(text: &str) -> Vec<char> {
    let chars: Vec<char> = text.chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if chars.get(at + 1) == Some(&'-') && at + 2 < chars.len() {
            all.extend(chars[at]..=chars[at + 2]);
            at += 3;
        } else {
            all.push(chars[at]);
            at += 1;
        }
    }
    all
}

/// A text made by a template, and where its secrets are.
fn made_up(template: &str, dice: &mut Dice) -> (String, Vec<Range<usize>>) {
    let (mut text, mut secrets, mut start) = (String::new(), Vec::new(), 0);
    let mut rest = template;
    while let Some(next) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("[[") {
            (start, rest) = (text.len(), behind);
        } else if let Some(behind) = rest.strip_prefix("]]") {
            secrets.push(start..text.len());
            rest = behind;
        } else if let Some((field, behind)) = rest.strip_prefix('{').and_then(|it| it.split_once('}')) {
            let (chars, count) = field.rsplit_once('*').unwrap();
            let chars = class(chars);
            text.extend((0..count.parse().unwrap()).map(|_| chars[dice.roll(chars.len())]));
            rest = behind;
        } else {
            text.push(if next == '¶' { '\n' } else { next });
            rest = &rest[next.len_utf8()..];
        }
    }
    (text, secrets)
}

/// How many of each format are made up.
const TRIES: usize = 40;

#[test]
fn every_format_of_the_public_list_is_found() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut ids = BTreeSet::new();
    let (mut made, mut missed) = (0, Vec::new());
    for row in include_str!("corpus.tsv").lines().filter(|row| !row.starts_with('#')) {
        let (id, template) = row.split_once('\t').unwrap();
        ids.insert(id);
        for _ in 0..TRIES {
            let (text, secrets) = made_up(template, &mut dice);
            let found = find(&text);
            made += 1;
            for secret in secrets {
                if !found.iter().any(|it| it.span.start <= secret.start && it.span.end >= secret.end) {
                    missed.push(format!("{id}: {text} ({found:?})"));
                    break;
                }
            }
        }
    }
    // The one that is missing goes by a file's name alone, and such files are excluded.
    assert_eq!(ids.len(), 221);
    // A value without a digit, in a format that has no other mark, may read like a word.
    assert!(
        missed.len() * 1000 <= made,
        "{} of {made} missed:\n{}",
        missed.len(),
        missed[..missed.len().min(40)].join("\n")
    );
}

/// The lines of a folder's sources, and those of them where something is found.
fn alarms(folder: &Path, lines: &mut usize, alarmed: &mut Vec<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            alarms(&path, lines, alarmed);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            *lines += text.lines().count();
            let rows: BTreeSet<usize> = find(&text).iter().map(|it| text[..it.span.start].lines().count()).collect();
            alarmed.extend(rows.into_iter().map(|row| {
                let line = text.lines().nth(row.saturating_sub(1)).unwrap_or_default();
                format!("{}:{row}: {}", path.display(), line.trim())
            }));
        }
    }
}

#[test]
fn ordinary_code_is_left_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut lines, mut alarmed) = (0, Vec::new());
    for folder in ["src", "tests", "examples", "editors"] {
        alarms(&root.join(folder), &mut lines, &mut alarmed);
    }
    assert!(lines > 10_000, "{lines}");
    // One in a thousand; the aim is a tenth of that, but made-up keys stand in these tests.
    assert!(alarmed.len() * 1000 <= lines, "{} of {lines} lines:\n{}", alarmed.len(), alarmed.join("\n"));
}

/// Other people's code: the folders of `ASIDE_SECRETS_IN`, which `scripts/corpus` names. Prints what is found.
#[test]
fn other_peoples_code_is_left_alone() {
    let Ok(folders) = std::env::var("ASIDE_SECRETS_IN") else { return };
    let (mut lines, mut alarmed) = (0, Vec::new());
    for folder in folders.split(':') {
        alarms(Path::new(folder), &mut lines, &mut alarmed);
    }
    eprintln!("secrets: {} of {lines} lines are taken for one:\n{}", alarmed.len(), alarmed.join("\n"));
    assert!(lines > 10_000, "{lines}");
    assert!(alarmed.len() * 100 <= lines, "more than one in a hundred");
}
