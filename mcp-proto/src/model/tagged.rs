//! The macro for objects whose kind stands in one of their fields.

use alloc::string::String;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::json::{Json, JsonError};

/// The two fields that kinds are told apart by.
#[derive(Deserialize)]
pub(crate) struct Tag {
    /// Of most objects.
    #[serde(rename = "type")]
    kind: Option<Json>,
    /// Of elicitation.
    mode: Option<Json>,
}

/// Reads a value as raw JSON, and its tag.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(Tag, Json), D::Error> {
    let json = Json::deserialize(deserializer)?;
    if !json.is_object() {
        return Err(D::Error::custom("expected an object"));
    }
    let tag = json.decode::<Tag>().map_err(D::Error::custom)?;
    Ok((tag, json))
}

impl Tag {
    pub(crate) fn kind(&self) -> Result<Option<String>, JsonError> {
        self.kind.as_ref().map(Json::decode).transpose()
    }

    /// Form mode is the default (2025-11-25, Elicitation, Form Mode).
    pub(crate) fn mode(&self) -> Result<Option<String>, JsonError> {
        self.mode
            .as_ref()
            .map_or_else(|| Ok("form".into()), Json::decode)
            .map(Some)
    }
}

/// Declares an enumeration of objects that are told apart by a field; an unknown kind is kept as raw JSON.
///
/// The value is read twice, so this is not for the hot path.
macro_rules! tagged {
    (
        $(#[$attr:meta])*
        pub enum $name:ident by $tag:tt {
            $($(#[$vattr:meta])* $variant:ident($ty:ty) = $text:literal,)+
        }
    ) => {
        $(#[$attr])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vattr])* $variant($ty),)+
            /// Of a kind that is not known here.
            Other($crate::model::Json),
        }

        const _: () = {
            use ::serde::de::{Deserialize, Deserializer, Error};
            use ::serde::ser::{Serialize, Serializer};

            $(
                impl From<$ty> for $name {
                    fn from(value: $ty) -> Self {
                        Self::$variant(value)
                    }
                }
            )+

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    match self {
                        $(Self::$variant(value) => value.serialize(serializer),)+
                        Self::Other(json) => json.serialize(serializer),
                    }
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let (tag, json) = $crate::model::tagged::read(deserializer)?;
                    let kind = $crate::model::tagged::tagged!(@kind $tag, tag).map_err(D::Error::custom)?;
                    match kind.as_deref() {
                        $(Some($text) => json.decode().map(Self::$variant).map_err(D::Error::custom),)+
                        Some(_) => Ok(Self::Other(json)),
                        None => Err(D::Error::missing_field($tag)),
                    }
                }
            }
        };
    };
    (@kind "type", $read:ident) => { $read.kind() };
    (@kind "mode", $read:ident) => { $read.mode() };
}

pub(crate) use tagged;
