//! The files around an order's document, as far as they may be read, and what of them goes into the prompt.

use std::path::Path;

use super::host::Host;
use super::order::Order;
use crate::claude::models::Model;
use crate::prompt::context::{Around, gather, may_be_excerpt};
use crate::prompt::{self, TestTarget, estimate_tokens};
use crate::workspace::access::{Access, Permitted};
use crate::workspace::test_files::{Files, RealFiles};

/// Larger files are not read for context.
const MAX_BYTES: u64 = 256 * 1024;

/// What the selection's surroundings have to offer.
pub(super) fn surroundings(
    order: &Order,
    host: &dyn Host,
    model: &Model,
    text: &str,
    tests: Option<&TestTarget>,
) -> prompt::Context {
    let has_tests =
        tests.is_some_and(|tests| tests.existing.is_some() || (tests.inline && text.contains("#[cfg(test)]")));
    let around = |root, path| Around {
        action: &order.action.id,
        root,
        path,
        language: order.snapshot.language,
        text,
        syntax: Box::new(|| order.snapshot.syntax()),
        selection: order.selection.clone(),
        document_is_whole: !may_be_excerpt(text),
        has_tests,
        diagnostics: &order.diagnostics,
        redact: order.settings.privacy.redact,
        max_tokens: order.settings.context.max_tokens,
    };
    let tokens = |text: &str| estimate_tokens(text, model);
    match (&order.root, &order.snapshot.path) {
        (Some(root), Some(path)) => {
            let access = Access::of(root, &order.settings.privacy);
            gather(&around(root, path), &Permitted::new(&HostFiles(host), &access), &tokens)
        }
        // A document that is nowhere has only itself.
        _ => gather(&around(Path::new("/"), &Path::new("/").join(order.shown_path())), &NoFiles, &tokens),
    }
}

/// Files as the user sees them: open documents before what is on disk.
struct HostFiles<'a>(&'a dyn Host);

impl Files for HostFiles<'_> {
    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn read_to_string(&self, path: &Path) -> Option<String> {
        if path.metadata().is_ok_and(|file| !file.is_file() || file.len() > MAX_BYTES) {
            return None;
        }
        Some(self.0.file(path).ok()??.text.to_string())
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        RealFiles.list(folder)
    }
}

/// No files at all.
struct NoFiles;

impl Files for NoFiles {
    fn exists(&self, _: &Path) -> bool {
        false
    }

    fn read_to_string(&self, _: &Path) -> Option<String> {
        None
    }

    fn list(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }
}
