//! What comes with a repository: whatever its configuration says, money, addresses and secrets stay the user's.

use crate::config::{Layers, Settings};

pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    held(&Layers::of_workspace_text(&text));
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
        let mut layers = Layers::of_workspace_text("");
        layers.set_initialization_options(Some(&value));
        layers.set_editor(Some(value));
        held(&layers);
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
        assert!(!problem.to_string().is_empty());
    }
}
