//! The one gate that everything passes on its way to the model, and that every answer passes on its way back.
//!
//! [`Gate::seal`] puts placeholders where secrets are. The same secret has the same placeholder in all requests of an
//! installation, so what the cache holds stays what it is; who does not have the installation's key learns nothing from
//! one. [`Sealed`] remembers what it replaced, and puts it back into what is streamed, shown, applied and stored. So
//! nothing behind the gate ever sees a placeholder, and nothing in front of it a secret: a conversation is kept as it truly
//! was, and is sealed anew each time it is sent.
//!
//! Thinking is shown with its secrets put back, but kept as it came: the API wants it back to the byte.

mod key;
mod opening;
mod passing;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;

use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::Value;

use self::key::Key;
use self::opening::{ID_LENGTH, STEM};
pub use self::opening::{Opening, strangers};
pub(super) use self::passing::Passing;
use self::passing::unfinished;
use crate::claude::client::{Answer, Failure, Partial};
use crate::claude::types::{ContentBlock, MessageRequest, MessageResponse, Role, StopReason, SystemBlock};
use crate::workspace::secrets::{self, Secret};

/// The gate of an installation.
#[derive(Debug)]
pub struct Gate {
    key: Key,
}

/// A request that may be sent, and what it takes to understand the answer.
#[derive(Clone, Debug)]
pub struct Sealed {
    request: MessageRequest,
    opening: Opening,
    withheld: Withheld,
}

/// What was kept back: by kind, the placeholders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withheld(BTreeMap<&'static str, BTreeSet<String>>);

impl Gate {
    /// A gate whose key is kept in the data folder. Cheap: the key is read or made with the first secret.
    pub fn new(data_dir: PathBuf) -> Self {
        Self { key: Key::kept_in(data_dir) }
    }

    /// A request as it may be sent: with `redact` (the setting `privacy.redact`) without its secrets.
    ///
    /// What is found in a turn of the user's is replaced in that turn and in all later ones, also where only another part
    /// of the turn tells that it is a secret. Earlier turns stay as they were sent, so a conversation that grows has the
    /// same beginning each time.
    pub fn seal(&self, request: &MessageRequest, redact: bool) -> Sealed {
        let mut request = request.clone();
        let mut sealing =
            Sealing { gate: self, opening: Opening::default(), withheld: Withheld::default(), known: None };
        if redact {
            let MessageRequest { system, messages, .. } = &mut request;
            let mut texts: Vec<&mut String> = system.iter_mut().map(|SystemBlock::Text { text, .. }| text).collect();
            for message in messages {
                texts.extend(message.content.iter_mut().flat_map(texts_of));
                match message.role {
                    Role::User => sealing.seal(std::mem::take(&mut texts), true),
                    // What the model says it knows already; only what it was kept from may not come back to it.
                    Role::Assistant => sealing.seal(std::mem::take(&mut texts), false),
                }
            }
            sealing.seal(texts, true);
        }
        Sealed { request, opening: sealing.opening, withheld: sealing.withheld }
    }

    /// What it takes to understand an answer to a request that is not at hand any more, such as a batch's in another
    /// process: the texts that it was made of.
    pub fn opening<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Opening {
        let texts: Vec<&str> = texts.into_iter().collect();
        let mut opening = Opening::default();
        for text in &texts {
            for Secret { span, .. } in secrets::find(text) {
                let value = &text[span];
                opening.add(self.placeholder(value), value);
            }
        }
        let values: Vec<String> = opening.values().map(str::to_owned).collect();
        for (value, text) in values.iter().flat_map(|value| texts.iter().map(move |text| (value, text))) {
            for (at, _) in text.match_indices(value.as_str()) {
                opening.followed(value, &text[at + value.len()..]);
            }
        }
        opening
    }

    /// What stands for a secret. 60 bits tell apart as many secrets as anybody has.
    fn placeholder(&self, value: &str) -> String {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let digest = self.key.digest(value);
        let number = digest.as_ref().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let mut placeholder = STEM.to_owned();
        let digit = |at| usize::try_from(number >> (5 * at) & 31).unwrap_or_default();
        placeholder.extend((0..ID_LENGTH).map(|at| char::from(DIGITS[digit(at)])));
        placeholder
    }
}

impl Sealed {
    /// What is sent.
    pub fn request(&self) -> &MessageRequest {
        &self.request
    }

    /// What is sent, for keeping.
    pub fn into_request(self) -> MessageRequest {
        self.request
    }

    /// What was kept back.
    pub fn withheld(&self) -> &Withheld {
        &self.withheld
    }

    /// What the placeholders stand for.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// An answer with its secrets put back.
    pub(super) fn opened(&self, mut answer: Answer) -> Answer {
        if let (true, Some(ContentBlock::Text { text, .. })) = (is_cut(&answer), answer.message.content.last_mut()) {
            text.truncate(text.len() - unfinished(&self.opening, text));
        }
        self.opening.message(&mut answer.message);
        answer.abandoned.iter_mut().for_each(|partial| self.open_partial(partial));
        answer
    }

    /// What there was of an answer, with its secrets put back.
    pub(super) fn opened_failure(&self, mut failure: Failure) -> Failure {
        if let Some(Partial { text, .. }) = &mut failure.partial {
            text.truncate(text.len() - unfinished(&self.opening, text));
        }
        failure.partial.iter_mut().chain(&mut failure.abandoned).for_each(|partial| self.open_partial(partial));
        failure
    }

    fn open_partial(&self, partial: &mut Partial) {
        partial.text = self.opening.text(&partial.text).into_owned();
    }

    /// The placeholders in an answer that stand for nothing: the model altered or invented them. What the request itself
    /// says of placeholders is not meant.
    pub fn altered(&self, message: &MessageResponse) -> Vec<String> {
        let mut content = message.content.clone();
        let mut altered = BTreeSet::new();
        for text in content.iter_mut().flat_map(texts_of) {
            altered.extend(strangers(text).map(str::to_owned));
        }
        if !altered.is_empty() {
            let MessageRequest { mut messages, system, .. } = self.request.clone();
            let said = messages.iter_mut().flat_map(|it| &mut it.content).flat_map(texts_of).map(|text| &*text);
            for known in
                said.chain(system.iter().map(|SystemBlock::Text { text, .. }| text)).flat_map(|it| strangers(it))
            {
                altered.remove(known);
            }
        }
        altered.into_iter().collect()
    }
}

impl Withheld {
    /// Takes in what another request of the same work kept back.
    pub fn extend(&mut self, other: &Self) {
        for (kind, placeholders) in &other.0 {
            self.0.entry(kind).or_default().extend(placeholders.iter().cloned());
        }
    }

    /// How many secrets of each kind.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.0.iter().map(|(kind, placeholders)| (*kind, placeholders.len()))
    }

    /// What was kept back, in a sentence without any of it; `None` if nothing was.
    pub fn sentence(&self) -> Option<String> {
        let all: usize = self.counts().map(|(_, count)| count).sum();
        let kinds: Vec<String> = self
            .counts()
            .map(|(kind, count)| if count == 1 { kind.to_owned() } else { format!("{kind}, {count} times") })
            .collect();
        let kinds = kinds.join("; ");
        match all {
            0 => None,
            1 => Some(format!("A secret was kept back ({kinds}): a placeholder stands in its place.")),
            _ => Some(format!("{all} secrets were kept back ({kinds}): placeholders stand in their places.")),
        }
    }
}

/// Whether an answer ends where it was not meant to.
pub(super) fn is_cut(answer: &Answer) -> bool {
    matches!(answer.message.stop_reason, Some(StopReason::MaxTokens | StopReason::ModelContextWindowExceeded))
}

/// A request that is being sealed.
struct Sealing<'a> {
    gate: &'a Gate,
    opening: Opening,
    withheld: Withheld,
    /// Finds what is known already; made anew when there is more.
    known: Option<(AhoCorasick, usize)>,
}

impl Sealing<'_> {
    /// Seals the texts of one turn; `looks` for what was not known before.
    fn seal(&mut self, texts: Vec<&mut String>, looks: bool) {
        let mut spans: Vec<Vec<Range<usize>>> = Vec::new();
        for text in &texts {
            let found = if looks { secrets::find(text) } else { Vec::new() };
            for Secret { span, kind } in &found {
                self.learn(&text[span.clone()], kind);
            }
            spans.push(found.into_iter().map(|secret| secret.span).collect());
        }
        if self.opening.is_empty() {
            return;
        }
        for (text, spans) in texts.into_iter().zip(spans) {
            let spans = self.with_known(text, spans, !looks);
            if spans.is_empty() {
                continue;
            }
            let mut sealed = String::with_capacity(text.len());
            let mut end = 0;
            for span in spans {
                sealed.push_str(&text[end..span.start]);
                let value = &text[span.clone()];
                // Two that overlap are one of their own.
                sealed.push_str(&self.learn(value, "secret"));
                self.opening.followed(value, &text[span.end..]);
                end = span.end;
            }
            sealed.push_str(&text[end..]);
            *text = sealed;
        }
    }

    fn learn(&mut self, value: &str, kind: &'static str) -> String {
        if let Some(placeholder) = self.opening.placeholder(value) {
            return placeholder.to_owned();
        }
        let placeholder = self.gate.placeholder(value);
        self.opening.add(placeholder.clone(), value);
        self.withheld.0.entry(kind).or_default().insert(placeholder.clone());
        placeholder
    }

    /// The spans, and where else in the text is what is known to be a secret. In the user's texts a secret that is a plain
    /// word counts only where it was found; in the model's own, which nobody but us looks into, everywhere.
    fn with_known(&mut self, text: &str, mut spans: Vec<Range<usize>>, words_too: bool) -> Vec<Range<usize>> {
        let values: Vec<&str> = self.opening.values().collect();
        if self.known.as_ref().is_none_or(|(_, count)| *count != values.len()) {
            let known = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&values);
            self.known = known.ok().map(|known| (known, values.len()));
        }
        let Some((known, _)) = &self.known else { return spans };
        let bytes = text.as_bytes();
        let is_word = |at: Option<&u8>| at.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        for hit in known.find_iter(text) {
            let value = values[hit.pattern().as_usize()];
            let before = hit.start().checked_sub(1).and_then(|at| bytes.get(at));
            let goes_on = is_word(bytes.get(hit.end())) && is_word(bytes.get(hit.end() - 1));
            let is_begun = is_word(before) && is_word(bytes.get(hit.start()));
            let is_whole = !goes_on && !is_begun;
            if is_distinct(value) || is_whole && words_too {
                spans.push(hit.range());
            }
        }
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        let mut tidy: Vec<Range<usize>> = Vec::with_capacity(spans.len());
        for span in spans {
            match tidy.last_mut() {
                Some(last) if span.start < last.end => last.end = last.end.max(span.end),
                _ => tidy.push(span),
            }
        }
        tidy
    }
}

/// Whether a value means nothing else wherever it stands.
fn is_distinct(value: &str) -> bool {
    let is_word =
        value.bytes().all(|byte| byte.is_ascii_lowercase()) || value.bytes().all(|byte| byte.is_ascii_digit());
    value.len() >= 8 && (!is_word || value.len() >= 16)
}

/// The texts in a block that are somebody's words, as far as they may be changed.
fn texts_of(block: &mut ContentBlock) -> Vec<&mut String> {
    match block {
        ContentBlock::Text { text, .. } => vec![text],
        ContentBlock::ToolUse { input, .. } => strings(input),
        ContentBlock::ToolResult { content: Some(content), .. } => strings(content),
        // A picture has no text; thinking must go back as it came; what is not known is not touched.
        _ => Vec::new(),
    }
}

/// The strings in a value, but for a picture's data.
fn strings(value: &mut Value) -> Vec<&mut String> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter_mut().flat_map(strings).collect(),
        Value::Object(fields) => {
            if fields.get("type").is_some_and(|kind| kind == "base64") {
                return Vec::new();
            }
            fields.iter_mut().filter(|(key, _)| *key != "type").flat_map(|(_, value)| strings(value)).collect()
        }
        _ => Vec::new(),
    }
}
