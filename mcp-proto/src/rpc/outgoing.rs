//! Messages on their way to a transport, and how a transport can fail them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::call_id::CallId;
use super::error::{CallError, HttpFailure, SendError};
use crate::jsonrpc::DecodeError;
use crate::method::MethodName;
use crate::revision::Revision;
use crate::shown::shown;

/// A message on its way to the server, and what a transport needs to know of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outgoing {
    /// The message, one JSON text without a newline in it.
    pub text: Vec<u8>,
    /// What it is.
    pub purpose: Purpose,
    /// Its method, for the `Mcp-Method` header; `None` for a response.
    pub method: Option<MethodName>,
    /// What other headers have to mirror.
    pub mirrored: Mirrored,
    /// The revision it is written in. `None` before the first `initialize`.
    pub revision: Option<Revision>,
}

shown!(Outgoing { purpose, method, revision } bytes { text });

/// What of a request is mirrored in HTTP headers (2026-07-28, Streamable HTTP, Request Metadata).
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mirrored {
    /// The value of `Mcp-Name`, not yet encoded.
    pub name: Option<Box<str>>,
    /// The names and values of the `Mcp-Param-…` headers, encoded.
    pub params: Vec<(String, String)>,
}

// They are arguments of a tool.
shown!(Mirrored {} bytes { params });

/// What an outgoing message is. No kind of it is left out: who carries messages has to know how each is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// `initialize`, which starts a session.
    Initialize(CallId),
    /// Another request, whose answer settles this call.
    Call(CallId),
    /// `notifications/initialized`, which has to be delivered before any request goes out.
    Initialized,
    /// Another notification.
    Notification,
    /// The answer to a request of the server.
    Response,
}

/// How the exchange of a call ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// No connection could be made.
    Unreachable(Box<str>),
    /// No connection was free, and there may be no more of them.
    TooManyConnections,
    /// The connection broke off, or the response ended before the answer.
    Disconnected,
    /// The connection was kept from an earlier exchange, and broke off before anything of the response came.
    Stale,
    /// The event stream of a response ended before the answer: the server has begun with the request.
    Interrupted,
    /// The response was no answer.
    Status {
        /// Its status.
        status: u16,
        /// What it says of authorization.
        www_authenticate: Option<Box<str>>,
        /// What is wrong with it.
        reason: Box<str>,
    },
    /// The server answered 404 to a message of this session (2025-11-25, Transports, Session Management, 3).
    SessionLost,
    /// The response was larger than the limits allow, or unreadable.
    Unreadable(Box<str>),
    /// A server of HTTP+SSE names an endpoint of another origin: this one, without what may be secret in it.
    ForeignEndpoint(Box<str>),
}

/// What a failed exchange means to a caller.
impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreachable(why) => Self::Unreachable(why),
            Failure::Disconnected | Failure::Interrupted => Self::Disconnected,
            Failure::Stale => Self::Stale,
            Failure::TooManyConnections => Self::Refused(SendError::TooManyConnections),
            Failure::SessionLost => Self::SessionLost,
            // Apart from other statuses: with the challenge of these two, authorization goes on.
            Failure::Status {
                status: 401,
                www_authenticate,
                ..
            } => Self::Unauthorized(www_authenticate),
            Failure::Status {
                status: 403,
                www_authenticate,
                ..
            } => Self::Forbidden(www_authenticate),
            Failure::Status { status, reason, .. } => Self::Http(HttpFailure { status, reason }),
            Failure::Unreadable(why) => Self::InvalidReply(DecodeError::new(&why)),
            Failure::ForeignEndpoint(endpoint) => Self::ForeignEndpoint(endpoint),
        }
    }
}
