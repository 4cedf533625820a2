//! The shared test harness.

pub mod app;
pub mod caller;
pub mod conformance;
pub mod meter;
pub mod raw;
pub mod runtime;
pub mod seeds;
pub mod source;
pub mod world;

pub use mcp_proto::testing::{network, pair};
