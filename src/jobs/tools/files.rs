//! Reading a file, its outline, and what is in a folder.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize;

use super::{MOST_BYTES, Toolbox, WIDEST, shortened};
use crate::prompt::tags;
use crate::workspace::language;
use crate::workspace::secrets::{Whole, beginning};
use crate::workspace::syntax::{Item, Syntax};
use crate::workspace::walk::walk;

/// More lines are not given at once.
const MOST_LINES: usize = 800;

/// More entries of a folder are not given.
const MOST_ENTRIES: usize = 300;

/// More files of a project are not looked at.
pub(super) const MOST_FILES: usize = 20_000;

/// More items of a file are not given.
const MOST_ITEMS: usize = 400;

#[derive(Deserialize)]
pub(super) struct ReadFile {
    path: String,
    start_line: Option<usize>,
    end_line: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct ListFiles {
    #[serde(default)]
    path: String,
    glob: Option<String>,
    depth: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct Outline {
    path: String,
}

impl Toolbox<'_> {
    pub(super) fn read_file(&self, asked: &ReadFile) -> Result<String, String> {
        let path = self.resolve(&asked.path)?;
        let text = self.text(&path)?;
        let lines = lines(&text);
        let first = asked.start_line.unwrap_or(1).max(1);
        let wanted = asked.end_line.unwrap_or(lines.len()).min(lines.len());
        if lines.is_empty() {
            return Ok(format!("`{}` is empty.", self.shown(&path)));
        }
        if first > lines.len() {
            return Err(format!("`{}` has only {} lines.", self.shown(&path), lines.len()));
        }
        if wanted < first {
            return Err(format!("Line {wanted} is in front of line {first}."));
        }
        let mut bytes = 0;
        let given = lines[first - 1..wanted].iter().take(MOST_LINES).take_while(|line| {
            bytes += line.len();
            bytes <= MOST_BYTES
        });
        let given: Vec<&str> = given.copied().collect();
        let last = first + given.len() - 1;
        if given.is_empty() {
            return Err(format!("Line {first} of `{}` alone is too long to be given.", self.shown(&path)));
        }
        let start = lines[..first - 1].iter().map(|line| line.len()).sum::<usize>();
        let end = start + given.iter().map(|line| line.len()).sum::<usize>();
        let content = Whole::of(&text, self.redact).piece(start..end);
        let place =
            [("path", self.shown(&path)), ("lines", format!("{first}-{last}")), ("of", lines.len().to_string())];
        let place: Vec<(&str, &str)> = place.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut result = tags::wrap("file", &place, content.trim_end_matches(['\n', '\r']));
        if last < wanted {
            let _ = write!(result, "\nCut here: go on from line {}.", last + 1);
        }
        Ok(result)
    }

    pub(super) fn outline(&self, asked: &Outline) -> Result<String, String> {
        let path = self.resolve(&asked.path)?;
        let text = self.text(&path)?;
        let shown = self.shown(&path);
        let language = language::by_path(&path);
        let Some(syntax) = Syntax::parse(language, text.as_str()) else {
            return Err(format!("Aside has no outline of `{shown}`; read it instead."));
        };
        let items = syntax.items();
        if items.is_empty() {
            return Ok(format!("`{shown}` defines nothing with a name ({} lines).", lines(&text).len()));
        }
        let starts = line_starts(&text);
        let mut outline = String::new();
        for item in items.iter().take(MOST_ITEMS) {
            let depth = std::iter::successors(item.parent, |parent| items[*parent].parent).count();
            let _ =
                writeln!(outline, "{:indent$}{} {}", "", places(&starts, item), head(&text, item), indent = 2 * depth);
        }
        let mut result = tags::wrap("outline", &[("path", &shown)], outline.trim_end());
        if items.len() > MOST_ITEMS {
            let _ = write!(result, "\n{} more items are left out.", items.len() - MOST_ITEMS);
        }
        Ok(result)
    }

    pub(super) fn list_files(&self, asked: &ListFiles) -> Result<String, String> {
        let folder = self.resolve(&asked.path)?;
        if !folder.is_dir() {
            return Err(format!("There is no folder `{}`.", shortened(&asked.path)));
        }
        let glob = glob(asked.glob.as_deref())?;
        let depth = asked.depth.or(if glob.is_some() { None } else { Some(2) });
        let mut entries = BTreeSet::new();
        let mut left_out = 0;
        let whole = self.each_file(&folder, &mut |path| {
            let shown = self.shown(path);
            if glob.as_ref().is_some_and(|glob| !glob.is_match(&shown)) {
                return true;
            }
            // What is deeper stands for the folder that it is in.
            let below = path.strip_prefix(&folder).unwrap_or(path);
            let levels = below.components().count();
            let entry = match depth {
                Some(depth) if levels > depth => {
                    let folder = path.ancestors().nth(levels - depth).unwrap_or(path);
                    format!("{}/", self.shown(folder))
                }
                _ => shown,
            };
            if entries.len() < MOST_ENTRIES || entries.contains(&entry) {
                entries.insert(entry);
            } else {
                left_out += 1;
            }
            true
        })?;
        if entries.is_empty() {
            return Ok("There are no such files.".to_owned());
        }
        let list = entries.into_iter().collect::<Vec<_>>().join("\n");
        let mut result = tags::wrap("files", &[], &list);
        if left_out > 0 {
            result.push_str("\nMore are left out: name a folder or a glob.");
        }
        if !whole {
            result.push_str("\nThe project is too large to be listed whole: name a folder.");
        }
        Ok(result)
    }

    /// Visits the files below a folder that may be read, in order, until `visit` says no; whether all were visited.
    pub(super) fn each_file(&self, folder: &Path, visit: &mut dyn FnMut(&Path) -> bool) -> Result<bool, String> {
        let (_, access) = self.project()?;
        // Without the ignore files above the project and those of the machine: equal projects give equal results.
        let walk =
            walk(folder, |_| true).parents(false).git_global(false).sort_by_file_name(std::ffi::OsStr::cmp).build();
        let mut looks = 0;
        for entry in walk.flatten() {
            looks += 1;
            if looks > MOST_FILES || self.is_over() {
                return Ok(false);
            }
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            if is_file && access.may_read(entry.path()) && !visit(entry.path()) {
                return Ok(true);
            }
        }
        Ok(true)
    }
}

/// A glob of the model's: without a `/` it is about names anywhere.
pub(super) fn glob(pattern: Option<&str>) -> Result<Option<GlobMatcher>, String> {
    let Some(pattern) = pattern.filter(|pattern| !pattern.trim().is_empty()) else { return Ok(None) };
    let pattern = pattern.trim().trim_start_matches("./").trim_start_matches('/');
    let anywhere = if pattern.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") };
    let glob = GlobBuilder::new(&anywhere).literal_separator(true).build();
    glob.map(|glob| Some(glob.compile_matcher())).map_err(|error| format!("The glob is not right: {error}."))
}

/// The lines of a text with their ends.
pub(super) fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Where lines begin.
pub(super) fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// The line of an offset, from 1.
pub(super) fn line_of(starts: &[usize], at: usize) -> usize {
    starts.partition_point(|start| *start <= at)
}

/// An item's lines, as `12-40`.
pub(super) fn places(starts: &[usize], item: &Item) -> String {
    let last = item.span.end.saturating_sub(1).max(item.span.start);
    format!("{}-{}", line_of(starts, item.span.start), line_of(starts, last))
}

/// An item's signature in one line.
fn head(text: &str, item: &Item) -> String {
    let signature = text.get(item.name_span.start.min(item.signature.start)..item.signature.end).unwrap_or(&item.name);
    let first = signature.lines().find(|line| line.contains(&item.name)).map_or(signature, |line| {
        let at = signature.find(line).unwrap_or_default();
        &signature[at..]
    });
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = if line.is_empty() { &item.name } else { &line };
    shortened(beginning(line, WIDEST))
}
