//! The actions as the server knows them: files of users' own come, go and change while it runs.
//!
//! The menu looks at most once a second whether a folder changed, which costs a few questions to the file system; a client
//! that watches files says so at once. What is wrong with a file is a diagnostic in it, of its text as the editor has it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lsp_types::{Diagnostic, DiagnosticSeverity, Message, Registration, Uri};
use ropey::Rope;
use serde_json::json;

use super::session::Session;
use super::{to_proto, trust};
use crate::actions::user::{MAX_FILE_BYTES, Problem, parse};
use crate::actions::{Catalogue, Folders, Loaded, Stamp};
use crate::config::Paths;
use crate::workspace::Span;
use crate::workspace::positions::Encoding;

/// So long what was found in the folders is believed.
const BELIEVED: Duration = Duration::from_secs(1);

/// What is known of the folders.
pub(super) struct Actions {
    paths: Paths,
    /// By the workspace's folder; none is for files of no folder.
    known: Mutex<HashMap<Option<PathBuf>, Known>>,
    /// The diagnostics of files that have any; the lock keeps what is told of one file in order.
    told: tokio::sync::Mutex<Told>,
    /// What the user was asked about, by file and content.
    pub(super) asked: Mutex<HashSet<(PathBuf, String)>>,
}

/// What was told of a file: of which version, and what.
type Told = HashMap<PathBuf, (Option<i32>, Vec<Diagnostic>)>;

struct Known {
    loaded: Arc<Loaded>,
    stamp: Stamp,
    looked: Instant,
}

impl Actions {
    pub(super) fn new(paths: Paths) -> Self {
        Self { paths, known: Mutex::default(), told: tokio::sync::Mutex::default(), asked: Mutex::default() }
    }

    /// The folders of a workspace.
    pub(super) fn folders(&self, root: Option<&Path>) -> Folders {
        Folders::new(&self.paths, root)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Option<PathBuf>, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is in the folders, and whether that is news.
    fn look(&self, root: Option<&Path>, believed: Duration) -> (Arc<Loaded>, bool) {
        let mut known = self.known();
        let root = root.map(Path::to_owned);
        if let Some(known) = known.get(&root).filter(|known| known.looked.elapsed() < believed) {
            return (known.loaded.clone(), false);
        }
        let folders = self.folders(root.as_deref());
        let stamp = folders.stamp();
        let looked = Instant::now();
        if let Some(known) = known.get_mut(&root).filter(|known| known.stamp == stamp) {
            known.looked = looked;
            return (known.loaded.clone(), false);
        }
        let loaded = Arc::new(folders.load());
        known.insert(root, Known { loaded: loaded.clone(), stamp, looked });
        (loaded, true)
    }

    /// What is wrong with a file on disk, if it is in a folder that was looked at.
    fn problems(&self, path: &Path) -> Option<Vec<Problem>> {
        let known = self.known();
        let mut files = known.values().flat_map(|known| &known.loaded.files);
        files.find(|file| file.path == path).map(|file| file.problems.clone())
    }
}

/// The actions for a document at `path`: those of the innermost open folder that it is in, and the user's.
pub(super) fn catalogue(session: &Arc<Session>, path: Option<&Path>) -> Arc<Catalogue> {
    let root = path.and_then(|path| session.state().roots.nearest(path).map(Path::to_owned));
    let (loaded, is_news) = session.actions.look(root.as_deref(), BELIEVED);
    if is_news {
        tokio::spawn(tell(session.clone(), root, loaded.clone()));
    }
    loaded.catalogue.clone()
}

/// Looks at the folders for the first time when a document of theirs is opened, and shows what is wrong with a document
/// that is an action's file itself.
pub(super) fn document_opened(session: &Arc<Session>, uri: &Uri) {
    let path = uri.to_file_path().ok();
    let root = path.as_deref().and_then(|path| session.state().roots.nearest(path).map(Path::to_owned));
    if !session.actions.known().contains_key(&root) {
        let session = session.clone();
        // Reading takes its time on a slow disk, and what is opened next must not wait for it.
        tokio::task::spawn_blocking(move || {
            let (loaded, is_news) = session.actions.look(root.as_deref(), BELIEVED);
            if is_news {
                tokio::spawn(tell(session.clone(), root, loaded));
            }
        });
    }
    document_changed(session, uri);
}

/// Shows what is wrong with a document that is an action's file, as it is now.
pub(super) fn document_changed(session: &Arc<Session>, uri: &Uri) {
    // Most documents are none, and this is asked at every keystroke.
    if !uri.path().ends_with(".md") {
        return;
    }
    let Ok(path) = uri.to_file_path() else { return };
    let root = session.state().roots.nearest(&path).map(Path::to_owned);
    if session.actions.folders(root.as_deref()).origin_of(&path).is_some() {
        let session = session.clone();
        tokio::spawn(async move {
            let mut told = session.actions.told.lock().await;
            publish(&session, &path, &mut told).await;
        });
    }
}

/// An action's file was saved: from now on it runs as it is now.
pub(super) fn document_saved(session: &Arc<Session>, uri: &Uri) {
    if uri.path().ends_with(".md") {
        files_changed(session);
    }
}

/// The client saw files change: looks at all folders again.
pub(super) fn files_changed(session: &Arc<Session>) {
    let roots: Vec<_> = session.actions.known().keys().cloned().collect();
    let session = session.clone();
    tokio::task::spawn_blocking(move || {
        for root in roots {
            let (loaded, is_news) = session.actions.look(root.as_deref(), Duration::ZERO);
            if is_news {
                tokio::spawn(tell(session.clone(), root, loaded));
            }
        }
    });
}

/// Asks a client that watches files to say when one of an action changes.
pub(super) fn watch(session: &Arc<Session>) {
    if !session.state().capabilities.watches_files {
        return;
    }
    let options = json!({"watchers": [{"globPattern": "**/.aside/actions/*.md"}]});
    let registration = Registration {
        id: "aside.actions".to_owned(),
        method: "workspace/didChangeWatchedFiles".to_owned(),
        register_options: Some(options),
    };
    let client = session.client.clone();
    tokio::spawn(async move {
        // A client that does not after all has the menu's look.
        let _ = client.register_capability(vec![registration]).await;
    });
}

/// Tells what is wrong with the files, and asks about those that wait.
async fn tell(session: Arc<Session>, root: Option<PathBuf>, loaded: Arc<Loaded>) {
    let mut told = session.actions.told.lock().await;
    let gone = told.keys().filter(|path| session.actions.problems(path).is_none()).cloned();
    let here = loaded.files.iter().filter(|file| !file.problems.is_empty() || told.contains_key(&file.path));
    let paths: Vec<PathBuf> = gone.chain(here.map(|file| file.path.clone())).collect();
    for path in paths {
        publish(&session, &path, &mut told).await;
    }
    drop(told);
    if let Some(root) = root {
        trust::ask(&session, &root, loaded.catalogue.waiting().to_vec()).await;
    }
}

/// Publishes what is wrong with a file, or that nothing is any more.
async fn publish(session: &Session, path: &Path, told: &mut Told) {
    let (open, encoding, root) = {
        let state = session.state();
        let open = state.documents.at_path(path);
        let open = open.map(|document| (document.uri().clone(), document.text().clone(), document.version()));
        (open, state.capabilities.encoding, state.roots.nearest(path).map(Path::to_owned))
    };
    let on_disk = session.actions.problems(path);
    let (uri, text, version, problems) = if let Some((uri, text, version)) = open {
        let origin = session.actions.folders(root.as_deref()).origin_of(path);
        let text_now = text.to_string();
        let live = origin
            .filter(|_| text_now.len() as u64 <= MAX_FILE_BYTES)
            .map(|origin| parse(path, origin, &text_now).problems);
        // What only the folder tells, such as a name that is taken, is still so.
        let problems = match live {
            Some(problems) if problems.is_empty() && is_saved(path, &text_now) => on_disk.unwrap_or_default(),
            Some(problems) => problems,
            None => on_disk.unwrap_or_default(),
        };
        (uri, text, Some(version), problems)
    } else {
        let Ok(uri) = Uri::from_file_path(path) else { return };
        (uri, Rope::from_str(&on_disk_text(path)), None, on_disk.unwrap_or_default())
    };
    let diagnostics: Vec<_> = problems.iter().map(|problem| diagnostic(&text, encoding, problem)).collect();
    let before = if diagnostics.is_empty() {
        told.remove(path)
    } else {
        told.insert(path.to_owned(), (version, diagnostics.clone()))
    };
    let is_news = before.map_or(!diagnostics.is_empty(), |before| before != (version, diagnostics.clone()));
    if !is_news {
        return;
    }
    session.client.publish_diagnostics(uri, diagnostics, version).await;
}

fn is_saved(path: &Path, text: &str) -> bool {
    on_disk_text(path) == text
}

/// The text of a file that an action may have; a device or a pipe, which a link may lead to, has none.
fn on_disk_text(path: &Path) -> String {
    let readable = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MAX_FILE_BYTES);
    if readable { std::fs::read_to_string(path).unwrap_or_default() } else { String::new() }
}

fn diagnostic(text: &Rope, encoding: Encoding, problem: &Problem) -> Diagnostic {
    Diagnostic {
        range: to_proto::range(text, encoding, &span(text, problem)),
        severity: Some(DiagnosticSeverity::Error),
        source: Some("aside".to_owned()),
        message: Message::String(problem.message.clone()),
        ..Diagnostic::default()
    }
}

/// Where a problem is; all of its line where it names no columns.
fn span(text: &Rope, problem: &Problem) -> Span {
    let line = problem.line.min(text.len_lines().saturating_sub(1));
    let first = text.line_to_char(line);
    let content = text.line(line).chars().take_while(|c| !matches!(c, '\n' | '\r')).count();
    let columns = if problem.columns.is_empty() { 0..content } else { problem.columns.clone() };
    let at = |column: usize| text.char_to_byte(first + column.min(content));
    at(columns.start)..at(columns.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_its_place_or_its_line() {
        let text = Rope::from_str("---\r\ntitle: µ x\n");
        let span = |line, columns| {
            let span = span(&text, &Problem { line, columns, message: String::new() });
            text.byte_slice(span).to_string()
        };
        assert_eq!(span(0, 0..0), "---");
        assert_eq!(span(1, 7..8), "µ");
        assert_eq!(span(1, 7..99), "µ x");
        assert_eq!(span(1, 0..0), "title: µ x");
        assert_eq!(span(9, 0..3), "");
    }
}
