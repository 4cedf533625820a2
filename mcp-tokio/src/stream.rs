//! Connections over byte streams: anything that reads and writes, Unix sockets among them.

use std::future::Future;
use std::io;
#[cfg(unix)]
use std::path::Path;

use mcp_proto::client::ClientConfig;
use mcp_proto::handle::{Client, Server};
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Handle;
#[cfg(unix)]
use tokio::task::JoinSet;

#[cfg(unix)]
use crate::accept;
use crate::error::ConnectError;
use crate::lanes::drive;

/// A client over `io`, driven by a task of its own. Returns at once: the handshake is part of the first await.
///
/// # Errors
/// [`ConnectError::NoRuntime`].
pub fn connect_stream<S>(io: S, config: ClientConfig) -> Result<Client, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let runtime = Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
    let (client, driver) = client_over(io, config);
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

/// A client of the server that listens on the Unix socket at `path`, driven by a task of its own.
///
/// # Errors
/// What connecting to the socket fails with.
///
/// # Cancel safety
/// Dropping the future leaves nothing behind.
#[cfg(unix)]
pub async fn connect_unix(path: impl AsRef<Path>, config: ClientConfig) -> io::Result<Client> {
    let stream = UnixStream::connect(path).await?;
    connect_stream(stream, config).map_err(io::Error::other)
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
pub async fn serve_unix(server: Server, listener: UnixListener) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve_stream(&server, stream));
            }
            Err(error) => accept::bear(error).await?,
        }
        // Those that have ended are forgotten as new ones come.
        while connections.try_join_next().is_some() {}
    }
}
