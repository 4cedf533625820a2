//! The body of a POST against its head: which era it is of, and whether the headers say what the body says.

use bytes::Bytes;

use super::head::Head;
use super::refusal::Refusal;
use crate::jsonrpc::{self, Incoming, Message, Peek, RawJson};
use crate::limits::Limits;
use crate::method::{MethodName, NameSource};
use crate::revision::{Era, Revision};
use crate::wire::header::{self, HeaderMismatch, ParamHeaders};

/// The body of a POST, and how it is to be served.
#[derive(Clone, Debug)]
pub enum Posted {
    /// Of the modern era, or meant to be: to be served on its own.
    Stateless(Message),
    /// Of the legacy era: `initialize`, or something in a session.
    Legacy(Incoming),
}

impl Posted {
    /// Reads a body and tells its era (2026-07-28, Versioning, Backward Compatibility).
    ///
    /// | version header | version in `_meta` | era | why |
    /// |---|---|---|---|
    /// | modern | any, or none | modern | it says so |
    /// | unknown | any, or none | modern; a batch is legacy | it is refused, and where `_meta` says the same for that |
    /// | legacy or none, and a session id | not looked at | legacy | the session has agreed on a version, which tells it without a header too (2025-11-25, Transports, Protocol Version Header) |
    /// | legacy, or none | any | modern (and refused: the two differ) | no legacy client names one there |
    /// | legacy, or none | none | legacy | 2024-11-05 to 2025-03-26 have no such header |
    ///
    /// # Errors
    /// [`Refusal::Unreadable`], and [`Refusal::BatchNotAllowed`] for a batch with a modern header.
    pub fn read(head: &Head<'_>, body: Bytes, limits: &Limits) -> Result<Self, Refusal> {
        let incoming = jsonrpc::parse(body, limits).map_err(Refusal::Unreadable)?;
        // The header before the body: it says how the body is to be read.
        let named = head.version.map(|name| Revision::parse(name).map(Revision::era));
        let message = match incoming {
            Incoming::Batch(_) if matches!(named, Some(Some(Era::Modern))) => {
                return Err(Refusal::BatchNotAllowed);
            }
            // Whatever is in it: no revision of the modern era has batches. A version that is not known is refused for that.
            Incoming::Batch(batch) => return Ok(Self::Legacy(Incoming::Batch(batch))),
            Incoming::Single(message) => message,
        };
        let is_modern = match named {
            Some(Some(Era::Modern) | None) => true,
            // The session has agreed on a version: what its requests say in `_meta` is theirs. Without the header too, which
            // no revision before 2025-06-18 has, and every modern client sends.
            Some(Some(Era::Legacy)) | None => head.session.is_none() && names_version(&message),
        };
        Ok(match is_modern {
            true => Self::Stateless(message),
            false => Self::Legacy(Incoming::Single(message)),
        })
    }
}

/// Whether `_meta` names a protocol version.
fn names_version(message: &Message) -> bool {
    let params = match message {
        Message::Request(request) => request.params.as_ref(),
        Message::Notification(notification) => notification.params.as_ref(),
        Message::Response(_) => None,
    };
    params.is_some_and(|params| {
        // Legacy bodies do not have the word, and need no second look; an escape could hide it.
        let has_word = params.as_str().contains("modelcontextprotocol") || params.as_str().contains('\\');
        has_word && named_version(params).is_some()
    })
}

fn named_version(params: &RawJson) -> Option<()> {
    let peek = Peek::of(params).ok()?;
    peek.meta().ok()?.protocol_version.map(drop)
}

impl Head<'_> {
    /// Compares the version header with the version that `_meta` names
    /// (2026-07-28, Streamable HTTP, Protocol Version Header: MUST). Where it names none, that is what the request
    /// is refused for, unless the header is missing as well.
    ///
    /// # Errors
    /// [`Refusal::HeaderMismatch`]
    pub fn check_version(&self, named: Option<&str>) -> Result<(), Refusal> {
        match named {
            None if self.version.is_some() => Ok(()),
            _ => Ok(header::check_protocol_version(
                self.version.map(str::as_bytes),
                named.unwrap_or_default(),
            )?),
        }
    }

    /// Compares the headers that mirror a request with it: `Mcp-Method`, `Mcp-Name`, and for a tool that `tools`
    /// knows its `Mcp-Param-` headers (2026-07-28, Streamable HTTP, Server Validation: MUST).
    ///
    /// # Errors
    /// [`Refusal::HeaderMismatch`]
    pub fn check_mirrored<'t>(
        &self,
        method: &MethodName,
        peek: Option<&Peek<'_>>,
        tools: impl FnOnce(&str) -> Option<&'t ParamHeaders>,
    ) -> Result<(), Refusal> {
        header::check_method(self.mcp_method.map(|value| value.as_bytes()), method.as_str())?;
        let Some(source) = method.known().and_then(|method| method.name_source()) else {
            return Ok(());
        };
        // Parameters that cannot be read are refused for what they are.
        let Some(peek) = peek else { return Ok(()) };
        let name = match source {
            NameSource::Name => peek.name.as_deref(),
            NameSource::Uri => peek.uri.as_deref(),
            NameSource::TaskId => peek.task_id.as_deref(),
        };
        header::check_name(self.mcp_name.map(|value| value.as_bytes()), name)?;
        let is_call = method.known() == Some(crate::method::Method::CallTool);
        if let Some(tool) = name.filter(|_| is_call).and_then(tools) {
            let values = |name: &str| self.headers.get_all(name).into_iter().map(|value| value.as_bytes());
            tool.validate(peek.arguments, values)?;
        }
        Ok(())
    }

    /// The revision of a legacy request: that of the header, which has to be one of `supported` and the one the
    /// session agreed on; without a header that of the session, or 2025-03-26 without a session
    /// (2025-11-25, Transports, Protocol Version Header).
    ///
    /// # Errors
    /// [`Refusal::UnsupportedVersion`]
    pub fn legacy_revision(&self, agreed: Option<Revision>, supported: &[Revision]) -> Result<Revision, Refusal> {
        let revision = match self.version {
            None => agreed.unwrap_or(Revision::ASSUMED),
            Some(_) => self.revision().ok_or(Refusal::UnsupportedVersion)?,
        };
        let is_legacy = revision.era() == Era::Legacy && supported.contains(&revision);
        match is_legacy && agreed.is_none_or(|agreed| agreed == revision) {
            true => Ok(revision),
            false => Err(Refusal::UnsupportedVersion),
        }
    }
}

impl From<HeaderMismatch> for Refusal {
    fn from(mismatch: HeaderMismatch) -> Self {
        Self::HeaderMismatch(mismatch)
    }
}

#[cfg(test)]
mod tests;
