//! HTTP+SSE of 2024-11-05 beside the endpoint of Streamable HTTP.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts as RequestParts;
use http::response::Parts;
use http::{Method, Response, StatusCode};

use super::admission::{Admission, Route};
use super::refusal::Refusal;
use super::session_id::SessionId;
use crate::settings::settings;
use crate::wire::sse::{SseFrame, encode_comment, encode_event, encode_message};

/// The parameter of the query that names a session.
const SESSION: &str = "sessionId";

settings! {
    /// Where HTTP+SSE is served (2024-11-05, Transports, HTTP with SSE), beside the endpoint of Streamable HTTP
    /// (2025-11-25, Transports, Backwards Compatibility).
    ///
    /// The transport is deprecated since 2025-03-26: Streamable HTTP takes its place, and this is for clients that know
    /// nothing newer. A GET of the stream begins a session, which ends with it. What the client says is posted to the
    /// messages' place, which the first event of the stream names.
    ///
    /// Both are the last segment of a path, wherever the service is mounted.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct SsePaths {
        /// Where the stream is. Default `sse`.
        pub stream (with_stream): String,
        /// Where messages are posted to. Default `messages`.
        pub messages (with_messages): String,
    }
}

impl Default for SsePaths {
    fn default() -> Self {
        Self {
            stream: "sse".into(),
            messages: "messages".into(),
        }
    }
}

/// What an admitted request asks for over HTTP+SSE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SseRoute {
    /// A session, and its stream.
    Open,
    /// To take a message in this session.
    Message(SessionId),
}

impl SsePaths {
    /// What an admitted request asks for; `None` where it is none of HTTP+SSE.
    ///
    /// # Errors
    /// [`Refusal::MethodNotAllowed`], by which a client knows to open the stream; [`Refusal::SessionNotFound`].
    pub fn route(&self, admission: &Admission, head: &RequestParts) -> Result<Option<SseRoute>, Refusal> {
        let place = head.uri.path().rsplit('/').next().unwrap_or_default();
        if admission.route() == Route::Preflight || !(place == self.stream || place == self.messages) {
            return Ok(None);
        }
        match (place == self.stream, &head.method) {
            (true, &Method::GET) => Ok(Some(SseRoute::Open)),
            (true, _) => Err(Refusal::MethodNotAllowed { allow: "GET" }),
            (false, &Method::POST) => {
                let id = session_of(head.uri.query().unwrap_or_default());
                id.map(SseRoute::Message).map(Some).ok_or(Refusal::SessionNotFound)
            }
            (false, _) => Err(Refusal::MethodNotAllowed { allow: "POST" }),
        }
    }

    /// The first event of the stream of this session: relative, since only the client knows the whole URL.
    #[cfg_attr(not(feature = "handle"), allow(dead_code, reason = "for the async layer"))]
    pub(crate) fn endpoint_event(&self, session: &SessionId) -> Bytes {
        let id = session.to_header();
        let data = format!("{}?{SESSION}={}", self.messages, id.to_str().unwrap_or_default());
        let mut out = Vec::new();
        let event = Some("endpoint");
        let data = data.as_bytes();
        // Neither the type nor the data has a line end in it that could fail.
        let _ = encode_event(
            &mut out,
            &SseFrame {
                event,
                data,
                ..SseFrame::default()
            },
        );
        out.into()
    }
}

/// The head of a stream.
#[cfg_attr(not(feature = "handle"), allow(dead_code, reason = "for the async layer"))]
pub(crate) fn sse_head(admission: &Admission) -> Parts {
    let mut parts = Response::new(()).into_parts().0;
    let headers = &mut parts.headers;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    if let Some(page) = admission.page() {
        page.show(headers);
    }
    parts
}

/// The response to a message that was taken: what answers it comes on the stream.
#[cfg_attr(not(feature = "handle"), allow(dead_code, reason = "for the async layer"))]
pub(crate) fn sse_accepted(admission: &Admission) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::ACCEPTED;
    if let Some(page) = admission.page() {
        page.show(response.headers_mut());
    }
    response
}

/// Lines with a message each, as events.
#[cfg_attr(not(feature = "handle"), allow(dead_code, reason = "for the async layer"))]
pub(crate) fn sse_events(lines: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(lines.len().saturating_add(32));
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        encode_message(&mut out, line);
    }
    out.into()
}

/// What keeps a silent stream from being taken for dead.
#[cfg_attr(not(feature = "handle"), allow(dead_code, reason = "for the async layer"))]
pub(crate) fn sse_comment() -> Bytes {
    let mut out = Vec::new();
    encode_comment(&mut out, "");
    out.into()
}

fn session_of(query: &str) -> Option<SessionId> {
    let mut named = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix(SESSION)?.strip_prefix('='));
    let id = named.next()?;
    // Which of two is meant cannot be told.
    let is_one = named.next().is_none();
    let value = HeaderValue::from_str(id).ok().filter(|_| is_one)?;
    SessionId::from_header(&value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::http::server::{Gate, HttpConfig};
    use alloc::string::ToString;

    fn route(method: &str, uri: &str) -> Result<Option<SseRoute>, Refusal> {
        let gate = Gate::new(&HttpConfig::default(), &Limits::default(), true);
        let request = http::Request::builder().method(method).uri(uri);
        let request = request
            .header("host", "localhost")
            .header("content-type", "application/json");
        let head = request.body(()).unwrap().into_parts().0;
        SsePaths::default().route(&gate.admit(&head).unwrap(), &head)
    }

    #[test]
    fn a_request_is_told_by_the_end_of_its_path() {
        let id = SessionId::from_random([7; 32]);
        let name = id.to_header().to_str().unwrap().to_string();
        assert_eq!(route("GET", "/mcp/sse"), Ok(Some(SseRoute::Open)));
        assert_eq!(route("GET", "/sse?x"), Ok(Some(SseRoute::Open)));
        for uri in ["/mcp", "/", "/sse/mcp", "/mysse"] {
            assert_eq!(route("GET", uri), Ok(None), "{uri}");
        }
        let message = Ok(Some(SseRoute::Message(id)));
        assert_eq!(route("POST", &format!("/a/messages?sessionId={name}")), message);
        assert_eq!(route("POST", &format!("/messages?x=1&sessionId={name}&y")), message);
        for query in [
            "",
            "?sessionId=",
            "?sessionId=short",
            &format!("?sessionId={name}&sessionId={name}"),
        ] {
            assert_eq!(
                route("POST", &format!("/messages{query}")),
                Err(Refusal::SessionNotFound)
            );
        }
        for (method, place) in [("POST", "/sse"), ("DELETE", "/sse"), ("GET", "/messages")] {
            assert!(matches!(route(method, place), Err(Refusal::MethodNotAllowed { .. })));
        }
    }

    #[test]
    fn each_line_is_an_event_and_the_endpoint_is_relative() {
        assert_eq!(sse_events(b"{}\n[1]\n"), "data: {}\n\ndata: [1]\n\n");
        let id = SessionId::from_random([0; 32]);
        let event = SsePaths::default().endpoint_event(&id);
        let a = "A".repeat(32);
        assert_eq!(event, format!("event: endpoint\ndata: messages?sessionId={a}\n\n"));
    }
}
