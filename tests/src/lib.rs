//! The shared test harness.

pub mod conformance;
pub mod network;
pub mod pair;
pub mod seeds;
pub mod source;
