//! The resources that a client has subscribed to.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::jsonrpc::{DecodeError, RawJson};

/// A set of URIs, whose size in bytes is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Uris {
    uris: BTreeSet<Box<str>>,
    bytes: usize,
}

impl Uris {
    /// Reads an array of strings, and stops where there are more than `most` different ones.
    pub(super) fn read(json: &RawJson, most: usize) -> Result<Self, DecodeError> {
        let mut json = serde_json::Deserializer::from_slice(json.as_bytes());
        Reading { most }
            .deserialize(&mut json)
            .map_err(|error| DecodeError::new(&alloc::format!("resourceSubscriptions: {error}")))
    }

    pub(super) fn len(&self) -> usize {
        self.uris.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.uris.is_empty()
    }

    /// About how much memory they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn contains(&self, uri: &str) -> bool {
        self.uris.contains(uri)
    }

    /// Whether it was not there.
    pub(super) fn insert(&mut self, uri: &str) -> bool {
        // Looked up first, so that a URI that is there is not copied.
        let is_new = !self.contains(uri) && self.uris.insert(uri.into());
        if is_new {
            self.bytes = self.bytes.saturating_add(weight(uri));
        }
        is_new
    }

    pub(super) fn remove(&mut self, uri: &str) {
        if self.uris.remove(uri) {
            self.bytes = self.bytes.saturating_sub(weight(uri));
        }
    }
}

/// What one more URI takes.
pub(super) fn weight(uri: &str) -> usize {
    // With what it costs to keep one: many short ones must count as well.
    uri.len() + size_of::<Box<str>>()
}

impl Serialize for Uris {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.uris)
    }
}

/// A set that is being read.
struct Reading {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Reading {
    type Value = Uris;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Uris, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Reading {
    type Value = Uris;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of URIs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Uris, A::Error> {
        let mut uris = Uris::default();
        while let Some(uri) = seq.next_element::<Cow<'de, str>>()? {
            // Before the bound is looked at, as one that is there already takes no room.
            uris.insert(&uri);
            if uris.len() > self.most {
                return Err(A::Error::custom(format_args!("more than {} URIs", self.most)));
            }
        }
        Ok(uris)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    fn read(json: &str, most: usize) -> Result<Uris, DecodeError> {
        Uris::read(&RawJson::parse(String::from(json)).unwrap(), most)
    }

    #[test]
    fn each_uri_counts_once() {
        let mut uris = read(r#"["a","bc","a","\u0061"]"#, 2).unwrap();
        assert_eq!((uris.len(), uris.bytes()), (2, weight("a") + weight("bc")));
        assert!(uris.contains("bc") && !uris.contains("b"));
        assert!(uris.insert("d") && !uris.insert("d"));
        uris.remove("a");
        uris.remove("a");
        assert_eq!(uris.bytes(), weight("bc") + weight("d"));
        assert_eq!(serde_json::to_string(&uris).unwrap(), r#"["bc","d"]"#);
    }

    #[test]
    fn too_many_and_what_is_no_array_of_strings_is_an_error() {
        assert!(read(r#"["a","b"]"#, 1).unwrap_err().to_string().contains("more than 1"));
        for json in ["{}", "[1]", "\"a\"", "[null]"] {
            assert!(read(json, 9).is_err(), "{json}");
        }
        assert!(read("[]", 0).unwrap().is_empty());
    }
}
