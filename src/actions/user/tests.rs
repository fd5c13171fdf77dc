use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::*;

fn parsed(name: &str, text: &str) -> Parsed {
    parse(Path::new(name), Origin::Workspace, text)
}

/// The problems of a file, one a line, as `line:columns message` counted from 1.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "reads better at the calls")]
fn check(text: &str, expected: Expect) {
    let parsed = parsed("a/check-sql.md", text);
    let mut said = String::new();
    for Problem { line, columns, message } in &parsed.problems {
        let _ = writeln!(said, "{}:{}-{} {message}", line + 1, columns.start + 1, columns.end + 1);
    }
    assert_eq!(parsed.action.is_some(), said.is_empty(), "a file with a problem is no action");
    expected.assert_eq(&said);
}

#[test]
fn a_file_is_an_action() {
    let text = "---\ntitle: check the SQL of\nkind: refactor.rewrite\nresult: edit\nlanguages: [python, TypeScript]\n\
                model: claude-haiku-5-5\neffort: low\n---\n\nCheck {{ selection }}.\n";
    let action = parsed("/w/.aside/actions/check-sql.md", text).action.unwrap();
    assert_eq!((action.id.as_ref(), action.title.as_str()), ("check-sql", "check the SQL of"));
    assert_eq!(action.kind, "refactor.rewrite.aside.checkSql");
    assert_eq!((action.result, action.applies), (ResultForm::Edit, Applies::Always));
    assert_eq!(action.instruction, "Check {{ selection }}.");
    let custom = action.custom.unwrap();
    assert_eq!(custom.languages, ["python", "typescript"]);
    assert_eq!((custom.model.as_deref(), custom.effort), (Some("claude-haiku-5-5"), Some(Effort::Low)));
    assert_eq!(custom.hash, sha256(text));
}

#[test]
fn what_is_not_said_has_a_harmless_default() {
    for text in ["---\n---\nLook at it.", "\u{feff}---\r\n# nothing\r\n---\r\nLook at it.\r\n"] {
        let action = parsed("check-sql.md", text).action.expect(text);
        assert_eq!((action.title.as_str(), action.result), ("check sql", ResultForm::Explanation));
        assert_eq!((action.kind.as_str(), action.instruction.as_str()), ("refactor.aside.checkSql", "Look at it."));
    }
    let edit = parsed("x.md", "---\nresult: edit\n---\nx").action.unwrap();
    assert_eq!(edit.kind, "refactor.rewrite.aside.x");
    let fix = parsed("x.md", "---\nkind: quickfix.aside\nlanguages: go\n---\nx").action.unwrap();
    assert_eq!(fix.kind, "quickfix.aside.x");
    assert_eq!(fix.custom.unwrap().languages, ["go"]);
}

#[test]
fn keys_and_values_that_are_wrong_are_told_with_their_place() {
    check(
        "---\ntitel: x\nresult: edti\nkind: source.fixAll\nlanguages: [pyhton, rust]\neffort: hgih\nmodel: a b\n---\nx\n",
        expect![[r"
            2:1-6 there is no key `titel`; did you mean `title`?
            3:9-13 `result` is one of `explain`, `edit`, `new-file`, `diagnostics`, not `edti`; did you mean `edit`?
            4:7-20 `kind` is one of `refactor`, `refactor.rewrite`, `quickfix`, not `source.fixAll`
            5:13-19 there is no language `pyhton`; did you mean `python`?
            6:9-13 `effort` is one of `low`, `medium`, `high`, `xhigh`, `max`, not `hgih`; did you mean `high`?
            7:8-11 `a b` is not a model's id: it has white space in it
        "]],
    );
    check(
        "---\ntitle:\n  a: b\nmodel: [a, b]\nlanguages: {a: b}\nresult:\nfrobnicate: 1\n---\nx\n",
        expect![[r"
            2:1-6 `title` takes one value, not a list or a section
            4:1-6 `model` takes one value, not a list or a section
            5:1-10 `languages` takes a list of names
            6:1-7 `result` has no value
            7:1-11 there is no key `frobnicate`; there are `title`, `kind`, `result`, `file`, `languages`, `model`, `effort`
        "]],
    );
}

#[test]
fn a_new_file_has_a_place_and_findings_need_none() {
    let text = "---\nresult: new-file\nfile: \"{{ folder }}/{{ stem }}_fake.{{ extension }}\"\n---\nx";
    let action = parsed("fake.md", text).action.unwrap();
    assert_eq!((action.result, action.kind.as_str()), (ResultForm::NewFile, "refactor.aside.fake"));
    assert_eq!(action.custom.unwrap().target.as_deref(), Some("{{ folder }}/{{ stem }}_fake.{{ extension }}"));
    let action = parsed("find.md", "---\nresult: diagnostics\n---\nx").action.unwrap();
    assert!(action.result == ResultForm::Diagnostics && action.converses(), "{action:?}");
    check(
        "---\nresult: new-file\n---\nx",
        expect![[r#"
            2:1-7 a `new-file` needs `file`, which says where it goes, such as `file: "{{ folder }}/{{ stem }}_fake.{{ extension }}"`
        "#]],
    );
    check(
        "---\nfile: a.md\nresult: edit\n---\nx",
        expect![[r"
            2:1-5 `file` says where a new file goes; it needs `result: new-file`
        "]],
    );
    check(
        "---\nresult: new-file\nfile: /etc/passwd\n---\nx",
        expect![[r"
            3:7-18 `file` says where the new file goes: it is no path below the workspace folder, with `/` between the folders
        "]],
    );
}

#[test]
fn nothing_reaches_what_is_the_users_alone() {
    let keys = ["api", "api.base_url", "api.key_command", "budget", "budget.daily_usd", "privacy", "privacy.redact"];
    for key in keys {
        for value in ["https://evil.example", "{base_url: \"https://evil.example\"}", "[curl, evil.example]"] {
            let parsed = parsed("x.md", &format!("---\n{key}: {value}\n---\nx"));
            assert_eq!(parsed.action, None, "{key}: {value}");
            assert!(parsed.problems[0].message.contains("your own configuration only"), "{:?}", parsed.problems);
        }
    }
    for kind in ["source", "source.organizeImports", "refactor.extract", "quickfix.other", "", "refactor.aside.explain"]
    {
        assert_eq!(parsed("x.md", &format!("---\nkind: \"{kind}\"\n---\nx")).action, None, "{kind}");
    }
}

#[test]
fn front_matter_is_yaml_with_an_end() {
    check(
        "Check it.\n",
        expect![[r"
            1:1-1 an action begins with front matter: a line `---`, keys such as `title: check the SQL`, and a line `---`
        "]],
    );
    check(
        "---\ntitle: x\n",
        expect![[r"
        1:1-1 the front matter has no end: a line `---` behind its last key
    "]],
    );
    check(
        "---\n- a\n- b\n---\nx",
        expect![[r"
        2:1-1 front matter is a list of keys, such as `title: check the SQL`
    "]],
    );
    check(
        "---\ntitle: a\ntitle: b\n---\nx",
        expect![[r"
        3:1-6 `title` is there already
    "]],
    );
    check(
        "---\ntitle: &a x\nmodel: *a\n---\nx",
        expect![[r"
        2:11-12 anchors and aliases have no use here
    "]],
    );
    check(
        "---\ntitle: x\nlanguages: &a [rust]\n---\nx",
        expect![[r"
        3:15-16 anchors and aliases have no use here
    "]],
    );
    let broken = parsed("x.md", "---\ntitle: [a\n---\nx");
    assert!(broken.problems[0].message.starts_with("this is not YAML: "), "{broken:?}");
    let deep = format!("---\ntitle: {}\n---\nx", "[".repeat(9000));
    assert_eq!(parsed("x.md", &deep).action, None);
}

#[test]
fn the_task_is_there_and_uses_what_there_is() {
    check(
        "---\ntitle: x\n---\n\n  \n",
        expect![[r"
        3:1-1 there is no task: say below the front matter what is to be done
    "]],
    );
    check(
        "---\ntitle: x\n---\n\nOne.\n\nThe {{ slection }} of {{ path }}.\n",
        expect![[r"
        7:1-1 there is no variable `slection`; did you mean `selection`?
    "]],
    );
    check(
        "---\ntitle: x\n---\nOne.\n{% if selection %}\n",
        expect![[r"
        5:1-1 syntax error: unexpected end of input, expected end of block
    "]],
    );
}

#[test]
fn names_are_plain_and_not_asides_own() {
    for (name, expected) in [
        ("explain.md", "Aside's own"),
        ("cancel.md", "Aside's own"),
        ("review.md", "Aside's own"),
        ("describe-image.md", "Aside's own"),
        ("Check.md", "lower-case"),
        ("a b.md", "lower-case"),
        ("-a.md", "lower-case"),
        ("a..md", "lower-case"),
        ("ä.md", "lower-case"),
        (".md", "lower-case"),
        ("a-name-that-goes-on-and-on-and-on-and-on-for-ever.md", "lower-case"),
    ] {
        let parsed = parsed(name, "---\ntitle: x\n---\nx");
        assert_eq!(parsed.action, None, "{name}");
        assert!(parsed.problems[0].message.contains(expected), "{name}: {:?}", parsed.problems);
    }
}

#[test]
fn a_title_is_what_it_looks_like() {
    for title in ["\"a\\nb\"", "\"a\\u202eb\"", "\"a\\e[2Jb\"", "\"a\\u200bb\"", &"long ".repeat(30)] {
        assert_eq!(parsed("x.md", &format!("---\ntitle: {title}\n---\nx")).action, None, "{title}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_an_action_or_has_a_problem(text in "(---\n|title: x\n|languages: \\[|\\]|result: edit\n|\\{\\{|\\}\\}|\\{%|%\\}|&a|\\*a|!x|\"|'|\\PC|\n|  - ){0,30}") {
        crate::fuzzing::check("front_matter", text.as_bytes());
        crate::fuzzing::check("front_matter", format!("---\ntitle: x\n---\n{text}").as_bytes());
        crate::fuzzing::check("front_matter", format!("---\n{text}\n---\nx").as_bytes());
    }
}
