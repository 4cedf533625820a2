//! Maps that keep the order of their keys.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::json::{Json, JsonError};

/// A JSON object whose keys the protocol does not fix, in the order of its keys.
///
/// Reading rejects a key that is there twice. A look-up walks over the keys: these maps are small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map<T>(Vec<(Box<str>, T)>);

impl<T> Map<T> {
    /// An empty map.
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

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Whether there is an entry for `key`.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// All entries in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// Sets the value of `key`, at its place where it has one and else at the end. Returns the value it had.
    pub fn insert(&mut self, key: impl Into<Box<str>>, value: T) -> Option<T> {
        let key = key.into();
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => Some(core::mem::replace(old, value)),
            None => {
                self.0.push((key, value));
                None
            }
        }
    }

    /// Takes out the value of `key`.
    pub fn remove(&mut self, key: &str) -> Option<T> {
        let at = self.0.iter().position(|(name, _)| **name == *key)?;
        Some(self.0.remove(at).1)
    }

    /// The first key that is there twice.
    fn duplicate(&self) -> Option<&str> {
        let mut keys: Vec<&str> = self.iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        let pair = keys.windows(2).find(|pair| pair.first() == pair.last())?;
        pair.first().copied()
    }
}

impl Map<Json> {
    /// Decodes the value of `key`; `None` where there is no such key.
    ///
    /// # Errors
    /// [`JsonError`] where the value is not of the type asked for.
    pub fn decode<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, JsonError> {
        self.get(key).map(Json::decode).transpose()
    }
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Into<Box<str>>, T> FromIterator<(K, T)> for Map<T> {
    fn from_iter<I: IntoIterator<Item = (K, T)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<T> IntoIterator for Map<T> {
    type Item = (Box<str>, T);
    type IntoIter = alloc::vec::IntoIter<(Box<str>, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T: Serialize> Serialize for Map<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MapVisitor(PhantomData))
    }
}

struct MapVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for MapVisitor<T> {
    type Value = Map<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Map<T>, A::Error> {
        let mut map = Map::new();
        while let Some(entry) = access.next_entry()? {
            map.0.push(entry);
        }
        match map.duplicate() {
            Some(key) => Err(de::Error::custom(format_args!("duplicate key {key:?}"))),
            None => Ok(map),
        }
    }
}
