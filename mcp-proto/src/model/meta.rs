//! `_meta`: metadata of the protocol and of others.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::json::{Json, JsonError};
use super::meta_key;

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
    pub(super) fn set<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) {
        if let Ok(json) = Json::from_serialize(value) {
            self.insert(key, json);
        }
    }
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
