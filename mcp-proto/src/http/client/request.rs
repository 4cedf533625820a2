//! The requests a client makes.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, InvalidHeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::config::HttpClientConfig;
use super::session::SessionId;
use crate::method::{Method as Named, MethodName};
use crate::revision::Revision;
use crate::rpc::{Mirrored, Outgoing, Purpose};
use crate::wire::header::{
    LAST_EVENT_ID, MCP_METHOD, MCP_NAME, MCP_PARAM_PREFIX, MCP_PROTOCOL_VERSION, MCP_SESSION_ID, encode_value,
};

static METHOD: HeaderName = HeaderName::from_static(MCP_METHOD);
static NAME: HeaderName = HeaderName::from_static(MCP_NAME);
static PROTOCOL_VERSION: HeaderName = HeaderName::from_static(MCP_PROTOCOL_VERSION);
static SESSION_ID: HeaderName = HeaderName::from_static(MCP_SESSION_ID);
static EVENT_ID: HeaderName = HeaderName::from_static(LAST_EVENT_ID);

/// What every POST carries, made once.
pub(super) struct Template {
    endpoint: Uri,
    post: HeaderMap,
    other: HeaderMap,
}

/// Shows nothing of what requests carry: there are credentials in it.
impl core::fmt::Debug for Template {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Template").finish_non_exhaustive()
    }
}

impl Template {
    pub(super) fn new(config: &HttpClientConfig) -> Self {
        let mut other = config.headers.clone();
        let reserved: Vec<_> = other.keys().filter(|name| is_reserved(name)).cloned().collect();
        for name in reserved {
            other.remove(name);
        }
        // Any of them may authorize: none is to be shown by `Debug`, here or in a request.
        other.values_mut().for_each(|value| value.set_sensitive(true));
        // Without a word of it a server may choose any coding (RFC 9110, 12.5.3), and some do.
        other.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut post = other.clone();
        post.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // 2025-11-25, Transports, Sending Messages, 2: "listing both".
        post.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        Self {
            endpoint: config.endpoint.clone(),
            post,
            other,
        }
    }

    pub(super) fn endpoint(&self) -> &Uri {
        &self.endpoint
    }

    /// A POST with one message, in this session.
    pub(super) fn post(&self, outgoing: Outgoing, session: Option<&SessionId>) -> Request<Bytes> {
        let mut headers = self.post_headers(&outgoing);
        let is_initialize = matches!(outgoing.purpose, Purpose::Initialize(_));
        if let Some(revision) = outgoing
            .revision
            .filter(|revision| revision.has_version_header() && !is_initialize)
        {
            headers.insert(&PROTOCOL_VERSION, HeaderValue::from_static(revision.as_str()));
        }
        if outgoing.revision.is_some_and(Revision::is_stateless) {
            mirror(&mut headers, outgoing.method.as_ref(), outgoing.mirrored);
        }
        if let Some(session) = session {
            headers.insert(&SESSION_ID, session.header());
        }
        self.request(Method::POST, headers, outgoing.text.into())
    }

    /// The headers that are made once, with room for all that come to them, `Host` and `Content-Length` among them:
    /// making room later is dear.
    fn post_headers(&self, outgoing: &Outgoing) -> HeaderMap {
        let more = match outgoing.revision.is_some_and(Revision::is_stateless) {
            // Version, method, name, `Host` and `Content-Length`.
            true => outgoing.mirrored.params.len().saturating_add(5),
            // Version, session, `Host` and `Content-Length`.
            false => 4,
        };
        let mut headers = HeaderMap::with_capacity(self.post.len().saturating_add(more));
        for (name, value) in &self.post {
            headers.append(name.clone(), value.clone());
        }
        headers
    }

    /// A GET for the stream of a session.
    pub(super) fn get(
        &self,
        session: Option<&SessionId>,
        revision: Revision,
        last_event_id: Option<&str>,
    ) -> Request<Bytes> {
        let mut headers = self.session_headers(session, revision);
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(id) = last_event_id.and_then(|id| HeaderValue::from_str(id).ok()) {
            headers.insert(&EVENT_ID, id);
        }
        self.request(Method::GET, headers, Bytes::new())
    }

    /// The DELETE that ends a session.
    pub(super) fn delete(&self, session: &SessionId, revision: Revision) -> Request<Bytes> {
        let headers = self.session_headers(Some(session), revision);
        self.request(Method::DELETE, headers, Bytes::new())
    }

    fn session_headers(&self, session: Option<&SessionId>, revision: Revision) -> HeaderMap {
        let mut headers = self.other.clone();
        if revision.has_version_header() {
            headers.insert(&PROTOCOL_VERSION, HeaderValue::from_static(revision.as_str()));
        }
        if let Some(session) = session {
            headers.insert(&SESSION_ID, session.header());
        }
        headers
    }

    fn request(&self, method: Method, headers: HeaderMap, body: Bytes) -> Request<Bytes> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.endpoint.clone();
        *request.headers_mut() = headers;
        request
    }
}

/// Whether a header is the protocol's own, or speaks of a body that the user does not know.
fn is_reserved(name: &HeaderName) -> bool {
    let own = [
        MCP_METHOD,
        MCP_NAME,
        MCP_PROTOCOL_VERSION,
        MCP_SESSION_ID,
        LAST_EVENT_ID,
    ];
    let framing = [ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING];
    own.contains(&name.as_str()) || framing.contains(name) || name.as_str().starts_with(MCP_PARAM_PREFIX)
}

/// The headers that mirror the body (2026-07-28, Streamable HTTP, Standard Request Headers).
fn mirror(headers: &mut HeaderMap, method: Option<&MethodName>, mirrored: Mirrored) {
    let method = method.map(|method| match method.known() {
        Some(known) => Ok(HeaderValue::from_static(known.as_str())),
        None => HeaderValue::from_str(&encode_value(method.as_str())),
    });
    if let Some(Ok(value)) = method {
        headers.insert(&METHOD, value);
    }
    if let Some(Ok(value)) = mirrored.name.map(encoded) {
        headers.insert(&NAME, value);
    }
    for (name, value) in mirrored.params {
        let value = HeaderValue::from_maybe_shared(Bytes::from(value));
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
            headers.insert(name, value);
        }
    }
}

/// The value that stands for a text, which is not copied where it can stay as it is.
fn encoded(text: Box<str>) -> Result<HeaderValue, InvalidHeaderValue> {
    let changed = match encode_value(&text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(value) => Some(value),
    };
    let bytes = changed.map_or_else(|| Bytes::from(text.into_boxed_bytes()), Bytes::from);
    HeaderValue::from_maybe_shared(bytes)
}

/// Whether a message is sent in the session, where there is one: in every revision with a handshake, since servers of
/// 2024-11-05 over Streamable HTTP exist, and give sessions too.
pub(super) fn names_session(outgoing: &Outgoing) -> bool {
    let is_initialize = matches!(outgoing.purpose, Purpose::Initialize(_));
    !is_initialize && outgoing.revision.is_some_and(Revision::has_initialize)
}

/// Whether a message does no harm when it arrives twice. A response settles its request once.
pub(super) fn is_repeatable(outgoing: &Outgoing) -> bool {
    match &outgoing.method {
        Some(method) => method.known().is_some_and(Named::is_repeatable),
        None => outgoing.purpose == Purpose::Response,
    }
}
