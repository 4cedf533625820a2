//! Streamable HTTP on hyper.

pub(crate) mod client;
pub mod server;

pub use client::client_over_http;
pub use mcp_driver::http::{HttpOptions, HttpVersions};
#[cfg(unix)]
pub use server::serve_unix;
pub use server::{McpService, serve, service};
