//! Hours in a minute: fifty jobs at a time, broken answers, cancels, typing, and an editor that comes and goes, over one
//! ledger. `ASIDE_SOAK_MINUTES` makes it last as long as one likes (`scripts/soak`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use aside::ledger::Ledger;
use aside::simulator::{Account, AccountRow};
use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

/// Jobs at a time, in both editors together.
const AT_ONCE: usize = 50;
/// What is wrong with the answers to a document that has this word in it. What is not named is well.
const FAULTS: &[(&str, &str)] = &[
    ("soak-cut", "cut = { after_deltas = 3 }"),
    ("soak-early", "cut = {}"),
    ("soak-truncated", "truncate = { after_deltas = 2 }"),
    ("soak-error", "error_event = { after_deltas = 2 }"),
    ("soak-busy", "status = 529\nheaders = { retry-after-ms = \"20\" }"),
    ("soak-limited", "status = 429\nheaders = { retry-after-ms = \"20\" }"),
    ("soak-gateway", "status = 502\nheaders = { retry-after-ms = \"20\" }\nbody = '<html>Bad Gateway</html>'"),
    ("soak-slow", "stream = { tokens_per_second = 200.0 }"),
    ("soak-late", "stall = { at = \"first_event\", ms = 300 }"),
    ("soak-refused", "stop_reason = \"refusal\""),
    ("soak-long", "stop_reason = \"max_tokens\""),
];
/// So many documents have answers without a fault.
const WELL: usize = 9;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// An editor, its documents and its running jobs.
struct Desk {
    client: Client,
    documents: Vec<String>,
    /// The requests that wait for their end, and whether they were cancelled.
    running: BTreeMap<i64, bool>,
    /// The progress of what has answered: its end may come a little later.
    ending: Vec<String>,
    ended: BTreeMap<String, usize>,
}

impl Desk {
    fn open(sandbox: &Sandbox, url: &str, name: &str) -> Self {
        let client = Client::start(sandbox, ClientOptions { rude: true, ..ClientOptions::with_api(url) });
        let words = FAULTS.iter().map(|(word, _)| *word).chain(std::iter::repeat_n("well", WELL));
        let documents = words.enumerate().map(|(number, word)| {
            let uri = sandbox.uri(&format!("{name}/{number}.py"));
            client.open(&uri, "python", &format!("# {word}\n\n\ndef one(value):\n    return value\n"));
            uri
        });
        let documents = documents.collect();
        Self { client, documents, running: BTreeMap::new(), ending: Vec::new(), ended: BTreeMap::new() }
    }

    /// Something that a user may do.
    fn act(&mut self, dice: &mut Dice, jobs: usize) {
        let uri = self.documents[dice.below(self.documents.len())].clone();
        if self.running.len() < jobs {
            let action = ["explain", "explain", "document", "add-type-hints"][dice.below(4)];
            let text = self.client.text(&uri);
            let start = text.find("def ").unwrap();
            let range = self.client.range(&uri, start..text.len());
            let argument = json!({"action": action, "uri": uri, "range": range, "wait": true});
            let run = json!({"command": "aside.run", "arguments": [argument]});
            let id = self.client.begin_request("workspace/executeCommand", run);
            self.running.insert(id, false);
        }
        match dice.below(12) {
            0 => {
                let at = dice.below(self.running.len().max(1));
                if let Some((id, cancelled)) = self.running.iter_mut().nth(at) {
                    *cancelled = true;
                    self.client.notify("$/cancelRequest", json!({"id": id}));
                }
            }
            1 | 2 => {
                // Above the selection, so that it moves; and back again before long.
                let text = self.client.text(&uri);
                let head = text.find("\n\n").unwrap();
                let span = if head > 60 { 20..head } else { head..head };
                self.client.edit(&uri, span, if head > 60 { "" } else { " typed" });
            }
            3 => {
                let at = json!({"textDocument": {"uri": uri}, "position": {"line": 3, "character": 5}});
                let id = self.client.begin_request("textDocument/hover", at);
                self.client.response(id).expect("hovers do not fail");
            }
            _ => {}
        }
        self.collect();
    }

    /// Takes in what has ended, and forgets what the editor heard of it.
    fn collect(&mut self) {
        let mut editor = self.client.editor();
        let done: Vec<i64> = self.running.keys().copied().filter(|id| editor.responses.contains_key(id)).collect();
        for id in done {
            let cancelled = self.running.remove(&id).unwrap();
            let message = editor.responses.remove(&id).unwrap();
            let result = &message["result"];
            let job = result["job"].as_str().unwrap_or_else(|| panic!("no result: {message}")).to_owned();
            let outcome = result["outcome"].as_str().unwrap().to_owned();
            assert!(outcome != "cancelled" || cancelled, "nobody cancelled it: {result}");
            assert!(result["error"]["kind"] != "internal", "a defect: {result}");
            let ends = editor.stream.iter().filter(|part| part["job"] == job.as_str() && part["kind"] == "end").count();
            assert_eq!(ends, 1, "one end for one job: {result}");
            editor.stream.retain(|part| part["job"] != job.as_str());
            self.ending.push(format!("aside-{job}"));
            *self.ended.entry(outcome).or_default() += 1;
        }
        self.ending.retain(|token| {
            let over = editor.progress.get(token).is_none_or(|progress| progress.end.is_some());
            if over {
                editor.progress.remove(token);
            }
            !over
        });
        editor.unread.clear();
        editor.status.clear();
        for document in editor.documents.values_mut() {
            document.history.clear();
        }
    }

    /// Waits for all that runs.
    fn finish(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !self.running.is_empty() || self.progress_goes_on() {
            let open = (&self.running, &self.ending);
            assert!(Instant::now() < deadline, "{open:?} do not end\n{}", self.client.stderr());
            std::thread::sleep(Duration::from_millis(20));
            self.collect();
        }
    }

    /// Whether a progress that began has no end yet.
    fn progress_goes_on(&self) -> bool {
        let editor = self.client.editor();
        self.ending.iter().any(|token| editor.progress.get(token).is_some_and(|progress| progress.begin.is_some()))
    }

    /// Leaves in one of the ways in which editors do; what runs is cancelled.
    fn leave(&mut self, dice: &mut Dice) {
        if dice.below(2) == 0 {
            self.client.close_input();
        } else {
            assert_eq!(self.client.request("shutdown", Value::Null), Ok(Value::Null));
            self.client.notify("exit", Value::Null);
        }
        self.client.exit_status();
    }
}

fn scenario() -> String {
    let step = |(word, fault): &(&str, &str)| {
        format!("[[step]]\ntimes = \"always\"\nmatch = {{ text = \"# {word}\" }}\n{fault}\n")
    };
    FAULTS.iter().map(step).collect::<Vec<_>>().concat()
}

/// Holds the ledger against what the server counted.
fn assert_same_account(sandbox: &Sandbox, simulator: &Simulator) -> (usize, usize) {
    let rows = serde_json::from_value::<Account>(simulator.account()).unwrap().requests;
    let attempts = Ledger::open(&sandbox.path("data/aside/usage.sqlite3")).0.attempts(None).unwrap();
    let by_id: BTreeMap<&str, &AccountRow> = rows.iter().map(|row| (row.request_id.as_str(), row)).collect();
    let mut seen = BTreeSet::new();
    for attempt in &attempts {
        let Some(id) = attempt.request_id.as_deref() else { continue };
        assert!(seen.insert(id), "two rows for {id}");
        let row = by_id.get(id).unwrap_or_else(|| panic!("the server knows nothing of {attempt:?}"));
        // Of a cancelled answer the server may have sent more than was read.
        if attempt.outcome != "cancelled" {
            assert_eq!(attempt.tokens, row.tokens(), "{attempt:?}\n{row:?}");
        }
        assert!(row.complete || attempt.outcome != "ok", "{attempt:?}\n{row:?}");
    }
    // What the ledger has no id of was cancelled before a header was read: no more of the server's rows than these may be
    // unknown to it.
    let nameless: Vec<_> = attempts.iter().filter(|attempt| attempt.request_id.is_none()).collect();
    assert!(nameless.iter().all(|attempt| attempt.outcome == "cancelled"), "{nameless:#?}");
    let unknown = rows.len() - seen.len();
    assert!(unknown <= nameless.len(), "{unknown} are not in the books, {} were cancelled so early", nameless.len());
    (rows.len(), unknown)
}

#[test]
fn nothing_leaks_and_nothing_is_lost() {
    let minutes: f64 = std::env::var("ASIDE_SOAK_MINUTES").ok().map_or(1.0, |minutes| minutes.parse().unwrap());
    let length = Duration::from_secs_f64(minutes * 60.0);
    let sandbox = Sandbox::new();
    sandbox.configure("[api]\nmax_retries = 1\ntimeout_secs = 20\n");
    let simulator = Simulator::start(&sandbox, Some(&scenario()), None);
    let mut dice = Dice(7);
    let mut stays = Desk::open(&sandbox, simulator.url.as_str(), "stays");
    let (begun, mut restarts) = (Instant::now(), 0);
    let mut samples = Vec::new();
    while begun.elapsed() < length {
        let mut comes = Desk::open(&sandbox, simulator.url.as_str(), "comes");
        let leaves = Instant::now() + Duration::from_millis(2_000 + u64::try_from(dice.below(6_000)).unwrap());
        while Instant::now() < leaves && begun.elapsed() < length {
            stays.act(&mut dice, AT_ONCE - 15);
            comes.act(&mut dice, 15);
            std::thread::sleep(Duration::from_millis(5));
        }
        comes.leave(&mut dice);
        restarts += 1;
        samples.push((begun.elapsed(), stays.client.footprint()));
    }
    stays.finish();
    // The first sixth is for getting warm, as the first five minutes of thirty are.
    let highest = |part: &[(Duration, (u64, usize))]| {
        part.iter().fold((0, 0), |peak: (u64, usize), (_, now)| (peak.0.max(now.0), peak.1.max(now.1)))
    };
    let first = samples.partition_point(|(at, _)| *at < length / 6).max(1);
    let last = samples.partition_point(|(at, _)| *at < length * 5 / 6).min(samples.len() - 1);
    let (warm, end) = (highest(&samples[..first]), highest(&samples[last..]));
    let total: usize = stays.ended.values().sum();
    stays.leave(&mut dice);
    let (rows, unknown) = assert_same_account(&sandbox, &simulator);
    eprintln!(
        "{:.1} min, {total} jobs of the editor that stayed {:?}, {restarts} restarts of the other, {rows} requests \
         ({unknown} cut before a header); at most in the first and in the last sixth of the time: memory {} KB and {} KB, \
         descriptors {} and {}",
        begun.elapsed().as_secs_f64() / 60.0,
        stays.ended,
        warm.0,
        end.0,
        warm.1,
        end.1
    );
    let every = samples.len().div_ceil(12);
    eprintln!("seconds, KB and descriptors: {:?}", samples.iter().step_by(every).collect::<Vec<_>>());
    // In a minute the allocator is not warm yet; over half an hour a tenth is the limit.
    let limit = if minutes < 10.0 { warm.0 * 3 / 2 + 16_384 } else { warm.0 * 11 / 10 };
    assert!(end.0 <= limit, "memory grew from {} KB to {} KB", warm.0, end.0);
    assert!(end.1 <= warm.1 + 8, "descriptors grew from {} to {}", warm.1, end.1);
    for outcome in ["shown", "applied", "failed", "cancelled"] {
        assert!(stays.ended.contains_key(outcome), "{outcome} never happened: {:?}", stays.ended);
    }
}
