//! Files that no answer is written to, because something runs them, obeys them or trusts them without being asked.
//!
//! Where a test file goes is decided by tables, not by the model; but folders and links are the repository's, and a table
//! may have a hole. So the place is held against this list as well, before anything is asked and again before it is
//! written. The document that the user selects code in is theirs to name, and is not held against it.

use std::path::{Component, Path};
use std::sync::LazyLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::unseen::is_unseen;

/// What a name belongs to, and the names: of folders, or of files.
struct Class {
    what: &'static str,
    names: &'static [&'static str],
}

/// Folders with all that is in them.
#[rustfmt::skip]
const FOLDERS: &[Class] = &[
    Class {
        what: "version control",
        names: &[
            ".git", "*.git", ".hg", ".svn", ".jj", ".bzr", ".githooks", ".husky", "CVS",
        ],
    },
    Class { what: "Aside's own files", names: &[".aside"] },
    Class {
        what: "an editor's configuration",
        names: &[
            ".vscode", ".vscode-server", ".idea", ".fleet", ".zed", ".vs", ".helix", ".nvim", ".vim", ".emacs.d",
            ".kakrc.d", ".sublime", ".devcontainer", ".settings", ".nova", ".cursor", ".windsurf",
        ],
    },
    Class {
        what: "an assistant's configuration",
        names: &[
            ".claude", ".codex", ".gemini", ".continue", ".roo", ".cline", ".aider*", ".amazonq", ".junie",
        ],
    },
    Class {
        what: "a CI system's configuration",
        names: &[
            ".github", ".gitlab", ".gitea", ".forgejo", ".circleci", ".buildkite", ".teamcity", ".woodpecker", ".semaphore",
            ".azure-pipelines", ".azuredevops", ".bitbucket", ".drone", ".tekton",
        ],
    },
    Class {
        what: "a build tool's configuration",
        names: &[".cargo", ".mvn", ".yarn", ".bundle", ".config", ".pnpm", ".direnv"],
    },
    Class { what: "keys", names: &[
            ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".password-store",
        ] },
    Class { what: "installed packages", names: &["node_modules", "site-packages", ".venv", "venv", ".tox", ".nox"] },
];

/// Files, wherever they are.
#[rustfmt::skip]
const FILES: &[Class] = &[
    Class {
        what: "version control",
        names: &[
            ".git", ".gitconfig", ".gitmodules", ".gitattributes", ".gitignore", ".hgrc", ".mailmap",
        ],
    },
    Class {
        what: "a hook's configuration",
        names: &[
            ".pre-commit-config.y*ml", ".pre-commit-hooks.y*ml", "lefthook.y*ml", ".lefthook.y*ml", "lefthook-local.y*ml",
            ".lintstagedrc*", "lint-staged.config.*", ".huskyrc*", ".overcommit.yml", ".simple-git-hooks.*",
        ],
    },
    Class {
        what: "an editor's configuration",
        names: &[
            "*.code-workspace", "*.sublime-project", "*.sublime-workspace", "*.iml", ".editorconfig", ".nvim.lua",
            ".nvimrc", ".exrc", ".vimrc", ".dir-locals.el", ".dir-locals-2.el", ".emacs", ".kakrc", ".projectile",
            ".luarc.json", ".neoconf.json", ".clangd", "launch.vs.json", "tasks.vs.json",
        ],
    },
    Class {
        what: "an assistant's configuration",
        names: &[
            "AGENTS.md", "CLAUDE.md", "CLAUDE.local.md", "GEMINI.md", ".cursorrules", ".windsurfrules", ".clinerules",
            ".mcp.json", "mcp.json",
        ],
    },
    Class {
        what: "a CI system's configuration",
        names: &[
            ".gitlab-ci.y*ml", ".travis.y*ml", "azure-pipelines*.y*ml", "bitbucket-pipelines.y*ml", "Jenkinsfile",
            "Jenkinsfile.*", "appveyor.y*ml", ".appveyor.y*ml", ".drone.y*ml", ".woodpecker.y*ml", "cloudbuild.y*ml",
            ".cirrus.y*ml", "buildspec.y*ml", ".semaphore.y*ml", "codemagic.y*ml", "wercker.y*ml", "netlify.toml",
            "vercel.json", "fly.toml", "render.y*ml", "Procfile", "app.y*ml", "renovate.json*", "dependabot.y*ml",
            "codecov.y*ml", ".codecov.y*ml",
        ],
    },
    Class {
        what: "a build's configuration",
        names: &[
            "Makefile", "Makefile.*", "GNUmakefile", "*.mk", "CMakeLists.txt", "*.cmake", "meson.build",
            "meson_options.txt", "configure", "configure.ac", "justfile", ".justfile", "Taskfile*.y*ml", "Rakefile",
            "Gemfile", "Gemfile.lock", "*.gemspec", "Guardfile", "Vagrantfile", "Dockerfile", "Dockerfile.*",
            "*.Dockerfile", "Containerfile", "Containerfile.*", "docker-compose*.y*ml", "compose*.y*ml", ".dockerignore",
            "package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-workspace.yaml", "pnpm-lock.yaml",
            "yarn.lock", ".npmrc", ".yarnrc*", ".pnpmfile.*js", "bunfig.toml", "deno.json*", "tsconfig*.json",
            "jsconfig*.json", "Cargo.toml", "Cargo.lock", "build.rs", "rust-toolchain", "rust-toolchain.toml",
            "clippy.toml", "setup.py", "setup.cfg", "pyproject.toml", "requirements*.txt", "Pipfile", "Pipfile.lock",
            "poetry.lock", "uv.lock", "noxfile.py", "tox.ini", "pytest.ini", ".python-version", "manage.py", "conftest.py",
            "sitecustomize.py", "usercustomize.py", "*.pth", "go.mod", "go.sum", "go.work", "go.work.sum", "pom.xml",
            "*.gradle", "*.gradle.kts", "gradle.properties", "gradlew", "gradlew.bat", "mvnw", "mvnw.cmd", "build.xml",
            "build.sbt", "*.csproj", "*.fsproj", "*.vbproj", "*.sln", "*.slnx", "*.props", "*.targets", "nuget.config",
            "global.json", "composer.json", "composer.lock", "phpunit.xml*", "artisan", "mix.exs", "mix.lock",
            "rebar.config", "Package.swift", "Package.resolved", "Podfile", "Podfile.lock", "Fastfile", "BUILD",
            "BUILD.bazel", "WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel", ".bazelrc", "flake.nix", "default.nix",
            "shell.nix", "*.tf", "*.tfvars", "*.config.js", "*.config.cjs", "*.config.mjs", "*.config.ts", "*.config.mts",
            "*.config.cts", "*.conf.js", "gulpfile.*", "Gruntfile.*", ".eslintrc*", ".prettierrc*", ".stylelintrc*",
            ".babelrc*", ".swcrc", ".mocharc*", ".nycrc*", ".rspec", ".rubocop.yml", ".irbrc", ".pryrc", ".Rprofile",
        ],
    },
    Class {
        what: "a shell's configuration",
        names: &[
            ".env", ".env.*", ".envrc", ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshrc",
            ".zshenv", ".zprofile", ".zlogin", ".inputrc", ".tmux.conf", ".screenrc", ".tool-versions", "mise.toml",
            ".mise.toml", "autorun.inf", "desktop.ini", "crontab", "*.service", "*.timer", "*.desktop",
        ],
    },
    Class {
        what: "keys",
        names: &[
            ".netrc", "_netrc", ".pypirc", ".pgpass", ".htpasswd", ".git-credentials", "authorized_keys", "known_hosts",
            "id_{rsa,dsa,ecdsa,ed25519}*", "*.pem", "*.key",
        ],
    },
];

/// What a path belongs to that no answer is written to; `below` is the path below the workspace folder.
pub(super) fn protects(below: &Path) -> Option<&'static str> {
    static SETS: LazyLock<[(GlobSet, Vec<&'static str>); 2]> = LazyLock::new(|| [set(FOLDERS), set(FILES)]);
    let [folders, files] = &*SETS;
    let mut parts = below.components().peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(part) = part else { return Some("another folder") };
        let Some(name) = part.to_str() else { return Some("names that are not text") };
        let Some(name) = plain(name) else { return Some("names that systems read in different ways") };
        let (set, whats) = if parts.peek().is_some() { folders } else { files };
        if let Some(index) = set.matches(&name).first() {
            return whats.get(*index).copied();
        }
    }
    None
}

/// A name as the most generous file system reads it; none if it is one that some systems take for another name.
fn plain(name: &str) -> Option<String> {
    // Windows drops what is at the end, takes a colon for a stream, and knows long names by short ones: `GIT~1`.
    let is_odd = name.ends_with(['.', ' ']) || name.contains([':', '\\']) || name.chars().any(char::is_control);
    let short = name
        .rsplit_once('~')
        .is_some_and(|(_, number)| number.starts_with(|c: char| c.is_ascii_digit()) && name.len() <= 12);
    // HFS+ does not see these, and git looks out for them too.
    let name: String = name.chars().filter(|c| !is_unseen(*c)).collect();
    (!is_odd && !short && !name.is_empty()).then_some(name)
}

fn set(classes: &[Class]) -> (GlobSet, Vec<&'static str>) {
    let mut set = GlobSetBuilder::new();
    let mut whats = Vec::new();
    for class in classes {
        for name in class.names {
            // A test tries them all.
            if let Ok(glob) = GlobBuilder::new(name).case_insensitive(true).literal_separator(true).build() {
                set.add(glob);
                whats.push(class.what);
            }
        }
    }
    (set.build().unwrap_or_default(), whats)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::language;
    use crate::workspace::test_files::{RealFiles, test_place};

    #[test]
    fn all_names_are_patterns() {
        for classes in [FOLDERS, FILES] {
            assert_eq!(set(classes).1.len(), classes.iter().map(|class| class.names.len()).sum::<usize>());
        }
    }

    #[test]
    fn what_is_run_or_obeyed_is_protected() {
        for path in [
            ".git/hooks/test_x.py",
            "sub/.GIT/x.py",
            ".g\u{200c}it/x.py",
            "GIT~1/x.py",
            ".git./x.py",
            ".git /x.py",
            ".git::$DATA/x",
            "repo.git/hooks/x",
            ".aside/actions/test.md",
            ".aside/config.toml",
            ".vscode/test_tasks.py",
            ".idea/x.py",
            ".github/workflows/test_x.py",
            ".gitlab-ci.yml",
            "sub/.gitlab-ci.yaml",
            ".husky/test_x.js",
            "Makefile",
            "makefile",
            "sub/GNUmakefile",
            "Makefile.am",
            "package.json",
            "conftest.py",
            "tests/conftest.py",
            "build.rs",
            "setup.py",
            "jest.config.ts",
            "vite.config.js",
            ".nvim.lua",
            ".envrc",
            ".env.test",
            "tests/.env",
            "Jenkinsfile",
            "a/../b.py",
            "node_modules/a/test_a.js",
            ".devcontainer/x.py",
            ".claude/x.py",
            "CLAUDE.md",
            "sitecustomize.py",
            "x.pth",
            "a\\b.py",
            "tests\n/x.py",
            "x.test.ts.",
        ] {
            assert!(protects(Path::new(path)).is_some(), "{path}");
        }
    }

    #[test]
    fn ordinary_test_files_are_not() {
        for path in [
            "tests/test_a.py",
            "src/a_test.go",
            "test/a_test.exs",
            "spec/a_spec.rb",
            "src/__tests__/a.test.tsx",
            "a.test.js",
            "src/test/java/com/example/ATest.java",
            "Tests/ATests.swift",
            "tests/Unit/ATest.php",
            "tests/a.rs",
            "A.Tests/ATests.cs",
            "tests/test_config.py",
            "tests/test_git.py",
            "src/gitlab/test_ci.py",
            "environment/test_env.py",
            "tests/makefile_test.go",
            "config/test_x.py",
            "spec/spec_helper_spec.rb",
            "lua/a_spec.lua",
            "tests/test_µ.py",
            "a b/test c.py",
            "tests/a.bats",
        ] {
            assert_eq!(protects(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn no_place_for_tests_is_protected() {
        let root = tempfile::tempdir().unwrap();
        for language in language::all().iter().filter(|language| language.programming) {
            for ending in language.extensions {
                let source = root.path().join("src/shop/inventory").with_extension(ending);
                // A source that is protected itself, such as a `.gemspec`, has no tests beside it.
                if protects(Path::new(source.file_name().unwrap())).is_some() {
                    continue;
                }
                let place = test_place(&source, language, Some(root.path()), &RealFiles);
                let below = place.path.strip_prefix(root.path()).expect("it is below the root");
                assert_eq!(protects(below), None, "{}", below.display());
            }
        }
    }
}
