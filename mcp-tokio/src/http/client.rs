//! The HTTP client, over tokio's sockets.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use hyper_util::rt::TokioIo;
use mcp_driver::ConnectError;
#[cfg(feature = "tls")]
use mcp_driver::http::{Agreed, ClientTls, ServerTls};
use mcp_driver::http::{HttpOptions, Network, look};
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::{Client, ClientBuilder};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpStream, lookup_host};
use tokio::runtime::Handle;
use tokio::task::coop;
#[cfg(feature = "tls")]
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::clock::Clock;

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
pub fn connect_with(
    url: &str,
    client: impl Into<ClientBuilder>,
    options: &HttpOptions,
) -> Result<Client, ConnectError> {
    let (client, driver) = client_over_http(url, client.into(), options)?;
    let runtime = Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
    runtime.spawn(driver);
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
/// It has to be polled on a tokio runtime with IO and time.
pub fn client_over_http<C: Into<ClientBuilder>>(
    url: &str,
    client: C,
    options: &HttpOptions,
) -> Result<(Client, impl Future<Output = ()> + Send + use<C>), ConnectError> {
    mcp_driver::http::client_over_http::<Tcp, _>(url, client.into(), options, Clock::start(), cfg!(feature = "tls"))
}

/// Tokio's sockets.
pub(super) enum Tcp {}

impl Network for Tcp {
    type Stream = TokioIo<TcpStream>;
    #[cfg(feature = "tls")]
    type Secure = TokioIo<TlsStream<TcpStream>>;
    #[cfg(not(feature = "tls"))]
    type Secure = Self::Stream;
    #[cfg(unix)]
    type Local = TokioIo<UnixStream>;

    async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(lookup_host((host, port)).await?.collect())
    }

    async fn connect(address: SocketAddr) -> io::Result<Self::Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(stream))
    }

    #[cfg(unix)]
    async fn connect_local(path: &std::path::Path) -> io::Result<Self::Local> {
        Ok(TokioIo::new(UnixStream::connect(path).await?))
    }

    #[cfg(feature = "tls")]
    async fn secure_client(stream: Self::Stream, (config, name): ClientTls) -> io::Result<(Self::Secure, Agreed)> {
        let stream = TlsConnector::from(config).connect(name, stream.into_inner()).await?;
        let agreed = Agreed::with_server(stream.get_ref().1);
        Ok((TokioIo::new(stream.into()), agreed))
    }

    #[cfg(feature = "tls")]
    async fn secure_server(stream: Self::Stream, config: ServerTls) -> io::Result<(Self::Secure, Agreed)> {
        let stream = TlsAcceptor::from(config).accept(stream.into_inner()).await?;
        let agreed = Agreed::with_client(stream.get_ref().1);
        Ok((TokioIo::new(stream.into()), agreed))
    }

    fn look(stream: &Self::Stream) -> Option<usize> {
        look(stream.inner())
    }

    #[cfg(unix)]
    fn look_local(stream: &Self::Local) -> Option<usize> {
        look(stream.inner())
    }

    #[cfg(feature = "tls")]
    fn look_secure(stream: &Self::Secure) -> Option<usize> {
        look(stream.inner().get_ref().0)
    }

    fn has_budget() -> bool {
        coop::has_budget_remaining()
    }
}
