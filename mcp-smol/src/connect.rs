//! Clients of HTTP endpoints, driven by a task of the caller's.

use mcp_driver::ConnectError;
use mcp_driver::http::HttpOptions;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::Client;
use mcp_proto::handle::sessions::Driver;

use crate::http::client_over_http;

/// A client of the MCP endpoint at `url`, with defaults for everything, driven by the task that `spawn` makes.
///
/// Returns at once and sends nothing: connecting and the handshake are part of the first await.
///
/// # Errors
/// [`ConnectError`]: the URL is unusable. What depends on the server is told by the first call.
pub fn connect(url: &str, spawn: impl FnOnce(Driver)) -> Result<Client, ConnectError> {
    let config = ClientConfig::named(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    connect_with(url, config, &HttpOptions::default(), spawn)
}

/// A client of the MCP endpoint at `url`, driven by the task that `spawn` makes.
///
/// Returns at once and sends nothing: connecting and the handshake are part of the first await.
///
/// # Errors
/// As for [`connect`].
pub fn connect_with(
    url: &str,
    config: ClientConfig,
    options: &HttpOptions,
    spawn: impl FnOnce(Driver),
) -> Result<Client, ConnectError> {
    let (client, driver) = client_over_http(url, config, options)?;
    spawn(Box::pin(driver));
    Ok(client)
}
