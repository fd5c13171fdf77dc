//! The catalogue: what a user can ask for, where it is offered, and what form its answer has.
//!
//! An action is data. Its instruction to the model is a MiniJinja template in a Markdown file (`builtin/*.md`), rendered by
//! [`crate::prompt`]; nothing here knows what is sent or how an answer is applied.

mod builtin;
mod catalogue;
mod folder;
pub mod target;
pub mod template;
mod unfinished;
pub mod user;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

pub use builtin::catalogue;
pub use catalogue::Catalogue;
pub use folder::{Folders, Loaded, Stamp, UserFile, user_folder, workspace_folder};
pub use unfinished::{LONGEST as LONGEST_UNFINISHED, is_comment, is_unfinished};

use crate::claude::types::Effort;
use crate::config::Settings;
use crate::error::{Error, ErrorKind};
use crate::unseen::is_unseen;
use crate::workspace::Language;

/// One thing a user can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The name in commands, settings and on the command line, such as `add-type-hints`.
    pub id: Cow<'static, str>,
    /// What it does, in the imperative and lower case, such as `add type hints`.
    pub title: String,
    /// The word between title and subject, such as `to`; none where the title takes its subject directly.
    pub link: Option<Cow<'static, str>>,
    /// One sentence for lists of the actions.
    pub summary: String,
    /// The LSP code action kind.
    pub kind: String,
    /// What its answer becomes.
    pub result: ResultForm,
    /// Where it is offered.
    pub applies: Applies,
    /// The MiniJinja template of what the model is told; empty for an action that asks no model.
    pub instruction: String,
    /// What only an action out of a file has; none for those that Aside comes with.
    pub custom: Option<Custom>,
}

/// What only an action out of a file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custom {
    /// Whose it is.
    pub origin: Origin,
    /// Its file.
    pub file: PathBuf,
    /// The SHA-256 of the file, by which a workspace's action is allowed.
    pub hash: String,
    /// The LSP ids of the languages that it is offered in; empty for all.
    pub languages: Vec<String>,
    /// The model that it asks for, where the user's settings name none for it.
    pub model: Option<String>,
    /// The effort that it asks for, likewise.
    pub effort: Option<Effort>,
    /// Where the new file goes that it makes: see [`target::place`]; none for other results.
    pub target: Option<String>,
}

/// Whose an action out of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The user's own.
    User,
    /// It came with a workspace.
    Workspace,
}

/// What the answer of an action becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultForm {
    /// Markdown to read.
    Explanation,
    /// A replacement of the selection.
    Edit,
    /// An addition to a test file, or a new one.
    Tests,
    /// A file that is not there yet, at a place that the action says.
    NewFile,
    /// Markdown to read or a replacement of the selection, as the model understands the question.
    Answer,
    /// Findings at places in the file.
    Diagnostics,
    /// Nothing is asked of a model; the action steers Aside itself.
    Control,
}

impl ResultForm {
    /// The name in lists and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Explanation => "explain",
            Self::Edit => "edit",
            Self::Tests => "tests",
            Self::NewFile => "new-file",
            Self::Answer => "answer",
            Self::Diagnostics => "diagnostics",
            Self::Control => "control",
        }
    }
}

/// Where an action is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Applies {
    /// In every file.
    Always,
    /// In languages where types may be written but need not be.
    OptionalTypes,
    /// In programming languages, as opposed to prose, data and markup.
    Programming,
    /// In programming languages, where a comment, a stub or a signature is selected.
    Unfinished,
    /// Where other tools report an error or a warning.
    Reported,
    /// Where the user can say what they want: in a prompt, or in the comment that is selected.
    Prompted,
    /// In an explanation of Aside's own.
    Explanations,
    /// On a link to a picture.
    Pictured,
    /// Only while something runs.
    WhileRunning,
}

impl Action {
    /// The action and what it works on, as in ``add type hints to `load` ``.
    pub fn phrase(&self, subject: Option<&str>) -> String {
        let Some(subject) = subject.map(one_line).filter(|subject| !subject.is_empty()) else {
            return self.title.clone();
        };
        match &self.link {
            Some(link) => format!("{} {link} `{subject}`", self.title),
            None => format!("{} `{subject}`", self.title),
        }
    }

    /// Whether the user's own words are what it is about.
    pub fn asks(&self) -> bool {
        matches!(self.applies, Applies::Prompted | Applies::Explanations)
    }

    /// Whether it is a conversation, with tools, instead of one task and one answer.
    pub fn converses(&self) -> bool {
        self.asks() || self.result == ResultForm::Diagnostics
    }

    /// Whether the settings leave this action on.
    pub fn enabled(&self, settings: &Settings) -> bool {
        settings.actions.get(self.id.as_ref()).and_then(|action| action.enabled) != Some(false)
    }

    /// Whether this action makes sense in a file of `language`, at the right place and time.
    pub fn applies_in(&self, language: &Language) -> bool {
        let languages = self.custom.as_ref().map_or(&[][..], |custom| &custom.languages);
        if !languages.is_empty() && !languages.iter().any(|id| id == language.id || id == language.family()) {
            return false;
        }
        match self.applies {
            Applies::Always | Applies::Reported | Applies::Prompted | Applies::Pictured => true,
            Applies::OptionalTypes => language.optional_types,
            Applies::Programming | Applies::Unfinished => language.programming,
            Applies::WhileRunning | Applies::Explanations => false,
        }
    }

    /// The settings for a run of this action: what its file asks for counts where the user's settings name nothing for it.
    pub fn settings(&self, settings: &Arc<Settings>) -> Arc<Settings> {
        let Some(custom) = self.custom.as_ref().filter(|custom| custom.model.is_some() || custom.effort.is_some())
        else {
            return settings.clone();
        };
        let mut settings = Settings::clone(settings);
        let own = settings.actions.entry(self.id.to_string()).or_default();
        own.model = own.model.take().or_else(|| custom.model.clone());
        own.effort = own.effort.or(custom.effort);
        Arc::new(settings)
    }

    fn applies_at(&self, place: &Place<'_>) -> bool {
        match self.applies {
            Applies::WhileRunning => place.running,
            Applies::Prompted => place.prompts || is_comment(place.language, place.text),
            Applies::Explanations => false,
            Applies::Unfinished => self.applies_in(place.language) && is_unfinished(place.language, place.text),
            Applies::Reported => !place.reports.is_empty(),
            Applies::Pictured => place.picture,
            Applies::Always | Applies::OptionalTypes | Applies::Programming => self.applies_in(place.language),
        }
    }
}

/// Where actions are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The document's language.
    pub language: &'a Language,
    /// What is selected, or the cursor's line; of what is longer than [`LONGEST_UNFINISHED`], as much or more.
    pub text: &'a str,
    /// The errors and warnings of other tools there, in their words.
    pub reports: &'a [&'a str],
    /// Whether it is a link to a picture.
    pub picture: bool,
    /// Whether there is anything to cancel.
    pub running: bool,
    /// Whether the user can be asked for a prompt.
    pub prompts: bool,
}

/// The action of Aside's own that is called `id`. The error (kind `config`) lists the actions there are and suggests the
/// nearest.
pub fn find(id: &str) -> Result<&'static Arc<Action>, Error> {
    find_in(catalogue(), id)
}

fn find_in<'a>(actions: &'a [Arc<Action>], id: &str) -> Result<&'a Arc<Action>, Error> {
    if let Some(action) = actions.iter().find(|action| action.id == id) {
        return Ok(action);
    }
    let known = list(actions.iter().map(|action| action.id.as_ref()));
    let error =
        Error::new(ErrorKind::Config, format!("There is no action `{}`. The actions are {known}.", one_line(id)));
    Err(match nearest(actions, id) {
        Some(action) => error.hint(format!("Did you mean `{}`?", action.id)),
        None => error.hint("`aside actions` says what each of them does."),
    })
}

/// The actions of Aside's own to offer at a place, in the order of the catalogue.
pub fn offered(place: &Place<'_>, settings: &Settings) -> Vec<&'static Arc<Action>> {
    offered_of(catalogue(), place, settings)
}

fn offered_of<'a>(actions: &'a [Arc<Action>], place: &Place<'_>, settings: &Settings) -> Vec<&'a Arc<Action>> {
    actions.iter().filter(|action| action.applies_at(place) && action.enabled(settings)).collect()
}

/// Names for a sentence.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The most similar name, if it is similar enough to have been meant.
fn nearest_name<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let scored = names.map(|name| (strsim::damerau_levenshtein(&word, name), strsim::jaro_winkler(&word, name), name));
    scored
        .filter(|(distance, similarity, name)| *distance <= 1 + name.len() / 4 || *similarity > 0.88)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(_, _, name)| name)
}

/// The title in an editor's menu, where actions of several servers stand side by side: recognisable first, then the
/// action, then what it works on (a name, such as `load_inventory`).
pub fn title_for(action: &Action, subject: Option<&str>) -> String {
    // Whoever wrote it may have given it the title of one that everybody knows.
    let of_workspace = action.custom.as_ref().is_some_and(|custom| custom.origin == Origin::Workspace);
    format!("Aside: {}{}", action.phrase(subject), if of_workspace { " (of this workspace)" } else { "" })
}

/// The title of an action that mends what other tools report: in their words, so that whoever opened the menu on one of
/// several complaints sees which are meant.
pub fn title_of_reports(action: &Action, reports: &[&str]) -> String {
    let Some(first) = reports.first().map(|first| one_line(first)).filter(|first| !first.is_empty()) else {
        return title_for(action, None);
    };
    let more = match reports.len() {
        1 => String::new(),
        several => format!(" (and {} more)", several - 1),
    };
    format!("Aside: {}: {first}{more}", action.title)
}

/// Names come from source files and arguments: keep them on one line, as they read, and within a menu's width.
pub fn one_line(name: &str) -> String {
    const WIDEST: usize = 60;
    let name: String = name.chars().filter(|c| !is_unseen(*c)).collect();
    let mut words = name.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = words.next().unwrap_or_default().to_owned();
    for word in words {
        line.push(' ');
        line.push_str(word);
    }
    if line.chars().count() > WIDEST {
        line = line.chars().take(WIDEST - 1).collect();
        line.push('…');
    }
    line
}

/// Names people try that are no misspelling of the right one.
const SYNONYMS: &[(&str, &str)] = &[
    ("types", "add-type-hints"),
    ("type-hints", "add-type-hints"),
    ("annotate", "add-type-hints"),
    ("hints", "add-type-hints"),
    ("tests", "write-tests"),
    ("test", "write-tests"),
    ("docs", "document"),
    ("doc", "document"),
    ("docstring", "document"),
    ("comment", "document"),
    ("describe", "explain"),
    ("refactor", "simplify"),
    ("clean-up", "simplify"),
    ("generate", "implement"),
    ("complete", "implement"),
    ("image", "describe-image"),
    ("alt", "describe-image"),
    ("alt-text", "describe-image"),
    ("picture", "describe-image"),
    ("repair", "fix"),
    ("mend", "fix"),
    ("quickfix", "fix"),
    ("question", "ask"),
    ("chat", "ask"),
    ("followup", "follow-up"),
    ("check", "review"),
    ("lint", "review"),
    ("stop", "cancel"),
    ("abort", "cancel"),
];

fn nearest<'a>(actions: &'a [Arc<Action>], id: &str) -> Option<&'a Arc<Action>> {
    let wanted = id.trim().to_lowercase().replace(['_', ' '], "-");
    if wanted.is_empty() || wanted.len() > 60 {
        return None;
    }
    let wanted = SYNONYMS.iter().find(|(synonym, _)| *synonym == wanted).map_or(wanted.as_str(), |(_, name)| name);
    actions
        .iter()
        .map(|action| (strsim::normalized_damerau_levenshtein(wanted, &action.id), action))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, action)| action)
}

#[cfg(test)]
mod tests;
