//! A listener with the service behind it.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use mcp_proto::handle::Server;
use mcp_proto::handle::driver::{Closing, ServeOptions, Tasks};

use super::connection::{self, Terms};
use super::listener::Listener;
use super::service::{McpService, service};
use crate::Driver;
use crate::accept::{Listener as _, Listening, finish, next};
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
/// All connections and their handlers are polled in this one future.
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
    let mut tasks: Tasks<Driver> = Tasks::new();
    tasks.insert(Box::pin(terms.service.upkeep()));
    // The upkeep is one of them.
    let most = options
        .max_connections
        .map_or(usize::MAX, |most| most.saturating_add(1));
    let mut listening = Listening::new(|| next(&listener.socket), tasks, most);
    let mut shutdown = pin!(shutdown);
    poll_fn(|cx| {
        if shutdown.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let start = |stream| -> Driver { Box::pin(connection::serve(stream, terms.clone())) };
        listening.poll(cx, start).map(Err)
    })
    .await?;
    let tasks = listening.stop();
    drop(listener.socket);
    terms.closing.close();
    terms.service.endpoint().drain();
    // The upkeep goes on until the connections have ended.
    if within(options.grace, finish(tasks, 1)).await.is_none() {
        terms.service.endpoint().close();
    }
    Ok(())
}
