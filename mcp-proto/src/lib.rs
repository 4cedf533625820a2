//! The Model Context Protocol as pure state machines.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

extern crate alloc;

pub mod client;
#[cfg(feature = "handle")]
pub mod handle;
#[cfg(feature = "http")]
pub mod http;
pub mod jsonrpc;
pub mod legacy;
mod limits;
pub mod method;
pub mod model;
pub mod modern;
mod revision;
pub mod rpc;
pub mod server;
mod time;
pub mod wire;

pub use limits::{Limits, Timeouts};
pub use revision::{Era, Revision};
pub use time::{Time, UnixTime};
