//! JSON that the protocol does not interpret.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::shown::write_kind;

/// One JSON value, kept as its text: key order, numbers and spelling survive.
///
/// Always valid JSON. Two values are equal where their texts are. Reading and writing one keeps its text with
/// `serde_json`; other formats of serde cannot carry it.
///
/// ```
/// use mcp_proto::model::Json;
///
/// let json: Json = serde_json::from_str(r#"{"b":1.0,"a":2}"#)?;
/// assert_eq!(json.as_str(), r#"{"b":1.0,"a":2}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Checks that `text` is one JSON value, and keeps it.
    ///
    /// # Errors
    /// [`JsonError`] where it is not.
    pub fn parse(text: impl Into<String>) -> Result<Self, JsonError> {
        RawValue::from_string(text.into()).map(Self).map_err(JsonError::new)
    }

    /// The JSON form of `value`.
    ///
    /// # Errors
    /// [`JsonError`] where it has none, such as a map whose keys are not strings.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        serde_json::value::to_raw_value(value).map(Self).map_err(JsonError::new)
    }

    /// `null`
    pub fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    /// `{}`
    pub fn empty_object() -> Self {
        Self(RawValue::from_string("{}".to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    /// Decodes the value.
    ///
    /// # Errors
    /// [`JsonError`] where the value is not of the type asked for.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        serde_json::from_str(self.as_str()).map_err(JsonError::new)
    }

    /// Decodes the value into a type that borrows from it.
    ///
    /// # Errors
    /// [`JsonError`] where the value is not of the type asked for.
    pub fn decode_borrowed<'a, T: Deserialize<'a>>(&'a self) -> Result<T, JsonError> {
        serde_json::from_str(self.as_str()).map_err(JsonError::new)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The text, by value.
    pub fn into_string(self) -> String {
        Box::<str>::from(self.0).into()
    }

    /// Whether the value is `null`.
    pub fn is_null(&self) -> bool {
        self.as_str() == "null"
    }

    /// Whether the value is an object.
    pub fn is_object(&self) -> bool {
        self.as_str().starts_with('{')
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

/// Says what it is and how long, and not what it says: there are arguments and results in it.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_kind(f, "Json", self.as_str())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Box<RawValue>> for Json {
    fn from(raw: Box<RawValue>) -> Self {
        Self(raw)
    }
}

impl From<Json> for Box<RawValue> {
    fn from(json: Json) -> Self {
        json.0
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        // The keys of a `Value` are strings, so it has a JSON form.
        Self::from_serialize(&value).unwrap_or_else(|_| Self::null())
    }
}

impl From<serde_json::Map<String, serde_json::Value>> for Json {
    fn from(object: serde_json::Map<String, serde_json::Value>) -> Self {
        serde_json::Value::Object(object).into()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

/// Why a value could not be decoded or encoded, in the parser's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    message: Box<str>,
}

impl JsonError {
    pub(crate) fn new(error: serde_json::Error) -> Self {
        Self {
            message: error.to_string().into(),
        }
    }

    pub(crate) fn custom(message: &str) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for JsonError {}
