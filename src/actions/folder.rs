//! The folders of users' own actions, as they are on disk.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::user::{MAX_FILE_BYTES, Problem, parse};
use super::{Action, Catalogue, Origin};
use crate::config::{Paths, TrustStore};

/// A folder may have this many actions; a menu is no use with more.
const MAX_FILES: usize = 100;

/// Where own actions are, and who says which of them may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    user: PathBuf,
    /// The workspace's folder.
    root: Option<PathBuf>,
    trust: TrustStore,
}

/// What is in the folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The actions.
    pub catalogue: Arc<Catalogue>,
    /// The files of own actions, the user's first.
    pub files: Vec<UserFile>,
}

/// A file of an own action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whose it is.
    pub origin: Origin,
    /// What is wrong with it; then it is no action.
    pub problems: Vec<Problem>,
}

/// Whether anything in the folders changed, to be held against an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, u64, Option<SystemTime>)>);

impl Folders {
    /// The user's folder, and the one of the workspace at `root`.
    pub fn new(paths: &Paths, root: Option<&Path>) -> Self {
        Self { user: user_folder(paths), root: root.map(Path::to_owned), trust: TrustStore::new(paths) }
    }

    /// A stamp of what there is: a few questions to the file system, and no file is read.
    pub fn stamp(&self) -> Stamp {
        let mut stamp = Vec::new();
        let mut add = |path: PathBuf| {
            if let Ok(file) = fs::metadata(&path) {
                stamp.push((path, file.len(), file.modified().ok()));
            }
        };
        for path in self.folders().flat_map(|(_, folder)| files(&folder)) {
            add(path);
        }
        add(self.trust.file().to_owned());
        Stamp(stamp)
    }

    /// Reads the folders. What cannot be read is a problem of its file.
    pub fn load(&self) -> Loaded {
        let mut actions: HashMap<String, Arc<Action>> = HashMap::new();
        let mut loaded: Vec<UserFile> = Vec::new();
        let mut order = Vec::new();
        for (origin, folder) in self.folders() {
            for (index, path) in files(&folder).into_iter().enumerate() {
                let read = match index {
                    0..MAX_FILES => self.read(&path, origin),
                    _ => Err(format!(
                        "there are more than {MAX_FILES} actions in this folder, so this one does not count"
                    )),
                };
                let mut problems = Vec::new();
                match read.map(|text| parse(&path, origin, &text)) {
                    Err(message) => problems.push(Problem::whole(message)),
                    Ok(parsed) => {
                        problems.extend(parsed.problems);
                        if let Some(action) = parsed.action {
                            let id = action.id.to_string();
                            match actions.entry(id.clone()) {
                                Entry::Occupied(_) => {
                                    let message = format!("you have an action `{id}` of your own, which counts");
                                    problems.push(Problem::whole(message));
                                }
                                Entry::Vacant(place) => {
                                    order.push(id);
                                    place.insert(Arc::new(action));
                                }
                            }
                        }
                    }
                }
                loaded.push(UserFile { path, origin, problems });
            }
        }
        let allowed = self.root.as_deref().map(|root| self.trust.allowed(root)).unwrap_or_default();
        let all = order.iter().filter_map(|id| actions.remove(id));
        let may_run = |action: &Arc<Action>| {
            let custom = action.custom.as_ref();
            custom.is_some_and(|own| own.origin == Origin::User || allowed.contains(&name_of(&own.file), &own.hash))
        };
        let (own, waiting): (Vec<_>, Vec<_>) = all.partition(may_run);
        Loaded { catalogue: Arc::new(Catalogue::with(own, waiting)), files: loaded }
    }

    /// Allows these actions of the workspace, as they were read.
    ///
    /// # Errors
    /// There is no workspace, or the disk will not have it.
    pub fn allow(&self, actions: &[Arc<Action>]) -> Result<(), crate::error::Error> {
        let Some(root) = &self.root else { return Ok(()) };
        let files = actions.iter().filter_map(|action| action.custom.as_ref());
        self.trust.allow(root, files.map(|own| (name_of(&own.file), own.hash.clone())))
    }

    /// Whether a file is, or would be, one of an own action.
    pub fn origin_of(&self, path: &Path) -> Option<Origin> {
        let is_markdown = path.extension().is_some_and(|ending| ending == "md");
        let folder = path.parent()?;
        self.folders().find(|(_, own)| is_markdown && own == folder).map(|(origin, _)| origin)
    }

    fn folders(&self) -> impl Iterator<Item = (Origin, PathBuf)> {
        let workspace = self.root.as_deref().map(workspace_folder).filter(|folder| *folder != self.user);
        let workspace = workspace.map(|folder| (Origin::Workspace, folder));
        std::iter::once((Origin::User, self.user.clone())).chain(workspace)
    }

    /// A file's text. What comes with a workspace is read only if it really is in it.
    fn read(&self, path: &Path, origin: Origin) -> Result<String, String> {
        let unreadable = |error: std::io::Error| format!("this file cannot be read: {error}");
        if let (Origin::Workspace, Some(root)) = (origin, &self.root) {
            let (file, root) = (path.canonicalize().map_err(unreadable)?, root.canonicalize().map_err(unreadable)?);
            if !file.starts_with(&root) {
                return Err("this is a link out of the workspace, which is not followed".to_owned());
            }
        }
        // Opening a pipe would wait for whoever writes to it.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err("this is not a file".to_owned());
        }
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(format!(
                "an action has at most {} KB; what is longer belongs to `.aside/rules.md`",
                MAX_FILE_BYTES / 1024
            ));
        }
        String::from_utf8(bytes).map_err(|_| "this file is not UTF-8".to_owned())
    }
}

/// The folder of the user's own actions.
pub fn user_folder(paths: &Paths) -> PathBuf {
    paths.config_dir.join("actions")
}

/// The folder of a workspace's actions.
pub fn workspace_folder(root: &Path) -> PathBuf {
    root.join(".aside").join("actions")
}

/// The Markdown files of a folder, by name. A page about the folder is not an action.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_action = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.ends_with(".md") && !name.starts_with('.') && !name.eq_ignore_ascii_case("readme.md")
    };
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(is_action).take(MAX_FILES + 1).collect();
    files.sort_unstable();
    files
}

fn name_of(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
