//! What hostile files, settings, tools and a hostile model try, and what comes of it: nothing.
//!
//! Each test is a table. A row names what is tried; around every run the whole of the user's files is looked at, so that a
//! file that appears or changes anywhere is seen, not only the one that was aimed at.

mod files;
mod model;
#[cfg(unix)]
mod names;
mod tools;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Sandbox;

/// A file in three parts, of which the middle is selected.
const BEFORE: &str = "import os\n\n\ndef first():\n    return 1\n\n\n";
const SELECTED: &str = "def area(width, height=1):\n    return width * height\n";
const AFTER: &str = "\n\ndef last():\n    return 3\n";

fn code() -> String {
    [BEFORE, SELECTED, AFTER].concat()
}

/// Everything in the sandbox but what Aside itself keeps, links as what they say.
fn snapshot(sandbox: &Sandbox) -> BTreeMap<PathBuf, String> {
    fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            if kind.is_symlink() {
                found.insert(path.clone(), fs::read_link(&path).unwrap().display().to_string());
            } else if kind.is_dir() {
                found.insert(path.clone(), "(folder)".to_owned());
                walk(&path, found);
            } else {
                found.insert(path.clone(), String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
            }
        }
    }
    let mut found = BTreeMap::new();
    for folder in ["home", "config", "workspace"] {
        walk(&sandbox.path(folder), &mut found);
    }
    found
}
