//! A listener with the service behind it.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use mcp_proto::handle::Server;
use mcp_proto::handle::driver::ServeOptions;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::service::{McpService, service};
use crate::accept::bear;

/// Serves `server` on `listener`, on every path, with defaults for everything.
///
/// # Cancel safety
/// Dropping it closes the listener and every connection.
///
/// # Errors
/// Those of a listener that cannot accept any more.
pub async fn serve(listener: TcpListener, server: Server) -> io::Result<()> {
    serve_until(listener, service(server), &ServeOptions::default(), pending()).await
}

/// Serves `service` on `listener` until `shutdown` is ready: then it accepts no more, ends the sessions and the
/// streams that are open, and lets the other requests in progress end, within [`ServeOptions::grace`]. A request of
/// a session (legacy era) ends with it, without an answer.
///
/// # Cancel safety
/// Dropping it closes the listener and every connection.
///
/// # Errors
/// Those of a listener that cannot accept any more.
pub async fn serve_until(
    listener: TcpListener,
    service: McpService,
    options: &ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let body_timeout = service.body_timeout().min(options.body_timeout);
    let service = service.with_body_timeout(body_timeout);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    while let Some(accepted) = accept(&listener, &mut connections, shutdown.as_mut()).await {
        match accepted {
            Ok(_) if options.max_connections.is_some_and(|most| connections.len() >= most) => {}
            Ok((stream, _)) => {
                connections.spawn(connection(stream, service.clone(), options, &graceful));
            }
            Err(error) => bear(error).await?,
        }
    }
    drop(listener);
    service.endpoint().close();
    let _ = tokio::time::timeout(options.grace, graceful.shutdown()).await;
    Ok(())
}

/// The next connection; `None` where `shutdown` came first. Meanwhile the connections that are over are cleared away.
async fn accept(
    listener: &TcpListener,
    connections: &mut JoinSet<()>,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    poll_fn(|cx| {
        if shutdown.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        while let Poll::Ready(Some(_)) = connections.poll_join_next(cx) {}
        listener.poll_accept(cx).map(Some)
    })
    .await
}

/// One connection. What goes wrong on it concerns its client alone.
fn connection(
    stream: TcpStream,
    service: McpService,
    options: &ServeOptions,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + use<> {
    // A reply in two writes would wait for the client's delayed acknowledgement, 40 ms on Linux.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    async move {
        let _ = connection.await;
    }
}
