//! Clients of HTTP endpoints, driven by a task of their own.

use mcp_driver::ConnectError;
use mcp_driver::http::HttpOptions;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::Client;
use tokio::runtime::Handle;

use crate::http::client_over_http;

/// A client of the MCP endpoint at `url`, driven by a task of its own, with defaults for everything.
///
/// Returns at once and sends nothing: connecting and the handshake are part of the first await.
///
/// # Errors
/// [`ConnectError`]: the URL is unusable, or there is no runtime. What depends on the server is told by the
/// first call.
pub fn connect(url: &str) -> Result<Client, ConnectError> {
    let config = ClientConfig::named(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    connect_with(url, config, &HttpOptions::default())
}

/// A client of the MCP endpoint at `url`, driven by a task of its own.
///
/// Returns at once and sends nothing: connecting and the handshake are part of the first await.
///
/// # Errors
/// As for [`connect`].
pub fn connect_with(url: &str, config: ClientConfig, options: &HttpOptions) -> Result<Client, ConnectError> {
    let (client, driver) = client_over_http(url, config, options)?;
    let runtime = Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
    runtime.spawn(driver);
    Ok(client)
}
