//! A listener with the service behind it.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::Poll;

use mcp_driver::http::ServeOptions;
use mcp_driver::{Closing, Nursery, unless};
use mcp_proto::handle::Server;

use super::connection::{self, Terms};
use super::listener::Listener;
use super::service::{McpService, service};
use crate::accept::{Listener as _, accept};
use crate::clock::within;

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
/// All connections and their handlers are polled in this one future. A handler that panics ends its connection, and no
/// other.
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
    let listener = listener.into();
    listener.socket.widen();
    let terms = Arc::new(Terms {
        service: service.within(options),
        options: options.clone(),
        closing: Closing::new(),
        #[cfg(feature = "tls")]
        tls: listener.tls,
    });
    let mut nursery = Nursery::new();
    let spawner = nursery.spawner();
    spawner.spawn(terms.service.upkeep());
    let accepting = accept(&listener.socket, |stream| {
        if options.max_connections.is_none_or(|most| connections(&terms) < most) {
            spawner.spawn(connection::serve(stream, terms.clone()));
        }
    });
    if let Some(broken) = nursery.run(unless(accepting, shutdown)).await {
        return Err(broken);
    }
    drop(listener.socket);
    terms.closing.close();
    terms.service.endpoint().drain();
    // The upkeep goes on until the connections have ended.
    let ended = poll_fn(|_| match connections(&terms) {
        0 => Poll::Ready(()),
        _ => Poll::Pending,
    });
    if within(options.grace, nursery.run(ended)).await.is_none() {
        terms.service.endpoint().close();
    }
    Ok(())
}

/// How many connections there are: each holds the terms.
fn connections(terms: &Arc<Terms>) -> usize {
    Arc::strong_count(terms) - 1
}
