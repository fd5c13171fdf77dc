//! Placeholders turned back into what they stand for.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::claude::types::{ContentBlock, MessageResponse};

/// What every placeholder begins with.
pub(super) const STEM: &str = "ASIDE_SECRET_";

/// So many capitals and digits follow.
pub(super) const ID_LENGTH: usize = 12;

/// What the placeholders of a request stand for. Those of other requests mean nothing to it: text that says one, from
/// wherever, gets no secret that was not in the request.
#[derive(Clone, Default)]
pub struct Opening {
    values: Vec<String>,
    placeholders: HashMap<String, usize>,
    known: HashMap<String, String>,
    /// The placeholders that stand in front of letters somewhere in the request. Elsewhere one that has letters behind it
    /// was altered.
    joined: HashSet<String>,
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.placeholders.keys()).finish()
    }
}

impl Opening {
    pub(super) fn add(&mut self, placeholder: String, value: &str) {
        if !self.known.contains_key(value) {
            self.known.insert(value.to_owned(), placeholder.clone());
            self.placeholders.insert(placeholder, self.values.len());
            self.values.push(value.to_owned());
        }
    }

    /// Takes note of what follows a value where it stood in a text.
    pub(super) fn followed(&mut self, value: &str, behind: &str) {
        if behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && let Some(placeholder) = self.known.get(value)
        {
            self.joined.insert(placeholder.clone());
        }
    }

    pub(super) fn placeholder(&self, value: &str) -> Option<&str> {
        self.known.get(value).map(String::as_str)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(String::as_str)
    }

    /// Whether a text is the beginning of a placeholder, and not all of it.
    pub(super) fn has_begun(&self, text: &str) -> bool {
        self.placeholders.keys().any(|placeholder| placeholder.len() > text.len() && placeholder.starts_with(text))
    }

    /// Whether there is nothing to put back.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A text with its secrets put back.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.is_empty() || !text.contains(STEM) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(self.opened(text, false))
    }

    pub(super) fn opened(&self, text: &str, as_json: bool) -> String {
        let mut opened = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(STEM) {
            let mut length = STEM.len() + id_length(&rest[at + STEM.len()..]);
            let exact = STEM.len() + ID_LENGTH;
            if length > exact && self.joined.contains(&rest[at..at + exact]) {
                length = exact;
            }
            let (before, placeholder) = (&rest[..at], &rest[at..at + length]);
            opened.push_str(before);
            match self.placeholders.get(placeholder) {
                Some(index) if as_json => {
                    let quoted = serde_json::to_string(&self.values[*index]).unwrap_or_default();
                    opened.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
                }
                Some(index) => opened.push_str(&self.values[*index]),
                None => opened.push_str(placeholder),
            }
            rest = &rest[at + length..];
        }
        opened.push_str(rest);
        opened
    }

    /// Puts the secrets back into an answer.
    pub fn message(&self, message: &mut MessageResponse) {
        if !self.is_empty() {
            message.content.iter_mut().for_each(|block| self.block(block));
        }
    }

    /// Puts the secrets back into a block. Thinking is left as it came.
    pub fn block(&self, block: &mut ContentBlock) {
        if matches!(block, ContentBlock::Text { .. } | ContentBlock::ToolUse { .. }) {
            for text in super::texts_of(block) {
                if let Cow::Owned(opened) = self.text(text) {
                    *text = opened;
                }
            }
        }
    }
}

/// How long the word is that a text begins with, up to where another placeholder begins. One that has more letters than a
/// placeholder is none, unless it was sealed in front of them.
pub(super) fn id_length(text: &str) -> usize {
    let length = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    text[..length].find(STEM).unwrap_or(length)
}

/// What in a text looks like a placeholder, in whatever spelling. Behind the gate there should be none.
pub fn strangers(text: &str) -> impl Iterator<Item = &str> {
    static PLACEHOLDER: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)aside[_-]?secret[_-][0-9a-z]\w*").ok());
    PLACEHOLDER.iter().flat_map(move |it| it.find_iter(text)).map(|it| it.as_str())
}
