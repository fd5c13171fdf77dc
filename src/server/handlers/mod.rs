//! One file per method, or per pair of methods that belong together.

pub(super) mod code_action;
pub(super) mod code_lens;
pub(super) mod configuration;
pub(super) mod content;
pub(super) mod execute_command;
pub(super) mod follow_up;
pub(super) mod hover;
pub(super) mod lifecycle;
pub(super) mod prewarm;
pub(super) mod run;
pub(super) mod text_sync;
pub(super) mod usage;
