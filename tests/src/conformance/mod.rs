//! The fixtures of the official conformance suite: a client and a server that do what its scenarios ask for.
//!
//! [`client`] and [`server`] are written against `mcp-proto` alone, so that every runtime runs the same ones;
//! [`runtime`] holds what is different.

pub mod arguments;
pub mod client;
pub mod runtime;
pub mod server;

/// Why a fixture gave up, in words for the person who reads the suite's report.
pub type Failure = Box<dyn std::error::Error>;
