//! An MCP server on hyper, axum, or whatever runs tower services.
//!
//! ```no_run
//! # async fn run(server: mcp_tokio::Server) -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
//! mcp_tokio::http::serve(listener, server).await
//! # }
//! ```
//!
//! A listener speaks HTTP/1, and with the feature `http2` HTTP/2 on the same port: to clients that begin with it, and,
//! with TLS, to those that agree on it in the handshake. With the feature `tls`:
//!
//! ```no_run
//! # #[cfg(feature = "tls")]
//! # async fn run(server: mcp_tokio::Server) -> Result<(), Box<dyn std::error::Error>> {
//! use mcp_tokio::{http, tls};
//!
//! let config = tls::server_config(&std::fs::read("chain.pem")?, &std::fs::read("key.pem")?)?;
//! let socket = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
//! http::serve(http::server::Listener::tls(socket, config), server).await?;
//! # Ok(())
//! # }
//! ```
//!
//! In axum: `Router::new().nest_service("/mcp", mcp_tokio::http::service(server))`.

mod serve;
mod service;

pub use mcp_driver::http::ServeOptions;
pub use mcp_proto::http::server::{HttpConfig, Principal, ReplyForm, SessionPolicy};
pub use serve::{serve, serve_until};
#[cfg(unix)]
pub use serve::{serve_unix, serve_unix_until};
pub use service::{Listener, McpService, Respond, ResponseBody, Runtime, service};
