//! What a request in progress sees of its client, whatever carries it.

use alloc::vec::Vec;
use core::task::{Context, Poll};

use super::slot::Slot;
use crate::handle::wakers::Wait;
use crate::jsonrpc::{Params, RawJson};
use crate::rpc::{CallError, CallId, CallOptions, SendError};
use crate::server::Question;
#[cfg(feature = "http")]
use crate::server::http::Asker;

/// The client of one request in progress: where its notifications go, and where requests are made of it.
///
/// A byte stream and an HTTP exchange each have one, and the context of a request holds it behind an `Arc`. No
/// method waits; those that are called `poll_` keep the waker of the task until there is something to see.
pub(crate) trait Peer: Send + Sync {
    /// Who asks, where that is known.
    #[cfg(feature = "http")]
    fn asker(&self) -> Option<&Asker> {
        None
    }

    /// What tells its connection from others, where it can be asked for as long as that lasts, and not only until the
    /// request is answered.
    fn connection(&self) -> Option<usize> {
        None
    }

    /// Where the run of the request's handler is kept, once it asks.
    fn slot(&self) -> &Slot;

    /// Queues a notification that belongs to the request.
    ///
    /// # Errors
    /// The message is handed back while the queue is full: try again after [`poll_room`](Self::poll_room). Where it
    /// cannot arrive any more (the client is gone, or takes no stream) it is dropped and counted.
    fn notify(&self, message: Vec<u8>) -> Result<(), Vec<u8>>;

    /// Ready while a notification would be taken or dropped. Who has waited [leaves](Self::leave_room).
    fn poll_room(&self, wait: &mut RoomWait, cx: &mut Context<'_>) -> Poll<()>;

    /// Ready when a request that was refused as [`SendError::Blocked`] is worth another try.
    fn poll_callable(&self, wait: &mut RoomWait, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_room(wait, cx)
    }

    /// Stops to wait for room.
    fn leave_room(&self, wait: &mut RoomWait);

    /// Makes a request of the client (legacy era), as the call that was reserved for it, if one was.
    ///
    /// # Errors
    /// Those of the session, and [`SendError::Closed`] where it cannot reach the client.
    fn call(&self, reserved: Option<CallId>, question: &Question<'_>, params: Params) -> Result<CallId, SendError>;

    /// Makes place for a request that was refused as [`SendError::Blocked`]: its time runs, and it is answered when that
    /// is over.
    ///
    /// # Errors
    /// Those of [`call`](Self::call), without `Blocked`.
    fn reserve(&self, options: &CallOptions) -> Result<CallId, SendError>;

    /// The answer to a request, once.
    fn poll_answer(&self, call: CallId, cx: &mut Context<'_>) -> Poll<Result<RawJson, CallError>>;

    /// Does not wait for an answer any more: the client is told.
    fn abandon(&self, call: CallId);

    /// Ends the connection that the answer would go out on, and not the stream; see
    /// [`Context::close_stream`](super::Context::close_stream).
    fn close_stream(&self) -> bool {
        false
    }

    /// The request is answered, or its handler is dropped: whoever waits for a cancellation is told. For those whose
    /// connection does not see that by itself.
    #[cfg(feature = "http")]
    fn over(&self) {}

    /// Whether the client has cancelled the request, or is gone so that nothing can reach it, or it is over.
    fn is_cancelled(&self) -> bool;

    /// Ready when [`is_cancelled`](Self::is_cancelled). One task is woken for each request: its context, on behalf of all
    /// who wait for that.
    fn poll_cancelled(&self, cx: &mut Context<'_>) -> Poll<()>;
}

/// What one waits for who has something to send.
#[derive(Debug, Default)]
pub(crate) struct RoomWait {
    /// Room.
    pub(crate) room: Wait,
    /// The handshake, without which nothing is asked.
    pub(crate) opening: Wait,
}

/// The wait of one who has something to send.
///
/// # On drop
/// Its task is not woken any more.
pub(crate) struct Sending<'a> {
    peer: &'a dyn Peer,
    wait: RoomWait,
}

impl<'a> Sending<'a> {
    pub(crate) fn new(peer: &'a dyn Peer) -> Self {
        let wait = RoomWait::default();
        Self { peer, wait }
    }

    pub(crate) fn peer(&self) -> &'a dyn Peer {
        self.peer
    }

    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.peer.poll_room(&mut self.wait, cx)
    }

    pub(crate) fn poll_callable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.peer.poll_callable(&mut self.wait, cx)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        // Hardly anyone has ever waited, and nothing is to be paid for that.
        if self.wait.room.is_begun() || self.wait.opening.is_begun() {
            self.peer.leave_room(&mut self.wait);
        }
    }
}
