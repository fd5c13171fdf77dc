//! One run of an action, from the order to the report.
//!
//! ```text
//! Order ──▶ run ──▶ Plan ──▶ Connection (HTTP) ──▶ answer ──▶ Change ──▶ Host::apply ──▶ Report
//!                                   │ events                                 ▲
//!                                   └──────────▶ Host::event                 └── Host::current, on fresh text
//! ```
//!
//! The [`Host`] is the seam between a run and whoever asked for it: an editor or a terminal. Nothing in here knows which.

mod ahead;
mod ask;
pub mod batch;
mod bill;
mod budget;
mod connection;
mod counting;
mod edit;
mod flight;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
mod host;
mod image;
mod kept;
mod lander;
mod life;
mod models;
mod money;
mod order;
pub mod outgoing;
mod pace;
mod places;
mod prewarm;
mod registry;
mod report;
mod reports;
mod rest;
mod review;
mod run;
mod seam;
mod sending;
mod surroundings;
mod talk;
mod thread;
mod tools;
mod whole;

pub use ahead::{catch_up, plan, plan_follow_up};
pub use budget::Budgets;
pub use connection::{Connection, Connections};
pub(crate) use edit::write_root;
pub use host::{Change, Current, Event, Host, Landing, Queue, REST, Target};
pub use image::{action_for, picture_at};
pub use kept::unified_diffs;
pub use lander::{Anyway, apply_anyway, apply_replacement};
pub(crate) use lander::{EAGER, PATIENT, PAUSE};
#[cfg(test)]
pub(crate) use lander::{Fate, Kept, Lander, Step};
pub use life::{CacheLife, Missed};
pub use models::model_as_told;
pub use order::{Order, new_job_id};
pub use places::{Lane, Place, Places, Ticket, Urgency};
pub use prewarm::{PREWARM, prewarm};
pub use registry::{JobHandle, Registration, Registry};
pub use report::{FileEdit, Outcome, Report, Standing};
pub use reports::to_fix;
pub use rest::ask_for_rest;
pub use run::{Context, run};
pub use thread::{Thread, follow_up, no_question};
pub use tools::{Findings, NoFindings, Outcome as ToolOutcome};
