//! What a server on a byte stream tells the application.

use alloc::boxed::Box;

use super::ClientRequest;
use crate::jsonrpc::{Notification, RawJson};
use crate::rpc::{CallError, CallId, CloseReason, RequestKey};

/// What a [`StreamServer`](super::StreamServer) tells the application.
#[derive(Debug)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one, and is taken apart at once"
)]
pub enum ServerEvent {
    /// The client asks for something: answer it with [`StreamServer::respond`](super::StreamServer::respond).
    Request(ClientRequest),
    /// The client does not want this request answered any more. Give its token back with
    /// [`StreamServer::respond`](super::StreamServer::respond) all the same: nothing is sent, and what was counted for it is free again.
    Cancelled {
        /// Which one.
        key: RequestKey,
        /// Why, where the client says so.
        reason: Option<Box<str>>,
    },
    /// A notification that is not about the protocol itself.
    Notification(Notification),
    /// A call of ours is settled.
    Reply {
        /// Which one.
        call: CallId,
        /// The answer.
        outcome: Result<RawJson, CallError>,
    },
    /// A call of ours makes progress.
    Progress {
        /// Which one.
        call: CallId,
        /// The parameters of the notification.
        params: RawJson,
    },
    /// The legacy handshake is complete: from now on calls may be made.
    Opened,
    /// The connection is over; nothing comes after this.
    Closed(CloseReason),
}
