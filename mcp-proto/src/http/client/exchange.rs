//! One exchange: what was asked, and what has come of the response.

use alloc::boxed::Box;
use alloc::format;
use core::fmt;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::response::Parts;
use http::{HeaderMap, Request};

use super::cursor::Cursor;
use super::redirect::{Detour, cut};
use crate::limits::Limits;
use crate::rpc::{CallId, Excerpt, Failure, Purpose};
use crate::shown::Size;
use crate::time::Time;
use crate::wire::sse::SseDecoder;

/// An HTTP exchange of a client, scoped to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub(super) u64);

impl fmt::Debug for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exchange {}", self.0)
    }
}

/// How an exchange failed on the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeError {
    /// No connection could be made, or it ended before the request was sent, or the server has refused it unprocessed:
    /// nothing of it was done.
    Unreachable(Box<str>),
    /// The connection broke off afterwards.
    Broken(Box<str>),
    /// The connection had been kept from an earlier exchange, and broke off before anything of the response came: the
    /// server may have closed it before the request arrived. Where that is known the request was certainly not answered,
    /// and it is sent once more if it does no harm twice.
    Stale(Box<str>),
    /// There are as many connections as there may be, and none of them has room: the request was not sent.
    TooManyConnections,
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "no connection: {why}"),
            Self::Broken(why) => write!(f, "the connection broke off: {why}"),
            Self::Stale(why) => write!(
                f,
                "the connection, kept from an earlier request, broke off unanswered: {why}"
            ),
            Self::TooManyConnections => f.write_str("no connection is free, and there may be no more"),
        }
    }
}

impl core::error::Error for ExchangeError {}

/// What an exchange is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A POST with this message.
    Post(Purpose),
    /// The GET stream.
    Listen,
    /// The stream of HTTP+SSE, on which everything comes.
    Stream,
    /// A GET for the rest of the stream of this call.
    Resume(CallId),
    /// The end of a session.
    Delete,
}

impl Kind {
    /// The call that the response should answer.
    pub(super) fn call(self) -> Option<CallId> {
        match self {
            Self::Post(Purpose::Call(call) | Purpose::Initialize(call)) | Self::Resume(call) => Some(call),
            _ => None,
        }
    }
}

/// One exchange.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) kind: Kind,
    /// Which session the request named, counted from the first.
    pub(super) in_session: Option<u64>,
    /// When it is ended, if the server does not end it.
    pub(super) until: Option<Time>,
    /// What is sent if it has to be sent once more; `None` for a call that goes straight to the endpoint, which is
    /// written anew.
    pub(super) resend: Option<Box<Resend>>,
    /// Where the stream of a call is, once it has named an event. Boxed as few do.
    pub(super) cursor: Option<Box<Cursor>>,
    pub(super) response: Response,
}

impl Exchange {
    /// Which way its request went.
    pub(super) fn route(&self) -> Detour {
        let resend = self.resend.as_ref();
        resend.map(|resend| resend.route.clone()).unwrap_or_default()
    }

    /// Whether this is a message that wants no answer, and the server has not taken it yet.
    pub(super) fn is_untaken(&self) -> bool {
        let wants_none = matches!(self.kind, Kind::Post(_)) && self.kind.call().is_none();
        wants_none && matches!(self.response, Response::Awaited)
    }
}

/// What a request needs to be sent once more.
#[derive(Default)]
pub(super) struct Resend {
    pub(super) route: Detour,
    /// The request, of what is no call.
    pub(super) request: Option<Request<Bytes>>,
    /// Whether the request does no harm when it arrives twice.
    pub(super) is_repeatable: bool,
}

/// Shows nothing of the request: there are credentials in it, and what users say.
impl fmt::Debug for Resend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resend")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

/// How far the response has come.
pub(super) enum Response {
    /// No head yet.
    Awaited,
    /// A JSON document that is an answer.
    Json { status: u16, body: BytesMut },
    /// A stream of answers.
    Events { status: u16, decoder: Box<SseDecoder> },
    /// A failure whose body may say more.
    Failure {
        status: u16,
        authenticate: Option<Box<str>>,
        body: BytesMut,
    },
    /// A failure of which no more is to be learnt.
    Refused {
        status: u16,
        authenticate: Option<Box<str>>,
    },
    /// What it holds is encoded in a way that was not asked for.
    Encoded {
        status: u16,
        authenticate: Option<Box<str>>,
        coding: Box<str>,
    },
    /// Nothing in it matters any more.
    Ignored,
}

/// Says how much of the body there is, and not what is in it.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Awaited => f.write_str("Awaited"),
            Self::Json { status, body } => write!(f, "Json({status}, {:?})", Size(body.len())),
            Self::Events { status, decoder } => write!(f, "Events({status}, {decoder:?})"),
            Self::Failure { status, body, .. } => write!(f, "Failure({status}, {:?})", Size(body.len())),
            Self::Refused { status, .. } => write!(f, "Refused({status})"),
            Self::Encoded { status, coding, .. } => write!(f, "Encoded({status}, {coding})"),
            Self::Ignored => f.write_str("Ignored"),
        }
    }
}

impl Response {
    /// How the response with this head is to be read.
    pub(super) fn of(head: &Parts, limits: &Limits) -> Self {
        let status = head.status.as_u16();
        // Before its type is believed: what is encoded is none of these to a reader.
        if let Some(coding) = coding(&head.headers) {
            return Self::Encoded {
                status,
                authenticate: authenticate(&head.headers),
                coding,
            };
        }
        match media_type(&head.headers) {
            Media::Json if !head.status.is_success() => Self::Failure {
                status,
                authenticate: authenticate(&head.headers),
                body: BytesMut::new(),
            },
            Media::Json => Self::Json {
                status,
                body: BytesMut::with_capacity(announced(head, limits.body_bytes)),
            },
            Media::Events if head.status.is_success() => Self::Events {
                status,
                decoder: Box::new(SseDecoder::new(limits.event_bytes)),
            },
            // A short text is waited for: it says what is wrong. Without a length it might never end.
            Media::Text if head.status.is_client_error() && is_short(head, limits) => Self::Failure {
                status,
                authenticate: authenticate(&head.headers),
                body: BytesMut::new(),
            },
            // Nothing that could be read here: the status says all there is.
            Media::Events | Media::Text | Media::Other => Self::Refused {
                status,
                authenticate: authenticate(&head.headers),
            },
        }
    }

    /// Takes a part of the body, while so many bytes are kept of other responses.
    pub(super) fn push(&mut self, chunk: &Bytes, elsewhere: usize, limits: &Limits) -> Result<(), Failure> {
        let fits = match self {
            Self::Awaited | Self::Refused { .. } | Self::Encoded { .. } | Self::Ignored => return Ok(()),
            // All bodies together: each may be within its own bound, and there are many.
            _ if elsewhere.saturating_add(chunk.len()) > limits.total_bytes => false,
            Self::Json { body, .. } => append(body, chunk, limits.body_bytes),
            Self::Failure {
                status,
                authenticate,
                body,
            } => {
                // What is known is more than that its body is too large.
                if !append(body, chunk, limits.error_body_bytes) {
                    return Err(failure(*status, authenticate.take()));
                }
                true
            }
            Self::Events { decoder, .. } => {
                // The decoder has a bound of its own, for each event: the stream as a whole may go on for ever.
                decoder.push(chunk);
                true
            }
        };
        fits.then_some(())
            .ok_or_else(|| Failure::Unreadable("the response is too large".into()))
    }

    /// How many bytes are kept.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Json { body, .. } | Self::Failure { body, .. } => body.len(),
            Self::Events { decoder, .. } => decoder.buffered(),
            Self::Awaited | Self::Refused { .. } | Self::Encoded { .. } | Self::Ignored => 0,
        }
    }
}

/// What the response says of authorization.
pub(super) fn authenticate(headers: &HeaderMap) -> Option<Box<str>> {
    let value = headers.get(WWW_AUTHENTICATE)?;
    value.to_str().ok().map(Into::into)
}

/// The failure of a response that its head shows to bring no answer.
pub(super) fn refusal(response: &mut Response) -> Option<Failure> {
    match response {
        Response::Refused { status, authenticate } => Some(failure(*status, authenticate.take())),
        Response::Encoded {
            status,
            authenticate,
            coding,
        } => Some(encoded(*status, authenticate.take(), coding)),
        _ => None,
    }
}

/// The failure of a response that is encoded: its status counts, where that says anything.
fn encoded(status: u16, www_authenticate: Option<Box<str>>, coding: &str) -> Failure {
    match status {
        200..=299 => {
            Failure::Unreadable(format!("its content coding is {coding:?}, and identity was asked for").into())
        }
        _ => Failure::Status {
            status,
            www_authenticate,
            reason: format!(
                "{} (what more it says is in the content coding {coding:?})",
                reason_of(status)
            )
            .into(),
        },
    }
}

/// The coding of the content (RFC 9110, 8.4), where there is one; as far as it is fit to be shown.
fn coding(headers: &HeaderMap) -> Option<Box<str>> {
    let is_plain = |name: &str| name.is_empty() || name.eq_ignore_ascii_case("identity");
    let mut names = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(str::trim);
    names.find(|name| !is_plain(name)).map(cut)
}

/// The failure that a response with an unusable status or type is.
pub(super) fn failure(status: u16, www_authenticate: Option<Box<str>>) -> Failure {
    let reason = match status {
        200..=299 => "the response is neither JSON nor an event stream".into(),
        // Such a server knows no POST at the address that its clients are given.
        404 | 405 => format!(
            "{} (a server of the HTTP+SSE transport of 2024-11-05 answers so)",
            reason_of(status)
        )
        .into(),
        _ => reason_of(status),
    };
    Failure::Status {
        status,
        www_authenticate,
        reason,
    }
}

/// The failure of a call whose stream broke off, where the server does not open it again.
pub(super) fn not_resumed(status: u16, www_authenticate: Option<Box<str>>) -> Failure {
    let reason = format!(
        "the response broke off, and the server does not resume it: {}",
        reason_of(status)
    );
    Failure::Status {
        status,
        www_authenticate,
        reason: reason.into(),
    }
}

/// The same, with what its body says.
pub(super) fn failure_with(status: u16, www_authenticate: Option<Box<str>>, body: &[u8]) -> Failure {
    let mut failure = failure(status, www_authenticate);
    let said = Excerpt::of(body.trim_ascii());
    if let Failure::Status { reason, .. } = &mut failure
        && !said.as_str().is_empty()
    {
        *reason = format!("{reason}: {said}").into();
    }
    failure
}

/// Whether the body is announced to be short enough to be kept.
fn is_short(head: &Parts, limits: &Limits) -> bool {
    let length = head.headers.get(CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length > 0 && length <= limits.error_body_bytes)
}

fn reason_of(status: u16) -> Box<str> {
    let reason = http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    reason.map_or_else(|| format!("status {status}").into(), Into::into)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Json,
    Events,
    Text,
    Other,
}

/// The media type, whatever its parameters and its case.
fn media_type(headers: &HeaderMap) -> Media {
    let value = headers
        .get(CONTENT_TYPE)
        .map(http::HeaderValue::as_bytes)
        .unwrap_or_default();
    // What nearly every server sends.
    if value == b"application/json" {
        return Media::Json;
    }
    // Parameters, such as a charset, change nothing: both are UTF-8.
    let essence = value
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") {
        Media::Json
    } else if essence.eq_ignore_ascii_case(b"text/event-stream") {
        Media::Events
    } else if essence.eq_ignore_ascii_case(b"text/plain") {
        Media::Text
    } else {
        Media::Other
    }
}

/// How much room to make for a body, as far as its announced length may be believed.
fn announced(head: &Parts, most: usize) -> usize {
    // A server that announces much and sends nothing must not take the memory for it.
    const TRUSTED: usize = 1 << 20;
    let length = head
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    length.unwrap_or(0).min(most).min(TRUSTED)
}

/// Appends a chunk to a body; `false` where it becomes too large.
fn append(body: &mut BytesMut, chunk: &Bytes, most: usize) -> bool {
    let fits = body.len().saturating_add(chunk.len()) <= most;
    if fits {
        body.extend_from_slice(chunk);
    }
    fits
}
