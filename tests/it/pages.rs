//! What the pages say of tests: each one that a table names is there.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The names in the last cells of a page's tables whose last column is about tests, with their lines.
fn named(page: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    let mut is_about_tests = false;
    for (index, line) in page.lines().enumerate() {
        let Some(row) = line.strip_prefix('|') else {
            is_about_tests = false;
            continue;
        };
        let last = row.trim_end().trim_end_matches('|').rsplit(" | ").next().unwrap_or_default().trim();
        is_about_tests |= last == "test" || last == "tried in";
        if is_about_tests {
            names.extend(last.split('`').skip(1).step_by(2).map(|name| (index + 1, name.to_owned())));
        }
    }
    names
}

/// Whether the file of a module of the library, or one below it, has a test; or has this one, if the last part is its name.
fn is_in_library(name: &str) -> bool {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let parts: Vec<&str> = name.split("::").collect();
    let has = |path: PathBuf, words: &str| std::fs::read_to_string(path).is_ok_and(|text| text.contains(words));
    let files = |parts: &[&str]| {
        let base = parts.iter().fold(src.clone(), |path, part| path.join(part));
        [base.with_extension("rs"), base.join("mod.rs"), base.join("tests.rs")]
    };
    let has_tests = |parts: &[&str]| files(parts).into_iter().any(|file| has(file, "test]\n"));
    let (last, above) = parts.split_last().unwrap();
    let function = format!("fn {last}(");
    has_tests(&parts)
        || *last == "tests" && has_tests(above)
        || files(above).into_iter().any(|file| has(file.clone(), "test]\n") && has(file, &function))
}

#[test]
fn every_test_that_a_table_names_is_there() {
    let program = std::env::current_exe().unwrap();
    let listed = Command::new(program).args(["--list", "--format", "terse"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let ours: Vec<&str> = listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    assert!(ours.contains(&"pages::every_test_that_a_table_names_is_there"));
    let mut missing = Vec::new();
    let mut count = 0;
    for page in ["docs/reliability.md", "SECURITY.md"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
        for (line, name) in named(&text) {
            count += 1;
            let own = name.strip_prefix("it::").unwrap_or(&name);
            let below = format!("{own}::");
            let is_ours = ours.iter().any(|test| *test == own || test.starts_with(&below));
            if !is_ours && !is_in_library(&name) {
                missing.push(format!("{page}:{line}: {name}"));
            }
        }
    }
    assert!(count > 100, "the tables are found: {count}");
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(!is_in_library("ledger::tests::no_such_test") && !is_in_library("no::such::room"));
}
