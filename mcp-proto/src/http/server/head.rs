//! The headers that the protocol reads, found in one pass over a request's head.

use http::Extensions;
use http::header::{HeaderMap, HeaderValue};
use http::request::Parts;

use super::accept::{AcceptReader, Accepts};
use super::holder::{Holder, Remote};
use super::refusal::Refusal;
use super::session_id::Principal;
use crate::revision::Revision;
use crate::shown::shown;
use crate::wire::header::{MCP_METHOD, MCP_NAME, MCP_PROTOCOL_VERSION, MCP_SESSION_ID};

/// What the head of a request says to the protocol.
///
/// Each header that routing or security depends on is there once or not at all: two of them, of which one
/// component reads the first and another the last, make a request refused.
#[derive(Clone)]
#[non_exhaustive]
pub struct Head<'a> {
    /// `Host`, unread.
    pub(super) host: Option<&'a HeaderValue>,
    /// `Origin`, unread.
    pub(super) origin: Option<&'a HeaderValue>,
    /// `Content-Type`, unread.
    pub(super) content_type: Option<&'a HeaderValue>,
    /// `Content-Encoding`, unread.
    pub(super) content_encoding: Option<&'a HeaderValue>,
    /// `Content-Length`, unread.
    pub(super) content_length: Option<&'a HeaderValue>,
    /// What the client takes.
    pub accepts: Accepts,
    /// `Mcp-Session-Id`.
    pub session: Option<&'a HeaderValue>,
    /// `MCP-Protocol-Version`.
    pub version: Option<&'a str>,
    /// The same as it came.
    pub(super) version_value: Option<&'a HeaderValue>,
    /// `Mcp-Method`.
    pub mcp_method: Option<&'a HeaderValue>,
    /// `Mcp-Name`.
    pub mcp_name: Option<&'a HeaderValue>,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// On whose behalf, where an authentication layer said so.
    pub principal: Option<&'a Principal>,
    /// From where, as the driver says.
    pub(super) remote: Remote,
    /// Where it may be said too.
    pub(super) extensions: &'a Extensions,
}

// The headers hold sessions and tokens, and a name may be a resource that is a secret.
shown!(Head<'_> { host, origin, content_type, accepts, version, mcp_method });

impl<'a> Head<'a> {
    /// Whose the request is, as shares go.
    pub fn holder(&self) -> Holder {
        let remote = match self.remote {
            Remote::UNKNOWN => self.extensions.get().copied().unwrap_or_default(),
            remote => remote,
        };
        Holder::new(self.principal, remote)
    }

    /// Reads a head.
    ///
    /// # Errors
    /// [`Refusal::InvalidHost`] and [`Refusal::InvalidHeader`] for a header that occurs twice, and for a version
    /// that is no visible ASCII.
    pub fn read(parts: &'a Parts) -> Result<Self, Refusal> {
        let mut head = Self {
            host: None,
            origin: None,
            content_type: None,
            content_encoding: None,
            content_length: None,
            accepts: Accepts::BOTH,
            session: None,
            version: None,
            version_value: None,
            mcp_method: None,
            mcp_name: None,
            headers: &parts.headers,
            principal: parts.extensions.get(),
            remote: Remote::UNKNOWN,
            extensions: &parts.extensions,
        };
        let mut accept = AcceptReader::default();
        for (name, value) in &parts.headers {
            let (slot, name) = match name.as_str() {
                // The one list among them, which may be spread over several headers (RFC 9110, 5.3).
                "accept" => {
                    accept.read(value);
                    continue;
                }
                "host" => (&mut head.host, "Host"),
                "origin" => (&mut head.origin, "Origin"),
                "content-type" => (&mut head.content_type, "Content-Type"),
                "content-encoding" => (&mut head.content_encoding, "Content-Encoding"),
                "content-length" => (&mut head.content_length, "Content-Length"),
                MCP_SESSION_ID => (&mut head.session, "Mcp-Session-Id"),
                MCP_PROTOCOL_VERSION => (&mut head.version_value, "MCP-Protocol-Version"),
                MCP_METHOD => (&mut head.mcp_method, "Mcp-Method"),
                MCP_NAME => (&mut head.mcp_name, "Mcp-Name"),
                _ => continue,
            };
            if slot.replace(value).is_some() {
                // RFC 9112, 3.2: more than one Host MUST be answered with 400.
                return Err(if name == "Host" {
                    Refusal::InvalidHost
                } else {
                    Refusal::InvalidHeader(name)
                });
            }
        }
        head.accepts = accept.finish();
        head.version = match head.version_value {
            Some(value) => Some(
                value
                    .to_str()
                    .map_err(|_| Refusal::InvalidHeader("MCP-Protocol-Version"))?,
            ),
            None => None,
        };
        Ok(head)
    }

    /// The revision that the version header names, where it names one we know.
    pub fn revision(&self) -> Option<Revision> {
        self.version.and_then(Revision::parse)
    }
}
