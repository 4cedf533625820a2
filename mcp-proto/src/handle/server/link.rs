//! What an application keeps of one connection of a server.

use alloc::sync::{Arc, Weak};
use core::fmt;

use super::stream::Stream;
use crate::jsonrpc::Params;
use crate::method::MethodName;
use crate::rpc::{CloseReason, Counters, SendError};
use crate::server::{Announcement, StreamServer};

/// One connection of a server on a byte stream, for who wants to watch it, speak to its client alone, or close it
/// while a driver has the [`ServerPump`](super::ServerPump). From [`ServerPump::handle`](super::ServerPump::handle).
///
/// Cheap to clone. It keeps nothing alive: when the driver is gone the connection is closed. Handlers of its requests
/// may use it, and no method waits.
#[derive(Clone)]
pub struct ServerConnection {
    stream: Weak<Stream>,
}

impl ServerConnection {
    pub(super) fn new(stream: &Arc<Stream>) -> Self {
        let stream = Arc::downgrade(stream);
        Self { stream }
    }

    /// Ends the connection: nothing more is read, what is queued and in progress is finished first, for
    /// [`Timeouts::close`](crate::Timeouts::close) at most. The driver ends then.
    pub fn close(&self) {
        if let Some(stream) = self.stream.upgrade() {
            stream.tell(StreamServer::close);
        }
    }

    /// Why the connection is closed, once its end has begun.
    pub fn close_reason(&self) -> Option<CloseReason> {
        match self.stream.upgrade() {
            Some(stream) => stream.close_reason(),
            None => Some(CloseReason::DriverDropped),
        }
    }

    /// What went wrong without ending the connection; `None` when the driver is gone.
    pub fn counters(&self) -> Option<Counters> {
        let stream = self.stream.upgrade()?;
        Some(stream.connection(|connection| connection.counters()))
    }

    /// Tells this client what [`Server::notify`](super::Server::notify) tells all, by the same rules.
    ///
    /// # Errors
    /// Those of `Server::notify`, [`SendError::Blocked`] with the parameters while the outbox is full or a legacy
    /// handshake has begun and is not answered, and [`SendError::Closed`] where the end has begun.
    pub fn notify(&self, method: impl Into<MethodName>, params: Params) -> Result<(), SendError> {
        let Some(stream) = self.stream.upgrade() else {
            return Err(SendError::Closed(CloseReason::DriverDropped));
        };
        stream.tell(|connection| {
            let announcement = Announcement::new(connection.config(), method, params)?;
            let Announcement { method, params } = announcement;
            connection.notify(method, params)
        })
    }
}

impl fmt::Debug for ServerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ServerConnection");
        debug
            .field("close_reason", &self.close_reason())
            .finish_non_exhaustive()
    }
}
