//! What a message of the client means to a legacy session.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::ClientRequest;
use crate::jsonrpc::{Notification, RawJson};
use crate::rpc::{CallError, CallId, RequestKey};
use crate::shown::Size;

/// What a message from the client means.
#[allow(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one, and is taken apart at once"
)]
pub enum Received {
    /// The application has to answer this.
    Request(ClientRequest),
    /// It is answered already: send this.
    Respond(Vec<u8>),
    /// There is nothing to answer, but something has happened.
    Happened(Happening),
    /// Nothing is to be done.
    Nothing,
}

/// What a message from the client brings about that is no request.
#[non_exhaustive]
pub enum Happening {
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
}

/// Says how long an answer is, and not what is in it.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(request) => f.debug_tuple("Request").field(request).finish(),
            Self::Respond(text) => f.debug_tuple("Respond").field(&Size(text.len())).finish(),
            Self::Happened(happening) => happening.fmt(f),
            Self::Nothing => f.write_str("Nothing"),
        }
    }
}

/// Says nothing of why a request is cancelled: those are words of the client.
impl fmt::Debug for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notification(notification) => f.debug_tuple("Notification").field(notification).finish(),
            Self::Cancelled { key, .. } => f.debug_tuple("Cancelled").field(key).finish(),
            Self::Reply { call, outcome } => f.debug_tuple("Reply").field(call).field(outcome).finish(),
            Self::Progress { call, params } => f.debug_tuple("Progress").field(call).field(params).finish(),
            Self::Opened => f.write_str("Opened"),
        }
    }
}
