//! The way to the Messages API, made at the first need and kept while the settings stay the same.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;
use url::Url;

use super::outgoing::{Gate, Opening, Passing, Sealed, is_cut};
use super::pace::Pace;
use crate::claude::client::{Answer, Auth, Client, ClientOptions, Failure, Progress, Sent};
use crate::claude::optional::{self, Optional};
use crate::claude::types::MessageRequest;
use crate::config::{Environment, Paths, Settings, credentials, custom_headers};
use crate::error::{Error, ErrorKind};
use crate::hash::sha256;
use crate::simulator::{Running, Simulator, SimulatorOptions};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An open way to the API.
pub struct Connection {
    client: Client,
    account: String,
    gate: Arc<Gate>,
    server: String,
    pace: Pace,
    /// What the server does not take.
    lacks: std::sync::Mutex<BTreeSet<Optional>>,
    /// Whether the server turned away a request that only warms the cache.
    stays_cold: AtomicBool,
    /// Stops when dropped, so it lives as long as the connection.
    simulator: Option<Running>,
}

impl Connection {
    /// A request as it may be sent.
    pub fn seal(&self, request: &MessageRequest, settings: &Settings) -> Sealed {
        self.gate.seal(request, settings.privacy.redact)
    }

    /// What it takes to understand an answer whose request is not at hand any more: see [`Gate::opening`].
    pub fn opening<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Opening {
        self.gate.opening(texts)
    }

    /// As [`Client::stream`]; secrets that were kept back are in the events and the answer again.
    pub async fn stream(
        &self,
        sealed: &Sealed,
        events: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<Answer, Failure> {
        // Both as they go over the wire, so that a log has no secret that the API has not.
        tracing::trace!("-> {}", serde_json::to_string(sealed.request()).unwrap_or_default());
        let mut passing = Passing::new(sealed);
        let ended = self.client.stream(sealed.request(), &mut |progress| passing.pass(progress, events)).await;
        passing.end(ended.as_ref().map_or(true, is_cut), events);
        if let Ok(answer) = &ended {
            tracing::trace!("<- {}", serde_json::to_string(&answer.message).unwrap_or_default());
        }
        ended.map(|answer| sealed.opened(answer)).map_err(|failure| sealed.opened_failure(failure))
    }

    /// As [`Client::send`].
    pub async fn send(&self, sealed: &Sealed) -> Result<Sent, Error> {
        let mut sent = self.client.send(sealed.request()).await?;
        sealed.opening().message(&mut sent.message);
        Ok(sent)
    }

    /// As [`Client::count_tokens`].
    pub async fn count_tokens(&self, sealed: &Sealed) -> Result<Option<u64>, Error> {
        self.client.count_tokens(sealed.request()).await
    }

    /// The client, for what is no request to a model. Those go through [`seal`](Self::seal).
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whose cache it is: no two servers, and no two keys, have one in common.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The server, whoever asks it.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The pace at which requests go out.
    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Whether the server said that it does not take a field.
    pub fn lacks(&self, field: Optional) -> bool {
        self.lacking().contains(&field)
    }

    /// Takes what the server does not take out of a request; tools are the conversation's to do without.
    pub(super) fn simplify(&self, request: &mut MessageRequest) {
        for field in self.lacking().iter().filter(|field| **field != Optional::Tools) {
            field.take_from(request);
        }
    }

    /// Whether there is any use in warming the server's cache ahead.
    pub(super) fn warms(&self) -> bool {
        !self.lacks(Optional::Caching) && !self.stays_cold.load(Ordering::Relaxed)
    }

    /// Takes in that the server turned away a request that only warms the cache; whether that is why.
    pub(super) fn refused_to_warm(&self, error: &Error) -> bool {
        let is_about_it = ["cache_control", "max_tokens"].iter().any(|field| error.message.contains(field));
        let refused = error.kind == ErrorKind::Config && is_about_it;
        self.stays_cold.fetch_or(refused, Ordering::Relaxed);
        refused
    }

    /// What of a request the server refused, if that is why: from now on it is left out.
    pub(super) fn refused(&self, request: &MessageRequest, error: &Error) -> Vec<Optional> {
        if error.kind != ErrorKind::Config {
            return Vec::new();
        }
        let fields = optional::refused(request, &error.message);
        self.lacking().extend(fields.iter().copied());
        fields
    }

    fn lacking(&self) -> std::sync::MutexGuard<'_, BTreeSet<Optional>> {
        self.lacks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether other processes read the same cache.
    pub fn is_shared(&self) -> bool {
        self.simulator.is_none()
    }
}

/// Makes connections.
pub struct Connections {
    environment: Environment,
    simulator: Option<SimulatorOptions>,
    gate: Arc<Gate>,
    current: Mutex<Option<(String, Arc<Connection>)>>,
    said: std::sync::Mutex<BTreeSet<String>>,
}

impl Connections {
    /// Connections to the configured API, with credentials from the environment; with `simulator` to one in this process.
    pub fn new(environment: Environment, simulator: Option<SimulatorOptions>) -> Self {
        let gate = Arc::new(Gate::new(Paths::new(&environment).data_dir));
        Self { environment, simulator, gate, current: Mutex::new(None), said: std::sync::Mutex::default() }
    }

    /// Whether answers come from the simulator.
    pub fn simulated(&self) -> bool {
        self.simulator.is_some()
    }

    /// Whether this was not said yet by this process. From now on it was.
    pub fn is_news(&self, word: &str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        !said.contains(word) && said.insert(word.to_owned())
    }

    /// The connection for these settings: the one there is, or a new one when they changed.
    pub async fn get(&self, settings: &Settings) -> Result<Arc<Connection>, Error> {
        let key = format!("{:?}", settings.api);
        let mut current = self.current.lock().await;
        if let Some((made_for, connection)) = &*current
            && *made_for == key
        {
            return Ok(connection.clone());
        }
        let connection = Arc::new(self.open(settings).await?);
        *current = Some((key, connection.clone()));
        Ok(connection)
    }

    /// Forgets a connection whose credentials were not accepted, so that the next one asks for them anew: what a key
    /// command prints may be good for an hour only.
    pub async fn forget(&self, refused: &Arc<Connection>) {
        let mut current = self.current.lock().await;
        current.take_if(|(_, connection)| Arc::ptr_eq(connection, refused) && !self.simulated());
    }

    async fn open(&self, settings: &Settings) -> Result<Connection, Error> {
        let (simulator, base_url, auth) = match &self.simulator {
            Some(options) => {
                let simulator = Simulator::start(options.clone())?;
                let url = simulator.url();
                // A real key has no business in a simulated run.
                (Some(simulator), url, Auth::ApiKey("simulated".to_owned().into()))
            }
            None => (None, settings.api.base_url.clone(), credentials(settings, &self.environment).await?),
        };
        let account = account(&base_url, &auth);
        let server = server_of(&base_url);
        let client = Client::new(ClientOptions {
            base_url,
            version: settings.api.version.clone(),
            auth,
            headers: if simulator.is_some() { Vec::new() } else { custom_headers(&self.environment) },
            first_event_timeout: settings.api.first_event_timeout,
            idle_timeout: settings.api.idle_timeout,
            connect_timeout: CONNECT_TIMEOUT,
            max_retries: settings.api.max_retries,
        })?;
        Ok(Connection {
            client,
            account,
            gate: self.gate.clone(),
            server,
            pace: Pace::default(),
            lacks: std::sync::Mutex::default(),
            stays_cold: AtomicBool::new(false),
            simulator,
        })
    }
}

/// What tells a server from all others.
pub(super) fn server_of(base_url: &Url) -> String {
    let mut server = sha256(base_url.as_str());
    server.truncate(16);
    server
}

/// A digest, from which nobody learns the key.
fn account(base_url: &Url, auth: &Auth) -> String {
    let key = match auth {
        Auth::ApiKey(key) | Auth::Token(key) => key,
    };
    let mut digest = sha256(format!("{base_url} {}", key.expose_secret()));
    digest.truncate(16);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn is_kept_until_its_credentials_are_refused() {
        let environment = Environment::from_pairs([("ANTHROPIC_API_KEY", "sk-ant-test")]);
        let connections = Connections::new(environment, None);
        let mut settings = Settings::default();
        let first = connections.get(&settings).await.expect("there is a key");
        assert!(Arc::ptr_eq(&first, &connections.get(&settings).await.expect("a connection")));
        connections.forget(&first).await;
        let second = connections.get(&settings).await.expect("a connection");
        assert!(!Arc::ptr_eq(&first, &second));
        connections.forget(&first).await;
        assert!(Arc::ptr_eq(&second, &connections.get(&settings).await.expect("a connection")), "another was meant");
        settings.api.max_retries += 1;
        assert!(!Arc::ptr_eq(&second, &connections.get(&settings).await.expect("a connection")), "settings changed");
    }
}
