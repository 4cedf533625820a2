//! Every answer of a server that is not the answer of a handler.

use alloc::format;
use core::fmt;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};

use crate::jsonrpc::{ErrorCode, ErrorObject, Id, ParseError, encode_error};
use crate::wire::header::HeaderMismatch;

/// Why a request is not served, each with its status.
///
/// The body is always a JSON-RPC error response, with the id of the request where it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A header that the protocol reads occurs twice, is no text, or is empty where it names something. Status 400.
    InvalidHeader(&'static str),
    /// Neither `Host` nor an authority, or two that differ, or one that is none. Status 400.
    InvalidHost,
    /// The host is not one of those allowed: protection against DNS rebinding. Status 403.
    HostNotAllowed,
    /// The origin is not one of those allowed. Status 403 (2025-11-25, Transports, Security Warning;
    /// 2026-07-28, Streamable HTTP, Security & Endpoint: MUST).
    OriginNotAllowed,
    /// The endpoint does not serve this HTTP method. Status 405, with the methods it serves.
    MethodNotAllowed {
        /// The value of `Allow`.
        allow: &'static str,
    },
    /// The body is not JSON by its content type, or is compressed. Status 415.
    UnsupportedMediaType,
    /// The client accepts none of the forms in which there is an answer. Status 406.
    NotAcceptable,
    /// The body is larger than [`Limits::body_bytes`](crate::Limits::body_bytes). Status 413.
    TooLarge,
    /// The body did not arrive whole. Status 400.
    Incomplete,
    /// The body did not arrive in time. Status 408.
    TimedOut,
    /// The body is no JSON-RPC message. Status 400.
    Unreadable(ParseError),
    /// A batch in a revision without batches. Status 400.
    BatchNotAllowed,
    /// A message that a client may not send here: a response in the modern era, `initialize` inside a batch.
    /// Status 400.
    NotAllowedHere(&'static str),
    /// The headers do not say what the body says (2026-07-28, Streamable HTTP, Server Validation). Status 400,
    /// code −32020.
    HeaderMismatch(HeaderMismatch),
    /// The version header does not name the revision that the session agreed on. Status 400 (2025-11-25, Transports,
    /// Protocol Version Header: MUST). One that no revision has is answered with −32022, and the revisions there are.
    UnsupportedVersion,
    /// A request other than `initialize` without a session id. Status 400
    /// (2025-11-25, Transports, Session Management, 2).
    SessionRequired,
    /// No such session: ended, never made, or of another principal; the client cannot tell which. Status 404
    /// (2025-11-25, Transports, Session Management, 3: MUST).
    SessionNotFound,
    /// The session knows no such event, or not any more, or it was of another session. Status 400: with 404 the client
    /// would begin a new session.
    UnknownEvent,
    /// The session has as many responses open as it may ([`Limits::streams_per_session`](crate::Limits)), or the
    /// principal as many sessions. Status 429 (RFC 6585, 4), with `Retry-After`.
    TooManyRequests,
    /// The server has as many sessions as it may, and none of them is lost for this one. Status 503 (RFC 9110, 15.6.4), with `Retry-After`.
    Busy,
    /// All large bodies that are being read are larger together than
    /// [`Limits::reading_bytes`](crate::Limits::reading_bytes), and no other client holds more. Status 503, with
    /// `Retry-After`.
    Overloaded,
    /// The endpoint is shutting down. Status 503.
    Closed,
}

/// When to try again after 429 and 503, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Refusal {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::InvalidHeader(_)
            | Self::InvalidHost
            | Self::Incomplete
            | Self::Unreadable(_)
            | Self::BatchNotAllowed
            | Self::NotAllowedHere(_)
            | Self::HeaderMismatch(_)
            | Self::UnsupportedVersion
            // Not 404: that would tell a client that its session is over.
            | Self::SessionRequired
            | Self::UnknownEvent => StatusCode::BAD_REQUEST,
            Self::HostNotAllowed | Self::OriginNotAllowed => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            // The sign to begin a new session (2025-11-25, Transports, Session Management, 4): nothing else in this
            // table gives it.
            Self::SessionNotFound => StatusCode::NOT_FOUND,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::Overloaded | Self::Closed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The JSON-RPC error of the body.
    pub fn error(&self) -> ErrorObject {
        match self {
            Self::Unreadable(error) => error.to_error(),
            // These three mean nothing to earlier revisions, so the code is that of the modern era.
            Self::HeaderMismatch(_) | Self::InvalidHeader("MCP-Protocol-Version" | "Mcp-Method" | "Mcp-Name") => {
                ErrorObject::new(ErrorCode::HEADER_MISMATCH, format!("{self}"))
            }
            // Nothing is wrong with the request, which may be sent again.
            Self::Busy | Self::Overloaded | Self::Closed | Self::TooManyRequests => {
                ErrorObject::internal(format!("{self}"))
            }
            _ => ErrorObject::invalid_request(format!("{self}")),
        }
    }

    /// The id of the request, where the refusal itself knows it.
    pub fn id(&self) -> Option<&Id> {
        match self {
            // An answer of the client is not answered.
            Self::Unreadable(error) => error.id().filter(|_| !error.is_reply()),
            _ => None,
        }
    }

    /// The response, to a request without a readable id.
    pub fn into_response(self) -> Response<Bytes> {
        self.answer(self.id())
    }

    /// The response to the request `id`.
    pub fn answer(&self, id: Option<&Id>) -> Response<Bytes> {
        let mut response = error_response(self.status(), id, &self.error());
        let headers = response.headers_mut();
        match self {
            Self::MethodNotAllowed { allow } => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allow));
            }
            Self::TooManyRequests | Self::Busy | Self::Overloaded | Self::Closed => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            _ => {}
        }
        response
    }
}

/// The status of an error of the modern era, for the codes that the specification gives one (2026-07-28, Streamable
/// HTTP, Protocol Version Header and Server Validation); other errors are answers like any other, with status 200.
pub fn stateless_status(code: ErrorCode) -> Option<StatusCode> {
    match code {
        ErrorCode::METHOD_NOT_FOUND => Some(StatusCode::NOT_FOUND),
        code if code.is_modern() => Some(StatusCode::BAD_REQUEST),
        _ => None,
    }
}

/// A JSON-RPC error as a whole response.
pub(crate) fn error_response(status: StatusCode, id: Option<&Id>, error: &ErrorObject) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(encode_error(id, error)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidHeader(name) => write!(f, "header {name} is repeated or malformed"),
            Self::InvalidHost => f.write_str("the Host header is missing, repeated or malformed"),
            Self::HostNotAllowed => f.write_str("the host is not allowed"),
            Self::OriginNotAllowed => f.write_str("the origin is not allowed"),
            Self::MethodNotAllowed { allow } => write!(f, "method not allowed; allowed: {allow}"),
            Self::UnsupportedMediaType => f.write_str("the content type must be application/json, not compressed"),
            Self::NotAcceptable => {
                f.write_str("the client must accept application/json and text/event-stream (GET: the latter)")
            }
            Self::TooLarge => f.write_str("the body is too large"),
            Self::Incomplete => f.write_str("the body did not arrive whole"),
            Self::TimedOut => f.write_str("the body did not arrive in time"),
            Self::Unreadable(error) => error.fmt(f),
            Self::BatchNotAllowed => f.write_str("batches are not part of this protocol version"),
            Self::NotAllowedHere(what) => f.write_str(what),
            // It begins with these words.
            Self::HeaderMismatch(mismatch) => mismatch.fmt(f),
            Self::UnsupportedVersion => {
                f.write_str("the protocol version of the header is unsupported or not that of the session")
            }
            Self::SessionRequired => f.write_str("a session id is required"),
            Self::SessionNotFound => f.write_str("session not found"),
            Self::UnknownEvent => f.write_str("the event of Last-Event-ID is not known, or not any more"),
            Self::TooManyRequests => f.write_str("too many open responses or sessions"),
            Self::Busy => f.write_str("too many sessions"),
            Self::Overloaded => f.write_str("too many large requests"),
            Self::Closed => f.write_str("the server is shutting down"),
        }
    }
}

impl core::error::Error for Refusal {}
