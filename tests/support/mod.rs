//! What the tests of the built program share: a scripted editor on the other end of its pipes, a separate simulator,
//! and a sandbox that keeps both away from the developer's own files and credentials.

pub(crate) mod client;
pub(crate) mod editor;
pub(crate) mod http;
pub(crate) mod positions;
pub(crate) mod sandbox;
pub(crate) mod scripted;
pub(crate) mod secure;
pub(crate) mod simulator;
pub(crate) mod traffic;

pub(crate) use client::{Client, ClientOptions};
pub(crate) use sandbox::Sandbox;
pub(crate) use simulator::Simulator;
