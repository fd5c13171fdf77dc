//! Jobs: what is asked for, what the model answers, and when.

use std::sync::Arc;

use lsp_types::Uri;
use tokio_util::sync::CancellationToken;

use super::model::{Cell, Shape, Work, content, lines, text_of};
use super::{Job, Play};
use crate::actions;
use crate::config::Settings;
use crate::jobs::{Fate, Lander, Order, Step};
use crate::server::feed::tests::work;
use crate::server::feed::{Channel, Feed};
use crate::server::host::EditorHost;

impl Play<'_> {
    /// The server gets to know that a document has these characters.
    pub(super) fn known(&mut self, doc: usize, cells: Vec<Cell>) {
        for job in self.jobs.iter_mut().filter(|job| job.doc == doc && job.task.is_some()) {
            job.disturbed = job.disturbed || job.work.disturbed(&cells);
        }
        self.known.insert(doc, cells);
    }

    pub(super) async fn start_job(&mut self) {
        let doc = self.random.below(self.editor.docs.len());
        if !self.editor.docs[doc].open || self.editor.docs[doc].astray {
            return;
        }
        // Editors that hold changes back report them before a request.
        self.editor.flush();
        while !self.editor.wire.is_empty() {
            self.deliver().await;
        }
        let cells = self.editor.docs[doc].cells.clone();
        let all = lines(&cells);
        let blank = |line: &std::ops::Range<usize>| text_of(&cells[line.clone()]).trim().is_empty();
        let begins = |at: usize| !blank(&all[at]) && (at == 0 || blank(&all[at - 1]));
        let blocks: Vec<usize> = (0..all.len()).filter(|at| begins(*at)).collect();
        if blocks.is_empty() {
            return;
        }
        let first = self.random.pick(&blocks);
        let mut last = first;
        while all.get(last + 1).is_some_and(|line| !blank(line)) {
            last += 1;
        }
        let whole = self.random.once_in(2);
        let end = if whole { all[last].end } else { content(&cells, &all[last]).end };
        let mut start = all[first].start;
        if self.random.once_in(3) {
            while matches!(cells[start].char, ' ' | '\t') {
                start += 1;
            }
        }
        let selected = start..end;
        let name = format!("{}-{}", self.seed, self.jobs.len());
        let (end, mixed, statement, plain) = self.shapes[doc];
        // One line alone does not tell how the others would end.
        let mixed = mixed || !cells.iter().any(|cell| matches!(cell.char, '\n' | '\r'));
        let shape = Shape { end, mixed, statement, plain };
        let mark = format!("j{}", self.jobs.len());
        // The model's work is on whole lines, wherever the selection begins.
        let on = &cells[all[first].start..selected.end];
        let Some(mut work) = Work::invent(on, mark, &shape, &mut self.ids, &mut self.random) else { return };
        if self.editor.docs[doc].language == "python" && self.random.once_in(4) {
            work.import = Some(format!("import {}", work.mark));
        }
        let answer = self.answer(&work, doc);
        let (order, host) = self.order(doc, &cells, selected, &name);
        self.note(format!("{name} in {doc}: {answer}"));
        self.jobs.push(Job {
            name,
            doc,
            work,
            answer,
            cancel: host.cancel.clone(),
            waiting: Some((order, host)),
            task: None,
            applied: false,
            disturbed: false,
            cancelled: false,
            rejected: false,
            mistreated: false,
            left: false,
            done: false,
        });
    }

    /// The answer as a model gives it: with its own line ends, and moved to the margin or not.
    fn answer(&mut self, work: &Work, doc: usize) -> String {
        let wanted = work.wanted().replace("\r\n", "\n").replace('\r', "\n");
        let mut wanted: Vec<String> = wanted.split('\n').map(str::to_owned).collect();
        if wanted.last().is_some_and(String::is_empty) {
            wanted.pop();
        }
        let indentation = |line: &String| line[..line.len() - line.trim_start_matches([' ', '\t']).len()].to_owned();
        let least = wanted
            .iter()
            .filter(|line| !line.trim().is_empty())
            .map(indentation)
            .reduce(|a, b| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect());
        if let Some(least) = least.filter(|_| self.random.once_in(2)) {
            for line in &mut wanted {
                line.drain(..least.len().min(line.len()));
            }
        }
        let fence = self.random.pick(&["```", "````", "~~~"]);
        let language = self.random.pick(&["", self.editor.docs[doc].language]);
        let prose = self.random.pick(&["", "Here is the code:\n\n"]);
        let mut answer = format!("{prose}{fence}{language}\n{}\n{fence}\n", wanted.join("\n"));
        if let Some(import) = &work.import {
            answer = format!("{answer}\n{fence}{language} imports\n{import}\n{fence}\n");
        }
        answer
    }

    fn order(
        &mut self,
        doc: usize,
        cells: &[Cell],
        selected: std::ops::Range<usize>,
        name: &str,
    ) -> (Order, EditorHost) {
        let bytes = |cells: &[Cell]| cells.iter().map(|cell| cell.char.len_utf8()).sum::<usize>();
        let start = bytes(&cells[..selected.start]);
        let span = start..start + bytes(&cells[selected]);
        let session = self.it.session().clone();
        let uri: Uri = self.editor.docs[doc].uri.parse().expect("a URI");
        let (snapshot, track) = {
            let mut state = session.state();
            let document = state.documents.get_mut(&uri).expect("it is open");
            (document.snapshot(), document.track(span.clone()))
        };
        let order = Order {
            job: name.to_owned(),
            action: actions::find("simplify").expect("it is in the catalogue").clone(),
            selection: span,
            snapshot,
            subject: None,
            root: None,
            prompt: None,
            diagnostics: Vec::new(),
            model: "model".to_owned(),
            settings: Arc::new(Settings::default()),
            simulated: false,
        };
        let (job, work) = (order.job.clone(), work(&order.title()));
        let outlet = session.outlet.clone();
        let channel = Channel { client: session.client.clone(), job, work, progress: None, outlet, stream: false };
        let (feed, pump) = Feed::start(channel);
        pump.abort();
        let host = EditorHost::new(session, feed, &order, track, CancellationToken::new());
        (order, host)
    }

    pub(super) fn answer_comes(&mut self) {
        let waiting: Vec<usize> = (0..self.jobs.len()).filter(|job| self.jobs[*job].waiting.is_some()).collect();
        if waiting.is_empty() {
            return;
        }
        let index = self.random.pick(&waiting);
        let cancelled = self.random.once_in(20);
        self.note(format!("answer of {index}{}", if cancelled { ", cancelled" } else { "" }));
        let job = &mut self.jobs[index];
        if cancelled {
            job.cancelled = true;
            job.cancel.cancel();
        }
        let Some((order, host)) = job.waiting.take() else { return };
        job.disturbed = job.work.disturbed(&self.known[&job.doc]);
        let (answer, cancel) = (job.answer.clone(), job.cancel.clone());
        job.task = Some(tokio::spawn(async move {
            let mut lander = Lander::new(&order, &host, &cancel, Step::Selection);
            match lander.land(&answer).await {
                Fate::Repair(_) => lander.land(&answer).await,
                fate => fate,
            }
        }));
    }
}
