//! What a message of the client means to a legacy session.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::ClientRequest;
use crate::jsonrpc::{Notification, RawJson};
use crate::rpc::{CallError, CallId, RequestKey};

/// What a message from the client means.
#[derive(Debug)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one, and is taken apart at once"
)]
pub enum Received {
    /// The application has to answer this.
    Request(ClientRequest),
    /// It is answered already: send this.
    Respond(Vec<u8>),
    /// A notification that is not about the protocol itself.
    Notification(Notification),
    /// The client does not want this request answered any more, and it will not be.
    Cancelled {
        /// Which one.
        key: RequestKey,
        /// Why, where the client says so.
        reason: Option<Box<str>>,
    },
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
    /// The handshake is complete: from now on calls may be made.
    Opened,
    /// Nothing is to be done.
    Nothing,
}
