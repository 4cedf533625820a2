//! Connections over byte streams: anything that reads and writes, Unix sockets among them.

use std::future::Future;
#[cfg(unix)]
use std::future::poll_fn;
use std::io;
#[cfg(unix)]
use std::path::Path;

#[cfg(unix)]
use async_net::unix::{UnixListener, UnixStream};
use futures_io::{AsyncRead, AsyncWrite};
use mcp_proto::client::ClientConfig;
#[cfg(unix)]
use mcp_proto::handle::driver::Tasks;
use mcp_proto::handle::{Client, Server};

use crate::Driver;
#[cfg(unix)]
use crate::accept::{Listening, bear};
use crate::lanes::drive;
#[cfg(unix)]
use crate::socket::Socket;

/// A client over `io`, driven by the task that `spawn` makes. Returns at once: the handshake is part of the first
/// await.
pub fn connect_stream<S>(io: S, config: ClientConfig, spawn: impl FnOnce(Driver)) -> Client
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (client, driver) = client_over(io, config);
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
pub fn client_over<S>(io: S, config: ClientConfig) -> (Client, impl Future<Output = io::Result<()>>)
where
    S: AsyncRead + AsyncWrite,
{
    let (client, pump) = Client::over_stream(config);
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
pub fn serve_stream<S>(server: &Server, io: S) -> impl Future<Output = io::Result<()>> + use<S>
where
    S: AsyncRead + AsyncWrite,
{
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
    config: ClientConfig,
    spawn: impl FnOnce(Driver),
) -> io::Result<Client> {
    let stream = UnixStream::connect(path).await?;
    Ok(connect_stream(Socket::new(stream), config, spawn))
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
pub async fn serve_unix(server: Server, listener: UnixListener) -> io::Result<()> {
    let mut listening = Listening::new(|| next(&listener), Tasks::new(), usize::MAX);
    let start = |stream| Box::pin(serve_stream(&server, Socket::new(stream)));
    Err(poll_fn(|cx| listening.poll(cx, start)).await)
}

#[cfg(unix)]
async fn next(listener: &UnixListener) -> io::Result<UnixStream> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok(stream),
            Err(error) => bear(error).await?,
        }
    }
}
