//! A listener with the service behind it.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::Poll;

use async_net::TcpStream;
#[cfg(unix)]
use async_net::unix::{UnixListener, UnixStream};
use mcp_driver::http::{Connections, ServeOptions};
use mcp_driver::{Nursery, unless, within};
use mcp_proto::handle::Server;

use super::service::{Listener, McpService, Runtime, service};
use crate::accept::{self, accept};
use crate::clock::Clock;
use crate::http::bridge::Bridge;
use crate::http::client::Tcp;
use crate::socket::Socket;

/// Serves `server` on `listener`, on every path, with defaults for everything.
///
/// # Cancel safety
/// Dropping it closes the listener, unless there are clones of it, and every connection.
///
/// # Errors
/// Those of a listener that cannot accept any more.
pub async fn serve(listener: impl Into<Listener>, server: Server) -> io::Result<()> {
    serve_until(listener, service(server), &ServeOptions::default(), pending()).await
}

/// Serves `service` on `listener` until `shutdown` is ready: then it accepts no more, refuses new requests, ends the
/// streams on which nothing is in progress, and lets requests in progress end, within [`ServeOptions::grace`]. A session
/// (legacy era) ends with its last request; what its handlers ask the client from then on may not be answered, as no
/// connection is accepted. What has not ended in time is cut off.
///
/// All connections and their handlers are polled in this one future. A handler that panics answers its own request with
/// an error, and harms nothing else.
///
/// # Cancel safety
/// Dropping it closes the listener, unless there are clones of it, and every connection.
///
/// # Errors
/// Those of a listener that cannot accept any more.
pub async fn serve_until(
    listener: impl Into<Listener>,
    service: McpService,
    options: &ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (shared, socket) = Connections::of(listener.into(), service, options);
    let start = |shared: &Arc<Connections<_>>, stream: TcpStream| {
        // It fails where the client is gone already, which the first read tells.
        let _ = stream.set_nodelay(true);
        shared.prepare(&stream);
        let address = stream.peer_addr().ok();
        shared.clone().serve::<Tcp>(Bridge(Socket::new(stream)), address)
    };
    run(shared, socket, start, shutdown).await
}

/// Serves `server` on a Unix socket, on every path, with defaults for everything. Who may connect is for the permissions
/// of the socket's file; binding and removing it is for the application.
///
/// Pages in a browser cannot reach it; the guard against DNS rebinding is in front all the same, and wants the `Host` header
/// to say `localhost`, as that of a client does whose URL is `http://localhost/mcp`.
///
/// # Cancel safety
/// Dropping it closes the listener, unless there are clones of it, and every connection.
///
/// # Errors
/// Those of a listener that cannot accept any more.
#[cfg(unix)]
pub async fn serve_unix(listener: UnixListener, server: Server) -> io::Result<()> {
    serve_unix_until(listener, service(server), &ServeOptions::default(), pending()).await
}

/// Serves `service` on a Unix socket until `shutdown` is ready, and ends as [`serve_until`] does.
///
/// # Cancel safety
/// Dropping it closes the listener, unless there are clones of it, and every connection.
///
/// # Errors
/// Those of a listener that cannot accept any more.
#[cfg(unix)]
pub async fn serve_unix_until(
    listener: UnixListener,
    service: McpService,
    options: &ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (shared, socket) = Connections::of(listener.into(), service, options);
    let start = |shared: &Arc<Connections<_>>, stream: UnixStream| {
        let stream = Bridge(Socket::new(stream));
        shared.clone().serve_local::<Tcp>(stream)
    };
    run(shared, socket, start, shutdown).await
}

/// Starts every connection that `socket` accepts, until `shutdown` is ready.
async fn run<L: accept::Listener, F: Future<Output = ()> + Send + 'static>(
    shared: Arc<Connections<Runtime>>,
    socket: L,
    start: impl Fn(&Arc<Connections<Runtime>>, L::Stream) -> F,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    socket.widen();
    let mut nursery = Nursery::new();
    let spawner = nursery.spawner();
    // Beside the connections: what clients leave behind needs no connection to run on.
    spawner.spawn(shared.service().upkeep());
    let accepting = accept(&socket, |stream| {
        // Taken and closed, so that its client knows at once; it would wait in the backlog otherwise.
        if shared
            .options()
            .max_connections
            .is_none_or(|most| connections(&shared) < most)
        {
            spawner.spawn(start(&shared, stream));
        }
    });
    if let Some(broken) = nursery.run(unless(accepting, shutdown)).await {
        return Err(broken);
    }
    // Before the grace and not after: who connects now is refused, and can go elsewhere.
    drop(socket);
    shared.close();
    // The upkeep goes on until the connections have ended.
    // No waker is kept, as the nursery polls it again whenever a connection was polled.
    let ended = poll_fn(|_| match connections(&shared) {
        0 => Poll::Ready(()),
        _ => Poll::Pending,
    });
    if within(&Clock::start(), shared.options().grace, nursery.run(ended))
        .await
        .is_none()
    {
        shared.service().close();
    }
    Ok(())
}

/// How many connections there are: each holds what they share.
fn connections(shared: &Arc<Connections<Runtime>>) -> usize {
    Arc::strong_count(shared) - 1
}
