//! The built program, driven over its pipes and sockets as editors and people drive it. One binary, so that it links
//! once.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and `json!` makes values to be given away"
)]

#[path = "../../benches/replay/drive.rs"]
mod drive;
#[path = "../../benches/replay/sessions.rs"]
mod sessions;
#[path = "../support/mod.rs"]
mod support;

mod act;
mod anyway;
mod bad_input;
mod batch;
mod batch_faults;
mod budgets;
mod cache_life;
mod cancel;
mod code_actions;
mod code_lenses;
mod context;
#[cfg(unix)]
mod crashes;
mod crowds;
mod edits;
mod explanations;
mod failures;
mod faults;
mod fix;
mod follow_up;
mod hostile;
mod images;
mod initialize;
mod injection;
#[cfg(unix)]
mod leaving;
mod ledger;
mod lifecycle;
mod own_actions;
mod pages;
mod plain;
mod platform;
mod preview;
mod privacy;
mod promises;
mod replay;
mod review;
mod run;
mod slow_readers;
#[cfg(target_os = "linux")]
mod soak;
mod sync;
mod synthetic;
mod talk;
mod usage;
mod wire;
