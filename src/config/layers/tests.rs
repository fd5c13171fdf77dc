//! Layers, trust and single errors, by tables.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;

/// Layers made of texts, in a folder of their own.
struct Fixture {
    folder: tempfile::TempDir,
    env: Environment,
}

impl Fixture {
    fn new(user: &str, workspace: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let user_file = folder.path().join("user.toml");
        std::fs::create_dir_all(folder.path().join("ws/.aside")).unwrap();
        std::fs::write(&user_file, user).unwrap();
        std::fs::write(folder.path().join("ws/.aside/config.toml"), workspace).unwrap();
        let env = Environment::from_pairs([("ASIDE_CONFIG", user_file.to_str().unwrap())]);
        Self { folder, env }
    }

    fn layers(&self) -> Layers {
        Layers::load(&self.env, &Paths::new(&self.env), Some(&self.folder.path().join("ws")))
    }

    /// Problems, and what is not built in, with its source.
    fn shown(&self, resolved: &Resolved) -> String {
        let mut shown = String::new();
        for problem in &resolved.problems {
            let _ = writeln!(shown, "! {problem}");
        }
        for (key, value) in resolved.settings.values() {
            if let Some(source) = resolved.origins.get(&key) {
                let _ = writeln!(shown, "{key} = {value} ({source})");
            }
        }
        shown.replace(self.folder.path().to_str().unwrap(), "…").replace('\\', "/")
    }
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at the calls")]
fn check(user: &str, workspace: &str, editor: Value, expected: Expect) {
    let fixture = Fixture::new(user, workspace);
    let mut layers = fixture.layers();
    layers.set_editor(Some(editor));
    expected.assert_eq(&fixture.shown(&layers.resolve()));
}

#[test]
fn nothing_said_is_built_in() {
    let fixture = Fixture::new("", "");
    let resolved = fixture.layers().resolve();
    assert_eq!(resolved.settings, Settings::default());
    assert_eq!((resolved.problems, resolved.origins.len()), (vec![], 0));
}

#[test]
fn later_layers_win_key_by_key() {
    check(
        "model = \"a\"\nfast_model = \"a\"\nmax_running = 2\n[cache]\nttl = \"1h\"\nlayout = \"off\"\n",
        "fast_model = \"b\"\nmax_running = 3\n[cache]\nlayout = \"plain\"\n[actions.explain]\nmodel = \"b\"\n",
        json!({"maxRunning": 4, "actions": {"explain": {"effort": "low"}, "add-type-hints": {"maxOutputTokens": 5}}}),
        expect![[r#"
            model = "a" (…/user.toml)
            fast_model = "b" (…/ws/.aside/config.toml)
            max_running = 4 (editor settings)
            cache.ttl = "1h" (…/user.toml)
            cache.layout = "plain" (…/ws/.aside/config.toml)
            actions.add-type-hints.max_output_tokens = 5 (editor settings)
            actions.explain.model = "b" (…/ws/.aside/config.toml)
            actions.explain.effort = "low" (editor settings)
        "#]],
    );
}

#[test]
fn one_bad_value_loses_only_itself() {
    check(
        concat!(
            "\"cache.ttl\" = 1\nmodle = \"x\"\nmax_output_tokens = 0\nmax_running = \"8\"\nttl = \"5m\"\nfast_model = \"ok\"\n",
            "date = 2026-01-01\nmodel = 2026-01-01\n",
            "[cache]\n  ttl = \"10m\"\nlayout = \"Plain\"\nprewarm = true\nlayuot = 1\n",
            "[hover]\nmode.ask = true\n[api]\nbase_url = \"api.example.com\"\nmax_retries = 99\nkey_command = \"pass\"\n",
            "[privacy]\nexclude = [\"*.pem\", \"[z\", \"!x\", 7]\n[zzz]\nqqq = 1\n",
            "[actions.explain]\nmodell = \"x\"\nenabled = false\n[thinking]\neffort = \"hihg\"\n"
        ),
        "cache = \"plain\"\nprivacy = true\nactions = 3\n[\"ünï\"]\nmaxRunning = 1\n",
        json!({"maxRuning": 4, "cache": {"prewarm": "yes", "ttl": null}, "max_running": 5, "hover": "off",
            "edits.confirm": "preview", "aside.fastModel": "f", "actions": {"x.y": {"maxOutputTokens": 7}}}),
        expect![[r#"
            ! …/user.toml:1:1: there is no key "cache.ttl"; write it without quotes
            ! …/user.toml:2:1: there is no `modle`; did you mean `model`?
            ! …/user.toml:3:1: `max_output_tokens` takes a whole number from 1 to 1000000, not 0
            ! …/user.toml:4:1: `max_running` takes a whole number from 1 to 256, not "8"
            ! …/user.toml:5:1: there is no `ttl`; did you mean `cache.ttl`?
            ! …/user.toml:7:1: there is no `date`; `aside config schema` lists what there is
            ! …/user.toml:8:1: `model` does not take a date or time
            ! …/user.toml:10:3: `cache.ttl` is one of `auto`, `5m`, `1h`, not "10m"
            ! …/user.toml:11:1: `cache.layout` is one of `snapshot`, `plain`, `off`, not "Plain"; did you mean `plain`?
            ! …/user.toml:13:1: there is no `cache.layuot`; did you mean `cache.layout`?
            ! …/user.toml:15:6: `hover.mode` is a single value, not a section
            ! …/user.toml:17:1: `api.base_url`: not an address: it begins with https://, as in https://api.anthropic.com
            ! …/user.toml:18:1: `api.max_retries` takes a whole number from 0 to 20, not 99
            ! …/user.toml:19:1: `api.key_command` takes a list of texts, not "pass"
            ! …/user.toml:21:1: `privacy.exclude`: `[z` is not a pattern: unclosed character class; missing ']'
            ! …/user.toml:21:1: `privacy.exclude`: `!x`: a pattern cannot take an exclusion back
            ! …/user.toml:21:1: `privacy.exclude`: invalid type: integer `7`, expected a string
            ! …/user.toml:23:1: there is no `zzz.qqq`; `aside config schema` lists what there is
            ! …/user.toml:25:1: there is no `actions.explain.modell`; did you mean `actions.explain.model`?
            ! …/user.toml:28:1: `thinking.effort` is one of `low`, `medium`, `high`, `xhigh`, `max`, not "hihg"; did you mean `high`?
            ! …/ws/.aside/config.toml:1:1: `cache` is a section, as in `cache.ttl`
            ! …/ws/.aside/config.toml:2:1: `privacy` is a section, as in `privacy.exclude`
            ! …/ws/.aside/config.toml:3:1: `actions` is a section, as in `actions.NAME.model`
            ! …/ws/.aside/config.toml:5:1: there is no `ünï.maxRunning`; did you mean `max_running`?
            ! editor settings: there is no `maxRuning`; did you mean `maxRunning`?
            ! editor settings: `cache.prewarm` takes `true` or `false`, not "yes"
            ! editor settings: `hover` is a section, as in `hover.mode`
            fast_model = "f" (editor settings)
            max_running = 5 (editor settings)
            cache.prewarm = true (…/user.toml)
            edits.confirm = "preview" (editor settings)
            privacy.exclude = ["*.pem"] (…/user.toml)
            actions.explain.enabled = false (…/user.toml)
            actions.x.y.max_output_tokens = 7 (editor settings)
        "#]],
    );
}

#[test]
fn a_repository_does_not_take_back_that_edits_are_shown_first() {
    check(
        "edits.confirm = \"preview\"\n",
        "edits.confirm = \"never\"\n",
        json!({}),
        expect![[r#"
            ! …/ws/.aside/config.toml:1:7: `edits.confirm` does not count here, where a repository could set it: it would make edits without showing them first. Set it in your own file (`aside config path`)
            edits.confirm = "preview" (…/user.toml)
        "#]],
    );
    check(
        "edits.confirm = \"preview\"\n",
        "",
        json!({"edits": {"confirm": "never"}}),
        expect![[r#"
            edits.confirm = "never" (editor settings)
        "#]],
    );
}

#[test]
fn a_repository_does_not_have_itself_sent() {
    check(
        "",
        "hover.mode = \"ask\"\ncache.prewarm = true\n",
        json!({}),
        expect![[r#"
            ! …/ws/.aside/config.toml:1:7: `hover.mode` does not count here, where a repository could set it: it would send your code unasked. Set it in your own file (`aside config path`)
            ! …/ws/.aside/config.toml:2:7: `cache.prewarm` does not count here, where a repository could set it: it would send your code unasked. Set it in your own file (`aside config path`)
        "#]],
    );
    check(
        "",
        "hover.mode = \"off\"\ncache.prewarm = false\n",
        json!({"hover": {"mode": "ask"}}),
        expect![[r#"
            cache.prewarm = false (…/ws/.aside/config.toml)
            hover.mode = "ask" (editor settings)
        "#]],
    );
}

#[test]
fn a_repository_is_not_trusted() {
    let hostile = concat!(
        "model = \"claude-fable-5-2\"\n[api]\nbase_url = \"https://evil.example\"\nkey_command = [\"sh\"]\nnonsense = 1\n",
        "[budget]\ndaily_usd = 1000\n[privacy]\nredact = false\nexclude = [\"*.gen\", \"*.pem\"]\n",
        "[parameters]\ntemperature = 0.5\nuser_id = \"you\"\nservice_tier = \"auto\"\n"
    );
    let editor = json!({"aside": {"api": {"baseUrl": "https://evil.example"}, "budget": {"monthlyUsd": 9}, "privacy":
        {"redact": true, "exclude": ["*.tmp"]}}});
    check(
        "[privacy]\nexclude = [\"*.pem\"]\n[budget]\ndaily_usd = 1\n",
        hostile,
        editor,
        expect![[r#"
            ! …/ws/.aside/config.toml:3:1: `api.base_url` does not count here, where a repository could set it: it would choose where your code and your key are sent. Set it in your own file (`aside config path`)
            ! …/ws/.aside/config.toml:4:1: `api.key_command` does not count here, where a repository could set it: it would choose where your code and your key are sent. Set it in your own file (`aside config path`)
            ! …/ws/.aside/config.toml:5:1: `api.nonsense` does not count here, where a repository could set it: it would choose where your code and your key are sent. Set it in your own file (`aside config path`)
            ! …/ws/.aside/config.toml:7:1: `budget.daily_usd` does not count here, where a repository could set it: it would choose how much you spend. Set it in your own file (`aside config path`)
            ! …/ws/.aside/config.toml:9:1: `privacy.redact` does not count here, where a repository could set it: it would send what looks like a secret. Set it in your own file (`aside config path`)
            ! …/ws/.aside/config.toml:13:1: `parameters.user_id` does not count here, where a repository could set it: it would choose as whom you ask. Set it in your own file (`aside config path`)
            ! …/ws/.aside/config.toml:14:1: `parameters.service_tier` does not count here, where a repository could set it: it would choose how much you spend. Set it in your own file (`aside config path`)
            ! editor settings: `api.baseUrl` does not count here, where a repository could set it: it would choose where your code and your key are sent. Set it in your own file (`aside config path`)
            ! editor settings: `budget.monthlyUsd` does not count here, where a repository could set it: it would choose how much you spend. Set it in your own file (`aside config path`)
            model = "claude-fable-5-2" (…/ws/.aside/config.toml)
            parameters.temperature = 0.5 (…/ws/.aside/config.toml)
            privacy.exclude = ["*.pem","*.gen","*.tmp"] (editor settings)
            privacy.redact = true (editor settings)
            budget.daily_usd = 1.0 (…/user.toml)
        "#]],
    );
    check(
        "",
        "budget = 1000\napi = \"https://evil.example\"\n",
        json!({}),
        expect![[r#"
            ! …/ws/.aside/config.toml:1:1: `budget` does not count here, where a repository could set it: it would choose how much you spend. Set it in your own file (`aside config path`)
            ! …/ws/.aside/config.toml:2:1: `api` does not count here, where a repository could set it: it would choose where your code and your key are sent. Set it in your own file (`aside config path`)
        "#]],
    );
}

#[test]
fn parameters_have_their_bounds() {
    check(
        concat!(
            "[parameters]\ntemperature = 1.5\ntop_p = -0.1\ntop_k = 0\nstop_sequences = [\"END\", \" \"]\nuser_id = \"\"\n",
            "service_tier = \"fast\"\n[thinking]\nbudget_tokens = 0\nshow = true\n[actions.explain]\ntemperature = 1\n"
        ),
        "",
        json!({"fallbackModel": "claude-opus-5-5", "actions": {"document": {"budgetTokens": 2000}}}),
        expect![[r#"
            ! …/user.toml:2:1: `parameters.temperature` takes a number from 0 to 1, not 1.5
            ! …/user.toml:3:1: `parameters.top_p` takes a number from 0 to 1, not -0.1
            ! …/user.toml:4:1: `parameters.top_k` takes a whole number from 1 to 1000000, not 0
            ! …/user.toml:5:1: `parameters.stop_sequences`: a text that ends an answer must not be white space only
            ! …/user.toml:6:1: `parameters.user_id`: a user's id must not be empty
            ! …/user.toml:7:1: `parameters.service_tier` is one of `auto`, `standard_only`, not "fast"
            fallback_model = "claude-opus-5-5" (editor settings)
            thinking.budget_tokens = 0 (…/user.toml)
            thinking.show = true (…/user.toml)
            actions.document.budget_tokens = 2000 (editor settings)
            actions.explain.temperature = 1.0 (…/user.toml)
        "#]],
    );
}

#[test]
fn a_file_that_cannot_be_read_leaves_the_other_layers() {
    check(
        "model = \"a\"\n[cache\nttl = 1\n",
        "max_running = 3\n",
        json!([1]),
        expect![[r#"
            ! …/user.toml:2:7: not TOML, so nothing in this file counts: unclosed table, expected `]`
            ! editor settings: settings are an object, as in {"model": "claude-sonnet-5-5"}
            max_running = 3 (…/ws/.aside/config.toml)
        "#]],
    );
    let mut fixture = Fixture::new("", "max_running = 3\n");
    fixture.env = fixture.env.with("ASIDE_CONFIG", fixture.folder.path().to_str().unwrap());
    expect![[r#"
        ! …: cannot be read: not a file
        max_running = 3 (…/ws/.aside/config.toml)
    "#]]
    .assert_eq(&fixture.shown(&fixture.layers().resolve()));
    fixture.env = fixture.env.with("ASIDE_CONFIG", fixture.folder.path().join("none.toml").to_str().unwrap());
    expect![[r#"
        ! …/none.toml: cannot be read: No such file or directory (os error 2)
        max_running = 3 (…/ws/.aside/config.toml)
    "#]]
    .assert_eq(&fixture.shown(&fixture.layers().resolve()));
}

#[test]
fn an_address_that_was_meant_is_not_replaced_by_another() {
    for (user, variable, usable) in [
        ("", "https://gate.example/x", true),
        ("", "gate.example", false),
        ("", "", true),
        ("api.base_url = \"ftp://gate.example\"", "", false),
        ("api.base_url = \"https://ok.example\"\nmodle = 1", "", true),
        ("api.base_url = \"https://ok.example", "", false),
    ] {
        let mut fixture = Fixture::new(user, "[api]\nbase_url = 1\n");
        fixture.env = fixture.env.with("ANTHROPIC_BASE_URL", variable);
        let resolved = fixture.layers().resolve();
        assert_eq!(resolved.usable().is_ok(), usable, "{user} {variable} {:?}", resolved.problems);
    }
}

#[test]
fn an_empty_answer_of_the_editor_changes_nothing() {
    let fixture = Fixture::new("", "");
    let mut layers = fixture.layers();
    layers.set_initialization_options(Some(&json!({"aside": {"model": "a", "maxRunning": 2}})));
    let model = |layers: &Layers| (layers.resolve().settings.model, layers.resolve().settings.max_running);
    for nothing in [None, Some(json!(null)), Some(json!({})), Some(json!({"aside": null})), Some(json!({"aside": {}}))]
    {
        layers.set_editor(nothing);
        assert_eq!(model(&layers), ("a".into(), 2));
    }
    layers.set_editor(Some(json!({"model": "b"})));
    assert_eq!(model(&layers), ("b".into(), 2));
    layers.set_editor(Some(json!({})));
    assert_eq!(model(&layers), ("b".into(), 2));
    layers.set_editor(Some(json!({"aside": {"maxRunning": 3}, "python": {"model": "x"}})));
    assert_eq!(model(&layers), ("a".into(), 3));
}

#[test]
fn environment_and_flags_stand_above_the_files() {
    let mut fixture = Fixture::new("model = \"a\"\n[api]\nbase_url = \"https://a.example\"\n", "model = \"b\"\n");
    fixture.env = fixture.env.with("ANTHROPIC_BASE_URL", "http://127.0.0.1:9/v");
    let mut layers = fixture.layers();
    let flags = Options { model: Some("c".parse().unwrap()), ..Options::default() };
    layers.set_flags(&flags);
    expect![[r#"
        model = "c" (command line)
        api.base_url = "http://127.0.0.1:9/v" ($ANTHROPIC_BASE_URL)
    "#]]
    .assert_eq(&fixture.shown(&layers.resolve()));
}

#[test]
fn an_editors_plugin_hands_over_what_no_repository_may_set() {
    let mut fixture = Fixture::new("model = \"a\"\n", "privacy.redact = true\n");
    let plain = fixture.env.clone();
    fixture.env = plain.clone().with(
        "ASIDE_SETTINGS",
        r#"{"api": {"baseUrl": "https://a.example", "maxRetries": 1}, "budget": {"dailyUsd": 2}, "privacy": {"redact": false}, "moddel": "x"}"#,
    );
    expect![[r#"
        ! $ASIDE_SETTINGS: there is no `moddel`; did you mean `model`?
        model = "a" (…/user.toml)
        api.base_url = "https://a.example" ($ASIDE_SETTINGS)
        api.max_retries = 1 ($ASIDE_SETTINGS)
        privacy.redact = false ($ASIDE_SETTINGS)
        budget.daily_usd = 2.0 ($ASIDE_SETTINGS)
    "#]]
    .assert_eq(&fixture.shown(&fixture.layers().resolve()));
    fixture.env = fixture.env.with("ANTHROPIC_BASE_URL", "http://127.0.0.1:9");
    assert_eq!(fixture.layers().resolve().settings.api.base_url.to_string(), "http://127.0.0.1:9/");

    fixture.env = plain.with("ASIDE_SETTINGS", "[1]");
    let resolved = fixture.layers().resolve();
    assert!(resolved.usable().is_err(), "an address in it would not count, and code would go elsewhere");
    expect![[r#"
        ! $ASIDE_SETTINGS: not a JSON object, so nothing in it counts
        model = "a" (…/user.toml)
        privacy.redact = true (…/ws/.aside/config.toml)
    "#]]
    .assert_eq(&fixture.shown(&resolved));
}

proptest::proptest! {
    /// Whatever a file holds, loading it ends, and what is left resolves.
    #[test]
    fn any_text_resolves(text in "(?s)[a-z_\\[\\]=\"'{}.,0-9# \n-]{0,80}|(model|cache\\.ttl|api|actions\\.x\\.y|privacy\\.exclude) = .{0,20}") {
        let fixture = Fixture::new(&text, &text);
        fixture.layers().resolve();
    }

    /// Whatever an editor sends, too; and no editor reaches what it must not.
    #[test]
    fn any_settings_resolve(value in settings()) {
        let fixture = Fixture::new("", "");
        let mut layers = fixture.layers();
        layers.set_initialization_options(Some(&value));
        layers.set_editor(Some(value));
        let settings = layers.resolve().settings;
        proptest::prop_assert_eq!(settings.api, super::super::Api::default());
        proptest::prop_assert_eq!(settings.budget, super::super::Budget::default());
        proptest::prop_assert!(settings.privacy.redact);
    }
}

/// Settings-like objects: known and unknown keys, right and wrong values.
fn settings() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let keys: Vec<String> = crate::config::key_names()
        .iter()
        .flat_map(|name| name.split('.').map(crate::config::camel).collect::<Vec<_>>())
        .chain(["aside", "x", "base_url", "", "api.baseUrl", "aside.budget.dailyUsd"].map(String::from))
        .collect();
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-5.0..5.0f64).prop_map(Value::from),
        "[a-z5-6!*\\[]{0,6}".prop_map(Value::from),
        Just(json!("https://evil.example")),
        Just(json!(["a", "[", 3])),
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop::collection::btree_map(prop::sample::select(keys.clone()), inner, 0..6).prop_map(|members| json!(members))
    })
}

#[test]
fn a_key_cannot_drive_a_terminal() {
    let layers = Layers::of_workspace_text("\"a\\u001b[31m\\nb\" = 1\n");
    let said = layers.resolve().problems[0].to_string();
    assert!(said.contains("a\u{fffd}[31m\u{fffd}b") && !said.contains(char::is_control), "{said:?}");
}
