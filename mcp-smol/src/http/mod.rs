//! Streamable HTTP on hyper.

mod bridge;
mod client;
mod exchange;
mod payload;
mod pool;
pub mod server;

pub use client::{HttpOptions, client_over_http};
pub use server::{McpService, serve, service};
