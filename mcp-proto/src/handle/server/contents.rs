//! What closures of resources know and return.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::Serialize;

use super::ToolError;
use crate::jsonrpc::{ErrorCode, ErrorObject};
use crate::model::{ReadResourceResult, ResourceContents};
use crate::revision::Revision;
use crate::server::CacheHints;

/// The URI that is read, as an argument of a closure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri(pub String);

/// One `resources/read`: what is read, and what was declared of it.
#[derive(Clone, Debug)]
pub struct Reading {
    pub(super) uri: String,
    pub(super) mime_type: Option<String>,
    pub(super) revision: Revision,
}

impl Reading {
    /// The URI that is read.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The media type that was declared for the resource or its template.
    pub fn mime_type(&self) -> Option<&str> {
        self.mime_type.as_deref()
    }

    /// The error for a resource that does not exist.
    pub fn not_found(&self) -> ErrorObject {
        not_found(&self.uri, self.revision)
    }

    /// Text as what the resource contains.
    pub fn text(&self, text: impl Into<String>) -> ResourceContents {
        self.declared(ResourceContents::text(self.uri.as_str(), text))
    }

    /// Bytes as what the resource contains.
    pub fn bytes(&self, bytes: &[u8]) -> ResourceContents {
        self.declared(ResourceContents::blob(self.uri.as_str(), BASE64_STANDARD.encode(bytes)))
    }

    fn declared(&self, contents: ResourceContents) -> ResourceContents {
        match &self.mime_type {
            Some(mime_type) => contents.with_mime_type(mime_type.as_str()),
            None => contents,
        }
    }
}

/// The error for a resource that does not exist: −32602 with its URI in the data since 2026-07-28 (Resources, Error
/// Handling), −32002 before.
pub(super) fn not_found(uri: &str, revision: Revision) -> ErrorObject {
    #[derive(Serialize)]
    struct Data<'a> {
        uri: &'a str,
    }
    let code = match revision.is_stateless() {
        true => ErrorCode::INVALID_PARAMS,
        false => ErrorCode::RESOURCE_NOT_FOUND,
    };
    ErrorObject::new(code, "resource not found").with_data(&Data { uri })
}

/// What a resource can be read as: text, bytes, [`ResourceContents`], several of them, or a whole [`ReadResourceResult`];
/// an `Option` of these where there may be no such resource. [`Cached`] adds hints for caches.
#[diagnostic::on_unimplemented(
    message = "a resource cannot be read as `{Self}`",
    label = "this is what the closure returns",
    note = "a resource is read as text (`String`, `&'static str`), bytes (`Vec<u8>`, `Bytes`), `ResourceContents`, a `Vec` \
            of them or a `ReadResourceResult`; as an `Option` of these; or as a `Result` of all this and a `ToolError`",
    note = "the error of the `Result` has to be `ToolError`: `?` and `.map_err(ToolError::from)` make one of any error"
)]
pub trait ResourceOutput: Send + 'static {
    /// The result of the request.
    ///
    /// # Errors
    /// [`ToolError`] where there is none.
    fn into_read(self, reading: &Reading) -> Result<ReadResourceResult, ToolError>;
}

macro_rules! contents {
    ($($ty:ty: |$reading:ident, $this:ident| $contents:expr;)*) => {
        $(impl ResourceOutput for $ty {
            fn into_read(self, $reading: &Reading) -> Result<ReadResourceResult, ToolError> {
                let $this = self;
                Ok(ReadResourceResult::new($contents))
            }
        })*
    };
}

contents! {
    String: |reading, text| vec![reading.text(text)];
    &'static str: |reading, text| vec![reading.text(text)];
    Vec<u8>: |reading, bytes| vec![reading.bytes(&bytes)];
    &'static [u8]: |reading, bytes| vec![reading.bytes(bytes)];
    Bytes: |reading, bytes| vec![reading.bytes(&bytes)];
    ResourceContents: |_reading, contents| vec![contents];
    Vec<ResourceContents>: |_reading, contents| contents;
}

impl ResourceOutput for ReadResourceResult {
    fn into_read(self, _: &Reading) -> Result<ReadResourceResult, ToolError> {
        Ok(self)
    }
}

impl<O: ResourceOutput> ResourceOutput for Option<O> {
    fn into_read(self, reading: &Reading) -> Result<ReadResourceResult, ToolError> {
        match self {
            Some(output) => output.into_read(reading),
            None => Err(reading.not_found().into()),
        }
    }
}

/// What a resource is read as, with hints for caches of its own (2026-07-28, Caching).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached<O>(pub O, pub CacheHints);

impl<O: ResourceOutput> ResourceOutput for Cached<O> {
    fn into_read(self, reading: &Reading) -> Result<ReadResourceResult, ToolError> {
        let Self(output, hints) = self;
        let mut result = output.into_read(reading)?;
        result.ttl_ms = Some(hints.ttl_ms);
        result.cache_scope = Some(hints.scope);
        Ok(result)
    }
}
