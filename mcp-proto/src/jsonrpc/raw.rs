//! JSON that is carried as it came.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::shown::write_kind;

/// One JSON value as the bytes that were sent, shared without copying.
///
/// Always valid JSON in UTF-8: it comes from a parsed message or from a serializer. Cloning is a
/// reference count.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawJson(Bytes);

impl RawJson {
    /// Bytes that the caller knows to be one valid JSON value.
    pub(crate) fn from_valid(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// A part of the text that is itself one JSON value, shared without copying. It has to be borrowed from there.
    pub(crate) fn slice(&self, part: &str) -> Self {
        Self(self.0.slice_ref(part.as_bytes()))
    }

    /// The empty object.
    pub const fn empty_object() -> Self {
        Self(Bytes::from_static(b"{}"))
    }

    /// Checks `text` to be one JSON value and keeps it, blanks around it removed.
    ///
    /// # Errors
    /// [`DecodeError`] where `text` is not JSON.
    pub fn parse(text: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let bytes: Bytes = text.into();
        let raw: &RawValue = serde_json::from_slice(&bytes).map_err(|error| DecodeError::new(&error))?;
        let raw = raw.get().as_bytes();
        Ok(Self(bytes.slice_ref(raw)))
    }

    /// Serializes `value`.
    ///
    /// # Errors
    /// [`DecodeError`] where `value` has no JSON form (a map with keys that are not strings, say).
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, DecodeError> {
        let bytes = to_vec(value).map_err(|error| DecodeError::new(&error))?;
        Ok(Self(bytes.into()))
    }

    /// Decodes the value.
    ///
    /// # Errors
    /// [`DecodeError`] where the value is not of the type asked for.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.decode_borrowed()
    }

    /// Decodes the value into a type that borrows from it.
    ///
    /// # Errors
    /// [`DecodeError`] where the value is not of the type asked for.
    pub fn decode_borrowed<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        serde_json::from_str(self.as_str()).map_err(|error| DecodeError::new(&error))
    }

    /// The bytes, UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Always UTF-8; the default is never used, and leaves no path to a panic.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The bytes, shared.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

#[cfg(feature = "std")]
fn to_vec<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Vec<u8>> {
    // Most parameters and results fit in: growing is dear.
    let mut bytes = Vec::with_capacity(256);
    serde_json::to_writer(&mut bytes, value)?;
    Ok(bytes)
}

// Writers of one's own are there with `std` alone.
#[cfg(not(feature = "std"))]
use serde_json::to_vec;

/// Says what it is and how long, and not what it says: there are arguments, results and tokens in it.
impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_kind(f, "RawJson", self.as_str())
    }
}

impl fmt::Display for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for RawJson {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_slice(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for RawJson {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Copied: a deserializer lends slices at most, and no counted memory.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text: Box<str> = raw.into();
        Ok(Self(Vec::from(text.into_boxed_bytes()).into()))
    }
}

/// Why a value could not be decoded or encoded, in the parser's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    message: Box<str>,
}

impl DecodeError {
    pub(crate) fn new(error: &dyn fmt::Display) -> Self {
        Self {
            message: error.to_string().into(),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for DecodeError {}
