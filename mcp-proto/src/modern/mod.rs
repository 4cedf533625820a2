//! The modern era, 2026-07-28: no handshake, every request stands on its own.

pub mod client;
pub mod server;
