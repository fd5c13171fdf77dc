//! The layers of configuration and how they are folded.

mod check;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use self::check::{Entry, check_all};
use super::{Environment, Options, Paths, Problem, Settings, Source, base_url, leaves, trust};
use crate::error::{Error, ErrorKind};

/// What every layer said: built-in < user file < workspace file < editor < environment < flags.
#[derive(Clone, Debug)]
pub struct Layers {
    user_file: PathBuf,
    user: Layer,
    workspace: Layer,
    initialization: Layer,
    editor: Layer,
    environment: Layer,
    flags: Layer,
}

/// What one layer said, checked.
#[derive(Clone, Debug, Default)]
struct Layer {
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

/// The outcome of all layers.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// What holds.
    pub settings: Settings,
    /// What was left out, in the order of the layers.
    pub problems: Vec<Problem>,
    /// Where each key that is not built-in came from, by its dotted `snake_case` name.
    pub origins: BTreeMap<String, Source>,
}

impl Resolved {
    /// Where a key's value came from.
    pub fn origin(&self, key: &str) -> Source {
        self.origins.get(key).cloned().unwrap_or(Source::BuiltIn)
    }

    /// An error when a problem must not be passed over: with an address that could not be used, code and key would go to
    /// the built-in address, and with a file of the user's that could not be read, what it excludes would be sent.
    pub fn usable(&self) -> Result<(), Error> {
        let fatal = self.problems.iter().find(|problem| {
            let is_whole_file =
                matches!(problem.source, Source::User(_) | Source::Environment(_)) && problem.key.is_empty();
            problem.source.is_trusted() && problem.key == "api.base_url" || is_whole_file
        });
        match fatal {
            Some(problem) => Err(Error::new(ErrorKind::Config, problem.to_string())
                .hint("Nothing is sent until this is corrected; `aside config path` names the files.")),
            None => Ok(()),
        }
    }
}

impl Layers {
    /// Reads the user's and the workspace's file and the environment. What cannot be read becomes a problem.
    pub fn load(env: &Environment, paths: &Paths, workspace_root: Option<&Path>) -> Self {
        let mut layers = Self {
            user_file: paths.config_file.clone(),
            user: Layer::default(),
            workspace: Layer::default(),
            initialization: Layer::default(),
            editor: Layer::default(),
            environment: Layer::from_environment(env),
            flags: Layer::default(),
        };
        let is_named = env.get("ASIDE_CONFIG").is_some();
        layers.user = Layer::from_file(&paths.config_file, &Source::User(paths.config_file.clone()), is_named);
        layers.set_workspace_root(workspace_root);
        layers
    }

    /// What a workspace's file with this text says, and nobody else.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_workspace_text(text: &str) -> Self {
        let env = Environment::from_pairs([("HOME", "/nonexistent")]);
        let workspace = Layer::from_text(text, &Source::Workspace(PathBuf::from(".aside/config.toml")));
        Self { workspace, ..Self::load(&env, &Paths::new(&env), None) }
    }

    /// Reads the workspace's file of another workspace, or again.
    pub fn set_workspace_root(&mut self, root: Option<&Path>) {
        self.workspace = match root.map(Paths::workspace_file) {
            // Whoever opens the configuration folder as a workspace has one file in both roles: the trusted one counts.
            Some(file) if file != self.user_file => Layer::from_file(&file, &Source::Workspace(file.clone()), false),
            _ => Layer::default(),
        };
    }

    /// Reads the user's file again.
    pub fn reload_user_file(&mut self) {
        let file = self.user_file.clone();
        self.user = Layer::from_file(&file, &Source::User(file.clone()), false);
    }

    /// Takes an editor's `initializationOptions`, bare or under `aside`.
    pub fn set_initialization_options(&mut self, value: Option<&Value>) {
        self.initialization = value.map(Layer::from_editor).unwrap_or_default();
    }

    /// Takes what a pull or a change notification of the editor says, bare or under `aside`. It replaces what an earlier
    /// one said and stands above `initializationOptions`; nothing, `null` and `{}` change nothing.
    pub fn set_editor(&mut self, value: Option<Value>) {
        let Some(mut settings) = value else { return };
        let section = settings.get_mut("aside").map(Value::take).unwrap_or(settings);
        let is_nothing = section.is_null() || section.as_object().is_some_and(Map::is_empty);
        if !is_nothing {
            self.editor = Layer::from_editor(&section);
        }
    }

    /// Takes what the command line says.
    pub fn set_flags(&mut self, flags: &Options) {
        let value = serde_json::to_value(flags).unwrap_or_default();
        self.flags = Layer::from_leaves(leaves::of_json(&value), &Source::Flag);
    }

    /// Folds the layers.
    pub fn resolve(&self) -> Resolved {
        let Self { user_file: _, user, workspace, initialization, editor, environment, flags } = self;
        let mut tree = Value::Object(Map::new());
        let mut problems = Vec::new();
        let mut origins = BTreeMap::new();
        for layer in [user, workspace, initialization, editor, environment, flags] {
            for entry in &layer.entries {
                entry.put_into(&mut tree);
                origins.insert(entry.key(), entry.source.clone());
            }
            problems.extend(layer.problems.iter().cloned());
        }
        refuse_clear_text(&mut tree, &mut problems, &mut origins);
        // Every value was taken alone and none of their types depends on another, so this cannot fail; a test tries.
        let taken = serde_json::from_value(tree);
        debug_assert!(taken.is_ok(), "{taken:?}");
        let options: Options = taken.unwrap_or_default();
        Resolved { settings: Settings::from_options(options), problems, origins }
    }
}

/// Takes an address out that would be sent to in the clear without being allowed to.
fn refuse_clear_text(tree: &mut Value, problems: &mut Vec<Problem>, origins: &mut BTreeMap<String, Source>) {
    let Some(api) = tree.get_mut("api").and_then(Value::as_object_mut) else { return };
    let hosts = api.get("http_hosts").cloned();
    let hosts: Vec<String> = hosts.and_then(|it| serde_json::from_value(it).ok()).unwrap_or_default();
    let url = api.get("base_url").and_then(Value::as_str).and_then(|url| url.trim().parse().ok());
    let Some(Err(message)) = url.map(|url| base_url::allows(&url, &hosts)) else { return };
    api.remove("base_url");
    let source = origins.remove("api.base_url").unwrap_or(Source::BuiltIn);
    let message = format!("`api.base_url`: {message}");
    problems.push(Problem { source, place: None, key: "api.base_url".to_owned(), message });
}

/// No configuration is this large; what is, is not read.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

impl Layer {
    /// `must_exist` is for a file that the user named.
    fn from_file(path: &Path, source: &Source, must_exist: bool) -> Self {
        let whole = |message: String| Self::broken(source.clone(), message);
        let text = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => return Self::default(),
            // A folder on the way is a file: there is no configuration there either.
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory && !must_exist => return Self::default(),
            Err(error) => return whole(format!("cannot be read: {error}")),
            // Reading a pipe or a device would never end.
            Ok(metadata) if !metadata.is_file() => return whole("cannot be read: not a file".into()),
            Ok(metadata) if metadata.len() > MAX_FILE_BYTES => return whole("cannot be read: larger than 1 MB".into()),
            Ok(_) => match std::fs::read(path).map(String::from_utf8) {
                Ok(Ok(text)) => text,
                Ok(Err(_)) => return whole("cannot be read: not UTF-8".into()),
                Err(error) => return whole(format!("cannot be read: {error}")),
            },
        };
        Self::from_text(&text, source)
    }

    fn from_text(text: &str, source: &Source) -> Self {
        match leaves::of_toml(text, source) {
            Ok(leaves) => Self::from_leaves(leaves, source),
            Err(problem) => Self { entries: Vec::new(), problems: vec![in_one_line(problem)] },
        }
    }

    fn from_editor(value: &Value) -> Self {
        let section = value.get("aside").unwrap_or(value);
        if section.is_object() || section.is_null() {
            return Self::from_leaves(leaves::of_json(value), &Source::Editor);
        }
        Self::broken(Source::Editor, "settings are an object, as in {\"model\": \"claude-sonnet-5-5\"}".to_owned())
    }

    fn from_environment(env: &Environment) -> Self {
        const SETTINGS: &str = "ASIDE_SETTINGS";
        const BASE_URL: &str = "ANTHROPIC_BASE_URL";
        let settings = match env.get(SETTINGS).map(serde_json::from_str::<Value>) {
            None => Self::default(),
            Some(Ok(value)) if value.is_object() => {
                Self::from_leaves(leaves::of_json(&value), &Source::Environment(SETTINGS))
            }
            Some(_) => {
                let message = "not a JSON object, so nothing in it counts".to_owned();
                Self::broken(Source::Environment(SETTINGS), message)
            }
        };
        let url = env.get(BASE_URL).map_or_else(Self::default, |url| {
            let value = serde_json::json!({ "api": { "base_url": url } });
            Self::from_leaves(leaves::of_json(&value), &Source::Environment(BASE_URL))
        });
        // The variable that other programs know too comes last and wins.
        Self {
            entries: settings.entries.into_iter().chain(url.entries).collect(),
            problems: settings.problems.into_iter().chain(url.problems).collect(),
        }
    }

    /// Nothing of it counts.
    fn broken(source: Source, message: String) -> Self {
        Self { entries: Vec::new(), problems: vec![Problem { source, place: None, key: String::new(), message }] }
    }

    fn from_leaves(leaves: Vec<leaves::Leaf>, source: &Source) -> Self {
        let (entries, problems) = check_all(leaves, source);
        Self { entries, problems: problems.into_iter().map(in_one_line).collect() }
    }
}

/// The problem without what would end a line or drive a terminal: its message quotes keys that anybody may have written.
fn in_one_line(mut problem: Problem) -> Problem {
    if problem.message.contains(char::is_control) {
        let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
        problem.message = problem.message.chars().map(shown).collect();
    }
    problem
}

/// What is wrong with the settings in a file of an editor, in words that repeat no value that may be a secret.
///
/// `is_personal` is for a file that no repository can bring along and whose editor sees to that.
pub fn editor_problems(settings: &Value, is_personal: bool) -> Vec<String> {
    let mut leaves = leaves::of_json(settings);
    let is_public = |leaf: &leaves::Leaf| match &leaf.value {
        Ok(Value::String(text)) => text.chars().count() < 16 && leaf.path.first().is_none_or(|key| key != "api"),
        Ok(Value::Array(_)) => false,
        _ => true,
    };
    let hidden: Vec<String> = leaves
        .iter()
        .filter(|leaf| !is_public(leaf))
        .filter_map(|leaf| Some(leaf.value.as_ref().ok()?.to_string()))
        .collect();
    let mut problems = Vec::new();
    if is_personal {
        let (own, rest) =
            leaves.into_iter().partition(|leaf| trust::judge(leaf, &Source::Editor) != trust::Verdict::Set);
        leaves = rest;
        problems.extend(check_all(own, &Source::Flag).1.into_iter().map(|mut problem| {
            if let Some((said, meant)) = problem.message.split_once("did you mean `") {
                problem.message = format!("{said}did you mean `{}", super::camel(meant));
            }
            problem
        }));
    }
    problems.extend(check_all(leaves, &Source::Editor).1);
    let tell = |problem: Problem| hidden.iter().fold(problem.message, |message, value| message.replace(value, "that"));
    problems.into_iter().map(tell).collect()
}

#[cfg(test)]
mod tests;
