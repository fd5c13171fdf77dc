//! What servers themselves say of their models, asked now and then and kept in the cache folder.
//!
//! The table of this version knows prices and rules; a server knows models that came later, limits that were raised, and
//! what it does not serve any more. Its word is asked for at most once a day, and never waited for when the table will do.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::models::{self, Model};
use super::types::ModelInfo;

/// So long a server's word counts. Later it still does, until there is a newer one.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// So many servers are remembered, the last ones asked.
const MOST_SERVERS: usize = 8;

/// What servers said, shared by all runs of a process, and with later processes by way of a file.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// Nowhere when `None`.
    file: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    /// Servers that are being asked.
    asking: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Known {
    servers: BTreeMap<String, Server>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Server {
    asked: Timestamp,
    /// Empty when it did not tell.
    models: Vec<ModelInfo>,
}

impl Catalogue {
    /// Kept in this file, which is read at the first need; one that cannot be read counts as empty.
    pub fn kept_in(file: PathBuf) -> Self {
        Self { file: Some(file), state: Mutex::default() }
    }

    /// What a server said of a model.
    pub fn info(&self, server: &str, id: &str) -> Option<ModelInfo> {
        let mut state = self.state();
        let models = &self.known(&mut state).servers.get(server)?.models;
        models.iter().find(|info| info.id == id).or_else(|| models.iter().find(|info| is_same(&info.id, id))).cloned()
    }

    /// The ids of a server's models, as far as it tells.
    pub fn ids(&self, server: &str) -> Vec<String> {
        let mut state = self.state();
        let known = self.known(&mut state).servers.get(server);
        known.map(|known| known.models.iter().map(|info| info.id.clone()).collect()).unwrap_or_default()
    }

    /// A model's data with what its server said of it.
    pub fn refine(&self, server: &str, model: Cow<'static, Model>) -> Cow<'static, Model> {
        let Some(info) = self.info(server, &model.id) else { return model };
        let refined = model.clone().into_owned().with_info(&info);
        if refined == *model { model } else { Cow::Owned(refined) }
    }

    /// Whether a server should be asked now, by whoever asks this: nobody else is told so until it has answered.
    pub fn is_due(&self, server: &str, now: Timestamp) -> bool {
        let mut state = self.state();
        let asked = self.known(&mut state).servers.get(server).map(|server| server.asked);
        // A clock that was set back must not make a word count for ever.
        let fresh = asked.is_some_and(|asked| asked <= now && now.duration_since(asked) < FRESH);
        if fresh || state.asking.iter().any(|asking| asking == server) {
            return false;
        }
        state.asking.push(server.to_owned());
        true
    }

    /// A server answered, or did not, with `None`. Writes a small file.
    pub fn answered(&self, server: &str, models: Option<Vec<ModelInfo>>, now: Timestamp) {
        let known = {
            let mut state = self.state();
            state.asking.retain(|asking| asking != server);
            let Some(models) = models else { return };
            let known = self.known(&mut state);
            known.servers.insert(server.to_owned(), Server { asked: now, models });
            while known.servers.len() > MOST_SERVERS {
                let oldest = known.servers.iter().min_by_key(|(_, server)| server.asked).map(|(name, _)| name.clone());
                oldest.and_then(|oldest| known.servers.remove(&oldest));
            }
            known.clone()
        };
        if let Some(file) = &self.file
            && let Err(error) = write(file, &known)
        {
            tracing::debug!("what is known of models could not be kept: {error}");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known<'a>(&self, state: &'a mut State) -> &'a mut Known {
        state.known.get_or_insert_with(|| self.file.as_deref().map(read).unwrap_or_default())
    }
}

/// Whether two ids name one model of the table: one of them dated, or an alias.
fn is_same(one: &str, other: &str) -> bool {
    models::find(one).is_some_and(|model| models::find(other) == Some(model))
}

fn read(file: &Path) -> Known {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Whole or not at all, as several processes may write at once.
fn write(file: &Path, known: &Known) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(serde_json::to_string(known)?.as_bytes())?;
    temporary.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn infos(list: serde_json::Value) -> Vec<ModelInfo> {
        serde_json::from_value(list).unwrap()
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn a_server_is_asked_once_a_day_by_one() {
        let catalogue = Catalogue::default();
        let morning = at("2026-11-23T08:00:00Z");
        assert!(catalogue.is_due("a", morning));
        assert!(!catalogue.is_due("a", morning), "it is being asked");
        assert!(catalogue.is_due("b", morning), "that is another");
        catalogue.answered("a", None, morning);
        assert!(catalogue.is_due("a", morning), "it was not there");
        catalogue.answered("a", Some(Vec::new()), morning);
        assert!(!catalogue.is_due("a", at("2026-11-24T07:59:59Z")), "it does not tell, and is not asked again");
        assert!(catalogue.is_due("a", at("2026-11-24T08:00:00Z")));
        let early = Catalogue::default();
        early.answered("a", Some(Vec::new()), morning);
        assert!(early.is_due("a", at("2026-11-22T08:00:00Z")), "the clock was set back");
    }

    #[test]
    fn limits_and_capabilities_are_the_servers_and_prices_the_tables() {
        let catalogue = Catalogue::default();
        let models = infos(json!([
            {"id": "qwen3"},
            {"id": "claude-sonnet-5-5-20261001", "max_tokens": 200_000},
            {"id": "claude-next-9", "max_input_tokens": 2_000_000, "max_tokens": 256_000,
                "capabilities": {"effort": {"supported": true}, "thinking": {"types": {"adaptive": {"supported": true}}}}},
            {"id": "claude-opus-5", "lifecycle": "retired", "retires_at": "2026-11-01T00:00:00Z"},
        ]));
        catalogue.answered("a", Some(models), Timestamp::UNIX_EPOCH);
        let of = |server: &str, id: &str| catalogue.refine(server, models::lookup(id));
        let next = of("a", "claude-next-9");
        assert_eq!((next.max_input_tokens, next.max_output_tokens), (Some(2_000_000), Some(256_000)));
        assert!(next.thinking.adaptive && next.thinking.effort && next.prices.is_none());
        let known = of("a", "claude-sonnet-5-5");
        assert_eq!((known.max_output_tokens, known.max_input_tokens), (Some(200_000), Some(1_000_000)));
        assert_eq!(known.prices, models::lookup("claude-sonnet-5-5").prices);
        assert!(of("a", "claude-opus-5").is_retired("2026-11-23".parse().unwrap()));
        for (server, id) in [("a", "qwen3"), ("a", "llama-4"), ("b", "claude-next-9")] {
            assert_eq!(of(server, id), models::lookup(id), "{server} {id}");
        }
        assert_eq!(catalogue.ids("a").len(), 4);
        assert!(catalogue.ids("b").is_empty());
    }

    #[test]
    fn later_processes_know_it_and_a_damaged_file_is_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("not/yet/models.json");
        let models = || infos(json!([{"id": "x", "max_tokens": 7}]));
        let now = at("2026-11-23T08:00:00Z");
        Catalogue::kept_in(file.clone()).answered("a", Some(models()), now);
        let later = Catalogue::kept_in(file.clone());
        assert_eq!(later.info("a", "x").and_then(|info| info.max_tokens), Some(7));
        assert!(!later.is_due("a", now));
        for damaged in ["", "{", "[]", r#"{"a": 1}"#, r#"{"a": {"asked": "never", "models": []}}"#] {
            std::fs::write(&file, damaged).unwrap();
            let catalogue = Catalogue::kept_in(file.clone());
            assert_eq!(catalogue.info("a", "x"), None, "{damaged:?}");
            catalogue.answered("a", Some(models()), now);
            assert!(Catalogue::kept_in(file.clone()).info("a", "x").is_some(), "{damaged:?}");
        }
        let many = Catalogue::default();
        for number in 0..20 {
            many.answered(&number.to_string(), Some(models()), now + SignedDuration::from_secs(number));
        }
        assert!(many.ids("0").is_empty() && many.ids("19").len() == 1, "the last ones asked are remembered");
    }
}
