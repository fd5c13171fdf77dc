//! Which files of which workspaces the user allowed, by their content.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::Paths;
use crate::error::{Error, ErrorKind};

/// The list of what the user allowed; a small file in the data folder, where no workspace can write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustStore {
    file: PathBuf,
}

/// What was allowed in one workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Allowed {
    /// The hashes of each file's allowed contents, by its name.
    files: BTreeMap<String, BTreeSet<String>>,
}

impl Allowed {
    /// Whether a file with this content was allowed.
    pub fn contains(&self, name: &str, hash: &str) -> bool {
        self.files.get(name).is_some_and(|hashes| hashes.contains(hash))
    }

    /// The names of the files, each with the contents that were allowed.
    pub fn files(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.files.iter().map(|(name, hashes)| (name.as_str(), hashes))
    }
}

/// The file's content.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Stored {
    /// By the workspace's folder, without links.
    workspaces: BTreeMap<String, Allowed>,
}

impl TrustStore {
    /// The user's list.
    pub fn new(paths: &Paths) -> Self {
        Self { file: paths.data_dir.join("trust.json") }
    }

    /// Where the list is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What was allowed in a workspace. A list that cannot be read allows nothing.
    pub fn allowed(&self, root: &Path) -> Allowed {
        let Some(key) = key(root) else { return Allowed::default() };
        self.read().unwrap_or_default().workspaces.remove(&key).unwrap_or_default()
    }

    /// What was allowed anywhere, by the workspace's folder.
    ///
    /// # Errors
    /// The list is there and cannot be read.
    pub fn all(&self) -> Result<BTreeMap<String, Allowed>, Error> {
        Ok(self.read()?.workspaces)
    }

    /// Allows files with these names and hashes.
    ///
    /// # Errors
    /// The workspace is not there, or the list cannot be written.
    pub fn allow(&self, root: &Path, files: impl IntoIterator<Item = (String, String)>) -> Result<(), Error> {
        let Some(key) = key(root) else {
            return Err(Error::new(ErrorKind::Config, format!("There is no folder {}.", root.display())));
        };
        self.change(|stored| {
            let allowed = &mut stored.workspaces.entry(key).or_default().files;
            for (name, hash) in files {
                allowed.entry(name).or_default().insert(hash);
            }
        })
    }

    /// Takes back what was allowed in a workspace, or of one file in it; whether there was anything.
    ///
    /// # Errors
    /// The list cannot be written.
    pub fn revoke(&self, root: &Path, name: Option<&str>) -> Result<bool, Error> {
        // A folder that is gone can be taken from the list by the name that stands there.
        let key = key(root).or_else(|| root.to_str().map(str::to_owned)).unwrap_or_default();
        let mut found = false;
        self.change(|stored| match name {
            None => found = stored.workspaces.remove(&key).is_some(),
            Some(name) => {
                if let Some(allowed) = stored.workspaces.get_mut(&key) {
                    found = allowed.files.remove(name).is_some();
                    if allowed.files.is_empty() {
                        stored.workspaces.remove(&key);
                    }
                }
            }
        })?;
        Ok(found)
    }

    fn read(&self) -> Result<Stored, Error> {
        match fs::read(&self.file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Error::new(ErrorKind::Config, format!("{} is damaged: {error}.", self.file.display()))
                    .hint("Nothing in it counts. Remove it, and allow again what you want.")
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Stored::default()),
            Err(error) => Err(self.failed("read", &error)),
        }
    }

    /// Changes the list, whole or not at all, one process after the other.
    fn change(&self, change: impl FnOnce(&mut Stored)) -> Result<(), Error> {
        let folder = self.file.parent().unwrap_or(&self.file);
        let failed = |error: std::io::Error| self.failed("written", &error);
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = File::create(self.file.with_extension("lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut stored = self.read()?;
        change(&mut stored);
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        let text = serde_json::to_string_pretty(&stored).unwrap_or_default();
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.persist(&self.file).map_err(|error| failed(error.error))?;
        Ok(())
    }

    fn failed(&self, what: &str, error: &std::io::Error) -> Error {
        Error::new(ErrorKind::Config, format!("{} could not be {what}: {error}.", self.file.display()))
    }
}

/// A workspace's name in the list: where it really is.
fn key(root: &Path) -> Option<String> {
    root.canonicalize().ok()?.to_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn store(folder: &Path) -> TrustStore {
        let data = folder.join("data");
        TrustStore::new(&Paths::new(&Environment::from_pairs([("ASIDE_DATA_DIR", data.to_str().unwrap())])))
    }

    #[test]
    fn what_is_allowed_is_one_content_of_one_file_in_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
        fs::create_dir(&one).unwrap();
        fs::create_dir(&two).unwrap();
        assert!(!store.allowed(&one).contains("a.md", "h1"));
        store.allow(&one, [("a.md".to_owned(), "h1".to_owned())]).unwrap();
        store.allow(&one, [("b.md".to_owned(), "h2".to_owned())]).unwrap();
        let allowed = store.allowed(&one.join("../one"));
        assert!(allowed.contains("a.md", "h1") && allowed.contains("b.md", "h2"));
        assert!(!allowed.contains("a.md", "h2") && !allowed.contains("c.md", "h1"));
        assert!(!store.allowed(&two).contains("a.md", "h1"));
        assert!(store.revoke(&one, Some("a.md")).unwrap());
        assert!(!store.allowed(&one).contains("a.md", "h1") && store.allowed(&one).contains("b.md", "h2"));
        assert!(store.revoke(&one, None).unwrap() && !store.revoke(&one, None).unwrap());
        assert_eq!(store.all().unwrap(), BTreeMap::new());
        assert!(store.allow(&folder.path().join("gone"), []).is_err());
    }

    #[test]
    fn a_damaged_list_allows_nothing_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        store.allow(folder.path(), [("a.md".to_owned(), "h1".to_owned())]).unwrap();
        fs::write(store.file(), "{\"workspaces\": [").unwrap();
        assert_eq!(store.allowed(folder.path()), Allowed::default());
        assert_eq!(store.all().unwrap_err().kind, ErrorKind::Config);
        assert!(store.allow(folder.path(), []).is_err());
        assert_eq!(fs::read_to_string(store.file()).unwrap(), "{\"workspaces\": [");
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        std::thread::scope(|scope| {
            for number in 0..16 {
                let (store, root) = (&store, folder.path());
                scope.spawn(move || store.allow(root, [(format!("{number}.md"), "h".to_owned())]).unwrap());
            }
        });
        assert_eq!(store.allowed(folder.path()).files().count(), 16);
    }
}
