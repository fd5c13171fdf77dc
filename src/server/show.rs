//! The ladder by which explanations reach the reader: a document of the server's own where the client knows those, else a
//! file and the request to open it, else a message with the beginning and the file's path.

use std::path::PathBuf;
use std::time::Duration;

use lsp_types::{MessageType, ShowDocumentParams, Uri};

use super::ext;
use super::host::explanation_uri;
use super::session::Session;
use crate::error::Error;
use crate::ledger::StoredExplanation;
use crate::ledger::usage::{counters, dollars};
use crate::output::explanation::{self, Explanation};

/// The client must open the document within this time; then the message tells where it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most characters of an explanation in a message.
const MESSAGE_LENGTH: usize = 400;

/// Shows an explanation in the best way the client has.
pub(super) async fn show(session: &Session, explanation: &Explanation) {
    let (virtual_documents, show_document) = {
        let capabilities = &session.state().capabilities;
        (capabilities.virtual_documents, capabilities.show_document)
    };
    if virtual_documents
        && show_document
        && let Some(uri) = explanation_uri(&explanation.id)
        && open(session, uri).await
    {
        return;
    }
    show_file(session, explanation).await;
}

/// The lower steps of the ladder: a file, or a message.
async fn show_file(session: &Session, explanation: &Explanation) {
    let show_document = session.state().capabilities.show_document;
    let file = write(session, explanation);
    if show_document
        && let Ok(path) = &file
        && let Ok(uri) = Uri::from_file_path(path)
        && open(session, uri).await
    {
        return;
    }
    session.tell(MessageType::Info, message(explanation, &file));
}

/// Shows what an edit would do, for clients that have no way of their own.
pub(super) async fn show_proposal(session: &Session, job: &str, title: &str, diff: &str) {
    let proposal = Explanation {
        id: format!("{job}-proposal"),
        action: title.to_owned(),
        markdown: format!(
            "Waits for your word: the code actions *accept* and *reject*, or the commands `{}` and `{}`.\n\n````diff\n{diff}````",
            ext::ACCEPT,
            ext::REJECT,
        ),
        ..Explanation::default()
    };
    show_file(session, &proposal).await;
}

async fn open(session: &Session, uri: Uri) -> bool {
    let params = ShowDocumentParams { uri, external: None, take_focus: Some(true), selection: None };
    let shown = tokio::time::timeout(PATIENCE, session.client.show_document(params)).await;
    matches!(shown, Ok(Ok(true)))
}

/// Writes the explanation's file, which is also what can be opened later.
fn write(session: &Session, explanation: &Explanation) -> Result<PathBuf, Error> {
    let folder = session.paths.explanations();
    let path = folder.join(file_name(explanation));
    let io_error = |error: std::io::Error| {
        Error::new(crate::error::ErrorKind::Config, format!("{} could not be written: {error}.", path.display()))
            .hint("Check the folder, or set ASIDE_CACHE_DIR to another one.")
    };
    std::fs::create_dir_all(&folder).map_err(io_error)?;
    std::fs::write(&path, explanation::document(explanation)).map_err(io_error)?;
    Ok(path)
}

/// A name that says what is in the file, and that no other explanation has.
fn file_name(explanation: &Explanation) -> String {
    let words = explanation.title().to_lowercase();
    let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).take(6);
    format!("{}-{}.md", words.collect::<Vec<_>>().join("-"), explanation.id)
}

/// An explanation as it was when it was written down.
pub(super) fn restored(stored: StoredExplanation) -> Explanation {
    let (first, last) = (stored.code_start_line + 1, stored.code_end_line + 1);
    let cost = stored.cost_usd.map(|usd| format!(" · {}", dollars(usd))).unwrap_or_default();
    Explanation {
        id: stored.id,
        action: stored.title,
        subject: String::new(),
        place: stored.path.map(|path| format!("{path}:{first}-{last}")).unwrap_or_default(),
        markdown: stored.markdown,
        model: stored.model,
        usage: format!("{}{cost}", counters(&stored.tokens)),
        simulated: stored.simulated,
    }
}

/// The beginning of the explanation, and where the rest is.
fn message(explanation: &Explanation, file: &Result<PathBuf, Error>) -> String {
    let text = explanation.markdown.trim();
    let mut beginning: String = text.chars().take(MESSAGE_LENGTH).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    match file {
        Ok(path) => format!("{beginning}\n\n{}", path.display()),
        Err(error) => format!("{beginning}\n\n{}", error.sentence()),
    }
}
