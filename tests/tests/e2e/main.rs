//! End to end on `mcp-tokio`: real sockets, real time, every transport, both eras, one thread and several.

mod bad_input;
mod calls;
mod cancellation;
mod endings;
mod reentrancy;
mod server;
mod sessions;
mod world;
