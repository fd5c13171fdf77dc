//! A Messages API of its own, on loopback: strict, with a prompt cache that bills by the book, scenarios for everything
//! that can go wrong, and answers made from the code itself. `docs/simulator.md` is its manual.
//!
//! - [`Simulator`] starts it, in this process, on a thread of its own; [`Running`] stops it when dropped
//! - [`Account`]: what every request took, to the token
//! - [`Scenario`]: what to play instead of a well-behaved answer
//! - [`Accounting`]: the cache's bookkeeping alone, without HTTP; [`Clock`]: the time that its entries live in

mod account;
mod answers;
mod batches;
mod cache;
mod clock;
mod diagnostics;
mod engine;
mod failure;
mod http;
mod messages;
mod models;
mod paging;
mod pictures;
mod plain;
mod playback;
mod prompt;
mod rate;
mod reply;
mod scenario;
mod server;
mod state;
mod stream;
mod tokens;
mod validate;

pub use account::{Account, AccountRow};
pub use cache::{Accounting, LOOK_BACK};
pub use clock::{Clock, ManualClock, SystemClock};
pub use scenario::{
    Always, BatchEnd, Cut, ErrorEvent, Limits, LineEnds, Matcher, Repeat, Scenario, ScriptedError, Stall, StallPlace,
    Step, StreamShape, ToolCall, Truncate,
};
pub use server::{Running, Simulator, SimulatorOptions};

#[cfg(test)]
mod tests;
