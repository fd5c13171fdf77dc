//! A planner over the course of a session: what is sent again, what is stated, what is written.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::tests::{blocks, bytes};
use super::*;
use crate::actions;
use crate::claude::models;
use crate::claude::usage::Tokens;
use crate::config::{CacheLayout, CacheTtl};
use crate::workspace::language;

/// Twelve functions of a few lines each.
fn code() -> String {
    (0..12).fold("import json\n".to_owned(), |text, number| {
        text + &format!("\n\ndef function_{number}(value):\n    result = value * {number}\n    return result\n")
    })
}

/// A session on one document.
struct Session {
    planner: Planner,
    settings: Settings,
    document: String,
    now: jiff::Timestamp,
}

impl Session {
    fn new() -> Self {
        Self {
            planner: Planner::new(),
            settings: Settings::default(),
            document: "file:///home/somebody/code.py".into(),
            now: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn plan(&mut self, text: &str, selected: &str) -> Plan {
        let start = text.find(selected).unwrap();
        let model = models::lookup(&self.settings.model);
        let input = Input {
            family: Family::Document,
            action: actions::find("explain").unwrap(),
            settings: &self.settings,
            model: &model,
            language: language::by_id("python"),
            document: &self.document,
            path: "src/code.py",
            text,
            selection: start..start + selected.len(),
            rules: &[],
            project: None,
            prompt: None,
            tests: None,
            context: None,
            scale: Scale::default(),
        };
        self.planner.plan(&input, self.now).unwrap()
    }

    /// Plans, sends and is answered; then some time passes.
    fn act(&mut self, text: &str, selected: &str, minutes: i64) -> Plan {
        let plan = self.plan(text, selected);
        let up_to = |last: Option<usize>| -> u64 {
            last.map_or(0, |last| plan.layers[..=last].iter().map(|layer| layer.estimated_tokens).sum())
        };
        let cached = up_to(plan.layers.iter().rposition(|layer| layer.breakpoint.is_some()));
        let read = up_to(self.planner.warmth().read(&plan, self.now));
        self.planner.sent(&plan, self.now);
        let tokens = Tokens {
            input: plan.estimated_input_tokens - cached,
            cache_read: read,
            cache_write_5m: cached - read,
            ..Tokens::default()
        };
        self.planner.began(&plan, &tokens, self.now);
        self.now += SignedDuration::from_mins(minutes);
        plan
    }
}

fn starting(plan: &Plan, tag: &str) -> Vec<String> {
    blocks(&plan.request).into_iter().map(|(text, _)| text.to_owned()).filter(|text| text.starts_with(tag)).collect()
}

fn document(plan: &Plan) -> String {
    starting(plan, "<document").remove(0)
}

/// The text as somebody reads it who knows only what the system prompt says.
fn read(plan: &Plan) -> String {
    let document = document(plan);
    let (_, shown) = tags::unwrap("document", &document).unwrap();
    let selection = starting(plan, "<selection").remove(0);
    let (_, selected) = tags::unwrap("selection", &selection).unwrap();
    let lines: Vec<&str> = shown.split_inclusive('\n').collect();
    // Each change: behind which line it begins, how many lines it replaces, and its text.
    let mut changes: Vec<(usize, usize, String)> = Vec::new();
    for block in starting(plan, "<change") {
        let mut rest = block.as_str();
        while !rest.is_empty() {
            let tag = rest[1..].split([' ', '>']).next().unwrap();
            let head = rest.find('>').unwrap();
            let length = if rest[..head].ends_with('/') {
                head + 1
            } else {
                let close = format!("\n</{tag}>");
                rest.find(&close).unwrap() + close.len()
            };
            let (one, behind) = rest.split_at(length);
            rest = behind.trim_start_matches('\n');
            let (attributes, text) = tags::unwrap("change", one).unwrap();
            let attribute =
                |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
            let (from, count) = match (attribute("lines"), attribute("after")) {
                (Some(lines), _) => {
                    let (first, last) = lines.split_once('-').unwrap();
                    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
                    (first - 1, last + 1 - first)
                }
                (None, Some(after)) => (after.parse().unwrap(), 0),
                _ => panic!("{one}"),
            };
            let text = match attribute("now") {
                Some("deleted") => String::new(),
                Some("selection") => format!("{}\n", selected.trim_end_matches('\n')),
                _ => text.to_owned(),
            };
            changes.retain(|(other, length, _)| {
                let same_place = *length == 0 && count == 0 && *other == from;
                !(same_place || (*other < from + count && from < other + length))
            });
            changes.push((from, count, text));
        }
    }
    changes.sort();
    let (mut text, mut next) = (String::new(), 0);
    for (from, count, now) in changes {
        text.extend(lines[next..from].iter().copied());
        text.push_str(&now);
        next = from + count;
    }
    text.extend(lines[next..].iter().copied());
    text
}

#[test]
fn a_document_that_is_edited_is_sent_once() {
    let mut session = Session::new();
    let first = code();
    let before = session.act(&first, "def function_3", 1);
    assert_eq!(document(&before), document(&session.plan(&first, "def function_7")));
    let second = first.replace("value * 5", "value * 50");
    let after = session.act(&second, "def function_3", 1);
    assert_eq!(document(&before), document(&after));
    let five = "<change lines=\"29-31\" item=\"function_5\">\ndef function_5(value):\n    result = value * 50\n    \
                return result\n\n</change>";
    assert_eq!(starting(&after, "<change"), [five]);
    // The statement stays, and the next one comes behind it.
    let third = second.replace("import json\n", "import json\nimport os\n").replace("value * 9", "value * 90");
    let last = session.act(&third, "def function_3", 1);
    assert_eq!(starting(&last, "<change")[0], five);
    assert_eq!(read(&last), third);
    assert!(starting(&last, "<selection")[0].contains("lines=\"20-20\""), "lines are those of the text as it is now");
    let cached: Vec<LayerName> =
        last.layers.iter().filter(|layer| layer.breakpoint.is_some()).map(|layer| layer.name).collect();
    assert_eq!(cached, [LayerName::System, LayerName::Language, LayerName::Document, LayerName::Changes]);
}

#[test]
fn what_the_selection_says_is_not_said_twice() {
    let mut session = Session::new();
    session.act(&code(), "def function_3", 1);
    let edited = code().replace("value * 5", "value * 50");
    let selected = "def function_5(value):\n    result = value * 50\n    return result";
    let plan = session.act(&edited, selected, 1);
    assert_eq!(starting(&plan, "<change"), ["<change lines=\"29-31\" item=\"function_5\" now=\"selection\"/>"]);
    assert_eq!(read(&plan), edited);
    // Elsewhere it has to be stated.
    let plan = session.act(&edited, "def function_1", 1);
    assert_eq!(read(&plan), edited);
    assert!(starting(&plan, "<change")[0].contains("value * 50"));
}

#[test]
fn it_is_sent_anew_when_much_changed_or_the_entry_is_gone() {
    let mut session = Session::new();
    let sent = document(&session.act(&code(), "def function_3", 1));
    let much = code().replace("result", "product");
    assert_ne!(document(&session.plan(&much, "def function_3")), sent);
    let little = code().replace("value * 5", "value * 50");
    assert_eq!(document(&session.plan(&little, "def function_3")), sent);
    // Most of the file is selected: it is named by its lines, which the model has to see.
    let most = &little[little.find("def").unwrap()..];
    let plan = session.plan(&little, most);
    assert!(starting(&plan, "<change").is_empty() && starting(&plan, "<selection")[0].ends_with("/>"));
    assert_eq!(read(&plan), little);
    session.now += SignedDuration::from_mins(70);
    let plan = session.plan(&little, "def function_3");
    assert!(starting(&plan, "<change").is_empty());
    assert_eq!(read(&plan), little);
}

#[test]
fn the_plain_layout_sends_the_text_as_it_is() {
    let mut session = Session::new();
    session.settings.cache.layout = CacheLayout::Plain;
    session.act(&code(), "def function_3", 1);
    let edited = code().replace("value * 5", "value * 50");
    let plan = session.act(&edited, "def function_3", 1);
    assert!(starting(&plan, "<change").is_empty() && document(&plan).contains("value * 50"));
}

#[test]
fn a_document_that_nobody_comes_back_to_is_not_written() {
    let mut session = Session::new();
    let last = |plan: &Plan| plan.layers.iter().rfind(|layer| layer.breakpoint.is_some()).map(|layer| layer.name);
    for number in 0..15 {
        session.document = format!("file:///{number}.py");
        session.act(&code().replace("value", &format!("value_{number}")), "def function_3", 1);
    }
    session.document = "file:///next.py".into();
    assert_eq!(last(&session.plan(&code(), "def function_3")), Some(LayerName::Language));
    for _ in 0..15 {
        session.act(&code(), "def function_3", 300);
    }
    assert_eq!(last(&session.plan(&code(), "def function_3")), None);
}

#[test]
fn pauses_of_twenty_minutes_are_worth_an_hour() {
    let mut session = Session::new();
    for _ in 0..12 {
        session.act(&code(), "def function_3", 20);
    }
    session.now += SignedDuration::from_mins(30);
    let lives = |plan: Plan| plan.layers.iter().filter_map(|layer| layer.breakpoint).collect::<Vec<Ttl>>();
    let plan = session.plan(&code(), "def function_3");
    assert!(lives(plan.clone()).contains(&Ttl::OneHour) && !lives(plan).contains(&Ttl::FiveMinutes));
    session.settings.cache.ttl = CacheTtl::FiveMinutes;
    let plan = session.plan(&code(), "def function_3");
    assert!(!lives(plan).contains(&Ttl::OneHour));
}

fn life_of_document(plan: &Plan) -> Option<Ttl> {
    plan.layers.iter().find(|layer| layer.name == LayerName::Document).unwrap().breakpoint
}

#[test]
fn a_text_that_is_selected_whole_is_written_only_as_long_as_it_stays() {
    let life = |edited: bool| {
        let mut session = Session::new();
        let text = |turn| format!("{}# {}\n", code(), if edited { turn } else { 0 });
        for turn in 0..15 {
            session.act(&text(turn), &text(turn), 1);
        }
        life_of_document(&session.plan(&text(15), &text(15)))
    };
    assert!(life(false).is_some());
    assert_eq!(life(true), None, "the next edit ends the entry");
}

#[test]
fn what_is_known_of_all_actions_is_known_of_a_new_document() {
    for (minutes, life) in [(1, Some(Ttl::FiveMinutes)), (20, Some(Ttl::OneHour)), (90, None)] {
        let mut session = Session::new();
        for _ in 0..12 {
            session.act(&code(), "def function_1(value):", minutes);
        }
        session.document = "file:///home/somebody/other.py".into();
        let plan = session.plan(&code().replace("json", "toml"), "def function_1(value):");
        assert_eq!(life_of_document(&plan), life, "somebody acts every {minutes} minutes");
    }
}

#[test]
fn neither_clock_nor_machine_nor_order_of_a_map_is_in_a_request() {
    let edited = code().replace("value * 5", "value * 50").replace("value * 1\n", "value * 11\n");
    let run = |document: &str, start: i64| {
        let mut session = Session::new();
        session.document = document.to_owned();
        session.now += SignedDuration::from_secs(start);
        let first = session.act(&code(), "def function_3", 1);
        let second = session.act(&edited, "def function_3", 1);
        [bytes(&first), bytes(&second), bytes(&session.plan(&edited, "def function_3"))]
    };
    let here = run("file:///home/somebody/code.py", 0);
    assert_eq!(here, run("file:///C:/Users/else/code.py", 1_800_000_123));
    let hashes = |plan: &Plan| plan.layers.iter().map(|layer| (layer.hash.clone(), layer.prefix)).collect::<Vec<_>>();
    let (mut one, mut other) = (Session::new(), Session::new());
    other.document = "untitled:1".into();
    assert_eq!(hashes(&one.plan(&code(), "def")), hashes(&other.plan(&code(), "def")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_is_edited_the_request_says_the_text(
        rounds in prop::collection::vec(
            (prop::collection::vec((0_usize..70, 0_usize..3, "(def [a-z]{1,3}\\(\\):\n    pass\n|    x = [0-9]\n|\n|</change>\n){0,2}"), 0..3),
             any::<prop::sample::Index>(), 0_i64..8),
            1..12),
    ) {
        let mut session = Session::new();
        let mut text = code();
        for (edits, selected, minutes) in rounds {
            let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
            for (at, remove, insert) in edits {
                let at = at.min(lines.len());
                let end = (at + remove).min(lines.len());
                lines.splice(at..end, insert.split_inclusive('\n').map(str::to_owned));
            }
            text = lines.concat();
            let items: Vec<&str> = text.split("\n\n\n").filter(|item| !item.trim().is_empty()).collect();
            let selection = selected.get(&items).trim_end_matches('\n').to_owned();
            let plan = session.act(&text, &selection, minutes);
            prop_assert_eq!(read(&plan), text.as_str());
            let lives: Vec<Ttl> = plan.layers.iter().filter_map(|layer| layer.breakpoint).collect();
            prop_assert!(lives.len() <= 4 && lives.is_sorted_by(|a, b| a >= b));
            let count: usize = plan.layers.iter().map(|layer| layer.blocks).sum();
            prop_assert_eq!(count, blocks(&plan.request).len());
        }
    }
}
