#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aside::fuzzing::check("secrets", data));
