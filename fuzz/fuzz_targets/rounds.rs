//! See `mcp_fuzz::rounds`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcp_fuzz::rounds::run(data));
