//! A text that is shown and stored nowhere.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is shown and stored nowhere: a token, a key.
///
/// It is serialized as `null`, and read back as absent; where a configuration has a text in its place, that is taken.
/// Two are compared by what they hold.
///
/// ```
/// use mcp_proto::sessions::Secret;
///
/// let secret = Secret::new("s3cret");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert_eq!(serde_json::to_string(&secret)?, "null");
/// assert!(serde_json::from_str::<Secret>("null")?.is_absent());
/// assert_eq!(serde_json::from_str::<Secret>("\"s3cret\"")?, secret);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(Option<Box<str>>);

impl Secret {
    /// A secret that was stored, and is not here. What needs it fails before anything is sent.
    pub const ABSENT: Self = Self(None);

    /// A secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Some(text.into().into()))
    }

    /// Whether it is not here.
    pub fn is_absent(&self) -> bool {
        self.0.is_none()
    }

    /// The text; `None` where it is not here.
    pub fn reveal(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_absent() {
            "Secret(absent)"
        } else {
            "Secret(..)"
        })
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(deserializer);
        // What is there instead may well be the secret, and stays out of the error.
        let text = text.map_err(|_| D::Error::custom("a secret has to be a text or null"))?;
        Ok(Self(text.map(Into::into)))
    }
}
