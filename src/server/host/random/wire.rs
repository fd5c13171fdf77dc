//! What goes to the server and comes from it, and what the editor makes of it.

use lsp_types::{DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams};
use serde_json::{from_value, json};
use tower_lsp::jsonrpc::Request;

use super::Play;
use super::editor::{Manner, Outdated, Sent};
use crate::server::handlers::text_sync;
use crate::server::test_client::params;

impl Play<'_> {
    pub(super) async fn deliver(&mut self) {
        let Some(message) = self.editor.wire.pop_front() else { return };
        match message {
            Sent::Open { doc, version, text, cells } => {
                self.note(format!("  heard: {doc} is open, version {version}"));
                self.known(doc, cells);
                let doc = &self.editor.docs[doc];
                let item = json!({"uri": doc.uri, "languageId": doc.language, "version": version, "text": text});
                let open: DidOpenTextDocumentParams = from_value(json!({ "textDocument": item })).expect("params");
                text_sync::did_open(&self.it.backend, open).await;
            }
            Sent::Close { doc } => {
                self.note(format!("  heard: {doc} is closed"));
                let uri = &self.editor.docs[doc].uri;
                let close: DidCloseTextDocumentParams =
                    from_value(json!({"textDocument": {"uri": uri}})).expect("params");
                text_sync::did_close(&self.it.backend, close).await;
            }
            Sent::Change { doc, version, changes, cells } => {
                self.note(format!("  heard: {doc} has version {version}"));
                self.known(doc, cells);
                let uri = &self.editor.docs[doc].uri;
                let change = json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": changes});
                let change: DidChangeTextDocumentParams = from_value(change).expect("params");
                text_sync::did_change(&self.it.backend, change).await;
            }
            Sent::Answer { request, body } => match body {
                Ok(result) => self.it.client.answer(&request, result).await,
                Err(reason) => self.it.client.refuse_because(&request, reason).await,
            },
        }
    }

    pub(super) fn editor_works(&mut self) {
        let Some(request) = self.inbox.pop_front() else { return };
        if params(&request)["edit"]["changeAnnotations"].is_object() {
            self.asked.push_back(request);
            return;
        }
        let manner = self.random.pick(&self.kind.manners);
        self.make(request, manner);
    }

    /// The job whose words an edit brings.
    pub(super) fn job_of(&self, request: &Request) -> Option<usize> {
        let edit = params(request)["edit"].to_string();
        let brings = |job: &&usize| edit.contains(&format!("{}x", self.jobs[**job].work.mark));
        let open = |job: &&usize| self.jobs[**job].task.is_some() && !self.jobs[**job].applied;
        let all: Vec<usize> = (0..self.jobs.len()).collect();
        all.iter().filter(open).find(brings).or_else(|| all.iter().find(brings)).copied()
    }

    pub(super) fn make(&mut self, request: Request, manner: Manner) {
        let change = params(&request)["edit"]["documentChanges"][0].clone();
        let doc = self.editor.doc_of(change["textDocument"]["uri"].as_str().expect("a URI"));
        let job = self.job_of(&request);
        let obeys = matches!(manner, Manner::Applies | Manner::ReportsFirst | Manner::SaysNothing);
        if job.is_none() {
            // It takes an edit of one of these back.
            self.jobs.iter_mut().filter(|job| job.doc == doc && !job.done).for_each(|job| job.mistreated |= !obeys);
        }
        self.note(format!("edit of {job:?}, {manner:?}: {change}"));
        if let Some(job) = job.map(|job| &mut self.jobs[job]) {
            let asks_again = job.rejected;
            job.mistreated |= !obeys;
            if asks_again {
                self.fail("the user said no to this");
            }
        }
        let version = change["textDocument"]["version"].as_i64();
        let current = self.editor.docs[doc].open && self.editor.is_current(doc, version);
        let said = |applied: bool| Ok(json!({ "applied": applied }));
        let edits = change["edits"].as_array().expect("edits").clone();
        match manner {
            Manner::Refuses => return self.editor.say(Sent::Answer { request, body: said(false) }),
            Manner::Fails => return self.editor.say(Sent::Answer { request, body: Err("it is confused") }),
            Manner::Pretends => return self.editor.say(Sent::Answer { request, body: said(true) }),
            Manner::Ignores => return,
            Manner::Dawdles => return self.later.push_back(request),
            _ if !self.editor.docs[doc].open => {
                return self.editor.say(Sent::Answer { request, body: said(false) });
            }
            _ if !current && self.editor.outdated != Outdated::Applied => {
                let body = match self.editor.outdated {
                    Outdated::Failed => Err("it is for another version"),
                    outdated => said(outdated == Outdated::Dropped),
                };
                return self.editor.say(Sent::Answer { request, body });
            }
            _ => {}
        }
        let mut replacements = self.editor.replacements(doc, &edits);
        let half = manner == Manner::DoesHalf;
        if half {
            replacements.truncate(replacements.len() / 2);
        }
        let cells = self.editor.docs[doc].cells.clone();
        let mut report = self.editor.replace(doc, &replacements);
        let may_go_astray = half || !current || self.closed.contains(&doc);
        self.judge_edit(doc, &cells, may_go_astray);
        if let Sent::Change { cells, .. } = &mut report {
            cells.clone_from(&self.editor.docs[doc].cells);
        }
        match manner {
            Manner::ReportsFirst => {
                self.editor.say(report);
                self.editor.say(Sent::Answer { request, body: said(true) });
            }
            Manner::Applies | Manner::DoesHalf => {
                self.editor.say(Sent::Answer { request, body: said(!half) });
                self.editor.say(report);
            }
            _ => self.editor.say(report),
        }
    }
}
