//! The shared test harness.

pub mod source;
