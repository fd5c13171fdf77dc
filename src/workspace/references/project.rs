//! The files of a project as far as references lead into them: read once, parsed once, and never too many.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::imports::{Import, imports};
use super::search::last;
use crate::workspace::language::{self, Language};
use crate::workspace::roots::normalized;
use crate::workspace::secrets::{Secret, Whole, find};
use crate::workspace::syntax::{Item, Syntax};
use crate::workspace::test_files::Files;

/// A larger file is generated, or a world of its own.
const MAX_FILE_BYTES: usize = 256 * 1024;

/// So much is parsed for one request. A limit in bytes and not in time, so that the same project gives the same prompt.
const MAX_PARSED_BYTES: usize = 768 * 1024;

/// So many files are asked for, there or not, so that no repository can make a request slow.
const MAX_LOOKS: usize = 2000;

/// A project, read through `files`, and nothing outside of `root`.
pub struct Project<'a> {
    root: PathBuf,
    files: &'a dyn Files,
    sources: RefCell<HashMap<PathBuf, Option<Rc<Source>>>>,
    bytes_left: Cell<usize>,
    looks_left: Cell<usize>,
}

/// A file that was parsed.
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Its language.
    pub language: &'static Language,
    /// Its tree and text.
    pub syntax: Syntax,
    /// Its items.
    pub items: Vec<Item>,
    imports: OnceCell<Vec<Import>>,
    secrets: OnceCell<Vec<Secret>>,
    by_name: OnceCell<HashMap<String, Vec<usize>>>,
}

impl Source {
    /// Parses a text; `None` for a language without a grammar.
    pub fn parse(path: &Path, language: &'static Language, text: String) -> Option<Self> {
        Some(Self::new(path, language, Syntax::parse(language, text)?))
    }

    /// A text that is parsed already.
    pub fn new(path: &Path, language: &'static Language, syntax: Syntax) -> Self {
        let items = syntax.items();
        let (imports, secrets, by_name) = Default::default();
        Self { path: normalized(path), language, syntax, items, imports, secrets, by_name }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        self.syntax.text()
    }

    /// What it imports.
    pub fn imports(&self) -> &[Import] {
        self.imports.get_or_init(|| imports(&self.syntax, self.language.family()))
    }

    /// Its text, of which pieces are shown without what the rest tells to be a secret.
    pub fn whole(&self) -> Whole<'_> {
        Whole::with(self.text(), self.secrets.get_or_init(|| find(self.text())))
    }

    /// The items whose name ends so, in order: where `name` has a path in front, as in `A::b`, its last part counts.
    pub(super) fn named(&self, name: &str) -> &[usize] {
        let by_name = self.by_name.get_or_init(|| {
            let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
            for (index, item) in self.items.iter().enumerate() {
                by_name.entry(last(&item.name).to_owned()).or_default().push(index);
            }
            by_name
        });
        by_name.get(last(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The folder it is in.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

impl<'a> Project<'a> {
    /// The project below `root`; `files` decides what of it may be read.
    pub fn new(root: &Path, files: &'a dyn Files) -> Self {
        Self {
            root: normalized(root),
            files,
            sources: RefCell::default(),
            bytes_left: Cell::new(MAX_PARSED_BYTES),
            looks_left: Cell::new(MAX_LOOKS),
        }
    }

    /// The folder that nothing leads out of.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether there is a file or folder.
    pub(super) fn exists(&self, path: &Path) -> bool {
        self.path(path).is_some_and(|path| self.files.exists(&path))
    }

    /// The text of a small file, such as a manifest.
    pub(super) fn text(&self, path: &Path) -> Option<String> {
        self.files.read_to_string(&self.path(path)?).filter(|text| text.len() <= MAX_FILE_BYTES)
    }

    /// The names of what is in a folder, in order.
    pub(super) fn list(&self, folder: &Path) -> Vec<String> {
        let mut names = self.path(folder).map(|folder| self.files.list(&folder)).unwrap_or_default();
        names.sort_unstable();
        names
    }

    /// The folders from `folder` up to the root.
    pub(super) fn upwards<'p>(&'p self, folder: &'p Path) -> impl Iterator<Item = &'p Path> {
        folder.ancestors().take_while(|folder| folder.starts_with(&self.root))
    }

    /// A file, parsed; `None` if there is none, or too much was read already.
    pub fn source(&self, path: &Path) -> Option<Rc<Source>> {
        let path = normalized(path);
        if let Some(known) = self.sources.borrow().get(&path) {
            return known.clone();
        }
        let source = self.read(&path).map(Rc::new);
        self.sources.borrow_mut().insert(path, source.clone());
        source
    }

    /// A file whose text is known better than the disk knows it.
    pub fn put(&self, source: Source) -> Rc<Source> {
        let source = Rc::new(source);
        self.sources.borrow_mut().insert(source.path.clone(), Some(source.clone()));
        source
    }

    fn read(&self, path: &Path) -> Option<Source> {
        let language = language::by_path(path);
        language.grammar?;
        let text = self.text(path)?;
        let left = self.bytes_left.get().checked_sub(text.len())?;
        self.bytes_left.set(left);
        // In C a header's name does not tell which of the two languages it is; the richer one reads both.
        let language = if path.extension().is_some_and(|ext| ext == "h") { language::by_id("cpp") } else { language };
        Source::parse(path, language, text)
    }

    /// The path, if it is inside of the root and there is still work to be spent.
    fn path(&self, path: &Path) -> Option<PathBuf> {
        let path = normalized(path);
        self.looks_left.set(self.looks_left.get().checked_sub(1)?);
        path.starts_with(&self.root).then_some(path)
    }
}
