use super::*;
use crate::claude::usage::Tokens;
use crate::ledger::reservations::{Limit, Request};
use crate::ledger::{Attempt, By};

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn batch(id: &str, created: &str) -> StoredBatch {
    StoredBatch {
        id: id.into(),
        action: "document".into(),
        items: "functions".into(),
        model: "claude-sonnet-5-5".into(),
        root: "/home/me/shop".into(),
        prompt: Some("briefly".into()),
        account: "mine".into(),
        host: "api.anthropic.com".into(),
        created: at(created),
        estimated_usd: Some(0.25),
        simulated: false,
    }
}

fn item(number: u32, turn: u32, part: u32, file: usize) -> NewItem {
    let start = usize::try_from(number).unwrap() * 10;
    let subject = Some(format!("f{number}"));
    NewItem { number, turn, part, file, selection: start..start + 5, subject, estimated_input: 700, repairs: false }
}

fn file(path: &str, text: &str) -> BatchFile {
    BatchFile { id: 0, path: path.into(), language: "python".into(), text: text.into() }
}

fn intent() -> Intent {
    Intent {
        files: vec![file("b.py", "text of b"), file("a.py", "text of a")],
        items: vec![item(0, 1, 0, 0), item(1, 1, 0, 0), item(2, 1, 1, 1)],
        parts: vec![
            NewPart { number: 0, requests: 2, sending_until: at("2026-11-23T10:05:00Z") },
            NewPart { number: 1, requests: 1, sending_until: at("2026-11-23T10:06:00Z") },
        ],
    }
}

fn ledger() -> Ledger {
    let ledger = Ledger::in_memory();
    ledger.add_batch(&batch("b1", "2026-11-23T10:00:00Z"), &intent()).unwrap();
    ledger
}

fn answered(number: u32, turn: u32, usd: f64) -> Outcome {
    let tokens = Tokens { input: 100, output: 10, ..Tokens::default() };
    let attempt = Attempt {
        job: "b1".into(),
        tokens,
        cost_usd: Some(usd),
        saved_usd: Some(0.0),
        batch: true,
        ..Attempt::default()
    };
    let answer = Some(format!("answer {turn}"));
    Outcome { number, turn, state: ItemState::Answered, reason: None, answer, attempt: Some(attempt) }
}

#[test]
fn what_is_written_down_is_read_again() {
    let ledger = ledger();
    ledger.add_batch(&batch("b2", "2026-11-23T11:00:00Z"), &Intent::default()).unwrap();
    let ids: Vec<String> = ledger.batches().unwrap().into_iter().map(|batch| batch.id).collect();
    assert_eq!(ids, ["b2", "b1"], "newest first");
    assert_eq!(ledger.batch("b1").unwrap(), Some(batch("b1", "2026-11-23T10:00:00Z")));
    assert_eq!(ledger.batch("b3").unwrap(), None);
    let items = ledger.batch_items("b1").unwrap();
    let places: Vec<_> = items.iter().map(|item| (item.path.as_str(), item.number, item.selection.clone())).collect();
    assert_eq!(places, [("a.py", 2, 20..25), ("b.py", 0, 0..5), ("b.py", 1, 10..15)]);
    assert_eq!(&*ledger.batch_file(items[0].file).unwrap().text, "text of a");
    assert_eq!(ledger.part_items("b1", 0).unwrap().len(), 2);
    assert_eq!(ledger.batch_counts("b1").unwrap(), ItemCounts::from([(ItemState::Unsent, 3)]));
}

#[test]
fn a_part_is_kept_as_it_is_set() {
    let ledger = ledger();
    let mut part = ledger.batch_parts("b1").unwrap().remove(1);
    assert_eq!((part.state, part.requests, part.api_id.clone()), (PartState::Intended, 1, None));
    for state in PartState::ALL {
        part.state = *state;
        part.api_id = Some("msgbatch_1".into());
        part.confirmed = true;
        part.sent = Some(at("2026-11-23T10:00:01Z"));
        part.expires = Some(at("2026-11-24T10:00:01Z"));
        part.reason = Some("why".into());
        ledger.set_part("b1", &part).unwrap();
        assert_eq!(ledger.batch_parts("b1").unwrap()[1], part);
    }
    assert!(ledger.knows_api_batch("msgbatch_1").unwrap() && !ledger.knows_api_batch("msgbatch_2").unwrap());
}

#[test]
fn every_answer_is_paid_once_however_often_it_is_read() {
    let ledger = ledger();
    ledger.set_part_items("b1", 0, ItemState::Sent, None).unwrap();
    assert_eq!(ledger.settle_items("b1", &[answered(0, 1, 0.5), answered(1, 2, 9.0)]).unwrap(), 1, "no such turn yet");
    assert_eq!(ledger.settle_items("b1", &[answered(0, 1, 0.5)]).unwrap(), 0);
    let errored = Outcome { state: ItemState::Errored, reason: Some("no".into()), answer: None, ..answered(1, 1, 0.0) };
    assert_eq!(ledger.settle_items("b1", &[errored]).unwrap(), 1);
    let totals = ledger.batch_totals("b1").unwrap();
    assert_eq!((totals.attempts, totals.cost_usd()), (2, Some(0.5)));
    // Asked for again, it is another turn, and that one is paid as well.
    let again = Intent {
        files: vec![file("b.py", "newer text")],
        items: vec![item(1, 2, 2, 0)],
        parts: vec![NewPart { number: 2, requests: 1, sending_until: at("2026-11-23T12:00:00Z") }],
    };
    assert!(ledger.extend_batch("b1", &again, Some(0.5)).unwrap());
    assert!(!ledger.extend_batch("b1", &again, Some(0.5)).unwrap(), "somebody else was faster");
    assert_eq!(ledger.batch("b1").unwrap().unwrap().estimated_usd, Some(0.75));
    assert_eq!(ledger.settle_items("b1", &[answered(1, 1, 9.0), answered(1, 2, 0.25)]).unwrap(), 1);
    assert_eq!(ledger.batch_totals("b1").unwrap().cost_usd(), Some(0.75));
    assert_eq!(ledger.batch_answer("b1", 1).unwrap().as_deref(), Some("answer 2"));
    assert_eq!(ledger.batch_answer("b1", 2).unwrap(), None);
    let counts = ItemCounts::from([(ItemState::Unsent, 1), (ItemState::Answered, 2)]);
    assert_eq!(ledger.batch_counts("b1").unwrap(), counts);
    assert_eq!(ledger.batch_items("b1").unwrap().len(), 3, "in place of the old one");
    // In the bill it is one row, whatever else was used.
    ledger.record(&Attempt { job: "live".into(), cost_usd: Some(4.0), ..Attempt::default() }).unwrap();
    let rows = ledger.rows_in(None, By::Batch, &jiff::tz::TimeZone::UTC).unwrap();
    assert_eq!((rows.len(), rows[0].batch.as_deref(), rows[0].items), (1, Some("b1"), Some(3)));
    assert_eq!((rows[0].totals, rows[0].totals.attempts), (ledger.batch_totals("b1").unwrap(), 3));
    let json = serde_json::to_value(&rows[0]).unwrap();
    assert_eq!((&json["costUsd"], &json["halfPriceSavedUsd"]), (&0.75.into(), &0.75.into()), "{json}");
}

#[test]
fn what_was_wrong_with_an_answer_is_known_until_there_is_another() {
    let ledger = ledger();
    ledger.settle_items("b1", &[answered(0, 1, 0.5), answered(1, 1, 0.5)]).unwrap();
    let wrong = |number| (number, ItemState::Unusable, Some("no code".to_owned()));
    ledger.move_items("b1", &[wrong(0), wrong(1)]).unwrap();
    let again = |turn: u32, repairs| Intent {
        files: vec![file("b.py", "text of b")],
        items: [0, 1].map(|number| NewItem { repairs, ..item(number, turn, turn, 0) }).into(),
        parts: vec![NewPart { number: turn, requests: 2, sending_until: at("2026-11-23T12:00:00Z") }],
    };
    let complaint = |number: usize| {
        let item =
            ledger.part_items("b1", ledger.batch_parts("b1").unwrap().last().unwrap().number).unwrap().remove(number);
        (
            item.complaint,
            ledger.faulty_answer("b1", item.number).unwrap(),
            ledger.batch_answer("b1", item.number).unwrap(),
        )
    };
    let known = (Some("no code".to_owned()), Some("answer 1".to_owned()), None);
    assert!(ledger.extend_batch("b1", &again(2, true), None).unwrap());
    let errored = Outcome { state: ItemState::Errored, answer: None, ..answered(0, 2, 0.0) };
    ledger.settle_items("b1", &[errored, answered(1, 2, 0.5)]).unwrap();
    assert_eq!(complaint(0), known, "an error is no answer");
    let answer = Some("answer 2".to_owned());
    assert_eq!(complaint(1), (None, answer.clone(), answer));
    ledger.move_items("b1", &[wrong(1)]).unwrap();
    assert!(ledger.extend_batch("b1", &again(3, true), None).unwrap());
    assert_eq!((complaint(0), complaint(1).1.as_deref()), (known, Some("answer 2")));
    assert!(ledger.extend_batch("b1", &again(4, false), None).unwrap());
    assert_eq!(complaint(0), (None, None, None), "it is asked as if for the first time");
}

#[test]
fn a_landing_that_nobody_finished_is_found() {
    let ledger = ledger();
    ledger.set_part_items("b1", 0, ItemState::Sent, None).unwrap();
    ledger.settle_items("b1", &[answered(0, 1, 0.5), answered(1, 1, 0.5)]).unwrap();
    ledger.begin_landing("b1", &[0, 1], "[hash]").unwrap();
    ledger.move_items("b1", &[(1, ItemState::Kept, Some("why".into()))]).unwrap();
    assert_eq!(ledger.unfinished_landings("b1").unwrap(), [(0, "[hash]".to_owned())]);
    ledger.move_items("b1", &[(0, ItemState::Applied, None)]).unwrap();
    assert_eq!(ledger.unfinished_landings("b1").unwrap(), []);
    let kept = ledger.batch_items("b1").unwrap().into_iter().find(|item| item.number == 1).unwrap();
    assert_eq!((kept.state, kept.reason.as_deref()), (ItemState::Kept, Some("why")));
}

#[test]
fn states_have_words_of_their_own() {
    for state in ItemState::ALL {
        assert_eq!(ItemState::read(state.word()).unwrap(), *state);
        assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        assert!(!(state.may_be_retried() && state.may_be_applied()));
    }
    for state in PartState::ALL {
        assert_eq!(PartState::read(state.word()).unwrap(), *state);
        assert_eq!(serde_json::to_value(state).unwrap(), state.word());
    }
    assert!(ItemState::read("teleported").is_err());
}

#[test]
fn what_was_reserved_for_a_batch_is_given_back_at_once() {
    let ledger = ledger();
    let (now, limit) = (at("2026-11-23T10:00:00Z"), [Limit { since: at("2026-11-23T00:00:00Z"), usd: 1.0 }]);
    for job in ["b1", "b1", "other"] {
        let request = Request { job, usd: 0.25, simulated: false, expires: at("2026-11-24T10:00:00Z") };
        assert!(ledger.reserve(&request, &limit, now).unwrap().reservation.is_some());
    }
    ledger.release_batch("b1").unwrap();
    let left = ledger.spent(limit[0].since, false, now).unwrap().reserved_usd;
    assert!((left - 0.25).abs() < 1e-9, "{left}");
}
