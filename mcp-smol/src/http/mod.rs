//! Streamable HTTP on hyper.

mod bridge;
mod client;
mod dial;
#[cfg(feature = "http2")]
mod http2;
mod sender;
pub mod server;

pub use client::client_over_http;
pub use mcp_proto::handle::driver::{HttpOptions, HttpVersions};
pub use server::{McpService, serve, service};
