//! Starting and stopping.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use url::Url;

use super::account::Account;
use super::clock::{Clock, SystemClock};
use super::http;
use super::scenario::Scenario;
use super::state::State;
use crate::error::{Error, ErrorKind};

/// The simulator itself; see [`Simulator::start`].
#[derive(Debug)]
pub struct Simulator;

/// What the simulator is to do.
#[derive(Clone, Debug, Default)]
pub struct SimulatorOptions {
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// What to play instead of a well-behaved answer.
    pub scenario: Option<Scenario>,
    /// The pace of streams, in tokens a second; as fast as it goes when absent.
    pub tokens_per_second: Option<f64>,
    /// A server that knows nothing but messages: no tools, thinking, caching, counting, models, batches or pictures, and no
    /// field but the oldest.
    pub plain: bool,
    /// The time that cache entries live in; the machine's when absent.
    pub clock: Option<Arc<dyn Clock>>,
}

/// A simulator that runs; dropping it stops it and breaks its connections.
#[derive(Debug)]
pub struct Running {
    url: Url,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts on 127.0.0.1, on threads of its own, and returns once connections are accepted. Needs no async runtime.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the port cannot be had or the speed is not above 0, [`ErrorKind::Internal`] when the
    /// system gives no thread.
    pub fn start(options: SimulatorOptions) -> Result<Running, Error> {
        if options.tokens_per_second.is_some_and(|speed| !speed.is_finite() || speed <= 0.0) {
            return Err(Error::new(ErrorKind::Config, "The simulator's speed must be above 0 tokens a second."));
        }
        let listener = listen(options.port)?;
        let address = listener.local_addr().map_err(|error| internal(&error))?;
        let url = Url::parse(&format!("http://{address}/")).map_err(|error| internal(&error))?;
        let clock = options.clock.clone().unwrap_or_else(|| Arc::new(SystemClock::new()));
        let state = Arc::new(State::new(clock, options));

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("simulator")
            .enable_all()
            .build()
            .map_err(|error| internal(&error))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = http::routes(Arc::clone(&state));
        let thread = std::thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let serving = http::serve(listener, routes);
                    tokio::select! {
                        () = serving => {}
                        _ = stopped => {}
                    }
                });
                // Streams that still run are dropped with the runtime, not waited for.
                runtime.shutdown_background();
            })
            .map_err(|error| internal(&error))?;
        Ok(Running { url, state, stop: Some(stop), thread: Some(thread) })
    }
}

impl Running {
    /// Where it listens, such as `http://127.0.0.1:4711/`: a base URL for clients.
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// What every request so far took.
    pub fn account(&self) -> Account {
        self.state.account()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread is gone already if nobody listens.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn listen(port: u16) -> Result<TcpListener, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).map_err(|error| {
        let message = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!("Port {port} is in use by another program."),
            _ => format!("The simulator cannot listen on {address}: {error}."),
        };
        Error::new(ErrorKind::Config, message).hint("Choose another port, or 0 for any that is free.")
    })?;
    listener.set_nonblocking(true).map_err(|error| internal(&error))?;
    Ok(listener)
}

fn internal(error: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("The simulator cannot start: {error}."))
}
