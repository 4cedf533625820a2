//! Connections over byte streams: anything that reads and writes, TCP and Unix sockets among them.

use std::future::{Future, pending};
use std::io;
#[cfg(unix)]
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll};

use mcp_driver::Serving;
use mcp_proto::handle::{Client, ClientBuilder, Server};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::accept::{accept, bear, finish};
use crate::lanes::drive;
use mcp_driver::ConnectError;

/// A client over `io`, driven by a task of its own. Returns at once: the handshake is part of the first await.
///
/// # Errors
/// [`ConnectError::NoRuntime`].
pub fn connect_stream(
    io: impl AsyncRead + AsyncWrite + Send + 'static,
    client: impl Into<ClientBuilder>,
) -> Result<Client, ConnectError> {
    let runtime = Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
    let (client, driver) = client_over(io, client.into());
    // How the stream ended is told by the calls.
    runtime.spawn(async { drop(driver.await) });
    Ok(client)
}

/// A client over `io`, and the future that drives it, for those who poll or spawn it themselves.
///
/// The future ends when the connection is closed and everything is written, or with the error of `io`.
///
/// # Cancel safety
/// Dropping the future closes the connection at once; every call that waits ends with `Closed`.
pub fn client_over<S: AsyncRead + AsyncWrite>(
    io: S,
    client: impl Into<ClientBuilder>,
) -> (Client, impl Future<Output = io::Result<()>>) {
    let (client, pump) = Client::over_stream(client);
    (client, drive(pump, io))
}

/// Serves one connection over `io`: until the peer ends it and everything is answered, or the server closes it.
/// The handlers of its requests are polled in place, in this future.
///
/// # Errors
/// What `io` fails with.
///
/// # Cancel safety
/// Dropping the future drops the handlers in progress and closes the connection at once.
pub fn serve_stream<S: AsyncRead + AsyncWrite>(
    server: &Server,
    io: S,
) -> impl Future<Output = io::Result<()>> + use<S> {
    drive(server.pump(), io)
}

/// A client of the server that listens on the Unix socket at `path`, driven by a task of its own.
///
/// # Errors
/// What connecting to the socket fails with.
///
/// # Cancel safety
/// Dropping the future leaves nothing behind.
#[cfg(unix)]
pub async fn connect_unix(path: impl AsRef<Path>, client: impl Into<ClientBuilder>) -> io::Result<Client> {
    let stream = UnixStream::connect(path).await?;
    connect_stream(stream, client).map_err(io::Error::other)
}

/// Serves every connection that `listener` accepts, each in a task of its own.
///
/// # Errors
/// Where the listener is broken. A connection that fails ends alone, and where files or memory are used up the
/// listener waits.
///
/// # Cancel safety
/// Dropping the future closes the listener and all its connections at once.
#[cfg(unix)]
pub async fn serve_unix(listener: UnixListener, server: Server) -> io::Result<()> {
    serve_unix_until(listener, server, pending()).await
}

/// Serves like [`serve_unix`] until `shutdown` is ready: then it accepts no more, and every connection is closed
/// gracefully. What is in progress has the [`close`](mcp_proto::Timeouts::close) timeout of the server to finish, and
/// 3 seconds more to be delivered; by default 5 in all.
///
/// # Errors
/// Those of [`serve_unix`].
///
/// # Cancel safety
/// That of [`serve_unix`].
#[cfg(unix)]
pub async fn serve_unix_until(
    listener: UnixListener,
    server: Server,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    // Its clients have no addresses, and those that have one in the file system could choose it.
    let accept = move |cx: &mut Context<'_>| listener.poll_accept(cx).map_ok(|(stream, _)| (stream, None));
    listen(&server, accept, |_| {}, shutdown).await
}

/// A client of the server that listens at `address`, a socket address or a name with a port, driven by a task of its
/// own. What is written is sent at once (`TCP_NODELAY`).
///
/// Nothing of the connection is secret: for a network that is not trusted there is HTTPS.
///
/// # Errors
/// What connecting fails with.
///
/// # Cancel safety
/// Dropping the future leaves nothing behind.
pub async fn connect_tcp(address: impl ToSocketAddrs, client: impl Into<ClientBuilder>) -> io::Result<Client> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    connect_stream(stream, client).map_err(io::Error::other)
}

/// Serves every connection that `listener` accepts, each in a task of its own.
///
/// Whoever can reach it is served: a listener for this machine alone is bound to a loopback address.
///
/// # Errors
/// Where the listener is broken. A connection that fails ends alone, and where files or memory are used up the
/// listener waits.
///
/// # Cancel safety
/// Dropping the future closes the listener and all its connections at once.
pub async fn serve_tcp(listener: TcpListener, server: Server) -> io::Result<()> {
    serve_tcp_until(listener, server, pending()).await
}

/// Serves like [`serve_tcp`] until `shutdown` is ready: then it accepts no more, and every connection is closed
/// gracefully. What is in progress has the [`close`](mcp_proto::Timeouts::close) timeout of the server to finish, and
/// 3 seconds more to be delivered; by default 5 in all.
///
/// # Errors
/// Those of [`serve_tcp`].
///
/// # Cancel safety
/// That of [`serve_tcp`].
pub async fn serve_tcp_until(
    listener: TcpListener,
    server: Server,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let accept = move |cx: &mut Context<'_>| listener.poll_accept(cx).map_ok(|(stream, from)| (stream, Some(from)));
    listen(&server, accept, at_once, shutdown).await
}

/// Has what is written sent at once.
fn at_once(stream: &TcpStream) {
    // It fails where the peer is gone already, which the first read tells.
    let _ = stream.set_nodelay(true);
}

/// Serves every connection that `poll_accept` gives, once `prepare` has prepared it. It owns the listener.
async fn listen<S: AsyncRead + AsyncWrite + Send + 'static>(
    server: &Server,
    poll_accept: impl Fn(&mut Context<'_>) -> Poll<io::Result<(S, Option<std::net::SocketAddr>)>>,
    prepare: impl Fn(&S),
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let serving = Serving::new(server);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    while let Some(accepted) = accept(&poll_accept, &mut connections, shutdown.as_mut()).await {
        match accepted {
            Ok((stream, from)) => {
                prepare(&stream);
                connections.spawn(serving.serve(from, |pump| drive(pump, stream)));
            }
            Err(error) => bear(error).await?,
        }
    }
    // Before the grace and not after: who connects now is refused, and can go elsewhere.
    drop(poll_accept);
    finish(&mut connections, serving.close()).await;
    Ok(())
}
