//! The code paths that run at every keystroke, menu and answer: `cargo bench --bench paths`.

#![expect(clippy::expect_used, reason = "the ground must be as it is")]

use std::hint::black_box;

use aside::actions;
use aside::claude::models;
use aside::claude::usage::Tokens;
use aside::config::{Environment, Layers, Paths};
use aside::output::answer::EditAnswer;
use aside::output::check::{Comparison, Promise, Verdict};
use aside::output::edit;
use aside::prompt;
use aside::prompt::context::{Around, gather, may_be_excerpt};
use aside::workspace::positions::{Encoding, Position, offset, position};
use aside::workspace::syntax::{ParsedAhead, Syntax};
use aside::workspace::test_files::RealFiles;
use aside::workspace::{Change, Document, language, selection, syntax};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use jiff::Timestamp;

/// Plausible Python of about this many bytes.
fn python(bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        let number = text.len();
        let function =
            format!("def f_{number}(first, second=1):\n    total = first + second * {number}\n    return total\n\n");
        text.push_str(&function);
    }
    text
}

fn document(bytes: usize) -> Document {
    let uri = "file:///bench/large.py".parse().expect("a URI");
    Document::new(uri, "python", 1, &python(bytes))
}

fn keystrokes(c: &mut Criterion) {
    c.bench_function("keystroke, 2 MB", |b| {
        b.iter_batched_ref(
            || document(2_000_000),
            |document| document.apply(Change::Span(1_000_000..1_000_000, "x".to_owned())),
            BatchSize::LargeInput,
        );
    });
    c.bench_function("keystroke, 5 MB, 100 selections followed", |b| {
        b.iter_batched_ref(
            || {
                let mut document = document(5_000_000);
                for number in 0..100 {
                    document.track(number * 40_000..number * 40_000 + 2_000);
                }
                document
            },
            |document| document.apply(Change::Span(1_000_000..1_000_000, "x".to_owned())),
            BatchSize::LargeInput,
        );
    });
    let document = document(2_000_000);
    for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
        c.bench_function(&format!("position to offset and back, 2 MB, {encoding:?}"), |b| {
            b.iter(|| {
                let at = offset(document.text(), encoding, black_box(Position::new(20_000, 10)));
                position(document.text(), encoding, at)
            });
        });
    }
}

fn answers(c: &mut Criterion) {
    let text = python(200_000);
    let selection = 0..text.match_indices('\n').nth(499).map_or(text.len(), |(at, _)| at + 1);
    let replacement = text[selection.clone()].replace("first, second=1", "first: Any, second: int = 1");
    let answer = EditAnswer { replacement, imports: vec!["from typing import Any".to_owned()], note: None };
    let python = language::by_id("python");
    c.bench_function("plan an edit of 500 lines, unprepared", |b| {
        b.iter(|| edit::plan(&text, selection.clone(), python, black_box(&answer)).expect("it fits"));
    });
    // As a job does it: the text was parsed while the model wrote, and what the edit makes of it is checked.
    let ahead = ParsedAhead::new(python, text.clone());
    ahead.parse();
    c.bench_function("plan an edit of 500 lines", |b| {
        b.iter(|| edit::plan_in(&ahead.now(&text), selection.clone(), black_box(&answer)).expect("it fits"));
    });
    c.bench_function("plan and check an edit of 500 lines", |b| {
        b.iter(|| {
            let parsed = ahead.now(&text);
            let edits = edit::plan_in(&parsed, selection.clone(), black_box(&answer)).expect("it fits");
            let after = edit::apply(&text, &edits);
            let comparison = Comparison::of_edits(parsed, &edits, &after);
            assert!(comparison.new_syntax_errors().is_empty(), "it brings no errors");
            assert_eq!(comparison.verdict(Promise::TypeHints), Verdict::Kept);
        });
    });
}

fn prompts(c: &mut Criterion) {
    let environment = Environment::from_pairs([("HOME", "/nonexistent")]);
    let settings = Layers::load(&environment, &Paths::new(&environment), None).resolve().settings;
    let model = models::lookup(&settings.model);
    let text = python(1_000_000);
    let action = actions::find("explain").expect("there is one");
    let input = prompt::Input {
        family: prompt::Family::Document,
        action,
        settings: &settings,
        model: &model,
        language: language::by_id("python"),
        document: "large.py",
        path: "large.py",
        text: &text,
        selection: 1000..2000,
        rules: &[],
        project: None,
        prompt: None,
        tests: None,
        context: None,
        scale: prompt::Scale::default(),
    };
    c.bench_function("plan a request, 1 MB", |b| b.iter(|| prompt::plan(black_box(&input)).expect("it fits")));
    let edited = text.replacen("total = first", "total = second", 1);
    let mut planner = prompt::Planner::new();
    let mut turn = 0;
    c.bench_function("plan a request after an edit, 1 MB", |b| {
        b.iter(|| {
            turn += 1;
            let text = if turn % 2 == 0 { &text } else { &edited };
            let input = prompt::Input { text, ..input.clone() };
            planner.plan(black_box(&input), Timestamp::UNIX_EPOCH).expect("it fits")
        });
    });
    changed_prompts(c, &input);
    let rope = ropey::Rope::from_str(&text[..100_000]);
    c.bench_function("find the enclosing item, 100 kB", |b| {
        b.iter(|| syntax::enclosing(language::by_id("python"), black_box(&rope), 50_000));
    });
}

/// A document that is sent whole, edited after it was sent: once, and in 500 lines.
fn changed_prompts(c: &mut Criterion, input: &prompt::Input<'_>) {
    let text = python(200_000);
    let once = text.replacen("total = first", "total = second", 1);
    let often = text.replacen("total = first", "total = second", 500);
    let mut planner = prompt::Planner::new();
    let input = |text| prompt::Input { text, ..input.clone() };
    let now = Timestamp::UNIX_EPOCH;
    for _ in 0..20 {
        let plan = planner.plan(&input(&text), now).expect("it fits");
        planner.sent(&plan, now);
        let all = plan.estimated_input_tokens;
        planner.began(&plan, &Tokens { cache_read: all, ..Tokens::default() }, now);
    }
    for (what, text) in [("a line", &once), ("500 lines", &often)] {
        let plan = planner.plan(&input(text), now).expect("it fits");
        assert!(plan.layers.iter().any(|layer| layer.name == prompt::LayerName::Changes), "the changes are stated");
        c.bench_function(&format!("plan a request after an edit of {what}, 200 kB"), |b| {
            b.iter(|| planner.plan(black_box(&input(text)), now).expect("it fits"));
        });
    }
}

/// What surrounds a selection, in a project of twelve files of which the document imports ten; and what is selected, by a
/// cursor.
fn contexts(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for number in 0..10 {
        let module = format!("def used_{number}(value):\n    return value * {number}\n\n{}", python(8_000));
        std::fs::write(root.join(format!("module_{number}.py")), module).expect("a file");
    }
    let each = |line: fn(usize) -> String| (0..10).map(line).collect::<Vec<_>>().concat();
    let imports = each(|number| format!("from module_{number} import used_{number}\n"));
    let calls = each(|number| format!("    value = used_{number}(value)\n"));
    let calls = format!("def selected(value):\n{calls}    return f_0(value)\n");
    std::fs::write(root.join("test_module_1.py"), python(4_000)).expect("a file");
    let estimate = |text: &str| prompt::estimate_tokens(text, &models::lookup("claude-sonnet-5-5"));
    for (what, bytes) in [("20 kB", 20_000), ("1 MB", 1_000_000)] {
        let text = format!("{imports}\n\n{calls}\n\n{}", python(bytes));
        let start = text.find("def selected").expect("it is there");
        let around = Around {
            action: "explain",
            root,
            path: &root.join("document.py"),
            language: language::by_id("python"),
            text: &text,
            syntax: Box::new(|| Syntax::parse(language::by_id("python"), text.as_str())),
            selection: start..start + calls.len(),
            document_is_whole: !may_be_excerpt(&text),
            has_tests: false,
            redact: true,
            diagnostics: &[],
            max_tokens: None,
        };
        let found = gather(&around, &RealFiles, &estimate).pieces.len();
        assert!(found >= 10, "{found} pieces");
        c.bench_function(&format!("gather the context of a selection, {what}"), |b| {
            b.iter(|| gather(black_box(&around), &RealFiles, &estimate));
        });
        let uri = "file:///bench/document.py".parse().expect("a URI");
        let document = Document::new(uri, "python", 1, &text);
        assert_eq!(selection::resolve(&document.snapshot(), start..start).1.as_deref(), Some("selected"));
        c.bench_function(&format!("find what is selected by a cursor, {what}"), |b| {
            // A snapshot is parsed once.
            let find = |snapshot| selection::resolve(black_box(&snapshot), start..start);
            b.iter_batched(|| document.snapshot(), find, BatchSize::LargeInput);
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = keystrokes, answers, prompts, contexts
}
criterion_main!(benches);
