//! An MCP server on hyper.
//!
//! ```no_run
//! # async fn run(server: mcp_smol::Server) -> std::io::Result<()> {
//! let listener = smol::net::TcpListener::bind("127.0.0.1:8000").await?;
//! mcp_smol::http::serve(listener, server).await
//! # }
//! ```
//!
//! A listener speaks HTTP/1, and with the feature `http2` HTTP/2 on the same port: to clients that begin with it, and,
//! with TLS, to those that agree on it in the handshake. With the feature `tls`:
//!
//! ```no_run
//! # #[cfg(feature = "tls")]
//! # async fn run(server: mcp_smol::Server) -> Result<(), Box<dyn std::error::Error>> {
//! use mcp_smol::{http, tls};
//!
//! let config = tls::server_config(&std::fs::read("chain.pem")?, &std::fs::read("key.pem")?)?;
//! let socket = smol::net::TcpListener::bind("127.0.0.1:8000").await?;
//! http::serve(http::server::Listener::tls(socket, config), server).await?;
//! # Ok(())
//! # }
//! ```
//!
//! One future accepts, and runs all its connections with their handlers. To serve with more threads, spawn
//! [`serve_until`] once for each on an executor that has them, with clones of the listener and the service:
//! the listener deals the connections out.

mod serve;
mod service;

pub use mcp_driver::http::ServeOptions;
pub use mcp_proto::http::server::{HttpConfig, Principal, ReplyForm, SessionPolicy};
pub use serve::{serve, serve_until};
#[cfg(unix)]
pub use serve::{serve_unix, serve_unix_until};
pub use service::{Listener, McpService, Respond, ResponseBody, Runtime, service};
