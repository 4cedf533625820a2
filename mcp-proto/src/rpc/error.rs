//! What can go wrong with a call, flat: one level, one variant per kind.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::farewell::Farewell;
use crate::jsonrpc::{DecodeError, ErrorCode, ErrorObject, Params};
use crate::method::MethodName;
use crate::model::{ElicitUrlParams, UrlElicitationRequired};
use crate::revision::Revision;

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// The peer answered with a JSON-RPC error.
    Rpc(ErrorObject),
    /// The time was up. A timeout of the phases before [`Phase::Request`] says that the peer never got the call.
    Timeout {
        /// What the call was waiting for.
        phase: Phase,
        /// How long it had waited.
        after: Duration,
    },
    /// The peer could not be reached; it never got the call.
    Unreachable(Box<str>),
    /// The connection, or the response to this call, broke off. Whether the peer acted on the call is not known.
    Disconnected,
    /// The same, on a connection that was kept from an earlier request and broke off before anything of the response came:
    /// the server may have closed it while it was idle. Whether it acted on the call is not known, and so it was not sent
    /// again; a call that may be made twice is ([`CallOptions::idempotent`](super::CallOptions)).
    Stale,
    /// The HTTP response was no answer to the call.
    Http(HttpFailure),
    /// The server wants authorization (HTTP 401), with its `WWW-Authenticate` header.
    Unauthorized(Option<Box<str>>),
    /// The server denies access (HTTP 403), with its `WWW-Authenticate` header.
    Forbidden(Option<Box<str>>),
    /// A server of HTTP+SSE (2024-11-05) wants its messages at an endpoint of another origin, this one: nothing is sent
    /// there, for there are credentials in what a client sends.
    ForeignEndpoint(Box<str>),
    /// The session is gone, and so was the next one.
    SessionLost,
    /// The reply is no reply: its result is not what the method promises, or no valid message at all.
    InvalidReply(DecodeError),
    /// The result has a `resultType` that this side does not know
    /// (2026-07-28, Overview, ResultType: it "MUST be considered invalid").
    UnknownResultType(Box<str>),
    /// What the server needed before it could answer could not be given (2026-07-28, Multi Round-Trip Requests).
    Input(Box<InputFailure>),
    /// The server has asked for input too often.
    TooManyRounds {
        /// How often it may ask: [`Limits::rounds`](crate::Limits::rounds).
        most: usize,
    },
    /// Both sides have no protocol revision in common.
    NoCommonRevision {
        /// What the server supports, as far as it said.
        supported: Box<[Box<str>]>,
    },
    /// The call was cancelled: on this side, or, a `subscriptions/listen` alone, by the server.
    Cancelled,
    /// The call was never sent.
    Refused(SendError),
    /// The connection is closed.
    Closed(CloseReason),
}

impl CallError {
    /// The code, where the peer answered with a JSON-RPC error.
    pub fn rpc_code(&self) -> Option<ErrorCode> {
        match self {
            Self::Rpc(error) => Some(error.code),
            _ => None,
        }
    }

    /// The URLs that the user has to visit before the call is made again, where the server has refused it for that (−32042;
    /// 2025-11-25, Elicitation, URL Elicitation Required Error). The visits are over when the server says so by
    /// `notifications/elicitation/complete` with their [ids](ElicitUrlParams::elicitation_id), or the user does.
    ///
    /// Only those are opened to which the user has agreed, having seen where they lead: a server may be anybody's. `None`
    /// for any other error, and where the list cannot be read.
    pub fn required_visits(&self) -> Option<Vec<ElicitUrlParams>> {
        let Self::Rpc(error) = self else { return None };
        let data = error.data.as_ref();
        let data = data.filter(|_| error.code == ErrorCode::URL_ELICITATION_REQUIRED)?;
        data.decode::<UrlElicitationRequired>().ok().map(|it| it.elicitations)
    }

    /// The status, where an HTTP response was the reason.
    pub fn http_status(&self) -> Option<u16> {
        match self {
            Self::Http(HttpFailure { status, .. }) => Some(*status),
            Self::Unauthorized(_) => Some(401),
            Self::Forbidden(_) => Some(403),
            _ => None,
        }
    }

    /// Whether the peer certainly did not act on the call, so that it may be repeated whatever it does.
    pub fn is_unprocessed(&self) -> bool {
        match self {
            // In all other phases, the server had not got it yet.
            Self::Timeout { phase, .. } => !matches!(phase, Phase::Request | Phase::Input),
            Self::Unreachable(_) | Self::Refused(_) | Self::SessionLost | Self::NoCommonRevision { .. } => true,
            // It was never sent.
            Self::ForeignEndpoint(_) => true,
            // Who asks for authorization has not looked at the call.
            Self::Unauthorized(_) | Self::Forbidden(_) => true,
            _ => false,
        }
    }
}

impl CallError {
    /// Whether this speaks of the moment: the peer may be there again, and want the same call.
    pub(crate) fn is_of_the_moment(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Unreachable(_) | Self::Disconnected | Self::Stale | Self::SessionLost => true,
            Self::Refused(error) => *error == SendError::TooManyConnections,
            Self::Http(failure) => is_transient(failure.status),
            _ => false,
        }
    }
}

/// Whether a status speaks of the moment, and not of what was asked for: the place is taken, too many requests, a gateway
/// whose server is gone or begins anew.
pub(crate) fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429 | 502 | 503 | 504)
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rpc(error) => write!(f, "the peer answered with an error: {error}"),
            Self::Timeout { phase, after } => write!(f, "no answer within {after:?} ({phase})"),
            Self::Unreachable(why) => write!(f, "the server cannot be reached: {why}"),
            Self::Disconnected => f.write_str(
                "the connection broke off before the answer; whether the server acted on the call is not known",
            ),
            Self::Stale => f.write_str(
                "the connection, reused from an earlier call, broke off before the answer; the call may or may not have \
                 been done, and was not sent again",
            ),
            Self::Http(failure) => failure.fmt(f),
            Self::Unauthorized(_) => f.write_str("the server wants authorization (HTTP 401)"),
            Self::Forbidden(_) => f.write_str("the server denies access (HTTP 403)"),
            Self::ForeignEndpoint(endpoint) => write!(
                f,
                "the server wants its messages at {endpoint}, which is another origin: nothing is sent there"
            ),
            Self::SessionLost => f.write_str("the session was lost twice in a row"),
            Self::InvalidReply(error) => write!(f, "the reply cannot be read: {error}"),
            Self::UnknownResultType(name) => write!(f, "the result is of the unknown type {name:?}"),
            Self::Input(failure) => failure.fmt(f),
            Self::TooManyRounds { most } => write!(f, "the server has asked for input more than {most} times"),
            Self::NoCommonRevision { supported } => {
                write!(f, "no common protocol revision; the server supports {supported:?}")
            }
            Self::Cancelled => f.write_str("the call was cancelled"),
            Self::Refused(error) => write!(f, "the call was not sent: {error}"),
            Self::Closed(reason) => write!(f, "the connection is closed: {reason}"),
        }
    }
}

impl core::error::Error for CallError {}

/// An input that the server needed, and that could not be given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputFailure {
    /// What the server calls it.
    pub key: Box<str>,
    /// The method that asks for it.
    pub method: Box<str>,
    /// Why it could not be given: what the handler has said, or −32601 where there is none.
    pub error: ErrorObject,
}

impl InputFailure {
    /// The input `key`, asked for by `method`, could not be given.
    pub fn new(key: impl Into<Box<str>>, method: impl Into<Box<str>>, error: ErrorObject) -> Self {
        let (key, method) = (key.into(), method.into());
        Self { key, method, error }
    }
}

impl fmt::Display for InputFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, method, error } = self;
        write!(
            f,
            "the server needs the input {key:?} ({method}), which could not be given: {error}"
        )
    }
}

impl From<SendError> for CallError {
    fn from(error: SendError) -> Self {
        Self::Refused(error)
    }
}

/// An HTTP response that answers nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpFailure {
    /// Its status.
    pub status: u16,
    /// What is wrong with it.
    pub reason: Box<str>,
}

impl fmt::Display for HttpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered with HTTP {}: {}", self.status, self.reason)
    }
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// A connection: a socket, or a process that starts.
    Connect,
    /// The answer to `server/discover`, which tells the era.
    Probe,
    /// The `initialize` handshake.
    Initialize,
    /// Room in the outbox, or its turn there: nothing of it was sent.
    Outbox,
    /// Its own answer.
    Request,
    /// What the server needs before it can answer (2026-07-28): a human's word, say.
    Input,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "waiting for a connection",
            Self::Probe => "waiting for server/discover",
            Self::Initialize => "waiting for initialize",
            Self::Outbox => "waiting to be sent",
            Self::Request => "waiting for the answer",
            Self::Input => "waiting for input that the server needs",
        })
    }
}

/// Why something was not sent: a mistake on this side, or no room.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The method does not exist in the revision of the connection, or is not this side's to send.
    OutOfEra {
        /// The method.
        method: MethodName,
        /// The revision.
        revision: Revision,
    },
    /// The peer did not declare the capability that the method needs.
    NotSupported {
        /// The method.
        method: MethodName,
    },
    /// The protocol says this by itself, or there is a function of its own for it.
    Reserved {
        /// The method.
        method: MethodName,
    },
    /// The outbox is full. Here are the parameters back.
    Blocked(Params),
    /// Too many calls wait for a reply.
    TooManyCalls,
    /// There are as many sessions as there may be, and all of them are in use.
    TooManySessions,
    /// There are as many connections as there may be, and none of them has room
    /// (`HttpOptions::max_connections`).
    TooManyConnections,
    /// The parameters have no JSON form, or are no object.
    InvalidParams(DecodeError),
    /// A value that becomes an HTTP header cannot be one.
    InvalidHeader(Box<str>),
    /// The connection is closed.
    Closed(CloseReason),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfEra { method, revision } => match method.known() {
                // What a server asks for inside of a result is there still, and no message (2026-07-28, Multi Round-Trip
                // Requests).
                Some(known) if !known.exists_in(*revision) && !known.is_input_request() => {
                    write!(f, "{method} does not exist in {revision}")
                }
                _ => write!(f, "{method} is not this side's to send in {revision}"),
            },
            Self::NotSupported { method } => write!(f, "the peer does not support {method}"),
            Self::Reserved { method } => write!(f, "{method} is not sent by hand"),
            Self::Blocked(_) => f.write_str("the outbox is full"),
            Self::TooManyCalls => f.write_str("too many calls are in flight"),
            Self::TooManySessions => f.write_str("all sessions are in use, and there may be no more"),
            Self::TooManyConnections => f.write_str("all connections are in use, and there may be no more"),
            Self::InvalidParams(error) => write!(f, "the parameters are no JSON object: {error}"),
            Self::InvalidHeader(why) => write!(f, "a header cannot be written: {why}"),
            Self::Closed(reason) => write!(f, "the connection is closed: {reason}"),
        }
    }
}

impl core::error::Error for SendError {}

/// Why a connection is closed. The first reason stays, and reaches everyone who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// This side closed it.
    Local,
    /// The peer closed it, or the transport ended.
    Peer,
    /// The server that this side had started has ended, and this is how.
    Exited(Arc<Farewell>),
    /// The transport failed, and this is what it said.
    Failed(Arc<str>),
    /// Whatever moved its bytes is gone.
    DriverDropped,
    /// The peer did not read what was queued for it, and others needed the room
    /// ([`Limits::unread_bytes`](crate::Limits::unread_bytes)).
    Unread,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("by this side"),
            Self::Peer => f.write_str("by the peer"),
            Self::Exited(farewell) => farewell.fmt(f),
            Self::Failed(why) => write!(f, "it failed: {why}"),
            Self::DriverDropped => f.write_str("its driver was dropped"),
            Self::Unread => f.write_str("the peer did not read, and others needed the room"),
        }
    }
}

impl core::error::Error for CloseReason {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use alloc::string::ToString;

    #[test]
    fn what_does_not_exist_is_nobodys_to_send() {
        for (method, expected) in [
            (Method::Ping, "ping does not exist in 2026-07-28"),
            (Method::Initialize, "initialize does not exist in 2026-07-28"),
            (Method::CallTool, "tools/call is not this side's to send in 2026-07-28"),
        ] {
            let (method, revision) = (method.into(), Revision::V2026_07_28);
            assert_eq!(SendError::OutOfEra { method, revision }.to_string(), expected);
        }
    }

    #[test]
    fn what_the_peer_has_certainly_not_acted_on() {
        let timeout = |phase| CallError::Timeout {
            phase,
            after: Duration::ZERO,
        };
        for phase in [Phase::Connect, Phase::Probe, Phase::Initialize, Phase::Outbox] {
            assert!(timeout(phase).is_unprocessed(), "{phase}");
        }
        for error in [
            CallError::Unreachable("why".into()),
            CallError::Unauthorized(None),
            CallError::Forbidden(None),
            CallError::SessionLost,
            CallError::NoCommonRevision { supported: [].into() },
        ] {
            assert!(error.is_unprocessed(), "{error}");
        }
        for error in [timeout(Phase::Request), CallError::Disconnected, CallError::Cancelled] {
            assert!(!error.is_unprocessed(), "{error}");
        }
    }
}
