//! The shared test harness.

pub mod conformance;
pub mod network;
pub mod pair;
pub mod raw;
pub mod runtime;
pub mod seeds;
pub mod source;
pub mod world;
