//! A Messages API of its own, on loopback: strict, with a prompt cache that bills by the book, scenarios for everything
//! that can go wrong, and answers made from the code itself. `docs/simulator.md` is its manual.
//!
//! - [`Simulator`] starts it, in this process, on a thread of its own; [`Running`] stops it when dropped
//! - [`Account`]: what every request took, to the token
//! - [`Scenario`]: what to play instead of a well-behaved answer
//! - [`Clock`]: the time that cache entries live in

mod account;
mod clock;
mod failure;
mod http;
mod messages;
mod reply;
mod scenario;
mod server;
mod state;
mod stream;
mod tokens;

pub use account::{Account, AccountRow};
pub use clock::{Clock, ManualClock, SystemClock};
pub use scenario::{
    Always, Cut, ErrorEvent, LineEnds, Matcher, Repeat, Scenario, ScriptedError, Stall, StallPlace, Step, StreamShape,
    ToolCall, Truncate,
};
pub use server::{Running, Simulator, SimulatorOptions};

#[cfg(test)]
mod tests;
