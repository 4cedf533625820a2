//! See `mcp_fuzz::header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcp_fuzz::header::run(data));
