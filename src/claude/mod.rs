//! The Messages API.

pub mod models;
pub mod types;
pub mod usage;
