//! The question whether the actions that came with a workspace may be offered.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use lsp_types::{MessageActionItem, MessageType, ShowDocumentParams, Uri};

use super::session::Session;
use super::show;
use crate::actions::Action;

const ALLOW: &str = "Allow";
const SHOW: &str = "Show the files";
const NOT_NOW: &str = "Not now";

/// So many are named in the question, and shown when asked to.
const MOST_NAMED: usize = 5;

/// Asks the user, once for each content of a file, and writes down a yes. A client without questions is told how to allow
/// them in a terminal.
pub(super) async fn ask(session: &Arc<Session>, root: &Path, waiting: Vec<Arc<Action>>) {
    let fresh: Vec<_> = {
        let mut asked = session.actions.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |action: &Arc<Action>| {
            action.custom.as_ref().is_some_and(|own| asked.insert((own.file.clone(), own.hash.clone())))
        };
        waiting.into_iter().filter(is_fresh).collect()
    };
    if fresh.is_empty() {
        return;
    }
    let question = question(&fresh);
    let (asks, shows) = {
        let state = session.state();
        (state.capabilities.message_requests, state.capabilities.show_document)
    };
    if !asks {
        let way = format!("`aside config trust` in {} allows them.", root.display());
        session.tell(MessageType::Info, format!("{question} {way}"));
        return;
    }
    // The question takes the keys.
    show::rest(session).await;
    let mut choices = if shows { vec![ALLOW, SHOW, NOT_NOW] } else { vec![ALLOW, NOT_NOW] };
    loop {
        let items = choices.iter().map(|title| MessageActionItem { title: (*title).to_owned(), properties: [].into() });
        let question = format!("{question} Offer them?");
        let answer = tokio::select! {
            answer = session.client.show_message_request(MessageType::Warning, question, Some(items.collect())) => answer,
            () = session.end.cancelled() => return,
        };
        match answer.ok().flatten().map(|item| item.title) {
            Some(title) if title == ALLOW => break,
            Some(title) if title == SHOW && choices.contains(&SHOW) => {
                open(session, &fresh).await;
                choices.retain(|choice| *choice != SHOW);
            }
            _ => return,
        }
    }
    let folders = session.actions.folders(Some(root));
    let allowed = tokio::task::spawn_blocking(move || folders.allow(&fresh)).await;
    match allowed {
        // The next menu has them.
        Ok(Ok(())) => super::actions::files_changed(session),
        Ok(Err(error)) => session.tell(MessageType::Error, format!("Aside: {}", error.sentence())),
        Err(_) => {}
    }
}

fn question(actions: &[Arc<Action>]) -> String {
    let named =
        actions.iter().take(MOST_NAMED).map(|action| format!("\u{201c}{}\u{201d} ({}.md)", action.title, action.id));
    let mut list = named.collect::<Vec<_>>().join(", ");
    if actions.len() > MOST_NAMED {
        let _ = write!(list, " and {} more", actions.len() - MOST_NAMED);
    }
    let count = if actions.len() == 1 {
        "an action of its own".to_owned()
    } else {
        format!("{} actions of its own", actions.len())
    };
    format!(
        "Aside: this workspace brings {count}: {list}. An action says what the model is told to do with code that you \
         select; whoever wrote the file decides that."
    )
}

/// Opens the files to be read.
async fn open(session: &Session, actions: &[Arc<Action>]) {
    for custom in actions.iter().take(MOST_NAMED).filter_map(|action| action.custom.as_ref()) {
        let Ok(uri) = Uri::from_file_path(&custom.file) else { continue };
        let params = ShowDocumentParams { uri, external: None, take_focus: Some(true), selection: None };
        let _ = session.client.show_document(params).await;
    }
}
