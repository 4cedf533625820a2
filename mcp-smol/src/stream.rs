//! Connections over byte streams: anything that reads and writes, TCP and Unix sockets among them.

use std::future::{Future, pending, ready};
use std::io;
#[cfg(unix)]
use std::path::Path;

#[cfg(unix)]
use async_net::unix::{UnixListener, UnixStream};
use async_net::{AsyncToSocketAddrs, TcpListener, TcpStream};
use futures_io::{AsyncRead, AsyncWrite};
use mcp_driver::{Nursery, Serving, unless, within};
use mcp_proto::handle::{Client, ClientBuilder, Server};

use crate::accept::{Listener, accept};
use crate::clock::Clock;
use crate::lanes::drive;
use crate::socket::Socket;
use mcp_proto::handle::sessions::Driver;

/// A client over `io`, driven by the task that `spawn` makes. Returns at once: the handshake is part of the first
/// await.
pub fn connect_stream<S>(io: S, client: impl Into<ClientBuilder>, spawn: impl FnOnce(Driver)) -> Client
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (client, driver) = client_over(io, client.into());
    // How the stream ended is told by the calls.
    spawn(Box::pin(async { drop(driver.await) }));
    client
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

/// A client of the server that listens on the Unix socket at `path`, driven by the task that `spawn` makes.
///
/// # Errors
/// What connecting to the socket fails with.
///
/// # Cancel safety
/// Dropping the future leaves nothing behind.
#[cfg(unix)]
pub async fn connect_unix(
    path: impl AsRef<Path>,
    client: impl Into<ClientBuilder>,
    spawn: impl FnOnce(Driver),
) -> io::Result<Client> {
    let stream = UnixStream::connect(path).await?;
    Ok(connect_stream(Socket::new(stream), client, spawn))
}

/// Serves every connection that `listener` accepts, all in this one future: spawn it once for each thread that is
/// to serve, with a clone of the listener.
///
/// # Errors
/// Where the listener is broken. A connection that fails ends alone, and where files or memory are used up the
/// listener waits.
///
/// # Cancel safety
/// Dropping the future closes the listener, unless there are clones of it, and all its connections at once.
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
    listen(&server, listener, |stream| (Socket::new(stream), None), shutdown).await
}

/// A client of the server that listens at `address`, a socket address or a name with a port, driven by the task that
/// `spawn` makes. What is written is sent at once (`TCP_NODELAY`).
///
/// Nothing of the connection is secret: for a network that is not trusted there is HTTPS.
///
/// # Errors
/// What connecting fails with.
///
/// # Cancel safety
/// Dropping the future leaves nothing behind.
pub async fn connect_tcp(
    address: impl AsyncToSocketAddrs,
    client: impl Into<ClientBuilder>,
    spawn: impl FnOnce(Driver),
) -> io::Result<Client> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(connect_stream(Socket::new(stream), client, spawn))
}

/// Serves every connection that `listener` accepts, all in this one future: spawn it once for each thread that is
/// to serve, with a clone of the listener.
///
/// Whoever can reach it is served: a listener for this machine alone is bound to a loopback address.
///
/// # Errors
/// Where the listener is broken. A connection that fails ends alone, and where files or memory are used up the
/// listener waits.
///
/// # Cancel safety
/// Dropping the future closes the listener, unless there are clones of it, and all its connections at once.
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
    listen(&server, listener, at_once, shutdown).await
}

/// Has what is written sent at once, and says where it goes.
fn at_once(stream: TcpStream) -> (Socket<std::net::TcpStream>, Option<std::net::SocketAddr>) {
    // It fails where the peer is gone already, which the first read tells.
    let _ = stream.set_nodelay(true);
    let from = stream.peer_addr().ok();
    (Socket::new(stream), from)
}

/// Serves every connection of `listener`, as what `prepare` makes of it.
async fn listen<L: Listener, S: AsyncRead + AsyncWrite + Send + 'static>(
    server: &Server,
    listener: L,
    prepare: impl Fn(L::Stream) -> (S, Option<std::net::SocketAddr>),
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.widen();
    let (serving, mut nursery) = (Serving::new(server), Nursery::new());
    let spawner = nursery.spawner();
    let accepting = accept(&listener, |stream| {
        let (stream, from) = prepare(stream);
        let connection = serving.serve(from, |pump| drive(pump, stream));
        // What goes wrong on it concerns its client alone.
        spawner.spawn(async { drop(connection.await) });
    });
    if let Some(broken) = nursery.run(unless(accepting, shutdown)).await {
        return Err(broken);
    }
    // Before the grace and not after: who connects now is refused, and can go elsewhere.
    drop(listener);
    within(&Clock::start(), serving.close(), nursery.run_out(ready(()))).await;
    Ok(())
}
