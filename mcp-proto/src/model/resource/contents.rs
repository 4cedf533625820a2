//! What a resource contains.

use alloc::string::String;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::model::json::Json;
use crate::model::meta::Meta;
use crate::model::object::{object, object_with_meta};

object_with_meta! {
    /// Contents that are text.
    pub struct TextResourceContents {
        required {
            /// The URI of the resource.
            "uri" => uri: plain String,
            /// The text.
            "text" => text: plain String,
        }
        /// Its media type.
        "mimeType" => mime_type (with_mime_type): optional String,
    }
}

object_with_meta! {
    /// Contents that are bytes.
    pub struct BlobResourceContents {
        required {
            /// The URI of the resource.
            "uri" => uri: plain String,
            /// The bytes in base64.
            "blob" => blob: plain String,
        }
        /// Its media type.
        "mimeType" => mime_type (with_mime_type): optional String,
    }
}

object! {
    /// Contents before it is known what they are.
    struct AnyContents {
        /// The URI of the resource.
        "uri" => uri: plain String,
        /// Its media type.
        "mimeType" => mime_type: optional String,
        /// Of text.
        "text" => text: optional String,
        /// Of bytes.
        "blob" => blob: optional String,
        /// Metadata of the protocol and of others.
        "_meta" => meta: meta Meta,
    }
}

/// What a resource, or a part of it, contains.
///
/// Where `text` and `blob` are both there, it is text, and the other is kept as an unknown field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ResourceContents {
    /// Text.
    Text(TextResourceContents),
    /// Bytes.
    Blob(BlobResourceContents),
}

impl ResourceContents {
    /// Text at a URI.
    pub fn text(uri: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Text(TextResourceContents::new(uri, text))
    }

    /// Bytes at a URI, in base64.
    pub fn blob(uri: impl Into<String>, blob: impl Into<String>) -> Self {
        Self::Blob(BlobResourceContents::new(uri, blob))
    }

    /// The same with a media type.
    #[must_use]
    pub fn with_mime_type(mut self, mime_type: impl Into<String>) -> Self {
        let slot = match &mut self {
            Self::Text(contents) => &mut contents.mime_type,
            Self::Blob(contents) => &mut contents.mime_type,
        };
        *slot = Some(mime_type.into());
        self
    }

    /// The URI of the resource.
    pub fn uri(&self) -> &str {
        match self {
            Self::Text(contents) => &contents.uri,
            Self::Blob(contents) => &contents.uri,
        }
    }

    /// The media type, where it is told.
    pub fn mime_type(&self) -> Option<&str> {
        match self {
            Self::Text(contents) => contents.mime_type.as_deref(),
            Self::Blob(contents) => contents.mime_type.as_deref(),
        }
    }
}

impl From<TextResourceContents> for ResourceContents {
    fn from(contents: TextResourceContents) -> Self {
        Self::Text(contents)
    }
}

impl From<BlobResourceContents> for ResourceContents {
    fn from(contents: BlobResourceContents) -> Self {
        Self::Blob(contents)
    }
}

impl Serialize for ResourceContents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(contents) => contents.serialize(serializer),
            Self::Blob(contents) => contents.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ResourceContents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let AnyContents {
            uri,
            mime_type,
            text,
            blob,
            meta,
            mut extra,
        } = AnyContents::deserialize(deserializer)?;
        match (text, blob) {
            (Some(text), blob) => {
                if let Some(blob) = blob {
                    extra.insert("blob", Json::from_serialize(&blob).map_err(de::Error::custom)?);
                }
                Ok(Self::Text(TextResourceContents {
                    uri,
                    text,
                    mime_type,
                    meta,
                    extra,
                }))
            }
            (None, Some(blob)) => Ok(Self::Blob(BlobResourceContents {
                uri,
                blob,
                mime_type,
                meta,
                extra,
            })),
            (None, None) => Err(de::Error::custom("missing field `text` or `blob`")),
        }
    }
}
