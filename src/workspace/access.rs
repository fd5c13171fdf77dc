//! Which files of a workspace may leave it: what may be sent at all, and what may be read for a prompt without the user
//! naming it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::LazyLock;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::roots::{normalized, relative};
use super::test_files::Files;
use crate::config::Privacy;
use crate::error::{Error, ErrorKind};

/// Files that hold keys by custom, wherever they are.
static SECRET: LazyLock<GlobSet> = LazyLock::new(|| globs(SECRET_NAMES.iter().copied()));

/// The names of files that hold keys by custom, as globs.
pub const SECRET_NAMES: &[&str] = &[
    // Settings of an environment.
    "**/.env*",
    "**/*.env",
    "**/.envrc",
    "**/*.tfstate*",
    "**/*.tfvars*",
    // Keys and certificates.
    "**/*.{pem,key,p8,p12,pfx,pkcs12,jks,keystore,truststore,kdb,kdbx,ppk,asc,gpg,pgp,age,der,crt,cer,csr,ovpn,mobileprovision}",
    "**/id_{rsa,dsa,ecdsa,ed25519}*",
    "**/*_{rsa,dsa,ecdsa,ed25519}",
    // Credentials of tools.
    "**/.{netrc,npmrc,yarnrc,pypirc,pgpass,my.cnf,htpasswd,htdigest,git-credentials,dockercfg,dockerconfigjson,boto,s3cfg,vault-token,terraformrc}",
    "**/_netrc",
    "**/{credentials,secrets,.credentials,.secrets}",
    "**/{credentials,secrets,secret,passwords,service-account*,service_account*,client_secret*,gcloud-*key*,kubeconfig}.{json,yml,yaml,toml,ini,env,xml,properties,conf,cfg,txt,enc}",
    "**/{master.key,credentials.yml.enc,.vault_pass*,.vault-pass*,kubeconfig,wp-config.php,.pgpass.conf}",
    "**/*.{secret,secrets,credentials}",
    // Folders of tools.
    "**/.{git,hg,svn,ssh,aws,azure,gcloud,gnupg,kube,docker,password-store}/**",
];

/// Where a workspace says what is not for Aside's eyes, in the form of a `.gitignore`.
const OWN_IGNORE: &str = ".aside/ignore";

/// No ignore file is this large.
const MAX_IGNORE_BYTES: u64 = 1024 * 1024;

/// Where systems show themselves as files: the environment of processes, keys of the kernel, devices.
const SYSTEM_FOLDERS: &[&str] = &["/proc", "/sys", "/dev"];

/// A folder for files of people's among them.
const SHARED_MEMORY: &str = "/dev/shm";

/// Whether this is where the system shows itself, so that nothing there belongs to a project. Looks at the name alone.
pub fn is_of_system(path: &Path) -> bool {
    cfg!(unix) && SYSTEM_FOLDERS.iter().any(|folder| path.starts_with(folder)) && !path.starts_with(SHARED_MEMORY)
}

/// Why a file may not leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Its name, or a folder's it is in, is one of those that hold keys.
    Custom(&'static str),
    /// `privacy.exclude` has this pattern.
    Setting(String),
    /// `.aside/ignore` has this pattern.
    OwnIgnore(String),
    /// It is where the system shows itself.
    System,
}

/// What may be read below one folder.
pub struct Access {
    root: PathBuf,
    /// The same without links; `None` when there is no such folder, and then nothing may be read.
    real_root: Option<PathBuf>,
    names: Names,
    own: Option<Gitignore>,
    /// What the `.gitignore` of a folder says; `None` if it has none.
    ignored: RefCell<HashMap<PathBuf, Option<Rc<Gitignore>>>>,
}

/// What the settings say of names.
struct Names {
    excluded: GlobSet,
    /// What each pattern of `excluded` comes of.
    patterns: Vec<String>,
    included: GlobSet,
}

impl Access {
    /// What may be read below `root`: nothing that `exclude` (the setting `privacy.exclude`), `.gitignore` or
    /// `.aside/ignore` names, nothing that holds keys by custom, and nothing that is outside by way of a link.
    pub fn new(root: &Path, exclude: &[String]) -> Self {
        Self::of(root, &Privacy { exclude: exclude.to_vec(), include: Vec::new(), redact: true })
    }

    /// The same by these settings: what `privacy.include` names may be read whatever else is said of it.
    pub fn of(root: &Path, privacy: &Privacy) -> Self {
        let root = normalized(root);
        Self {
            real_root: root.canonicalize().ok(),
            names: Names::new(privacy),
            own: at(&root, &root.join(OWN_IGNORE)),
            root,
            ignored: RefCell::default(),
        }
    }

    /// Whether a file may be read without the user naming it.
    pub fn may_read(&self, path: &Path) -> bool {
        self.passes(path, |path, below| self.names.includes(below) || !self.is_ignored(path))
    }

    /// Whether a file may be sent that is asked for by its name, as rules and the user's own files are: it is inside the
    /// root, and nothing but perhaps git's ignore is against it.
    pub fn may_send(&self, path: &Path) -> bool {
        self.passes(path, |_, _| true)
    }

    /// Whether a file below the root is not excluded, by its name and by where that leads.
    fn passes(&self, path: &Path, fits: impl Fn(&Path, &Path) -> bool) -> bool {
        let path = normalized(path);
        let Ok(below) = path.strip_prefix(&self.root) else { return false };
        let passes = |path: &Path, below: &Path| self.exclusion(below).is_none() && fits(path, below);
        if !passes(&path, below) {
            return false;
        }
        // Where a link leads counts as well as what it is called.
        let (Some(real_root), Ok(real)) = (&self.real_root, path.canonicalize()) else { return false };
        if is_of_system(&real) {
            return false;
        }
        // To open a pipe or a device may wait for ever.
        if !real.metadata().is_ok_and(|it| it.is_file() || it.is_dir()) {
            return false;
        }
        match real.strip_prefix(real_root) {
            Ok(real_below) => real_below == below || passes(&self.root.join(real_below), real_below),
            Err(_) => false,
        }
    }

    /// What is against sending a file, by its path below the root.
    fn exclusion(&self, below: &Path) -> Option<Exclusion> {
        if self.names.includes(below) {
            return None;
        }
        let own = self.own.as_ref().and_then(|own| {
            let glob = own.matched_path_or_any_parents(self.root.join(below), false);
            glob.is_ignore().then(|| glob.inner().map(|it| it.original().to_owned()).unwrap_or_default())
        });
        self.names.exclusion(below).or(own.map(Exclusion::OwnIgnore))
    }

    fn is_ignored(&self, path: &Path) -> bool {
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

impl Names {
    fn new(privacy: &Privacy) -> Self {
        let mut excluded: Vec<(String, &String)> =
            privacy.exclude.iter().flat_map(|glob| anywhere(glob).into_iter().map(move |it| (it, glob))).collect();
        excluded.retain(|(pattern, _)| glob(pattern).is_some());
        let included: Vec<String> = privacy.include.iter().flat_map(|glob| anywhere(glob)).collect();
        Self {
            excluded: globs(excluded.iter().map(|(glob, _)| glob.as_str())),
            patterns: excluded.into_iter().map(|(_, pattern)| pattern.clone()).collect(),
            included: globs(included.iter().map(String::as_str)),
        }
    }

    fn includes(&self, below: &Path) -> bool {
        !self.included.is_empty()
            && below.ancestors().any(|path| !path.as_os_str().is_empty() && self.included.is_match(path))
    }

    /// A folder that is named takes all that is in it along.
    fn exclusion(&self, below: &Path) -> Option<Exclusion> {
        below.ancestors().filter(|path| !path.as_os_str().is_empty()).find_map(|path| {
            let custom = || SECRET.matches(path).first().and_then(|at| SECRET_NAMES.get(*at)).copied();
            let excluded = || self.excluded.matches(path).first().and_then(|at| self.patterns.get(*at)).cloned();
            excluded().map(Exclusion::Setting).or_else(|| custom().map(Exclusion::Custom))
        })
    }
}

/// Whether a file that the user works on may be sent, below its root if it has one. It may be ignored by git, and
/// outside of every workspace, but not be one that never leaves.
///
/// # Errors
/// [`ErrorKind::Excluded`] with the reason, and how the user can change that.
pub fn permit(root: Option<&Path>, path: &Path, privacy: &Privacy) -> Result<(), Error> {
    let path = normalized(path);
    let real = path.canonicalize();
    let paths = std::iter::once(&path).chain(real.as_ref().ok().filter(|real| **real != path));
    // A pipe that somebody named stands there too, and leads nowhere else.
    if let Some(real) = real.as_ref().ok().filter(|real| is_of_system(real) && real.is_file()) {
        return Err(Exclusion::System.error(&real.display().to_string()));
    }
    for path in paths {
        let real_root = root.and_then(|root| root.canonicalize().ok());
        let below = root.into_iter().map(normalized).chain(real_root).find_map(|root| {
            let below = path.strip_prefix(&root).ok()?.to_path_buf();
            Some((root, below))
        });
        let exclusion = if let Some((root, below)) = &below {
            Access::of(root, privacy).exclusion(below)
        } else {
            // What is outside has no folder that patterns count from.
            let (names, below) = (Names::new(privacy), path.strip_prefix("/").unwrap_or(path));
            names.exclusion(below).filter(|_| !names.includes(below))
        };
        if let Some(exclusion) = exclusion {
            let shown = relative(path, root.unwrap_or(Path::new("")));
            return Err(exclusion.error(&shown));
        }
    }
    Ok(())
}

impl Exclusion {
    /// The error for an action on such a file, which is shown by this name.
    fn error(&self, shown: &str) -> Error {
        let name = shown.rsplit(['/', '\\']).next().unwrap_or(shown);
        let include =
            format!("`privacy.include = [\"{name}\"]` in your own configuration (`aside config path`) lets it through");
        let (why, hint) = match self {
            Self::Custom(glob) => {
                let glob = glob.trim_start_matches("**/");
                (format!("files called so hold secrets (`{glob}`)"), format!("If it may be sent, {include}."))
            }
            Self::Setting(glob) => (
                format!("`privacy.exclude` has `{glob}`"),
                format!("Take that pattern out where `aside config show` finds it; or {include}."),
            ),
            Self::OwnIgnore(pattern) => {
                (format!("`{OWN_IGNORE}` has `{pattern}`"), format!("Take that line out; or {include}."))
            }
            Self::System => (
                "it tells of processes and of this machine".to_owned(),
                "Copy what may be sent into a file of your own.".to_owned(),
            ),
        };
        Error::new(ErrorKind::Excluded, format!("{name} is not sent: {why}.")).hint(hint)
    }
}

fn globs<'a>(patterns: impl IntoIterator<Item = &'a str>) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in patterns.into_iter().filter_map(glob) {
        set.add(glob);
    }
    set.build().unwrap_or_default()
}

/// Settings check their globs; one that is wrong all the same is no reason to read what others exclude.
fn glob(pattern: &str) -> Option<Glob> {
    GlobBuilder::new(pattern).literal_separator(true).case_insensitive(true).build().ok()
}

/// The patterns of a file, which count from `folder`.
fn at(folder: &Path, file: &Path) -> Option<Gitignore> {
    // Neither a pipe nor a device, nor what is no list of patterns.
    if !file.metadata().is_ok_and(|it| it.is_file() && it.len() <= MAX_IGNORE_BYTES) {
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
    // Paths have neither dots nor nothing among their parts.
    let parts: Vec<&str> = glob.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let pattern = parts.join("/");
    if glob.starts_with('/') { vec![pattern] } else { vec![format!("**/{pattern}"), pattern] }
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

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_is_no_part_of_a_project() {
        let everything = privacy(&[], &["environ", "status", "**"]);
        let root = Path::new("/");
        for path in ["/proc/self/environ", "/proc/self/status", "/proc/1/cmdline", "/sys/kernel", "/dev/null"] {
            let path = Path::new(path);
            let access = Access::of(root, &everything);
            assert!(!access.may_read(path) && !access.may_send(path), "{}", path.display());
            let access = Access::of(path.parent().unwrap(), &everything);
            assert!(!access.may_read(path) && !access.may_send(path), "{}", path.display());
            let error = permit(Some(root), path, &everything);
            assert_eq!(error.is_err(), path.is_file(), "{}: {error:?}", path.display());
        }
        let folder = workspace(&[("a.py", "")]);
        std::os::unix::fs::symlink("/proc/self/environ", folder.path().join("b.py")).unwrap();
        let error = permit(Some(folder.path()), &folder.path().join("b.py"), &everything).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Excluded);
        assert_eq!(error.message, "environ is not sent: it tells of processes and of this machine.");
        assert!(Access::of(root, &privacy(&[], &[])).may_read(&folder.path().join("a.py")), "all else is");
    }

    fn privacy(exclude: &[&str], include: &[&str]) -> Privacy {
        let owned = |globs: &[&str]| globs.iter().map(ToString::to_string).collect();
        Privacy { exclude: owned(exclude), include: owned(include), redact: true }
    }

    #[test]
    fn only_the_users_word_lets_an_excluded_file_through() {
        let folder = workspace(&[
            (".gitignore", "*.gen.py\n"),
            (".aside/ignore", "/drafts/\n!.env\n"),
            (".env", ""),
            (".env.example", ""),
            ("certs/server.key", ""),
            ("drafts/a.py", ""),
            ("x.gen.py", ""),
            ("src/own.py", ""),
        ]);
        let root = folder.path();
        let allowed = |privacy: &Privacy, path: &str| permit(Some(root), &root.join(path), privacy);
        for pattern in ["./src/own.py", "src/./own.py", "src//own.py/.", "/src/own.py", "own.py/"] {
            assert!(allowed(&privacy(&[pattern], &[]), "src/own.py").is_err(), "{pattern}");
        }
        let strict = privacy(&["own.*"], &[]);
        for (path, reason) in [
            (".env", "hold secrets (`.env*`)"),
            (".env.example", "hold secrets (`.env*`)"),
            ("certs/server.key", "hold secrets"),
            ("drafts/a.py", "`.aside/ignore` has `/drafts/`"),
            ("src/own.py", "`privacy.exclude` has `own.*`"),
            // A file that is not saved yet has a name, too.
            ("new/.env.local", "hold secrets"),
        ] {
            let error = allowed(&strict, path).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Excluded);
            assert!(error.message.contains(reason), "{path}: {}", error.message);
            assert!(error.hint.unwrap().contains("privacy.include"), "{path}");
        }
        // What git ignores is the user's to work on, but not read unasked.
        assert_eq!(allowed(&strict, "x.gen.py"), Ok(()));
        let access = Access::of(root, &strict);
        assert!(!access.may_read(&root.join("x.gen.py")) && access.may_send(&root.join("x.gen.py")));
        let loose = privacy(&["own.*"], &[".env.example", "certs", "drafts/*", "own.py", "x.gen.py"]);
        let access = Access::of(root, &loose);
        for path in [".env.example", "certs/server.key", "drafts/a.py", "src/own.py", "x.gen.py"] {
            assert_eq!(allowed(&loose, path), Ok(()), "{path}");
            assert!(access.may_read(&root.join(path)), "{path}");
        }
        assert!(allowed(&loose, ".env").is_err());
        // Outside of every workspace only the names are known.
        assert!(permit(None, &root.join(".env"), &strict).is_err());
        assert_eq!(permit(None, &root.join(".env"), &privacy(&[], &[".env"])), Ok(()));
        assert_eq!(permit(None, &root.join("drafts/a.py"), &strict), Ok(()));
    }

    #[test]
    fn files_that_hold_keys_by_custom() {
        let access = Access::new(Path::new("/w"), &[]);
        for path in [
            ".env",
            ".env.local",
            "a/.env.production",
            "prod.env",
            ".envrc",
            "infra/terraform.tfstate.backup",
            "x.auto.tfvars",
            "tls/ca.crt",
            "tls/site.PEM",
            "a.p12",
            "a.pfx",
            "release.jks",
            ".ssh/config",
            "keys/id_ed25519",
            "deploy_rsa",
            ".npmrc",
            ".netrc",
            "home/.aws/credentials",
            ".kube/config",
            "secrets.yaml",
            "config/credentials.yml.enc",
            "config/master.key",
            "service-account-prod.json",
            "client_secret_123.json",
            ".htpasswd",
            ".git/config",
            "vault.kdbx",
        ] {
            assert!(matches!(access.exclusion(Path::new(path)), Some(Exclusion::Custom(_))), "{path}");
        }
        for path in [
            "src/env.py",
            "environment.ts",
            "src/secrets.rs",
            "src/credentials.py",
            "keyboard.ts",
            "src/key.rs",
            ".github/workflows/ci.yml",
            ".gitignore",
            "package.json",
            "src/passwords.go",
            "a.keys.ts",
            "certificates.md",
            ".envoy.yaml.md.txt/../x",
        ] {
            assert_eq!(access.exclusion(&normalized(Path::new(path))), None, "{path}");
        }
        assert_eq!(SECRET.len(), SECRET_NAMES.len(), "one is no glob");
    }
}
