//! See `mcp_fuzz::client`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcp_fuzz::client::run(data));
