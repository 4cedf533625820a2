//! A program without the standard library that links `mcp-proto`.
#![no_std]

use mcp_proto as _;

/// Stands where the standard library has its own.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
