//! A listener with the service behind it.

use std::future::{Future, pending};
use std::io;
use std::pin::pin;
use std::sync::Arc;

use mcp_driver::Closing;
use mcp_driver::http::ServeOptions;
use mcp_proto::handle::Server;
use tokio::task::JoinSet;

use super::connection::{self, Terms};
use super::listener::Listener;
use super::service::{McpService, service};
use crate::accept::{accept, bear, finish};

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
    let listener = listener.into();
    let terms = Arc::new(Terms {
        service: service.within(options),
        options: options.clone(),
        closing: Closing::new(),
        #[cfg(feature = "tls")]
        tls: listener.tls,
    });
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    while let Some(accepted) = accept(&listener.socket, &mut connections, shutdown.as_mut()).await {
        match accepted {
            Ok(_) if options.max_connections.is_some_and(|most| connections.len() >= most) => {}
            Ok(stream) => {
                connections.spawn(connection::serve(stream, terms.clone()));
            }
            Err(error) => bear(error).await?,
        }
    }
    drop(listener.socket);
    terms.closing.close();
    terms.service.endpoint().drain();
    if !finish(&mut connections, options.grace).await {
        terms.service.endpoint().close();
    }
    Ok(())
}
