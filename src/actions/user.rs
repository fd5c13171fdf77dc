//! An action out of a Markdown file: YAML front matter that says what it is, and the task as a template.

mod front_matter;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use self::front_matter::{Entry, Text, Value, front_matter};
use super::{Action, Applies, Custom, Origin, ResultForm, target, template};
use crate::claude::types::Effort;
use crate::config::ModelId;
use crate::hash::sha256;
use crate::unseen::is_unseen;
use crate::workspace::language;

/// A file may have this many bytes; an instruction that is longer is a document, and belongs to the project's rules.
pub const MAX_FILE_BYTES: u64 = 32 * 1024;

/// A name as long as this is no name.
const MAX_ID_CHARS: usize = 40;
const MAX_TITLE_CHARS: usize = 60;

/// The keys of the front matter.
const KEYS: &[&str] = &["title", "kind", "result", "file", "languages", "model", "effort"];

/// What only the user's own configuration says.
const NEVER: &[&str] = &["api", "budget", "prices", "privacy"];

const RESULTS: &[&str] = &["explain", "edit", "new-file", "diagnostics"];
const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// Names that are Aside's own, whether or not this version has them.
const RESERVED: &[&str] = &["fix", "review", "ask", "describe-image", "follow-up", "cancel", "hover", "prewarm"];

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The action; none if anything is wrong with the file, so that nobody runs something else than they wrote.
    pub action: Option<Action>,
    /// What is wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 0.
    pub line: usize,
    /// The columns, from 0, in characters; empty for the whole line.
    pub columns: Range<usize>,
    /// What it is, and the nearest valid name where there is one.
    pub message: String,
}

impl Problem {
    /// Something about a file as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { line: 0, columns: 0..0, message: message.into() }
    }
}

/// Reads the text of an action's file.
pub fn parse(path: &Path, origin: Origin, text: &str) -> Parsed {
    let mut problems = Vec::new();
    let id = id_of(path).map_err(|message| problems.push(Problem::whole(message))).ok();
    let parts = match front_matter(text) {
        Ok(parts) => parts,
        Err(problem) => {
            problems.push(problem);
            return Parsed { action: None, problems };
        }
    };
    let mut header = Header::default();
    for entry in &parts.entries {
        if let Err(problem) = header.take(entry) {
            problems.push(problem);
        }
    }
    problems.extend(header.contradiction(&parts.entries));
    let body = parts.body.trim();
    let above = parts.body.len() - parts.body.trim_start().len();
    let first = parts.first_line + parts.body[..above].matches('\n').count();
    if body.is_empty() {
        problems.push(Problem {
            line: parts.first_line.saturating_sub(1),
            ..Problem::whole("there is no task: say below the front matter what is to be done")
        });
    } else if let Some(error) = template::problem(body) {
        problems.push(Problem { line: first + error.line - 1, ..Problem::whole(error.message) });
    }
    problems.sort_by_key(|problem| (problem.line, problem.columns.start));
    let action = match id {
        Some(id) if problems.is_empty() => Some(header.action(id, body, path, origin, sha256(text))),
        _ => None,
    };
    Parsed { action, problems }
}

/// An action's id: the file's name without its ending.
fn id_of(path: &Path) -> Result<&str, String> {
    let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_name = id.starts_with(is_letter)
        && id.ends_with(is_letter)
        && id.chars().all(|c| is_letter(c) || c == '-')
        && id.len() <= MAX_ID_CHARS;
    if !is_name {
        return Err(format!(
            "the file's name is the action's, so it has lower-case letters, digits and dashes only, at most \
             {MAX_ID_CHARS}, as in `check-sql.md`"
        ));
    }
    if RESERVED.contains(&id) || super::catalogue().iter().any(|action| action.id == id) {
        return Err(format!("`{id}` is an action of Aside's own; give the file another name"));
    }
    Ok(id)
}

/// What front matter said, checked.
#[derive(Default)]
struct Header {
    title: Option<String>,
    kind: Option<String>,
    result: Option<ResultForm>,
    target: Option<String>,
    languages: Vec<String>,
    model: Option<String>,
    effort: Option<Effort>,
}

impl Header {
    fn take(&mut self, entry: &Entry) -> Result<(), Problem> {
        let at = &entry.key;
        match at.word.as_str() {
            "title" => self.title = Some(title(one(entry)?)?),
            "kind" => self.kind = Some(kind(one(entry)?)?),
            "result" => self.result = Some(result(one(entry)?)?),
            "file" => {
                let value = one(entry)?;
                if let Some(problem) = target::problem(&value.word) {
                    return Err(value.problem(format!("`file` says where the new file goes: {problem}")));
                }
                self.target = Some(value.word.clone());
            }
            "languages" => self.languages = languages(entry)?,
            "model" => {
                let value = one(entry)?;
                let id = ModelId::from_str(&value.word).map_err(|error| value.problem(error))?;
                self.model = Some(id.into());
            }
            "effort" => {
                let value = one(entry)?;
                let effort = serde_json::from_value(serde_json::Value::String(value.word.clone()));
                self.effort = Some(effort.map_err(|_| choice(value, "effort", EFFORTS))?);
            }
            key if NEVER.iter().any(|section| key == *section || key.starts_with(&format!("{section}."))) => {
                return Err(at.problem(format!(
                    "`{key}` does not belong here: where code is sent, what it costs and what is kept back is said in \
                     your own configuration only (`aside config path`)"
                )));
            }
            key => {
                let hint = super::nearest_name(key, KEYS.iter().copied()).map_or_else(
                    || format!("there are {}", super::list(KEYS.iter().copied())),
                    |name| format!("did you mean `{name}`?"),
                );
                return Err(at.problem(format!("there is no key `{}`; {hint}", key.escape_debug())));
            }
        }
        Ok(())
    }

    /// What is right by itself and wrong together.
    fn contradiction(&self, entries: &[Entry]) -> Option<Problem> {
        let key = |word: &str| entries.iter().find(|entry| entry.key.word == word).map(|entry| &entry.key);
        let makes_file = self.result == Some(ResultForm::NewFile);
        match (key("result"), key("file")) {
            (Some(result), None) if makes_file => Some(result.problem(
                "a `new-file` needs `file`, which says where it goes, such as `file: \"{{ folder }}/{{ stem }}_fake.{{ \
                 extension }}\"`"
                    .to_owned(),
            )),
            (_, Some(file)) if !makes_file => {
                Some(file.problem("`file` says where a new file goes; it needs `result: new-file`".to_owned()))
            }
            _ => None,
        }
    }

    fn action(self, id: &str, body: &str, file: &Path, origin: Origin, hash: String) -> Action {
        let result = self.result.unwrap_or(ResultForm::Explanation);
        let title = self.title.unwrap_or_else(|| id.replace('-', " "));
        let of = match origin {
            Origin::User => "Your own action",
            Origin::Workspace => "An action of this workspace",
        };
        Action {
            id: id.to_owned().into(),
            summary: format!("{of}: {title}."),
            title,
            link: None,
            kind: self.kind.unwrap_or_else(|| own_kind(result)) + "." + &crate::config::camel(&id.replace('-', "_")),
            result,
            applies: Applies::Always,
            instruction: body.to_owned(),
            custom: Some(Custom {
                origin,
                file: file.to_owned(),
                hash,
                languages: self.languages,
                model: self.model,
                effort: self.effort,
                target: self.target,
            }),
        }
    }
}

/// The value of a key that takes one.
fn one(entry: &Entry) -> Result<&Text, Problem> {
    match &entry.value {
        Value::One(text) if !text.word.trim().is_empty() => Ok(text),
        Value::One(_) => Err(entry.key.problem(format!("`{}` has no value", entry.key.word))),
        Value::Many(_) | Value::Other => {
            Err(entry.key.problem(format!("`{}` takes one value, not a list or a section", entry.key.word)))
        }
    }
}

fn title(value: &Text) -> Result<String, Problem> {
    let title = value.word.trim();
    // What turns the direction of writing can make a title say something else than it is.
    if title.chars().any(|c| c.is_control() || is_unseen(c)) {
        return Err(value.problem("`title` is one line of plain text".to_owned()));
    }
    if title.chars().count() > MAX_TITLE_CHARS {
        return Err(value.problem(format!("`title` has at most {MAX_TITLE_CHARS} characters: it stands in a menu")));
    }
    Ok(title.to_owned())
}

/// The part in front of the action's own name. Nothing that editors run by themselves, as they do with `source`.
fn kind(value: &Text) -> Result<String, Problem> {
    const KINDS: &[&str] = &["refactor", "refactor.rewrite", "quickfix"];
    let asked = value.word.trim();
    match KINDS.iter().find(|kind| **kind == asked.strip_suffix(".aside").unwrap_or(asked)) {
        Some(kind) => Ok(format!("{kind}.aside")),
        None => Err(choice(value, "kind", KINDS)),
    }
}

fn own_kind(result: ResultForm) -> String {
    let kind = if result == ResultForm::Edit { "refactor.rewrite" } else { "refactor" };
    format!("{kind}.aside")
}

fn result(value: &Text) -> Result<ResultForm, Problem> {
    match value.word.trim() {
        "explain" => Ok(ResultForm::Explanation),
        "edit" => Ok(ResultForm::Edit),
        "new-file" => Ok(ResultForm::NewFile),
        "diagnostics" => Ok(ResultForm::Diagnostics),
        _ => Err(choice(value, "result", RESULTS)),
    }
}

fn languages(entry: &Entry) -> Result<Vec<String>, Problem> {
    let values = match &entry.value {
        Value::One(_) => std::slice::from_ref(one(entry)?),
        Value::Many(values) => values.as_slice(),
        Value::Other => return Err(entry.key.problem("`languages` takes a list of names".to_owned())),
    };
    let mut ids = Vec::with_capacity(values.len());
    for value in values {
        let name = value.word.trim().to_lowercase();
        let known = language::by_id(&name);
        if known == &language::PLAIN && name != language::PLAIN.id {
            let all: Vec<&str> = language::all().iter().map(|language| language.id).collect();
            let hint = super::nearest_name(&name, all.into_iter()).map_or_else(
                || "`aside actions --language` knows them".to_owned(),
                |id| format!("did you mean `{id}`?"),
            );
            return Err(value.problem(format!("there is no language `{}`; {hint}", name.escape_debug())));
        }
        ids.push(known.id.to_owned());
    }
    Ok(ids)
}

fn choice(value: &Text, key: &str, choices: &[&str]) -> Problem {
    let hint = super::nearest_name(value.word.trim(), choices.iter().copied())
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default();
    let choices = super::list(choices.iter().copied());
    value.problem(format!("`{key}` is one of {choices}, not `{}`{hint}", value.word.trim().escape_debug()))
}
