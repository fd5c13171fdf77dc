//! The reference page `docs/configuration.md`, made from the schema.

/// The page, as Markdown.
pub fn reference() -> String {
    String::new()
}
