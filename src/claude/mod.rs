//! The Messages API.

pub mod types;
