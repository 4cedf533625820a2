//! What a stateless request says about itself, and whether it may be served.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::jsonrpc::{ErrorCode, ErrorObject, Facts, Id, PeekMeta, RawJson, Request};
use crate::method::{Kind, MethodName, Side};
use crate::model::LoggingLevel;
use crate::revision::{Era, Revision};

/// What a request of the modern era says about itself (2026-07-28, Overview, Per-request protocol fields).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The revision it is made in.
    pub revision: Revision,
    /// Who makes it, an object.
    pub client_info: Option<RawJson>,
    /// What the client can do, an object.
    pub client_capabilities: RawJson,
    /// The token under which progress is wanted, if it is.
    pub progress_token: Option<Id>,
    /// The least severe log messages that are wanted, if any are.
    pub log_level: Option<LoggingLevel>,
    /// `_meta` as it came.
    pub meta: Option<RawJson>,
}

impl Metadata {
    /// Reads the metadata of a request to a server that speaks `supported`.
    ///
    /// In this order: a version that is not supported is −32022 (Versioning, Protocol Version Negotiation: MUST); a
    /// method that the revision does not have is −32601, whatever its parameters are; a missing or malformed `_meta`
    /// is −32602 (Overview, Per-request protocol fields: MUST), and so is an unknown log level (Logging, Error
    /// Handling). A method that no revision knows may belong to an extension, and is no error.
    ///
    /// # Errors
    /// The error to answer with.
    pub fn of(supported: &[Revision], request: &Request) -> Result<Self, ErrorObject> {
        Self::seen(supported, request, &Facts::of(request.params.as_ref()))
    }

    /// The same, where the parameters have been looked at.
    pub(crate) fn seen(supported: &[Revision], request: &Request, facts: &Facts<'_>) -> Result<Self, ErrorObject> {
        let meta = facts.seen.as_ref().map(|(_, meta)| meta);
        let named = meta.ok().and_then(|meta| meta.protocol_version.as_deref());
        // First: in a revision that is not known, nothing else in the request need mean what it does here.
        let revision = named.map(|name| stateless(supported, name)).transpose()?;
        let not_found = || ErrorObject::method_not_found(request.method.as_str());
        // A request that names no version is measured by the newest: an unknown method is −32601 whatever its `_meta`
        // lacks.
        if !is_asked_of_servers(&request.method, revision.unwrap_or(Revision::LATEST)) {
            return Err(not_found());
        }
        let metadata = match meta {
            Ok(meta) => read(revision, meta, request.params.as_ref()),
            Err(error) => Err(ErrorObject::invalid_params(alloc::format!("{error}"))),
        };
        match metadata {
            Ok(metadata) => Ok(Self {
                meta: facts.raw_meta(),
                ..metadata
            }),
            Err(_) if request.method.known().is_none() => Err(not_found()),
            Err(error) => Err(error),
        }
    }
}

/// Whether `request` says in its `_meta` that it belongs to the modern era: a server of both eras serves it
/// statelessly (2026-07-28, Versioning, Backward Compatibility). A name that is no known revision counts, since only
/// requests of this era carry one.
pub fn is_stateless(request: &Request) -> bool {
    Facts::of(request.params.as_ref()).is_stateless()
}

impl Facts<'_> {
    /// Whether `_meta` names a protocol version that is none of the legacy era, however wrong the rest is.
    pub(crate) fn is_stateless(&self) -> bool {
        let version = match &self.seen {
            Ok((_, meta)) => meta.protocol_version.as_deref().map(Cow::Borrowed),
            Err(_) => self.stray_version(),
        };
        version.is_some_and(|name| Revision::parse(&name).is_none_or(Revision::is_stateless))
    }
}

/// The revision called `name`, where it is supported and stateless.
fn stateless(supported: &[Revision], name: &str) -> Result<Revision, ErrorObject> {
    Revision::parse(name)
        .filter(|revision| revision.era() == Era::Modern && supported.contains(revision))
        .ok_or_else(|| unsupported(supported, name))
}

/// −32022, with what is supported, newest first, and what was asked for (2026-07-28, Versioning: MUST list the
/// versions).
pub fn unsupported(supported: &[Revision], requested: &str) -> ErrorObject {
    #[derive(serde::Serialize)]
    struct Data<'a> {
        supported: Vec<&'a str>,
        requested: &'a str,
    }
    // At most 64 bytes of what the peer says, and no part of a character: an error must not grow with the request.
    let requested = (0..=64)
        .rev()
        .find_map(|end| requested.get(..end.min(requested.len())))
        .unwrap_or_default();
    let supported: Vec<_> = supported.iter().rev().map(|revision| revision.as_str()).collect();
    let message = alloc::format!("unsupported protocol version; supported are {}", supported.join(", "));
    ErrorObject::new(ErrorCode::UNSUPPORTED_PROTOCOL_VERSION, message).with_data(&Data { supported, requested })
}

/// Whether a client may ask for this method in `revision`. Unknown methods may be those of an extension.
fn is_asked_of_servers(method: &MethodName, revision: Revision) -> bool {
    method
        .known()
        .is_none_or(|method| method.kind() == Kind::Request && method.is_sent_by(Side::Client, revision))
}

/// Reads the protocol's own fields of `_meta`.
fn read(revision: Option<Revision>, meta: &PeekMeta<'_>, params: Option<&RawJson>) -> Result<Metadata, ErrorObject> {
    let missing = |key| ErrorObject::invalid_params(alloc::format!("_meta lacks io.modelcontextprotocol/{key}"));
    let revision = revision.ok_or_else(|| missing("protocolVersion"))?;
    let params = params.ok_or_else(|| missing("clientCapabilities"))?;
    let capabilities = meta.client_capabilities.ok_or_else(|| missing("clientCapabilities"))?;
    let object = |key, text: &str| match text.starts_with('{') {
        true => Ok(params.slice(text)),
        false => Err(ErrorObject::invalid_params(alloc::format!(
            "io.modelcontextprotocol/{key} is not an object"
        ))),
    };
    Ok(Metadata {
        revision,
        client_info: meta.client_info.map(|info| object("clientInfo", info)).transpose()?,
        client_capabilities: object("clientCapabilities", capabilities)?,
        progress_token: meta.progress_token.clone(),
        log_level: meta.log_level.as_deref().map(level).transpose()?,
        meta: None,
    })
}

/// The level called `name`.
fn level(name: &str) -> Result<LoggingLevel, ErrorObject> {
    match LoggingLevel::from(name) {
        LoggingLevel::Other(_) => Err(ErrorObject::invalid_params("unknown log level")),
        level => Ok(level),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_version_is_cut_between_characters() {
        for ahead in 0..4 {
            let asked = "a".repeat(ahead) + &"\u{1F980}".repeat(1000);
            let data = unsupported(&[Revision::V2026_07_28], &asked).data.unwrap();
            let data: serde_json::Value = data.decode().unwrap();
            let named = data["requested"].as_str().unwrap();
            assert!(asked.starts_with(named) && (61..=64).contains(&named.len()), "{named}");
        }
    }

    #[test]
    fn a_short_one_is_whole() {
        for asked in ["", "v1", &"x".repeat(64)] {
            let data = unsupported(&[Revision::V2026_07_28], asked).data.unwrap();
            assert_eq!(data.decode::<serde_json::Value>().unwrap()["requested"], asked);
        }
    }
}
