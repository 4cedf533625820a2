//! A listener with the service behind it.

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use mcp_driver::http::{Connections, ServeOptions};
use mcp_proto::handle::Server;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::task::JoinSet;

use super::service::{Listener, McpService, Runtime, service};
use crate::accept::{accept, bear, finish};
use crate::http::client::Tcp;

/// Serves `server` on `listener`, on every path, with defaults for everything.
///
/// # Cancel safety
/// Dropping it closes the listener and every connection.
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
/// # Cancel safety
/// Dropping it closes the listener and every connection.
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
    let accepting = Arc::clone(&shared);
    let start = move |(stream, address): (TcpStream, SocketAddr)| {
        // It fails where the client is gone already, which the first read tells.
        let _ = stream.set_nodelay(true);
        accepting.prepare(&stream);
        accepting.clone().serve::<Tcp>(TokioIo::new(stream), Some(address))
    };
    let poll_accept = move |cx: &mut Context<'_>| socket.poll_accept(cx);
    run(shared, poll_accept, start, shutdown).await
}

/// Serves `server` on a Unix socket, on every path, with defaults for everything. Who may connect is for the permissions
/// of the socket's file; binding and removing it is for the application.
///
/// Pages in a browser cannot reach it; the guard against DNS rebinding is in front all the same, and wants the `Host` header
/// to say `localhost`, as that of a client does whose URL is `http://localhost/mcp`.
///
/// # Cancel safety
/// Dropping it closes the listener and every connection.
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
/// Dropping it closes the listener and every connection.
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
    let accepting = Arc::clone(&shared);
    let start = move |(stream, _)| accepting.clone().serve_local::<Tcp>(TokioIo::new(stream));
    let poll_accept = move |cx: &mut Context<'_>| socket.poll_accept(cx);
    run(shared, poll_accept, start, shutdown).await
}

/// Starts every connection that `poll_accept` gives, until `shutdown` is ready. It owns the socket.
async fn run<S, F: Future<Output = ()> + Send + 'static>(
    shared: Arc<Connections<Runtime>>,
    poll_accept: impl Fn(&mut Context<'_>) -> Poll<io::Result<S>>,
    start: impl Fn(S) -> F,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (most, grace) = (shared.options().max_connections, shared.options().grace);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    while let Some(accepted) = accept(&poll_accept, &mut connections, shutdown.as_mut()).await {
        match accepted {
            // Taken and closed, so that its client knows at once; it would wait in the backlog otherwise.
            Ok(_) if most.is_some_and(|most| connections.len() >= most) => {}
            Ok(accepted) => drop(connections.spawn(start(accepted))),
            Err(error) => bear(error).await?,
        }
    }
    // Before the grace and not after: who connects now is refused, and can go elsewhere.
    drop(poll_accept);
    shared.close();
    // The upkeep outlives the connections, and would run on what is in progress in sessions.
    if !finish(&mut connections, grace).await {
        shared.service().close();
    }
    Ok(())
}
