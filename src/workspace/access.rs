//! Which files of a workspace may be read for a prompt without the user naming them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::LazyLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::roots::normalized;
use super::test_files::Files;

/// Files that hold keys by custom, wherever they are.
static SECRET: LazyLock<GlobSet> = LazyLock::new(|| globs(SECRET_NAMES.iter().copied()));

const SECRET_NAMES: &[&str] = &[
    "**/.env",
    "**/.env.*",
    "**/*.env",
    "**/.envrc",
    "**/*.pem",
    "**/*.key",
    "**/*.p8",
    "**/*.p12",
    "**/*.pfx",
    "**/*.jks",
    "**/*.keystore",
    "**/*.kdbx",
    "**/*.tfstate*",
    "**/*.tfvars",
    "**/id_{rsa,dsa,ecdsa,ed25519}*",
    "**/.{netrc,npmrc,pypirc,pgpass,htpasswd,git-credentials}",
    "**/{credentials,secrets}",
    "**/{credentials,secrets}.{json,yml,yaml,toml,ini,env,xml,properties}",
    "**/.{git,hg,svn,ssh,aws,azure,gnupg,kube,docker}/**",
];

/// Where a workspace says what is not for Aside's eyes, in the form of a `.gitignore`.
const OWN_IGNORE: &str = ".aside/ignore";

/// What may be read below one folder.
pub struct Access {
    root: PathBuf,
    /// The same without links; `None` when there is no such folder, and then nothing may be read.
    real_root: Option<PathBuf>,
    excluded: GlobSet,
    own: Option<Gitignore>,
    /// What the `.gitignore` of a folder says; `None` if it has none.
    ignored: RefCell<HashMap<PathBuf, Option<Rc<Gitignore>>>>,
}

impl Access {
    /// What may be read below `root`: nothing that `exclude` (the setting `privacy.exclude`), `.gitignore` or
    /// `.aside/ignore` names, nothing that holds keys by custom, and nothing that is outside by way of a link.
    pub fn new(root: &Path, exclude: &[String]) -> Self {
        let root = normalized(root);
        let excluded: Vec<String> = exclude.iter().flat_map(|glob| anywhere(glob)).collect();
        Self {
            real_root: root.canonicalize().ok(),
            excluded: globs(excluded.iter().map(String::as_str)),
            own: at(&root, &root.join(OWN_IGNORE)),
            root,
            ignored: RefCell::default(),
        }
    }

    /// Whether a file may be read.
    pub fn may_read(&self, path: &Path) -> bool {
        let path = normalized(path);
        let Ok(below) = path.strip_prefix(&self.root) else { return false };
        if self.is_named(below) || self.is_ignored(&path) {
            return false;
        }
        // Where a link leads counts as well as what it is called.
        let (Some(real_root), Ok(real)) = (&self.real_root, path.canonicalize()) else { return false };
        match real.strip_prefix(real_root) {
            Ok(real_below) => {
                real_below == below || !(self.is_named(real_below) || self.is_ignored(&self.root.join(real_below)))
            }
            Err(_) => false,
        }
    }

    fn is_named(&self, below: &Path) -> bool {
        // A folder that is named takes all that is in it along.
        below
            .ancestors()
            .filter(|path| !path.as_os_str().is_empty())
            .any(|path| self.excluded.is_match(path) || SECRET.is_match(path))
    }

    fn is_ignored(&self, path: &Path) -> bool {
        if self.own.as_ref().is_some_and(|own| own.matched_path_or_any_parents(path, false).is_ignore()) {
            return true;
        }
        // The nearest word counts, as for git.
        let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root));
        for folder in folders {
            let Some(rules) = self.rules(folder) else { continue };
            let verdict = rules.matched_path_or_any_parents(path, false);
            if !verdict.is_none() {
                return verdict.is_ignore();
            }
        }
        false
    }

    fn rules(&self, folder: &Path) -> Option<Rc<Gitignore>> {
        if let Some(known) = self.ignored.borrow().get(folder) {
            return known.clone();
        }
        let rules = at(folder, &folder.join(".gitignore")).map(Rc::new);
        self.ignored.borrow_mut().insert(folder.to_owned(), rules.clone());
        rules
    }
}

fn globs<'a>(patterns: impl IntoIterator<Item = &'a str>) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        // Settings check their globs; one that is wrong all the same is no reason to read what others exclude.
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).case_insensitive(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}

/// The patterns of a file, which count from `folder`.
fn at(folder: &Path, file: &Path) -> Option<Gitignore> {
    if !file.is_file() {
        return None;
    }
    let mut builder = GitignoreBuilder::new(folder);
    // One line that is wrong loses only itself.
    let _ = builder.add(file);
    builder.build().ok()
}

/// A pattern means files at any depth unless it begins with `/`: who excludes too much is told so by what is missing, who
/// excludes too little is not.
fn anywhere(glob: &str) -> Vec<String> {
    let glob = glob.trim_start_matches("./").trim_end_matches('/');
    match glob.strip_prefix('/') {
        Some(anchored) => vec![anchored.to_owned()],
        None => vec![glob.to_owned(), format!("**/{glob}")],
    }
}

/// Files behind an [`Access`]: what may not be read is not there.
pub struct Permitted<'a> {
    files: &'a dyn Files,
    access: &'a Access,
}

impl<'a> Permitted<'a> {
    /// These files, as far as they may be read.
    pub fn new(files: &'a dyn Files, access: &'a Access) -> Self {
        Self { files, access }
    }
}

impl Files for Permitted<'_> {
    fn exists(&self, path: &Path) -> bool {
        // Most paths that are asked for are not there, which is cheaper to find out.
        self.files.exists(path) && self.access.may_read(path)
    }

    fn read_to_string(&self, path: &Path) -> Option<String> {
        self.access.may_read(path).then(|| self.files.read_to_string(path))?
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        if folder != self.access.root && !self.access.may_read(folder) {
            return Vec::new();
        }
        self.files.list(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::test_files::RealFiles;

    fn workspace(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn what_is_excluded_ignored_or_secret_is_not_there() {
        let files = [
            ("w/src/a.py", true),
            ("w/.env", false),
            ("w/src/.env.local", false),
            ("w/deploy/server.PEM", false),
            ("w/src/credentials.json", false),
            ("w/src/credentials.py", true),
            ("w/build/gen.py", false),
            ("w/build/keep.py", true),
            ("w/src/local/x.py", false),
            ("w/vendor/lib/x.py", false),
            ("w/src/vendor/x.py", true),
            ("w/src/x.secret.py", false),
            ("w/private/a/b.py", false),
            ("w/.git/config", false),
            ("w/hidden.py", false),
            ("outside.py", false),
        ];
        let mut texts: Vec<_> = files.iter().map(|(path, _)| (*path, "text")).collect();
        texts.push(("w/.gitignore", "build/*\n!build/keep.py\nlocal/\n"));
        texts.push(("w/.aside/ignore", "/hidden.py\n"));
        let folder = workspace(&texts);
        let root = folder.path().join("w");
        let exclude = ["/vendor", "*.secret.py", "private/**"].map(str::to_owned);
        let access = Access::new(&root, &exclude);
        for (path, expected) in files {
            assert_eq!(access.may_read(&folder.path().join(path)), expected, "{path}");
        }
        assert!(!access.may_read(&root.join("src/../../outside.py")));
        assert!(!access.may_read(&root.join("missing.py")));
        let permitted = Permitted::new(&RealFiles, &access);
        assert!(!permitted.exists(&root.join(".env")) && permitted.read_to_string(&root.join(".env")).is_none());
        assert_eq!(permitted.read_to_string(&root.join("src/a.py")).as_deref(), Some("text"));
        assert!(permitted.list(&root.join("private/a")).is_empty() && !permitted.list(&root).is_empty());
        assert!(permitted.list(folder.path()).is_empty());
    }

    #[test]
    fn the_nearest_gitignore_has_the_last_word() {
        let folder = workspace(&[
            (".gitignore", "*.gen.py\n"),
            ("a/.gitignore", "!keep.gen.py\n"),
            ("a/keep.gen.py", ""),
            ("a/x.gen.py", ""),
        ]);
        let access = Access::new(folder.path(), &[]);
        assert!(access.may_read(&folder.path().join("a/keep.gen.py")));
        assert!(!access.may_read(&folder.path().join("a/x.gen.py")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_neither_out_nor_to_what_is_excluded() {
        let folder = workspace(&[("secret.py", ""), ("w/a.py", ""), ("w/.env", ""), ("other/b.py", "")]);
        let root = folder.path().join("w");
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, root.join(at)).unwrap();
        link("../secret.py", "out.py");
        link(".env", "env.py");
        link("a.py", "again.py");
        link("../other", "linked");
        link("loop.py", "loop.py");
        let access = Access::new(&root, &[]);
        for (path, expected) in
            [("out.py", false), ("env.py", false), ("again.py", true), ("linked/b.py", false), ("loop.py", false)]
        {
            assert_eq!(access.may_read(&root.join(path)), expected, "{path}");
        }
    }
}
