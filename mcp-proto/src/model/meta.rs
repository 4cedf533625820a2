//! `_meta`: metadata of the protocol and of others.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::capabilities::ClientCapabilities;
use super::implementation::Implementation;
use super::json::{Json, JsonError};
use super::logging::LoggingLevel;
use super::token::{ProgressToken, RequestId};

/// The keys of `_meta` that the specification reserves (2026-07-28, Overview, `_meta`).
pub mod meta_key {
    /// The token for progress notifications of a request.
    pub const PROGRESS_TOKEN: &str = "progressToken";
    /// The revision that a request is made in.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// Who makes a request.
    pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
    /// What the maker of a request supports.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// The least severe log messages wanted for a request.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    /// The subscription that a notification belongs to.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
    /// Who made a result.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    /// The task that a message belongs to (2025-11-25).
    pub const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";
    /// Trace context (W3C Trace Context).
    pub const TRACEPARENT: &str = "traceparent";
    /// Trace context of a vendor (W3C Trace Context).
    pub const TRACESTATE: &str = "tracestate";
    /// Baggage of a trace (W3C Baggage).
    pub const BAGGAGE: &str = "baggage";

    pub(in crate::model) const RESERVED: [&str; 11] = [
        PROGRESS_TOKEN,
        PROTOCOL_VERSION,
        CLIENT_INFO,
        CLIENT_CAPABILITIES,
        LOG_LEVEL,
        SUBSCRIPTION_ID,
        SERVER_INFO,
        RELATED_TASK,
        TRACEPARENT,
        TRACESTATE,
        BAGGAGE,
    ];
}

/// The value of `_meta`: raw values in their order, with typed access to the reserved keys.
///
/// An empty one is never written. Reading rejects a reserved key that is there twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta(Vec<(Cow<'static, str>, Json)>);

impl Meta {
    /// An empty one.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All entries in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Decodes the value of `key`; `None` where there is no such key.
    ///
    /// # Errors
    /// [`JsonError`] where the value is not of the type asked for.
    pub fn decode<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, JsonError> {
        self.get(key).map(Json::decode).transpose()
    }

    /// Sets the value of `key`, at its place where it has one and else at the end.
    pub fn insert(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Json>) {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// Takes out the value of `key`.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(at).1)
    }

    /// Sets `key` to the JSON form of `value`; a value without one is left out.
    fn set<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) {
        if let Ok(json) = Json::from_serialize(value) {
            self.insert(key, json);
        }
    }
}

/// Declares getter and setter of a reserved key.
macro_rules! reserved {
    ($($(#[$attr:meta])* $key:ident $get:ident $set:ident $ty:ty;)*) => {
        impl Meta {
            $(
                $(#[$attr])*
                ///
                /// # Errors
                /// [`JsonError`] where the value is of another type.
                pub fn $get(&self) -> Result<Option<$ty>, JsonError> {
                    self.decode(meta_key::$key)
                }

                #[doc = concat!("Sets what [`", stringify!($get), "`](Self::", stringify!($get), ") reads.")]
                pub fn $set(&mut self, value: &$ty) {
                    self.set(meta_key::$key, value);
                }
            )*
        }
    };
}

reserved! {
    /// The token that the receiver of a request puts into its progress notifications.
    PROGRESS_TOKEN progress_token set_progress_token ProgressToken;
    /// The name of the revision that a request is made in (2026-07-28).
    PROTOCOL_VERSION protocol_version set_protocol_version String;
    /// Who makes a request (2026-07-28).
    CLIENT_INFO client_info set_client_info Implementation;
    /// What the maker of a request supports (2026-07-28).
    CLIENT_CAPABILITIES client_capabilities set_client_capabilities ClientCapabilities;
    /// The least severe log messages wanted while a request is served; without it, none (2026-07-28).
    LOG_LEVEL log_level set_log_level LoggingLevel;
    /// The id of the `subscriptions/listen` request that a notification belongs to (2026-07-28).
    SUBSCRIPTION_ID subscription_id set_subscription_id RequestId;
    /// Who made a result (2026-07-28).
    SERVER_INFO server_info set_server_info Implementation;
    /// The task that a message belongs to (2025-11-25).
    RELATED_TASK related_task set_related_task super::task::RelatedTaskMetadata;
    /// The trace that a message belongs to.
    TRACEPARENT traceparent set_traceparent String;
}

impl<K: Into<Cow<'static, str>>> FromIterator<(K, Json)> for Meta {
    fn from_iter<I: IntoIterator<Item = (K, Json)>>(entries: I) -> Self {
        let mut meta = Self::new();
        for (key, value) in entries {
            meta.insert(key, value);
        }
        meta
    }
}

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetaVisitor)
    }
}

struct MetaVisitor;

impl<'de> Visitor<'de> for MetaVisitor {
    type Value = Meta;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object (_meta)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Meta, A::Error> {
        let mut meta = Meta::new();
        let mut seen = 0_u16;
        while let Some(key) = map.next_key_seed(MetaKey)? {
            if let Cow::Borrowed(name) = key {
                let bit = meta_key::RESERVED
                    .iter()
                    .take_while(|reserved| **reserved != name)
                    .count();
                if seen & (1 << bit) != 0 {
                    return Err(de::Error::duplicate_field(name));
                }
                seen |= 1 << bit;
            }
            meta.0.push((key, map.next_value()?));
        }
        Ok(meta)
    }
}

/// Reads a key, a reserved one without allocation.
struct MetaKey;

impl<'de> DeserializeSeed<'de> for MetaKey {
    type Value = Cow<'static, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for MetaKey {
    type Value = Cow<'static, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(match meta_key::RESERVED.iter().find(|reserved| **reserved == key) {
            Some(reserved) => Cow::Borrowed(*reserved),
            None => Cow::Owned(key.into()),
        })
    }
}
