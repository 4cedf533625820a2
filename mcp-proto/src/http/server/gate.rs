//! What is decided before a body is read.

use alloc::boxed::Box;

use http::Method;
use http::header;
use http::request::Parts;

use super::accept::Accepts;
use super::admission::{Admission, Route};
use super::config::{HttpConfig, SessionPolicy};
use super::cors::Page;
use super::head::Head;
use super::hosts::{Authority, Origin};
use super::refusal::Refusal;
use crate::limits::Limits;
use crate::revision::Revision;

/// The guard in front of every request, whatever its method.
///
/// Made once from the configuration and never changed; a check compares bytes and allocates nothing. It looks, in
/// this order, at repeated headers, host, origin, an empty version, method, size, content type and `Accept`.
///
/// ```
/// use mcp_proto::Limits;
/// use mcp_proto::http::server::{Gate, HttpConfig, Refusal, Route};
///
/// let gate = Gate::new(&HttpConfig::default(), &Limits::default(), true);
/// let request = |host| http::Request::get("/mcp").header("Host", host).body(()).unwrap().into_parts().0;
/// assert_eq!(gate.check(&request("localhost:8000")), Ok(Route::Get));
/// assert_eq!(gate.check(&request("rebound.example")), Err(Refusal::HostNotAllowed));
/// ```
#[derive(Clone, Debug)]
pub struct Gate {
    config: HttpConfig,
    body_bytes: usize,
    /// Whether GET and DELETE are served.
    sessions: bool,
}

impl Gate {
    /// The guard of an endpoint. `legacy` says whether it serves the legacy era, in which alone there are sessions.
    pub fn new(config: &HttpConfig, limits: &Limits, legacy: bool) -> Self {
        let sessions = legacy && config.sessions == SessionPolicy::Stateful;
        Self {
            config: config.clone(),
            body_bytes: limits.body_bytes,
            sessions,
        }
    }

    /// The most bytes of a body that may be read.
    pub fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// Whether the endpoint keeps sessions, and so serves GET and DELETE.
    pub fn has_sessions(&self) -> bool {
        self.sessions
    }

    /// Judges a request by its head.
    ///
    /// # Errors
    /// The [`Refusal`] to answer with; the body need not be read then.
    pub fn check(&self, parts: &Parts) -> Result<Route, Refusal> {
        self.judge(parts, &Head::read(parts)?)
    }

    /// Judges a request by its head, and keeps what of it is needed once the body is there.
    ///
    /// # Errors
    /// The [`Refusal`] to answer with; the body need not be read then.
    pub fn admit(&self, parts: &Parts) -> Result<Admission, Refusal> {
        let head = Head::read(parts)?;
        let route = self.judge(parts, &head)?;
        Ok(Admission::of(route, self.body_bytes, &head, self.shown(&head)))
    }

    /// The page that a browser may show the answer to, whatever it is: one that would be let through.
    pub(crate) fn page(&self, parts: &Parts) -> Option<Box<Page>> {
        self.config.cors.as_ref()?;
        let head = Head::read(parts).ok()?;
        let host = self.check_host(parts, &head).ok()?;
        self.check_origin(&head, host.as_ref()).ok()?;
        self.shown(&head)
    }

    /// The page of an origin that has been let through.
    fn shown(&self, head: &Head<'_>) -> Option<Box<Page>> {
        self.config.cors.as_ref()?;
        Some(Box::new(Page::of(head.origin?, self.config.origins.is_any())))
    }

    fn judge(&self, parts: &Parts, head: &Head<'_>) -> Result<Route, Refusal> {
        // Before all else: a page that must not come here learns nothing of the endpoint, not even its methods.
        let host = self.check_host(parts, head)?;
        self.check_origin(head, host.as_ref())?;
        // Nothing can be said about a version that has no name, and without the header it would be another one.
        if head.version.is_some_and(|name| name.trim_ascii().is_empty()) {
            return Err(Refusal::InvalidHeader("MCP-Protocol-Version"));
        }
        match parts.method {
            Method::POST => self.check_post(head),
            // A client MUST accept event streams (2025-11-25, Transports, Listening for Messages from the Server, 2).
            Method::GET if self.serves_streams(head) => match head.accepts.sse {
                true => Ok(Route::Get),
                false => Err(Refusal::NotAcceptable),
            },
            Method::DELETE if self.serves_streams(head) => Ok(Route::Delete),
            Method::OPTIONS if self.is_preflight(parts, head) => Ok(Route::Preflight),
            // RFC 9110, 15.5.6: 405 MUST come with the methods there are.
            _ if self.sessions => Err(Refusal::MethodNotAllowed {
                allow: "POST, GET, DELETE",
            }),
            _ => Err(Refusal::MethodNotAllowed { allow: "POST" }),
        }
    }

    /// Host, or the authority of HTTP/2 and of an absolute target (RFC 9112, 3.2.2). Where a request has both they
    /// must agree, since something in front may have looked at the other.
    fn check_host<'a>(&self, parts: &'a Parts, head: &Head<'a>) -> Result<Option<Authority<'a>>, Refusal> {
        let read = |value: &'a [u8]| Authority::parse(value).ok_or(Refusal::InvalidHost);
        let authority = parts
            .uri
            .authority()
            .map(|authority| read(authority.as_str().as_bytes()))
            .transpose()?;
        let host = head.host.map(|value| read(value.as_bytes())).transpose()?;
        if let (Some(authority), Some(host)) = (&authority, &host)
            && !authority.is_same(host)
        {
            return Err(Refusal::InvalidHost);
        }
        match authority.or(host) {
            Some(host) if self.config.hosts.allows(&host) => Ok(Some(host)),
            Some(_) => Err(Refusal::HostNotAllowed),
            None if self.config.hosts.is_any() => Ok(None),
            None => Err(Refusal::InvalidHost),
        }
    }

    /// 2025-03-26 and later, Transports, Security Warning, 1: MUST. The page of the server itself passes, but only
    /// where the host means something: a rebound name is the origin and the host alike.
    fn check_origin(&self, head: &Head<'_>, host: Option<&Authority<'_>>) -> Result<(), Refusal> {
        let Some(value) = head.origin.filter(|_| !self.config.origins.is_any()) else {
            return Ok(());
        };
        let origin = Origin::parse(value.as_bytes()).ok_or(Refusal::OriginNotAllowed)?;
        let is_own = !self.config.hosts.is_any() && host.is_some_and(|host| origin.is_of(host));
        match is_own || self.config.origins.allows(&origin) {
            true => Ok(()),
            false => Err(Refusal::OriginNotAllowed),
        }
    }

    fn check_post(&self, head: &Head<'_>) -> Result<Route, Refusal> {
        if self.is_too_large(head) {
            return Err(Refusal::TooLarge);
        }
        // A page of another site can send text/plain without asking; not application/json (GHSA-89xv-2j6f-qhc8).
        let is_json = head.content_type.is_some_and(|value| is_json(value.as_bytes()));
        // Nothing is unpacked: a small body could become larger than any bound.
        let is_plain = head
            .content_encoding
            .is_none_or(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
        match (is_json && is_plain, head.accepts) {
            (false, _) => Err(Refusal::UnsupportedMediaType),
            (
                true,
                Accepts {
                    json: false,
                    sse: false,
                },
            ) => Err(Refusal::NotAcceptable),
            (true, accepts) => Ok(Route::Post(accepts)),
        }
    }

    /// Fetch Standard, CORS-preflight request.
    fn is_preflight(&self, parts: &Parts, head: &Head<'_>) -> bool {
        let is_asked = head.origin.is_some() && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        self.config.cors.is_some() && is_asked
    }

    fn is_too_large(&self, head: &Head<'_>) -> bool {
        // A length that is no number is the HTTP library's to refuse; the reading of the body is bounded anyway.
        let length = head
            .content_length
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        length.is_some_and(|length| length > self.body_bytes as u64)
    }

    /// Whether GET and DELETE mean something: not for a client that says it is of the modern era
    /// (2026-07-28, Streamable HTTP, Earlier Streamable HTTP Revisions).
    fn serves_streams(&self, head: &Head<'_>) -> bool {
        self.sessions && !(head.session.is_none() && head.revision().is_some_and(Revision::is_stateless))
    }
}

/// `application/json`, with any parameter but a charset other than UTF-8.
fn is_json(value: &[u8]) -> bool {
    // What nearly every client sends.
    if value == b"application/json" {
        return true;
    }
    let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let is_json = parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case(b"application/json"));
    is_json
        && parts.all(|parameter| match parameter.split_at_checked(8) {
            Some((name, charset)) if name.eq_ignore_ascii_case(b"charset=") => {
                let charset = charset
                    .strip_prefix(b"\"")
                    .and_then(|rest| rest.strip_suffix(b"\""))
                    .unwrap_or(charset);
                // ASCII is UTF-8 as well; in any other charset the bytes would mean something else.
                charset.eq_ignore_ascii_case(b"utf-8") || charset.eq_ignore_ascii_case(b"us-ascii")
            }
            _ => true,
        })
}

#[cfg(test)]
mod tests;
