use expect_test::expect;

use super::*;
use crate::config::ActionSettings;
use crate::workspace::language;

fn ids(language_id: &str, text: &str, settings: &Settings, running: bool) -> String {
    let actions = offered(
        &Place { language: language::by_id(language_id), text, reports: &[], picture: false, running, prompts: false },
        settings,
    );
    actions.iter().map(|action| action.id.as_ref()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_catalogue_is_the_contract() {
    let table: Vec<String> = catalogue()
        .iter()
        .map(|action| format!("{} {} {:?} {:?}\n", action.id, action.kind, action.applies, action.result))
        .collect();
    expect![[r"
        explain refactor.aside.explain Always Explanation
        add-type-hints refactor.rewrite.aside.typeHints OptionalTypes Edit
        write-tests refactor.aside.tests Programming Tests
        document refactor.rewrite.aside.document Programming Edit
        simplify refactor.rewrite.aside.simplify Programming Edit
        implement refactor.rewrite.aside.implement Unfinished Edit
        fix quickfix.aside.fix Reported Edit
        review refactor.aside.review Programming Diagnostics
        ask refactor.aside.ask Prompted Answer
        follow-up refactor.aside.followUp Explanations Explanation
        describe-image refactor.aside.image Pictured Edit
        cancel refactor.aside.cancel WhileRunning Control
    "]]
    .assert_eq(&table.concat());
}

#[test]
fn actions_are_offered_where_they_make_sense() {
    let settings = Settings::default();
    for (language, text, running, expected) in [
        ("python", "x = 1", false, "explain add-type-hints write-tests document simplify review"),
        (
            "python",
            "# Sum up.",
            true,
            "explain add-type-hints write-tests document simplify implement review ask cancel",
        ),
        ("typescriptreact", "f();", false, "explain add-type-hints write-tests document simplify review"),
        ("rust", "fn f() { todo!() }", false, "explain write-tests document simplify implement review"),
        ("go", "", false, "explain write-tests document simplify review"),
        ("markdown", "<!-- a table -->", false, "explain ask"),
        ("json", "", false, "explain"),
        ("no such language", "", true, "explain cancel"),
    ] {
        assert_eq!(ids(language, text, &settings, running), expected, "{language}");
    }
}

#[test]
fn what_is_reported_or_pictured_counts_in_any_language() {
    for language in ["python", "markdown", "no such language"] {
        let place = Place {
            language: language::by_id(language),
            text: "",
            reports: &["no such name"],
            picture: true,
            running: false,
            prompts: false,
        };
        let offered = offered(&place, &Settings::default());
        assert!(offered.iter().any(|action| action.id == "fix"), "{language}");
        assert!(offered.iter().any(|action| action.id == "describe-image"), "{language}");
    }
}

#[test]
fn a_fix_says_what_it_is_for() {
    let fix = find("fix").unwrap();
    for (reports, expected) in [
        (&["`os` imported but unused"][..], "Aside: fix: `os` imported but unused"),
        (&["mismatched types\nexpected `u8`\n", "b", "c"], "Aside: fix: mismatched types expected `u8` (and 2 more)"),
        (&["  \n"], "Aside: fix"),
        (&[], "Aside: fix"),
    ] {
        assert_eq!(title_of_reports(fix, reports), expected);
    }
}

#[test]
fn an_action_that_is_switched_off_is_not_offered() {
    let mut settings = Settings::default();
    let off = ActionSettings { enabled: Some(false), ..ActionSettings::default() };
    settings.actions.insert("write-tests".to_owned(), off);
    settings.actions.insert("document".to_owned(), ActionSettings { enabled: Some(true), ..ActionSettings::default() });
    assert_eq!(ids("rust", "", &settings, false), "explain document simplify review");
}

#[test]
fn an_unknown_action_is_told_what_there_is() {
    for (asked, meant) in [
        ("explian", Some("explain")),
        ("add_type_hints", Some("add-type-hints")),
        ("Write Tests", Some("write-tests")),
        ("typehints", Some("add-type-hints")),
        ("types", Some("add-type-hints")),
        ("docs", Some("document")),
        ("EXPLAIN", Some("explain")),
        ("frobnicate", None),
        ("", None),
    ] {
        let error = find(asked).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config);
        for action in catalogue() {
            assert!(error.message.contains(&format!("`{}`", action.id)), "{error}");
        }
        let hint = error.hint.unwrap();
        match meant {
            Some(id) => assert_eq!(hint, format!("Did you mean `{id}`?"), "{asked}"),
            None => assert!(!hint.contains("mean"), "{asked}: {hint}"),
        }
    }
    assert_eq!(find("document").unwrap().id, "document");
}

#[test]
fn titles_name_what_they_work_on() {
    let titles: String = catalogue()
        .iter()
        .flat_map(|action| [title_for(action, Some("load_inventory")), title_for(action, None)])
        .map(|title| title + "\n")
        .collect();
    expect![[r"
        Aside: explain `load_inventory`
        Aside: explain
        Aside: add type hints to `load_inventory`
        Aside: add type hints
        Aside: write tests for `load_inventory`
        Aside: write tests
        Aside: document `load_inventory`
        Aside: document
        Aside: simplify `load_inventory`
        Aside: simplify
        Aside: implement `load_inventory`
        Aside: implement
        Aside: fix `load_inventory`
        Aside: fix
        Aside: review `load_inventory`
        Aside: review
        Aside: ask about `load_inventory`
        Aside: ask
        Aside: follow up on `load_inventory`
        Aside: follow up
        Aside: describe image `load_inventory`
        Aside: describe image
        Aside: cancel `load_inventory`
        Aside: cancel
    "]]
    .assert_eq(&titles);
    let explain = find("explain").unwrap();
    assert_eq!(title_for(explain, Some(" operator\n  << ")), "Aside: explain `operator <<`");
    assert_eq!(title_for(explain, Some(" \n ")), "Aside: explain");
    assert!(title_for(explain, Some(&"ä".repeat(500))).chars().count() < 80);
}

#[test]
fn ids_and_kinds_are_unique() {
    for (index, action) in catalogue().iter().enumerate() {
        for other in &catalogue()[index + 1..] {
            assert!(action.id != other.id && action.kind != other.kind, "{} {}", action.id, other.id);
        }
        assert_eq!(action.instruction.is_empty(), action.result == ResultForm::Control, "{}", action.id);
    }
}
