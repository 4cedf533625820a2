//! Streamable HTTP on hyper.

mod bridge;
pub(crate) mod client;
pub mod server;

pub use client::client_over_http;
pub use mcp_driver::http::{HttpOptions, HttpVersions};
pub use server::{McpService, serve, service};
