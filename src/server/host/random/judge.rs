//! The judge: what is in a text, and whether what became of a job is right.

use lsp_types::Uri;

use super::editor::Outdated;
use super::model::{Cell, reconciled, reconciled_with, text_of};
use super::{Asks, Job, Play};
use crate::jobs::{Fate, Kept};

impl Play<'_> {
    /// After an edit of the server's: the text is what one job makes of it. An edit that may have gone astray is looked at
    /// when the server has made up its mind about it.
    pub(super) fn judge_edit(&mut self, doc: usize, before: &[Cell], may_go_astray: bool) {
        let state = &mut self.editor.docs[doc];
        if may_go_astray || state.astray {
            state.astray = state.text != text_of(before);
            if state.astray {
                self.astray.insert(doc);
            }
        } else if let Err(reasons) = self.resolve(doc, false) {
            self.fail(&format!("an edit does what nobody asked for: {reasons:#?}"));
        }
    }

    /// Finds the jobs, one or more, whose edits are in the text; an error says what each would make of it.
    fn resolve(&mut self, doc: usize, several: bool) -> Result<(), Vec<String>> {
        let (text, before) = (self.editor.docs[doc].text.clone(), self.editor.docs[doc].cells.clone());
        let open: Vec<usize> =
            (0..self.jobs.len()).filter(|job| self.jobs[*job].doc == doc && !self.jobs[*job].applied).collect();
        let mut reasons = Vec::new();
        for set in 1..1_u32 << open.len() {
            if !several && set.count_ones() > 1 {
                continue;
            }
            let chosen: Vec<usize> =
                open.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, job)| *job).collect();
            match self.made(&before, &chosen, &text) {
                Err(reason) => reasons.push(reason),
                Ok(cells) => {
                    for job in chosen {
                        self.jobs[job].applied = true;
                    }
                    let state = &mut self.editor.docs[doc];
                    state.history.push(before);
                    state.cells = cells;
                    state.astray = false;
                    return Ok(());
                }
            }
        }
        Err(reasons)
    }

    /// The cells of a text that these jobs have made of others, or what is wrong with it.
    fn made(&mut self, before: &[Cell], jobs: &[usize], text: &str) -> Result<Vec<Cell>, String> {
        let made = self.made_so(before, jobs, text, false);
        made.or_else(|reason| self.made_so(before, jobs, text, true).map_err(|_| reason))
    }

    fn made_so(&mut self, before: &[Cell], jobs: &[usize], text: &str, below: bool) -> Result<Vec<Cell>, String> {
        let mut cells = before.to_vec();
        let mut import = None;
        for job in jobs {
            let work = &self.jobs[*job].work;
            cells = work.done(&cells, below)?;
            import = import.or(work.import.as_ref());
        }
        let found = match import {
            Some(import) => reconciled_with(&cells, import, text, &mut self.ids),
            None => reconciled(&cells, text, &mut self.ids),
        };
        found.ok_or_else(|| format!("wanted {:?}", text_of(&cells)))
    }
    pub(super) fn judge(&mut self) {
        if let Some(job) = self.jobs.iter().find(|job| !job.done) {
            self.fail(&format!("{} does not end", job.name));
        }
        for doc in 0..self.editor.docs.len() {
            if self.editor.docs[doc].astray {
                let _ = self.resolve(doc, true);
            }
        }
        // Where an editor left half an edit behind, the model cannot tell the rest from it.
        let halved = |doc: usize| self.jobs.iter().any(|job| job.doc == doc && job.mistreated);
        let left = |doc: usize| self.jobs.iter().any(|job| job.doc == doc && job.left);
        let unfounded = |job: &&usize| {
            let job = &self.jobs[**job];
            // Nor where one stands in the wrong place until the user undoes it; but nothing of the others is missing.
            let there = || left(job.doc) && job.work.names().all(|name| self.editor.docs[job.doc].text.contains(&name));
            !(job.applied || halved(job.doc) || there())
        };
        if let Some(job) = self.claims.iter().find(unfounded) {
            self.fail(&format!("job {job} is not in the text"));
        }
        for (index, doc) in self.editor.docs.iter().enumerate() {
            let uri: Uri = doc.uri.parse().expect("a URI");
            let mut state = self.it.session().state();
            let text = state.documents.get(&uri).map(|document| document.text().to_string());
            state.documents.close(&uri);
            drop(state);
            if text.as_deref() != Some(&doc.text) {
                self.fail(&format!("the server has {text:?}"));
            }
            if doc.text != text_of(&doc.cells) && !(halved(index) || left(index)) {
                self.fail(&format!("should be {:?}", text_of(&doc.cells)));
            }
        }
    }

    pub(super) fn ended(&mut self, index: usize, fate: Fate) {
        self.note(format!("job {index}: {fate:?}"));
        let doc = self.jobs[index].doc;
        if self.editor.docs[doc].astray && matches!(fate, Fate::Applied) {
            // If it was none that went astray; else there is another one.
            let _ = self.resolve(doc, true);
        }
        let job = &self.jobs[index];
        match fate {
            Fate::Applied if job.applied => {}
            // Between an edit that went astray and its being taken back, nobody can tell.
            Fate::Applied if self.editor.docs[job.doc].astray => self.claims.push(index),
            Fate::Applied => self.fail(&format!("{} is not in the text", job.name)),
            Fate::Cancelled if job.cancelled => {}
            Fate::Kept(Kept { reason, document, .. }) => {
                let readable = document.is_some_and(|document| document.contains(&format!("{}x", job.work.mark)));
                if !readable {
                    self.fail(&format!("the answer of {} is lost: {reason}", job.name));
                }
                if !self.is_right(job, &reason) {
                    self.fail(&format!("{} was kept without need: {reason}", job.name));
                }
                let undo = reason.ends_with("please undo it there");
                if undo {
                    self.jobs[index].left = true;
                } else if job.applied && !job.mistreated && !self.astray.contains(&job.doc) {
                    self.fail(&format!("{} is in the text and was kept: {reason}", job.name));
                }
            }
            other => self.fail(&format!("{}: {other:?}", job.name)),
        }
    }

    /// Whether the session gives this reason for keeping a job's answer.
    fn is_right(&self, job: &Job, reason: &str) -> bool {
        let typed = self.typed.get(&job.doc).copied().unwrap_or_default();
        let astray = self.astray.contains(&job.doc);
        match reason {
            _ if job.mistreated => true,
            "you changed the selected text meanwhile, where the answer changes it too" => job.disturbed || astray,
            "the document was closed meanwhile" => self.closed.contains(&job.doc),
            _ if reason.starts_with("the editor refused the edit") => self.closed.contains(&job.doc),
            "the text kept changing while the edit was on its way" => typed > 4 || self.jobs.len() > 2,
            "it was rejected" => job.rejected,
            // An editor may refuse for a version that a document had before it was opened again with the same text.
            "it was not confirmed" => job.rejected || self.closed.contains(&job.doc),
            "the text changed while the edit waited for your word" => self.kind.asks == Some(Asks::InTheEditor),
            // It is where the user types, and cannot be told from what they type; and a document that was opened again may
            // have the version that the edit was made for.
            _ if reason.ends_with("please undo it there") => {
                let unseen = self.kind.outdated == Outdated::Applied || self.closed.contains(&job.doc);
                typed > 0 && unseen
            }
            // What the user broke looks worse with every line that is added.
            _ if reason.contains("syntax errors") => typed > 0 && !self.shapes[job.doc].3,
            _ => false,
        }
    }
}
