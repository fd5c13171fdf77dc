//! The project's own rules for people and machines that write its code.

use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The text of a rules file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesFile {
    /// Relative to the workspace folder, with `/` on every system.
    pub path: String,
    /// What it says, cut at [`MAX_FILE_BYTES`] with a note.
    pub text: String,
}

/// Where rules are looked for, in each folder; what was written for Aside comes first.
pub const NAMES: &[&str] = &[".aside/rules.md", "AGENTS.md", "CLAUDE.md"];

/// More of one file is cut off: rules that no one can remember help no one, and every request pays for them.
pub const MAX_FILE_BYTES: usize = 32 * 1024;

/// More of all files together is left out, the farthest first.
pub const MAX_TOTAL_BYTES: usize = 64 * 1024;

/// The rules for `file`: from its own folder up to the workspace folder `root`, nearest first.
///
/// Nothing outside `root` is read, not by way of a link either; a file outside of it, or one without a workspace, has no
/// rules. Of several names for one text (often a link) the first counts.
pub fn rules(root: Option<&Path>, file: &Path) -> Vec<RulesFile> {
    let Some(root) = root else { return Vec::new() };
    let Ok(real_root) = root.canonicalize() else { return Vec::new() };
    let Some(folders) = folders(root, &real_root, file) else { return Vec::new() };
    let mut found: Vec<RulesFile> = Vec::new();
    let mut room = MAX_TOTAL_BYTES;
    for folder in folders {
        for name in NAMES {
            let relative = folder.join(name);
            let Some(text) = read(&real_root, &relative) else { continue };
            if found.iter().any(|earlier| earlier.text == text) || text.len() > room {
                continue;
            }
            room -= text.len();
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
        text.push_str(&format!("[The rest of this file, about {left_out} bytes, was left out.]\n"));
    }
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
