//! Random sessions: documents, jobs, a user who types, undoes, closes and opens again, and an editor with the manners of
//! real ones. What has to be in the text is told by a model of characters with identities (`model`), which shares nothing
//! with the code it judges.
//!
//! After every edit that the editor makes, the text is what it was plus exactly what one job was asked for; at the end
//! both sides have the same text, each job is either in the text or can be read, and none was kept without a reason that
//! the session gives.
//!
//! A failure prints what everybody did, and the seed that plays it again (`ASIDE_TEST_SEED`); `ASIDE_TEST_RUNS` asks for more
//! sessions than usual.
//!
//! It was seen to fail with each of these made wrong in the program, one at a time:
//! - an anchor takes in what is typed at the beginning of the selection, or at its end;
//! - undo gives a lost range nothing back;
//! - an edit is sent without a look whether the document is still what it was made for;
//! - a document that was opened again is told by its version only;
//! - `applied: true` is believed;
//! - an edit in the wrong text is not taken back, or not looked for where it has overwritten what was typed last;
//! - a refusal is not held against the change that comes right behind it;
//! - a selection that was changed is answered as if it were new, and in a conflict overwritten;
//! - line ends of changed lines become those of the file;
//! - the imports of an answer are left out;
//! - an edit that the user rejected, here or in the editor, is proposed again.

mod editor;
mod jobs;
mod judge;
mod model;
mod user;
mod wire;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::Request;

use self::editor::{Editor, Manner, Outdated, Reports};
use self::model::{Cell, Ids, Random, Work};
use super::super::test_client::{TestSession, params};
use super::EditorHost;
use crate::config::Confirm;
use crate::jobs::{Fate, Order};
use crate::workspace::positions::Encoding;

/// Sessions of each kind; together more than ten thousand. `ASIDE_TEST_RUNS` asks for another number.
const RUNS: u64 = 2510;

#[test]
fn edits_land_right_in_editors_that_do_as_they_are_asked() {
    sessions(1, |_| Kind { manners: vec![Manner::Applies, Manner::ReportsFirst], ..Kind::default() });
}

#[test]
fn edits_land_right_in_editors_that_do_not() {
    use Manner::{Applies, Dawdles, DoesHalf, Fails, Ignores, Pretends, Refuses, ReportsFirst, SaysNothing};
    sessions(2, |random| Kind {
        manners: vec![Applies, ReportsFirst, SaysNothing, Refuses, Fails, Pretends, Ignores, Dawdles, DoesHalf],
        outdated: random.pick(&[Outdated::Refused, Outdated::Failed, Outdated::Dropped]),
        ..Kind::default()
    });
}

#[test]
fn edits_land_right_in_editors_that_do_not_look_at_versions() {
    sessions(3, |_| Kind {
        manners: vec![Manner::Applies, Manner::ReportsFirst, Manner::SaysNothing],
        outdated: Outdated::Applied,
        ..Kind::default()
    });
}

#[test]
fn edits_land_right_where_the_user_is_asked_first() {
    sessions(4, |random| Kind {
        manners: vec![Manner::Applies, Manner::ReportsFirst],
        outdated: random.pick(&[Outdated::Refused, Outdated::Failed, Outdated::Dropped]),
        asks: Some(random.pick(&[Asks::InTheEditor, Asks::Here])),
    });
}

/// What is the same for all runs of a session's kind.
struct Kind {
    manners: Vec<Manner>,
    outdated: Outdated,
    asks: Option<Asks>,
}

impl Default for Kind {
    fn default() -> Self {
        Self { manners: Vec::new(), outdated: Outdated::Dropped, asks: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Asks {
    InTheEditor,
    Here,
}

/// Plays sessions of a kind; `ASIDE_TEST_SEED` plays one again.
fn sessions(kind: u64, of: impl Fn(&mut Random) -> Kind) {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    let seeds = match number("ASIDE_TEST_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("ASIDE_TEST_RUNS").unwrap_or(RUNS),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let mut it = TestSession::new("").await;
        for seed in seeds {
            let mut random = Random((seed * 8 + kind).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let kind = of(&mut random);
            let mut play = Play::new(&mut it, seed, kind, random);
            play.through().await;
        }
    });
}

/// A job and what is known of it.
#[expect(clippy::struct_excessive_bools, reason = "each may have happened to it or not, whatever else has")]
struct Job {
    name: String,
    doc: usize,
    work: Work,
    answer: String,
    cancel: CancellationToken,
    /// Until its answer comes.
    waiting: Option<(Order, EditorHost)>,
    task: Option<JoinHandle<Fate>>,
    /// The edit was in the text at some time.
    applied: bool,
    /// A conflict would be right, or would have been since the answer came, as far as the server knows the text.
    disturbed: bool,
    cancelled: bool,
    /// The user said no to it.
    rejected: bool,
    /// The editor did not do as it was asked with one of its edits.
    mistreated: bool,
    /// Its edit stands where it does not belong, and the user was asked to undo it.
    left: bool,
    done: bool,
}

/// One session.
struct Play<'a> {
    it: &'a mut TestSession,
    seed: u64,
    random: Random,
    ids: Ids,
    kind: Kind,
    editor: Editor,
    jobs: Vec<Job>,
    /// What the server asks for and the editor did not see to yet.
    inbox: VecDeque<Request>,
    /// Edits that come late, and those that the user is asked about.
    later: VecDeque<Request>,
    asked: VecDeque<Request>,
    proposals: Vec<String>,
    shapes: Vec<(&'static str, bool, [&'static str; 2], bool)>,
    /// The characters of each document as the server knows it.
    known: HashMap<usize, Vec<Cell>>,
    /// Documents that were closed at some time.
    closed: HashSet<usize>,
    /// Documents in which an edit went astray at some time.
    astray: HashSet<usize>,
    /// How often the user changed each document.
    typed: HashMap<usize, usize>,
    words: usize,
    log: Vec<String>,
    /// Jobs that are said to be in a text in which something was astray then.
    claims: Vec<usize>,
}

impl<'a> Play<'a> {
    fn new(it: &'a mut TestSession, seed: u64, kind: Kind, mut random: Random) -> Self {
        let encoding = random.pick(&[Encoding::Utf8, Encoding::Utf16, Encoding::Utf32]);
        {
            let mut state = it.session().state();
            state.capabilities.apply_edit = true;
            state.capabilities.encoding = encoding;
            state.capabilities.confirms_changes = kind.asks == Some(Asks::InTheEditor);
            state.capabilities.preview = kind.asks == Some(Asks::Here);
            let confirm = if kind.asks.is_some() { Confirm::Preview } else { Confirm::Never };
            Arc::make_mut(&mut state.settings).edits.confirm = confirm;
        }
        let zero = kind.outdated == Outdated::Dropped && random.once_in(3);
        it.session().state().capabilities.unchecked_zero = zero;
        let editor = Editor {
            docs: Vec::new(),
            encoding,
            outdated: kind.outdated,
            reports: random.pick(&[Reports::Each, Reports::One, Reports::Whole]),
            holds_back: random.once_in(2),
            zero,
            wire: VecDeque::new(),
            held: VecDeque::new(),
        };
        Self {
            it,
            seed,
            random,
            ids: Ids::default(),
            kind,
            editor,
            jobs: Vec::new(),
            inbox: VecDeque::new(),
            later: VecDeque::new(),
            asked: VecDeque::new(),
            proposals: Vec::new(),
            shapes: Vec::new(),
            known: HashMap::new(),
            closed: HashSet::new(),
            astray: HashSet::new(),
            typed: HashMap::new(),
            words: 0,
            log: Vec::new(),
            claims: Vec::new(),
        }
    }

    async fn through(&mut self) {
        for _ in 0..=self.random.below(2) {
            self.open_another();
        }
        // Two edits that are astray at once cannot be told apart.
        let one = self.kind.outdated == Outdated::Applied;
        let jobs = if one { 1 } else { 1 + self.random.below(4) };
        for _ in 0..6 + self.random.below(20) {
            self.step(jobs).await;
        }
        self.come_to_rest().await;
        self.judge();
    }

    /// Somebody does something.
    async fn step(&mut self, jobs: usize) {
        match self.random.below(14) {
            0..=3 => self.user_types(),
            4 if self.jobs.len() < jobs => self.start_job().await,
            5 | 6 => self.answer_comes(),
            7 | 8 => self.deliver().await,
            9 => self.editor.flush(),
            10 | 11 => self.editor_works(),
            12 => self.user_decides(),
            _ => {
                let time = self.random.pick(&[0, 10, 60, 140, 600, 2500]);
                if time >= 140 {
                    // Nobody is that slow, unless it is meant.
                    while !self.inbox.is_empty() {
                        self.editor_works();
                    }
                    self.editor.flush();
                    while !self.editor.wire.is_empty() {
                        self.deliver().await;
                    }
                }
                tokio::time::sleep(Duration::from_millis(time)).await;
            }
        }
        self.others_go_on().await;
    }

    async fn others_go_on(&mut self) {
        for _ in 0..6 {
            tokio::task::yield_now().await;
        }
        while let Some(request) = self.it.client.next().now_or_never() {
            match request.method() {
                "workspace/applyEdit" => self.inbox.push_back(request),
                "aside/proposal" => {
                    let job = params(&request)["job"].as_str().expect("a job").to_owned();
                    self.proposals.push(job);
                }
                "window/showMessage" => self.note(params(&request)["message"].to_string()),
                other => panic!("{other} was not asked for"),
            }
        }
        for index in 0..self.jobs.len() {
            let ended = match &mut self.jobs[index].task {
                Some(task) => task.now_or_never(),
                None => None,
            };
            if let Some(fate) = ended {
                self.jobs[index].task = None;
                self.jobs[index].done = true;
                self.ended(index, fate.expect("it does not panic"));
            }
        }
    }

    /// Writes into the log that a failure prints.
    fn note(&mut self, what: impl Into<String>) {
        self.log.push(what.into());
    }

    fn fail(&self, why: &str) -> ! {
        let texts: Vec<&str> = self.editor.docs.iter().map(|doc| doc.text.as_str()).collect();
        panic!("ASIDE_TEST_SEED={}: {why}\n{}\ntexts: {texts:#?}", self.seed, self.log.join("\n"));
    }

    async fn come_to_rest(&mut self) {
        for doc in 0..self.editor.docs.len() {
            if !self.editor.docs[doc].open {
                self.open_again(doc);
            }
        }
        for round in 0..400 {
            self.answer_comes();
            self.editor.flush();
            self.editor_works();
            self.user_decides();
            while !self.editor.wire.is_empty() {
                self.deliver().await;
            }
            self.others_go_on().await;
            let quiet = self.inbox.is_empty() && self.asked.is_empty() && self.jobs.iter().all(|job| job.done);
            if quiet && self.later.is_empty() {
                break;
            }
            if quiet && let Some(request) = self.later.pop_front() {
                self.make(request, Manner::SaysNothing);
            }
            tokio::time::sleep(Duration::from_millis(if round < 100 { 50 } else { 500 })).await;
        }
        // What is taken back late.
        for _ in 0..6 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.others_go_on().await;
            self.editor_works();
            self.editor.flush();
            while !self.editor.wire.is_empty() {
                self.deliver().await;
            }
        }
        tokio::time::sleep(Duration::from_secs(130)).await;
        self.others_go_on().await;
    }
}
