//! Searching the project's files for lines, with Rust's regular expressions.

use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::files::glob;
use super::{MOST_BYTES, Toolbox, shortened};
use crate::prompt::tags;
use crate::workspace::secrets::{Whole, beginning};

/// More lines are not given.
const MOST_MATCHES: usize = 100;

/// More lines of one file are not given, so that others have their turn.
const MOST_IN_A_FILE: usize = 30;

/// More characters of a line are not given.
const MOST_IN_A_LINE: usize = 240;

/// A larger file is generated, or data.
const MOST_FILE_BYTES: u64 = 1024 * 1024;

/// A regular expression that needs more memory is refused.
const MOST_REGEX_BYTES: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
pub(super) struct Search {
    pattern: String,
    #[serde(default)]
    path: String,
    glob: Option<String>,
    #[serde(default)]
    literal: bool,
    #[serde(default)]
    ignore_case: bool,
}

impl Toolbox<'_> {
    pub(super) fn search(&self, asked: &Search) -> Result<String, String> {
        let matcher = matcher(asked)?;
        let glob = glob(asked.glob.as_deref())?;
        let place = self.resolve(&asked.path)?;
        let mut found = Found::default();
        let mut look = |path: &std::path::Path| {
            let shown = self.shown(path);
            if glob.as_ref().is_some_and(|glob| !glob.is_match(&shown)) {
                return true;
            }
            if path.metadata().is_ok_and(|file| file.len() > MOST_FILE_BYTES) {
                return true;
            }
            if let Ok(text) = self.text(path) {
                found.take(&matcher, &shown, &text, self.redact);
            }
            !found.is_full
        };
        let whole = if place.is_file() {
            // What may not be read is not there.
            self.text(&place)?;
            look(&place);
            true
        } else if place.is_dir() {
            self.each_file(&place, &mut look)?
        } else {
            return Err(format!("There is no file or folder `{}`.", shortened(&asked.path)));
        };
        if found.lines.is_empty() {
            let end = if whole { "." } else { ", as far as was searched: the project is large, name a folder." };
            return Ok(format!("Nothing matches{end}"));
        }
        let mut result = tags::wrap("matches", &[("pattern", &asked.pattern)], found.lines.trim_end());
        if found.left_out > 0 {
            let _ = write!(result, "\n{} more lines of these files match.", found.left_out);
        }
        if found.is_full {
            result.push_str("\nMore may match in other files: narrow the search.");
        } else if !whole {
            result.push_str("\nThe project is too large to be searched whole: name a folder.");
        }
        Ok(result)
    }
}

fn matcher(asked: &Search) -> Result<Regex, String> {
    if asked.pattern.is_empty() {
        return Err("The pattern is empty.".to_owned());
    }
    let has_escaped_break = !asked.literal && asked.pattern.replace(r"\\", "").contains(r"\n");
    if asked.pattern.contains('\n') || has_escaped_break {
        return Err("A pattern is looked for in each line by itself: it cannot have a line break.".to_owned());
    }
    let pattern = if asked.literal { regex::escape(&asked.pattern) } else { asked.pattern.clone() };
    let built = RegexBuilder::new(&pattern)
        .case_insensitive(asked.ignore_case)
        .size_limit(MOST_REGEX_BYTES)
        .dfa_size_limit(MOST_REGEX_BYTES)
        .build();
    built.map_err(|error| {
        format!(
            "The pattern is not right: {}. With `literal` it is taken as plain text.",
            shortened(&error.to_string())
        )
    })
}

/// The lines that match.
#[derive(Default)]
struct Found {
    lines: String,
    count: usize,
    left_out: usize,
    is_full: bool,
}

impl Found {
    fn take(&mut self, matcher: &Regex, path: &str, text: &str, redact: bool) {
        let mut whole = None;
        let (mut at, mut in_file) = (0, 0);
        for (number, piece) in (1..).zip(text.split_inclusive('\n')) {
            let line = piece.strip_suffix('\n').unwrap_or(piece);
            let line = line.strip_suffix('\r').unwrap_or(line);
            let span = at..at + line.len();
            at += piece.len();
            if !matcher.is_match(line) {
                continue;
            }
            in_file += 1;
            if in_file > MOST_IN_A_FILE {
                self.left_out += 1;
                continue;
            }
            if self.count >= MOST_MATCHES || self.lines.len() > MOST_BYTES {
                self.is_full = true;
                return;
            }
            self.count += 1;
            let line = whole.get_or_insert_with(|| Whole::of(text, redact)).piece(span);
            let _ = writeln!(self.lines, "{path}:{number}: {}", beginning(line.trim_end(), MOST_IN_A_LINE));
        }
    }
}
