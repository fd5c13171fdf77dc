//! The ladder by which explanations reach the reader: a document of the server's own where the client knows those, else a
//! file and the request to open it, else a message with the beginning and the file's path.

use std::path::PathBuf;
use std::time::Duration;

use lsp_types::{MessageType, ShowDocumentParams, Uri};
use tokio::time::Instant;

use super::ext;
use super::host::explanation_uri;
use super::session::Session;
use crate::error::Error;
use crate::output::explanation::{self, Explanation};

/// The client must open the document within this time; then the message tells where it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// What opens takes the keys of whoever types, so it comes when the text was left alone for this long,
const REST: Duration = Duration::from_millis(1500);

/// and a document not at all after this long: then a message tells where it is.
const LONGEST: Duration = Duration::from_secs(60);

/// The most characters of an explanation in a message.
const MESSAGE_LENGTH: usize = 400;

/// Shows an explanation in the best way the client has.
pub(super) async fn show(session: &Session, explanation: &Explanation) {
    let (virtual_documents, show_document) = {
        let capabilities = &session.state().capabilities;
        (capabilities.virtual_documents, capabilities.show_document)
    };
    let mut ask_for_file = show_document;
    if virtual_documents
        && show_document
        && let Some(uri) = explanation_uri(&explanation.id)
    {
        match open(session, uri).await {
            Opened::Yes => return,
            Opened::No => {}
            // Who said nothing for so long is not asked a second time.
            Opened::Silence => ask_for_file = false,
        }
    }
    show_file(session, explanation, ask_for_file).await;
}

/// The lower steps of the ladder: a file, or a message.
async fn show_file(session: &Session, explanation: &Explanation, ask: bool) {
    let file = write(session, explanation);
    if ask
        && let Ok(path) = &file
        && let Ok(uri) = Uri::from_file_path(path)
        && open(session, uri).await == Opened::Yes
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
    let ask = session.state().capabilities.show_document;
    show_file(session, &proposal, ask).await;
}

/// What the client did when it was asked to open a document.
#[derive(PartialEq, Eq)]
enum Opened {
    Yes,
    No,
    Silence,
}

async fn open(session: &Session, uri: Uri) -> Opened {
    if tokio::time::timeout(LONGEST, rest(session)).await.is_err() {
        return Opened::Silence;
    }
    let params = ShowDocumentParams { uri, external: None, take_focus: Some(true), selection: None };
    match tokio::time::timeout(PATIENCE, session.client.show_document(params)).await {
        Ok(Ok(true)) => Opened::Yes,
        Ok(_) => Opened::No,
        Err(_) => Opened::Silence,
    }
}

/// Waits until nobody types.
pub(super) async fn rest(session: &Session) {
    loop {
        let over = session.state().changed.map(|changed| changed + REST);
        match over {
            Some(over) if over > Instant::now() => tokio::time::sleep_until(over).await,
            _ => return,
        }
    }
}

/// Writes the explanation's file, which is also what can be opened later.
pub(super) fn write(session: &Session, explanation: &Explanation) -> Result<PathBuf, Error> {
    let folder = session.paths.explanations();
    let path = folder.join(explanation::file_name(explanation));
    let io_error = |error: std::io::Error| {
        Error::new(crate::error::ErrorKind::Config, format!("{} could not be written: {error}.", path.display()))
            .hint("Check the folder, or set ASIDE_CACHE_DIR to another one.")
    };
    std::fs::create_dir_all(&folder).map_err(io_error)?;
    std::fs::write(&path, explanation::document(explanation)).map_err(io_error)?;
    Ok(path)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::test_client::{TestSession, params};
    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Says {
        Yes,
        No,
        Error,
        Nothing,
    }

    fn explanation() -> Explanation {
        let markdown = "μ".repeat(MESSAGE_LENGTH + 1);
        Explanation { id: "ID".to_owned(), action: "Explain `a/b`".to_owned(), markdown, ..Explanation::default() }
    }

    /// What the server asks and says, in short, of a client with these abilities that gives these answers.
    async fn ladder(virtual_documents: bool, show_document: bool, answers: &[Says]) -> Vec<String> {
        let it = TestSession::new("").await;
        {
            let mut state = it.session().state();
            state.capabilities.virtual_documents = virtual_documents;
            state.capabilities.show_document = show_document;
        }
        let TestSession { backend, mut client, folder } = it;
        let session = backend.session.clone();
        let mut shown = tokio::spawn(async move { show(&session, &explanation()).await });
        let mut said = Vec::new();
        let mut answers = answers.iter();
        loop {
            let message = tokio::select! {
                biased;
                message = client.next() => message,
                _ = &mut shown, if !shown.is_finished() => continue,
                () = tokio::time::sleep(PATIENCE * 2) => return said,
            };
            let params = params(&message);
            if message.method() == "window/showMessage" {
                let text =
                    params["message"].as_str().unwrap_or_default().replace(&folder.path().display().to_string(), "~");
                said.push(text.trim_start_matches('μ').to_owned());
                continue;
            }
            let scheme = params["uri"].as_str().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
            said.push(scheme);
            match answers.next().unwrap_or(&Says::Nothing) {
                Says::Yes => client.answer(&message, json!({"success": true})).await,
                Says::No => client.answer(&message, json!({"success": false})).await,
                Says::Error => client.refuse(&message).await,
                Says::Nothing => {}
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn takes_the_best_way_that_the_client_goes() {
        use Says::{Error, No, Nothing, Yes};
        let message = "…\n\n~/cache/explanations/explain-a-b-ID.md";
        let table: [(bool, bool, &[Says], &[&str]); 9] = [
            (true, true, &[Yes], &["aside-explain"]),
            (true, true, &[No, Yes], &["aside-explain", "file"]),
            (true, true, &[Error, Error], &["aside-explain", "file", message]),
            (true, true, &[Nothing], &["aside-explain", message]),
            (false, true, &[Yes], &["file"]),
            (false, true, &[No], &["file", message]),
            (false, true, &[Nothing], &["file", message]),
            (true, false, &[], &[message]),
            (false, false, &[], &[message]),
        ];
        for (virtual_documents, show_document, answers, expected) in table {
            let said = ladder(virtual_documents, show_document, answers).await;
            assert_eq!(said, expected, "{virtual_documents} {show_document} {answers:?}");
        }
    }
}
