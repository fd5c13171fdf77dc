//! Patterns of what never leaves: no other pattern, of a repository's least of all, lets out what one keeps in.

use std::path::Path;

use super::texts;
use crate::config::Privacy;
use crate::workspace::access::{Access, permit};

thread_local! {
    static FOLDER: tempfile::TempDir = {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(".aside")).expect("a folder in it");
        folder
    };
}

pub(super) fn check(data: &[u8]) {
    let [excluded, included, own, name] = texts(data);
    // A file of this name need not be there; where a name leads outside is not what this is about.
    let plain = name.chars().all(|c| !c.is_control() && c != '\\') && !name.contains("..") && name.len() < 200;
    let name = name.trim_matches('/');
    if name.is_empty() || !plain {
        return;
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let privacy =
        |exclude: &str, include: &str| Privacy { exclude: lines(exclude), include: lines(include), redact: true };
    FOLDER.with(|folder| {
        let root = folder.path();
        let file = root.join(name);
        let ignore = root.join(".aside/ignore");
        let is_sent = |privacy: &Privacy| permit(Some(root), &file, privacy);
        std::fs::write(&ignore, "").expect("it is written");
        let bare = is_sent(&privacy("", ""));
        let held = is_sent(&privacy(&excluded, ""));
        assert!(bare.is_ok() || held.is_err(), "{name} is let out by excluding {excluded:?}");
        if own.len() < 512 {
            std::fs::write(&ignore, &own).expect("it is written");
            let with_own = is_sent(&privacy(&excluded, ""));
            assert!(held.is_ok() || with_own.is_err(), "{name} is let out by {own:?}");
            if held.is_ok() && with_own.is_err() {
                let reason = with_own.as_ref().expect_err("it is kept in").message.clone();
                assert!(reason.contains(".aside/ignore"), "{reason}");
            }
            // What the user lets through is let through, whatever a repository says.
            let user = privacy(&excluded, &included);
            assert!(is_sent(&privacy("", &included)).is_err() || bare.is_ok() || is_sent(&user).is_ok());
        }
        let literal = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/'));
        if literal && Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_))) {
            assert!(is_sent(&privacy(name, "")).is_err(), "{name} is excluded by name");
            assert!(is_sent(&privacy(name, name)).is_ok(), "{name} is let through by name");
            assert!(!Access::of(root, &privacy(name, "")).may_send(&file));
        }
    });
}
