//! The Messages API: types, events, transport, retries, models, tokens and batches.
//!
//! Knows nothing of editors. [`client::Client`] does the talking; everything it decides by is pure and elsewhere:
//! [`fold`] (events to message), [`retry`] (again, and when), [`errors`] (what to tell the user), [`params`] (what a
//! model takes), [`optional`] (what a server does not know), [`models`], [`catalogue`] and [`usage`] (what it costs),
//! [`images`] (pictures as it takes them), [`words`] (how people are told).

pub mod batches;
mod call;
pub mod catalogue;
pub mod client;
pub mod errors;
pub mod fold;
pub mod images;
pub mod models;
pub mod optional;
pub mod params;
pub mod rate;
pub mod retry;
pub mod sse;
mod stream;
#[cfg(test)]
mod test_server;
pub(crate) mod transport;
pub mod types;
pub mod usage;
pub mod words;

pub use self::client::{Answer, Auth, Client, ClientOptions, Failure, Partial, Progress};
