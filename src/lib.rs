//! **Aside**, a language server that explains, types, tests and documents the code a programmer selects, with Claude.
//!
//! # Layout
//!
//! Arrows of use go down this list only; `docs/architecture.md` says why.
//!
//! - [`server`]: the LSP face; [`cli`]: the terminal face
//! - [`jobs`]: one run of an action from start to end
//! - [`prompt`]: what is sent; [`output`]: what an answer becomes; [`ledger`]: what it cost
//! - [`actions`]: the catalogue; [`workspace`]: documents, positions, languages, syntax; [`claude`]: the Messages API
//! - [`config`]: options, layers, trust, credentials
//! - [`simulator`]: a Messages API of its own, on loopback
//! - `fuzzing`: what must hold for any input, in tests and for fuzzers only
//! - [`hash`]: digests; `tables`: data in TOML; [`unseen`]: characters that deceive; [`defect`]: what a panic says;
//!   [`error`]: the one error that reaches a user

pub mod actions;
pub mod claude;
pub mod cli;
pub mod config;
pub mod defect;
pub mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod hash;
pub mod jobs;
pub mod ledger;
pub mod output;
pub mod prompt;
pub mod server;
pub mod simulator;
mod tables;
pub mod unseen;
pub mod workspace;
