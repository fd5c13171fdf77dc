//! Finding what defines a name, by syntax alone.

use std::fmt::Write as _;

use serde::Deserialize;

use super::files::{line_starts, places};
use super::{MOST_BYTES, Toolbox, shortened};
use crate::prompt::tags;
use crate::workspace::language;
use crate::workspace::secrets::Whole;
use crate::workspace::syntax::{Item, Syntax};

/// More definitions of one name are only named.
const MOST_SHOWN: usize = 6;

/// More are not looked for.
const MOST_FOUND: usize = 24;

/// More lines of one definition are not given.
const MOST_LINES: usize = 80;

/// A larger file is generated, or a world of its own.
const MOST_FILE_BYTES: u64 = 512 * 1024;

/// So much is parsed for one call.
const MOST_PARSED_BYTES: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
pub(super) struct FindDefinition {
    name: String,
    #[serde(default)]
    path: String,
}

impl Toolbox<'_> {
    pub(super) fn find_definition(&self, asked: &FindDefinition) -> Result<String, String> {
        let parts = parts(&asked.name);
        let Some((wanted, owners)) = parts.split_last() else {
            return Err("The name is empty.".to_owned());
        };
        let place = self.resolve(&asked.path)?;
        let (mut shown, mut found) = (String::new(), 0);
        let mut left = MOST_PARSED_BYTES;
        let mut look = |path: &std::path::Path| {
            let mut language = language::by_path(path);
            if language.grammar.is_none() || path.metadata().is_ok_and(|file| file.len() > MOST_FILE_BYTES) {
                return true;
            }
            let Ok(text) = self.text(path) else { return true };
            if !text.contains(wanted) {
                return true;
            }
            let Some(less) = left.checked_sub(text.len()) else { return false };
            left = less;
            // In C a header's name does not tell which of the two languages it is; the richer one reads both.
            if path.extension().is_some_and(|extension| extension == "h") {
                language = language::by_id("cpp");
            }
            let Some(syntax) = Syntax::parse(language, text.as_str()) else { return true };
            let items = syntax.items();
            let starts = line_starts(&text);
            let mut whole = None;
            for (index, item) in items.iter().enumerate() {
                let module = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                if !is_meant(&items, index, wanted, owners, module) {
                    continue;
                }
                let (path, lines) = (self.shown(path), places(&starts, item));
                if found < MOST_SHOWN && shown.len() < MOST_BYTES {
                    let whole = whole.get_or_insert_with(|| Whole::of(&text, self.redact));
                    let _ = writeln!(shown, "{}", definition(whole, &text, item, &path, &lines));
                } else {
                    let _ = writeln!(shown, "Also {path}:{lines}");
                }
                found += 1;
            }
            found < MOST_FOUND
        };
        let whole = if place.is_file() {
            self.text(&place)?;
            look(&place);
            true
        } else if place.is_dir() {
            self.each_file(&place, &mut look)?
        } else {
            return Err(format!("There is no file or folder `{}`.", shortened(&asked.path)));
        };
        let whole = whole && left > 0;
        if shown.is_empty() {
            let far =
                if whole { "in the project" } else { "as far as was looked; the project is large, name a folder" };
            return Ok(format!(
                "`{}` is not defined {far}. It may be a library's, or defined in a way that is not seen; `search` finds its uses.",
                shortened(&asked.name)
            ));
        }
        Ok(shown.trim_end().to_owned())
    }
}

/// The parts of a name such as `Store.load`, `Store::load` or `Store#load`.
fn parts(name: &str) -> Vec<&str> {
    let name = name.trim().trim_end_matches("()");
    name.split(['.', ':', '#', '\\'])
        .map(|part| part.trim_start_matches("->"))
        .filter(|part| !part.is_empty())
        .collect()
}

/// Whether an item is the one with this name, in something called as the last of `owners` where there are any; `module` is
/// what the file is called.
fn is_meant(items: &[Item], index: usize, wanted: &str, owners: &[&str], module: &str) -> bool {
    let item = &items[index];
    let own = parts(&item.name);
    if own.last() != Some(&wanted) {
        return false;
    }
    let Some(owner) = owners.last() else { return true };
    let around = item.parent.map(|parent| parts(&items[parent].name));
    own.iter().rev().nth(1) == Some(owner)
        // `impl Shape for Square`, `Store<T>`
        || around.is_some_and(|names| {
            names.iter().any(|name| name.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == *owner))
        })
        // A module is its file.
        || (item.parent.is_none() && module == *owner)
}

fn definition(whole: &Whole<'_>, text: &str, item: &Item, path: &str, lines: &str) -> String {
    let start = text[..item.span.start].rfind('\n').map_or(0, |at| at + 1);
    let blank = text[start..item.span.start].chars().all(char::is_whitespace);
    let start = if blank { start } else { item.span.start };
    let code = &text[start..item.span.end];
    let given = code.split_inclusive('\n').take(MOST_LINES).map(str::len).sum::<usize>();
    let cut = whole.piece(start..start + given);
    let mut result =
        tags::wrap("definition", &[("name", &item.name), ("path", path), ("lines", lines)], cut.trim_end());
    if given < code.len() {
        let _ = write!(result, "\nCut after {MOST_LINES} lines.");
    }
    result
}
