//! A content block of any kind, with the one kind that holds blocks.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::kinds::{AudioContent, EmbeddedResource, ImageContent, ResourceLink, TextContent, ToolUseContent};
use crate::model::extra::Extra;
use crate::model::json::Json;
use crate::model::object::{Flat, Object, object_with_meta};
use crate::model::open_enum::open_enum;
use crate::model::resource::{Resource, ResourceContents};

/// A piece of content, of one of the kinds that `type` names.
///
/// A block of an unknown kind is kept whole; so is a block that lacks nothing but has unknown fields.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ContentBlock {
    /// Text.
    Text(TextContent),
    /// An image.
    Image(Box<ImageContent>),
    /// Sound.
    Audio(Box<AudioContent>),
    /// A resource that can be read.
    ResourceLink(Box<ResourceLink>),
    /// The contents of a resource.
    Resource(Box<EmbeddedResource>),
    /// A call that a model wants made; only in sampling.
    ToolUse(Box<ToolUseContent>),
    /// The outcome of such a call; only in sampling.
    ToolResult(Box<ToolResultContent>),
    /// Of a kind that is not known here.
    Other(Json),
}

object_with_meta! {
    /// The outcome of a call that a model wanted made, in a message to sample from. Since 2025-11-25.
    pub struct ToolResultContent["type" = "tool_result"] {
        required {
            /// The name of the call.
            "toolUseId" => tool_use_id: plain String,
            /// What the tool returned. Reading keeps tool uses and tool results in here as
            /// [`ContentBlock::Other`]: the specification does not nest them.
            "content" => content: flat Vec<ContentBlock>,
        }
        /// What the tool returned as data.
        "structuredContent" => structured_content (with_structured_content): present Json,
        /// Whether the call failed.
        "isError" => is_error (with_is_error): optional bool,
    }
}

impl ContentBlock {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextContent::new(text))
    }

    /// An image: base64 and its media type.
    pub fn image(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        ImageContent::new(data, mime_type).into()
    }

    /// Sound: base64 and its media type.
    pub fn audio(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        AudioContent::new(data, mime_type).into()
    }

    /// The text, where the block is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(content) => Some(&content.text),
            _ => None,
        }
    }
}

macro_rules! from_boxed {
    ($($variant:ident($ty:ident),)*) => {
        $(
            impl From<$ty> for ContentBlock {
                fn from(content: $ty) -> Self {
                    Self::$variant(content.into())
                }
            }
        )*
    };
}

from_boxed! {
    Text(TextContent),
    Image(ImageContent),
    Audio(AudioContent),
    ResourceLink(ResourceLink),
    Resource(EmbeddedResource),
    ToolUse(ToolUseContent),
    ToolResult(ToolResultContent),
}

impl From<String> for ContentBlock {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for ContentBlock {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// Embedded.
impl From<ResourceContents> for ContentBlock {
    fn from(contents: ResourceContents) -> Self {
        EmbeddedResource::new(contents).into()
    }
}

/// As a link.
impl From<Resource> for ContentBlock {
    fn from(resource: Resource) -> Self {
        ResourceLink::from(resource).into()
    }
}

impl Serialize for ContentBlock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(content) => content.serialize(serializer),
            Self::Image(content) => content.serialize(serializer),
            Self::Audio(content) => content.serialize(serializer),
            Self::ResourceLink(content) => content.serialize(serializer),
            Self::Resource(content) => content.serialize(serializer),
            Self::ToolUse(content) => content.serialize(serializer),
            Self::ToolResult(content) => content.serialize(serializer),
            Self::Other(json) => json.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ContentBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BlockSeed { flat: false }.deserialize(deserializer)
    }
}

open_enum! {
    /// The kinds.
    enum Kind {
        /// [`TextContent`]
        Text = "text",
        /// [`ImageContent`]
        Image = "image",
        /// [`AudioContent`]
        Audio = "audio",
        /// [`ResourceLink`]
        ResourceLink = "resource_link",
        /// [`EmbeddedResource`]
        Resource = "resource",
        /// [`ToolUseContent`]
        ToolUse = "tool_use",
        /// [`ToolResultContent`]
        ToolResult = "tool_result",
    }
}

impl Kind {
    /// Whether a block of this kind is not kept as raw JSON.
    fn is_typed(&self, flat: bool) -> bool {
        match self {
            Self::ToolUse | Self::ToolResult => !flat,
            Self::Other(_) => false,
            _ => true,
        }
    }

    /// Reads what follows `type`.
    fn read<'de, A: MapAccess<'de>>(self, map: A) -> Result<ContentBlock, A::Error> {
        match self {
            Self::Text => TextContent::read(map).map(Into::into),
            Self::Image => ImageContent::read(map).map(Into::into),
            Self::Audio => AudioContent::read(map).map(Into::into),
            Self::ResourceLink => ResourceLink::read(map).map(Into::into),
            Self::Resource => EmbeddedResource::read(map).map(Into::into),
            Self::ToolUse => ToolUseContent::read(map).map(Into::into),
            Self::ToolResult => ToolResultContent::read(map).map(Into::into),
            Self::Other(_) => read_raw(Extra::default(), map).and_then(|raw| to_other(&raw)),
        }
    }

    /// Reads a whole block that was kept as raw JSON.
    fn decode(self, raw: &Json) -> Result<ContentBlock, serde_json::Error> {
        let text = raw.as_str();
        Ok(match self {
            Self::Text => serde_json::from_str::<TextContent>(text)?.into(),
            Self::Image => serde_json::from_str::<ImageContent>(text)?.into(),
            Self::Audio => serde_json::from_str::<AudioContent>(text)?.into(),
            Self::ResourceLink => serde_json::from_str::<ResourceLink>(text)?.into(),
            Self::Resource => serde_json::from_str::<EmbeddedResource>(text)?.into(),
            Self::ToolUse => serde_json::from_str::<ToolUseContent>(text)?.into(),
            Self::ToolResult => serde_json::from_str::<ToolResultContent>(text)?.into(),
            Self::Other(_) => ContentBlock::Other(raw.clone()),
        })
    }
}

/// Reads a block; `flat` keeps tool uses and tool results raw, so that blocks nest once at most.
struct BlockSeed {
    flat: bool,
}

impl<'de> DeserializeSeed<'de> for BlockSeed {
    type Value = ContentBlock;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ContentBlock, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for BlockSeed {
    type Value = ContentBlock;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object (ContentBlock)")
    }

    /// One pass where `type` comes first, as nearly every writer has it; else the block is kept raw until its kind
    /// is known.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ContentBlock, A::Error> {
        let mut raw = Extra::default();
        match map.next_key_seed(FirstKey)? {
            Some(None) => {
                let kind: Kind = map.next_value()?;
                if kind.is_typed(self.flat) {
                    return kind.read(map);
                }
                let json = Json::from_serialize(&kind).map_err(de::Error::custom)?;
                raw.push("type".into(), json);
            }
            Some(Some(name)) => raw.push(name, map.next_value()?),
            None => {}
        }
        let raw = read_raw(raw, map)?;
        let Some(tag) = raw.get("type") else {
            return Err(de::Error::missing_field("type"));
        };
        let kind: Kind = tag.decode().map_err(de::Error::custom)?;
        let json = raw.to_object().map_err(de::Error::custom)?;
        if kind.is_typed(self.flat) {
            kind.decode(&json).map_err(de::Error::custom)
        } else {
            Ok(ContentBlock::Other(json))
        }
    }
}

fn read_raw<'de, A: MapAccess<'de>>(mut raw: Extra, mut map: A) -> Result<Extra, A::Error> {
    raw.read(&mut map)?;
    Ok(raw)
}

fn to_other<E: de::Error>(raw: &Extra) -> Result<ContentBlock, E> {
    raw.to_object().map(ContentBlock::Other).map_err(E::custom)
}

/// The first key of a block: `None` where it is `type`.
struct FirstKey;

impl<'de> DeserializeSeed<'de> for FirstKey {
    type Value = Option<Box<str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FirstKey {
    type Value = Option<Box<str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok((name != "type").then(|| name.to_owned().into_boxed_str()))
    }
}

/// The content of a tool result: blocks that contain no blocks.
impl Flat for Vec<ContentBlock> {
    fn deserialize_flat<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BlocksVisitor;

        impl<'de> Visitor<'de> for BlocksVisitor {
            type Value = Vec<ContentBlock>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of content blocks")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut blocks = Vec::new();
                while let Some(block) = seq.next_element_seed(BlockSeed { flat: true })? {
                    blocks.push(block);
                }
                Ok(blocks)
            }
        }

        deserializer.deserialize_seq(BlocksVisitor)
    }
}
