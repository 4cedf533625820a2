//! The legacy era, 2024-11-05 to 2025-11-25: the lifecycle of a connection that starts with `initialize`.

pub mod client;
pub mod server;
