//! The documents an editor has open, their versions, and cheap copies of them.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ropey::Rope;
use url::Url;

use super::Span;
use super::content::{self, MAX_DOCUMENT_BYTES};
use super::language::{self, Language};
use super::positions::floor_char_boundary;
use super::syntax::{ParsedAhead, SharedTree, Syntax};
use super::tracking::{TrackId, Tracked, Tracks};
use crate::error::{Error, ErrorKind};

/// One change of a document's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The whole text is replaced.
    Full(String),
    /// A part is replaced.
    Span(Span, String),
}

/// An open document.
#[derive(Clone, Debug)]
pub struct Document {
    uri: Url,
    path: Option<PathBuf>,
    language: &'static Language,
    version: i32,
    text: Rope,
    tracks: Tracks,
}

impl Document {
    /// A document as an editor opens it. The language is the one named, or, if that is not known, the one that the
    /// path tells.
    pub fn new(uri: Url, language_id: &str, version: i32, text: &str) -> Self {
        let path = uri.to_file_path().ok();
        let language = language::of_document(language_id, path.as_deref());
        Self { uri, path, language, version, text: Rope::from_str(text), tracks: Tracks::default() }
    }

    /// The document's name, as the editor sent it.
    pub fn uri(&self) -> &Url {
        &self.uri
    }

    /// Its place on disk, unless it has none (`untitled:`).
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Its language.
    pub fn language(&self) -> &'static Language {
        self.language
    }

    /// The editor's number of the current text.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// Sets the editor's number of the current text, after the changes that lead to it were applied.
    pub fn set_version(&mut self, version: i32) {
        self.version = version;
    }

    /// The current text.
    pub fn text(&self) -> &Rope {
        &self.text
    }

    /// Whether the document is too large for actions. Its text is followed all the same.
    pub fn too_large(&self) -> bool {
        self.text.len_bytes() > MAX_DOCUMENT_BYTES
    }

    /// Applies one change. A span past the text is cut, and one inside a character begins at that character: whatever
    /// a client sends, nothing panics.
    pub fn apply(&mut self, change: Change) {
        let (span, new) = match change {
            Change::Full(new) => (0..self.text.len_bytes(), new),
            Change::Span(span, new) => (self.clamp(span), new),
        };
        self.tracks.before_change(&self.text, &span, &new);
        self.replace(&span, &new);
        self.tracks.after_change(&self.text, &(span.start..span.start + new.len()));
    }

    fn replace(&mut self, span: &Span, new: &str) {
        let start = self.text.byte_to_char(span.start);
        let end = self.text.byte_to_char(span.end);
        if span.len() == self.text.len_bytes() {
            self.text = Rope::from_str(new);
            return;
        }
        if start < end {
            self.text.remove(start..end);
        }
        if !new.is_empty() {
            self.text.insert(start, new);
        }
    }

    /// Begins to follow a range of the text.
    pub fn track(&mut self, span: Span) -> TrackId {
        let span = self.clamp(span);
        self.tracks.track(&self.text, span)
    }

    /// Where a tracked range is now; `None` if it is not tracked here.
    pub fn tracked(&self, id: TrackId) -> Option<Tracked> {
        self.tracks.tracked(&self.text, id)
    }

    /// The text a tracked range had when tracking began.
    pub fn original(&self, id: TrackId) -> Option<&Rope> {
        self.tracks.original(id)
    }

    /// Ends following a range.
    pub fn untrack(&mut self, id: TrackId) {
        self.tracks.untrack(id);
    }

    /// A copy that later changes do not reach. Takes nanoseconds: the text is shared.
    pub fn snapshot(&self) -> Snapshot {
        let (uri, path) = (self.uri.clone(), self.path.clone());
        Snapshot::new(uri, path, self.language, Some(self.version), self.text.clone())
    }

    fn clamp(&self, span: Span) -> Span {
        let start = floor_char_boundary(&self.text, span.start);
        let end = floor_char_boundary(&self.text, span.end);
        start..end.max(start)
    }
}

/// A document at one moment, open in an editor or read from disk.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its name.
    pub uri: Url,
    /// Its place on disk, if it has one.
    pub path: Option<PathBuf>,
    /// Its language.
    pub language: &'static Language,
    /// The editor's number of this text; `None` if the file is not open.
    pub version: Option<i32>,
    /// Its text.
    pub text: Rope,
    tree: SharedTree,
}

impl Snapshot {
    /// A document's name, place and language, the editor's number of its text, and the text.
    pub fn new(uri: Url, path: Option<PathBuf>, language: &'static Language, version: Option<i32>, text: Rope) -> Self {
        Self { uri, path, language, version, text, tree: SharedTree::default() }
    }

    /// Its text with its tree; `None` for a language without a grammar, and for a text too large or too tangled to parse.
    /// Parsed once for this snapshot and its clones, as long as nobody [forgets](Self::forget_tree) it.
    pub fn syntax(&self) -> Option<Syntax> {
        self.tree.syntax(self.language, &self.text)
    }

    /// Its text, to be parsed while something else is done, unless it was; the tree is not kept here any more.
    pub fn parsed_ahead(&self) -> ParsedAhead {
        self.tree.ahead(self.language, &self.text)
    }

    /// Lets go of the tree, which is many times as large as the text.
    pub fn forget_tree(&self) {
        self.tree.forget();
    }

    /// Reads a file that no editor has open. `path` must be absolute.
    ///
    /// # Errors
    /// Those of [`content::read_text`], and a path that is not absolute.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::read_by(path, content::read_text)
    }

    /// As [`read`](Self::read), also from a pipe: for who named it on the command line, as `<(…)` of a shell does.
    pub fn read_any(path: &Path) -> Result<Self, Error> {
        Self::read_by(path, content::read_any)
    }

    fn read_by(path: &Path, read: fn(&Path) -> Result<String, Error>) -> Result<Self, Error> {
        let uri = Url::from_file_path(path).map_err(|()| {
            Error::new(ErrorKind::Config, format!("{} is not an absolute path.", path.display()))
                .hint("Give the whole path of the file.")
        })?;
        let text = read(path)?;
        Ok(Self::new(uri, Some(path.to_owned()), language::by_path(path), None, Rope::from_str(&text)))
    }

    /// Whether actions can work on this text.
    ///
    /// # Errors
    /// It is larger than [`MAX_DOCUMENT_BYTES`], or it is binary.
    pub fn check(&self) -> Result<(), Error> {
        let name = self.name();
        if self.text.len_bytes() > MAX_DOCUMENT_BYTES {
            return Err(content::too_large(&name, self.text.len_bytes() as u64));
        }
        match self.text.chunks().next() {
            Some(chunk) if content::is_probably_binary(chunk.as_bytes()) => Err(content::binary(&name)),
            _ => Ok(()),
        }
    }

    /// What messages call the document: the file's name, or the URI if it has none.
    pub fn name(&self) -> String {
        let file = self.path.as_deref().and_then(Path::file_name);
        file.map_or_else(|| self.uri.to_string(), |name| name.to_string_lossy().into_owned())
    }
}

/// All documents, by URI.
#[derive(Debug, Default)]
pub struct Documents {
    open: HashMap<Url, Document>,
    /// Closed documents with ranges that are still followed: the editor may open them again.
    parked: HashMap<Url, Document>,
}

impl Documents {
    /// Takes in a document that the editor opened. Ranges that were followed when it was closed are followed on.
    pub fn open(&mut self, uri: Url, language_id: &str, version: i32, text: &str) -> &mut Document {
        let mut document = Document::new(uri.clone(), language_id, version, text);
        let before = self.open.remove(&uri).or_else(|| self.parked.remove(&uri));
        if let Some(mut before) = before.filter(|before| !before.tracks.is_empty()) {
            before.apply(Change::Full(text.to_owned()));
            document.tracks = before.tracks;
        }
        self.open.entry(uri).insert_entry(document).into_mut()
    }

    /// Applies changes whose spans are already in bytes, in order, and sets the version. Answers whether the document
    /// is open. (Spans count in the text that the changes before them made: a server that converts positions does so
    /// one change at a time, with [`Documents::get_mut`] and [`Document::apply`].)
    pub fn change(&mut self, uri: &Url, version: i32, changes: impl IntoIterator<Item = Change>) -> bool {
        let Some(document) = self.open.get_mut(uri) else { return false };
        for change in changes {
            document.apply(change);
        }
        document.set_version(version);
        true
    }

    /// Forgets a document that the editor closed, except for ranges that are followed.
    pub fn close(&mut self, uri: &Url) -> bool {
        let Some(document) = self.open.remove(uri) else { return false };
        if !document.tracks.is_empty() {
            self.parked.insert(uri.clone(), document);
        }
        true
    }

    /// An open document.
    pub fn get(&self, uri: &Url) -> Option<&Document> {
        self.open.get(uri)
    }

    /// The open document of a file, however the editor spells its URI.
    pub fn at_path(&self, path: &Path) -> Option<&Document> {
        self.open.values().find(|document| document.path() == Some(path))
    }

    /// An open document, to change it.
    pub fn get_mut(&mut self, uri: &Url) -> Option<&mut Document> {
        self.open.get_mut(uri)
    }

    /// All open documents, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Document> {
        self.open.values()
    }

    /// Where a range is now, of a document that is open or was closed since.
    pub fn tracked(&self, uri: &Url, id: TrackId) -> Option<Tracked> {
        self.open.get(uri).or_else(|| self.parked.get(uri))?.tracked(id)
    }

    /// Ends following a range of a document that is open or was closed since.
    pub fn untrack(&mut self, uri: &Url, id: TrackId) {
        if let Some(document) = self.open.get_mut(uri) {
            document.untrack(id);
        }
        if let Some(document) = self.parked.get_mut(uri) {
            document.untrack(id);
            if document.tracks.is_empty() {
                self.parked.remove(uri);
            }
        }
    }
}
