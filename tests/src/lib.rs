//! The shared test harness.

pub mod network;
pub mod pair;
pub mod seeds;
pub mod source;
