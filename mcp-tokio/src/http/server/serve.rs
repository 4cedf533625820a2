//! A listener with the service behind it.

use std::future::{Future, pending};
use std::io;
use std::pin::pin;

use hyper_util::rt::TokioIo;
use mcp_driver::http::{Connections, ServeOptions};
use mcp_proto::handle::Server;
use tokio::task::JoinSet;

use super::service::{Listener, McpService, service};
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
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    while let Some(accepted) = accept(|cx| socket.poll_accept(cx), &mut connections, shutdown.as_mut()).await {
        match accepted {
            // Taken and closed, so that its client knows at once; it would wait in the backlog otherwise.
            Ok(_) if options.max_connections.is_some_and(|most| connections.len() >= most) => {}
            Ok((stream, address)) => {
                // It fails where the client is gone already, which the first read tells.
                let _ = stream.set_nodelay(true);
                shared.prepare(&stream);
                connections.spawn(shared.clone().serve::<Tcp>(TokioIo::new(stream), Some(address)));
            }
            Err(error) => bear(error).await?,
        }
    }
    // Before the grace and not after: who connects now is refused, and can go elsewhere.
    drop(socket);
    shared.close();
    // The upkeep outlives the connections, and would run on what is in progress in sessions.
    if !finish(&mut connections, options.grace).await {
        shared.service().close();
    }
    Ok(())
}
