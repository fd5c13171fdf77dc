//! A home, a workspace and an environment of their own for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Deleted when dropped, with everything the program left in it.
pub(crate) struct Sandbox {
    root: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("aside-test-").tempdir().unwrap();
        for folder in ["home", "config", "data", "cache", "workspace"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        Self { root }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.path("workspace")
    }

    /// The URI of a file below the workspace, whether it exists or not.
    pub(crate) fn uri(&self, relative: &str) -> String {
        url::Url::from_file_path(self.workspace().join(relative)).unwrap().to_string()
    }

    /// Writes a file below the workspace, with the folders it needs.
    pub(crate) fn write(&self, relative: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        write(&self.workspace().join(relative), contents.as_ref())
    }

    pub(crate) fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.workspace().join(relative)).unwrap()
    }

    /// Copies a file of the repository's `examples/` into the workspace and gives its text.
    pub(crate) fn example(&self, name: &str) -> String {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)).unwrap();
        self.write(name, &text);
        text
    }

    /// The user's configuration file.
    pub(crate) fn configure(&self, toml: &str) {
        write(&self.path("config/aside/config.toml"), toml.as_bytes());
    }

    /// The program, in an environment that holds nothing of the developer's.
    pub(crate) fn aside(&self) -> Command {
        self.at_home(Command::new(env!("CARGO_BIN_EXE_aside")))
    }

    /// The same, as what a shell becomes after these commands.
    pub(crate) fn aside_after(&self, prelude: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{prelude}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_aside")]);
        self.at_home(command)
    }

    fn at_home(&self, mut command: Command) -> Command {
        command
            .env_clear()
            .current_dir(self.workspace())
            .env("HOME", self.path("home"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("ASIDE_DATA_DIR", self.path("data/aside"))
            .env("ASIDE_CACHE_DIR", self.path("cache/aside"))
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // What an operating system or a coverage run needs to start a program at all.
        for name in ["PATH", "SystemRoot", "TEMP", "TMPDIR", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }
}

fn write(path: &Path, contents: &[u8]) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
    path.to_owned()
}
