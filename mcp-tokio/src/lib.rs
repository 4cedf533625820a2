//! The Model Context Protocol on tokio.
//!
//! [`mcp_proto`] is the protocol: state machines without IO. This crate moves bytes and deadlines between them
//! and tokio, and does nothing else. One future drives one connection, or one HTTP client with all its
//! exchanges; no task is spawned for a call.
//!
//! - [`connect`]: a client of an HTTP endpoint. [`http`]: its options, and what runs underneath.
//! - [`stream`]: clients over byte streams, Unix sockets among them.
//! - [`memory`]: a connection in memory.
//! - [`drive`]: any pump over any byte stream. [`Clock`]: the time that the machines see.

mod clock;
mod error;
#[cfg(feature = "http")]
pub mod http;
mod lanes;
pub mod memory;
pub mod stream;

pub use clock::Clock;
pub use error::ConnectError;
pub use lanes::drive;
pub use mcp_proto;

#[cfg(feature = "http")]
use mcp_proto::client::ClientConfig;
#[cfg(feature = "http")]
use mcp_proto::handle::Client;

/// A client of the MCP endpoint at `url`, driven by a task of its own, with defaults for everything.
///
/// Returns at once and sends nothing: connecting and the handshake are part of the first await.
///
/// # Errors
/// [`ConnectError`]: the URL is unusable, or there is no runtime. What depends on the server is told by the
/// first call.
#[cfg(feature = "http")]
pub fn connect(url: &str) -> Result<Client, ConnectError> {
    let config = Client::builder(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")).build();
    connect_with(url, config, &http::HttpOptions::default())
}

/// A client of the MCP endpoint at `url`, driven by a task of its own.
///
/// Returns at once and sends nothing: connecting and the handshake are part of the first await.
///
/// # Errors
/// As for [`connect`].
#[cfg(feature = "http")]
pub fn connect_with(url: &str, config: ClientConfig, options: &http::HttpOptions) -> Result<Client, ConnectError> {
    let (client, driver) = http::client_over_http(url, config, options)?;
    let runtime = tokio::runtime::Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
    runtime.spawn(driver);
    Ok(client)
}
