//! For those who test what speaks the Model Context Protocol, their own server first (feature `testing`).
//!
//! Nothing here waits, and nothing here is random: time is a number that jumps to the next thing that happens, and whatever
//! looks random follows from a seed. What would hang for ever is found at once, and said.
//!
//! | to test | there is |
//! |---|---|
//! | a server of one's own, with its client | [`Harness`] |
//! | a client, or a server, with a peer that does what no honest one does | [`Script`] |
//! | a store of one's own for a server | [`check_state_store`] |
//! | machines of one's own, on a network that delays, cuts, repeats and breaks | [`pair`], [`network`] |
//!
//! ```
//! use mcp_proto::handle::Server;
//! use mcp_proto::testing::Harness;
//! # let server = Server::builder("greeter", "1.0.0").tool("greet", "Greets", || "hello").build();
//!
//! let mut harness = Harness::new(&server);
//! let call = harness.client().call_tool("greet", serde_json::json!({}));
//! assert_eq!(harness.run(call).unwrap().to_text(), "hello");
//! ```
//!
//! It panics where a test would: what does not hold is a test that fails. It is no part of what a program ships.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails panics: that is what all of this is for"
)]

mod harness;
pub mod network;
pub mod pair;
mod script;
mod state_store;

pub use harness::{Harness, Stalled};
pub use script::Script;
pub use state_store::check_state_store;
