//! The fuzzer's program; `ASIDE_FUZZ` names the target.

#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<String> = LazyLock::new(|| std::env::var("ASIDE_FUZZ").expect("ASIDE_FUZZ names a target"));

libfuzzer_sys::fuzz_target!(|data: &[u8]| aside::fuzzing::check(&TARGET, data));
