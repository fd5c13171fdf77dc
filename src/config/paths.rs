//! Where files live: XDG on Linux, the system's own places on macOS and Windows, `ASIDE_*` everywhere.

use std::path::{Path, PathBuf};

use super::Environment;

/// The user's files and folders. None of them needs to exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The user's configuration file.
    pub config_file: PathBuf,
    /// The folder of the user's configuration file, which also holds the user's own actions.
    pub config_dir: PathBuf,
    /// The ledger's folder.
    pub data_dir: PathBuf,
    /// The folder of what can be made again, such as explanation documents.
    pub cache_dir: PathBuf,
}

impl Paths {
    /// The places that these variables, or else the system's customs, name.
    pub fn new(env: &Environment) -> Self {
        let bases = Bases::new(env);
        let config_file = match env.get("ASIDE_CONFIG") {
            Some(file) => absolute(file),
            None => bases.config.join("aside").join("config.toml"),
        };
        let folder = |variable, base: PathBuf| env.get(variable).map_or_else(|| base, absolute);
        Self {
            config_dir: config_file.parent().map(Path::to_path_buf).unwrap_or_default(),
            config_file,
            data_dir: folder("ASIDE_DATA_DIR", bases.data),
            cache_dir: folder("ASIDE_CACHE_DIR", bases.cache),
        }
    }

    /// The ledger.
    pub fn ledger(&self) -> PathBuf {
        self.data_dir.join("usage.sqlite3")
    }

    /// What is known of how far estimates are off.
    pub fn estimates(&self) -> PathBuf {
        self.cache_dir.join("estimates.json")
    }

    /// What servers said of their models.
    pub fn models(&self) -> PathBuf {
        self.cache_dir.join("models.json")
    }

    /// The folder of explanation documents.
    pub fn explanations(&self) -> PathBuf {
        self.cache_dir.join("explanations")
    }

    /// The configuration file that comes with a workspace.
    pub fn workspace_file(root: &Path) -> PathBuf {
        root.join(".aside").join("config.toml")
    }
}

/// A relative path is meant relative to where the program was started, also after a change of folder.
fn absolute(path: &str) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path))
}

/// The system's folders; `data` and `cache` with the program's name.
struct Bases {
    config: PathBuf,
    data: PathBuf,
    cache: PathBuf,
}

impl Bases {
    #[cfg(not(any(windows, target_os = "macos")))]
    fn new(env: &Environment) -> Self {
        let home = home(env);
        Self {
            config: xdg(env, "XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
            data: xdg(env, "XDG_DATA_HOME").unwrap_or_else(|| home.join(".local").join("share")).join("aside"),
            cache: xdg(env, "XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache")).join("aside"),
        }
    }

    /// Who sets the XDG variables on macOS wants them followed.
    #[cfg(target_os = "macos")]
    fn new(env: &Environment) -> Self {
        let library = home(env).join("Library");
        let support = || library.join("Application Support");
        Self {
            config: xdg(env, "XDG_CONFIG_HOME").unwrap_or_else(support),
            data: xdg(env, "XDG_DATA_HOME").unwrap_or_else(support).join("aside"),
            cache: xdg(env, "XDG_CACHE_HOME").unwrap_or_else(|| library.join("Caches")).join("aside"),
        }
    }

    /// Data and cache share a base on Windows, so they get folders of their own in it.
    #[cfg(windows)]
    fn new(env: &Environment) -> Self {
        let app_data = |variable: &str, fallback: &str| {
            env.get(variable).map_or_else(|| home(env).join("AppData").join(fallback), PathBuf::from)
        };
        let local = app_data("LOCALAPPDATA", "Local").join("aside");
        Self { config: app_data("APPDATA", "Roaming"), data: local.join("data"), cache: local.join("cache") }
    }
}

/// The XDG rules tell programs to ignore a relative path.
#[cfg(not(windows))]
fn xdg(env: &Environment, variable: &str) -> Option<PathBuf> {
    env.get(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn home(env: &Environment) -> PathBuf {
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    env.get(variable).map(PathBuf::from).or_else(|| etcetera::home_dir().ok()).unwrap_or_else(std::env::temp_dir)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn paths(pairs: &[(&str, &str)]) -> [String; 4] {
        let paths = Paths::new(&Environment::from_pairs(pairs.iter().copied()));
        [paths.config_file, paths.config_dir, paths.data_dir, paths.cache_dir].map(|path| path.display().to_string())
    }

    #[test]
    fn xdg_rules_and_overrides() {
        assert_eq!(
            paths(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "")]),
            ["/h/.config/aside/config.toml", "/h/.config/aside", "/h/.local/share/aside", "/h/.cache/aside"]
        );
        assert_eq!(
            paths(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/c"), ("XDG_DATA_HOME", "/d"), ("XDG_CACHE_HOME", "rel")]),
            ["/c/aside/config.toml", "/c/aside", "/d/aside", "/h/.cache/aside"]
        );
        assert_eq!(
            paths(&[
                ("HOME", "/h"),
                ("ASIDE_CONFIG", "/x/my.toml"),
                ("ASIDE_DATA_DIR", "/y"),
                ("ASIDE_CACHE_DIR", "/z")
            ]),
            ["/x/my.toml", "/x", "/y", "/z"]
        );
    }
}
