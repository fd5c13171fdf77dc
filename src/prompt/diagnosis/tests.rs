use serde_json::json;

use super::*;
use crate::actions::ResultForm;
use crate::claude::types::MessageRequest;
use crate::prompt::{Layer, Memo};

const MINIMUM: Option<u64> = Some(512);
const TOKENS: u64 = 1000;

/// A plan of a model and four shared layers with these texts, each with an entry of five minutes, and a task behind them.
fn plan(model: &str, texts: [&str; 4]) -> Plan {
    let names = [LayerName::System, LayerName::Project, LayerName::Language, LayerName::Document];
    let mut prefix = PrefixKey::root(model);
    let mut layers: Vec<Layer> = names
        .into_iter()
        .zip(texts)
        .map(|(name, text)| {
            prefix = prefix.and(text);
            Layer {
                name,
                estimated_tokens: TOKENS,
                blocks: 1,
                breakpoint: Some(Ttl::FiveMinutes),
                hash: text.to_owned(),
                prefix,
            }
        })
        .collect();
    let task = Layer {
        name: LayerName::Instruction,
        breakpoint: None,
        hash: "task".to_owned(),
        prefix: prefix.and("task"),
        ..layers[0].clone()
    };
    layers.push(task);
    Plan {
        request: MessageRequest { model: model.to_owned(), ..MessageRequest::default() },
        estimated_input_tokens: 5 * TOKENS,
        uncorrected_input_tokens: 0,
        input_limit: 0,
        layers,
        form: ResultForm::Explanation,
        notes: Vec::new(),
        memo: Memo::default(),
    }
}

const ONE: [&str; 4] = ["system", "rules", "python", "def one(): ..."];

fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
}

/// Usage that reads up to the end of so many layers, and writes up to the last breakpoint. The API counts a tenth more
/// tokens than was estimated.
fn reads(layers: u64) -> Tokens {
    let layer = TOKENS * 11 / 10;
    Tokens { input: layer, cache_read: layers * layer, cache_write_5m: (4 - layers) * layer, ..Tokens::default() }
}

/// What is known after some requests were answered.
#[derive(Default)]
struct Known {
    trail: Trail,
    warmth: Warmth,
}

impl Known {
    fn sends(&mut self, document: &str, plan: &Plan, minutes: i64, read: u64) -> Option<MissReason> {
        let subject = Subject { document, project: "/shop" };
        let hope = self.trail.hope(plan, subject, &self.warmth, at(minutes));
        self.warmth.sent(plan, at(minutes));
        let tokens = reads(read);
        self.warmth.began(plan, &tokens, at(minutes));
        self.trail.add(Footprint::new(plan, subject, at(minutes), Some("msg_1".to_owned()), true));
        hope.missed(plan, &tokens, MINIMUM)
    }
}

#[test]
fn the_first_difference_is_the_reason() {
    let changed = |layer: usize| {
        let mut texts = ONE;
        texts[layer] = "changed";
        texts
    };
    for (second, read, reason) in [
        (plan("a", ONE), 4, None),
        (plan("b", ONE), 0, Some(MissReason::Model)),
        (plan("a", changed(0)), 0, Some(MissReason::System)),
        (plan("a", changed(1)), 1, Some(MissReason::Rules)),
        (plan("a", changed(3)), 3, Some(MissReason::Document)),
        // What was believed to be there was not.
        (plan("a", ONE), 0, Some(MissReason::Unknown)),
        (plan("a", ONE), 2, Some(MissReason::Unknown)),
        (plan("a", changed(3)), 1, Some(MissReason::Unknown)),
    ] {
        let mut known = Known::default();
        assert_eq!(known.sends("one.py", &plan("a", ONE), 0, 0), Some(MissReason::First));
        assert_eq!(known.sends("one.py", &second, 1, read), reason, "{:?}", second.request);
    }
    let mut settings = plan("a", ONE);
    settings.request.thinking = Some(crate::claude::types::Thinking::Adaptive { display: None });
    for layer in &mut settings.layers {
        layer.prefix = layer.prefix.and("other settings");
    }
    let mut known = Known::default();
    known.sends("one.py", &plan("a", ONE), 0, 0);
    assert_eq!(known.sends("one.py", &settings, 1, 0), Some(MissReason::Settings));
}

#[test]
fn another_document_is_written_for_the_first_time() {
    let mut known = Known::default();
    known.sends("one.py", &plan("a", ONE), 0, 0);
    let other = plan("a", [ONE[0], ONE[1], ONE[2], "def two(): ..."]);
    assert_eq!(known.sends("two.py", &other, 1, 3), Some(MissReason::First));
    let rules = plan("a", [ONE[0], "nearer rules", ONE[2], "def three(): ..."]);
    assert_eq!(known.sends("below/three.py", &rules, 1, 1), Some(MissReason::Rules));
    assert_eq!(known.sends("one.py", &plan("a", ONE), 2, 4), None, "compared with itself, not with the newest");
}

#[test]
fn time_is_a_reason_too() {
    let mut known = Known::default();
    known.sends("one.py", &plan("a", ONE), 0, 0);
    assert_eq!(known.sends("one.py", &plan("a", ONE), 6, 0), Some(MissReason::Expired));
    // Changed as well, but what is in front of the change would have been read.
    let changed = plan("a", [ONE[0], ONE[1], ONE[2], "changed"]);
    assert_eq!(known.sends("one.py", &changed, 20, 0), Some(MissReason::Expired));
    // Two at once: the first one's answer has not begun.
    let subject = Subject { document: "one.py", project: "/shop" };
    known.warmth.sent(&plan("a", ONE), at(60));
    let hope = known.trail.hope(&plan("a", ONE), subject, &known.warmth, at(60));
    assert_eq!(hope.missed(&plan("a", ONE), &reads(0), MINIMUM), Some(MissReason::NotReady));
}

#[test]
fn what_is_too_short_or_not_to_be_cached_misses_nothing_else() {
    let known = Known::default();
    let subject = Subject { document: "one.py", project: "/shop" };
    let without = |tokens: u64| {
        let mut plan = plan("a", ONE);
        for layer in &mut plan.layers {
            (layer.breakpoint, layer.estimated_tokens) = (None, tokens);
        }
        plan
    };
    let missed = |plan: &Plan, tokens: Tokens, minimum| {
        known.trail.hope(plan, subject, &known.warmth, at(0)).missed(plan, &tokens, minimum)
    };
    let plain = Tokens { input: 500, ..Tokens::default() };
    assert_eq!(missed(&without(100), plain, MINIMUM), Some(MissReason::TooShort));
    assert_eq!(missed(&without(1000), plain, MINIMUM), None, "the planner saw no use in writing it");
    assert_eq!(missed(&without(100), plain, None), None, "switched off");
    let mut just = plan("a", ONE);
    for layer in &mut just.layers {
        layer.estimated_tokens = 150;
    }
    assert_eq!(missed(&just, plain, MINIMUM), Some(MissReason::TooShort), "by the API's own count");
}

#[test]
fn changes_behind_the_document_are_no_miss() {
    let mut known = Known::default();
    known.sends("one.py", &plan("a", ONE), 0, 0);
    let mut longer = plan("a", ONE);
    // One more breakpoint, behind what changed since.
    longer.layers[4].breakpoint = Some(Ttl::FiveMinutes);
    let subject = Subject { document: "one.py", project: "/shop" };
    let hope = known.trail.hope(&longer, subject, &known.warmth, at(1));
    let read = Tokens { cache_read: 4400, cache_write_5m: 1100, ..Tokens::default() };
    assert_eq!(hope.missed(&longer, &read, MINIMUM), None);
    let less = Tokens { cache_read: 3300, cache_write_5m: 2200, ..Tokens::default() };
    assert_eq!(hope.missed(&longer, &less, MINIMUM), Some(MissReason::Unknown));
}

#[test]
fn the_api_is_believed_about_what_it_knows() {
    let told = |kind: &str| json!({"cache_miss_reason": {"type": kind, "cache_missed_input_tokens": 5}});
    for (own, kind, reason) in [
        (MissReason::Unknown, "model_changed", MissReason::Model),
        (MissReason::Document, "system_changed", MissReason::System),
        (MissReason::First, "tools_changed", MissReason::Tools),
        (MissReason::Rules, "messages_changed", MissReason::Rules),
        (MissReason::Unknown, "messages_changed", MissReason::Document),
        (MissReason::Expired, "unavailable", MissReason::Expired),
        (MissReason::First, "previous_message_not_found", MissReason::First),
        (MissReason::First, "something_new", MissReason::First),
    ] {
        assert_eq!(own.refined(Some(&told(kind))), reason, "{own:?} and {kind}");
    }
    assert_eq!(MissReason::First.refined(Some(&json!({"cache_miss_reason": null}))), MissReason::First);
    assert_eq!(MissReason::First.refined(None), MissReason::First);
}

#[test]
fn words_are_the_protocols() {
    for reason in [
        MissReason::First,
        MissReason::Model,
        MissReason::Settings,
        MissReason::Tools,
        MissReason::System,
        MissReason::Rules,
        MissReason::Document,
        MissReason::Expired,
        MissReason::TooShort,
        MissReason::NotReady,
        MissReason::Unknown,
    ] {
        assert_eq!(json!(reason), json!(reason.as_str()));
        assert!(include_str!("../../../docs/protocol.md").contains(&format!("`{}`", reason.as_str())), "{reason:?}");
    }
}

#[test]
fn another_process_knows_what_this_one_sent() {
    let mut here = Known::default();
    here.sends("one.py", &plan("a", ONE), 0, 0);
    let print = here.trail.previous(Subject { document: "one.py", project: "" }).expect("just sent");
    let text = serde_json::to_string(print).expect("JSON");
    let mut there = Known::default();
    let read: Footprint = serde_json::from_str(&text).expect("what was written");
    for (key, ttl, until) in read.entries() {
        there.warmth.learn(key, ttl, until);
    }
    there.trail.add(read.clone());
    there.trail.add(read);
    assert_eq!(there.trail.prints.len(), 1, "read twice, kept once");
    assert_eq!(there.sends("one.py", &plan("a", ONE), 4, 4), None);
    assert_eq!(there.sends("one.py", &plan("a", ONE), 20, 0), Some(MissReason::Expired));
}

#[test]
fn what_is_warm_is_listed_by_layer_and_document() {
    let mut known = Known::default();
    known.sends("one.py", &plan("a", ONE), 0, 0);
    known.sends("two.py", &plan("a", [ONE[0], ONE[1], ONE[2], "def two(): ..."]), 2, 3);
    let warm = |minutes| {
        let list = known.trail.warm(&known.warmth, at(minutes));
        list.iter()
            .map(|it| {
                let uri = it.uri.as_deref().unwrap_or("-");
                format!("{} {uri} {}", json!(it.layer).as_str().expect("a word"), it.until.as_second() / 60)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(warm(3), ["document one.py 5", "system - 7", "project - 7", "language - 7", "document two.py 7"]);
    assert_eq!(warm(6), ["system - 7", "project - 7", "language - 7", "document two.py 7"]);
    assert_eq!(warm(7), [""; 0]);
}

#[test]
fn the_list_of_reasons_is_complete() {
    for (index, reason) in MissReason::ALL.into_iter().enumerate() {
        // Who adds a reason has to say here where it stands.
        let place = match reason {
            MissReason::First => 0,
            MissReason::Model => 1,
            MissReason::Settings => 2,
            MissReason::Tools => 3,
            MissReason::System => 4,
            MissReason::Rules => 5,
            MissReason::Document => 6,
            MissReason::Expired => 7,
            MissReason::TooShort => 8,
            MissReason::NotReady => 9,
            MissReason::Unknown => 10,
        };
        assert_eq!(index, place);
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
}
