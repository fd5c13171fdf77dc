//! A conversation from its first request on.

use proptest::prelude::*;
use serde_json::json;

use super::super::tests::bytes;
use super::super::{Plan, Planner};
use super::*;
use crate::actions;
use crate::claude::models;
use crate::claude::usage::Tokens;
use crate::workspace::language;

/// Twelve functions of a few lines each.
fn code() -> String {
    (0..12).fold("import json\n".to_owned(), |text, number| {
        text + &format!("\n\ndef function_{number}(value):\n    result = value * {number}\n    return result\n")
    })
}

struct Case {
    settings: Settings,
    text: String,
    planner: Planner,
}

impl Case {
    fn new() -> Self {
        Self { settings: Settings::default(), text: code(), planner: Planner::new() }
    }

    fn with<T>(&mut self, action: &str, question: &str, run: impl FnOnce(&mut Planner, &Input<'_>) -> T) -> T {
        let model = models::lookup(&self.settings.model);
        let input = Input {
            family: Family::Conversation,
            action: actions::find(action).unwrap(),
            settings: &self.settings,
            model: &model,
            language: language::by_id("python"),
            document: "file:///w/src/code.py",
            path: "src/code.py",
            text: &self.text,
            selection: 12..60,
            rules: &[],
            project: Some("manifest: pyproject.toml"),
            prompt: Some(question),
            tests: None,
            context: None,
            scale: Scale::default(),
        };
        run(&mut self.planner, &input)
    }

    fn ask(&mut self, question: &str) -> Plan {
        self.with("ask", question, |planner, input| planner.plan(input, jiff::Timestamp::UNIX_EPOCH).unwrap())
    }

    fn follow_up(&mut self, history: &History, question: &str) -> Plan {
        let now = self.text.clone();
        let news = history.news("src/code.py", language::by_id("python"), Some(&now));
        self.with("follow-up", question, |_, input| Planner::resume(input, history, &news).unwrap())
    }

    fn next(&self, plan: &Plan, calls: usize) -> Plan {
        let model = models::lookup(&self.settings.model);
        let pace = Pace::new(&self.settings, &model, Scale::default());
        let (answer, results) = round(plan.request.messages.len(), calls);
        plan.and_then(answer, results, pace)
    }
}

/// A turn with so many calls, and what they gave.
fn round(seed: usize, calls: usize) -> (Vec<ContentBlock>, Vec<ContentBlock>) {
    let id = |call| format!("toolu_{seed}_{call}");
    let mut answer = vec![ContentBlock::Thinking { thinking: String::new(), signature: format!("proof {seed}") }];
    answer.extend((0..calls).map(|call| ContentBlock::ToolUse {
        id: id(call),
        name: "read_file".to_owned(),
        input: json!({"path": "a.py"}),
        cache_control: None,
    }));
    let results = (0..calls).map(|call| ContentBlock::ToolResult {
        tool_use_id: id(call),
        content: Some(json!("x = 1\n".repeat(20))),
        is_error: None,
        cache_control: None,
    });
    (answer, results.collect())
}

/// The blocks of a request behind the system prompt, without breakpoints, and where those are.
fn blocks(plan: &Plan) -> (Vec<String>, Vec<usize>) {
    let content = plan.request.messages.iter().flat_map(|message| &message.content);
    let (mut texts, mut marks) = (Vec::new(), Vec::new());
    for (index, block) in content.enumerate() {
        let mut bare = block.clone();
        set_breakpoint(&mut bare, None);
        if bare != *block {
            marks.push(index);
        }
        texts.push(serde_json::to_string(&bare).unwrap());
    }
    (texts, marks)
}

fn breakpoints(plan: &Plan) -> usize {
    bytes(plan).matches("cache_control").count()
}

#[test]
fn tools_and_system_prompt_are_one_prefix_for_all_conversations() {
    let mut case = Case::new();
    let asked = case.ask("Why?");
    let history = History::new(vec![
        Message { role: Role::User, content: vec![ContentBlock::text("x")] },
        Message { role: Role::Assistant, content: vec![ContentBlock::text("y")] },
    ]);
    let followed = case.follow_up(&history, "And?");
    assert_eq!(asked.request.tools, followed.request.tools);
    assert_eq!(asked.request.tools.len(), 6);
    let prefix = |plan: &Plan| {
        let system = plan.layers.iter().position(|layer| layer.name == LayerName::System).unwrap();
        plan.layers[system].prefix
    };
    assert_eq!(prefix(&asked), prefix(&followed));
    assert!(asked.layers.iter().all(|layer| layer.name != LayerName::Tools || layer.breakpoint.is_none()));
}

#[test]
fn an_explanation_of_a_document_action_is_gone_on_with_as_it_was_sent() {
    let mut case = Case::new();
    let mut explained = case.with("explain", "", |planner, input| {
        let input = Input { family: Family::Document, prompt: None, ..input.clone() };
        planner.plan(&input, jiff::Timestamp::UNIX_EPOCH).unwrap()
    });
    let asked = explained.request.messages.clone();
    explained.request.messages.push(Message { role: Role::Assistant, content: vec![ContentBlock::text("It is.")] });
    let history = History::from_json(&History::new(explained.request.messages).to_json()).unwrap();
    let plan = case.follow_up(&history, "Why?");
    assert_eq!(history.question(), None, "it began with a task");
    let asked_on = History::new(case.ask("Why?\n\n</question>").request.messages);
    assert_eq!(asked_on.question().as_deref(), Some("Why?\n\n</question>"));
    assert_eq!(plan.request.messages.len(), 3, "roles take turns");
    let (texts, _) = blocks(&plan);
    for (block, sent) in texts.iter().zip(&asked[0].content) {
        let mut sent = sent.clone();
        set_breakpoint(&mut sent, None);
        assert_eq!(*block, serde_json::to_string(&sent).unwrap());
    }
    assert_eq!(plan.layers.last().unwrap().name, LayerName::Instruction);
    assert!(texts.last().unwrap().contains("<question>\\nWhy?\\n</question>"), "{texts:?}");
    let total: usize = plan.layers.iter().map(|layer| layer.blocks).sum();
    assert_eq!(total, texts.len() + plan.request.tools.len() + plan.request.system.len(), "every block is in a layer");
}

#[test]
fn what_nobody_answered_cannot_be_gone_on_with() {
    for text in ["", "[]", "{}", "[1]", r#"[{"role":"user","content":"x"}]"#, r#"[{"role":"assistant","content":[]}]"#]
    {
        assert_eq!(History::from_json(text), None, "{text}");
    }
}

#[test]
fn thinking_of_another_model_is_left_out() {
    let (answer, results) = round(0, 1);
    let thought = ContentBlock::RedactedThinking { data: "x".to_owned() };
    let history = History::new(vec![
        Message { role: Role::User, content: vec![ContentBlock::text("x")] },
        Message { role: Role::Assistant, content: answer },
        Message { role: Role::User, content: results },
        Message { role: Role::Assistant, content: vec![thought, ContentBlock::text("y")] },
    ]);
    let plain = history.without_thinking();
    let kinds: Vec<usize> = plain.messages().iter().map(|message| message.content.len()).collect();
    assert_eq!(kinds, [1, 1, 1, 1]);
    assert!(!plain.to_json().contains("hinking"));
}

#[test]
fn what_is_new_of_the_document_is_told_and_only_once() {
    let mut case = Case::new();
    let asked = case.ask("Why?");
    let mut messages = asked.request.messages;
    let said = |messages: &mut Vec<Message>| {
        messages.push(Message { role: Role::Assistant, content: vec![ContentBlock::text("So.")] });
    };
    said(&mut messages);
    let news = |messages: &[Message], now: Option<&str>| {
        History::new(messages.to_vec()).news("src/code.py", language::by_id("python"), now)
    };
    let text = code();
    assert!(news(&messages, Some(&text)).is_empty());
    assert!(
        news(&messages, Some("x = 1\n"))[0].starts_with("<document path=\"src/code.py\" language=\"python\">\nx = 1")
    );
    let edited = text.replace("value * 3", "value + 3");
    let told = news(&messages, Some(&edited));
    assert!(told.len() == 1 && told[0].starts_with("<change lines=\"19-21\" item=\"function_3\">"), "{told:?}");
    let tell = |messages: &mut Vec<Message>, told: Vec<String>| {
        messages.push(Message { role: Role::User, content: told.into_iter().map(ContentBlock::text).collect() });
        said(messages);
    };
    tell(&mut messages, told);
    assert!(news(&messages, Some(&edited)).is_empty(), "it was told already");
    let back = news(&messages, Some(&text));
    assert!(back[0].contains("value * 3"), "changed back is news again: {back:?}");
    let gone = news(&messages, None);
    assert_eq!(gone, ["<document path=\"src/code.py\" now=\"deleted\"/>"]);
    tell(&mut messages, gone);
    assert!(news(&messages, None).is_empty());
}

#[test]
fn of_a_small_file_is_told_what_is_shorter() {
    let (path, python) = ("src/code.py", language::by_id("python"));
    let item = |name| format!("def {name}(x):\n    a = x\n    b = a\n    c = b\n    d = c\n    return d\n");
    let text = format!("# Three.\n{}\n{}\n{}", item("one"), item("two"), item("three"));
    let known = tags::wrap("document", &[("path", path), ("language", "python")], &text);
    let history = History::new(vec![
        Message { role: Role::User, content: vec![ContentBlock::text(known)] },
        Message { role: Role::Assistant, content: vec![ContentBlock::text("So.")] },
    ]);
    // A line of 21: its function says it. A line of each function: together they are the file, and some tags.
    let told = history.news(path, python, Some(&text.replacen("a = x", "a = -x", 1)));
    assert!(told[0].starts_with("<change"), "{told:?}");
    let told = history.news(path, python, Some(&text.replace("a = x", "a = -x")));
    assert!(told[0].starts_with("<document"), "{told:?}");
}

impl Case {
    /// A conversation whose questions come after these pauses, in seconds: what each turn costs in tokens of plain input, and
    /// would cost without a cache.
    fn talk(&mut self, pauses: &[i64]) -> Vec<(f64, f64)> {
        let model = models::lookup(&self.settings.model);
        let prices = model.prices.unwrap();
        let mut now = jiff::Timestamp::UNIX_EPOCH;
        let mut messages = self.ask("Why?").request.messages;
        let mut costs = Vec::new();
        for pause in pauses {
            now += jiff::SignedDuration::from_secs(*pause);
            messages
                .push(Message { role: Role::Assistant, content: vec![ContentBlock::text("So it is. ".repeat(100))] });
            let mut plan = self.follow_up(&History::new(messages), "And what else?");
            self.planner.bet(&mut plan, &self.settings, &model, now);
            let tokens = self.planner.warmth().expected(&plan, now);
            self.planner.sent(&plan, now);
            self.planner.began(&plan, &tokens, now);
            let price = crate::claude::usage::cost_at(&prices, &tokens, false);
            costs.push((price.usd, price.uncached_usd));
            messages = plan.request.messages;
        }
        costs
    }
}

#[test]
fn a_conversation_that_goes_on_at_once_is_read_from_the_cache() {
    let costs = Case::new().talk(&[30; 25]);
    let (paid, off) = costs.iter().fold((0.0, 0.0), |sum, turn| (sum.0 + turn.0, sum.1 + turn.1));
    assert!(paid < 0.3 * off, "{paid} of {off}");
}

#[test]
fn an_end_that_nobody_reads_is_not_written_for_ever() {
    let mut case = Case::new();
    let (cost, uncached) = case.talk(&[7200; 40]).pop().unwrap();
    assert!((cost - uncached).abs() < 1e-12, "{cost} {uncached}");
    let mut case = Case::new();
    case.settings.cache.ttl = CacheTtl::FiveMinutes;
    let (cost, uncached) = case.talk(&[7200; 40]).pop().unwrap();
    assert!(cost > 1.2 * uncached, "who names a life has decided: {cost} {uncached}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_conversation_is_much_dearer_than_without_a_cache(
        pauses in prop::collection::vec(prop_oneof![Just(5_i64), Just(301), Just(3601), 1_i64..20_000], 20..60)
    ) {
        let costs = Case::new().talk(&pauses);
        let (mut paid, mut off) = (0.0, 0.0);
        for (turn, (cost, uncached)) in costs.iter().enumerate() {
            (paid, off) = (paid + cost, off + uncached);
            prop_assert!(turn < 19 || paid <= 1.1 * off, "{paid} of {off} after {turn}");
        }
    }
}

proptest! {
    #[test]
    fn each_request_is_the_one_before_and_something_behind_it(
        rounds in prop::collection::vec(1_usize..20, 1..8), off in any::<bool>(), hour in any::<bool>()
    ) {
        let mut case = Case::new();
        if off {
            case.settings.cache.layout = CacheLayout::Off;
        }
        if hour {
            case.settings.cache.ttl = CacheTtl::OneHour;
        }
        let mut plan = case.ask("Why?");
        prop_assert_eq!(bytes(&plan), bytes(&Case { settings: case.settings.clone(), ..Case::new() }.ask("Why?")));
        let mut written: Option<usize> = None;
        for calls in rounds {
            prop_assert!(breakpoints(&plan) <= 4);
            let (before, marks) = blocks(&plan);
            prop_assert_eq!(off, marks.is_empty() && breakpoints(&plan) == 0);
            if let Some(written) = written.filter(|_| !off) {
                // What the last request wrote is found at a breakpoint, however many blocks came since.
                prop_assert!(marks.contains(&written), "{marks:?} {written}");
            }
            written = marks.last().copied();
            prop_assert!(off || written.is_none_or(|last| last + 1 == before.len() || plan.request.messages.len() == 1));
            let next = case.next(&plan, calls);
            let (after, _) = blocks(&next);
            prop_assert_eq!(&after[..before.len()], before.as_slice());
            prop_assert_eq!(&next.request.system.len(), &plan.request.system.len());
            let (old, new) = (&plan.layers, &next.layers);
            prop_assert_eq!(new.len(), old.len() + 1);
            for (old, new) in old.iter().zip(new) {
                prop_assert_eq!((old.prefix, old.blocks), (new.prefix, new.blocks));
            }
            // The bookkeeping believes that what was written can be read.
            let mut planner = Planner::new();
            let now = jiff::Timestamp::UNIX_EPOCH;
            planner.sent(&plan, now);
            planner.began(&plan, &Tokens { cache_write_5m: 9000, ..Tokens::default() }, now);
            let read = planner.warmth().read(&next, now);
            let end = plan.layers.iter().rposition(|layer| layer.breakpoint.is_some());
            prop_assert_eq!(read, end);
            plan = next;
        }
    }
}
