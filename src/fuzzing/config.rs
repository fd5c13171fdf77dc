//! What comes with a repository: whatever its configuration says, money, addresses and secrets stay the user's.

use crate::config::{Layers, Settings, Source};

pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let layers = Layers::of_workspace_text(&text);
    held(&layers);
    placed(&layers, &text);
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
        let mut layers = Layers::of_workspace_text("");
        layers.set_initialization_options(Some(&value));
        layers.set_editor(Some(value));
        held(&layers);
    }
}

/// What is wrong in a file has a place in it.
fn placed(layers: &Layers, text: &str) {
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in layers.resolve().problems.iter().filter(|problem| matches!(problem.source, Source::Workspace(_))) {
        let (line, column) = problem.place.unwrap_or_else(|| panic!("{problem} has no place"));
        let here =
            line.checked_sub(1).and_then(|line| lines.get(line)).unwrap_or_else(|| panic!("{problem} is nowhere"));
        assert!(column >= 1 && column <= here.chars().count() + 1, "{problem} is not in {here:?}");
    }
}

fn held(layers: &Layers) {
    let resolved = layers.resolve();
    let (said, own) = (&resolved.settings, Settings::default());
    assert_eq!(said.api, own.api);
    assert_eq!(said.budget, own.budget);
    assert_eq!(said.prices, own.prices);
    assert_eq!(said.privacy.redact, own.privacy.redact);
    assert!(own.privacy.exclude.iter().all(|glob| said.privacy.exclude.contains(glob)));
    for problem in &resolved.problems {
        let said = problem.to_string();
        assert!(!problem.message.is_empty() && !said.contains(char::is_control), "{said:?}");
    }
}
