//! The doctor against the simulator, and without anything.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::*;
use crate::claude::types::ModelInfo;
use crate::config::{Environment, Paths};

struct Patient {
    folder: tempfile::TempDir,
    invocation: Invocation,
}

fn patient(config: &str, pairs: &[(&str, &str)]) -> Patient {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("config.toml"), config).unwrap();
    let mut env = Environment::from_pairs(pairs.iter().copied());
    for (variable, name) in
        [("ASIDE_CONFIG", "config.toml"), ("ASIDE_DATA_DIR", "data/x"), ("ASIDE_CACHE_DIR", "cache")]
    {
        env = env.with(variable, path(name));
    }
    let paths = Paths::new(&env);
    let invocation = Invocation { env, paths, current_dir: folder.path().to_path_buf() };
    Patient { folder, invocation }
}

impl Patient {
    async fn check(&self, simulate: bool, expected: Expect) {
        let checks = look(simulate, &self.invocation).await.unwrap();
        let mut out = Vec::new();
        print(&mut out, &checks).unwrap();
        print_verdict(&mut out, &checks).unwrap();
        let text = String::from_utf8(out).unwrap().replace(self.folder.path().to_str().unwrap(), "…");
        // Ports differ from run to run.
        let text = regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(&text, "127.0.0.1:PORT");
        let text = regex::Regex::new(r"answers.*").unwrap().replace_all(&text, "answers …");
        // So do estimates, whenever a prompt is improved.
        let text =
            regex::Regex::new(r"about [\d.]+k? of [\d.]+k? tokens").unwrap().replace_all(&text, "about X of Y tokens");
        expected.assert_eq(&anstream::adapter::strip_str(&text).to_string());
        let entries = std::fs::read_dir(self.folder.path()).unwrap().count();
        assert_eq!(entries, 1, "looking leaves nothing behind");
    }
}

#[tokio::test]
async fn nothing_is_set_up() {
    patient("", &[]).check(false, expect![[r#"
             ok  configuration  all built-in
         failed  credentials    There is no API key.
                                → Set ANTHROPIC_API_KEY in the environment (or `api.key_command` in your configuration), or run with --simulate to try Aside without an account.
        skipped  network        not tried without credentials
             ok  model          claude-sonnet-5-5 (`model`)
             ok  cache          about X of Y tokens of a small file's prompt, first up to the end of the system; claude-sonnet-5-5 caches from 512 tokens on
             ok  data folder    …/data/x (made when needed)
             ok  cache folder   …/cache (made when needed)

        One check failed.
    "#]]).await;
}

#[tokio::test]
async fn simulated() {
    patient("[actions.explain]\nmodel = \"claude-haiku-5-5\"\n", &[]).check(true, expect![[r#"
             ok  configuration  1 value set, the rest built-in
             ok  credentials    not needed: the simulator takes any key
             ok  network        127.0.0.1:PORT answers …
             ok  model          claude-sonnet-5-5 (`model`)
             ok  model          claude-haiku-5-5 (`actions.explain.model`)
             ok  cache          about X of Y tokens of a small file's prompt, first up to the end of the system; claude-sonnet-5-5 caches from 512 tokens on
             ok  data folder    …/data/x (made when needed)
             ok  cache folder   …/cache (made when needed)

        Aside is ready.
    "#]]).await;
}

#[tokio::test]
async fn everything_is_wrong() {
    let config = "model = \"claude-sonnet-4-20250514\"\nmax_runing = 1\n[cache]\nlayout = \"off\"\n";
    let headers = ("ANTHROPIC_CUSTOM_HEADERS", "s3cret");
    patient(config, &[headers])
        .check(
            true,
            expect![[r#"
                 failed  configuration  …/config.toml:2:1: there is no `max_runing`; did you mean `max_running`?
                                        → Correct or remove it; `aside config schema --markdown` describes all keys.
                 failed  configuration  a line of ANTHROPIC_CUSTOM_HEADERS is no header and is not sent
                                        → Each line is `Name: value`.
                     ok  credentials    not needed: the simulator takes any key
                     ok  network        127.0.0.1:PORT answers …
                 failed  model          `claude-sonnet-4-20250514` is retired: requests fail
                                        → Set `model`, perhaps to claude-sonnet-5-5.
                warning  cache          switched off: every action pays the full price
                                        → Remove `cache.layout = "off"` unless the server cannot cache.
                     ok  data folder    …/data/x (made when needed)
                     ok  cache folder   …/cache (made when needed)

                3 checks failed.
            "#]],
        )
        .await;
}

#[tokio::test]
async fn nobody_is_asked_at_an_address_that_was_not_meant() {
    let pairs = [("ANTHROPIC_API_KEY", "k"), ("ANTHROPIC_BASE_URL", "http://example.com")];
    patient("", &pairs).check(false, expect![[r#"
         failed  configuration  $ANTHROPIC_BASE_URL: `api.base_url`: http:// would send code and keys to example.com in the clear: use https://, or a tunnel to 127.0.0.1; `api.http_hosts = ["example.com"]` allows it
                                → Correct or remove it; `aside config schema --markdown` describes all keys.
             ok  credentials    found: API key from ANTHROPIC_API_KEY
        skipped  network        not tried, because the configuration that says whom to ask is wrong
             ok  model          claude-sonnet-5-5 (`model`)
             ok  cache          about X of Y tokens of a small file's prompt, first up to the end of the system; claude-sonnet-5-5 caches from 512 tokens on
             ok  data folder    …/data/x (made when needed)
             ok  cache folder   …/cache (made when needed)

        One check failed.
    "#]]).await;
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let patient = patient("", &[("ANTHROPIC_API_KEY", "k"), ("ANTHROPIC_BASE_URL", &url)]);
    let checks = look(false, &patient.invocation).await.unwrap();
    let by_name: BTreeMap<&str, Status> = checks.iter().map(|check| (check.name, check.status)).collect();
    assert_eq!((by_name["credentials"], by_name["network"]), (Status::Ok, Status::Failed));
    assert!(checks.iter().all(|check| check.status != Status::Failed || check.advice.is_some()));
}

#[test]
fn models_of_the_settings() {
    let listed: Vec<ModelInfo> = ["claude-sonnet-4-5-20250929", "claude-haiku-5-5", "llama-9", "other-1"]
        .iter()
        .map(|id| serde_json::from_value(json!({ "id": id })).unwrap())
        .collect();
    let retired: Vec<ModelInfo> =
        vec![serde_json::from_value(json!({"id": "claude-opus-5", "lifecycle": "retired"})).unwrap()];
    let day = |day: &str| day.parse().unwrap();
    for (id, listed, today, status, part) in [
        ("claude-sonnet-5-5", None, "2026-11-23", Status::Ok, "claude-sonnet-5-5 (`model`)"),
        ("claude-sonnet-4-5", Some(&listed[..]), "2026-11-23", Status::Warning, "ends on 2026-11-30"),
        ("claude-sonnet-4-5", None, "2026-12-01", Status::Failed, "retired"),
        ("claude-haiku-5.5", Some(&listed[..]), "2026-11-23", Status::Failed, "perhaps to claude-haiku-5-5."),
        ("claude-sonnet-5-5", Some(&listed[..]), "2026-11-23", Status::Failed, "the server has no `claude-sonnet-5-5`"),
        ("claude-sonnet-4-20250514", Some(&listed[..]), "2026-11-23", Status::Failed, "perhaps to claude-sonnet-5-5"),
        ("claude-opus-5", Some(&retired[..]), "2026-11-23", Status::Failed, "retired"),
        ("llama-9", Some(&listed[..]), "2026-11-23", Status::Ok, "price is not known"),
        ("llama-9", None, "2026-11-23", Status::Warning, "not in Aside's table"),
    ] {
        let check = checks::model("model", id, listed, day(today));
        assert_eq!(check.status, status, "{check:?}");
        let text = format!("{} {}", check.message, check.advice.unwrap_or_default());
        assert!(text.contains(part), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let check = checks::folder("data folder", &file.join("below"), "ASIDE_DATA_DIR");
    assert_eq!(check.status, Status::Failed);
    assert!(check.advice.unwrap().contains("ASIDE_DATA_DIR"));
}

#[test]
fn prices_that_are_not_enough() {
    let settings = |toml: &str| {
        let patient = patient(toml, &[]);
        patient.invocation.resolve(None, &Options::default()).settings
    };
    for (toml, lacks) in [
        ("[prices.claude-sonnet-5-5]\ninput = 1\n", None),
        ("[prices.llama]\ninput = 1\noutput = 2\ncache_write_5m = 1\ncache_write_1h = 1\ncache_read = 0\n", None),
        ("[prices.llama]\ninput = 1\noutput = 2\ncache_read = 0\n", Some("`cache_write_5m`, `cache_write_1h`")),
        (
            "[prices.claude-sonnet-5-5.long]\nover_tokens = 200000\ninput = 4\noutput = 15\n",
            Some("`long.cache_write_5m`, `long.cache_write_1h`, `long.cache_read`"),
        ),
        ("[prices.claude-sonnet-5-5.long]\ninput = 4\n", Some("`long.over_tokens`")),
    ] {
        let checks = checks::prices(&settings(toml));
        let said: Vec<&str> = checks.iter().map(|check| check.message.as_str()).collect();
        match lacks {
            Some(lacks) => assert!(said.len() == 1 && said[0].contains(&format!("lacks {lacks}, so")), "{said:?}"),
            None => assert_eq!(said, [] as [&str; 0], "{toml}"),
        }
    }
}
