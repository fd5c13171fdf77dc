//! Secrets in any text: what is found can be cut out of it, piece by piece, and is found again. With placeholders in their
//! places nothing of them leaves, and put back, whole or in pieces, the text is what it was.

use super::pieces;
use crate::claude::types::{ContentBlock, Message, MessageRequest, Role};
use crate::jobs::fuzzed::opened;
use crate::jobs::outgoing::{Gate, strangers};
use crate::workspace::secrets::find;

thread_local! {
    /// With a key that is always the same.
    static GATE: (tempfile::TempDir, Gate) = {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("placeholder.key"), [7; 32]).expect("a key");
        let gate = Gate::new(folder.path().to_path_buf());
        (folder, gate)
    };
}

pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let found = find(&text);
    let mut end = 0;
    for secret in &found {
        let value = text.get(secret.span.clone()).expect("a piece of the text");
        assert!(secret.span.start >= end, "{found:?} overlap");
        assert!(!value.is_empty() && !value.contains('\n'), "{value:?}");
        end = secret.span.end;
    }
    assert_eq!(find(&text), found);
    if text.is_empty() {
        return;
    }
    let turn = |role| Message { role, content: vec![ContentBlock::text(&*text)] };
    // The model quotes the text, and the user says it again.
    let messages = vec![turn(Role::User), turn(Role::Assistant), turn(Role::User)];
    let request = MessageRequest { model: "m".to_owned(), messages, ..MessageRequest::default() };
    let sealed = GATE.with(|(_, gate)| gate.seal(&request, true));
    let sent: Vec<&str> = sealed.request().messages.iter().flat_map(|message| &message.content).map(words).collect();
    // Text that has placeholders of its own cannot be told from ours.
    let is_plain = strangers(&text).next().is_none() && !text.contains("ASIDE_SECRET_");
    for (index, sent) in sent.iter().enumerate() {
        if is_plain {
            assert_eq!(sealed.opening().text(sent), text, "turn {index} was sent as {sent:?}");
        }
        for size in [1, 3, 11] {
            assert_eq!(opened(&sealed, &pieces(sent, size)), sealed.opening().text(sent));
        }
    }
    assert_eq!(sent[0], sent[2], "a turn is sent in two ways");
    if found.is_empty() {
        assert_eq!(sent[0], text);
    }
    for secret in &found {
        let value = &text[secret.span.clone()];
        // What is no word is nowhere else either.
        let is_telling = value.len() >= 16 && value.bytes().any(|byte| byte.is_ascii_uppercase());
        if is_telling && text.matches(value).count() == 1 {
            assert!(
                sent.iter().all(|sent| !without_placeholders(sent).contains(value)),
                "{value:?} leaves in {sent:?}"
            );
        }
    }
}

/// What is in front of a placeholder may become a secret by the placeholder's first letters. What follows one without a break is
/// no part of it.
fn without_placeholders(sent: &str) -> String {
    let length = "ASIDE_SECRET_".len() + 12;
    let placeholders = strangers(sent).map(|it| it.get(..length).unwrap_or(it));
    placeholders.fold(sent.to_owned(), |text, placeholder| text.replace(placeholder, "\n"))
}

fn words(block: &ContentBlock) -> &str {
    match block {
        ContentBlock::Text { text, .. } => text,
        _ => "",
    }
}
