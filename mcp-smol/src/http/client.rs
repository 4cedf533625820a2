//! The HTTP client, over smol's sockets.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use async_net::TcpStream;
#[cfg(unix)]
use async_net::unix::UnixStream;
#[cfg(feature = "tls")]
use futures_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use mcp_driver::ConnectError;
#[cfg(feature = "tls")]
use mcp_driver::http::{Agreed, ClientTls, ServerTls};
use mcp_driver::http::{HttpOptions, Network, look};
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::sessions::Driver;
use mcp_proto::handle::{Client, ClientBuilder};

use super::bridge::Bridge;
use crate::clock::Clock;
use crate::socket::Socket;

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
    client: impl Into<ClientBuilder>,
    options: &HttpOptions,
    spawn: impl FnOnce(Driver),
) -> Result<Client, ConnectError> {
    let (client, driver) = client_over_http(url, client.into(), options)?;
    spawn(Box::pin(driver));
    Ok(client)
}

/// A client of the endpoint `url`, and the future that drives it: every exchange and every connection of the
/// client in one, for those who poll or spawn it themselves.
///
/// # Errors
/// [`ConnectError`]: the URL or the options are unusable.
///
/// # Cancel safety
/// Dropping the future closes all its connections at once, and resolves what waits for an answer as closed.
/// It may be polled on any executor.
pub fn client_over_http<C: Into<ClientBuilder>>(
    url: &str,
    client: C,
    options: &HttpOptions,
) -> Result<(Client, impl Future<Output = ()> + Send + use<C>), ConnectError> {
    mcp_driver::http::client_over_http::<Tcp, _>(url, client.into(), options, Clock::start(), cfg!(feature = "tls"))
}

/// Smol's sockets.
pub(super) enum Tcp {}

impl Network for Tcp {
    type Stream = Bridge<Socket<std::net::TcpStream>>;
    #[cfg(feature = "tls")]
    type Secure = Bridge<TlsStream<Socket<std::net::TcpStream>>>;
    #[cfg(not(feature = "tls"))]
    type Secure = Self::Stream;
    #[cfg(unix)]
    type Local = Bridge<Socket<std::os::unix::net::UnixStream>>;

    #[cfg(unix)]
    fn look_local(Bridge(socket): &Self::Local) -> Option<usize> {
        look(socket.as_ref())
    }

    fn look(Bridge(socket): &Self::Stream) -> Option<usize> {
        look(socket.as_ref())
    }

    #[cfg(feature = "tls")]
    fn look_secure(Bridge(session): &Self::Secure) -> Option<usize> {
        look(session.get_ref().0.as_ref())
    }

    async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        async_net::resolve((host, port)).await
    }

    async fn connect(address: SocketAddr) -> io::Result<Self::Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Bridge(Socket::new(stream)))
    }

    #[cfg(unix)]
    async fn connect_local(path: &std::path::Path) -> io::Result<Self::Local> {
        Ok(Bridge(Socket::new(UnixStream::connect(path).await?)))
    }

    #[cfg(feature = "tls")]
    async fn secure_client(
        Bridge(stream): Self::Stream,
        (config, name): ClientTls,
    ) -> io::Result<(Self::Secure, Agreed)> {
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        let agreed = Agreed::with_server(stream.get_ref().1);
        Ok((Bridge(stream.into()), agreed))
    }

    #[cfg(feature = "tls")]
    async fn secure_server(Bridge(stream): Self::Stream, config: ServerTls) -> io::Result<(Self::Secure, Agreed)> {
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        let agreed = Agreed::with_client(stream.get_ref().1);
        Ok((Bridge(stream.into()), agreed))
    }
}
