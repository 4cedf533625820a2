//! See `mcp_fuzz::server`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcp_fuzz::server::run(data));
