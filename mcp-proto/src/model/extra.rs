//! Fields that this crate does not know.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::de::MapAccess;
use serde::ser::SerializeMap;

use super::json::Json;

/// The fields of an object that this crate does not know, in their order and with their text.
///
/// They are written again behind the known fields. Without any, this takes one word and no allocation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra(Option<Box<Entries>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Entries(Vec<(Box<str>, Json)>);

impl Extra {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |entries| entries.0.len())
    }

    /// The value of the first field called `name`.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// All fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0
            .iter()
            .flat_map(|entries| entries.0.iter())
            .map(|(key, value)| (&**key, value))
    }

    /// Sets a field, in place of the one called the same.
    ///
    /// One that is called like a field of the object itself is not written.
    pub fn insert(&mut self, name: impl Into<Box<str>>, value: impl Into<Json>) {
        let (name, value) = (name.into(), value.into());
        let entries = &mut self.0.get_or_insert_default().0;
        match entries.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => entries.push((name, value)),
        }
    }

    /// Takes out the first field called `name`.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        let entries = &mut self.0.as_mut()?.0;
        let at = entries.iter().position(|(key, _)| **key == *name)?;
        let (_, value) = entries.remove(at);
        if entries.is_empty() {
            self.0 = None;
        }
        Some(value)
    }

    pub(crate) fn push(&mut self, name: Box<str>, value: Json) {
        self.0.get_or_insert_default().0.push((name, value));
    }

    /// Reads the rest of `map`.
    pub(crate) fn read<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry()? {
            self.push(name, value);
        }
        Ok(())
    }

    pub(crate) fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.iter()
            .try_for_each(|(name, value)| map.serialize_entry(name, value))
    }

    /// Writes the fields but those that the object has itself, so that none is there twice.
    pub(crate) fn write_unless<M, F>(&self, map: &mut M, is_shadowed: F) -> Result<(), M::Error>
    where
        M: SerializeMap,
        F: Fn(&str) -> bool,
    {
        self.iter()
            .filter(|(name, _)| !is_shadowed(name))
            .try_for_each(|(name, value)| map.serialize_entry(name, value))
    }

    /// The JSON object of these fields.
    pub(crate) fn to_object(&self) -> Result<Json, serde_json::Error> {
        let mut text = String::from("{");
        for (at, (name, value)) in self.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(&serde_json::to_string(name)?);
            text.push(':');
            text.push_str(value.as_str());
        }
        text.push('}');
        serde_json::value::RawValue::from_string(text).map(Json::from)
    }
}
