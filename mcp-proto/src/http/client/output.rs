//! What the responses hold.

use alloc::boxed::Box;
use core::fmt;

use bytes::Bytes;

use super::redirect::Detour;
use crate::jsonrpc::{ErrorObject, ParseError};
use crate::rpc::{CallId, Failure, Purpose};
use crate::shown::Size;
use crate::wire::outline::Outline;

/// What the responses hold. No kind of it is left out: one that nobody carries on is a call that hangs.
pub enum Output {
    /// A message, or a batch, came.
    Text {
        /// The text.
        text: Bytes,
        /// The status of the response.
        status: u16,
        /// The call that the response should answer, and has not yet.
        call: Option<CallId>,
    },
    /// An event came that is no text, or too long, and so no message.
    Broken {
        /// Why.
        error: ParseError,
        /// What it tells all the same.
        outline: Box<Outline>,
        /// The status of the response.
        status: u16,
        /// The call that the response should answer, and has not yet.
        call: Option<CallId>,
    },
    /// A call was answered with an error that names no id.
    Rejected {
        /// The call.
        call: CallId,
        /// The error.
        error: ErrorObject,
        /// The status of the response.
        status: u16,
    },
    /// The exchange of a call ended without an answer in its own right. Where an answer came before, this
    /// says nothing.
    Failed {
        /// The call.
        call: CallId,
        /// Why.
        failure: Failure,
    },
    /// The server names another place for the request of a call: its message has to be
    /// [sent again](super::Exchanges::send_again) on this route, as it was.
    Redirected {
        /// The call.
        call: CallId,
        /// Where to.
        route: Detour,
    },
    /// The request of a call went out on a kept connection, which was gone before anything of the response came. Where
    /// the call does no harm when it is made twice, its message has to be [sent again](super::Exchanges::send_again) on
    /// this route, which leads here only once; else the call has failed.
    Stale {
        /// The call.
        call: CallId,
        /// Where to.
        route: Detour,
    },
    /// The server does not know the present session any more.
    SessionLost,
    /// The stream of HTTP+SSE has ended, and the session with it, once too often: the next is begun when someone needs it.
    SessionEnded,
    /// The server answered 404 to the GET of the present session: it has forgotten it, or has no such route.
    SessionDoubtful,
    /// The GET stream of the present session was refused or has broken off too often: it is not opened again.
    NotListening(Failure),
    /// A message that wants no answer was taken, or not.
    Delivered {
        /// What it was.
        purpose: Purpose,
        /// Whether it was taken.
        outcome: Result<(), Failure>,
    },
}

/// Says how long a text is, and not what is in it.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { text, status, call } => write!(f, "Text({:?}, {status}, {call:?})", Size(text.len())),
            Self::Broken { status, call, .. } => write!(f, "Broken({status}, {call:?})"),
            Self::Rejected { call, error, status } => write!(f, "Rejected({call:?}, {error:?}, {status})"),
            Self::Failed { call, failure } => write!(f, "Failed({call:?}, {failure:?})"),
            Self::Redirected { call, .. } => write!(f, "Redirected({call:?})"),
            Self::Stale { call, .. } => write!(f, "Stale({call:?})"),
            Self::SessionLost => f.write_str("SessionLost"),
            Self::SessionEnded => f.write_str("SessionEnded"),
            Self::SessionDoubtful => f.write_str("SessionDoubtful"),
            Self::NotListening(failure) => write!(f, "NotListening({failure:?})"),
            Self::Delivered { purpose, outcome } => write!(f, "Delivered({purpose:?}, {outcome:?})"),
        }
    }
}
