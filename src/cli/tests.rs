//! What is printed before anything runs.

use std::fmt::Write as _;

use clap::CommandFactory;
use expect_test::expect_file;

use super::*;

#[test]
fn the_tree_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn help_texts() {
    let mut root = Cli::command().term_width(100);
    root.build();
    let mut text = String::new();
    collect(&mut root, &mut text);
    expect_file!["help.txt"].assert_eq(&text);
}

fn collect(command: &mut clap::Command, text: &mut String) {
    let help = command.render_long_help().to_string();
    let name = command.get_bin_name().unwrap_or("aside");
    // Padding at line ends is nothing that anyone sees.
    let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let _ = writeln!(text, "$ {name} --help\n{}\n", help.trim_end());
    for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
        collect(inner, text);
    }
}

#[test]
fn completions_and_pages_come_for_all() {
    for shell in clap::ValueEnum::value_variants() {
        let mut script = Vec::new();
        clap_complete::generate::<clap_complete::Shell, _>(*shell, &mut Cli::command(), "aside", &mut script);
        assert!(String::from_utf8(script).unwrap().contains("simulate"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("new");
    man::run(&man::ManArgs { dir: Some(dir.clone()) }).unwrap();
    for page in ["aside.1", "aside-act.1", "aside-config-show.1"] {
        let text = std::fs::read_to_string(dir.join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
}

#[test]
fn exit_codes_of_usage() {
    for (args, code) in [
        (&["aside", "--version"] as &[&str], 0),
        (&["aside", "act", "--help"], 0),
        (&["aside"], 2),
        (&["aside", "act"], 2),
        (&["aside", "act", "explain", "f", "--write", "--dry-run"], 2),
        (&["aside", "act", "explain", "f", "--model", "a b"], 2),
        (&["aside", "nonsense"], 2),
        (&["aside", "simulate", "--speed", "0"], 2),
        (&["aside", "usage", "--since", "yesterday"], 2),
    ] {
        assert_eq!(Cli::try_parse_from(args).unwrap_err().exit_code(), code, "{args:?}");
    }
    for args in
        [&["aside", "serve", "--stdio"] as &[&str], &["aside", "act", "explain", "-:3-5", "--stdin-path", "a.py"]]
    {
        Cli::try_parse_from(args).unwrap();
    }
}

/// The version of a page of changes: the first heading with a number.
fn newest(changes: &str) -> Option<&str> {
    let headings = changes.lines().filter_map(|line| line.strip_prefix("## "));
    headings.filter_map(|heading| heading.split(' ').next()).find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

#[test]
fn one_version_everywhere() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(top.join(file)).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    for file in ["editors/vscode/package.json", "editors/vscode/package-lock.json"] {
        let manifest: serde_json::Value = serde_json::from_str(&read(file)).unwrap();
        assert_eq!(manifest["version"], version, "{file}");
    }
    for file in ["editors/zed/extension.toml", "editors/zed/Cargo.toml"] {
        let manifest: toml::Table = read(file).parse().unwrap();
        let package = manifest.get("package").and_then(toml::Value::as_table).unwrap_or(&manifest);
        assert_eq!(package["version"].as_str(), Some(version), "{file}");
    }
    assert_eq!(newest(&read("editors/vscode/CHANGELOG.md")), Some(version), "the extension's changes");
    // Before the first release there is no number yet; a number that is there is the manifest's.
    let changes = read("CHANGELOG.md");
    assert_eq!(newest(&changes).unwrap_or(version), version, "CHANGELOG.md");
    let first = changes.lines().find_map(|line| line.strip_prefix("## ")).unwrap();
    assert!(first == "Unreleased" || first.starts_with(version), "CHANGELOG.md begins with {first}");
    assert_eq!(newest("# Changes\n\n## Unreleased\n\n## 1.2.3 (2026-11-23)\n## 1.2.2\n"), Some("1.2.3"));
}
