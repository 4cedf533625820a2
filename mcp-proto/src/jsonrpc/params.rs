//! Parameters on their way out: an object, and the `_meta` that the connection adds to it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::encode::write_json;
use super::peek::Text;
use super::{DecodeError, RawJson};
use crate::wire::scan;

/// The parameters of an outgoing request or notification.
///
/// An object, kept as JSON text. What the connection has to add to `_meta` (version, capabilities,
/// progress token) is spliced in when the message is written, so nothing is decoded and encoded again.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params {
    /// `None` where there are no members.
    object: Option<RawJson>,
    has_meta: bool,
}

impl Params {
    /// No parameters.
    pub const NONE: Self = Self {
        object: None,
        has_meta: false,
    };

    /// Serializes `value`, which has to be an object (or nothing: `()`, `None`).
    ///
    /// # Errors
    /// [`DecodeError`] where it is something else.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, DecodeError> {
        Self::from_raw(RawJson::from_serialize(value)?)
    }

    /// Takes an object, or `null` for no parameters, as it is.
    ///
    /// # Errors
    /// [`DecodeError`] where it is something else, where `_meta` is, and where that occurs twice.
    pub fn from_raw(json: RawJson) -> Result<Self, DecodeError> {
        let text = json.as_bytes();
        if text == b"null" || text == b"{}" {
            return Ok(Self::NONE);
        }
        if text.first() != Some(&b'{') {
            return Err(DecodeError::new(&"params must be an object"));
        }
        // A quick look for the word, then a proper one for the member; `\u` could hide it.
        let may_have_meta = scan::contains(b"_meta\"", text) || scan::contains(b"\\u", text);
        let has_meta = may_have_meta && json.decode_borrowed::<HasMeta>()?.0;
        let empty = text.iter().skip(1).find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}');
        Ok(Self {
            object: (!empty).then_some(json),
            has_meta,
        })
    }

    /// An object with members, none of which is `_meta`.
    #[cfg(feature = "handle")]
    pub(crate) fn without_meta(object: RawJson) -> Self {
        Self {
            object: Some(object),
            has_meta: false,
        }
    }

    /// The object, where there are any parameters.
    pub fn as_raw(&self) -> Option<&RawJson> {
        self.object.as_ref()
    }

    /// How many bytes the object has.
    pub(crate) fn size(&self) -> usize {
        self.object.as_ref().map_or(0, |object| object.as_bytes().len())
    }

    /// Writes the object with `members` added to its `_meta`.
    ///
    /// `members` is the inside of a JSON object (`"key":value,…`), possibly empty. A member that the
    /// parameters carry themselves under the same key is replaced.
    pub(crate) fn write(&self, out: &mut Vec<u8>, members: &[u8]) {
        let Some(object) = &self.object else {
            if !members.is_empty() {
                out.extend_from_slice(b"{\"_meta\":{");
                out.extend_from_slice(members);
                out.extend_from_slice(b"}}");
            }
            return;
        };
        if members.is_empty() {
            out.extend_from_slice(object.as_bytes());
        } else if self.has_meta {
            merge(out, object, members);
        } else {
            out.extend_from_slice(b"{\"_meta\":{");
            out.extend_from_slice(members);
            out.extend_from_slice(b"},");
            out.extend_from_slice(object.as_bytes().get(1..).unwrap_or_default());
        }
    }
}

/// Writes `object` with `members` put before those members of its own `_meta` that have other keys.
fn merge(out: &mut Vec<u8>, object: &RawJson, members: &[u8]) {
    let mut added = Vec::with_capacity(members.len() + 2);
    added.push(b'{');
    added.extend_from_slice(members);
    added.push(b'}');
    let added: Object<'_> = serde_json::from_slice(&added).unwrap_or_default();
    let object: Object<'_> = object.decode_borrowed().unwrap_or_default();
    out.extend_from_slice(b"{\"_meta\":{");
    out.extend_from_slice(members);
    let own = object.0.iter().find(|(key, _)| key == "_meta");
    let own: Object<'_> = own
        .and_then(|(_, raw)| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    for (key, value) in own
        .0
        .iter()
        .filter(|(key, _)| !added.0.iter().any(|(other, _)| other == key))
    {
        out.push(b',');
        write_member(out, key, value);
    }
    out.push(b'}');
    for (key, value) in object.0.iter().filter(|(key, _)| key != "_meta") {
        out.push(b',');
        write_member(out, key, value);
    }
    out.push(b'}');
}

/// The members of an object in their order; `None` where it is none.
pub(crate) fn members(object: &RawJson) -> Option<Vec<(String, &RawValue)>> {
    object.decode_borrowed().map(|Object(members)| members).ok()
}

/// Writes one member of an object.
pub(crate) fn write_member(out: &mut Vec<u8>, key: &str, value: &RawValue) {
    write_json(out, key);
    out.push(b':');
    out.extend_from_slice(value.get().as_bytes());
}

/// Whether an object has a `_meta`. A null one counts, so that it does not stand beside the one that is written.
struct HasMeta(bool);

impl<'de> Deserialize<'de> for HasMeta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = HasMeta;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut has_meta = false;
                while let Some(Text(key)) = map.next_key()? {
                    if &*key != "_meta" {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let meta: &RawValue = map.next_value()?;
                    if !meta.get().starts_with('{') && meta.get() != "null" {
                        return Err(A::Error::custom("_meta must be an object"));
                    }
                    if core::mem::replace(&mut has_meta, true) {
                        return Err(A::Error::duplicate_field("_meta"));
                    }
                }
                Ok(HasMeta(has_meta))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The members of an object in their order.
#[derive(Default)]
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Text(key)) = map.next_key()? {
                    members.push((key.into_owned(), map.next_value()?));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Says how long they are, and not what: there may be secrets in them.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.object.as_ref().map_or(0, |object| object.as_bytes().len());
        write!(f, "Params({length} bytes)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(params: &str, members: &str) -> String {
        let mut out = Vec::new();
        Params::from_raw(RawJson::parse(params.as_bytes().to_vec()).unwrap())
            .unwrap()
            .write(&mut out, members.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn meta_is_spliced_in() {
        assert_eq!(written("{}", ""), "");
        assert_eq!(written("null", r#""a":1"#), r#"{"_meta":{"a":1}}"#);
        assert_eq!(written("{ }", r#""a":1"#), r#"{"_meta":{"a":1}}"#);
        assert_eq!(written(r#"{"x":1.0}"#, ""), r#"{"x":1.0}"#);
        assert_eq!(written(r#"{"x":1.0}"#, r#""a":1"#), r#"{"_meta":{"a":1},"x":1.0}"#);
    }

    #[test]
    fn the_callers_own_meta_is_kept() {
        assert_eq!(
            written(r#"{"x":1,"_meta":{"mine":[1, 2],"a":0}}"#, r#""a":1"#),
            r#"{"_meta":{"a":1,"mine":[1, 2]},"x":1}"#
        );
        assert_eq!(
            written(r#"{"_m\u0065ta":{"mine":1}}"#, r#""a":1"#),
            r#"{"_meta":{"a":1,"mine":1}}"#
        );
        assert_eq!(
            written(r#"{"text":"\"_meta\""}"#, r#""a":1"#),
            r#"{"_meta":{"a":1},"text":"\"_meta\""}"#
        );
    }

    #[test]
    fn a_null_meta_does_not_stand_beside_the_one_that_is_written() {
        assert_eq!(
            written(r#"{"_meta":null,"x":1}"#, r#""a":1"#),
            r#"{"_meta":{"a":1},"x":1}"#
        );
        for text in [r#"{"_meta":5}"#, r#"{"_meta":{},"_meta":{}}"#] {
            assert!(Params::from_raw(RawJson::parse(text).unwrap()).is_err(), "{text}");
        }
    }

    #[test]
    fn other_members_are_not_judged() {
        assert_eq!(
            written(r#"{"name":5,"my_meta":"\u0061"}"#, ""),
            r#"{"name":5,"my_meta":"\u0061"}"#
        );
    }

    #[test]
    fn only_objects_are_params() {
        for text in ["[]", "1", "\"x\"", "true"] {
            assert!(Params::from_raw(RawJson::parse(text).unwrap()).is_err(), "{text}");
        }
        assert_eq!(Params::from_serialize(&()).unwrap(), Params::NONE);
    }

    #[test]
    fn debug_says_how_long_they_are_and_nothing_of_what_they_say() {
        let params = Params::from_serialize(&serde_json::json!({"password": "hunter2"})).unwrap();
        let shown = alloc::format!("{:?}", crate::rpc::SendError::Blocked(params));
        assert_eq!(shown, "Blocked(Params(22 bytes))");
    }
}
