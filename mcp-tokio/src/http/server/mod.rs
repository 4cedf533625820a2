//! An MCP server on hyper, axum, or whatever runs tower services.
//!
//! ```no_run
//! # async fn run(server: mcp_tokio::Server) -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
//! mcp_tokio::http::serve(listener, server).await
//! # }
//! ```
//!
//! In axum: `Router::new().nest_service("/mcp", mcp_tokio::http::service(server))`.

mod connection;
mod listener;
mod serve;
mod service;

pub use listener::Listener;
pub use mcp_proto::handle::driver::ServeOptions;
pub use mcp_proto::http::server::{HttpConfig, Principal, ReplyForm, SessionPolicy};
pub use serve::{serve, serve_until};
pub use service::{McpService, Respond, ResponseBody, Runtime, service};
