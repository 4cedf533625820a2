//! The connections of a listener of byte streams, and what accepting one fails with.

use core::future::Future;
#[cfg(feature = "http")]
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io;
use std::net::SocketAddr;

use mcp_proto::handle::Server;
use mcp_proto::handle::server::ServerPump;

use crate::{Closing, end_upon};

/// How long what a connection has to say at its end may take to arrive.
const DELIVERY: Duration = Duration::from_secs(3);

/// How long a listener rests when the process or the system is out of something.
const REST: Duration = Duration::from_millis(50);

/// Serves one connection, which `drive` drives, until `shutdown` is ready at most and what is in progress then.
///
/// # Cancel safety
/// That of what `drive` gives.
pub async fn serve_until<F: Future>(
    server: &Server,
    shutdown: impl Future<Output = ()>,
    drive: impl FnOnce(ServerPump) -> F,
) -> F::Output {
    let pump = server.pump();
    let connection = pump.handle();
    end_upon(drive(pump), |_| connection.close(), shutdown).await
}

/// What all connections of a listener share: the server, and the end.
#[derive(Debug)]
pub struct Serving {
    server: Server,
    closing: Closing,
}

impl Serving {
    /// The connections to `server`.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        let (server, closing) = (server.clone(), Closing::new());
        Self { server, closing }
    }

    /// Serves one connection, which comes from `address` and `drive` drives, until [`close`](Self::close) at most and what
    /// is in progress then. With the feature `http` its handlers see [who asks](mcp_proto::handle::server::Context::asker).
    pub fn serve<F, D>(&self, address: Option<SocketAddr>, drive: D) -> impl Future<Output = F::Output> + use<F, D>
    where
        F: Future,
        D: FnOnce(ServerPump) -> F,
    {
        let pump = self.pump(address);
        let connection = pump.handle();
        end_upon(drive(pump), move |_| connection.close(), self.closing.watch())
    }

    #[cfg(feature = "http")]
    fn pump(&self, address: Option<SocketAddr>) -> ServerPump {
        use mcp_proto::server::http::{Asker, Sender};
        static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
        let mut sender = Sender::new().with_connection(CONNECTIONS.fetch_add(1, Ordering::Relaxed));
        sender.address = address;
        self.server
            .pump()
            .asked_by(Asker::over_stream(sender, http::Extensions::new()))
    }

    #[cfg(not(feature = "http"))]
    fn pump(&self, _: Option<SocketAddr>) -> ServerPump {
        self.server.pump()
    }

    /// Has all of them closed gracefully. How long that may take.
    #[must_use]
    pub fn close(&self) -> Duration {
        self.closing.close();
        // The machine gives up what is in progress after the first; the second is for the way to a slow peer.
        self.server.config().timeouts().close.saturating_add(DELIVERY)
    }
}

/// How long a listener rests after `error`, a failure to accept that concerns one connection, or that passes.
///
/// A peer that was gone before it was accepted is nothing to a server. Where files or memory are used up, giving up would
/// turn a busy moment into an outage, and going on at once would burn the processor.
///
/// # Errors
/// The error, where the listener is broken.
pub fn rest_after(error: io::Error) -> io::Result<Option<Duration>> {
    match error.kind() {
        io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionRefused
        | io::ErrorKind::Interrupted => Ok(None),
        // A listener that is no listener stays so.
        io::ErrorKind::InvalidInput | io::ErrorKind::NotConnected | io::ErrorKind::Unsupported => Err(error),
        _ => Ok(Some(REST)),
    }
}
