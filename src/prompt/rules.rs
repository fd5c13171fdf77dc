//! The project's own rules for people and machines that write its code.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The text of a rules file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesFile {
    /// Relative to the workspace folder, with `/` on every system.
    pub path: String,
    /// What it says, cut at 32 KiB with a note.
    pub text: String,
}

/// Where rules are looked for, in each folder; what was written for Aside comes first.
const NAMES: &[&str] = &[".aside/rules.md", "AGENTS.md", "CLAUDE.md"];

/// More of one file is cut off: rules that no one can remember help no one, and every request pays for them.
const MAX_FILE_BYTES: usize = 32 * 1024;

/// More of all files together is left out, the farthest first.
const MAX_TOTAL_BYTES: usize = 64 * 1024;

/// The rules for `file`: from its own folder up to the workspace folder `root`, nearest first.
///
/// Nothing outside `root` is read, not by way of a link either, nor what is not `allowed`, which takes a path below `root`;
/// a file outside of it, or one without a workspace, has no rules. Of several names for one text (often a link) the first
/// counts.
pub fn rules(root: Option<&Path>, file: &Path, allowed: &dyn Fn(&Path) -> bool) -> Vec<RulesFile> {
    let Some(root) = root else { return Vec::new() };
    let Ok(real_root) = root.canonicalize() else { return Vec::new() };
    let Some(upwards) = folders(root, &real_root, file) else { return Vec::new() };
    let mut found: Vec<RulesFile> = Vec::new();
    let mut left = MAX_TOTAL_BYTES;
    for folder in upwards {
        for name in NAMES {
            let relative = folder.join(name);
            let Some(text) = read(&real_root, &relative).filter(|_| allowed(&relative)) else { continue };
            if found.iter().any(|earlier| earlier.text == text) || text.len() > left {
                continue;
            }
            left -= text.len();
            let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            found.push(RulesFile { path: parts.join("/"), text });
        }
    }
    found
}

/// The folders from the file's own up to the root, relative to the root. A document that is not saved yet has no folder on
/// disk, so only the root has to exist.
fn folders(root: &Path, real_root: &Path, file: &Path) -> Option<Vec<PathBuf>> {
    let folder = file.parent()?;
    let real = folder.canonicalize();
    let relative = match &real {
        Ok(real) => real.strip_prefix(real_root).ok()?,
        Err(_) => folder.strip_prefix(root).or_else(|_| folder.strip_prefix(real_root)).ok()?,
    };
    if !relative.components().all(|part| matches!(part, std::path::Component::Normal(_))) {
        return None;
    }
    Some(relative.ancestors().map(Path::to_path_buf).collect())
}

fn read(real_root: &Path, relative: &Path) -> Option<String> {
    let path = real_root.join(relative).canonicalize().ok()?;
    if !path.starts_with(real_root) || !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&path).ok()?;
    let size = file.metadata().ok()?.len();
    file.take(MAX_FILE_BYTES as u64).read_to_end(&mut bytes).ok()?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    let left_out = size.saturating_sub(bytes.len() as u64);
    if left_out > 0 {
        // Half a line is half a rule.
        text.truncate(text.rfind('\n').map_or(0, |at| at + 1));
        let _ = writeln!(text, "[The rest of this file, about {left_out} bytes, was left out.]");
    }
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Project(tempfile::TempDir);

    impl Project {
        fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (path, text) in files {
                let path = folder.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            Self(folder)
        }

        /// The rules for a file, as `path=text`.
        fn rules(&self, file: &str) -> Vec<String> {
            let root = self.0.path().join("repo");
            let found = rules(Some(&root), &root.join(file), &|path| !path.ends_with("private/AGENTS.md"));
            found.iter().map(|file| format!("{}={}", file.path, file.text)).collect()
        }
    }

    #[test]
    fn the_nearest_come_first_and_nothing_above_the_root() {
        let project = Project::new(&[
            ("AGENTS.md", "outside"),
            ("repo/AGENTS.md", "top\n"),
            ("repo/CLAUDE.md", "claude"),
            ("repo/.aside/rules.md", "aside"),
            ("repo/src/AGENTS.md", "\n  near\n"),
            ("repo/src/deep/x.py", ""),
            ("repo/other/AGENTS.md", "other"),
            ("repo/src/CLAUDE.md", "  \n"),
        ]);
        let expected = ["src/AGENTS.md=near", ".aside/rules.md=aside", "AGENTS.md=top", "CLAUDE.md=claude"];
        assert_eq!(project.rules("src/deep/x.py"), expected);
        assert_eq!(project.rules("src/not/yet/saved.py"), expected);
        assert_eq!(project.rules("../x.py"), [""; 0]);
        assert_eq!(project.rules("src/../../x.py"), [""; 0]);
        assert_eq!(rules(None, &project.0.path().join("repo/src/deep/x.py"), &|_| true), []);
    }

    #[test]
    fn what_is_excluded_says_nothing() {
        let project = Project::new(&[("repo/private/AGENTS.md", "hidden"), ("repo/AGENTS.md", "top")]);
        assert_eq!(project.rules("private/x.py"), ["AGENTS.md=top"]);
    }

    #[test]
    fn one_text_under_two_names_counts_once() {
        let project = Project::new(&[("repo/AGENTS.md", "same"), ("repo/CLAUDE.md", "same")]);
        assert_eq!(project.rules("x.py"), ["AGENTS.md=same"]);
    }

    #[test]
    fn long_files_are_cut_at_a_line_and_say_so() {
        let long = "a rule in a line\n".repeat(4000);
        let project = Project::new(&[("repo/AGENTS.md", &long)]);
        let rules = project.rules("x.py");
        assert!(rules[0].len() < MAX_FILE_BYTES + 100);
        assert!(
            rules[0].contains("a rule in a line\n[The rest of this file, about 35232 bytes, was left out.]"),
            "{}",
            &rules[0][rules[0].len() - 100..]
        );
    }

    #[test]
    fn all_together_have_a_limit() {
        let files: Vec<_> = (0..5)
            .map(|depth| (format!("repo/{}AGENTS.md", "d/".repeat(depth)), format!("{depth}").repeat(30_000)))
            .collect();
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let found = Project::new(&files).rules("d/d/d/d/x.py");
        let paths: Vec<_> = found.iter().map(|file| file.split('=').next().unwrap()).collect();
        assert_eq!(paths, ["d/d/d/d/AGENTS.md", "d/d/d/AGENTS.md"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_nowhere_outside_of_the_root() {
        let project = Project::new(&[("secret.md", "secret"), ("outside/x.py", ""), ("repo/docs/rules.md", "inside")]);
        let root = project.0.path().join("repo");
        std::os::unix::fs::symlink("../secret.md", root.join("AGENTS.md")).unwrap();
        std::os::unix::fs::symlink("docs/rules.md", root.join("CLAUDE.md")).unwrap();
        std::os::unix::fs::symlink("../outside", root.join("linked")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", root.join("docs/AGENTS.md")).unwrap();
        assert_eq!(project.rules("x.py"), ["CLAUDE.md=inside"]);
        assert_eq!(project.rules("docs/x.py"), ["CLAUDE.md=inside"]);
        assert_eq!(project.rules("linked/x.py"), [""; 0]);
    }
}
